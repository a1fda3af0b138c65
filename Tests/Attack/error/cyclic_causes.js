// attack: causes in a circle, and a thousand deep
// expect: held
const first = new Error('first');
const second = new Error('second', { cause: first });
first.cause = second;
console.error(first);
let deep = new Error('0');
for (let i = 0; i < 1e4; i++) deep = new Error(String(i), { cause: deep });
console.error(deep);
console.error(new AggregateError(Array.from({ length: 1e4 }, (_, i) => new Error(String(i))), 'many'));
console.log('held');
