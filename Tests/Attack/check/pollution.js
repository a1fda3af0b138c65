// attack: every object gets a property
// policy| base: standard
// policy| check: {require: true}
// expect: refused
// expect-exit: 3
// expect-violation: module
Object.prototype.isAdmin = true;
console.log('ESCAPED: it ran');
