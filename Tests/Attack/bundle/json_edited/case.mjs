// attack: imported JSON is changed after it was signed
// policy| base: standard
// policy| signature: {require: true, keys: [key.pub.pem]}
// expect: refused
// expect-exit: 3
import data from './data.json' with { type: 'json' };
console.log(data.text);
