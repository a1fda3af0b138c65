'use strict';
// @ts-check
// Findings: what a policy refused, what it would have refused, and limits that were reached. Each is counted, and most become a record of the ring
// (docs/specs/record-format.md, kind 9) and an event of the active span. Nothing of this is reachable by the program, so what a finding says the host says.

const { Error, ErrorCaptureStackTrace, ObjectDefineProperty, ObjectGetOwnPropertyDescriptor, SafeSet, SafeWeakSet, StringPrototypeEndsWith, TypeError } = primordials;
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

const isNew = (need) => needs.size < needsMax && !needs.has(need);

/** Whether a finding about `target` is to be recorded: one a second of each, and not too many in all; but of each kind at least one, so that a flood of one hides no other. */
function isDue(kind, target) {
    const now = internal.now();
    if (now - secondStart >= secondMilliseconds) {
        secondStart = now;
        seen.clear();
        kinds.clear();
    }
    return (seen.size < perSecondMax || !kinds.has(kind)) && !seen.has(`${kind} ${target}`);
}

function activeSpan() {
    try {
        return trace.activeSpan();
    } catch {
        return undefined; // a getter in the program's context
    }
}

/**
 * Records what is not in `told` yet, and puts it there: first, since looking at the program's span may lead back here. What was not written is taken out again, so that
 * who is refused where the stack ends, or while the ring is full, has told nothing. Whether it was written.
 */
function recordOnce(told, about, kind, severity, sentence, attributes, span = activeSpan()) {
    let isWritten = false;
    told.add(about);
    try {
        isWritten = trace.finding(severity, sentence, attributes, span);
    } finally {
        if (!isWritten) told.delete(about);
    }
    if (!isWritten) return false;
    try {
        if (trace.isOurs(span)) trace.addEvent(span, `sidelight.${kind}`, attributes);
    } catch {
        // The program has written to its span.
    }
    return true;
}

/**
 * What the policy refused, or with `audit` would have. Counts it; whether it is on record, or need not be.
 * @param {'violation' | 'audit'} kind
 * @param {string} permission @param {string} rule where in the policy @param {string} target what was asked for @param {string} reason a sentence
 * @param {object} [span] it happened in; the active one
 */
function note(kind, permission, rule, target, reason, span = undefined) {
    ops.countFinding(kind, permission);
    try {
        return tell(kind, permission, rule, target, reason, span);
    } catch {
        return false; // the stack's end
    }
}

/** The same without counting it. Whether it is on record, or need not be. */
function tell(kind, permission, rule, target, reason, span = undefined) {
    target = internal.text.cut(target, targetUnitsMax);
    const attributes = {
        __proto__: null,
        'sidelight.finding.kind': kind, 'sidelight.policy.permission': permission, 'sidelight.policy.rule': rule, 'sidelight.policy.target': target,
    };
    if (kind === 'audit') {
        const need = `${permission} ${rule} ${target}`;
        return !isNew(need) || recordOnce(needs, need, kind, severityInfo, reason, attributes, span);
    }
    if (permission === 'code') codeReason = reason;
    if (permission === 'wasm') isWasmRefused = true;
    if (!isDue(permission, target)) return true;
    const isWritten = recordOnce(seen, `${permission} ${target}`, kind, severityWarn, reason, attributes, span);
    if (isWritten) kinds.add(permission);
    return isWritten;
}

/**
 * A limit was reached.
 * @param {string} name @param {number | string} value of the limit @param {string} outcome such as exceededCpu @param {string} sentence
 * @param {object} [span] it happened in; the active one
 */
function limit(name, value, outcome, sentence, span = undefined) {
    ops.countFinding('limit', name);
    const kind = `limit ${name}`;
    if (!isDue(kind, '')) return;
    const attributes = {
        __proto__: null,
        'sidelight.finding.kind': 'limit', 'sidelight.limit.name': name, 'sidelight.limit.value': value, 'sidelight.outcome': outcome,
    };
    if (recordOnce(seen, `${kind} `, 'limit', severityWarn, sentence, attributes, span)) kinds.add(kind);
}

const accessDenied = 'ERR_ACCESS_DENIED';

/** The error of a refusal, without a stack: a TypeError where Fetch has a network error, a NotAllowedError where Web Crypto has a DOMException, else Node's ERR_ACCESS_DENIED. */
function refusal(permission, reason) {
    const isException = permission === 'crypto' || permission === 'random';
    const error = internal.stackless(() => isException ? new DOMException(reason, 'NotAllowedError') : permission === 'network' ? new TypeError(reason) : new Error(reason));
    if (!isException) internal.withCode(error, accessDenied); // of a DOMException it is a number
    ObjectDefineProperty(error, 'permission', { __proto__: null, value: permission, writable: true, enumerable: true, configurable: true });
    refusals.add(error);
    return error;
}

/** Errors of refusals, so that a run is known to have ended by one. */
const refusals = new SafeWeakSet();

/** Where code may not be made V8 throws errors of its own: with the host's reason (Realm.askBeforeCode), and of WebAssembly with these words at their end. */
let codeReason, isWasmRefused = false;
const noWasm = 'Wasm code generation disallowed by embedder';

function isRefusal(error) {
    if (error === null || typeof error !== 'object') return false;
    if (refusals.has(error)) return true;
    let message;
    try {
        message = ObjectGetOwnPropertyDescriptor(error, 'message')?.value;
    } catch {
        return false; // a proxy of the program's
    }
    return typeof message === 'string' && (message === codeReason || isWasmRefused && StringPrototypeEndsWith(message, noWasm));
}

/** An error of somebody else's that is one. */
function mark(error) { refusals.add(error); }

/** Throws what the program is to see of a refusal. */
function refuse(permission, reason) {
    const error = refusal(permission, reason);
    // Modules are loaded while none of the program's functions runs.
    if (permission !== 'module') ErrorCaptureStackTrace(error, refuse);
    throw error;
}

internal.findings = { note, tell, limit, refusal, refuse, isRefusal, mark };
