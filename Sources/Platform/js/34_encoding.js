'use strict';
// @ts-check
// Text encodings (https://encoding.spec.whatwg.org/) and base64 (https://infra.spec.whatwg.org/#forgiving-base64). UTF-8 is native; UTF-16 and windows-1252
// are here; the other legacy encodings come with ICU, later.

const {
    ArrayBufferIsView, Boolean, DataViewPrototypeGetBuffer, DataViewPrototypeGetByteLength, DataViewPrototypeGetByteOffset, RangeError,
    ReflectApply, SafeMap, StringFromCharCode, StringPrototypeCharCodeAt, StringPrototypeSlice, StringPrototypeToLowerCase,
    TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength, TypedArrayPrototypeGetByteOffset, TypedArrayPrototypeGetLength,
    TypedArrayPrototypeGetSymbolToStringTag, TypedArrayPrototypeSet, TypedArrayPrototypeSubarray, Uint16Array, Uint8Array,
} = primordials;
const { DOMException, customInspect } = internal;
const { is } = internal.types;
const { split } = internal.text;
const { defineGlobalFunction, defineInterface, requireArguments, toDOMString, toDictionary } = internal.webidl;

// ---- Bytes ----

const lengthOf = TypedArrayPrototypeGetLength;

/** A Uint8Array over the bytes of a BufferSource, not copied; undefined when it is none. */
function bytesOf(source) {
    if (ArrayBufferIsView(source)) {
        if (TypedArrayPrototypeGetSymbolToStringTag(source) === 'Uint8Array') return source;
        if (TypedArrayPrototypeGetSymbolToStringTag(source) === undefined) {
            return new Uint8Array(DataViewPrototypeGetBuffer(source), DataViewPrototypeGetByteOffset(source), DataViewPrototypeGetByteLength(source));
        }
        return new Uint8Array(
            TypedArrayPrototypeGetBuffer(source), TypedArrayPrototypeGetByteOffset(source), TypedArrayPrototypeGetByteLength(source));
    }
    if (source !== null && typeof source === 'object' && (is('ArrayBuffer', source) || is('SharedArrayBuffer', source))) return new Uint8Array(source);
    return undefined;
}

const chunkUnits = 4096; // what is spread into one call of fromCharCode

/** The string of code units `units[0 ..< length]`, a typed array. */
function stringOfUnits(units, length) {
    let text = '';
    for (let start = 0; start < length; start += chunkUnits) {
        const end = start + chunkUnits < length ? start + chunkUnits : length;
        const chunk = [];
        for (let i = start; i < end; i++) chunk[i - start] = units[i];
        text += ReflectApply(StringFromCharCode, undefined, chunk);
    }
    return text;
}

function concatenate(head, tail) {
    const joined = new Uint8Array(lengthOf(head) + lengthOf(tail));
    TypedArrayPrototypeSet(joined, head, 0);
    TypedArrayPrototypeSet(joined, tail, lengthOf(head));
    return joined;
}

const noBytes = new Uint8Array(0);

// ---- Labels (https://encoding.spec.whatwg.org/#names-and-labels) ----

const labels = new SafeMap();
function addLabels(name, text) {
    const list = split(text, ' ');
    for (let i = 0; i < list.length; i++) labels.set(list[i], name);
}
addLabels('utf-8', 'unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8');
addLabels('utf-16le', 'csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le');
addLabels('utf-16be', 'unicodefffe utf-16be');
addLabels('windows-1252', 'ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 l1 ' +
    'latin1 us-ascii windows-1252 x-cp1252');

function isWhitespace(unit) {
    return unit === 32 || unit === 9 || unit === 10 || unit === 12 || unit === 13;
}

function encodingOf(label) {
    let start = 0;
    let end = label.length;
    while (start < end && isWhitespace(StringPrototypeCharCodeAt(label, start))) start++;
    while (end > start && isWhitespace(StringPrototypeCharCodeAt(label, end - 1))) end--;
    return labels.get(StringPrototypeToLowerCase(StringPrototypeSlice(label, start, end)));
}

// ---- Decoders: each takes bytes, keeps what is incomplete at the end in `this.rest` while streaming ----

/** How many bytes at the end begin a character that may go on (https://encoding.spec.whatwg.org/#utf-8-decoder). */
function incompleteUtf8(bytes) {
    const length = lengthOf(bytes);
    for (let back = 1; back <= 3 && back <= length; back++) {
        const byte = bytes[length - back];
        if ((byte & 0xC0) === 0x80) continue;
        const needed = byte >= 0xF0 && byte <= 0xF4 ? 4 : byte >= 0xE0 && byte < 0xF0 ? 3 : byte >= 0xC2 && byte < 0xE0 ? 2 : 1;
        if (back >= needed) return 0;
        if (back > 1) { // the second byte has a narrower range after these
            const second = bytes[length - back + 1];
            if (byte === 0xE0 && second < 0xA0 || byte === 0xED && second > 0x9F || byte === 0xF0 && second < 0x90 || byte === 0xF4 && second > 0x8F) {
                return 0;
            }
        }
        return back;
    }
    return 0;
}

function invalid(encoding) {
    return internal.typeError(`The encoded data was not valid for encoding ${encoding}`, 'ERR_ENCODING_INVALID_ENCODED_DATA');
}

/** https://encoding.spec.whatwg.org/#shared-utf-16-decoder */
function decodeUtf16(bytes, bigEndian, fatal, stream, keep) {
    const length = lengthOf(bytes);
    const units = new Uint16Array((length >> 1) + 1);
    let count = 0;
    let i = 0;
    for (; i + 1 < length; i += 2) {
        const unit = bigEndian ? bytes[i] << 8 | bytes[i + 1] : bytes[i + 1] << 8 | bytes[i];
        if (unit >= 0xD800 && unit <= 0xDFFF) {
            if (unit < 0xDC00) {
                if (i + 3 < length) {
                    const next = bigEndian ? bytes[i + 2] << 8 | bytes[i + 3] : bytes[i + 3] << 8 | bytes[i + 2];
                    if (next >= 0xDC00 && next <= 0xDFFF) {
                        units[count++] = unit;
                        units[count++] = next;
                        i += 2;
                        continue;
                    }
                } else {
                    break; // half a pair, perhaps with half a unit behind it: one error at the end of the stream
                }
            }
            if (fatal) throw invalid(bigEndian ? 'utf-16be' : 'utf-16le');
            units[count++] = 0xFFFD;
            continue;
        }
        units[count++] = unit;
    }
    if (i < length) {
        if (stream) {
            keep(TypedArrayPrototypeSubarray(bytes, i));
        } else {
            if (fatal) throw invalid(bigEndian ? 'utf-16be' : 'utf-16le');
            units[count++] = 0xFFFD;
        }
    }
    return stringOfUnits(units, count);
}

// Code points of the bytes 0x80 to 0x9F (https://encoding.spec.whatwg.org/index-windows-1252.txt); all other bytes are themselves.
const windows1252 = [
    0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D, 0x017D, 0x8F,
    0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D, 0x017E, 0x0178,
];

function decodeWindows1252(bytes) {
    const length = lengthOf(bytes);
    const units = new Uint16Array(length);
    for (let i = 0; i < length; i++) {
        const byte = bytes[i];
        units[i] = byte >= 0x80 && byte < 0xA0 ? windows1252[byte - 0x80] : byte;
    }
    return stringOfUnits(units, length);
}

/** https://encoding.spec.whatwg.org/#interface-textdecoder */
class TextDecoder {
    #encoding;
    #fatal;
    #ignoreBOM;
    #rest = noBytes; // begins a character; only while streaming
    #started = false; // a byte order mark can come no more

    constructor(label = 'utf-8', options = undefined) {
        const encoding = encodingOf(toDOMString(label));
        if (encoding === undefined) {
            const error = new RangeError(`The "${label}" encoding is not supported (utf-8, utf-16le, utf-16be and windows-1252 are; others come later)`);
            error.code = 'ERR_ENCODING_NOT_SUPPORTED';
            throw error;
        }
        options = toDictionary(options, 'The options');
        this.#encoding = encoding;
        this.#fatal = Boolean(options?.fatal);
        this.#ignoreBOM = Boolean(options?.ignoreBOM);
    }

    get encoding() { return this.#encoding; }
    get fatal() { return this.#fatal; }
    get ignoreBOM() { return this.#ignoreBOM; }

    decode(input = undefined, options = undefined) {
        let bytes = input === undefined ? noBytes : bytesOf(input);
        if (bytes === undefined) {
            throw internal.typeError('The "input" argument must be an instance of ArrayBuffer or ArrayBufferView.', 'ERR_INVALID_ARG_TYPE');
        }
        const stream = Boolean(toDictionary(options, 'The options')?.stream);
        if (lengthOf(this.#rest) > 0) {
            bytes = concatenate(this.#rest, bytes);
            this.#rest = noBytes;
        }
        const started = this.#started;
        this.#started = false;
        const text = this.#encoding === 'utf-8' ? this.#decodeUtf8(bytes, stream, started) : this.#decodeOther(bytes, stream, started);
        if (stream) this.#started = started || lengthOf(bytes) > lengthOf(this.#rest);
        return text;
    }

    #decodeUtf8(bytes, stream, started) {
        if (stream) {
            const kept = incompleteUtf8(bytes);
            if (kept > 0) {
                this.#keep(TypedArrayPrototypeSubarray(bytes, lengthOf(bytes) - kept));
                bytes = TypedArrayPrototypeSubarray(bytes, 0, lengthOf(bytes) - kept);
            }
        }
        if (lengthOf(bytes) === 0) return '';
        try {
            return ops.decodeUtf8(bytes, this.#fatal, this.#ignoreBOM || started);
        } catch {
            this.#rest = noBytes;
            throw invalid('utf-8');
        }
    }

    #decodeOther(bytes, stream, started) {
        if (this.#encoding === 'windows-1252') return decodeWindows1252(bytes);
        const text = decodeUtf16(bytes, this.#encoding === 'utf-16be', this.#fatal, stream, (rest) => this.#keep(rest));
        return !started && !this.#ignoreBOM && text !== '' && StringPrototypeCharCodeAt(text, 0) === 0xFEFF ? StringPrototypeSlice(text, 1) : text;
    }

    #keep(rest) {
        this.#rest = concatenate(rest, noBytes); // a copy: the caller's buffer is the caller's
    }

    [customInspect](depth, options, inspect) {
        return `TextDecoder ${inspect({ encoding: this.#encoding, fatal: this.#fatal, ignoreBOM: this.#ignoreBOM }, options)}`;
    }
}
defineInterface(TextDecoder);

const { decode } = TextDecoder.prototype;

/** decoder.decode(bytes, { stream }), whatever became of the prototype. */
const decodeChunk = (decoder, bytes, stream) => ReflectApply(decode, decoder, [bytes, { stream }]);

/** https://encoding.spec.whatwg.org/#interface-textencoder */
class TextEncoder {
    #brand;
    get encoding() { return this.#brand ?? 'utf-8'; }

    encode(input = '') {
        this.#brand;
        return ops.encodeUtf8(toDOMString(input));
    }

    encodeInto(source, destination) {
        this.#brand;
        requireArguments(arguments.length, 2, 'encodeInto');
        const text = toDOMString(source);
        if (!ArrayBufferIsView(destination) || TypedArrayPrototypeGetSymbolToStringTag(destination) !== 'Uint8Array') {
            throw internal.typeError('The "dest" argument must be an instance of Uint8Array.', 'ERR_INVALID_ARG_TYPE');
        }
        const packed = ops.encodeInto(text, destination);
        const written = packed % 0x100000000;
        return { read: (packed - written) / 0x100000000, written };
    }

    [customInspect](depth, options, inspect) { return `TextEncoder ${inspect({ encoding: this.encoding }, options)}`; }
}
defineInterface(TextEncoder);

// ---- Base64 ----

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const sextets = []; // of a character code below 128; -1: none
for (let i = 0; i < 128; i++) sextets[i] = -1;
for (let i = 0; i < 64; i++) sextets[StringPrototypeCharCodeAt(alphabet, i)] = i;

/** https://infra.spec.whatwg.org/#forgiving-base64-decode. @returns {Uint8Array | null} null: failure */
function decodeBase64(text) {
    const { length } = text;
    const bytes = new Uint8Array((length * 3 >> 2) + 3);
    let written = 0;
    let bits = 0;
    let digits = 0; // seen so far
    let padding = 0;
    for (let i = 0; i < length; i++) {
        const unit = StringPrototypeCharCodeAt(text, i);
        const sextet = unit < 128 ? sextets[unit] : -1;
        if (sextet >= 0) {
            if (padding > 0) return null;
            bits = (bits << 6 | sextet) & 0xFFFFFF;
            if ((++digits & 3) === 0) {
                bytes[written++] = bits >> 16;
                bytes[written++] = bits >> 8;
                bytes[written++] = bits;
            }
        } else if (unit === 61) {
            padding++;
        } else if (!isWhitespace(unit)) {
            return null;
        }
    }
    const left = digits & 3;
    // Padding is right only when it fills up the last group; without any, two or three digits may end the text.
    if (left === 1 || (padding > 0 && (padding > 2 || left + padding !== 4))) return null;
    if (left === 2) {
        bytes[written++] = bits >> 4;
    } else if (left === 3) {
        bytes[written++] = bits >> 10;
        bytes[written++] = bits >> 2;
    }
    return TypedArrayPrototypeSubarray(bytes, 0, written);
}

defineGlobalFunction('atob', function atob(data) {
    requireArguments(arguments.length, 1, 'atob');
    const bytes = decodeBase64(toDOMString(data));
    if (bytes === null) throw new DOMException('The string to be decoded is not correctly encoded.', 'InvalidCharacterError');
    return stringOfUnits(bytes, lengthOf(bytes));
});

defineGlobalFunction('btoa', function btoa(data) {
    requireArguments(arguments.length, 1, 'btoa');
    const text = toDOMString(data);
    let result = '';
    for (let i = 0; i < text.length; i += 3) {
        const a = StringPrototypeCharCodeAt(text, i);
        const b = i + 1 < text.length ? StringPrototypeCharCodeAt(text, i + 1) : 0;
        const c = i + 2 < text.length ? StringPrototypeCharCodeAt(text, i + 2) : 0;
        if (a > 255 || b > 255 || c > 255) throw new DOMException('Invalid character', 'InvalidCharacterError');
        const bits = a << 16 | b << 8 | c;
        result += alphabet[bits >> 18] + alphabet[bits >> 12 & 63] + (i + 1 < text.length ? alphabet[bits >> 6 & 63] : '=') +
            (i + 2 < text.length ? alphabet[bits & 63] : '=');
    }
    return result;
});

internal.encoding = { TextDecoder, bytesOf, concatenate, decodeBase64, decodeChunk, noBytes, stringOfUnits };
