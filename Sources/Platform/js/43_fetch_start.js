'use strict';
// @ts-check
// fetch() (https://fetch.spec.whatwg.org/#fetch-method). The host sends the request and answers through internal.fetch.settle with the whole response; data:
// URLs (https://fetch.spec.whatwg.org/#data-urls) are answered here. A redirect mode of "manual" gives the redirect response itself, as servers want it.

const {
    ArrayBufferIsView, ArrayPrototypeIncludes, ArrayPrototypePush, ArrayPrototypeSlice, Error, ObjectDefineProperty, Promise, SafeMap, StringPrototypeCharCodeAt,
    StringPrototypeEndsWith, StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeStartsWith, StringPrototypeToLowerCase,
    StringPrototypeTrimEnd, TypeError, TypedArrayPrototypeGetLength, Uint8Array,
} = primordials;
const { Body, take: takeBody } = internal.body;
const { decodeBase64, stringOfUnits } = internal.encoding;
const { addAbortAlgorithm, removeAbortAlgorithm } = internal.events;
const { Request, makeResponse, redirectStatuses, requestState } = internal.fetchClasses;
const { isHTTPWhitespace, isToken, listOf, makeHeaders } = internal.headers;
const { serialize } = internal.url;
const { percentDecodeBytes } = internal.urlHost;
const { defineGlobalFunction, requireArguments } = internal.webidl;

/** Requests under way: id → how their promises are settled. Their number is the host's to limit. */
const pending = new SafeMap();
let lastId = 0;

function failed(message, code) {
    const cause = new Error(message);
    if (code !== undefined) cause.code = code;
    const error = new TypeError('fetch failed');
    ObjectDefineProperty(error, 'cause', { __proto__: null, value: cause, writable: true, enumerable: false, configurable: true });
    return error;
}

/** Name, value, name, value … with what the standard adds when the program says nothing. */
function wireHeaders(state) {
    const list = ArrayPrototypeSlice(listOf(state.headers));
    const add = (name, value) => {
        for (let i = 0; i < list.length; i += 2) if (list[i] === name) return;
        ArrayPrototypePush(list, name, value);
    };
    add('accept', '*/*');
    add('accept-language', '*');
    add('user-agent', 'sidelight');
    return list;
}

async function wireBody(body) {
    if (body === null) return null;
    const taken = takeBody(body);
    return typeof taken === 'string' ? ops.encodeUtf8(taken) : ArrayBufferIsView(taken) ? taken : await taken;
}

defineGlobalFunction('fetch', async function fetch(input, init = undefined) {
    requireArguments(arguments.length, 1, 'fetch');
    const request = new Request(input, init);
    const state = requestState(request);
    const { signal, url } = state;
    if (signal !== undefined && signal.aborted) throw signal.reason;
    if (url.protocol === 'data:') return dataResponse(state);
    if (url.protocol !== 'http:' && url.protocol !== 'https:') throw failed(`unknown scheme: ${url.protocol}`, 'ERR_UNKNOWN_URL_SCHEME');
    const body = await wireBody(state.body);
    return new Promise((resolve, reject) => {
        const id = ++lastId;
        const entry = { resolve, reject, state, onAbort: undefined };
        if (signal !== undefined) {
            entry.onAbort = () => {
                if (take(id) === undefined) return;
                ops.fetchAbort(id);
                reject(signal.reason);
            };
            addAbortAlgorithm(signal, entry.onAbort);
        }
        pending.set(id, entry);
        internal.timers.addRef();
        try {
            ops.fetchStart(id, state.method, serialize(url, true), wireHeaders(state), body, state.redirect === 'follow', 0);
        } catch (error) {
            take(id);
            reject(failed(error.message, error.code));
        }
    });
});

/** The entry of a request that is over now. */
function take(id) {
    const entry = pending.get(id);
    if (entry === undefined) return undefined;
    pending.delete(id);
    internal.timers.dropRef();
    if (entry.onAbort !== undefined) removeAbortAlgorithm(entry.state.signal, entry.onAbort);
    return entry;
}

/**
 * The host's answer. The promise's reactions run in the contexts they were made in; V8 sees to that.
 * @param {number} id @param {{code: string, message: string} | null} error
 * @param {number} status @param {string[]} headers name, value, name, value … @param {ArrayBuffer | Uint8Array} body
 * @param {string} url of the last request, after redirects
 */
function settle(id, error, status, headers, body, url) {
    const entry = take(id);
    if (entry === undefined) return; // given up meanwhile
    const { state } = entry;
    if (error !== null) {
        entry.reject(failed(error.message, error.code));
        return;
    }
    if (state.redirect === 'error' && ArrayPrototypeIncludes(redirectStatuses, status)) {
        entry.reject(failed('unexpected redirect', 'ERR_REDIRECT'));
        return;
    }
    const list = [];
    for (let i = 0; i < headers.length; i += 2) ArrayPrototypePush(list, StringPrototypeToLowerCase(headers[i]), headers[i + 1]);
    const asked = serialize(state.url, true);
    const bytes = new Uint8Array(body);
    const isNull = status === 204 || status === 205 || status === 304 || state.method === 'HEAD';
    entry.resolve(makeResponse({
        type: 'basic', url: url === '' ? asked : url, redirected: url !== '' && url !== asked, status, headers: makeHeaders(list),
        body: isNull ? null : new Body(bytes, null),
    }));
}

// ---- data: URLs ----

/** https://fetch.spec.whatwg.org/#data-url-processor */
function dataResponse(state) {
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

function trimmed(text) {
    let start = 0;
    let end = text.length;
    while (start < end && isHTTPWhitespace(StringPrototypeCharCodeAt(text, start))) start++;
    while (end > start && isHTTPWhitespace(StringPrototypeCharCodeAt(text, end - 1))) end--;
    return StringPrototypeSlice(text, start, end);
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

internal.fetch = { settle };
