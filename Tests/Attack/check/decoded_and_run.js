// attack: code that is decoded and run at once
// policy| base: standard
// policy| check: {require: true}
// expect: refused
// expect-exit: 3
// expect-violation: module
(0, eval)(atob('Y29uc29sZS5sb2coJ0VTQ0FQRUQnKQ=='));
