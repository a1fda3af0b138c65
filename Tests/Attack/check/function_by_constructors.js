// attack: Function by way of the constructors of a list
// policy| base: standard
// policy| check: {require: true}
// expect: refused
// expect-exit: 3
// expect-violation: module
[].constructor.constructor("console.log('ESCAPED')")();
