// attack: a signature is required, and the key is no key
// policy| base: standard
// policy| signature: {require: true, keys: [key.pub.pem]}
// expect: refused
// expect-exit: 2
console.log('ESCAPED: ran');
