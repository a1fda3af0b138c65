// pipeTo and pipeThrough. Runs on Node as well.
import { done, equal, ok, rejects, same, test, throws } from './assert.js';

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));
const boom = new RangeError('boom');
const other = new RangeError('other');
const caught = (promise) => promise.then(() => 'fulfilled', (error) => error);
const state = async (promise) => {
    const pending = {};
    return Promise.race([promise, pending]).then((value) => (value === pending ? 'pending' : 'fulfilled'), () => 'rejected');
};
/** Streams that note what happens to them. */
function recording(source = {}, strategy = undefined) {
    const stream = new ReadableStream({
        ...source, start(c) { stream0.controller = c; return source.start?.(c); },
        cancel(...args) { stream0.events.push(['cancel', ...args]); return source.cancel?.(...args); },
    }, strategy);
    return Object.assign(stream, stream0, { get controller() { return stream0.controller; } });
}
let stream0;
const readable = (source, strategy) => { stream0 = { events: [], controller: undefined }; return recording(source, strategy); };
function writable(sink = {}, strategy = undefined) {
    const events = [];
    let controller;
    const stream = new WritableStream({
        start(c) { controller = c; return sink.start?.(c); },
        write(chunk, c) { events.push(['write', chunk]); return sink.write?.(chunk, c); },
        close() { events.push(['close']); return sink.close?.(); },
        abort(reason) { events.push(['abort', reason]); return sink.abort?.(reason); },
    }, strategy);
    return Object.assign(stream, { events, controller });
}
const of = (...chunks) => readable({ start(c) { for (const chunk of chunks) c.enqueue(chunk); c.close(); } });

test('everything goes over, then it is closed, both are unlocked', async () => {
    const [from, to] = [of('a', 'b', 'c'), writable()];
    const piping = from.pipeTo(to);
    ok(piping instanceof Promise);
    same([from.locked, to.locked], [true, true]);
    equal(await piping, undefined);
    same([from.locked, to.locked], [false, false]);
    same(to.events, [['write', 'a'], ['write', 'b'], ['write', 'c'], ['close']]);
    await to.getWriter().closed;
});
test('preventClose', async () => {
    const to = writable();
    await of('a').pipeTo(to, { preventClose: true });
    await of('b').pipeTo(to, { preventClose: 'yes' });
    await of('c').pipeTo(to, { preventClose: '' });
    same(to.events, [['write', 'a'], ['write', 'b'], ['write', 'c'], ['close']]);
});
test('arguments', async () => {
    for (const bad of [undefined, null, {}, 1, 'x', of()]) await rejects(of().pipeTo(bad), 'TypeError');
    await rejects(of().pipeTo(), 'TypeError');
    for (const signal of [null, {}, 1, 'x', new AbortController()]) await rejects(of().pipeTo(writable(), { signal }), 'TypeError');
    await rejects(of().pipeTo(writable(), 5), 'TypeError');
    for (const name of ['preventAbort', 'preventCancel', 'preventClose', 'signal']) {
        const [from, to] = [of(), writable()];
        equal(await caught(from.pipeTo(to, { get [name]() { throw boom; } })), boom);
        same([from.locked, to.locked], [false, false]);
        throws(() => from.pipeThrough({ readable: of(), writable: to }, { get [name]() { throw boom; } }), 'RangeError', 'boom');
    }
    const order = [];
    await of().pipeTo(writable(), new Proxy({}, { get(_, key) { order.push(key); } }));
    same(order, ['preventAbort', 'preventCancel', 'preventClose', 'signal']);
    const locked = writable();
    locked.getWriter();
    const from = of();
    await rejects(from.pipeTo(locked), 'TypeError');
    equal(from.locked, false);
});
test('a failure of the source aborts the destination', async () => {
    for (const preventAbort of [false, true]) {
        const [from, to] = [readable(), writable()];
        const piping = caught(from.pipeTo(to, { preventAbort }));
        from.controller.enqueue('a');
        await turn();
        from.controller.error(boom);
        equal(await piping, boom);
        same(to.events.map((e) => e[0]), preventAbort ? ['write'] : ['write', 'abort']);
        if (!preventAbort) equal(to.events[1][1], boom);
        same([from.locked, to.locked], [false, false]);
    }
    const failed = readable({ start() { return Promise.reject(boom); } });
    const to = writable();
    await turn();
    equal(await caught(failed.pipeTo(to)), boom);
    same(to.events, [['abort', boom]]);
});
test('a failure of abort takes the place of the source\'s', async () => {
    const from = readable({ start(c) { c.error(boom); } });
    equal(await caught(from.pipeTo(writable({ abort() { throw other; } }))), other);
});
test('a failure of the source waits for the writes', async () => {
    let release;
    const [from, to] = [readable(), writable({ write: () => new Promise((resolve) => { release = resolve; }) })];
    const piping = from.pipeTo(to);
    let ended = false;
    piping.catch(() => { ended = true; });
    from.controller.enqueue('a');
    await turn();
    from.controller.error(boom);
    await turn();
    same([ended, to.events], [false, [['write', 'a']]]);
    release();
    equal(await caught(piping), boom);
    same(to.events.map((e) => e[0]), ['write', 'abort']);
});
test('a failure of the destination cancels the source', async () => {
    for (const preventCancel of [false, true]) {
        const [from, to] = [readable(), writable()];
        const piping = caught(from.pipeTo(to, { preventCancel }));
        await turn();
        to.controller.error(boom);
        equal(await piping, boom);
        same(from.events.map((e) => [e[0], e[1] === boom]), preventCancel ? [] : [['cancel', true]]);
    }
    const to = writable({ write() { throw boom; } });
    const from = readable({ start(c) { c.enqueue(1); c.enqueue(2); } });
    equal(await caught(from.pipeTo(to)), boom);
    same([from.events.length, to.events.length], [1, 1]);
    const failing = readable({ cancel() { throw other; } });
    const failed = writable({ start(c) { c.error(boom); } });
    equal(await caught(failing.pipeTo(failed)), other);
});
test('a destination that fails while nothing comes', async () => {
    const [from, to] = [readable(), writable({ write: () => turn().then(() => { throw boom; }) })];
    const piping = caught(from.pipeTo(to));
    from.controller.enqueue('a');
    equal(await piping, boom);
    same(from.events.length, 1);
});
test('a closed or closing destination', async () => {
    for (const preventCancel of [false, true]) {
        const [from, to] = [readable(), writable()];
        const closing = to.close();
        const error = await caught(from.pipeTo(to, { preventCancel }));
        equal(error.name, 'TypeError');
        same(from.events.map((e) => [e[0], e[1] === error]), preventCancel ? [] : [['cancel', true]]);
        await closing;
        await rejects(of('x').pipeTo(to), 'TypeError');
    }
    await rejects(of().pipeTo(Object.assign(new WritableStream(), {})).then(() => of().pipeTo(1)), 'TypeError');
});
test('a failure of close', async () => {
    equal(await caught(of('a').pipeTo(writable({ close() { throw boom; } }))), boom);
    equal(await caught(of().pipeTo(writable({ close: () => Promise.reject(boom) }))), boom);
});
test('the pipe reads only what the destination wants', async () => {
    let pulls = 0;
    let release;
    const from = readable({ pull(c) { pulls++; c.enqueue(pulls); } }, { highWaterMark: 0 });
    const to = writable({ write: () => new Promise((resolve) => { release = resolve; }) }, { highWaterMark: 1 });
    from.pipeTo(to);
    await turn();
    same([pulls, to.events], [1, [['write', 1]]]);
    await turn();
    equal(pulls, 1);
    release();
    await turn();
    same([pulls, to.events.length], [2, 2]);
    const idle = readable({ pull() { throw new Error('pulled'); } }, { highWaterMark: 0 });
    idle.pipeTo(writable({}, { highWaterMark: 0 }));
    await turn();
    same(idle.events, []);
});
test('chunks fill the destination\'s queue', async () => {
    const from = readable({ start(c) { for (let i = 0; i < 6; i++) c.enqueue(i); } }, { highWaterMark: 6 });
    const to = writable({ write: () => new Promise(() => {}) }, { highWaterMark: 3 });
    from.pipeTo(to);
    await turn();
    same([to.events.length, from.controller.desiredSize], [1, 3]);
});
test('enqueue does not call the sink', async () => {
    const [from, to] = [readable(), writable()];
    from.pipeTo(to);
    await turn();
    from.controller.enqueue('a');
    same(to.events, []);
    await turn();
    same(to.events, [['write', 'a']]);
});
test('a chunk and the end, a chunk and a failure at once: the chunk is written', async () => {
    const [from, to] = [readable(), writable()];
    const piping = from.pipeTo(to);
    await turn();
    from.controller.enqueue('a');
    from.controller.close();
    await piping;
    same(to.events, [['write', 'a'], ['close']]);
    const [failing, sink] = [readable(), writable()];
    const failed = caught(failing.pipeTo(sink));
    await turn();
    failing.controller.enqueue('a');
    failing.controller.error(boom);
    equal(await failed, boom);
    same(sink.events.map((e) => e[0]), ['write', 'abort']);
});
test('a signal', async () => {
    const [from, to] = [readable(), writable()];
    const abort = new AbortController();
    const piping = caught(from.pipeTo(to, { signal: abort.signal }));
    await turn();
    abort.abort(boom);
    equal(await piping, boom);
    same([from.events.map((e) => e[1] === boom), to.events.map((e) => [e[0], e[1] === boom])], [[true], [['abort', true]]]);
    same([from.locked, to.locked], [false, false]);
    const before = caught(readable().pipeTo(writable(), { signal: AbortSignal.abort() }));
    equal((await before).name, 'AbortError');
});
test('a signal with preventAbort, preventCancel and both', async () => {
    for (const options of [{ preventAbort: true }, { preventCancel: true }, { preventAbort: true, preventCancel: true }]) {
        const [from, to] = [readable(), writable()];
        equal(await caught(from.pipeTo(to, { ...options, signal: AbortSignal.abort(boom) })), boom);
        same([from.events.length, to.events.length], [options.preventCancel ? 0 : 1, options.preventAbort ? 0 : 1]);
        same([from.locked, to.locked], [false, false]);
    }
});
test('a signal: failures of abort and cancel, and what comes too late', async () => {
    const failing = readable({ cancel() { throw boom; } });
    equal(await caught(failing.pipeTo(writable(), { signal: AbortSignal.abort(other) })), boom);
    const sink = writable({ abort() { throw boom; } });
    equal(await caught(readable().pipeTo(sink, { signal: AbortSignal.abort(other) })), boom);
    const abort = new AbortController();
    const to = writable();
    await of('a').pipeTo(to, { signal: abort.signal, preventClose: true });
    abort.abort();
    await of('b').pipeTo(to);
    same(to.events, [['write', 'a'], ['write', 'b'], ['close']]);
});
test('a signal waits for the write in flight', async () => {
    let release;
    const [from, to] = [readable(), writable({ write: () => new Promise((resolve) => { release = resolve; }) })];
    const abort = new AbortController();
    const piping = from.pipeTo(to, { signal: abort.signal });
    from.controller.enqueue('a');
    await turn();
    abort.abort(boom);
    await turn();
    equal(await state(piping), 'pending');
    release();
    equal(await caught(piping), boom);
});
test('pipeThrough', async () => {
    const through = { readable: of(), writable: writable() };
    equal(of('x').pipeThrough(through), through.readable);
    await turn();
    same(through.writable.events, [['write', 'x'], ['close']]);
    throws(() => of().pipeThrough(), 'TypeError');
    throws(() => of().pipeThrough(null), 'TypeError');
    throws(() => of().pipeThrough({}), 'TypeError');
    throws(() => of().pipeThrough({ readable: of() }), 'TypeError');
    throws(() => of().pipeThrough({ writable: writable() }), 'TypeError');
    throws(() => of().pipeThrough({ readable: of(), writable: writable() }, { signal: {} }), 'TypeError');
    const locked = writable();
    locked.getWriter();
    throws(() => of().pipeThrough({ readable: of(), writable: locked }), 'TypeError');
    const order = [];
    throws(() => of().pipeThrough({ get readable() { order.push('readable'); return of(); }, get writable() { order.push('writable'); } }), 'TypeError');
    same(order, ['readable', 'writable']);
});
test('pipeThrough keeps its failure to itself', async () => {
    const failing = readable({ start(c) { c.error(boom); } });
    const result = failing.pipeThrough(new TransformStream());
    equal(await caught(result.getReader().read()), boom);
    await turn();
});
test('a chain of pipes', async () => {
    const add = (text) => new TransformStream({ transform(chunk, c) { c.enqueue(chunk + text); }, flush(c) { c.enqueue(text); } });
    const out = [];
    await of('a', 'b').pipeThrough(add('1')).pipeThrough(add('2')).pipeTo(new WritableStream({ write(chunk) { out.push(chunk); } }));
    same(out, ['a12', 'b12', '12', '2']);
});
test('pipes of byte streams and tees', async () => {
    const stream = new ReadableStream({ type: 'bytes', start(c) { c.enqueue(new Uint8Array([1])); c.enqueue(new Uint8Array([2])); c.close(); } });
    const [a, b] = stream.tee();
    const [left, right] = [writable(), writable()];
    await Promise.all([a.pipeTo(left), b.pipeTo(right)]);
    same(left.events.map((e) => (e[1] === undefined ? e[0] : e[1][0])), [1, 2, 'close']);
    same(right.events.length, 3);
});
test('pipes hide their promises from a patched then', async () => {
    const { then } = Promise.prototype;
    let calls = 0;
    Promise.prototype.then = function (...args) { calls++; return then.apply(this, args); };
    Object.defineProperty(Object.prototype, 'then', { get() { calls++; }, configurable: true });
    const [from, to] = [of('a', 'b'), writable()];
    from.pipeTo(to);
    const [a, b] = of('x').tee();
    await new Promise((resolve) => setTimeout(resolve, 5));
    delete Object.prototype.then;
    Promise.prototype.then = then;
    same([to.events.length, calls], [3, 0]);
    a.cancel();
    await b.cancel();
});
await done();
