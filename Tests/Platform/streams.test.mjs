// internal.streams: what the rest of the platform does with streams. The public classes are tested by cases/streams_*.js.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import vm from 'node:vm';
import { boot } from './harness.mjs';

const realm = boot();
const { streams } = realm.internal;
const run = (source) => vm.runInContext(source, realm.context);
const bytes = (...values) => realm.own(Uint8Array.from(values));
const plain = (value) => JSON.parse(JSON.stringify(value, (_, v) => (ArrayBuffer.isView(v) ? Array.from(v) : v)));
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('a host-fed stream pulls once per chunk and never before a read', async () => {
    let pulls = 0;
    const host = streams.newReadable(() => { pulls++; });
    const reader = host.stream.getReader();
    await turn();
    assert.equal(pulls, 0);
    const first = reader.read();
    const second = reader.read();
    assert.equal(pulls, 1);
    host.enqueue(bytes(1, 2));
    assert.deepEqual(plain(await first), { value: [1, 2], done: false });
    assert.equal(pulls, 2);
    host.enqueue(bytes(3));
    assert.deepEqual(plain(await second), { value: [3], done: false });
    assert.equal(pulls, 2);
    host.close();
    assert.equal((await reader.read()).done, true);
    assert.equal(streams.isClosed(host.stream), true);
});
test('a chunk that decompresses to very much is copied once, however often it waits', async () => {
    const buffers = new Set();
    let calls = 0;
    const own = boot({ ops: () => ({
        zlibOpen: () => true,
        // Each byte comes to a whole piece.
        zlibRun(memory, chunk, finish, piece) {
            calls++;
            buffers.add(chunk.buffer);
            return chunk.length === 0 ? 0 : 0x40000 + 2 * piece.length;
        },
    }) });
    const count = await vm.runInContext(`(async () => {
        const stream = new DecompressionStream('deflate-raw');
        const writer = stream.writable.getWriter();
        const written = writer.write(new Uint8Array(200));
        const reader = stream.readable.getReader();
        let count = 0;
        while (count < 200 * 65536) count += (await reader.read()).value.length;
        await written;
        return count;
    })()`, own.context);
    assert.equal(count, 200 * 65536);
    assert.ok(calls >= 200);
    assert.equal(buffers.size, 2);
});
test('a host-fed stream fills BYOB views and frees waiting ones at the end', async () => {
    const host = streams.newReadable(undefined, undefined);
    const reader = host.stream.getReader({ mode: 'byob' });
    const read = reader.read(bytes(0, 0, 0));
    host.enqueue(bytes(1, 2, 3, 4));
    assert.deepEqual(plain(await read), { value: [1, 2, 3], done: false });
    assert.deepEqual(plain(await reader.read(bytes(0, 0))), { value: [4], done: false });
    const last = reader.read(bytes(0));
    host.close();
    assert.deepEqual(plain(await last), { value: [], done: true });
});
test('a host-fed stream tells its size, its failure and its cancelling', async () => {
    const host = streams.newReadable(undefined, undefined, 10);
    host.enqueue(bytes(1, 2, 3));
    assert.equal(host.desiredSize(), 7);
    host.error(new realm.Error('gone'));
    assert.equal(host.desiredSize(), null);
    assert.equal(streams.isErrored(host.stream), true);
    assert.equal(streams.storedError(host.stream).message, 'gone');
    await assert.rejects(host.stream.getReader().read(), /gone/);
    let reason;
    const other = streams.newReadable(undefined, (value) => { reason = value; });
    await other.stream.cancel('enough');
    assert.equal(reason, 'enough');
    other.enqueue(bytes(1)); // too late: dropped
    assert.equal(streams.isClosed(other.stream), true);
});
test('pull that enqueues at once, a thousand times', async () => {
    let left = 1000;
    const host = streams.newReadable(() => { if (left-- > 0) host.enqueue(bytes(7)); else host.close(); });
    assert.equal((await streams.readAll(host.stream)).bytes.length, 1000);
});
test('pull that throws fails the stream', async () => {
    const host = streams.newReadable(() => { throw new realm.Error('broken pull'); });
    await assert.rejects(streams.readAll(host.stream), /broken pull/);
});
test('readAll: empty, one chunk, many chunks, late chunks, a failure, a chunk that is no bytes, a locked stream', async () => {
    assert.equal((await streams.readAll(streams.fromBytes(bytes()))).bytes.length, 0);
    assert.deepEqual(plain((await streams.readAll(streams.fromBytes(bytes(1, 2)))).bytes), [1, 2]);
    const stream = run('new ReadableStream({ start(c) { for (let i = 0; i < 5; i++) c.enqueue(new Uint8Array([i, i])); c.close(); } })');
    assert.deepEqual(plain((await streams.readAll(stream)).bytes), [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
    assert.equal(stream.locked, true);
    const late = streams.newReadable();
    const all = streams.readAll(late.stream);
    late.enqueue(bytes(1));
    await turn();
    late.enqueue(bytes(2));
    late.close();
    assert.deepEqual(plain((await all).bytes), [1, 2]);
    await assert.rejects(streams.readAll(run('new ReadableStream({ start(c) { c.error(new RangeError("x")); } })')), { name: 'RangeError' });
    await assert.rejects(streams.readAll(run('new ReadableStream({ start(c) { c.enqueue("text"); } })')), { name: 'TypeError', message: 'Received non-Uint8Array chunk' });
    await assert.rejects(streams.readAll(run('const l = new ReadableStream(); l.getReader(); l')), { name: 'TypeError' });
});
test('readAll of one chunk of a user does not hand out the user\'s bytes', async () => {
    const { stream, chunk } = run('(() => { const chunk = new Uint8Array([1]); return { chunk, stream: new ReadableStream({ start(c) { c.enqueue(chunk); c.close(); } }) }; })()');
    const { bytes: all } = await streams.readAll(stream);
    chunk[0] = 9;
    assert.deepEqual(plain(all), [1]);
});
test('readChunks: pausing, resuming, ending', async () => {
    const seen = [];
    const stream = run('new ReadableStream({ start(c) { for (let i = 0; i < 6; i++) c.enqueue(new Uint8Array([i])); c.close(); } })');
    const loop = streams.readChunks(stream, (chunk) => { seen.push(chunk[0]); return chunk[0] !== 1 && chunk[0] !== 3; }, () => seen.push('end'), () => seen.push('error'));
    assert.deepEqual(seen, [0, 1]);
    await turn();
    assert.deepEqual(seen, [0, 1]);
    loop.resume();
    assert.deepEqual(seen, [0, 1, 2, 3]);
    loop.resume();
    assert.deepEqual(seen, [0, 1, 2, 3, 4, 5, 'end']);
    loop.resume();
    loop.cancel();
    assert.equal(seen.length, 7);
});
test('readChunks: resume() within onChunk, chunks that come late', async () => {
    const seen = [];
    const host = streams.newReadable();
    const loop = streams.readChunks(host.stream, (chunk) => { seen.push(chunk[0]); loop.resume(); return false; }, () => seen.push('end'), () => seen.push('error'));
    host.enqueue(bytes(1));
    host.enqueue(bytes(2));
    host.close();
    assert.deepEqual(seen, [1, 2, 'end']);
});
test('readChunks: a failure, a chunk that is no bytes, cancelling', async () => {
    const seen = [];
    const follow = (stream) => streams.readChunks(stream, (chunk) => { seen.push(chunk.length); }, () => seen.push('end'), (error) => seen.push(String(error)));
    const host = streams.newReadable(undefined, (reason) => { seen.push(`cancel ${reason}`); });
    follow(host.stream);
    host.enqueue(bytes(1, 2));
    host.error('bad');
    assert.deepEqual(seen.splice(0), [2, 'bad']);
    run('globalThis.canceled = undefined');
    follow(run('new ReadableStream({ start(c) { c.enqueue(5); }, cancel(reason) { globalThis.canceled = reason; } })'));
    assert.deepEqual(seen.splice(0), ['TypeError: Received non-Uint8Array chunk']);
    assert.equal(run('canceled').name, 'TypeError');
    const other = streams.newReadable(undefined, (reason) => { seen.push(`cancel ${reason}`); });
    const loop = follow(other.stream);
    loop.cancel('client left');
    other.enqueue(bytes(1));
    other.close();
    assert.deepEqual(seen, ['cancel client left']);
});
test('readChunks and pull run in the context of readChunks', async () => {
    const seen = [];
    const make = run('(seen, context) => new ReadableStream({ type: "bytes", pull(c) { seen.push(context()); c.enqueue(new Uint8Array([1])); } })');
    const before = realm.ops.enter('request');
    const loop = streams.readChunks(make(seen, realm.ops.context), () => { seen.push(realm.ops.context()); return false; }, () => {}, () => {});
    realm.ops.setContext(before);
    await turn();
    const outer = realm.ops.enter('socket');
    loop.resume();
    assert.equal(realm.ops.context(), 'socket');
    realm.ops.setContext(outer);
    await turn();
    assert.ok(seen.length >= 4);
    assert.deepEqual([...new Set(seen)], ['request']);
});
test('tee: bytes are copies, a default stream\'s objects are cloned', async () => {
    const [a, b] = streams.tee(streams.fromBytes(bytes(1, 2)));
    const first = await streams.readAll(a);
    first[0] = 9;
    assert.deepEqual(plain((await streams.readAll(b)).bytes), [1, 2]);
    const [c, d] = streams.tee(run('new ReadableStream({ start(c) { c.enqueue(new Uint8Array([5])); c.enqueue({ x: 1 }); c.close(); } })'));
    const [left, right] = [c.getReader(), d.getReader()];
    const [l, r] = [await left.read(), await right.read()];
    assert.notEqual(l.value.buffer, r.value.buffer);
    assert.deepEqual(plain([l.value, r.value]), [[5], [5]]);
    const [l2, r2] = [await left.read(), await right.read()];
    assert.notEqual(l2.value, r2.value);
    assert.deepEqual(plain([l2.value, r2.value]), [{ x: 1 }, { x: 1 }]);
    const [e] = streams.tee(run('new ReadableStream({ start(c) { c.enqueue(() => {}); } })'));
    await assert.rejects(e.getReader().read(), { name: 'DataCloneError' });
    assert.throws(() => streams.tee(run('const m = new ReadableStream(); m.getReader(); m')), { name: 'TypeError' });
});
test('what a stream is asked without its properties', async () => {
    const stream = streams.fromBytes(bytes(1));
    Object.defineProperty(stream, 'locked', { get() { throw new Error('looked'); } });
    assert.deepEqual([streams.isReadableStream(stream), streams.isReadableStream({}), streams.isReadableStream(undefined)], [true, false, false]);
    assert.deepEqual([streams.isDisturbed(stream), streams.isLocked(stream), streams.isReadable(stream)], [false, false, true]);
    const reader = stream.getReader();
    assert.deepEqual([streams.isDisturbed(stream), streams.isLocked(stream)], [false, true]);
    await reader.read();
    assert.deepEqual([streams.isDisturbed(stream), streams.isClosed(stream)], [true, true]);
    streams.cancel(stream);
});
