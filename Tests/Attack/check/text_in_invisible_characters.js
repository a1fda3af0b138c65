// attack: a payload in characters that show nothing
// policy| base: standard
// policy| check: {require: true}
// expect: refused
// expect-exit: 3
// expect-violation: module
const payload = '󠁣󠁯󠁮󠁳󠁯󠁬󠁥󠀮󠁬󠁯󠁧󠀨󠀱󠀩';
console.log('ESCAPED: it ran');
