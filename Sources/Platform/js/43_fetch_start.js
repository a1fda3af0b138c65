'use strict';
// @ts-check
// fetch() (https://fetch.spec.whatwg.org/#fetch-method) over the host's transport.
//
// The host makes one exchange at a time and tells what comes: head, chunk, drained, and end or fail. Redirects are followed here, since here are URLs and
// header lists. A response's pieces wait in the exchange until the body's reader asks; what was read is acknowledged, and the host lets so much more come.
// So a body that nobody reads stops its sender after `WINDOW` bytes, and then no longer keeps the program alive. When it can no longer be read, because the
// response was collected, its transfer is given up.
//
// A redirect mode of "manual" gives the redirect response itself, as servers want it.

const {
    ArrayPrototypeIncludes, ArrayPrototypePush, Error, ErrorCaptureStackTrace, ObjectDefineProperty, Promise, SafeMap, SafeWeakSet,
    TypeError, TypedArrayPrototypeGetLength, WeakRef, WeakRefPrototypeDeref, uncurryThis, cutOff,
} = primordials;
const { Body, Feed, isUnusable, streamOf, take, unusable } = internal.body;
const { addAbortAlgorithm, removeAbortAlgorithm } = internal.events;
const { Request, makeResponse, redirectStatuses, requestState } = internal.fetchClasses;
const { headerIn } = internal.headers;
const { limits, mark, reached, unowned } = internal.limits;
const { listOf, makeHeaders, makeLazyHeaders } = internal.headers;
const { parse, serialize } = internal.url;
const { defineGlobalFunction, requireArguments } = internal.webidl;

/** Bytes that the host lets wait unread: HTTPStreams.windowBytes. */
const WINDOW = 262144;
/** Bytes read before the host is told. */
const ACKNOWLEDGE = 65536;
/** https://fetch.spec.whatwg.org/#concept-http-redirect-fetch, step 8 */
const REDIRECTS_MAX = 20;
/** Bytes of a redirect's body that are read so that its connection can be used again. */
const REDIRECT_BODY = 65536;

/** Exchanges under way by the host's id. Their number is the host's to limit. */
const running = new SafeMap();
let lastId = 0;

/** Errors that `failed` made, until they have a stack. */
let stackless;

/** What a program gets when there is no response. Made while none of its functions runs, so without a stack: `answerOf` gives it one. */
function failed(message, code) {
    const [cause, error] = internal.stackless(() => [new Error(message), new TypeError('fetch failed')]);
    if (code !== undefined) internal.withCode(cause, code);
    ObjectDefineProperty(error, 'cause', { __proto__: null, value: cause, writable: true, enumerable: false, configurable: true });
    return withoutStack(error);
}

function withoutStack(error) {
    (stackless ??= new SafeWeakSet()).add(error);
    return error;
}

/** Waits as the program's functions do, so that V8 finds those that wait for it: they are the stack of what went wrong. */
async function answerOf(promise) {
    try {
        return await promise;
    } catch (error) {
        if (stackless !== undefined && stackless.delete(error)) ErrorCaptureStackTrace(error, answerOf);
        throw error;
    }
}

/**
 * Why no further request may be sent; undefined: one may.
 * @param {unknown} [context] of who called fetch
 */
function tooMany(context) {
    if (running.size >= limits.fetches) return told('fetches', `too many requests are under way: the limit is ${limits.fetches}`);
    if (limits.subrequests === Infinity) return undefined;
    const exchange = internal.serve.current(context);
    if (exchange === undefined) {
        return unowned.hasRoom() ? undefined : told('subrequests', `too many requests for none in a second: the limit is ${limits.subrequests}`);
    }
    if (++exchange.subrequests <= limits.subrequests) return undefined;
    return told('subrequests', `too many requests for one: the limit is ${limits.subrequests}`, exchange);
}

function told(name, sentence, exchange) {
    reached(name, 'exceededSubrequests', sentence, exchange);
    return sentence;
}

// ---- Headers on the wire ----

/** What the transport says itself: how the message is framed, and what it can do. */
const framing = { __proto__: null };
for (let i = 0, names = ['connection', 'content-length', 'expect', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade']; i < names.length; i++) {
    framing[names[i]] = true;
}
/** https://fetch.spec.whatwg.org/#request-body-header-name */
const bodyHeaders = ['content-encoding', 'content-language', 'content-location', 'content-type'];
/** What another origin must not get. */
const originHeaders = ['authorization', 'cookie', 'host', 'proxy-authorization'];

function wireHeaders(fetching) {
    const { headers } = fetching;
    const list = [];
    for (let i = 0; i < headers.length; i++) list[i] = headers[i];
    internal.fetchSpan.inject(list, fetching.telling);
    let text = '', accept = false, language = false;
    for (let i = 0; i < list.length; i += 2) {
        const name = list[i], value = list[i + 1];
        if (framing[name] === true || value === undefined) continue;
        if (name === 'accept') accept = true;
        else if (name === 'accept-language') language = true;
        text += `${name}:${value}\n`;
    }
    if (!accept) text += 'accept:*/*\n';
    if (!language) text += 'accept-language:*\n';
    return text;
}

function without(headers, names) {
    const list = [];
    for (let i = 0; i < headers.length; i += 2) {
        if (!ArrayPrototypeIncludes(names, headers[i])) ArrayPrototypePush(list, headers[i], headers[i + 1]);
    }
    return list;
}

/** What no longer holds of a response whose body was decoded on the way: handed on as it is, it would deceive who gets it. */
const codingHeaders = ['content-encoding', 'content-length'];

/** The Headers of a response. @param {string} head name LF value LF … */
function responseHeaders(head, status) {
    const headers = makeLazyHeaders(head, 0);
    if (status === 304 || headerIn(head, 0, 'content-encoding', undefined) === undefined) return headers;
    return makeHeaders(without(listOf(headers), codingHeaders), true);
}

// ---- One fetch ----

// Of the response: no head yet; a redirect whose body is read away; with the program; over.
const WAITING = 0, LEAVING = 1, ANSWERED = 2, OVER = 3;

class Fetching {
    constructor(state, resolve, reject) {
        this.id = 0;
        this.phase = WAITING;
        this.resolve = resolve;
        this.reject = reject;
        this.method = state.method;
        this.asked = state.url;
        this.url = state.url;
        this.headers = listOf(state.headers);
        this.redirect = state.redirect;
        this.signal = state.signal;
        this.onAbort = undefined;
        this.telling = internal.fetchSpan.begin(state.method, state.url);
        this.redirects = 0;
        this.next = undefined; // where a redirect leads
        this.refusal = undefined; // by the policy: the error that the program gets
        this.body = null; // bytes; true: pushed from `upload`
        this.upload = undefined;
        // The response's body. Its feed is held weakly while it has stopped: `unread`.
        this.feed = undefined;
        this.unread = undefined;
        this.queue = [];
        this.at = 0; // of the queue's first
        this.queued = 0; // bytes
        this.consumed = 0; // bytes not acknowledged
        this.wanted = false;
        this.isDelivering = false;
        this.isComplete = false;
        this.holdsLoop = false;
        this.context = ops.context();
    }

    holdLoop(holds) {
        if (this.holdsLoop === holds) return;
        this.holdsLoop = holds;
        if (holds) internal.timers.addRef(); else internal.timers.dropRef();
    }

    /** Sends the request, the first or a redirected one. */
    send() {
        const excess = tooMany(this.context);
        if (excess !== undefined) {
            this.fail(mark(failed(excess, 'ERR_LIMIT_EXCEEDED'), 'exceededSubrequests'), 'limit');
            return;
        }
        const id = this.id = ++lastId;
        this.phase = WAITING;
        running.set(id, this);
        this.holdLoop(true);
        let isStarted;
        // What the policy refuses of a redirect was asked for by who called fetch.
        const before = this.redirects > 0 ? ops.enter(this.context) : undefined;
        try {
            isStarted = ops.fetchStart(id, this.method, serialize(this.url, true), wireHeaders(this), this.body);
        } catch (error) {
            // The first request is sent within fetch, a redirect's while nothing of the program runs.
            if (this.redirects > 0) withoutStack(error);
            else ErrorCaptureStackTrace(error, fetchFunction);
            this.fail(error, 'refused');
            return;
        } finally {
            if (this.redirects > 0) ops.setContext(before);
        }
        if (!isStarted) {
            this.fail(failed('too many requests are under way', 'ERR_TOO_MANY_REQUESTS'), 'cancelled');
        } else if (this.upload !== undefined) {
            this.upload.start(id);
        }
    }

    // ---- What the host says ----

    head(status, statusText, headers) {
        if (this.redirect !== 'manual' && ArrayPrototypeIncludes(redirectStatuses, status)) {
            if (this.redirect === 'error') {
                this.telling?.head(status);
                this.abort(failed('unexpected redirect', 'ERR_REDIRECT'), 'redirect');
                return;
            }
            const location = headerIn(headers, 0, 'location', undefined);
            if (location !== undefined) {
                const error = this.follow(status, location);
                if (error !== undefined) this.abort(error, 'redirect');
                return;
            }
        }
        this.phase = ANSWERED;
        this.telling?.head(status);
        const isNull = status === 204 || status === 205 || status === 304 || this.method === 'HEAD';
        if (!isNull) this.feed = new Feed(() => this.pull(), () => this.cancel());
        const response = makeResponse({
            type: 'basic', url: serialize(this.url, true), redirected: this.redirects > 0, status, statusText,
            headers: responseHeaders(headers, status), body: isNull ? null : new Body(this.feed, null),
        });
        this.resolve(response);
        this.resolve = this.reject = undefined;
    }

    /**
     * https://fetch.spec.whatwg.org/#concept-http-redirect-fetch: prepares the next request, which is sent when this response is over.
     * @returns {TypeError | undefined} why not
     */
    follow(status, location) {
        const { url } = this;
        const next = parse(location, url);
        if (next === null) return failed(`the redirect leads to no valid URL: ${location}`, 'ERR_INVALID_URL');
        if (next.protocol !== 'http:' && next.protocol !== 'https:') return failed(`the redirect leads to the scheme ${next.protocol}`, 'ERR_UNKNOWN_URL_SCHEME');
        if (this.redirects >= REDIRECTS_MAX) return failed(`more than ${REDIRECTS_MAX} redirects`, 'ERR_TOO_MANY_REDIRECTS');
        if (next.username !== '' || next.password !== '') return failed('the redirect leads to a URL with credentials', 'ERR_INVALID_URL');
        if (this.body === true && status !== 303) return failed('a body that is a stream cannot be sent again after a redirect', 'ERR_REDIRECT');
        if (next.fragment === null) next.fragment = url.fragment;
        if ((status === 301 || status === 302) && this.method === 'POST' || status === 303 && this.method !== 'GET' && this.method !== 'HEAD') {
            this.method = 'GET';
            this.body = null;
            this.upload?.stop(undefined);
            this.upload = undefined;
            this.headers = without(this.headers, bodyHeaders);
        }
        if (next.protocol !== url.protocol || next.host !== url.host || next.port !== url.port) this.headers = without(this.headers, originHeaders);
        this.redirects++;
        this.telling?.redirect(status, next);
        this.next = next;
        this.phase = LEAVING;
        this.queued = 0;
        return undefined;
    }

    /** The redirect's response is over, or was too long. */
    goOn() {
        running.delete(this.id);
        this.url = this.next;
        this.next = undefined;
        this.queued = 0;
        this.send();
    }

    chunk(bytes) {
        if (this.phase === LEAVING) {
            this.queued += TypedArrayPrototypeGetLength(bytes);
            if (this.queued > REDIRECT_BODY) {
                ops.fetchAbort(this.id);
                this.goOn();
            }
            return;
        }
        ArrayPrototypePush(this.queue, bytes);
        this.queued += TypedArrayPrototypeGetLength(bytes);
        this.deliver();
        if (this.queued >= WINDOW && !this.wanted) this.rest();
    }

    end() {
        if (this.phase === LEAVING) {
            this.goOn();
            return;
        }
        this.leave();
        this.telling?.end(undefined, undefined);
        this.isComplete = true;
        this.deliver();
    }

    /** No answer, or half a one. */
    fail(error, type) {
        const { phase } = this;
        this.leave(error);
        this.telling?.end(type, error);
        if (phase === ANSWERED) this.readableFeed()?.fail(error);
        else this.reject?.(error);
    }

    readableFeed() { return this.feed === undefined && this.unread !== undefined ? WeakRefPrototypeDeref(this.unread) : this.feed; }

    // ---- What the program does ----

    abort(error, type) {
        if (this.phase === OVER) return;
        ops.fetchAbort(this.id);
        this.fail(error, type);
    }

    /** The body's reader wants no more: that is no error. */
    cancel() {
        this.queue.length = 0;
        if (this.phase === OVER) return;
        ops.fetchAbort(this.id);
        this.leave();
        this.telling?.end(undefined, undefined);
    }

    /** The body's reader wants one more piece. */
    pull() {
        this.wanted = true;
        if (this.unread !== undefined) {
            this.feed = WeakRefPrototypeDeref(this.unread);
            this.unread = undefined;
            unregister(collected, this);
        }
        if (this.phase !== OVER) this.holdLoop(true);
        this.deliver();
    }

    /** Hands over what is wanted and there. A feed may ask for the next while it is given one. */
    deliver() {
        if (this.isDelivering) return;
        this.isDelivering = true;
        const { queue } = this;
        while (this.wanted && this.at < queue.length) {
            const bytes = queue[this.at];
            queue[this.at++] = undefined;
            if (this.at === queue.length) this.at = queue.length = 0;
            this.wanted = false;
            const count = TypedArrayPrototypeGetLength(bytes);
            this.queued -= count;
            this.consumed += count;
            this.feed.chunk(bytes);
            if (this.consumed >= ACKNOWLEDGE && this.phase === ANSWERED) {
                ops.fetchResume(this.id, this.consumed);
                this.consumed = 0;
            }
        }
        this.isDelivering = false;
        if (this.isComplete && this.at === queue.length) {
            this.isComplete = false;
            this.readableFeed()?.end();
            this.feed = this.unread = undefined;
        }
    }

    /** The host has stopped, for nobody reads. That must not keep the program alive, nor what could be read be kept for ever. */
    rest() {
        this.holdLoop(false);
        if (this.feed === undefined) return;
        collected ??= new FinalizationRegistry((id) => running.get(id)?.cancel());
        register(collected, this.feed, this.id, this);
        this.unread = new WeakRef(this.feed);
        this.feed = undefined;
    }

    /** The exchange is over. */
    leave(reason = undefined) {
        this.phase = OVER;
        running.delete(this.id);
        this.holdLoop(false);
        if (this.onAbort !== undefined) removeAbortAlgorithm(this.signal, this.onAbort);
        this.onAbort = undefined;
        this.upload?.stop(reason);
        this.upload = undefined;
    }
}
cutOff(Fetching);

const { FinalizationRegistry } = globalThis;
const register = uncurryThis(FinalizationRegistry.prototype.register);
const unregister = uncurryThis(FinalizationRegistry.prototype.unregister);
/** Feeds that nobody reads; made at run time, as a snapshot holds none. */
let collected;

// ---- Bodies that are streams ----

/** Sends what a stream gives, as fast as the host takes it. */
class Upload {
    constructor(fetching, stream) {
        this.fetching = fetching;
        this.stream = stream;
        this.reader = undefined;
        this.isOver = false;
    }

    /** Reads in the context of the caller of fetch. */
    start(id) {
        const onChunk = (bytes) => !this.isOver && ops.fetchWrite(id, bytes);
        const onEnd = () => {
            this.isOver = true;
            ops.fetchClose(id);
        };
        const onError = (error) => {
            if (this.isOver) return;
            this.isOver = true;
            this.fetching.abort(error, 'request_body');
        };
        this.reader = internal.streams.readChunks(this.stream, onChunk, onEnd, onError);
    }

    resume() { this.reader?.resume(); }

    /** The request is over: nobody wants the rest. */
    stop(reason) {
        if (this.isOver) return;
        this.isOver = true;
        if (this.reader !== undefined) this.reader.cancel(reason);
        else internal.streams.cancel(this.stream, reason);
    }
}
cutOff(Upload);

// ---- The function ----

function start(input, init, resolve, reject) {
    const state = requestState(new Request(input, init));
    const { body, signal, url } = state;
    if (signal !== undefined && signal.aborted) throw signal.reason;
    if (url.protocol === 'data:') {
        resolve(internal.dataURL.dataResponse(state, failed));
        return;
    }
    if (url.protocol === 'blob:') {
        resolve(internal.objectURL.blobResponse(state, failed));
        return;
    }
    if (url.protocol !== 'http:' && url.protocol !== 'https:') throw failed(`unknown scheme: ${url.protocol}`, 'ERR_UNKNOWN_URL_SCHEME');
    if (body !== null && isUnusable(body)) throw unusable();
    const fetching = new Fetching(state, resolve, reject);
    if (body !== null) {
        if (body.stream === null && !(body.source instanceof Feed)) {
            const source = take(body);
            fetching.body = typeof source === 'string' ? ops.encodeUtf8(source) : source;
        } else {
            fetching.body = true;
            fetching.upload = new Upload(fetching, streamOf(body));
        }
    }
    if (signal !== undefined) {
        fetching.onAbort = () => fetching.abort(signal.reason, nameOf(signal.reason));
        addAbortAlgorithm(signal, fetching.onAbort);
    }
    fetching.send();
}

/** error.type of what the program aborted with. */
function nameOf(reason) {
    try {
        const { name } = reason;
        return typeof name === 'string' && name !== '' ? name : 'AbortError';
    } catch {
        return 'AbortError';
    }
}

const fetchFunction = function fetch(input, init = undefined) {
    const count = arguments.length;
    return answerOf(new Promise((resolve, reject) => {
        requireArguments(count, 1, 'fetch');
        start(input, init, resolve, reject);
    }));
};
defineGlobalFunction('fetch', fetchFunction);

// Called by the host, each as (a part of) a turn. What was given up meanwhile is no longer here. The promise's reactions run in the contexts they were made
// in; V8 sees to that.
internal.fetch = {
    /**
     * Times are ring times, when the phase ended; 0: it did not happen.
     * @param {string} headers name LF value LF name LF value LF …, names in lower case
     */
    head(id, status, statusText, headers, dns, connect, tls, firstByte, version, address, port) {
        const fetching = running.get(id);
        if (fetching === undefined) return;
        internal.serve?.goesOn(fetching.context);
        fetching.telling?.facts(dns, connect, tls, firstByte, version, address, port);
        fetching.head(status, statusText, headers);
    },
    /** @param {Uint8Array} bytes of the response's body, decoded */
    chunk(id, bytes) {
        const fetching = running.get(id);
        if (fetching === undefined) return;
        internal.serve?.goesOn(fetching.context);
        fetching.chunk(bytes);
    },
    /** A pushed body has room again. */
    drained(id) {
        const fetching = running.get(id);
        if (fetching === undefined || fetching.upload === undefined) return;
        internal.serve?.goesOn(fetching.context);
        fetching.upload.resume();
    },
    end(id) {
        const fetching = running.get(id);
        if (fetching === undefined) return;
        internal.serve?.goesOn(fetching.context);
        fetching.end();
    },
    /** @param {string} code one of HTTPTransportError.Code */
    fail(id, code, message, dns, connect, tls, firstByte, version, address, port) {
        const fetching = running.get(id);
        if (fetching === undefined) return;
        internal.serve?.goesOn(fetching.context);
        if (fetching.phase === WAITING) fetching.telling?.facts(dns, connect, tls, firstByte, version, address, port);
        if (fetching.refusal !== undefined) fetching.fail(fetching.refusal, 'refused');
        else fetching.fail(failed(message, code), code);
    },
    /** An address that a request was about to be sent to is none that the policy allows. */
    found(id, kind, permission, rule, target, reason) {
        const fetching = running.get(id);
        if (fetching === undefined) return;
        internal.findings.note(kind, permission, rule, target, reason, fetching.telling?.span);
        if (kind === 'violation') fetching.refusal = withoutStack(internal.findings.refusal(permission, reason));
    },
    /** An instance of a service has failed, and the request is sent to another. */
    resent(id, code, address, port) { running.get(id)?.telling?.resent(code, address, port); },
    /** What a program gets of a request to a service: answered, failed, unknown; and questions about services, those that were answered and those that were not. */
    service(outcome, answered, failed) { internal.fetchSpan.countService(outcome, answered, failed); },
    /**
     * An exchange that becomes something else by a 101: 49_websocket.js. `handler` has what the host tells to a Fetching: head, chunk, end, fail, and phase,
     * context, telling, upload.
     * @returns {number} its id for the ops; 0: too many are under way. Throws what the policy refuses
     */
    upgrade(handler, url, headers) {
        if (tooMany() !== undefined) return 0;
        const id = ++lastId;
        running.set(id, handler);
        let isStarted = false;
        try {
            isStarted = ops.fetchStart(id, 'GET', serialize(url, true), headers, null, true);
        } finally {
            if (!isStarted) running.delete(id);
        }
        return isStarted ? id : 0;
    },
    /** Nothing more is heard of it. */
    forget(id) { running.delete(id); },
    /** The run is over: what is still under way ends as it is. */
    endOfRun() { running.forEach((fetching) => fetching.telling?.end(undefined, undefined)); },
};
