// attack: a proxy as the prototype of the global object sees what the platform looks up
// expect: held
const seen = [];
try {
    Object.setPrototypeOf(globalThis, new Proxy(Object.getPrototypeOf(globalThis), { get(t, key) { seen.push(String(key)); return Reflect.get(t, key); }, has(t, key) { seen.push(String(key)); return Reflect.has(t, key); } }));
} catch {}
new URL('http://a.test');
setTimeout(() => {}, 0);
new Response('x').text().then(() => {});
const names = seen.filter((name) => !name.startsWith('Symbol'));
console.log(names.length === 0 || names.every((name) => !/ops|internal|primordials/.test(name)) ? 'held' : `ESCAPED: ${names}`);
