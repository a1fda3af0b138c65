'use strict';
// The items of a JavaScript processor (docs/js-processors.md): spans, log records and metrics as objects over OTLP's bytes. script_wire.js, script_attributes.js,
// script_items.js and script_run.js, one after the other, are the body of one function of ops, memory and tables. It runs in a realm of its own that has nothing of the
// platform but this, and returns what the worker calls.
//
// `memory` is what the worker shares with the agent (docs/specs/script-memory.md). One item is current at a time, and all that is known of it is kept in variables
// here: an item object holds no more than a number that says which item it is, and one whose number has passed refuses to be used. Fields are looked for when they are read. What
// a script has changed is written when it returns: the message is copied from the input to the output, with the changed fields in their places.
//
// Offsets count from the start of `memory`. A message that is no protobuf throws `malformed`, one that has no room in the output throws `tooLarge`; the agent
// checks all that comes out of here, so a script that breaks this code breaks itself only.

// ---- Originals, before the script can patch them ----

const { Array: NewArray, BigInt: ToBigInt, Error, Int32Array, Number: ToNumber, Proxy, String: ToString, TypeError, Uint8Array } = globalThis;
const { bind, call } = Function.prototype;
const uncurryThis = Reflect.apply(bind, bind, [call]);
const charCodeAt = uncurryThis(String.prototype.charCodeAt);
const stringSlice = uncurryThis(String.prototype.slice);
const copyWithin = uncurryThis(Uint8Array.prototype.copyWithin);
const setBytes = uncurryThis(Uint8Array.prototype.set);
const sliceBytes = uncurryThis(Uint8Array.prototype.slice);
const setArray32 = uncurryThis(Int32Array.prototype.set);
const getUint32 = uncurryThis(DataView.prototype.getUint32);
const getFloat64 = uncurryThis(DataView.prototype.getFloat64);
const getBigInt64 = uncurryThis(DataView.prototype.getBigInt64);
const setFloat64 = uncurryThis(DataView.prototype.setFloat64);
const toHex = uncurryThis(Number.prototype.toString);
const typedArrayTag = uncurryThis(Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get);
const { isArray } = Array;
const { isSafeInteger } = Number;
const { floor, imul } = Math;
const { asIntN, asUintN } = BigInt;
const { ownKeys } = Reflect;
const { freeze, getPrototypeOf, setPrototypeOf, defineProperty } = Object;
const { stringify } = JSON;
const ObjectPrototype = Object.prototype;
const SymbolIterator = Symbol.iterator;
const AsyncFunction = getPrototypeOf(async () => {});
const GeneratorFunction = getPrototypeOf(function* () {});
const AsyncGeneratorFunction = getPrototypeOf(async function* () {});
const PromisePrototype = Promise.prototype;
const isPrototypeOf = uncurryThis(ObjectPrototype.isPrototypeOf);

// ---- Memory ----

const u8 = new Uint8Array(memory);
const i32 = new Int32Array(memory);
const view = new DataView(memory);

const HEAD_WORDS = 16; // of a batch: items, groups, scopes
const ITEMS_MAX = 512;
const ITEM_WORDS = 4; // offset, length, scope, group
const GROUP_WORDS = 4; // signal, offset and length of the resource, unused
const SCOPE_WORDS = 2; // offset, length
const RESULT_WORDS = 4; // verdict, offset, length, unused
/** Of an item; also the most attributes it can have. */
const FIELDS_MAX = 16384;
const OUT_DATA = ITEMS_MAX * RESULT_WORDS * 4;

const KEEP = 1, DROP = 2, REPLACE = 3, THREW = 4, TOO_LARGE = 5, MALFORMED = 6;
const TRACES = 1, LOGS = 2, METRICS = 3;

const malformed = freeze({ __proto__: null, toString: () => 'the item is no OTLP' });
const tooLarge = freeze({ __proto__: null, toString: () => 'the item has become too large' });

/** An array whose elements are set past Array.prototype, where a script may have put accessors. */
function setNoPrototype(array) { setPrototypeOf(array, null); }

/** Adds to an array that a script gets to see. */
function append(array, value) {
    defineProperty(array, array.length, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
}

// ---- Reading ----

/** Where the next byte is read. */
let pos = 0;

/** A length or a small number; what does not fit 31 bits is as malformed as what does not end. */
function readSize(end) {
    let byte = pos < end ? u8[pos++] : 128;
    if (byte < 128) return byte;
    let value = byte & 127;
    let shift = 7;
    do {
        if (pos >= end || shift > 28) throw malformed;
        byte = u8[pos++];
        if (shift === 28 && byte > 7) throw malformed;
        value |= (byte & 127) << shift;
        shift += 7;
    } while (byte >= 128);
    return value;
}

function skipVarint(end) {
    for (let count = 0; count < 10; count++) {
        if (pos >= end) throw malformed;
        if (u8[pos++] < 128) return;
    }
    throw malformed;
}

/** The body of the field read last; `pos` is behind it. */
let bodyAt = 0;

/** Reads a field's tag, and goes behind the field. */
function readField(end) {
    const tag = readSize(end);
    if (tag < 8) throw malformed;
    switch (tag & 7) {
        case 2: {
            const length = readSize(end);
            bodyAt = pos;
            if (length > end - pos) throw malformed;
            pos += length;
            return tag;
        }
        case 0:
            bodyAt = pos;
            skipVarint(end);
            return tag;
        case 1:
            bodyAt = pos;
            if (end - pos < 8) throw malformed;
            pos += 8;
            return tag;
        case 5:
            bodyAt = pos;
            if (end - pos < 4) throw malformed;
            pos += 4;
            return tag;
        default:
            throw malformed;
    }
}

/** A signed 64-bit varint: a number where that is exact, else a BigInt. */
function readInt64(at) {
    let low = 0, middle = 0, high = 0, byte = 128, index = 0;
    for (; byte >= 128; index++) {
        byte = u8[at + index];
        if (index < 4) low |= (byte & 127) << (7 * index);
        else if (index < 8) middle |= (byte & 127) << (7 * (index - 4));
        else high |= (byte & 127) << (7 * (index - 8));
    }
    high &= 255;
    if (high === 0 && middle < 0x2000000) return middle * 0x10000000 + low;
    if (high === 255 && middle >= 0xE000000) {
        const number = (middle - 0xFFFFFFF) * 0x10000000 + (low - 0xFFFFFFF) - 1;
        if (isSafeInteger(number)) return number;
    }
    return asIntN(64, (ToBigInt(high) << 56n) | (ToBigInt(middle) << 28n) | ToBigInt(low));
}

/** An unsigned or signed fixed64 as a number; above 2^53 to the nearest. */
function readFixed(at) {
    return getUint32(view, at + 4, true) * 0x100000000 + getUint32(view, at, true);
}

/** Nanoseconds as milliseconds. */
function readTime(at) {
    const high = getUint32(view, at + 4, true), low = getUint32(view, at, true);
    // Whole milliseconds and the rest apart: the sum is then as exact as a number can be.
    const rest = (high % 1000000) * 4294967296 + low;
    const milliseconds = floor(high / 1000000) * 4294967296 + floor(rest / 1000000);
    return milliseconds + (rest % 1000000) / 1000000;
}

// Short texts come again and again; a string that is here already need not be made.
const INTERNED = 4096;
const INTERNED_BYTES_MAX = 40;
const interned = new NewArray(INTERNED);
for (let index = 0; index < INTERNED; index++) interned[index] = '';

function text(at, end) {
    const length = end - at;
    if (length === 0) return '';
    if (length > INTERNED_BYTES_MAX) return ops.scriptText(at, length);
    let hash = length;
    for (let index = at; index < end; index++) hash = imul(hash ^ u8[index], 0x01000193);
    hash = (hash ^ (hash >>> 15)) & (INTERNED - 1);
    const known = interned[hash];
    if (known.length === length) {
        let index = 0;
        while (index < length && charCodeAt(known, index) === u8[at + index]) index++;
        if (index === length) return known;
    }
    return interned[hash] = ops.scriptText(at, length);
}

const hexDigits = new NewArray(256);
for (let byte = 0; byte < 256; byte++) hexDigits[byte] = (byte < 16 ? '0' : '') + toHex(byte, 16);

function hex(at, end) {
    let out = '';
    for (let index = at; index < end; index++) out += hexDigits[u8[index]];
    return out;
}

const DEPTH_MAX = 32;

/** An AnyValue as a value of JavaScript's; null for an empty one. */
function readAny(at, end, depth = 0) {
    if (depth > DEPTH_MAX) throw malformed;
    let value = null;
    pos = at;
    while (pos < end) {
        const tag = readField(end);
        const body = bodyAt, next = pos;
        switch (tag) {
            case 0x0A: value = text(body, next); break;
            case 0x10: value = u8[body] !== 0; break;
            case 0x18: value = readInt64(body); break;
            case 0x21: value = getFloat64(view, body, true); break;
            case 0x2A: value = readArray(body, next, depth + 1); break;
            case 0x32: value = readMap(body, next, 0x0A, depth + 1); break;
            case 0x3A: value = sliceBytes(u8, body, next); break;
        }
        pos = next;
    }
    return value;
}

function readArray(at, end, depth) {
    const out = [];
    pos = at;
    while (pos < end) {
        if (readField(end) !== 0x0A) continue;
        const next = pos;
        const value = readAny(bodyAt, next, depth);
        append(out, value);
        pos = next;
    }
    return out;
}

/** The KeyValues with this tag in a message; the first of a key counts. */
function readMap(at, end, wanted, depth) {
    const out = { __proto__: null };
    pos = at;
    while (pos < end) {
        if (readField(end) !== wanted) continue;
        const next = pos;
        readKeyValue(bodyAt, next);
        const key = text(keyAt, keyEnd);
        if (!(key in out)) out[key] = readAny(valueAt, valueEnd, depth);
        pos = next;
    }
    return out;
}

// Of the KeyValue read last.
let keyAt = 0, keyEnd = 0, valueAt = 0, valueEnd = 0;

function readKeyValue(at, end) {
    keyAt = keyEnd = valueAt = valueEnd = at;
    pos = at;
    while (pos < end) {
        const tag = readField(end);
        if (tag === 0x0A) {
            keyAt = bodyAt;
            keyEnd = pos;
        } else if (tag === 0x12) {
            valueAt = bodyAt;
            valueEnd = pos;
        }
    }
}

// ---- Writing ----

let out = 0, outEnd = 0;
/** What lies before it has been copied to the output, or left out. */
let copied = 0;

function copyTo(end) {
    const length = end - copied;
    if (length > outEnd - out) throw tooLarge;
    if (length < 24) {
        for (let index = 0; index < length; index++) u8[out + index] = u8[copied + index];
    } else {
        copyWithin(u8, out, copied, end);
    }
    out += length;
    copied = end;
}

function writeByte(byte) {
    if (out >= outEnd) throw tooLarge;
    u8[out++] = byte;
}

/** A whole number from 0 to 2^53. */
function writeVarint(number) {
    while (number > 0x7FFFFFFF) {
        writeByte((number % 128) | 128);
        number = floor(number / 128);
    }
    while (number > 127) {
        writeByte((number & 127) | 128);
        number >>>= 7;
    }
    writeByte(number);
}

function writeInt64(number) {
    if (typeof number === 'number' && number >= 0) return writeVarint(number);
    let rest = asUintN(64, ToBigInt(number));
    while (rest > 127n) {
        writeByte(ToNumber(rest & 127n) | 128);
        rest >>= 7n;
    }
    writeByte(ToNumber(rest));
}

/** What a text can take at most. */
function textMax(string) { return string.length * 3; }

/** Opens a message of `max` bytes at most; give the result to `close`. */
function open(tag, max) {
    writeByte(tag);
    // Three bytes of length are enough for anything that the output can hold.
    const room = max < 128 ? 1 : 3;
    if (outEnd - out < room) throw tooLarge;
    out += room;
    return out;
}

function close(start, max) {
    const length = out - start;
    if (max < 128) {
        u8[start - 1] = length;
        return;
    }
    const size = length < 128 ? 1 : length < 16384 ? 2 : 3;
    if (size < 3) copyWithin(u8, start - 3 + size, start, out);
    out -= 3 - size;
    let at = start - 3;
    let rest = length;
    for (; rest > 127; rest >>>= 7) u8[at++] = (rest & 127) | 128;
    u8[at] = rest;
}

function writeText(tag, string) {
    const max = textMax(string);
    const start = open(tag, max);
    const length = string.length;
    let index = 0;
    if (length < 64 && length <= outEnd - out) {
        for (; index < length; index++) {
            const unit = charCodeAt(string, index);
            if (unit > 127) break;
            u8[out + index] = unit;
        }
    }
    if (index === length) {
        out += length;
    } else {
        const written = ops.scriptWrite(string, out, outEnd);
        if (written < 0) throw tooLarge;
        out += written;
    }
    close(start, max);
}

/** What `writeAny` can write at most; Infinity for what is nested. */
function anyMax(value) {
    return typeof value === 'string' ? textMax(value) + 4 : typeof value === 'object' && value !== null ? Infinity : 12;
}

/** The fields of an AnyValue, of what `checked` gave. */
function writeAny(value) {
    switch (typeof value) {
        case 'string': return writeText(0x0A, value);
        case 'boolean':
            writeByte(0x10);
            return writeByte(value ? 1 : 0);
        case 'bigint':
            writeByte(0x18);
            return writeInt64(value);
        case 'number':
            if (isSafeInteger(value) && (value !== 0 || 1 / value > 0)) {
                writeByte(0x18);
                return writeInt64(value);
            }
            writeByte(0x21);
            if (outEnd - out < 8) throw tooLarge;
            setFloat64(view, out, value, true);
            out += 8;
            return;
    }
    if (value === null) return;
    if (typedArrayTag(value) !== undefined) {
        const start = open(0x3A, Infinity);
        if (value.length > outEnd - out) throw tooLarge;
        setBytes(u8, value, out);
        out += value.length;
        return close(start, Infinity);
    }
    const entries = value.entries;
    if (value.isMap) {
        const start = open(0x32, Infinity);
        for (let index = 0; index < entries.length; index += 2) writeKeyValue(0x0A, entries[index], entries[index + 1]);
        return close(start, Infinity);
    }
    const start = open(0x2A, Infinity);
    for (let index = 0; index < entries.length; index++) {
        const inner = anyMax(entries[index]);
        const element = open(0x0A, inner);
        writeAny(entries[index]);
        close(element, inner);
    }
    close(start, Infinity);
}

function writeKeyValue(tag, key, value) {
    const inner = anyMax(value);
    const max = inner + textMax(key) + 8;
    const start = open(tag, max);
    writeText(0x0A, key);
    const body = open(0x12, inner);
    writeAny(value);
    close(body, inner);
    close(start, max);
}

/** A list or a map that a script has set, as it was then: list entries, or keys and values by turns. Its arrays have no prototype that a script can patch. */
class Copy {
    constructor(isMap, entries) {
        this.isMap = isMap;
        this.entries = entries;
    }
}

/** A value that a script sets, made fit to be written later; throws where OTLP has nothing for it. */
function checked(value, depth = 0) {
    switch (typeof value) {
        case 'string': case 'boolean': case 'number': return value;
        case 'bigint':
            if (asIntN(64, value) !== value) throw new TypeError('a BigInt has to fit 64 bits');
            return value;
        case 'object': {
            if (value === null) return null;
            if (depth >= DEPTH_MAX) throw new TypeError(`a value may be ${DEPTH_MAX} deep`);
            if (typedArrayTag(value) === 'Uint8Array') return sliceBytes(value);
            const entries = [];
            setNoPrototype(entries);
            if (isArray(value)) {
                for (let index = 0; index < value.length; index++) {
                    const element = value[index];
                    entries[index] = element === undefined ? null : checked(element, depth + 1);
                }
                return new Copy(false, entries);
            }
            const prototype = getPrototypeOf(value);
            if (prototype !== null && prototype !== ObjectPrototype) break;
            const keys = ownKeys(value);
            for (let index = 0; index < keys.length; index++) {
                const key = keys[index];
                if (typeof key !== 'string') continue;
                const element = value[key];
                if (element === undefined) continue;
                entries[entries.length] = key;
                entries[entries.length] = checked(element, depth + 1);
            }
            return new Copy(true, entries);
        }
    }
    throw new TypeError('a value is a string, a number, a BigInt, a boolean, null, a Uint8Array, an array, or a plain object');
}

/** What `checked` gave, as a script may have it. */
function shown(value) {
    if (typeof value !== 'object' || value === null) return value;
    if (!(value instanceof Copy)) return sliceBytes(value);
    const { entries } = value;
    if (value.isMap) {
        const map = { __proto__: null };
        for (let index = 0; index < entries.length; index += 2) map[entries[index]] = shown(entries[index + 1]);
        return map;
    }
    const list = [];
    for (let index = 0; index < entries.length; index++) append(list, shown(entries[index]));
    return list;
}
defineProperty(Copy, Symbol.hasInstance, { __proto__: null, value: (value) => getPrototypeOf(value) === Copy.prototype });
freeze(Copy.prototype);
