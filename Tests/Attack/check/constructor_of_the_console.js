// attack: Function by way of a function of the realm
// policy| base: standard
// policy| check: {require: true}
// expect: refused
// expect-exit: 3
// expect-violation: module
console.log.constructor("console.log('ESCAPED')")();
