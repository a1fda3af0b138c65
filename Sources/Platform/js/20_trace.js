'use strict';
// The tracing core: contexts, sampling, spans, log and error records. What is written goes through 18_ring.js.
//
// A finished span is written flat into shared memory and nothing else happens to it here: no object graph, no JSON, no native
// call but the clock. Layout of everything written: docs/specs/record-format.md. Public API surface: 21_otel_api.js.
//
// Context. V8 carries one value across `await` and promise reactions (continuation-preserved embedder data). That value is
// undefined, a `Context`, or simply the active `Span`: entering a span allocates nothing but the span.
//
// Nothing at load time that a snapshot cannot hold: `start` binds what exists only at run time.

const {
    ArrayIsArray, DatePrototypeGetTime, MathFloor, ReflectApply, SafeMap, StringPrototypeLastIndexOf, StringPrototypeSlice, StringPrototypeStartsWith,
} = primordials;
const {
    bound, open, openLeavingRoom, openWithin, commit, drop, fits, limit, headAfter, putInline, putAttributes, keep, keepAll, leftOut, NO_ATTRIBUTES, append,
    appendNth, reference, firstStep, stepTo, keptText, isInterned, LOST, KIND_SPAN, KIND_START, KIND_LOG, KIND_ERROR, KIND_SCOPE,
} = internal.ring;
const {
    hexWord, isValidTraceId, isValidSpanId, isSpanContextValid, contextOf, idWords, linkFlags, stateText, exceptionAttributes, safeText, cut,
} = internal.traceValues;

// ---- State bound at start ----

// Fields of `bound` (18_ring.js) that are set here: unixBaseMs, unixBaseNs, random, textsAreCut (whether texts of attributes have a limit), and the
// limits.
const UNIX_BASE_MS_F64 = 3, UNIX_BASE_NS_F64 = 4, CLOCK_F64 = 32, CLOCK_I32 = 64;

// ---- Ids ----

// sfc32, seeded from the system at start: 128 bits of state, a span id costs two steps. Its state is in
// words outside of the heap: numbers in variables are boxed and checked.
function random32() {
    const r = bound.random;
    const a = r[0], b = r[1], c = r[2], d = r[3];
    const t = (a + b | 0) + d | 0;
    r[3] = d + 1 | 0;
    r[0] = b ^ b >>> 9;
    r[1] = c + (c << 3) | 0;
    r[2] = (c << 21 | c >>> 11) + t | 0;
    return t;
}

// ---- Time ----

// Ring time (nanoseconds) now.
function now() {
    ops.now();
    return bound.f64[CLOCK_F64];
}

// Ring time of what OpenTelemetry calls TimeInput: [seconds, nanoseconds], Date, Unix milliseconds or a performance.now() value.
function ringTime(input) {
    const present = now();
    const time = rawRingTime(input, present);
    // NaN, infinities and times before 1970 cannot be told to anyone.
    return time >= -bound.unixBaseMs * 1e6 && time < 9e18 ? time : present;
}

function rawRingTime(input, present) {
    if (typeof input === 'number') {
        // As in the OpenTelemetry SDK: a number that performance.now() has passed is one of its own, a larger one is Unix time.
        return input <= present / 1e6 ? input * 1e6 : (input - bound.unixBaseMs) * 1e6 - bound.unixBaseNs;
    }
    if (ArrayIsArray(input) && typeof input[0] === 'number' && typeof input[1] === 'number') {
        return (input[0] * 1000 - bound.unixBaseMs) * 1e6 + input[1] - bound.unixBaseNs;
    }
    if (input instanceof Date) return (DatePrototypeGetTime(input) - bound.unixBaseMs) * 1e6 - bound.unixBaseNs;
    return present;
}

// Times of spans and events are kept as the two words of the double they are, for a field or an element that holds a double costs an object. The
// clock cell is where words and number meet: what wants to hand on a time leaves it there.
function setTime(time) { bound.f64[CLOCK_F64] = time; }

// ---- Context ----

// A value of a context: a list, newest first, so that setting costs one node. Shadowed ones are weeded out when it gets long.
class Value {
    constructor(key, value, next) {
        this.key = key;
        this.value = value;
        this.next = next;
        this.depth = next === null ? 1 : next.depth + 1;
    }
}
const DELETED = {};

function withValue(list, key, value) {
    const longer = new Value(key, value, list);
    if (longer.depth < 16) return longer;
    const seen = new SafeMap();
    for (let node = longer; node !== null; node = node.next) if (!seen.has(node.key)) seen.set(node.key, node.value);
    let compact = null;
    seen.forEach((kept, at) => { if (kept !== DELETED) compact = new Value(at, kept, compact); });
    // As many live keys as nodes: start counting anew, so that the next weeding waits for another sixteen.
    if (compact !== null) compact.depth = 1;
    return compact;
}

function valueOf(list, key) {
    for (let node = list; node !== null; node = node.next) {
        if (node.key === key) return node.value === DELETED ? undefined : node.value;
    }
    return undefined;
}

const SPAN_KEY = Symbol('OpenTelemetry Context Key SPAN');

// `_values` are the keys of OpenTelemetry's API, `_stores` those of AsyncLocalStorage: they travel together and are set apart, so that
// entering another OpenTelemetry context leaves every AsyncLocalStorage as it is.
class Context {
    constructor(span, values, stores) {
        this._span = span;
        this._values = values;
        this._stores = stores;
    }
    getValue(key) { return key === SPAN_KEY ? this._span : valueOf(this._values, key); }
    setValue(key, value) {
        return key === SPAN_KEY ? new Context(value, this._values, this._stores)
            : new Context(this._span, withValue(this._values, key, value), this._stores);
    }
    deleteValue(key) {
        return key === SPAN_KEY ? new Context(undefined, this._values, this._stores)
            : new Context(this._span, withValue(this._values, key, DELETED), this._stores);
    }
}
const ROOT = new Context(undefined, null, null);

// The continuation's value as a Context.
function activeContext() {
    const value = ops.context();
    if (value === undefined) return ROOT;
    return value instanceof Span ? value._asContext ??= new Context(value, value._values, value._stores) : value;
}
// The span, whatever its class, in the continuation's value.
function activeSpan() {
    const value = ops.context();
    return value === undefined || value instanceof Span ? value : value._span;
}
const valuesOf = (value) => value === undefined ? null : value._values;
const storesOf = (value) => value === undefined ? null : value._stores;

// An OpenTelemetry context as a continuation's value: with the stores that are current, whichever it was made with.
function entering(context) {
    const stores = storesOf(ops.context());
    if (!(context instanceof Context)) return stores === null ? undefined : new Context(undefined, null, stores);
    return context._stores === stores ? context : new Context(context._span, context._values, stores);
}

// The context that startActiveSpan or what it called has set last: mostly still the current one, which then need not be asked for.
let lastContext;

function runInContext(value, fn, receiver, args) {
    const previous = ops.context();
    ops.setContext(value);
    try {
        return ReflectApply(fn, receiver, args);
    } finally {
        ops.setContext(previous);
    }
}

// ---- Sampling ----

// 0 never, 1 always, 2 by ratio of the trace id.
let rootSampling = 1, parentBased = true, ratioThreshold = 0;

function sampleRoot(t2, t3) {
    if (rootSampling !== 2) return rootSampling;
    // The last 8 bytes of the trace id in network order, as a fraction; 48 bits of it are plenty.
    const high = (t2 & 255) * 16777216 + (t2 >>> 8 & 255) * 65536 + (t2 >>> 16 & 255) * 256 + (t2 >>> 24);
    const low = (t3 & 255) * 256 + (t3 >>> 8 & 255);
    return high * 65536 + low < ratioThreshold ? 1 : 0;
}

// ---- Spans ----

const PARENT_REMOTE = 1, HAD_START = 2, STATUS_MESSAGE = 4, TRACE_STATE = 8;

class Span {
    constructor(scope, path, kind) {
        this._recording = false; // compared with `false` below: one instruction, where `!` asks for the kind of value
        this._bits = 0;
        this._flags = 0;
        this._scope = scope;
        this._kind = kind;
        this._name = path.ref;
        this._step = path;
        this._t0 = 0;
        this._t1 = 0;
        this._t2 = 0;
        this._t3 = 0;
        this._s0 = 0;
        this._s1 = 0;
        this._p0 = 0;
        this._p1 = 0;
        this._start0 = 0;
        this._start1 = 0;
        this._status = 0;
        this._attributes = NO_ATTRIBUTES;
        this._events = null;
        this._rare = null;
        this._values = null;
        this._stores = null;
        this._context = null;
        this._asContext = null;
        this._native = -1; // slot of the request whose server span this is
    }

    spanContext() {
        if (this._context !== null) return this._context;
        const context = {
            traceId: hexWord(this._t0) + hexWord(this._t1) + hexWord(this._t2) + hexWord(this._t3),
            spanId: hexWord(this._s0) + hexWord(this._s1),
            traceFlags: this._flags,
        };
        const state = this._rare?.traceState;
        if (state !== undefined) context.traceState = state;
        return this._context = context;
    }

    isRecording() { return this._recording; }

    setAttribute(key, value) {
        if (this._recording === false) return this;
        const step = this._step.next;
        // The key that came next the last time; a path counts the attributes of whoever is on it.
        if (step !== null && step.text === key && step.depth <= bound.attributeLimit) {
            let kept = value;
            if (typeof value === 'string') {
                if (bound.textsAreCut) kept = keep(value);
                // As keptText does, which is too large to be inlined.
                kept = kept === step.value && step.interned !== null ? step.interned : keptText(step, kept);
            } else if (typeof value !== 'number' && typeof value !== 'boolean') {
                kept = keep(value);
                if (kept === undefined) return this;
            }
            this._step = step;
            this._attributes = appendNth(this._attributes, step.depth, step, kept);
        } else if (typeof key === 'string' && key !== '') {
            const kept = keep(value);
            if (kept !== undefined) setKept(this, key, kept);
        }
        return this;
    }

    setAttributes(attributes) {
        if (!this._recording || attributes === undefined || attributes === null) return this;
        try {
            for (const key in attributes) {
                let value;
                try { value = attributes[key]; } catch { continue; }
                this.setAttribute(key, value);
            }
        } catch {
            // A proxy that will not say what it has: what it told is kept.
        }
        return this;
    }

    // Times of events are ring times; attributes may be left out and the time given in their place.
    addEvent(name, attributesOrTime, time) {
        if (this._recording === false) return this;
        let attributes;
        if (attributesOrTime !== undefined) {
            if (isTimeInput(attributesOrTime)) time ??= attributesOrTime;
            else attributes = attributesOrTime;
        }
        if (time === undefined) ops.now();
        else setTime(ringTime(time));
        const words = bound.i32;
        const at0 = words[CLOCK_I32], at1 = words[CLOCK_I32 + 1];
        const events = this._events;
        if (events !== null && events.length >= bound.eventLimit * 5) {
            rare(this).droppedEvents++;
            return this;
        }
        let list = NO_ATTRIBUTES, dropped = 0;
        if (attributes !== undefined && attributes !== null) {
            list = keepAll(attributes, bound.eventAttributeLimit);
            dropped = leftOut();
        }
        const step = this._step;
        const ref = step.event === name ? step.eventRef : learnEvent(step, typeof name === 'string' ? name : safeText(name));
        if (events === null) {
            this._events = [at0, at1, ref, list, dropped];
        } else {
            const count = events.length;
            events[count] = at0;
            events[count + 1] = at1;
            events[count + 2] = ref;
            events[count + 3] = list;
            events[count + 4] = dropped;
        }
        return this;
    }

    addLink(link) {
        if (this._recording === false || !isSpanContextValid(link?.context)) return this;
        const links = rare(this).links ??= [];
        if (links.length >= bound.linkLimit) {
            rare(this).droppedLinks++;
            return this;
        }
        const list = keepAll(link.attributes, bound.linkAttributeLimit);
        const dropped = leftOut() + (link.droppedAttributesCount | 0);
        links[links.length] = { ids: idWords(link.context), flags: linkFlags(link.context), state: stateText(link.context), list, dropped };
        return this;
    }

    addLinks(links) {
        if (ArrayIsArray(links)) for (let i = 0; i < links.length; i++) this.addLink(links[i]);
        return this;
    }

    setStatus(status) {
        if (this._recording === false || status == null) return this;
        const code = status.code | 0;
        // Ok is final, unset changes nothing. <https://opentelemetry.io/docs/specs/otel/trace/api/#set-status>
        if (code < 0 || code > 2 || this._status === 1 || code === 0) return this;
        this._status = code;
        const message = code === 2 && status.message != null && status.message !== '' ? cut(safeText(status.message)) : undefined;
        if (message !== undefined || this._rare !== null) rare(this).statusMessage = message;
        return this;
    }

    updateName(name) {
        if (this._recording) this._name = reference(safeText(name));
        return this;
    }

    recordException(exception, time) {
        if (this._recording === false || exception == null) return;
        this.addEvent('exception', exceptionAttributes(exception), time);
    }

    end(endTime) {
        if (this._recording === false || this._native >= 0) return; // a server span ends with its response
        if (endTime === undefined) {
            ops.now();
        } else {
            const end = ringTime(endTime);
            const start = startOf(this);
            setTime(end < start ? start : end);
        }
        this._recording = false;
        writeSpan(this);
    }
}

// What few spans have.
class Rare {
    constructor() {
        this.traceState = undefined;
        this.traceStateText = '';
        this.statusMessage = undefined;
        this.links = null;
        this.droppedAttributes = 0;
        this.droppedEvents = 0;
        this.droppedLinks = 0;
    }
}
const rare = (span) => span._rare ??= new Rare();

// Ring time of a span's start; it is in the clock cell, too, afterwards.
function startOf(span) {
    bound.i32[CLOCK_I32] = span._start0;
    bound.i32[CLOCK_I32 + 1] = span._start1;
    return bound.f64[CLOCK_F64];
}

// The reference of an event's name, which this place of the path learns (but not long ones, which have no id).
function learnEvent(step, name) {
    const ref = reference(name);
    if (typeof ref === 'number') {
        step.event = name;
        step.eventRef = ref;
    }
    return ref;
}

function setKept(span, key, kept) {
    const list = span._attributes;
    const ref = reference(key);
    const end = 2 * list[0];
    for (let i = 1; i < end; i += 2) {
        const has = list[i];
        if (has === ref || typeof has === 'object' && has.ref === ref) {
            list[i + 1] = kept;
            return;
        }
    }
    if (list[0] >= bound.attributeLimit) {
        rare(span).droppedAttributes++;
        return;
    }
    const step = stepTo(span._step, ref, key);
    span._step = step;
    span._attributes = append(list, step === LOST ? ref : step, kept);
}

const isTimeInput = (value) => typeof value === 'number' || value instanceof Date
    || ArrayIsArray(value) && value.length === 2 && typeof value[0] === 'number' && typeof value[1] === 'number';

// `_native` of a span of another isolate, as a parent (26_message_context.js).
const ELSEWHERE = -2;

// Fills in identity and parentage from the context value `parent`. The clock cell has the start. A span that is `brief` ends before
// anything else runs, so nobody need know that it began.
function begin(span, parent, options, brief = false) {
    const words = bound.i32;
    span._start0 = words[CLOCK_I32];
    span._start1 = words[CLOCK_I32 + 1];
    span._s0 = random32();
    span._s1 = random32() | 1;
    let sampled;
    let top = true;
    let inner = parent;
    if (parent !== undefined) {
        span._values = parent._values;
        span._stores = parent._stores;
        if (!(parent instanceof Span)) inner = parent._span;
    }
    if (inner === parent && inner !== undefined || inner instanceof Span) {
        span._t0 = inner._t0;
        span._t1 = inner._t1;
        span._t2 = inner._t2;
        span._t3 = inner._t3;
        span._p0 = inner._s0;
        span._p1 = inner._s1;
        if (inner._rare !== null && inner._rare.traceState !== undefined) {
            rare(span).traceState = inner._rare.traceState;
            span._rare.traceStateText = inner._rare.traceStateText;
        }
        sampled = parentBased ? inner._flags & 1 : sampleRoot(span._t2, span._t3);
        top = inner === runSpan || inner._native === ELSEWHERE;
    } else {
        sampled = beginFromForeign(span, inner);
    }
    span._flags = sampled;
    if (sampled === 0 || !bound.enabled) return;
    span._recording = true;
    if (options !== undefined && options !== null) {
        if (options.attributes != null) {
            span.setAttributes(options.attributes);
        }
        if (options.links != null) span.addLinks(options.links);
    }
    if (top && !brief) writeStart(span);
}

// No parent, or a span context that came from outside (propagation, wrapSpanContext). Returns whether to sample.
function beginFromForeign(span, parent) {
    const context = contextOf(parent);
    if (!isSpanContextValid(context)) {
        span._t0 = random32();
        span._t1 = random32();
        span._t2 = random32();
        span._t3 = random32() | 1;
        return sampleRoot(span._t2, span._t3);
    }
    const ids = idWords(context);
    span._t0 = ids[0];
    span._t1 = ids[1];
    span._t2 = ids[2];
    span._t3 = ids[3];
    span._p0 = ids[4];
    span._p1 = ids[5];
    if (context.isRemote) span._bits |= PARENT_REMOTE;
    if (context.traceState != null) {
        rare(span).traceState = context.traceState;
        span._rare.traceStateText = stateText(context);
    }
    return parentBased ? context.traceFlags & 1 : sampleRoot(span._t2, span._t3);
}

// Offsets 8 ..< 64 of kinds 1 and 3.
function putHead(words, at, span, end0, end1) {
    const word = at >> 2;
    words[word + 2] = span._start0;
    words[word + 3] = span._start1;
    words[word + 4] = end0;
    words[word + 5] = end1;
    words[word + 6] = span._t0;
    words[word + 7] = span._t1;
    words[word + 8] = span._t2;
    words[word + 9] = span._t3;
    words[word + 10] = span._s0;
    words[word + 11] = span._s1;
    words[word + 12] = span._p0;
    words[word + 13] = span._p1;
    words[word + 14] = typeof span._name === 'number' ? span._name : 0;
    words[word + 15] = span._kind | span._status << 8 | span._flags << 16 | span._bits << 24;
}

// The reader takes no longer name in a start (1,024 bytes): it has to remember them.
const START_NAME_UNITS = 256;

function writeStart(span) {
    const at = openLeavingRoom(256);
    if (at < 0) return drop(KIND_START);
    const words = bound.i32;
    putHead(words, at, span, 0, 0);
    words[(at >> 2) + 16] = span._scope;
    words[(at >> 2) + 17] = 0;
    let next = at + 72;
    if (typeof span._name === 'string') next = putInline(next, StringPrototypeSlice(span._name, 0, START_NAME_UNITS));
    if (next < 0) return drop(KIND_START);
    commit(next, KIND_START);
    span._bits |= HAD_START;
}

// A span whose start was written may use the room that others leave, and ends without its parts rather than not at all: else its start
// would stand for a span that never ended. So does a server span, whose request is known without it. The clock cell has the end.
function writeSpan(span) {
    const hadStart = (span._bits & HAD_START) !== 0;
    if (tryWriteSpan(span, hadStart)) return;
    drop(KIND_SPAN);
    if (!hadStart && span._native < 0) return;
    const events = eventsOf(span);
    const extra = rare(span);
    extra.droppedAttributes += span._attributes[0];
    extra.droppedEvents += events;
    extra.droppedLinks += extra.links === null ? 0 : extra.links.length;
    extra.links = null;
    extra.statusMessage = undefined;
    extra.traceState = undefined;
    span._bits &= ~(STATUS_MESSAGE | TRACE_STATE);
    span._attributes = NO_ATTRIBUTES;
    span._events = null;
    if (typeof span._name === 'string') span._name = StringPrototypeSlice(span._name, 0, START_NAME_UNITS);
    tryWriteSpan(span, true);
}

const eventsOf = (span) => span._events === null ? 0 : span._events.length / 5;

function tryWriteSpan(span, hadStart) {
    const at = openWithin(256, hadStart ? 0 : bound.capacity >> 4);
    if (at < 0) return false;
    const attributes = span._attributes, events = span._events, extra = span._rare;
    const words = bound.i32, word = at >> 2;
    let links = 0;
    if (extra === null) {
        words[word + 18] = 0;
        words[word + 19] = 0;
    } else {
        if (extra.statusMessage !== undefined) span._bits |= STATUS_MESSAGE;
        if (extra.traceState !== undefined) span._bits |= TRACE_STATE;
        if (extra.links !== null) links = extra.links.length;
        words[word + 18] = extra.droppedAttributes;
        words[word + 19] = min16(extra.droppedEvents) | min16(extra.droppedLinks) << 16;
    }
    putHead(words, at, span, words[CLOCK_I32], words[CLOCK_I32 + 1]);
    words[word + 17] = links | span._scope << 16;
    let next = at + 80;
    if (typeof span._name === 'string') next = putInline(next, span._name);
    if (extra !== null && next >= 0) {
        if (extra.statusMessage !== undefined) next = putInline(next, extra.statusMessage);
        if (extra.traceState !== undefined && next >= 0) next = putInline(next, extra.traceStateText);
    }
    let count = attributes[0];
    if (span._native >= 0 && next >= 0) {
        next = ops.httpAttributes(span._native, next, limit());
        count += requestCells[NATIVE_ATTRIBUTES];
    }
    words[word + 16] = count | eventsOf(span) << 16;
    if (next >= 0 && attributes[0] > 0) next = putAttributes(next, attributes);
    if (next >= 0 && events !== null) next = putEvents(next, events);
    if (next >= 0 && links > 0) next = putLinks(next, extra.links);
    if (next < 0) return false;
    if (span._native >= 0) ops.httpEnding(span._native, headAfter(next));
    commit(next, KIND_SPAN);
    return true;
}

const min16 = (n) => n > 65535 ? 65535 : n;

function putEvents(at, events) {
    const words = bound.i32;
    for (let i = 0; i < events.length; i += 5) {
        if (!fits(at)) return -1;
        const name = events[i + 2], list = events[i + 3];
        words[at >> 2] = events[i];
        words[(at >> 2) + 1] = events[i + 1];
        words[(at >> 2) + 2] = typeof name === 'number' ? name : 0;
        words[(at >> 2) + 3] = list[0] | min16(events[i + 4]) << 16;
        at += 16;
        if (typeof name === 'string') {
            at = putInline(at, name);
            if (at < 0) return -1;
        }
        if (list !== NO_ATTRIBUTES) {
            at = putAttributes(at, list);
            if (at < 0) return -1;
        }
    }
    return at;
}

function putLinks(at, links) {
    for (let i = 0; i < links.length; i++) {
        const { ids, flags, state, list, dropped } = links[i];
        if (!fits(at)) return -1;
        const word = at >> 2;
        for (let w = 0; w < 6; w++) bound.i32[word + w] = ids[w];
        bound.i32[word + 6] = flags;
        bound.i32[word + 7] = list[0] | min16(dropped) << 16;
        at = putInline(at + 32, state);
        if (at < 0) return -1;
        at = putAttributes(at, list);
        if (at < 0) return -1;
    }
    return at;
}

// ---- Scopes ----

let scopeIds = new SafeMap();

// The id of a scope; 0 (Sidelight's own) when there are too many.
function scopeId(name, version, schemaUrl) {
    if (!bound.enabled) return 0;
    // The reader remembers scopes, and takes no longer texts than this.
    name = StringPrototypeSlice(name, 0, START_NAME_UNITS);
    version = StringPrototypeSlice(version, 0, START_NAME_UNITS);
    schemaUrl = StringPrototypeSlice(schemaUrl, 0, START_NAME_UNITS);
    const key = `${name}\0${version}\0${schemaUrl}`;
    const known = scopeIds.get(key);
    if (known !== undefined) return known;
    const id = scopeIds.size + 1;
    const at = id > 1023 ? -1 : open(1024);
    let next = at < 0 ? -1 : putInline(at + 16, name);
    if (next >= 0) next = putInline(next, version);
    if (next >= 0) next = putInline(next, schemaUrl);
    if (next < 0) {
        drop(KIND_SCOPE);
        return 0;
    }
    bound.i32[(at >> 2) + 2] = id;
    bound.i32[(at >> 2) + 3] = 0;
    commit(next, KIND_SCOPE);
    scopeIds.set(key, id);
    return id;
}

// ---- Tracer ----

const KINDS = 5;

class Tracer {
    constructor(name, version, schemaUrl) {
        this._name = name;
        this._version = version;
        this._schemaUrl = schemaUrl;
        // Written with the first span, so that getTracer may be called at load time.
        this._scope = -1;
    }

    startSpan(name, options, context) {
        if (this._scope < 0) this._scope = scopeId(this._name, this._version, this._schemaUrl);
        const span = newSpan(this, name, options);
        let parent = context === undefined ? ops.context() : entering(context);
        if (options?.root) parent = withoutSpan(parent);
        if (options?.startTime === undefined) ops.now();
        else setTime(ringTime(options.startTime));
        begin(span, parent, options);
        return span;
    }

    // (name, fn), (name, options, fn) or (name, options, context, fn)
    startActiveSpan(name, second, third, fourth) {
        if (this._scope < 0) this._scope = scopeId(this._name, this._version, this._schemaUrl);
        let options, context, fn;
        if (typeof second === 'function') fn = second;
        else if (typeof third === 'function') {
            options = second;
            fn = third;
        } else {
            options = second;
            context = third;
            fn = fourth;
        }
        if (typeof fn !== 'function') return undefined;
        const span = newSpan(this, name, options);
        let previous = lastContext;
        if (!ops.enterFrom(previous, span)) previous = ops.enter(span);
        lastContext = span;
        try {
            let parent = previous;
            if (context !== undefined) {
                ops.setContext(previous);
                parent = entering(context);
                ops.setContext(span);
            }
            if (options !== undefined && options !== null) {
                if (options.root) parent = withoutSpan(parent);
                if (options.startTime !== undefined) setTime(ringTime(options.startTime));
            }
            begin(span, parent, options);
            return fn(span);
        } finally {
            ops.setContext(previous);
            lastContext = previous;
        }
    }
}

function newSpan(tracer, name, options) {
    // OTLP's kinds are the API's plus one.
    const kind = options === undefined || options === null || options.kind === undefined ? 1 : (options.kind | 0) + 1;
    // Where the parent is on its path, a child of this name mostly began the last time, too.
    const parent = lastContext;
    const at = parent instanceof Span ? parent._step : LOST;
    let step = at.child;
    if (step === null || step.text !== name) {
        step = firstStep(typeof name === 'string' ? name : safeText(name));
        if (typeof step.ref === 'number') at.child = step;
    }
    return new Span(tracer._scope, step, kind >= 1 && kind <= KINDS ? kind : 1);
}

const withoutSpan = (value) => value === undefined ? undefined : new Context(undefined, valuesOf(value), storesOf(value));

// ---- Logs and errors ----

const LOG_UNITS = 262144;
const NO_IDS = [0, 0, 0, 0, 0, 0];

function writeLog(kind, severity, text, list, span) {
    if (!bound.enabled) return;
    const foreign = span instanceof Span ? undefined : contextOf(span);
    const ids = isSpanContextValid(foreign) ? idWords(foreign) : NO_IDS;
    const foreignFlags = ids === NO_IDS ? 0 : foreign.traceFlags & 255;
    const at = open(256);
    if (at < 0) return drop(kind);
    const word = at >> 2;
    bound.f64[(at >> 3) + 1] = now();
    if (span instanceof Span) {
        bound.i32[word + 4] = span._t0;
        bound.i32[word + 5] = span._t1;
        bound.i32[word + 6] = span._t2;
        bound.i32[word + 7] = span._t3;
        bound.i32[word + 8] = span._s0;
        bound.i32[word + 9] = span._s1;
        bound.i32[word + 10] = severity | span._flags << 8;
    } else {
        for (let w = 0; w < 6; w++) bound.i32[word + 4 + w] = ids[w];
        bound.i32[word + 10] = severity | foreignFlags << 8;
    }
    bound.i32[word + 11] = list[0];
    let next = putInline(at + 48, text.length > LOG_UNITS ? StringPrototypeSlice(text, 0, LOG_UNITS) : text);
    if (next >= 0) next = putAttributes(next, list);
    if (next < 0) return drop(kind);
    commit(next, kind);
}

// A console message. `severity` is OTLP's number; `attributes` an object or undefined.
function log(severity, text, attributes) {
    if (!bound.enabled) return;
    writeLog(KIND_LOG, severity, text, keepAll(attributes, bound.attributeLimit), activeSpan());
}

// An error nobody caught: an error record, and an exception event with error status on `span`.
function error(exception, span, severity = 17, extra = undefined) {
    if (!bound.enabled) return;
    const attributes = exceptionAttributes(exception);
    const message = attributes['exception.message'] ?? cut(safeText(exception));
    const type = attributes['exception.type'];
    const list = keepAll(extra === undefined ? attributes : { ...attributes, ...extra }, bound.attributeLimit);
    writeLog(KIND_ERROR, severity, type === undefined ? message : `${type}: ${message}`, list, span);
    failWith(span, attributes, message, type);
}

function failWith(span, attributes, message, type) {
    if (!(span instanceof Span) || !span._recording) return;
    span.addEvent('exception', attributes);
    span._status = 0;
    span.setStatus({ code: 2, message: type === undefined ? message : `${type}: ${message}` });
    if (type !== undefined) span.setAttribute('error.type', type);
}
// ---- The run, and what the host reports ----

let runSpan;

// Opens the span of the whole run and makes it the context of what follows. Its name is the file's, so that runs from different folders
// are of one kind.
function beginRun(entry) {
    const file = StringPrototypeSlice(entry, StringPrototypeLastIndexOf(entry, '/') + 1);
    const span = new Span(0, firstStep(`run ${file}`), 1);
    // The run began when the agent made the ring, a moment before this code ran.
    setTime(0);
    begin(span, undefined, { attributes: { 'code.file.path': entry } });
    runSpan = span;
    ops.setContext(span);
    // Loading V8, the snapshot and the platform, before any code of the program's.
    finished('start', 0, now(), undefined, undefined, span);
}

// Ends it. `code` is the exit code; `reason` a text when the run did not end by itself.
function endRun(code, reason) {
    internal.fetch?.endOfRun();
    internal.metrics?.collect();
    const span = runSpan;
    if (span === undefined || !span._recording) return;
    span.setAttribute('process.exit.code', code);
    if (code !== 0 && span._status !== 2) span.setStatus({ code: 2, message: reason ?? `exit code ${code}` });
    span.end();
}

// A span of Sidelight's own with known times, child of `parent` (the run when left out). Ends at once.
function finished(name, start, end, attributes, exception, parent = runSpan) {
    if (!bound.enabled || parent === undefined) return undefined;
    const span = new Span(0, firstStep(name), 1);
    setTime(start);
    begin(span, parent instanceof Span ? parent : new Context(parent, null, null), { attributes }, true);
    if (exception !== undefined && exception !== null) {
        const details = exceptionAttributes(exception);
        span.addEvent('exception', details, undefined);
        span.setStatus({ code: 2, message: details['exception.message'] ?? safeText(exception) });
    }
    span._recording = false;
    if ((span._flags & 1) === 0) return span;
    setTime(end);
    writeSpan(span);
    return span;
}

// A span of Sidelight's own that goes on, child of what is current. `kind` is OTLP's number. It is not made current.
function startOwn(name, kind) {
    const span = new Span(0, firstStep(name), kind);
    ops.now();
    begin(span, ops.context(), undefined);
    return span;
}

// Ends one at a ring time.
function endOwn(span, end) {
    if (!span._recording) return;
    const start = startOf(span);
    setTime(end < start ? start : end);
    span._recording = false;
    writeSpan(span);
}

// An event at a ring time.
function eventAt(span, name, time, attributes) {
    if (!span._recording) return;
    const events = span._events ??= [];
    const count = events.length;
    if (count >= bound.eventLimit * 5) {
        rare(span).droppedEvents++;
        return;
    }
    const list = attributes === undefined ? NO_ATTRIBUTES : keepAll(attributes, bound.eventAttributeLimit);
    setTime(time);
    events[count] = bound.i32[CLOCK_I32];
    events[count + 1] = bound.i32[CLOCK_I32 + 1];
    events[count + 2] = reference(name);
    events[count + 3] = list;
    events[count + 4] = 0;
}

// The span of a continuation's value, if it records.
function recordingSpan(value) {
    const span = value === undefined || value instanceof Span ? value : value._span;
    return span instanceof Span && span._recording ? span : undefined;
}

// A module's way from specifier to namespace: one span, its phases as children, under what asked for it. Times are ring times, 0: did not happen.
function moduleLoaded(m) {
    const first = m.resolveStart || m.loadStart || m.compileStart || m.evaluateStart;
    const last = m.evaluateEnd || m.compileEnd || m.loadEnd || m.resolveEnd;
    if (!first || !last) return;
    const span = finished(`module ${m.specifier}`, first, last, {
        'sidelight.module.specifier': m.specifier, 'url.full': m.url ?? '', 'sidelight.module.size': m.bytes | 0,
        'sidelight.module.cached': !!m.cached,
    }, m.error, activeSpan() ?? runSpan);
    if (m.resolveStart) finished('resolve', m.resolveStart, m.resolveEnd, undefined, undefined, span);
    if (m.loadStart) finished('load', m.loadStart, m.loadEnd, undefined, undefined, span);
    if (m.compileStart) finished('compile', m.compileStart, m.compileEnd, undefined, undefined, span);
    if (m.evaluateStart) finished('evaluate', m.evaluateStart, m.evaluateEnd, undefined, undefined, span);
}

// ---- Server spans (44_serve.js) ----

// Native's words about the request that is being dispatched or written.
let requestCells = new Int32Array(64);
const START_WORD = 10, NATIVE_ATTRIBUTES = 13, SAMPLED = 1, REMOTE = 2;

// The span of the request in `slot`: native chose its ids and whether it is sampled. No start record: the board shows what is in flight.
function serverSpan(slot, cells, bits, name) {
    const span = new Span(0, firstStep(name), 2);
    span._native = slot;
    span._t0 = cells[0];
    span._t1 = cells[1];
    span._t2 = cells[2];
    span._t3 = cells[3];
    span._s0 = cells[4];
    span._s1 = cells[5];
    span._p0 = cells[6];
    span._p1 = cells[7];
    span._start0 = cells[START_WORD];
    span._start1 = cells[START_WORD + 1];
    span._flags = bits & SAMPLED;
    if ((bits & REMOTE) !== 0) span._bits = PARENT_REMOTE;
    span._recording = bound.enabled && (bits & SAMPLED) !== 0;
    return span;
}

// A root span of Sidelight's own: a run of a schedule.
function startRoot(name, attributes) {
    const span = new Span(0, firstStep(name), 2);
    ops.now();
    begin(span, undefined, { attributes });
    return span;
}

function setTraceState(span, state) {
    rare(span).traceState = state;
    span._rare.traceStateText = state.serialize();
}

// Ends it; nobody but the server does.
function endServer(span) {
    if (!span._recording) return;
    ops.now();
    span._recording = false;
    writeSpan(span);
}

// Gives it the name with the route, unless the program gave it one of its own.
function renameServer(span, before, name) {
    if (span._name === reference(before)) span._name = reference(name);
}

// The value of an attribute of a span that records; undefined: it has none.
function attribute(span, key) {
    const list = span._attributes, ref = reference(key), end = 2 * list[0];
    for (let i = 1; i < end; i += 2) {
        const has = list[i];
        if (has !== ref && !(typeof has === 'object' && has.ref === ref)) continue;
        const kept = list[i + 1];
        return isInterned(kept) ? kept.text : kept;
    }
    return undefined;
}

// ---- Start ----

// `ring` is an ArrayBuffer over the whole mapping. `trace`: {sampler: {name, argument}, limits, sdkDisabled, enabled}.
function start(ring, arch, trace) {
    const limits = trace.limits ?? {};
    internal.ring.start(ring, arch, trace.enabled !== false && !trace.sdkDisabled, limits.attributeLength ?? -1);
    bound.unixBaseMs = bound.f64[UNIX_BASE_MS_F64];
    bound.unixBaseNs = bound.f64[UNIX_BASE_NS_F64];
    bound.random = new Int32Array(32);
    ops.random(bound.random);
    for (let i = 0; i < 12; i++) random32();
    bound.textsAreCut = bound.attributeLengthLimit >= 0;
    bound.attributeLimit = min16(limits.attributes ?? 128);
    bound.eventLimit = min16(limits.events ?? 128);
    bound.linkLimit = min16(limits.links ?? 128);
    bound.eventAttributeLimit = min16(limits.attributesPerEvent ?? 128);
    bound.linkAttributeLimit = min16(limits.attributesPerLink ?? 128);
    const sampler = trace.sampler?.name ?? 'parentbased_always_on';
    parentBased = StringPrototypeStartsWith(sampler, 'parentbased_');
    const rootName = parentBased ? StringPrototypeSlice(sampler, 12) : sampler;
    rootSampling = rootName === 'always_off' ? 0 : rootName === 'traceidratio' ? 2 : 1;
    ratioThreshold = MathFloor((trace.sampler?.argument ?? 1) * 281474976710656);
    if (typeof trace.propagators === 'string') internal.propagation.start(trace.propagators);
}

internal.now = () => now() / 1e6;
internal.trace = {
    start, now, ringTime, log, error, beginRun, endRun, finished, module: moduleLoaded, activeSpan, activeContext, runInContext,
    isEnabled: () => bound.enabled, get runSpan() { return runSpan; }, timeOrigin: () => bound.unixBaseMs + bound.unixBaseNs / 1e6,
    Span, Tracer, Context, ROOT, SPAN_KEY, withValue, valueOf, valuesOf, storesOf, entering, isSpanContextValid, isValidTraceId, isValidSpanId,
    serverSpan, endServer, startRoot, renameServer, setTraceState, attribute, setRequestCells: (cells) => { requestCells = cells; },
    // For 26_message_context.js.
    begin, setTime, rare, setRunSpan: (span) => { runSpan = span; },
    fail(span, exception) {
        const attributes = exceptionAttributes(exception);
        failWith(span, attributes, attributes['exception.message'] ?? cut(safeText(exception)), attributes['exception.type']);
    },
    // For 22_metrics.js.
    scopeId, startOwn, endOwn, eventAt, recordingSpan, views: () => bound,
};
