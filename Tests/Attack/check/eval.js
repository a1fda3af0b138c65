// attack: eval, in a program that has to pass the validator
// policy| base: standard
// policy| check: {require: true}
// expect: refused
// expect-exit: 3
// expect-violation: module
eval("1");
console.log('ESCAPED: it ran');
