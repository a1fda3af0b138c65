'use strict';
// @ts-check
// Timers (https://html.spec.whatwg.org/multipage/timers-and-user-prompts.html#timers), setImmediate as Node has it, and microtasks
// (https://html.spec.whatwg.org/#microtask-queuing).
//
// The host has one timer. All of ours lie in a binary heap by (due time, sequence); a timer knows its place, so clearing one takes it out at once and a
// server that clears a time limit per request keeps no garbage. Each callback runs in the context that was current when its timer was made.

const { ArrayPrototypePop, ArrayPrototypePush, Error, Number, ObjectDefineProperty, Promise, ReflectApply, SafeMap, SymbolFor, cutOff } = primordials;
const { limits, refusal } = internal.limits;
const { defineGlobalFunction, requireArguments } = internal.webidl;

const delayMax = 2147483647; // ms; a longer delay is as good as none, as everywhere

class Timer {
    constructor(id, callback, args, delay, repeats, ref) {
        this.id = id;
        this.callback = callback;
        this.args = args; // undefined when there are none
        this.delay = delay;
        this.repeats = repeats;
        this.ref = ref; // keeps the loop alive
        this.context = ops.context();
        this.due = 0;
        this.sequence = 0;
        this.place = -1; // in the heap; -1: not in it
    }
}
cutOff(Timer);

const heap = [];
const byId = new SafeMap();
let lastId = 0;
let lastSequence = 0;
let armedFor = Infinity; // when the host will call run
let refs = 0; // ref'ed timers and immediates; the host hears of it only when that becomes or ceases to be 0

function addRef() {
    if (refs++ === 0) ops.refCount(1);
}

function dropRef() {
    if (--refs === 0) ops.refCount(-1);
}

// ---- The heap ----

function before(a, b) {
    return a.due < b.due || (a.due === b.due && a.sequence < b.sequence);
}

function siftUp(timer, place) {
    while (place > 0) {
        const above = (place - 1) >> 1;
        const parent = heap[above];
        if (!before(timer, parent)) break;
        heap[place] = parent;
        parent.place = place;
        place = above;
    }
    heap[place] = timer;
    timer.place = place;
}

function siftDown(timer, place) {
    const size = heap.length;
    for (;;) {
        let below = 2 * place + 1;
        if (below >= size) break;
        if (below + 1 < size && before(heap[below + 1], heap[below])) below++;
        const child = heap[below];
        if (!before(child, timer)) break;
        heap[place] = child;
        child.place = place;
        place = below;
    }
    heap[place] = timer;
    timer.place = place;
}

function insert(timer, due) {
    timer.due = due;
    timer.sequence = ++lastSequence;
    ArrayPrototypePush(heap, timer);
    siftUp(timer, heap.length - 1);
}

function remove(timer) {
    const { place } = timer;
    if (place < 0) return;
    timer.place = -1;
    const last = ArrayPrototypePop(heap);
    if (last === timer) return;
    if (place > 0 && before(last, heap[(place - 1) >> 1])) siftUp(last, place); else siftDown(last, place);
}

// ---- Making and clearing ----

/** A whole number of milliseconds from 1 to delayMax, from whatever the caller gave. */
function toDelay(value) {
    const delay = Number(value);
    if (!(delay >= 1)) return 1; // also NaN
    return delay > delayMax ? 1 : delay - delay % 1;
}

function start(callback, args, delay, repeats, ref) {
    if (typeof callback !== 'function') {
        const what = typeof callback === 'string' ? 'a string: code as text is not run, pass a function' : internal.inspect(callback);
        throw internal.typeError(`The "callback" argument must be of type function. Received ${what}`, 'ERR_INVALID_ARG_TYPE');
    }
    if (byId.size >= limits.timers) throw tooMany();
    const timer = new Timer(++lastId, callback, args.length === 0 ? undefined : args, toDelay(delay), repeats, ref);
    byId.set(timer.id, timer);
    if (ref) addRef();
    const now = internal.now();
    insert(timer, now + timer.delay);
    arm(now);
    return timer.id;
}

const tooMany = () => refusal('timers', 'exceededTimers', `Too many timers: the limit is ${limits.timers} at once`);

/** @param {unknown} id what setTimeout or setInterval gave; anything else does nothing */
function clear(id) {
    if (typeof id === 'string') id = Number(id);
    const timer = byId.get(id);
    if (timer !== undefined) forget(timer);
}

function forget(timer) {
    remove(timer);
    if (byId.delete(timer.id) && timer.ref) dropRef();
}

function arm(now) {
    const due = heap.length === 0 ? Infinity : heap[0].due;
    if (due === armedFor) return;
    armedFor = due;
    ops.timerWake(due === Infinity ? -1 : due > now ? due - now : 0);
}

// ---- Running ----

/**
 * The host's timer has come. Runs what is due, microtasks after each; timers made meanwhile wait for the next turn. An exception of a callback passes
 * through to the host, which reports it with its place, in the callback's context; what is left is armed for again before.
 */
function run() {
    armedFor = Infinity;
    const now = internal.now();
    const lastOfTurn = lastSequence;
    const context = ops.context();
    try {
        while (heap.length > 0) {
            const timer = heap[0];
            if (timer.due > now || timer.sequence > lastOfTurn) break;
            remove(timer);
            if (!timer.repeats) forget(timer);
            if (now - timer.due > lateMin) tellLate(timer);
            internal.serve?.goesOn(timer.context);
            ops.setContext(timer.context);
            internal.uncaughtContext = timer.context;
            try {
                call(timer);
                internal.uncaughtContext = undefined;
            } finally {
                if (timer.repeats && byId.has(timer.id)) insert(timer, internal.now() + timer.delay);
            }
            // V8 10.2 leaves the context as it is for a reaction that was made in none, so what runs next must not find the timer's.
            ops.setContext(context);
            ops.runMicrotasks();
        }
    } finally {
        ops.setContext(context);
        arm(internal.now());
    }
}

const lateMin = 50; // ms

/** Something kept the loop from running it: an event of the span that was active when it was made, if that still records. */
function tellLate(timer) {
    const { trace } = internal;
    const span = trace?.recordingSpan(timer.context);
    if (span === undefined) return;
    const now = trace.now();
    trace.eventAt(span, 'timer late', now, { 'sidelight.timer.delay': timer.delay / 1e3, 'sidelight.timer.late': now / 1e9 - timer.due / 1e3 });
}

function call(timer) {
    const { callback, args } = timer;
    if (args === undefined) ReflectApply(callback, globalThis, []);
    else ReflectApply(callback, globalThis, args);
}

// ---- setImmediate ----

let immediates = [];
let lastImmediate = 0;

class Immediate {
    constructor(callback, args) {
        this.id = ++lastImmediate;
        this.callback = callback; // undefined: cleared or run
        this.args = args;
        this.context = ops.context();
    }
}
cutOff(Immediate);
const immediateById = new SafeMap();

function startImmediate(callback, args) {
    if (typeof callback !== 'function') {
        throw internal.typeError(`The "callback" argument must be of type function. Received ${internal.inspect(callback)}`, 'ERR_INVALID_ARG_TYPE');
    }
    if (immediateById.size >= limits.timers) throw tooMany();
    const immediate = new Immediate(callback, args);
    immediateById.set(immediate.id, immediate);
    ArrayPrototypePush(immediates, immediate);
    addRef();
    if (immediates.length === 1) ops.immediateWake();
    return immediate.id;
}

function clearImmediate(id) {
    const immediate = immediateById.get(id);
    if (immediate === undefined) return;
    immediateById.delete(id);
    immediate.callback = undefined;
    dropRef();
}

/** Runs the immediates that were there when it was called; those made meanwhile wait for the next turn. Exceptions as in run(). */
function runImmediates() {
    const turn = immediates;
    immediates = [];
    const context = ops.context();
    let i = 0;
    try {
        while (i < turn.length) {
            const { id, callback, args, context: own } = turn[i++];
            if (callback === undefined) continue;
            immediateById.delete(id);
            dropRef();
            internal.serve?.goesOn(own);
            ops.setContext(own);
            internal.uncaughtContext = own;
            ReflectApply(callback, globalThis, args);
            internal.uncaughtContext = undefined;
            ops.setContext(context); // see run()
            ops.runMicrotasks();
        }
    } finally {
        ops.setContext(context);
        if (i < turn.length) { // an exception: the rest comes next turn, first
            const made = immediates;
            immediates = [];
            for (; i < turn.length; i++) ArrayPrototypePush(immediates, turn[i]);
            for (let k = 0; k < made.length; k++) ArrayPrototypePush(immediates, made[k]);
            ops.immediateWake();
        }
    }
}

// ---- Microtasks ----

/** V8 carries the context to what follows an await, and await looks at nothing a user could have patched. */
async function enqueue(callback, args) {
    await undefined;
    try {
        ReflectApply(callback, undefined, args);
    } catch (error) {
        internal.reportError(error);
    }
}

// ---- Globals and modules ----

const functions = {
    setTimeout(callback, delay = undefined, ...args) { return start(callback, args, delay, false, true); },
    setInterval(callback, delay = undefined, ...args) { return start(callback, args, delay, true, true); },
    setImmediate(callback, ...args) { return startImmediate(callback, args); },
    clearTimeout(id = undefined) { clear(id); },
    clearInterval(id = undefined) { clear(id); },
    clearImmediate(id) { clearImmediate(id); },
};
for (const name in functions) defineGlobalFunction(name, functions[name]);

defineGlobalFunction('queueMicrotask', function queueMicrotask(callback) {
    requireArguments(arguments.length, 1, 'queueMicrotask');
    if (typeof callback !== 'function') {
        throw internal.typeError(`The "callback" argument must be of type function. Received ${internal.inspect(callback)}`, 'ERR_INVALID_ARG_TYPE');
    }
    enqueue(callback, []);
});

/** A promise that a timer keeps, for node:timers/promises; `signal` gives it up. */
function promised(begin, end, value, options) {
    const signal = options === undefined || options === null ? undefined : options.signal;
    return new Promise((resolve, reject) => {
        if (signal !== undefined && signal.aborted) {
            reject(abortError(signal.reason));
            return;
        }
        let onAbort;
        const id = begin(() => {
            if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
            resolve(value);
        });
        if (signal !== undefined) {
            onAbort = () => {
                end(id);
                reject(abortError(signal.reason));
            };
            signal.addEventListener('abort', onAbort, { once: true });
        }
    });
}

/** Node's error of an aborted operation. */
function abortError(cause) {
    const error = new Error('The operation was aborted', { cause });
    ObjectDefineProperty(error, 'name', { __proto__: null, value: 'AbortError', writable: true, enumerable: false, configurable: true });
    error.code = 'ABORT_ERR';
    return error;
}

const promises = {
    setTimeout: (delay, value, options) =>
        promised((done) => start(done, [], delay, false, options?.ref !== false), clear, value, options),
    setImmediate: (value, options) => promised((done) => startImmediate(done, []), clearImmediate, value, options),
    async *setInterval(delay, value, options) {
        for (;;) yield await promises.setTimeout(delay, value, options);
    },
};
const custom = SymbolFor('nodejs.util.promisify.custom');
ObjectDefineProperty(functions.setTimeout, custom, { __proto__: null, value: promises.setTimeout, enumerable: false, configurable: true });
ObjectDefineProperty(functions.setImmediate, custom, { __proto__: null, value: promises.setImmediate, enumerable: false, configurable: true });

internal.builtins.set('node:timers/promises', () => {
    const exports = { ...promises, scheduler: internal.scheduler };
    return { ...exports, default: exports };
});
internal.builtins.set('node:timers', () => {
    const timers = { ...functions, promises };
    return { ...timers, default: timers };
});

internal.timers = {
    run, runImmediates, clear, enqueue,
    /** A timer of the platform's own that does not keep the loop alive. */
    startUnrefed: (callback, delay) => start(callback, [], delay, false, false),
    /** For scheduler: promises of a timer and of the next turn. */
    wait: (delay, options) => promises.setTimeout(delay, undefined, options),
    yield: () => promises.setImmediate(),
    startImmediate: (callback) => startImmediate(callback, []),
    /** A promise that is fulfilled in the next turn of the loop, which it keeps alive. For await. */
    nextTurn: () => new Promise((done) => { startImmediate(done, []); }),
    addRef, dropRef, count: () => byId.size,
};
