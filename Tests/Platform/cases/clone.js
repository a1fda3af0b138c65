import { done, equal, ok, same, test, throws } from './assert.js';

test('values keep their kinds', () => {
    const source = { a: 1, b: [1, , 3], d: new Date(5), m: new Map([[{ k: 1 }, new Set([1])]]), r: /x/gi, n: null, u: undefined, big: 5n, s: new String('x'), nan: NaN, e: new RangeError('bad') };
    source.self = source;
    const copy = structuredClone(source);
    ok(copy !== source && copy.self === copy && copy.b.length === 3 && !(1 in copy.b));
    same([copy.d instanceof Date, +copy.d, copy.m instanceof Map, copy.r instanceof RegExp, String(copy.r), 'u' in copy, copy.big === 5n, copy.nan !== copy.nan], [true, 5, true, true, '/x/gi', true, true, true]);
    same([copy.e instanceof RangeError, copy.e.message, [...[...copy.m.keys()][0].k + ''].join()], [true, 'bad', '1']);
});
test('buffers are copied, or moved when transferred', () => {
    const buffer = new Uint8Array([1, 2, 3]).buffer;
    const copy = structuredClone({ view: new Uint8Array(buffer, 1) });
    same([...copy.view], [2, 3]);
    ok(copy.view.buffer !== buffer);
    const moved = structuredClone(buffer, { transfer: [buffer] });
    same([buffer.byteLength, moved.byteLength], [0, 3]);
});
test('what cannot be cloned is a DataCloneError', () => {
    for (const bad of [() => {}, Symbol('x'), { f() {} }, new WeakMap()]) {
        const error = throws(() => structuredClone(bad), 'DataCloneError');
        ok(error instanceof DOMException);
        equal(error.code, 25);
    }
    const buffer = new ArrayBuffer(1);
    throws(() => structuredClone(buffer, { transfer: [buffer, buffer] }), 'DataCloneError');
    throws(() => structuredClone(1, { transfer: [{}] }), process.versions.node ? 'TypeError' : 'DataCloneError');
    throws(() => structuredClone(), 'TypeError');
});
test('an exception of a getter passes through', () => throws(() => structuredClone({ get x() { throw new RangeError('mine'); } }), 'RangeError', 'mine'));
test('Blobs and Files are cloned, wherever they are', async () => {
    const blob = new Blob(['ab', new Uint8Array([99])], { type: 'Text/Plain' }), file = new File(['x'], 'n.txt', { type: 'a/b', lastModified: 5 });
    const map = new Map([[file, new Set([blob])]]);
    const copy = structuredClone({ blob, again: blob, list: [file], map, slice: blob.slice(1, 2, 'q/r'), empty: new Blob() });
    ok(copy.blob instanceof Blob && copy.blob !== blob && copy.again === copy.blob && !(copy.blob instanceof File));
    same([copy.blob.size, copy.blob.type, await copy.blob.text(), Object.keys(copy.blob)], [3, 'text/plain', 'abc', []]);
    const [copied] = copy.list;
    ok(copied instanceof File && copied instanceof Blob && [...copy.map.keys()][0] === copied && copy.map.get(copied).has(copy.blob));
    same([copied.name, copied.lastModified, copied.type, copied.size, await copied.text()], ['n.txt', 5, 'a/b', 1, 'x']);
    same([await copy.slice.text(), copy.slice.type, copy.empty.size], ['b', 'q/r', 0]);
    equal(Object.prototype.toString.call(copied), '[object File]');
    equal(await structuredClone(structuredClone(file)).text(), 'x');
    throws(() => structuredClone(blob, { transfer: [blob] }), 'DataCloneError');
});
test('subclasses are cloned as the closest of what can be', async () => {
    class MyFile extends File { #x = 1; get x() { return this.#x; } }
    class MyError extends DOMException {}
    const file = new MyFile(['a'], 'b');
    equal(file.x, 1);
    const copy = structuredClone(file);
    ok(copy instanceof File && !(copy instanceof MyFile) && copy.name === 'b');
    const error = structuredClone(new MyError('m', 'AbortError'));
    ok(error instanceof DOMException && !(error instanceof MyError));
});
test('DOMExceptions are cloned with their stack', () => {
    const error = new DOMException('why', 'AbortError');
    error.mine = 1;
    const { copy } = structuredClone({ copy: error });
    ok(copy instanceof DOMException && copy instanceof Error && copy !== error);
    same([copy.name, copy.message, copy.code, copy.stack === error.stack, Object.keys(copy)], ['AbortError', 'why', 20, true, []]);
    ok(/clone\.js/.test(copy.stack));
    const strange = new DOMException('x');
    strange.stack = 5;
    equal(structuredClone(strange).stack, undefined);
    Object.defineProperty(strange, 'stack', { get() { throw new RangeError('mine'); } });
    throws(() => structuredClone(strange), 'RangeError');
    ok(Object.prototype.hasOwnProperty.call(error, 'stack') && !Object.getOwnPropertyDescriptor(error, 'stack').enumerable);
});
test('CryptoKeys are cloned, extractable or not', async () => {
    const key = await crypto.subtle.importKey('raw', new Uint8Array([1, 2, 3]), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']);
    const copy = structuredClone(key);
    ok(copy instanceof CryptoKey && copy !== key);
    same([copy.type, copy.extractable, copy.algorithm, copy.usages], ['secret', false, { name: 'HMAC', hash: { name: 'SHA-256' }, length: 24 }, ['sign', 'verify']]);
    const data = new Uint8Array(9);
    ok(await crypto.subtle.verify('HMAC', key, await crypto.subtle.sign('HMAC', copy, data), data));
    ok(await crypto.subtle.exportKey('raw', copy).then(() => false, (error) => error.name === 'InvalidAccessError'));
});
test('other platform objects are refused, and then nothing is transferred', () => {
    const make = {
        URL: () => new URL('http://a/'), URLSearchParams: () => new URLSearchParams(), Headers: () => new Headers(), Response: () => new Response(),
        Request: () => new Request('http://a/'), FormData: () => new FormData(), Event: () => new Event('a'), EventTarget: () => new EventTarget(),
        CustomEvent: () => new CustomEvent('a', { detail: 1 }), MessageEvent: () => new MessageEvent('a'), AbortController: () => new AbortController(),
        AbortSignal: () => AbortSignal.abort(), TextDecoder: () => new TextDecoder(), TextEncoder: () => new TextEncoder(),
        MessageChannel: () => new MessageChannel(),
        CompressionStream: () => new CompressionStream('gzip'), URLPattern: () => new URLPattern(), BroadcastChannel: () => new BroadcastChannel('q'),
        CountQueuingStrategy: () => new CountQueuingStrategy({ highWaterMark: 1 }), SubtleCrypto: () => crypto.subtle, Performance: () => performance,
        PerformanceMark: () => performance.mark('a'), Navigator: () => navigator, ReadableStreamDefaultReader: () => new ReadableStream().getReader(),
    };
    for (const name of Object.keys(make)) {
        const object = make[name]();
        const buffer = new ArrayBuffer(4);
        const places = [object, [object], { a: { b: object } }, new Map([[1, object]]), new Map([[object, 1]]), new Set([object]), [1, [[{ x: [object] }]]]];
        for (const place of places) {
            const error = throws(() => structuredClone({ place, buffer }, { transfer: [buffer] }), 'DataCloneError');
            ok(name === 'BroadcastChannel' || error.message.includes(name), `${name}: ${error.message}`);
            equal(buffer.byteLength, 4, name);
        }
        throws(() => structuredClone(object), 'DataCloneError');
        throws(() => structuredClone(1, { transfer: [object] }), 'DataCloneError');
        if (object.close !== undefined && name === 'BroadcastChannel') object.close();
    }
    class Mine extends EventTarget { constructor() { super(); this.a = 1; } }
    throws(() => structuredClone(new Mine()), 'DataCloneError');
    class Own { constructor() { this.a = {}; } }
    same(structuredClone(new Own()), { a: {} });
    same(structuredClone({ a: {}, e: [{}], isTrusted: 1 }), { a: {}, e: [{}], isTrusted: 1 });
});
test('what is looked at for that is not asked twice', () => {
    let count = 0;
    same(structuredClone({ get a() { count++; return 1; }, b: {} }), { a: 1, b: {} });
    equal(count, 1);
    const traps = [];
    const prototype = new Proxy({}, { getPrototypeOf() { traps.push('getPrototypeOf'); return null; }, get(_, key) { traps.push(key); } });
    class Far extends Object {}
    Object.setPrototypeOf(Far.prototype, prototype);
    same(structuredClone(Object.create(Far.prototype)), {});
    same(traps, []);
    const chain = {};
    let last = chain;
    for (let i = 0; i < 20000; i++) last = last.next = {};
    last.chain = chain;
    let copy;
    try { copy = structuredClone(chain); } catch (error) { equal(error.name, 'RangeError'); } // V8's stack
    ok(copy === undefined || typeof copy.next === 'object');
    const wide = Array.from({ length: 30000 }, () => ({}));
    wide.push(new Response());
    equal(structuredClone(wide).length, 30001); // beyond what is looked at
});
test('much that is transferred, shared or held is each in its place', async () => {
    const numbers = Array.from({ length: 3000 }, (_, i) => i);
    const buffers = numbers.map((i) => new Uint32Array([i]).buffer), blobs = numbers.map((i) => new Blob([`${i}`]));
    const memories = numbers.map((i) => { const memory = new SharedArrayBuffer(4); new Uint32Array(memory)[0] = i; return memory; });
    const copy = structuredClone({ buffers, memories, blobs, again: [blobs[7], memories[8], buffers[9]] }, { transfer: buffers });
    ok(copy.again[0] === copy.blobs[7] && copy.again[1] === copy.memories[8] && copy.again[2] === copy.buffers[9]);
    ok(numbers.every((i) => new Uint32Array(copy.buffers[i])[0] === i && new Uint32Array(copy.memories[i])[0] === i && buffers[i].byteLength === 0));
    new Uint32Array(copy.memories[2999])[0] = 1;
    equal(new Uint32Array(memories[2999])[0], 1);
    same(await Promise.all(copy.blobs.map((blob) => blob.text())), numbers.map(String));
    const empty = numbers.map(() => new ArrayBuffer(0));
    equal(structuredClone(empty, { transfer: empty }).length, 3000);
    const twice = [...numbers.map(() => new ArrayBuffer(1))];
    throws(() => structuredClone(0, { transfer: [...twice, twice[2000]] }), 'DataCloneError');
});
test('primitives', () => { for (const value of [1, 'x', true, null, undefined, 5n]) equal(structuredClone(value), value); });
await done();
