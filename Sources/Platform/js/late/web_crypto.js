'use strict';
// @ts-check
// Web Cryptography Level 2 (https://w3c.github.io/webcrypto/): random values, digests, HMAC. Loaded when a program first asks for `crypto` or one of the interfaces.
//
// Another algorithm is an entry of `algorithms`: what it can do, each with how its parameters are read (a WebIDL dictionary) and what is done. The methods of
// SubtleCrypto know none of them by name.

const {
    ArrayBufferIsView, ArrayPrototypeIncludes, ArrayPrototypePush, Boolean, MathMin, MathTrunc, Number, NumberIsFinite, ObjectDefineProperty, ObjectKeys,
    ObjectSetPrototypeOf, SafeMap, StringPrototypeCharCodeAt, StringPrototypeToUpperCase, TypeError, TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength,
    TypedArrayPrototypeGetByteOffset, TypedArrayPrototypeGetLength, TypedArrayPrototypeGetSymbolToStringTag, TypedArrayPrototypeSlice,
    TypedArrayPrototypeSubarray, Uint8Array, arrayFromIterable,
} = primordials;
const { DOMException, customInspect } = internal;
const { bytesOf, decodeBase64, encodeBase64, isBufferSource, isShared } = internal.encoding;
const { CRYPTO_KEY, Stamp, exempt, makeSerializable } = internal.serialization;
const { requireArguments, shapeInterface, toDOMString, toDictionary } = internal.webidl;

const lengthOf = TypedArrayPrototypeGetLength;
const secret = {}; // who has it may construct

// ---- Random values ----

const randomBytesMax = 65536;
const integerArrays = ['Uint8Array', 'Int8Array', 'Uint8ClampedArray', 'Uint16Array', 'Int16Array', 'Uint32Array', 'Int32Array', 'BigInt64Array', 'BigUint64Array'];

/** https://w3c.github.io/webcrypto/#Crypto-method-getRandomValues */
function getRandomValues(array) {
    internal.policy?.check('random');
    if (!ArrayBufferIsView(array) || isShared(array)) throw new TypeError('getRandomValues: the argument is not a view of an ArrayBuffer');
    const tag = TypedArrayPrototypeGetSymbolToStringTag(array);
    if (tag === undefined || !ArrayPrototypeIncludes(integerArrays, tag)) {
        throw new DOMException('getRandomValues: the array must be one of integers', 'TypeMismatchError');
    }
    const byteLength = TypedArrayPrototypeGetByteLength(array);
    if (byteLength > randomBytesMax) {
        throw new DOMException(`getRandomValues: ${byteLength} bytes are asked for, at most ${randomBytesMax} are given at once`, 'QuotaExceededError');
    }
    if (byteLength > 0) ops.random(new Uint8Array(TypedArrayPrototypeGetBuffer(array), TypedArrayPrototypeGetByteOffset(array), byteLength));
    return array;
}

const pool = new Uint8Array(2048); // random bytes for identifiers, made for many at once
let poolUsed = 2048;
const hexPairs = [];
for (let i = 0; i < 256; i++) hexPairs[i] = '0123456789abcdef'[i >> 4] + '0123456789abcdef'[i & 15];

/** https://w3c.github.io/webcrypto/#Crypto-method-randomUUID */
function randomUUID() {
    internal.policy?.check('random');
    if (poolUsed === 2048) {
        ops.random(pool);
        poolUsed = 0;
    }
    const at = poolUsed;
    poolUsed += 16;
    const pair = (i) => {
        const byte = pool[at + i];
        pool[at + i] = 0; // what was given out is not kept
        return byte;
    };
    const h = hexPairs;
    return h[pair(0)] + h[pair(1)] + h[pair(2)] + h[pair(3)] + '-' + h[pair(4)] + h[pair(5)] + '-' + h[pair(6) & 0x0F | 0x40] + h[pair(7)] + '-' +
        h[pair(8) & 0x3F | 0x80] + h[pair(9)] + '-' + h[pair(10)] + h[pair(11)] + h[pair(12)] + h[pair(13)] + h[pair(14)] + h[pair(15)];
}

// ---- Conversions (https://webidl.spec.whatwg.org/) ----

const keyUsages = ['encrypt', 'decrypt', 'sign', 'verify', 'deriveKey', 'deriveBits', 'wrapKey', 'unwrapKey'];
const keyFormats = ['raw', 'spki', 'pkcs8', 'jwk'];

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

function toUsages(value, what) {
    if (value === null || (typeof value !== 'object' && typeof value !== 'function')) throw new TypeError(`${what} is not a sequence`);
    const list = arrayFromIterable(value, what);
    for (let i = 0; i < list.length; i++) list[i] = toEnum(list[i], keyUsages, what);
    return list;
}

/** unsigned long with [EnforceRange] */
function toUnsignedLong(value, what) {
    const number = Number(value);
    const whole = MathTrunc(number) + 0;
    if (!NumberIsFinite(number) || whole < 0 || whole > 4294967295) throw new TypeError(`${what} is out of range`);
    return whole;
}

function toKey(value, what) {
    const slots = slotsOf(value);
    if (slots === undefined) throw new TypeError(`${what} is not a CryptoKey`);
    return slots;
}

/** JsonWebKey (https://w3c.github.io/webcrypto/#JsonWebKey-dictionary), the members that an `oct` key has, in alphabetical order. */
function toJsonWebKey(value) {
    const text = (member) => (member === undefined ? undefined : toDOMString(member));
    const alg = text(value.alg);
    const ext = value.ext === undefined ? undefined : Boolean(value.ext);
    const k = text(value.k);
    let key_ops = value.key_ops;
    if (key_ops !== undefined) {
        if (key_ops === null || (typeof key_ops !== 'object' && typeof key_ops !== 'function')) throw new TypeError('key_ops is not a sequence');
        key_ops = arrayFromIterable(key_ops, 'key_ops');
        for (let i = 0; i < key_ops.length; i++) key_ops[i] = toDOMString(key_ops[i]);
    }
    const kty = text(value.kty);
    const use = text(value.use);
    return { alg, ext, k, key_ops, kty, use };
}

// ---- Algorithms ----

const notSupported = (what) => new DOMException(what, 'NotSupportedError');
const dataError = (what) => new DOMException(what, 'DataError');

/** Name in capitals → { name, and of each operation it has: { params(dictionary, result), and what is done } } */
const algorithms = new SafeMap();
function define(name, operations) {
    ObjectSetPrototypeOf(operations, null);
    const keys = ObjectKeys(operations);
    for (let i = 0; i < keys.length; i++) ObjectSetPrototypeOf(operations[keys[i]], null);
    algorithms.set(StringPrototypeToUpperCase(name), { name, operations });
}

/** Not String.prototype.toUpperCase alone, which makes an S of the long s. */
function asciiUppercase(text) {
    for (let i = 0; i < text.length; i++) if (StringPrototypeCharCodeAt(text, i) > 127) return text;
    return StringPrototypeToUpperCase(text);
}

/** https://w3c.github.io/webcrypto/#algorithm-normalization-normalize-an-algorithm. @returns {{name: string, operation: object}} and the parameters */
function normalize(operation, algorithm) {
    let dictionary = { __proto__: null };
    let name;
    if (typeof algorithm === 'string') {
        name = algorithm;
    } else {
        dictionary = algorithm;
        const member = dictionary.name;
        if (member === undefined) throw new TypeError('the algorithm has no name');
        name = toDOMString(member);
    }
    const found = algorithms.get(asciiUppercase(name));
    const how = found === undefined ? undefined : found.operations[operation];
    if (how === undefined) throw notSupported(`${operation}: the algorithm "${name}" is not supported`);
    internal.policy?.check('crypto', found.name);
    const result = { __proto__: null, name: found.name, how };
    if (how.params !== undefined) how.params(dictionary, result);
    return result;
}

/** A required HashAlgorithmIdentifier. */
function toHash(dictionary) {
    const { hash } = dictionary;
    if (hash === undefined) throw new TypeError('the algorithm has no hash');
    return normalize('digest', toIdentifier(hash)).name;
}

// ---- Digests (https://w3c.github.io/webcrypto/#sha) ----

const digestNames = ['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512'];
const blockBits = { __proto__: null, 'SHA-1': 512, 'SHA-256': 512, 'SHA-384': 1024, 'SHA-512': 1024 };
const numbers = { __proto__: null };
const numberOf = (name) => (numbers[name] ??= ops.hashNumber(name));

// What is longer is worked on in turns of the loop, so that timers and requests are served in between.
const sliceBytes = 1 << 20;

/** A digest, or with a key an HMAC, as a Uint8Array or a promise of one. */
function compute(hash, key, bytes) {
    const number = numberOf(hash);
    if (lengthOf(bytes) <= sliceBytes) return checked(key === undefined ? ops.hash(number, bytes) : ops.hmac(number, key, bytes));
    return computeInSlices(number, key, TypedArrayPrototypeSlice(bytes, 0)); // the caller's buffer is the caller's
}

function checked(result) {
    if (result === null) throw new DOMException('OpenSSL refuses', 'OperationError');
    return result;
}

async function computeInSlices(number, key, bytes) {
    const id = ops.hashOpen(number, key);
    if (id < 0) throw new DOMException('too many computations are under way', 'OperationError');
    for (let at = 0; at < lengthOf(bytes); at += sliceBytes) {
        if (at > 0) await internal.timers.nextTurn();
        ops.hashUpdate(id, TypedArrayPrototypeSubarray(bytes, at, MathMin(at + sliceBytes, lengthOf(bytes))));
    }
    return checked(ops.hashFinish(id));
}

for (let i = 0; i < digestNames.length; i++) define(digestNames[i], { digest: { digest: (algorithm, bytes) => compute(algorithm.name, undefined, bytes) } });

// ---- HMAC (https://w3c.github.io/webcrypto/#hmac) ----

const generatedBytesMax = 1 << 20; // of a key
const jwkAlgorithms = { __proto__: null, 'SHA-1': 'HS1', 'SHA-256': 'HS256', 'SHA-384': 'HS384', 'SHA-512': 'HS512' };

/** HmacKeyGenParams and HmacImportParams */
function hmacParams(dictionary, result) {
    result.hash = toHash(dictionary);
    const { length } = dictionary;
    result.length = length === undefined ? undefined : toUnsignedLong(length, 'length');
}

function requireUsages(usages, allowed) {
    for (let i = 0; i < usages.length; i++) {
        if (!ArrayPrototypeIncludes(allowed, usages[i])) throw new DOMException(`a key of this algorithm cannot be used to ${usages[i]}`, 'SyntaxError');
    }
}

function makeHmacKey(bytes, hash, length, extractable, usages) {
    return new CryptoKey(secret, stateOfKey('secret', extractable, 'HMAC', hash, length, ordered(usages), bytes));
}

function stateOfKey(type, extractable, name, hash, length, usages, bytes) {
    const algorithm = { __proto__: null, name, hash: { __proto__: null, name: hash }, length };
    return { __proto__: null, type, extractable, usages, bytes, algorithm, shownAlgorithm: undefined, shownUsages: undefined };
}

function importHmac(algorithm, format, data, extractable, usages) {
    requireUsages(usages, ['sign', 'verify']);
    let bytes;
    if (format === 'raw') {
        bytes = TypedArrayPrototypeSlice(data, 0);
    } else if (format === 'jwk') {
        bytes = bytesOfJwk(data, jwkAlgorithms[algorithm.hash], 'sig', extractable, usages);
    } else {
        throw notSupported(`importKey: HMAC keys have no format "${format}"`);
    }
    const bits = lengthOf(bytes) * 8;
    if (bits === 0) throw dataError('importKey: the key has no bytes');
    let { length } = algorithm;
    if (length === undefined) length = bits;
    else if (length > bits || length <= bits - 8) throw dataError(`importKey: the key has ${bits} bits, not ${length}`);
    return makeHmacKey(bytes, algorithm.hash, length, extractable, usages);
}

/** The bytes of an `oct` key (https://www.rfc-editor.org/rfc/rfc7518#section-6.4). */
function bytesOfJwk(jwk, alg, use, extractable, usages) {
    if (jwk.kty !== 'oct') throw dataError('importKey: kty of the JWK is not "oct"');
    const bytes = jwk.k === undefined ? null : fromBase64url(jwk.k);
    if (bytes === null) throw dataError('importKey: k of the JWK is not base64url');
    if (jwk.alg !== undefined && jwk.alg !== alg) throw dataError(`importKey: alg of the JWK is not "${alg}"`);
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
    return bytes;
}

function fromBase64url(text) {
    let plain = '';
    for (let i = 0; i < text.length; i++) {
        const unit = text[i];
        if (unit === '+' || unit === '/' || unit === '=' || unit <= ' ') return null;
        plain += unit === '-' ? '+' : unit === '_' ? '/' : unit;
    }
    return decodeBase64(plain);
}

define('HMAC', {
    generateKey: {
        params: hmacParams,
        generateKey({ hash, length }, extractable, usages) {
            requireUsages(usages, ['sign', 'verify']);
            if (length === 0) throw new DOMException('generateKey: the length is 0', 'OperationError');
            if (usages.length === 0) throw new DOMException('generateKey: no usage is given', 'SyntaxError');
            length ??= blockBits[hash];
            const byteLength = length + 7 >>> 3;
            if (byteLength > generatedBytesMax) throw new DOMException(`generateKey: the length is over ${8 * generatedBytesMax} bits`, 'OperationError');
            const bytes = new Uint8Array(byteLength);
            ops.random(bytes);
            return makeHmacKey(bytes, hash, length, extractable, usages);
        },
    },
    importKey: { params: hmacParams, importKey: importHmac },
    exportKey: {
        exportKey(key, format) {
            if (format === 'raw') return TypedArrayPrototypeGetBuffer(TypedArrayPrototypeSlice(key.bytes, 0));
            if (format !== 'jwk') throw notSupported(`exportKey: HMAC keys have no format "${format}"`);
            return {
                alg: jwkAlgorithms[key.algorithm.hash.name], ext: key.extractable, k: encodeBase64(key.bytes, true), key_ops: copyOf(key.usages), kty: 'oct',
            };
        },
    },
    sign: { sign: (key, data) => compute(key.algorithm.hash.name, key.bytes, data) },
    verify: {
        async verify(key, signature, data) {
            return ops.equalBytes(await compute(key.algorithm.hash.name, key.bytes, data), signature);
        },
    },
});

// ---- Keys ----

function copyOf(list) {
    const copy = [];
    for (let i = 0; i < list.length; i++) ArrayPrototypePush(copy, list[i]);
    return copy;
}

/** Each once, in the order of the standard's list (https://w3c.github.io/webcrypto/#concept-usage-intersection). */
function ordered(usages) {
    const result = [];
    for (let i = 0; i < keyUsages.length; i++) if (ArrayPrototypeIncludes(usages, keyUsages[i])) ArrayPrototypePush(result, keyUsages[i]);
    return result;
}

let slotsOf; // undefined: it is no key

class KeyState extends Stamp {
    #slots; // { type, extractable, algorithm, usages, bytes }, and what of it the program sees, made at the first look and the same ever after
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

/** https://w3c.github.io/webcrypto/#cryptokey-interface */
class CryptoKey {
    constructor(key, state) { // eslint-disable-line
        if (key !== secret) throw new TypeError('Illegal constructor');
        const { type, extractable, algorithm, usages, bytes } = state;
        const payload = [CRYPTO_KEY, type, extractable, algorithm.name, algorithm.hash.name, algorithm.length, usages, bytes];
        const made = makeSerializable(new.target, CryptoKey, payload);
        new KeyState(made, state);
        return made;
    }

    get type() { return slots(this).type; }
    get extractable() { return slots(this).extractable; }
    get algorithm() {
        const state = slots(this);
        const { algorithm } = state;
        return (state.shownAlgorithm ??= { name: algorithm.name, hash: { name: algorithm.hash.name }, length: algorithm.length });
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

/** A key that a message has brought; 47_crypto.js calls it. */
function reviveKey(key, payload) {
    ObjectSetPrototypeOf(key, CryptoKey.prototype);
    new KeyState(key, stateOfKey(payload[1], payload[2], payload[3], payload[4], payload[5], payload[6], payload[7]));
}

// ---- The interfaces ----

/** A method of SubtleCrypto: what goes wrong is a rejection. `run` may return a promise or a value. */
async function promised(receiver, given, wanted, name, run) {
    if (!isSubtle(receiver)) throw new TypeError(`${name}: the receiver is not a SubtleCrypto`);
    requireArguments(given, wanted, name);
    return await run(); // not `return run()`, which would call the promise's then
}

const bufferOf = async (result) => TypedArrayPrototypeGetBuffer(await result);

function requireUsage(algorithm, key, usage) {
    if (algorithm.name !== key.algorithm.name) throw new DOMException(`${usage}: the key is for ${key.algorithm.name}`, 'InvalidAccessError');
    if (!ArrayPrototypeIncludes(key.usages, usage)) throw new DOMException(`${usage}: the key's usages do not say so`, 'InvalidAccessError');
}

let isSubtle;

/** https://w3c.github.io/webcrypto/#subtlecrypto-interface */
class SubtleCrypto {
    #brand;
    constructor(key) { if (key !== secret) throw new TypeError('Illegal constructor'); }
    static { isSubtle = (value) => value !== null && typeof value === 'object' && #brand in value; }

    encrypt(algorithm, key, data) {
        return promised(this, arguments.length, 3, 'encrypt', () => unsupported('encrypt', algorithm, key, data));
    }
    decrypt(algorithm, key, data) {
        return promised(this, arguments.length, 3, 'decrypt', () => unsupported('decrypt', algorithm, key, data));
    }
    sign(algorithm, key, data) {
        return promised(this, arguments.length, 3, 'sign', () => {
            const identifier = toIdentifier(algorithm);
            const slots = toKey(key, 'sign: the key');
            const bytes = toBytes(data, 'sign: the data');
            const normalized = normalize('sign', identifier);
            requireUsage(normalized, slots, 'sign');
            return bufferOf(normalized.how.sign(slots, bytes));
        });
    }
    verify(algorithm, key, signature, data) {
        return promised(this, arguments.length, 4, 'verify', () => {
            const identifier = toIdentifier(algorithm);
            const slots = toKey(key, 'verify: the key');
            const mac = toBytes(signature, 'verify: the signature');
            const bytes = toBytes(data, 'verify: the data');
            const normalized = normalize('verify', identifier);
            requireUsage(normalized, slots, 'verify');
            return normalized.how.verify(slots, TypedArrayPrototypeSlice(mac, 0), bytes);
        });
    }
    digest(algorithm, data) {
        return promised(this, arguments.length, 2, 'digest', () => {
            const identifier = toIdentifier(algorithm);
            const bytes = toBytes(data, 'digest: the data');
            const normalized = normalize('digest', identifier);
            return bufferOf(normalized.how.digest(normalized, bytes));
        });
    }
    generateKey(algorithm, extractable, keyUsages) {
        return promised(this, arguments.length, 3, 'generateKey', () => {
            const identifier = toIdentifier(algorithm);
            const mayExport = Boolean(extractable);
            const usages = toUsages(keyUsages, 'generateKey: keyUsages');
            const normalized = normalize('generateKey', identifier);
            return normalized.how.generateKey(normalized, mayExport, usages);
        });
    }
    deriveKey(algorithm, baseKey, derivedKeyType, extractable, keyUsages) {
        return promised(this, arguments.length, 5, 'deriveKey', () => unsupported('deriveKey', algorithm, baseKey));
    }
    deriveBits(algorithm, baseKey, length = null) {
        return promised(this, arguments.length, 2, 'deriveBits', () => unsupported('deriveBits', algorithm, baseKey));
    }
    importKey(format, keyData, algorithm, extractable, keyUsages) {
        return promised(this, arguments.length, 5, 'importKey', () => {
            const kind = toEnum(format, keyFormats, 'importKey: format');
            const isBytes = isBufferSource(keyData) && !isShared(keyData);
            const data = isBytes ? bytesOf(keyData) : toJsonWebKey(toDictionary(keyData, 'importKey: keyData') ?? {});
            const identifier = toIdentifier(algorithm);
            const mayExport = Boolean(extractable);
            const usages = toUsages(keyUsages, 'importKey: keyUsages');
            if (isBytes === (kind === 'jwk')) throw new TypeError(`importKey: the format is "${kind}", but keyData is ${isBytes ? 'bytes' : 'an object'}`);
            const normalized = normalize('importKey', identifier);
            const key = normalized.how.importKey(normalized, kind, data, mayExport, usages);
            if (usages.length === 0 && slotsOf(key).type !== 'public') throw new DOMException('importKey: no usage is given', 'SyntaxError');
            return key;
        });
    }
    exportKey(format, key) {
        return promised(this, arguments.length, 2, 'exportKey', () => {
            const kind = toEnum(format, keyFormats, 'exportKey: format');
            const slots = toKey(key, 'exportKey: the key');
            const how = algorithms.get(StringPrototypeToUpperCase(slots.algorithm.name)).operations.exportKey;
            if (how === undefined) throw notSupported(`exportKey: ${slots.algorithm.name}`);
            if (!slots.extractable) throw new DOMException('exportKey: the key is not extractable', 'InvalidAccessError');
            return how.exportKey(slots, kind);
        });
    }
    wrapKey(format, key, wrappingKey, wrapAlgorithm) {
        return promised(this, arguments.length, 4, 'wrapKey', () => unsupported('wrapKey', wrapAlgorithm, wrappingKey));
    }
    unwrapKey(format, wrappedKey, unwrappingKey, unwrapAlgorithm, unwrappedKeyAlgorithm, extractable, keyUsages) {
        return promised(this, arguments.length, 7, 'unwrapKey', () => unsupported('unwrapKey', unwrapAlgorithm, unwrappingKey));
    }
}
ObjectDefineProperty(SubtleCrypto, 'length', { __proto__: null, value: 0, configurable: true });
shapeInterface(SubtleCrypto);

/** Operations that no algorithm here has. The arguments are looked at first, as the standard does. */
function unsupported(operation, algorithm, key, data) {
    const identifier = toIdentifier(algorithm);
    toKey(key, `${operation}: the key`);
    if (operation === 'encrypt' || operation === 'decrypt') toBytes(data, `${operation}: the data`);
    return normalize(operation, identifier);
}

/** https://w3c.github.io/webcrypto/#crypto-interface */
class Crypto {
    #subtle;
    constructor(key) {
        if (key !== secret) throw new TypeError('Illegal constructor');
        this.#subtle = new SubtleCrypto(secret);
    }
    get subtle() { return this.#subtle; }
    getRandomValues(array) {
        this.#subtle;
        requireArguments(arguments.length, 1, 'getRandomValues');
        return getRandomValues(array);
    }
    randomUUID() {
        this.#subtle;
        return randomUUID();
    }
}
ObjectDefineProperty(Crypto, 'length', { __proto__: null, value: 0, configurable: true });
shapeInterface(Crypto);

return {
    Crypto, CryptoKey, SubtleCrypto, crypto: new Crypto(secret), getRandomValues, randomUUID, reviveKey,
    /** The bytes of a secret key; undefined: it is none. */
    keyBytes: (value) => slotsOf(value)?.bytes,
};
