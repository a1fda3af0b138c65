// attack: the thread sleeps for ever, which uses no processor
// command: serve
// policy: standard
// limits: loop-block=100ms
// request: GET /sleep -> 503
// request: GET /fast -> 200 fast
// expect-limit: loop-block
// expect-outcome: exceededLoopBlock
export default {
    fetch(request) {
        if (!request.url.endsWith('/sleep')) return new Response('fast');
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
        return new Response('woken');
    },
};
