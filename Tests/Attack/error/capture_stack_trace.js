// attack: Error.captureStackTrace with a large limit shows frames of the host
// expect: held
Error.stackTraceLimit = 10000;
const holder = {};
let text = '';
const target = new EventTarget();
target.addEventListener('x', () => { Error.captureStackTrace(holder); text = holder.stack; });
target.dispatchEvent(new Event('x'));
console.log(/ops|primordials|internal\b/.test(text.replaceAll('node:internal', '')) ? `ESCAPED: ${text}` : 'held');
