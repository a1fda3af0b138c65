// Streams that are transferred: https://streams.spec.whatwg.org/#transferable-streams.
import { done, equal, fail, ok, rejects, same, test, throws } from './assert.js';

const chunks = (...list) => new ReadableStream({ start(c) { for (const chunk of list) c.enqueue(chunk); c.close(); } });
const clone = (stream) => structuredClone(stream, { transfer: [stream] });
async function all(stream) {
    const seen = [];
    for await (const chunk of stream) seen.push(chunk);
    return seen;
}
const turn = () => new Promise((resolve) => setTimeout(resolve, 0));
/** Until `condition` holds: what other isolates and queues bring has no other sign here. */
async function until(condition) { while (!condition()) await turn(); }
const open = () => new Worker(new URL('../workers/streams.js', import.meta.url), { type: 'module' });
const next = (target) => new Promise((resolve) => target.addEventListener('message', ({ data }) => resolve(data), { once: true }));
async function withWorker(run) {
    const worker = open();
    try { await run(worker); } finally { worker.terminate(); }
}

test('chunks come out in order, with what they hold', async () => {
    const stream = chunks(1, { a: [new Date(5)] }, new Uint8Array([1, 2]), new Blob(['x']));
    const copy = clone(stream);
    ok(stream.locked && copy instanceof ReadableStream && copy !== stream && !copy.locked);
    const seen = await all(copy);
    equal(seen.length, 4);
    equal(seen[1].a[0].getTime(), 5);
    equal(seen[2][1], 2);
    equal(await seen[3].text(), 'x');
});

test('a byte stream and a body arrive as plain streams of chunks', async () => {
    const bytes = new Response('some text').body;
    const copy = clone(bytes);
    throws(() => copy.getReader({ mode: 'byob' }), 'TypeError');
    equal(await new Response(copy).text(), 'some text');
});

test('a subclass arrives as what it extends, without properties of its own', async () => {
    class Mine extends ReadableStream { constructor(source) { super(source); this.own = () => 1; } }
    const copy = clone(new Mine({ start(c) { c.enqueue(7); c.close(); } }));
    ok(Object.getPrototypeOf(copy) === ReadableStream.prototype && copy.own === undefined);
    same(await all(copy), [7]);
});

test('a writable stream takes chunks, closes and aborts', async () => {
    const events = [];
    const sink = () => ({ write(c) { events.push(c); }, close() { events.push('close'); }, abort(reason) { events.push(['abort', reason]); } });
    const writer = clone(new WritableStream(sink())).getWriter();
    await writer.write(1);
    await writer.write(2);
    await writer.close();
    await until(() => events.length === 3);
    same(events, [1, 2, 'close']);
    events.length = 0;
    await clone(new WritableStream(sink())).abort('enough');
    await until(() => events.length === 1);
    same(events, [['abort', 'enough']]);
});

test('a sink that is slow holds the writer back', async () => {
    let letGo, count = 0;
    const stream = new WritableStream({ write() { count++; return new Promise((resolve) => { letGo = resolve; }); } });
    const writer = clone(stream).getWriter();
    const settled = [];
    for (let i = 0; i < 5; i++) writer.write(i).then(() => settled.push(i));
    await until(() => count === 1 && settled.length > 0);
    for (let i = 0; i < 20; i++) await turn();
    ok(settled.length < 4, `${settled.length} writes`);
    for (let i = 1; i <= 4; i++) {
        letGo();
        await until(() => count === i + 1);
    }
    letGo();
    await until(() => settled.length === 5);
});

test('both sides of a transform stream, and of a pair', async () => {
    const twice = () => new TransformStream({ transform(chunk, controller) { controller.enqueue(chunk * 2); } });
    const one = clone(twice());
    ok(one instanceof TransformStream);
    same(await all(chunks(1, 2, 3).pipeThrough(one)), [2, 4, 6]);
    const { readable, writable } = twice();
    const pair = structuredClone({ readable, writable }, { transfer: [writable, readable] });
    same(await all(chunks(5).pipeThrough(pair)), [10]);
});

test('errors and cancelling go through, as far as they can be cloned', async () => {
    const failing = clone(new ReadableStream({ pull() { throw new RangeError('source'); } }));
    await rejects(failing.getReader().read(), 'RangeError', 'source');
    let reason;
    const cancelled = clone(new ReadableStream({ cancel(value) { reason = value; } }));
    await cancelled.cancel({ why: 1 });
    await until(() => reason !== undefined);
    same(reason, { why: 1 });
    let lost;
    const odd = clone(new ReadableStream({ cancel(value) { lost = value; } }));
    await rejects(odd.cancel(() => {}), 'DataCloneError');
    await until(() => lost !== undefined);
    equal(lost.name, 'DataCloneError');
    // A chunk that cannot be cloned fails both sides.
    let why;
    const bad = new ReadableStream({ start(c) { c.enqueue(() => {}); }, cancel(value) { why = value; } });
    await rejects(clone(bad).getReader().read(), 'DataCloneError');
    await until(() => why !== undefined);
    equal(why.name, 'DataCloneError');
    const writer = clone(new WritableStream()).getWriter();
    await rejects(writer.write(new Response()), 'DataCloneError');
    await rejects(writer.closed, 'DataCloneError');
});

test('what is refused stays as it was', async () => {
    const channel = new MessageChannel();
    const buffer = new ArrayBuffer(4);
    const stream = chunks('whole');
    const bad = [
        [stream, undefined], [{ deep: [stream] }, undefined], [{ get given() { return stream; } }, undefined], [[stream, () => {}], [stream, buffer]],
        [stream, [stream, stream]], [stream, [stream, new Response()]], [stream, [stream, new TextDecoderStream()]], [stream, [buffer, stream, stream.getReader]],
    ];
    for (const [value, transfer] of bad) {
        for (const send of [() => structuredClone(value, { transfer }), () => channel.port1.postMessage(value, transfer)]) {
            try {
                send();
                fail('was taken');
            } catch (error) {
                ok(error.name === 'DataCloneError' || error.name === 'TypeError', String(error));
            }
        }
    }
    throws(() => new BroadcastChannel('x').postMessage(stream), 'DataCloneError');
    const locked = new ReadableStream();
    locked.getReader();
    throws(() => structuredClone(locked, { transfer: [locked, buffer] }), 'DataCloneError', 'locked');
    const { writable } = new TransformStream();
    writable.getWriter();
    throws(() => channel.port1.postMessage(1, [writable]), 'DataCloneError', 'locked');
    const half = new TransformStream();
    half.readable.getReader();
    throws(() => structuredClone(half, { transfer: [half] }), 'DataCloneError', 'locked');
    equal(buffer.byteLength, 4);
    same(await all(clone(stream)), ['whole']);
    throws(() => clone(stream), 'DataCloneError');
    channel.port1.close();
});

test('a stream that a getter locks, or transfers, fails on the other side', async () => {
    const stream = chunks(1);
    const { port1, port2 } = new MessageChannel();
    const got = next(port2);
    port2.start();
    throws(() => port1.postMessage({ stream, get lock() { return String(stream.getReader()); } }, [stream]), 'DataCloneError', 'locked');
    await rejects(all((await got).stream), 'DataCloneError');
    const second = chunks(2);
    let inner;
    throws(() => structuredClone({ get first() { inner = clone(second); return 1; }, second }, { transfer: [second] }), 'DataCloneError');
    same(await all(inner), [2]);
    port2.close();
});

test('ports and streams of one message are told apart', async () => {
    const { port1, port2 } = new MessageChannel();
    const extra = new MessageChannel();
    const first = chunks('first'), second = chunks('second'), unused = chunks('unused');
    const event = new Promise((resolve) => { port2.onmessage = resolve; });
    port1.postMessage({ second, port: extra.port1, first, again: first }, [unused, first, extra.port1, second]);
    const { data, ports } = await event;
    equal(ports.length, 1);
    ok(ports[0] === data.port && data.again === data.first);
    same([await all(data.first), await all(data.second)], [['first'], ['second']]);
    const heard = next(extra.port2);
    extra.port2.start();
    ports[0].postMessage('through');
    equal(await heard, 'through');
    ok(unused.locked);
    port2.close();
    extra.port2.close();
});

test('a child reads, writes and hands on', () => withWorker(async (worker) => {
    const stream = chunks(...Array(100).keys());
    worker.postMessage({ do: 'read', stream }, [stream]);
    const [how, seen] = await next(worker);
    same([how, seen.length, seen[99]], ['end', 100, 99]);
    const got = [];
    const target = new WritableStream({ write(chunk) { got.push(chunk); } });
    worker.postMessage({ do: 'write', stream: target, count: 50 }, [target]);
    equal(await next(worker), 'written');
    await until(() => got.length === 50);
    const far = chunks('there', 'and', 'back');
    worker.postMessage(far, [far]);
    const near = await next(worker);
    worker.postMessage(near, [near]);
    same(await all(await next(worker)), ['there', 'and', 'back']);
    const broken = new ReadableStream({ start(c) { c.error(new SyntaxError('here')); } });
    worker.postMessage({ do: 'read', stream: broken }, [broken]);
    same(await next(worker), ['SyntaxError', []]);
}));

test('a child lives while its stream is read, and while it reads', async () => {
    const giving = open();
    giving.postMessage({ do: 'give', count: 20 });
    const stream = await next(giving);
    const reader = stream.getReader();
    for (let i = 1; i <= 20; i++) {
        await turn();
        equal((await reader.read()).value, i);
    }
    ok((await reader.read()).done);
    const waiting = open();
    let controller;
    const late = new ReadableStream({ start(c) { controller = c; } });
    waiting.postMessage({ do: 'wait', stream: late }, [late]);
    for (let i = 0; i < 20; i++) await turn();
    controller.enqueue('late');
    equal(await next(waiting), 'late');
});

test('the end of a child is no error of a stream', async () => {
    const worker = open();
    let controller;
    const stream = new ReadableStream({ start(c) { controller = c; } });
    worker.postMessage(stream, [stream]);
    const reader = (await next(worker)).getReader();
    controller.enqueue(1);
    equal((await reader.read()).value, 1);
    worker.terminate();
    let settled = false;
    reader.read().then(() => { settled = true; }, () => { settled = true; });
    for (let i = 0; i < 50; i++) {
        controller.enqueue(i);
        await turn();
    }
    ok(!settled);
});
await done();
