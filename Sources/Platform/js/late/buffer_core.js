'use strict';
// @ts-check
// Buffer: a Uint8Array that knows encodings (https://nodejs.org/api/buffer.html#class-buffer). Here: making, converting, comparing, copying.
// Numbers are read and written in buffer_numbers.js, searching and filling is in buffer_search.js.

const {
    ArrayBufferIsView, ArrayBufferPrototypeGetByteLength, ArrayIsArray, ArrayPrototypePush, FunctionPrototypeSymbolHasInstance, MathFloor, MathTrunc,
    Number, NumberIsNaN, ObjectDefineProperty, ObjectKeys, ObjectSetPrototypeOf, RangeError, ReflectApply, String, StringPrototypeSlice, SymbolFor,
    SymbolSpecies, SymbolToPrimitive, TypeError, TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength, TypedArrayPrototypeGetByteOffset,
    TypedArrayPrototypeGetLength, TypedArrayPrototypeGetSymbolToStringTag, TypedArrayPrototypeSet, Uint8Array,
} = primordials;
const { coded, define, invalidType, outOfRange, received, requireInteger, requireNumber, requireString } = internal.load('node_errors');
const { encodingOf, encodings } = internal.load('buffer_encodings');
const { is } = internal.types;

const lengthMax = 2 ** 32; // bytes: V8's limit of typed arrays
const stringLengthMax = 536870888; // V8's
const lengthOf = TypedArrayPrototypeGetLength;

class FastBuffer extends Uint8Array {
    // Not left out: V8's own hands the arguments on through Array.prototype[Symbol.iterator].
    constructor(source, byteOffset, length) { super(source, byteOffset, length); }
}

const isBytes = (value) => ArrayBufferIsView(value) && TypedArrayPrototypeGetSymbolToStringTag(value) === 'Uint8Array';
const isBuffer = (value) => value !== null && typeof value === 'object' && FunctionPrototypeSymbolHasInstance(Buffer, value);
const isAnyArrayBuffer = (value) => value !== null && typeof value === 'object' && (is('ArrayBuffer', value) || is('SharedArrayBuffer', value));
const bufferLength = (buffer) =>
    (is('ArrayBuffer', buffer) ? ArrayBufferPrototypeGetByteLength(buffer) : internal.late.SharedArrayBufferPrototypeGetByteLength(buffer));

/** A Buffer on the same bytes. @param {Uint8Array} bytes */
function fromBytes(bytes) {
    return new FastBuffer(TypedArrayPrototypeGetBuffer(bytes), TypedArrayPrototypeGetByteOffset(bytes), lengthOf(bytes));
}

/** The bytes of buffer[start ..< end] as a plain Uint8Array. */
function part(buffer, start, end) {
    return new Uint8Array(TypedArrayPrototypeGetBuffer(buffer), TypedArrayPrototypeGetByteOffset(buffer) + start, end > start ? end - start : 0);
}

/** The encoding of that label; falsy: UTF-8. */
function requireEncoding(label) {
    if (!label) return encodings.utf8;
    const encoding = encodingOf(`${label}`);
    if (encoding === undefined) throw coded(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${String(label)}`);
    return encoding;
}

function requireSize(size) {
    requireNumber(size, 'size', 0, lengthMax);
    return size;
}

// ---- Making ----

/** @deprecated by Node, and still in use */
function Buffer(value, encodingOrOffset, length) {
    if (typeof value === 'number') {
        if (typeof encodingOrOffset === 'string') throw invalidType('string', 'of type string', value);
        return alloc(value);
    }
    return from(value, encodingOrOffset, length);
}

function outOfBounds(name) {
    return coded(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', name === undefined ? 'Attempt to access memory outside buffer bounds' : `"${name}" is outside of buffer bounds`);
}

function fromArrayBuffer(buffer, byteOffset, length) {
    byteOffset = byteOffset === undefined ? 0 : +byteOffset;
    if (NumberIsNaN(byteOffset)) byteOffset = 0;
    const left = bufferLength(buffer) - byteOffset;
    if (left < 0) throw outOfBounds('offset');
    if (length === undefined) {
        length = left;
    } else {
        length = +length;
        if (!(length > 0)) length = 0;
        else if (length > left) throw outOfBounds('length');
    }
    return new FastBuffer(buffer, byteOffset, length);
}

function fromArrayLike(list) {
    if (!(list.length > 0)) return new FastBuffer(0);
    const buffer = new FastBuffer(list.length);
    TypedArrayPrototypeSet(buffer, list, 0);
    return buffer;
}

function fromObject(value) {
    if (value.length !== undefined || isAnyArrayBuffer(value.buffer)) return typeof value.length === 'number' ? fromArrayLike(value) : new FastBuffer(0);
    if (value.type === 'Buffer' && ArrayIsArray(value.data)) return fromArrayLike(value.data);
    return undefined;
}

function fromText(text, label) {
    const encoding = typeof label === 'string' && label !== '' ? requireEncoding(label) : encodings.utf8;
    return fromBytes(encoding.bytes(text));
}

function from(value, encodingOrOffset, length) {
    if (typeof value === 'string') return fromText(value, encodingOrOffset);
    if (typeof value === 'object' && value !== null) {
        if (isAnyArrayBuffer(value)) return fromArrayBuffer(value, encodingOrOffset, length);
        if (ArrayIsArray(value) || ArrayBufferIsView(value)) return fromObject(value) ?? new FastBuffer(0);
        const inner = value.valueOf && value.valueOf();
        if (inner !== null && inner !== undefined && inner !== value && (typeof inner === 'string' || typeof inner === 'object')) {
            return from(inner, encodingOrOffset, length);
        }
        const buffer = fromObject(value);
        if (buffer !== undefined) return buffer;
        const convert = value[SymbolToPrimitive];
        if (typeof convert === 'function') {
            const primitive = ReflectApply(convert, value, ['string']);
            if (typeof primitive === 'string') return fromText(primitive, encodingOrOffset);
        }
    }
    throw invalidFirst(value);
}

function invalidFirst(value) {
    return coded(
        TypeError, 'ERR_INVALID_ARG_TYPE',
        `The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. ${received(value)}`);
}

function alloc(size, fill, encoding) {
    requireSize(size);
    const buffer = new FastBuffer(size);
    if (fill !== undefined && fill !== 0 && size > 0) fillBuffer(buffer, fill, 0, size, encoding);
    return buffer;
}

/** buffer.fill() for alloc; set by buffer_search.js. */
let fillBuffer = () => {};

/** A method of its own for each, as programs compare and wrap them. Memory is always zeroed here. */
function allocUnsafe(size) {
    return new FastBuffer(requireSize(size));
}

function allocUnsafeSlow(size) {
    return new FastBuffer(requireSize(size));
}

function concat(list, length) {
    if (!ArrayIsArray(list)) throw invalidType('list', 'an instance of Array', list);
    if (list.length === 0) return new FastBuffer(0);
    if (length === undefined) {
        length = 0;
        for (let i = 0; i < list.length; i++) if (isBytes(list[i])) length += lengthOf(list[i]);
    } else {
        requireInteger(length, 'length', 0, lengthMax);
    }
    const joined = allocUnsafe(length);
    let at = 0;
    for (let i = 0; i < list.length; i++) {
        if (!isBytes(list[i])) throw invalidType(`list[${i}]`, 'an instance of Buffer or Uint8Array', list[i]);
        const size = lengthOf(list[i]);
        if (at >= length) continue;
        TypedArrayPrototypeSet(joined, at + size > length ? part(list[i], 0, length - at) : list[i], at);
        at += size;
    }
    return joined;
}

function byteLength(value, label) {
    if (typeof value !== 'string') {
        if (ArrayBufferIsView(value)) {
            return TypedArrayPrototypeGetSymbolToStringTag(value) === undefined ? value.byteLength : TypedArrayPrototypeGetByteLength(value);
        }
        if (isAnyArrayBuffer(value)) return bufferLength(value);
        throw invalidType('string', 'of type string or an instance of Buffer or ArrayBuffer', value);
    }
    const encoding = label ? encodingOf(`${label}`) ?? encodings.utf8 : encodings.utf8;
    return encoding.length(value);
}

function compareBytes(a, b) {
    const aLength = lengthOf(a), bLength = lengthOf(b);
    const shorter = aLength < bLength ? aLength : bLength;
    for (let i = 0; i < shorter; i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
    return aLength === bLength ? 0 : aLength < bLength ? -1 : 1;
}

const statics = {
    poolSize: 8192,
    from(value, encodingOrOffset, length) { return from(value, encodingOrOffset, length); },
    copyBytesFrom(view, offset, length) {
        if (!ArrayBufferIsView(view) || TypedArrayPrototypeGetSymbolToStringTag(view) === undefined) throw invalidType('view', 'an instance of TypedArray', view);
        const count = lengthOf(view);
        if (count === 0) return new FastBuffer(0);
        const size = TypedArrayPrototypeGetByteLength(view) / count;
        if (offset === undefined) offset = 0; else requireInteger(offset, 'offset', 0);
        if (offset >= count) return new FastBuffer(0);
        let end = count;
        if (length !== undefined) {
            requireInteger(length, 'length', 0);
            if (offset + length < count) end = offset + length;
        }
        const bytes = new Uint8Array(TypedArrayPrototypeGetBuffer(view), TypedArrayPrototypeGetByteOffset(view) + offset * size, (end - offset) * size);
        return fromArrayLike(bytes);
    },
    of(...items) {
        const buffer = new FastBuffer(items.length);
        for (let i = 0; i < items.length; i++) buffer[i] = items[i];
        return buffer;
    },
    alloc, allocUnsafe, allocUnsafeSlow, isBuffer,
    compare(buf1, buf2) {
        if (!isBytes(buf1)) throw invalidType('buf1', 'an instance of Buffer or Uint8Array', buf1);
        if (!isBytes(buf2)) throw invalidType('buf2', 'an instance of Buffer or Uint8Array', buf2);
        return buf1 === buf2 ? 0 : compareBytes(buf1, buf2);
    },
    isEncoding(encoding) { return typeof encoding === 'string' && encoding.length !== 0 && encodingOf(encoding) !== undefined; },
    concat, byteLength,
};
ObjectSetPrototypeOf(Buffer, Uint8Array);
define(Buffer, statics);
ObjectDefineProperty(Buffer, SymbolSpecies, { __proto__: null, get() { return FastBuffer; }, enumerable: false, configurable: true });

// ---- Methods ----

/** A position as slice() reads it: from the end when negative, within 0 to length. */
function toPosition(value, length) {
    let position = MathTrunc(+value);
    if (position === 0 || NumberIsNaN(position)) return 0;
    if (position < 0) position += length;
    return position < 0 ? 0 : position < length ? position : length;
}

function toText(buffer, label, start, end) {
    const length = lengthOf(buffer);
    if (start === undefined || start <= 0) start = 0; else if (start >= length) return ''; else start = MathTrunc(start) || 0;
    if (end === undefined || end > length) end = length; else end = MathTrunc(end) || 0;
    if (end <= start) return '';
    const encoding = label === undefined ? encodings.utf8 : encodingOf(`${label}`);
    if (encoding === undefined) throw coded(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${String(label)}`);
    return encoding.text(part(buffer, start, end));
}

/** Writes whole characters of `text` as far as there is room; how many bytes. */
function writeText(buffer, text, offset, length, encoding) {
    if (encoding === encodings.utf8) return ops.encodeInto(text, part(buffer, offset, offset + length)) % 0x100000000;
    let bytes = encoding.bytes(text);
    if (lengthOf(bytes) > length) bytes = part(bytes, 0, encoding === encodings.utf16le ? length - length % 2 : length);
    TypedArrayPrototypeSet(buffer, bytes, offset);
    return lengthOf(bytes);
}

function swap(buffer, size, bits) {
    const length = lengthOf(buffer);
    if (length % size !== 0) throw coded(RangeError, 'ERR_INVALID_BUFFER_SIZE', `Buffer size must be a multiple of ${bits}-bits`);
    for (let i = 0; i < length; i += size) {
        for (let a = i, b = i + size - 1; a < b; a++, b--) {
            const byte = buffer[a];
            buffer[a] = buffer[b];
            buffer[b] = byte;
        }
    }
    return buffer;
}

/** An argument of compare(): a whole number from 0 to max. */
function boundary(value, name, max, fallback) {
    if (value === undefined) return fallback;
    requireInteger(value, name, 0, max);
    return value;
}

/** An argument of copy(): what is no number, or no safe one, is 0. */
function toIndex(value) {
    const number = Number(value);
    return number >= -9007199254740991 && number <= 9007199254740991 ? MathFloor(number) : 0;
}

let shownMax = 50; // bytes that inspect shows

const methods = {
    copy(target, targetStart = 0, sourceStart = 0, sourceEnd = undefined) {
        if (!isBytes(this)) throw invalidType('source', 'an instance of Buffer or Uint8Array', this);
        if (!isBytes(target)) throw invalidType('target', 'an instance of Buffer or Uint8Array', target);
        const length = lengthOf(this);
        targetStart = toIndex(targetStart);
        if (targetStart < 0) throw outOfRange('targetStart', '>= 0', targetStart);
        sourceStart = toIndex(sourceStart);
        if (sourceStart < 0 || sourceStart > length) throw outOfRange('sourceStart', `>= 0 && <= ${length}`, sourceStart);
        let end = length;
        if (sourceEnd !== undefined) {
            end = toIndex(sourceEnd);
            if (end < 0) throw outOfRange('sourceEnd', '>= 0', end);
            if (end > length) end = length;
        }
        const room = lengthOf(target) - targetStart;
        if (room <= 0 || sourceStart >= end) return 0;
        if (end - sourceStart > room) end = sourceStart + room;
        TypedArrayPrototypeSet(target, part(this, sourceStart, end), targetStart);
        return end - sourceStart;
    },
    toString(encoding, start, end) {
        if (arguments.length === 0) return encodings.utf8.text(part(this, 0, lengthOf(this)));
        return toText(this, encoding, start, end);
    },
    equals(otherBuffer) {
        if (!isBytes(otherBuffer)) throw invalidType('otherBuffer', 'an instance of Buffer or Uint8Array', otherBuffer);
        return this === otherBuffer || (lengthOf(this) === lengthOf(otherBuffer) && compareBytes(this, otherBuffer) === 0);
    },
    inspect(recurseTimes, context) {
        const length = lengthOf(this);
        const shown = length < shownMax ? length : shownMax;
        let text = '';
        for (let i = 0; i < shown; i++) text += (i > 0 ? ' ' : '') + encodings.hex.text(part(this, i, i + 1));
        if (length > shown) text += ` ... ${length - shown} more byte${length - shown > 1 ? 's' : ''}`;
        if (context) {
            const extras = {};
            let some = false;
            const keys = ObjectKeys(this);
            for (let i = length; i < keys.length; i++) {
                some = true;
                extras[keys[i]] = this[keys[i]];
            }
            // The braces and "{ " that inspect puts around the properties are cut off.
            if (some) text += `${length > 0 ? ', ' : ''}${StringPrototypeSlice(internal.inspect(extras, { ...context, breakLength: Infinity, compact: true }), 2, -2)}`;
        }
        let name = 'Buffer';
        try { name = this.constructor.name; } catch { /* a getter of the user's */ }
        return `<${String(name)} ${text}>`;
    },
    compare(target, targetStart, targetEnd, sourceStart, sourceEnd) {
        if (!isBytes(target)) throw invalidType('target', 'an instance of Buffer or Uint8Array', target);
        if (arguments.length === 1) return compareBytes(this, target);
        targetStart = boundary(targetStart, 'targetStart', lengthMax, 0);
        targetEnd = boundary(targetEnd, 'targetEnd', lengthOf(target), lengthOf(target));
        sourceStart = boundary(sourceStart, 'sourceStart', lengthMax, 0);
        sourceEnd = boundary(sourceEnd, 'sourceEnd', lengthOf(this), lengthOf(this));
        if (sourceStart >= sourceEnd) return targetStart >= targetEnd ? 0 : -1;
        if (targetStart >= targetEnd) return 1;
        return compareBytes(part(this, sourceStart, sourceEnd), part(target, targetStart, targetEnd));
    },
    write(string, offset, length, encoding) {
        const size = lengthOf(this);
        if (offset === undefined) {
            requireString(string, 'argument');
            return writeText(this, string, 0, size, encodings.utf8);
        }
        if (length === undefined && typeof offset === 'string') {
            encoding = offset;
            length = size;
            offset = 0;
        } else {
            requireInteger(offset, 'offset', 0, size);
            const room = size - offset;
            if (length === undefined) {
                length = room;
            } else if (typeof length === 'string') {
                encoding = length;
                length = room;
            } else {
                requireInteger(length, 'length', 0, size);
                if (length > room) length = room;
            }
        }
        const chosen = requireEncoding(encoding);
        requireString(string, 'argument');
        return writeText(this, string, offset, length, chosen);
    },
    toJSON() {
        const data = [];
        for (let i = 0; i < lengthOf(this); i++) ArrayPrototypePush(data, this[i]);
        return { type: 'Buffer', data };
    },
    subarray(start, end) {
        const length = lengthOf(this);
        const from = toPosition(start, length);
        const to = end === undefined ? length : toPosition(end, length);
        return fromBytes(part(this, from, to));
    },
    slice(start, end) { return ReflectApply(methods.subarray, this, [start, end]); },
    swap16() { return swap(this, 2, 16); },
    swap32() { return swap(this, 4, 32); },
    swap64() { return swap(this, 8, 64); },
};
define(methods, { toLocaleString: methods.toString });

const { prototype } = FastBuffer;
Buffer.prototype = prototype;

define(prototype, internal.load('buffer_numbers'));
for (const name in encodings) {
    const encoding = encodings[name];
    const short = name === 'utf16le' ? 'ucs2' : name;
    define(prototype, {
        [`${short}Slice`](start = 0, end = lengthOf(this)) { return encoding.text(part(this, start, end < lengthOf(this) ? end : lengthOf(this))); },
        [`${short}Write`](text, offset = 0, length = lengthOf(this) - offset) { return writeText(this, text, offset, length, encoding); },
    });
}
const defineGetter = (name, read) =>
    ObjectDefineProperty(prototype, name, { __proto__: null, enumerable: true, configurable: false, get() { return isBuffer(this) ? read(this) : undefined; } });
defineGetter('parent', TypedArrayPrototypeGetBuffer);
defineGetter('offset', TypedArrayPrototypeGetByteOffset);
define(prototype, methods);
ObjectDefineProperty(prototype, 'constructor', { __proto__: null, value: Buffer, writable: true, enumerable: false, configurable: true });
define(prototype, { [SymbolFor('nodejs.util.inspect.custom')]: methods.inspect });
define(prototype, internal.load('buffer_search')({ fromBytes, isBytes, part, requireEncoding, setFill: (fill) => { fillBuffer = fill; } }));

return {
    Buffer, fromBytes, isAnyArrayBuffer, isBytes, lengthMax, part, requireEncoding, stringLengthMax,
    getShownMax: () => shownMax, setShownMax: (value) => { shownMax = value; },
};
