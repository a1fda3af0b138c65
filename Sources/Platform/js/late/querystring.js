'use strict';
// @ts-check
// node:querystring: https://nodejs.org/api/querystring.html

const {
    ArrayIsArray, ArrayPrototypePush, BigIntPrototypeToString, NumberIsFinite, NumberPrototypeToString, ObjectCreate, ObjectKeys, String,
    StringPrototypeCharCodeAt, StringPrototypeIndexOf, StringPrototypeSlice, TypedArrayPrototypeSubarray, URIError, Uint8Array, decodeURIComponent,
} = primordials;
const { coded, withDefault } = internal.load('node_errors');

const hex = '0123456789ABCDEF';

/** Letters, digits and - _ . ! ~ * ' ( ) stand for themselves, as encodeURIComponent has it. */
function isUnreserved(unit) {
    return (unit >= 97 && unit <= 122) || (unit >= 65 && unit <= 90) || (unit >= 48 && unit <= 57) || unit === 45 || unit === 95 || unit === 46 || unit === 33 ||
        unit === 126 || (unit >= 39 && unit <= 42);
}

const encoded = (byte) => `%${hex[byte >> 4]}${hex[byte & 15]}`;

function escape(value) {
    const text = typeof value === 'string' ? value : typeof value === 'object' ? String(value) : `${value}`;
    let result = '';
    let done = 0;
    for (let i = 0; i < text.length; i++) {
        const unit = StringPrototypeCharCodeAt(text, i);
        if (isUnreserved(unit)) continue;
        result += StringPrototypeSlice(text, done, i);
        if (unit < 0x80) {
            result += encoded(unit);
        } else if (unit < 0x800) {
            result += encoded(0xC0 | unit >> 6) + encoded(0x80 | unit & 63);
        } else if (unit < 0xD800 || unit > 0xDFFF) {
            result += encoded(0xE0 | unit >> 12) + encoded(0x80 | unit >> 6 & 63) + encoded(0x80 | unit & 63);
        } else {
            // Whatever follows the first half is taken for the second.
            if (++i >= text.length) throw coded(URIError, 'ERR_INVALID_URI', 'URI malformed');
            const point = 0x10000 + ((unit & 0x3FF) << 10 | StringPrototypeCharCodeAt(text, i) & 0x3FF);
            result += encoded(0xF0 | point >> 18) + encoded(0x80 | point >> 12 & 63) + encoded(0x80 | point >> 6 & 63) + encoded(0x80 | point & 63);
        }
        done = i + 1;
    }
    return done === 0 ? text : result + StringPrototypeSlice(text, done);
}

function digit(text, i) {
    if (i >= text.length) return -1;
    const unit = StringPrototypeCharCodeAt(text, i);
    if (unit >= 48 && unit <= 57) return unit - 48;
    const lower = unit | 32;
    return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** The bytes that a text with %xx stands for; of other characters the low byte. */
function decodedBytes(text, plusIsSpace) {
    const bytes = new Uint8Array(text.length);
    let length = 0;
    for (let i = 0; i < text.length; i++) {
        let unit = StringPrototypeCharCodeAt(text, i);
        if (unit === 43 && plusIsSpace) {
            unit = 32;
        } else if (unit === 37) {
            const high = digit(text, i + 1);
            const low = high < 0 ? -1 : digit(text, i + 2);
            if (low >= 0) {
                unit = high << 4 | low;
                i += 2;
            }
        }
        bytes[length++] = unit;
    }
    return TypedArrayPrototypeSubarray(bytes, 0, length);
}

function unescapeBuffer(text, decodeSpaces) {
    return internal.load('buffer_core').fromBytes(decodedBytes(`${text}`, decodeSpaces));
}

/** What decodeURIComponent refuses is decoded byte by byte. */
function unescape(text, decodeSpaces) {
    try {
        return decodeURIComponent(text);
    } catch {
        return ops.decodeUtf8(decodedBytes(`${text}`, decodeSpaces), false, true);
    }
}

function primitive(value) {
    if (typeof value === 'string') return value;
    if (typeof value === 'number' && NumberIsFinite(value)) return NumberPrototypeToString(value);
    if (typeof value === 'bigint') return BigIntPrototypeToString(value);
    if (typeof value === 'boolean') return value ? 'true' : 'false';
    return '';
}

function stringify(object, separator, equals, options) {
    separator = separator || '&';
    equals = equals || '=';
    // exports: a program may put its own functions there, as the documentation says.
    const encode = typeof options?.encodeURIComponent === 'function' ? options.encodeURIComponent : exports.escape;
    if (object === null || typeof object !== 'object') return '';
    const keys = ObjectKeys(object);
    const convert = encode === escape ? (value) => escape(primitive(value)) : (value) => encode(primitive(value));
    let text = '';
    for (let i = 0; i < keys.length; i++) {
        const value = object[keys[i]];
        const lead = convert(keys[i]) + equals;
        const list = ArrayIsArray(value) ? value : [value];
        for (let k = 0; k < list.length; k++) text += (text === '' ? '' : separator) + lead + convert(list[k]);
    }
    return text;
}

function hasEscape(text) {
    for (let at = StringPrototypeIndexOf(text, '%'); at >= 0; at = StringPrototypeIndexOf(text, '%', at + 1)) {
        if (digit(text, at + 1) >= 0 && digit(text, at + 2) >= 0) return true;
    }
    return false;
}

function decoded(text, decode) {
    if (text === '' || (decode === unescape && !hasEscape(text))) return text;
    try {
        return decode(text);
    } catch {
        return unescape(text, true);
    }
}

function withSpaces(text) {
    let result = '';
    let start = 0;
    for (let at = StringPrototypeIndexOf(text, '+'); at >= 0; at = StringPrototypeIndexOf(text, '+', start)) {
        result += `${StringPrototypeSlice(text, start, at)} `;
        start = at + 1;
    }
    return result + StringPrototypeSlice(text, start);
}

function parse(text, separator, equals, options) {
    const result = ObjectCreate(null);
    if (typeof text !== 'string' || text.length === 0) return result;
    separator = separator ? `${separator}` : '&';
    equals = equals ? `${equals}` : '=';
    let left = 1000;
    if (typeof options?.maxKeys === 'number') left = options.maxKeys > 0 ? options.maxKeys : -1;
    const decode = typeof options?.decodeURIComponent === 'function' ? options.decodeURIComponent : exports.unescape;
    // A decoder of the caller's finds spaces written as %20.
    const own = decode !== unescape;
    const convert = (part) => decoded(own ? withPercent(part) : withSpaces(part), decode);
    for (let start = 0; start <= text.length && left !== 0;) {
        let end = StringPrototypeIndexOf(text, separator, start);
        if (end < 0) end = text.length;
        const part = StringPrototypeSlice(text, start, end);
        start = end + separator.length;
        left--; // for empty parts, too
        if (part === '') continue;
        const at = StringPrototypeIndexOf(part, equals);
        const key = convert(at < 0 ? part : StringPrototypeSlice(part, 0, at));
        const value = at < 0 ? '' : convert(StringPrototypeSlice(part, at + equals.length));
        const before = result[key];
        if (before === undefined) result[key] = value;
        else if (ArrayIsArray(before)) ArrayPrototypePush(before, value);
        else result[key] = [before, value];
    }
    return result;
}

function withPercent(text) {
    let result = '';
    for (let i = 0; i < text.length; i++) result += text[i] === '+' ? '%20' : text[i];
    return result;
}

const exports = { unescapeBuffer, unescape, escape, stringify, encode: stringify, parse, decode: parse };
return withDefault(exports);
