// attack: a package.json that was never signed leads a name to another signed file
// policy| base: standard
// policy| signature: {require: true, keys: [key.pub.pem]}
// expect: held
import { say } from './lib/index.js';
console.log(say());
