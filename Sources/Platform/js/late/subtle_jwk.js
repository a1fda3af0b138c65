'use strict';
// @ts-check
// JSON Web Keys (https://w3c.github.io/webcrypto/#JsonWebKey-dictionary, https://www.rfc-editor.org/rfc/rfc7517).

const {
    ArrayIsArray, ArrayPrototypeIncludes, Boolean, JSONParse, JSONStringify, ObjectDefineProperty, ObjectSetPrototypeOf, StringPrototypeCharCodeAt,
    TypedArrayPrototypeGetLength, arrayFromIterable,
} = primordials;
const { decodeBase64, encodeBase64 } = internal.encoding;
const { toDOMString, toDictionary } = internal.webidl;
const { copyOf, dataError } = internal.load('subtle_core');

const members = ['alg', 'crv', 'd', 'dp', 'dq', 'e', 'ext', 'k', 'key_ops', 'kty', 'n', 'oth', 'p', 'q', 'qi', 'use', 'x', 'y']; // as WebIDL reads them

/** A JsonWebKey as the program gives it. */
function toJsonWebKey(value, what) {
    const dictionary = toDictionary(value, what) ?? { __proto__: null };
    const jwk = { __proto__: null };
    for (let i = 0; i < members.length; i++) {
        const member = members[i];
        const given = dictionary[member];
        if (given === undefined) jwk[member] = undefined;
        else if (member === 'ext') jwk.ext = Boolean(given);
        else if (member === 'key_ops') jwk.key_ops = arrayFromIterable(given, 'key_ops', toDOMString);
        else if (member === 'oth') jwk.oth = arrayFromIterable(given, 'oth', (item) => toDictionary(item, 'oth'));
        else jwk[member] = toDOMString(given);
    }
    return jwk;
}

/** One that was encrypted. As the standard's "new global object" has it, no patched prototype takes part. */
function parse(bytes) {
    let parsed;
    try {
        parsed = JSONParse(ops.decodeUtf8(bytes, true, false));
    } catch {
        throw dataError('unwrapKey: it is no JSON');
    }
    if (parsed === null || typeof parsed !== 'object' || ArrayIsArray(parsed)) throw dataError('unwrapKey: it is no JSON Web Key');
    ObjectSetPrototypeOf(parsed, null);
    const { key_ops, oth } = parsed;
    parsed.key_ops = parsed.oth = undefined;
    for (let i = 0; i < members.length; i++) {
        const value = parsed[members[i]];
        if (value !== null && typeof value === 'object') throw dataError(`unwrapKey: ${members[i]} of the JSON Web Key is no text`);
    }
    const jwk = requireKeyType(toJsonWebKey(parsed, 'unwrapKey'));
    if (oth !== undefined) jwk.oth = [];
    if (key_ops === undefined) return jwk;
    if (!ArrayIsArray(key_ops)) throw dataError('unwrapKey: key_ops of the JSON Web Key is no list');
    for (let i = 0; i < key_ops.length; i++) if (typeof key_ops[i] !== 'string') throw dataError('unwrapKey: key_ops of the JSON Web Key is no list of texts');
    jwk.key_ops = key_ops;
    return jwk;
}

function requireKeyType(jwk) {
    if (jwk.kty === undefined) throw dataError('the JWK has no kty');
    return jwk;
}

/** Bytes of its JSON. */
function stringify(jwk) {
    ObjectSetPrototypeOf(jwk, null);
    ObjectSetPrototypeOf(jwk.key_ops, null);
    return ops.encodeUtf8(JSONStringify(jwk));
}

/** What all kinds of keys ask of one. @param {string} use what keys of the algorithm are for */
function check(jwk, kty, use, extractable, usages) {
    if (jwk.kty !== kty) throw dataError(`importKey: kty of the JWK is not "${kty}"`);
    if (usages.length > 0 && jwk.use !== undefined && jwk.use !== use) throw dataError(`importKey: use of the JWK is not "${use}"`);
    if (jwk.key_ops !== undefined) {
        for (let i = 0; i < jwk.key_ops.length; i++) {
            for (let k = 0; k < i; k++) if (jwk.key_ops[k] === jwk.key_ops[i]) throw dataError('importKey: key_ops of the JWK has a value twice');
        }
        for (let i = 0; i < usages.length; i++) {
            if (!ArrayPrototypeIncludes(jwk.key_ops, usages[i])) throw dataError(`importKey: key_ops of the JWK has no "${usages[i]}"`);
        }
    }
    if (jwk.ext === false && extractable) throw dataError('importKey: ext of the JWK is false');
}

/** `alg`, where there is one, must be among these. */
function checkAlgorithm(jwk, names) {
    if (jwk.alg !== undefined && !ArrayPrototypeIncludes(names, jwk.alg)) throw dataError(`importKey: alg of the JWK is not "${names[0]}"`);
}

/** The bytes of a member. @param {number} length that they must have; undefined: any */
function bytesOfMember(jwk, member, length = undefined) {
    const text = jwk[member];
    const bytes = text === undefined ? null : fromBase64url(text);
    if (bytes === null) throw dataError(`importKey: ${member} of the JWK is not base64url`);
    if (length !== undefined && TypedArrayPrototypeGetLength(bytes) !== length) throw dataError(`importKey: ${member} of the JWK does not have ${length} bytes`);
    return bytes;
}

function fromBase64url(text) {
    let plain = '';
    for (let i = 0; i < text.length; i++) {
        const unit = text[i];
        if (unit === '+' || unit === '/' || unit === '=' || StringPrototypeCharCodeAt(text, i) <= 32) return null;
        plain += unit === '-' ? '+' : unit === '_' ? '/' : unit;
    }
    return decodeBase64(plain);
}

/** A JsonWebKey for the program, its members in the order that WebIDL gives them. @param {object} values of members; undefined: left out */
function make(key, values) {
    ObjectSetPrototypeOf(values, null);
    values.key_ops = copyOf(key.usages);
    values.ext = key.extractable;
    const jwk = {};
    for (let i = 0; i < members.length; i++) {
        const value = values[members[i]];
        if (value !== undefined) ObjectDefineProperty(jwk, members[i], { __proto__: null, value, writable: true, enumerable: true, configurable: true });
    }
    return jwk;
}

/** A number or coordinate of a key as a member's text. */
const textOfPart = (key, part) => encodeBase64(ops.keyPart(key.handle, part), true);

return { bytesOfMember, check, checkAlgorithm, make, parse, stringify, textOfPart, toJsonWebKey };
