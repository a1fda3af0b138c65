'use strict';
// @ts-check
// What the files of the Streams Standard share (https://streams.spec.whatwg.org/): promises nobody can reach into, queues, strategies.
//
// How it is built. The algorithms work on states: plain objects of the internal classes (ReadableState, DefaultReaderState, …), which user code never
// sees. The public classes are wrappers with one private field, made when somebody asks for them, so a stream that only the host reads costs its state and
// its controller. What the standard does with read requests is done by objects with the methods chunk, close and error; what waits for a read makes no promise.
//
// Promises. `%Promise.prototype%` belongs to the user, and `then` asks `promise.constructor` for a species. So the internal promises are InternalPromises:
// their prototype is out of reach and names no constructor. Promises for users are plain ones, and are made late (Deferred): most are never asked for.
// A reaction runs in the tracing context in which it was registered, as all reactions do.

const {
    MathTrunc, Number, ObjectDefineProperty, ObjectSetPrototypeOf, Promise, PromiseReject, PromiseResolve, PromisePrototypeThen, RangeError, ReflectApply,
    ReflectDefineProperty, ReflectDeleteProperty, TypeError,
} = primordials;
const { customInspect } = internal;
const { READABLE_STREAM, Stamp, TRANSFORM_STREAM, WRITABLE_STREAM, makeSerializable } = internal.serialization;
const { defineInterface, requireArguments, toDictionary } = internal.webidl;

const noop = () => {};

/** Cuts an internal class off from Object.prototype: a field that is not there is undefined, and setting one runs no setter. */
function isolate(Class) {
    ObjectSetPrototypeOf(Class.prototype, null);
    return Class;
}

// ---- What users see of a stream ----

let partsOf; // {kind, state, payload, isDetached} of a stream; undefined for anything else

/** On the object of a stream, which messages know (04_serializable.js): transferred, or refused by the name in its payload. */
class StreamBrand extends Stamp {
    #parts;
    constructor(object, parts) {
        super(object);
        this.#parts = parts;
    }
    static { partsOf = (value) => (value !== null && typeof value === 'object' && #parts in value ? value.#parts : undefined); }
}

const nameOf = (kind) => (kind === READABLE_STREAM ? 'ReadableStream' : kind === WRITABLE_STREAM ? 'WritableStream' : 'TransformStream');

function brand(object, kind, state, payload) {
    new StreamBrand(object, { __proto__: null, kind, state, payload, isDetached: false });
    return object;
}

/** The object of a stream, with the prototype that `newTarget` says. @param {number} kind READABLE_STREAM, … */
function makeObject(newTarget, Class, kind, state) {
    const payload = [nameOf(kind)];
    return brand(makeSerializable(newTarget, Class, payload), kind, state, payload);
}

/** The same of an object that a message has brought with this payload, and that nobody has seen yet. */
function dressObject(object, Class, kind, state, payload) {
    ObjectSetPrototypeOf(object, Class.prototype);
    payload.length = 1;
    payload[0] = nameOf(kind);
    brand(object, kind, state, payload);
}

/** The state of a stream of this kind; undefined for anything else. */
function stateOfKind(value, kind) {
    const parts = partsOf(value);
    return parts !== undefined && parts.kind === kind ? parts.state : undefined;
}

/** The same of a receiver, which must be one. */
function ownState(value, kind) {
    const state = stateOfKind(value, kind);
    if (state === undefined) throw new TypeError(`The receiver is not a ${nameOf(kind)}`);
    return state;
}

// ---- Promises ----

let isInternal;

class InternalPromise extends Promise {
    #brand;
    constructor(executor) { super(executor); }
    static { isInternal = (value) => typeof value === 'object' && value !== null && #brand in value; }
}
isolate(InternalPromise);
ObjectDefineProperty(InternalPromise.prototype, 'constructor', { __proto__: null, value: undefined });
ObjectDefineProperty(InternalPromise.prototype, 'then', { __proto__: null, value: Promise.prototype.then });

// The functions of the promise made last: one executor for all, instead of a closure each.
let lastResolve, lastReject;
const executor = (resolve, reject) => {
    lastResolve = resolve;
    lastReject = reject;
};

/** Registers a reaction to an internal promise. The functions must not throw. */
const react = PromisePrototypeThen;

/** An internal promise and its functions. */
function defer() {
    const promise = new InternalPromise(executor);
    return { promise, resolve: lastResolve, reject: lastReject };
}

/** "A promise resolved with" (https://webidl.spec.whatwg.org/#a-promise-resolved-with). */
function resolvedWith(value) {
    if (isInternal(value)) return value;
    const promise = new InternalPromise(executor);
    lastResolve(value);
    return promise;
}

/** An internal promise that follows an internal one: two microtasks later than it, as a promise resolved with a promise is. */
function following(promise) {
    const result = new InternalPromise(executor);
    lastResolve(promise);
    return result;
}

function rejectedWith(reason) {
    const promise = new InternalPromise(executor);
    lastReject(reason);
    return promise;
}

let settledPromise; // made at run time: a snapshot holds no promise of ours

/** The promise resolved with undefined. */
function settled() {
    return settledPromise ??= resolvedWith(undefined);
}

/** "Upon fulfillment and rejection, with a result": a new internal promise of what the functions return or throw. */
function chain(promise, onFulfilled, onRejected = undefined) {
    const result = new InternalPromise(executor);
    const resolve = lastResolve;
    const reject = lastReject;
    const step = (run) => (value) => {
        try {
            resolve(run(value));
        } catch (error) {
            reject(error);
        }
    };
    react(promise, onFulfilled === undefined ? resolve : step(onFulfilled), onRejected === undefined ? reject : step(onRejected));
    return result;
}

/** Runs one of the functions when `result`, what a callback returned, has settled: never before the microtasks. */
function whenSettled(result, onFulfilled, onRejected) {
    if (result === undefined || result === null || (typeof result !== 'object' && typeof result !== 'function')) {
        react(settled(), onFulfilled);
    } else {
        react(resolvedWith(result), onFulfilled, onRejected);
    }
}

/** Calls a callback of the user's; what it throws becomes a rejection. @returns {Promise} internal */
function callForPromise(callback, receiver, values) {
    try {
        const result = ReflectApply(callback, receiver, values);
        return result === undefined ? settled() : resolvedWith(result);
    } catch (error) {
        return rejectedWith(error);
    }
}

const hideConstructor = { __proto__: null, value: undefined, configurable: true };

/** Sets [[PromiseIsHandled]] of a promise that users see. */
function markHandled(promise) {
    // Its own `constructor` keeps `then` from looking for a species where users may have put one.
    const hidden = ReflectDefineProperty(promise, 'constructor', hideConstructor);
    react(promise, undefined, noop);
    if (hidden) ReflectDeleteProperty(promise, 'constructor');
}

/** The promise a user gets for an internal one; its value becomes undefined. */
function toPublic(promise) {
    const result = new Promise(executor);
    const resolve = lastResolve;
    react(promise, () => resolve(undefined), lastReject);
    return result;
}

const pending = 0, fulfilled = 1, rejected = 2;

/** A promise that users see once they ask for it: `closed` and `ready` of readers and writers. */
class Deferred {
    constructor(state = pending, value = undefined) {
        this.state = state;
        this.value = value;
        this.made = undefined; // the promise
        this.resolveMade = undefined;
        this.rejectMade = undefined;
        this.watchers = undefined; // linked
    }

    get isPending() { return this.state === pending; }

    get promise() {
        if (this.made !== undefined) return this.made;
        if (this.state === pending) {
            this.made = new Promise(executor);
            this.resolveMade = lastResolve;
            this.rejectMade = lastReject;
        } else if (this.state === fulfilled) {
            this.made = PromiseResolve(undefined);
        } else {
            this.made = PromiseReject(this.value);
            markHandled(this.made); // all of these are handled, by the standard
        }
        return this.made;
    }

    resolve() {
        if (this.state !== pending) return;
        this.state = fulfilled;
        this.resolveMade?.(undefined);
        tell(this);
    }

    reject(reason) {
        if (this.state !== pending) return;
        this.state = rejected;
        this.value = reason;
        if (this.made !== undefined) {
            this.rejectMade(reason);
            markHandled(this.made);
        }
        tell(this);
    }

    /** Calls one of the functions in a microtask, once it is settled. */
    watch(onFulfilled, onRejected) {
        this.watchers = { onFulfilled, onRejected, next: this.watchers };
        if (this.state !== pending) tell(this);
    }
}
isolate(Deferred);
function tell(deferred) {
    for (let watcher = deferred.watchers; watcher !== undefined; watcher = watcher.next) {
        const { onFulfilled, onRejected } = watcher;
        if (deferred.state === fulfilled) react(settled(), onFulfilled);
        else if (onRejected !== undefined) react(settled(), () => onRejected(deferred.value));
    }
    deferred.watchers = undefined;
}

/** What abort() and close() of a writable stream give: a promise for users, the same at each call and settled first, and one for the platform. Neither is made unasked. */
class Completion {
    constructor() {
        this.forUser = undefined; // {promise, resolve, reject}
        this.forPlatform = undefined; // from defer()
    }

    /** Asked for before it is settled. */
    get publicPromise() {
        if (this.forUser === undefined) {
            const promise = new Promise(executor);
            this.forUser = { promise, resolve: lastResolve, reject: lastReject };
        }
        return this.forUser.promise;
    }

    /** Asked for before it is settled. */
    get promise() { return (this.forPlatform ??= defer()).promise; }

    resolve() {
        this.forUser?.resolve(undefined);
        this.forPlatform?.resolve(undefined);
    }

    reject(reason) {
        this.forUser?.reject(reason);
        this.forPlatform?.reject(reason);
    }
}
isolate(Completion);

/** For abort() and close() when there is nothing to wait for. */
const settledCompletion = () => ({ __proto__: null, get promise() { return settled(); }, get publicPromise() { return PromiseResolve(undefined); } });
const failedCompletion = (reason) => ({ __proto__: null, get promise() { return rejectedWith(reason); }, get publicPromise() { return PromiseReject(reason); } });

const fulfilledDeferred = () => new Deferred(fulfilled);
const rejectedDeferred = (reason) => new Deferred(rejected, reason);

// ---- Queues ----

/** A linked list; entries are made by the caller and have the field `next`. */
class Queue {
    constructor() {
        this.first = undefined;
        this.last = undefined;
        this.length = 0;
    }
    push(entry) {
        if (this.last === undefined) this.first = entry;
        else this.last.next = entry;
        this.last = entry;
        this.length++;
    }
    shift() {
        const entry = this.first;
        this.first = entry.next;
        if (this.first === undefined) this.last = undefined;
        entry.next = undefined;
        this.length--;
        return entry;
    }
    clear() {
        this.first = this.last = undefined;
        this.length = 0;
    }
}
isolate(Queue);

/** A queue with sizes (https://streams.spec.whatwg.org/#queue-with-sizes); entries are {value, size, next}. */
class SizedQueue extends Queue {
    constructor() {
        super();
        this.total = 0;
    }
    add(value, size) {
        this.push({ value, size, next: undefined });
        this.total += size;
    }
    take() {
        const { value, size } = this.shift();
        this.total -= size;
        if (this.total < 0) this.total = 0; // rounding
        return value;
    }
    reset() {
        this.clear();
        this.total = 0;
    }
}

// ---- Conversions ----

/** A member of a dictionary that is a callback (https://webidl.spec.whatwg.org/#js-callback-functions). */
function toCallback(value, what) {
    if (value !== undefined && typeof value !== 'function') throw new TypeError(`${what} is not a function`);
    return value;
}

/** An object, where WebIDL says `object`; undefined stays. */
function toObject(value, what) {
    if (value !== undefined && (value === null || (typeof value !== 'object' && typeof value !== 'function'))) throw new TypeError(`${what} is not an object`);
    return value;
}

/** A QueuingStrategy dictionary. @returns {{highWaterMark: number | undefined, size: Function | undefined}} */
function toStrategy(value) {
    value = toDictionary(value, 'The strategy');
    if (value === undefined) return noStrategy;
    let highWaterMark = value.highWaterMark;
    if (highWaterMark !== undefined) highWaterMark = Number(highWaterMark);
    return { highWaterMark, size: toCallback(value.size, 'size of the strategy') };
}
const noStrategy = { highWaterMark: undefined, size: undefined };

/** https://streams.spec.whatwg.org/#validate-and-normalize-high-water-mark */
function highWaterMarkOf(strategy, otherwise) {
    const { highWaterMark } = strategy;
    if (highWaterMark === undefined) return otherwise;
    if (!(highWaterMark >= 0)) throw new RangeError(`The high water mark ${highWaterMark} is not a number of 0 or more`);
    return highWaterMark;
}

/** What a strategy's size function may give (https://streams.spec.whatwg.org/#enqueue-value-with-size). */
function checkSize(size) {
    size = Number(size);
    if (!(size >= 0 && size < Infinity)) throw new RangeError(`The size ${size} of a chunk is not a finite number of 0 or more`);
    return size;
}

/** unsigned long long with [EnforceRange]. */
function toCount(value, what) {
    const number = MathTrunc(Number(value));
    if (!(number >= 0 && number <= 9007199254740991)) throw new TypeError(`${what} is out of range`);
    return number + 0;
}

// ---- Strategies (https://streams.spec.whatwg.org/#qs-api) ----

function toHighWaterMark(init, name) {
    init = toDictionary(init, `${name}: the init`);
    const value = init === undefined ? undefined : init.highWaterMark;
    if (value === undefined) throw new TypeError(`${name}: highWaterMark is missing`);
    return Number(value);
}

// One function a realm, by the standard; no constructors.
const { size: byteLengthSize } = { size: (chunk) => chunk.byteLength };
const { size: countSize } = { size: () => 1 };

class ByteLengthQueuingStrategy {
    #highWaterMark;
    constructor(init) {
        requireArguments(arguments.length, 1, 'ByteLengthQueuingStrategy');
        this.#highWaterMark = toHighWaterMark(init, 'ByteLengthQueuingStrategy');
    }
    get highWaterMark() { return this.#highWaterMark; }
    get size() {
        this.#highWaterMark; // throws on a stranger
        return byteLengthSize;
    }
    [customInspect](depth, options, inspect) { return `ByteLengthQueuingStrategy ${inspect({ highWaterMark: this.#highWaterMark }, options)}`; }
}
defineInterface(ByteLengthQueuingStrategy);

class CountQueuingStrategy {
    #highWaterMark;
    constructor(init) {
        requireArguments(arguments.length, 1, 'CountQueuingStrategy');
        this.#highWaterMark = toHighWaterMark(init, 'CountQueuingStrategy');
    }
    get highWaterMark() { return this.#highWaterMark; }
    get size() {
        this.#highWaterMark;
        return countSize;
    }
    [customInspect](depth, options, inspect) { return `CountQueuingStrategy ${inspect({ highWaterMark: this.#highWaterMark }, options)}`; }
}
defineInterface(CountQueuingStrategy);

/** A promise for a user and its functions, made only when it cannot be a settled one: a read request or write request with a promise. */
class Outcome {
    constructor() {
        this.state = pending;
        this.value = undefined;
        this.resolveMade = undefined;
        this.rejectMade = undefined;
        this.next = undefined; // in a Queue
    }

    resolve(value) {
        if (this.resolveMade !== undefined) {
            this.resolveMade(value);
        } else if (this.state === pending) {
            this.state = fulfilled;
            this.value = value;
        }
    }

    reject(reason) {
        if (this.rejectMade !== undefined) {
            this.rejectMade(reason);
        } else if (this.state === pending) {
            this.state = rejected;
            this.value = reason;
        }
    }

    /** Called once, when what could settle it at once has run. */
    toPromise() {
        if (this.state === fulfilled) return PromiseResolve(this.value);
        if (this.state === rejected) return PromiseReject(this.value);
        const promise = new Promise(executor);
        this.resolveMade = lastResolve;
        this.rejectMade = lastReject;
        return promise;
    }
}
isolate(Outcome);

/** The files of this standard hand their parts on in here; 39_streams_7_host.js leaves in it what the rest of the platform uses. */
internal.streams = {
    Completion, Deferred, Outcome, Queue, READABLE_STREAM, SizedQueue, TRANSFORM_STREAM, WRITABLE_STREAM, callForPromise, chain, checkSize, defer, dressObject,
    failedCompletion, following, fulfilledDeferred, highWaterMarkOf, isolate, makeObject, markHandled, noop, ownState, partsOf, react, stateOfKind,
    rejectedDeferred, rejectedWith, resolvedWith, settled, settledCompletion, toCallback, toCount, toObject, toPublic, toStrategy, whenSettled,
};
