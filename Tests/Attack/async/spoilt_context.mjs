// attack: a request spoils the context that its own timers and fetches go on in, so that it is never answered and its server never ends
// command: serve
// policy| modules: ["@opentelemetry/api", "./**"]
// policy| network: {private: [{host: 127.0.0.1, ports: [9], methods: [GET]}]}
// request: GET /timer -> 200 held
// request: GET /fetch -> 200 held
// request: GET /message -> 200 held
import { trace } from '@opentelemetry/api';

const waits = {
    '/timer': () => new Promise((resolve) => { setTimeout(resolve, 20); }),
    '/fetch': () => fetch('http://127.0.0.1:9/').catch(() => {}),
    '/message': () => new Promise((resolve) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => { port1.close(); resolve(); };
        port2.postMessage('on');
    }),
};

export default {
    async fetch(request) {
        trace.getActiveSpan()._stores = undefined;
        await waits[new URL(request.url).pathname]();
        return new Response('held');
    },
};
