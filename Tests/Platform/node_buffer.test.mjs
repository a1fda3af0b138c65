// node:buffer and node:string_decoder against Node's, on generated inputs: node --test Tests/Platform/node_buffer.test.mjs
import assert from 'node:assert/strict';
import * as theirs from 'node:buffer';
import { StringDecoder } from 'node:string_decoder';
import test from 'node:test';
import { boot } from './harness.mjs';
import { generator, outcome } from './generate.mjs';

const realm = boot();
const module = realm.internal.builtin('node:buffer');
const Here = module.Buffer;
const There = theirs.Buffer;
const rounds = 2000;

const encodings = ['utf8', 'UTF-8', 'latin1', 'binary', 'ascii', 'ucs2', 'utf16le', 'hex', 'base64', 'base64url', undefined];
const bits = ['a', 'é', '€', '😀', '\ud83d', '\ude00', '0', 'ff', 'zz', '==', '=', '+/', '-_', ' ', '\n', '\u0100', '\x80', '\0', 'YWJj', 'deadbeef'];

/** Of units over 255 Node's hex and base64 look at the low half only: '\u013D' is '='. Those encodings get none here. */
function makeText(random, encoding) {
    let text = '';
    for (let count = random.below(9); count > 0; count--) text += random.pick(bits);
    return /^(hex|base64)/.test(encoding) ? text.replace(/[^\0-\xff]/gu, '') : text;
}

function makeBytes(random, max = 24) {
    return Array.from({ length: random.below(max) }, () => (random.chance(0.5) ? random.below(256) : random.pick([0x61, 0xC3, 0xA9, 0xE2, 0x82, 0xAC, 0xF0, 0x9F, 0x98, 0x80, 0xED, 0xA0])));
}

/** The same call on both, made of source both can run. */
function same(run, note) {
    assert.deepEqual(outcome(() => run(Here)), outcome(() => run(There)), note());
}

test('searching what repeats itself', () => {
    const random = generator(77);
    // Long enough to leave the way of a place after the other.
    for (let i = 0; i < rounds; i++) {
        // Even lengths and offsets: odd ones Node rounds down for UTF-16, and finds at the end what is not there.
        const bytes = Array.from({ length: 40 + 2 * random.below(100) }, () => (random.chance(0.95) ? 97 : 98));
        const start = random.below(bytes.length);
        const wanted = random.chance(0.7) ? bytes.slice(start, start + 1 + random.below(40)) : Array.from({ length: 1 + random.below(30) }, () => (random.chance(0.9) ? 97 : 98));
        if (random.chance(0.3)) wanted.push(random.pick([97, 98, 99]));
        const from = random.chance(0.5) ? undefined : 2 * random.below(125) - 20;
        const label = random.pick(['latin1', 'utf16le']);
        if (wanted.length % 2 === 1) wanted.push(97);
        for (const name of ['indexOf', 'lastIndexOf', 'includes']) {
            same((B) => B.from(bytes)[name](B.from(wanted), from, label), () => JSON.stringify([name, bytes, wanted, from, label]));
        }
    }
});

test('searching takes no product of both lengths', () => {
    // The product is 8e11 comparisons: this ends, or it does not.
    const bytes = Here.from('a'.repeat(4_000_000));
    const half = 'a'.repeat(200_000);
    assert.equal(bytes.indexOf(`${half}b`), -1);
    assert.equal(bytes.lastIndexOf(`b${half}`), -1);
});

test('from text and to text', () => {
    const random = generator(1);
    for (let i = 0; i < rounds; i++) {
        const encoding = random.pick(encodings);
        const text = makeText(random, encoding);
        const other = random.pick(encodings);
        same((B) => B.from(text, encoding), () => JSON.stringify([text, encoding]));
        same((B) => B.byteLength(text, encoding), () => `byteLength ${JSON.stringify([text, encoding])}`);
        same((B) => B.from(text, encoding).toString(other), () => JSON.stringify([text, encoding, other]));
        const bytes = makeBytes(random);
        const [start, end] = [random.pick([undefined, -1, 0, 1, 3, 50, 1.5, NaN]), random.pick([undefined, -1, 0, 2, 5, 50, 2.9])];
        same((B) => B.from(bytes).toString(encoding, start, end), () => JSON.stringify([bytes, encoding, start, end]));
    }
});

test('write, fill, search, compare, copy, slice', () => {
    const random = generator(2);
    const position = () => random.pick([undefined, undefined, 0, 1, 2, 5, 12, 40, -1, -3, 1.5, NaN, '1', null, Infinity]);
    for (let i = 0; i < rounds; i++) {
        const bytes = makeBytes(random);
        const needle = makeBytes(random, 4);
        const encoding = random.pick(encodings);
        const text = makeText(random, encoding);
        const [a, b, c, d] = [position(), position(), position(), position()];
        const note = (name) => () => `${name} ${JSON.stringify([bytes, needle, text, encoding, a, b, c, d])}`;
        const value = random.pick([text, 97, 353, -1, 1.5, true]);
        same((B) => { const t = B.from(bytes); return [t.write(text, a, b, encoding), t]; }, note('write'));
        same((B) => { const t = B.from(bytes); return [t.write(text, encoding), t]; }, note('write encoding'));
        same((B) => B.from(bytes).fill(value, a, b, encoding), note('fill'));
        same((B) => B.from(bytes).fill(text, encoding), note('fill encoding'));
        same((B) => B.alloc(7, text, encoding), note('alloc'));
        same((B) => B.from(bytes).indexOf(value, a, encoding), note('indexOf'));
        same((B) => B.from(bytes).lastIndexOf(value, a, encoding), note('lastIndexOf'));
        same((B) => B.from(bytes).indexOf(B.from(needle), a), note('indexOf bytes'));
        same((B) => B.from(bytes).lastIndexOf(B.from(needle), a), note('lastIndexOf bytes'));
        same((B) => B.from(bytes).includes(text, a, encoding), note('includes'));
        same((B) => B.from(bytes).compare(B.from(needle), a, b, c, d), note('compare'));
        same((B) => B.compare(B.from(bytes), B.from(needle)), note('compare'));
        same((B) => { const t = B.from(needle); return [B.from(bytes).copy(t, a, b, c), t]; }, note('copy'));
        same((B) => B.from(bytes).subarray(a, b), note('subarray'));
        same((B) => B.from(bytes).slice(a, b), note('slice'));
        same((B) => B.concat([B.from(bytes), B.from(needle)], a), note('concat'));
        same((B) => B.from(bytes).equals(B.from(needle)), note('equals'));
        same((B) => B.from(bytes).toJSON(), note('toJSON'));
        same((B) => B.from(bytes).swap16(), note('swap16'));
        same((B) => B.from(bytes).swap32(), note('swap32'));
        same((B) => B.from(bytes).swap64(), note('swap64'));
        same((B) => B.from(bytes).inspect(), note('inspect'));
    }
});

test('numbers', () => {
    const random = generator(3);
    const names = Reflect.ownKeys(There.prototype).filter((name) => typeof name === 'string' && /^(read|write)[A-Z]/.test(name));
    for (const name of names) assert.equal(typeof Here.prototype[name], 'function', name);
    for (let i = 0; i < rounds * 2; i++) {
        const name = random.pick(names);
        const bytes = makeBytes(random, 12);
        const offset = random.pick([undefined, 0, 1, 2, 3, 7, -1, 1.5, '0', 100, null, NaN]);
        const width = random.pick([1, 2, 3, 4, 5, 6, 7, 0, undefined, '1', 2.5]);
        const number = random.pick([0, 1, -1, 127, 128, 255, 256, -128, -129, 32767, 65535, 65536, 2 ** 31, 2 ** 32 - 1, 2 ** 32, -(2 ** 31), 2 ** 47, 2 ** 48 - 1, -(2 ** 47), 2 ** 48, 1.5, -1.5, NaN, Infinity, '5', undefined]);
        const big = random.pick([0n, 1n, -1n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n, -(2n ** 63n), -(2n ** 63n) - 1n, 5]);
        const value = name.includes('Big') ? big : number;
        const args = name.startsWith('read') ? [offset, width] : [value, offset, width];
        const note = () => `${name}(${args.map(String)}) of ${bytes}`;
        if (name.includes('Big') && name.startsWith('write') && typeof value !== 'bigint') {
            assert.match(outcome(() => Here.from(bytes)[name](...args)).name, /TypeError|RangeError/);
            continue;
        }
        same((B) => { const t = B.from(bytes); return [t[name](...args), t]; }, note);
    }
});

test('what is no text, bytes or size', () => {
    const values = [undefined, null, true, 5, -1, 1.5, NaN, 2 ** 53, {}, { length: 2, 0: 65, 1: 66 }, { type: 'Buffer', data: [1, 2] }, [1, 300, -1, '7', 'x'], () => {}, Symbol('s'), 10n, new String('boxed'),
        { valueOf: () => 'text' }, { [Symbol.toPrimitive]: () => 'prim' }, { length: 'x' }, new Date(0), new Uint16Array([1, 256]), new Map()];
    for (const value of values) {
        for (const name of ['from', 'alloc', 'byteLength', 'concat', 'isEncoding', 'isBuffer', 'compare', 'copyBytesFrom']) {
            assert.deepEqual(outcome(() => Here[name](value)), outcome(() => There[name](value)), `${name} ${String(value?.constructor?.name)}`);
        }
    }
    same((B) => B.from('x', 'nonsense'), () => 'unknown encoding');
    same((B) => B.from('x').toString('nonsense'), () => 'unknown encoding');
    same((B) => [B.of(1, 2, 257), B('abc'), B(3), new B(2), new B('x', 'latin1')], () => 'constructors');
    same((B) => { const buffer = new ArrayBuffer(8); return [B.from(buffer).length, B.from(buffer, 2).length, B.from(buffer, 2, 3).byteOffset, B.from(buffer, '4', '2').length]; }, () => 'array buffers');
    same((B) => B.from(new ArrayBuffer(8), 9), () => 'offset');
    same((B) => B.from(new ArrayBuffer(8), 2, 7), () => 'length');
    same((B) => B.from(B.from('abc')), () => 'copy');
    same((B) => [B.isBuffer(B.alloc(1)), B.isBuffer(new Uint8Array(1)), B.poolSize, B.name, B.length, B.alloc(2).map((x) => x + 1).constructor === B, B.alloc(3).filter(() => true) instanceof B], () => 'kinds');
});

test('transcode, isUtf8, isAscii', () => {
    const random = generator(4);
    for (let i = 0; i < 1000; i++) {
        const bytes = makeBytes(random);
        for (const name of ['isUtf8', 'isAscii']) assert.equal(module[name](Here.from(bytes)), theirs[name](There.from(bytes)), `${name} ${bytes}`);
        const text = random.pick(['a€é', 'plain', '']);
        const [from, to] = [random.pick(['utf8', 'utf16le']), random.pick(['utf8', 'utf16le', 'latin1', 'ascii', 'binary'])];
        assert.deepEqual(outcome(() => module.transcode(Here.from(text, from), from, to)), outcome(() => theirs.transcode(There.from(text, from), from, to)), `${text} ${from} ${to}`);
    }
    assert.deepEqual(Object.keys(module).filter((name) => name !== 'default').sort(), Object.keys(theirs).filter((name) => name !== 'default' && name !== 'resolveObjectURL').sort());
});

test('StringDecoder gives whole characters', () => {
    const random = generator(5);
    const Decoder = realm.internal.builtin('node:string_decoder').StringDecoder;
    for (let i = 0; i < rounds; i++) {
        const encoding = random.pick(encodings);
        const [a, b] = [new Decoder(encoding), new StringDecoder(encoding)];
        const pieces = [];
        for (let count = random.below(5); count >= 0; count--) {
            const bytes = makeBytes(random, 6);
            // Node gives the first half of a pair alone when its unit itself was split.
            if (a.encoding === 'utf16le' && bytes.length % 2 === 1) bytes.pop();
            pieces.push(bytes);
            assert.equal(a.write(Here.from(bytes)), b.write(There.from(bytes)), `${encoding} ${JSON.stringify(pieces)}`);
            if (random.chance(0.2)) assert.equal(a.end(Here.from(bytes)), b.end(There.from(bytes)), `${encoding} end ${JSON.stringify(pieces)}`);
        }
        assert.equal(a.end(), b.end(), `${encoding} end ${JSON.stringify(pieces)}`);
        assert.equal(a.encoding, b.encoding);
    }
    for (const value of ['nonsense', 5, null]) assert.deepEqual(outcome(() => new Decoder(value).encoding), outcome(() => new StringDecoder(value).encoding));
    assert.deepEqual(outcome(() => new Decoder().write(5)), outcome(() => new StringDecoder().write(5)));
    assert.equal(new Decoder().write('text'), 'text');
});
