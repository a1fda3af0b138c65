'use strict';
// @ts-check
// ReadableStream, its default controller and default reader (https://streams.spec.whatwg.org/#rs).

const { ObjectAssign, ObjectDefineProperty, PromiseReject, PromiseResolve, RangeError, ReflectApply, SymbolAsyncIterator, TypeError } = primordials;
const { customInspect, streams } = internal;
const {
    Deferred, Outcome, Queue, READABLE_STREAM, SizedQueue, callForPromise, chain, checkSize, fulfilledDeferred, highWaterMarkOf, isolate, makeObject, noop,
    ownState, rejectedDeferred, rejectedWith, settled, stateOfKind, toCallback, toCount, toObject, toPublic, toStrategy, whenSettled,
} = streams;
const { defineInterface, requireArguments, toDictionary } = internal.webidl;

const readable = 0, closed = 1, errored = 2;
const stateNames = ['readable', 'closed', 'errored'];

/** The slots of a stream (https://streams.spec.whatwg.org/#rs-internal-slots). */
class ReadableState {
    constructor() {
        this.state = readable;
        this.disturbed = false;
        this.controller = undefined;
        this.reader = undefined;
        this.storedError = undefined;
        this.wrapper = undefined; // the ReadableStream, once there is one
    }
}
isolate(ReadableState);

/** The slots of a default reader (https://streams.spec.whatwg.org/#default-reader-internal-slots). */
class DefaultReaderState {
    constructor() {
        this.stream = undefined;
        this.closed = undefined; // Deferred
        this.requests = new Queue();
        this.isByob = false;
    }
}
isolate(DefaultReaderState);

// A read request (https://streams.spec.whatwg.org/#read-request) has chunk(value), close(), error(reason) and the field `next`. That of read() is an Outcome.
class ReadRequest extends Outcome {
    constructor() { super(); } // not V8's, which spreads its arguments by Array.prototype[Symbol.iterator]
    chunk(value) { this.resolve({ value, done: false }); }
    close(value = undefined) { this.resolve({ value, done: true }); }
    error(reason) { this.reject(reason); }
}

// ---- Streams (https://streams.spec.whatwg.org/#rs-abstract-ops) ----

/** @returns {Promise} internal (https://streams.spec.whatwg.org/#readable-stream-cancel) */
function cancelStream(stream, reason) {
    stream.disturbed = true;
    if (stream.state === closed) return settled();
    if (stream.state === errored) return rejectedWith(stream.storedError);
    return chain(endByCancel(stream, reason), noop);
}

/** The same with the promise that a user gets: settled at once, or one microtask after what the source gave. */
function cancelForUser(stream, reason) {
    stream.disturbed = true;
    if (stream.state === closed) return PromiseResolve(undefined);
    if (stream.state === errored) return PromiseReject(stream.storedError);
    return toPublic(endByCancel(stream, reason));
}

/** @returns {Promise} internal: the source's */
function endByCancel(stream, reason) {
    closeStream(stream);
    const { reader } = stream;
    if (reader !== undefined && reader.isByob) {
        const requests = reader.requests;
        reader.requests = new Queue();
        while (requests.length > 0) requests.shift().close(undefined);
    }
    return stream.controller.cancelSteps(reason);
}

/** https://streams.spec.whatwg.org/#readable-stream-close */
function closeStream(stream) {
    stream.state = closed;
    const { reader } = stream;
    if (reader === undefined) return;
    reader.closed.resolve();
    if (reader.isByob || reader.requests.length === 0) return;
    const { requests } = reader;
    reader.requests = new Queue();
    while (requests.length > 0) requests.shift().close();
}

/** https://streams.spec.whatwg.org/#readable-stream-error */
function errorStream(stream, reason) {
    stream.state = errored;
    stream.storedError = reason;
    const { reader } = stream;
    if (reader === undefined) return;
    reader.closed.reject(reason);
    failRequests(reader, reason);
}

/** https://streams.spec.whatwg.org/#abstract-opdef-readablestreamdefaultreadererrorreadrequests, and the same for BYOB readers */
function failRequests(reader, reason) {
    if (reader.requests.length === 0) return;
    const { requests } = reader;
    reader.requests = new Queue();
    while (requests.length > 0) requests.shift().error(reason);
}

/** https://streams.spec.whatwg.org/#readable-stream-reader-generic-initialize */
function attachReader(reader, stream) {
    if (stream.reader !== undefined) throw new TypeError('The stream is locked to a reader');
    reader.stream = stream;
    stream.reader = reader;
    reader.closed = stream.state === readable ? new Deferred() :
        stream.state === closed ? fulfilledDeferred() : rejectedDeferred(stream.storedError);
    return reader;
}

/** https://streams.spec.whatwg.org/#readable-stream-reader-generic-release */
function detachReader(reader) {
    const { stream } = reader;
    const error = new TypeError('The reader has released its lock on the stream');
    if (stream.state === readable) reader.closed.reject(error);
    else reader.closed = rejectedDeferred(error);
    stream.controller.releaseSteps();
    stream.reader = undefined;
    reader.stream = undefined;
    failRequests(reader, error); // a released reader's reads fail
}

/** https://streams.spec.whatwg.org/#acquire-readable-stream-reader */
const acquireReader = (stream) => attachReader(new DefaultReaderState(), stream);

/** https://streams.spec.whatwg.org/#readable-stream-default-reader-read */
function read(reader, request) {
    const { stream } = reader;
    stream.disturbed = true;
    if (stream.state === readable) stream.controller.pullSteps(request);
    else if (stream.state === closed) request.close();
    else request.error(stream.storedError);
}

// ---- The default controller (https://streams.spec.whatwg.org/#rs-default-controller-class) ----

/**
 * What feeds a controller: pull() and cancel() return what a callback would: undefined, or something to await. Here, the user's callbacks. A source with `isSync`
 * has pulled when its pull() returns.
 */
class UserSource {
    constructor(object, pull, cancel) {
        this.object = object;
        this.pullCallback = pull;
        this.cancelCallback = cancel;
        this.controller = undefined; // as the user sees it
        this.isSync = false;
    }
    pull() { return this.pullCallback === undefined ? undefined : ReflectApply(this.pullCallback, this.object, [this.controller]); }
    cancel(reason) { return this.cancelCallback === undefined ? settled() : callForPromise(this.cancelCallback, this.object, [reason]); }
}
isolate(UserSource);

/** What both kinds of controllers do alike: when to pull. A subclass has shouldPull() and fail(reason). */
class Puller {
    constructor(stream, source, highWaterMark) {
        this.stream = stream;
        this.source = source;
        this.highWaterMark = highWaterMark;
        this.started = false;
        this.closeRequested = false;
        this.pulling = false;
        this.pullAgain = false;
        this.onPulled = undefined; // made with the first pull that is waited for
        this.onPullFailed = undefined;
    }

    /** https://streams.spec.whatwg.org/#readable-stream-default-controller-call-pull-if-needed */
    pullIfNeeded() {
        if (!this.shouldPull()) return;
        if (this.pulling) {
            this.pullAgain = true;
            return;
        }
        this.pulling = true;
        const { source } = this;
        if (source.isSync) {
            try {
                do {
                    this.pullAgain = false;
                    source.pull(this);
                } while (this.pullAgain && this.shouldPull());
            } catch (error) {
                this.fail(error);
            }
            this.pulling = this.pullAgain = false;
            return;
        }
        this.onPulled ??= () => {
            this.pulling = false;
            if (this.pullAgain) {
                this.pullAgain = false;
                this.pullIfNeeded();
            }
        };
        this.onPullFailed ??= (reason) => this.fail(reason);
        let result;
        try {
            result = source.pull(this);
        } catch (error) {
            result = rejectedWith(error);
        }
        whenSettled(result, this.onPulled, this.onPullFailed);
    }

    /** The start callback has returned `result`. */
    whenStarted(result) {
        whenSettled(result, () => {
            this.started = true;
            this.pullIfNeeded();
        }, (reason) => this.fail(reason));
    }
}
isolate(Puller);

class DefaultControllerState extends Puller {
    constructor(stream, source, highWaterMark, size) {
        super(stream, source, highWaterMark);
        this.queue = new SizedQueue();
        this.size = size; // undefined: every chunk has the size 1
    }

    /** https://streams.spec.whatwg.org/#rs-default-controller-private-pull */
    pullSteps(request) {
        const { queue, stream } = this;
        if (queue.length === 0) {
            stream.reader.requests.push(request);
            this.pullIfNeeded();
            return;
        }
        const chunk = queue.take();
        if (this.closeRequested && queue.length === 0) {
            this.clear();
            closeStream(stream);
        } else {
            this.pullIfNeeded();
        }
        request.chunk(chunk);
    }

    /** https://streams.spec.whatwg.org/#rs-default-controller-private-cancel */
    cancelSteps(reason) {
        this.queue.reset();
        const { source } = this;
        this.clear();
        return source.cancel(reason);
    }

    releaseSteps() {}

    /** https://streams.spec.whatwg.org/#readable-stream-default-controller-should-call-pull */
    shouldPull() {
        const { stream } = this;
        if (!this.started || this.closeRequested || stream.state !== readable) return false;
        return (stream.reader !== undefined && stream.reader.requests.length > 0) || this.highWaterMark - this.queue.total > 0;
    }

    /** https://streams.spec.whatwg.org/#readable-stream-default-controller-can-close-or-enqueue */
    canEnqueue() { return !this.closeRequested && this.stream.state === readable; }

    /** https://streams.spec.whatwg.org/#readable-stream-default-controller-enqueue */
    enqueue(chunk) {
        if (!this.canEnqueue()) return;
        const { reader } = this.stream;
        if (reader !== undefined && reader.requests.length > 0) {
            reader.requests.shift().chunk(chunk);
        } else {
            let size = 1;
            if (this.size !== undefined) {
                const { size: measure } = this;
                try {
                    size = checkSize(measure(chunk));
                } catch (error) {
                    this.fail(error);
                    throw error;
                }
            }
            this.queue.add(chunk, size);
        }
        this.pullIfNeeded();
    }

    /** https://streams.spec.whatwg.org/#readable-stream-default-controller-close */
    close() {
        if (!this.canEnqueue()) return;
        this.closeRequested = true;
        if (this.queue.length > 0) return;
        this.clear();
        closeStream(this.stream);
    }

    /** https://streams.spec.whatwg.org/#readable-stream-default-controller-error */
    fail(reason) {
        if (this.stream.state !== readable) return;
        this.queue.reset();
        this.clear();
        errorStream(this.stream, reason);
    }

    /** https://streams.spec.whatwg.org/#readable-stream-default-controller-get-desired-size */
    desiredSize() {
        const { state } = this.stream;
        return state === errored ? null : state === closed ? 0 : this.highWaterMark - this.queue.total;
    }

    /** https://streams.spec.whatwg.org/#readable-stream-default-controller-clear-algorithms: lets go of the user's objects */
    clear() {
        this.source = clearedSource;
        this.size = undefined;
    }
}

/** A source that is over. */
const clearedSource = { __proto__: null, isSync: false, controller: undefined, pull: noop, cancel: settled };

/** A stream of a source of the platform's, started (https://streams.spec.whatwg.org/#create-readable-stream). @returns {ReadableState} */
function makeStream(source, highWaterMark = 1, size = undefined) {
    const stream = new ReadableState();
    stream.controller = new DefaultControllerState(stream, source, highWaterMark, size);
    return stream;
}

let adopted; // the state the next wrapper is made for

/** For the constructors that only the platform may call. */
function takeAdopted() {
    if (adopted === undefined) throw new TypeError('Illegal constructor');
    const state = adopted;
    adopted = undefined;
    return state;
}

/** https://streams.spec.whatwg.org/#rs-default-controller-class */
class ReadableStreamDefaultController {
    #state;
    constructor() { this.#state = takeAdopted(); }

    get desiredSize() { return this.#state.desiredSize(); }

    close() {
        if (!this.#state.canEnqueue()) throw cannotEnqueue(this.#state, 'close');
        this.#state.close();
    }

    enqueue(chunk = undefined) {
        if (!this.#state.canEnqueue()) throw cannotEnqueue(this.#state, 'enqueue');
        this.#state.enqueue(chunk);
    }

    error(reason = undefined) { this.#state.fail(reason); }

    [customInspect](depth, options, inspect) { return `ReadableStreamDefaultController ${inspect({ desiredSize: this.desiredSize }, options)}`; }
}
defineInterface(ReadableStreamDefaultController);

function cannotEnqueue(controller, what) {
    const { state } = controller.stream;
    const why = state === errored ? 'has failed' : state === closed ? 'is closed' : 'is about to close';
    return new TypeError(`Cannot ${what}: the stream ${why}`);
}

// ---- The default reader (https://streams.spec.whatwg.org/#default-reader-class) ----

const releasedReader = (method) => new TypeError(`${method}: the reader has released its lock on the stream`);

/** What both kinds of readers have (https://streams.spec.whatwg.org/#generic-reader-mixin). */
function cancelByReader(reader, reason) {
    if (reader.stream === undefined) return PromiseReject(releasedReader('cancel'));
    return cancelForUser(reader.stream, reason);
}

class ReadableStreamDefaultReader {
    #reader;
    constructor(stream) {
        requireArguments(arguments.length, 1, 'ReadableStreamDefaultReader');
        this.#reader = acquireReader(requireStream(stream, 'ReadableStreamDefaultReader'));
    }

    get closed() { return #reader in this ? this.#reader.closed.promise : PromiseReject(stranger('ReadableStreamDefaultReader')); }

    cancel(reason = undefined) {
        return #reader in this ? cancelByReader(this.#reader, reason) : PromiseReject(stranger('ReadableStreamDefaultReader'));
    }

    read() {
        if (!(#reader in this)) return PromiseReject(stranger('ReadableStreamDefaultReader'));
        if (this.#reader.stream === undefined) return PromiseReject(releasedReader('read'));
        const request = new ReadRequest();
        read(this.#reader, request);
        return request.toPromise();
    }

    releaseLock() {
        if (this.#reader.stream !== undefined) detachReader(this.#reader);
    }

    [customInspect](depth, options, inspect) {
        return `ReadableStreamDefaultReader ${inspect({ locked: this.#reader.stream !== undefined, waiting: this.#reader.requests.length }, options)}`;
    }
}
defineInterface(ReadableStreamDefaultReader);

const stranger = (name) => new TypeError(`The receiver is not a ${name}`);

// ---- ReadableStream (https://streams.spec.whatwg.org/#rs-class) ----

/** The state of a ReadableStream; undefined for anything else. */
const stateOf = (value) => stateOfKind(value, READABLE_STREAM);
const own = (value) => ownState(value, READABLE_STREAM);

class ReadableStream {
    constructor(underlyingSource = undefined, strategy = undefined) { // eslint-disable-line
        const stream = new ReadableState();
        stream.wrapper = makeObject(new.target, ReadableStream, READABLE_STREAM, stream);
        toObject(underlyingSource, 'ReadableStream: the source');
        const { highWaterMark, size } = toStrategy(strategy);
        const source = underlyingSource === undefined ? noSource : toSource(underlyingSource);
        if (source.type === 'bytes') {
            if (size !== undefined) throw new RangeError('ReadableStream: a byte stream takes no size function');
            streams.setUpBytes(stream, underlyingSource, source, highWaterMarkOf({ highWaterMark }, 0));
        } else {
            setUpDefault(stream, underlyingSource, source, highWaterMarkOf({ highWaterMark }, 1), size);
        }
        return stream.wrapper;
    }

    static from(asyncIterable) {
        requireArguments(arguments.length, 1, 'ReadableStream.from');
        return wrap(streams.fromIterable(asyncIterable));
    }

    get locked() { return own(this).reader !== undefined; }

    cancel(reason = undefined) {
        const stream = stateOf(this);
        if (stream === undefined) return PromiseReject(stranger('ReadableStream'));
        if (stream.reader !== undefined) return PromiseReject(new TypeError('Cannot cancel a stream that is locked'));
        return cancelForUser(stream, reason);
    }

    getReader(options = undefined) {
        const stream = own(this);
        options = toDictionary(options, 'getReader: the options');
        const mode = options === undefined ? undefined : options.mode;
        if (mode === undefined) return stream && new ReadableStreamDefaultReader(this);
        if (`${mode}` !== 'byob') throw new TypeError(`getReader: '${mode}' is not a valid mode`);
        return new streams.ReadableStreamBYOBReader(this);
    }

    pipeThrough(transform, options = undefined) {
        const source = own(this);
        requireArguments(arguments.length, 1, 'pipeThrough');
        transform = toDictionary(transform, 'pipeThrough: the transform');
        const readableSide = transform === undefined ? undefined : transform.readable;
        requireStream(readableSide, 'pipeThrough: readable of the transform');
        const writable = streams.requireWritable(transform.writable, 'pipeThrough: writable of the transform');
        options = streams.toPipeOptions(options, 'pipeThrough');
        if (source.reader !== undefined) throw new TypeError('pipeThrough: the stream is locked');
        if (writable.writer !== undefined) throw new TypeError('pipeThrough: the writable side is locked');
        streams.markHandled(streams.pipe(source, writable, options));
        return readableSide;
    }

    pipeTo(destination, options = undefined) {
        const stream = stateOf(this);
        if (stream === undefined) return PromiseReject(stranger('ReadableStream'));
        try {
            requireArguments(arguments.length, 1, 'pipeTo');
            const writable = streams.requireWritable(destination, 'pipeTo: the destination');
            options = streams.toPipeOptions(options, 'pipeTo');
            if (stream.reader !== undefined) throw new TypeError('pipeTo: the stream is locked');
            if (writable.writer !== undefined) throw new TypeError('pipeTo: the destination is locked');
            return streams.pipe(stream, writable, options);
        } catch (error) {
            return PromiseReject(error);
        }
    }

    tee() {
        const { first, second } = streams.teeStates(own(this), false);
        return [wrap(first), wrap(second)];
    }

    values(options = undefined) {
        const stream = own(this);
        options = toDictionary(options, 'values: the options');
        const preventCancel = options === undefined ? false : !!options.preventCancel;
        return streams.iterate(acquireReader(stream), preventCancel);
    }

    [customInspect](depth, options, inspect) {
        const { state, reader, controller } = own(this);
        return `ReadableStream ${inspect({ locked: reader !== undefined, state: stateNames[state], supportsBYOB: controller?.isBytes === true }, options)}`;
    }
}
ObjectDefineProperty(ReadableStream.prototype, SymbolAsyncIterator, {
    __proto__: null, value: ReadableStream.prototype.values, writable: true, enumerable: false, configurable: true,
});
defineInterface(ReadableStream);

/** The ReadableStream of a state. */
function wrap(stream) {
    return stream.wrapper ??= makeObject(ReadableStream, ReadableStream, READABLE_STREAM, stream);
}

/** Makes the public controller of a state. */
function wrapController(Class, controller) {
    adopted = controller;
    return new Class();
}

function requireStream(value, what) {
    const stream = stateOf(value);
    if (stream === undefined) throw new TypeError(`${what} is not a ReadableStream`);
    return stream;
}

const noSource = { __proto__: null, autoAllocateChunkSize: undefined, cancel: undefined, pull: undefined, start: undefined, type: undefined };

/** The UnderlyingSource dictionary (https://streams.spec.whatwg.org/#dictdef-underlyingsource), members in alphabetical order. */
function toSource(object) {
    let { autoAllocateChunkSize } = object;
    if (autoAllocateChunkSize !== undefined) autoAllocateChunkSize = toCount(autoAllocateChunkSize, 'autoAllocateChunkSize');
    const cancel = toCallback(object.cancel, 'cancel of the source');
    const pull = toCallback(object.pull, 'pull of the source');
    const start = toCallback(object.start, 'start of the source');
    let { type } = object;
    if (type !== undefined) {
        type = `${type}`;
        if (type !== 'bytes') throw new TypeError(`'${type}' is not a valid type of a ReadableStream`);
    }
    return { autoAllocateChunkSize, cancel, pull, start, type };
}

/** https://streams.spec.whatwg.org/#set-up-readable-stream-default-controller-from-underlying-source */
function setUpDefault(stream, object, { cancel, pull, start }, highWaterMark, size) {
    const source = new UserSource(object, pull, cancel);
    const controller = stream.controller = new DefaultControllerState(stream, source, highWaterMark, size);
    const visible = source.controller = start === undefined && pull === undefined ? undefined : wrapController(ReadableStreamDefaultController, controller);
    controller.whenStarted(start === undefined ? undefined : ReflectApply(start, object, [visible]));
}

ObjectAssign(streams, {
    DefaultReaderState, Puller, ReadRequest, ReadableState, ReadableStream, UserSource, acquireReader, attachReader, cancelByReader, cancelStream, clearedSource,
    closeStream, closed, detachReader, errorStream, errored, makeStream, read, readable, releasedReader, requireStream, stateOf, stranger, takeAdopted, wrap,
    wrapController,
});
