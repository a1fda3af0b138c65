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

/** https://fetch.spec.whatwg.org/#data-url-processor. @returns {{bytes: Uint8Array, type: string} | string} a text: what is wrong with the URL */
function contentOf(url) {
    const text = StringPrototypeSlice(serialize(url, true), 5);
    const comma = StringPrototypeIndexOf(text, ',');
    if (comma < 0) return 'invalid data URL';
    let type = trimmed(StringPrototypeSlice(text, 0, comma));
    let bytes = percentDecodeBytes(StringPrototypeSlice(text, comma + 1));
    const lower = StringPrototypeToLowerCase(type);
    if (StringPrototypeEndsWith(lower, 'base64')) {
        const rest = StringPrototypeTrimEnd(StringPrototypeSlice(type, 0, -6));
        if (StringPrototypeEndsWith(rest, ';')) {
            bytes = decodeBase64(stringOfUnits(bytes, TypedArrayPrototypeGetLength(bytes)));
            if (bytes === null) return 'invalid base64 in a data URL';
            type = StringPrototypeSlice(rest, 0, -1);
        }
    }
    if (StringPrototypeStartsWith(type, ';')) type = `text/plain${type}`;
    const mimeType = parseMIMEType(type);
    return { bytes, type: mimeType === null ? 'text/plain;charset=US-ASCII' : serializeMIMEType(mimeType) };
}

/** @returns the response; throws when the URL is no good */
function dataResponse(state, failed) {
    const content = contentOf(state.url);
    if (typeof content === 'string') throw failed(content, 'ERR_INVALID_URL');
    return makeResponse({
        type: 'basic', url: serialize(state.url, true), status: 200, statusText: 'OK', headers: makeHeaders(['content-type', content.type]),
        body: state.method === 'HEAD' ? null : new Body(content.bytes, null),
    });
}

internal.dataURL = { contentOf, dataResponse };
