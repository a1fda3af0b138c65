'use strict';
// @ts-check
// Events (https://dom.spec.whatwg.org/#events) and aborting (https://dom.spec.whatwg.org/#aborting-ongoing-activities). There is no tree: an event has
// one target, and dispatch runs its listeners in the context of whoever dispatches.

const {
    ArrayPrototypeFilter, ArrayPrototypeIndexOf, ArrayPrototypeMap, ArrayPrototypePush, ArrayPrototypeSlice, ArrayPrototypeSplice, Boolean, Number,
    ObjectDefineProperty, ReflectApply, ReflectConstruct, SafeMap, SafeSet, SafeWeakMap, TypeError, WeakRef, WeakRefPrototypeDeref, arrayFromIterable,
} = primordials;
const { DOMException, customInspect } = internal;
const { defineGlobalFunction, defineInterface, requireArguments, toDOMString, toDictionary, toEnforcedUnsigned } = internal.webidl;

const phaseNone = 0, phaseAtTarget = 2;

/** What dispatch needs of an event; set by Event's static block. */
let beginDispatch, endDispatch, isStopped, isDispatching, setPassive, isCanceled, trust, untrust;

const isTrustedDescriptor = { __proto__: null, get: undefined, set: undefined, enumerable: true, configurable: false };

/** https://dom.spec.whatwg.org/#interface-event */
class Event {
    #type;
    #bubbles = false;
    #cancelable = false;
    #composed = false;
    #target = null;
    #phase = phaseNone;
    #stopped = false; // stop propagation
    #stoppedNow = false; // stop immediate propagation
    #canceled = false;
    #passive = false; // a passive listener runs
    #dispatching = false;
    #trusted = false;
    #time = internal.now();

    constructor(type, init = undefined) {
        requireArguments(arguments.length, 1, 'Event');
        this.#type = toDOMString(type);
        init = toDictionary(init, 'The event init');
        if (init !== undefined) {
            this.#bubbles = Boolean(init.bubbles);
            this.#cancelable = Boolean(init.cancelable);
            this.#composed = Boolean(init.composed);
        }
        ObjectDefineProperty(this, 'isTrusted', isTrustedDescriptor); // [LegacyUnforgeable]
    }

    get type() { return this.#type; }
    get target() { return this.#target; }
    get srcElement() { return this.#target; }
    get currentTarget() { return this.#dispatching ? this.#target : null; }
    get eventPhase() { return this.#phase; }
    get bubbles() { return this.#bubbles; }
    get cancelable() { return this.#cancelable; }
    get composed() { return this.#composed; }
    get defaultPrevented() { return this.#canceled; }
    get timeStamp() { return this.#time; }
    get returnValue() { return !this.#canceled; }
    set returnValue(value) { if (!value) this.#cancel(); }
    get cancelBubble() { return this.#stopped; }
    set cancelBubble(value) { if (value) this.#stopped = true; }
    composedPath() { return this.#dispatching ? [this.#target] : []; }
    stopPropagation() { this.#stopped = true; }
    stopImmediatePropagation() {
        this.#stopped = true;
        this.#stoppedNow = true;
    }
    preventDefault() { this.#cancel(); }
    initEvent(type, bubbles = false, cancelable = false) {
        requireArguments(arguments.length, 1, 'initEvent');
        if (this.#dispatching) return;
        this.#type = toDOMString(type);
        this.#bubbles = Boolean(bubbles);
        this.#cancelable = Boolean(cancelable);
        this.#stopped = this.#stoppedNow = this.#canceled = this.#trusted = false;
        this.#target = null;
    }

    #cancel() {
        if (this.#cancelable && !this.#passive) this.#canceled = true;
    }

    [customInspect](depth, options, inspect) {
        const fields = { type: this.#type, defaultPrevented: this.#canceled, cancelable: this.#cancelable, timeStamp: this.#time };
        return `${this.constructor.name} ${inspect(fields, options)}`;
    }

    static {
        isTrustedDescriptor.get = function isTrusted() { return this.#trusted; };
        isDispatching = (event) => event.#dispatching;
        beginDispatch = (event, target) => {
            event.#dispatching = true;
            event.#target = target;
            event.#phase = phaseAtTarget;
        };
        endDispatch = (event) => {
            event.#dispatching = false;
            event.#phase = phaseNone;
            event.#stopped = event.#stoppedNow = false;
        };
        isStopped = (event, now) => (now ? event.#stoppedNow : event.#stopped);
        setPassive = (event, passive) => { event.#passive = passive; };
        isCanceled = (event) => event.#canceled;
        trust = (event) => { event.#trusted = true; };
        untrust = (event) => { event.#trusted = false; };
    }
}
defineInterface(Event, { __proto__: null, NONE: 0, CAPTURING_PHASE: 1, AT_TARGET: 2, BUBBLING_PHASE: 3 });

/** https://dom.spec.whatwg.org/#interface-customevent */
class CustomEvent extends Event {
    #detail = null;
    constructor(type, init = undefined) {
        super(type, init);
        if (init !== undefined && init !== null && init.detail !== undefined) this.#detail = init.detail;
    }
    get detail() { return this.#detail; }
    initCustomEvent(type, bubbles = false, cancelable = false, detail = null) {
        if (isDispatching(this)) return;
        ReflectApply(initEvent, this, [type, bubbles, cancelable]);
        this.#detail = detail;
    }
}
const { initEvent } = Event.prototype;
defineInterface(CustomEvent);

let isErrorEvent;

/** https://html.spec.whatwg.org/#errorevent */
class ErrorEvent extends Event {
    #message = '';
    #filename = '';
    #lineno = 0;
    #colno = 0;
    #error;
    static { isErrorEvent = (event) => #error in event; }
    constructor(type, init = undefined) {
        super(type, init);
        if (init === undefined || init === null) return;
        if (init.message !== undefined) this.#message = toDOMString(init.message);
        if (init.filename !== undefined) this.#filename = toDOMString(init.filename);
        if (init.lineno !== undefined) this.#lineno = Number(init.lineno) >>> 0;
        if (init.colno !== undefined) this.#colno = Number(init.colno) >>> 0;
        this.#error = init.error;
    }
    get message() { return this.#message; }
    get filename() { return this.#filename; }
    get lineno() { return this.#lineno; }
    get colno() { return this.#colno; }
    get error() { return this.#error; }
}
defineInterface(ErrorEvent);

/** https://html.spec.whatwg.org/#promiserejectionevent */
class PromiseRejectionEvent extends Event {
    #promise;
    #reason;
    constructor(type, init) {
        requireArguments(arguments.length, 2, 'PromiseRejectionEvent');
        super(type, init);
        const promise = init === undefined || init === null ? undefined : init.promise;
        if (promise === null || (typeof promise !== 'object' && typeof promise !== 'function')) throw new TypeError('PromiseRejectionEvent: the promise is not an object');
        this.#promise = promise;
        this.#reason = init.reason;
    }
    get promise() { return this.#promise; }
    get reason() { return this.#reason; }
}
defineInterface(PromiseRejectionEvent);

// ---- Targets ----

/** https://dom.spec.whatwg.org/#concept-flatten-more */
function toListenerOptions(options) {
    if (options === null || (typeof options !== 'object' && typeof options !== 'function')) {
        return { capture: Boolean(options), once: false, passive: false, signal: undefined };
    }
    const { signal } = options;
    if (signal !== undefined && !isSignal(signal)) throw new TypeError('addEventListener: signal is not an AbortSignal');
    return { capture: Boolean(options.capture), once: Boolean(options.once), passive: Boolean(options.passive), signal };
}

let dispatch; // (target, event) → not canceled
let globalTarget; // holds the global object's listeners
/** Objects that are event targets without being made by EventTarget (MessagePorts, Workers) → who has their listeners. */
const hosted = new SafeWeakMap();
/**
 * Who has a receiver's listeners. The global object is an event target without being made by EventTarget: a method called without a receiver, or on it,
 * means it.
 */
let targetOf;
let watch, setHost;
let listenerCount;
let listenersOf; // callbacks, for node:events

/** https://dom.spec.whatwg.org/#interface-eventtarget */
class EventTarget {
    /** Type → listeners in order. A list is replaced, never changed, while it is dispatched from. */
    #listeners;
    /** The object that the listeners are another's, not this one's. */
    #host;
    /** Called with a type when there is one listener more or less of it. */
    #watcher;

    addEventListener(type, callback, options = undefined) {
        requireArguments(arguments.length, 2, 'addEventListener');
        type = toDOMString(type);
        const { capture, once, passive, signal } = toListenerOptions(options);
        if (callback === null || callback === undefined) return;
        if (typeof callback !== 'function' && typeof callback !== 'object') throw new TypeError('addEventListener: the listener is not an object');
        if (signal !== undefined && signal.aborted) return;
        const target = targetOf(this);
        target.#listeners ??= new SafeMap();
        const list = target.#listeners.get(type) ?? [];
        for (let i = 0; i < list.length; i++) {
            if (list[i].callback === callback && list[i].capture === capture) return;
        }
        const listener = { callback, capture, once, passive, removed: false };
        const grown = ArrayPrototypeSlice(list);
        ArrayPrototypePush(grown, listener);
        target.#listeners.set(type, grown);
        if (signal !== undefined) addAbortAlgorithm(signal, () => target.#remove(type, listener));
        if (type === 'abort' && isSignal(target)) pin(target);
        target.#watcher?.(type);
    }

    removeEventListener(type, callback, options = undefined) {
        requireArguments(arguments.length, 2, 'removeEventListener');
        type = toDOMString(type);
        const capture = typeof options === 'object' && options !== null ? Boolean(options.capture) : Boolean(options);
        const target = targetOf(this);
        const list = target.#listeners?.get(type);
        if (list === undefined) return;
        for (let i = 0; i < list.length; i++) {
            if (list[i].callback === callback && list[i].capture === capture) {
                target.#remove(type, list[i]);
                return;
            }
        }
    }

    dispatchEvent(event) {
        requireArguments(arguments.length, 1, 'dispatchEvent');
        if (event === null || typeof event !== 'object') throw new TypeError('dispatchEvent: the argument is not an Event');
        if (isDispatching(event)) throw new DOMException('The event is already being dispatched', 'InvalidStateError');
        untrust(event);
        return targetOf(this).#dispatch(event);
    }

    #remove(type, listener) {
        listener.removed = true;
        const list = this.#listeners.get(type);
        const at = list === undefined ? -1 : ArrayPrototypeIndexOf(list, listener);
        if (at < 0) return;
        if (list.length === 1) {
            this.#listeners.delete(type);
        } else {
            const shrunk = ArrayPrototypeSlice(list);
            ArrayPrototypeSplice(shrunk, at, 1);
            this.#listeners.set(type, shrunk);
        }
        this.#watcher?.(type);
    }

    /** https://dom.spec.whatwg.org/#concept-event-dispatch, for a path of one target */
    #dispatch(event) {
        beginDispatch(event, this.#host ?? this);
        const list = this.#listeners?.get(event.type);
        if (list !== undefined) {
            // At the target, capturing listeners go first.
            let pass = true;
            for (let i = 0; i < 2 && !isStopped(event, false); i++, pass = false) this.#invoke(event, list, pass);
        }
        endDispatch(event);
        return !isCanceled(event);
    }

    /** https://dom.spec.whatwg.org/#concept-event-listener-inner-invoke */
    #invoke(event, list, capture) {
        for (let i = 0; i < list.length; i++) {
            const listener = list[i];
            if (listener.capture !== capture || listener.removed) continue;
            if (listener.once) this.#remove(event.type, listener);
            if (listener.passive) setPassive(event, true);
            const { callback } = listener;
            try {
                if (typeof callback === 'function') {
                    ReflectApply(callback, this.#host ?? this, [event]);
                } else {
                    const { handleEvent } = callback;
                    if (typeof handleEvent !== 'function') throw new TypeError('The handleEvent property of a listener is not a function');
                    ReflectApply(handleEvent, callback, [event]);
                }
            } catch (error) {
                internal.reportError(error);
            }
            if (listener.passive) setPassive(event, false);
            if (isStopped(event, true)) return;
        }
    }

    static {
        targetOf = (receiver) => {
            if (receiver === undefined || receiver === null || receiver === globalThis) return globalTarget;
            if (typeof receiver !== 'object' || #listeners in receiver) return receiver;
            return hosted.get(receiver) ?? receiver;
        };
        setHost = (target, object) => { target.#host = object; };
        watch = (target, watcher) => { target.#watcher = watcher; };
        dispatch = (target, event) => target.#dispatch(event);
        listenersOf = (target, type) => ArrayPrototypeMap(target.#listeners?.get(type) ?? [], (listener) => listener.callback);
        listenerCount = (target, type) => target.#listeners?.get(type)?.length ?? 0;
    }
}
defineInterface(EventTarget);

/** on… attributes (https://html.spec.whatwg.org/#event-handler-attributes): a listener that stands where it was first set. */
function makeHandlerState() {
    return { handler: null, listening: false };
}

/** @param {string} type of an error event of the global object: the handler gets what the event holds, and true cancels it (OnErrorEventHandler) */
function setHandler(target, type, state, value) {
    state.handler = typeof value === 'function' || (typeof value === 'object' && value !== null) ? value : null;
    if (state.listening || state.handler === null) return;
    state.listening = true;
    const isErrorHandler = type === 'error' && target === globalThis;
    ReflectApply(addEventListener, target, [type, (event) => {
        if (typeof state.handler !== 'function') return;
        if (isErrorHandler && isErrorEvent(event)) {
            const { message, filename, lineno, colno, error } = event;
            if (ReflectApply(state.handler, target, [message, filename, lineno, colno, error]) === true) event.preventDefault();
        } else if (ReflectApply(state.handler, target, [event]) === false) {
            event.preventDefault();
        }
    }]);
}
const { addEventListener } = EventTarget.prototype;

// ---- Aborting ----

const secret = {}; // who has it may construct a signal

let isSignal, signalAbort, addAbortAlgorithm, removeAbortAlgorithm, following, makeSignal, pin;

/** https://dom.spec.whatwg.org/#interface-AbortSignal */
class AbortSignal extends EventTarget {
    #aborted = false;
    #reason;
    #algorithms; // SafeSet of functions
    #onabort;
    #sources; // of a signal made by any(): whom it follows, none of them made by any()
    // Who follows this one. A long-lived signal (of a server, say) is followed once a request, so it holds on to those only that somebody listens to.
    #followers = []; // WeakRefs
    #sweepAt = 16; // how many of them there may be before the dead ones are swept out
    #pinned; // SafeSet of followers with listeners

    constructor(key) {
        if (key !== secret) throw new TypeError('Illegal constructor');
        super();
    }

    static abort(reason = undefined) {
        const signal = ReflectConstruct(AbortSignal, [secret]);
        signal.#aborted = true;
        signal.#reason = reason === undefined ? abortError() : reason;
        return signal;
    }

    static timeout(milliseconds) {
        requireArguments(arguments.length, 1, 'AbortSignal.timeout');
        const delay = toEnforcedUnsigned(milliseconds, 'AbortSignal.timeout');
        const signal = ReflectConstruct(AbortSignal, [secret]);
        internal.timers.startUnrefed(() => signal.#abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')), delay);
        return signal;
    }

    static any(signals) {
        requireArguments(arguments.length, 1, 'AbortSignal.any');
        const list = arrayFromIterable(signals, 'AbortSignal.any: the argument');
        for (let i = 0; i < list.length; i++) {
            if (!isSignal(list[i])) throw new TypeError('AbortSignal.any: an element is not an AbortSignal');
        }
        return following(list);
    }

    /** https://dom.spec.whatwg.org/#create-a-dependent-abort-signal */
    static #following(list) {
        const result = ReflectConstruct(AbortSignal, [secret]);
        for (let i = 0; i < list.length; i++) {
            if (list[i].#aborted) {
                result.#aborted = true;
                result.#reason = list[i].#reason;
                return result;
            }
        }
        result.#sources = new SafeSet();
        for (let i = 0; i < list.length; i++) {
            if (list[i].#sources === undefined) result.#follow(list[i]);
            else list[i].#sources.forEach((source) => result.#follow(source));
        }
        return result;
    }

    get aborted() { return this.#aborted; }
    get reason() { return this.#reason; }
    throwIfAborted() { if (this.#aborted) throw this.#reason; }
    get onabort() { return this.#onabort?.handler ?? null; }
    set onabort(value) { setHandler(this, 'abort', this.#onabort ??= makeHandlerState(), value); }

    #follow(source) {
        if (this.#sources.has(source)) return;
        this.#sources.add(source);
        ArrayPrototypePush(source.#followers, new WeakRef(this));
        if (source.#followers.length > source.#sweepAt) source.#sweep();
    }

    #sweep() {
        this.#followers = ArrayPrototypeFilter(this.#followers, (reference) => WeakRefPrototypeDeref(reference) !== undefined);
        this.#sweepAt = 16 + 2 * this.#followers.length;
        this.#pinned?.forEach((follower) => {
            if (listenerCount(follower, 'abort') === 0 && follower.#algorithms === undefined) this.#pinned.delete(follower);
        });
    }

    /** https://dom.spec.whatwg.org/#abortsignal-signal-abort */
    #abort(reason) {
        if (this.#aborted) return;
        this.#aborted = true;
        this.#reason = reason === undefined ? abortError() : reason;
        const followers = [];
        for (let i = 0; i < this.#followers.length; i++) {
            const follower = WeakRefPrototypeDeref(this.#followers[i]);
            if (follower === undefined || follower.#aborted) continue;
            follower.#aborted = true;
            follower.#reason = this.#reason;
            ArrayPrototypePush(followers, follower);
        }
        this.#followers = [];
        this.#pinned = undefined;
        this.#runAbortSteps();
        for (let i = 0; i < followers.length; i++) followers[i].#runAbortSteps();
    }

    #runAbortSteps() {
        const algorithms = this.#algorithms;
        this.#algorithms = undefined;
        algorithms?.forEach((algorithm) => algorithm());
        if (listenerCount(this, 'abort') === 0) return;
        const event = new Event('abort');
        trust(event);
        dispatch(this, event);
    }

    [customInspect](depth, options, inspect) { return `AbortSignal ${inspect({ aborted: this.#aborted }, options)}`; }

    static {
        isSignal = (value) => value !== null && typeof value === 'object' && #aborted in value;
        signalAbort = (signal, reason) => signal.#abort(reason);
        addAbortAlgorithm = (signal, algorithm) => {
            if (signal.#aborted) return;
            signal.#algorithms ??= new SafeSet();
            signal.#algorithms.add(algorithm);
            pin(signal);
        };
        removeAbortAlgorithm = (signal, algorithm) => {
            signal.#algorithms?.delete(algorithm);
            if (signal.#algorithms?.size === 0) signal.#algorithms = undefined;
        };
        pin = (signal) => signal.#sources?.forEach((source) => {
            source.#pinned ??= new SafeSet();
            source.#pinned.add(signal);
        });
        following = (list) => AbortSignal.#following(list);
        makeSignal = () => ReflectConstruct(AbortSignal, [secret]);
    }
}
defineInterface(AbortSignal);

function abortError() {
    return new DOMException('This operation was aborted', 'AbortError');
}

/** https://dom.spec.whatwg.org/#interface-abortcontroller */
class AbortController {
    #signal = makeSignal();
    get signal() { return this.#signal; }
    abort(reason = undefined) { signalAbort(this.#signal, reason); }
    [customInspect](depth, options, inspect) { return `AbortController ${inspect({ signal: this.#signal }, options)}`; }
}
defineInterface(AbortController);

globalTarget = new EventTarget();
setHost(globalTarget, globalThis);

/** Makes an object an event target. `watcher` is called with a type when there is one listener more or less of it. */
function host(object, watcher) {
    const target = new EventTarget();
    setHost(target, object);
    watch(target, watcher);
    hosted.set(object, target);
}

internal.events = {
    ErrorEvent, Event, EventTarget, PromiseRejectionEvent, host, abort: signalAbort, addAbortAlgorithm, following, isSignal, listenersOf, makeSignal, removeAbortAlgorithm, makeHandlerState, setHandler,
    /** Of any target: how many listen, and a trusted event for them; whether it was not canceled. */
    listenerCount: (target, type) => listenerCount(targetOf(target), type),
    fire(target, event) {
        trust(event);
        return dispatch(targetOf(target), event);
    },
    watchGlobally(watcher) { watch(globalTarget, watcher); },
    /** Of the global object: whether anybody listens, and a trusted event for them. @returns {boolean} whether it was canceled */
    isHeardGlobally: (type) => listenerCount(globalTarget, type) > 0,
    fireGlobally(event) {
        trust(event);
        return !dispatch(globalTarget, event);
    },
};
