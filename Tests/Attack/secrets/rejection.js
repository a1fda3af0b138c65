// attack: a rejection that nobody handles is a secret
// policy| base: standard
// policy| secrets: {TOKEN: {env: CANARY}}
// expect-exit: 1
// expect: held
console.log('held');
Promise.reject(process.env.TOKEN);
