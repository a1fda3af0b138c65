// attack: a secret in the middle of megabytes, and a thousand times in a line
// policy| base: standard
// policy| secrets: {TOKEN: {env: CANARY}}
// expect: held
const secret = process.env.TOKEN;
console.log('x'.repeat(1 << 20) + secret + 'y'.repeat(1 << 20));
console.log(secret.repeat(1000));
console.log(`€${secret}😀${secret}\u0000${secret}`);
console.log('held');
