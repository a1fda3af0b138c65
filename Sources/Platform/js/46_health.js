'use strict';
// @ts-check
// `health(env, ctx)` of the module that is served: called every so often, each time behind a timer of its own; what it says goes to the board, where the agent
// finds it (docs/health.md). At most one call is under way: one that takes too long is a failure, and as long as it goes on there is no other.
//
// Calls are made every few seconds for as long as the worker lives, so they are no traces: what they do is the child of a span that is not sampled.

const { serve } = internal;

const PASS = 1, WARN = 2, FAIL = 3; // BoardHealth.Status
const REASON_UNITS = 256;
const NAMES = { __proto__: null, pass: PASS, ok: PASS, up: PASS, warn: WARN, fail: FAIL, error: FAIL, down: FAIL };

let interval = 0, limit = 0; // milliseconds
let calls = 0;
let wanted = 0; // the call whose answer is waited for; 0: none
let isUnderWay = false;
let parent; // the context of calls

function say(status, reason) { ops.httpHealth(status, internal.text.cut(reason, REASON_UNITS)); }

const answer = (status, reason) => ({ status, reason });

/** What a call has given means. `undefined` and `true`: all is well. Throws what the program's own getters do. */
function judge(value) {
    if (value === undefined || value === true) return answer(PASS, '');
    if (value === false) return answer(FAIL, '');
    let status, reason = '';
    if (typeof value === 'string') {
        status = value;
    } else if (typeof value === 'object' && value !== null) {
        ({ status } = value);
        reason = `${value.reason ?? value.output ?? ''}`;
    }
    const found = typeof status === 'string' ? NAMES[status] : undefined;
    if (found === undefined) return answer(FAIL, 'health() gave no true, false, pass, warn or fail, and no object with such a status');
    return answer(found, found === PASS ? '' : reason);
}

function call() {
    internal.timers.startUnrefed(call, interval);
    if (isUnderWay) return;
    isUnderWay = true;
    const number = ++calls;
    wanted = number;
    const before = ops.context();
    ops.setContext(parent);
    settle(number);
    ops.setContext(before);
    if (wanted === number) internal.timers.startUnrefed(() => {
        if (claim(number)) say(FAIL, `health() has not answered within ${limit} ms`);
    }, limit);
}

/** Whether this call's answer is still waited for; from now on it is not. */
function claim(number) {
    if (wanted !== number) return false;
    wanted = 0;
    return true;
}

async function settle(number) {
    const { target, environment } = serve.scheduledTarget();
    let found;
    try {
        const value = target.health(environment, serve.makeContext({ span: internal.trace.runSpan }));
        found = judge(value !== null && typeof value === 'object' ? await value : value);
    } catch (error) {
        found = answer(FAIL, internal.errorHeading(error));
    }
    isUnderWay = false;
    if (claim(number)) say(found.status, found.reason);
}

/** @param {number} every @param {number} within milliseconds */
serve.startHealth = (every, within) => {
    interval = every;
    limit = within;
    const { Context, runSpan, spanContext } = internal.trace;
    if (runSpan !== undefined) {
        const { traceId, spanId } = spanContext(runSpan);
        parent = new Context({ spanContext: () => ({ traceId, spanId, traceFlags: 0 }) }, null, null);
    }
    internal.timers.startUnrefed(call, 0);
};
