// attack: methods of arrays over four thousand million elements that are not there
// command: serve
// limits: cpu=200ms
// request: GET /array -> 503
// request: GET /fast -> 200 fast
// expect-outcome: exceededCpu
export default {
    fetch(request) {
        if (!request.url.endsWith('/array')) return new Response('fast');
        const all = { length: 2 ** 53 - 1 };
        return new Response(`${Array.prototype.indexOf.call(new Proxy(all, {}), 1)}`);
    },
};
