'use strict';
// @ts-check
// Request and Response (https://fetch.spec.whatwg.org/#request-class, #response-class). Bodies are whole strings or byte arrays: there are no streams yet, so
// `body` is null, also where a body is; text(), json(), arrayBuffer() and bytes() read it.

const {
    ArrayBufferPrototypeGetByteLength, ArrayPrototypeIncludes, ArrayPrototypePush, Boolean, JSONParse, JSONStringify, ObjectDefineProperty,
    RangeError, ReflectGetOwnPropertyDescriptor, StringPrototypeCharCodeAt, StringPrototypeSlice, StringPrototypeToUpperCase, TypeError,
    TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength, Uint8Array,
} = primordials;
const { customInspect } = internal;
const { bytesOf, concatenate, noBytes } = internal.encoding;
const { isSignal } = internal.events;
const { Headers, isToken, listOf, makeHeaders } = internal.headers;
const { parse, serialize } = internal.url;
const { defineInterface, requireArguments, toByteString, toDictionary, toUSVString } = internal.webidl;

// ---- Bodies (https://fetch.spec.whatwg.org/#bodies) ----

/** @typedef {{source: string | Uint8Array, used: boolean}} Body */

/**
 * https://fetch.spec.whatwg.org/#concept-bodyinit-extract
 * @returns {{body: Body, type: string | null}}
 */
function extractBody(value) {
    const form = internal.formText(value);
    if (form !== undefined) return { body: { source: form, used: false }, type: 'application/x-www-form-urlencoded;charset=UTF-8' };
    const bytes = bytesOf(value);
    if (bytes !== undefined) return { body: { source: concatenate(bytes, noBytes), used: false }, type: null }; // a copy
    return { body: { source: toUSVString(value), used: false }, type: 'text/plain;charset=UTF-8' };
}

/** The source, read for the one time it can be. */
function consume(body) {
    if (body === null) return '';
    if (body.used) throw new TypeError('Body is unusable: Body has already been read');
    body.used = true;
    return body.source;
}

function textOfSource(source) {
    if (typeof source !== 'string') return ops.decodeUtf8(source, false, false);
    return StringPrototypeCharCodeAt(source, 0) === 0xFEFF ? StringPrototypeSlice(source, 1) : source;
}

function bytesOfSource(source) {
    return typeof source === 'string' ? ops.encodeUtf8(source) : concatenate(source, noBytes);
}

/** Adds what Request and Response have in common (https://fetch.spec.whatwg.org/#body-mixin). */
function defineBody(Class, bodyOf) {
    const methods = {
        async text() { return textOfSource(consume(bodyOf(this))); },
        async json() { return JSONParse(textOfSource(consume(bodyOf(this)))); },
        async bytes() { return bytesOfSource(consume(bodyOf(this))); },
        async arrayBuffer() {
            const bytes = bytesOfSource(consume(bodyOf(this)));
            const buffer = TypedArrayPrototypeGetBuffer(bytes);
            // A native encoder may hand out a part of a larger buffer.
            const isWhole = ArrayBufferPrototypeGetByteLength(buffer) === TypedArrayPrototypeGetByteLength(bytes);
            return isWhole ? buffer : TypedArrayPrototypeGetBuffer(new Uint8Array(bytes));
        },
    };
    for (const name in methods) {
        ObjectDefineProperty(Class.prototype, name, { __proto__: null, value: methods[name], writable: true, enumerable: true, configurable: true });
    }
    const getters = {
        get body() {
            bodyOf(this);
            return null;
        },
        get bodyUsed() { return bodyOf(this)?.used === true; },
    };
    for (const name in getters) {
        const { get } = ReflectGetOwnPropertyDescriptor(getters, name);
        ObjectDefineProperty(Class.prototype, name, { __proto__: null, get, set: undefined, enumerable: true, configurable: true });
    }
}

function copyBody(body, what) {
    if (body === null) return null;
    if (body.used) throw new TypeError(`${what}.clone: Body has already been consumed.`);
    return { source: body.source, used: false };
}

/** Content-Type from the body where the headers have none. */
function addType(headers, type) {
    if (type === null) return;
    const list = listOf(headers);
    for (let i = 0; i < list.length; i += 2) if (list[i] === 'content-type') return;
    ArrayPrototypePush(list, 'content-type', type);
}

// ---- Request ----

const forbiddenMethods = ['CONNECT', 'TRACE', 'TRACK'];
const normalizedMethods = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT'];

/** https://fetch.spec.whatwg.org/#concept-method-normalize */
function toMethod(value) {
    const method = toByteString(value, 'Request: the method');
    const upper = StringPrototypeToUpperCase(method);
    if (!isToken(method) || ArrayPrototypeIncludes(forbiddenMethods, upper)) throw new TypeError(`'${method}' is not a valid HTTP method.`);
    return ArrayPrototypeIncludes(normalizedMethods, upper) ? upper : method;
}

/** An enumeration's value (https://webidl.spec.whatwg.org/#js-enumeration). */
function toChoice(value, choices, what) {
    const text = `${value}`;
    if (!ArrayPrototypeIncludes(choices, text)) throw new TypeError(`Request: '${text}' is not a valid value for ${what}.`);
    return text;
}
const redirects = ['follow', 'error', 'manual'];
const modes = ['same-origin', 'cors', 'no-cors', 'navigate'];
const credentialModes = ['omit', 'same-origin', 'include'];
const caches = ['default', 'no-store', 'reload', 'no-cache', 'force-cache', 'only-if-cached'];

let requestState; // of a Request; undefined for anything else

class Request {
    /** method, url (record), headers, body, redirect, signal (undefined: none) and what only is kept: mode, credentials, cache, integrity, keepalive */
    #state;
    #signal; // made when it is asked for

    constructor(input, init = undefined) {
        requireArguments(arguments.length, 1, 'Request');
        init = toDictionary(init, 'The request init') ?? {};
        const from = requestState(input);
        const state = from === undefined ? {
            method: 'GET', url: toRecord(input), headers: undefined, body: null, redirect: 'follow', signal: undefined, mode: 'cors',
            credentials: 'same-origin', cache: 'default', integrity: '', keepalive: false,
        } : { ...from };
        if (init.method !== undefined) state.method = toMethod(init.method);
        if (init.redirect !== undefined) state.redirect = toChoice(init.redirect, redirects, 'redirect');
        if (init.mode !== undefined) state.mode = toChoice(init.mode, modes, 'mode');
        if (state.mode === 'navigate') throw new TypeError('Request: the mode cannot be navigate');
        if (init.credentials !== undefined) state.credentials = toChoice(init.credentials, credentialModes, 'credentials');
        if (init.cache !== undefined) state.cache = toChoice(init.cache, caches, 'cache');
        if (init.integrity !== undefined) state.integrity = `${init.integrity}`;
        if (init.keepalive !== undefined) state.keepalive = Boolean(init.keepalive);
        if (init.signal !== undefined) {
            if (init.signal !== null && !isSignal(init.signal)) throw new TypeError('Request: signal is not an AbortSignal');
            state.signal = init.signal ?? undefined;
        }
        state.headers = init.headers !== undefined ? new Headers(init.headers) :
            from === undefined ? new Headers() : new Headers(from.headers);
        const hasBody = init.body !== undefined && init.body !== null;
        if ((hasBody || state.body !== null) && (state.method === 'GET' || state.method === 'HEAD')) {
            throw new TypeError('Request with GET/HEAD method cannot have body.');
        }
        if (hasBody) {
            const { body, type } = extractBody(init.body);
            state.body = body;
            addType(state.headers, type);
        } else if (from !== undefined && from.body !== null) {
            state.body = { source: consume(from.body), used: false }; // moved over
        }
        this.#state = state;
    }

    get method() { return this.#state.method; }
    get url() { return serialize(this.#state.url, false); }
    get headers() { return this.#state.headers; }
    get redirect() { return this.#state.redirect; }
    get mode() { return this.#state.mode; }
    get credentials() { return this.#state.credentials; }
    get cache() { return this.#state.cache; }
    get integrity() { return this.#state.integrity; }
    get keepalive() { return this.#state.keepalive; }
    get destination() { return this.#state && ''; }
    get referrer() { return this.#state && 'about:client'; }
    get referrerPolicy() { return this.#state && ''; }
    get duplex() { return this.#state && 'half'; }
    get signal() {
        const { signal } = this.#state;
        return this.#signal ??= internal.events.following(signal === undefined ? [] : [signal]);
    }

    clone() {
        const state = this.#state;
        const body = copyBody(state.body, 'Request');
        const copy = new Request(serialize(state.url, false));
        copy.#state = { ...state, headers: new Headers(state.headers), body };
        return copy;
    }

    [customInspect](depth, options, inspect) {
        const { method, headers, redirect } = this.#state;
        return `Request ${inspect({ method, url: this.url, headers, redirect, bodyUsed: this.bodyUsed, signal: this.signal }, options)}`;
    }

    static {
        requestState = (value) => (value !== null && typeof value === 'object' && #state in value ? value.#state : undefined);
        defineBody(Request, (request) => request.#state.body);
    }
}
defineInterface(Request);

function toRecord(input) {
    const text = toUSVString(input);
    const record = parse(text, null);
    if (record === null) {
        const error = new TypeError(`Failed to parse URL from ${text}`);
        error.cause = internal.typeError('Invalid URL', 'ERR_INVALID_URL');
        throw error;
    }
    if (record.username !== '' || record.password !== '') throw new TypeError(`Request cannot be constructed from a URL that includes credentials: ${text}`);
    return record;
}

// ---- Response ----

const redirectStatuses = [301, 302, 303, 307, 308];
const nullBodyStatuses = [101, 103, 204, 205, 304];

/** reason-phrase of RFC 9112 */
function isReasonPhrase(text) {
    for (let i = 0; i < text.length; i++) {
        const unit = StringPrototypeCharCodeAt(text, i);
        if (unit !== 9 && (unit < 32 || unit === 127 || unit > 255)) return false;
    }
    return true;
}

let makeResponse;

class Response {
    #type = 'default';
    #url = '';
    #redirected = false;
    #status = 200;
    #statusText = '';
    #headers;
    #body = null;

    constructor(body = null, init = undefined) {
        init = toDictionary(init, 'The response init') ?? {};
        const extracted = body === null || body === undefined ? undefined : extractBody(body);
        this.#initialize(init, extracted);
    }

    /** https://fetch.spec.whatwg.org/#initialize-a-response */
    #initialize(init, extracted) {
        if (init.status !== undefined) {
            const status = +init.status & 0xFFFF;
            if (status < 200 || status > 599) throw new RangeError('init["status"] must be in the range of 200 to 599, inclusive.');
            this.#status = status;
        }
        if (init.statusText !== undefined) {
            const text = toByteString(init.statusText, 'Response: statusText');
            if (!isReasonPhrase(text)) throw new TypeError('Invalid statusText');
            this.#statusText = text;
        }
        this.#headers = new Headers(init.headers);
        if (extracted === undefined) return;
        if (ArrayPrototypeIncludes(nullBodyStatuses, this.#status)) throw new TypeError(`Response constructor: Invalid response status code ${this.#status}`);
        this.#body = extracted.body;
        addType(this.#headers, extracted.type);
    }

    static error() { return makeResponse({ type: 'error', status: 0 }); }

    static redirect(url, status = 302) {
        requireArguments(arguments.length, 1, 'Response.redirect');
        const text = toUSVString(url);
        const record = parse(text, null);
        if (record === null) throw new TypeError(`Failed to parse URL from ${text}`);
        status = +status & 0xFFFF;
        if (!ArrayPrototypeIncludes(redirectStatuses, status)) throw new RangeError(`Invalid status code ${status}`);
        return makeResponse({ type: 'default', status, headers: makeHeaders(['location', serialize(record, false)]) });
    }

    static json(data, init = undefined) {
        requireArguments(arguments.length, 1, 'Response.json');
        const text = JSONStringify(data);
        if (text === undefined) throw new TypeError('Value is not JSON serializable');
        const response = new Response();
        response.#initialize(toDictionary(init, 'The response init') ?? {}, { body: { source: text, used: false }, type: 'application/json' });
        return response;
    }

    get type() { return this.#type; }
    get url() { return this.#url; }
    get redirected() { return this.#redirected; }
    get status() { return this.#status; }
    get ok() { return this.#status >= 200 && this.#status <= 299; }
    get statusText() { return this.#statusText; }
    get headers() { return this.#headers; }

    clone() {
        return makeResponse({
            type: this.#type, url: this.#url, redirected: this.#redirected, status: this.#status, statusText: this.#statusText,
            headers: new Headers(this.#headers), body: copyBody(this.#body, 'Response'),
        });
    }

    [customInspect](depth, options, inspect) {
        const fields = {
            status: this.#status, statusText: this.#statusText, headers: this.#headers, bodyUsed: this.bodyUsed, ok: this.ok, redirected: this.#redirected,
            type: this.#type, url: this.#url,
        };
        return `Response ${inspect(fields, options)}`;
    }

    static {
        makeResponse = ({ type, url = '', redirected = false, status, statusText = '', headers = new Headers(), body = null }) => {
            const response = new Response();
            response.#type = type;
            response.#url = url;
            response.#redirected = redirected;
            response.#status = status;
            response.#statusText = statusText;
            response.#headers = headers;
            response.#body = body;
            return response;
        };
        defineBody(Response, (response) => response.#body);
    }
}
defineInterface(Response);

internal.fetchClasses = { Request, Response, makeResponse, requestState, redirectStatuses };
