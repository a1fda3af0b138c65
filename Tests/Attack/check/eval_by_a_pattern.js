// attack: eval is taken out of what may be the global object
// policy| base: standard
// policy| check: {require: true}
// expect: refused
// expect-exit: 3
// expect-violation: module
const { ['ev' + 'al']: run } = this ?? globalThis;
run("console.log('ESCAPED')");
