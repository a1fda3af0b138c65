'use strict';
// What the platform itself tells: log and error records, the span of the run, modules, and spans of its own that others end.
// Layout of the records: docs/specs/record-format.md. What they say: docs/specs/telemetry.md.

const { StringPrototypeLastIndexOf, StringPrototypeSlice } = primordials;
const {
    bound, open, commit, WRITING, WAITING, drop, putInline, putAttributes, keepAll, NO_ATTRIBUTES, reference, firstStep, KIND_LOG, KIND_ERROR, KIND_FINDING,
} = internal.ring;
const { contextOf, exceptionAttributes, safeText, cut } = internal.traceValues;
const { trace } = internal;
const {
    Span, Context, NOBODY, CLOCK_I32, STATUS_BITS, ERROR, activeSpan, now, setTime, startOf, isOurs, isSampled, statusOf, parentIn, newSpan, begin, rare,
    setAttribute, addEvent, setStatus, end, writeSpan,
} = trace;

// ---- Logs and errors ----

const LOG_UNITS = 262144;
const NO_IDS = [0, 0, 0, 0, 0, 0];

// Of a span of ours: what `contextOf` says of others.
function ownContext(span) {
    try {
        const { t0, t1, t2, t3 } = span._trace;
        return { ids: [t0 | 0, t1 | 0, t2 | 0, t3 | 0, span._s0 | 0, span._s1 | 0], flags: span._head >> 16 & 255 };
    } catch {
        return undefined; // The program has written to it.
    }
}

function writeLog(kind, severity, text, list, span) {
    put(kind, severity, text, list, isOurs(span) ? ownContext(span) : contextOf(span), now());
}

// All it is given is the platform's own: nothing of the program's runs here. Whether it was written.
function put(kind, severity, text, list, context, time) {
    const at = open(256);
    if (at < 0) {
        drop(kind);
        return false;
    }
    const { state } = bound;
    try {
        const word = at >> 2, ids = context === undefined ? NO_IDS : context.ids;
        bound.f64[(at >> 3) + 1] = time;
        for (let w = 0; w < 6; w++) bound.i32[word + 4 + w] = ids[w];
        bound.i32[word + 10] = severity | (context === undefined ? 0 : context.flags << 8);
        bound.i32[word + 11] = list[0];
        let next = putInline(at + 48, internal.text.cut(text, LOG_UNITS));
        if (next >= 0) next = putAttributes(next, list);
        if (next >= 0) {
            commit(next, kind);
            return true;
        }
    } catch {
        // The stack's end.
    }
    state[WRITING] = 0;
    drop(kind);
    return false;
}

// A console message. `severity` is OTLP's number; `attributes` an object or undefined.
function log(severity, text, attributes) {
    if (!bound.enabled || !internal.limits.logs.take()) return;
    writeLog(KIND_LOG, severity, text, keepAll(attributes, bound.attributeLimit, [0]), activeSpan());
}

// What the host found (27_findings.js), whether or not the program's own telemetry is wanted. False: it was not written, and does not wait.
function finding(severity, text, attributes, span) {
    // A program can write to its own spans. What it made of one must not keep a finding from being told: its ids are looked at as those of a stranger are.
    const context = contextOf(span), list = keepAll(attributes, FINDING_ATTRIBUTES, [0]), time = now();
    if (list[0] !== FINDING_ATTRIBUTES) return false; // the stack's end
    const { state } = bound;
    if (state[WRITING] === 0) return put(KIND_FINDING, severity, text, list, context, time);
    if (asideCount === ASIDE_MAX) {
        drop(KIND_FINDING);
        return false;
    }
    aside[asideCount++] = { severity, text, list, context, time };
    state[WAITING] = 1;
    return true;
}
// Each has as many.
const FINDING_ATTRIBUTES = 4;

// Findings of what a getter did that ran while a record was written. They follow it.
const ASIDE_MAX = 64;
const aside = [];
for (let i = 0; i < ASIDE_MAX; i++) aside[i] = undefined; // a program's setter at an index is not asked
let asideCount = 0, asideWritten = 0;

// Throws at the stack's end; then the next record brings the rest.
function writeAside() {
    const { state } = bound;
    state[WAITING] = 0;
    try {
        while (asideWritten < asideCount) {
            const { severity, text, list, context, time } = aside[asideWritten];
            put(KIND_FINDING, severity, text, list, context, time);
            aside[asideWritten++] = undefined;
        }
        asideCount = asideWritten = 0;
    } finally {
        if (asideCount > 0) state[WAITING] = 1;
    }
}

// An error nobody caught: an error record, and an exception event with error status on `span`.
function error(exception, span, severity = 17, extra = undefined) {
    if (!bound.enabled) return;
    const attributes = exceptionAttributes(exception);
    const message = attributes['exception.message'] ?? cut(safeText(exception));
    const type = attributes['exception.type'];
    const list = keepAll(extra === undefined ? attributes : { ...attributes, ...extra }, bound.attributeLimit, [0]);
    if (internal.limits.logs.take()) writeLog(KIND_ERROR, severity, type === undefined ? message : `${type}: ${message}`, list, span);
    failWith(span, attributes, message, type);
}

function failWith(span, attributes, message, type) {
    try {
        if (!isOurs(span) || !span._recording) return;
        addEvent(span, 'exception', attributes);
        span._head &= ~STATUS_BITS;
        setStatus(span, { code: ERROR, message: type === undefined ? message : `${type}: ${message}` });
        if (type !== undefined) setAttribute(span, 'error.type', type);
    } catch {
        // The program has frozen it, or spoilt it.
    }
}

// The same on the span alone.
function fail(span, exception) {
    const attributes = exceptionAttributes(exception);
    failWith(span, attributes, attributes['exception.message'] ?? cut(safeText(exception)), attributes['exception.type']);
}

// ---- The run, and what the host reports ----

// Opens the span of the whole run and makes it the context of what follows. Its name is the file's, so that runs from different folders
// are of one kind.
function beginRun(entry) {
    const file = StringPrototypeSlice(entry, StringPrototypeLastIndexOf(entry, '/') + 1);
    const span = newSpan(0, firstStep(`run ${file}`), 1, NOBODY);
    // The run began when the agent made the ring, a moment before this code ran.
    setTime(0);
    begin(span, NOBODY, undefined, { attributes: { 'code.file.path': entry } });
    bound.runSpan = span;
    ops.setContext(span);
    // Loading V8, the snapshot and the platform, before any code of the program's.
    finished('start', 0, now(), undefined, undefined, span);
}

// Ends it. `code` is the exit code; `reason` a text when the run did not end by itself; `outcome` of a limit that ended it.
function endRun(code, reason, outcome) {
    internal.fetch?.endOfRun();
    internal.metrics?.collect();
    const span = bound.runSpan;
    try {
        if (span === undefined || !span._recording) return;
        setAttribute(span, 'process.exit.code', code);
        if (outcome !== undefined) setAttribute(span, 'sidelight.outcome', outcome);
        if (code !== 0 && statusOf(span) !== ERROR) setStatus(span, { code: ERROR, message: reason ?? `exit code ${code}` });
        end(span);
    } catch {
        // The program has frozen it, or spoilt it: the agent ends it.
    }
}

// A span of Sidelight's own with known times, child of `parent` (the run when left out). Ends at once.
function finished(name, startTime, endTime, attributes, exception, parent = bound.runSpan) {
    if (!bound.enabled || parent === undefined) return undefined;
    const made = isOurs(parent) ? parent : NOBODY;
    const span = newSpan(0, firstStep(name), 1, made);
    setTime(startTime);
    begin(span, made, made === NOBODY ? new Context(parent, null, null) : parent, { attributes }, true);
    if (exception !== undefined && exception !== null) {
        const details = exceptionAttributes(exception);
        addEvent(span, 'exception', details, undefined);
        setStatus(span, { code: ERROR, message: details['exception.message'] ?? safeText(exception) });
    }
    span._recording = false;
    if (!isSampled(span)) return span;
    setTime(endTime);
    writeSpan(span, -1);
    return span;
}

// A span of Sidelight's own that goes on, child of what is current. `kind` is OTLP's number. It is not made current.
function startOwn(name, kind) {
    const parent = ops.context(), made = parentIn(parent);
    const span = newSpan(0, firstStep(name), kind, made);
    ops.now();
    begin(span, made, parent, undefined);
    return span;
}

// Ends one at a ring time.
function endOwn(span, endTime) {
    if (!span._recording) return;
    const startTime = startOf(span);
    setTime(endTime < startTime ? startTime : endTime);
    span._recording = false;
    writeSpan(span, -1);
}

// An event at a ring time.
function eventAt(span, name, time, attributes) {
    try {
        putEventAt(span, name, time, attributes);
    } catch {
        // The program has frozen the span, or spoilt it.
    }
}

function putEventAt(span, name, time, attributes) {
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
    try {
        const span = value === undefined || value instanceof Span ? value : value._span;
        return isOurs(span) && span._recording ? span : undefined;
    } catch {
        return undefined; // a getter of the program's
    }
}

// A module's way from specifier to namespace: one span, its phases as children, under what asked for it. Times are ring times, 0: did not happen.
function moduleLoaded(m) {
    const first = m.resolveStart || m.loadStart || m.compileStart || m.evaluateStart;
    const last = m.evaluateEnd || m.compileEnd || m.loadEnd || m.resolveEnd;
    if (!first || !last) return;
    const span = finished(`module ${m.specifier}`, first, last, {
        'sidelight.module.specifier': m.specifier, 'url.full': m.url ?? '', 'sidelight.module.size': m.bytes | 0,
        'sidelight.module.cached': !!m.cached,
    }, m.error, activeSpan() ?? bound.runSpan);
    if (m.resolveStart) finished('resolve', m.resolveStart, m.resolveEnd, undefined, undefined, span);
    if (m.loadStart) finished('load', m.loadStart, m.loadEnd, undefined, undefined, span);
    if (m.compileStart) finished('compile', m.compileStart, m.compileEnd, undefined, undefined, span);
    if (m.evaluateStart) finished('evaluate', m.evaluateStart, m.evaluateEnd, undefined, undefined, span);
}

const parts = { log, finding, writeAside, error, fail, beginRun, endRun, finished, startOwn, endOwn, eventAt, recordingSpan, module: moduleLoaded };
for (const name in parts) trace[name] = parts[name];
