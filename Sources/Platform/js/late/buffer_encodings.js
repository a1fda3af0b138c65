'use strict';
// @ts-check
// Text to bytes and back in the encodings of node:buffer: https://nodejs.org/api/buffer.html#buffers-and-character-encodings

const {
    StringPrototypeCharCodeAt, StringPrototypeToLowerCase, TypedArrayPrototypeGetLength, TypedArrayPrototypeSubarray, Uint16Array, Uint8Array,
} = primordials;
const { stringOfUnits } = internal.encoding;

const lengthOf = TypedArrayPrototypeGetLength;
const digits = '0123456789abcdef';
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

const hexValues = []; // of a code below 256; -1: none
const sextets = []; // the same, of both base64 alphabets
for (let i = 0; i < 256; i++) hexValues[i] = sextets[i] = -1;
for (let i = 0; i < 64; i++) sextets[StringPrototypeCharCodeAt(alphabet, i)] = i;
sextets[45] = 62;
sextets[95] = 63;
for (let i = 0; i < 16; i++) {
    hexValues[StringPrototypeCharCodeAt(digits, i)] = i;
    if (i > 9) hexValues[StringPrototypeCharCodeAt(digits, i) - 32] = i;
}

const codesOf = (text) => {
    const codes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) codes[i] = StringPrototypeCharCodeAt(text, i);
    return codes;
};
const hexCodes = codesOf(digits);
const base64Codes = codesOf(alphabet);
const base64urlCodes = codesOf('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');

// ---- Text of bytes ----

function latin1Text(bytes) {
    return stringOfUnits(bytes, lengthOf(bytes));
}

function asciiText(bytes) {
    const length = lengthOf(bytes);
    const units = new Uint8Array(length);
    for (let i = 0; i < length; i++) units[i] = bytes[i] & 0x7F;
    return stringOfUnits(units, length);
}

function utf16Text(bytes) {
    const length = lengthOf(bytes) >> 1;
    const units = new Uint16Array(length);
    for (let i = 0; i < length; i++) units[i] = bytes[2 * i] | bytes[2 * i + 1] << 8;
    return stringOfUnits(units, length);
}

function hexText(bytes) {
    const length = lengthOf(bytes);
    const units = new Uint8Array(2 * length);
    for (let i = 0; i < length; i++) {
        units[2 * i] = hexCodes[bytes[i] >> 4];
        units[2 * i + 1] = hexCodes[bytes[i] & 15];
    }
    return ops.decodeUtf8(units, false, true);
}

function base64TextOf(bytes, codes, pads) {
    const length = lengthOf(bytes);
    const rest = length % 3;
    const units = new Uint8Array((length - rest) / 3 * 4 + (rest === 0 ? 0 : pads ? 4 : rest + 1));
    let at = 0;
    let i = 0;
    for (; i + 2 < length; i += 3) {
        const bits = bytes[i] << 16 | bytes[i + 1] << 8 | bytes[i + 2];
        units[at++] = codes[bits >> 18];
        units[at++] = codes[bits >> 12 & 63];
        units[at++] = codes[bits >> 6 & 63];
        units[at++] = codes[bits & 63];
    }
    if (rest > 0) {
        const bits = bytes[i] << 16 | (rest === 2 ? bytes[i + 1] << 8 : 0);
        units[at++] = codes[bits >> 18];
        units[at++] = codes[bits >> 12 & 63];
        if (rest === 2) units[at++] = codes[bits >> 6 & 63];
        while (at < lengthOf(units)) units[at++] = 61;
    }
    return ops.decodeUtf8(units, false, true);
}

// ---- Bytes of text ----

function latin1Bytes(text) {
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = StringPrototypeCharCodeAt(text, i);
    return bytes;
}

function utf16Bytes(text) {
    const bytes = new Uint8Array(2 * text.length);
    for (let i = 0; i < text.length; i++) {
        const unit = StringPrototypeCharCodeAt(text, i);
        bytes[2 * i] = unit;
        bytes[2 * i + 1] = unit >> 8;
    }
    return bytes;
}

/** Up to the first pair that is none. */
function hexBytes(text) {
    const length = text.length >> 1;
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) {
        const high = StringPrototypeCharCodeAt(text, 2 * i);
        const low = StringPrototypeCharCodeAt(text, 2 * i + 1);
        const byte = high > 255 || low > 255 ? -1 : hexValues[high] << 4 | hexValues[low];
        if (byte < 0) return TypedArrayPrototypeSubarray(bytes, 0, i);
        bytes[i] = byte;
    }
    return bytes;
}

/** How many bytes Node sets aside for a base64 text: what more it holds is cut. */
function base64Length(text) {
    let { length } = text;
    if (length === 0) return 0;
    if (StringPrototypeCharCodeAt(text, length - 1) === 61) length--;
    if (length > 1 && StringPrototypeCharCodeAt(text, length - 1) === 61) length--;
    const rest = length % 4;
    return (length - rest) / 4 * 3 + (rest > 1 ? rest - 1 : 0);
}

/** Both alphabets; what belongs to neither is skipped, "=" ends the text. */
function base64Bytes(text) {
    const bytes = new Uint8Array(base64Length(text));
    const max = lengthOf(bytes);
    let at = 0;
    let bits = 0;
    let have = 0;
    for (let i = 0; i < text.length; i++) {
        const unit = StringPrototypeCharCodeAt(text, i);
        if (unit === 61) break;
        const sextet = unit > 255 ? -1 : sextets[unit];
        if (sextet < 0) continue;
        bits = bits << 6 | sextet;
        have += 6;
        if (have >= 8) {
            have -= 8;
            if (at < max) bytes[at++] = bits >> have;
            bits &= (1 << have) - 1;
        }
    }
    return at === max ? bytes : TypedArrayPrototypeSubarray(bytes, 0, at);
}

function utf8Length(text) {
    let length = 0;
    for (let i = 0; i < text.length; i++) {
        const unit = StringPrototypeCharCodeAt(text, i);
        if (unit < 0x80) {
            length++;
        } else if (unit < 0x800) {
            length += 2;
        } else {
            length += 3;
            if (unit >= 0xD800 && unit < 0xDC00 && i + 1 < text.length) {
                const next = StringPrototypeCharCodeAt(text, i + 1);
                if (next >= 0xDC00 && next <= 0xDFFF) { length++; i++; }
            }
        }
    }
    return length;
}

/** @typedef {{name: string, text: (bytes: Uint8Array) => string, bytes: (text: string) => Uint8Array, length: (text: string) => number}} Encoding */

/** @type {Record<string, Encoding>} `bytes` makes an array nobody else has */
const encodings = {
    __proto__: null,
    utf8: { name: 'utf8', text: (bytes) => ops.decodeUtf8(bytes, false, true), bytes: (text) => ops.encodeUtf8(text), length: utf8Length },
    latin1: { name: 'latin1', text: latin1Text, bytes: latin1Bytes, length: (text) => text.length },
    ascii: { name: 'ascii', text: asciiText, bytes: latin1Bytes, length: (text) => text.length },
    utf16le: { name: 'utf16le', text: utf16Text, bytes: utf16Bytes, length: (text) => 2 * text.length },
    hex: { name: 'hex', text: hexText, bytes: hexBytes, length: (text) => text.length >>> 1 },
    base64: { name: 'base64', text: (bytes) => base64TextOf(bytes, base64Codes, true), bytes: base64Bytes, length: base64Length },
    base64url: { name: 'base64url', text: (bytes) => base64TextOf(bytes, base64urlCodes, false), bytes: base64Bytes, length: base64Length },
};
const labels = {
    __proto__: null,
    'utf8': encodings.utf8, 'utf-8': encodings.utf8, 'latin1': encodings.latin1, 'binary': encodings.latin1, 'ascii': encodings.ascii, 'ucs2': encodings.utf16le,
    'ucs-2': encodings.utf16le, 'utf16le': encodings.utf16le, 'utf-16le': encodings.utf16le, 'hex': encodings.hex, 'base64': encodings.base64, 'base64url': encodings.base64url,
};

/** @param {string} label @returns {Encoding | undefined} */
function encodingOf(label) {
    return labels[label] ?? labels[StringPrototypeToLowerCase(label)];
}

return { encodingOf, encodings };
