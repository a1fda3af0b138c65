'use strict';
// @ts-check
// node:crypto: hashes, HMACs, random values (https://nodejs.org/api/crypto.html). `Hash` and `Hmac` are no streams here. Errors are worded as Node's.

const {
    ArrayBufferIsView, Error, FinalizationRegistry, MathFloor, NumberIsSafeInteger, ObjectSetPrototypeOf, RangeError, ReflectApply, RegExpPrototypeExec, String,
    StringPrototypeSlice, TypeError,
    TypedArrayPrototypeGetLength, TypedArrayPrototypeGetSymbolToStringTag, TypedArrayPrototypeSlice, TypedArrayPrototypeSubarray, Uint8Array,
} = primordials;
const { customInspect } = internal;
const { bytesOf, isBufferSource } = internal.encoding;
const { split } = internal.text;
const { fromBytes } = internal.load('buffer_core');
const { encodingOf, encodings } = internal.load('buffer_encodings');
const { coded, invalidType, outOfRange, requireBoolean, requireFunction, requireObject, requireString, withDefault } = internal.load('node_errors');
const { crypto, getRandomValues, keyBytes, randomUUID: makeUUID } = internal.load('web_crypto');

const lengthOf = TypedArrayPrototypeGetLength;

// ---- Hashes ----

const copiedBytesMax = 4096; // what is kept of the first update, in the hope that there is no second: then it takes one call in all

/** What runs natively is given back when the object was collected before its digest. */
const registry = new FinalizationRegistry((id) => ops.hashClose(id));

const numbers = { __proto__: null }; // of algorithms, by the name they were asked for

/** As Web Cryptography calls it, where it does. */
const webName = (name) => (RegExpPrototypeExec(/^sha(?:1|256|384|512)$/i, name) === null ? name : `SHA-${StringPrototypeSlice(name, 3)}`);

function numberOf(name) {
    const known = numbers[name];
    if (known !== undefined) return known;
    const number = ops.hashNumber(name);
    if (number >= 0) internal.policy?.check('crypto', webName(name));
    if (number >= 0) numbers[name] = number;
    return number;
}

/** Text in another encoding than UTF-8 is made bytes; UTF-8 is left to the native side. */
function toData(data, encoding) {
    if (typeof data === 'string') {
        const found = typeof encoding === 'string' ? encodingOf(encoding) : undefined;
        if (found === encodings.hex && data.length % 2 !== 0) {
            throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', `The argument 'encoding' is invalid for data of length ${data.length}. Received 'hex'`);
        }
        return found === undefined || found === encodings.utf8 ? data : found.bytes(data);
    }
    if (!ArrayBufferIsView(data)) throw invalidType('data', 'of type string or an instance of Buffer, TypedArray, or DataView', data);
    return bytesOf(data);
}

function toText(bytes, encoding) {
    const found = encoding === undefined || encoding === null ? undefined : encodingOf(`${String(encoding)}`);
    return found === undefined ? fromBytes(bytes) : found.text(bytes);
}

const finalized = () => coded(Error, 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
const refused = () => coded(Error, 'ERR_CRYPTO_OPERATION_FAILED', 'OpenSSL refuses the operation');

let isComputation;

/** A digest or an HMAC in progress. */
class Computation {
    #brand;
    static { isComputation = (value) => value !== null && typeof value === 'object' && #brand in value; }

    constructor(number, key, length) {
        this.number = number;
        this.key = key; // undefined: a digest
        this.length = length; // of the digest in bytes; undefined: the algorithm's own
        this.first = undefined; // the only update so far
        this.id = -1; // of the native computation, once there is one
        this.done = false;
    }

    update(data) {
        if (this.id < 0 && this.first === undefined && (typeof data === 'string' || lengthOf(data) <= copiedBytesMax)) {
            this.first = typeof data === 'string' ? data : TypedArrayPrototypeSlice(data, 0);
            return;
        }
        this.open();
        ops.hashUpdate(this.id, data);
    }

    open() {
        if (this.id >= 0) return;
        this.id = ops.hashOpen(this.number, this.key);
        if (this.id < 0) throw refused();
        registry.register(this, this.id, this);
        if (this.first !== undefined) {
            ops.hashUpdate(this.id, this.first);
            this.first = undefined;
        }
    }

    /** @returns {Uint8Array} */
    finish() {
        this.done = true;
        let result;
        if (this.id < 0 && this.length === undefined) {
            const data = this.first ?? '';
            this.first = undefined;
            result = this.key === undefined ? ops.hash(this.number, data) : ops.hmac(this.number, this.key, data);
        } else {
            this.open();
            registry.unregister(this);
            result = ops.hashFinish(this.id, this.length);
        }
        if (result === null) throw refused();
        return result;
    }

    copy(length) {
        const copy = new Computation(this.number, this.key, length);
        if (this.id < 0) {
            copy.first = this.first;
            return copy;
        }
        copy.id = ops.hashCopy(this.id);
        if (copy.id < 0) throw refused();
        registry.register(copy, copy.id, copy);
        return copy;
    }
}
ObjectSetPrototypeOf(Computation.prototype, null);

function toLength(options, number) {
    if (options === undefined || options === null) return undefined;
    const { outputLength } = options;
    if (outputLength === undefined) return undefined;
    if (typeof outputLength !== 'number') throw invalidType('options.outputLength', 'of type number', outputLength);
    if (!NumberIsSafeInteger(outputLength)) throw outOfRange('options.outputLength', 'an integer', outputLength);
    if (outputLength < 0 || outputLength > 4294967295) throw outOfRange('options.outputLength', '>= 0 && <= 4294967295', outputLength);
    if (outputLength > outputBytesMax) throw outOfRange('options.outputLength', `<= ${outputBytesMax}`, outputLength);
    if (!isExtendable(number) && outputLength !== MathFloor(ops.hashSizes(number) / 65536)) {
        throw coded(Error, 'ERR_OSSL_EVP_NOT_XOF_OR_INVALID_LENGTH', 'error:030000B2:digital envelope routines::not XOF or invalid length');
    }
    return outputLength;
}
const outputBytesMax = 64 << 20;
const isExtendable = (number) => numberOf('shake128') === number || numberOf('shake256') === number;

function feed(computation, data, inputEncoding) {
    if (computation.done) throw finalized();
    computation.update(toData(data, inputEncoding));
}

class Hash {
    #computation;

    constructor(algorithm, options) {
        if (isComputation(algorithm)) { // from copy()
            this.#computation = algorithm;
            return;
        }
        requireString(algorithm, 'algorithm');
        const number = numberOf(algorithm);
        if (number < 0) throw new Error('Digest method not supported');
        this.#computation = new Computation(number, undefined, toLength(options, number));
    }

    copy(options) {
        const computation = this.#computation;
        if (computation.done) throw finalized();
        return new Hash(computation.copy(toLength(options, computation.number)));
    }

    update(data, inputEncoding) {
        feed(this.#computation, data, inputEncoding);
        return this;
    }

    digest(outputEncoding) {
        const computation = this.#computation;
        if (computation.done) throw finalized();
        return toText(computation.finish(), outputEncoding);
    }

    [customInspect]() { return 'Hash {}'; }
}

class Hmac {
    #computation;

    constructor(algorithm, key) {
        requireString(algorithm, 'hmac');
        const bytes = toKey(key);
        const number = numberOf(algorithm);
        if (number < 0) throw coded(TypeError, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${algorithm}`);
        this.#computation = new Computation(number, bytes, undefined);
    }

    update(data, inputEncoding) {
        feed(this.#computation, data, inputEncoding);
        return this;
    }

    digest(outputEncoding) {
        const computation = this.#computation;
        return toText(computation.done ? new Uint8Array(0) : computation.finish(), outputEncoding); // nothing the second time, as in Node
    }

    [customInspect]() { return 'Hmac {}'; }
}

function toKey(key) {
    if (typeof key === 'string') return ops.encodeUtf8(key);
    if (isBufferSource(key)) return TypedArrayPrototypeSlice(bytesOf(key), 0);
    const bytes = keyBytes(key);
    if (bytes === undefined) {
        throw invalidType('key', 'of type string or an instance of ArrayBuffer, Buffer, TypedArray, DataView, KeyObject, or CryptoKey', key);
    }
    return bytes;
}

const createHash = (algorithm, options) => new Hash(algorithm, options);
const createHmac = (hmac, key, options) => new Hmac(hmac, key);

/** crypto.hash(algorithm, data[, outputEncoding]) */
function hash(algorithm, data, outputEncoding = 'hex') {
    requireString(algorithm, 'algorithm');
    if (typeof data !== 'string' && !ArrayBufferIsView(data)) throw invalidType('input', 'of type string or an instance of Buffer, TypedArray, or DataView', data);
    if (outputEncoding !== 'buffer') requireString(outputEncoding, 'outputEncoding');
    const number = numberOf(algorithm);
    if (number < 0) throw new Error('Digest method not supported');
    const result = ops.hash(number, typeof data === 'string' ? data : bytesOf(data));
    if (result === null) throw refused();
    return toText(result, outputEncoding);
}

/** The digests there are, sorted. */
const getHashes = () => split(ops.hashNames(), '\n');

function timingSafeEqual(buf1, buf2) {
    if (!isBufferSource(buf1)) throw coded(TypeError, 'ERR_INVALID_ARG_TYPE', notBuffer('buf1'));
    if (!isBufferSource(buf2)) throw coded(TypeError, 'ERR_INVALID_ARG_TYPE', notBuffer('buf2'));
    const a = bytesOf(buf1);
    const b = bytesOf(buf2);
    if (lengthOf(a) !== lengthOf(b)) throw coded(RangeError, 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH', 'Input buffers must have the same byte length');
    return ops.equalBytes(a, b);
}
const notBuffer = (name) => `The "${name}" argument must be an instance of ArrayBuffer, Buffer, TypedArray, or DataView.`;

// ---- Random values ----

const sizeMax = 2147483647; // bytes
const intRangeMax = 0xFFFF_FFFF_FFFF;

/** Calls back in the next turn, as if something had been waited for. */
async function callLater(callback, value) {
    await internal.timers.nextTurn();
    try {
        ReflectApply(callback, undefined, [null, value]);
    } catch (error) {
        internal.reportError(error);
    }
}

function requireSize(value, name, max) {
    if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
    if (!(value >= 0 && value <= max)) throw outOfRange(name, `>= 0 && <= ${max}`, value);
    return MathFloor(value);
}

function randomBytes(size, callback) {
    const length = requireSize(size, 'size', sizeMax);
    if (callback !== undefined) requireFunction(callback, 'callback');
    const bytes = new Uint8Array(length);
    internal.policy?.check('random');
    if (length > 0) ops.random(bytes);
    const buffer = fromBytes(bytes);
    if (callback === undefined) return buffer;
    callLater(callback, buffer);
    return undefined;
}

const unitBytes = { __proto__: null, Uint16Array: 2, Int16Array: 2, Uint32Array: 4, Int32Array: 4, Float32Array: 4, Float64Array: 8, BigInt64Array: 8, BigUint64Array: 8 };
const unitOf = (buf) => (ArrayBufferIsView(buf) ? unitBytes[TypedArrayPrototypeGetSymbolToStringTag(buf)] ?? 1 : 1);

/** Offset and size count elements. */
function fill(buf, offset, size) {
    if (!isBufferSource(buf)) throw invalidType('buf', 'an instance of ArrayBuffer or ArrayBufferView', buf);
    const bytes = bytesOf(buf);
    const unit = unitOf(buf);
    const from = requireSize(offset ?? 0, 'offset', lengthOf(bytes) / unit) * unit;
    const count = size === undefined ? lengthOf(bytes) - from : requireSize(size, 'size', sizeMax) * unit;
    if (from + count > lengthOf(bytes)) throw outOfRange('size + offset', `<= ${lengthOf(bytes) / unit}`, (from + count) / unit);
    internal.policy?.check('random');
    if (count > 0) ops.random(TypedArrayPrototypeSubarray(bytes, from, from + count));
}

function randomFillSync(buf, offset = 0, size = undefined) {
    fill(buf, offset, size);
    return buf;
}

function randomFill(buf, offset, size, callback) {
    if (typeof offset === 'function') {
        callback = offset;
        offset = size = undefined;
    } else if (typeof size === 'function') {
        callback = size;
        size = undefined;
    }
    requireFunction(callback, 'callback');
    fill(buf, offset, size);
    callLater(callback, buf);
}

/** Evenly distributed: what would favour the low values is drawn again. */
function randomBelow(range) {
    internal.policy?.check('random');
    const bytes = new Uint8Array(6);
    const limit = 0x1_0000_0000_0000 - 0x1_0000_0000_0000 % range;
    for (;;) {
        ops.random(bytes);
        let value = 0;
        for (let i = 0; i < 6; i++) value = value * 256 + bytes[i];
        if (value < limit) return value % range;
    }
}

function randomInt(min, max, callback) {
    if (max === undefined || typeof max === 'function') {
        callback = max;
        max = min;
        min = 0;
    }
    if (callback !== undefined) requireFunction(callback, 'callback');
    if (!NumberIsSafeInteger(min)) throw invalidType('min', 'a safe integer', min);
    if (!NumberIsSafeInteger(max)) throw invalidType('max', 'a safe integer', max);
    if (max <= min) throw outOfRange('max', `greater than the value of "min" (${min})`, max);
    const range = max - min;
    if (range > intRangeMax) throw outOfRange('max - min', `<= ${intRangeMax}`, range);
    const value = min + randomBelow(range);
    if (callback === undefined) return value;
    callLater(callback, value);
    return undefined;
}

function randomUUID(options) {
    if (options !== undefined) {
        requireObject(options, 'options');
        const { disableEntropyCache } = options;
        if (disableEntropyCache !== undefined) requireBoolean(disableEntropyCache, 'options.disableEntropyCache');
    }
    internal.policy?.check('random');
    return makeUUID();
}

return withDefault({
    Hash, Hmac, createHash, createHmac, getHashes, getRandomValues: (array) => getRandomValues(array), hash, randomBytes, randomFill, randomFillSync, randomInt, randomUUID,
    subtle: crypto.subtle, timingSafeEqual, webcrypto: crypto,
});
