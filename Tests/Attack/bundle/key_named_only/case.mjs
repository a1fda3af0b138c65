// attack: the manifest names the trusted key, and another has signed it
// policy| base: standard
// policy| signature: {require: true, keys: [key.pub.pem]}
// expect: refused
// expect-exit: 3
// expect-stderr: is not good
console.log('ESCAPED: ran');
