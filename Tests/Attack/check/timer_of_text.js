// attack: a timer is given text
// policy| base: standard
// policy| check: {require: true}
// expect: refused
// expect-exit: 3
// expect-violation: module
setTimeout("console.log('ESCAPED')", 0);
