'use strict';
// @ts-check
// Serving: one call of `dispatch` a request, from the native server (Sources/Runtime/HTTP*), and one answer, whole or in pieces, through its ops.
//
// A request in flight is an `Exchange`, found by its slot. Its server span is made here of the ids that native chose, is the active span of the handler, and
// ends when the last byte is with the kernel or the client has left. Semantic conventions: https://opentelemetry.io/docs/specs/semconv/http/http-spans/
//
// The straight way — a handler that returns a Response with a text — makes a Request, an Exchange, a context object and a span, and no promise.

const {
    ArrayPrototypeJoin, Float64Array, FunctionPrototypeToString, Int32Array, JSONParse, ObjectKeys, RangeError, SafeMap, String,
    StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeStartsWith, TypeError, TypedArrayPrototypeGetLength, cutOff,
} = primordials;
const { DOMException, withoutStack } = internal;
const { Body, Feed, streamOf } = internal.body;
const { isResponse, wireOf } = internal.fetchClasses;
const { headerIn } = internal.headers;
const { limits, outcomeOf, reached } = internal.limits;
const { METHODS, abortIncoming, makeIncoming, setOwnAuthority, urlTextOf } = internal.request;
const { requireArguments } = internal.webidl;

// ---- What native hands over with each request ----

let cells = new Int32Array(64), cellsF64 = new Float64Array(32);
const BITS = 8, METHOD = 12, NOTES = 14, NOTE_KIND = 15, NOTE_TIME_F64 = 24, NOTE_DURATION_F64 = 25;
const HAS_TRACE_STATE = 4, HAS_BAGGAGE = 8, HAS_BODY = 16;
const HEAD = 2; // index of a method

let trace; // 20_trace.js

let target; // the program's default export
let environment;

/** Slot → exchange or undefined. Slots are small and used again. */
const exchanges = [];
let inFlight = 0;
// What keeps the worker from ending beside them: promises given to waitUntil, runs of schedules, handlers whose request is over.
let promises = 0, runs = 0, outlived = 0;

/** The key of the exchange in the contexts of its request, so that it is found from any span below. */
const EXCHANGE = Symbol('exchange');

class Exchange {
    constructor(slot, head, bits, method, span) {
        this.slot = slot;
        this.head = head;
        this.bits = bits;
        this.method = method;
        this.span = span;
        this.held = new Held(this);
        this.number = 0; // in messages, once there was one
        this.request = undefined;
        this.feed = undefined; // of the request's body, once somebody reads it
        this.socket = undefined; // what was counted, of one that became a WebSocket
        this.reader = undefined; // of the response's body
        this.remaining = -1; // bytes that the response still owes its Content-Length; -1: it has none
        this.route = undefined;
        this.left = undefined; // why the request was given up
        this.refusal = undefined; // the error of a body that was refused, and
        this.refusalStatus = 0;
        this.started = false; // the response's head is out
        this.handling = false; // the handler's promise has not settled
        this.outlived = false; // … and its request is over: it shows on the board, and
        this.place = -1; // there
        this.awaited = false; // it counts for idle()
        this.over = false;
        this.subrequests = 0; // what fetch has sent for it
        this.sent = 0; // bytes of a response in pieces
    }

    /** The body of the request. @returns {Body | null} */
    openBody() {
        if ((this.bits & HAS_BODY) === 0) return null;
        const { slot } = this;
        this.feed = new Feed(() => { if (!this.over) ops.httpRead(slot); }, () => {});
        if (this.over) this.feed.fail(this.left ?? lateBody());
        return new Body(this.feed, null);
    }
}
cutOff(Exchange);

/** The exchange in a held one, which is all that a context has of it: programs can look into contexts. */
let exchangeIn;
class Held {
    #exchange;
    constructor(exchange) { this.#exchange = exchange; }
    static {
        exchangeIn = (held) => (typeof held === 'object' && held !== null && #exchange in held ? held.#exchange : undefined);
    }
}
cutOff(Held);
// Among the stores, which stay whatever context of OpenTelemetry the program enters.
/** undefined: there is none, or the program has spoilt its context, or put a getter in it. */
function exchangeOf(context) {
    try {
        return exchangeIn(trace.valueOf(trace.storesOf(context), EXCHANGE));
    } catch {
        return undefined;
    }
}

// What a message has of the exchange that it was sent for: 20 bits of its slot, 11 that tell it from the slot's last ones, and one more, for 0 is none.
const SLOT_BITS = 20;
let lastNumber = 0;

/** @param {unknown} context of who sends @returns {number} 0: it is for no request */
function numberIn(context) {
    let held;
    try {
        held = internal.trace.valueOf(internal.trace.storesOf(context), EXCHANGE);
    } catch {
        return 0; // as in exchangeOf
    }
    if (typeof held === 'number') return held; // in a child
    const exchange = exchangeIn(held);
    if (exchange === undefined || exchange.over) return 0;
    return exchange.number ||= 1 << 31 | (++lastNumber & 0x7ff) << SLOT_BITS | exchange.slot;
}

/** What a context has among its stores so that it belongs to that request. A child keeps the number, and sends it back. */
function storesFor(number) {
    if (number === 0) return null;
    let held = number;
    if (target !== undefined) {
        const exchange = exchanges[number & (1 << SLOT_BITS) - 1];
        if (exchange === undefined || exchange.number !== number) return null;
        held = exchange.held;
    }
    return internal.trace.withValue(null, EXCHANGE, held);
}

const lateBody = () => new TypeError('The body of the request cannot be read after the response was sent');

/** The third argument of handlers. */
class ExecutionContext {
    #exchange;
    constructor(key, exchange) {
        if (key !== secret) throw new TypeError('Illegal constructor');
        this.#exchange = exchange;
    }

    /** Keeps the worker from ending before `promise` has settled; a rejection is recorded. */
    waitUntil(promise) {
        const exchange = this.#exchange;
        requireArguments(arguments.length, 1, 'waitUntil');
        promises++;
        settleLater(exchange, promise);
    }

    passThroughOnException() { this.#exchange; }
}
const secret = {};
internal.webidl.shapeInterface(ExecutionContext);

/** @param {{span: object}} owner an exchange, or a run of a schedule */
async function settleLater(owner, promise) {
    try {
        await promise;
    } catch (error) {
        // An error record of the trace; the span's own outcome is the response's.
        const context = trace.spanContext(owner.span);
        report(error, { spanContext: () => context }, owner);
    } finally {
        promises--;
    }
}

// ---- A request ----

/**
 * @param {number} slot
 * @param {string} head `METHOD SP target LF name LF value LF …`
 */
function dispatch(slot, head) {
    const bits = cells[BITS];
    const method = cells[METHOD];
    const span = trace.serverSpan(slot, cells, bits, method === 0 ? 'HTTP' : METHODS[method]);
    const exchange = new Exchange(slot, head, bits, method, span);
    exchanges[slot] = exchange;
    inFlight++;
    span._stores = trace.withValue(null, EXCHANGE, exchange.held);
    if (inFlight > limits.requests) {
        refuseRequest(exchange);
        return;
    }
    try {
        if ((bits & (HAS_TRACE_STATE | HAS_BAGGAGE)) !== 0) takeCarried(exchange);
        const request = exchange.request = makeIncoming(exchange);
        ops.setContext(span);
        const result = target.fetch(request, environment, new ExecutionContext(secret, exchange));
        if (isResponse(result)) respond(exchange, result);
        else if (result !== null && (typeof result === 'object' || typeof result === 'function')) settle(exchange, result);
        else fail(exchange, noResponse(result));
    } catch (error) {
        failOrLose(exchange, error);
    }
    ops.setContext(undefined);
}

/** More are in flight than may be: the program does not hear of it. */
function refuseRequest(exchange) {
    reached('requests', 'exceededRequests', `more than ${limits.requests} requests in flight`, exchange);
    unavailable(exchange, 'exceededRequests');
}

/** The answer to a request that reached a limit. */
function unavailable(exchange, outcome) {
    ops.httpErrorType(exchange.slot, outcome);
    trace.tell(exchange.span, 'error.type', outcome);
    try {
        trace.setStatus(exchange.span, { code: 2 }); // so that the answer's status is not its error.type
    } catch {
        // As in noteStatus.
    }
    answer(exchange, 503, 'Service Unavailable', 'Service Unavailable');
}

/** A promise, or what may be one. */
async function settle(exchange, promise) {
    exchange.handling = true;
    let response;
    try {
        response = await promise;
    } catch (error) {
        settled(exchange);
        failOrLose(exchange, error);
        return;
    }
    settled(exchange);
    try {
        if (isResponse(response)) respond(exchange, response);
        else fail(exchange, noResponse(response));
    } catch (error) {
        failOrLose(exchange, error);
    }
}

function failOrLose(exchange, error) {
    try {
        fail(exchange, error);
    } catch {
        lose(exchange);
    }
}

/** The last resort, where the program has broken what a failure is recorded with: nothing of the span or the error is touched, the connection is cut. */
function lose(exchange) {
    if (exchange.over) return;
    exchange.over = true;
    exchanges[exchange.slot] = undefined;
    inFlight--;
    ops.httpErrorType(exchange.slot, '_OTHER');
    ops.httpAbort(exchange.slot);
}

function settled(exchange) {
    exchange.handling = false;
    if (!exchange.outlived) return;
    if (exchange.awaited) outlived--;
    if (exchange.place >= 0) ops.httpHandlerEnded(exchange.slot, exchange.place);
}

function noResponse(value) {
    let shown;
    try { shown = internal.inspect(value, { depth: 0 }); } catch { shown = typeof value; }
    return withoutStack(new TypeError(`The fetch handler must return a Response or a promise of one, but returned ${shown}`));
}

/** tracestate and baggage, which go on to whom this request asks. */
function takeCarried(exchange) {
    const { head, bits, span } = exchange;
    const at = StringPrototypeIndexOf(head, '\n') + 1;
    if ((bits & HAS_TRACE_STATE) !== 0) {
        const text = headerIn(head, at, 'tracestate', ',');
        if (text !== undefined) trace.setTraceState(span, internal.otelApi.createTraceState(text));
    }
    if ((bits & HAS_BAGGAGE) !== 0) {
        const text = headerIn(head, at, 'baggage', ',');
        if (text !== undefined) {
            span._values = trace.valuesOf(extractBaggage(trace.ROOT, { __proto__: null, baggage: text }));
        }
    }
}
const extractBaggage = internal.otelApi?.propagation.extract;

// ---- Its answer ----

function respond(exchange, response) {
    if (exchange.over) { // the client has left, or the time is up
        discard(response);
        return;
    }
    try {
        send(exchange, wireOf(response));
    } catch (error) {
        fail(exchange, withoutStack(error));
    }
}

function send(exchange, wire) {
    const { slot } = exchange;
    const { status, statusText, contentLength, body } = wire;
    if (status === 101) {
        internal.webSocket.serve(exchange, wire.webSocket, wire.list);
        return;
    }
    let { headers } = wire;
    noteRoute(exchange); // first: it looks among the attributes
    noteStatus(exchange, status);
    let source = null;
    if (body !== null) {
        if (body.stream !== null || body.source instanceof Feed) {
            sendInPieces(exchange, status, statusText, headers, contentLength, body);
            return;
        }
        body.used = true;
        source = body.source;
        if (limits.response !== Infinity && bytesOf(source) > limits.response) {
            tooLong(exchange);
            unavailable(exchange, 'exceededResponse');
            return;
        }
    } else if (contentLength >= 0 && (exchange.method === HEAD || status === 304)) {
        headers += `content-length: ${contentLength}\r\n`; // of the body that is not sent
    }
    exchange.started = true;
    if (ops.httpRespond(slot, status, statusText, headers, source) === 1) finish(exchange);
}

const bytesOf = (source) => typeof source !== 'string' ? TypedArrayPrototypeGetLength(source)
    : 3 * source.length <= limits.response ? source.length : TypedArrayPrototypeGetLength(ops.encodeUtf8(source));

function tooLong(exchange) {
    reached('response', 'exceededResponse', `a response of more than ${limits.response} bytes`, exchange);
}

function sendInPieces(exchange, status, statusText, headers, contentLength, body) {
    const { slot } = exchange;
    const stream = streamOf(body);
    exchange.started = true;
    // What is answered may be what the client is still to send: then it must hear so first.
    if (exchange.feed !== undefined) ops.httpContinue(slot);
    ops.httpHead(slot, status, statusText, headers, contentLength);
    if (exchange.method === HEAD) {
        internal.streams.cancel(stream, undefined);
        if (ops.httpEnd(slot) === 1) finish(exchange);
        return;
    }
    exchange.remaining = contentLength;
    const reader = internal.streams.readChunks(stream, (chunk) => write(exchange, chunk), () => end(exchange), (error) => breakOff(exchange, error));
    exchange.reader = reader;
    if (exchange.over) reader.cancel(exchange.left); // it went wrong at once
}

/** @returns {boolean} whether to go on at once */
function write(exchange, chunk) {
    if (exchange.over) return false;
    const length = TypedArrayPrototypeGetLength(chunk);
    if (length === 0) return true;
    exchange.sent += length;
    if (exchange.sent > limits.response) {
        tooLong(exchange);
        breakOff(exchange, withoutStack(new RangeError(`The response is longer than its limit of ${limits.response} bytes`)));
        return false;
    }
    if (exchange.remaining >= 0) {
        exchange.remaining -= length;
        if (exchange.remaining < 0) {
            breakOff(exchange, withoutStack(new TypeError('The body of the response is longer than its Content-Length')));
            return false;
        }
    }
    // -1: the client is gone, and `ended` will say so.
    return ops.httpWrite(exchange.slot, chunk) === 1;
}

function end(exchange) {
    if (exchange.over) return;
    if (exchange.remaining > 0) {
        breakOff(exchange, withoutStack(new TypeError('The body of the response is shorter than its Content-Length')));
        return;
    }
    if (ops.httpEnd(exchange.slot) === 1) finish(exchange);
}

/** The response failed half-way: all that can be done is to cut the connection. */
function breakOff(exchange, error) {
    if (exchange.over) return;
    note(exchange, error);
    ops.httpAbort(exchange.slot);
    const { reader } = exchange;
    finish(exchange);
    reader?.cancel(error);
}

/** A body that nobody will send. */
function discard(response) {
    try {
        const { body } = wireOf(response);
        if (body === null) return;
        if (body.stream === null && !(body.source instanceof Feed)) return;
        internal.streams.cancel(streamOf(body), undefined);
    } catch { /* it was used */ }
}

/** The handler failed. */
function fail(exchange, error) {
    if (exchange.over) {
        report(error, exchange.span, exchange);
        return;
    }
    if (exchange.started) {
        breakOff(exchange, error);
        return;
    }
    if (error !== undefined && error === exchange.refusal) {
        // The client's fault, and the handler has nothing to say to it.
        answer(exchange, exchange.refusalStatus, '', error.message);
        return;
    }
    const outcome = outcomeOf(error, exchange);
    note(exchange, error);
    if (outcome !== undefined) unavailable(exchange, outcome);
    else answer(exchange, 500, 'Internal Server Error', 'Internal Server Error');
}

/** A response of ours. */
function answer(exchange, status, statusText, text) {
    noteStatus(exchange, status);
    noteRoute(exchange);
    exchange.started = true;
    if (ops.httpRespond(exchange.slot, status, statusText, 'content-type: text/plain;charset=UTF-8\r\n', text) === 1) finish(exchange);
}

/** @param {number} status what RFC 9110 says of such a body */
function bodyError(slot, message, status) {
    const exchange = exchanges[slot];
    if (exchange === undefined) return;
    exchange.refusal = withoutStack(new TypeError(message));
    exchange.refusalStatus = status;
    exchange.feed?.fail(exchange.refusal);
}

/** Records an error of a request, and what it is called for the metrics. */
function note(exchange, error) {
    const type = typeOf(error);
    report(error, exchange.span, exchange);
    if (type === '') trace.tell(exchange.span, 'error.type', '_OTHER');
    ops.httpErrorType(exchange.slot, type === '' ? '_OTHER' : type);
}

/**
 * An error that ends nothing but what it happened in: recorded, and printed, as all that nobody caught.
 * @param {object} [owner] what it happened in, when that is a request
 */
function report(error, span, owner) {
    trace.error(error, span);
    show(error, owner);
}

/** In what something happened, for who reads what was printed: the path without a query, which may hold secrets. */
function whereOf({ head, span }) {
    let end = StringPrototypeIndexOf(head, '\n');
    if (end < 0) end = head.length;
    const query = StringPrototypeIndexOf(head, '?');
    if (query >= 0 && query < end) end = query;
    let id = '';
    try {
        id = `, trace ${trace.spanContext(span).traceId}`;
    } catch {
        // As in noteStatus.
    }
    return `    in ${StringPrototypeSlice(head, 0, end < PATH_UNITS ? end : PATH_UNITS)}${id}\n`;
}

// Printing waits for who reads, and a handler that always fails is called as often as somebody likes: so many errors in so much time are printed, each with
// so much text. What is left out is counted and said, and recorded like the others.
const SHOWN_MAX = 20, SHOWN_MILLISECONDS = 1000, SHOWN_UNITS = 16384, PATH_UNITS = 256;
let shownUntil = 0, shown = 0, unshown = 0;

function show(error, owner) {
    const now = internal.now();
    if (now >= shownUntil) {
        tellUnshown();
        shown = 0;
        shownUntil = now + SHOWN_MILLISECONDS;
    }
    if (shown === SHOWN_MAX) {
        if (unshown++ === 0) internal.timers.startUnrefed(tellUnshown, shownUntil - now);
        return;
    }
    shown++;
    let text;
    try { text = internal.formatUncaught(error, undefined); } catch { text = 'Uncaught exception that could not be shown'; }
    if (text.length > SHOWN_UNITS) text = `${internal.text.cut(text, SHOWN_UNITS)}\n\u2026 (${text.length - SHOWN_UNITS} characters more)`;
    ops.print(2, `${text}\n${owner instanceof Exchange ? whereOf(owner) : ''}`);
}

function tellUnshown() {
    if (unshown === 0) return;
    const count = unshown;
    unshown = 0;
    ops.print(2, `sidelight: ${count} more uncaught error${count === 1 ? ' was' : 's were'} not printed, since there were more than ${SHOWN_MAX} in a second\n`);
}

function typeOf(error) {
    try {
        const name = error?.name ?? error?.code;
        return name === undefined || name === null ? '' : internal.text.cut(`${name}`, 128);
    } catch {
        return '';
    }
}

// What the program made of its span must not keep a request from its answer: here, and wherever else something is written to one, what is thrown is let be.

function noteStatus(exchange, status) {
    const { span } = exchange;
    try {
        if (!span._recording) return;
        trace.setAttribute(span, 'http.response.status_code', status);
        if (status < 500 || trace.statusOf(span) === 2) return;
        trace.setStatus(span, { code: 2 });
        trace.setAttribute(span, 'error.type', String(status));
    } catch {
        // Frozen, or a field has a getter.
    }
}

// ---- The route (https://opentelemetry.io/docs/specs/semconv/http/http-spans/#name) ----

const ROUTES_MAX = 1024;
const names = new SafeMap(); // route → by method, the span's name

function nameOf(method, route) {
    let list = names.get(route);
    if (list === undefined) {
        list = [];
        if (names.size < ROUTES_MAX) names.set(route, list);
    }
    return list[method] ??= `${method === 0 ? 'HTTP' : METHODS[method]} ${route}`;
}

function noteRoute(exchange) {
    const { span, method } = exchange;
    let { route } = exchange;
    try {
        if (span._recording && span._attributes[0] > 0) {
            const own = trace.attribute(span, 'http.route');
            if (typeof own === 'string') route = own;
        }
        if (route !== undefined && span._recording) {
            trace.setAttribute(span, 'http.route', route);
            trace.renameServer(span, method === 0 ? 'HTTP' : METHODS[method], nameOf(method, route));
        }
    } catch {
        // As in noteStatus.
    }
    if (route !== undefined) ops.httpRoute(exchange.slot, route);
}

/** The exchange whose request this code runs for, or code in that context; undefined: none. */
function currentExchange(context = ops.context()) {
    return trace === undefined ? undefined : exchangeOf(context);
}

/** For `import { setRoute } from 'sidelight'`. */
function setRoute(route) {
    requireArguments(arguments.length, 1, 'setRoute');
    const text = `${route}`;
    const exchange = currentExchange();
    if (exchange !== undefined && !exchange.started) exchange.route = text;
}
internal.builtins.set('sidelight', { setRoute, default: { setRoute } });

/**
 * A URLPattern with the pathname `pathname` has matched: if the request's own URL, then that is its route.
 * @param {string | undefined} url the text that was matched @param {string | undefined} path or only its path
 */
function matched(pathname, url, path) {
    if (inFlight === 0) return;
    const exchange = currentExchange();
    if (exchange === undefined || exchange.started) return;
    const own = urlTextOf(exchange.request);
    if (url !== undefined ? url === own : path !== undefined && path === pathOf(own)) exchange.route = pathname;
}

function pathOf(url) {
    const start = StringPrototypeIndexOf(url, '/', 8);
    const end = StringPrototypeIndexOf(url, '?', start);
    return StringPrototypeSlice(url, start, end < 0 ? url.length : end);
}

// ---- The end of it ----

function finish(exchange) {
    if (exchange.over) return;
    exchange.over = true;
    exchanges[exchange.slot] = undefined;
    inFlight--;
    if (cells[NOTES] !== 0) takeNotes();
    if (exchange.socket !== undefined) {
        try {
            exchange.socket.describe(exchange.span);
        } catch {
            // As in noteStatus.
        }
    }
    trace.endServer(exchange.span, exchange.slot);
    if (exchange.feed !== undefined) exchange.feed.fail(exchange.left ?? lateBody());
}

/** Gives a request up: its span says so, its signal aborts, its streams are cancelled. */
function giveUp(exchange, reason, type) {
    const { span, reader } = exchange;
    exchange.left = reason;
    if (exchange.handling) {
        exchange.outlived = true;
        // Who is over its wall limit has had its time.
        exchange.awaited = type !== 'wall_limit';
        if (exchange.awaited) outlived++;
        exchange.place = ops.httpOutlived(exchange.slot);
    }
    try {
        trace.setStatus(span, { code: 2, message: reason.message });
    } catch {
        // As in noteStatus.
    }
    trace.tell(span, 'error.type', type);
    noteRoute(exchange);
    finish(exchange);
    ops.setContext(span);
    abortIncoming(exchange.request, reason);
    reader?.cancel(reason);
    ops.setContext(undefined);
}

/**
 * @param {number} code 0 all bytes written, 1 the client left, 2 timed out, 3 the response's head cannot be sent, 4 its wall limit is reached
 * @param {number} [status] what native answered itself
 */
function ended(slot, code, status) {
    const exchange = exchanges[slot];
    if (exchange === undefined) return;
    if (code === 0) {
        finish(exchange);
        return;
    }
    if (code === 3) {
        const error = withoutStack(new TypeError('The response has a status text or headers that HTTP cannot carry'));
        note(exchange, error);
        noteStatus(exchange, status);
        const { reader } = exchange;
        finish(exchange);
        reader?.cancel(error);
        return;
    }
    if (status > 0) noteStatus(exchange, status);
    if (code === 1) giveUp(exchange, new DOMException('The client left before it had the whole response', 'AbortError'), 'client_left');
    else if (code === 2) giveUp(exchange, new DOMException('The request took too long', 'TimeoutError'), 'timeout');
    else {
        reached('wall', 'exceededWall', `the request took longer than its limit of ${limits.wall} ms`, exchange);
        giveUp(exchange, new DOMException('The request took longer than its limit', 'TimeoutError'), 'wall_limit');
    }
}

function abortAll() {
    for (let slot = 0; slot < exchanges.length; slot++) {
        const exchange = exchanges[slot];
        if (exchange === undefined) continue;
        ops.httpErrorType(slot, 'shutdown');
        ops.httpAbort(slot);
        giveUp(exchange, new DOMException('The server is shutting down', 'AbortError'), 'shutdown');
    }
}

// ---- What the host saw of the turn: garbage collections, stalls (Sources/Runtime/TurnMonitor.swift) ----

const COLLECTIONS = ['', 'minor', 'major', 'incremental', 'weakcb'];
const STALL = 5;

/** Takes them up as events of the server spans they hit. Called when one of those ends, and at the end of the turn. */
function takeNotes() {
    while (cells[NOTES] !== 0) {
        const context = ops.httpNote();
        const kind = cells[NOTE_KIND], time = cellsF64[NOTE_TIME_F64], seconds = cellsF64[NOTE_DURATION_F64] / 1e9;
        const span = spanHit(context);
        if (span === undefined) continue;
        if (kind !== STALL) {
            trace.eventAt(span, 'gc', time, { 'v8js.gc.type': COLLECTIONS[kind], 'sidelight.gc.pause': seconds });
            continue;
        }
        const attributes = { 'sidelight.eventloop.stall': seconds };
        const stacks = ops.httpNoteText();
        if (stacks !== '') attributes['sidelight.profile.top'] = stacks;
        trace.eventAt(span, 'event loop stall', time, attributes);
    }
}

/** What the host runs next is for the request of this context: its CPU time, and its place in a profile. */
function goesOn(context) {
    if (inFlight === 0) return;
    const exchange = exchangeOf(context);
    ops.httpOwner(exchange === undefined || exchange.over ? -1 : exchange.slot);
}

/** @param {unknown} context what was current; a number: nothing was, in the turn of that slot (-1: of none) */
function spanHit(context) {
    if (typeof context === 'number') return exchanges[context]?.span;
    const exchange = exchangeOf(context);
    return exchange !== undefined ? exchange.span : trace.recordingSpan(context);
}

// ---- Start ----

/** What native writes into every record, by the ids these have in the ring: RequestAttributes.Text, in this order. */
const TEXTS = [
    'http.request.method', 'url.path', 'url.query', 'url.scheme', 'server.address', 'server.port', 'client.address', 'network.peer.address',
    'network.peer.port', 'network.protocol.version', 'user_agent.original', 'sidelight.cpu.time', 'tls.protocol.version',
    '_OTHER', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'http', 'https', '1.0', '1.1', '1.2', '1.3',
];
const TEXT_IDS = 16; // word of the first

/** What a value is, in a few words. */
function describe(value) {
    if (value === undefined) return 'it has none';
    if (value === null) return 'it is null';
    if (typeof value === 'function') {
        let isClass = false;
        try { isClass = StringPrototypeStartsWith(FunctionPrototypeToString(value), 'class'); } catch { /* a proxy */ }
        return isClass ? `it is the class ${value.name}: export an instance of it` : 'it is a function: write export default { fetch: \u2026 }';
    }
    if (typeof value !== 'object') return `it is of type ${typeof value}`;
    const keys = ObjectKeys(value);
    if (keys.length > 8) keys.length = 8;
    return keys.length === 0 ? 'it has neither' : `it has only ${ArrayPrototypeJoin(keys, ', ')}`;
}

/** The error that says why this module cannot be served: in words of ours, and so no exception of the program's. */
let refusal;

/** @param {string} what the reason @returns {TypeError} */
function refuseEntry(what) {
    refusal = withoutStack(new TypeError(what));
    return refusal;
}

/**
 * Serving could not begin. Records it, and prints an error of the program's.
 * @param {string} prefix of a line of ours; empty: the host says it
 * @returns {string} why, in a line
 */
function cannotStart(error, prefix) {
    trace.error(error, trace.runSpan);
    if (refusal === undefined || error !== refusal) {
        show(error);
        return internal.failureText(error, undefined);
    }
    if (prefix !== '') ops.print(2, `${prefix}${refusal.message}\n`);
    return refusal.message;
}

const HAS_FETCH = 1, HAS_SCHEDULED = 2, HAS_HEALTH = 4; // BoardHandlers

/**
 * Takes the default export of the entry module.
 * @returns {number} bits: 1 it has fetch, 2 it has scheduled, 4 it has health
 */
function install(exportsDefault, env) {
    const wanted = 'The default export of the entry module must be an object with a fetch or a scheduled function';
    if (exportsDefault === null || typeof exportsDefault !== 'object') throw refuseEntry(`${wanted}, but ${describe(exportsDefault)}`);
    const { fetch, scheduled } = exportsDefault;
    if (fetch !== undefined && typeof fetch !== 'function') throw refuseEntry(`${wanted}, but its fetch is of type ${typeof fetch}`);
    if (scheduled !== undefined && typeof scheduled !== 'function') throw refuseEntry(`${wanted}, but its scheduled is of type ${typeof scheduled}`);
    if (fetch === undefined && scheduled === undefined) throw refuseEntry(`${wanted}, but ${describe(exportsDefault)}`);
    target = exportsDefault;
    environment = env ?? {};
    // A property of that name that is no function is the program's own affair.
    const health = typeof exportsDefault.health === 'function' ? HAS_HEALTH : 0;
    return (fetch === undefined ? 0 : HAS_FETCH) | (scheduled === undefined ? 0 : HAS_SCHEDULED) | health;
}

/**
 * @param {ArrayBuffer} buffer 256 bytes: what native tells about each request
 * @param {string | {authority?: string}} config also as JSON. `authority`: host and port for requests that name none
 */
function start(buffer, config) {
    if (typeof config === 'string') config = JSONParse(config);
    cells = new Int32Array(buffer);
    cellsF64 = new Float64Array(buffer);
    trace = internal.trace;
    trace.setRequestCells(cells);
    for (let i = 0; i < TEXTS.length; i++) cells[TEXT_IDS + i] = internal.ring.reference(TEXTS[i]);
    trace.textsAreKnown();
    setOwnAuthority(config.authority ?? 'localhost');
    // An error that nobody caught ends a run; a server goes on with its other requests.
    internal.survive = (error) => {
        report(error, trace.activeSpan(), currentExchange());
        return true;
    };
}

internal.serve = {
    start, install, current: (context) => inFlight === 0 ? undefined : currentExchange(context), numberIn, storesFor, environment: () => globalThis.process.env, dispatch, ended, abortAll, matched, setRoute, takeNotes, goesOn,
    drained(slot) { exchanges[slot]?.reader?.resume(); },
    bodyChunk(slot, bytes) { exchanges[slot]?.feed?.chunk(bytes); },
    bodyEnd(slot) { exchanges[slot]?.feed?.end(); },
    bodyError,
    /** The worker is to end: sockets are told so; requests are finished. */
    drain() { internal.webSocket.closeAll(); },
    // For 49_websocket.js.
    answer,
    /** @param {object} link feed, reader and counts of the connection from now on @returns {boolean} whether it is a socket now */
    upgrade(exchange, lines, link) {
        if (exchange.over || !ops.httpUpgrade(exchange.slot, lines)) return false;
        exchange.started = true;
        exchange.feed = exchange.reader = link;
        exchange.socket = link.counts;
        noteRoute(exchange);
        noteStatus(exchange, 101);
        return true;
    },
    /** @param {unknown} error why, when that is not as it should be */
    upgradeEnded(exchange, error) {
        if (exchange.over) return;
        if (error !== undefined) note(exchange, error);
        if (ops.httpEnd(exchange.slot) === 1) finish(exchange);
    },
    /** How many requests and promises given to waitUntil are open: 0 when the worker may end. */
    idle: () => inFlight + promises + runs + outlived,
    /** Of these: 0 the promises, 1 the runs of schedules. */
    pending: (kind) => kind === 0 ? promises : runs,
    cannotStart, refuseEntry,
    /** Before the process ends. */
    tellUnshown,
    // For 46_health.js and 46_scheduled.js.
    scheduledTarget: () => ({ target, environment }), report, makeContext: (owner) => new ExecutionContext(secret, owner),
    countRun: (delta) => { runs += delta; },
};
