// attack: the program writes a secret to its streams
// policy| base: standard
// policy| secrets: {TOKEN: {env: CANARY}}
// expect: held
process.stdout.write(`a${process.env.TOKEN}b\n`);
process.stderr.write(`a${process.env.TOKEN}b\n`);
console.log('held');
