// attack: __proto__ as a name of a form, of search parameters and of headers
// policy| base: strict
// policy| code: {primordials: open}
// policy| random: allow
// expect: held
const form = new URLSearchParams('__proto__=1&constructor=2&__proto__[a]=3');
const object = Object.fromEntries(form);
const data = new FormData();
data.append('__proto__', 'x');
new Headers([['__proto__', 'x'], ['constructor', 'y']]);
console.log(({}).a === undefined && Object.prototype.toString.call({}) === '[object Object]' && object.constructor === '2' ? 'held' : 'ESCAPED');
