'use strict';
// @ts-check
// Object URLs (https://w3c.github.io/FileAPI/#url): URL.createObjectURL and revokeObjectURL, and how fetch answers them. The host keeps the Blobs, for all
// isolates of the process. Who parses such a URL takes the Blob at once, so that it may be revoked right afterwards.

const {
    ArrayPrototypePush, ObjectDefineProperty, RegExpPrototypeExec, StringPrototypeEndsWith, TypeError,
    TypedArrayPrototypeGetLength, TypedArrayPrototypeSubarray,
} = primordials;
const { DOMException } = internal;
const { blobBytes, blobType, isBlob } = internal.blob;
const { Body } = internal.body;
const { makeResponse } = internal.fetchClasses;
const { listOf, makeHeaders } = internal.headers;
const { parseMIMEType } = internal.mime;
const { dress, revived } = internal.serialization;
const { parse, serialize } = internal.url;
const { requireArguments, toUSVString } = internal.webidl;

/** https://w3c.github.io/FileAPI/#blob-url-resolve. @returns {Blob | null} */
function resolve(url) {
    const blob = ops.blobOf(serialize(url, true), revived, undefined);
    dress();
    return blob;
}

/** https://fetch.spec.whatwg.org/#simple-range-header-value, white space allowed. @returns {[first: number, last: number] | null} */
function rangeIn(text, size) {
    const match = RegExpPrototypeExec(/^bytes[\t ]*=[\t ]*([0-9]*)[\t ]*-[\t ]*([0-9]*)$/, text);
    if (match === null || match[1] === '' && match[2] === '') return null;
    if (match[1] === '') return +match[2] === 0 ? null : [+match[2] < size ? size - +match[2] : 0, size - 1]; // the last so many
    const first = +match[1];
    if (match[2] !== '' && first > +match[2] || first >= size) return null;
    return [first, match[2] === '' || +match[2] >= size ? size - 1 : +match[2]];
}

/** https://fetch.spec.whatwg.org/#scheme-fetch, "blob". @returns the response; throws when there is none */
function blobResponse(state, failed) {
    const blob = state.url.blob ?? null;
    if (state.method !== 'GET') throw failed(`the method of a blob URL is ${state.method}, which is not GET`, 'ERR_METHOD');
    if (blob === null) throw failed('no such blob URL', 'ERR_BLOB_NOT_FOUND');
    let bytes = blobBytes(blob);
    const list = ['content-type', blobType(blob)];
    const wanted = valueIn(listOf(state.headers), 'range');
    let status = 200, statusText = 'OK';
    if (wanted !== undefined) {
        const size = TypedArrayPrototypeGetLength(bytes);
        const range = rangeIn(wanted, size);
        if (range === null) throw failed(`the Blob of ${size} bytes has no range '${wanted}'`, 'ERR_RANGE');
        bytes = TypedArrayPrototypeSubarray(bytes, range[0], range[1] + 1);
        ArrayPrototypePush(list, 'content-range', `bytes ${range[0]}-${range[1]}/${size}`);
        status = 206;
        statusText = 'Partial Content';
    }
    ArrayPrototypePush(list, 'content-length', `${TypedArrayPrototypeGetLength(bytes)}`);
    return makeResponse({
        type: 'basic', url: serialize(state.url, true), status, statusText, headers: makeHeaders(list), body: new Body(bytes, null),
    });
}

function valueIn(list, name) {
    for (let i = 0; i < list.length; i += 2) if (list[i] === name) return list[i + 1];
    return undefined;
}

/** https://w3c.github.io/FileAPI/#creating-revoking */
const methods = {
    createObjectURL(obj) {
        requireArguments(arguments.length, 1, 'URL.createObjectURL');
        if (!isBlob(obj)) throw new TypeError('URL.createObjectURL: the argument is not a Blob');
        const url = `blob:null/${internal.load('web_crypto').randomUUID()}`;
        if (!ops.blobPut(url, obj)) throw new DOMException('There are 65536 blob URLs already', 'QuotaExceededError');
        return url;
    },
    revokeObjectURL(url) {
        requireArguments(arguments.length, 1, 'URL.revokeObjectURL');
        const record = parse(toUSVString(url), null);
        if (record !== null && record.protocol === 'blob:') ops.blobRevoke(serialize(record, false));
    },
};
for (const name in methods) {
    ObjectDefineProperty(globalThis.URL, name, { __proto__: null, value: methods[name], writable: true, enumerable: true, configurable: true });
}

// ---- Scripts ----

/** https://mimesniff.spec.whatwg.org/#javascript-mime-type */
const script = /^(?:application|text)\/(?:x-)?(?:java|ecma)script$|^text\/(?:javascript1\.[0-5]|jscript|livescript)$/;

/**
 * The source that a data: or blob: URL has.
 * @param {object} url a record
 * @param {string} type '' for JavaScript, 'json', or 'any'
 * @returns {Uint8Array | string} a text: why there is none
 */
function sourceOf(url, type) {
    const content = url.protocol === 'data:' ? internal.dataURL.contentOf(url) : contentOfBlob(url);
    if (typeof content === 'string' || type === 'any') return content.bytes ?? content;
    const essence = parseMIMEType(content.type)?.essence ?? '';
    const fits = type === 'json' ? essence === 'application/json' || essence === 'text/json' || StringPrototypeEndsWith(essence, '+json')
        : RegExpPrototypeExec(script, essence) !== null;
    return fits ? content.bytes : `its media type '${content.type}' is not ${type === 'json' ? 'JSON' : 'JavaScript'}`;
}

function contentOfBlob(url) {
    const blob = resolve(url);
    return blob === null ? 'there is no such blob URL' : { bytes: blobBytes(blob), type: blobType(blob) };
}

/** What is told of a URL: one of data: can be any length. */
const shortened = (url) => (url.length > URL_MAX ? `${internal.text.cut(url, URL_MAX)}\u2026` : url);
const URL_MAX = 1024;

internal.objectURL = { blobResponse, resolve, sourceOf, shortened };
