'use strict';
// @ts-check
// What fetch tells about itself: the client span (https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span), the context in the
// outgoing headers, and http.client.request.duration. One span a fetch, redirects included. docs/specs/telemetry.md says what is in it.
//
// A span that is not sampled costs its ids: what its attributes would say is not worked out.

const {
    ArrayPrototypePush, RegExpPrototypeExec, SafeMap, StringPrototypeCharCodeAt, StringPrototypeIndexOf, StringPrototypeSlice,
    StringPrototypeToUpperCase, cutOff,
} = primordials;
const { serialize } = internal.url;

const KIND_CLIENT = 3; // OTLP's
// By their numbers on the board, as is the version: docs/specs/board-format.md.
const knownMethods = { __proto__: null, GET: 1, HEAD: 2, POST: 3, PUT: 4, DELETE: 5, CONNECT: 6, OPTIONS: 7, TRACE: 8, PATCH: 9, QUERY: 10 };
const versions = { __proto__: null, '1.0': 1, '1.1': 2, 2: 3, 3: 4 };
const defaultPorts = { __proto__: null, 'http:': 80, 'https:': 443 };

/** The method as attributes have it; "_OTHER": the name of the span is then HTTP. */
function normalized(method) {
    if (knownMethods[method] !== undefined) return method;
    const upper = StringPrototypeToUpperCase(method);
    return knownMethods[upper] !== undefined ? upper : '_OTHER';
}

/** Query parameters that sign a URL: https://opentelemetry.io/docs/specs/semconv/registry/attributes/url/ */
const SIGNATURE = /[?&](?:AWSAccessKeyId|Signature|sig|X-Goog-Signature)=/;

/** Without credentials, which no URL that comes here has, without the fragment, and without the values of signatures. */
function fullURL(url) {
    const text = serialize(url, true);
    if (url.query === null) return text;
    let result = '', rest = text;
    for (let match = RegExpPrototypeExec(SIGNATURE, rest); match !== null; match = RegExpPrototypeExec(SIGNATURE, rest)) {
        const start = match.index + match[0].length;
        const end = StringPrototypeIndexOf(rest, '&', start);
        result += `${StringPrototypeSlice(rest, 0, start)}REDACTED`;
        rest = end < 0 ? '' : StringPrototypeSlice(rest, end);
    }
    return result + rest;
}

/** IPv6 addresses have their brackets in URLs only. */
function addressOf(url) {
    const { host } = url;
    return StringPrototypeCharCodeAt(host, 0) === 91 ? StringPrototypeSlice(host, 1, -1) : host;
}

const portOf = (url) => url.port ?? defaultPorts[url.protocol];

/** What is told of one fetch. */
class Telling {
    /** @param {object} shown the URL as the program has it, without credentials */
    constructor(method, url, shown) {
        this.method = normalized(method);
        this.url = url;
        this.start = internal.trace.now();
        this.span = internal.trace.startOwn(this.method === '_OTHER' ? 'HTTP' : this.method, KIND_CLIENT);
        this.isOver = false;
        this.status = 0;
        this.version = '';
        this.resends = 0;
        if (!this.span._recording) return;
        const { span } = this;
        internal.trace.setAttribute(span, 'http.request.method', this.method);
        if (this.method !== method) internal.trace.setAttribute(span, 'http.request.method_original', method);
        internal.trace.setAttribute(span, 'url.full', fullURL(shown));
        internal.trace.setAttribute(span, 'server.address', addressOf(url));
        internal.trace.setAttribute(span, 'server.port', portOf(url));
    }

    /** The head of the response that the program gets. */
    head(status) {
        this.status = status;
        if (!this.span._recording) return;
        internal.trace.setAttribute(this.span, 'http.response.status_code', status);
        if (this.resends > 0) internal.trace.setAttribute(this.span, 'http.request.resend_count', this.resends);
    }

    redirect(status, url) {
        this.resends++;
        if (!this.span._recording) return;
        internal.trace.addEvent(this.span, 'redirect', { 'http.response.status_code': status, 'url.full': fullURL(url) });
    }

    /** An instance of a service has failed before it answered; another one is asked. */
    resent(code, address, port) {
        this.resends++;
        if (!this.span._recording) return;
        internal.trace.addEvent(this.span, 'resend', { 'error.type': code, 'network.peer.address': address, 'network.peer.port': port });
    }

    /** One exchange is over. Ring times, 0: did not happen. */
    facts(dns, connect, tls, firstByte, version, address, port) {
        this.version = version;
        const { span } = this;
        if (!span._recording) return;
        const { eventAt } = internal.trace;
        if (dns > 0) eventAt(span, 'dns', dns);
        if (connect > 0) eventAt(span, 'connect', connect);
        if (tls > 0) eventAt(span, 'tls', tls);
        if (firstByte > 0) eventAt(span, 'first byte', firstByte);
        if (version !== '') internal.trace.setAttribute(span, 'network.protocol.version', version);
        if (address !== '') {
            internal.trace.setAttribute(span, 'network.peer.address', address);
            internal.trace.setAttribute(span, 'network.peer.port', port);
        }
    }

    /** The last there is to tell. @param {string | undefined} type error.type; undefined: the status says */
    end(type, error) {
        if (this.isOver) return;
        this.isOver = true;
        const end = internal.trace.now();
        const errorType = type ?? (this.status >= 400 ? `${this.status}` : undefined);
        const { method, url, status, version } = this;
        // A worker that serves has a board, where the durations of fetches lie next to those of requests; else they are a metric like the program's own.
        const isOnBoard = ops.fetchEnded(
            end - this.start, knownMethods[method] ?? 0, url.protocol === 'https:', status, versions[version] ?? 0, portOf(url), addressOf(url), errorType ?? '');
        if (!isOnBoard) record(this, errorType, end - this.start);
        const { span } = this;
        if (!span._recording) return;
        if (errorType !== undefined) {
            internal.trace.setAttribute(span, 'error.type', errorType);
            let message;
            if (type !== undefined) {
                internal.trace.recordException(span, error);
                message = messageOf(error);
            }
            internal.trace.setStatus(span, { code: 2, message });
        }
        internal.trace.endOwn(span, end);
    }
}
cutOff(Telling);

/** The most telling one: of the cause, when there is one. */
function messageOf(error) {
    try {
        return `${error?.cause?.message ?? error?.message ?? error}`;
    } catch {
        return undefined; // a reason of the user's
    }
}

// ---- Metrics ----

// https://opentelemetry.io/docs/specs/semconv/http/http-metrics/#metric-httpclientrequestduration, and finer ones below: BoardLayout.durationBounds.
const BOUNDARIES = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
// Points that need not be looked for by their attributes again.
const KNOWN_MAX = 256;

let histogram;
let known;

function record(telling, errorType, nanoseconds) {
    if (histogram === undefined) {
        const options = { unit: 's', description: 'Duration of HTTP client requests.', advice: { explicitBucketBoundaries: BOUNDARIES } };
        histogram = internal.otelApi.metrics.getMeter('sidelight').createHistogram('http.client.request.duration', options);
        known = new SafeMap();
    }
    const { url } = telling;
    const key = `${telling.method} ${url.protocol}${url.host}:${url.port} ${telling.status} ${errorType} ${telling.version}`;
    let point = known.get(key);
    if (point === undefined) {
        const attributes = {
            'http.request.method': telling.method, 'server.address': addressOf(url), 'server.port': portOf(url),
            'url.scheme': StringPrototypeSlice(url.protocol, 0, -1),
        };
        if (telling.status !== 0) attributes['http.response.status_code'] = telling.status;
        if (errorType !== undefined) attributes['error.type'] = errorType;
        if (telling.version !== '') attributes['network.protocol.version'] = telling.version;
        point = histogram._point(attributes);
        if (known.size < KNOWN_MAX) known.set(key, point);
    }
    histogram._recordAt(point, nanoseconds / 1e9);
}

let services;

/** docs/finding-services.md */
function countService(outcome, answered, failed) {
    if (internal.trace === undefined || !internal.trace.isEnabled()) return;
    if (services === undefined) {
        const meter = internal.otelApi.metrics.getMeter('sidelight');
        const requests = meter.createCounter('sidelight.fetch.services', { unit: '{request}', description: 'Requests of fetch to services, by what the program got.' });
        const lookups = meter.createCounter('sidelight.fetch.lookups', { unit: '{question}', description: 'Questions about where services are.' });
        services = { __proto__: null, requests, lookups };
    }
    services.requests.add(1, { outcome });
    if (answered > 0) services.lookups.add(answered, { outcome: 'answered' });
    if (failed > 0) services.lookups.add(failed, { outcome: 'failed' });
}

// ---- Propagation ----

/** No line but the one: what a program put into baggage or a trace state must not become another header. */
const SENDABLE = /^[\t\x20-\x7e\x80-\xff]*$/;

const setHeader = {
    set(list, name, value) {
        if (typeof value !== 'string' || RegExpPrototypeExec(SENDABLE, value) === null) return;
        for (let i = 0; i < list.length; i += 2) {
            if (list[i] !== name) continue;
            list[i + 1] = value;
            // A second one of the same name would make it two values.
            for (let k = list.length - 2; k > i; k -= 2) if (list[k] === name) list[k + 1] = undefined;
            return;
        }
        ArrayPrototypePush(list, name, value);
    },
};

/**
 * Writes the context into a list of headers (name, value …; an undefined value is none). What the program set under the same names is replaced, as
 * OpenTelemetry's instrumentations do.
 */
function inject(list, telling) {
    const { trace, propagation } = internal;
    if (trace === undefined) return;
    try {
        const context = trace.activeContext();
        const span = telling === undefined ? context.getValue(trace.SPAN_KEY) : telling.span;
        propagation.injectAs(context, span?.spanContext?.(), list, setHeader);
    } catch {
        // A span, trace state or baggage of the program's own making threw: the request goes out all the same.
    }
}

internal.fetchSpan = {
    /** undefined: there is nobody to tell */
    begin: (method, url, shown = url) => internal.trace !== undefined && internal.trace.isEnabled() ? new Telling(method, url, shown) : undefined,
    inject,
    countService,
};
