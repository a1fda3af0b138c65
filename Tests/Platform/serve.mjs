// A worker's server without a network: the platform's JavaScript in Node with a ring, and the ops of the HTTP server as a log.
//
//     const server = serve(`export default { fetch(request) { return new Response('hi'); } }`);
//     const answer = await server.request('GET / HTTP/1.1', { host: 'a' });
import vm from 'node:vm';
import { boot } from './harness.mjs';

const METHODS = ['', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'];
const DATA = 4096, CAPACITY = 1 << 20;

/** An ArrayBuffer as docs/specs/record-format.md has it, and what reads it. */
export function makeRing() {
    const buffer = new ArrayBuffer(DATA + 2 * CAPACITY);
    const u32 = new Uint32Array(buffer), f64 = new Float64Array(buffer), i32 = new Int32Array(buffer), u8 = new Uint8Array(buffer);
    u32[0] = 0x474E5253;
    u32[1] = 1;
    u32[2] = CAPACITY;
    f64[3] = Math.floor(performance.timeOrigin);
    i32[33] = 0x40000000;
    const strings = new Map(), scopes = new Set();
    /** An id that is new. */
    function given(known, id) {
        if (known.has(id)) throw new Error(`id ${id} is given twice`);
        return id;
    }
    const text = (at, count) => Buffer.from(buffer, at, count).toString();
    const hex = (at, count) => Buffer.from(buffer, at, count).toString('hex');

    function inline(state) {
        const count = u32[state.at >> 2];
        const result = text(state.at + 8, count);
        state.at += 8 + (count + 7 & ~7);
        return result;
    }
    const named = (state, ref) => ref === 0 ? inline(state) : ref === 0xFFFFFFFF ? '' : strings.get(ref);

    function value(state, tag) {
        const payload = tag >>> 4;
        switch (tag & 15) {
            case 0: return null;
            case 1: { const result = text(state.at, payload); state.at += payload + 7 & ~7; return result; }
            case 2: return strings.get(payload);
            case 3: return payload === 1;
            case 4: return tag >> 4;
            case 5: case 6: state.at += 8; return f64[(state.at >> 3) - 1];
            case 7: { const result = hex(state.at, payload); state.at += payload + 7 & ~7; return result; }
            case 8: return Array.from({ length: payload }, () => { const t = u32[(state.at >> 2) + 1]; state.at += 8; return value(state, t); });
            default: return attributes(state, payload);
        }
    }

    function attributes(state, count) {
        const result = {};
        for (let i = 0; i < count; i++) {
            const ref = u32[state.at >> 2], tag = u32[(state.at >> 2) + 1];
            state.at += 8;
            const key = named(state, ref);
            result[key] = value(state, tag);
        }
        return result;
    }

    function span(at) {
        const w = at >> 2;
        const state = { at: at + 80 };
        const result = {
            start: f64[(at >> 3) + 1], end: f64[(at >> 3) + 2], traceId: hex(at + 24, 16), spanId: hex(at + 40, 8), parentId: hex(at + 48, 8),
            kind: u8[at + 60], status: u8[at + 61], flags: u8[at + 62], bits: u8[at + 63],
        };
        result.name = named(state, u32[w + 14]);
        if (result.bits & 4) result.message = inline(state);
        if (result.bits & 8) result.traceState = inline(state);
        result.attributes = attributes(state, u32[w + 16] & 0xFFFF);
        result.events = [];
        for (let i = 0; i < u32[w + 16] >>> 16; i++) {
            const at = state.at;
            state.at += 16;
            const name = named(state, u32[(at >> 2) + 2]);
            result.events.push({ name, attributes: attributes(state, u32[(at >> 2) + 3] & 0xFFFF) });
        }
        return result;
    }

    function log(at) {
        const state = { at: at + 48 };
        const body = inline(state);
        return { traceId: hex(at + 16, 16), spanId: hex(at + 32, 8), severity: u8[at + 40], body, attributes: attributes(state, u32[(at >> 2) + 11]) };
    }

    return {
        buffer, u8, f64,
        /** All records since the last call: {spans, starts, logs, errors, findings}. */
        /** @param {{isLenient?: boolean}} [how] lenient: a span that cannot be read is left out, as the agent does with a bad field */
        read({ isLenient = false } = {}) {
            const found = { spans: [], starts: 0, logs: [], errors: [], findings: [] };
            while (u32[16] !== u32[32]) {
                const at = DATA + (u32[32] & CAPACITY - 1);
                const kind = u8[at + 4];
                if (kind === 1) {
                    try {
                        found.spans.push(span(at));
                    } catch (error) {
                        if (!isLenient) throw error;
                    }
                }
                if (kind === 2) strings.set(given(strings, u32[(at >> 2) + 2]), text(at + 16, u32[(at >> 2) + 3]));
                else if (kind === 3) found.starts++;
                else if (kind === 4) found.logs.push(log(at));
                else if (kind === 5) found.errors.push(log(at));
                else if (kind === 9) found.findings.push(log(at));
                else if (kind === 7) scopes.add(given(scopes, u32[(at >> 2) + 2]));
                if (u32[at >> 2] < 8) throw new Error('a record without a length');
                u32[32] += u32[at >> 2];
            }
            return found;
        },
    };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/**
 * @param {string} source of a module whose default export is the handler, as `export default …`; other code may stand before
 * @param {{env?: object, patch?: string, clock?: () => number}} [options]
 */
export function serve(source, options = {}) {
    const ring = makeRing();
    const printed = [];
    const realm = boot({
        ring, print: (fd, text) => printed.push(text), now: options.clock,
        ops: (realm) => ({
            httpRespond(slot, status, statusText, headers, body) {
                const flight = flights.get(slot);
                if (flight === undefined) return 0;
                Object.assign(flight.answer, { status, statusText, headers, body: typeof body === 'string' || body === null ? body : Buffer.from(new Uint8Array(body)) });
                flight.answer.calls.push('respond');
                if (server.slow) return 0;
                flight.done('whole');
                return 1;
            },
            httpHead(slot, status, statusText, headers, length) {
                const flight = flights.get(slot);
                Object.assign(flight.answer, { status, statusText, headers, length, chunks: [] });
                flight.answer.calls.push('head');
            },
            httpWrite(slot, chunk) {
                const flight = flights.get(slot);
                if (flight === undefined) return -1;
                flight.answer.chunks.push(typeof chunk === 'string' ? chunk : Buffer.from(new Uint8Array(chunk)).toString('latin1'));
                flight.answer.calls.push('write');
                return server.full ? 0 : 1;
            },
            httpEnd(slot) {
                const flight = flights.get(slot);
                flight.answer.calls.push('end');
                if (server.slow) return 0;
                flight.done('whole');
                return 1;
            },
            httpAbort(slot) { flights.get(slot)?.answer.calls.push('abort'); flights.get(slot)?.done('aborted'); },
            httpContinue() {},
            httpRead(slot) {
                const flight = flights.get(slot);
                setImmediate(() => hooksEnter(() => {
                    const next = flight.body.shift();
                    if (next === undefined) realm.internal.serve.bodyEnd(slot);
                    else if (next instanceof Error) realm.internal.serve.bodyError(slot, next.message, next.status ?? 400);
                    else realm.internal.serve.bodyChunk(slot, realm.own(Buffer.from(next)));
                }));
            },
            httpEnding() {},
            httpOutlived(slot) {
                server.outlived.push([slot]);
                return 900 + slot;
            },
            httpHandlerEnded(slot, place) { server.outlived.push([slot, place]); },
            httpOwner() {},
            httpNote() {},
            httpNoteText: () => '',
            httpHealth(status, reason) { server.health.push([status, reason]); },
            httpScheduled() {},
            httpRoute(slot, route) { flights.get(slot).answer.route = route; },
            httpErrorType(slot, type) { flights.get(slot).answer.errorType = type; },
            httpAttributes(slot, at, limit) {
                // url.path as an inline key.
                const key = 'url.path', path = flights.get(slot)?.path ?? '/over';
                const view = new Int32Array(ring.buffer);
                view[at >> 2] = 0;
                view[(at >> 2) + 1] = path.length << 4 | 1;
                view[(at >> 2) + 2] = key.length;
                view[(at >> 2) + 3] = 0;
                ring.u8.set(Buffer.from(key), at + 16);
                ring.u8.set(Buffer.from(path), at + 24);
                cells[13] = 1;
                const next = at + 24 + (path.length + 7 & ~7);
                return next <= limit ? next : -1;
            },
        }),
    });
    const flights = new Map();
    const buffer = vm.runInContext('new ArrayBuffer(256)', realm.context);
    const cells = new Int32Array(buffer), cellsF = new Float64Array(buffer);
    realm.internal.serve.start(buffer, JSON.stringify({ authority: 'localhost:3000' }));
    const hooksEnter = (run) => {
        realm.ops.setContext(undefined);
        run();
    };
    const imports = `const { setRoute } = __internal.builtin('sidelight'); const otel = __internal.builtin('@opentelemetry/api');
        const { trace, context, propagation } = otel; const { AsyncLocalStorage } = __internal.builtin('node:async_hooks');`;
    const load = (text) => vm.runInContext(`(function (__internal) { ${imports}\n ${text.replace('export default', 'return')}\n})`, realm.context)(realm.internal);
    let exported;
    let lastSlot = 0;
    const server = {
        realm, ring, printed, cells, slow: false, full: false, flights, outlived: [], health: [],
        install(value) { return realm.internal.serve.install(value, options.env ?? {}); },
        /** Starts a request; `answer.ended` is a promise. */
        begin(line, headers = {}, given = {}) {
            const [method, target] = line.split(' ');
            const slot = given.slot ?? ++lastSlot % 64;
            const answer = { slot, calls: [], status: undefined };
            let settle;
            answer.ended = new Promise((resolve) => { settle = resolve; });
            const flight = {
                answer, path: target, body: [...(given.body ?? [])],
                done(how) { answer.how = how; setImmediate(() => { if (flights.get(slot) === flight) flights.delete(slot); settle(answer); }); },
            };
            flights.set(slot, flight);
            cells.set(given.trace ?? [1, 2, 3, 4, 100 + slot, 7, 0, 0]);
            cells[8] = (given.bits ?? 1) | (given.body !== undefined ? 16 : 0);
            cells[12] = Math.max(0, METHODS.indexOf(method));
            cellsF[5] = 1000;
            let head = `${method} ${target}\n`;
            for (const [name, value] of Array.isArray(headers) ? headers : Object.entries(headers)) head += `${name}\n${value}\n`;
            answer.finish = (code, status) => {
                hooksEnter(() => realm.internal.serve.ended(slot, code, status));
                flight.done(code === 0 ? 'whole' : 'left');
            };
            hooksEnter(() => realm.internal.serve.dispatch(slot, head));
            return answer;
        },
        async request(...args) {
            const answer = server.begin(...args);
            await answer.ended;
            const records = ring.read();
            return Object.assign(answer, { records, span: records.spans.find((span) => span.kind === 2) });
        },
        drained(slot) { hooksEnter(() => realm.internal.serve.drained(slot)); },
        evaluate: (text) => vm.runInContext(text, realm.context),
        turn, read: () => ring.read(),
    };
    exported = load(source);
    server.exported = exported;
    if (options.install !== false) server.install(exported);
    if (options.patch !== undefined) vm.runInContext(options.patch, realm.context);
    return server;
}
