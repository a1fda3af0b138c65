// attack: a request that uses the processor in timers of a context from before there was a request
// command: serve
// policy: standard
// limits: cpu=100ms
// request: GET /timers -> 503
// request: GET /fast -> 200 fast
// expect-limit: cpu
// expect-outcome: exceededCpu
import { AsyncLocalStorage } from 'node:async_hooks';
const outside = AsyncLocalStorage.snapshot();
const spin = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };
export default {
    async fetch(request) {
        if (!request.url.endsWith('/timers')) return new Response('fast');
        const next = () => { spin(3); setImmediate(next); };
        outside(() => setImmediate(next));
        return new Promise(() => {});
    },
};
