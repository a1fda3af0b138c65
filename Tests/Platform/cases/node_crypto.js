// node:crypto: hashes, HMACs, random values
import { done, equal, fail, ok, same, test, throws } from './assert.js';
import crypto, * as named from 'node:crypto';

const { createHash, createHmac, getHashes, randomBytes, randomFill, randomFillSync, randomInt, randomUUID, timingSafeEqual, webcrypto } = crypto;
const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
const coded = (run, name, code, text = '') => equal(throws(run, name, text).code, code);

test('exports', () => {
    equal(named.createHash, createHash);
    equal(webcrypto, globalThis.crypto);
    equal(crypto.subtle, webcrypto.subtle);
    for (const name of ['Hash', 'Hmac', 'createHash', 'createHmac', 'getHashes', 'getRandomValues', 'hash', 'randomBytes', 'randomFill', 'randomFillSync', 'randomInt', 'randomUUID', 'timingSafeEqual']) equal(typeof named[name], 'function', name);
});
test('createHash', () => {
    equal(createHash('sha256').digest('hex'), empty);
    equal(createHash('sha256').update('').digest('hex'), empty);
    for (const name of ['sha256', 'SHA256', 'SHA-256', 'RSA-SHA256']) equal(createHash(name).update('abc').digest('hex'), abc);
    equal(createHash('sha256').update('a').update('').update('bc').digest('hex'), abc);
    equal(createHash('md5').update('abc').digest('hex'), '900150983cd24fb0d6963f7d28e17f72');
    equal(createHash('sha1').update('abc').digest('base64'), 'qZk+NkcGgWq6PiVxeFDCbJzQ2J0=');
    equal(createHash('sha1').update('abc').digest('base64url'), 'qZk-NkcGgWq6PiVxeFDCbJzQ2J0');
    equal(createHash('sha1').update('abc').digest('latin1').length, 20);
    equal(createHash('sha3-256').update('abc').digest('hex'), '3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532');
    equal(createHash('sha512-256').update('abc').digest('hex'), '53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23');
    const digest = createHash('sha256').update('abc').digest();
    ok(Buffer.isBuffer(digest));
    equal(digest.toString('hex'), abc);
    ok(Buffer.isBuffer(createHash('sha1').digest('buffer')));
    equal(createHash('sha256').update('616263', 'hex').digest('hex'), abc);
    equal(createHash('sha256').update('YWJj', 'base64').digest('hex'), abc);
    equal(createHash('sha256').update('\xff', 'latin1').digest('hex'), createHash('sha256').update(Buffer.from([255])).digest('hex'));
    equal(createHash('sha256').update('häß€😀\ud800').digest('hex'), createHash('sha256').update(new TextEncoder().encode('häß€😀\ud800')).digest('hex'));
    const bytes = new TextEncoder().encode('abc');
    for (const view of [bytes, new DataView(bytes.buffer), new Int8Array(bytes.buffer), Buffer.from('xabc').subarray(1)]) equal(createHash('sha256').update(view).digest('hex'), abc);
});
test('what was given is hashed, whatever becomes of it', () => {
    for (const size of [10, 5000, 100000]) {
        const bytes = new Uint8Array(size).fill(7);
        const hash = createHash('sha256').update(bytes);
        bytes.fill(0);
        equal(hash.digest('hex'), createHash('sha256').update(new Uint8Array(size).fill(7)).digest('hex'));
    }
    const large = createHash('sha1');
    for (let i = 0; i < 1000; i++) large.update('a'.repeat(1000));
    equal(large.digest('hex'), '34aa973cd4c4daa4f61eeb2bdbad27316534016f');
});
test('copy', () => {
    for (const first of ['a', 'a'.repeat(100000)]) {
        const hash = createHash('sha256').update(first);
        const copy = hash.copy();
        equal(copy.update('b').digest('hex'), createHash('sha256').update(`${first}b`).digest('hex'));
        equal(hash.digest('hex'), createHash('sha256').update(first).digest('hex'));
        coded(() => hash.copy(), 'Error', 'ERR_CRYPTO_HASH_FINALIZED');
    }
});
test('outputLength', () => {
    equal(createHash('shake128', { outputLength: 5 }).digest('hex'), '7f9c2ba4e8');
    equal(createHash('shake128', { outputLength: 0 }).digest('hex'), '');
    equal(createHash('shake256').update('').digest('hex'), '46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f');
    equal(createHash('shake256').copy({ outputLength: 3 }).digest('hex'), '46b9dd');
    equal(createHash('sha256', { outputLength: 32 }).digest('hex'), empty);
    throws(() => createHash('sha256', { outputLength: 5 }), 'Error');
    coded(() => createHash('shake128', { outputLength: -5 }), 'RangeError', 'ERR_OUT_OF_RANGE');
    coded(() => createHash('shake128', { outputLength: 'a' }), 'TypeError', 'ERR_INVALID_ARG_TYPE');
});
test('createHash: what is wrong', () => {
    throws(() => createHash('nope'), 'Error', 'Digest method not supported');
    for (const bad of [undefined, 5, null]) coded(() => createHash(bad), 'TypeError', 'ERR_INVALID_ARG_TYPE', 'The "algorithm" argument must be of type string.');
    for (const bad of [undefined, 5, null, {}, new ArrayBuffer(3)]) coded(() => createHash('sha1').update(bad), 'TypeError', 'ERR_INVALID_ARG_TYPE', 'The "data" argument must be of type string or an instance of Buffer');
    coded(() => createHash('sha1').update('abc', 'hex'), 'TypeError', 'ERR_INVALID_ARG_VALUE');
    const hash = createHash('sha1');
    hash.digest();
    coded(() => hash.digest(), 'Error', 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
    coded(() => hash.update('a'), 'Error', 'ERR_CRYPTO_HASH_FINALIZED');
});
test('createHmac', async () => {
    equal(createHmac('sha256', 'Jefe').update('what do ya want for nothing?').digest('hex'), '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843');
    equal(createHmac('sha256', Buffer.from('Jefe')).update('what do ya').update(Buffer.from(' want for nothing?')).digest('hex'), '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843');
    for (const key of ['', new ArrayBuffer(0), new ArrayBuffer(3), new DataView(new ArrayBuffer(2))]) equal(createHmac('sha256', key).digest('hex'), 'b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad');
    const key = await webcrypto.subtle.importKey('raw', Buffer.from('Jefe'), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
    equal(createHmac('md5', key).update('what do ya want for nothing?').digest('hex'), '750c783e6ab0b503eaa86e310a5db738');
    const hmac = createHmac('sha256', 'k');
    hmac.digest();
    equal(hmac.digest('hex'), '');
    coded(() => hmac.update('a'), 'Error', 'ERR_CRYPTO_HASH_FINALIZED');
    coded(() => createHmac('nope', 'k'), 'TypeError', 'ERR_CRYPTO_INVALID_DIGEST', 'Invalid digest: nope');
    coded(() => createHmac('sha256'), 'TypeError', 'ERR_INVALID_ARG_TYPE', 'The "key" argument must be of type string or an instance of ArrayBuffer');
    coded(() => createHmac(5, 'k'), 'TypeError', 'ERR_INVALID_ARG_TYPE');
    const bytes = new Uint8Array(4);
    const later = createHmac('sha256', bytes);
    bytes.fill(9);
    equal(later.digest('hex'), createHmac('sha256', new Uint8Array(4)).digest('hex'));
});
test('hash', () => {
    equal(crypto.hash('sha256', 'abc'), abc);
    equal(crypto.hash('sha256', Buffer.from('abc'), 'buffer').toString('hex'), abc);
    throws(() => crypto.hash('nope', 'a'), 'Error');
});
test('getHashes', () => {
    const names = getHashes();
    for (const name of ['md5', 'sha1', 'sha256', 'sha3-512', 'RSA-SHA512', 'shake128', 'blake2b512']) ok(names.includes(name), name);
    for (const name of names) equal(typeof createHash(name).digest('hex'), 'string');
    same(names, [...names].sort());
});
test('randomBytes, randomFill', async () => {
    for (const size of [0, 1, 100, 70000, 1.5]) equal(randomBytes(size).length, Math.floor(size));
    ok(Buffer.isBuffer(randomBytes(4)));
    ok(!randomBytes(16).equals(randomBytes(16)));
    const later = await new Promise((resolve, reject) => { equal(randomBytes(8, (error, bytes) => (error ? reject(error) : resolve(bytes))), undefined); });
    equal(later.length, 8);
    for (const bad of [-1, 2 ** 31, NaN]) coded(() => randomBytes(bad), 'RangeError', 'ERR_OUT_OF_RANGE', 'The value of "size" is out of range. It must be >= 0 && <= 2147483647.');
    coded(() => randomBytes('4'), 'TypeError', 'ERR_INVALID_ARG_TYPE');
    coded(() => randomBytes(4, 5), 'TypeError', 'ERR_INVALID_ARG_TYPE');
    const bytes = new Uint8Array(64);
    equal(randomFillSync(bytes, 16, 32), bytes);
    ok(bytes.subarray(0, 16).every((byte) => byte === 0) && bytes.subarray(48).every((byte) => byte === 0) && bytes.subarray(16, 48).some((byte) => byte !== 0));
    const words = randomFillSync(new Uint32Array(8), 4);
    ok(words.subarray(0, 4).every((word) => word === 0) && words.subarray(4).some((word) => word !== 0));
    ok(randomFillSync(new ArrayBuffer(8)) instanceof ArrayBuffer);
    equal(await new Promise((resolve) => randomFill(bytes, (error, filled) => resolve(filled))), bytes);
    coded(() => randomFillSync(5), 'TypeError', 'ERR_INVALID_ARG_TYPE');
    coded(() => randomFillSync(bytes, 65), 'RangeError', 'ERR_OUT_OF_RANGE');
    coded(() => randomFillSync(bytes, 60, 5), 'RangeError', 'ERR_OUT_OF_RANGE');
});
test('randomInt', async () => {
    const counts = [0, 0, 0];
    for (let i = 0; i < 3000; i++) counts[randomInt(3)]++;
    ok(counts.every((count) => count > 800), counts.join());
    for (let i = 0; i < 100; i++) {
        const value = randomInt(-5, 5);
        ok(Number.isInteger(value) && value >= -5 && value < 5);
    }
    ok(randomInt(2 ** 47, 2 ** 47 + 2 ** 40) >= 2 ** 47);
    ok(await new Promise((resolve) => randomInt(1, 2, (error, value) => resolve(value))) === 1);
    for (const args of [[], [1.5], ['a'], [NaN], [0, 2 ** 60]]) coded(() => randomInt(...args), 'TypeError', 'ERR_INVALID_ARG_TYPE', 'argument must be a safe integer');
    for (const args of [[0], [5, 5], [5, 1], [0, 2 ** 48]]) coded(() => randomInt(...args), 'RangeError', 'ERR_OUT_OF_RANGE');
});
test('timingSafeEqual', () => {
    equal(timingSafeEqual(Buffer.from('abc'), new TextEncoder().encode('abc')), true);
    equal(timingSafeEqual(Buffer.from('abc'), Buffer.from('abd')), false);
    equal(timingSafeEqual(new ArrayBuffer(0), new Uint8Array(0)), true);
    coded(() => timingSafeEqual(Buffer.from('a'), Buffer.from('ab')), 'RangeError', 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH', 'Input buffers must have the same byte length');
    coded(() => timingSafeEqual('a', 'a'), 'TypeError', 'ERR_INVALID_ARG_TYPE', 'The "buf1" argument must be an instance of ArrayBuffer, Buffer, TypedArray, or DataView.');
    coded(() => timingSafeEqual(Buffer.from('a'), 'a'), 'TypeError', 'ERR_INVALID_ARG_TYPE', '"buf2"');
});
test('randomUUID', () => {
    ok(/^[0-9a-f-]{36}$/.test(randomUUID({ disableEntropyCache: true })));
    coded(() => randomUUID(5), 'TypeError', 'ERR_INVALID_ARG_TYPE');
    coded(() => randomUUID({ disableEntropyCache: 1 }), 'TypeError', 'ERR_INVALID_ARG_TYPE');
});
test('computations that nobody finishes are given back', async () => {
    for (let i = 0; i < 30000; i++) {
        createHash('sha256').update('x'.repeat(10)).update('y');
        if (i % 1000 === 0) await new Promise((resolve) => setTimeout(resolve));
    }
});
await done();
