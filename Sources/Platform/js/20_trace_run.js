'use strict';
// What the platform itself tells: log and error records, the span of the run, modules, and spans of its own that others end.
// Layout of the records: docs/specs/record-format.md. What they say: docs/specs/telemetry.md.

const { StringPrototypeLastIndexOf, StringPrototypeSlice } = primordials;
const {
    bound, open, commit, drop, putInline, putAttributes, keepAll, NO_ATTRIBUTES, reference, firstStep, KIND_LOG, KIND_ERROR, KIND_FINDING,
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

function writeLog(kind, severity, text, list, span) {
    // A program can write to its own spans. What it made of one must not keep a finding from being told: its ids are looked at as those of a stranger are.
    const ours = kind !== KIND_FINDING && isOurs(span);
    const foreign = ours ? undefined : contextOf(span);
    const ids = foreign === undefined ? NO_IDS : foreign.ids;
    const foreignFlags = foreign === undefined ? 0 : foreign.flags;
    const at = open(256);
    if (at < 0) return drop(kind);
    const word = at >> 2;
    bound.f64[(at >> 3) + 1] = now();
    if (ours) {
        bound.i32[word + 4] = span._trace.t0;
        bound.i32[word + 5] = span._trace.t1;
        bound.i32[word + 6] = span._trace.t2;
        bound.i32[word + 7] = span._trace.t3;
        bound.i32[word + 8] = span._s0;
        bound.i32[word + 9] = span._s1;
        bound.i32[word + 10] = severity | (span._head >> 16 & 255) << 8;
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
    if (!bound.enabled || !internal.limits.logs.take()) return;
    writeLog(KIND_LOG, severity, text, keepAll(attributes, bound.attributeLimit), activeSpan());
}

// What the host found (27_findings.js), whether or not the program's own telemetry is wanted.
function finding(severity, text, attributes, span) {
    writeLog(KIND_FINDING, severity, text, keepAll(attributes, FINDING_ATTRIBUTES), span);
}
const FINDING_ATTRIBUTES = 8;

// An error nobody caught: an error record, and an exception event with error status on `span`.
function error(exception, span, severity = 17, extra = undefined) {
    if (!bound.enabled) return;
    const attributes = exceptionAttributes(exception);
    const message = attributes['exception.message'] ?? cut(safeText(exception));
    const type = attributes['exception.type'];
    const list = keepAll(extra === undefined ? attributes : { ...attributes, ...extra }, bound.attributeLimit);
    if (internal.limits.logs.take()) writeLog(KIND_ERROR, severity, type === undefined ? message : `${type}: ${message}`, list, span);
    failWith(span, attributes, message, type);
}

function failWith(span, attributes, message, type) {
    if (!isOurs(span) || !span._recording) return;
    addEvent(span, 'exception', attributes);
    span._head &= ~STATUS_BITS;
    setStatus(span, { code: ERROR, message: type === undefined ? message : `${type}: ${message}` });
    if (type !== undefined) setAttribute(span, 'error.type', type);
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
    if (span === undefined || !span._recording) return;
    setAttribute(span, 'process.exit.code', code);
    if (outcome !== undefined) setAttribute(span, 'sidelight.outcome', outcome);
    if (code !== 0 && statusOf(span) !== ERROR) setStatus(span, { code: ERROR, message: reason ?? `exit code ${code}` });
    end(span);
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
    writeSpan(span);
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
    return isOurs(span) && span._recording ? span : undefined;
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

const parts = { log, finding, error, fail, beginRun, endRun, finished, startOwn, endOwn, eventAt, recordingSpan, module: moduleLoaded };
for (const name in parts) trace[name] = parts[name];
