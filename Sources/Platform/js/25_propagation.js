'use strict';
// Propagators: how a span's context and its baggage travel in headers, chosen by OTEL_PROPAGATORS.
// <https://opentelemetry.io/docs/specs/otel/context/api-propagators/>, <https://www.w3.org/TR/trace-context-2/>, <https://www.w3.org/TR/baggage/>,
// <https://github.com/openzipkin/b3-propagation>, <https://www.jaegertracing.io/docs/1.76/client-libraries/#propagation-format>
//
// One implementation for `propagation` of '@opentelemetry/api' (carriers, setters and getters of the user's), for fetch, and for the HTTP server.

const { trace: core, otelApi } = internal;
const { ROOT, SPAN_KEY, isSpanContextValid, isValidSpanId, isValidTraceId } = core;
const { BAGGAGE_KEY, Baggage, NonRecordingSpan, TraceState, baggageEntryMetadataFromString } = internal.otelParts;
const {
    ArrayIsArray, ArrayPrototypeIncludes, ArrayPrototypeJoin, ArrayPrototypePush, NumberParseInt, NumberPrototypeToString, RegExpPrototypeExec,
    StringPrototypeIndexOf, StringPrototypePadStart, StringPrototypeSlice, StringPrototypeSplit, StringPrototypeStartsWith,
    StringPrototypeToLowerCase, StringPrototypeTrim, decodeURIComponent, encodeURIComponent,
} = primordials;

const first = (value) => ArrayIsArray(value) ? value[0] : value;
const text = (value) => typeof value === 'string' ? value : undefined;
const whole = (value) => ArrayIsArray(value) ? ArrayPrototypeJoin(value, ',') : text(value);
const spanContextOf = (ctx) => ctx?.getValue?.(SPAN_KEY)?.spanContext?.();
const withSpanContext = (ctx, spanContext) => ctx.setValue(SPAN_KEY, new NonRecordingSpan(spanContext));

// ---- W3C Trace Context ----

// Level 2, section 3.2: version ff is invalid, later versions may be longer.
const TRACEPARENT = /^\s?((?!ff)[\da-f]{2})-((?!0{32})[\da-f]{32})-((?!0{16})[\da-f]{16})-([\da-f]{2})(-.*)?\s?$/;

const traceContext = {
    fields: ['traceparent', 'tracestate'],
    inject(ctx, spanContext, carrier, setter) {
        if (spanContext === undefined) return;
        const flags = spanContext.traceFlags & 255;
        setter.set(carrier, 'traceparent', `00-${spanContext.traceId}-${spanContext.spanId}-${flags < 16 ? '0' : ''}${NumberPrototypeToString(flags, 16)}`);
        const state = spanContext.traceState?.serialize?.();
        if (state) setter.set(carrier, 'tracestate', state);
    },
    extract(ctx, carrier, getter) {
        const header = text(first(getter.get(carrier, 'traceparent')));
        const match = header === undefined ? null : RegExpPrototypeExec(TRACEPARENT, header);
        if (match === null || match[1] === '00' && match[5] !== undefined) return ctx;
        const spanContext = { traceId: match[2], spanId: match[3], traceFlags: NumberParseInt(match[4], 16), isRemote: true };
        const state = whole(getter.get(carrier, 'tracestate'));
        if (state !== undefined) spanContext.traceState = new TraceState(state);
        return withSpanContext(ctx, spanContext);
    },
};

// ---- W3C Baggage ----

// Section 3.3.2: what everybody must carry on. What is more is left out.
const BAGGAGE_PAIRS = 64, BAGGAGE_BYTES = 8192, BAGGAGE_PAIR_BYTES = 4096;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Of a member's properties: what ends neither the member nor the header. */
const PROPERTIES = /^[\t\x20-\x2b\x2d-\x7e]*$/;

const baggage = {
    fields: ['baggage'],
    inject(ctx, spanContext, carrier, setter) {
        const entries = ctx?.getValue?.(BAGGAGE_KEY)?.getAllEntries();
        if (entries === undefined) return;
        let header = '', pairs = 0;
        for (let i = 0; i < entries.length && pairs < BAGGAGE_PAIRS; i++) {
            const key = entries[i][0], entry = entries[i][1];
            const metadata = entry.metadata === undefined ? '' : `${entry.metadata}`;
            const name = encoded(key), value = encoded(entry.value);
            if (name === undefined || value === undefined || RegExpPrototypeExec(PROPERTIES, metadata) === null) continue;
            const pair = `${name}=${value}${metadata === '' ? '' : `;${metadata}`}`;
            if (pair.length > BAGGAGE_PAIR_BYTES || header.length + pair.length + 1 > BAGGAGE_BYTES) continue;
            header += header === '' ? pair : `,${pair}`;
            pairs++;
        }
        if (header !== '') setter.set(carrier, 'baggage', header);
    },
    extract(ctx, carrier, getter) {
        const header = whole(getter.get(carrier, 'baggage'));
        if (header === undefined || header === '') return ctx;
        const result = new Baggage();
        let pairs = 0, start = 0;
        // Bounded: nothing beyond the limits is looked at.
        const end = header.length < BAGGAGE_BYTES ? header.length : BAGGAGE_BYTES;
        while (start < end && pairs < BAGGAGE_PAIRS) {
            let comma = StringPrototypeIndexOf(header, ',', start);
            if (comma < 0) comma = header.length;
            if (comma > BAGGAGE_BYTES) break; // a part of a member is none
            const member = StringPrototypeSlice(header, start, comma);
            start = comma + 1;
            const semicolon = StringPrototypeIndexOf(member, ';');
            const pair = semicolon < 0 ? member : StringPrototypeSlice(member, 0, semicolon);
            const equals = StringPrototypeIndexOf(pair, '=');
            const key = StringPrototypeTrim(StringPrototypeSlice(pair, 0, equals < 0 ? 0 : equals));
            if (RegExpPrototypeExec(TOKEN, key) === null) continue;
            try {
                const entry = { value: decodeURIComponent(StringPrototypeTrim(StringPrototypeSlice(pair, equals + 1))) };
                if (semicolon >= 0) entry.metadata = baggageEntryMetadataFromString(StringPrototypeTrim(StringPrototypeSlice(member, semicolon + 1)));
                result._entries.set(decodeURIComponent(key), entry);
                pairs++;
            } catch {
                // A member with a bad escape is no member (section 3.3.1.2).
            }
        }
        return pairs === 0 ? ctx : ctx.setValue(BAGGAGE_KEY, result);
    },
};

// ---- B3 ----

const B3 = /^([0-9a-f]{16}|[0-9a-f]{32})-([0-9a-f]{16})(?:-([01d])(?:-[0-9a-f]{16})?)?$/i;

/** Flags of a decision; one that was left to the receiver counts as sampled. */
const b3Flags = (decision) => decision === '0' || decision === 'false' ? 0 : 1;

function extractB3(ctx, carrier, getter) {
    const single = text(first(getter.get(carrier, 'b3')));
    if (single !== undefined) {
        const match = RegExpPrototypeExec(B3, single);
        if (match !== null) return b3Context(ctx, match[1], match[2], match[3]);
    }
    const traceId = text(first(getter.get(carrier, 'x-b3-traceid'))), spanId = text(first(getter.get(carrier, 'x-b3-spanid')));
    if (traceId === undefined || spanId === undefined || traceId.length !== 16 && traceId.length !== 32) return ctx;
    const decision = first(getter.get(carrier, 'x-b3-flags')) === '1' ? 'd' : text(first(getter.get(carrier, 'x-b3-sampled')));
    return b3Context(ctx, traceId, spanId, decision);
}

function b3Context(ctx, traceId, spanId, decision) {
    const spanContext = {
        traceId: StringPrototypeToLowerCase(StringPrototypePadStart(traceId, 32, '0')), spanId: StringPrototypeToLowerCase(spanId),
        traceFlags: b3Flags(decision), isRemote: true,
    };
    return isSpanContextValid(spanContext) ? withSpanContext(ctx, spanContext) : ctx;
}

const b3 = {
    fields: ['b3'],
    inject(ctx, spanContext, carrier, setter) {
        if (spanContext !== undefined) setter.set(carrier, 'b3', `${spanContext.traceId}-${spanContext.spanId}-${spanContext.traceFlags & 1}`);
    },
    extract: extractB3,
};

const b3Multi = {
    fields: ['x-b3-traceid', 'x-b3-spanid', 'x-b3-sampled'],
    inject(ctx, spanContext, carrier, setter) {
        if (spanContext === undefined) return;
        setter.set(carrier, 'x-b3-traceid', spanContext.traceId);
        setter.set(carrier, 'x-b3-spanid', spanContext.spanId);
        setter.set(carrier, 'x-b3-sampled', `${spanContext.traceFlags & 1}`);
    },
    extract: extractB3,
};

// ---- Jaeger ----

const JAEGER = /^([0-9a-f]{1,32}):([0-9a-f]{1,16}):[0-9a-f]{1,16}:([0-9a-f]{1,2})$/i;
const JAEGER_BAGGAGE = 'uberctx-';

const jaeger = {
    fields: ['uber-trace-id'],
    inject(ctx, spanContext, carrier, setter) {
        // The parent's id is deprecated, and 0.
        if (spanContext !== undefined) setter.set(carrier, 'uber-trace-id', `${spanContext.traceId}:${spanContext.spanId}:0:0${spanContext.traceFlags & 1}`);
        const entries = ctx?.getValue?.(BAGGAGE_KEY)?.getAllEntries();
        if (entries === undefined) return;
        for (let i = 0, bytes = 0; i < entries.length && i < BAGGAGE_PAIRS; i++) {
            const value = encoded(entries[i][1].value);
            if (value === undefined) continue;
            bytes += entries[i][0].length + value.length;
            if (bytes > BAGGAGE_BYTES) break;
            if (RegExpPrototypeExec(TOKEN, entries[i][0]) !== null) setter.set(carrier, JAEGER_BAGGAGE + entries[i][0], value);
        }
    },
    extract(ctx, carrier, getter) {
        let header = text(first(getter.get(carrier, 'uber-trace-id')));
        if (header === undefined) return ctx;
        if (StringPrototypeIndexOf(header, '%') >= 0) header = decoded(header) ?? header;
        const match = RegExpPrototypeExec(JAEGER, header);
        if (match === null) return ctx;
        const spanContext = {
            traceId: StringPrototypeToLowerCase(StringPrototypePadStart(match[1], 32, '0')),
            spanId: StringPrototypeToLowerCase(StringPrototypePadStart(match[2], 16, '0')), traceFlags: NumberParseInt(match[3], 16) & 1, isRemote: true,
        };
        if (!isValidTraceId(spanContext.traceId) || !isValidSpanId(spanContext.spanId)) return ctx;
        return jaegerBaggage(withSpanContext(ctx, spanContext), carrier, getter);
    },
};

function jaegerBaggage(ctx, carrier, getter) {
    const keys = getter.keys?.(carrier);
    if (!ArrayIsArray(keys)) return ctx;
    let result;
    for (let i = 0, pairs = 0; i < keys.length && pairs < BAGGAGE_PAIRS; i++) {
        if (typeof keys[i] !== 'string' || !StringPrototypeStartsWith(keys[i], JAEGER_BAGGAGE)) continue;
        const header = text(first(getter.get(carrier, keys[i])));
        const value = header === undefined || header.length > BAGGAGE_PAIR_BYTES ? undefined : decoded(header);
        if (value === undefined) continue;
        result ??= new Baggage(ctx.getValue(BAGGAGE_KEY)?._entries);
        result._entries.set(StringPrototypeSlice(keys[i], JAEGER_BAGGAGE.length), { value });
        pairs++;
    }
    return result === undefined ? ctx : ctx.setValue(BAGGAGE_KEY, result);
}

// A bad escape, or half a surrogate pair, has no other form.
function decoded(value) {
    try { return decodeURIComponent(value); } catch { return undefined; }
}
function encoded(value) {
    try { return encodeURIComponent(value); } catch { return undefined; }
}

// ---- Those in use ----

const known = { __proto__: null, tracecontext: traceContext, baggage, b3, b3multi: b3Multi, jaeger };
let active = [traceContext, baggage];

/** @param {string} names separated by commas; "": none */
function start(names) {
    active = [];
    const list = StringPrototypeSplit(names, ',');
    for (let i = 0; i < list.length; i++) if (known[list[i]] !== undefined) ArrayPrototypePush(active, known[list[i]]);
}

/** Writes `spanContext` (undefined: none) and the baggage of `ctx`. */
function injectAs(ctx, spanContext, carrier, setter) {
    const valid = isSpanContextValid(spanContext) ? spanContext : undefined;
    for (let i = 0; i < active.length; i++) active[i].inject(ctx, valid, carrier, setter);
}

/** Each propagator in turn: what a later one finds counts. */
function extractFrom(ctx, carrier, getter) {
    for (let i = 0; i < active.length; i++) ctx = active[i].extract(ctx, carrier, getter);
    return ctx;
}

const callSetter = { set: (set, name, value) => set(name, value) };
const callGetter = { get: (carrier, name) => carrier.get(name), keys: (carrier) => carrier.names?.() };

internal.propagation = {
    start, injectAs, baggage,
    injectInto: (ctx, carrier, setter) => injectAs(ctx, spanContextOf(ctx), carrier, setter),
    extractFrom,

    /** @param {(name: string, value: string) => void} setHeader names in lower case */
    inject: (ctx, setHeader) => injectAs(ctx, spanContextOf(ctx), setHeader, callSetter),

    /**
     * What a request's headers say, by all propagators in use.
     * @param {(name: string) => string | null | undefined} getHeader of a name in lower case @param {() => string[]} names of all, for Jaeger's baggage
     * @returns {{spanContext: object | undefined, baggage: object | undefined, context: object}} `context` holds both
     */
    extract(getHeader, names = undefined) {
        const context = extractFrom(ROOT, { get: getHeader, names }, callGetter);
        return { spanContext: spanContextOf(context), baggage: context.getValue(BAGGAGE_KEY), context };
    },

    /** Names of the headers that are written, but for Jaeger's baggage. */
    fields() {
        const all = [];
        for (let i = 0; i < active.length; i++) {
            const { fields } = active[i];
            for (let k = 0; k < fields.length; k++) if (!ArrayPrototypeIncludes(all, fields[k])) ArrayPrototypePush(all, fields[k]);
        }
        return all;
    },
};
