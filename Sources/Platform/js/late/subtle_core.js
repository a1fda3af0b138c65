'use strict';
// @ts-check
// What the algorithms of Web Cryptography share (https://w3c.github.io/webcrypto/): conversions, their registry, keys, and jobs for the native side.
//
// An algorithm is what it can do: of each operation how its parameters are read (a WebIDL dictionary) and what is done. They are in files by family, which are
// loaded when one of them is first named. The methods of SubtleCrypto know none of them by name.

const {
    ArrayPrototypeIncludes, ArrayPrototypePush, MathTrunc, NumberIsFinite, ObjectDefineProperty, ObjectKeys, ObjectSetPrototypeOf, Promise, SafeMap,
    StringPrototypeCharCodeAt, StringPrototypeToUpperCase, TypeError, TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetSymbolToStringTag,
    TypedArrayPrototypeSlice, Uint8Array,
} = primordials;
const { DOMException, customInspect } = internal;
const { bytesOf, isBufferSource, isShared } = internal.encoding;
const { CRYPTO_KEY, Stamp, exempt, makeSerializable } = internal.serialization;
const { shapeInterface, toDOMString } = internal.webidl;

const secret = {}; // who has it may construct

// ---- Errors ----

const notSupported = (what) => new DOMException(what, 'NotSupportedError');
const dataError = (what) => new DOMException(what, 'DataError');
const operationError = (what) => new DOMException(what, 'OperationError');
const syntaxError = (what) => new DOMException(what, 'SyntaxError');
const invalidAccess = (what) => new DOMException(what, 'InvalidAccessError');

// ---- Conversions (https://webidl.spec.whatwg.org/) ----

const keyUsages = ['encrypt', 'decrypt', 'sign', 'verify', 'deriveKey', 'deriveBits', 'wrapKey', 'unwrapKey'];

function toEnum(value, values, what) {
    const text = toDOMString(value);
    if (!ArrayPrototypeIncludes(values, text)) throw new TypeError(`${what}: "${text}" is not one of ${values}`);
    return text;
}

/** BufferSource: the bytes as they are, not copied. */
function toBytes(value, what) {
    if (!isBufferSource(value) || isShared(value)) throw new TypeError(`${what} is not an ArrayBuffer or a view of one`);
    return bytesOf(value);
}

/** (object or DOMString) */
const toIdentifier = (value) => ((typeof value === 'object' && value !== null) || typeof value === 'function' ? value : toDOMString(value));

/** An unsigned integer with [EnforceRange]. */
function toUnsigned(value, max, what) {
    const number = +value; // not Number(), which takes a BigInt
    const whole = MathTrunc(number) + 0;
    if (!NumberIsFinite(number) || whole < 0 || whole > max) throw new TypeError(`${what} is out of range`);
    return whole;
}
const octetMax = 255;
const unsignedShortMax = 65535;
const unsignedLongMax = 4294967295;

// Members of dictionaries. A BufferSource is copied: what it holds then is what counts.

function required(dictionary, member) {
    const value = dictionary[member];
    if (value === undefined) throw new TypeError(`the algorithm has no ${member}`);
    return value;
}
const requiredBytes = (dictionary, member) => TypedArrayPrototypeSlice(toBytes(required(dictionary, member), member), 0);
const requiredUnsigned = (dictionary, member, max) => toUnsigned(required(dictionary, member), max, member);
const requiredText = (dictionary, member) => toDOMString(required(dictionary, member));

function optionalBytes(dictionary, member) {
    const value = dictionary[member];
    return value === undefined ? undefined : TypedArrayPrototypeSlice(toBytes(value, member), 0);
}

function optionalUnsigned(dictionary, member, max) {
    const value = dictionary[member];
    return value === undefined ? undefined : toUnsigned(value, max, member);
}

/** BigInteger */
function requiredBigInteger(dictionary, member) {
    const value = required(dictionary, member);
    if (TypedArrayPrototypeGetSymbolToStringTag(value) !== 'Uint8Array' || isShared(value)) throw new TypeError(`${member} is not a Uint8Array`);
    return TypedArrayPrototypeSlice(value, 0);
}

function requiredKey(dictionary, member) {
    const slots = slotsOf(required(dictionary, member));
    if (slots === undefined) throw new TypeError(`${member} is not a CryptoKey`);
    return slots;
}

/** HashAlgorithmIdentifier */
const requiredHash = (dictionary) => normalize('digest', toIdentifier(required(dictionary, 'hash'))).name;

// ---- The registry ----

const families = [
    'subtle_hash', ['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512', 'SHA3-256', 'SHA3-384', 'SHA3-512', 'HMAC'],
    'subtle_aes', ['AES-CBC', 'AES-CTR', 'AES-GCM', 'AES-KW'],
    'subtle_rsa', ['RSASSA-PKCS1-v1_5', 'RSA-PSS', 'RSA-OAEP'],
    'subtle_curves', ['ECDSA', 'ECDH', 'Ed25519', 'X25519'],
    'subtle_derive', ['HKDF', 'PBKDF2'],
];

/** Name in capitals → its file, or { name, operations } once that is loaded. */
const algorithms = new SafeMap();
for (let i = 0; i < families.length; i += 2) {
    for (let k = 0; k < families[i + 1].length; k++) algorithms.set(StringPrototypeToUpperCase(families[i + 1][k]), families[i]);
}

/** @param {Record<string, object>} operations of each: { params(dictionary, result) } and a method of its own name */
function define(name, operations) {
    ObjectSetPrototypeOf(operations, null);
    const keys = ObjectKeys(operations);
    for (let i = 0; i < keys.length; i++) ObjectSetPrototypeOf(operations[keys[i]], null);
    algorithms.set(StringPrototypeToUpperCase(name), { name, operations });
}

/** What is registered of a name; undefined: nothing. */
function find(name) {
    const key = asciiUppercase(name);
    const found = algorithms.get(key);
    if (typeof found !== 'string') return found;
    internal.load(found);
    return algorithms.get(key);
}

/** Not String.prototype.toUpperCase alone, which makes an S of the long s. */
function asciiUppercase(text) {
    for (let i = 0; i < text.length; i++) if (StringPrototypeCharCodeAt(text, i) > 127) return text;
    return StringPrototypeToUpperCase(text);
}

/**
 * https://w3c.github.io/webcrypto/#algorithm-normalization-normalize-an-algorithm
 * @param {string} other an operation that will do instead
 * @returns {{name: string, how: object}} and the parameters
 */
function normalize(operation, algorithm, other = undefined) {
    let dictionary = { __proto__: null };
    let name;
    if (typeof algorithm === 'string') {
        name = algorithm;
    } else {
        dictionary = algorithm;
        name = requiredText(dictionary, 'name');
    }
    const found = find(name);
    const how = found === undefined ? undefined : found.operations[operation] ?? (other === undefined ? undefined : found.operations[other]);
    if (how === undefined) throw notSupported(`${operation}: the algorithm "${name}" is not supported`);
    internal.policy?.check('crypto', found.name);
    const result = { __proto__: null, name: found.name, how };
    if (how.params !== undefined) how.params(dictionary, result);
    return result;
}

// ---- Jobs ----

// Numbers of sl_crypto.h.
const operations = {
    __proto__: null, digest: 0, hmac: 1, gcmEncrypt: 2, gcmDecrypt: 3, cbcEncrypt: 4, cbcDecrypt: 5, ctr: 6, wrap: 7, unwrap: 8, oaepEncrypt: 9, oaepDecrypt: 10, pkcs1Sign: 11,
    pkcs1Verify: 12, pssSign: 13, pssVerify: 14, ecdsaSign: 15, ecdsaVerify: 16, eddsaSign: 17, eddsaVerify: 18, agree: 19, hkdf: 20, pbkdf2: 21, generateRSA: 22, generate: 23,
};
const hashNumbers = { __proto__: null, 'SHA-1': 1, 'SHA-256': 2, 'SHA-384': 3, 'SHA-512': 4, 'SHA3-256': 5, 'SHA3-384': 6, 'SHA3-512': 7 };

const waiting = new SafeMap(); // a job's id → who waits for it

/**
 * Done at once, or on another thread when it takes long. Throws OperationError when it fails.
 * @returns {Promise<any>} bytes, the handle of a key, or whether a signature is valid
 */
async function run(operation, { hash, curve = 0, number = 0, length = 0, key, other, data, iv, extra }) {
    let result = ops.cryptoRun(operation, hash === undefined ? 0 : hashNumbers[hash], curve, number, length, key, other, data, iv, extra);
    if (typeof result === 'number') {
        if (result < 0) throw operationError('too much is under way already');
        ops.refCount(1);
        result = await new Promise((resolve) => { waiting.set(result, resolve); });
    }
    if (result === null) throw operationError('the operation failed');
    return result;
}

internal.jobs = {
    /** The host's call. */
    ended(id, result) {
        const resolve = waiting.get(id);
        waiting.delete(id);
        ops.refCount(-1);
        resolve(result);
    },
};

// ---- Keys ----

function copyOf(list) {
    const copy = [];
    for (let i = 0; i < list.length; i++) ArrayPrototypePush(copy, list[i]);
    return copy;
}

function concat(first, second) {
    const all = copyOf(first);
    for (let i = 0; i < second.length; i++) ArrayPrototypePush(all, second[i]);
    return all;
}

/** Those that are allowed, each once, in the order of the standard's list (https://w3c.github.io/webcrypto/#concept-usage-intersection). */
function common(usages, allowed) {
    const result = [];
    for (let i = 0; i < keyUsages.length; i++) {
        if (ArrayPrototypeIncludes(usages, keyUsages[i]) && ArrayPrototypeIncludes(allowed, keyUsages[i])) ArrayPrototypePush(result, keyUsages[i]);
    }
    return result;
}

function requireUsages(usages, allowed) {
    for (let i = 0; i < usages.length; i++) {
        if (!ArrayPrototypeIncludes(allowed, usages[i])) throw syntaxError(`a key of this algorithm cannot be used to ${usages[i]}`);
    }
}

let slotsOf; // undefined: it is no key

class KeyState extends Stamp {
    // { type, extractable, usages, handle: where the native key lies, algorithm: { name, hash, length, namedCurve, modulusLength, publicExponent } }, and what
    // of it the program sees, made at the first look and the same ever after
    #slots;
    constructor(key, slots) {
        super(key);
        this.#slots = slots;
    }
    static { slotsOf = (value) => (value !== null && typeof value === 'object' && #slots in value ? value.#slots : undefined); }
}

function slots(key) {
    const found = slotsOf(key);
    if (found === undefined) throw new TypeError('Illegal invocation: the receiver is not a CryptoKey');
    return found;
}

/** KeyAlgorithm and what is derived from it. */
function show({ name, hash, length, namedCurve, modulusLength, publicExponent }) {
    const shown = { name };
    const add = (member, value) => ObjectDefineProperty(shown, member, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
    if (modulusLength !== undefined) add('modulusLength', modulusLength);
    if (publicExponent !== undefined) add('publicExponent', TypedArrayPrototypeSlice(publicExponent, 0));
    if (hash !== undefined) add('hash', { name: hash });
    if (length !== undefined) add('length', length);
    if (namedCurve !== undefined) add('namedCurve', namedCurve);
    return shown;
}

/** https://w3c.github.io/webcrypto/#cryptokey-interface */
class CryptoKey {
    constructor(key, state) { // eslint-disable-line
        if (key !== secret) throw new TypeError('Illegal constructor');
        const { type, extractable, usages, handle, algorithm } = state;
        const { name, hash, length, namedCurve, modulusLength, publicExponent } = algorithm;
        const made = makeSerializable(new.target, CryptoKey, [
            CRYPTO_KEY, type, extractable, usages, handle, name, hash, length, namedCurve, modulusLength, publicExponent,
        ]);
        new KeyState(made, state);
        return made;
    }

    get type() { return slots(this).type; }
    get extractable() { return slots(this).extractable; }
    get algorithm() {
        const state = slots(this);
        return (state.shownAlgorithm ??= show(state.algorithm));
    }
    get usages() {
        const state = slots(this);
        return (state.shownUsages ??= copyOf(state.usages));
    }

    [customInspect](depth, options, inspect) {
        const { type, extractable, algorithm, usages } = this;
        return `CryptoKey ${inspect({ type, extractable, algorithm, usages }, options)}`;
    }
}
ObjectDefineProperty(CryptoKey, 'length', { __proto__: null, value: 0, configurable: true });
shapeInterface(CryptoKey);
exempt(CryptoKey);

/** @param {'secret' | 'public' | 'private'} type @param {string[]} usages those of `allowed` are the key's */
function makeKey(type, handle, algorithm, extractable, usages, allowed) {
    ObjectSetPrototypeOf(algorithm, null);
    return new CryptoKey(secret, stateOf(type, extractable, common(usages, allowed), handle, algorithm));
}

const stateOf = (type, extractable, usages, handle, algorithm) =>
    ({ __proto__: null, type, extractable, usages, handle, algorithm, shownAlgorithm: undefined, shownUsages: undefined });

/** @param {Uint8Array} handle of the private key. @returns {{privateKey: CryptoKey, publicKey: CryptoKey}} */
function makePair(handle, algorithm, extractable, usages, privateUsages, publicUsages) {
    const other = ops.keyPublic(handle);
    if (other === null) throw operationError('the operation failed');
    return {
        privateKey: makeKey('private', handle, algorithm, extractable, usages, privateUsages),
        publicKey: makeKey('public', other, algorithm, true, usages, publicUsages),
    };
}

/** A key that a message has brought; 47_crypto.js calls it. */
function reviveKey(key, payload) {
    ObjectSetPrototypeOf(key, CryptoKey.prototype);
    const algorithm = {
        __proto__: null, name: payload[5], hash: payload[6], length: payload[7], namedCurve: payload[8], modulusLength: payload[9], publicExponent: payload[10],
    };
    new KeyState(key, stateOf(payload[1], payload[2], payload[3], payload[4], algorithm));
}

/** Bytes as the ArrayBuffer that a program gets. They are nobody else's. */
const toBuffer = (bytes) => TypedArrayPrototypeGetBuffer(bytes);

// ---- Forms of keys ----

const kinds = { __proto__: null, rsa: 1, ec: 2, ed25519: 3, x25519: 4 };
const forms = { __proto__: null, spki: 0, pkcs8: 1, raw: 2, seed: 3 };

/** @returns {Uint8Array} a handle. Throws DataError when it is none */
function checked(handle) {
    if (handle === null) throw dataError('importKey: the key is not valid');
    return handle;
}

/** An ArrayBuffer. */
function encoded(key, form) {
    const bytes = ops.keyEncode(key.handle, form);
    if (bytes === null) throw operationError('exportKey: the operation failed');
    return toBuffer(bytes);
}

/** What a secret key is made of. */
const bytesOfKey = (key) => ops.keyEncode(key.handle, forms.seed);

return {
    CryptoKey, bytesOfKey, checked, concat, copyOf, dataError, define, encoded, find, forms, hashNumbers, invalidAccess, keyUsages, kinds, makeKey, makePair, normalize, notSupported,
    octetMax, operationError, operations, optionalBytes, optionalUnsigned, requireUsages, required, requiredBigInteger, requiredBytes, requiredHash, requiredKey, requiredText,
    requiredUnsigned, reviveKey, run, slotsOf, syntaxError, toBuffer, toBytes, toEnum, toIdentifier, toUnsigned, unsignedLongMax, unsignedShortMax,
};
