// attack: bytes that are no text, for whoever decodes them in another way
// policy| base: standard
// policy| check: {require: true}
// expect: refused
// expect-exit: 3
// expect-violation: module
const x = 'À¯';
console.log('ESCAPED: it ran');
