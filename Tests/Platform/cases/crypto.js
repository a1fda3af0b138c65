// https://w3c.github.io/webcrypto/: random values, digests, HMAC
import { done, equal, fail, ok, rejects, same, test, throws } from './assert.js';

const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');
const bytes = (text) => new TextEncoder().encode(text);
const { subtle } = crypto;
const sha256 = { name: 'HMAC', hash: 'SHA-256' };

async function rejectsWith(run, name, text = '') {
    let promise;
    try { promise = run(); } catch (error) { fail(`threw ${error} at once`); }
    ok(promise instanceof Promise, 'no promise');
    const error = await rejects(promise, name, text);
    if (name !== 'TypeError') ok(error instanceof DOMException, `${name} is no DOMException`);
}

test('interfaces', () => {
    for (const Class of [Crypto, SubtleCrypto, CryptoKey]) {
        throws(() => new Class(), 'TypeError', 'Illegal constructor');
        equal(Class.length, 0);
        same(Object.entries(Object.getOwnPropertyDescriptor(globalThis, Class.name)).filter(([key]) => key !== 'value'), [['writable', true], ['enumerable', false], ['configurable', true]]);
    }
    ok(crypto === globalThis.crypto && crypto instanceof Crypto && crypto.subtle === crypto.subtle && subtle instanceof SubtleCrypto);
    same(Object.keys(Crypto.prototype), ['subtle', 'getRandomValues', 'randomUUID']);
    same(Object.keys(SubtleCrypto.prototype), [
        'encrypt', 'decrypt', 'sign', 'verify', 'digest', 'generateKey', 'deriveKey', 'deriveBits', 'importKey', 'exportKey', 'wrapKey', 'unwrapKey']);
    same(Object.keys(SubtleCrypto.prototype).map((name) => SubtleCrypto.prototype[name].length), [3, 3, 3, 4, 2, 3, 5, 2, 5, 2, 4, 7]);
    same(Object.keys(CryptoKey.prototype), ['type', 'extractable', 'algorithm', 'usages']);
    equal(String(crypto), '[object Crypto]');
    throws(() => Crypto.prototype.randomUUID.call({}), 'TypeError');
    throws(() => Crypto.prototype.getRandomValues.call({}, new Uint8Array(1)), 'TypeError');
    throws(() => Reflect.getOwnPropertyDescriptor(CryptoKey.prototype, 'type').get.call({}), 'TypeError');
    const descriptor = Object.getOwnPropertyDescriptor(globalThis, 'crypto');
    ok(descriptor.enumerable && descriptor.configurable && descriptor.set === undefined);
});
test('getRandomValues', () => {
    for (const Class of [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, BigInt64Array, BigUint64Array]) {
        const array = new Class(16);
        equal(crypto.getRandomValues(array), array);
        ok(array.some((value) => value != 0), Class.name);
        equal(crypto.getRandomValues(new Class(0)).length, 0);
        const most = 65536 / Class.BYTES_PER_ELEMENT;
        crypto.getRandomValues(new Class(most));
        equal(throws(() => crypto.getRandomValues(new Class(most + 1)), 'QuotaExceededError').code, 22);
    }
    for (const array of [new Float32Array(1), new Float64Array(1), new DataView(new ArrayBuffer(1)), new Float32Array(100000)]) equal(throws(() => crypto.getRandomValues(array), 'TypeMismatchError').code, 17);
    for (const bad of [undefined, null, [], {}, new ArrayBuffer(8), 'text', new Uint8Array(new SharedArrayBuffer(8))]) throws(() => crypto.getRandomValues(bad), 'TypeError');
    throws(() => crypto.getRandomValues(), 'TypeError');
    const part = new Uint8Array(64);
    crypto.getRandomValues(part.subarray(16, 48));
    ok(part.subarray(0, 16).every((byte) => byte === 0) && part.subarray(48).every((byte) => byte === 0) && part.subarray(16, 48).some((byte) => byte !== 0));
    class Sub extends Uint8Array {}
    ok(crypto.getRandomValues(new Sub(4)) instanceof Sub);
    const counts = new Uint32Array(256);
    for (let i = 0; i < 16; i++) for (const byte of crypto.getRandomValues(new Uint8Array(65536))) counts[byte]++;
    ok(counts.every((count) => count > 3300 && count < 4900), `some bytes are rare: ${counts}`); // 4096 each, deviation 64
    const buffer = new ArrayBuffer(8);
    const detached = new Uint8Array(buffer);
    structuredClone(buffer, { transfer: [buffer] });
    equal(crypto.getRandomValues(detached), detached);
});
test('randomUUID', () => {
    const seen = new Set();
    for (let i = 0; i < 5000; i++) {
        const id = crypto.randomUUID();
        ok(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id), id);
        seen.add(id);
    }
    equal(seen.size, 5000);
});

const digests = [
    ['SHA-1', '', 'da39a3ee5e6b4b0d3255bfef95601890afd80709'], ['SHA-1', 'abc', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
    ['SHA-256', '', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['SHA-256', 'abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    ['SHA-384', 'abc', 'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7'],
    ['SHA-512', 'abc', 'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f'],
];
test('digests (FIPS 180-4)', async () => {
    for (const [name, text, expected] of digests) {
        equal(hex(await subtle.digest(name, bytes(text))), expected, `${name} of ${text}`);
        equal(hex(await subtle.digest({ name: name.toLowerCase() }, bytes(text).buffer)), expected);
        equal(hex(await subtle.digest(name, new DataView(bytes(`x${text}`).buffer, 1))), expected);
    }
    ok(await subtle.digest('SHA-1', bytes('')) instanceof ArrayBuffer);
    equal(hex(await subtle.digest('SHA-1', new Uint8Array(1000000).fill(97))), '34aa973cd4c4daa4f61eeb2bdbad27316534016f');
});
test('large data is copied, and does not keep the loop from turning', async () => {
    const data = new Uint8Array(8 << 20).fill(97);
    const one = subtle.digest('SHA-256', data);
    let turns = 0;
    const timer = setInterval(() => { turns++; });
    data.fill(0);
    equal(hex(await one), 'ad97f87076920684e2ca66fc44e5d322797dc9d64706b174e51b5d0828937043');
    ok(turns > 0, 'no timer ran meanwhile');
    clearInterval(timer);
    const mac = await subtle.importKey('raw', bytes('key'), sha256, false, ['sign', 'verify']);
    const signature = await subtle.sign('HMAC', mac, data);
    ok(await subtle.verify('HMAC', mac, signature, data));
    data[5 << 20] = 1;
    ok(!await subtle.verify('HMAC', mac, signature, data));
});
test('digest: arguments', async () => {
    for (const bad of ['MD5', 'SHA-224', 'sha256', 'HMAC', 'AES-GCM', '', 'SHA-1\0', 'ſha-1']) await rejectsWith(() => subtle.digest(bad, bytes('')), 'NotSupportedError');
    await rejectsWith(() => subtle.digest(), 'TypeError');
    await rejectsWith(() => subtle.digest('SHA-1'), 'TypeError');
    for (const bad of [undefined, null, 'text', [], {}, 5, new SharedArrayBuffer(1), new Uint8Array(new SharedArrayBuffer(1))]) await rejectsWith(() => subtle.digest('SHA-1', bad), 'TypeError');
    await rejectsWith(() => subtle.digest({}, bytes('')), 'TypeError');
    await rejectsWith(() => subtle.digest({ name: Symbol() }, bytes('')), 'TypeError');
    await rejectsWith(() => subtle.digest.call({}, 'SHA-1', bytes('')), 'TypeError');
    await rejectsWith(() => subtle.digest({ get name() { throw new DOMException('mine', 'DataError'); } }, bytes('')), 'DataError');
    const buffer = new ArrayBuffer(8);
    structuredClone(buffer, { transfer: [buffer] });
    equal(hex(await subtle.digest('SHA-1', buffer)), digests[0][2]);
});

// https://www.rfc-editor.org/rfc/rfc4231, https://www.rfc-editor.org/rfc/rfc2202
const macs = [
    ['SHA-1', new Uint8Array(20).fill(0x0B), 'Hi There', 'b617318655057264e28bc0b6fb378c8ef146be00'],
    ['SHA-256', new Uint8Array(20).fill(0x0B), 'Hi There', 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
    ['SHA-256', bytes('Jefe'), 'what do ya want for nothing?', '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'],
    ['SHA-384', bytes('Jefe'), 'what do ya want for nothing?', 'af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649'],
    ['SHA-512', bytes('Jefe'), 'what do ya want for nothing?',
        '164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737'],
    ['SHA-256', new Uint8Array(131).fill(0xAA), 'Test Using Larger Than Block-Size Key - Hash Key First', '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54'],
];
test('HMAC', async () => {
    for (const [hash, raw, text, expected] of macs) {
        const key = await subtle.importKey('raw', raw, { name: 'hmac', hash: { name: hash.toLowerCase() } }, true, ['verify', 'sign', 'sign']);
        same([key.type, key.extractable, key.algorithm, key.usages], ['secret', true, { name: 'HMAC', hash: { name: hash }, length: raw.length * 8 }, ['sign', 'verify']]);
        ok(key.algorithm === key.algorithm && key.usages === key.usages);
        const signature = await subtle.sign('HMAC', key, bytes(text));
        equal(hex(signature), expected);
        equal(await subtle.verify({ name: 'HMAC' }, key, signature, bytes(text)), true);
        equal(await subtle.verify('HMAC', key, signature, bytes(`${text}!`)), false);
        equal(await subtle.verify('HMAC', key, signature.slice(1), bytes(text)), false);
        equal(await subtle.verify('HMAC', key, new Uint8Array(0), bytes(text)), false);
        equal(hex(await subtle.exportKey('raw', key)), hex(raw));
        const jwk = await subtle.exportKey('jwk', key);
        same(Object.keys(jwk), ['alg', 'ext', 'k', 'key_ops', 'kty']);
        same([jwk.alg, jwk.ext, jwk.key_ops, jwk.kty], [`HS${hash.slice(4)}`, true, ['sign', 'verify'], 'oct']);
        const again = await subtle.importKey('jwk', jwk, { name: 'HMAC', hash }, false, ['sign']);
        equal(hex(await subtle.sign('HMAC', again, bytes(text))), expected);
        key.algorithm.hash.name = 'SHA-1';
        key.usages.length = 0;
        equal(hex(await subtle.sign('HMAC', key, bytes(text))), expected);
    }
});
test('generateKey', async () => {
    for (const [hash, bits] of [['SHA-1', 512], ['SHA-256', 512], ['SHA-384', 1024], ['SHA-512', 1024]]) {
        const key = await subtle.generateKey({ name: 'HMAC', hash }, true, ['sign', 'verify']);
        equal(key.algorithm.length, bits);
        equal((await subtle.exportKey('raw', key)).byteLength, bits / 8);
    }
    equal((await subtle.generateKey({ ...sha256, length: 100 }, false, ['sign'])).algorithm.length, 100);
    await rejectsWith(() => subtle.generateKey({ ...sha256, length: 0 }, true, ['sign']), 'OperationError');
    for (const length of [-1, 2 ** 32, NaN, Infinity, 'x']) await rejectsWith(() => subtle.generateKey({ ...sha256, length }, true, ['sign']), 'TypeError');
    await rejectsWith(() => subtle.generateKey(sha256, true, []), 'SyntaxError');
    for (const usage of ['encrypt', 'deriveKey', 'wrapKey']) await rejectsWith(() => subtle.generateKey(sha256, true, ['sign', usage]), 'SyntaxError');
    for (const usages of [['nonsense'], 'sign', 5, undefined, null, {}]) await rejectsWith(() => subtle.generateKey(sha256, true, usages), 'TypeError');
    await rejectsWith(() => subtle.generateKey('HMAC', true, ['sign']), 'TypeError');
    await rejectsWith(() => subtle.generateKey({ name: 'HMAC', hash: 'MD5' }, true, ['sign']), 'NotSupportedError');
    await rejectsWith(() => subtle.generateKey({ name: 'AES-ECB', length: 256 }, true, ['encrypt']), 'NotSupportedError');
    await rejectsWith(() => subtle.generateKey('SHA-1', true, ['sign']), 'NotSupportedError');
    await rejectsWith(() => subtle.generateKey(sha256, true), 'TypeError');
    const order = [];
    await subtle.generateKey({ get length() { order.push('length'); }, get hash() { order.push('hash'); return 'SHA-1'; }, get name() { order.push('name'); return 'HMAC'; } }, true, ['sign']);
    same(order, ['name', 'hash', 'length']);
});
test('importKey', async () => {
    const raw = bytes('secret key');
    const jwk = { kty: 'oct', k: 'c2VjcmV0IGtleQ' };
    const both = (data, format, algorithm = sha256, extractable = true, usages = ['sign']) => subtle.importKey(format, data, algorithm, extractable, usages);
    equal(hex(await subtle.exportKey('raw', await both(jwk, 'jwk'))), hex(raw));
    const copy = raw.slice();
    const pending = both(copy, 'raw');
    copy.fill(0);
    equal(hex(await subtle.exportKey('raw', await pending)), hex(raw));
    for (const format of ['spki', 'pkcs8']) await rejectsWith(() => both(raw, format), 'NotSupportedError');
    for (const format of ['', 'RAW', undefined]) await rejectsWith(() => both(raw, format), 'TypeError');
    await rejectsWith(() => both(jwk, 'raw'), 'TypeError');
    await rejectsWith(() => both(raw, 'jwk'), 'TypeError');
    for (const data of ['text', 5, Symbol()]) await rejectsWith(() => both(data, 'jwk'), 'TypeError');
    await rejectsWith(() => both(new Uint8Array(0), 'raw'), 'DataError');
    await rejectsWith(() => both(raw, 'raw', sha256, true, []), 'SyntaxError');
    await rejectsWith(() => both(raw, 'raw', sha256, true, ['encrypt']), 'SyntaxError');
    await rejectsWith(() => both(raw, 'raw', sha256, true, ['bad']), 'TypeError');
    await rejectsWith(() => both(raw, 'raw', 'HMAC'), 'TypeError');
    await rejectsWith(() => both(raw, 'raw', { name: 'RSA-PSS', hash: 'SHA-1' }), 'NotSupportedError');
    for (const length of [0, 72, 81, 160]) await rejectsWith(() => both(raw, 'raw', { ...sha256, length }), 'DataError');
    for (const length of [73, 80]) equal((await both(raw, 'raw', { ...sha256, length })).algorithm.length, length);
    const bad = [
        { kty: 'RSA' }, { kty: undefined }, { k: undefined }, { k: 'a' }, { k: 'c2Vj cmV0' }, { k: 'c2VjcmV0+/==' }, { k: '' }, { alg: 'HS512' }, { use: 'enc' }, { key_ops: ['verify'] },
        { key_ops: [] }, { key_ops: ['sign', 'sign'] }, { ext: false },
    ];
    for (const change of bad) await rejectsWith(() => both({ ...jwk, ...change }, 'jwk'), 'DataError');
    for (const good of [{ alg: 'HS256' }, { use: 'sig' }, { key_ops: ['sign', 'other'] }, { ext: true }, { other: 1 }]) await both({ ...jwk, ...good }, 'jwk');
    equal((await both({ ...jwk, ext: false }, 'jwk', sha256, false)).extractable, false);
    await rejectsWith(() => both({ ...jwk, key_ops: 5 }, 'jwk'), 'TypeError');
    equal((await both({ ...jwk }, 'jwk', sha256, 'yes')).extractable, true);
});
test('what keys are for', async () => {
    const signer = await subtle.importKey('raw', bytes('key'), sha256, false, ['sign']);
    const verifier = await subtle.importKey('raw', bytes('key'), sha256, false, ['verify']);
    await rejectsWith(() => subtle.sign('HMAC', verifier, bytes('')), 'InvalidAccessError');
    await rejectsWith(() => subtle.verify('HMAC', signer, bytes(''), bytes('')), 'InvalidAccessError');
    for (const format of ['raw', 'jwk', 'spki']) await rejectsWith(() => subtle.exportKey(format, signer), 'InvalidAccessError');
    await rejectsWith(() => subtle.exportKey('nonsense', signer), 'TypeError');
    await rejectsWith(() => subtle.exportKey('raw', {}), 'TypeError');
    await rejectsWith(() => subtle.sign('HMAC', {}, bytes('')), 'TypeError');
    await rejectsWith(() => subtle.sign('RSASSA-PKCS1-v1_5', signer, bytes('')), 'InvalidAccessError');
    await rejectsWith(() => subtle.sign('AES-GCM', signer, bytes('')), 'NotSupportedError');
    await rejectsWith(() => subtle.sign('SHA-1', signer, bytes('')), 'NotSupportedError');
    await rejectsWith(() => subtle.sign('HMAC', signer, 'text'), 'TypeError');
    for (const method of ['encrypt', 'decrypt']) {
        await rejectsWith(() => subtle[method]('HMAC', signer, bytes('')), 'NotSupportedError');
        await rejectsWith(() => subtle[method]('AES-GCM', signer, bytes('')), 'TypeError');
        await rejectsWith(() => subtle[method]({ name: 'AES-GCM', iv: bytes('iv') }, signer, bytes('')), 'InvalidAccessError');
    }
    await rejectsWith(() => subtle.deriveBits('HMAC', signer, 8), 'NotSupportedError');
    await rejectsWith(() => subtle.deriveKey('HMAC', signer, sha256, true, []), 'NotSupportedError');
    await rejectsWith(() => subtle.wrapKey('raw', signer, signer, 'AES-KW'), 'InvalidAccessError');
    await rejectsWith(() => subtle.unwrapKey('raw', bytes(''), signer, 'AES-KW', sha256, true, []), 'InvalidAccessError');
    const exportable = await subtle.generateKey(sha256, true, ['sign']);
    await rejectsWith(() => subtle.exportKey('spki', exportable), 'NotSupportedError');
});
test('a program that patches the prototypes changes nothing', async () => {
    const { then } = Promise.prototype;
    const { get } = Map.prototype;
    Object.defineProperty(Object.prototype, 'sign', { value: { sign: () => fail('used') }, configurable: true, writable: true });
    Object.defineProperty(Object.prototype, 'hash', { set() { fail('a setter was used'); }, get() { return 'SHA-1'; }, configurable: true });
    Promise.prototype.then = function () { fail('then was used'); };
    Map.prototype.get = () => fail('get was used');
    let results;
    try {
        const key = await subtle.importKey('raw', bytes('Jefe'), sha256, true, ['sign']);
        results = [hex(await subtle.sign('HMAC', key, bytes(macs[2][2]))), hex(await subtle.digest('SHA-256', bytes('abc'))), hex(await subtle.digest('SHA-1', new Uint8Array(3 << 20)))];
    } finally {
        Promise.prototype.then = then;
        Map.prototype.get = get;
        delete Object.prototype.hash;
        delete Object.prototype.sign;
    }
    same(results, [macs[2][3], digests[3][2], '1e5f8def40bb0cb0f7156b9c2bab9efb49cfb699']);
});
await done();
