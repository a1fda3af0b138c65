// attack: finally, catch and proxies keep a terminated request alive
// command: serve
// limits: cpu=100ms
// request: GET /spin -> 503
// request: GET /fast -> 200 fast
// expect-outcome: exceededCpu
function forever() {
    for (;;) {
        try { for (;;); } catch { continue; } finally { forever(); }
    }
}
const handler = new Proxy({}, { get: forever, has: forever });
export default {
    fetch(request) {
        if (!request.url.endsWith('/spin')) return new Response('fast');
        try { return handler.x; } finally { forever(); }
    },
};
