// attack: an error that nobody catches has a secret in its message, cause and properties
// policy| base: standard
// policy| secrets: {TOKEN: {env: CANARY}}
// expect-exit: 1
// expect: held
console.log('held');
const error = new Error(`cannot log in with ${process.env.TOKEN}`, { cause: new Error(process.env.TOKEN) });
error.password = process.env.TOKEN;
error.name = process.env.TOKEN;
throw error;
