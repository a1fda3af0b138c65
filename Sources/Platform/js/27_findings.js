'use strict';
// @ts-check
// Findings: what a policy refused, what it would have refused, and limits that were reached. Each is counted, and most become a record of the ring
// (docs/specs/record-format.md, kind 9) and an event of the active span. Nothing of this is reachable by the program, so what a finding says the host says.

const { Error, ErrorCaptureStackTrace, ObjectDefineProperty, SafeSet, SafeWeakSet, StringPrototypeSlice, TypeError } = primordials;
const { DOMException, trace } = internal;

// OTLP severity numbers (https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber).
const severityInfo = 9, severityWarn = 13;

const secondMilliseconds = 1000;
/** Records a second; further findings are counted. */
const perSecondMax = 100;
/** UTF-16 units of what was asked for. */
const targetUnitsMax = 256;

let secondStart = -Infinity;
/** What was recorded in this second. */
const seen = new SafeSet();
/** Permissions and limits among it. */
const kinds = new SafeSet();

/** What an audit has recorded: each need once, however many come at once, since its policy is made of them. */
const needs = new SafeSet();
const needsMax = 4096;

function isNew(need) {
    if (needs.size >= needsMax || needs.has(need)) return false;
    needs.add(need);
    return true;
}

/** Whether a finding about `target` is to be recorded: one a second of each, and not too many in all; but of each kind at least one, so that a flood of one hides no other. */
function isDue(kind, target) {
    const now = internal.now();
    if (now - secondStart >= secondMilliseconds) {
        secondStart = now;
        seen.clear();
        kinds.clear();
    }
    const about = `${kind} ${target}`;
    if ((seen.size >= perSecondMax && kinds.has(kind)) || seen.has(about)) return false;
    kinds.add(kind);
    seen.add(about);
    return true;
}

function activeSpan() {
    try {
        return trace.activeSpan();
    } catch {
        return undefined; // a getter in the program's context
    }
}

function record(kind, severity, sentence, attributes, span = activeSpan()) {
    trace.finding(severity, sentence, attributes, span);
    try {
        if (trace.isOurs(span)) trace.addEvent(span, `sidelight.${kind}`, attributes);
    } catch {
        // The program has written to its span.
    }
}

/**
 * What the policy refused, or with `audit` would have.
 * @param {'violation' | 'audit'} kind
 * @param {string} permission @param {string} rule where in the policy @param {string} target what was asked for @param {string} reason a sentence
 * @param {object} [span] it happened in; the active one
 */
function note(kind, permission, rule, target, reason, span = undefined) {
    ops.countFinding(kind, permission);
    target = StringPrototypeSlice(target, 0, targetUnitsMax);
    if (kind === 'audit' ? !isNew(`${permission} ${rule} ${target}`) : !isDue(permission, target)) return;
    record(kind, kind === 'audit' ? severityInfo : severityWarn, reason, {
        __proto__: null,
        'sidelight.finding.kind': kind, 'sidelight.policy.permission': permission, 'sidelight.policy.rule': rule, 'sidelight.policy.target': target,
    }, span);
}

/**
 * A limit was reached.
 * @param {string} name @param {number | string} value of the limit @param {string} outcome such as exceededCpu @param {string} sentence
 * @param {object} [span] it happened in; the active one
 */
function limit(name, value, outcome, sentence, span = undefined) {
    ops.countFinding('limit', name);
    if (!isDue(`limit ${name}`, '')) return;
    record('limit', severityWarn, sentence, {
        __proto__: null,
        'sidelight.finding.kind': 'limit', 'sidelight.limit.name': name, 'sidelight.limit.value': value, 'sidelight.outcome': outcome,
    }, span);
}

const accessDenied = 'ERR_ACCESS_DENIED';

function define(error, name, value) {
    ObjectDefineProperty(error, name, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
}

/** The error of a refusal, without a stack: a TypeError where Fetch has a network error, a NotAllowedError where Web Crypto has a DOMException, else Node's ERR_ACCESS_DENIED. */
function refusal(permission, reason) {
    const isException = permission === 'crypto' || permission === 'random';
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    const error = isException ? new DOMException(reason, 'NotAllowedError') : permission === 'network' ? new TypeError(reason) : new Error(reason);
    Error.stackTraceLimit = stackTraceLimit;
    if (!isException) define(error, 'code', accessDenied); // of a DOMException it is a number
    define(error, 'permission', permission);
    refusals.add(error);
    return error;
}

/** Errors of refusals, so that a run is known to have ended by one. */
const refusals = new SafeWeakSet();

const isRefusal = (error) => error !== null && typeof error === 'object' && refusals.has(error);

/** An error of somebody else's that is one. */
function mark(error) { refusals.add(error); }

/** Records a violation and throws what the program is to see of it. */
function refuse(permission, rule, target, reason) {
    note('violation', permission, rule, target, reason);
    const error = refusal(permission, reason);
    // Modules are loaded while none of the program's functions runs.
    if (permission !== 'module') ErrorCaptureStackTrace(error, refuse);
    throw error;
}

internal.findings = { note, limit, refusal, refuse, isRefusal, mark };
