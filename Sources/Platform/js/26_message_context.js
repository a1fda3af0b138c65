'use strict';
// The tracing context of whoever posts a message, carried to where it is handled: spans made there are the sender's children, in one trace.
// Across isolates a context is eight words (trace id, span id, flags) and a text with what is rare: trace state and baggage.

const { trace: core } = internal;
const { Context, ERROR, NOBODY, SAMPLED, Span, TraceId, isOurs, isSampled, statusOf } = core;
const { BAGGAGE_KEY, TraceState } = internal.otelParts;
const { bound, firstStep } = internal.ring;
const { contextOf, stateText } = internal.traceValues;
const { StringPrototypeIndexOf, StringPrototypeSlice } = primordials;

// Words of the cells (MessageCell.context): 0 to 3 trace id, 4 and 5 span id, then flags: the span's, and whether there is a span, and a text; last the request
// that the message is sent for (numberIn in 44_serve.js), whose limits hold where it is handled.
const FLAGS = 6, OWNER = 7, HAS_SPAN = 256, HAS_TEXT = 512;

/** A span of another isolate, as a parent: it records nothing, and what begins below it is announced as a root is (begin in 20_trace.js). */
const ELSEWHERE = -2;

let step;

// Leaves the current context in the cells; the text that goes with it, or undefined.
function put(cells) {
    const value = ops.context();
    cells[FLAGS] = 0;
    cells[OWNER] = 0;
    if (value === undefined) return undefined;
    cells[OWNER] = internal.serve?.numberIn(value) ?? 0;
    const span = isOurs(value) ? value : value._span;
    let state = '';
    if (isOurs(span)) {
        const id = span._trace;
        cells[0] = id.t0;
        cells[1] = id.t1;
        cells[2] = id.t2;
        cells[3] = id.t3;
        cells[4] = span._s0;
        cells[5] = span._s1;
        cells[FLAGS] = (isSampled(span) ? 1 : 0) | HAS_SPAN;
        if (span._rare !== null && span._rare.traceState !== undefined) state = span._rare.traceStateText;
    } else if (span !== undefined) {
        const parts = contextOf(span);
        if (parts !== undefined) {
            for (let i = 0; i < 6; i++) cells[i] = parts.ids[i];
            cells[FLAGS] = parts.flags | HAS_SPAN;
            state = stateText(parts.state);
        }
    }
    const baggage = value._values === null ? undefined : baggageText(value);
    if (state === '' && baggage === undefined) return undefined;
    cells[FLAGS] |= HAS_TEXT;
    return `${state}\n${baggage ?? ''}`;
}

function baggageText(value) {
    const context = isOurs(value) ? core.activeContext() : value;
    if (context.getValue(BAGGAGE_KEY) === undefined) return undefined;
    let header;
    internal.propagation.baggage.inject(context, undefined, undefined, { set(_, name, text) { header = text; } });
    return header;
}

// The context of the message that was taken, as a continuation's value; undefined: it was sent in none. `text`: what `put` gave, when it is no message.
function take(cells, text = undefined) {
    const flags = cells[FLAGS];
    const stores = cells[OWNER] === 0 ? null : internal.serve.storesFor(cells[OWNER]);
    if ((flags & (HAS_SPAN | HAS_TEXT)) === 0) return stores === null ? undefined : new Context(undefined, null, stores);
    let span;
    if ((flags & HAS_SPAN) !== 0) {
        const id = new TraceId(cells[0], cells[1], cells[2], cells[3]);
        span = new Span(0, step ??= firstStep(''), 1 | ((flags & 1) !== 0 ? SAMPLED : 0), false, id, cells[4], cells[5], 0, 0, null, stores);
        span._native = ELSEWHERE;
    }
    return (flags & HAS_TEXT) === 0 ? span : withText(span, stores, text ?? ops.messageText());
}

function withText(span, stores, text) {
    const end = StringPrototypeIndexOf(text, '\n');
    const state = StringPrototypeSlice(text, 0, end), header = StringPrototypeSlice(text, end + 1);
    if (state !== '' && span !== undefined) core.setTraceState(span, new TraceState(state));
    if (header === '' && (span !== undefined || stores === null)) return span;
    const context = new Context(span, null, stores);
    if (header === '') return context;
    return internal.propagation.baggage.extract(context, undefined, { get: () => header });
}

// ---- The child's own span ----

let linked0 = 0, linked1 = 0, links = 0;

// A message from this context came to the child: its span gets a link, as many as a span may have. The same sender again, at once, is told once.
function link(context) {
    const span = bound.runSpan;
    if (span === undefined || !span._recording || context === undefined) return;
    const sender = isOurs(context) ? context : context._span;
    if (sender === undefined || sender._s0 === linked0 && sender._s1 === linked1) return;
    linked0 = sender._s0;
    linked1 = sender._s1;
    if (links < bound.linkLimit) {
        links++;
        core.addLink(span, { context: core.spanContext(sender) });
    } else {
        core.rare(span).droppedLinks++;
    }
}

// Opens the span of a child isolate, as a child of what was current when its Worker was made, and makes it the context of what follows. Its name and
// start are the Worker's.
function begin(name, parent, start, attributes) {
    const made = isOurs(parent) ? parent : NOBODY;
    const span = core.newSpan(0, firstStep(`worker ${name}`), 1, made);
    core.setTime(start);
    core.begin(span, made, parent, { attributes });
    bound.runSpan = span;
    ops.setContext(span);
}

// Ends it. `how` is why the child ended; `failure` a text when it was no good end.
function end(how, failure) {
    internal.fetch?.endOfRun();
    internal.metrics?.collect();
    const span = bound.runSpan;
    if (span === undefined || !span._recording) return;
    core.setAttribute(span, 'sidelight.worker.end', how);
    if (failure !== undefined && statusOf(span) !== ERROR) {
        core.setAttribute(span, 'error.type', how);
        core.setStatus(span, { code: ERROR, message: failure === '' ? undefined : failure });
    }
    core.end(span);
}

internal.messageContext = { put, take, link, begin, end };
