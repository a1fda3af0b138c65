'use strict';
// @ts-check
// Limits that the platform's JavaScript enforces: docs/limits.md. Who reaches one gets an exception, or what is too much is left out and counted. Those that end
// an isolate are the host's (Sources/Runtime/Limits).

const { ErrorCaptureStackTrace, RangeError, SafeWeakMap, StringPrototypeIndexOf, StringPrototypeStartsWith, cutOff } = primordials;
const { DOMException } = internal;

/** By their names. Infinity: there is none. No object without a prototype, which V8 keeps as a dictionary: they are looked at for each request and timer. */
const limits = {
    wall: Infinity, timers: Infinity, fetches: Infinity, sockets: Infinity, subrequests: Infinity, requests: Infinity, response: Infinity,
    workers: Infinity, memory: Infinity, 'wasm-memory': Infinity, stack: Infinity, modules: Infinity, 'module-bytes': Infinity, 'clone-bytes': Infinity,
};

/**
 * A limit was reached: a finding, and the outcome of the request or run that this code runs for.
 * @param {string} name @param {string} outcome @param {string} sentence
 * @param {{span: object}} [exchange] the request, where it is not the current one
 */
function reached(name, outcome, sentence, exchange) {
    const owner = exchange ?? internal.serve?.current();
    const { trace } = internal;
    const span = owner === undefined ? trace?.runSpan : owner.span;
    if (span !== undefined) trace.tell(span, 'sidelight.outcome', outcome);
    internal.findings?.limit(name, limits[name] === Infinity ? '' : limits[name], outcome, sentence, owner?.span);
}

/** The same, and the error that says so. @returns {DOMException} */
function refusal(name, outcome, sentence) {
    reached(name, outcome, sentence);
    const error = mark(new DOMException(sentence, 'QuotaExceededError'), outcome);
    ErrorCaptureStackTrace(error, refusal);
    return error;
}

/** Errors of ours → outcome. Where nobody catches one, the request that it ends is answered with 503. */
let marked;

function mark(error, outcome) {
    (marked ??= new SafeWeakMap()).set(error, outcome);
    return error;
}

/** V8's own words. */
const overflow = 'Maximum call stack size exceeded', noMemory = 'Array buffer allocation failed';
const ofWasm = 'WebAssembly.', noWasmMemory = 'could not allocate memory', noInstanceMemory = 'Out of memory: ';
/** Of the host: Sources/CV8/Message.cc. */
const messageTooLarge = 'the message is larger than its limit of ';

/**
 * What a request, or a run, has exceeded that ended with this error; undefined: nothing.
 * @param {{span: object}} [exchange] the request
 */
function outcomeOf(error, exchange) {
    if (error === null || typeof error !== 'object') return undefined;
    const outcome = marked?.get(error);
    if (outcome !== undefined) return outcome;
    let message, name, isRange;
    try {
        isRange = error instanceof RangeError;
        ({ message, name } = error);
    } catch {
        return undefined;
    }
    if (typeof message !== 'string') return undefined;
    if (!isRange) {
        if (limits['clone-bytes'] === Infinity || name !== 'DataCloneError' || message !== `${messageTooLarge}${limits['clone-bytes']} bytes`) return undefined;
        reached('clone-bytes', 'exceededMemory', message, exchange);
        return 'exceededMemory';
    }
    if (isOfWasm(message)) {
        const limit = limits['wasm-memory'] <= limits.memory ? 'wasm-memory' : 'memory';
        if (limits[limit] === Infinity) return undefined;
        reached(limit, 'exceededMemory', 'no more memory of WebAssembly may be had', exchange);
        return 'exceededMemory';
    }
    if (message === overflow) reached('stack', 'exceededStack', 'the stack was exceeded', exchange);
    else if (message === noMemory && limits.memory !== Infinity) reached('memory', 'exceededMemory', 'no more memory of ArrayBuffers may be had', exchange);
    else return undefined;
    return message === overflow ? limits.stack === Infinity ? undefined : 'exceededStack' : 'exceededMemory';
}

const isOfWasm = (message) => StringPrototypeStartsWith(message, ofWasm) &&
    (StringPrototypeIndexOf(message, noWasmMemory) >= 0 || StringPrototypeIndexOf(message, noInstanceMemory) >= 0);

/** So many a second; what is above is left out. */
class Rate {
    constructor(name, what) {
        this.name = name;
        this.what = what;
        this.perSecond = Infinity;
        this.second = -Infinity; // when the one that is counted began, ms
        this.count = 0;
    }

    /** Whether one more may be; it is counted. */
    hasRoom() {
        if (this.perSecond === Infinity) return true;
        const now = internal.now();
        if (now - this.second >= 1000) {
            this.second = now;
            this.count = 0;
        }
        if (this.count >= this.perSecond) return false;
        this.count++;
        return true;
    }

    /** The same; one that may not is told of. */
    take() {
        if (this.hasRoom()) return true;
        // Each is counted; it is told of once a second.
        internal.findings?.limit(this.name, this.perSecond, 'dropped', `more than ${this.perSecond} ${this.what} in a second: the rest of them is left out`);
        return false;
    }
}
cutOff(Rate);
const logs = new Rate('logs-per-second', 'log records');
const spans = new Rate('spans-per-second', 'spans');
/** Requests of fetch that belong to no request. */
const unowned = new Rate('subrequests', 'requests');

/** @param {Record<string, number>} given by the names of --limit */
function start(given) {
    for (const name in limits) limits[name] = given[name] ?? Infinity;
    logs.perSecond = given['logs-per-second'] ?? Infinity;
    spans.perSecond = given['spans-per-second'] ?? Infinity;
    unowned.perSecond = limits.subrequests;
    if (internal.ring !== undefined) internal.ring.bound.spansAreLimited = spans.perSecond !== Infinity;
}

internal.limits = { limits, start, reached, refusal, mark, outcomeOf, logs, spans, unowned };
