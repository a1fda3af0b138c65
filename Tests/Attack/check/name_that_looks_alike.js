// attack: a function whose name looks like another one
// policy| base: standard
// policy| check: {require: true}
// expect: refused
// expect-exit: 3
// expect-violation: module
function isАdmin() { return true; }
function isAdmin() { return false; }
console.log('ESCAPED: it ran');
