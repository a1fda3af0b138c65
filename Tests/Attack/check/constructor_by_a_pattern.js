// attack: Function is taken out of a function by a pattern
// policy| base: standard
// policy| check: {require: true}
// expect: refused
// expect-exit: 3
// expect-violation: module
const { constructor: Maker } = () => {};
Maker("console.log('ESCAPED')")();
