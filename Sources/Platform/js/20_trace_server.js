'use strict';
// Server spans: the span of a request, whose ids native code chose before any JavaScript ran, and whose record gets the attributes that only
// native code knows. 44_serve.js uses them, 46_scheduled.js the roots.

const { bound, limit, firstStep, reference, keyRef, valueAt, TAGGED } = internal.ring;
const { trace } = internal;
const { Span, TraceId, NOBODY, SAMPLED, PARENT_REMOTE, rare, newSpan, begin, writeSpan } = trace;

// `bound.requestCells`: native's words about the request that is being dispatched or written; RequestCells.swift has the same numbers.
const TRACE_WORDS = 0, SPAN_WORDS = 4, PARENT_WORDS = 6, START_WORDS = 10, OWN_KEYS = 9, TEXT_IDS = 16, NATIVE_KEYS = 12;
const IS_SAMPLED = 1, IS_REMOTE = 2;

// By the id of a key that native code writes: its bit in OWN_KEYS. The ids lie side by side, from `firstKey` on.
let firstKey = 0;
let keyBits = [];

function setRequestCells(cells) { bound.requestCells = cells; }

// The ids of the texts that native code writes are in the cells now.
function textsAreKnown() {
    const cells = bound.requestCells;
    let first = Infinity, last = 0;
    for (let i = 0; i < NATIVE_KEYS; i++) {
        const id = cells[TEXT_IDS + i];
        if (id < first) first = id;
        if (id > last) last = id;
    }
    keyBits = [];
    for (let i = first; i <= last; i++) keyBits[i - first] = 0;
    for (let i = 0; i < NATIVE_KEYS; i++) keyBits[cells[TEXT_IDS + i] - first] = 1 << i;
    firstKey = first;
}

// The span of the request in `slot`: native chose its ids and whether it is sampled. No start record: the board shows what is in flight.
function serverSpan(slot, cells, bits, name) {
    const isSampled = (bits & IS_SAMPLED) !== 0;
    const head = 2 | (isSampled ? SAMPLED : 0) | ((bits & IS_REMOTE) !== 0 ? PARENT_REMOTE : 0);
    const ids = new TraceId(cells[TRACE_WORDS], cells[TRACE_WORDS + 1], cells[TRACE_WORDS + 2], cells[TRACE_WORDS + 3]);
    const span = new Span(
        0, firstStep(name), head, bound.enabled && isSampled, ids, cells[SPAN_WORDS], cells[SPAN_WORDS + 1], cells[PARENT_WORDS],
        cells[PARENT_WORDS + 1], null, null);
    span._native = slot;
    span._start0 = cells[START_WORDS];
    span._start1 = cells[START_WORDS + 1];
    return span;
}

// A root span of Sidelight's own: a run of a schedule.
function startRoot(name, attributes) {
    const span = newSpan(0, firstStep(name), 2, NOBODY);
    ops.now();
    begin(span, NOBODY, undefined, { attributes });
    return span;
}

function setTraceState(span, state) {
    rare(span).traceState = state;
    span._rare.traceStateText = state.serialize();
}

// Ends it; nobody but the server does. `slot` is its request's; -1: it has none. What the program made of its span must not keep the request from its end.
function endServer(span, slot) {
    try {
        if (!span._recording) return;
        ops.now();
        writeSpan(span, slot);
        span._recording = false;
    } catch {
        // Frozen: it is written. A getter: it is as the program wants it.
    }
}

// Writes native's attributes of a server span's request at `at`; the next position or -1. Where the program has set one of the same key, the
// program's stands.
function putRequest(span, slot, at) {
    const list = span._attributes, last = 2 * list[0];
    let own = 0;
    for (let i = 1; i < last; i += 2) {
        const key = list[i];
        if (typeof key !== 'number') continue;
        const place = (key & TAGGED - 1) - firstKey;
        if (place >= 0 && place < keyBits.length) own |= keyBits[place];
    }
    bound.requestCells[OWN_KEYS] = own;
    return ops.httpAttributes(slot, at, limit());
}

// Gives it the name with the route, unless the program gave it one of its own.
function renameServer(span, before, name) {
    if (span._name === reference(before)) span._name = reference(name);
}

// The value of an attribute of a span that records; undefined: it has none.
function attribute(span, key) {
    const list = span._attributes, ref = reference(key), end = 2 * list[0];
    for (let i = 1; i < end; i += 2) if (keyRef(list[i]) === ref) return valueAt(list[i], list[i + 1]);
    return undefined;
}

const parts = { setRequestCells, textsAreKnown, serverSpan, startRoot, setTraceState, endServer, putRequest, renameServer, attribute };
for (const name in parts) trace[name] = parts[name];
