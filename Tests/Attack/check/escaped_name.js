// attack: eval with its name in escapes
// policy| base: standard
// policy| check: {require: true}
// expect: refused
// expect-exit: 3
// expect-violation: module
\u0065val("console.log('ESCAPED')");
