// https://w3c.github.io/webcrypto/: what the methods of SubtleCrypto do with their arguments, and in which order
import { done, equal, fail, ok, rejects, same, test } from './assert.js';

const { subtle } = crypto;
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');
const bytes = (text) => new TextEncoder().encode(text);
const iv = new Uint8Array(12);
const rsa = { modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' };

// What there is: how a key is made, what its halves may do, its formats.
const kinds = [
    ...['AES-CBC', 'AES-CTR', 'AES-GCM'].map((name) => ({ make: { name, length: 256 }, secret: ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey'], formats: ['raw', 'jwk'] })),
    { make: { name: 'AES-KW', length: 128 }, secret: ['wrapKey', 'unwrapKey'], formats: ['raw', 'jwk'] },
    { make: { name: 'HMAC', hash: 'SHA-384' }, secret: ['sign', 'verify'], formats: ['raw', 'jwk'] },
    ...['RSASSA-PKCS1-v1_5', 'RSA-PSS'].map((name) => ({ make: { name, ...rsa }, private: ['sign'], public: ['verify'], formats: ['spki', 'jwk'] })),
    { make: { name: 'RSA-OAEP', ...rsa }, private: ['decrypt', 'unwrapKey'], public: ['encrypt', 'wrapKey'], formats: ['spki', 'jwk'] },
    ...['P-256', 'P-384', 'P-521'].flatMap((namedCurve) => [
        { make: { name: 'ECDSA', namedCurve }, private: ['sign'], public: ['verify'], formats: ['spki', 'jwk', 'raw'] },
        { make: { name: 'ECDH', namedCurve }, private: ['deriveKey', 'deriveBits'], public: [], formats: ['spki', 'jwk', 'raw'] },
    ]),
    { make: { name: 'Ed25519' }, private: ['sign'], public: ['verify'], formats: ['spki', 'jwk', 'raw'] },
    { make: { name: 'X25519' }, private: ['deriveKey', 'deriveBits'], public: [], formats: ['spki', 'jwk', 'raw'] },
];
const allUsages = ['encrypt', 'decrypt', 'sign', 'verify', 'deriveKey', 'deriveBits', 'wrapKey', 'unwrapKey'];

test('generateKey: usages and extractability', async () => {
    for (const { make, secret, private: privateUsages, public: publicUsages } of kinds) {
        const may = secret ?? [...privateUsages, ...publicUsages];
        for (const usage of allUsages) if (!may.includes(usage)) await rejects(subtle.generateKey(make, true, [...may, usage]), 'SyntaxError');
        await rejects(subtle.generateKey(make, true, []), 'SyntaxError');
        if (publicUsages?.length > 0) await rejects(subtle.generateKey(make, true, publicUsages), 'SyntaxError'); // nothing for the private one to do
        for (const extractable of [true, false]) {
            const made = await subtle.generateKey({ ...make, name: make.name.toLowerCase() }, extractable, [...may, ...may]);
            const inOrder = (list) => allUsages.filter((usage) => list.includes(usage));
            if (secret) {
                same([made.type, made.extractable, made.usages, made.algorithm.name], ['secret', extractable, inOrder(may), make.name]);
                continue;
            }
            same(Object.keys(made).sort(), ['privateKey', 'publicKey']);
            same([made.privateKey.type, made.privateKey.extractable, made.privateKey.usages], ['private', extractable, inOrder(privateUsages)]);
            same([made.publicKey.type, made.publicKey.extractable, made.publicKey.usages], ['public', true, inOrder(publicUsages)]);
            same([made.publicKey.algorithm.name, made.privateKey.algorithm.namedCurve], [make.name, make.namedCurve]);
        }
    }
});
test('exportKey and importKey: each format there and back', async () => {
    for (const { make, secret, private: privateUsages, public: publicUsages, formats } of kinds) {
        const made = await subtle.generateKey(make, true, secret ?? [...privateUsages, ...publicUsages]);
        const halves = secret ? [[made, secret, formats]] : [[made.publicKey, publicUsages, formats], [made.privateKey, privateUsages, ['pkcs8', 'jwk']]];
        for (const [key, usages, own] of halves) {
            for (const format of ['raw', 'spki', 'pkcs8', 'jwk']) {
                if (!own.includes(format)) {
                    const error = await subtle.exportKey(format, key).then(() => fail(`${make.name} as ${format}`), ({ name }) => name);
                    ok(['NotSupportedError', 'InvalidAccessError'].includes(error), error);
                    continue;
                }
                const exported = await subtle.exportKey(format, key);
                const again = await subtle.importKey(format, exported, make, true, usages);
                same([again.type, again.usages, again.algorithm], [key.type, key.usages, key.algorithm], `${make.name} ${format}`);
                const once = await subtle.exportKey(format, again);
                equal(format === 'jwk' ? JSON.stringify(once) : hex(once), format === 'jwk' ? JSON.stringify(exported) : hex(exported));
                ok(!(await subtle.importKey(format, exported, make, false, usages)).extractable);
                for (const usage of allUsages) if (!usages.includes(usage)) await rejects(subtle.importKey(format, exported, make, true, [usage]), 'SyntaxError');
                if (key.type !== 'public') {
                    await rejects(subtle.importKey(format, exported, make, true, []), 'SyntaxError');
                    await rejects(subtle.exportKey(format, await subtle.importKey(format, exported, make, false, usages)), 'InvalidAccessError');
                }
                if (format === 'jwk') {
                    for (const change of [{ kty: 'x' }, { kty: undefined }, { use: 'x' }, { key_ops: ['x'] }, { ext: false }]) {
                        if ((change.use || change.key_ops) && usages.length === 0) continue;
                        await rejects(subtle.importKey('jwk', { ...exported, ...change }, make, true, usages), 'DataError');
                    }
                    ok(await subtle.importKey('jwk', { ...exported, ext: false }, make, false, usages));
                    await rejects(subtle.importKey('jwk', bytes(JSON.stringify(exported)), make, true, usages), 'TypeError');
                } else {
                    await rejects(subtle.importKey(format, {}, make, true, usages), 'TypeError');
                }
            }
        }
    }
});
test('what was exported is a copy, and so is what is shown of a key', async () => {
    const key = await subtle.generateKey({ name: 'AES-CBC', length: 128 }, true, ['encrypt']);
    const one = await subtle.exportKey('raw', key);
    new Uint8Array(one).fill(0);
    ok(hex(await subtle.exportKey('raw', key)) !== hex(one));
    const { publicKey } = await subtle.generateKey({ name: 'RSA-PSS', ...rsa }, true, ['sign', 'verify']);
    publicKey.algorithm.publicExponent.fill(0);
    same([...structuredClone(publicKey).algorithm.publicExponent], [1, 0, 1]);
    const jwk = await subtle.exportKey('jwk', publicKey);
    jwk.key_ops.push('sign');
    same((await subtle.exportKey('jwk', publicKey)).key_ops, ['verify']);
});
test('what comes out can be handed on', async () => {
    const digest = await subtle.digest('SHA-256', iv);
    const text = hex(digest);
    const moved = structuredClone(digest, { transfer: [digest] });
    same([digest.byteLength, hex(moved)], [0, text]);
    const { port1, port2 } = new MessageChannel();
    const got = new Promise((resolve) => { port2.onmessage = ({ data }) => resolve(data); });
    port1.postMessage(moved, [moved]);
    equal(hex(await got), text);
    port1.close();
    new Uint8Array(await subtle.digest('SHA-1', iv)).fill(1); // it is the program's own
});
test('a key does what its usages say, for its own algorithm, in its own half', async () => {
    const gcm = await subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['encrypt']);
    await rejects(subtle.decrypt({ name: 'AES-GCM', iv }, gcm, new Uint8Array(32)), 'InvalidAccessError');
    await rejects(subtle.encrypt({ name: 'AES-CBC', iv: new Uint8Array(16) }, gcm, iv), 'InvalidAccessError');
    await rejects(subtle.wrapKey('raw', gcm, gcm, { name: 'AES-GCM', iv }), 'InvalidAccessError');
    await rejects(subtle.unwrapKey('raw', iv, gcm, { name: 'AES-GCM', iv }, 'AES-KW', true, ['wrapKey']), 'InvalidAccessError');
    const pairs = [
        [{ name: 'ECDSA', namedCurve: 'P-256' }, { name: 'ECDSA', hash: 'SHA-1' }], [{ name: 'RSA-PSS', ...rsa }, { name: 'RSA-PSS', saltLength: 8 }], [{ name: 'RSASSA-PKCS1-v1_5', ...rsa }, 'RSASSA-PKCS1-v1_5'],
        [{ name: 'Ed25519' }, 'Ed25519'],
    ];
    for (const [make, use] of pairs) {
        const { privateKey, publicKey } = await subtle.generateKey(make, true, ['sign', 'verify']);
        await rejects(subtle.sign(use, publicKey, iv), 'InvalidAccessError');
        await rejects(subtle.verify(use, privateKey, iv, iv), 'InvalidAccessError');
        equal(await subtle.verify(use, publicKey, await subtle.sign(use, privateKey, iv), iv), true);
    }
    const a = await subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits']);
    const b = await subtle.generateKey({ name: 'ECDH', namedCurve: 'P-384' }, true, ['deriveBits', 'deriveKey']);
    const x = await subtle.generateKey('X25519', true, ['deriveKey']);
    await rejects(subtle.deriveBits({ name: 'ECDH', public: b.publicKey }, a.privateKey, 8), 'InvalidAccessError');
    await rejects(subtle.deriveBits({ name: 'ECDH', public: x.publicKey }, a.privateKey, 8), 'InvalidAccessError');
    await rejects(subtle.deriveBits({ name: 'ECDH', public: a.privateKey }, a.privateKey, 8), 'InvalidAccessError');
    await rejects(subtle.deriveBits({ name: 'ECDH', public: a.publicKey }, a.publicKey, 8), 'InvalidAccessError');
    await rejects(subtle.deriveBits({ name: 'X25519', public: x.publicKey }, x.privateKey, 8), 'InvalidAccessError'); // deriveKey alone
    await rejects(subtle.deriveKey({ name: 'ECDH', public: a.publicKey }, a.privateKey, { name: 'AES-GCM', length: 128 }, true, ['encrypt']), 'InvalidAccessError');
    await rejects(subtle.deriveBits({ name: 'ECDH', public: {} }, a.privateKey, 8), 'TypeError');
    await rejects(subtle.deriveBits({ name: 'ECDH' }, a.privateKey, 8), 'TypeError');
    await rejects(subtle.deriveKey({ name: 'ECDH', public: b.publicKey }, b.privateKey, { name: 'AES-GCM', length: 128 }, true, []), 'SyntaxError');
    await rejects(subtle.deriveKey({ name: 'ECDH', public: b.publicKey }, b.privateKey, { name: 'AES-GCM', length: 128 }, true, ['sign']), 'SyntaxError');
    await rejects(subtle.deriveKey({ name: 'ECDH', public: b.publicKey }, b.privateKey, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign']), 'NotSupportedError');
    await rejects(subtle.deriveKey({ name: 'ECDH', public: b.publicKey }, b.privateKey, 'Ed25519', true, ['sign']), 'NotSupportedError');
    const mac = await subtle.deriveKey({ name: 'ECDH', public: b.publicKey }, b.privateKey, { name: 'HMAC', hash: 'SHA-1', length: 100 }, true, ['sign']);
    equal(mac.algorithm.length, 100);
    const kdf = await subtle.deriveKey({ name: 'ECDH', public: b.publicKey }, b.privateKey, 'HKDF', false, ['deriveBits']);
    equal(kdf.algorithm.name, 'HKDF'); // all that was agreed on
});
test('wrapKey and unwrapKey: every kind of key, by every kind of wrapping', async () => {
    const wrappings = [
        [await subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['wrapKey', 'unwrapKey']), { name: 'AES-GCM', iv, additionalData: bytes('about') }],
        [await subtle.generateKey({ name: 'AES-CBC', length: 128 }, true, ['wrapKey', 'unwrapKey']), { name: 'AES-CBC', iv: new Uint8Array(16) }],
        [await subtle.generateKey({ name: 'AES-CTR', length: 128 }, true, ['wrapKey', 'unwrapKey']), { name: 'AES-CTR', counter: new Uint8Array(16), length: 64 }],
        [await subtle.generateKey({ name: 'AES-KW', length: 256 }, true, ['wrapKey', 'unwrapKey']), 'AES-KW'],
    ];
    const oaep = await subtle.generateKey({ name: 'RSA-OAEP', ...rsa, modulusLength: 2048 }, true, ['wrapKey', 'unwrapKey']);
    for (const { make, secret, private: privateUsages, public: publicUsages, formats } of kinds) {
        const made = await subtle.generateKey(make, true, secret ?? [...privateUsages, ...publicUsages]);
        const [key, usages, own] = secret ? [made, secret, formats] : [made.privateKey, privateUsages, ['pkcs8', 'jwk']];
        for (const format of own) {
            for (const [wrapping, algorithm] of wrappings) {
                let wrapped;
                try {
                    wrapped = await subtle.wrapKey(format, key, wrapping, algorithm);
                } catch (error) {
                    ok(algorithm === 'AES-KW' && error.name === 'OperationError', `${make.name} ${format}: ${error}`); // no multiple of 8
                    continue;
                }
                const again = await subtle.unwrapKey(format, wrapped, wrapping, algorithm, make, true, usages);
                same(format === 'jwk' ? await subtle.exportKey(format, again) : hex(await subtle.exportKey(format, again)), format === 'jwk' ? await subtle.exportKey(format, key) : hex(await subtle.exportKey(format, key)));
            }
        }
        if (secret && make.name !== 'HMAC') {
            const wrapped = await subtle.wrapKey('raw', key, oaep.publicKey, 'RSA-OAEP');
            ok(await subtle.unwrapKey('raw', wrapped, oaep.privateKey, 'RSA-OAEP', make, false, secret));
        }
    }
    const locked = await subtle.generateKey({ name: 'AES-CBC', length: 128 }, false, ['encrypt']);
    await rejects(subtle.wrapKey('raw', locked, ...wrappings[0]), 'InvalidAccessError');
    const hkdf = await subtle.importKey('raw', iv, 'HKDF', false, ['deriveBits']);
    await rejects(subtle.wrapKey('raw', hkdf, ...wrappings[0]), 'NotSupportedError');
});
test('the order in which things are looked at', async () => {
    const order = [];
    const noting = (name, value) => ({ get() { order.push(name); return value; } });
    const algorithm = Object.defineProperties({}, { tagLength: noting('tagLength', 96), iv: noting('iv', iv), additionalData: noting('additionalData', undefined), name: noting('name', 'AES-GCM') });
    const key = await subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['encrypt']);
    await subtle.encrypt(algorithm, key, iv);
    same(order, ['name', 'additionalData', 'iv', 'tagLength']);
    order.length = 0;
    const make = Object.defineProperties({}, { hash: noting('hash', 'SHA-1'), publicExponent: noting('publicExponent', rsa.publicExponent), modulusLength: noting('modulusLength', 512), name: noting('name', 'RSA-PSS') });
    await subtle.generateKey(make, { valueOf: () => fail('extractable was converted') }, ['sign']);
    same(order, ['name', 'modulusLength', 'publicExponent', 'hash']);
    // The name is looked up before parameters are, parameters before the key.
    await rejects(subtle.encrypt({ name: 'nonsense', get iv() { fail('read'); } }, key, iv), 'NotSupportedError');
    await rejects(subtle.decrypt({ name: 'AES-GCM', iv: 5 }, key, iv), 'TypeError');
    await rejects(subtle.encrypt({ name: 'AES-GCM', iv, tagLength: 5 }, await subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['decrypt']), iv), 'InvalidAccessError');
    await rejects(subtle.generateKey({ name: 'ECDSA', namedCurve: 'nonsense' }, true, ['encrypt']), 'SyntaxError');
    await rejects(subtle.generateKey({ name: 'ECDSA', namedCurve: 'nonsense' }, true, ['sign']), 'NotSupportedError');
    await rejects(subtle.importKey('raw', new Uint8Array(1), { name: 'ECDSA', namedCurve: 'nonsense' }, true, ['verify']), 'DataError');
    await rejects(subtle.importKey('jwk', { kty: 'x' }, 'AES-CBC', true, ['sign']), 'SyntaxError');
    order.length = 0;
    const jwk = { kty: 'oct', k: 'AAAAAAAAAAAAAAAAAAAAAA' };
    const watched = new Proxy(jwk, { get(target, name) { order.push(name); return target[name]; } });
    await subtle.importKey('jwk', watched, 'AES-CBC', true, ['encrypt']);
    same(order, ['alg', 'crv', 'd', 'dp', 'dq', 'e', 'ext', 'k', 'key_ops', 'kty', 'n', 'oth', 'p', 'q', 'qi', 'use', 'x', 'y']);
});
test('numbers of dictionaries are whole and in range', async () => {
    const key = await subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['encrypt']);
    equal((await subtle.encrypt({ name: 'AES-GCM', iv, tagLength: '96' }, key, iv)).byteLength, 24);
    equal((await subtle.encrypt({ name: 'AES-GCM', iv, tagLength: 96.9 }, key, iv)).byteLength, 24);
    equal((await subtle.encrypt({ name: 'AES-GCM', iv, tagLength: { valueOf: () => 104 } }, key, iv)).byteLength, 25);
    for (const tagLength of [1n, Symbol()]) await rejects(subtle.encrypt({ name: 'AES-GCM', iv, tagLength }, key, iv), 'TypeError');
    for (const data of [null, undefined, 'text', [1], {}, 5]) await rejects(subtle.encrypt({ name: 'AES-GCM', iv }, key, data), 'TypeError');
    for (const bad of [null, undefined, 'text', [1], 5]) await rejects(subtle.encrypt({ name: 'AES-GCM', iv: bad }, key, iv), 'TypeError');
    for (const algorithm of [undefined, null, 5, 'nonsense', Symbol.iterator]) {
        const error = await subtle.encrypt(algorithm, key, iv).then(() => 'none', ({ name }) => name);
        equal(error, typeof algorithm === 'symbol' ? 'TypeError' : 'NotSupportedError');
    }
    await rejects(subtle.encrypt({ name: 'AES-GCM', iv }, key), 'TypeError');
    await rejects(subtle.unwrapKey('raw', iv, key, 'AES-KW', 'AES-KW', true), 'TypeError');
});
test('long work leaves the loop free, and may be asked for at once', async () => {
    let turns = 0;
    const timer = setInterval(() => { turns++; }, 1);
    const password = await subtle.importKey('raw', bytes('password'), 'PBKDF2', false, ['deriveBits']);
    const derive = (iterations) => subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: iv, iterations }, password, 256);
    const [one, two] = await Promise.all([derive(150000), derive(150000), subtle.generateKey({ name: 'RSA-PSS', ...rsa, modulusLength: 2048 }, true, ['sign'])]);
    equal(hex(one), hex(two));
    ok(turns > 3, `${turns} turns`);
    clearInterval(timer);
    const { privateKey, publicKey } = await subtle.generateKey({ name: 'RSASSA-PKCS1-v1_5', ...rsa }, true, ['sign', 'verify']);
    const signatures = await Promise.all(Array.from({ length: 100 }, (_, i) => subtle.sign('RSASSA-PKCS1-v1_5', privateKey, new Uint8Array([i]))));
    const verdicts = await Promise.all(signatures.map((signature, i) => subtle.verify('RSASSA-PKCS1-v1_5', publicKey, signature, new Uint8Array([i]))));
    ok(verdicts.every((verdict) => verdict));
    equal(hex(await derive(499)).length, hex(await derive(501)).length);
});
test('keys of all kinds are cloned, and work in a Worker', async () => {
    const source = `onmessage = async ({ data: [key, use] }) => {
        const signature = await crypto.subtle.sign(use, key, new Uint8Array(3));
        postMessage([signature, key]);
    }`;
    const worker = new Worker(`data:text/javascript,${encodeURIComponent(source)}`);
    for (const [make, use] of [[{ name: 'ECDSA', namedCurve: 'P-521' }, { name: 'ECDSA', hash: 'SHA-256' }], [{ name: 'RSA-PSS', ...rsa }, { name: 'RSA-PSS', saltLength: 4 }], [{ name: 'Ed25519' }, 'Ed25519']]) {
        const { privateKey, publicKey } = await subtle.generateKey(make, false, ['sign', 'verify']);
        const answer = new Promise((resolve, reject) => { worker.onmessage = ({ data }) => resolve(data); worker.onerror = reject; });
        worker.postMessage([privateKey, use]);
        const [signature, again] = await answer;
        equal(await subtle.verify(use, structuredClone(publicKey), signature, new Uint8Array(3)), true);
        same([again.type, again.extractable, again.usages, again.algorithm], [privateKey.type, false, ['sign'], privateKey.algorithm]);
        equal(await subtle.verify(use, publicKey, await subtle.sign(use, again, iv), iv), true);
    }
    worker.terminate();
});
await done();
