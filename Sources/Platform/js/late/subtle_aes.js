'use strict';
// @ts-check
// AES (https://w3c.github.io/webcrypto/#aes-ctr and the sections after it).

const { ArrayPrototypeIncludes, StringPrototypeSlice, TypedArrayPrototypeGetLength } = primordials;
const {
    bytesOfKey, checked, dataError, define, encoded, forms, makeKey, notSupported, octetMax, operationError, operations, optionalBytes, optionalUnsigned, requireUsages, requiredBytes,
    requiredUnsigned, run, toBuffer, unsignedShortMax,
} = internal.load('subtle_core');
const { encodeBase64 } = internal.encoding;
const jwks = internal.load('subtle_jwk');

const lengths = [128, 192, 256]; // bits of a key
const tagLengths = [32, 64, 96, 104, 112, 120, 128]; // bits
const blockBytes = 16;
const lengthParams = (dictionary, result) => { result.length = requiredUnsigned(dictionary, 'length', unsignedShortMax); };

function keyLength({ length }) {
    if (!ArrayPrototypeIncludes(lengths, length)) throw operationError(`an AES key has 128, 192 or 256 bits, not ${length}`);
    return length;
}

/** What AES is used as: the operations on keys, and those of its own. */
function defineMode(name, usagesAllowed, own) {
    const suffix = StringPrototypeSlice(name, 4); // A128CBC is AES-CBC's
    const make = (handle, length, extractable, usages) => makeKey('secret', handle, { name, length }, extractable, usages, usagesAllowed);
    define(name, {
        ...own,
        generateKey: {
            params: lengthParams,
            generateKey(algorithm, extractable, usages) {
                requireUsages(usages, usagesAllowed);
                const length = keyLength(algorithm);
                return make(checked(ops.keyRandom(length)), length, extractable, usages);
            },
        },
        importKey: {
            importKey(algorithm, format, data, extractable, usages) {
                requireUsages(usages, usagesAllowed);
                let bytes = data;
                if (format === 'jwk') {
                    jwks.check(data, 'oct', 'enc', extractable, usages);
                    bytes = jwks.bytesOfMember(data, 'k');
                } else if (format !== 'raw') {
                    throw notSupported(`importKey: AES keys have no format "${format}"`);
                }
                const length = TypedArrayPrototypeGetLength(bytes) * 8;
                if (!ArrayPrototypeIncludes(lengths, length)) throw dataError(`importKey: an AES key has 128, 192 or 256 bits, not ${length}`);
                if (format === 'jwk') jwks.checkAlgorithm(data, [`A${length}${suffix}`]);
                return make(checked(ops.keySecret(bytes)), length, extractable, usages);
            },
        },
        exportKey: {
            exportKey(key, format) {
                if (format === 'raw') return encoded(key, forms.seed);
                if (format !== 'jwk') throw notSupported(`exportKey: AES keys have no format "${format}"`);
                return jwks.make(key, { kty: 'oct', k: encodeBase64(bytesOfKey(key), true), alg: `A${key.algorithm.length}${suffix}` });
            },
        },
        keyLength: { params: lengthParams, keyLength },
    });
}

const encryption = ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey'];

function requireBlock(bytes, what) {
    if (TypedArrayPrototypeGetLength(bytes) !== blockBytes) throw operationError(`${what} does not have ${blockBytes} bytes`);
}

// ---- CBC ----

const cbcParams = (dictionary, result) => { result.iv = requiredBytes(dictionary, 'iv'); };
const cbc = (operation) => async ({ iv }, key, data) => {
    requireBlock(iv, 'iv');
    return toBuffer(await run(operation, { key: key.handle, iv, data }));
};
defineMode('AES-CBC', encryption, {
    encrypt: { params: cbcParams, encrypt: cbc(operations.cbcEncrypt) },
    decrypt: { params: cbcParams, decrypt: cbc(operations.cbcDecrypt) },
});

// ---- CTR ----

function ctrParams(dictionary, result) {
    result.counter = requiredBytes(dictionary, 'counter');
    result.length = requiredUnsigned(dictionary, 'length', octetMax);
}
async function ctr({ counter, length }, key, data) {
    requireBlock(counter, 'counter');
    if (length === 0 || length > 128) throw operationError('the counter has 1 to 128 bits');
    return toBuffer(await run(operations.ctr, { key: key.handle, iv: counter, number: length, data }));
}
defineMode('AES-CTR', encryption, { encrypt: { params: ctrParams, encrypt: ctr }, decrypt: { params: ctrParams, decrypt: ctr } });

// ---- GCM ----

function gcmParams(dictionary, result) {
    result.additionalData = optionalBytes(dictionary, 'additionalData');
    result.iv = requiredBytes(dictionary, 'iv');
    result.tagLength = optionalUnsigned(dictionary, 'tagLength', octetMax) ?? 128;
}
const gcm = (operation) => async ({ additionalData, iv, tagLength }, key, data) => {
    if (!ArrayPrototypeIncludes(tagLengths, tagLength)) throw operationError(`a tag has ${tagLengths} bits, not ${tagLength}`);
    return toBuffer(await run(operation, { key: key.handle, iv, extra: additionalData, number: tagLength / 8, data }));
};
defineMode('AES-GCM', encryption, {
    encrypt: { params: gcmParams, encrypt: gcm(operations.gcmEncrypt) },
    decrypt: { params: gcmParams, decrypt: gcm(operations.gcmDecrypt) },
});

// ---- KW ----

const wrap = (operation) => async (algorithm, key, data) => toBuffer(await run(operation, { key: key.handle, data }));
defineMode('AES-KW', ['wrapKey', 'unwrapKey'], { wrapKey: { wrapKey: wrap(operations.wrap) }, unwrapKey: { unwrapKey: wrap(operations.unwrap) } });

return true;
