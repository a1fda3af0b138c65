// Streams: operations by chance on one stream, and what becomes of each. Not the order in which promises of one turn settle, which differs between peers, too.
import { run, times } from './cases.mjs';

const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

/** Notes what becomes of a promise. */
function watch(log, name, promise) {
    promise.then((value) => log.push([name, plain(value)]), (error) => log.push([name, 'rejects', error?.name ?? String(error)]));
}

function plain(value) {
    if (value === null || typeof value !== 'object') return value;
    if (ArrayBuffer.isView(value)) return [...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)];
    return { value: plain(value.value), done: value.done };
}

const attempt = (log, name, call) => {
    try {
        return call();
    } catch (error) {
        log.push([name, 'throws', error?.name ?? String(error)]);
        return undefined;
    }
};

async function readable(random, done, log) {
    const isBytes = random.chance(0.5);
    let controller;
    const highWaterMark = random.pick([0, 1, 3]);
    const pulls = random.pick([0, 0, 1, 2]);
    done.push(isBytes ? 'bytes' : 'default', highWaterMark, pulls);
    let pulled = 0;
    let next = 1;
    const chunk = () => (isBytes ? Uint8Array.from({ length: 1 + random.below(4) }, () => next++) : next++);
    const stream = new ReadableStream({
        type: isBytes ? 'bytes' : undefined, start(made) { controller = made; },
        pull() { log.push(['pull']); if (pulled++ < pulls) controller.enqueue(chunk()); }, cancel(reason) { log.push(['cancel', String(reason)]); },
    }, { highWaterMark });
    let readers = [];
    let branches = [stream];
    for (const what of times(random, 12, () => random.pick(['enqueue', 'enqueue', 'read', 'read', 'read', 'close', 'error', 'cancel', 'release', 'reader', 'byob', 'tee', 'size', 'settle', 'readerCancel', 'respond']))) {
        done.push(what);
        const reader = readers[readers.length - 1], target = branches[random.below(branches.length)];
        if (what === 'enqueue') attempt(log, what, () => controller.enqueue(chunk()));
        else if (what === 'close') attempt(log, what, () => controller.close());
        else if (what === 'error') attempt(log, what, () => controller.error(new RangeError('mine')));
        else if (what === 'size') log.push(['size', controller.desiredSize]);
        else if (what === 'settle') await settle();
        else if (what === 'cancel') watch(log, 'canceled', attempt(log, what, () => target.cancel('why')) ?? Promise.resolve());
        else if (what === 'tee') { const two = attempt(log, what, () => target.tee()); if (two !== undefined) branches = two; }
        else if (what === 'respond') attempt(log, what, () => { const request = controller.byobRequest; if (request) { request.view[0] = 99; request.respond(1); } else log.push(['no request', request ?? null]); });
        else if (what === 'reader' || what === 'byob') {
            const made = attempt(log, what, () => target.getReader(what === 'byob' ? { mode: 'byob' } : undefined));
            if (made !== undefined) { readers.push(made); watch(log, 'closed', made.closed); made.isByob = what === 'byob'; }
        } else if (reader === undefined) continue;
        else if (what === 'read') watch(log, 'read', reader.isByob ? reader.read(new Uint8Array(3), random.chance(0.3) ? { min: 2 } : undefined) : reader.read());
        else if (what === 'readerCancel') watch(log, 'canceled', reader.cancel('enough'));
        else if (what === 'release') { attempt(log, what, () => reader.releaseLock()); readers = readers.slice(0, -1); }
    }
    await settle();
}

async function piped(random, done, log) {
    const fails = random.pick(['none', 'none', 'write', 'transform', 'source', 'abort', 'close']);
    const options = { preventClose: random.chance(0.3), preventAbort: random.chance(0.3), preventCancel: random.chance(0.3) };
    const many = random.below(5), mark = random.pick([0, 1, 2]);
    done.push('pipe', fails, options, many, mark);
    let count = 0;
    const abort = new AbortController();
    const source = new ReadableStream({
        async pull(controller) {
            await settle(); // what went wrong with one piece is known everywhere before the next
            if (fails === 'source' && count === 2) controller.error(new RangeError('source'));
            else if (count++ < many) controller.enqueue(count);
            else controller.close();
            if (fails === 'abort' && count === 2) abort.abort(new TypeError('abort'));
        },
        cancel(reason) { log.push(['source cancel', reason?.message ?? String(reason)]); },
    }, { highWaterMark: mark });
    const transform = new TransformStream({
        transform(piece, controller) {
            log.push(['transform', piece]);
            if (fails === 'transform' && piece === 2) throw new EvalError('transform');
            controller.enqueue(piece * 10);
            if (piece % 2 === 0) controller.enqueue(piece * 10 + 1);
        },
        flush(controller) { log.push(['flush']); controller.enqueue('last'); },
    }, { highWaterMark: mark }, { highWaterMark: 1 });
    const sink = new WritableStream({
        write(piece) { log.push(['write', piece]); if (fails === 'write' && piece === 20) throw new SyntaxError('write'); },
        close() { log.push(['close']); if (fails === 'close') throw new URIError('close'); }, abort(reason) { log.push(['sink abort', reason?.message ?? String(reason)]); },
    }, { highWaterMark: mark });
    watch(log, 'first', source.pipeTo(transform.writable, { ...options, signal: abort.signal }));
    watch(log, 'second', transform.readable.pipeTo(sink));
    for (let i = 0; i < 16; i++) await settle();
    log.push([source.locked, transform.readable.locked, sink.locked]);
}

await run(async (random) => {
    const done = [], log = [];
    await (random.chance(0.7) ? readable : piped)(random, done, log);
    return [done, log.map((entry) => JSON.stringify(entry)).sort()];
});
