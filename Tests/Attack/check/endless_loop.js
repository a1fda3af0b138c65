// attack: a loop without an end, where the policy takes no warnings
// policy| base: standard
// policy| check: {require: true, level: warning}
// expect: refused
// expect-exit: 3
// expect-violation: module
while (true) {}
