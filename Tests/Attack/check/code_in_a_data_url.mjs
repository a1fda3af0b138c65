// attack: code is imported from a data: URL
// policy| base: standard
// policy| check: {require: true}
// expect: refused
// expect-exit: 3
// expect-violation: module
import 'data:text/javascript,console.log(%22ESCAPED%22)';
