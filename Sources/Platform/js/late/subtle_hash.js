'use strict';
// @ts-check
// Digests and HMAC (https://w3c.github.io/webcrypto/#sha, #hmac), and SHA-3 (https://wicg.github.io/webcrypto-modern-algos/#sha3).

const { ObjectKeys, TypeError, TypedArrayPrototypeGetLength, TypedArrayPrototypeSlice } = primordials;
const {
    bytesOfKey, checked, dataError, define, encoded, forms, hashNumbers, makeKey, notSupported, operationError, operations, optionalUnsigned, requireUsages, requiredHash, run,
    toBuffer, unsignedLongMax,
} = internal.load('subtle_core');
const { encodeBase64 } = internal.encoding;
const jwks = internal.load('subtle_jwk');

const names = ObjectKeys(hashNumbers);
for (let i = 0; i < names.length; i++) {
    define(names[i], { digest: { digest: async (algorithm, data) => toBuffer(await run(operations.digest, { hash: algorithm.name, data })) } });
}

const generatedBitsMax = 1 << 23; // of a key
const blockBits = { __proto__: null, 'SHA-1': 512, 'SHA-256': 512, 'SHA-384': 1024, 'SHA-512': 1024, 'SHA3-256': 1088, 'SHA3-384': 832, 'SHA3-512': 576 };
const jwkAlgorithms = { __proto__: null, 'SHA-1': 'HS1', 'SHA-256': 'HS256', 'SHA-384': 'HS384', 'SHA-512': 'HS512' };
const usagesAllowed = ['sign', 'verify'];

/** HmacKeyGenParams and HmacImportParams */
function params(dictionary, result) {
    result.hash = requiredHash(dictionary);
    result.length = optionalUnsigned(dictionary, 'length', unsignedLongMax);
}

/** Of the last byte what lies beyond the length is 0. */
function firstBits(bytes, length) {
    if (length % 8 === 0) return bytes;
    const copy = TypedArrayPrototypeSlice(bytes, 0);
    copy[length - 1 >> 3] &= 0xFF << 8 - length % 8;
    return copy;
}

const make = (handle, hash, length, extractable, usages) => makeKey('secret', handle, { name: 'HMAC', hash, length }, extractable, usages, usagesAllowed);

const mac = (key, data) => run(operations.hmac, { hash: key.algorithm.hash, key: key.handle, data });

define('HMAC', {
    generateKey: {
        params,
        generateKey({ hash, length }, extractable, usages) {
            requireUsages(usages, usagesAllowed);
            if (length === 0) throw operationError('generateKey: the length is 0');
            length ??= blockBits[hash];
            if (length > generatedBitsMax) throw operationError(`generateKey: the length is over ${generatedBitsMax} bits`);
            return make(checked(ops.keyRandom(length)), hash, length, extractable, usages);
        },
    },
    importKey: {
        params,
        importKey({ hash, length }, format, data, extractable, usages) {
            requireUsages(usages, usagesAllowed);
            let bytes = data;
            if (format === 'jwk') {
                jwks.check(data, 'oct', 'sig', extractable, usages);
                bytes = jwks.bytesOfMember(data, 'k');
                jwks.checkAlgorithm(data, [jwkAlgorithms[hash]]);
            } else if (format !== 'raw') {
                throw notSupported(`importKey: HMAC keys have no format "${format}"`);
            }
            const bits = TypedArrayPrototypeGetLength(bytes) * 8;
            if (bits === 0) throw dataError('importKey: the key has no bytes');
            if (length === undefined) length = bits;
            else if (length > bits || length <= bits - 8) throw dataError(`importKey: the key has ${bits} bits, not ${length}`);
            return make(checked(ops.keySecret(firstBits(bytes, length))), hash, length, extractable, usages);
        },
    },
    exportKey: {
        exportKey(key, format) {
            if (format === 'raw') return encoded(key, forms.seed);
            if (format !== 'jwk') throw notSupported(`exportKey: HMAC keys have no format "${format}"`);
            return jwks.make(key, { kty: 'oct', k: encodeBase64(bytesOfKey(key), true), alg: jwkAlgorithms[key.algorithm.hash] });
        },
    },
    keyLength: {
        params,
        keyLength({ hash, length }) {
            if (length === 0) throw new TypeError('deriveKey: the length is 0');
            return length ?? blockBits[hash];
        },
    },
    sign: { sign: async (algorithm, key, data) => toBuffer(await mac(key, data)) },
    verify: {
        async verify(algorithm, key, signature, data) {
            const copy = TypedArrayPrototypeSlice(signature, 0); // the program may change its own meanwhile
            return ops.equalBytes(await mac(key, data), copy);
        },
    },
});

return true;
