'use strict';
// @ts-check
// Text encodings (https://encoding.spec.whatwg.org/) and base64 (https://infra.spec.whatwg.org/#forgiving-base64). The work is native: V8 has UTF-8, CICU
// all others.

const {
    ArrayBuffer, ArrayBufferIsView, Boolean, DataViewPrototypeGetBuffer, DataViewPrototypeGetByteLength, DataViewPrototypeGetByteOffset, RangeError,
    ReflectApply, SafeMap, StringFromCharCode, StringPrototypeCharCodeAt, StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeToLowerCase,
    TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength, TypedArrayPrototypeGetByteOffset, TypedArrayPrototypeGetLength,
    TypedArrayPrototypeGetSymbolToStringTag, TypedArrayPrototypeSet, TypedArrayPrototypeSubarray, Uint8Array,
} = primordials;
const { DOMException, customInspect } = internal;
const { is } = internal.types;
const { split } = internal.text;
const { defineGlobalFunction, defineInterface, requireArguments, toDOMString, toDictionary } = internal.webidl;

// ---- Bytes ----

const lengthOf = TypedArrayPrototypeGetLength;
const noBytes = new Uint8Array(0);

/** An ArrayBuffer, a SharedArrayBuffer, or a view of one. */
const isBufferSource = (value) =>
    ArrayBufferIsView(value) || (value !== null && typeof value === 'object' && (is('ArrayBuffer', value) || is('SharedArrayBuffer', value)));

const bufferOf = (view) =>
    (TypedArrayPrototypeGetSymbolToStringTag(view) === undefined ? DataViewPrototypeGetBuffer(view) : TypedArrayPrototypeGetBuffer(view));

/** Of a buffer source: whether its memory is shared, which WebIDL refuses where it does not say [AllowShared]. */
const isShared = (source) => !is('ArrayBuffer', ArrayBufferIsView(source) ? bufferOf(source) : source);

/** A Uint8Array over the bytes of a BufferSource, not copied, empty when it is detached; undefined when it is none. */
function bytesOf(source) {
    if (ArrayBufferIsView(source)) {
        const name = TypedArrayPrototypeGetSymbolToStringTag(source);
        if (name === 'Uint8Array') return source;
        try {
            if (name === undefined) {
                return new Uint8Array(DataViewPrototypeGetBuffer(source), DataViewPrototypeGetByteOffset(source), DataViewPrototypeGetByteLength(source));
            }
            return new Uint8Array(
                TypedArrayPrototypeGetBuffer(source), TypedArrayPrototypeGetByteOffset(source), TypedArrayPrototypeGetByteLength(source));
        } catch {
            return noBytes;
        }
    }
    if (!isBufferSource(source)) return undefined;
    try {
        return new Uint8Array(source);
    } catch {
        return noBytes;
    }
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

// ---- Labels (https://encoding.spec.whatwg.org/#names-and-labels) ----

const utf8 = -1; // an encoding is a number: this, or what CICU.h calls it
const utf16be = 35, utf16le = 36;

/** Names, in the order of CICU.h, each with its further labels. */
const table = [
    'ibm866: 866 cp866 csibm866', 'iso-8859-2: csisolatin2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2',
    'iso-8859-3: csisolatin3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3',
    'iso-8859-4: csisolatin4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4',
    'iso-8859-5: csisolatincyrillic cyrillic iso-ir-144 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988',
    'iso-8859-6: arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6-e iso-8859-6-i iso-ir-127 iso8859-6 iso88596 iso_8859-6 ' +
        'iso_8859-6:1987',
    'iso-8859-7: csisolatingreek ecma-118 elot_928 greek greek8 iso-ir-126 iso8859-7 iso88597 iso_8859-7 iso_8859-7:1987 sun_eu_greek',
    'iso-8859-8: csiso88598e csisolatinhebrew hebrew iso-8859-8-e iso-ir-138 iso8859-8 iso88598 iso_8859-8 iso_8859-8:1988 visual',
    'iso-8859-8-i: csiso88598i logical', 'iso-8859-10: csisolatin6 iso-ir-157 iso8859-10 iso885910 l6 latin6', 'iso-8859-13: iso8859-13 iso885913',
    'iso-8859-14: iso8859-14 iso885914', 'iso-8859-15: csisolatin9 iso8859-15 iso885915 iso_8859-15 l9', 'iso-8859-16:',
    'koi8-r: cskoi8r koi koi8 koi8_r', 'koi8-u: koi8-ru', 'macintosh: csmacintosh mac x-mac-roman', 'windows-874: dos-874 iso-8859-11 iso8859-11 iso885911 tis-620',
    'windows-1250: cp1250 x-cp1250', 'windows-1251: cp1251 x-cp1251',
    'windows-1252: ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii ' +
        'x-cp1252',
    'windows-1253: cp1253 x-cp1253', 'windows-1254: cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 latin5 x-cp1254',
    'windows-1255: cp1255 x-cp1255', 'windows-1256: cp1256 x-cp1256', 'windows-1257: cp1257 x-cp1257', 'windows-1258: cp1258 x-cp1258',
    'x-mac-cyrillic: x-mac-ukrainian', 'gbk: chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 iso-ir-58 x-gbk', 'gb18030:',
    'big5: big5-hkscs cn-big5 csbig5 x-x-big5', 'euc-jp: cseucpkdfmtjapanese x-euc-jp', 'iso-2022-jp: csiso2022jp',
    'shift_jis: csshiftjis ms932 ms_kanji shift-jis sjis windows-31j x-sjis',
    'euc-kr: cseuckr csksc56011987 iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 windows-949', 'utf-16be: unicodefffe',
    'utf-16le: csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16', 'x-user-defined:',
];
const utf8Labels = 'utf-8: unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf8 x-unicode20utf8';

let labels; // label → encoding
let names; // encoding → name

function addLabels(line, encoding) {
    const colon = StringPrototypeIndexOf(line, ':');
    const name = StringPrototypeSlice(line, 0, colon);
    labels.set(name, encoding);
    const list = split(StringPrototypeSlice(line, colon + 2), ' ');
    for (let i = 0; i < list.length; i++) labels.set(list[i], encoding);
    return name;
}

/** Not before somebody asks for another encoding than UTF-8. */
function makeLabels() {
    labels = new SafeMap();
    names = [];
    for (let i = 0; i < table.length; i++) names[i] = addLabels(table[i], i);
    addLabels(utf8Labels, utf8);
    labels.delete('');
}

function isWhitespace(unit) {
    return unit === 32 || unit === 9 || unit === 10 || unit === 12 || unit === 13;
}

/** https://encoding.spec.whatwg.org/#concept-encoding-get; undefined also for `replacement`, which no decoder has. */
function encodingOf(label) {
    if (label === 'utf-8' || label === 'utf8') return utf8;
    let start = 0;
    let end = label.length;
    while (start < end && isWhitespace(StringPrototypeCharCodeAt(label, start))) start++;
    while (end > start && isWhitespace(StringPrototypeCharCodeAt(label, end - 1))) end--;
    if (labels === undefined) makeLabels();
    return labels.get(asciiLowercase(StringPrototypeSlice(label, start, end)));
}

/** Not String.prototype.toLowerCase alone, which turns the Kelvin sign into a k. */
function asciiLowercase(text) {
    for (let i = 0; i < text.length; i++) if (StringPrototypeCharCodeAt(text, i) > 127) return text;
    return StringPrototypeToLowerCase(text);
}

// ---- Decoders ----

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

/** https://encoding.spec.whatwg.org/#interface-textdecoder */
class TextDecoder {
    #encoding;
    #fatal;
    #ignoreBOM;
    #rest = noBytes; // UTF-8: begins a character; only while streaming
    #state; // all others: as CICU.h has it; only while streaming
    #started = false; // a byte order mark can come no more

    constructor(label = 'utf-8', options = undefined) {
        label = toDOMString(label);
        options = toDictionary(options, 'The options');
        const fatal = Boolean(options?.fatal);
        const ignoreBOM = Boolean(options?.ignoreBOM);
        const encoding = encodingOf(label);
        if (encoding === undefined) {
            const error = new RangeError(`The "${label}" encoding is not supported`);
            error.code = 'ERR_ENCODING_NOT_SUPPORTED';
            throw error;
        }
        this.#encoding = encoding;
        this.#fatal = fatal;
        this.#ignoreBOM = ignoreBOM;
    }

    get encoding() { return this.#encoding === utf8 ? 'utf-8' : names[this.#encoding]; }
    get fatal() { return this.#fatal; }
    get ignoreBOM() { return this.#ignoreBOM; }

    decode(input = undefined, options = undefined) {
        const encoding = this.#encoding;
        if (input !== undefined && !isBufferSource(input)) {
            throw internal.typeError('The "input" argument must be an instance of ArrayBuffer or ArrayBufferView.', 'ERR_INVALID_ARG_TYPE');
        }
        const stream = options === undefined ? false : Boolean(toDictionary(options, 'The options')?.stream);
        // After the options' getter, which may have detached it.
        const bytes = input === undefined ? noBytes : bytesOf(input);
        return encoding === utf8 ? this.#decodeUtf8(bytes, stream) : this.#decodeOther(bytes, stream);
    }

    #decodeUtf8(bytes, stream) {
        if (lengthOf(this.#rest) > 0) {
            bytes = concatenate(this.#rest, bytes);
            this.#rest = noBytes;
        }
        const started = this.#started;
        this.#started = false;
        if (stream) {
            const kept = incompleteUtf8(bytes);
            if (kept > 0) {
                this.#rest = concatenate(TypedArrayPrototypeSubarray(bytes, lengthOf(bytes) - kept), noBytes); // a copy: the caller's buffer is the caller's
                bytes = TypedArrayPrototypeSubarray(bytes, 0, lengthOf(bytes) - kept);
            }
            this.#started = started || lengthOf(bytes) > 0;
        }
        if (lengthOf(bytes) === 0) return '';
        try {
            return ops.decodeUtf8(bytes, this.#fatal, this.#ignoreBOM || started);
        } catch (error) {
            if (!this.#fatal) throw error;
            this.#rest = noBytes;
            throw invalid('utf-8');
        }
    }

    #decodeOther(bytes, stream) {
        const encoding = this.#encoding;
        if (stream && this.#state === undefined) this.#state = new ArrayBuffer(8);
        const text = ops.decodeText(encoding, bytes, this.#state, this.#fatal, !stream);
        if (!stream) this.#state = undefined;
        if (text === null) throw invalid(names[encoding]);
        if (encoding !== utf16le && encoding !== utf16be) return text;
        const started = this.#started;
        this.#started = stream && (started || text !== '');
        return !started && !this.#ignoreBOM && text !== '' && StringPrototypeCharCodeAt(text, 0) === 0xFEFF ? StringPrototypeSlice(text, 1) : text;
    }

    [customInspect](depth, options, inspect) {
        return `TextDecoder ${inspect({ encoding: this.encoding, fatal: this.#fatal, ignoreBOM: this.#ignoreBOM }, options)}`;
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

/** @param {boolean} forURL the alphabet of https://www.rfc-editor.org/rfc/rfc4648#section-5, without padding */
function encodeBase64(bytes, forURL) {
    const digit = (index) => (forURL && index > 61 ? '-_'[index - 62] : alphabet[index]);
    const length = lengthOf(bytes);
    let result = '';
    for (let i = 0; i < length; i += 3) {
        const bits = bytes[i] << 16 | (i + 1 < length ? bytes[i + 1] << 8 : 0) | (i + 2 < length ? bytes[i + 2] : 0);
        result += digit(bits >> 18) + digit(bits >> 12 & 63) + (i + 1 < length ? digit(bits >> 6 & 63) : forURL ? '' : '=') +
            (i + 2 < length ? digit(bits & 63) : forURL ? '' : '=');
    }
    return result;
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

internal.encoding = {
    TextDecoder, bytesOf, concatenate, decodeBase64, decodeChunk, encodeBase64, isBufferSource, isShared, nameOf: (encoding) => names[encoding],
    noBytes, stringOfUnits,
};
