// attack: the program says itself that its eval is no problem
// policy| base: standard
// policy| check: {require: true}
// expect: refused
// expect-exit: 3
// expect-violation: module
// sidelight-ignore-next-line no-eval -- trust me
eval("console.log('ESCAPED')");
