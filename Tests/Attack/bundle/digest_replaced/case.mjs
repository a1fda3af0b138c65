// attack: the digest in the manifest is changed with the file
// policy| base: standard
// policy| signature: {require: true, keys: [key.pub.pem]}
// expect: refused
// expect-exit: 3
// expect-stderr: is not good
import { say } from './lib.mjs';
console.log(say());
