'use strict';
// The tracing core: contexts, sampling, spans. What is written goes through 18_ring.js.
//
// A finished span is written flat into shared memory and nothing else happens to it here: no object graph, no JSON, no native
// call but the clock. Layout of everything written: docs/specs/record-format.md. Public API surface: 21_otel_api.js.
//
// Context. V8 carries one value across `await` and promise reactions (continuation-preserved embedder data). That value is
// undefined, a `Context`, or simply the active `Span`: entering a span allocates nothing but the span.
//
// Nothing at load time that a snapshot cannot hold: `start` binds what exists only at run time.

const {
    ArrayIsArray, DatePrototypeGetTime, MathFloor, ReflectApply, SafeMap, StringPrototypeSlice, StringPrototypeStartsWith, cutOff,
} = primordials;
const {
    bound, open, openLeavingRoom, openWithin, commit, WRITING, drop, dropUnless, fits, limit, headAfter, putInline, putAttributes, keep, keepAll, leftOut,
    NO_ATTRIBUTES, append, appendNth, reference, firstStep, stepTo, tagOf, TAGGED, keyRef, KIND_SPAN, KIND_START, KIND_SCOPE,
} = internal.ring;
const {
    hexWord, isValidTraceId, isValidSpanId, isSpanContextValid, contextOf, partsOf, stateText, exceptionAttributes, safeText, cut,
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

// The other half of an id whose first half was drawn just now: of the state, which is twice as long as the id. Never 0.
const randomAgain = () => (bound.random[0] ^ bound.random[2]) | 1;

// ---- Time ----

// Ring time (nanoseconds) now.
function now() {
    ops.now();
    return bound.f64[CLOCK_F64];
}

// Ring time of what OpenTelemetry calls TimeInput: [seconds, nanoseconds], Date, Unix milliseconds or a performance.now() value.
function ringTime(input) {
    const present = now();
    let time;
    try {
        time = rawRingTime(input, present);
    } catch {
        return present; // a proxy
    }
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
cutOff(Value);
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
    if (!isContext(context)) return stores === null ? undefined : new Context(undefined, null, stores);
    return context._stores === stores ? context : new Context(context._span, context._values, stores);
}

function isContext(value) {
    try {
        return value instanceof Context;
    } catch {
        return false; // a proxy
    }
}

// Whether a span that may be the program's own is one of ours.
function isOurs(span) {
    try {
        return span instanceof Span;
    } catch {
        return false;
    }
}

// The parent to make a span with that will begin in a continuation's value.
const parentIn = (value) => value instanceof Span ? value : NOBODY;

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
let rootSampling = 1, ratioThreshold = 0;

function sampleRoot(t2, t3) {
    if (rootSampling !== 2) return rootSampling;
    // The last 8 bytes of the trace id in network order, as a fraction; 48 bits of it are plenty.
    const high = (t2 & 255) * 16777216 + (t2 >>> 8 & 255) * 65536 + (t2 >>> 16 & 255) * 256 + (t2 >>> 24);
    const low = (t3 & 255) * 256 + (t3 >>> 8 & 255);
    return high * 65536 + low < ratioThreshold ? 1 : 0;
}

// ---- Spans ----

// A span's kind, status, flags and bits are one word, as they are in its record: kind | status << 8 | W3C flags << 16 | bits << 24.
const STATUS_SHIFT = 8, STATUS_BITS = 0xFF00, SAMPLED = 1 << 16;
const PARENT_REMOTE = 1 << 24, HAD_START = 2 << 24, STATUS_MESSAGE = 4 << 24, TRACE_STATE = 8 << 24;
const OK = 1, ERROR = 2;

// A trace id, shared by the spans of a trace.
class TraceId {
    constructor(t0, t1, t2, t3) {
        this.t0 = t0;
        this.t1 = t1;
        this.t2 = t2;
        this.t3 = t3;
    }
}
cutOff(TraceId);
const NO_TRACE = new TraceId(0, 0, 0, 0);

// Every field costs a store, and eight bytes of fresh memory for each span. The methods only hand on: what the platform does with spans of
// its own must not go through a prototype that the program can change.
class Span {
    constructor(scope, path, head, isRecording, trace, id0, id1, parent0, parent1, values, stores) {
        this._recording = isRecording; // compared with `false` below: one instruction, where `!` asks for the kind of value
        this._head = head;
        this._scope = scope;
        this._name = path.ref;
        this._step = path;
        this._trace = trace;
        this._s0 = id0;
        this._s1 = id1;
        this._p0 = parent0;
        this._p1 = parent1;
        this._start0 = 0;
        this._start1 = 0;
        this._attributes = NO_ATTRIBUTES;
        this._events = null;
        this._rare = null;
        this._values = values;
        this._stores = stores;
        this._asContext = null;
        this._native = -1; // slot of the request whose server span this is
    }

    spanContext() { return spanContext(this); }
    isRecording() { return this._recording; }
    setAttribute(key, value) {
        setAttribute(this, key, value);
        return this;
    }
    setAttributes(attributes) {
        setAttributes(this, attributes);
        return this;
    }
    addEvent(name, attributesOrTime, time) {
        addEvent(this, name, attributesOrTime, time);
        return this;
    }
    addLink(link) {
        addLink(this, link);
        return this;
    }
    addLinks(links) {
        addLinks(this, links);
        return this;
    }
    setStatus(status) {
        setStatus(this, status);
        return this;
    }
    updateName(name) {
        if (this._recording) this._name = reference(safeText(name));
        return this;
    }
    recordException(exception, time) { recordException(this, exception, time); }
    end(endTime) { end(this, endTime); }
}

function spanContext(span) {
    const known = span._rare?.context;
    if (known !== undefined) return known;
    const { t0, t1, t2, t3 } = span._trace;
    const context = {
        traceId: hexWord(t0) + hexWord(t1) + hexWord(t2) + hexWord(t3),
        spanId: hexWord(span._s0) + hexWord(span._s1),
        traceFlags: span._head >> 16 & 255,
    };
    const state = span._rare?.traceState;
    if (state !== undefined) context.traceState = state;
    try {
        rare(span).context = context;
    } catch {
        // Frozen: it is made anew each time.
    }
    return context;
}

function setAttribute(span, key, value) {
    if (span._recording === false) return;
    const step = span._step.next;
    // The key that came next the last time; a path counts the attributes of whoever is on it.
    if (step !== null && step.text === key && step.depth <= bound.attributeLimit) {
        let ref = step.ref, kept = value;
        if (typeof value === 'string') {
            if (bound.textsAreCut) kept = keep(value);
            // As tagOf does, which is too large to be inlined.
            const tag = kept === step.value && step.valueTag !== 0 ? step.valueTag : tagOf(step, kept);
            if (tag !== 0) {
                ref += TAGGED;
                kept = tag;
            }
        } else if (typeof value !== 'number' && typeof value !== 'boolean') {
            kept = keep(value);
            if (kept === undefined) return;
        }
        span._step = step;
        span._attributes = appendNth(span._attributes, step.depth, ref, kept);
    } else if (typeof key === 'string' && key !== '') {
        const kept = keep(value);
        if (kept !== undefined) setKept(span, key, kept);
    }
}

function setAttributes(span, attributes) {
    if (span._recording === false || attributes === undefined || attributes === null) return;
    try {
        for (const key in attributes) {
            let value;
            try { value = attributes[key]; } catch { continue; }
            setAttribute(span, key, value);
        }
    } catch {
        // A proxy that will not say what it has: what it told is kept.
    }
}

// Times of events are ring times; attributes may be left out and the time given in their place.
function addEvent(span, name, attributesOrTime, time) {
    if (span._recording === false) return;
    let attributes;
    if (attributesOrTime !== undefined) {
        if (isTimeInput(attributesOrTime)) time ??= attributesOrTime;
        else attributes = attributesOrTime;
    }
    if (time === undefined) ops.now();
    else setTime(ringTime(time));
    const words = bound.i32;
    const at0 = words[CLOCK_I32], at1 = words[CLOCK_I32 + 1];
    const events = span._events;
    if (events !== null && events.length >= bound.eventLimit * 5) {
        rare(span).droppedEvents++;
        return;
    }
    let list = NO_ATTRIBUTES, dropped = 0;
    if (attributes !== undefined && attributes !== null) {
        list = keepAll(attributes, bound.eventAttributeLimit);
        dropped = leftOut();
    }
    const step = span._step;
    const ref = step.event === name ? step.eventRef : learnEvent(step, typeof name === 'string' ? name : safeText(name));
    if (events === null) {
        span._events = [at0, at1, ref, list, dropped];
    } else {
        const count = events.length;
        events[count] = at0;
        events[count + 1] = at1;
        events[count + 2] = ref;
        events[count + 3] = list;
        events[count + 4] = dropped;
    }
}

function addLink(span, link) {
    if (span._recording === false) return;
    let context, list = NO_ATTRIBUTES, dropped = 0;
    try {
        context = partsOf(link?.context);
        if (context === undefined) return;
        list = keepAll(link.attributes, bound.linkAttributeLimit);
        dropped = leftOut();
        dropped += link.droppedAttributesCount | 0;
    } catch {
        // What could be read is kept.
    }
    if (context === undefined) return;
    const extra = rare(span);
    const links = extra.links ??= [];
    if (links.length >= bound.linkLimit) {
        extra.droppedLinks++;
        return;
    }
    links[links.length] = {
        ids: context.ids, flags: context.flags | 256 | (context.isRemote ? 512 : 0), state: stateText(context.state), list, dropped,
    };
}

function addLinks(span, links) {
    try {
        if (ArrayIsArray(links)) for (let i = 0; i < links.length; i++) addLink(span, links[i]);
    } catch {
        // A proxy: what it told is kept.
    }
}

function setStatus(span, status) {
    if (span._recording === false || status === undefined || status === null) return;
    let code, text;
    try {
        code = status.code | 0;
        text = status.message;
    } catch {
        return;
    }
    // Ok is final, unset changes nothing. <https://opentelemetry.io/docs/specs/otel/trace/api/#set-status>
    if (code < OK || code > ERROR || statusOf(span) === OK) return;
    span._head = span._head & ~STATUS_BITS | code << STATUS_SHIFT;
    const message = code === ERROR && text !== undefined && text !== null && text !== '' ? cut(safeText(text)) : undefined;
    if (message !== undefined || span._rare !== null) rare(span).statusMessage = message;
}

// An attribute that the platform sets on a span which the program can have frozen, or spoilt: that must break nothing but the span.
function tell(span, key, value) {
    try {
        setAttribute(span, key, value);
    } catch {
        // It does not get it.
    }
}

const statusOf = (span) => span._head >> STATUS_SHIFT & 255;
const isSampled = (span) => (span._head & SAMPLED) !== 0;

function recordException(span, exception, time) {
    if (span._recording === false || exception === undefined || exception === null) return;
    addEvent(span, 'exception', exceptionAttributes(exception), time);
}

function end(span, endTime) {
    if (span._recording === false || span._native >= 0) return; // a server span ends with its response
    if (endTime === undefined) {
        ops.now();
    } else {
        const time = ringTime(endTime);
        const start = startOf(span);
        setTime(time < start ? start : time);
    }
    span._recording = false;
    writeSpan(span, -1);
}

// What few spans have.
class Rare {
    constructor() {
        this.context = undefined; // what `spanContext` gave
        this.traceState = undefined;
        this.traceStateText = '';
        this.statusMessage = undefined;
        this.links = null;
        this.droppedAttributes = 0;
        this.droppedEvents = 0;
        this.droppedLinks = 0;
    }
}
cutOff(Rare);
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
        if (keyRef(has) === ref) {
            list[i] = ref;
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
    span._attributes = append(list, ref, kept);
}

function isTimeInput(value) {
    if (typeof value === 'number') return true;
    try {
        return value instanceof Date || ArrayIsArray(value) && value.length === 2 && typeof value[0] === 'number' && typeof value[1] === 'number';
    } catch {
        return false; // a proxy
    }
}

// `_native` of a span of another isolate, as a parent (26_message_context.js).
const ELSEWHERE = -2;

// The parent of spans that have none, or whose parent is of another class; `begin` finds out.
const NOBODY = new Span(0, firstStep(''), 0, false, NO_TRACE, 0, 0, 0, 0, null, null);

// A span whose parent is `parent`, a span of ours or NOBODY.
function newSpan(scope, path, kind, parent) {
    const trace = parent._trace;
    const sampled = bound.parentBased ? parent._head & SAMPLED : sampleRoot(trace.t2, trace.t3) << 16;
    const span = new Span(
        scope, path, kind | sampled, sampled !== 0 && bound.enabled, trace, random32(), randomAgain(), parent._s0, parent._s1, parent._values,
        parent._stores);
    const extra = parent._rare;
    if (extra !== null && extra.traceState !== undefined) inheritTraceState(span, extra);
    return span;
}

function inheritTraceState(span, extra) {
    rare(span).traceState = extra.traceState;
    span._rare.traceStateText = extra.traceStateText;
}

// Begins a span that was made as a child of `made`, in the context value `parent`. The clock cell has the start. A span that is `brief` ends
// before anything else runs, so nobody need know that it began.
function begin(span, made, parent, options, brief = false) {
    const words = bound.i32;
    span._start0 = words[CLOCK_I32];
    span._start1 = words[CLOCK_I32 + 1];
    let inner = made;
    if (made !== parent || made === NOBODY) {
        inner = undefined;
        if (parent !== undefined) inner = parent instanceof Span ? parent : parent._span;
        adopt(span, inner, parent);
    }
    if (span._recording === false) return;
    // Those of the platform's own have scope 0.
    if (bound.spansAreLimited && span._scope !== 0 && !internal.limits.spans.take()) {
        // What is below it is left out with it.
        span._recording = false;
        span._head &= ~SAMPLED;
        return;
    }
    if (options !== undefined && options !== null) setOptions(span, options);
    if (!brief && (inner === bound.runSpan || !isOurs(inner) || inner._native === ELSEWHERE)) writeStart(span);
}

// Gives a span another parent than it was made with: `inner`, a span of any class or none, of the context value `parent`.
function adopt(span, inner, parent) {
    span._values = valuesOf(parent);
    span._stores = storesOf(parent);
    span._rare = null;
    let sampled;
    if (isOurs(inner)) {
        span._trace = inner._trace;
        span._p0 = inner._s0;
        span._p1 = inner._s1;
        sampled = bound.parentBased ? isSampled(inner) : sampleRoot(span._trace.t2, span._trace.t3) !== 0;
        if (inner._rare !== null && inner._rare.traceState !== undefined) inheritTraceState(span, inner._rare);
    } else {
        span._p0 = 0;
        span._p1 = 0;
        sampled = adoptForeign(span, inner) !== 0;
    }
    span._head = span._head & ~SAMPLED | (sampled ? SAMPLED : 0);
    span._recording = sampled && bound.enabled;
}

function setOptions(span, options) {
    try {
        const { attributes, links } = options;
        if (attributes !== undefined && attributes !== null) setAttributes(span, attributes);
        if (links !== undefined && links !== null) addLinks(span, links);
    } catch {
        // A getter: what it gave is kept.
    }
}

// No parent, or a span context that came from outside (propagation, wrapSpanContext). Returns whether to sample.
function adoptForeign(span, parent) {
    const context = parent === undefined ? undefined : contextOf(parent);
    if (context === undefined) {
        const trace = new TraceId(random32(), random32(), random32(), random32() | 1);
        span._trace = trace;
        return sampleRoot(trace.t2, trace.t3);
    }
    const { ids, state } = context;
    span._trace = new TraceId(ids[0], ids[1], ids[2], ids[3]);
    span._p0 = ids[4];
    span._p1 = ids[5];
    if (context.isRemote) span._head |= PARENT_REMOTE;
    if (state !== undefined) {
        rare(span).traceState = state;
        span._rare.traceStateText = stateText(state);
    }
    return bound.parentBased ? context.flags & 1 : sampleRoot(ids[2], ids[3]);
}

// 0 of a text, which then follows; what is neither is the program's doing, and empty (-1).
const nameReference = (name) => typeof name === 'number' ? name : typeof name === 'string' ? 0 : -1;

// Offsets 8 ..< 64 of kinds 1 and 3.
function putHead(words, at, span, head, end0, end1) {
    const word = at >> 2;
    words[word + 2] = span._start0;
    words[word + 3] = span._start1;
    words[word + 4] = end0;
    words[word + 5] = end1;
    const trace = span._trace;
    words[word + 6] = trace.t0;
    words[word + 7] = trace.t1;
    words[word + 8] = trace.t2;
    words[word + 9] = trace.t3;
    words[word + 10] = span._s0;
    words[word + 11] = span._s1;
    words[word + 12] = span._p0;
    words[word + 13] = span._p1;
    words[word + 14] = nameReference(span._name);
    words[word + 15] = head;
}

// The reader takes no longer name in a start (1,024 bytes): it has to remember them.
const START_NAME_UNITS = 256;

function writeStart(span) {
    const at = openLeavingRoom(256);
    dropUnless(at, KIND_START);
    if (at < 0) return;
    const { state } = bound;
    try {
        const next = putStart(at, span);
        if (next >= 0) {
            commit(next, KIND_START);
            span._head |= HAD_START;
            return;
        }
    } catch {
        // A getter of the program's, or the stack's end.
    }
    state[WRITING] = 0;
    drop(KIND_START);
}

function putStart(at, span) {
    const words = bound.i32;
    putHead(words, at, span, span._head, 0, 0);
    words[(at >> 2) + 16] = span._scope;
    words[(at >> 2) + 17] = 0;
    return typeof span._name === 'string' ? putInline(at + 72, internal.text.cut(span._name, START_NAME_UNITS)) : at + 72;
}

// A span whose start was written may use the room that others leave, and ends without its parts rather than not at all: else its start
// would stand for a span that never ended. So does a server span, whose request is known without it. The clock cell has the end. `slot` is that of the
// request whose server span this is, or -1: what the program wrote to a span does not say whose it is.
function writeSpan(span, slot) {
    if (!tryWriteSpan(span, (span._head & HAD_START) !== 0, slot)) writeLess(span, slot);
}

function writeLess(span, slot) {
    drop(KIND_SPAN);
    try {
        if ((span._head & HAD_START) === 0 && slot < 0) return;
        const events = eventsOf(span);
        const extra = rare(span);
        extra.droppedAttributes += span._attributes[0];
        extra.droppedEvents += events;
        extra.droppedLinks += extra.links === null ? 0 : extra.links.length;
        extra.links = null;
        extra.statusMessage = undefined;
        extra.traceState = undefined;
        span._attributes = NO_ATTRIBUTES;
        span._events = null;
        if (typeof span._name === 'string') span._name = internal.text.cut(span._name, START_NAME_UNITS);
    } catch {
        return; // The program froze it, or made a getter of a field.
    }
    tryWriteSpan(span, true, slot);
}

// The word in which native code says how many attributes of a request it wrote.
const NATIVE_ATTRIBUTES = 13;

const eventsOf = (span) => span._events === null ? 0 : span._events.length / 5;

function tryWriteSpan(span, hadStart, slot) {
    const at = openWithin(256, hadStart ? 0 : bound.capacity >> 4);
    if (at < 0) return false;
    const { state } = bound;
    try {
        const next = putSpan(at, span, slot);
        if (next >= 0) {
            if (slot >= 0) ops.httpEnding(slot, headAfter(next));
            commit(next, KIND_SPAN);
            return true;
        }
    } catch {
        // A getter of the program's, or the stack's end.
    }
    state[WRITING] = 0;
    return false;
}

// Writes a span's record at `at`; the next position or -1. Throws what the program's getters do.
function putSpan(at, span, slot) {
    const attributes = span._attributes, events = span._events, extra = span._rare;
    const words = bound.i32, word = at >> 2;
    let links = 0, head = span._head;
    if (extra === null) {
        words[word + 18] = 0;
        words[word + 19] = 0;
    } else {
        if (extra.statusMessage !== undefined) head |= STATUS_MESSAGE;
        if (extra.traceState !== undefined) head |= TRACE_STATE;
        if (extra.links !== null) links = extra.links.length;
        words[word + 18] = extra.droppedAttributes;
        words[word + 19] = min16(extra.droppedEvents) | min16(extra.droppedLinks) << 16;
    }
    putHead(words, at, span, head, words[CLOCK_I32], words[CLOCK_I32 + 1]);
    words[word + 17] = links | span._scope << 16;
    let next = at + 80;
    if (typeof span._name === 'string') next = putInline(next, span._name);
    if (extra !== null && next >= 0) {
        if (extra.statusMessage !== undefined) next = putInline(next, extra.statusMessage);
        if (extra.traceState !== undefined && next >= 0) next = putInline(next, extra.traceStateText);
    }
    let count = attributes[0];
    if (slot >= 0 && next >= 0) {
        next = internal.trace.putRequest(span, slot, next);
        count += bound.requestCells[NATIVE_ATTRIBUTES];
    }
    words[word + 16] = count | eventsOf(span) << 16;
    if (next >= 0 && attributes[0] > 0) next = putAttributes(next, attributes);
    if (next >= 0 && events !== null) next = putEvents(next, events);
    if (next >= 0 && links > 0) next = putLinks(next, extra.links);
    return next;
}

const min16 = (n) => n > 65535 ? 65535 : n;

function putEvents(at, events) {
    const words = bound.i32;
    for (let i = 0; i < events.length; i += 5) {
        if (!fits(at)) return -1;
        const name = events[i + 2], list = events[i + 3];
        words[at >> 2] = events[i];
        words[(at >> 2) + 1] = events[i + 1];
        words[(at >> 2) + 2] = nameReference(name);
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
let lastScope = 0; // the id given last

// The id of a scope; 0 (Sidelight's own) when there are too many.
function scopeId(name, version, schemaUrl) {
    if (!bound.enabled) return 0;
    // The reader remembers scopes, and takes no longer texts than this.
    name = internal.text.cut(name, START_NAME_UNITS);
    version = internal.text.cut(version, START_NAME_UNITS);
    schemaUrl = internal.text.cut(schemaUrl, START_NAME_UNITS);
    const key = `${name}\0${version}\0${schemaUrl}`;
    const known = scopeIds.get(key);
    if (known !== undefined) return known;
    const id = lastScope + 1;
    const at = id > 1023 ? -1 : open(1024);
    if (at < 0) {
        drop(KIND_SCOPE);
        return 0;
    }
    const { state } = bound;
    try {
        let next = putInline(at + 16, name);
        if (next >= 0) next = putInline(next, version);
        if (next >= 0) next = putInline(next, schemaUrl);
        if (next >= 0) {
            bound.i32[(at >> 2) + 2] = id;
            bound.i32[(at >> 2) + 3] = 0;
            lastScope = id; // first, as in internNew (18_ring.js)
            commit(next, KIND_SCOPE);
            scopeIds.set(key, id);
            return id;
        }
    } catch {
        // The stack's end.
    }
    state[WRITING] = 0;
    drop(KIND_SCOPE);
    return 0;
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
        let parent = context === undefined ? ops.context() : entering(context);
        let time, kind = 1;
        if (options !== undefined && options !== null) {
            kind = kindIn(options);
            if (isRoot(options)) parent = withoutSpan(parent);
            time = startTimeIn(options);
        }
        const made = parentIn(parent);
        const span = newSpan(this._scope, childStep(made, name), kind, made);
        if (time === undefined) ops.now();
        else setTime(ringTime(time));
        begin(span, made, parent, options);
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
        let previous = lastContext;
        const made = parentIn(previous);
        const span = newSpan(this._scope, childStep(made, name), options === undefined || options === null ? 1 : kindIn(options), made);
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
                if (isRoot(options)) parent = withoutSpan(parent);
                const time = startTimeIn(options);
                if (time !== undefined) setTime(ringTime(time));
            }
            begin(span, made, parent, options);
            return fn(span);
        } finally {
            ops.setContext(previous);
            lastContext = previous;
        }
    }
}

// Where the parent is on its path, a child of this name mostly began the last time, too.
function childStep(parent, name) {
    const at = parent._step;
    const step = at.child;
    return step !== null && step.text === name ? step : learnChild(at, name);
}

function learnChild(at, name) {
    const step = firstStep(typeof name === 'string' ? name : safeText(name));
    if (typeof step.ref === 'number') at.child = step;
    return step;
}

// What options say; a getter that throws says nothing. OTLP's kinds are the API's plus one.
function kindIn(options) {
    try {
        const { kind } = options;
        return kind >= 0 && kind < KINDS ? (kind | 0) + 1 : 1;
    } catch {
        return 1;
    }
}

function isRoot(options) {
    try {
        return !!options.root;
    } catch {
        return false;
    }
}

function startTimeIn(options) {
    try {
        return options.startTime;
    } catch {
        return undefined;
    }
}

const withoutSpan = (value) => value === undefined ? undefined : new Context(undefined, valuesOf(value), storesOf(value));

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
    const parentBased = StringPrototypeStartsWith(sampler, 'parentbased_');
    bound.parentBased = parentBased;
    const rootName = parentBased ? StringPrototypeSlice(sampler, 12) : sampler;
    rootSampling = rootName === 'always_off' ? 0 : rootName === 'traceidratio' ? 2 : 1;
    ratioThreshold = MathFloor((trace.sampler?.argument ?? 1) * 281474976710656);
    if (typeof trace.propagators === 'string') internal.propagation.start(trace.propagators);
}

internal.now = () => now() / 1e6;
internal.trace = {
    start, now, ringTime, activeSpan, activeContext, runInContext,
    isEnabled: () => bound.enabled, get runSpan() { return bound.runSpan; }, timeOrigin: () => bound.unixBaseMs + bound.unixBaseNs / 1e6,
    Span, Tracer, Context, ROOT, SPAN_KEY, withValue, valueOf, valuesOf, storesOf, entering, isSpanContextValid, isValidTraceId, isValidSpanId,
    // What the platform does with spans, past the prototype.
    setAttribute, setAttributes, tell, addEvent, addLink, setStatus, statusOf, recordException, spanContext, end,
    // For 20_trace_run.js and 20_trace_server.js.
    TraceId, NOBODY, SAMPLED, PARENT_REMOTE, CLOCK_I32, STATUS_BITS, ERROR, rare, newSpan, begin, parentIn, isOurs, isSampled, startOf, setTime, writeSpan,
    // For 22_metrics.js.
    scopeId, views: () => bound,
};
