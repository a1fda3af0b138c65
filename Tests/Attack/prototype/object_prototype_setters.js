// attack: setters on Object.prototype catch fields that the platform sets on its own objects
// policy| base: strict
// policy| code: {primordials: open}
// policy| random: allow
// expect: held
const caught = [];
for (const name of ['value', 'done', 'url', 'headers', 'method', 'body', 'signal', 'name', 'type', 'id', 'handle', 'token', 'next', 'state', 'resolve', 'reject', 'promise', 'ops', 'host', 'span', 'context', 'parent', 'code', 'stack', 'cause', 'kind', 'callback', 'timer', 'list', 'buffer', 'port']) {
    Object.defineProperty(Object.prototype, name, { __proto__: null, configurable: true, set(value) { caught[caught.length] = name; }, get() { return undefined; } });
}
new Request('http://a.test/', { method: 'POST', body: 'x' });
new Response('x', { headers: { a: 'b' } });
new ReadableStream({ start(c) { c.enqueue(1); c.close(); } }).getReader().read();
const t = setTimeout(() => {}, 1);
clearTimeout(t);
new AbortController().signal.addEventListener('abort', () => {}, { once: true });
new Blob(['a'], { type: 'text/plain' }).slice(0, 1);
new URL('http://u:p@h:1/p?q#f');
const own = caught.length;
for (const name of Object.keys(Object.getOwnPropertyDescriptors(Object.prototype))) if (Object.getOwnPropertyDescriptor(Object.prototype, name).configurable && !['constructor'].includes(name) && Object.getOwnPropertyDescriptor(Object.prototype, name).set && name !== '__proto__') delete Object.prototype[name];
console.log(own === 0 ? 'held' : `ESCAPED: ${caught}`);
