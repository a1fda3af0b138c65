'use strict';
// @ts-check
// RSASSA-PKCS1-v1_5, RSA-PSS and RSA-OAEP (https://w3c.github.io/webcrypto/#rsassa-pkcs1 and the sections after it).

const { StringPrototypeSlice } = primordials;
const {
    checked, concat, define, encoded, forms, invalidAccess, kinds, makeKey, makePair, notSupported, operations, optionalBytes, requireUsages, requiredBigInteger, requiredHash,
    requiredUnsigned, run, toBuffer, unsignedLongMax,
} = internal.load('subtle_core');
const jwks = internal.load('subtle_jwk');

const members = ['n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi']; // as the native side numbers them

const importParams = (dictionary, result) => { result.hash = requiredHash(dictionary); };
function generateParams(dictionary, result) {
    result.modulusLength = requiredUnsigned(dictionary, 'modulusLength', unsignedLongMax);
    result.publicExponent = requiredBigInteger(dictionary, 'publicExponent');
    importParams(dictionary, result);
}

/** @param {(hash: string) => string | undefined} jwkName of `alg`, from what follows "SHA-" in the hash's name */
function defineRSA(name, privateUsages, publicUsages, use, jwkName, own) {
    const allUsages = concat(privateUsages, publicUsages);
    const nameOf = (hash) => (hash[3] === '-' ? jwkName(StringPrototypeSlice(hash, 4)) : undefined);

    /** A decoded key with what is known of it from its numbers. */
    function make(type, handle, hash, extractable, usages) {
        const algorithm = { name, hash, modulusLength: ops.keyBits(handle), publicExponent: ops.keyPart(handle, 1) };
        return makeKey(type, handle, algorithm, extractable, usages, type === 'private' ? privateUsages : publicUsages);
    }

    function importJwk(hash, jwk, extractable, usages) {
        const isPrivate = jwk.d !== undefined;
        requireUsages(usages, isPrivate ? privateUsages : publicUsages);
        jwks.check(jwk, 'RSA', use, extractable, usages);
        jwks.checkAlgorithm(jwk, [nameOf(hash)]);
        if (jwk.oth !== undefined) throw notSupported('importKey: keys of more than two primes');
        const numbers = [];
        for (let i = 0; i < (isPrivate ? members.length : 2); i++) numbers[i] = jwks.bytesOfMember(jwk, members[i]);
        const handle = checked(ops.keyOfRSA(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], numbers[6], numbers[7]));
        return make(isPrivate ? 'private' : 'public', handle, hash, extractable, usages);
    }

    function exportJwk(key) {
        const values = { __proto__: null, kty: 'RSA', alg: nameOf(key.algorithm.hash) };
        for (let i = 0; i < (key.type === 'private' ? members.length : 2); i++) values[members[i]] = jwks.textOfPart(key, i);
        return jwks.make(key, values);
    }

    define(name, {
        ...own,
        generateKey: {
            params: generateParams,
            async generateKey({ hash, modulusLength, publicExponent }, extractable, usages) {
                requireUsages(usages, allUsages);
                const handle = await run(operations.generateRSA, { number: modulusLength, data: publicExponent });
                return makePair(handle, { name, hash, modulusLength, publicExponent }, extractable, usages, privateUsages, publicUsages);
            },
        },
        importKey: {
            params: importParams,
            importKey({ hash }, format, data, extractable, usages) {
                if (format === 'jwk') return importJwk(hash, data, extractable, usages);
                if (format === 'raw') throw notSupported('importKey: RSA keys have no format "raw"');
                const isPrivate = format === 'pkcs8';
                requireUsages(usages, isPrivate ? privateUsages : publicUsages);
                return make(isPrivate ? 'private' : 'public', checked(ops.keyDecode(kinds.rsa, 0, forms[format], data)), hash, extractable, usages);
            },
        },
        exportKey: {
            exportKey(key, format) {
                if (format === 'jwk') return exportJwk(key);
                if (format === 'raw') throw notSupported('exportKey: RSA keys have no format "raw"');
                if ((format === 'pkcs8') !== (key.type === 'private')) throw invalidAccess(`exportKey: a ${key.type} key has no format "${format}"`);
                return encoded(key, forms[format]);
            },
        },
    });
}

/** A key of the other half is refused. */
function requireType(key, type, what) {
    if (key.type !== type) throw invalidAccess(`${what}: the key is not ${type}`);
}

// ---- Signatures ----

const sign = (operation) => async ({ saltLength }, key, data) => {
    requireType(key, 'private', 'sign');
    return toBuffer(await run(operation, { hash: key.algorithm.hash, key: key.handle, number: saltLength, data }));
};
const verify = (operation) => ({ saltLength }, key, signature, data) => {
    requireType(key, 'public', 'verify');
    return run(operation, { hash: key.algorithm.hash, key: key.handle, number: saltLength, data, extra: signature });
};
defineRSA('RSASSA-PKCS1-v1_5', ['sign'], ['verify'], 'sig', (hash) => `RS${hash}`, {
    sign: { sign: sign(operations.pkcs1Sign) }, verify: { verify: verify(operations.pkcs1Verify) },
});

const pssParams = (dictionary, result) => { result.saltLength = requiredUnsigned(dictionary, 'saltLength', unsignedLongMax); };
defineRSA('RSA-PSS', ['sign'], ['verify'], 'sig', (hash) => `PS${hash}`, {
    sign: { params: pssParams, sign: sign(operations.pssSign) }, verify: { params: pssParams, verify: verify(operations.pssVerify) },
});

// ---- Encryption ----

const oaepParams = (dictionary, result) => { result.label = optionalBytes(dictionary, 'label'); };
const oaep = (operation, type, what) => async ({ label }, key, data) => {
    requireType(key, type, what);
    return toBuffer(await run(operation, { hash: key.algorithm.hash, key: key.handle, data, extra: label }));
};
defineRSA('RSA-OAEP', ['decrypt', 'unwrapKey'], ['encrypt', 'wrapKey'], 'enc', (hash) => (hash === '1' ? 'RSA-OAEP' : `RSA-OAEP-${hash}`), {
    encrypt: { params: oaepParams, encrypt: oaep(operations.oaepEncrypt, 'public', 'encrypt') },
    decrypt: { params: oaepParams, decrypt: oaep(operations.oaepDecrypt, 'private', 'decrypt') },
});

return true;
