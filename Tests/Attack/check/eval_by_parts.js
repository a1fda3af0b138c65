// attack: eval by a name that is put together
// policy| base: standard
// policy| check: {require: true}
// expect: refused
// expect-exit: 3
// expect-violation: module
const parts = ['ev', 'al'];
const name = 'ev' + `al`;
globalThis[name]("console.log('ESCAPED')");
