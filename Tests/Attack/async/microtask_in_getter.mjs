// attack: a getter that the host calls adds microtasks and awaits
// expect: held
let order = '';
const options = { get method() { queueMicrotask(() => { order += 'b'; }); Promise.resolve().then(() => { order += 'c'; }); order += 'a'; return 'GET'; } };
new Request('http://a.test/', options);
await null;
await null;
console.log(order === 'abc' ? 'held' : `ESCAPED: ${order}`);
