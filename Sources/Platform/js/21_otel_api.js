'use strict';
// The built-in module '@opentelemetry/api': the surface of the npm package (1.9), so that instrumented code runs unchanged. Spans and
// contexts are 20_trace.js's own; there is no SDK to register, so the global-provider functions answer and change nothing.
// <https://opentelemetry.io/docs/specs/otel/trace/api/>, <https://opentelemetry.io/docs/specs/otel/baggage/api/>

const { trace: core } = internal;
const { Tracer, Context, ROOT, SPAN_KEY, isSpanContextValid, isValidTraceId, isValidSpanId } = core;
const {
    ArrayPrototypeFilter, ArrayPrototypeFind, ArrayPrototypeForEach, ArrayPrototypeJoin, ArrayPrototypeMap, ArrayPrototypePush,
    ArrayPrototypeUnshift, ObjectKeys, RegExpPrototypeExec, SafeMap,
    StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeSplit, StringPrototypeTrim, SymbolFor,
} = primordials;

// TypeScript's numeric enums, as the npm package has them: names and numbers both ways.
const SpanKind = { 0: 'INTERNAL', 1: 'SERVER', 2: 'CLIENT', 3: 'PRODUCER', 4: 'CONSUMER', INTERNAL: 0, SERVER: 1, CLIENT: 2, PRODUCER: 3, CONSUMER: 4 };
const SpanStatusCode = { 0: 'UNSET', 1: 'OK', 2: 'ERROR', UNSET: 0, OK: 1, ERROR: 2 };
const TraceFlags = { 0: 'NONE', 1: 'SAMPLED', NONE: 0, SAMPLED: 1 };
const SamplingDecision = { 0: 'NOT_RECORD', 1: 'RECORD', 2: 'RECORD_AND_SAMPLED', NOT_RECORD: 0, RECORD: 1, RECORD_AND_SAMPLED: 2 };
const ValueType = { 0: 'INT', 1: 'DOUBLE', INT: 0, DOUBLE: 1 };
const DiagLogLevel = { 0: 'NONE', 30: 'ERROR', 50: 'WARN', 60: 'INFO', 70: 'DEBUG', 80: 'VERBOSE', 9999: 'ALL', NONE: 0, ERROR: 30, WARN: 50, INFO: 60, DEBUG: 70, VERBOSE: 80, ALL: 9999 };
const INVALID_SPANID = '0000000000000000';
const INVALID_TRACEID = '00000000000000000000000000000000';
const INVALID_SPAN_CONTEXT = { traceId: INVALID_TRACEID, spanId: INVALID_SPANID, traceFlags: 0 };

// ---- Context ----

const createContextKey = (description) => SymbolFor(description);

const noopManager = { active: () => core.activeContext(), with: (...args) => context.with(...args), bind: (...args) => context.bind(...args), enable() { return this; }, disable() { return this; } };

const context = {
    active: () => core.activeContext(),
    with: (value, fn, receiver, ...args) => core.runInContext(core.entering(value), fn, receiver, args),
    bind(value, target) {
        if (typeof target !== 'function') return target;
        return function (...args) { return core.runInContext(core.entering(value), target, this, args); };
    },
    setGlobalContextManager: () => false,
    disable() {},
    _getContextManager: () => noopManager,
};

// ---- Trace ----

// A span that carries a context and records nothing.
class NonRecordingSpan {
    constructor(spanContext = INVALID_SPAN_CONTEXT) { this._spanContext = spanContext; }
    spanContext() { return this._spanContext; }
    setAttribute() { return this; }
    setAttributes() { return this; }
    addEvent() { return this; }
    addLink() { return this; }
    addLinks() { return this; }
    setStatus() { return this; }
    updateName() { return this; }
    end() {}
    isRecording() { return false; }
    recordException() {}
}

const tracers = new SafeMap();

class TracerProvider {
    getTracer(name, version, options) {
        const scope = `${name ?? ''}`, release = `${version ?? ''}`, schema = `${options?.schemaUrl ?? ''}`;
        const key = `${scope}\0${release}\0${schema}`;
        let tracer = tracers.get(key);
        if (tracer === undefined) {
            tracer = new Tracer(scope, release, schema);
            // Names made at run time must not grow this without bound; an unlisted tracer works just as well.
            if (tracers.size < 1023) tracers.set(key, tracer);
        }
        return tracer;
    }
    getDelegate() { return this; }
    setDelegate() {}
    getDelegateTracer(...args) { return this.getTracer(...args); }
}

class ProxyTracer {
    constructor(provider, name, version, options) {
        const tracer = provider.getTracer(name, version, options);
        this.startSpan = (...args) => tracer.startSpan(...args);
        this.startActiveSpan = (...args) => tracer.startActiveSpan(...args);
    }
}

const provider = new TracerProvider();

const trace = {
    getTracer: (name, version, options) => provider.getTracer(name, version, options),
    getTracerProvider: () => provider,
    setGlobalTracerProvider: () => false,
    disable() {},
    getSpan: (ctx) => ctx?.getValue?.(SPAN_KEY),
    getActiveSpan: () => core.activeSpan(),
    setSpan: (ctx, span) => ctx.setValue(SPAN_KEY, span),
    deleteSpan: (ctx) => ctx.deleteValue(SPAN_KEY),
    setSpanContext: (ctx, spanContext) => ctx.setValue(SPAN_KEY, new NonRecordingSpan(spanContext)),
    getSpanContext: (ctx) => ctx?.getValue?.(SPAN_KEY)?.spanContext(),
    wrapSpanContext: (spanContext) => new NonRecordingSpan(spanContext),
    isSpanContextValid,
};

// W3C Trace Context, section 3.3: at most 32 members; an update moves its member to the front.
const STATE_KEY = /^(?:[a-z][_0-9a-z\-*/]{0,255}|[a-z0-9][_0-9a-z\-*/]{0,240}@[a-z][_0-9a-z\-*/]{0,13})$/;
const STATE_VALUE = /^[ -~]{0,255}[!-~]$/, STATE_SEPARATORS = /[,=]/;

class TraceState {
    constructor(text) {
        this._members = [];
        if (typeof text === 'string') this._parse(text);
    }
    _parse(text) {
        if (text.length > 8192) return;
        const seen = new SafeMap();
        const members = StringPrototypeSplit(text, ',');
        for (let i = 0; i < members.length && this._members.length < 32; i++) {
            const member = StringPrototypeTrim(members[i]);
            const equals = StringPrototypeIndexOf(member, '=');
            if (equals < 1) continue;
            const key = StringPrototypeSlice(member, 0, equals), value = StringPrototypeSlice(member, equals + 1);
            if (!isStateMember(key, value) || seen.has(key)) continue;
            seen.set(key, true);
            ArrayPrototypePush(this._members, [key, value]);
        }
    }
    set(key, value) {
        const next = new TraceState();
        next._members = ArrayPrototypeFilter(this._members, (member) => member[0] !== key);
        if (isStateMember(key, value)) ArrayPrototypeUnshift(next._members, [key, value]);
        if (next._members.length > 32) next._members.length = 32;
        return next;
    }
    unset(key) {
        const next = new TraceState();
        next._members = ArrayPrototypeFilter(this._members, (member) => member[0] !== key);
        return next;
    }
    get(key) { return ArrayPrototypeFind(this._members, (member) => member[0] === key)?.[1]; }
    serialize() { return ArrayPrototypeJoin(ArrayPrototypeMap(this._members, (member) => `${member[0]}=${member[1]}`), ','); }
}
const isStateMember = (key, value) =>
    RegExpPrototypeExec(STATE_KEY, key) !== null && RegExpPrototypeExec(STATE_VALUE, value) !== null && RegExpPrototypeExec(STATE_SEPARATORS, value) === null;
const createTraceState = (text) => new TraceState(text);

// ---- Baggage and propagation ----

const BAGGAGE_KEY = createContextKey('OpenTelemetry Baggage Key');

class Baggage {
    constructor(entries) { this._entries = new SafeMap(); entries?.forEach((entry, key) => this._entries.set(key, entry)); }
    getEntry(key) { const entry = this._entries.get(key); return entry === undefined ? undefined : { ...entry }; }
    getAllEntries() { const all = []; this._entries.forEach((entry, key) => ArrayPrototypePush(all, [key, entry])); return all; }
    setEntry(key, entry) { const next = new Baggage(this._entries); next._entries.set(key, entry); return next; }
    removeEntry(key) { return this.removeEntries(key); }
    removeEntries(...keys) { const next = new Baggage(this._entries); for (let i = 0; i < keys.length; i++) next._entries.delete(keys[i]); return next; }
    clear() { return new Baggage(); }
}

const METADATA = Symbol('BaggageEntryMetadata');
const baggageEntryMetadataFromString = (text) => {
    const kept = typeof text === 'string' ? text : '';
    return { __TYPE__: METADATA, toString: () => kept };
};

const defaultTextMapGetter = { get: (carrier, key) => carrier?.[key], keys: (carrier) => carrier == null ? [] : ObjectKeys(carrier) };
const defaultTextMapSetter = { set(carrier, key, value) { if (carrier != null) carrier[key] = value; } };

const propagation = {
    // The formats: 25_propagation.js.
    inject(ctx, carrier, setter = defaultTextMapSetter) { internal.propagation.injectInto(ctx, carrier, setter); },
    extract: (ctx, carrier, getter = defaultTextMapGetter) => internal.propagation.extractFrom(ctx, carrier, getter),
    fields: () => internal.propagation.fields(),
    setGlobalPropagator: () => false,
    disable() {},
    createBaggage: (entries = {}) => {
        const baggage = new Baggage();
        ArrayPrototypeForEach(ObjectKeys(entries), (key) => { baggage._entries.set(key, entries[key]); });
        return baggage;
    },
    getBaggage: (ctx) => ctx?.getValue?.(BAGGAGE_KEY),
    getActiveBaggage: () => core.activeContext().getValue(BAGGAGE_KEY),
    setBaggage: (ctx, baggage) => ctx.setValue(BAGGAGE_KEY, baggage),
    deleteBaggage: (ctx) => ctx.deleteValue(BAGGAGE_KEY),
};

// ---- Diag ----

class DiagConsoleLogger {
    constructor() {
        for (const [method, sink] of [['error', 'error'], ['warn', 'warn'], ['info', 'info'], ['debug', 'debug'], ['verbose', 'trace']]) {
            this[method] = (...args) => globalThis.console[sink](...args);
        }
    }
}
const DIAG_METHODS = [['error', 30], ['warn', 50], ['info', 60], ['debug', 70], ['verbose', 80]];
let diagLogger, diagLevel = DiagLogLevel.INFO;
const diag = {
    setLogger(logger, options) {
        if (logger === diag) return false;
        diagLogger = logger;
        diagLevel = typeof options === 'number' ? options : options?.logLevel ?? DiagLogLevel.INFO;
        return true;
    },
    disable() { diagLogger = undefined; },
    createComponentLogger: ({ namespace = '' } = {}) => diagMethods((method, args) => diag[method](namespace, ...args)),
};
function diagMethods(call) {
    const logger = {};
    for (const [method] of DIAG_METHODS) logger[method] = (...args) => call(method, args);
    return logger;
}
for (const [method, level] of DIAG_METHODS) {
    diag[method] = (...args) => { if (diagLogger !== undefined && diagLevel >= level) diagLogger[method]?.(...args); };
}

/** For 25_propagation.js. */
internal.otelParts = { BAGGAGE_KEY, Baggage, NonRecordingSpan, TraceState, baggageEntryMetadataFromString };

internal.otelApi = {
    trace, context, propagation, diag,
    SpanKind, SpanStatusCode, TraceFlags, SamplingDecision, ValueType, DiagLogLevel, DiagConsoleLogger,
    ROOT_CONTEXT: ROOT, createContextKey, createTraceState, isSpanContextValid, isValidTraceId, isValidSpanId,
    INVALID_SPANID, INVALID_TRACEID, INVALID_SPAN_CONTEXT,
    baggageEntryMetadataFromString, defaultTextMapGetter, defaultTextMapSetter,
    ProxyTracer, ProxyTracerProvider: TracerProvider,
};

// A module object of its own, so that `internal.otelApi` can get the metrics added by 22_metrics.js.
internal.builtins.set('@opentelemetry/api', () => ({ ...internal.otelApi, default: internal.otelApi }));
