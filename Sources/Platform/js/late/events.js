'use strict';
// @ts-check
// node:events: https://nodejs.org/api/events.html. The state of an emitter is in `_events`, `_eventsCount` and `_maxListeners`, as programs that look at
// Node's expect.

const {
    ArrayPrototypePush, ArrayPrototypeSlice, ArrayPrototypeSplice, AsyncGeneratorFunctionPrototype, Boolean, Error,
    FunctionPrototypeSymbolHasInstance, NumberIsNaN, ObjectCreate, ObjectDefineProperty, ObjectGetPrototypeOf, ObjectSetPrototypeOf, Promise,
    PromiseReject, PromiseResolve, ReflectApply, ReflectOwnKeys, String, Symbol, SymbolAsyncIterator, SymbolFor,
} = primordials;
const { abortError, coded, define, invalidType, outOfRange, requireBoolean, requireFunction } = internal.load('node_errors');
const { EventTarget, process } = internal.globals;

const errorMonitor = Symbol('events.errorMonitor');
const captureRejectionSymbol = SymbolFor('nodejs.rejection');
const capture = Symbol('kCapture');

let defaultMaxListeners = 10;
let captureByDefault = false;

function requireMax(value, name) {
    if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
    if (value < 0 || NumberIsNaN(value)) throw outOfRange(name, '>= 0', value);
}

/** Works without `new`, as subclasses of old call it. */
function EventEmitter(options) {
    initialize(this, options);
}

function initialize(emitter, options) {
    if (emitter._events === undefined || emitter._events === ObjectGetPrototypeOf(emitter)._events) {
        emitter._events = ObjectCreate(null);
        emitter._eventsCount = 0;
    }
    emitter._maxListeners = emitter._maxListeners || undefined;
    if (options?.captureRejections) {
        requireBoolean(options.captureRejections, 'options.captureRejections');
        emitter[capture] = Boolean(options.captureRejections);
    } else {
        emitter[capture] = captureByDefault;
    }
}
const maxOf = (emitter) => (emitter._maxListeners === undefined ? defaultMaxListeners : emitter._maxListeners);

/** The listeners of an event as they are kept: undefined, a function or an array. A list is replaced, never changed, while it is emitted from. */
const kept = (emitter, type) => (emitter._events === undefined ? undefined : emitter._events[type]);

function add(emitter, type, listener, first) {
    requireFunction(listener, 'listener');
    if (emitter._events === undefined) {
        emitter._events = ObjectCreate(null);
        emitter._eventsCount = 0;
    } else if (emitter._events.newListener !== undefined) {
        // First, so that a listener of 'newListener' that adds one of the same event gets in before.
        emitter.emit('newListener', type, listener.listener ?? listener);
    }
    const events = emitter._events;
    const before = events[type];
    if (before === undefined) {
        events[type] = listener;
        emitter._eventsCount++;
        return emitter;
    }
    let list;
    if (typeof before === 'function') {
        list = first ? [listener, before] : [before, listener];
    } else {
        list = ArrayPrototypeSlice(before);
        list.warned = before.warned;
        if (first) ArrayPrototypeSplice(list, 0, 0, listener); else ArrayPrototypePush(list, listener);
    }
    events[type] = list;
    const max = maxOf(emitter);
    if (max > 0 && list.length > max && !list.warned) {
        list.warned = true;
        warnOfMany(emitter, type, list.length, max);
    }
    return emitter;
}

function warnOfMany(emitter, type, count, max) {
    const warning = new Error(
        `Possible EventEmitter memory leak detected. ${count} ${String(type)} listeners added to ${internal.inspect(emitter, { depth: -1 })}. ` +
        `MaxListeners is ${max}. Use emitter.setMaxListeners() to increase limit`);
    define(warning, { name: 'MaxListenersExceededWarning', emitter, type, count });
    process.emitWarning(warning);
}

function remove(emitter, type, listener) {
    requireFunction(listener, 'listener');
    const before = kept(emitter, type);
    if (before === undefined) return;
    let told = listener; // of several, what was asked for; of one, what it wraps: as Node tells it
    if (typeof before === 'function') {
        if (before !== listener && before.listener !== listener) return;
        told = before.listener ?? listener;
        drop(emitter, type);
    } else {
        let at = before.length - 1;
        while (at >= 0 && before[at] !== listener && before[at].listener !== listener) at--;
        if (at < 0) return;
        const list = ArrayPrototypeSlice(before);
        list.warned = before.warned;
        ArrayPrototypeSplice(list, at, 1);
        emitter._events[type] = list.length === 1 ? list[0] : list;
    }
    if (emitter._events.removeListener !== undefined) emitter.emit('removeListener', type, told);
}

function drop(emitter, type) {
    if (--emitter._eventsCount === 0) emitter._events = ObjectCreate(null); else delete emitter._events[type];
}

function once(emitter, type, listener) {
    const state = { fired: false };
    const wrapper = function (...args) {
        if (state.fired) return undefined;
        state.fired = true;
        emitter.removeListener(type, wrapper);
        return ReflectApply(listener, emitter, args);
    };
    define(wrapper, { listener });
    return wrapper;
}

function removeAll(emitter, type, all) {
    const events = emitter._events;
    if (events === undefined) return;
    if (events.removeListener === undefined) {
        if (all) {
            emitter._events = ObjectCreate(null);
            emitter._eventsCount = 0;
        } else if (events[type] !== undefined) {
            drop(emitter, type);
        }
        return;
    }
    if (all) {
        const types = ReflectOwnKeys(events);
        for (let i = 0; i < types.length; i++) if (types[i] !== 'removeListener') removeAll(emitter, types[i], false);
        removeAll(emitter, 'removeListener', false);
        emitter._events = ObjectCreate(null);
        emitter._eventsCount = 0;
        return;
    }
    const list = events[type];
    if (typeof list === 'function') emitter.removeListener(type, list);
    else if (list !== undefined) for (let i = list.length - 1; i >= 0; i--) emitter.removeListener(type, list[i]);
}

function listOf(emitter, type, unwrap) {
    const found = kept(emitter, type);
    if (found === undefined) return [];
    const list = typeof found === 'function' ? [found] : ArrayPrototypeSlice(found);
    if (unwrap) for (let i = 0; i < list.length; i++) list[i] = list[i].listener ?? list[i];
    return list;
}

/** An array of `first` and what `rest` has: a spread would ask Array.prototype[Symbol.iterator]. */
function withFirst(first, rest) {
    const list = [first];
    for (let i = 0; i < rest.length; i++) ArrayPrototypePush(list, rest[i]);
    return list;
}

/** An 'error' event that nobody listens to throws. */
function throwUnheard(error) {
    if (internal.types.isError(error)) throw error;
    let text;
    try { text = internal.inspect(error); } catch { text = String(error); }
    const wrapped = coded(Error, 'ERR_UNHANDLED_ERROR', `Unhandled error. (${text})`);
    define(wrapped, { context: error });
    throw wrapped;
}

/** A listener's promise: a rejection goes to the emitter (captureRejections). Its `then` is called as for any thenable, once. */
function watchRejection(emitter, result, type, args) {
    if (result === undefined || result === null) return;
    try {
        const { then } = result;
        if (typeof then !== 'function') return;
        ReflectApply(then, result, [undefined, (error) => {
            internal.timers.enqueue(() => {
                if (typeof emitter[captureRejectionSymbol] === 'function') {
                    ReflectApply(emitter[captureRejectionSymbol], emitter, withFirst(error, withFirst(type, args)));
                    return;
                }
                // No loop: what an 'error' listener rejects with is not caught again.
                const before = emitter[capture];
                try {
                    emitter[capture] = false;
                    emitter.emit('error', error);
                } finally {
                    emitter[capture] = before;
                }
            }, []);
        }]);
    } catch (error) {
        emitter.emit('error', error);
    }
}

const methods = {
    setMaxListeners(n) {
        requireMax(n, 'setMaxListeners');
        this._maxListeners = n;
        return this;
    },
    getMaxListeners() { return maxOf(this); },
    emit(type, ...args) {
        const events = this._events;
        if (type === 'error') {
            if (events !== undefined && events[errorMonitor] !== undefined) ReflectApply(this.emit, this, withFirst(errorMonitor, args));
            if (events === undefined || events.error === undefined) throwUnheard(args[0]);
        }
        const handler = events === undefined ? undefined : events[type];
        if (handler === undefined) return false;
        if (typeof handler === 'function') {
            const result = ReflectApply(handler, this, args);
            if (this[capture]) watchRejection(this, result, type, args);
            return true;
        }
        for (let i = 0; i < handler.length; i++) {
            const result = ReflectApply(handler[i], this, args);
            if (this[capture]) watchRejection(this, result, type, args);
        }
        return true;
    },
    addListener(type, listener) { return add(this, type, listener, false); },
    prependListener(type, listener) { return add(this, type, listener, true); },
    once(type, listener) {
        requireFunction(listener, 'listener');
        this.on(type, once(this, type, listener));
        return this;
    },
    prependOnceListener(type, listener) {
        requireFunction(listener, 'listener');
        this.prependListener(type, once(this, type, listener));
        return this;
    },
    removeListener(type, listener) {
        remove(this, type, listener);
        return this;
    },
    removeAllListeners(type) {
        removeAll(this, type, arguments.length === 0);
        return this;
    },
    listeners(type) { return listOf(this, type, true); },
    rawListeners(type) { return listOf(this, type, false); },
    listenerCount(type, listener) {
        const list = listOf(this, type, false);
        if (listener === undefined || listener === null) return list.length;
        let count = 0;
        for (let i = 0; i < list.length; i++) if (list[i] === listener || list[i].listener === listener) count++;
        return count;
    },
    eventNames() { return this._eventsCount > 0 ? ReflectOwnKeys(this._events) : []; },
};
define(methods, { on: methods.addListener, off: methods.removeListener });

const { prototype } = EventEmitter;
define(prototype, { _events: undefined, _eventsCount: 0, _maxListeners: undefined });
define(prototype, methods);
ObjectDefineProperty(prototype, capture, { __proto__: null, value: false, writable: true, enumerable: false, configurable: true });

// ---- Functions of the module ----

const isTarget = (value) => FunctionPrototypeSymbolHasInstance(EventTarget, value) || typeof value?.addEventListener === 'function';

function listen(emitter, name, listener, isOnce) {
    if (typeof emitter?.on === 'function') {
        if (isOnce) emitter.once(name, listener); else emitter.on(name, listener);
    } else if (typeof emitter?.addEventListener === 'function') {
        emitter.addEventListener(name, listener, { once: isOnce });
    } else {
        throw invalidType('emitter', 'an instance of EventEmitter', emitter);
    }
}

function unlisten(emitter, name, listener) {
    if (typeof emitter?.removeListener === 'function') emitter.removeListener(name, listener);
    else if (typeof emitter?.removeEventListener === 'function') emitter.removeEventListener(name, listener);
}

function requireSignal(options) {
    const signal = options?.signal;
    if (signal !== undefined && !internal.events.isSignal(signal)) throw invalidType('options.signal', 'an instance of AbortSignal', signal);
    return signal;
}

async function onceOf(emitter, name, options = {}) {
    if (options === null || typeof options !== 'object') throw invalidType('options', 'of type object', options);
    const signal = requireSignal(options);
    if (signal?.aborted) throw abortError(signal.reason);
    // Awaited: a promise that an async function returns is asked for its `then`.
    return await new Promise((resolve, reject) => {
        let onAbort;
        const done = () => {
            unlisten(emitter, name, onEvent);
            unlisten(emitter, 'error', onError);
            if (onAbort !== undefined) internal.events.removeAbortAlgorithm(signal, onAbort);
        };
        const onEvent = (...args) => {
            done();
            resolve(args);
        };
        const onError = (error) => {
            done();
            reject(error);
        };
        listen(emitter, name, onEvent, true);
        if (name !== 'error' && typeof emitter.once === 'function') emitter.once('error', onError);
        if (signal !== undefined) {
            onAbort = () => {
                done();
                reject(abortError(signal.reason));
            };
            internal.events.addAbortAlgorithm(signal, onAbort);
        }
    });
}

const AsyncIteratorPrototype = ObjectGetPrototypeOf(ObjectGetPrototypeOf(AsyncGeneratorFunctionPrototype.prototype));

/** Every event as what an async iterator gives. Events that wait are kept without a limit, as Node does. */
function on(emitter, event, options = {}) {
    if (options === null || typeof options !== 'object') throw invalidType('options', 'of type object', options);
    const signal = requireSignal(options);
    if (signal?.aborted) throw abortError(signal.reason);
    const high = options.highWaterMark ?? options.highWatermark ?? 9007199254740991;
    const low = options.lowWaterMark ?? options.lowWatermark ?? 1;
    let events = [];
    let first = 0; // of events, where the unread ones begin
    let readers = [];
    let failure;
    let finished = false;
    let paused = false;
    const closing = options.close ?? [];

    const result = (value, done) => ({ value, done });
    function onEvent(...args) {
        if (readers.length > 0) {
            ArrayPrototypeSplice(readers, 0, 1)[0].resolve(result(args, false));
            return;
        }
        ArrayPrototypePush(events, args);
        if (!paused && events.length - first > high) {
            paused = true;
            emitter.pause?.();
        }
    }
    function onError(error) {
        if (readers.length > 0) ArrayPrototypeSplice(readers, 0, 1)[0].reject(error); else failure = { error };
        finish();
    }
    function finish() {
        unlisten(emitter, event, onEvent);
        if (event !== 'error') unlisten(emitter, 'error', onError);
        for (let i = 0; i < closing.length; i++) unlisten(emitter, closing[i], finish);
        if (signal !== undefined) internal.events.removeAbortAlgorithm(signal, onAbort);
        finished = true;
        const waiting = readers;
        readers = [];
        for (let i = 0; i < waiting.length; i++) waiting[i].resolve(result(undefined, true));
        return PromiseResolve(result(undefined, true));
    }
    function onAbort() { onError(abortError(signal.reason)); }

    const iterator = {
        next() {
            if (first < events.length) {
                const value = events[first];
                events[first++] = undefined;
                if (first > 1024) {
                    events = ArrayPrototypeSlice(events, first);
                    first = 0;
                }
                if (paused && events.length - first < low) {
                    paused = false;
                    emitter.resume?.();
                }
                return PromiseResolve(result(value, false));
            }
            if (failure !== undefined) {
                const { error } = failure;
                failure = undefined;
                return PromiseReject(error);
            }
            if (finished) return PromiseResolve(result(undefined, true));
            return new Promise((resolve, reject) => { ArrayPrototypePush(readers, { resolve, reject }); });
        },
        return() { return finish(); },
        throw(error) {
            if (!internal.types.isError(error)) throw invalidType('EventEmitter.AsyncIterator', 'an instance of Error', error);
            onError(error);
            return undefined;
        },
        [SymbolAsyncIterator]() { return this; },
    };
    ObjectSetPrototypeOf(iterator, AsyncIteratorPrototype);
    listen(emitter, event, onEvent, false);
    if (event !== 'error' && typeof emitter.on === 'function') emitter.on('error', onError);
    for (let i = 0; i < closing.length; i++) listen(emitter, closing[i], finish, false);
    if (signal !== undefined) internal.events.addAbortAlgorithm(signal, onAbort);
    return iterator;
}

class EventEmitterAsyncResource extends EventEmitter {
    #resource;
    constructor(options) {
        const { AsyncResource } = internal.builtin('node:async_hooks');
        const name = typeof options === 'string' ? options : options?.name ?? new.target.name;
        super(typeof options === 'string' ? undefined : options);
        this.#resource = new AsyncResource(name);
    }
    emit(type, ...args) { return ReflectApply(this.#resource.runInAsyncScope, this.#resource, withFirst(prototype.emit, withFirst(this, withFirst(type, args)))); }
    emitDestroy() { this.#resource.emitDestroy(); }
    get asyncId() { return this.#resource.asyncId(); }
    get triggerAsyncId() { return this.#resource.triggerAsyncId(); }
    get asyncResource() { return this.#resource; }
}

const functions = {
    addAbortListener(signal, listener) {
        if (!internal.events.isSignal(signal)) throw invalidType('signal', 'an instance of AbortSignal', signal);
        requireFunction(listener, 'listener');
        if (signal.aborted) internal.timers.enqueue(listener, []); else signal.addEventListener('abort', listener, { once: true });
        const disposable = { __proto__: null };
        const { dispose } = Symbol;
        if (dispose !== undefined) disposable[dispose] = () => { signal.removeEventListener('abort', listener); };
        return disposable;
    },
    once: onceOf,
    on,
    getEventListeners(emitterOrTarget, type) {
        if (typeof emitterOrTarget?.listeners === 'function') return emitterOrTarget.listeners(type);
        if (FunctionPrototypeSymbolHasInstance(EventTarget, emitterOrTarget)) return internal.events.listenersOf(emitterOrTarget, `${type}`);
        throw invalidType('emitter', 'an instance of EventEmitter or EventTarget', emitterOrTarget);
    },
    getMaxListeners(emitterOrTarget) {
        if (typeof emitterOrTarget?.getMaxListeners === 'function') return maxOf(emitterOrTarget);
        if (isTarget(emitterOrTarget)) return emitterOrTarget._maxListeners ?? defaultMaxListeners;
        throw invalidType('emitter', 'an instance of EventEmitter or EventTarget', emitterOrTarget);
    },
    listenerCount(emitter, type) {
        if (typeof emitter?.listenerCount === 'function') return emitter.listenerCount(type);
        return ReflectApply(methods.listenerCount, emitter, [type]);
    },
    setMaxListeners(n = defaultMaxListeners, ...eventTargets) {
        requireMax(n, 'setMaxListeners');
        if (eventTargets.length === 0) defaultMaxListeners = n;
        for (let i = 0; i < eventTargets.length; i++) {
            const target = eventTargets[i];
            if (typeof target?.setMaxListeners === 'function') target.setMaxListeners(n);
            // An EventTarget has no limit here: nothing to set.
            else if (!FunctionPrototypeSymbolHasInstance(EventTarget, target)) throw invalidType('eventTargets', 'an instance of EventEmitter or EventTarget', target);
        }
    },
};
define(EventEmitter, functions);
define(EventEmitter, {
    EventEmitter, EventEmitterAsyncResource, captureRejectionSymbol, errorMonitor, init(options) { initialize(this, options); }, usingDomains: false,
});
ObjectDefineProperty(EventEmitter, 'defaultMaxListeners', {
    __proto__: null, enumerable: true, configurable: true, get: () => defaultMaxListeners,
    set(value) {
        requireMax(value, 'defaultMaxListeners');
        defaultMaxListeners = value;
    },
});
ObjectDefineProperty(EventEmitter, 'captureRejections', {
    __proto__: null, enumerable: true, configurable: true, get: () => captureByDefault,
    set(value) {
        requireBoolean(value, 'EventEmitter.captureRejections');
        captureByDefault = value;
    },
});

return {
    ...functions, EventEmitter, EventEmitterAsyncResource, captureRejectionSymbol, captureRejections: captureByDefault, defaultMaxListeners, errorMonitor, init: EventEmitter.init,
    usingDomains: false, default: EventEmitter,
};
