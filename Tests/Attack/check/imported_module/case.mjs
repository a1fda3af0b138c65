// attack: the entry is clean, and what it imports is not
// policy| base: standard
// policy| check: {require: true}
// expect: refused
// expect-exit: 3
// expect-violation: module
import './other.mjs';
console.log('ESCAPED: it ran');
