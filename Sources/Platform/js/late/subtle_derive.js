'use strict';
// @ts-check
// HKDF and PBKDF2 (https://w3c.github.io/webcrypto/#hkdf, #pbkdf2).

const {
    checked, define, makeKey, notSupported, operationError, operations, requireUsages, requiredBytes, requiredHash, requiredUnsigned, run, syntaxError, toBuffer, unsignedLongMax,
} = internal.load('subtle_core');

const usagesAllowed = ['deriveKey', 'deriveBits'];
const derivedBytesMax = 1 << 24; // of PBKDF2, which has no bound of its own to speak of

function requireWholeBytes(length) {
    if (length === null || length % 8 !== 0) throw operationError('deriveBits: the length is no multiple of 8');
}

function defineDerivation(name, params, deriveBits) {
    define(name, {
        deriveBits: { params, deriveBits },
        importKey: {
            importKey(algorithm, format, data, extractable, usages) {
                if (format !== 'raw') throw notSupported(`importKey: ${name} keys have no format "${format}"`);
                requireUsages(usages, usagesAllowed);
                if (extractable) throw syntaxError(`importKey: ${name} keys cannot be extractable`);
                return makeKey('secret', checked(ops.keySecret(data)), { name }, false, usages, usagesAllowed);
            },
        },
        keyLength: { keyLength: () => null },
    });
}

function hkdfParams(dictionary, result) {
    result.hash = requiredHash(dictionary);
    result.info = requiredBytes(dictionary, 'info');
    result.salt = requiredBytes(dictionary, 'salt');
}
defineDerivation('HKDF', hkdfParams, async ({ hash, info, salt }, key, length) => {
    requireWholeBytes(length);
    return toBuffer(await run(operations.hkdf, { hash, key: key.handle, iv: salt, extra: info, length: length / 8 }));
});

function pbkdf2Params(dictionary, result) {
    result.hash = requiredHash(dictionary);
    result.iterations = requiredUnsigned(dictionary, 'iterations', unsignedLongMax);
    result.salt = requiredBytes(dictionary, 'salt');
    if (result.hash[3] !== '-') throw notSupported(`PBKDF2: the hash "${result.hash}" is not supported`);
}
defineDerivation('PBKDF2', pbkdf2Params, async ({ hash, iterations, salt }, key, length) => {
    requireWholeBytes(length);
    if (iterations === 0) throw operationError('deriveBits: there are no iterations');
    if (length / 8 > derivedBytesMax) throw operationError(`deriveBits: the length is over ${8 * derivedBytesMax} bits`);
    return toBuffer(await run(operations.pbkdf2, { hash, key: key.handle, iv: salt, number: iterations, length: length / 8 }));
});

return true;
