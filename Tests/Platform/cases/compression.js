// https://compression.spec.whatwg.org/
import { done, equal, fail, ok, rejects, same, test, throws } from './assert.js';

const formats = ['gzip', 'deflate', 'deflate-raw'];
const bytesOf = (text) => new TextEncoder().encode(text);

async function collect(readable) {
    const pieces = [];
    let length = 0;
    for (const reader = readable.getReader();;) {
        const { value, done: end } = await reader.read();
        if (end) break;
        if (value.constructor !== Uint8Array || value.length === 0) fail(`a chunk is ${value}`);
        pieces.push(value);
        length += value.length;
    }
    const all = new Uint8Array(length);
    let at = 0;
    for (const piece of pieces) {
        all.set(piece, at);
        at += piece.length;
    }
    return all;
}

/** Writes the pieces one after another while the other side is read. */
async function through(transform, pieces) {
    const writer = transform.writable.getWriter();
    const result = collect(transform.readable);
    const writes = [];
    for (const piece of pieces) writes.push(writer.write(piece));
    writes.push(writer.close());
    for (const write of writes) write.catch(() => {});
    return result;
}

function noise(length, seed = 1) {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) {
        seed = Math.imul(seed, 1103515245) + 12345 >>> 0;
        bytes[i] = seed >>> 24;
    }
    return bytes;
}

function cut(bytes, size) {
    const pieces = [];
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
    return pieces;
}

function equalBytes(a, b, what) {
    equal(a.length, b.length, `${what}: length`);
    for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) fail(`${what}: byte ${i} is ${a[i]}, not ${b[i]}`);
}

// Of other implementations: 'expected output' by Python's zlib.
const known = {
    'deflate': [120, 156, 75, 173, 40, 72, 77, 46, 73, 77, 81, 200, 47, 45, 41, 40, 45, 1, 0, 48, 173, 6, 36],
    'deflate-raw': [75, 173, 40, 72, 77, 46, 73, 77, 81, 200, 47, 45, 41, 40, 45, 1, 0],
    'gzip': [31, 139, 8, 0, 0, 0, 0, 0, 0, 3, 75, 173, 40, 72, 77, 46, 73, 77, 81, 200, 47, 45, 41, 40, 45, 1, 0, 176, 1, 57, 179, 15, 0, 0, 0],
};

test('interfaces', () => {
    for (const Class of [CompressionStream, DecompressionStream]) {
        equal(Class.length, 1);
        throws(() => Class('gzip'), 'TypeError');
        throws(() => new Class(), 'TypeError');
        for (const bad of ['a', '', 'GZIP', 'br', undefined, null, {}]) throws(() => new Class(bad), 'TypeError');
        equal(new Class({ toString: () => 'gzip' }).readable.locked, false);
        same(Object.keys(Class.prototype), ['readable', 'writable']);
        equal(Object.prototype.toString.call(new Class('gzip')), `[object ${Class.name}]`);
        throws(() => Reflect.getOwnPropertyDescriptor(Class.prototype, 'readable').get.call({}), 'TypeError');
        const stream = new Class('gzip');
        ok(stream.readable === stream.readable && stream.readable instanceof ReadableStream && stream.writable instanceof WritableStream);
    }
});
test('there and back, in pieces of every size', async () => {
    for (const format of formats) {
        for (const data of [new Uint8Array(0), bytesOf('a'), bytesOf('expected output'), noise(300000), bytesOf('text '.repeat(60000))]) {
            for (const size of [1 << 20, 65536, 1000, 7]) {
                if (data.length / size > 5000) continue;
                const packed = await through(new CompressionStream(format), cut(data, size));
                for (const other of [1 << 20, 1000, ...(packed.length < 4000 ? [1] : [])]) {
                    equalBytes(await through(new DecompressionStream(format), cut(packed, other)), data, `${format} ${size} ${other}`);
                }
            }
        }
    }
});
test('what zlib elsewhere has made', async () => {
    for (const format of formats) {
        equal(new TextDecoder().decode(await through(new DecompressionStream(format), [new Uint8Array(known[format])])), 'expected output');
        equalBytes(await through(new CompressionStream(format), [bytesOf('expected output')]), new Uint8Array(known[format]), format);
    }
});
test('chunks: every kind of view; nothing else', async () => {
    const data = bytesOf('expected output!');
    const views = [data.buffer, data, new DataView(data.buffer)];
    for (const Class of [Int8Array, Uint8ClampedArray, Uint16Array, Int16Array, Uint32Array, Int32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array]) views.push(new Class(data.buffer));
    for (const view of views) equalBytes(await through(new DecompressionStream('gzip'), [await through(new CompressionStream('gzip'), [view])]), data, view.constructor.name);
    equalBytes(await through(new DecompressionStream('gzip'), [await through(new CompressionStream('gzip'), [data.subarray(3, 8)])]), data.slice(3, 8), 'part');
    for (const bad of [undefined, null, 3.14, {}, 'text', [1], new SharedArrayBuffer(3), new Uint8Array(new SharedArrayBuffer(3))]) {
        for (const Class of [CompressionStream, DecompressionStream]) {
            const { readable, writable } = new Class('gzip');
            const reader = readable.getReader();
            const writer = writable.getWriter();
            const write = writer.write(bad);
            const read = reader.read();
            await rejects(write, 'TypeError');
            await rejects(read, 'TypeError');
            await rejects(writer.closed, 'TypeError');
        }
    }
});
test('empty chunks are nothing', async () => {
    const packed = await through(new CompressionStream('deflate'), [new Uint8Array(0), bytesOf('expected'), new Uint8Array(0), bytesOf(' output'), new ArrayBuffer(0)]);
    const text = await through(new DecompressionStream('deflate'), [new Uint8Array(0), packed, new Uint8Array(0)]);
    equal(new TextDecoder().decode(text), 'expected output');
});
test('bad data', async () => {
    for (const format of formats) {
        const good = known[format];
        for (let length = 0; length < good.length; length++) {
            await rejects(through(new DecompressionStream(format), [new Uint8Array(good.slice(0, length))]), 'TypeError', 'ends too early');
        }
        for (const tail of [[0], [255, 255], good]) {
            await rejects(through(new DecompressionStream(format), [new Uint8Array([...good, ...tail])]), 'TypeError', 'more data');
            await rejects(through(new DecompressionStream(format), [new Uint8Array(good), new Uint8Array(tail)]), 'TypeError', 'more data');
        }
    }
    const changes = { 'deflate': [[0, 119], [1, 157], [1, 0xBB], [19, 49], [22, 37]], 'gzip': [[0, 30], [1, 140], [2, 9], [3, 0xE0], [27, 177], [31, 16]], 'deflate-raw': [[0, 6]] };
    for (const format in changes) {
        for (const [at, value] of changes[format]) {
            const bad = new Uint8Array(known[format]);
            bad[at] = value;
            await rejects(through(new DecompressionStream(format), [bad]), 'TypeError', 'not valid');
        }
    }
    for (const [at, value] of [[4, 255], [8, 4], [9, 7]]) { // time, flags of the compressor, system
        const other = new Uint8Array(known.gzip);
        other[at] = value;
        equal((await through(new DecompressionStream('gzip'), [other])).length, 15);
    }
});
test('random damage is an error or other data, never more', async () => {
    const data = bytesOf('some text that is not random at all '.repeat(20));
    for (const format of formats) {
        const good = await through(new CompressionStream(format), [data]);
        for (let i = 0; i < 400; i++) {
            const bad = good.slice();
            const where = noise(3, i + 1);
            bad[(where[0] << 8 | where[1]) % bad.length] ^= where[2] | 1;
            try {
                await through(new DecompressionStream(format), cut(bad, 1 + i % 50));
                if (format !== 'deflate-raw') ok(bad[4] !== good[4] || format === 'gzip', `damage ${i} of ${format} is not seen`);
            } catch (error) {
                equal(error.name, 'TypeError');
            }
        }
    }
});
test('a small chunk that comes to much waits for its reader', async () => {
    const zeros = new Uint8Array(1 << 20);
    const packed = await through(new CompressionStream('gzip'), Array(256).fill(zeros)); // 256 MB
    ok(packed.length < 300000);
    const { readable, writable } = new DecompressionStream('gzip');
    const writer = writable.getWriter();
    let written = false;
    const write = writer.write(packed).then(() => { written = true; });
    const reader = readable.getReader();
    let length = (await reader.read()).value.length;
    await new Promise((resolve) => setTimeout(resolve));
    equal(written, false);
    const close = writer.close();
    for (let step; !(step = await reader.read()).done;) length += step.value.length;
    await write;
    await close;
    equal(length, 256 << 20);
});
test('the chunk may be taken away while it waits', async () => {
    const packed = await through(new CompressionStream('deflate-raw'), Array(8).fill(new Uint8Array(1 << 20)));
    const { readable, writable } = new DecompressionStream('deflate-raw');
    const writer = writable.getWriter();
    const write = writer.write(packed);
    const reader = readable.getReader();
    let { length } = (await reader.read()).value;
    structuredClone(packed.buffer, { transfer: [packed.buffer] });
    equal(packed.length, 0);
    const close = writer.close();
    for (let step; !(step = await reader.read()).done;) length += step.value.length;
    await write;
    await close;
    equal(length, 8 << 20);
});
test('cancelled or aborted while it waits', async () => {
    const packed = await through(new CompressionStream('gzip'), Array(64).fill(new Uint8Array(1 << 20)));
    for (const how of ['cancel', 'abort']) {
        const { readable, writable } = new DecompressionStream('gzip');
        const writer = writable.getWriter();
        const write = writer.write(packed);
        const reader = readable.getReader();
        await reader.read();
        if (how === 'cancel') {
            await reader.cancel('enough');
            await write;
            await writer.closed.then(() => fail('closed'), (reason) => equal(reason, 'enough'));
        } else {
            const abort = writer.abort('enough');
            write.catch(() => {});
            for (let i = 0; i < 2000; i++) {
                let step;
                try { step = await reader.read(); } catch (reason) { equal(reason, 'enough'); break; }
                if (step.done) fail('it ended well');
            }
            await abort;
        }
    }
    const stream = new CompressionStream('gzip');
    await stream.readable.cancel();
    await stream.writable.getWriter().write(new Uint8Array(5)).then(() => fail("was written"), (reason) => equal(reason, undefined));
});
test('detached chunks are empty', async () => {
    const buffer = new ArrayBuffer(8);
    const view = new Uint8Array(buffer);
    structuredClone(buffer, { transfer: [buffer] });
    const packed = await through(new CompressionStream('gzip'), [buffer, view, bytesOf('a')]);
    equal(new TextDecoder().decode(await through(new DecompressionStream('gzip'), [packed])), 'a');
});
test('with fetch bodies and pipes', async () => {
    const body = new Response('text '.repeat(1000)).body.pipeThrough(new CompressionStream('gzip')).pipeThrough(new DecompressionStream('gzip'));
    equal(await new Response(body).text(), 'text '.repeat(1000));
});
await done();
