'use strict';
// @ts-check
// `scheduled(event, env, ctx)` at the times of cron expressions. Each run is a trace of its own
// (https://opentelemetry.io/docs/specs/semconv/faas/faas-spans/#incoming-invocations); runs may overlap, and one that fails ends nothing but itself.

const { Date, DateNow, DatePrototypeToISOString, JSONParse, TypeError, cutOff } = primordials;
const { nextTime, parse } = internal.cron;
const { serve } = internal;

/** The first argument of the handler. */
class ScheduledEvent {
    #cron;
    #time;
    constructor(key, cron, time) {
        if (key !== secret) throw new TypeError('Illegal constructor');
        this.#cron = cron;
        this.#time = time;
    }
    get type() { return this.#cron && 'scheduled'; }
    /** The expression. */
    get cron() { return this.#cron; }
    /** When the run was due, Unix milliseconds. */
    get scheduledTime() { return this.#time; }
    noRetry() { this.#cron; }
}
const secret = {};
internal.webidl.shapeInterface(ScheduledEvent);

/** One run, now. @param {string} cron @param {number} time when it was due */
function runScheduled(cron, time) {
    const { trace } = internal;
    const { target, environment } = serve.scheduledTarget();
    const before = ops.context();
    const span = trace.startRoot(`scheduled ${cron}`, {
        'faas.trigger': 'timer', 'faas.cron': cron, 'faas.time': DatePrototypeToISOString(new Date(time)),
    });
    ops.setContext(span);
    serve.countRun(1);
    settle(span, target, environment, new ScheduledEvent(secret, cron, time), serve.makeContext({ span }));
    ops.setContext(before);
}

async function settle(span, target, environment, event, context) {
    let failed = 0;
    try {
        const result = target.scheduled(event, environment, context);
        if (result !== undefined) await result;
    } catch (error) {
        failed = 1;
        serve.report(error, span);
    }
    internal.trace.end(span);
    serve.countRun(-1);
    ops.httpScheduled(failed);
}

// A timer looks again at least this often: the wall clock can be set, and a machine can sleep. Milliseconds.
const LOOK_MAX = 60000;

class Task {
    constructor(schedule) {
        this.schedule = schedule;
        this.due = 0;
    }

    plan(now) {
        this.due = nextTime(this.schedule, now);
        this.wait(now);
    }

    wait(now) {
        const left = this.due - now;
        internal.timers.startUnrefed(() => this.look(), left < LOOK_MAX ? left : LOOK_MAX);
    }

    look() {
        const now = DateNow();
        if (now < this.due) {
            this.plan(now); // anew: the clock may have been put back
            return;
        }
        const { due } = this;
        this.plan(now);
        runScheduled(this.schedule.text, due);
    }
}
cutOff(Task);

/**
 * Starts the schedules, in one of the workers only. Throws TypeError when an expression is not valid or there is no handler.
 * @param {string[] | string} crons also as JSON
 */
serve.startSchedules = (crons) => {
    if (typeof crons === 'string') crons = JSONParse(crons);
    const { target } = serve.scheduledTarget();
    if (crons.length > 0 && typeof target.scheduled !== 'function') {
        throw serve.refuseEntry('There are schedules (--cron), but the default export of the entry module has no scheduled function');
    }
    const tasks = [];
    for (let i = 0; i < crons.length; i++) tasks[i] = new Task(parse(crons[i]));
    const now = DateNow();
    const before = ops.context();
    ops.setContext(undefined);
    for (let i = 0; i < tasks.length; i++) tasks[i].plan(now);
    ops.setContext(before);
};
serve.runScheduled = runScheduled;
