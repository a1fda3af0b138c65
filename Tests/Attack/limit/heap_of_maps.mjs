// attack: a heap that is filled by a Map whose table doubles
// command: serve
// limits: heap=40MB
// request: GET /fill -> 503
// request: GET /fast -> 200 fast
// expect-limit: heap
// expect-outcome: exceededMemory
export default {
    fetch(request) {
        if (!request.url.endsWith('/fill')) return new Response('fast');
        const map = new Map();
        for (let i = 0; ; i++) map.set(i, { i });
    },
};
