// attack: a regular expression that backtracks for longer than the world is old
// command: serve
// limits: cpu=100ms
// request: GET /redos -> 503
// request: GET /fast -> 200 fast
// expect-limit: cpu
// expect-outcome: exceededCpu
export default {
    fetch(request) {
        if (!request.url.endsWith('/redos')) return new Response('fast');
        return new Response(`${/^(([a-z])+.)+[A-Z]([a-z])+$/.test('a'.repeat(60))}`);
    },
};
