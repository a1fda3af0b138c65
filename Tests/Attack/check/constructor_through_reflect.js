// attack: Function through Reflect.get
// policy| base: standard
// policy| check: {require: true}
// expect: refused
// expect-exit: 3
// expect-violation: module
Reflect.construct(Reflect.get(() => {}, 'constructor'), ["console.log('ESCAPED')"])();
