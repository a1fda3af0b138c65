'use strict';
// @ts-check
// Web Cryptography Level 2 (https://w3c.github.io/webcrypto/): random values, and the interfaces. Loaded when a program first asks for `crypto` or one of them;
// the algorithms come when they are named (subtle_core).

const {
    ArrayBufferIsView, ArrayPrototypeIncludes, Boolean, ObjectDefineProperty, TypeError, TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength,
    TypedArrayPrototypeGetByteOffset, TypedArrayPrototypeGetSymbolToStringTag, Uint8Array, arrayFromIterable,
} = primordials;
const { DOMException } = internal;
const { bytesOf, isBufferSource, isShared } = internal.encoding;
const { requireArguments, shapeInterface } = internal.webidl;
const {
    CryptoKey, bytesOfKey, find, invalidAccess, keyUsages, normalize, notSupported, reviveKey, slotsOf, syntaxError, toBytes, toEnum, toIdentifier, toUnsigned, unsignedLongMax,
} = internal.load('subtle_core');

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

// ---- SubtleCrypto ----

const keyFormats = ['raw', 'spki', 'pkcs8', 'jwk'];

function toUsages(value, what) {
    return arrayFromIterable(value, what, (usage) => toEnum(usage, keyUsages, what));
}

function toKey(value, what) {
    const slots = slotsOf(value);
    if (slots === undefined) throw new TypeError(`${what} is not a CryptoKey`);
    return slots;
}

function requireUsage(algorithm, key, usage) {
    if (algorithm.name !== key.algorithm.name) throw invalidAccess(`${usage}: the key is for ${key.algorithm.name}`);
    if (!ArrayPrototypeIncludes(key.usages, usage)) throw invalidAccess(`${usage}: the key's usages do not say so`);
}

/** https://w3c.github.io/webcrypto/#dfn-structured-clone-a-key and the last steps of making one: it is there to be used. */
function requireUseful(key, what) {
    const slots = slotsOf(key);
    if (slots.type !== 'public' && slots.usages.length === 0) throw syntaxError(`${what}: no usage is given`);
    return key;
}

/** A method of SubtleCrypto: what goes wrong is a rejection. `run` may return a promise or a value. */
async function promised(receiver, given, wanted, name, run) {
    if (!isSubtle(receiver)) throw new TypeError(`${name}: the receiver is not a SubtleCrypto`);
    requireArguments(given, wanted, name);
    return await run(); // not `return run()`, which would call the promise's then
}

/** encrypt and decrypt */
function cipher(operation, algorithm, key, data) {
    const identifier = toIdentifier(algorithm);
    const slots = toKey(key, `${operation}: the key`);
    const bytes = toBytes(data, `${operation}: the data`);
    const normalized = normalize(operation, identifier);
    requireUsage(normalized, slots, operation);
    return normalized.how[operation](normalized, slots, bytes);
}

function exportKey(slots, format, what) {
    const how = find(slots.algorithm.name).operations.exportKey;
    if (how === undefined) throw notSupported(`${what}: ${slots.algorithm.name} keys stay here`);
    if (!slots.extractable) throw invalidAccess(`${what}: the key is not extractable`);
    return how.exportKey(slots, format);
}

async function deriveKey(algorithm, slots, wanted, extractable, usages) {
    const normalized = normalize('deriveBits', algorithm);
    const normalizedKey = normalize('importKey', wanted);
    const normalizedLength = normalize('keyLength', wanted);
    requireUsage(normalized, slots, 'deriveKey');
    const length = normalizedLength.how.keyLength(normalizedLength);
    const bits = await normalized.how.deriveBits(normalized, slots, length);
    return requireUseful(normalizedKey.how.importKey(normalizedKey, 'raw', new Uint8Array(bits), extractable, usages), 'deriveKey');
}

async function wrapKey(format, slots, wrapping, algorithm) {
    const normalized = normalize('wrapKey', algorithm, 'encrypt');
    requireUsage(normalized, wrapping, 'wrapKey');
    const exported = exportKey(slots, format, 'wrapKey');
    const bytes = format === 'jwk' ? internal.load('subtle_jwk').stringify(exported) : new Uint8Array(exported);
    const how = normalized.how.wrapKey ?? normalized.how.encrypt;
    return await how(normalized, wrapping, bytes);
}

async function unwrapKey(format, wrapped, unwrapping, algorithm, wanted, extractable, usages) {
    const normalized = normalize('unwrapKey', algorithm, 'decrypt');
    const normalizedKey = normalize('importKey', wanted);
    requireUsage(normalized, unwrapping, 'unwrapKey');
    const how = normalized.how.unwrapKey ?? normalized.how.decrypt;
    const bytes = new Uint8Array(await how(normalized, unwrapping, wrapped));
    const data = format === 'jwk' ? internal.load('subtle_jwk').parse(bytes) : bytes;
    return requireUseful(normalizedKey.how.importKey(normalizedKey, format, data, extractable, usages), 'unwrapKey');
}

let isSubtle;

/** https://w3c.github.io/webcrypto/#subtlecrypto-interface */
class SubtleCrypto {
    #brand;
    constructor(key) { if (key !== secret) throw new TypeError('Illegal constructor'); }
    static { isSubtle = (value) => value !== null && typeof value === 'object' && #brand in value; }

    encrypt(algorithm, key, data) {
        return promised(this, arguments.length, 3, 'encrypt', () => cipher('encrypt', algorithm, key, data));
    }
    decrypt(algorithm, key, data) {
        return promised(this, arguments.length, 3, 'decrypt', () => cipher('decrypt', algorithm, key, data));
    }
    sign(algorithm, key, data) {
        return promised(this, arguments.length, 3, 'sign', () => cipher('sign', algorithm, key, data));
    }
    verify(algorithm, key, signature, data) {
        return promised(this, arguments.length, 4, 'verify', () => {
            const identifier = toIdentifier(algorithm);
            const slots = toKey(key, 'verify: the key');
            const given = toBytes(signature, 'verify: the signature');
            const bytes = toBytes(data, 'verify: the data');
            const normalized = normalize('verify', identifier);
            requireUsage(normalized, slots, 'verify');
            return normalized.how.verify(normalized, slots, given, bytes);
        });
    }
    digest(algorithm, data) {
        return promised(this, arguments.length, 2, 'digest', () => {
            const identifier = toIdentifier(algorithm);
            const bytes = toBytes(data, 'digest: the data');
            const normalized = normalize('digest', identifier);
            return normalized.how.digest(normalized, bytes);
        });
    }
    generateKey(algorithm, extractable, keyUsages) {
        return promised(this, arguments.length, 3, 'generateKey', async () => {
            const identifier = toIdentifier(algorithm);
            const mayExport = Boolean(extractable);
            const usages = toUsages(keyUsages, 'generateKey: keyUsages');
            const normalized = normalize('generateKey', identifier);
            internal.policy?.check('random');
            const made = await normalized.how.generateKey(normalized, mayExport, usages);
            requireUseful(slotsOf(made) === undefined ? made.privateKey : made, 'generateKey');
            return made;
        });
    }
    deriveKey(algorithm, baseKey, derivedKeyType, extractable, keyUsages) {
        return promised(this, arguments.length, 5, 'deriveKey', () => {
            const identifier = toIdentifier(algorithm);
            const slots = toKey(baseKey, 'deriveKey: the key');
            const wanted = toIdentifier(derivedKeyType);
            const mayExport = Boolean(extractable);
            return deriveKey(identifier, slots, wanted, mayExport, toUsages(keyUsages, 'deriveKey: keyUsages'));
        });
    }
    deriveBits(algorithm, baseKey, length = null) {
        return promised(this, arguments.length, 2, 'deriveBits', () => {
            const identifier = toIdentifier(algorithm);
            const slots = toKey(baseKey, 'deriveBits: the key');
            const wanted = length === null ? null : toUnsigned(length, unsignedLongMax, 'deriveBits: the length');
            const normalized = normalize('deriveBits', identifier);
            requireUsage(normalized, slots, 'deriveBits');
            return normalized.how.deriveBits(normalized, slots, wanted);
        });
    }
    importKey(format, keyData, algorithm, extractable, keyUsages) {
        return promised(this, arguments.length, 5, 'importKey', () => {
            const kind = toEnum(format, keyFormats, 'importKey: format');
            const isBytes = isBufferSource(keyData) && !isShared(keyData);
            const data = isBytes ? bytesOf(keyData) : internal.load('subtle_jwk').toJsonWebKey(keyData, 'importKey: keyData');
            const identifier = toIdentifier(algorithm);
            const mayExport = Boolean(extractable);
            const usages = toUsages(keyUsages, 'importKey: keyUsages');
            if (isBytes === (kind === 'jwk')) throw new TypeError(`importKey: the format is "${kind}", but keyData is ${isBytes ? 'bytes' : 'an object'}`);
            const normalized = normalize('importKey', identifier);
            return requireUseful(normalized.how.importKey(normalized, kind, data, mayExport, usages), 'importKey');
        });
    }
    exportKey(format, key) {
        return promised(this, arguments.length, 2, 'exportKey', () => {
            const kind = toEnum(format, keyFormats, 'exportKey: format');
            return exportKey(toKey(key, 'exportKey: the key'), kind, 'exportKey');
        });
    }
    wrapKey(format, key, wrappingKey, wrapAlgorithm) {
        return promised(this, arguments.length, 4, 'wrapKey', () => {
            const kind = toEnum(format, keyFormats, 'wrapKey: format');
            const slots = toKey(key, 'wrapKey: the key');
            const wrapping = toKey(wrappingKey, 'wrapKey: the wrapping key');
            return wrapKey(kind, slots, wrapping, toIdentifier(wrapAlgorithm));
        });
    }
    unwrapKey(format, wrappedKey, unwrappingKey, unwrapAlgorithm, unwrappedKeyAlgorithm, extractable, keyUsages) {
        return promised(this, arguments.length, 7, 'unwrapKey', () => {
            const kind = toEnum(format, keyFormats, 'unwrapKey: format');
            const wrapped = toBytes(wrappedKey, 'unwrapKey: the wrapped key');
            const unwrapping = toKey(unwrappingKey, 'unwrapKey: the unwrapping key');
            const identifier = toIdentifier(unwrapAlgorithm);
            const wanted = toIdentifier(unwrappedKeyAlgorithm);
            const mayExport = Boolean(extractable);
            return unwrapKey(kind, wrapped, unwrapping, identifier, wanted, mayExport, toUsages(keyUsages, 'unwrapKey: keyUsages'));
        });
    }
}
ObjectDefineProperty(SubtleCrypto, 'length', { __proto__: null, value: 0, configurable: true });
shapeInterface(SubtleCrypto);

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
        internal.policy?.check('random');
        return randomUUID();
    }
}
ObjectDefineProperty(Crypto, 'length', { __proto__: null, value: 0, configurable: true });
shapeInterface(Crypto);

return {
    Crypto, CryptoKey, SubtleCrypto, crypto: new Crypto(secret), getRandomValues, randomUUID, reviveKey,
    /** The bytes of a secret key; undefined: it is none. */
    keyBytes(value) {
        const slots = slotsOf(value);
        return slots === undefined || slots.type !== 'secret' ? undefined : bytesOfKey(slots);
    },
};
