'use strict';
// @ts-check
// Request (https://fetch.spec.whatwg.org/#request-class). One class for two kinds: those a program makes, and those that came in. The latter know only
// their exchange (44_serve.js) and take method, url, headers and body out of its head when they are asked.

const {
    ArrayPrototypeIncludes, Boolean, NumberPrototypeToString, StringPrototypeCharCodeAt, StringPrototypeIndexOf, StringPrototypeSlice,
    StringPrototypeToUpperCase, TypeError, cutOff,
} = primordials;
const { customInspect } = internal;
const { Body, addType, cloneBody, defineBody, extract, isUnusable, moveStream, typeOfExtracted, typeOfList } = internal.body;
const { abort, following, isSignal, makeSignal } = internal.events;
const { Headers, headerIn, isToken, listOf, makeLazyHeaders } = internal.headers;
const { parse, serialize } = internal.url;
const { defineInterface, requireArguments, toByteString, toDictionary, toUSVString } = internal.webidl;

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
const policies = [
    '', 'no-referrer', 'no-referrer-when-downgrade', 'same-origin', 'origin', 'strict-origin', 'origin-when-cross-origin',
    'strict-origin-when-cross-origin', 'unsafe-url',
];

function toRecord(input) {
    const text = toUSVString(input);
    const record = parse(text, null);
    if (record === null) {
        const error = new TypeError(`Failed to parse URL from ${text}`);
        error.cause = internal.typeError('Invalid URL', 'ERR_INVALID_URL');
        throw error;
    }
    if (record.username !== '' || record.password !== '') throw new TypeError(`Request cannot be constructed from a URL that includes credentials: ${text}`);
    if (record.protocol === 'blob:') record.blob = internal.objectURL.resolve(record); // it may be revoked before it is fetched
    return record;
}

// ---- What came in ----

/** By the index that native gives (see `requestCells`); 0: another one, which is read from the head. */
const METHODS = ['', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'];

const HTTPS = 32;

/** The authority a request is taken to be for when it names none that is valid. */
let ownAuthority = 'localhost';

// Bit 1: stands in a path as it is, bit 2: in a query (https://url.spec.whatwg.org/#path-percent-encode-set, #special-query-percent-encode-set).
const plain = [];
for (let i = 0; i < 256; i++) plain[i] = i > 0x20 && i < 0x7F ? 3 : 0;
for (let i = 0, marks = '"#<>'; i < marks.length; i++) plain[StringPrototypeCharCodeAt(marks, i)] = 0;
for (let i = 0, marks = '?`{}^\\'; i < marks.length; i++) plain[StringPrototypeCharCodeAt(marks, i)] = 2;
plain[39] = 1; // '

/** Whether the URL parser would leave `head[from ..< to]`, a path and a query, as it is. */
function isPlainTarget(head, from, to) {
    let wanted = 1;
    let before = 0;
    for (let i = from; i < to; i++) {
        const unit = StringPrototypeCharCodeAt(head, i);
        if ((plain[unit] & wanted) === 0) {
            if (unit !== 63 || wanted === 2) return false;
            wanted = 2;
        } else if (wanted === 1) {
            // Perhaps a dot segment: the parser decides.
            if (unit === 46 && before === 47) return false;
            if (unit === 37 && StringPrototypeCharCodeAt(head, i + 1) === 50) return false;
        }
        before = unit;
    }
    return true;
}

// The last authority seen: nearly all requests have the same.
let lastHost = '';
let lastScheme = '';
let lastAuthority = 'localhost';

/** The authority for a Host header's value, as a URL of this scheme has it. */
function authorityOf(scheme, host) {
    if (host === lastHost && scheme === lastScheme) return lastAuthority;
    let authority = ownAuthority;
    // Only what is an authority and nothing else: https://www.rfc-editor.org/rfc/rfc9110#field.host
    let valid = host !== '';
    for (let i = 0; valid && i < host.length; i++) {
        const unit = StringPrototypeCharCodeAt(host, i);
        valid = unit > 0x20 && unit < 0x7F && unit !== 47 && unit !== 63 && unit !== 35 && unit !== 64 && unit !== 92;
    }
    if (valid) {
        const record = parse(`${scheme}${host}/`, null);
        if (record !== null && record.path === '/') authority = record.port === null ? record.host : `${record.host}:${record.port}`;
    }
    lastHost = host;
    lastScheme = scheme;
    lastAuthority = authority;
    return authority;
}

/** Bytes beyond ASCII, escaped one by one: they are bytes, not characters. */
function escapeBytes(text) {
    let result = '';
    for (let i = 0; i < text.length; i++) {
        const unit = StringPrototypeCharCodeAt(text, i);
        result += unit < 0x80 ? text[i] : `%${StringPrototypeToUpperCase(NumberPrototypeToString(unit, 16))}`;
    }
    return result;
}

/** The absolute URL of an incoming request (https://www.rfc-editor.org/rfc/rfc9110#section-7.1), serialized. */
function urlOf(exchange) {
    const { head } = exchange;
    const end = StringPrototypeIndexOf(head, '\n');
    const last = end < 0 ? head.length : end;
    const start = StringPrototypeIndexOf(head, ' ') + 1;
    const scheme = (exchange.bits & HTTPS) !== 0 ? 'https://' : 'http://';
    if (StringPrototypeCharCodeAt(head, start) === 47) {
        const origin = scheme + authorityOf(scheme, headerIn(head, last + 1, 'host', undefined) ?? '');
        const target = StringPrototypeSlice(head, start, last);
        if (isPlainTarget(head, start, last)) return origin + target;
        const record = parse(origin + escapeBytes(target), null);
        return record === null ? `${origin}/` : serialize(record, true);
    }
    const target = StringPrototypeSlice(head, start, last);
    const record = target === '*' ? null : parse(escapeBytes(target), null); // absolute-form
    if (record !== null && (record.protocol === 'http:' || record.protocol === 'https:')) {
        record.username = record.password = '';
        return serialize(record, true);
    }
    return `${scheme}${authorityOf(scheme, headerIn(head, last + 1, 'host', undefined) ?? '')}/`;
}

// ---- The class ----

/** What few requests set. */
class Options {
    constructor(owner, from) {
        this.owner = owner; // who may change it
        this.redirect = from === undefined ? 'follow' : from.redirect;
        this.mode = from === undefined ? 'cors' : from.mode;
        this.credentials = from === undefined ? 'same-origin' : from.credentials;
        this.cache = from === undefined ? 'default' : from.cache;
        this.integrity = from === undefined ? '' : from.integrity;
        this.keepalive = from === undefined ? false : from.keepalive;
        this.referrer = from === undefined ? 'about:client' : from.referrer;
        this.referrerPolicy = from === undefined ? '' : from.referrerPolicy;
    }
}
cutOff(Options);
const usual = new Options(undefined, undefined);

let isRequest, requestState, makeIncoming, abortIncoming;
let methodOf, urlTextOf, headersOf, bodyOf, signalOf; // of a Request; they throw on a stranger
const secret = {}; // who has it makes an incoming request

class Request {
    #exchange; // of an incoming one
    #method;
    #url; // serialized, with the fragment; undefined: not known yet
    #record; // the URL, parsed; undefined: not known yet
    #headers;
    #body; // undefined: not made yet
    #options = usual;
    #follows; // the signal this one's follows; undefined: none
    #signal; // made when it is asked for

    constructor(input, init = undefined) {
        if (input === secret) {
            this.#exchange = init;
            return;
        }
        requireArguments(arguments.length, 1, 'Request');
        init = toDictionary(init, 'The request init') ?? {};
        const from = isRequest(input) ? input : undefined;
        if (from === undefined) {
            this.#record = toRecord(input);
            this.#method = 'GET';
        } else {
            this.#url = urlTextOf(from);
            this.#record = from.#record;
            this.#method = methodOf(from);
            this.#options = from.#options;
            this.#follows = signalOf(from);
        }
        this.#take(init, from);
    }

    /** The rest of https://fetch.spec.whatwg.org/#dom-request: members are read in the order of their names. */
    #take(init, from) {
        const { body, cache, credentials, duplex, headers, integrity, keepalive, method, mode, redirect, referrer, referrerPolicy, signal } = init;
        if (cache !== undefined) this.#own().cache = toChoice(cache, caches, 'cache');
        if (credentials !== undefined) this.#own().credentials = toChoice(credentials, credentialModes, 'credentials');
        if (duplex !== undefined) toChoice(duplex, ['half'], 'duplex');
        if (integrity !== undefined) this.#own().integrity = `${integrity}`;
        if (keepalive !== undefined) this.#own().keepalive = Boolean(keepalive);
        if (method !== undefined) this.#method = toMethod(method);
        if (mode !== undefined) this.#own().mode = toChoice(mode, modes, 'mode');
        if (this.#options.mode === 'navigate') throw new TypeError('Request: the mode cannot be navigate');
        if (redirect !== undefined) this.#own().redirect = toChoice(redirect, redirects, 'redirect');
        if (referrer !== undefined) this.#own().referrer = toUSVString(referrer) === '' ? '' : 'about:client';
        if (referrerPolicy !== undefined) this.#own().referrerPolicy = toChoice(referrerPolicy, policies, 'referrerPolicy');
        if (signal !== undefined) {
            if (signal !== null && !isSignal(signal)) throw new TypeError('Request: signal is not an AbortSignal');
            this.#follows = signal ?? undefined;
        }
        this.#headers = headers !== undefined ? new Headers(headers) : from === undefined ? new Headers() : new Headers(headersOf(from));
        const inherited = from === undefined ? null : bodyOf(from);
        const hasBody = body !== undefined && body !== null;
        if ((hasBody || inherited !== null) && (this.#method === 'GET' || this.#method === 'HEAD')) {
            throw new TypeError('Request with GET/HEAD method cannot have body.');
        }
        this.#body = null;
        if (hasBody) {
            this.#body = extract(body);
            if (this.#body.source === null && duplex === undefined) {
                throw new TypeError("Request: the duplex option is required when sending a stream: set it to 'half'");
            }
            addType(listOf(this.#headers), typeOfExtracted());
        } else if (inherited !== null) {
            if (isUnusable(inherited)) throw internal.body.unusable();
            // Moved over: the input's is used from now on.
            if (inherited.stream === null) {
                this.#body = new Body(inherited.source, null);
                inherited.used = true;
            } else {
                this.#body = new Body(null, moveStream(inherited.stream));
            }
        }
    }

    #own() {
        if (this.#options.owner !== this) this.#options = new Options(this, this.#options);
        return this.#options;
    }

    get method() { return methodOf(this); }
    get url() { return urlTextOf(this); }
    get headers() { return headersOf(this); }
    get redirect() { return this.#options.redirect; }
    get mode() { return this.#options.mode; }
    get credentials() { return this.#options.credentials; }
    get cache() { return this.#options.cache; }
    get integrity() { return this.#options.integrity; }
    get keepalive() { return this.#options.keepalive; }
    get destination() { return this.#options && ''; }
    get referrer() { return this.#options.referrer; }
    get referrerPolicy() { return this.#options.referrerPolicy; }
    get duplex() { return this.#options && 'half'; }
    get isReloadNavigation() { return this.#options && false; }
    get isHistoryNavigation() { return this.#options && false; }
    get signal() { return signalOf(this); }

    clone() {
        const body = cloneBody(bodyOf(this), 'Request');
        const copy = new Request(secret, undefined);
        copy.#method = methodOf(this);
        copy.#url = urlTextOf(this);
        copy.#record = this.#record;
        copy.#headers = new Headers(headersOf(this));
        copy.#body = body;
        copy.#options = this.#options.owner === this ? new Options(copy, this.#options) : this.#options;
        copy.#follows = signalOf(this);
        return copy;
    }

    [customInspect](depth, options, inspect) {
        const shown = {
            method: methodOf(this), url: urlTextOf(this), headers: headersOf(this), redirect: this.#options.redirect, bodyUsed: this.bodyUsed,
            signal: signalOf(this),
        };
        return `Request ${inspect(shown, options)}`;
    }

    static {
        isRequest = (value) => value !== null && typeof value === 'object' && #method in value;
        methodOf = (request) => request.#method ??= METHODS[request.#exchange.method] || firstWord(request.#exchange.head);
        urlTextOf = (request) => request.#url ??= request.#record === undefined ? urlOf(request.#exchange) : serialize(request.#record, false);
        headersOf = (request) => {
            if (request.#headers !== undefined) return request.#headers;
            const { head } = request.#exchange;
            const end = StringPrototypeIndexOf(head, '\n');
            return request.#headers = makeLazyHeaders(head, end < 0 ? head.length : end + 1);
        };
        bodyOf = (request) => {
            if (request.#body === undefined) request.#body = request.#exchange.openBody();
            return request.#body;
        };
        signalOf = (request) => {
            if (request.#signal !== undefined) return request.#signal;
            const exchange = request.#exchange;
            if (exchange === undefined) return request.#signal = following(request.#follows === undefined ? [] : [request.#follows]);
            request.#signal = makeSignal();
            if (exchange.left !== undefined) abort(request.#signal, exchange.left);
            return request.#signal;
        };
        requestState = (value) => {
            if (!isRequest(value)) return undefined;
            const { redirect, mode, credentials, cache, integrity, keepalive } = value.#options;
            return {
                method: methodOf(value), url: value.#record ??= parse(urlTextOf(value), null), headers: headersOf(value), body: bodyOf(value),
                signal: value.#exchange === undefined ? value.#follows : signalOf(value), redirect, mode, credentials, cache, integrity, keepalive,
            };
        };
        makeIncoming = (exchange) => new Request(secret, exchange);
        abortIncoming = (request, reason) => { if (request.#signal !== undefined) abort(request.#signal, reason); };
        defineBody(Request, bodyOf, (request) => typeOfList(listOf(headersOf(request))));
    }
}
defineInterface(Request);

const firstWord = (head) => StringPrototypeSlice(head, 0, StringPrototypeIndexOf(head, ' '));

internal.request = {
    Request, METHODS, abortIncoming, isRequest, makeIncoming, requestState, urlTextOf,
    setOwnAuthority: (authority) => {
        ownAuthority = authority;
        lastHost = lastScheme = '';
        lastAuthority = authority;
    },
};
