// attack: a class inherits from Function
// policy| base: standard
// policy| check: {require: true}
// expect: refused
// expect-exit: 3
// expect-violation: module
class Maker extends Function {}
new Maker("console.log('ESCAPED')")();
