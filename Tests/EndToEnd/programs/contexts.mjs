// Spans opened in each kind of continuation of a handler; each must be a child of its own request's span.
// `steps` requests run interleaved, and each asks an echoing service at `?peer=`, whose answer tells which span the question came from.
import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorage } from 'node:async_hooks';

const tracer = trace.getTracer('contexts');
const storage = new AsyncLocalStorage();
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function everyWay(request, url, name, execution) {
    const stored = {};
    const mark = (way) => {
        tracer.startSpan(`${name} ${way}`).end();
        stored[way] = storage.getStore();
    };
    mark('sync');
    await null;
    mark('await');
    await sleep(1);
    mark('timer await');
    const callbacks = [];
    const called = (way) => new Promise((resolve) => callbacks.push([way, () => { mark(way); resolve(); }]));
    const waiting = [called('timer'), called('immediate'), called('microtask'), called('interval'), called('event'), called('abort')];
    const call = Object.fromEntries(callbacks);
    setTimeout(call.timer, 2);
    setImmediate(call.immediate);
    queueMicrotask(call.microtask);
    const interval = setInterval(() => { clearInterval(interval); call.interval(); }, 1);
    const target = new EventTarget();
    target.addEventListener('x', call.event);
    target.dispatchEvent(new Event('x'));
    AbortSignal.timeout(1).addEventListener('abort', call.abort);
    await Promise.all(waiting);
    await Promise.all([sleep(1).then(() => mark('chain')), Promise.reject(new Error('x')).catch(() => mark('catch'))]);
    await Promise.resolve().finally(() => mark('finally'));
    for await (const step of (async function* () { mark('in generator'); yield 'generator'; await sleep(1); mark('in generator, later'); })()) mark(`async ${step}`);
    await { then(resolve) { mark('thenable'); resolve(); } };
    mark('after thenable');
    const { readable, writable } = new TransformStream({ async transform(chunk, controller) { await null; mark('transform'); controller.enqueue(chunk); } });
    const writer = writable.getWriter();
    const written = writer.write('x').then(() => writer.close());
    for await (const _ of readable) mark('stream');
    await written;
    const source = new ReadableStream({ async pull(controller) { await sleep(1); mark('pull'); controller.enqueue('x'); controller.close(); } });
    for await (const _ of source) mark('pulled');
    const module = await import('./context_part.mjs');
    module.run(() => mark('imported'));
    if (request.body !== null) {
        for await (const _ of request.body) mark('body');
    }
    const answer = await fetch(url.searchParams.get('peer'), { headers: { 'x-name': name } });
    mark('fetch');
    stored.asked = await answer.json();
    mark('fetched body');
    stored.baggage = propagation.getActiveBaggage()?.getAllEntries().map(([key, entry]) => [key, entry.value]) ?? null;
    stored.active = trace.getActiveSpan()?.spanContext().spanId;
    execution.waitUntil(sleep(1).then(() => mark('waitUntil')));
    context.with(context.active(), () => mark('with'));
    await tracer.startActiveSpan(`${name} inner`, async (inner) => {
        await sleep(1);
        tracer.startSpan(`${name} below inner`).end();
        inner.end();
    });
    mark('after inner');
    let pulls = 0;
    return new Response(new ReadableStream({
        async pull(controller) {
            await sleep(1);
            mark(`response pull ${pulls++}`);
            if (pulls === 1) controller.enqueue(new TextEncoder().encode(JSON.stringify(stored)));
            else controller.close();
        },
    }));
}

export default {
    fetch(request, env, execution) {
        const url = new URL(request.url);
        const name = url.pathname.slice(1);
        return storage.run(`stored for ${name}`, everyWay, request, url, name, execution);
    },
};
