// attack: a secret in a warning, and in what the process says as it ends
// policy| base: standard
// policy| secrets: {TOKEN: {env: CANARY}}
// expect-exit: 1
// expect: held
console.log('held');
process.emitWarning?.(process.env.TOKEN);
queueMicrotask(() => { throw process.env.TOKEN; });
