// attack: the entry is changed after it was signed
// policy| base: standard
// policy| signature: {require: true, keys: [key.pub.pem]}
// expect: refused
// expect-exit: 3
// expect-stderr: case\.mjs is not what was signed
console.log('ESCAPED');
