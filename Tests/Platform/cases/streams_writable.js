// WritableStream, its writer and controller. Runs on Node as well.
import { done, equal, ok, rejects, same, test, throws } from './assert.js';

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));
const boom = new RangeError('boom');
const other = new RangeError('other');
const state = async (promise) => {
    const pending = {};
    return Promise.race([promise, pending]).then((value) => (value === pending ? 'pending' : 'fulfilled'), () => 'rejected');
};
const states = (...promises) => Promise.all(promises.map(state));
const caught = (promise) => promise.then(() => 'fulfilled', (error) => error);

test('construction and conversions', () => {
    throws(() => new WritableStream(null), 'TypeError');
    throws(() => new WritableStream({ type: 'bytes' }), 'RangeError');
    throws(() => new WritableStream({ type: null }), 'RangeError');
    for (const name of ['start', 'write', 'close', 'abort']) {
        throws(() => new WritableStream({ [name]: {} }), 'TypeError');
        throws(() => new WritableStream({ get [name]() { throw boom; } }), 'RangeError', 'boom');
    }
    throws(() => new WritableStream({ start() { throw boom; } }), 'RangeError', 'boom');
    for (const highWaterMark of [-1, NaN, 'x']) throws(() => new WritableStream({}, { highWaterMark }), 'RangeError');
    throws(() => new WritableStream({}, { size: {} }), 'TypeError');
    throws(() => new WritableStreamDefaultController(), 'TypeError');
    throws(() => new WritableStreamDefaultWriter({}), 'TypeError');
    throws(() => WritableStream(), 'TypeError');
    const order = [];
    const proxy = (name) => new Proxy({}, { get(_, key) { order.push(`${name}.${String(key)}`); } });
    new WritableStream(proxy('sink'), proxy('strategy'));
    same(order, ['strategy.highWaterMark', 'strategy.size', 'sink.abort', 'sink.close', 'sink.start', 'sink.type', 'sink.write']);
    same([WritableStream.length, WritableStream.prototype.abort.length, WritableStreamDefaultWriter.prototype.write.length, WritableStreamDefaultWriter.length], [0, 0, 0, 1]);
});
test('the sink\'s callbacks', async () => {
    const calls = [];
    const sink = {
        start(...args) { calls.push(['start', this === sink, args.length]); },
        write(...args) { calls.push(['write', this === sink, args[0], args[1].constructor.name, args.length]); },
        close(...args) { calls.push(['close', this === sink, args.length]); },
        abort(...args) { calls.push(['abort', this === sink, args[0], args.length]); },
    };
    const writer = new WritableStream(sink).getWriter();
    equal(await writer.write('a'), undefined);
    equal(await writer.close(), undefined);
    same(calls, [['start', true, 1], ['write', true, 'a', 'WritableStreamDefaultController', 2], ['close', true, 0]]);
    await new WritableStream(sink).abort('why');
    same(calls.at(-1), ['abort', true, 'why', 1]);
});
test('writes go one after another, after start', async () => {
    const order = [];
    let begin;
    const writer = new WritableStream({
        start() { return new Promise((resolve) => { begin = resolve; }); },
        async write(chunk) { order.push(`<${chunk}`); await turn(); order.push(`${chunk}>`); },
        close() { order.push('close'); },
    }).getWriter();
    writer.write(1);
    writer.write(2);
    const closing = writer.close();
    await turn();
    same(order, []);
    begin();
    await closing;
    same(order, ['<1', '1>', '<2', '2>', 'close']);
    equal(await writer.closed, undefined);
});
test('ready, desiredSize and backpressure', async () => {
    let release;
    const writer = new WritableStream({ write() { return new Promise((resolve) => { release = resolve; }); } }, { highWaterMark: 2 }).getWriter();
    same([writer.desiredSize, await state(writer.ready)], [2, 'fulfilled']);
    const { ready } = writer;
    writer.write(1);
    equal(writer.desiredSize, 1);
    equal(writer.ready, ready);
    writer.write(2);
    same([writer.desiredSize, await state(writer.ready)], [0, 'pending']);
    ok(writer.ready !== ready);
    const waiting = writer.ready;
    equal(writer.ready, waiting);
    await turn();
    release();
    equal(await waiting, undefined);
    equal(writer.desiredSize, 1);
});
test('a high water mark of 0 is backpressure for ever', async () => {
    const writer = new WritableStream({}, { highWaterMark: 0 }).getWriter();
    same([writer.desiredSize, await state(writer.ready)], [0, 'pending']);
    await writer.write('x');
    equal(await state(writer.ready), 'pending');
});
test('the size function', async () => {
    const writer = new WritableStream({ write() { return new Promise(() => {}); } }, { highWaterMark: 10, size(chunk) { equal(this, undefined); return chunk.length; } }).getWriter();
    writer.write('abcd');
    equal(writer.desiredSize, 6);
    for (const size of [-1, NaN, Infinity]) {
        const bad = new WritableStream({}, { size: () => size }).getWriter();
        await rejects(bad.write('x'), 'RangeError');
        await rejects(bad.closed, 'RangeError');
    }
    const throwing = new WritableStream({}, { size() { throw boom; } }).getWriter();
    equal(await caught(throwing.write('x')), boom);
    equal(await caught(throwing.ready), boom);
});
test('locks', async () => {
    const stream = new WritableStream();
    equal(stream.locked, false);
    const writer = stream.getWriter();
    equal(stream.locked, true);
    throws(() => stream.getWriter(), 'TypeError');
    throws(() => new WritableStreamDefaultWriter(stream), 'TypeError');
    await rejects(stream.close(), 'TypeError');
    await rejects(stream.abort(), 'TypeError');
    const { closed, ready } = writer;
    writer.releaseLock();
    writer.releaseLock();
    equal(stream.locked, false);
    await rejects(closed, 'TypeError');
    await rejects(writer.ready, 'TypeError');
    ok(writer.ready !== ready);
    throws(() => writer.desiredSize, 'TypeError');
    await rejects(writer.write(1), 'TypeError');
    await rejects(writer.close(), 'TypeError');
    await rejects(writer.abort(), 'TypeError');
    const next = stream.getWriter();
    await next.write(1);
});
test('close', async () => {
    const stream = new WritableStream();
    equal(await stream.close(), undefined);
    await rejects(stream.close(), 'TypeError');
    const writer = stream.getWriter();
    same([writer.desiredSize, await state(writer.closed), await state(writer.ready)], [0, 'fulfilled', 'fulfilled']);
    await rejects(writer.write(1), 'TypeError');
    await rejects(writer.close(), 'TypeError');
    equal(await writer.abort(), undefined);
    const again = new WritableStream().getWriter();
    again.close();
    await rejects(again.close(), 'TypeError');
    await rejects(again.write(), 'TypeError');
});
test('failures of start, write and close', async () => {
    const start = new WritableStream({ async start() { throw boom; } }).getWriter();
    same(await Promise.all([caught(start.closed), caught(start.write(1))]).then((all) => all.map((e) => e === boom)), [true, true]);
    equal(await caught(start.ready), boom);
    let writes = 0;
    const write = new WritableStream({ write() { writes++; throw boom; } }).getWriter();
    const results = await Promise.all([caught(write.write(1)), caught(write.write(2)), caught(write.closed), caught(write.ready)]);
    same(results.map((e) => e === boom), [true, true, true, true]);
    equal(writes, 1);
    equal(write.desiredSize, null);
    equal(await caught(write.close()).then((e) => e.name), 'TypeError');
    equal(await write.abort(), undefined);
    const close = new WritableStream({ close() { return Promise.reject(boom); } }).getWriter();
    equal(await caught(close.close()), boom);
    equal(await caught(close.closed), boom);
    const late = new WritableStream({ write: () => turn().then(() => { throw boom; }) }).getWriter();
    const all = [caught(late.write(1)), caught(late.write(2)), caught(late.close()), caught(late.closed)];
    same((await Promise.all(all)).map((e) => e === boom), [true, true, true, true]);
});
test('controller.error', async () => {
    let controller;
    const writer = new WritableStream({ start(c) { controller = c; } }).getWriter();
    controller.error(boom);
    controller.error(other);
    same([await caught(writer.closed) === boom, await caught(writer.ready) === boom, await caught(writer.write()) === boom], [true, true, true]);
    equal(await caught(new WritableStream({ start(c) { c.error(boom); } }).getWriter().closed), boom);
    const closed = new WritableStream({ start(c) { controller = c; } });
    await closed.close();
    controller.error(boom);
    await closed.getWriter().closed;
    throws(() => WritableStreamDefaultController.prototype.error.call({}), 'TypeError');
});
test('abort: what is queued fails, the sink is told', async () => {
    let reason;
    const order = [];
    const writer = new WritableStream({ async write(chunk) { order.push(chunk); await turn(); order.push('written'); }, abort(value) { reason = value; order.push('abort'); } }, { highWaterMark: 5 }).getWriter();
    await turn();
    const writes = [writer.write(1), writer.write(2)];
    const aborting = writer.abort(boom);
    equal(writer.desiredSize, null);
    equal(await caught(writer.ready), boom);
    equal(await caught(writes[1]), boom);
    equal(await aborting, undefined);
    equal(await writes[0], undefined);
    equal(reason, boom);
    same(order, [1, 'written', 'abort']);
    equal(await caught(writer.closed), boom);
    equal(await caught(writer.write(3)), boom);
});
test('abort: twice, of a failed, closing and closed stream', async () => {
    let aborts = 0;
    const stream = new WritableStream({ abort() { aborts++; } });
    const first = stream.abort(boom);
    const second = stream.abort(other);
    await Promise.all([first, second]);
    equal(aborts, 1);
    equal(await caught(stream.getWriter().closed), boom);
    let controller;
    const failed = new WritableStream({ start(c) { controller = c; } });
    await turn();
    controller.error(boom);
    equal(await failed.abort(), undefined);
    const failing = new WritableStream({ abort() { throw boom; } });
    equal(await caught(failing.abort(other)), boom);
    equal(await caught(failing.getWriter().closed), other);
    const closing = new WritableStream({ close: () => turn() }).getWriter();
    const close = closing.close();
    await turn();
    const abort = closing.abort(boom);
    same([await caught(close), await caught(abort)], ['fulfilled', 'fulfilled']);
    await closing.closed;
});
test('abort before start is over', async () => {
    let begin;
    const calls = [];
    const writer = new WritableStream({ start: () => new Promise((resolve) => { begin = resolve; }), write() { calls.push('write'); }, close() { calls.push('close'); }, abort() { calls.push('abort'); } }).getWriter();
    const write = caught(writer.write(1));
    const close = caught(writer.close());
    const abort = writer.abort(boom);
    equal(await caught(writer.ready), boom);
    same(calls, []);
    begin();
    await abort;
    same([await write === boom, await close === boom, await caught(writer.closed) === boom], [true, true, true]);
    same(calls, ['abort']);
});
test('abort while close is in flight and fails', async () => {
    let fail;
    const writer = new WritableStream({ close: () => new Promise((_, reject) => { fail = reject; }) }).getWriter();
    await turn();
    const close = caught(writer.close());
    const abort = caught(writer.abort(other));
    fail(boom);
    same([await close === boom, await abort === boom], [true, true]);
});
test('the signal', async () => {
    let controller;
    const stream = new WritableStream({ start(c) { controller = c; } });
    const { signal } = controller;
    ok(signal instanceof AbortSignal);
    equal(controller.signal, signal);
    equal(signal.aborted, false);
    let seen;
    signal.addEventListener('abort', () => { seen = signal.reason; });
    const aborting = stream.abort(boom);
    equal(seen, boom);
    await aborting;
    let second;
    const unasked = new WritableStream({ start(c) { second = c; } });
    await unasked.abort(other);
    same([second.signal.aborted, second.signal.reason === other], [true, true]);
    let third;
    const failing = new WritableStream({ start(c) { third = c; } });
    third.error(boom);
    equal(await caught(failing.abort()), boom);
    equal(third.signal.aborted, true);
    let fourth;
    new WritableStream({ start(c) { fourth = c; } }).close();
    equal(fourth.signal.aborted, false);
    let fifth;
    const plain = new WritableStream({ start(c) { fifth = c; } });
    plain.abort();
    equal(fifth.signal.reason.name, 'AbortError');
});
test('write in a write, close in a write, releasing in size', async () => {
    const order = [];
    const writer = new WritableStream({ write(chunk) { order.push(chunk); if (chunk === 1) { writer.write(2); writer.close(); } }, close() { order.push('close'); } }).getWriter();
    await writer.write(1);
    await writer.closed;
    same(order, [1, 2, 'close']);
    const stream = new WritableStream({}, { size() { releasing.releaseLock(); return 1; } });
    const releasing = stream.getWriter();
    await rejects(releasing.write(1), 'TypeError');
});
test('strangers as receivers', async () => {
    const { prototype } = WritableStream;
    throws(() => prototype.getWriter.call({}), 'TypeError');
    await rejects(prototype.close.call({}), 'TypeError');
    await rejects(prototype.abort.call({}), 'TypeError');
    const writer = WritableStreamDefaultWriter.prototype;
    for (const method of ['write', 'close', 'abort']) await rejects(writer[method].call({}), 'TypeError');
    for (const name of ['closed', 'ready']) await rejects(Object.getOwnPropertyDescriptor(writer, name).get.call({}), 'TypeError');
    throws(() => Object.getOwnPropertyDescriptor(writer, 'desiredSize').get.call({}), 'TypeError');
    throws(() => writer.releaseLock.call({}), 'TypeError');
});
test('the closed promise settles after the write that fails it', async () => {
    const order = [];
    const writer = new WritableStream({ write: () => Promise.reject(boom) }).getWriter();
    await writer.ready;
    await Promise.all([writer.write('a').catch(() => order.push('write')), writer.closed.catch(() => order.push('closed'))]);
    same(order, ['write', 'closed']);
});
test('a writer got while the stream fails', async () => {
    let release;
    const stream = new WritableStream({ write: () => new Promise((resolve) => { release = resolve; }) });
    const first = stream.getWriter();
    await turn();
    first.write(1).catch(() => {});
    first.abort(boom).catch(() => {});
    first.closed.catch(() => {});
    first.releaseLock();
    const second = stream.getWriter();
    same(await states(second.ready, second.closed), ['rejected', 'pending']);
    release();
    equal(await caught(second.closed), boom);
});
test('what is settled first: close, abort, then closed; and one promise for every abort', async () => {
    const watch = (events, promises) => Promise.all(Object.entries(promises).map(([name, promise]) => promise.then(() => events.push(name), () => events.push(`${name}!`))));
    let events = [];
    let writer = new WritableStream({}).getWriter();
    await watch(events, { closed: writer.closed, close: writer.close() });
    same(events, ['close', 'closed']);

    events = [];
    writer = new WritableStream({}).getWriter();
    await turn(); // started: the close is under way before the abort
    const close = writer.close();
    await watch(events, { closed: writer.closed, abort: writer.abort(boom), close });
    same(events, ['close', 'abort', 'closed']);

    events = [];
    let fail;
    writer = new WritableStream({ write: () => new Promise((_, reject) => { fail = reject; }) }).getWriter();
    await turn();
    const write = writer.write('a');
    const first = writer.abort(boom);
    equal(writer.abort(other), first);
    const watched = watch(events, { closed: writer.closed, first, write });
    fail(other);
    await watched;
    same(events, ['write!', 'first', 'closed!']);

    writer = new WritableStream({ abort() { throw boom; } }).getWriter();
    writer.closed.catch(() => {});
    equal(await caught(writer.abort()), boom); // and no rejection that nobody handles
});
await done();
