// attack: a manifest with paths that are none of a bundle
// policy| base: standard
// policy| signature: {require: true, keys: [key.pub.pem]}
// expect: refused
// expect-exit: 3
console.log('ESCAPED: ran');
