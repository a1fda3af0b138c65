// Limits that the platform's JavaScript enforces (11_limits.js): what the program sees, what the client gets, and what is recorded.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boot } from './harness.mjs';
import { makeRing, serve } from './serve.mjs';

const counts = () => {
    const counted = {};
    return { counted, count: (kind, name) => { counted[name] = (counted[name] ?? 0) + 1; } };
};

function limited(limits, body, options = {}) {
    const server = serve(`export default { async fetch(request) { ${body} } }`, options);
    const { counted, count } = counts();
    server.realm.ops.countFinding = count;
    server.realm.internal.limits.start(limits);
    return Object.assign(server, { counted });
}

const outcomeOf = ({ span }) => span.attributes['sidelight.outcome'];
const host = { host: 'a' };

test('timers: the one too many throws, and a cleared one makes room', async () => {
    const server = limited({ timers: 3 }, `
        const errors = [];
        const tried = (make) => { try { return make(); } catch (error) { errors.push(error.name + ' ' + (error instanceof DOMException)); } };
        const ids = [1, 2, 3, 4].map(() => tried(() => setTimeout(() => {}, 1e6)));
        const immediates = [1, 2, 3, 4].map(() => tried(() => setImmediate(() => {})));
        clearTimeout(ids[0]);
        ids.push(tried(() => setInterval(() => {}, 1e6)));
        for (const id of ids) clearTimeout(id);
        for (const id of immediates) clearImmediate(id);
        return new Response(errors.join());`);
    const answer = await server.request('GET /', host);
    assert.equal(answer.body, 'QuotaExceededError true,QuotaExceededError true');
    assert.equal(answer.status, 200);
    assert.equal(outcomeOf(answer), 'exceededTimers');
    assert.deepEqual(server.counted, { timers: 2 });
    const [finding] = answer.records.findings;
    assert.equal(finding.attributes['sidelight.limit.value'], 3);
    assert.equal(finding.spanId, answer.span.spanId);
});

test('an error of a limit that nobody catches is a 503', async () => {
    const server = limited({ timers: 1 }, 'const id = setTimeout(() => {}, 1e6); try { setTimeout(() => {}, 1e6); } finally { clearTimeout(id); }');
    const answer = await server.request('GET /', host);
    assert.equal(answer.status, 503);
    assert.equal(answer.errorType, 'exceededTimers');
    assert.equal(answer.span.attributes['error.type'], 'exceededTimers');
    assert.equal(answer.span.attributes['http.response.status_code'], 503);
});

test('requests in flight: the program does not hear of one too many', async () => {
    const server = limited({ requests: 2 }, `if (request.url.endsWith('/seen')) globalThis.seen = true; await new Promise((done) => { (globalThis.waiting ??= []).push(done); }); return new Response('x');`);
    const first = server.begin('GET /1', host), second = server.begin('GET /2', host);
    const third = await server.request('GET /seen', host);
    assert.equal(third.status, 503);
    assert.equal(outcomeOf(third), 'exceededRequests');
    assert.equal(server.evaluate('globalThis.seen'), undefined);
    server.evaluate('globalThis.waiting.forEach((done) => done())');
    await Promise.all([first.ended, second.ended]);
    assert.equal(server.realm.internal.serve.idle(), 0);
    const answer = server.begin('GET /4', host);
    await server.turn();
    server.evaluate('globalThis.waiting.forEach((done) => done())');
    await answer.ended;
    assert.equal(answer.status, 200);
});

test('subrequests are counted by the request that they are for', async () => {
    const server = limited({ subrequests: 2 }, `
        const said = [];
        for (let i = 0; i < 4; i++) await fetch('http://a.test/').catch((error) => said.push(error.name + ' ' + error.cause.code));
        return new Response(said.join());`);
    let sent = 0;
    server.realm.ops.fetchStart = (id) => {
        sent++;
        setImmediate(() => server.realm.internal.fetch.fail(id, 'network', 'gone', 0, 0, 0, 0, '', '', 0));
        return true;
    };
    for (const _ of [1, 2]) {
        const answer = await server.request('GET /', host);
        assert.equal(answer.body, 'TypeError network,TypeError network,TypeError ERR_LIMIT_EXCEEDED,TypeError ERR_LIMIT_EXCEEDED');
        assert.equal(outcomeOf(answer), 'exceededSubrequests');
    }
    assert.equal(sent, 4);
});

/** Answers each request of fetch with a failure, and says how many there were. */
function refusing(server) {
    const seen = { sent: 0 };
    server.realm.ops.fetchStart = (id) => {
        seen.sent++;
        setImmediate(() => server.realm.internal.fetch.fail(id, 'network', 'gone', 0, 0, 0, 0, '', '', 0));
        return true;
    };
    return seen;
}

test('subrequests under the root context are the request\'s, and those of no request may be as many in a second', async () => {
    const flood = 'for (let i = 0; i < 4; i++) await fetch("http://a.test/").catch((error) => said.push(error.cause.code));';
    const server = limited({ subrequests: 2 }, `
        const said = [];
        await otel.context.with(otel.ROOT_CONTEXT, async () => { ${flood} });
        return new Response(said.join());`);
    const seen = refusing(server);
    for (const _ of [1, 2]) {
        const answer = await server.request('GET /', host);
        assert.equal(answer.body, 'network,network,ERR_LIMIT_EXCEEDED,ERR_LIMIT_EXCEEDED');
        assert.equal(outcomeOf(answer), 'exceededSubrequests');
    }
    assert.equal(seen.sent, 4);
    let time = 1e6;
    server.realm.internal.now = () => time;
    const outside = () => server.evaluate(`(async () => { const said = []; ${flood} return said.join(); })()`);
    assert.equal(await outside(), 'network,network,ERR_LIMIT_EXCEEDED,ERR_LIMIT_EXCEEDED');
    assert.equal(await outside(), 'ERR_LIMIT_EXCEEDED,ERR_LIMIT_EXCEEDED,ERR_LIMIT_EXCEEDED,ERR_LIMIT_EXCEEDED');
    time += 1000;
    assert.equal(await outside(), 'network,network,ERR_LIMIT_EXCEEDED,ERR_LIMIT_EXCEEDED');
});

test('a message belongs to the request that it is sent for, and to none once that is over', async () => {
    const server = limited({}, 'globalThis.post(request.url); await new Promise((done) => { globalThis.done = done; }); return new Response("x");');
    const { internal, ops } = server.realm;
    const { put, take } = internal.messageContext;
    const cells = new Int32Array(8), other = new Int32Array(8);
    server.evaluate('globalThis').post = (url) => {
        const { context, ROOT_CONTEXT } = internal.builtin('@opentelemetry/api');
        if (url.endsWith('/root')) context.with(ROOT_CONTEXT, () => put(cells));
        else put(cells);
        ops.setContext(undefined);
        put(other);
    };
    for (const path of ['/', '/root']) {
        const answer = server.begin(`GET ${path}`, host);
        assert.notEqual(cells[7], 0, path);
        assert.equal(other[7], 0);
        const context = take(cells);
        assert.equal(internal.serve.current(context)?.slot, cells[7] & 0xfffff);
        assert.equal(internal.serve.numberIn(context), cells[7]);
        server.evaluate('done()');
        await answer.ended;
        assert.equal(internal.serve.storesFor(cells[7]), null);
        assert.equal(internal.serve.numberIn(context), 0);
    }
});

test('a fetch that failed is told of whatever the program makes of `code`', async () => {
    for (const spoil of ["Error.prototype.code = 'x'; Object.freeze(Error.prototype)", "Object.defineProperty(Error.prototype, 'code', { set() { throw 1; } })"]) {
        const server = limited({}, 'return new Response(await fetch("http://a.test/").catch((error) => error.cause.code));');
        refusing(server);
        server.evaluate(spoil);
        assert.equal((await server.request('GET /', host)).body, 'network', spoil);
    }
});

test('fetches at once', async () => {
    const server = limited({ fetches: 2 }, `
        const all = await Promise.allSettled([1, 2, 3].map(() => fetch('http://a.test/')));
        return new Response(all.map(({ reason }) => reason.cause.code).join());`);
    server.realm.ops.fetchStart = (id) => {
        setImmediate(() => server.realm.internal.fetch.fail(id, 'network', 'gone', 0, 0, 0, 0, '', '', 0));
        return true;
    };
    assert.equal((await server.request('GET /', host)).body, 'network,network,ERR_LIMIT_EXCEEDED');
});

test('responses: a whole one that is too long is a 503, one in pieces is cut', async () => {
    const server = limited({ response: 10 }, `
        const [, kind, size] = new URL(request.url).pathname.split('/');
        if (kind === 'text') return new Response('x'.repeat(size));
        if (kind === 'wide') return new Response('\\u20ac'.repeat(size));
        if (kind === 'bytes') return new Response(new Uint8Array(+size));
        return new Response(new ReadableStream({ start(c) { for (let i = 0; i < size; i++) c.enqueue(new Uint8Array(1)); c.close(); } }));`);
    for (const path of ['/text/10', '/wide/3', '/bytes/10']) assert.equal((await server.request(`GET ${path}`, host)).status, 200, path);
    for (const path of ['/text/11', '/wide/4', '/bytes/11']) {
        const answer = await server.request(`GET ${path}`, host);
        assert.equal(answer.status, 503, path);
        assert.equal(outcomeOf(answer), 'exceededResponse');
    }
    assert.equal((await server.request('GET /stream/10', host)).how, 'whole');
    const cut = await server.request('GET /stream/11', host);
    assert.equal(cut.how, 'aborted');
    assert.equal(outcomeOf(cut), 'exceededResponse');
});

test('a stack that is full is an outcome, and a 503 where it has a limit', async () => {
    const body = 'const f = () => f() + 1; return new Response(f());';
    for (const [limits, status] of [[{}, 500], [{ stack: 1 << 18 }, 503]]) {
        const answer = await limited(limits, body).request('GET /', host);
        assert.equal(answer.status, status);
        assert.equal(outcomeOf(answer), 'exceededStack');
    }
    const forged = await limited({}, "throw { __proto__: RangeError.prototype, get message() { throw 1; } };").request('GET /', host);
    assert.equal(outcomeOf(forged), undefined);
});

test('records above the rate are left out, counted and told of once', () => {
    let time = 0;
    const ring = makeRing();
    const { counted, count } = counts();
    const realm = boot({ ring, now: () => time, ops: () => ({ countFinding: count }) });
    realm.internal.limits.start({ 'logs-per-second': 5, 'spans-per-second': 5 });
    const tracer = realm.internal.builtin('@opentelemetry/api').trace.getTracer('t');
    for (let i = 0; i < 20; i++) realm.internal.trace.log(9, 'x');
    for (let i = 0; i < 20; i++) {
        tracer.startActiveSpan('outer', (span) => {
            assert.equal(span.isRecording(), i < 3);
            tracer.startSpan('inner').end();
            span.end();
        });
    }
    const { logs, spans, findings } = ring.read();
    assert.equal(logs.length, 5);
    assert.deepEqual(spans.map(({ name }) => name), ['inner', 'outer', 'inner', 'outer', 'outer']);
    assert.equal(counted['logs-per-second'], 15);
    assert.ok(counted['spans-per-second'] >= 17);
    assert.deepEqual(findings.map(({ attributes }) => attributes['sidelight.limit.name']), ['logs-per-second', 'spans-per-second']);
    time = 1000;
    realm.internal.trace.log(9, 'x');
    assert.equal(ring.read().logs.length, 1, 'another second');
});

test('an error is one record, and fails its span where the record is left out', () => {
    const ring = makeRing();
    const realm = boot({ ring, now: () => 0, ops: () => ({ countFinding() {} }) });
    realm.internal.limits.start({ 'logs-per-second': 2 });
    const tracer = realm.internal.builtin('@opentelemetry/api').trace.getTracer('t');
    for (let i = 0; i < 3; i++) {
        tracer.startActiveSpan('failing', (span) => {
            realm.internal.trace.error(new Error('no'), span);
            span.end();
        });
    }
    const { errors, spans } = ring.read();
    assert.equal(errors.length, 2);
    assert.deepEqual(spans.map(({ status }) => status), [2, 2, 2]);
});

for (const [name, body, limit] of [
    ['a memory of WebAssembly', 'throw new RangeError("WebAssembly.Memory(): could not allocate memory");', 'wasm-memory'],
    ['an instance', 'throw new RangeError("WebAssembly.Instance(): Out of memory: Cannot allocate Wasm memory for new instance");', 'wasm-memory'],
    ['a message', 'throw new DOMException("the message is larger than its limit of 10 bytes", "DataCloneError");', 'clone-bytes'],
]) {
    test(`${name} that is too large: 503, the outcome and a finding where nobody catches it`, async () => {
        const server = limited({ [limit]: 10 }, body);
        const answer = await server.request('GET /', host);
        assert.equal(answer.status, 503);
        assert.equal(outcomeOf(answer), 'exceededMemory');
        assert.deepEqual(server.counted, { [limit]: 1 });
        assert.equal(answer.records.findings[0].attributes['sidelight.limit.value'], 10);
        const unlimited = await limited({}, body).request('GET /', host);
        assert.equal(unlimited.status, 500);
    });
}

test('a module too many: 503; the loader has told of it', async () => {
    const server = limited({ modules: 1 }, "throw __internal.limits.mark(new Error('x'), 'exceededModules');");
    const answer = await server.request('GET /', host);
    assert.deepEqual([answer.status, answer.errorType, server.counted], [503, 'exceededModules', {}]);
});

test('what only looks like a limit is an error of the program, and says nothing in the name of the host', async () => {
    for (const error of [
        "Object.assign(new Error('x'), { code: 'ERR_LIMIT_EXCEEDED' })",
        "Object.assign(new Error('the message is larger than its limit of 10 bytes; and then\\nsomething else'), { name: 'DataCloneError' })",
    ]) {
        const server = limited({ modules: 1, 'clone-bytes': 10 }, `throw ${error};`);
        const answer = await server.request('GET /', host);
        assert.deepEqual([answer.status, server.counted, answer.records.findings], [500, {}, []], error);
    }
    const unlimited = limited({}, "throw Object.assign(new Error('the message is larger than its limit of Infinity bytes'), { name: 'DataCloneError' });");
    const answer = await unlimited.request('GET /', host);
    assert.deepEqual([answer.status, unlimited.counted, answer.records.findings], [500, {}, []]);
});

test('error.type is the limit, not the status of the answer', async () => {
    const server = limited({ response: 10 }, "return new Response('x'.repeat(11));");
    const answer = await server.request('GET /', host);
    assert.deepEqual([answer.status, answer.errorType, answer.span.attributes['error.type']], [503, 'exceededResponse', 'exceededResponse']);
});

test('without limits nothing is limited', async () => {
    const server = limited({}, "for (let i = 0; i < 5000; i++) clearTimeout(setTimeout(() => {}, 1e6)); return new Response('x'.repeat(1e6));");
    const answer = await server.request('GET /', host);
    assert.equal(answer.body.length, 1e6);
    assert.deepEqual(server.counted, {});
});
