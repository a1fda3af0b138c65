// attack: the variable that a secret comes from, the agent's passphrase and token
// policy| base: standard
// policy| secrets: {TOKEN: {env: CANARY}}
// env: SIDELIGHT_PASSPHRASE=open sesame
// env: SIDELIGHT_TOKEN=door-token-1
// expect: held
const seen = ['CANARY', 'SIDELIGHT_PASSPHRASE', 'SIDELIGHT_TOKEN'].filter((name) => process.env[name] !== undefined || name in process.env || Object.keys(process.env).includes(name));
const elsewhere = JSON.stringify([process.argv, process.execArgv ?? []]).includes(process.env.TOKEN);
console.log(seen.length || elsewhere ? `ESCAPED: ${seen}` : 'held');
