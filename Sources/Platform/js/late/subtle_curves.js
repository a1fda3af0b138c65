'use strict';
// @ts-check
// ECDSA, ECDH (https://w3c.github.io/webcrypto/#ecdsa, #ecdh), Ed25519 and X25519 (#ed25519, #x25519).

const { TypedArrayPrototypeGetLength, TypedArrayPrototypeSet, TypedArrayPrototypeSlice, Uint8Array } = primordials;
const {
    checked, concat, dataError, define, encoded, forms, invalidAccess, kinds, makeKey, makePair, notSupported, operationError, operations, requireUsages, requiredHash, requiredKey,
    requiredText, run, toBuffer,
} = internal.load('subtle_core');
const jwks = internal.load('subtle_jwk');

const curves = { __proto__: null, 'P-256': 1, 'P-384': 2, 'P-521': 3 };
const coordinateBytes = [32, 32, 48, 66]; // by the curve's number; 0: Curve25519
const jwkSignatures = { __proto__: null, 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512' };
const parts = { d: 2, x: 8, y: 9 };

/**
 * @param {string} use of keys, as JWK says it
 * @param {(curve: string) => string[]} jwkNames what `alg` may be: the first is told; none: all may, none is
 * @param {object} own operations
 */
function defineCurve(name, kind, privateUsages, publicUsages, use, jwkNames, own) {
    const isEC = kind === kinds.ec;
    const params = isEC ? (dictionary, result) => { result.namedCurve = requiredText(dictionary, 'namedCurve'); } : undefined;
    const curveOf = ({ namedCurve }) => (isEC ? curves[namedCurve] : 0);
    const allUsages = concat(privateUsages, publicUsages);
    const make = (type, handle, algorithm, extractable, usages) =>
        makeKey(type, handle, { name, namedCurve: algorithm.namedCurve }, extractable, usages, type === 'private' ? privateUsages : publicUsages);

    function importJwk(algorithm, jwk, extractable, usages) {
        const isPrivate = jwk.d !== undefined;
        requireUsages(usages, isPrivate ? privateUsages : publicUsages);
        const curve = curveOf(algorithm);
        const crv = isEC ? algorithm.namedCurve : name;
        jwks.check(jwk, isEC ? 'EC' : 'OKP', use, extractable, usages);
        if (curve === undefined || jwk.crv !== crv) throw dataError(`importKey: crv of the JWK is not "${crv}"`);
        const names = jwkNames(crv);
        if (names.length > 0) jwks.checkAlgorithm(jwk, names);
        const length = coordinateBytes[curve];
        const point = isEC ? join(jwks.bytesOfMember(jwk, 'x', length), jwks.bytesOfMember(jwk, 'y', length)) : jwks.bytesOfMember(jwk, 'x', length);
        const handle = isPrivate ? ops.keyOfCurve(kind, curve, point, jwks.bytesOfMember(jwk, 'd', length)) : ops.keyDecode(kind, curve, forms.raw, point);
        return make(isPrivate ? 'private' : 'public', checked(handle), algorithm, extractable, usages);
    }

    function exportJwk(key) {
        const crv = isEC ? key.algorithm.namedCurve : name;
        return jwks.make(key, {
            kty: isEC ? 'EC' : 'OKP', crv, x: jwks.textOfPart(key, parts.x), y: isEC ? jwks.textOfPart(key, parts.y) : undefined,
            d: key.type === 'private' ? jwks.textOfPart(key, parts.d) : undefined, alg: isEC ? undefined : jwkNames(crv)[0],
        });
    }

    define(name, {
        ...own,
        generateKey: {
            params,
            async generateKey(algorithm, extractable, usages) {
                requireUsages(usages, allUsages);
                const curve = curveOf(algorithm);
                if (curve === undefined) throw notSupported(`generateKey: the curve "${algorithm.namedCurve}" is not supported`);
                const handle = await run(operations.generate, { number: kind, curve });
                return makePair(handle, { name, namedCurve: algorithm.namedCurve }, extractable, usages, privateUsages, publicUsages);
            },
        },
        importKey: {
            params,
            importKey(algorithm, format, data, extractable, usages) {
                if (format === 'jwk') return importJwk(algorithm, data, extractable, usages);
                const isPrivate = format === 'pkcs8';
                requireUsages(usages, isPrivate ? privateUsages : publicUsages);
                const curve = curveOf(algorithm);
                if (curve === undefined) throw dataError(`importKey: "${algorithm.namedCurve}" is no named curve`);
                return make(isPrivate ? 'private' : 'public', checked(ops.keyDecode(kind, curve, forms[format], data)), algorithm, extractable, usages);
            },
        },
        exportKey: {
            exportKey(key, format) {
                if (format === 'jwk') return exportJwk(key);
                if ((format === 'pkcs8') !== (key.type === 'private')) throw invalidAccess(`exportKey: a ${key.type} key has no format "${format}"`);
                return encoded(key, forms[format]);
            },
        },
    });
}

/** An uncompressed point. */
function join(x, y) {
    const length = TypedArrayPrototypeGetLength(x);
    const point = new Uint8Array(1 + 2 * length);
    point[0] = 4;
    TypedArrayPrototypeSet(point, x, 1);
    TypedArrayPrototypeSet(point, y, 1 + length);
    return point;
}

/** A key of the other half is refused. */
function requireType(key, type, what) {
    if (key.type !== type) throw invalidAccess(`${what}: the key is not ${type}`);
}

// ---- Signatures ----

const sign = (operation) => async ({ hash }, key, data) => {
    requireType(key, 'private', 'sign');
    return toBuffer(await run(operation, { hash, key: key.handle, data }));
};
const verify = (operation) => ({ hash }, key, signature, data) => {
    requireType(key, 'public', 'verify');
    return run(operation, { hash, key: key.handle, data, extra: signature });
};
const ecdsaParams = (dictionary, result) => { result.hash = requiredHash(dictionary); };
defineCurve('ECDSA', kinds.ec, ['sign'], ['verify'], 'sig', (curve) => [jwkSignatures[curve]], {
    sign: { params: ecdsaParams, sign: sign(operations.ecdsaSign) }, verify: { params: ecdsaParams, verify: verify(operations.ecdsaVerify) },
});
defineCurve('Ed25519', kinds.ed25519, ['sign'], ['verify'], 'sig', () => ['Ed25519', 'EdDSA'], {
    sign: { sign: sign(operations.eddsaSign) }, verify: { verify: verify(operations.eddsaVerify) },
});

// ---- Agreements ----

const agreeParams = (dictionary, result) => { result.public = requiredKey(dictionary, 'public'); };

/** @param {number | null} length in bits; null: all there are */
async function agree({ public: other, name }, key, length) {
    requireType(key, 'private', 'deriveBits');
    requireType(other, 'public', 'deriveBits');
    if (other.algorithm.name !== name || other.algorithm.namedCurve !== key.algorithm.namedCurve) throw invalidAccess('deriveBits: the public key is of another kind');
    const bytes = await run(operations.agree, { key: key.handle, other: other.handle });
    if (length === null) return toBuffer(bytes);
    const byteLength = (length + 7 - (length + 7) % 8) / 8;
    if (byteLength > TypedArrayPrototypeGetLength(bytes)) throw operationError(`deriveBits: there are no ${length} bits`);
    const first = TypedArrayPrototypeSlice(bytes, 0, byteLength);
    if (length % 8 !== 0) first[byteLength - 1] &= 0xFF << 8 - length % 8;
    return toBuffer(first);
}
defineCurve('ECDH', kinds.ec, ['deriveKey', 'deriveBits'], [], 'enc', () => [], { deriveBits: { params: agreeParams, deriveBits: agree } });
defineCurve('X25519', kinds.x25519, ['deriveKey', 'deriveBits'], [], 'enc', () => [], { deriveBits: { params: agreeParams, deriveBits: agree } });

return true;
