// Findings: what is recorded of a refusal, how often, and what the program sees of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import vm from 'node:vm';
import { boot } from './harness.mjs';
import { makeRing } from './serve.mjs';

function start(options = {}) {
    const ring = makeRing();
    const counted = [];
    let time = 0;
    const realm = boot({ ring, now: () => time, ops: () => ({ countFinding: (kind, name) => counted.push(`${kind} ${name}`) }), ...options });
    const { findings } = realm.internal;
    return { ring, realm, findings, counted, advance: (milliseconds) => { time += milliseconds; } };
}

const refuse = (findings, permission, rule, target, reason) => {
    findings.note('violation', permission, rule, target, reason);
    try {
        findings.refuse(permission, reason);
    } catch (error) {
        return error;
    }
    return undefined;
};

test('a refusal is one whatever the program makes of Error', () => {
    for (const spoil of ['Object.freeze(Error)', 'Object.defineProperty(Error, "stackTraceLimit", { set() { throw new RangeError("mine"); }, get() { throw new RangeError("mine"); } })']) {
        const { realm, findings } = start();
        vm.runInContext(spoil, realm.context);
        const error = refuse(findings, 'worker', 'code.workers', '', 'no');
        assert.equal(error.code, 'ERR_ACCESS_DENIED', spoil);
        assert.ok(findings.isRefusal(error));
    }
});

test('of a secret not even the beginning is in the error of an argument, or in what is told of an instrument', () => {
    const secret = 'Sup3rSecretValue77andMuchMoreOfIt0123456789', masked = (text) => text.replaceAll(secret, '*'.repeat(secret.length));
    const realm = boot({ ring: makeRing(), now: () => 0, ops: () => ({ countFinding() {}, masked }) });
    const { Buffer } = realm.internal.builtin('node:buffer'), assertion = realm.internal.builtin('node:assert');
    const before = 'm'.repeat(500), meter = realm.internal.builtin('@opentelemetry/api').metrics.getMeter('m');
    const told = [() => Buffer.alloc(secret), () => assertion.equal(before + secret, 1), () => assertion.equal(1, before + secret)].map((run) => {
        try { return run(); } catch (error) { return error.message; }
    });
    const { _unit, _description } = meter.createCounter('c', { unit: 'm'.repeat(250) + secret, description: 'm'.repeat(250) + secret });
    for (const text of [...told, _unit, _description]) assert.ok(typeof text === 'string' && !text.includes('Sup3'), text);
});

test('a refusal is recorded, counted, an event of the active span, and thrown', () => {
    const { ring, realm, findings, counted } = start();
    const { trace } = realm.internal.builtin('@opentelemetry/api');
    let error;
    trace.getTracer('a').startActiveSpan('asks', (span) => {
        error = refuse(findings, 'network', 'network.allow', 'a.example:443', 'connecting to a.example:443 is not allowed');
        span.end();
    });
    const { findings: [finding], spans: [span] } = ring.read();
    const attributes = {
        'sidelight.finding.kind': 'violation', 'sidelight.policy.permission': 'network', 'sidelight.policy.rule': 'network.allow', 'sidelight.policy.target': 'a.example:443',
    };
    assert.equal(finding.body, 'connecting to a.example:443 is not allowed');
    assert.equal(finding.severity, 13);
    assert.deepEqual(finding.attributes, attributes);
    assert.equal(finding.spanId, span.spanId);
    assert.deepEqual(span.events, [{ name: 'sidelight.violation', attributes }]);
    assert.deepEqual(counted, ['violation network']);
    assert.equal(error.name, 'TypeError');
    assert.equal(error.message, 'connecting to a.example:443 is not allowed');
    assert.equal(error.code, 'ERR_ACCESS_DENIED');
    assert.equal(error.permission, 'network');
    assert.doesNotMatch(error.stack, /27_findings/);
});

test('the class of the error is that of the standard', () => {
    const { findings } = start();
    assert.equal(refuse(findings, 'read', 'files.read', '/etc/passwd', 'no').name, 'Error');
    const exception = refuse(findings, 'crypto', 'crypto', 'AES-GCM', 'no');
    assert.equal(exception.name, 'NotAllowedError');
    assert.equal(exception.permission, 'crypto');
});

test('an audit says it and throws nothing', () => {
    const { ring, findings, counted } = start();
    findings.note('audit', 'read', 'files.read', '/a', 'reading /a would be refused');
    const { findings: [finding] } = ring.read();
    assert.equal(finding.severity, 9);
    assert.equal(finding.attributes['sidelight.finding.kind'], 'audit');
    assert.deepEqual(counted, ['audit read']);
});

test('a limit has its value and its outcome', () => {
    const { ring, findings, counted } = start();
    findings.limit('timers', 1000, 'exceededTimers', 'more than 1000 timers');
    const { findings: [finding] } = ring.read();
    assert.deepEqual(finding.attributes, {
        'sidelight.finding.kind': 'limit', 'sidelight.limit.name': 'timers', 'sidelight.limit.value': 1000, 'sidelight.outcome': 'exceededTimers',
    });
    assert.deepEqual(counted, ['limit timers']);
});

test('the same is told once a second, and at most a hundred in all; counted are all', () => {
    const { ring, findings, counted, advance } = start();
    for (let i = 0; i < 5; i++) findings.note('violation', 'network', 'network.allow', 'a:1', 'no');
    assert.equal(ring.read().findings.length, 1);
    for (let i = 0; i < 500; i++) findings.note('violation', 'network', 'network.allow', `b:${i}`, 'no');
    assert.equal(ring.read().findings.length, 99);
    advance(999);
    findings.note('violation', 'network', 'network.allow', 'a:1', 'no');
    assert.equal(ring.read().findings.length, 0);
    advance(1);
    findings.note('violation', 'network', 'network.allow', 'a:1', 'no');
    assert.equal(ring.read().findings.length, 1);
    assert.equal(counted.length, 507);
});

test('a long target is cut, and the program cannot reach in by what it has patched', () => {
    const { ring, realm, findings } = start();
    vm.runInContext(`
        Object.defineProperty(Object.prototype, 'sidelight.policy.rule', { get() { throw new Error('reached'); }, configurable: true });
        Set.prototype.has = Map.prototype.get = String.prototype.slice = () => { throw new Error('reached'); };
        Error.captureStackTrace = Error.prepareStackTrace = () => { throw new Error('reached'); };`, realm.context);
    const error = refuse(findings, 'environment', 'environment', 'A'.repeat(1000), 'no');
    assert.equal(error.code, 'ERR_ACCESS_DENIED');
    assert.equal(ring.read().findings[0].attributes['sidelight.policy.target'], 'A'.repeat(256));
});
