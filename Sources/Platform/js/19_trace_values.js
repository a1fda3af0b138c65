'use strict';
// What spans and logs are made of and no span is needed for: ids as words and as hex, span contexts that came from outside, exceptions as attributes.
// Objects of the user's are read here, whose getters and methods can do anything: always before a record is opened, never inside.

const { ArrayIsArray, NumberPrototypeToString, RegExpPrototypeExec, StringPrototypeCharCodeAt } = primordials;

// ---- Ids ----

const HEX = [];
for (let i = 0; i < 256; i++) HEX[i] = (i < 16 ? '0' : '') + NumberPrototypeToString(i, 16);
// A word as it lies in memory (little-endian) in hex.
const hexWord = (w) => HEX[w & 255] + HEX[w >>> 8 & 255] + HEX[w >>> 16 & 255] + HEX[w >>> 24];

function wordOfHex(text, at) {
    let word = 0;
    for (let i = 3; i >= 0; i--) {
        const high = hexDigit(StringPrototypeCharCodeAt(text, at + 2 * i)), low = hexDigit(StringPrototypeCharCodeAt(text, at + 2 * i + 1));
        word = word << 8 | high << 4 | low;
    }
    return word;
}
const hexDigit = (unit) => unit >= 48 && unit <= 57 ? unit - 48 : unit >= 97 && unit <= 102 ? unit - 87
    : unit >= 65 && unit <= 70 ? unit - 55 : 0;

const TRACE_ID = /^(?!0{32}$)[0-9a-f]{32}$/i, SPAN_ID = /^(?!0{16}$)[0-9a-f]{16}$/i;
const isValidTraceId = (id) => typeof id === 'string' && RegExpPrototypeExec(TRACE_ID, id) !== null;
const isValidSpanId = (id) => typeof id === 'string' && RegExpPrototypeExec(SPAN_ID, id) !== null;
const isSpanContextValid = (c) => c != null && isValidTraceId(c.traceId) && isValidSpanId(c.spanId);

// ---- Span contexts from outside ----

// What is needed of the context of a span of whatever class; undefined when it is none, or reading it throws.
function contextOf(span) {
    try {
        return partsOf(span?.spanContext?.());
    } catch {
        return undefined;
    }
}

// The same of a span context; throws what reading it throws.
function partsOf(context) {
    if (!isSpanContextValid(context)) return undefined;
    const traceId = `${context.traceId}`, spanId = `${context.spanId}`;
    // As the six words that trace and span id are in memory.
    const ids = [
        wordOfHex(traceId, 0), wordOfHex(traceId, 8), wordOfHex(traceId, 16), wordOfHex(traceId, 24), wordOfHex(spanId, 0), wordOfHex(spanId, 8),
    ];
    return { ids, flags: context.traceFlags & 255, isRemote: !!context.isRemote, state: context.traceState ?? undefined };
}

// A trace state as text.
function stateText(state) {
    try {
        return `${state?.serialize?.() ?? ''}`;
    } catch {
        return '';
    }
}

// ---- Exceptions ----

const safeText = (value) => {
    try { return `${value}`; } catch { return typeof value; }
};

function exceptionAttributes(exception) {
    if (typeof exception === 'string') return { 'exception.message': cut(exception) };
    const attributes = {};
    try {
        const type = exception.name ?? exception.code;
        if (type != null) attributes['exception.type'] = internal.text.cut(`${type}`, TYPE_UNITS);
        if (exception.message != null) attributes['exception.message'] = cut(`${exception.message}`);
        if (exception.stack != null) attributes['exception.stacktrace'] = cut(`${exception.stack}${causes(exception)}`);
    } catch {
        // A getter of the user's threw: what could be read is kept.
    }
    return attributes;
}

const CAUSES_MAX = 8;
// Members of an AggregateError that are told.
const ERRORS_MAX = 8;
// UTF-16 units of a message or stack that are kept: what an error says must fit into a record.
const EXCEPTION_UNITS = 65536;
// The same of a type.
const TYPE_UNITS = 256;
const cut = (text) => internal.text.cut(text, EXCEPTION_UNITS);

// The members of an AggregateError and the chain of `cause`, nearly as Node prints them, for a stack trace has one text only.
function causes(exception) {
    let text = members(exception);
    let error = exception;
    for (let depth = 0; depth < CAUSES_MAX; depth++) {
        const cause = error.cause;
        if (cause === undefined || cause === null || cause === error) break;
        text += `\n[cause]: ${cause.stack ?? safeText(cause)}`;
        if (typeof cause !== 'object') break;
        text += members(cause);
        error = cause;
    }
    return text;
}

// Others than errors are left out: `errors` of a library's own may be anything.
function members(exception) {
    const { errors } = exception;
    if (!ArrayIsArray(errors)) return '';
    let text = '';
    for (let i = 0; i < errors.length && i < ERRORS_MAX; i++) {
        const stack = errors[i]?.stack;
        if (typeof stack === 'string') text += `\n[errors][${i}]: ${stack}`;
    }
    if (text !== '' && errors.length > ERRORS_MAX) text += `\n[errors]: ${errors.length - ERRORS_MAX} more`;
    return text;
}

internal.traceValues = {
    hexWord, isValidTraceId, isValidSpanId, isSpanContextValid, contextOf, partsOf, stateText, exceptionAttributes, safeText, cut,
};
