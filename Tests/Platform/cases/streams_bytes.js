// Byte streams: controller, BYOB readers and requests, tee. Runs on Node as well.
import { done, equal, ok, rejects, same, test, throws } from './assert.js';

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));
const boom = new RangeError('boom');
const bytes = (...values) => new Uint8Array(values);
const list = ({ value, done: end }) => [value === undefined ? 'none' : Array.from(value), end];
const byteStream = (source, strategy) => {
    let controller;
    const { start } = source;
    const stream = new ReadableStream({ ...source, type: 'bytes', start(c) { controller = c; return start?.(c); } }, strategy);
    return { stream, controller };
};

test('construction', () => {
    throws(() => new ReadableStream({ type: 'bytes' }, { size() {} }), 'RangeError');
    throws(() => new ReadableStream({ type: 'bytes', autoAllocateChunkSize: 0 }), 'TypeError');
    throws(() => new ReadableStream({ type: 'bytes', autoAllocateChunkSize: -1 }), 'TypeError');
    throws(() => new ReadableStream({ type: 'bytes' }, { highWaterMark: NaN }), 'RangeError');
    throws(() => new ReadableStreamBYOBRequest(), 'TypeError');
    throws(() => new ReadableByteStreamController(), 'TypeError');
    throws(() => new ReadableStreamBYOBReader(new ReadableStream()), 'TypeError');
    throws(() => new ReadableStreamBYOBReader({}), 'TypeError');
    const { stream, controller } = byteStream({});
    same([controller.constructor.name, controller.desiredSize, controller.byobRequest, stream.locked], ['ReadableByteStreamController', 0, null, false]);
    equal(byteStream({}, { highWaterMark: 7 }).controller.desiredSize, 7);
    new ReadableStream({ type: { toString: () => 'bytes' } }).getReader({ mode: 'byob' });
});
test('a default reader gets what is enqueued, as Uint8Arrays', async () => {
    const { stream, controller } = byteStream({}, { highWaterMark: 10 });
    controller.enqueue(new Uint16Array([0x0102]));
    controller.enqueue(new DataView(new ArrayBuffer(3), 1, 2));
    equal(controller.desiredSize, 6);
    const reader = stream.getReader();
    const first = await reader.read();
    equal(first.value.constructor.name, 'Uint8Array');
    same(list(first), [[2, 1], false]);
    same(list(await reader.read()), [[0, 0], false]);
    const late = reader.read();
    controller.enqueue(bytes(9));
    same(list(await late), [[9], false]);
    controller.close();
    same(list(await reader.read()), ['none', true]);
    equal(controller.desiredSize, 0);
    await reader.closed;
});
test('enqueue takes the buffer', () => {
    const { controller } = byteStream({});
    const chunk = bytes(1, 2, 3);
    controller.enqueue(chunk);
    same([chunk.length, chunk.buffer.byteLength], [0, 0]);
    throws(() => controller.enqueue(chunk), 'TypeError');
    throws(() => controller.enqueue(bytes()), 'TypeError');
    throws(() => controller.enqueue(new Uint8Array(new ArrayBuffer(4), 0, 0)), 'TypeError');
    for (const bad of [undefined, null, 1, 'text', {}, [], new ArrayBuffer(1)]) throws(() => controller.enqueue(bad), 'TypeError');
    throws(() => controller.enqueue(new Uint8Array(new SharedArrayBuffer(1))), 'TypeError');
    throws(() => controller.enqueue(), 'TypeError');
});
test('close and error', async () => {
    const { stream, controller } = byteStream({});
    controller.enqueue(bytes(1));
    controller.close();
    throws(() => controller.close(), 'TypeError');
    throws(() => controller.enqueue(bytes(2)), 'TypeError');
    const reader = stream.getReader();
    same(list(await reader.read()), [[1], false]);
    same(list(await reader.read()), ['none', true]);
    const failing = byteStream({});
    failing.controller.enqueue(bytes(1));
    failing.controller.error(boom);
    equal(failing.controller.desiredSize, null);
    equal(await failing.stream.getReader().read().catch((e) => e), boom);
    throws(() => failing.controller.enqueue(bytes(1)), 'TypeError');
});
test('BYOB: a view is filled from the queue and its buffer is taken', async () => {
    const { stream, controller } = byteStream({});
    controller.enqueue(bytes(1, 2, 3));
    controller.enqueue(bytes(4, 5));
    const reader = stream.getReader({ mode: 'byob' });
    const buffer = new ArrayBuffer(8);
    const view = new Uint8Array(buffer, 2, 4);
    const result = await reader.read(view);
    equal(view.byteLength, 0);
    same(list(result), [[1, 2, 3, 4], false]);
    same([result.value.byteOffset, result.value.buffer.byteLength], [2, 8]);
    same(list(await reader.read(bytes(0, 0))), [[5], false]);
});
test('BYOB: waiting reads are filled in order', async () => {
    const { stream, controller } = byteStream({});
    const reader = stream.getReader({ mode: 'byob' });
    const reads = [reader.read(bytes(0, 0)), reader.read(bytes(0, 0, 0)), reader.read(bytes(0))];
    controller.enqueue(bytes(1, 2, 3, 4));
    same(list(await reads[0]), [[1, 2], false]);
    same(list(await reads[1]), [[3, 4], false]);
    controller.enqueue(bytes(5));
    same(list(await reads[2]), [[5], false]);
});
test('BYOB: all kinds of views', async () => {
    for (const View of [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array, DataView]) {
        const { stream, controller } = byteStream({});
        controller.enqueue(new Uint8Array(16));
        const { value } = await stream.getReader({ mode: 'byob' }).read(new View(new ArrayBuffer(16)));
        same([value.constructor.name, value.byteLength], [View.name, 16]);
    }
});
test('BYOB: elements stay whole', async () => {
    const { stream, controller } = byteStream({});
    const reader = stream.getReader({ mode: 'byob' });
    controller.enqueue(bytes(1, 0, 2));
    same(list(await reader.read(new Uint16Array(2))), [[1], false]);
    const read = reader.read(new Uint16Array(1));
    controller.enqueue(bytes(0));
    same(list(await read), [[2], false]);
    const torn = reader.read(new Uint16Array(1));
    controller.enqueue(bytes(7));
    throws(() => controller.close(), 'TypeError');
    await rejects(torn, 'TypeError');
    const other = byteStream({});
    other.controller.enqueue(bytes(1));
    other.controller.close();
    await rejects(other.stream.getReader({ mode: 'byob' }).read(new Uint16Array(1)), 'TypeError');
});
test('BYOB: min', async () => {
    const { stream, controller } = byteStream({});
    const reader = stream.getReader({ mode: 'byob' });
    let settled = false;
    const read = reader.read(new Uint8Array(5), { min: 3 });
    read.then(() => { settled = true; });
    controller.enqueue(bytes(1, 2));
    await turn();
    equal(settled, false);
    controller.enqueue(bytes(3));
    same(list(await read), [[1, 2, 3], false]);
    await rejects(reader.read(new Uint8Array(2), { min: 0 }), 'TypeError');
    await rejects(reader.read(new Uint8Array(2), { min: 3 }), 'RangeError');
    await rejects(reader.read(new Uint16Array(2), { min: 3 }), 'RangeError');
    await rejects(reader.read(new DataView(new ArrayBuffer(2)), { min: 3 }), 'RangeError');
    await rejects(reader.read(new Uint8Array(2), { min: -1 }), 'TypeError');
    await rejects(reader.read(new Uint8Array(2), 5), 'TypeError');
});
test('BYOB: what read() refuses', async () => {
    const { stream } = byteStream({});
    const reader = stream.getReader({ mode: 'byob' });
    for (const bad of [undefined, null, 1, {}, new ArrayBuffer(1), bytes(), new Uint8Array(new SharedArrayBuffer(1))]) await rejects(reader.read(bad), 'TypeError');
    await rejects(reader.read(), 'TypeError');
    const view = bytes(1);
    structuredClone(view.buffer, { transfer: [view.buffer] });
    await rejects(reader.read(view), 'TypeError');
    reader.releaseLock();
    await rejects(reader.read(bytes(1)), 'TypeError');
    await rejects(reader.closed, 'TypeError');
    await rejects(reader.cancel(), 'TypeError');
    const { prototype } = ReadableStreamBYOBReader;
    await rejects(prototype.read.call({}, bytes(1)), 'TypeError');
    await rejects(prototype.cancel.call({}), 'TypeError');
    throws(() => prototype.releaseLock.call({}), 'TypeError');
    throws(() => ReadableByteStreamController.prototype.enqueue.call({}, bytes(1)), 'TypeError');
    throws(() => ReadableStreamBYOBRequest.prototype.respond.call({}, 1), 'TypeError');
});
test('BYOB: the end gives the view back, empty', async () => {
    const { stream, controller } = byteStream({});
    const reader = stream.getReader({ mode: 'byob' });
    controller.close();
    const { value, done: end } = await reader.read(new Uint16Array(4));
    same([value.constructor.name, value.length, value.buffer.byteLength, end], ['Uint16Array', 0, 8, true]);
    const other = byteStream({});
    const waiting = other.stream.getReader({ mode: 'byob' });
    const read = waiting.read(bytes(0, 0));
    other.controller.close();
    other.controller.byobRequest.respond(0);
    same(list(await read), [[], true]);
});
test('BYOB: cancel ends waiting reads with undefined', async () => {
    let reason;
    const { stream } = byteStream({ cancel(value) { reason = value; } });
    const reader = stream.getReader({ mode: 'byob' });
    const reads = [reader.read(bytes(0)), reader.read(bytes(0))];
    await reader.cancel('why');
    for (const read of reads) same(list(await read), ['none', true]);
    equal(reason, 'why');
    const failing = byteStream({ cancel() { throw boom; } });
    equal(await failing.stream.cancel().catch((e) => e), boom);
});
test('BYOB: a failure', async () => {
    const { stream, controller } = byteStream({});
    const reader = stream.getReader({ mode: 'byob' });
    const read = reader.read(bytes(0));
    controller.error(boom);
    equal(await read.catch((e) => e), boom);
    equal(await reader.read(bytes(0)).catch((e) => e), boom);
    equal(await reader.closed.catch((e) => e), boom);
});
test('respond: the source writes into the reader\'s buffer', async () => {
    const requests = [];
    const stream = new ReadableStream({
        type: 'bytes',
        pull(c) {
            const { byobRequest } = c;
            equal(c.byobRequest, byobRequest);
            const { view } = byobRequest;
            requests.push([view.constructor.name, view.byteOffset, view.byteLength]);
            view[0] = 7;
            byobRequest.respond(1);
            equal(byobRequest.view, null);
            throws(() => byobRequest.respond(1), 'TypeError');
            throws(() => byobRequest.respondWithNewView(bytes(1)), 'TypeError');
        },
    });
    const reader = stream.getReader({ mode: 'byob' });
    const result = await reader.read(new Uint8Array(new ArrayBuffer(4), 1, 3));
    same(list(result), [[7], false]);
    same([result.value.byteOffset, result.value.buffer.byteLength], [1, 4]);
    same(requests, [['Uint8Array', 1, 3]]);
});
test('respond: several for one element', async () => {
    let count = 0;
    const stream = new ReadableStream({ type: 'bytes', pull(c) { c.byobRequest.view[0] = ++count; c.byobRequest.respond(1); } });
    const { value } = await stream.getReader({ mode: 'byob' }).read(new Uint16Array(2));
    same([value.length, value[0], count], [1, 0x0201, 2]);
});
test('respond: what it refuses', async () => {
    const { stream, controller } = byteStream({});
    const reader = stream.getReader({ mode: 'byob' });
    reader.read(bytes(0, 0)).catch(() => {});
    const { byobRequest } = controller;
    throws(() => byobRequest.respond(), 'TypeError');
    throws(() => byobRequest.respond(-1), 'TypeError');
    throws(() => byobRequest.respond(NaN), 'TypeError');
    throws(() => byobRequest.respond(0), 'TypeError');
    throws(() => byobRequest.respond(3), 'RangeError');
    throws(() => byobRequest.respondWithNewView(bytes()), 'TypeError');
    throws(() => byobRequest.respondWithNewView(bytes(1)), 'RangeError');
    throws(() => byobRequest.respondWithNewView(new Uint8Array(new ArrayBuffer(2), 1)), 'RangeError');
    throws(() => byobRequest.respondWithNewView({}), 'TypeError');
    const { buffer } = byobRequest.view;
    const moved = structuredClone(buffer, { transfer: [buffer] });
    throws(() => byobRequest.respond(1), 'TypeError');
    byobRequest.respondWithNewView(new Uint8Array(moved, 0, 2));
    const closing = byteStream({});
    closing.stream.getReader({ mode: 'byob' }).read(bytes(0));
    closing.controller.close();
    throws(() => closing.controller.byobRequest.respond(1), 'TypeError');
    throws(() => closing.controller.byobRequest.respondWithNewView(bytes(1)), 'TypeError');
});
test('respondWithNewView: a moved buffer', async () => {
    const stream = new ReadableStream({
        type: 'bytes',
        pull(c) {
            const { view } = c.byobRequest;
            const moved = structuredClone(view.buffer, { transfer: [view.buffer] });
            const filled = new Uint8Array(moved, 0, 2);
            filled.set([5, 6]);
            c.byobRequest.respondWithNewView(filled);
            equal(filled.byteLength, 0);
        },
    });
    same(list(await stream.getReader({ mode: 'byob' }).read(bytes(0, 0, 0))), [[5, 6], false]);
});
test('enqueue while a BYOB request is out', async () => {
    const { stream, controller } = byteStream({});
    const reader = stream.getReader({ mode: 'byob' });
    const read = reader.read(bytes(0, 0, 0));
    const { byobRequest } = controller;
    controller.enqueue(bytes(1, 2));
    equal(byobRequest.view, null);
    same(list(await read), [[1, 2], false]);
    equal(controller.byobRequest, null);
});
test('autoAllocateChunkSize gives default readers BYOB requests', async () => {
    const sizes = [];
    const stream = new ReadableStream({
        type: 'bytes', autoAllocateChunkSize: 16,
        pull(c) { sizes.push(c.byobRequest.view.byteLength); c.byobRequest.view[0] = sizes.length; c.byobRequest.respond(1); },
    });
    const reader = stream.getReader();
    const { value } = await reader.read();
    same([Array.from(value), value.buffer.byteLength, value.constructor.name], [[1], 16, 'Uint8Array']);
    same(list(await reader.read()), [[2], false]);
    same(sizes, [16, 16]);
    const { stream: other, controller } = byteStream({ autoAllocateChunkSize: 4 });
    const read = other.getReader().read();
    controller.enqueue(bytes(9));
    same(list(await read), [[9], false]);
    equal(controller.byobRequest, null);
});
test('pull: with the queue\'s size and with waiting reads', async () => {
    let pulls = 0;
    const { stream, controller } = byteStream({ pull() { pulls++; } }, { highWaterMark: 4 });
    await turn();
    equal(pulls, 1);
    controller.enqueue(bytes(1, 2, 3, 4));
    await turn();
    equal(pulls, 1);
    const reader = stream.getReader();
    await reader.read();
    await turn();
    equal(pulls, 2);
    equal(await new ReadableStream({ type: 'bytes', pull() { throw boom; } }).getReader().read().catch((e) => e), boom);
    equal(await new ReadableStream({ type: 'bytes', async start() { throw boom; } }).getReader().read().catch((e) => e), boom);
    throws(() => new ReadableStream({ type: 'bytes', start() { throw boom; } }), 'RangeError', 'boom');
});
test('a released reader\'s view: what comes goes to the next reader', async () => {
    const { stream, controller } = byteStream({});
    const first = stream.getReader({ mode: 'byob' });
    const read = first.read(bytes(0, 0, 0));
    const { byobRequest } = controller;
    first.releaseLock();
    await rejects(read, 'TypeError');
    equal(controller.byobRequest, byobRequest);
    byobRequest.view[0] = 5;
    byobRequest.respond(1);
    const second = stream.getReader();
    same(list(await second.read()), [[5], false]);
    const waiting = second.read();
    second.releaseLock();
    await rejects(waiting, 'TypeError');
    const third = stream.getReader({ mode: 'byob' });
    const last = third.read(bytes(0));
    controller.enqueue(bytes(6));
    same(list(await last), [[6], false]);
});
test('a released reader\'s half element', async () => {
    const { stream, controller } = byteStream({});
    const first = stream.getReader({ mode: 'byob' });
    first.read(new Uint16Array(1)).catch(() => {});
    controller.enqueue(bytes(1));
    first.releaseLock();
    const second = stream.getReader();
    const read = second.read();
    controller.enqueue(bytes(2));
    same(list(await read), [[1], false]);
    same(list(await second.read()), [[2], false]);
});
test('tee of a byte stream gives byte streams with their own bytes', async () => {
    const { stream, controller } = byteStream({});
    controller.enqueue(bytes(1, 2));
    const [a, b] = stream.tee();
    const left = await a.getReader({ mode: 'byob' }).read(new Uint8Array(4));
    const right = await b.getReader().read();
    same([list(left), list(right)], [[[1, 2], false], [[1, 2], false]]);
    ok(left.value.buffer !== right.value.buffer);
});
test('tee of a byte stream: BYOB reads of one branch reach the source', async () => {
    const views = [];
    const stream = new ReadableStream({
        type: 'bytes',
        pull(c) {
            if (c.byobRequest === null) { c.enqueue(bytes(9)); return; }
            views.push(c.byobRequest.view.byteLength);
            c.byobRequest.view.set([views.length]);
            c.byobRequest.respond(1);
        },
    });
    const [a, b] = stream.tee();
    const [ar, br] = [a.getReader({ mode: 'byob' }), b.getReader({ mode: 'byob' })];
    same(list(await ar.read(new Uint8Array(3))), [[1], false]);
    same(list(await br.read(new Uint8Array(5))), [[1], false]);
    same(list(await br.read(new Uint8Array(5))), [[2], false]);
    same(list(await ar.read(new Uint8Array(3))), [[2], false]);
    same(views, [3, 5]);
});
test('tee of a byte stream: closing, failing, canceling', async () => {
    const { stream, controller } = byteStream({});
    const [a, b] = stream.tee();
    const reads = [a.getReader({ mode: 'byob' }).read(bytes(0)), b.getReader().read()];
    controller.close();
    controller.byobRequest?.respond(0);
    same(list(await reads[0]), [[], true]);
    same(list(await reads[1]), ['none', true]);
    const failing = byteStream({});
    const [c, d] = failing.stream.tee();
    const waiting = [c.getReader().read(), d.getReader({ mode: 'byob' }).read(bytes(0))];
    failing.controller.error(boom);
    for (const read of waiting) equal(await read.catch((e) => e), boom);
    let reason;
    const canceled = byteStream({ cancel(value) { reason = value; } });
    const [e, f] = canceled.stream.tee();
    await Promise.all([e.cancel(1), f.cancel(2)]);
    same(reason, [1, 2]);
    const half = byteStream({});
    const [g, h] = half.stream.tee();
    g.cancel().catch(() => {});
    const read = h.getReader().read();
    half.controller.enqueue(bytes(3));
    same(list(await read), [[3], false]);
});
test('for await over a byte stream', async () => {
    const { stream, controller } = byteStream({});
    controller.enqueue(bytes(1));
    controller.enqueue(bytes(2));
    controller.close();
    const all = [];
    for await (const chunk of stream) all.push(...chunk);
    same(all, [1, 2]);
});
await done();
