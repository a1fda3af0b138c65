// ReadableStream with its default controller and reader, strategies, tee, from, async iteration. Runs on Node as well.
import { done, equal, fail, ok, rejects, same, test, throws } from './assert.js';

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));
const state = async (promise) => {
    const pending = {};
    return Promise.race([promise, pending]).then((value) => (value === pending ? 'pending' : 'fulfilled'), () => 'rejected');
};
const collect = async (stream) => {
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    return chunks;
};
const of = (...chunks) => new ReadableStream({ start(c) { for (const chunk of chunks) c.enqueue(chunk); c.close(); } });
const boom = new RangeError('boom');

test('shape of the interfaces', () => {
    for (const name of ['ReadableStream', 'ReadableStreamDefaultReader', 'ReadableStreamBYOBReader', 'ReadableStreamDefaultController', 'ReadableByteStreamController',
        'ReadableStreamBYOBRequest', 'WritableStream', 'WritableStreamDefaultWriter', 'WritableStreamDefaultController', 'TransformStream',
        'TransformStreamDefaultController', 'ByteLengthQueuingStrategy', 'CountQueuingStrategy', 'TextEncoderStream', 'TextDecoderStream']) {
        const descriptor = Object.getOwnPropertyDescriptor(globalThis, name);
        same([typeof descriptor.value, descriptor.writable, descriptor.configurable, descriptor.value.prototype[Symbol.toStringTag]], ['function', true, true, name]);
    }
    for (const name of ['cancel', 'getReader', 'pipeThrough', 'pipeTo', 'tee', 'values', 'locked']) {
        equal(Object.getOwnPropertyDescriptor(ReadableStream.prototype, name).enumerable, true, name);
    }
    equal(ReadableStream.prototype[Symbol.asyncIterator], ReadableStream.prototype.values);
    same([ReadableStream.length, ReadableStream.prototype.getReader.length, ReadableStream.prototype.pipeTo.length, ReadableStream.prototype.cancel.length,
        ReadableStreamDefaultReader.length, ReadableStream.from.length], [0, 0, 1, 0, 1, 1]);
    throws(() => new ReadableStreamDefaultController(), 'TypeError');
    throws(() => ReadableStream(), 'TypeError');
});
test('bad sources and strategies', () => {
    throws(() => new ReadableStream(null), 'TypeError');
    throws(() => new ReadableStream(1), 'TypeError');
    throws(() => new ReadableStream({ type: 'other' }), 'TypeError');
    throws(() => new ReadableStream({ type: '' }), 'TypeError');
    throws(() => new ReadableStream({ type: { toString() { throw boom; } } }), 'RangeError', 'boom');
    for (const name of ['start', 'pull', 'cancel']) {
        throws(() => new ReadableStream({ [name]: 1 }), 'TypeError');
        throws(() => new ReadableStream({ [name]: null }), 'TypeError');
        throws(() => new ReadableStream({ get [name]() { throw boom; } }), 'RangeError', 'boom');
    }
    throws(() => new ReadableStream({ start() { throw boom; } }), 'RangeError', 'boom');
    for (const highWaterMark of [-1, NaN, 'x', {}, -Infinity]) throws(() => new ReadableStream({}, { highWaterMark }), 'RangeError');
    throws(() => new ReadableStream({}, { highWaterMark: Symbol() }), 'TypeError');
    throws(() => new ReadableStream({}, { size: 1 }), 'TypeError');
    throws(() => new ReadableStream({}, 5), 'TypeError');
    throws(() => new ReadableStream({}, { get size() { throw boom; } }), 'RangeError', 'boom');
    new ReadableStream(undefined, null);
    new ReadableStream({}, { highWaterMark: Infinity });
    new ReadableStream({}, { highWaterMark: '3' });
});
test('members of the dictionaries are read in order, once', () => {
    const order = [];
    const proxy = (name) => new Proxy({}, { get(_, key) { order.push(`${name}.${String(key)}`); } });
    new ReadableStream(proxy('source'), proxy('strategy'));
    same(order, ['strategy.highWaterMark', 'strategy.size', 'source.autoAllocateChunkSize', 'source.cancel', 'source.pull', 'source.start', 'source.type']);
});
test('start, pull and cancel are called on the source with the right arguments', async () => {
    const calls = [];
    const source = {
        start(...args) { calls.push(['start', this === source, args.length, args[0].constructor.name]); },
        pull(...args) { calls.push(['pull', this === source, args.length, args[0].constructor.name]); },
        cancel(...args) { calls.push(['cancel', this === source, args.length, args[0]]); },
    };
    const stream = new ReadableStream(source);
    same(calls, [['start', true, 1, 'ReadableStreamDefaultController']]);
    await turn();
    equal(calls.length, 2);
    same(calls[1], ['pull', true, 1, 'ReadableStreamDefaultController']);
    equal(await stream.cancel('why'), undefined);
    same(calls[2], ['cancel', true, 1, 'why']);
});
test('reading: chunks, the end, after the end', async () => {
    const reader = of('a', 'b').getReader();
    same([await reader.read(), await reader.read(), await reader.read(), await reader.read()],
        [{ value: 'a', done: false }, { value: 'b', done: false }, { done: true }, { done: true }]);
    const last = await reader.read();
    same(Object.keys(last), ['value', 'done']);
    equal(Object.getPrototypeOf(last), Object.prototype);
    equal(await reader.closed, undefined);
});
test('reads wait in order for chunks, the end, a failure', async () => {
    let controller;
    const reader = new ReadableStream({ start(c) { controller = c; } }).getReader();
    const reads = [reader.read(), reader.read(), reader.read(), reader.read()];
    controller.enqueue(1);
    controller.enqueue(2);
    same(await Promise.all(reads.slice(0, 2)), [{ value: 1, done: false }, { value: 2, done: false }]);
    equal(await state(reads[2]), 'pending');
    controller.close();
    same(await Promise.all(reads.slice(2)), [{ done: true }, { done: true }]);
    let other;
    const failing = new ReadableStream({ start(c) { other = c; } }).getReader();
    const waiting = [failing.read(), failing.read()];
    other.error(boom);
    for (const read of waiting) equal(await read.catch((e) => e), boom);
    equal(await failing.closed.catch((e) => e), boom);
    equal(await failing.read().catch((e) => e), boom);
});
test('queued chunks come before the end, and are lost by a failure', async () => {
    let controller;
    const stream = new ReadableStream({ start(c) { controller = c; } });
    controller.enqueue('a');
    controller.close();
    throws(() => controller.enqueue('b'), 'TypeError');
    throws(() => controller.close(), 'TypeError');
    const reader = stream.getReader();
    equal(await state(reader.closed), 'pending');
    equal((await reader.read()).value, 'a');
    equal(await reader.closed, undefined);
    let failing;
    const failed = new ReadableStream({ start(c) { failing = c; c.enqueue('a'); } });
    failing.error(boom);
    failing.error(new Error('a second failure is ignored'));
    equal(await failed.getReader().read().catch((e) => e), boom);
    throws(() => failing.enqueue('x'), 'TypeError');
    throws(() => failing.close(), 'TypeError');
    equal(failing.desiredSize, null);
});
test('desiredSize and when pull is called', async () => {
    let controller;
    let pulls = 0;
    const stream = new ReadableStream({ start(c) { controller = c; }, pull() { pulls++; } }, { highWaterMark: 3 });
    equal(controller.desiredSize, 3);
    await turn();
    equal(pulls, 1);
    controller.enqueue('a');
    equal(controller.desiredSize, 2);
    await turn();
    equal(pulls, 2);
    controller.enqueue('b');
    controller.enqueue('c');
    controller.enqueue('d');
    equal(controller.desiredSize, -1);
    await turn();
    equal(pulls, 3);
    const reader = stream.getReader();
    await reader.read();
    await turn();
    equal(pulls, 3);
    await reader.read();
    await turn();
    equal(pulls, 4);
    controller.close();
    await reader.read();
    await reader.read();
    equal(controller.desiredSize, 0);
});
test('pull is not called before start is over, nor twice at a time', async () => {
    let begin, release;
    let pulls = 0;
    const stream = new ReadableStream({
        start() { return new Promise((resolve) => { begin = resolve; }); },
        pull() { pulls++; return new Promise((resolve) => { release = resolve; }); },
    }, { highWaterMark: 0 });
    const reader = stream.getReader();
    reader.read();
    await turn();
    equal(pulls, 0);
    begin();
    await turn();
    equal(pulls, 1);
    reader.read();
    await turn();
    equal(pulls, 1);
    release();
    await turn();
    equal(pulls, 2);
});
test('pull is called again only for a reason', async () => {
    let pulls = 0;
    const reader = new ReadableStream({ pull(c) { pulls++; c.enqueue(pulls); } }, { highWaterMark: 0 }).getReader();
    await turn();
    equal(pulls, 0);
    equal((await reader.read()).value, 1);
    await turn();
    equal(pulls, 1);
    const eager = new ReadableStream({ pull(c) { pulls++; c.enqueue(pulls); } }, { highWaterMark: 5 });
    await turn();
    equal(pulls, 6);
    await eager.cancel();
});
test('failures of start, pull and cancel', async () => {
    equal(await new ReadableStream({ async start() { throw boom; } }).getReader().read().catch((e) => e), boom);
    equal(await new ReadableStream({ pull() { throw boom; } }).getReader().read().catch((e) => e), boom);
    equal(await new ReadableStream({ async pull() { throw boom; } }).getReader().closed.catch((e) => e), boom);
    equal(await new ReadableStream({ cancel() { throw boom; } }).cancel().catch((e) => e), boom);
    equal(await new ReadableStream({ cancel() { return Promise.reject(boom); } }).cancel().catch((e) => e), boom);
    const thenable = { then(resolve, reject) { reject(boom); } };
    equal(await new ReadableStream({ pull: () => thenable }).getReader().read().catch((e) => e), boom);
    const stream = new ReadableStream({ pull(c) { c.error(boom); throw new Error('later'); } });
    equal(await stream.getReader().read().catch((e) => e), boom);
});
test('cancel: closes at once, waits for the source, is asked once', async () => {
    let release;
    let cancels = 0;
    const stream = new ReadableStream({ start(c) { c.enqueue('a'); }, cancel() { cancels++; return new Promise((resolve) => { release = resolve; }); } });
    const reader = stream.getReader();
    const canceling = reader.cancel();
    same(await reader.read(), { done: true });
    await reader.closed;
    equal(await state(canceling), 'pending');
    release('ignored');
    equal(await canceling, undefined);
    equal(await reader.cancel(), undefined);
    equal(cancels, 1);
    reader.releaseLock();
    equal(await stream.cancel(), undefined);
    equal(await new ReadableStream({ start(c) { c.error(boom); } }).cancel().catch((e) => e), boom);
});
test('cancel of a locked stream is refused', async () => {
    const stream = new ReadableStream({ cancel() { fail('canceled'); } });
    const reader = stream.getReader();
    await rejects(stream.cancel(), 'TypeError');
    reader.releaseLock();
    await rejects(reader.cancel(), 'TypeError');
});
test('locks', async () => {
    const stream = of('a', 'b');
    equal(stream.locked, false);
    const reader = stream.getReader();
    equal(stream.locked, true);
    throws(() => stream.getReader(), 'TypeError');
    throws(() => new ReadableStreamDefaultReader(stream), 'TypeError');
    throws(() => stream.tee(), 'TypeError');
    throws(() => stream.values(), 'TypeError');
    throws(() => stream.pipeThrough(new TransformStream()), 'TypeError');
    await rejects(stream.pipeTo(new WritableStream()), 'TypeError');
    equal((await reader.read()).value, 'a');
    reader.releaseLock();
    equal(stream.locked, false);
    reader.releaseLock();
    await rejects(reader.read(), 'TypeError');
    await rejects(reader.closed, 'TypeError');
    equal((await stream.getReader().read()).value, 'b');
    throws(() => new ReadableStreamDefaultReader({}), 'TypeError');
    throws(() => stream.getReader({ mode: 'other' }), 'TypeError');
    throws(() => of().getReader({ mode: 'byob' }), 'TypeError');
    throws(() => of().getReader(1), 'TypeError');
    of().getReader(null);
});
test('releasing the lock fails the reads that wait, and later chunks go to the next reader', async () => {
    let controller;
    const stream = new ReadableStream({ start(c) { controller = c; } });
    const first = stream.getReader();
    const { closed } = first;
    const read = first.read();
    first.releaseLock();
    await rejects(read, 'TypeError');
    await rejects(closed, 'TypeError');
    equal(first.closed, closed);
    const second = stream.getReader();
    controller.enqueue('late');
    equal((await second.read()).value, 'late');
    controller.close();
    await second.closed;
    const before = second.closed;
    second.releaseLock();
    ok(before !== second.closed);
    await rejects(second.closed, 'TypeError');
});
test('closed is one promise', async () => {
    const reader = new ReadableStream().getReader();
    equal(reader.closed, reader.closed);
    ok(reader.closed instanceof Promise);
});
test('the size function', async () => {
    let controller;
    const sizes = [];
    const stream = new ReadableStream({ start(c) { controller = c; } }, {
        highWaterMark: 10, size(chunk) { sizes.push([this === undefined, chunk]); return chunk; },
    });
    controller.enqueue(4);
    controller.enqueue('3');
    equal(controller.desiredSize, 3);
    same(sizes, [[true, 4], [true, '3']]);
    await stream.getReader().read();
    equal(controller.desiredSize, 7);
    for (const size of [-1, NaN, Infinity, {}]) {
        let c;
        const bad = new ReadableStream({ start(controller) { c = controller; } }, { size: () => size });
        throws(() => c.enqueue('x'), 'RangeError');
        await rejects(bad.getReader().read(), 'RangeError');
    }
    let c;
    const throwing = new ReadableStream({ start(controller) { c = controller; } }, { size() { throw boom; } });
    throws(() => c.enqueue('x'), 'RangeError', 'boom');
    equal(await throwing.getReader().closed.catch((e) => e), boom);
});
test('the size function may do anything to the stream', async () => {
    let c;
    const closing = new ReadableStream({ start(controller) { c = controller; } }, { size() { c.close(); return 1; }, highWaterMark: 5 });
    c.enqueue('a');
    const reader = closing.getReader();
    await reader.closed.catch(() => {});
    let d;
    const failing = new ReadableStream({ start(controller) { d = controller; } }, { size() { d.error(boom); return 1; } });
    d.enqueue('a');
    equal(await failing.getReader().read().catch((e) => e), boom);
});
test('rounding of sizes', async () => {
    let c;
    const reader = new ReadableStream({ start(controller) { c = controller; } }, { size: (x) => x, highWaterMark: 0 }).getReader();
    c.enqueue(2);
    c.enqueue(Number.MAX_SAFE_INTEGER);
    equal(c.desiredSize, 0 - 2 - Number.MAX_SAFE_INTEGER);
    await reader.read();
    equal(c.desiredSize, 0 - 2 - Number.MAX_SAFE_INTEGER + 2);
    await reader.read();
    equal(c.desiredSize, 0);
});
test('strategies', () => {
    const count = new CountQueuingStrategy({ highWaterMark: 4 });
    const length = new ByteLengthQueuingStrategy({ highWaterMark: '16' });
    same([count.highWaterMark, count.size(), length.highWaterMark, length.size({ byteLength: 7 })], [4, 1, 16, 7]);
    equal(count.size, new CountQueuingStrategy({ highWaterMark: 1 }).size);
    same([count.size.name, count.size.length, length.size.name, length.size.length, 'prototype' in count.size], ['size', 0, 'size', 1, false]);
    throws(() => new count.size(), 'TypeError');
    throws(() => new CountQueuingStrategy(), 'TypeError');
    throws(() => new CountQueuingStrategy({}), 'TypeError');
    throws(() => new CountQueuingStrategy(1), 'TypeError');
    throws(() => new ByteLengthQueuingStrategy({ highWaterMark: undefined }), 'TypeError');
    throws(() => length.size(), 'TypeError');
    ok(Number.isNaN(new CountQueuingStrategy({ highWaterMark: 'x' }).highWaterMark));
    throws(() => Object.getOwnPropertyDescriptor(CountQueuingStrategy.prototype, 'size').get.call(length), 'TypeError');
    throws(() => Object.getOwnPropertyDescriptor(ByteLengthQueuingStrategy.prototype, 'highWaterMark').get.call({}), 'TypeError');
});
test('strangers as receivers', async () => {
    const { prototype } = ReadableStream;
    throws(() => prototype.getReader.call({}), 'TypeError');
    throws(() => prototype.tee.call({}), 'TypeError');
    throws(() => prototype.values.call({}), 'TypeError');
    throws(() => prototype.pipeThrough.call({}, new TransformStream()), 'TypeError');
    throws(() => Object.getOwnPropertyDescriptor(prototype, 'locked').get.call({}), 'TypeError');
    await rejects(prototype.cancel.call({}), 'TypeError');
    await rejects(prototype.pipeTo.call({}, new WritableStream()), 'TypeError');
    const reader = ReadableStreamDefaultReader.prototype;
    await rejects(reader.read.call({}), 'TypeError');
    await rejects(reader.cancel.call({}), 'TypeError');
    await rejects(Object.getOwnPropertyDescriptor(reader, 'closed').get.call({}), 'TypeError');
    throws(() => reader.releaseLock.call({}), 'TypeError');
    const controller = ReadableStreamDefaultController.prototype;
    for (const method of ['enqueue', 'close', 'error']) throws(() => controller[method].call({}), 'TypeError');
    throws(() => Object.getOwnPropertyDescriptor(controller, 'desiredSize').get.call({}), 'TypeError');
});

// ---- tee ----

test('tee gives both branches all chunks, the same objects', async () => {
    const chunk = { a: 1 };
    const [a, b] = of(chunk, 2).tee();
    const [left, right] = [await collect(a), await collect(b)];
    same([left.length, right.length], [2, 2]);
    equal(left[0], chunk);
    equal(right[0], chunk);
});
test('tee: a slow branch keeps the other\'s chunks; locking; failures', async () => {
    const stream = of(1, 2, 3);
    const [a, b] = stream.tee();
    equal(stream.locked, true);
    same(await collect(a), [1, 2, 3]);
    same(await collect(b), [1, 2, 3]);
    let controller;
    const [c, d] = new ReadableStream({ start(x) { controller = x; } }).tee();
    const [cr, dr] = [c.getReader(), d.getReader()];
    const reads = [cr.read(), dr.read()];
    controller.error(boom);
    for (const read of reads) equal(await read.catch((e) => e), boom);
    equal(await cr.closed.catch((e) => e), boom);
    equal(await dr.closed.catch((e) => e), boom);
});
test('tee: canceling one branch leaves the other; both cancel the source with both reasons', async () => {
    let reason;
    const [a, b] = new ReadableStream({ start(c) { c.enqueue(1); c.enqueue(2); c.close(); } }).tee();
    a.cancel().catch(() => {});
    same(await collect(b), [1, 2]);
    const [c, d] = new ReadableStream({ cancel(value) { reason = value; } }).tee();
    const canceling = [d.cancel('second'), c.cancel('first')];
    same(await Promise.all(canceling), [undefined, undefined]);
    same(reason, ['first', 'second']);
    const [e, f] = new ReadableStream({ cancel() { throw boom; } }).tee();
    const both = [e.cancel(), f.cancel()];
    for (const promise of both) equal(await promise.catch((error) => error), boom);
});
test('tee pulls only when a branch wants', async () => {
    let pulls = 0;
    const [a, b] = new ReadableStream({ pull(c) { pulls++; c.enqueue(pulls); } }, { highWaterMark: 0 }).tee();
    await turn();
    equal(pulls, 1);
    const [ar, br] = [a.getReader(), b.getReader()];
    equal((await ar.read()).value, 1);
    equal((await br.read()).value, 1);
    await turn();
    equal(pulls, 2);
    equal((await ar.read()).value, 2);
    equal((await br.read()).value, 2);
});
test('tee of a closed and of a failed stream', async () => {
    const [a, b] = of().tee();
    same([await collect(a), await collect(b)], [[], []]);
    const [c, d] = new ReadableStream({ start(x) { x.error(boom); } }).tee();
    equal(await c.getReader().read().catch((e) => e), boom);
    equal(await d.cancel().catch((e) => e), boom);
});
test('tee: close while one branch reads, chunks enqueued together with an error', async () => {
    let controller;
    const [a, b] = new ReadableStream({ start(c) { controller = c; } }).tee();
    const [ar, br] = [a.getReader(), b.getReader()];
    const read = ar.read();
    controller.close();
    same(await read, { done: true });
    same(await br.read(), { done: true });
    await ar.closed;
    await br.closed;
});

// ---- from ----

test('from: arrays, generators, async generators, strings, sets, streams', async () => {
    same(await collect(ReadableStream.from([1, 2])), [1, 2]);
    same(await collect(ReadableStream.from('añ😀')), ['a', 'ñ', '😀']);
    same(await collect(ReadableStream.from(new Set(['x']))), ['x']);
    same(await collect(ReadableStream.from((function* () { yield 1; yield 2; return 3; })())), [1, 2]);
    same(await collect(ReadableStream.from((async function* () { yield 1; yield 2; })())), [1, 2]);
    same(await collect(ReadableStream.from([Promise.resolve(5), 6])), [5, 6]);
    same(await collect(ReadableStream.from(of('s'))), ['s']);
    same(await collect(ReadableStream.from({ [Symbol.asyncIterator]: null, [Symbol.iterator]: () => [4][Symbol.iterator]() })), [4]);
    for (const bad of [undefined, null, 1, {}, true, { [Symbol.iterator]: 1 }, { [Symbol.iterator]() { return 1; } }, { [Symbol.asyncIterator]() {} }]) {
        throws(() => ReadableStream.from(bad), 'TypeError');
    }
    throws(() => ReadableStream.from(), 'TypeError');
    throws(() => ReadableStream.from({ get [Symbol.asyncIterator]() { throw boom; } }), 'RangeError', 'boom');
});
test('from: next is called for reads only, return for cancel only', async () => {
    const calls = [];
    const iterable = {
        [Symbol.asyncIterator]() { calls.push('iterator'); return this; },
        async next(...args) { calls.push(`next ${args.length}`); return calls.length > 4 ? { done: true } : { value: calls.length, done: false }; },
        async return(reason) { calls.push(`return ${reason}`); return {}; },
    };
    const reader = ReadableStream.from(iterable).getReader();
    await turn();
    same(calls, ['iterator']);
    await reader.read();
    same(calls, ['iterator', 'next 0']);
    equal(await reader.cancel('why'), undefined);
    same(calls, ['iterator', 'next 0', 'return why']);
});
test('from: failures of next and return', async () => {
    const make = (next, extra = {}) => ReadableStream.from({ [Symbol.asyncIterator]: () => ({ next, ...extra }) }).getReader();
    equal(await make(() => { throw boom; }).read().catch((e) => e), boom);
    equal(await make(() => Promise.reject(boom)).read().catch((e) => e), boom);
    await rejects(make(() => 5).read(), 'TypeError');
    await rejects(make(async () => 5).read(), 'TypeError');
    equal(await make(() => {}).cancel(), undefined);
    await rejects(make(() => {}, { return: 5 }).cancel(), 'TypeError');
    await rejects(make(() => {}, { return: () => 5 }).cancel(), 'TypeError');
    equal(await make(() => {}, { return() { throw boom; } }).cancel().catch((e) => e), boom);
    equal(await ReadableStream.from([Promise.reject(boom)]).getReader().read().catch((e) => e), boom);
});

// ---- Async iteration ----

test('for await: to the end, and out of it early', async () => {
    same(await collect(of(1, 2, 3)), [1, 2, 3]);
    let reason = 'none';
    const stream = new ReadableStream({ pull(c) { c.enqueue(1); }, cancel(value) { reason = value; } });
    for await (const _ of stream) break;
    equal(reason, undefined);
    equal(stream.locked, false);
    const kept = of('a', 'b');
    for await (const _ of kept.values({ preventCancel: true })) break;
    equal(kept.locked, false);
    equal((await kept.getReader().read()).value, 'b');
    const failing = new ReadableStream({ start(c) { c.error(boom); } });
    try {
        for await (const _ of failing) fail('a chunk');
        fail('no failure');
    } catch (error) { equal(error, boom); }
    equal(failing.locked, false);
});
test('the iterator object', async () => {
    const iterator = of(1)[Symbol.asyncIterator]();
    const prototype = Object.getPrototypeOf(iterator);
    const base = Object.getPrototypeOf(Object.getPrototypeOf(async function* () {}).prototype);
    equal(Object.getPrototypeOf(prototype), base);
    same(Object.getOwnPropertyNames(prototype).sort(), ['next', 'return']);
    const descriptor = Object.getOwnPropertyDescriptor(prototype, 'next');
    same([descriptor.enumerable, descriptor.configurable, descriptor.writable, prototype.next.length], [true, true, true, 0]);
    equal(iterator[Symbol.asyncIterator](), iterator);
    await rejects(prototype.next.call({}), 'TypeError');
    await rejects(prototype.return.call({}), 'TypeError');
});
test('next() calls queue up; return() waits for them', async () => {
    let controller;
    const iterator = new ReadableStream({ start(c) { controller = c; } }).values();
    const order = [];
    const note = (name) => (result) => order.push([name, result.value, result.done]);
    const all = [iterator.next().then(note('1')), iterator.next().then(note('2')), iterator.return('r').then(note('return')), iterator.next().then(note('3'))];
    controller.enqueue('a');
    controller.enqueue('b');
    await Promise.all(all);
    same(order, [['1', 'a', false], ['2', 'b', false], ['return', 'r', true], ['3', undefined, true]].map((x) => x.map((v) => v ?? null)));
    same(await iterator.return('again'), { value: 'again', done: true });
    same(await iterator.next(), { done: true });
});
test('next() after a failure is the end; return() when cancel fails', async () => {
    const iterator = new ReadableStream({ start(c) { c.error(boom); } }).values();
    const results = await Promise.allSettled([iterator.next(), iterator.next()]);
    same(results.map((r) => r.status), ['rejected', 'fulfilled']);
    equal(results[0].reason, boom);
    const other = new ReadableStream({ cancel() { throw boom; } }).values();
    const [first, second] = await Promise.allSettled([other.return('x'), other.next()]);
    equal(first.reason, boom);
    same(second.value, { done: true });
});
test('a long queue of next() calls', async () => {
    const iterator = of(...Array.from({ length: 3000 }, (_, i) => i)).values();
    const results = await Promise.all(Array.from({ length: 3001 }, () => iterator.next()));
    equal(results[2999].value, 2999);
    equal(results[3000].done, true);
});
test('an iterator is as late as Web IDL makes it', async () => {
    for (const wait of [true, false]) {
        let pulls = 0;
        const iterator = new ReadableStream({ pull(controller) { controller.enqueue(pulls++); } })[Symbol.asyncIterator]();
        same([iterator.next.length, iterator.return.length], [0, 1]);
        const first = iterator.next();
        if (wait) await first;
        const last = iterator.return('end');
        same([await first, await last], [{ value: 0, done: false }, { value: 'end', done: true }]);
        equal(pulls, 2);
    }
    const iterator = new ReadableStream({ start(controller) { controller.enqueue(1); controller.close(); } }).values();
    const results = await Promise.all([iterator.next(), iterator.next(), iterator.next(), iterator.return(7), iterator.next()]);
    same(results, [{ value: 1, done: false }, { value: undefined, done: true }, { value: undefined, done: true }, { value: 7, done: true }, { value: undefined, done: true }]);
});
test('cancel() settles when the standard has it', async () => {
    const seen = [];
    const note = (promise, what) => promise.then(() => seen.push(what), () => seen.push(what));
    const failed = () => new ReadableStream({ start(c) { c.error(new Error('over')); } });
    const ended = () => new ReadableStream({ start(c) { c.close(); } });
    // Over: at once.
    note(failed().cancel(), 'failed');
    note(Promise.reject(1), 'rejected');
    note(failed().getReader().cancel(), 'failed by reader');
    note(ended().cancel(), 'ended');
    note(Promise.resolve(), 'resolved');
    note(ended().getReader().cancel(), 'ended by reader');
    note(new ReadableStream().cancel(), 'open'); // one microtask after what the source gave
    note(Promise.resolve().then(() => {}), 'one later');
    note(Promise.resolve().then(() => {}).then(() => {}), 'two later');
    for (let i = 0; i < 10; i++) await undefined;
    same(seen, ['failed', 'rejected', 'failed by reader', 'ended', 'resolved', 'ended by reader', 'open', 'one later', 'two later']);
});
await done();
