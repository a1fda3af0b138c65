'use strict';
// @ts-check
// Response (https://fetch.spec.whatwg.org/#response-class). A response that a handler makes of a text costs itself and its body: its Headers object is made
// when somebody asks for it, and the block of header lines that goes out is a constant for the usual types.

const {
    ArrayPrototypeIncludes, JSONStringify, RangeError, StringPrototypeCharCodeAt, TypeError,
} = primordials;
const { customInspect } = internal;
const { Body, addType, cloneBody, defineBody, extract, isUnusable, jsonType, textType, typeOfExtracted, typeOfList } = internal.body;
const { Headers, fill, listOf, makeHeaders, setImmutable } = internal.headers;
const { parse, serialize } = internal.url;
const { defineInterface, requireArguments, toByteString, toDictionary, toUSVString } = internal.webidl;

const redirectStatuses = [301, 302, 303, 307, 308];
const nullBodyStatuses = [101, 103, 204, 205, 304];

/** reason-phrase of RFC 9112, and field-value of RFC 9110: no control characters but the tab. */
function isFieldText(text) {
    for (let i = 0; i < text.length; i++) {
        const unit = StringPrototypeCharCodeAt(text, i);
        if (unit !== 9 && (unit < 32 || unit === 127 || unit > 255)) return false;
    }
    return true;
}

/** What is not the program's to say on the wire: the server frames the message (https://www.rfc-editor.org/rfc/rfc9112#section-6). */
function isFraming(name) {
    switch (name) {
        case 'connection': case 'content-length': case 'date': case 'keep-alive': case 'transfer-encoding': case 'upgrade': return true;
        default: return false;
    }
}

const textBlock = `content-type: ${textType}\r\n`;
const jsonBlock = `content-type: ${jsonType}\r\n`;

let isResponse, makeResponse, partsOf, wireOf;

/** A response as it goes out; one object, filled anew for each. */
const wire = { status: 0, statusText: '', headers: '', contentLength: -1, body: null, webSocket: undefined, list: undefined };

class Response {
    #status = 200;
    #statusText = '';
    #list; // of headers; undefined: just the body's type
    #headers; // the object for the program, over #list
    #contentType = null; // the body's type, while there is no list
    #body = null;
    #webSocket = null; // an end of a pair, of a 101
    #more; // {type, url, redirected}: undefined for what a program makes

    constructor(body = null, init = undefined) {
        if (body !== null) {
            this.#body = extract(body);
            this.#contentType = typeOfExtracted();
        }
        if (init !== undefined && init !== null) this.#initialize(init);
    }

    /** https://fetch.spec.whatwg.org/#initialize-a-response */
    #initialize(init) {
        const { headers, status, statusText, webSocket } = toDictionary(init, 'The response init');
        if (webSocket !== undefined && webSocket !== null) {
            // As Workers have it; the standard knows no 101 that a program makes.
            if (!internal.webSocket.isPairEnd(webSocket)) throw new TypeError('init["webSocket"] must be an end of a WebSocketPair.');
            if (status !== 101) throw new RangeError('A Response with init["webSocket"] must have status 101.');
            this.#webSocket = webSocket;
            this.#status = 101;
        } else if (status !== undefined) {
            const number = +status & 0xFFFF;
            if (number < 200 || number > 599) throw new RangeError('init["status"] must be in the range of 200 to 599, inclusive.');
            this.#status = number;
        }
        if (statusText !== undefined) {
            const text = toByteString(statusText, 'Response: statusText');
            if (!isFieldText(text)) throw new TypeError('Invalid statusText');
            this.#statusText = text;
        }
        if (headers !== undefined) {
            this.#list = fill([], headers);
            addType(this.#list, this.#contentType);
        }
        if (this.#body !== null && ArrayPrototypeIncludes(nullBodyStatuses, this.#status)) {
            throw new TypeError(`Response constructor: Invalid response status code ${this.#status}`);
        }
    }

    static error() { return makeResponse({ type: 'error', status: 0, headers: makeHeaders([], true) }); }

    static redirect(url, status = 302) {
        requireArguments(arguments.length, 1, 'Response.redirect');
        const text = toUSVString(url);
        const record = parse(text, null);
        if (record === null) throw new TypeError(`Failed to parse URL from ${text}`);
        status = +status & 0xFFFF;
        if (!ArrayPrototypeIncludes(redirectStatuses, status)) throw new RangeError(`Invalid status code ${status}`);
        return makeResponse({ type: 'default', status, headers: makeHeaders(['location', serialize(record, false)], true) });
    }

    static json(data, init = undefined) {
        requireArguments(arguments.length, 1, 'Response.json');
        const text = JSONStringify(data);
        if (text === undefined) throw new TypeError('Value is not JSON serializable');
        const response = new Response();
        response.#body = new Body(text, null);
        response.#contentType = jsonType;
        if (init !== undefined && init !== null) response.#initialize(init);
        return response;
    }

    get type() { return this.#more === undefined ? this.#status && 'default' : this.#more.type; }
    get url() { return this.#more === undefined ? this.#status && '' : this.#more.url; }
    get redirected() { return this.#more === undefined ? this.#status && false : this.#more.redirected; }
    get status() { return this.#status; }
    get ok() { return this.#status >= 200 && this.#status <= 299; }
    get statusText() { return this.#statusText; }
    get webSocket() { return this.#webSocket; }
    get headers() { return this.#headers ??= makeHeaders(this.#ownList(), false); }

    #ownList() {
        return this.#list ??= this.#contentType === null ? [] : ['content-type', this.#contentType];
    }

    clone() {
        if (this.#webSocket !== null) throw new TypeError('Response.clone: one with a webSocket is sent once');
        const body = cloneBody(this.#body, 'Response');
        const copy = new Response();
        copy.#status = this.#status;
        copy.#statusText = this.#statusText;
        copy.#contentType = this.#contentType;
        if (this.#list !== undefined) copy.#list = listOf(new Headers(makeHeaders(this.#list)));
        copy.#more = this.#more;
        copy.#body = body;
        return copy;
    }

    [customInspect](depth, options, inspect) {
        const fields = {
            status: this.#status, statusText: this.#statusText, headers: makeHeaders(this.#ownList()), bodyUsed: this.bodyUsed,
            ok: this.#status >= 200 && this.#status <= 299, redirected: this.#more?.redirected ?? false, type: this.#more?.type ?? 'default',
            url: this.#more?.url ?? '',
        };
        return `Response ${inspect(fields, options)}`;
    }

    static {
        isResponse = (value) => value !== null && typeof value === 'object' && #list in value;
        makeResponse = ({ type, url = '', redirected = false, status, statusText = '', headers = new Headers(), body = null }) => {
            const response = new Response();
            response.#more = { type, url, redirected };
            response.#status = status;
            response.#statusText = statusText;
            response.#headers = type === 'default' ? headers : setImmutable(headers);
            response.#list = listOf(headers);
            response.#body = body;
            return response;
        };
        /** @returns {{status: number, type: string | null, body: Body | null}} what it is, whatever the program has put over it */
        partsOf = (response) => ({
            status: response.#status, type: response.#list === undefined ? response.#contentType : typeOfList(response.#list), body: response.#body,
        });
        /**
         * Fills `wire`. The header lines come without what the server says itself; `contentLength` is what the program said, -1: nothing valid.
         * Throws when the response cannot be sent.
         */
        wireOf = (response) => {
            if (response.#status === 0) throw new TypeError('Response.error() cannot be sent');
            const body = response.#body;
            const list = response.#list;
            if (body !== null && isUnusable(body)) {
                throw new TypeError('The body of the response was read or sent before: a response can be sent once, send response.clone()');
            }
            wire.status = response.#status;
            wire.statusText = response.#statusText;
            wire.body = body;
            wire.contentLength = -1;
            if (wire.status === 101) {
                wire.webSocket = response.#webSocket;
                wire.list = list ?? [];
            }
            if (list !== undefined) {
                wire.headers = blockOf(list);
            } else {
                const type = response.#contentType;
                wire.headers = type === textType ? textBlock : type === jsonType ? jsonBlock : type === null ? '' : `content-type: ${type}\r\n`;
            }
            return wire;
        };
        defineBody(Response, (response) => response.#body, (response) => typeOfList(response.#ownList()));
    }
}
defineInterface(Response);

function blockOf(list) {
    let text = '';
    for (let i = 0; i < list.length; i += 2) {
        const name = list[i];
        if (!isFraming(name)) {
            const value = list[i + 1];
            // Headers takes more than a message may hold: https://www.rfc-editor.org/rfc/rfc9110#name-field-values
            if (!isFieldText(value)) throw new TypeError(`The value of the header ${name} has a control character, which cannot be sent`);
            text += `${name}: ${value}\r\n`;
        } else if (name === 'content-length') {
            wire.contentLength = lengthIn(list[i + 1]);
        }
    }
    return text;
}

/** 1*DIGIT, as far as a double is exact; -1: something else. */
function lengthIn(text) {
    if (text === '' || text.length > 15) return -1;
    let length = 0;
    for (let i = 0; i < text.length; i++) {
        const digit = StringPrototypeCharCodeAt(text, i) - 48;
        if (digit < 0 || digit > 9) return -1;
        length = length * 10 + digit;
    }
    return length;
}

const { Request, requestState } = internal.request;
internal.fetchClasses = { Request, Response, isResponse, makeResponse, nullBodyStatuses, partsOf, requestState, redirectStatuses, wireOf };
