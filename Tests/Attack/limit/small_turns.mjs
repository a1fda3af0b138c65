// attack: a request that uses the processor in many short turns, each far below the limit
// command: serve
// limits: cpu=100ms
// request: GET /turns -> 503
// request: GET /fast -> 200 fast
// expect-limit: cpu
// expect-outcome: exceededCpu
const spin = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };
export default {
    async fetch(request) {
        if (!request.url.endsWith('/turns')) return new Response('fast');
        for (;;) { spin(0.5); await new Promise((resolve) => setImmediate(resolve)); }
    },
};
