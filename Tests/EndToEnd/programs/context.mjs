// One span opened in each kind of continuation; each must be a child of `outer`.
import { trace, context, propagation } from '@opentelemetry/api';
import { AsyncLocalStorage } from 'node:async_hooks';

const tracer = trace.getTracer('context');
const storage = new AsyncLocalStorage();
const seen = {};
const mark = (name) => {
    tracer.startSpan(name).end();
    seen[name] = storage.getStore();
};
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function inner() {
    await null;
    mark('after await');
    await sleep(2);
    mark('after timer await');
    await Promise.all([sleep(1).then(() => mark('promise chain')), Promise.resolve().then(() => mark('resolved chain'))]);
    await Promise.reject(new Error('x')).catch(() => mark('catch'));
    await Promise.resolve().finally(() => mark('finally'));
    for await (const step of (async function* () { yield 'generator'; })()) mark(`async ${step}`);
}

await tracer.startActiveSpan('outer', async (outer) => {
    await storage.run('stored', async () => {
        mark('sync');
        setTimeout(() => mark('timer'), 1);
        setImmediate(() => mark('immediate'));
        queueMicrotask(() => mark('microtask'));
        const interval = setInterval(() => { clearInterval(interval); mark('interval'); }, 1);
        await inner();
        const module = await import('./context_part.mjs');
        module.run(() => mark('imported'));
        context.with(context.active(), () => mark('with'));
        setTimeout(context.bind(context.active(), () => mark('bound')), 1);
        await new Promise((resolve) => setTimeout(resolve, 10));
    });
    // Two at once keep apart.
    await Promise.all(['left', 'right'].map((side) => tracer.startActiveSpan(side, async (span) => {
        await sleep(side === 'left' ? 4 : 2);
        tracer.startSpan(`${side} child`).end();
        span.end();
    })));
    outer.end();
});
tracer.startSpan('afterwards').end();
console.log(JSON.stringify(seen));
