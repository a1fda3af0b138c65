// attack: a comment that ends at a character that editors show as none
// policy| base: standard
// policy| check: {require: true}
// expect: refused
// expect-exit: 3
// expect-violation: module
// a remark  eval("console.log('ESCAPED')")
