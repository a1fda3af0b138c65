// attack: what is behind <!-- is a comment in a script, and the line after it is not
// policy| base: standard
// policy| check: {require: true}
// expect: refused
// expect-exit: 3
// expect-violation: module
let x = 1; <!-- eval
--> also a comment
eval("console.log('ESCAPED')");
