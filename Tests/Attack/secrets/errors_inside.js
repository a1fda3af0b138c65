// attack: a secret in a syntax error, in a stack, in a script's name and in JSON that is none
// policy| base: standard
// policy| secrets: {TOKEN: {env: CANARY}}
// expect: held
const secret = process.env.TOKEN;
const tries = [
    () => JSON.parse(secret), () => new Function(`let ${secret} =`), () => new URL(secret), () => new RegExp(`(${secret}`),
    () => { const error = new Error('x'); error.stack = `Error: ${secret}\n    at ${secret}`; throw error; },
    () => { throw Object.assign(new AggregateError([new Error(secret)], secret), { secret }); },
    () => (0, eval)(`throw new Error('${secret}')\n//# sourceURL=${secret}.js`),
];
for (const one of tries) try { one(); } catch (error) { console.error(error); console.log(String(error), error); }
console.log('held');
