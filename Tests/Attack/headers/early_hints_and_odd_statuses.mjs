// attack: statuses that end a connection's framing: interim ones, those without a body that have one, those out of range
// command: serve
// policy: standard
// request: GET /none -> 204
// request: GET / -> 200 held
export default {
    fetch(request) {
        if (new URL(request.url).pathname === '/none') return new Response(null, { status: 204, headers: { 'content-length': '100' } });
        for (const make of [
            () => new Response('x', { status: 100 }), () => new Response('x', { status: 101 }), () => new Response('x', { status: 199 }), () => new Response('x', { status: 204 }),
            () => new Response('x', { status: 304 }), () => new Response('x', { status: 600 }), () => new Response('x', { status: 0 }), () => new Response('x', { status: -1 }),
            () => Response.redirect('http://a.test', 200), () => new Response('x', { status: NaN }), () => new Response('x', { status: 'two' }),
        ]) {
            try {
                return new Response(`ESCAPED: ${make().status}`);
            } catch (error) {
                if (!(error instanceof RangeError || error instanceof TypeError)) return new Response(`ESCAPED: ${error}`);
            }
        }
        return new Response('held');
    },
};
