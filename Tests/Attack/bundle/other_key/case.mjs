// attack: an attacker signs the changed program with a key of his own
// policy| base: standard
// policy| signature: {require: true, keys: [key.pub.pem]}
// expect: refused
// expect-exit: 3
// expect-stderr: not trusted
console.log('ESCAPED: ran');
