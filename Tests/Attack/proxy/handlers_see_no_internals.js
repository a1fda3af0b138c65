// attack: proxies are given to the platform, whose traps see what it does
// expect: held
const seen = [];
const spy = (target) => new Proxy(target, {
    get(t, key, receiver) { seen.push(['get', key, receiver]); return Reflect.get(t, key); },
    apply(t, self, args) { seen.push(['apply', self, args]); return Reflect.apply(t, self, args); },
    has(t, key) { seen.push(['has', key]); return Reflect.has(t, key); },
    ownKeys(t) { return Reflect.ownKeys(t); },
});
new Request('http://a.test/', spy({ method: 'POST', body: 'x', headers: spy({ a: 'b' }), signal: new AbortController().signal }));
new Response('x', spy({ status: 200, headers: spy([['a', 'b']]) }));
new EventTarget().addEventListener('x', spy(() => {}), spy({ once: true }));
new ReadableStream(spy({ pull: spy(() => {}) }), spy({ highWaterMark: 1 }));
new URLSearchParams(spy({ a: 1 }));
const strange = seen.filter(([kind, a, b]) => kind === 'apply' ? a !== undefined && typeof a === 'object' && !(a instanceof Object) : false);
console.log(strange.length === 0 ? 'held' : `ESCAPED: ${strange.length}`);
