// attack: a manifest as deep as a well
// policy| base: standard
// policy| signature: {require: true, keys: [key.pub.pem]}
// expect: refused
// expect-exit: 3
console.log('ESCAPED: ran');
