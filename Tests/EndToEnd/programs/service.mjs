// A service with a route for each thing that a test of serving needs. The first part of the path is the route; the rest makes the request's span findable.
// Gates make order certain: `/wait/X` answers once `/open/X` was asked for.
import { trace } from '@opentelemetry/api';

const gates = new Map();
const gate = (name) => {
    if (!gates.has(name)) {
        const made = {};
        made.promise = new Promise((resolve) => { made.open = resolve; });
        gates.set(name, made);
    }
    return gates.get(name);
};
const happened = new Map(); // what tests ask for by /happened/X
const note = (name, what) => happened.set(name, [...(happened.get(name) ?? []), what]);
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Bytes whose value says where they are, so that what is lost, doubled or out of order shows. */
function pattern(offset, length) {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = (offset + i) % 251;
    return bytes;
}

function counted(total, piece, onPull = () => {}) {
    let sent = 0;
    return new ReadableStream({
        async pull(controller) {
            await onPull(sent);
            const length = Math.min(piece, total - sent);
            if (length > 0) controller.enqueue(pattern(sent, length));
            sent += length;
            if (sent === total) controller.close();
        },
    });
}

const routes = {
    text: () => new Response('hello'),
    own() {
        const span = trace.getActiveSpan();
        // The second is learnt as a text that comes again.
        for (let i = 0; i < 3; i++) span.setAttributes({ 'client.address': 'hidden', 'server.port': i });
        span.setAttribute('server.port', 1);
        return new Response('own');
    },
    async later(request, url) {
        await sleep(Number(url.searchParams.get('ms') ?? 1));
        return new Response(url.pathname);
    },
    async echo(request) { return new Response(await request.arrayBuffer()); },
    mirror: (request) => new Response(request.body),
    unread: () => new Response('not read'),
    async some(request) {
        const reader = request.body.getReader();
        const { value } = await reader.read();
        return new Response(`${value.length > 0}`);
    },
    async count(request) {
        let bytes = 0;
        let good = true;
        for await (const chunk of request.body) {
            for (let i = 0; i < chunk.length && good; i += 997) good = chunk[i] === (bytes + i) % 251;
            bytes += chunk.length;
            await null;
        }
        return Response.json({ bytes, good });
    },
    async wait(request, url, name) {
        note(name, 'waits');
        request.signal.addEventListener('abort', () => note(name, `aborted: ${request.signal.reason.name}`));
        await gate(name).promise;
        return new Response(url.pathname);
    },
    open(request, url, name) {
        gate(name).open();
        return new Response('open');
    },
    happened: (request, url, name) => Response.json(happened.get(name) ?? []),
    stream(request, url) {
        const total = Number(url.searchParams.get('bytes'));
        const headers = url.searchParams.has('length') ? { 'content-length': String(total) } : {};
        return new Response(counted(total, Number(url.searchParams.get('piece') ?? 1000)), { headers });
    },
    // Its first piece goes out at once, the second when the gate opens.
    gated(request, url, name) {
        request.signal.addEventListener('abort', () => note(name, 'aborted'));
        let number = 0;
        return new Response(new ReadableStream({
            async pull(controller) {
                if (number++ > 0) {
                    await gate(name).promise;
                    controller.enqueue(new TextEncoder().encode('second'));
                    controller.close();
                } else {
                    controller.enqueue(new TextEncoder().encode('first '));
                }
            },
            cancel(reason) { note(name, `cancelled: ${reason?.name}`); },
        }));
    },
    endless(request, url, name) {
        return new Response(new ReadableStream({
            pull(controller) { controller.enqueue(new Uint8Array(50_000)); },
            cancel(reason) { note(name, `cancelled: ${reason?.name}`); },
        }));
    },
    big(request, url) {
        const bytes = Number(url.searchParams.get('bytes'));
        switch (url.searchParams.get('as')) {
            case 'latin': return new Response('0123456789'.repeat(bytes / 10));
            case 'wide': return new Response('é€😀a'.repeat(bytes / 10));
            default: return new Response(pattern(0, bytes));
        }
    },
    utf8: () => new Response('é€😀\u0000\ud800x'),
    status: (request, url, name) => new Response(null, { status: Number(name) }),
    headers: () => new Response('x', {
        status: 201, statusText: 'Fine',
        headers: [['x-a', '1'], ['x-a', '2'], ['set-cookie', 'a=1'], ['set-cookie', 'b=2'], ['connection', 'upgrade'], ['transfer-encoding', 'gzip'],
            ['date', 'never'], ['keep-alive', '1'], ['x-latin', 'caf\xe9']],
    }),
    'bad-length': () => new Response('four', { headers: { 'content-length': '400' } }),
    'short-stream': () => new Response(counted(10, 10), { headers: { 'content-length': '20' } }),
    'long-stream': () => new Response(counted(30, 10), { headers: { 'content-length': '20' } }),
    'broken-stream'(request) {
        let number = 0;
        return new Response(new ReadableStream({
            pull(controller) {
                if (number++ === 3) throw new RangeError('the source is broken');
                controller.enqueue(new Uint8Array(10));
            },
        }));
    },
    throw() { throw new RangeError('thrown'); },
    async reject() {
        await null;
        throw Object.assign(new TypeError('rejected'), { code: 'ERR_OWN' });
    },
    'throw-nothing'() { throw undefined; },
    'throw-text'() { throw 'a text'; },
    'throw-hostile'() { throw { get message() { throw new Error('no'); }, get stack() { throw new Error('no'); }, toString() { throw new Error('no'); } }; },
    never: () => new Promise(() => {}),
    nonsense: (request, url, name) => ({
        undefined, null: null, number: 42, text: 'text', object: {}, symbol: Symbol('s'), function: () => {}, promise: Promise.resolve(1),
        thenable: { then(resolve) { resolve({ status: 200 }); } }, error: new Error('returned'), proxy: new Proxy(new Response('x'), {}),
    })[name],
    used() {
        const response = new Response('once');
        response.text();
        return response;
    },
    'thenable-response': () => ({ then(resolve) { resolve(new Response('by thenable')); } }),
    until(request, url, name, context) {
        context.waitUntil((async () => {
            note(name, 'began');
            await gate(name).promise;
            note(name, 'ended');
        })());
        context.waitUntil(Promise.reject(new Error('in waitUntil')));
        return new Response('answered');
    },
    request(request, url) {
        return Response.json({ method: request.method, url: request.url, headers: [...request.headers], body: request.body !== null });
    },
    spin(request, url) {
        const end = Date.now() + Number(url.searchParams.get('ms'));
        while (Date.now() < end);
        return new Response('spun');
    },
    heap() {
        const kept = [];
        for (;;) kept.push(new Array(10_000).fill(kept.length));
    },
    pid: () => new Response(String(process.pid)),
    exit() { process.exit(3); },
    spin() { for (;;); },
};

export default {
    fetch(request, env, context) {
        const url = new URL(request.url);
        const [, route, name] = url.pathname.split('/');
        const handler = routes[route];
        return handler === undefined ? new Response('no such route', { status: 404 }) : handler(request, url, name, context);
    },
};
