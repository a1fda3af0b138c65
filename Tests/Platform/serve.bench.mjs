// What a request costs in the platform's JavaScript, in nanoseconds, under Node's V8: node --experimental-vm-modules Tests/Platform/serve.bench.mjs
// The ops do nothing, so this is the cost of Request, Response, Exchange and span alone.
import { serve } from './serve.mjs';

const REQUEST = 'GET /users/42?full=1\nhost\nlocalhost:3000\nuser-agent\ncurl/8.5.0\naccept\n*/*\naccept-encoding\ngzip, deflate, br\n';

function measure(name, handler, bits) {
    // A vm context looks globals up through an interceptor, which the real host has not: taken once.
    const server = serve(`const { Response } = globalThis; ${handler}`);
    const { ops, internal } = server.realm;
    const { ring, cells } = server;
    const noop = () => 1;
    let current;
    Object.assign(ops, {
        httpRespond: noop, httpRoute: noop, httpErrorType: noop, context: () => current, setContext(value) { current = value; },
        enter(value) { const before = current; current = value; return before; }, now() {},
        httpAttributes(slot, at) { cells[13] = 0; return at; },
    });
    const i32 = new Int32Array(ring.buffer);
    cells[8] = bits;
    cells[12] = 1;
    const { dispatch } = internal.serve;
    const run = (count) => {
        for (let i = 0; i < count; i++) {
            cells[4] = i;
            dispatch(i & 63, REQUEST);
            i32[32] = i32[16]; // the consumer is quick
        }
    };
    run(200_000);
    let best = Infinity;
    for (let round = 0; round < 5; round++) {
        const start = performance.now();
        run(200_000);
        best = Math.min(best, (performance.now() - start) / 200_000 * 1e6);
    }
    console.log(`${name.padEnd(44)} ${best.toFixed(0).padStart(6)} ns`);
}

measure('text, not sampled', `export default { fetch() { return new Response('hello'); } }`, 0);
measure('text, sampled', `export default { fetch() { return new Response('hello'); } }`, 1);
measure('text of url and a header, not sampled', `export default { fetch(r) { return new Response(r.method + r.url + r.headers.get('accept')); } }`, 0);
measure('json, not sampled', `export default { fetch() { return Response.json({ a: 1, b: 'two' }); } }`, 0);
measure('own headers, not sampled', `export default { fetch() { return new Response('hello', { status: 201, headers: { 'content-type': 'text/html', 'x-a': 'b' } }); } }`, 0);
