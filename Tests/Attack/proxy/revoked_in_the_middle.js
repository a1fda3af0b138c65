// attack: a proxy is revoked while the platform reads it
// expect: held
const tries = [];
for (const use of [(p) => new Headers(p), (p) => new Request('http://a', p), (p) => new Response('', p), (p) => structuredClone(p), (p) => new URLSearchParams(p), (p) => new Event('x', p), (p) => new Blob([], p), (p) => console.log(p)]) {
    const { proxy, revoke } = Proxy.revocable({ a: 'b', method: 'GET' }, { get(t, k) { revoke(); return t[k]; }, ownKeys(t) { revoke(); return Reflect.ownKeys(t); } });
    try { use(proxy); } catch (error) { if (!(error instanceof Error)) tries.push(error); }
}
console.log(tries.length === 0 ? 'held' : 'ESCAPED');
