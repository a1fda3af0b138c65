'use strict';
// @ts-check
// Percent-encoding (https://url.spec.whatwg.org/#percent-encoded-bytes) and hosts (https://url.spec.whatwg.org/#hosts-(domains-and-ip-addresses)).

const {
    ArrayPrototypePop, NumberPrototypeToString, StringFromCharCode, StringPrototypeCharCodeAt, StringPrototypeCodePointAt, StringPrototypeIncludes,
    StringPrototypeIndexOf, StringPrototypeLastIndexOf, StringPrototypeSlice, StringPrototypeToLowerCase, TypedArrayPrototypeGetLength,
    TypedArrayPrototypeSubarray,
} = primordials;
const { split } = internal.text;

// ---- Percent-encode sets (https://url.spec.whatwg.org/#percent-encoded-bytes), one bit a set ----

const setC0 = 1, setFragment = 2, setQuery = 4, setSpecialQuery = 8, setPath = 16, setUserinfo = 32, setForm = 64;
const allSets = 127;
const encodeSets = []; // of an ASCII character: the sets it is in
for (let i = 0; i < 128; i++) encodeSets[i] = i < 0x20 || i === 0x7F ? allSets : 0;
function addToSets(characters, sets) {
    for (let i = 0; i < characters.length; i++) encodeSets[StringPrototypeCharCodeAt(characters, i)] |= sets;
}
addToSets(' "<>', allSets & ~setC0);
addToSets('`', setFragment | setPath | setUserinfo | setForm);
addToSets('#', setQuery | setSpecialQuery | setPath | setUserinfo | setForm);
addToSets("'", setSpecialQuery | setForm);
addToSets('?^{}', setPath | setUserinfo | setForm);
addToSets('/:;=@[\\]|', setUserinfo | setForm);
addToSets('$%&+,!()~', setForm);

const percentCodes = [];
for (let i = 0; i < 256; i++) percentCodes[i] = `%${'0123456789ABCDEF'[i >> 4]}${'0123456789ABCDEF'[i & 15]}`;

/** https://url.spec.whatwg.org/#string-utf-8-percent-encode */
function percentEncode(text, set) {
    const { length } = text;
    for (let i = 0; i < length; i++) {
        const unit = StringPrototypeCharCodeAt(text, i);
        if (unit > 127 || (encodeSets[unit] & set) !== 0) return percentEncodeFrom(text, set, i);
    }
    return text;
}

function percentEncodeFrom(text, set, first) {
    let result = '';
    let done = 0; // what is in result already
    for (let i = first; i < text.length; i++) {
        const unit = StringPrototypeCharCodeAt(text, i);
        if (unit < 128 && (encodeSets[unit] & set) === 0) continue;
        result += StringPrototypeSlice(text, done, i);
        if (unit < 128) {
            result += percentCodes[unit];
        } else {
            let point = StringPrototypeCodePointAt(text, i);
            if (point >= 0xD800 && point <= 0xDFFF) point = 0xFFFD;
            if (point > 0xFFFF) i++;
            result += percentEncodePoint(point);
        }
        done = i + 1;
    }
    return result + StringPrototypeSlice(text, done);
}

function percentEncodePoint(point) {
    if (point < 0x800) return percentCodes[0xC0 | point >> 6] + percentCodes[0x80 | point & 63];
    const tail = percentCodes[0x80 | point >> 6 & 63] + percentCodes[0x80 | point & 63];
    if (point < 0x10000) return percentCodes[0xE0 | point >> 12] + tail;
    return percentCodes[0xF0 | point >> 18] + percentCodes[0x80 | point >> 12 & 63] + tail;
}

function hexValue(unit) {
    if (unit >= 48 && unit <= 57) return unit - 48;
    unit |= 32;
    return unit >= 97 && unit <= 102 ? unit - 87 : -1;
}

/** https://url.spec.whatwg.org/#string-percent-decode. @returns {Uint8Array} */
function percentDecodeBytes(text) {
    const bytes = ops.encodeUtf8(text);
    const length = TypedArrayPrototypeGetLength(bytes);
    let written = 0;
    for (let i = 0; i < length; i++) {
        let byte = bytes[i];
        if (byte === 37 && i + 2 < length) {
            const high = hexValue(bytes[i + 1]), low = hexValue(bytes[i + 2]);
            if (high >= 0 && low >= 0) {
                byte = high << 4 | low;
                i += 2;
            }
        }
        bytes[written++] = byte;
    }
    return TypedArrayPrototypeSubarray(bytes, 0, written);
}

/** Percent-decoded and read as UTF-8 without BOM. */
function percentDecode(text) {
    let escape = StringPrototypeIndexOf(text, '%');
    if (escape < 0) return text;
    let result = '';
    let done = 0; // what is in result already
    for (; escape >= 0; escape = StringPrototypeIndexOf(text, '%', escape + 1)) {
        if (escape + 2 >= text.length) break;
        const high = hexValue(StringPrototypeCharCodeAt(text, escape + 1)), low = hexValue(StringPrototypeCharCodeAt(text, escape + 2));
        if (high < 0 || low < 0) continue;
        if (high > 7) return ops.decodeUtf8(percentDecodeBytes(text), false, true); // beyond ASCII
        result += StringPrototypeSlice(text, done, escape) + StringFromCharCode(high << 4 | low);
        done = escape + 3;
        escape += 2;
    }
    return result + StringPrototypeSlice(text, done);
}

// ---- Hosts (https://url.spec.whatwg.org/#host-parsing) ----

const hostForbidden = 1, domainForbidden = 2;
const forbidden = [];
for (let i = 0; i < 128; i++) forbidden[i] = i <= 0x20 || i === 0x7F ? domainForbidden : 0;
for (let i = 0, list = '\0\t\n\r #/:<>?@[\\]^|'; i < list.length; i++) forbidden[StringPrototypeCharCodeAt(list, i)] = hostForbidden | domainForbidden;
forbidden[37] = domainForbidden; // %

/** @returns {string | null} null: failure */
function parseHost(input, special) {
    if (input !== '' && StringPrototypeCharCodeAt(input, 0) === 91) {
        if (StringPrototypeCharCodeAt(input, input.length - 1) !== 93) return null;
        return parseIPv6(StringPrototypeSlice(input, 1, -1));
    }
    if (!special) return parseOpaqueHost(input);
    let domain = input;
    if (!isPlainDomain(input)) {
        domain = domainToASCII(percentDecode(input));
        if (domain === null) return null;
    }
    return endsInNumber(domain) ? parseIPv4(domain) : domain;
}

/** Lower-case ASCII without anything that needs a closer look. */
function isPlainDomain(text) {
    for (let i = 0; i < text.length; i++) {
        const unit = StringPrototypeCharCodeAt(text, i);
        if (!((unit >= 97 && unit <= 122) || unit === 46 || (unit >= 48 && unit <= 57) || unit === 45 || unit === 95)) return false;
    }
    return text !== '' && !StringPrototypeIncludes(text, 'xn--');
}

/** https://url.spec.whatwg.org/#concept-opaque-host-parser */
function parseOpaqueHost(input) {
    for (let i = 0; i < input.length; i++) {
        const unit = StringPrototypeCharCodeAt(input, i);
        if (unit < 128 && (forbidden[unit] & hostForbidden) !== 0) return null;
    }
    return percentEncode(input, setC0);
}

/** https://url.spec.whatwg.org/#concept-domain-to-ascii with beStrict false, and the check for forbidden domain code points. */
function domainToASCII(domain) {
    let ascii = true;
    for (let i = 0; ascii && i < domain.length; i++) ascii = StringPrototypeCharCodeAt(domain, i) < 128;
    let result = ascii ? StringPrototypeToLowerCase(domain) : domain;
    // A label that is Punycode already is checked by UTS 46, too.
    if (!ascii || StringPrototypeIncludes(result, 'xn--')) {
        result = ops.domainToASCII(domain);
        if (result === null) return null;
    }
    if (result === '') return null;
    for (let i = 0; i < result.length; i++) {
        if ((forbidden[StringPrototypeCharCodeAt(result, i)] & domainForbidden) !== 0) return null;
    }
    return result;
}

/** https://url.spec.whatwg.org/#ends-in-a-number-checker */
function endsInNumber(domain) {
    let end = domain.length;
    if (end > 0 && StringPrototypeCharCodeAt(domain, end - 1) === 46) end--;
    const start = StringPrototypeLastIndexOf(domain, '.', end - 1) + 1;
    if (start >= end) return false;
    const first = StringPrototypeCharCodeAt(domain, start);
    if (first < 48 || first > 57) return false;
    const last = StringPrototypeSlice(domain, start, end);
    for (let i = 0; ; i++) {
        if (i === last.length) return true;
        const unit = StringPrototypeCharCodeAt(last, i);
        if (unit < 48 || unit > 57) break;
    }
    return parseIPv4Number(last) >= 0;
}

/** https://url.spec.whatwg.org/#ipv4-number-parser. -1: failure */
function parseIPv4Number(text) {
    if (text === '') return -1;
    let radix = 10;
    let i = 0;
    if (text.length >= 2 && text[0] === '0') {
        if (text[1] === 'x' || text[1] === 'X') { radix = 16; i = 2; } else { radix = 8; i = 1; }
    }
    let value = 0;
    for (; i < text.length; i++) {
        const digit = hexValue(StringPrototypeCharCodeAt(text, i));
        if (digit < 0 || digit >= radix) return -1;
        value = value * radix + digit;
    }
    return value;
}

/** https://url.spec.whatwg.org/#concept-ipv4-parser */
function parseIPv4(text) {
    const parts = split(text, '.');
    if (parts[parts.length - 1] === '' && parts.length > 1) ArrayPrototypePop(parts);
    if (parts.length > 4) return null;
    let address = 0;
    for (let i = 0; i < parts.length; i++) {
        const number = parseIPv4Number(parts[i]);
        if (number < 0) return null;
        if (i < parts.length - 1) {
            if (number > 255) return null;
            address += number * 256 ** (3 - i);
        } else {
            if (number >= 256 ** (5 - parts.length)) return null;
            address += number;
        }
    }
    return `${address >>> 24}.${address >>> 16 & 255}.${address >>> 8 & 255}.${address & 255}`;
}

/** https://url.spec.whatwg.org/#concept-ipv6-parser. @returns {string | null} with brackets */
function parseIPv6(text) {
    const pieces = [0, 0, 0, 0, 0, 0, 0, 0];
    const { length } = text;
    let piece = 0;
    let compress = -1;
    let i = 0;
    if (text[0] === ':') {
        if (text[1] !== ':') return null;
        i = 2;
        compress = ++piece;
    }
    while (i < length) {
        if (piece === 8) return null;
        if (text[i] === ':') {
            if (compress >= 0) return null;
            i++;
            compress = ++piece;
            continue;
        }
        let value = 0;
        let digits = 0;
        for (; digits < 4 && i < length; digits++, i++) {
            const digit = hexValue(StringPrototypeCharCodeAt(text, i));
            if (digit < 0) break;
            value = value * 16 + digit;
        }
        if (i < length && text[i] === '.') {
            if (digits === 0 || piece > 6) return null;
            const end = parseIPv4InIPv6(text, i - digits, pieces, piece);
            if (!end) return null;
            piece += 2;
            i = length;
            break;
        }
        if (i < length) {
            if (text[i] !== ':') return null;
            i++;
            if (i === length) return null;
        }
        pieces[piece++] = value;
    }
    if (compress >= 0) {
        let swaps = piece - compress;
        for (piece = 7; piece !== 0 && swaps > 0; piece--, swaps--) {
            const other = compress + swaps - 1;
            const value = pieces[other];
            pieces[other] = pieces[piece];
            pieces[piece] = value;
        }
    } else if (piece !== 8) {
        return null;
    }
    return serializeIPv6(pieces);
}

/** The dotted decimal end of an IPv6 address. @returns {boolean} success */
function parseIPv4InIPv6(text, i, pieces, piece) {
    for (let seen = 0; seen < 4; seen++) {
        if (seen > 0) {
            if (text[i] !== '.') return false;
            i++;
        }
        let value = -1;
        for (; i < text.length; i++) {
            const digit = StringPrototypeCharCodeAt(text, i) - 48;
            if (digit < 0 || digit > 9) break;
            if (value === 0) return false; // a leading zero
            value = value < 0 ? digit : value * 10 + digit;
            if (value > 255) return false;
        }
        if (value < 0) return false;
        pieces[piece + (seen >> 1)] = pieces[piece + (seen >> 1)] * 256 + value;
    }
    return i === text.length;
}

/** https://url.spec.whatwg.org/#concept-ipv6-serializer */
function serializeIPv6(pieces) {
    let longest = 1; // a run of one zero is not worth it
    let compress = -1;
    for (let start = 0; start < 8; start++) {
        let end = start;
        while (end < 8 && pieces[end] === 0) end++;
        if (end - start > longest) {
            longest = end - start;
            compress = start;
        }
        if (end > start) start = end;
    }
    let text = '[';
    for (let i = 0; i < 8; i++) {
        if (i === compress) {
            text += i === 0 ? '::' : ':';
            i += longest - 1;
            continue;
        }
        text += NumberPrototypeToString(pieces[i], 16);
        if (i !== 7) text += ':';
    }
    return `${text}]`;
}

internal.urlHost = {
    parseHost, percentEncode, percentDecode, percentDecodeBytes, hexValue, setFragment, setQuery, setSpecialQuery, setPath, setC0, setUserinfo, setForm,
};
