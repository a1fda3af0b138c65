// attack: arithmetic that V8 does in one call
// command: serve
// limits: cpu=200ms heap=64MB
// request: GET /multiply -> 503
// request: GET /fast -> 200 fast
// expect-outcome: exceededCpu
export default {
    fetch(request) {
        if (!request.url.endsWith('/multiply')) return new Response('fast');
        let x = 3n ** 1_000_000n;
        for (;;) { x = x * x % (2n ** 4_000_000n); x.toString(); }
    },
};
