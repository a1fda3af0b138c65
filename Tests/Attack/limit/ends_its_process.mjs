// attack: a handler that ends the process of all
// command: serve
// request: GET /exit -> 503 The service has ended and is being started again
// request: GET /fast -> 200 fast
export default {
    async fetch(request) {
        if (!request.url.endsWith('/exit')) return new Response('fast');
        await null;
        process.exit();
    },
};
