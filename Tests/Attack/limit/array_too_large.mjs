// attack: an array that is larger than V8's arrays can be, which a built-in makes: V8 ends the process
// command: serve
// limits: heap=64MB
// request: GET /split -> 503
// request: GET /fast -> 200 fast
// expect-limit: heap
// expect-outcome: exceededMemory
// expect-stderr: isolate 0: heap limit .*reached: V8: Fatal JavaScript invalid size error
export default {
    fetch(request) {
        if (!request.url.endsWith('/split')) return new Response('fast');
        return new Response('x'.repeat(2 ** 29 - 24).split('').length);
    },
};
