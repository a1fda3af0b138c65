// TransformStream, TextEncoderStream, TextDecoderStream. Runs on Node as well.
import { done, equal, ok, rejects, same, test, throws } from './assert.js';

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));
const boom = new RangeError('boom');
const other = new RangeError('other');
const caught = (promise) => promise.then(() => 'fulfilled', (error) => error);
const state = async (promise) => {
    const pending = {};
    return Promise.race([promise, pending]).then((value) => (value === pending ? 'pending' : 'fulfilled'), () => 'rejected');
};
const collect = async (stream) => {
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    return chunks;
};

test('construction and conversions', () => {
    const { readable, writable } = new TransformStream();
    same([readable.constructor.name, writable.constructor.name], ['ReadableStream', 'WritableStream']);
    const stream = new TransformStream();
    equal(stream.readable, stream.readable);
    equal(stream.writable, stream.writable);
    throws(() => new TransformStream(null), 'TypeError');
    throws(() => new TransformStream({ readableType: 'x' }), 'RangeError');
    throws(() => new TransformStream({ writableType: undefined, readableType: null }), 'RangeError');
    throws(() => new TransformStream({ writableType: 'x' }), 'RangeError');
    for (const name of ['start', 'transform', 'flush', 'cancel']) throws(() => new TransformStream({ [name]: 5 }), 'TypeError');
    throws(() => new TransformStream({ start() { throw boom; } }), 'RangeError', 'boom');
    throws(() => new TransformStream({}, { highWaterMark: -1 }), 'RangeError');
    throws(() => new TransformStream({}, {}, { highWaterMark: NaN }), 'RangeError');
    throws(() => new TransformStreamDefaultController(), 'TypeError');
    throws(() => Object.getOwnPropertyDescriptor(TransformStream.prototype, 'readable').get.call({}), 'TypeError');
    throws(() => TransformStreamDefaultController.prototype.enqueue.call({}), 'TypeError');
    const order = [];
    const proxy = (name) => new Proxy({}, { get(_, key) { order.push(`${name}.${String(key)}`); } });
    new TransformStream(proxy('t'), proxy('w'), proxy('r'));
    same(order, ['w.highWaterMark', 'w.size', 'r.highWaterMark', 'r.size', 't.cancel', 't.flush', 't.readableType', 't.start', 't.transform', 't.writableType']);
    equal(TransformStream.length, 0);
});
test('the transformer\'s callbacks', async () => {
    const calls = [];
    const transformer = {
        start(...args) { calls.push(['start', this === transformer, args.length, args[0].constructor.name]); },
        transform(...args) { calls.push(['transform', this === transformer, args[0], args.length]); args[1].enqueue(args[0] * 2); },
        flush(...args) { calls.push(['flush', this === transformer, args.length]); args[0].enqueue('end'); },
        cancel(...args) { calls.push(['cancel', this === transformer, args[0], args.length]); },
    };
    const { readable, writable } = new TransformStream(transformer);
    const writer = writable.getWriter();
    writer.write(1);
    writer.write(2);
    writer.close();
    same(await collect(readable), [2, 4, 'end']);
    same(calls, [['start', true, 1, 'TransformStreamDefaultController'], ['transform', true, 1, 2], ['transform', true, 2, 2], ['flush', true, 1]]);
    await new TransformStream(transformer).readable.cancel('why');
    same(calls.at(-1), ['cancel', true, 'why', 1]);
    await new TransformStream(transformer).writable.abort('reason');
    same(calls.at(-1), ['cancel', true, 'reason', 1]);
});
test('identity', async () => {
    const { readable, writable } = new TransformStream();
    const chunk = {};
    const writer = writable.getWriter();
    writer.write(chunk);
    writer.close();
    const reader = readable.getReader();
    equal((await reader.read()).value, chunk);
    equal((await reader.read()).done, true);
    await writer.closed;
});
test('backpressure: nothing is transformed before somebody reads', async () => {
    let transforms = 0;
    const { readable, writable } = new TransformStream({ transform(chunk, c) { transforms++; c.enqueue(chunk); } });
    const writer = writable.getWriter();
    equal(writer.desiredSize, 1);
    const write = writer.write('a');
    await turn();
    same([transforms, await state(write), writer.desiredSize], [0, 'pending', 0]);
    const reader = readable.getReader();
    equal((await reader.read()).value, 'a');
    await write;
    same([transforms, writer.desiredSize], [1, 1]);
});
test('backpressure: with room on the readable side', async () => {
    let controller;
    const { readable, writable } = new TransformStream({ start(c) { controller = c; } }, undefined, { highWaterMark: 2 });
    const writer = writable.getWriter();
    equal(controller.desiredSize, 2);
    await writer.write('a');
    await writer.write('b');
    const third = writer.write('c');
    await turn();
    same([await state(third), controller.desiredSize], ['pending', 0]);
    await readable.getReader().read();
    await third;
});
test('start is waited for; enqueue in start, in flush, outside', async () => {
    let begin, controller;
    const { readable, writable } = new TransformStream({
        start(c) { controller = c; c.enqueue('s'); return new Promise((resolve) => { begin = resolve; }); },
        flush(c) { c.enqueue('f'); },
    }, undefined, { highWaterMark: 5 });
    const writer = writable.getWriter();
    const write = writer.write('w');
    await turn();
    equal(await state(write), 'pending');
    begin();
    await write;
    controller.enqueue('o');
    await writer.close();
    same(await collect(readable), ['s', 'w', 'o', 'f']);
    throws(() => controller.enqueue('x'), 'TypeError');
});
test('a failure of transform fails both sides', async () => {
    for (const transform of [() => { throw boom; }, () => Promise.reject(boom)]) {
        const { readable, writable } = new TransformStream({ transform });
        const writer = writable.getWriter();
        const read = caught(readable.getReader().read());
        const write = caught(writer.write('a'));
        same([await read === boom, await write === boom, await caught(writer.closed) === boom, await caught(writer.ready) === boom], [true, true, true, true]);
    }
});
test('failures of start and flush', async () => {
    const start = new TransformStream({ start: () => Promise.reject(boom) });
    same([await caught(start.readable.getReader().read()) === boom, await caught(start.writable.getWriter().closed) === boom], [true, true]);
    for (const flush of [() => { throw boom; }, () => Promise.reject(boom)]) {
        const { readable, writable } = new TransformStream({ flush });
        const writer = writable.getWriter();
        const close = caught(writer.close());
        same([await close === boom, await caught(readable.getReader().read()) === boom, await caught(writer.closed) === boom], [true, true, true]);
    }
});
test('controller.error and controller.terminate', async () => {
    let controller;
    const failing = new TransformStream({ start(c) { controller = c; } });
    controller.error(boom);
    same([await caught(failing.readable.getReader().read()) === boom, await caught(failing.writable.getWriter().closed) === boom, controller.desiredSize], [true, true, null]);
    throws(() => controller.enqueue(1), 'TypeError');
    const ended = new TransformStream({ start(c) { controller = c; c.enqueue('last'); c.terminate(); } });
    same(await collect(ended.readable), ['last']);
    await rejects(ended.writable.getWriter().closed, 'TypeError');
    controller.terminate();
    throws(() => controller.enqueue(1), 'TypeError');
    const within = new TransformStream({ transform(chunk, c) { c.terminate(); } }, undefined, { highWaterMark: 1 });
    const writer = within.writable.getWriter();
    await writer.write('a');
    await rejects(writer.closed, 'TypeError');
    await rejects(writer.write('b'), 'TypeError');
    equal((await within.readable.getReader().read()).done, true);
});
test('a bad size on the readable side', async () => {
    let controller;
    const { readable, writable } = new TransformStream({ start(c) { controller = c; } }, undefined, { size() { throw boom; }, highWaterMark: 1 });
    throws(() => controller.enqueue('a'), 'RangeError', 'boom');
    same([await caught(readable.getReader().closed) === boom, await caught(writable.getWriter().closed) === boom], [true, true]);
});
test('canceling the readable side fails the writable', async () => {
    const { readable, writable } = new TransformStream();
    const writer = writable.getWriter();
    const write = writer.write('a');
    equal(await readable.cancel(boom), undefined);
    equal(await caught(writer.closed), boom);
    await caught(write);
    for (const cancel of [() => { throw other; }, () => Promise.reject(other)]) {
        const failing = new TransformStream({ cancel });
        equal(await caught(failing.readable.cancel(boom)), other);
        equal(await caught(failing.writable.getWriter().closed), other);
    }
});
test('aborting the writable side fails the readable', async () => {
    const { readable, writable } = new TransformStream();
    equal(await writable.abort(boom), undefined);
    equal(await caught(readable.getReader().read()), boom);
    const failing = new TransformStream({ cancel() { throw other; } });
    equal(await caught(failing.writable.abort(boom)), other);
    equal(await caught(failing.readable.getReader().closed), other);
});
test('cancel and flush run once between them', async () => {
    const calls = [];
    const { readable, writable } = new TransformStream({ async flush() { calls.push('flush'); await turn(); }, cancel() { calls.push('cancel'); } });
    const writer = writable.getWriter();
    await turn();
    const close = caught(writer.close());
    await turn();
    const cancel = caught(readable.cancel(boom));
    await Promise.all([close, cancel]);
    same(calls, ['flush']);
    const both = new TransformStream({ cancel() { calls.push('cancel'); } });
    await Promise.all([caught(both.readable.cancel(1)), caught(both.writable.abort(2))]);
    same(calls, ['flush', 'cancel']);
});
test('terminate while a write waits', async () => {
    let controller;
    const { writable } = new TransformStream({ start(c) { controller = c; } });
    const writer = writable.getWriter();
    const write = caught(writer.write('a'));
    await turn();
    controller.terminate();
    equal((await write).name, 'TypeError');
});
test('an asynchronous transform holds the next chunk', async () => {
    const order = [];
    const { readable, writable } = new TransformStream({ async transform(chunk, c) { order.push(`<${chunk}`); await turn(); c.enqueue(chunk); order.push(`${chunk}>`); } }, { highWaterMark: 5 }, { highWaterMark: 5 });
    const writer = writable.getWriter();
    for (let i = 0; i < 3; i++) writer.write(i);
    await writer.close();
    same(order, ['<0', '0>', '<1', '1>', '<2', '2>']);
    same(await collect(readable), [0, 1, 2]);
});

// ---- Text ----

const text = async (chunks, ...args) => (await collect(ReadableStream.from(chunks).pipeThrough(new TextDecoderStream(...args)))).join('|');
test('TextDecoderStream', async () => {
    const euro = [0xE2, 0x82, 0xAC];
    equal(await text([new Uint8Array(euro)]), '€');
    equal(await text([new Uint8Array(euro.slice(0, 1)), new Uint8Array(euro.slice(1)), new Uint8Array([65]).buffer]), '€|A');
    equal(await text([new Uint8Array(euro.slice(0, 2))]), '\uFFFD');
    equal(await text([new Uint8Array([0xEF, 0xBB]), new Uint8Array([0xBF, 65])]), 'A');
    equal(await text([new Uint8Array([0xEF, 0xBB, 0xBF, 65])], 'utf-8', { ignoreBOM: true }), '\uFEFFA');
    equal(await text([new Uint8Array([65, 0, 66]), new Uint8Array([0])], 'utf-16le'), 'A|B');
    await rejects(text([new Uint8Array([0xFF])], 'utf-8', { fatal: true }), 'TypeError');
    await rejects(text([new Uint8Array(euro.slice(0, 2))], 'utf-8', { fatal: true }), 'TypeError');
    for (const bad of ['text', 1, null, undefined, {}]) await rejects(text([bad]), 'TypeError');
    const stream = new TextDecoderStream('UTF8', { fatal: true });
    same([stream.encoding, stream.fatal, stream.ignoreBOM], ['utf-8', true, false]);
    throws(() => new TextDecoderStream('no such'), 'RangeError');
    throws(() => Object.getOwnPropertyDescriptor(TextDecoderStream.prototype, 'encoding').get.call({}), 'TypeError');
});
const encoded = async (chunks) => (await collect(ReadableStream.from(chunks).pipeThrough(new TextEncoderStream()))).map((chunk) => Array.from(chunk));
test('TextEncoderStream', async () => {
    same(await encoded(['a', '€', '']), [[97], [0xE2, 0x82, 0xAC]]);
    same(await encoded(['\uD83D', '\uDE00']), [[0xF0, 0x9F, 0x98, 0x80]]);
    same(await encoded(['\uD83D', 'x']), [[0xEF, 0xBF, 0xBD, 120]]);
    same(await encoded(['a\uD83D', '', '\uDE00b']), [[97], [0xF0, 0x9F, 0x98, 0x80, 98]]);
    same(await encoded(['\uD83D']), [[0xEF, 0xBF, 0xBD]]);
    same(await encoded(['\uDE00']), [[0xEF, 0xBF, 0xBD]]);
    same(await encoded([1, null, { toString: () => 'o' }].filter((x) => x !== null)), [[49], [111]]);
    await rejects(encoded([Symbol()]), 'TypeError');
    equal(new TextEncoderStream().encoding, 'utf-8');
    const stream = new TextEncoderStream();
    ok(stream.readable instanceof ReadableStream && stream.writable instanceof WritableStream);
    throws(() => Object.getOwnPropertyDescriptor(TextEncoderStream.prototype, 'readable').get.call({}), 'TypeError');
});
test('an abort before the start wins over a cancel after it', async () => {
    const reason = new RangeError('first');
    const { readable, writable } = new TransformStream();
    const writer = writable.getWriter();
    const closed = writer.closed.catch((error) => error);
    await Promise.all([writer.abort(reason), readable.cancel(new Error('second'))]);
    equal(await closed, reason);
});
await done();
