// attack: a key in the source
// policy| base: standard
// policy| check: {require: true}
// expect: refused
// expect-exit: 3
// expect-violation: module
const key = 'AKIAIOSFODNN7ABCDEFG';
console.log('ESCAPED: it ran');
