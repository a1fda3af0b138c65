// attack: the constructor of async functions
// policy| base: standard
// policy| check: {require: true}
// expect: refused
// expect-exit: 3
// expect-violation: module
const Make = Object.getPrototypeOf(async function () {}).constructor;
await new Make("console.log('ESCAPED')")();
