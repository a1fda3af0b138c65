// Spans that the program has spoilt: their fields are properties like others. Nothing but such a span may suffer from it: no record is written into another, what is
// refused meanwhile is told, and a request gets its answer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boot } from './harness.mjs';
import { makeRing, serve } from './serve.mjs';

function start() {
    const ring = makeRing();
    const counted = [];
    const realm = boot({ ring, now: () => 1, ops: () => ({ countFinding: (kind, name) => counted.push(`${kind} ${name}`) }) });
    const { findings, builtin } = realm.internal;
    const { trace } = builtin('@opentelemetry/api');
    let targets = 0;
    const refuse = () => {
        try {
            findings.note('violation', 'code', 'code.eval', `${targets++}`, 'no code of strings');
            findings.refuse('code', 'no code of strings');
        } catch {
            // What the program sees.
        }
    };
    return { ring, realm, counted, trace, tracer: trace.getTracer('a'), refuse };
}

const fields = [
    '_recording', '_head', '_scope', '_name', '_step', '_trace', '_s0', '_s1', '_p0', '_p1', '_start0', '_start1', '_attributes', '_events', '_rare', '_values', '_stores', '_native',
];

function attempt(body) {
    try {
        body();
    } catch {
        // The program's own exception.
    }
}

test('a value that is asked for its number writes nothing into the record', () => {
    const { ring, tracer, refuse } = start();
    const span = tracer.startSpan('outer');
    span.setAttribute('pad', 'p'.repeat(2000));
    let isDone = false;
    span._scope = { valueOf() {
        if (!isDone) refuse();
        isDone = true;
        return 1;
    } };
    span.end();
    const { findings, spans } = ring.read();
    assert.equal(findings.length, 1);
    assert.equal(spans.length, 1);
});

test('a getter that throws leaves the ring to the next', () => {
    const { ring, tracer } = start();
    const span = tracer.startSpan('outer');
    Object.defineProperty(span, '_s0', { get() { throw new Error('mine'); } });
    attempt(() => span.end());
    tracer.startSpan('after').end();
    assert.deepEqual(ring.read().spans.map(({ name }) => name), ['after']);
});

test('more findings than are kept aside are counted', () => {
    const { ring, counted, tracer, refuse } = start();
    const span = tracer.startSpan('outer');
    span._scope = { valueOf() {
        for (let i = 0; i < 80; i++) refuse();
        return 1;
    } };
    span.end();
    assert.equal(ring.read().findings.length, 64);
    assert.equal(counted.length, 80);
});

test('the list that all spans share spoils spans only', () => {
    const { ring, realm, tracer, refuse } = start();
    refuse();
    const names = Object.keys(ring.read().findings[0].attributes);
    const list = tracer.startSpan('a')._attributes;
    for (const first of [5, { valueOf() { throw new Error('mine'); } }, { valueOf() { refuse(); return 1; } }]) {
        list[0] = first;
        refuse();
        realm.internal.trace.log(9, 'said');
        realm.internal.trace.log(9, 'said', { nested: { a: 1 } });
        attempt(() => tracer.startSpan('b').end());
        const { findings, logs } = ring.read();
        assert.deepEqual(Object.keys(findings[0].attributes), names);
        assert.deepEqual(logs.map(({ attributes }) => attributes), [{}, { nested: { a: 1 } }]);
    }
});

test('where the stack ends, a record that is lost takes no other with it', () => {
    const { ring, realm, counted, tracer } = start();
    const { findings, trace, metrics } = realm.internal;
    const meter = realm.internal.builtin('@opentelemetry/api').metrics.getMeter('m');
    let texts = 0;
    const attempts = {
        log: () => trace.log(9, `text ${texts++}`, { [`key ${texts}`]: `a value of its own ${texts}` }),
        span: () => { const span = tracer.startSpan(`name ${texts++}`); span.setAttribute(`k${texts}`, 'v'); span.end(); },
        scope: () => realm.internal.builtin('@opentelemetry/api').trace.getTracer(`scope ${texts++}`).startSpan('s').end(),
        finding: () => findings.note('violation', 'code', 'code.eval', 'one and the same', 'no code of strings'),
        metric: () => { meter.createCounter(`c${texts++}`).add(1); metrics.collect(); },
    };
    for (const [name, body] of Object.entries(attempts)) {
        for (let locals = 0; locals < 60; locals += 3) {
            // Frames of many sizes, so that the stack ends in each call of what is tried.
            const names = Array.from({ length: locals }, (_, i) => `v${i}`);
            const dive = new Function('body', ...names, `try { return arguments.callee(body${names.map((each) => `, ${each}`).join('')}); } catch { try { body(); } catch {} return 0; }`);
            dive(body);
            ring.read();
            const before = counted.length;
            findings.note('violation', 'code', 'code.eval', `${name} ${locals}`, 'no code of strings');
            trace.log(9, 'afterwards');
            const { findings: told, logs } = ring.read();
            assert.equal(counted.length, before + 1);
            assert.ok(told.some((each) => each.attributes['sidelight.policy.target'] === `${name} ${locals}`), `${name} ${locals}`);
            assert.ok(logs.some(({ body }) => body === 'afterwards'), `${name} ${locals}`);
        }
    }
});

test('a finding that there was no stack for is told when there is', () => {
    const { ring, realm } = start();
    const { findings } = realm.internal;
    let wasTold = false;
    const dive = () => {
        try {
            dive();
        } catch {
            try {
                wasTold ||= findings.note('violation', 'code', 'code.eval', 'x', 'no');
            } catch {
                // No stack for this either.
            }
            if (!wasTold) throw new Error('the next frame tries');
        }
    };
    dive();
    assert.ok(wasTold);
    const { findings: told } = ring.read();
    assert.deepEqual(told.map(({ attributes }) => attributes['sidelight.policy.target']), ['x']);
    assert.equal(Object.keys(told[0].attributes).length, 4);
});

const host = { host: 'example.com' };

test('a request is answered, and an error is a 500, whatever its span is made of', async () => {
    const server = serve(`export default { fetch(request) {
        spoil(trace.getActiveSpan());
        if (request.url.endsWith('fails')) throw new Error('mine');
        return new Response('b');
    } }`);
    const { context, internal } = server.realm;
    context.trace = internal.builtin('@opentelemetry/api').trace;
    const throws = { get() { throw new Error('mine'); }, set() { throw new Error('mine'); } };
    const spoilers = { frozen: Object.freeze, sealed: Object.seal };
    for (const field of fields) {
        spoilers[`getter at ${field}`] = (span) => Object.defineProperty(span, field, throws);
        spoilers[`null at ${field}`] = (span) => { span[field] = null; };
    }
    for (const what in spoilers) {
        context.spoil = spoilers[what];
        assert.equal((await server.request('GET /', host)).status, 200, what);
        assert.equal((await server.request('GET /fails', host)).status, 500, what);
    }
    assert.equal(internal.serve.idle(), 0);
});
