// attack: a name that shows nothing
// policy| base: standard
// policy| check: {require: true}
// expect: refused
// expect-exit: 3
// expect-violation: module
const { a, ㅤ } = { a: 1, ㅤ: 2 };
console.log('ESCAPED: it ran');
