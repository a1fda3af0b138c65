// attack: an imported module is changed after it was signed
// policy| base: standard
// policy| signature: {require: true, keys: [key.pub.pem]}
// expect: refused
// expect-exit: 3
// expect-stderr: lib\.mjs is not what was signed
import { say } from './lib.mjs';
console.log(say());
