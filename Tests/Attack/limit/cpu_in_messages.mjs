// attack: a request that uses the processor in the turns of a port's messages, which are nobody's
// command: serve
// policy: standard
// limits: cpu=100ms
// request: GET /messages -> 503
// request: GET /fast -> 200 fast
// expect-limit: cpu
// expect-outcome: exceededCpu
const spin = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };
export default {
    async fetch(request) {
        if (!request.url.endsWith('/messages')) return new Response('fast');
        const { port1, port2 } = new MessageChannel();
        port2.onmessage = () => { spin(3); port1.postMessage(1); };
        port1.postMessage(1);
        return new Promise(() => {});
    },
};
