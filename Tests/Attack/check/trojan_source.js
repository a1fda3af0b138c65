// attack: a comment that reads as code, and code that reads as a comment
// policy| base: standard
// policy| check: {require: true}
// expect: refused
// expect-exit: 3
// expect-violation: module
const level = 'user';
/*‮ } ⁦if (isAdmin)⁩ ⁦ begin admins only */
console.log('ESCAPED: it ran');
