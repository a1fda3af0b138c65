// attack: a program that nobody has signed
// policy| base: standard
// policy| signature: {require: true, keys: [key.pub.pem]}
// expect: refused
// expect-exit: 3
// expect-stderr: it is not signed
console.log('ESCAPED: ran');
