// attack: a signed module is taken away
// policy| base: standard
// policy| signature: {require: true, keys: [key.pub.pem]}
// expect: refused
// expect-exit: 3
import { say } from './lib.mjs';
console.log(say());
