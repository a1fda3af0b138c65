// attack: more subrequests than a request may have, by a port, by OpenTelemetry's root, and in a context from before there was a request
// command: serve
// policy| modules: ["@opentelemetry/api", "node:async_hooks", "./**"]
// policy| network: {private: [{host: 127.0.0.1, ports: [9], methods: [GET]}]}
// limits: subrequests=5
// request: GET /root -> 200 held
// request: GET /port -> 200 held
// request: GET /outside -> 200 held
// expect-limit: subrequests
// expect-outcome: exceededSubrequests
import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { AsyncLocalStorage } from 'node:async_hooks';
const outside = AsyncLocalStorage.snapshot();
const { port1, port2 } = new MessageChannel();
let told;
port2.onmessage = async () => told(await flood());
// Nobody listens at port 9. What of it the limit has not refused was sent.
async function flood() {
    let sent = 0;
    const began = performance.now();
    for (let i = 0; i < 50; i++) await fetch('http://127.0.0.1:9/').catch(({ cause }) => { if (cause?.code !== 'ERR_LIMIT_EXCEEDED') sent++; });
    return sent <= 5 * Math.ceil(1 + (performance.now() - began) / 1000);
}
export default {
    async fetch(request) {
        const ways = {
            '/root': () => context.with(ROOT_CONTEXT, flood),
            '/port': () => new Promise((resolve) => { told = resolve; port1.postMessage(1); }),
            '/outside': () => outside(flood),
        };
        return new Response(await ways[new URL(request.url).pathname]() ? 'held' : 'ESCAPED');
    },
};
