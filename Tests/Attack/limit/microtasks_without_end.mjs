// attack: microtasks that make microtasks, so that the turn never ends
// command: serve
// limits: cpu=100ms
// request: GET /flood -> 503
// request: GET /fast -> 200 fast
// expect-limit: cpu
// expect-outcome: exceededCpu
export default {
    async fetch(request) {
        if (!request.url.endsWith('/flood')) return new Response('fast');
        for (;;) await null;
    },
};
