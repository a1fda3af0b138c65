// attack: eval taken out of the global object
// policy| base: standard
// policy| check: {require: true}
// expect: refused
// expect-exit: 3
// expect-violation: module
const everything = globalThis;
const { eval: run } = everything;
run("console.log('ESCAPED')");
