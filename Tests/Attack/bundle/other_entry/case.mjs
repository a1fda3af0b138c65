// attack: the manifest of another program that is signed, too
// policy| base: standard
// policy| signature: {require: true, keys: [key.pub.pem]}
// expect: refused
// expect-exit: 3
// expect-stderr: another entry
console.log('ESCAPED: ran');
