// attack: a request that never gives the thread back
// command: serve
// limits: cpu=100ms
// request: GET /fast -> 200 fast
// request: GET /spin -> 503
// request: GET /fast -> 200 fast
// expect-limit: cpu
// expect-outcome: exceededCpu
export default { fetch(request) { if (request.url.endsWith('/spin')) for (;;); return new Response('fast'); } };
