'use strict';
// @ts-check
// data: URLs (https://fetch.spec.whatwg.org/#data-urls), as fetch answers them.

const {
    ArrayPrototypeIncludes, ArrayPrototypePush, StringPrototypeCharCodeAt, StringPrototypeEndsWith, StringPrototypeIndexOf, StringPrototypeSlice,
    StringPrototypeStartsWith, StringPrototypeToLowerCase, StringPrototypeTrimEnd, TypedArrayPrototypeGetLength,
} = primordials;
const { Body } = internal.body;
const { decodeBase64, stringOfUnits } = internal.encoding;
const { makeResponse } = internal.fetchClasses;
const { isHTTPWhitespace, isToken, makeHeaders, normalizeValue: trimmed } = internal.headers;
const { serialize } = internal.url;
const { percentDecodeBytes } = internal.urlHost;

/** https://fetch.spec.whatwg.org/#data-url-processor. @returns the response; throws when the URL is no good */
function dataResponse(state, failed) {
    const text = StringPrototypeSlice(serialize(state.url, true), 5);
    const comma = StringPrototypeIndexOf(text, ',');
    if (comma < 0) throw failed('invalid data URL', 'ERR_INVALID_URL');
    let type = trimmed(StringPrototypeSlice(text, 0, comma));
    let bytes = percentDecodeBytes(StringPrototypeSlice(text, comma + 1));
    const lower = StringPrototypeToLowerCase(type);
    if (StringPrototypeEndsWith(lower, 'base64')) {
        const rest = StringPrototypeTrimEnd(StringPrototypeSlice(type, 0, -6));
        if (StringPrototypeEndsWith(rest, ';')) {
            bytes = decodeBase64(stringOfUnits(bytes, TypedArrayPrototypeGetLength(bytes)));
            if (bytes === null) throw failed('invalid base64 in a data URL', 'ERR_INVALID_URL');
            type = StringPrototypeSlice(rest, 0, -1);
        }
    }
    if (StringPrototypeStartsWith(type, ';')) type = `text/plain${type}`;
    return makeResponse({
        type: 'basic', url: serialize(state.url, true), status: 200, statusText: 'OK',
        headers: makeHeaders(['content-type', normalizeType(type) ?? 'text/plain;charset=US-ASCII']),
        body: state.method === 'HEAD' ? null : new Body(bytes, null),
    });
}

/** Parses and serializes a MIME type (https://mimesniff.spec.whatwg.org/#parse-a-mime-type); null: failure. */
function normalizeType(text) {
    const slash = StringPrototypeIndexOf(text, '/');
    if (slash <= 0) return null;
    let position = StringPrototypeIndexOf(text, ';', slash);
    if (position < 0) position = text.length;
    const type = StringPrototypeSlice(text, 0, slash);
    const subtype = trimmed(StringPrototypeSlice(text, slash + 1, position));
    if (!isToken(type) || !isToken(subtype)) return null;
    let result = StringPrototypeToLowerCase(`${type}/${subtype}`);
    const seen = [];
    while (position < text.length) {
        position++;
        while (position < text.length && isHTTPWhitespace(StringPrototypeCharCodeAt(text, position))) position++;
        const start = position;
        while (position < text.length && text[position] !== ';' && text[position] !== '=') position++;
        const name = StringPrototypeToLowerCase(StringPrototypeSlice(text, start, position));
        if (position >= text.length) break;
        if (text[position] === ';') continue;
        position++;
        let value;
        if (text[position] === '"') {
            value = '';
            for (position++; position < text.length && text[position] !== '"'; position++) {
                if (text[position] === '\\' && position + 1 < text.length) position++;
                value += text[position];
            }
            position = StringPrototypeIndexOf(text, ';', position);
            if (position < 0) position = text.length;
        } else {
            let end = StringPrototypeIndexOf(text, ';', position);
            if (end < 0) end = text.length;
            value = trimmed(StringPrototypeSlice(text, position, end));
            position = end;
            if (value === '') continue;
        }
        if (!isToken(name) || !isQuotable(value) || ArrayPrototypeIncludes(seen, name)) continue;
        ArrayPrototypePush(seen, name);
        result += `;${name}=${isToken(value) ? value : quoted(value)}`;
    }
    return result;
}

/** HTTP quoted-string token code points */
function isQuotable(text) {
    for (let i = 0; i < text.length; i++) {
        const unit = StringPrototypeCharCodeAt(text, i);
        if (unit !== 9 && (unit < 32 || unit === 127 || unit > 255)) return false;
    }
    return true;
}

function quoted(text) {
    let result = '"';
    for (let i = 0; i < text.length; i++) result += text[i] === '"' || text[i] === '\\' ? `\\${text[i]}` : text[i];
    return `${result}"`;
}

internal.dataResponse = dataResponse;
