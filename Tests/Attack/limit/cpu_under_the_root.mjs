// attack: a request that leaves its context by OpenTelemetry's root before it uses the processor
// command: serve
// policy| modules: ["@opentelemetry/api", "./**"]
// limits: cpu=100ms
// request: GET /root -> 503
// request: GET /fast -> 200 fast
// expect-limit: cpu
// expect-outcome: exceededCpu
import { context, ROOT_CONTEXT } from '@opentelemetry/api';
const spin = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };
export default {
    async fetch(request) {
        if (!request.url.endsWith('/root')) return new Response('fast');
        const next = () => { spin(3); setTimeout(next, 1); };
        context.with(ROOT_CONTEXT, () => setTimeout(next, 1));
        return new Promise(() => {});
    },
};
