// attack: the program imports a module that was never signed
// policy| base: standard
// policy| signature: {require: true, keys: [key.pub.pem]}
// expect: refused
// expect-exit: 3
// expect-violation: module
import './extra.mjs';
console.log('ESCAPED: ran');
