'use strict';
// @ts-check
// data: URLs (https://fetch.spec.whatwg.org/#data-urls), as fetch answers them.

const {
    StringPrototypeEndsWith, StringPrototypeIndexOf, StringPrototypeSlice,
    StringPrototypeStartsWith, StringPrototypeToLowerCase, StringPrototypeTrimEnd, TypedArrayPrototypeGetLength,
} = primordials;
const { Body } = internal.body;
const { decodeBase64, stringOfUnits } = internal.encoding;
const { makeResponse } = internal.fetchClasses;
const { makeHeaders, normalizeValue: trimmed } = internal.headers;
const { parseMIMEType, serializeMIMEType } = internal.mime;
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
    const mimeType = parseMIMEType(type);
    return makeResponse({
        type: 'basic', url: serialize(state.url, true), status: 200, statusText: 'OK',
        headers: makeHeaders(['content-type', mimeType === null ? 'text/plain;charset=US-ASCII' : serializeMIMEType(mimeType)]),
        body: state.method === 'HEAD' ? null : new Body(bytes, null),
    });
}

internal.dataResponse = dataResponse;
