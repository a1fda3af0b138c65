// attack: the same by replace with a sticky, global, named-group expression with look-behind, on two-byte text
// command: serve
// limits: cpu=100ms
// request: GET /redos -> 503
// request: GET /fast -> 200 fast
// expect-outcome: exceededCpu
export default {
    fetch(request) {
        if (!request.url.endsWith('/redos')) return new Response('fast');
        return new Response(`\u20ac${'x'.repeat(50)}`.replace(/(?<=\u20ac)(?<n>(x|xx)+)+y/gu, '$<n>'));
    },
};
