// attack: ArrayBuffers lie outside of the heap, and so outside of its limit
// command: serve
// limits: memory=16MB
// request: GET /fill -> 503
// request: GET /fast -> 200 fast
// expect-limit: memory
// expect-outcome: exceededMemory
const kept = [];
export default {
    fetch(request) {
        if (!request.url.endsWith('/fill')) { kept.length = 0; return new Response('fast'); }
        for (;;) kept.push(new Uint8Array(1 << 20).fill(1));
    },
};
