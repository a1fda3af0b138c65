'use strict';
// @ts-check
// WritableStream, its controller and writer (https://streams.spec.whatwg.org/#ws).

const { ObjectAssign, PromiseReject, ReflectApply, RangeError, TypeError } = primordials;
const { customInspect, streams } = internal;
const {
    Completion, Deferred, Outcome, Queue, SizedQueue, WRITABLE_STREAM, callForPromise, checkSize, failedCompletion, fulfilledDeferred, highWaterMarkOf, isolate,
    makeObject, noop, ownState, react, rejectedDeferred, rejectedWith, settled, settledCompletion, stateOfKind, stranger, takeAdopted, toCallback, toObject,
    toStrategy, whenSettled, wrapController,
} = streams;
const { defineInterface, requireArguments } = internal.webidl;

const writable = 0, erroring = 1, errored = 2, closed = 3;
const stateNames = ['writable', 'erroring', 'errored', 'closed'];

/** The slots of a stream (https://streams.spec.whatwg.org/#ws-internal-slots). */
class WritableState {
    constructor() {
        this.state = writable;
        this.storedError = undefined;
        this.backpressure = false;
        this.controller = undefined;
        this.writer = undefined;
        this.requests = new Queue(); // write requests: resolve(), reject(reason), next
        this.inFlight = undefined; // one of them
        this.closeRequest = undefined; // a Completion
        this.inFlightClose = undefined;
        this.pendingAbort = undefined; // {completion, reason, wasErroring}
        this.wrapper = undefined;
    }
}
isolate(WritableState);

/** The slots of a writer (https://streams.spec.whatwg.org/#default-writer-internal-slots). */
class WriterState {
    constructor() {
        this.stream = undefined;
        this.closed = undefined; // Deferreds
        this.ready = undefined;
    }
}
isolate(WriterState);

// ---- Streams (https://streams.spec.whatwg.org/#ws-abstract-ops) ----

/** https://streams.spec.whatwg.org/#writable-stream-close-queued-or-in-flight */
const isClosing = (stream) => stream.closeRequest !== undefined || stream.inFlightClose !== undefined;

/** https://streams.spec.whatwg.org/#set-up-writable-stream-default-writer */
function attachWriter(stream) {
    if (stream.writer !== undefined) throw new TypeError('The stream is locked to a writer');
    const writer = new WriterState();
    writer.stream = stream;
    stream.writer = writer;
    const { state } = stream;
    if (state === writable) {
        writer.ready = !isClosing(stream) && stream.backpressure ? new Deferred() : fulfilledDeferred();
        writer.closed = new Deferred();
    } else if (state === erroring) {
        writer.ready = rejectedDeferred(stream.storedError);
        writer.closed = new Deferred();
    } else if (state === closed) {
        writer.ready = fulfilledDeferred();
        writer.closed = fulfilledDeferred();
    } else {
        writer.ready = rejectedDeferred(stream.storedError);
        writer.closed = rejectedDeferred(stream.storedError);
    }
    return writer;
}

/** https://streams.spec.whatwg.org/#writable-stream-default-writer-release */
function detachWriter(writer) {
    const { stream } = writer;
    const error = new TypeError('The writer has released its lock on the stream');
    failReady(writer, error);
    if (writer.closed.isPending) writer.closed.reject(error);
    else writer.closed = rejectedDeferred(error);
    stream.writer = undefined;
    writer.stream = undefined;
}

/** https://streams.spec.whatwg.org/#writable-stream-default-writer-ensure-ready-promise-rejected */
function failReady(writer, reason) {
    if (writer.ready.isPending) writer.ready.reject(reason);
    else writer.ready = rejectedDeferred(reason);
}

/** @returns {Completion} (https://streams.spec.whatwg.org/#writable-stream-abort) */
function abortStream(stream, reason) {
    if (stream.state === closed || stream.state === errored) return settledCompletion();
    stream.controller.signalAbort(reason);
    const { state } = stream; // the signal's listeners may have changed it
    if (state === closed || state === errored) return settledCompletion();
    if (stream.pendingAbort !== undefined) return stream.pendingAbort.completion;
    const wasErroring = state === erroring;
    const completion = new Completion();
    stream.pendingAbort = { completion, reason: wasErroring ? undefined : reason, wasErroring };
    if (!wasErroring) startErroring(stream, reason);
    return completion;
}

/** @returns {Completion} (https://streams.spec.whatwg.org/#writable-stream-close) */
function closeStream(stream) {
    const { state, writer } = stream;
    if (state === closed || state === errored) {
        return failedCompletion(new TypeError(`close: the stream ${state === closed ? 'is closed' : 'has failed'}`));
    }
    const request = stream.closeRequest = new Completion();
    if (writer !== undefined && stream.backpressure && state === writable) writer.ready.resolve();
    stream.controller.close();
    return request;
}

/** https://streams.spec.whatwg.org/#writable-stream-deal-with-rejection */
function dealWithRejection(stream, error) {
    if (stream.state === writable) startErroring(stream, error);
    else finishErroring(stream);
}

/** https://streams.spec.whatwg.org/#writable-stream-start-erroring */
function startErroring(stream, reason) {
    const { controller, writer } = stream;
    stream.state = erroring;
    stream.storedError = reason;
    if (writer !== undefined) failReady(writer, reason);
    if (stream.inFlight === undefined && stream.inFlightClose === undefined && controller.started) finishErroring(stream);
}

/** https://streams.spec.whatwg.org/#writable-stream-finish-erroring */
function finishErroring(stream) {
    stream.state = errored;
    stream.controller.queue.reset();
    const { requests, storedError } = stream;
    while (requests.length > 0) requests.shift().reject(storedError);
    const abort = stream.pendingAbort;
    if (abort === undefined) {
        rejectCloseAndClosed(stream);
        return;
    }
    stream.pendingAbort = undefined;
    if (abort.wasErroring) {
        abort.completion.reject(storedError);
        rejectCloseAndClosed(stream);
        return;
    }
    react(stream.controller.abortSteps(abort.reason), () => {
        abort.completion.resolve();
        rejectCloseAndClosed(stream);
    }, (reason) => {
        abort.completion.reject(reason);
        rejectCloseAndClosed(stream);
    });
}

/** https://streams.spec.whatwg.org/#writable-stream-reject-close-and-closed-promise-if-needed */
function rejectCloseAndClosed(stream) {
    if (stream.closeRequest !== undefined) {
        stream.closeRequest.reject(stream.storedError);
        stream.closeRequest = undefined;
    }
    if (stream.writer !== undefined) stream.writer.closed.reject(stream.storedError);
}

/** https://streams.spec.whatwg.org/#writable-stream-finish-in-flight-close */
function finishClose(stream) {
    stream.inFlightClose.resolve();
    stream.inFlightClose = undefined;
    if (stream.state === erroring) {
        stream.storedError = undefined;
        if (stream.pendingAbort !== undefined) {
            stream.pendingAbort.completion.resolve();
            stream.pendingAbort = undefined;
        }
    }
    stream.state = closed;
    if (stream.writer !== undefined) stream.writer.closed.resolve();
}

/** https://streams.spec.whatwg.org/#writable-stream-finish-in-flight-close-with-error */
function failClose(stream, error) {
    stream.inFlightClose.reject(error);
    stream.inFlightClose = undefined;
    if (stream.pendingAbort !== undefined) {
        stream.pendingAbort.completion.reject(error);
        stream.pendingAbort = undefined;
    }
    dealWithRejection(stream, error);
}

/** https://streams.spec.whatwg.org/#writable-stream-update-backpressure */
function updateBackpressure(stream, backpressure) {
    const { writer } = stream;
    if (writer !== undefined && backpressure !== stream.backpressure) {
        if (backpressure) writer.ready = new Deferred();
        else writer.ready.resolve();
    }
    stream.backpressure = backpressure;
}

/**
 * https://streams.spec.whatwg.org/#writable-stream-default-writer-write
 * @param {{resolve(value: undefined): void, reject(reason: unknown): void, next: undefined}} request
 */
function write(writer, chunk, request) {
    const { stream } = writer;
    const { controller } = stream;
    const size = controller.sizeOf(chunk);
    if (stream !== writer.stream) {
        request.reject(new TypeError('write: the writer has released its lock on the stream'));
        return;
    }
    const { state } = stream;
    if (state === errored) request.reject(stream.storedError);
    else if (isClosing(stream) || state === closed) request.reject(new TypeError('write: the stream is closing or closed'));
    else if (state === erroring) request.reject(stream.storedError);
    else {
        stream.requests.push(request);
        controller.write(chunk, size);
    }
}

/** https://streams.spec.whatwg.org/#writable-stream-default-writer-get-desired-size */
function desiredSizeOf(stream) {
    const { state, controller } = stream;
    return state === errored || state === erroring ? null : state === closed ? 0 : controller.desiredSize();
}

// ---- The controller (https://streams.spec.whatwg.org/#ws-default-controller-class) ----

/** What a controller writes into: each returns what a callback would, but for abort(), which returns an internal promise. Here, the user's callbacks. */
class UserSink {
    constructor(object, { abort, close, write: writeCallback }) {
        this.object = object;
        this.abortCallback = abort;
        this.closeCallback = close;
        this.writeCallback = writeCallback;
        this.controller = undefined; // as the user sees it
    }
    write(chunk) { return this.writeCallback === undefined ? undefined : ReflectApply(this.writeCallback, this.object, [chunk, this.controller]); }
    close() { return this.closeCallback === undefined ? undefined : ReflectApply(this.closeCallback, this.object, []); }
    abort(reason) { return this.abortCallback === undefined ? settled() : callForPromise(this.abortCallback, this.object, [reason]); }
}
isolate(UserSink);

const clearedSink = { __proto__: null, controller: undefined, write: noop, close: noop, abort: settled };

class WritableControllerState {
    constructor(stream, sink, highWaterMark, size) {
        this.stream = stream;
        this.sink = sink;
        this.highWaterMark = highWaterMark;
        this.size = size; // undefined: every chunk has the size 1
        this.queue = new SizedQueue();
        this.started = false;
        this.abortSignal = undefined; // made when it is asked for
        this.abortReason = undefined;
        this.isAborted = false;
        this.onWritten = undefined;
        this.onWriteFailed = undefined;
        stream.backpressure = highWaterMark <= 0;
    }

    /** The start callback has returned `result` (https://streams.spec.whatwg.org/#set-up-writable-stream-default-controller). */
    whenStarted(result) {
        whenSettled(result, () => {
            this.started = true;
            this.advance();
        }, (reason) => {
            this.started = true;
            dealWithRejection(this.stream, reason);
        });
    }

    desiredSize() { return this.highWaterMark - this.queue.total; }

    signal() {
        if (this.abortSignal === undefined) {
            this.abortSignal = internal.events.makeSignal();
            if (this.isAborted) internal.events.abort(this.abortSignal, this.abortReason);
        }
        return this.abortSignal;
    }

    signalAbort(reason) {
        if (this.abortSignal !== undefined) {
            internal.events.abort(this.abortSignal, reason);
        } else if (!this.isAborted) {
            this.isAborted = true;
            this.abortReason = reason;
        }
    }

    /** https://streams.spec.whatwg.org/#ws-default-controller-private-abort */
    abortSteps(reason) {
        const { sink } = this;
        this.clear();
        return sink.abort(reason);
    }

    clear() {
        this.sink = clearedSink;
        this.size = undefined;
    }

    /** https://streams.spec.whatwg.org/#writable-stream-default-controller-get-chunk-size */
    sizeOf(chunk) {
        const { size } = this;
        if (size === undefined) return 1;
        try {
            return size(chunk);
        } catch (error) {
            this.failIfNeeded(error);
            return 1;
        }
    }

    /** https://streams.spec.whatwg.org/#writable-stream-default-controller-write */
    write(chunk, size) {
        try {
            this.queue.add(chunk, size === 1 ? 1 : checkSize(size));
        } catch (error) {
            this.failIfNeeded(error);
            return;
        }
        const { stream } = this;
        if (!isClosing(stream) && stream.state === writable) updateBackpressure(stream, this.desiredSize() <= 0);
        this.advance();
    }

    close() {
        this.queue.add(closeSentinel, 0);
        this.advance();
    }

    /** https://streams.spec.whatwg.org/#writable-stream-default-controller-error-if-needed */
    failIfNeeded(error) {
        if (this.stream.state === writable) this.fail(error);
    }

    /** https://streams.spec.whatwg.org/#writable-stream-default-controller-error */
    fail(error) {
        this.clear();
        startErroring(this.stream, error);
    }

    /** https://streams.spec.whatwg.org/#writable-stream-default-controller-advance-queue-if-needed */
    advance() {
        const { stream, queue } = this;
        if (!this.started || stream.inFlight !== undefined) return;
        if (stream.state === erroring) {
            finishErroring(stream);
            return;
        }
        if (queue.length === 0) return;
        const { value } = queue.first;
        if (value === closeSentinel) this.processClose();
        else this.processWrite(value);
    }

    /** https://streams.spec.whatwg.org/#writable-stream-default-controller-process-close */
    processClose() {
        const { stream, sink } = this;
        stream.inFlightClose = stream.closeRequest;
        stream.closeRequest = undefined;
        this.queue.take();
        let result;
        try {
            result = sink.close();
        } catch (error) {
            result = rejectedWith(error);
        }
        this.clear();
        whenSettled(result, () => finishClose(stream), (reason) => failClose(stream, reason));
    }

    /** https://streams.spec.whatwg.org/#writable-stream-default-controller-process-write */
    processWrite(chunk) {
        const { stream } = this;
        stream.inFlight = stream.requests.shift();
        this.onWritten ??= () => this.written();
        this.onWriteFailed ??= (reason) => this.writeFailed(reason);
        let result;
        try {
            result = this.sink.write(chunk, this);
        } catch (error) {
            result = rejectedWith(error);
        }
        whenSettled(result, this.onWritten, this.onWriteFailed);
    }

    written() {
        const { stream } = this;
        const request = stream.inFlight;
        stream.inFlight = undefined;
        request.resolve(undefined);
        const { state } = stream;
        this.queue.take();
        if (!isClosing(stream) && state === writable) updateBackpressure(stream, this.desiredSize() <= 0);
        this.advance();
    }

    writeFailed(reason) {
        const { stream } = this;
        if (stream.state === writable) this.clear();
        const request = stream.inFlight;
        stream.inFlight = undefined;
        request.reject(reason);
        dealWithRejection(stream, reason);
    }
}
isolate(WritableControllerState);

const closeSentinel = { __proto__: null };

/** A stream into a sink of the platform's, not started (https://streams.spec.whatwg.org/#create-writable-stream). @returns {WritableState} */
function makeWritable(sink, highWaterMark, size) {
    const stream = new WritableState();
    stream.controller = new WritableControllerState(stream, sink, highWaterMark, size);
    return stream;
}

// ---- Public classes ----

/** https://streams.spec.whatwg.org/#ws-default-controller-class */
class WritableStreamDefaultController {
    #state;
    constructor() { this.#state = takeAdopted(); }
    get signal() { return this.#state.signal(); }
    error(reason = undefined) { this.#state.failIfNeeded(reason); }
    [customInspect](depth, options, inspect) { return `WritableStreamDefaultController ${inspect({ signal: this.signal }, options)}`; }
}
defineInterface(WritableStreamDefaultController);

const releasedWriter = (method) => new TypeError(`${method}: the writer has released its lock on the stream`);
const writerStranger = () => stranger('WritableStreamDefaultWriter');

/** https://streams.spec.whatwg.org/#default-writer-class */
class WritableStreamDefaultWriter {
    #writer;
    constructor(stream) {
        requireArguments(arguments.length, 1, 'WritableStreamDefaultWriter');
        this.#writer = attachWriter(requireWritable(stream, 'WritableStreamDefaultWriter'));
    }

    get closed() { return #writer in this ? this.#writer.closed.promise : PromiseReject(writerStranger()); }
    get ready() { return #writer in this ? this.#writer.ready.promise : PromiseReject(writerStranger()); }

    get desiredSize() {
        const { stream } = this.#writer;
        if (stream === undefined) throw releasedWriter('desiredSize');
        return desiredSizeOf(stream);
    }

    abort(reason = undefined) {
        if (!(#writer in this)) return PromiseReject(writerStranger());
        const { stream } = this.#writer;
        return stream === undefined ? PromiseReject(releasedWriter('abort')) : abortStream(stream, reason).publicPromise;
    }

    close() {
        if (!(#writer in this)) return PromiseReject(writerStranger());
        const { stream } = this.#writer;
        if (stream === undefined) return PromiseReject(releasedWriter('close'));
        if (isClosing(stream)) return PromiseReject(new TypeError('close: the stream is closing already'));
        return closeStream(stream).publicPromise;
    }

    releaseLock() {
        if (this.#writer.stream !== undefined) detachWriter(this.#writer);
    }

    write(chunk = undefined) {
        if (!(#writer in this)) return PromiseReject(writerStranger());
        if (this.#writer.stream === undefined) return PromiseReject(releasedWriter('write'));
        const request = new Outcome();
        write(this.#writer, chunk, request);
        return request.toPromise();
    }

    [customInspect](depth, options, inspect) { return `WritableStreamDefaultWriter ${inspect({ locked: this.#writer.stream !== undefined }, options)}`; }
}
defineInterface(WritableStreamDefaultWriter);

/** The state of a WritableStream; undefined for anything else. */
const writableOf = (value) => stateOfKind(value, WRITABLE_STREAM);
const own = (value) => ownState(value, WRITABLE_STREAM);

/** https://streams.spec.whatwg.org/#ws-class */
class WritableStream {
    constructor(underlyingSink = undefined, strategy = undefined) { // eslint-disable-line
        const stream = new WritableState();
        const object = stream.wrapper = makeObject(new.target, WritableStream, WRITABLE_STREAM, stream);
        toObject(underlyingSink, 'WritableStream: the sink');
        const { highWaterMark, size } = toStrategy(strategy);
        const callbacks = underlyingSink === undefined ? noCallbacks : toSink(underlyingSink);
        const limit = highWaterMarkOf({ highWaterMark }, 1);
        const sink = new UserSink(underlyingSink, callbacks);
        const controller = stream.controller = new WritableControllerState(stream, sink, limit, size);
        const { start } = callbacks;
        if (start === undefined && callbacks.write === undefined) {
            controller.whenStarted(undefined);
            return object;
        }
        sink.controller = wrapController(WritableStreamDefaultController, controller);
        controller.whenStarted(start === undefined ? undefined : ReflectApply(start, underlyingSink, [sink.controller]));
        return object;
    }

    get locked() { return own(this).writer !== undefined; }

    abort(reason = undefined) {
        if (writableOf(this) === undefined) return PromiseReject(stranger('WritableStream'));
        if (own(this).writer !== undefined) return PromiseReject(new TypeError('Cannot abort a stream that is locked'));
        return abortStream(own(this), reason).publicPromise;
    }

    close() {
        if (writableOf(this) === undefined) return PromiseReject(stranger('WritableStream'));
        const stream = own(this);
        if (stream.writer !== undefined) return PromiseReject(new TypeError('Cannot close a stream that is locked'));
        if (isClosing(stream)) return PromiseReject(new TypeError('Cannot close a stream that is closing already'));
        return closeStream(stream).publicPromise;
    }

    getWriter() { return own(this) && new WritableStreamDefaultWriter(this); }

    [customInspect](depth, options, inspect) {
        const { state, writer } = own(this);
        return `WritableStream ${inspect({ locked: writer !== undefined, state: stateNames[state] }, options)}`;
    }
}
defineInterface(WritableStream);

const noCallbacks = { __proto__: null, abort: undefined, close: undefined, start: undefined, type: undefined, write: undefined };

/** The UnderlyingSink dictionary (https://streams.spec.whatwg.org/#dictdef-underlyingsink), members in alphabetical order. */
function toSink(object) {
    const abort = toCallback(object.abort, 'abort of the sink');
    const close = toCallback(object.close, 'close of the sink');
    const start = toCallback(object.start, 'start of the sink');
    const { type } = object;
    const writeCallback = toCallback(object.write, 'write of the sink');
    if (type !== undefined) throw new RangeError('WritableStream: type of the sink is reserved');
    return { abort, close, start, write: writeCallback };
}

function requireWritable(value, what) {
    const stream = writableOf(value);
    if (stream === undefined) throw new TypeError(`${what} is not a WritableStream`);
    return stream;
}

/** The WritableStream of a state. */
function wrapWritable(stream) {
    return stream.wrapper ??= makeObject(WritableStream, WritableStream, WRITABLE_STREAM, stream);
}

/** For those who know a stream's inside. */
const writableStates = { writable, erroring, errored, closed };

ObjectAssign(streams, {
    WritableStream, abortWritable: abortStream, attachWriter, closeWritable: closeStream, desiredSizeOf, detachWriter, isClosing, makeWritable, requireWritable,
    writableOf, writableStates, wrapWritable, write,
});
