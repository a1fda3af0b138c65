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
test('primitives', () => { for (const value of [1, 'x', true, null, undefined, 5n]) equal(structuredClone(value), value); });
await done();
