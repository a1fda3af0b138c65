// https://w3c.github.io/webcrypto/: what is no key, no signature, no ciphertext. In the manner of Project Wycheproof.
import { done, equal, fail, ok, rejects, test } from './assert.js';

const { subtle } = crypto;
const unhex = (text) => Uint8Array.from(text.replace(/\s/g, '').match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');
const bytes = (text) => new TextEncoder().encode(text);
const url = (data) => btoa(String.fromCharCode(...data)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '');
const unurl = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (unit) => unit.charCodeAt(0));
const flipped = (data, bit) => { const copy = new Uint8Array(data).slice(); copy[bit >> 3] ^= 1 << (bit & 7); return copy; };
const message = bytes('the message');

const refuses = (promise, name = 'OperationError') => rejects(promise, name);
const importing = (format, data, algorithm, usages = ['verify']) => subtle.importKey(format, data, algorithm, true, usages);

/** Every bit of `data` changed: none is what it was. `check` gives false or rejects with one of the names. */
async function everyBit(data, check, step = 1) {
    for (let bit = 0; bit < data.byteLength * 8; bit += step) {
        const verdict = await check(flipped(data, bit)).catch((error) => { if (!['OperationError', 'DataError'].includes(error.name)) throw error; return false; });
        if (verdict !== false) fail(`bit ${bit} does not matter`);
    }
}

// ---- AES ----

test('AES-GCM: every bit of text, tag, iv and additional data counts', async () => {
    const key = await subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
    const algorithm = { name: 'AES-GCM', iv: crypto.getRandomValues(new Uint8Array(12)), additionalData: bytes('more') };
    const text = await subtle.encrypt(algorithm, key, message);
    await everyBit(text, (bad) => subtle.decrypt(algorithm, key, bad).then(() => true));
    await everyBit(algorithm.iv, (iv) => subtle.decrypt({ ...algorithm, iv }, key, text).then(() => true));
    await everyBit(algorithm.additionalData, (additionalData) => subtle.decrypt({ ...algorithm, additionalData }, key, text).then(() => true));
    for (let count = 0; count < text.byteLength; count++) await refuses(subtle.decrypt(algorithm, key, text.slice(0, count)));
    await refuses(subtle.decrypt({ ...algorithm, additionalData: undefined }, key, text));
    await refuses(subtle.decrypt({ ...algorithm, tagLength: 120 }, key, text));
    for (const tagLength of [0, 8, 16, 24, 31, 33, 72, 97, 127, 129, 136, 255]) {
        await refuses(subtle.encrypt({ ...algorithm, tagLength }, key, message));
        await refuses(subtle.decrypt({ ...algorithm, tagLength }, key, text));
    }
    for (const tagLength of [256, -1, NaN, 1e9]) await refuses(subtle.encrypt({ ...algorithm, tagLength }, key, message), 'TypeError');
    await refuses(subtle.encrypt({ ...algorithm, iv: new Uint8Array(0) }, key, message));
    for (const length of [1, 7, 8, 13, 16, 60, 128]) {
        const iv = new Uint8Array(length).fill(length);
        equal(hex(await subtle.decrypt({ ...algorithm, iv }, key, await subtle.encrypt({ ...algorithm, iv }, key, message))), hex(message));
    }
    const other = await subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['decrypt']);
    await refuses(subtle.decrypt(algorithm, other, text));
});
test('AES-CBC: paddings', async () => {
    const raw = new Uint8Array(16);
    const iv = new Uint8Array(16);
    const key = await importing('raw', raw, 'AES-CBC', ['encrypt', 'decrypt']);
    // Without padding of its own: a block less the last, which is whole.
    const encrypted = async (block) => (await subtle.encrypt({ name: 'AES-CBC', iv }, key, unhex(block))).slice(0, 16);
    const text = '000102030405060708090a0b0c0d0e';
    equal(hex(await subtle.decrypt({ name: 'AES-CBC', iv }, key, await encrypted(`${text}01`))), text);
    equal((await subtle.decrypt({ name: 'AES-CBC', iv }, key, await encrypted('10'.repeat(16)))).byteLength, 0);
    for (const end of ['00', '11', '02', 'ff', '10']) await refuses(subtle.decrypt({ name: 'AES-CBC', iv }, key, await encrypted(text + end)));
    await refuses(subtle.decrypt({ name: 'AES-CBC', iv }, key, await encrypted(`${'04'.repeat(12)}04040304`)));
    for (const count of [0, 1, 15, 17, 31]) await refuses(subtle.decrypt({ name: 'AES-CBC', iv }, key, new Uint8Array(count)));
    for (const count of [0, 12, 15, 17, 32]) await refuses(subtle.encrypt({ name: 'AES-CBC', iv: new Uint8Array(count) }, key, raw));
});
test('AES-CTR: counters', async () => {
    const key = await importing('raw', new Uint8Array(32), 'AES-CTR', ['encrypt']);
    const counter = new Uint8Array(16);
    for (const length of [0, 129, 255]) await refuses(subtle.encrypt({ name: 'AES-CTR', counter, length }, key, message));
    for (const length of [256, -1, NaN]) await refuses(subtle.encrypt({ name: 'AES-CTR', counter, length }, key, message), 'TypeError');
    for (const count of [0, 8, 15, 17]) await refuses(subtle.encrypt({ name: 'AES-CTR', counter: new Uint8Array(count), length: 64 }, key, message));
    equal((await subtle.encrypt({ name: 'AES-CTR', counter, length: 2 }, key, new Uint8Array(64))).byteLength, 64);
    await refuses(subtle.encrypt({ name: 'AES-CTR', counter, length: 2 }, key, new Uint8Array(65))); // a counter would come twice
    equal((await subtle.encrypt({ name: 'AES-CTR', counter, length: 1 }, key, new Uint8Array(0))).byteLength, 0);
});
test('AES-KW: every bit counts, and lengths', async () => {
    const key = await subtle.generateKey({ name: 'AES-KW', length: 128 }, false, ['wrapKey', 'unwrapKey']);
    const inner = await subtle.generateKey({ name: 'AES-CBC', length: 128 }, true, ['encrypt']);
    const wrapped = await subtle.wrapKey('raw', inner, key, 'AES-KW');
    const unwrap = (data) => subtle.unwrapKey('raw', data, key, 'AES-KW', 'AES-CBC', true, ['encrypt']);
    ok(await unwrap(wrapped) instanceof CryptoKey);
    await everyBit(wrapped, (bad) => unwrap(bad).then(() => true));
    for (const count of [0, 8, 16, 23]) await refuses(unwrap(wrapped.slice(0, count)));
    const odd = await subtle.importKey('raw', new Uint8Array(13), { name: 'HMAC', hash: 'SHA-1' }, true, ['sign']);
    await refuses(subtle.wrapKey('raw', odd, key, 'AES-KW'));
    await refuses(unwrap(await subtle.wrapKey('raw', await subtle.importKey('raw', new Uint8Array(40), { name: 'HMAC', hash: 'SHA-1' }, true, ['sign']), key, 'AES-KW')), 'DataError');
});
test('AES: lengths of keys', async () => {
    for (const name of ['AES-CBC', 'AES-CTR', 'AES-GCM', 'AES-KW']) {
        const usages = [name === 'AES-KW' ? 'wrapKey' : 'encrypt'];
        for (const count of [0, 1, 15, 17, 23, 25, 31, 33, 64]) await refuses(importing('raw', new Uint8Array(count), name, usages), 'DataError');
        for (const length of [0, 1, 64, 127, 129, 255, 512, 65535]) await refuses(subtle.generateKey({ name, length }, true, usages));
        for (const length of [-1, 65536, NaN, 'x', undefined]) await refuses(subtle.generateKey({ name, length }, true, usages), 'TypeError');
        for (const format of ['spki', 'pkcs8']) await refuses(importing(format, new Uint8Array(16), name, usages), 'NotSupportedError');
    }
});

// ---- HMAC, HKDF, PBKDF2 ----

test('HMAC: every bit counts; no signature but a whole one', async () => {
    const key = await importing('raw', bytes('key'), { name: 'HMAC', hash: 'SHA-256' }, ['sign', 'verify']);
    const mac = await subtle.sign('HMAC', key, message);
    await everyBit(mac, (bad) => subtle.verify('HMAC', key, bad, message));
    for (const count of [0, 1, 16, 31]) equal(await subtle.verify('HMAC', key, mac.slice(0, count), message), false);
    equal(await subtle.verify('HMAC', key, new Uint8Array([...new Uint8Array(mac), 0]), message), false);
});
test('HKDF and PBKDF2: lengths and iterations', async () => {
    const hkdf = await subtle.importKey('raw', new Uint8Array(0), 'HKDF', false, ['deriveBits', 'deriveKey']);
    const none = new Uint8Array(0);
    const with_ = (hash) => ({ name: 'HKDF', hash, salt: none, info: none });
    for (const [hash, width] of [['SHA-1', 20], ['SHA-256', 32], ['SHA-512', 64]]) {
        equal((await subtle.deriveBits(with_(hash), hkdf, 255 * width * 8)).byteLength, 255 * width);
        await refuses(subtle.deriveBits(with_(hash), hkdf, 255 * width * 8 + 8));
    }
    equal((await subtle.deriveBits(with_('SHA-256'), hkdf, 0)).byteLength, 0);
    const pbkdf2 = await subtle.importKey('raw', new Uint8Array(0), 'PBKDF2', false, ['deriveBits']);
    const params = { name: 'PBKDF2', hash: 'SHA-256', salt: none, iterations: 1 };
    equal((await subtle.deriveBits(params, pbkdf2, 0)).byteLength, 0);
    equal((await subtle.deriveBits(params, pbkdf2, 8 * 33)).byteLength, 33);
    await refuses(subtle.deriveBits({ ...params, iterations: 0 }, pbkdf2, 256));
    await refuses(subtle.deriveBits({ ...params, iterations: 2 ** 32 }, pbkdf2, 256), 'TypeError');
    for (const length of [undefined, null, 7, 9, 255]) {
        await refuses(subtle.deriveBits(with_('SHA-256'), hkdf, length));
        await refuses(subtle.deriveBits(params, pbkdf2, length));
    }
    await refuses(subtle.deriveBits({ ...params, hash: 'MD5' }, pbkdf2, 8), 'NotSupportedError');
    await refuses(subtle.deriveKey(with_('SHA-256'), hkdf, { name: 'HMAC', hash: 'SHA-256', length: 0 }, true, ['sign']), 'TypeError');
    await refuses(subtle.deriveKey(with_('SHA-256'), hkdf, { name: 'AES-GCM', length: 100 }, true, ['encrypt']));
    await refuses(subtle.deriveKey(with_('SHA-256'), hkdf, 'HKDF', false, ['deriveBits'])); // a length of null
    for (const name of ['HKDF', 'PBKDF2']) {
        await refuses(subtle.importKey('raw', none, name, true, ['deriveBits']), 'SyntaxError');
        await refuses(subtle.importKey('raw', none, name, false, ['sign']), 'SyntaxError');
        await refuses(subtle.importKey('raw', none, name, false, []), 'SyntaxError');
        await refuses(subtle.importKey('jwk', {}, name, false, ['deriveBits']), 'NotSupportedError');
        await refuses(subtle.exportKey('raw', await subtle.importKey('raw', none, name, false, ['deriveBits'])), 'NotSupportedError');
    }
});

// ---- Curve25519 ----

const L = 2n ** 252n + 27742317777372353535851937790883648493n; // of Ed25519's group
const littleEndian = (number) => Uint8Array.from({ length: 32 }, (_, i) => Number(number >> BigInt(8 * i) & 255n));
const small = [
    '00'.repeat(32), `01${'00'.repeat(31)}`, '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa', `ec${'ff'.repeat(30)}7f`,
    `ed${'ff'.repeat(30)}7f`, `ee${'ff'.repeat(30)}7f`, `ed${'ff'.repeat(31)}`, `ee${'ff'.repeat(31)}`, `01${'00'.repeat(30)}80`, `00${'00'.repeat(30)}80`,
];
test('Ed25519: every bit, s beyond the order, lengths', async () => {
    const { privateKey, publicKey } = await subtle.generateKey('Ed25519', false, ['sign', 'verify']);
    const signature = new Uint8Array(await subtle.sign('Ed25519', privateKey, message));
    equal(await subtle.verify('Ed25519', publicKey, signature, message), true);
    await everyBit(signature, (bad) => subtle.verify('Ed25519', publicKey, bad, message));
    let s = 0n;
    for (let i = 63; i >= 32; i--) s = s << 8n | BigInt(signature[i]);
    for (const other of [s + L, s + 2n * L, s + 8n * L, 0n, L, L - 1n, 2n ** 256n - 1n]) {
        const bad = signature.slice();
        bad.set(littleEndian(other), 32);
        equal(await subtle.verify('Ed25519', publicKey, bad, message), false, `s ${other}`);
    }
    for (const count of [0, 1, 32, 63]) equal(await subtle.verify('Ed25519', publicKey, signature.slice(0, count), message), false);
    equal(await subtle.verify('Ed25519', publicKey, new Uint8Array([...signature, 0]), message), false);
    for (const count of [0, 31, 33, 64]) await refuses(importing('raw', new Uint8Array(count), 'Ed25519'), 'DataError');
});
test('Ed25519: points of small order, in all their encodings', async () => {
    const { privateKey, publicKey } = await subtle.generateKey('Ed25519', false, ['sign', 'verify']);
    const signature = new Uint8Array(await subtle.sign('Ed25519', privateKey, message));
    for (const point of small) {
        const key = await importing('raw', unhex(point), 'Ed25519').catch((error) => equal(error.name, 'DataError'));
        if (key !== undefined) {
            for (const r of small) equal(await subtle.verify('Ed25519', key, unhex(r + '00'.repeat(32)), message), false, `${point} ${r}`);
        }
        const bad = signature.slice();
        bad.set(unhex(point), 0);
        equal(await subtle.verify('Ed25519', publicKey, bad, message), false);
    }
});
test('X25519: points of small order give nothing', async () => {
    const { privateKey } = await subtle.generateKey('X25519', false, ['deriveBits']);
    const points = [
        '00'.repeat(32), `01${'00'.repeat(31)}`, 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800', '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
        `ec${'ff'.repeat(30)}7f`, `ed${'ff'.repeat(30)}7f`, `ee${'ff'.repeat(30)}7f`, `00${'00'.repeat(30)}80`, `01${'00'.repeat(30)}80`, `ec${'ff'.repeat(31)}`, `ed${'ff'.repeat(31)}`, `ee${'ff'.repeat(31)}`,
    ];
    for (const point of points) {
        const other = await importing('raw', unhex(point), 'X25519', []).catch((error) => equal(error.name, 'DataError'));
        if (other !== undefined) for (const length of [null, 8, 256]) await refuses(subtle.deriveBits({ name: 'X25519', public: other }, privateKey, length));
    }
    const good = (await subtle.generateKey('X25519', true, ['deriveBits'])).publicKey;
    await refuses(subtle.deriveBits({ name: 'X25519', public: good }, privateKey, 257));
    const top = new Uint8Array(await subtle.exportKey('raw', good));
    top[31] ^= 0x80; // RFC 7748: the top bit is not looked at
    const same = await importing('raw', top, 'X25519', []);
    equal(hex(await subtle.deriveBits({ name: 'X25519', public: same }, privateKey)), hex(await subtle.deriveBits({ name: 'X25519', public: good }, privateKey)));
});

// ---- NIST's curves ----

const curves = [
    { crv: 'P-256', width: 32, n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n, p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n },
    { crv: 'P-384', width: 48, n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n, p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n },
    {
        crv: 'P-521', width: 66, p: 2n ** 521n - 1n,
        n: 0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
    },
];
const bigEndian = (number, width) => Uint8Array.from({ length: width }, (_, i) => Number(number >> BigInt(8 * (width - 1 - i)) & 255n));
const toNumber = (data) => data.reduce((sum, byte) => sum << 8n | BigInt(byte), 0n);
for (const { crv, width, n, p } of curves) {
    test(`ECDSA, ${crv}: r and s at the ends, lengths, bits`, async () => {
        const { privateKey, publicKey } = await subtle.generateKey({ name: 'ECDSA', namedCurve: crv }, false, ['sign', 'verify']);
        const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
        const signature = new Uint8Array(await subtle.sign(algorithm, privateKey, message));
        equal(signature.length, 2 * width);
        const [r, s] = [toNumber(signature.subarray(0, width)), toNumber(signature.subarray(width))];
        const verify = (a, b) => subtle.verify(algorithm, publicKey, new Uint8Array([...bigEndian(a, width), ...bigEndian(b, width)]), message);
        equal(await verify(r, s), true);
        equal(await verify(r, n - s), true); // both are valid
        const most = 2n ** BigInt(8 * width) - 1n;
        for (const [a, b] of [[0n, 0n], [0n, s], [r, 0n], [0n, 1n], [1n, 0n], [1n, 1n], [n, s], [r, n], [n, n], [r + n, s], [r, s + n], [n - 1n, n - 1n], [p, s], [most, most], [s, r]]) {
            if (a <= most && b <= most) equal(await verify(a, b), false, `${a} ${b}`);
        }
        await everyBit(signature, (bad) => subtle.verify(algorithm, publicKey, bad, message), 7);
        for (const count of [0, 1, width, 2 * width - 1]) equal(await subtle.verify(algorithm, publicKey, signature.slice(0, count), message), false);
        equal(await subtle.verify(algorithm, publicKey, new Uint8Array([...signature, 0]), message), false);
        const der = new Uint8Array([0x30, 4 + 2 * width, 2, width, ...signature.subarray(0, width), 2, width, ...signature.subarray(width)]);
        equal(await subtle.verify(algorithm, publicKey, der, message), false);
        equal(await subtle.verify({ name: 'ECDSA', hash: 'SHA-512' }, publicKey, signature, message), false);
    });
    test(`EC, ${crv}: what is no point and no scalar`, async () => {
        const algorithm = { name: 'ECDH', namedCurve: crv };
        const pair = await subtle.generateKey(algorithm, true, ['deriveBits']);
        const point = new Uint8Array(await subtle.exportKey('raw', pair.publicKey));
        const raw = (data) => refuses(importing('raw', data, algorithm, []), 'DataError');
        await raw(new Uint8Array(0));
        await raw(new Uint8Array([0]));
        await raw(new Uint8Array(point.length));
        await raw(point.slice(0, -1));
        await raw(new Uint8Array([...point, 0]));
        await raw(flipped(point, point.length * 8 - 8)); // not on the curve
        for (const first of [0, 1, 2, 3, 5, 6, 7, 0x84, 0xff]) await raw(new Uint8Array([first, ...point.subarray(1)]));
        await raw(new Uint8Array([4, ...bigEndian(p, width), ...point.subarray(1 + width)]));
        await raw(new Uint8Array([4, ...new Uint8Array(2 * width).fill(255)]));
        const compressed = new Uint8Array([2 + (point.at(-1) & 1), ...point.subarray(1, 1 + width)]);
        equal(hex(await subtle.exportKey('raw', await importing('raw', compressed, algorithm, []))), hex(point));
        let x = 1n; // until there is one without a point
        for (; ; x++) {
            const is = await importing('raw', new Uint8Array([2, ...bigEndian(x, width)]), algorithm, []).then(() => true, (error) => error.name !== 'DataError');
            if (!is) break;
        }
        const jwk = await subtle.exportKey('jwk', pair.privateKey);
        const bad = (change) => refuses(importing('jwk', { ...jwk, ...change }, algorithm, ['deriveBits']), 'DataError');
        for (const d of [0n, n, n + 1n, 2n ** BigInt(8 * width) - 1n, toNumber(unurl(jwk.d)) ^ 1n]) await bad({ d: url(bigEndian(d, width)) });
        await bad({ d: url(unurl(jwk.d).subarray(1)) });
        await bad({ d: url([0, ...unurl(jwk.d)]) });
        await bad({ x: url([0, ...unurl(jwk.x)]) });
        await bad({ x: jwk.y, y: jwk.x });
        await bad({ y: url(bigEndian((toNumber(unurl(jwk.y)) + 1n) % p, width)) });
        for (const change of [{ d: '' }, { x: '' }, { y: undefined }, { x: undefined }, { d: '!' }, { d: `${jwk.d}=` }, { kty: 'OKP' }, { crv: 'P-224' }, { crv: undefined }, { crv: 'p-256' }]) await bad(change);
        for (const other of curves) if (other.crv !== crv) await refuses(importing('raw', point, { name: 'ECDH', namedCurve: other.crv }, []), 'DataError');
        const spki = await subtle.exportKey('spki', pair.publicKey);
        for (const other of curves) if (other.crv !== crv) await refuses(importing('spki', spki, { name: 'ECDH', namedCurve: other.crv }, []), 'DataError');
    });
}

// ---- RSA ----

const rsaOf = (name, hash = 'SHA-256') => ({ name, hash, modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) });
test('RSASSA-PKCS1-v1_5 and RSA-PSS: every bit, lengths, salts', async () => {
    for (const [name, use] of [['RSASSA-PKCS1-v1_5', {}], ['RSA-PSS', { saltLength: 20 }]]) {
        const { privateKey, publicKey } = await subtle.generateKey(rsaOf(name), true, ['sign', 'verify']);
        const signature = new Uint8Array(await subtle.sign({ name, ...use }, privateKey, message));
        const verify = (data, more = {}) => subtle.verify({ name, ...use, ...more }, publicKey, data, message);
        equal(await verify(signature), true);
        await everyBit(signature, (bad) => verify(bad), 3);
        for (const count of [0, 1, 64, 127]) equal(await verify(signature.slice(0, count)), false);
        equal(await verify(new Uint8Array([0, ...signature])), false);
        equal(await verify(new Uint8Array(128)), false);
        equal(await verify(new Uint8Array(128).fill(255)), false);
        const n = toNumber(unurl((await subtle.exportKey('jwk', publicKey)).n));
        const plus = toNumber(signature) + n;
        if (plus < 2n ** 1024n) equal(await verify(bigEndian(plus, 128)), false);
        equal(await verify(bigEndian(1n, 128)), false);
        equal(await verify(bigEndian(n - 1n, 128)), false);
        if (name === 'RSA-PSS') {
            for (const saltLength of [0, 19, 21, 94]) equal(await verify(signature, { saltLength }), false);
            for (const saltLength of [95, 1000, 2 ** 32 - 1]) {
                await refuses(subtle.sign({ name, saltLength }, privateKey, message));
                equal(await verify(signature, { saltLength }), false);
            }
            equal(await subtle.verify({ name, saltLength: 0 }, publicKey, await subtle.sign({ name, saltLength: 0 }, privateKey, message), message), true);
        }
    }
});
test('RSASSA-PKCS1-v1_5 and RSA-PSS: signatures of the right key, padded otherwise', async () => {
    const { privateKey } = await subtle.generateKey(rsaOf('RSA-PSS'), true, ['sign', 'verify']);
    const jwk = await subtle.exportKey('jwk', privateKey);
    const [n, d] = [toNumber(unurl(jwk.n)), toNumber(unurl(jwk.d))];
    const power = (base) => { // base^d mod n
        let result = 1n;
        for (let rest = d, square = base % n; rest > 0n; rest >>= 1n, square = square * square % n) if (rest & 1n) result = result * square % n;
        return bigEndian(result, 128);
    };
    const publicKey = (name) => importing('jwk', { kty: 'RSA', n: jwk.n, e: jwk.e }, { name, hash: 'SHA-256' });
    const digest = new Uint8Array(await subtle.digest('SHA-256', message));
    const pkcs1 = await publicKey('RSASSA-PKCS1-v1_5');
    const verify = (padded) => subtle.verify('RSASSA-PKCS1-v1_5', pkcs1, power(toNumber(padded)), message);
    const pad = (info, head = [0, 1], fill = 0xFF, zero = [0]) => Uint8Array.from([...head, ...Array(128 - head.length - zero.length - info.length).fill(fill), ...zero, ...info]);
    const info = (head) => [...unhex(head), ...digest];
    const sound = info('3031300d060960864801650304020105000420');
    equal(await verify(pad(sound)), true);
    const bad = {
        'no NULL': pad(info('302f300b0609608648016503040201 0420')), 'NULL with a byte': pad(info('3032300e06096086480165030402010501000420')), 'long form of a length': pad(info('308131300d060960864801650304020105000420')),
        'SHA-1': pad(info('3031300d060960864801650304020205000420')), 'digest alone': pad([...digest]), 'more after it': pad([...sound, 0]), 'type 2': pad(sound, [0, 2]), 'type 0': pad(sound, [0, 0], 0),
        'padding of zeros': pad(sound, [0, 1], 0), 'no zero': pad(sound, [0, 1], 0xFF, []), 'first byte': pad(sound, [1, 1]), 'short padding': Uint8Array.from([0, 1, 255, 255, 0, ...sound, ...Array(128 - 5 - sound.length).fill(0)]),
        'seven bytes of padding': Uint8Array.from([0, 1, ...Array(7).fill(255), 0, ...sound, ...Array(128 - 10 - sound.length).fill(1)]),
    };
    for (const [what, padded] of Object.entries(bad)) if (toNumber(padded) < n) equal(await verify(padded), false, what);

    // EMSA-PSS (RFC 8017 section 9.1.1), with changes
    const hash = async (...parts) => new Uint8Array(await subtle.digest('SHA-256', Uint8Array.from(parts.flatMap((part) => [...part]))));
    const bits = n.toString(2).length - 1;
    const pss = async ({ salt = new Uint8Array(20).fill(3), one = 1, fill = 0, trailer = 0xBC, top = 0, prefix = 0 }) => {
        const length = Math.ceil(bits / 8);
        const h = await hash(new Uint8Array(8).fill(prefix), digest, salt);
        const db = Uint8Array.from([...Array(length - salt.length - 34).fill(fill), one, ...salt]);
        for (let at = 0, counter = 0; at < db.length; counter++) for (const byte of await hash(h, [0, 0, 0, counter])) if (at < db.length) db[at++] ^= byte;
        db[0] = db[0] & 0xFF >> 8 * length - bits | top;
        return Uint8Array.from([...db, ...h, trailer]);
    };
    const key = await publicKey('RSA-PSS');
    const check = async (change, saltLength = 20) => {
        const padded = toNumber(await pss(change));
        return padded < n && await subtle.verify({ name: 'RSA-PSS', saltLength }, key, power(padded), message);
    };
    equal(await check({}), true);
    equal(await check({ salt: new Uint8Array(0) }, 0), true);
    for (const change of [{ one: 0 }, { one: 2 }, { fill: 1 }, { trailer: 0xCC }, { trailer: 0 }, { top: 0x80 }, { prefix: 1 }, { salt: new Uint8Array(19) }, { salt: new Uint8Array(21) }]) equal(await check(change), false, JSON.stringify(change));
});
test('RSA-OAEP: every bit, labels, lengths', async () => {
    const { privateKey, publicKey } = await subtle.generateKey(rsaOf('RSA-OAEP'), true, ['encrypt', 'decrypt']);
    const encrypt = (data, label) => subtle.encrypt({ name: 'RSA-OAEP', label }, publicKey, data);
    const decrypt = (data, label) => subtle.decrypt({ name: 'RSA-OAEP', label }, privateKey, data);
    for (const count of [0, 1, 62]) equal((await decrypt(await encrypt(new Uint8Array(count)))).byteLength, count);
    await refuses(encrypt(new Uint8Array(63)));
    const text = await encrypt(message, bytes('label'));
    equal(hex(await decrypt(text, bytes('label'))), hex(message));
    equal(hex(await decrypt(await encrypt(message, new Uint8Array(0)))), hex(message));
    for (const label of [undefined, new Uint8Array(0), bytes('Label'), bytes('label2')]) await refuses(decrypt(text, label));
    await everyBit(text, (bad) => decrypt(bad, bytes('label')).then(() => true), 31);
    for (const count of [0, 1, 127]) await refuses(decrypt(text.slice(0, count), bytes('label')));
    for (const fill of [0, 255]) await refuses(decrypt(new Uint8Array(128).fill(fill), bytes('label')));
});
test('RSA: what is no key', async () => {
    const algorithm = { name: 'RSA-PSS', hash: 'SHA-256' };
    const { privateKey } = await subtle.generateKey(rsaOf('RSA-PSS'), true, ['sign', 'verify']);
    const jwk = await subtle.exportKey('jwk', privateKey);
    const number = (member) => toNumber(unurl(jwk[member]));
    const text = (value) => url(bigEndian(value, 128));
    const bad = (change, usages = ['sign'], name = 'DataError') => refuses(importing('jwk', { ...jwk, ...change }, algorithm, usages), name);
    ok(await importing('jwk', jwk, algorithm, ['sign']));
    for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi']) {
        await bad({ [member]: text(number(member) + 2n) });
        await bad({ [member]: text(0n) });
        await bad({ [member]: text(1n) });
        if (member !== 'd') await bad({ [member]: undefined });
        await bad({ [member]: '*' });
    }
    await bad({ n: text(number('n') + 2n) });
    await bad({ p: jwk.q, q: jwk.p });
    await bad({ p: text(number('n')), q: text(1n) });
    await bad({ oth: [] }, ['sign'], 'NotSupportedError');
    const half = { d: undefined, p: undefined, q: undefined, dp: undefined, dq: undefined, qi: undefined, key_ops: undefined };
    ok(await importing('jwk', { ...jwk, ...half }, algorithm, ['verify']));
    for (const change of [{ n: '' }, { n: text(0n) }, { n: text(1n) }, { e: text(0n) }, { e: text(1n) }, { e: text(2n) }, { e: text(number('n')) }, { n: text(number('n') - 1n) }, { n: undefined }, { e: undefined }, { kty: 'rsa' }, { alg: 'RS256' }, { alg: 'PS512' }]) {
        await bad({ ...half, ...change }, ['verify']);
    }
    await bad({ ...half, e: text(2n ** 256n + 1n) }, ['verify']);
    await bad({ ...half, n: url(new Uint8Array(4096).fill(255)) }, ['verify']); // 32,768 bits
    const { publicKey } = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
    await refuses(importing('spki', await subtle.exportKey('spki', publicKey), algorithm), 'DataError');
});
test('RSA: sizes and exponents to generate', async () => {
    const make = (change) => subtle.generateKey({ ...rsaOf('RSA-PSS'), ...change }, true, ['sign', 'verify']);
    for (const publicExponent of [[], [0], [1], [2], [1, 0, 0], [1, 0, 0, 0, 1]]) await refuses(make({ publicExponent: new Uint8Array(publicExponent) }));
    for (const modulusLength of [0, 1, 256, 511, 16385, 2 ** 32 - 1]) await refuses(make({ modulusLength }));
    for (const publicExponent of [undefined, [1, 0, 1], new Uint16Array([1]), new ArrayBuffer(3), 65537]) await refuses(make({ publicExponent }), 'TypeError');
    const three = await make({ publicExponent: new Uint8Array([0, 0, 3]) });
    equal(three.publicKey.algorithm.publicExponent.join(), '0,0,3');
    equal((await subtle.exportKey('jwk', three.publicKey)).e, 'Aw');
});

// ---- ASN.1 ----

test('SPKI and PKCS #8: every byte changed, cut, added to: a DataError, or a key that comes out as it went in', async () => {
    const pairs = [
        [{ name: 'ECDSA', namedCurve: 'P-256' }, ['sign', 'verify']], ['Ed25519', ['sign', 'verify']], ['X25519', ['deriveBits']], [rsaOf('RSASSA-PKCS1-v1_5'), ['sign', 'verify']],
    ];
    for (const [algorithm, usages] of pairs) {
        const pair = await subtle.generateKey(algorithm, true, usages);
        for (const [format, key] of [['spki', pair.publicKey], ['pkcs8', pair.privateKey]]) {
            const data = new Uint8Array(await subtle.exportKey(format, key));
            const attempt = async (changed) => {
                let made;
                try {
                    made = await importing(format, changed, algorithm, key.usages);
                } catch (error) {
                    equal(error.name, 'DataError');
                    return;
                }
                ok((await subtle.exportKey(format, made)).byteLength > 0);
            };
            for (let at = 0; at < data.length; at += data.length > 300 ? 5 : 1) for (const mask of [0xFF, 1, 0x80]) await attempt(data.map((byte, i) => (i === at ? byte ^ mask : byte)));
            for (let count = 0; count < data.length; count += data.length > 300 ? 7 : 1) await refuses(importing(format, data.slice(0, count), algorithm, key.usages), 'DataError');
            for (const more of [[0], [0x30, 0], [5, 0]]) await refuses(importing(format, new Uint8Array([...data, ...more]), algorithm, key.usages), 'DataError');
            await refuses(importing(format === 'spki' ? 'pkcs8' : 'spki', data, algorithm, format === 'spki' ? pair.privateKey.usages : pair.publicKey.usages), 'DataError');
        }
    }
    for (const nested of ['30'.repeat(4000), '3080'.repeat(2000), `30${'84ffffffff'}`, '3003020100', 'ff'.repeat(100)]) {
        for (const format of ['spki', 'pkcs8']) await refuses(importing(format, unhex(nested), 'Ed25519', [format === 'spki' ? 'verify' : 'sign']), 'DataError');
    }
});
await done();
