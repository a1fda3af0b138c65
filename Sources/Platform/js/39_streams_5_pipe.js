'use strict';
// @ts-check
// pipeTo and pipeThrough (https://streams.spec.whatwg.org/#readable-stream-pipe-to). A chunk costs one object: the pipe is its own read request, and what
// happens to a write is counted. Everything runs in the context in which the pipe was made, whoever brings the chunks.

const { ObjectAssign, Promise, TypeError } = primordials;
const { streams } = internal;
const {
    abortWritable, acquireReader, attachWriter, cancelStream, chain, closeWritable, closed, desiredSizeOf, detachReader, detachWriter, errored, isClosing, isolate,
    noop, react, read, readable, rejectedWith, settled, writableStates, write,
} = streams;
const { addAbortAlgorithm, isSignal, removeAbortAlgorithm } = internal.events;
const { toDictionary } = internal.webidl;

const noOptions = { preventAbort: false, preventCancel: false, preventClose: false, signal: undefined, isPrompt: false };

/** The StreamPipeOptions dictionary (https://streams.spec.whatwg.org/#dictdef-streampipeoptions), members in alphabetical order. */
function toPipeOptions(options, what) {
    options = toDictionary(options, `${what}: the options`);
    if (options === undefined) return noOptions;
    const preventAbort = !!options.preventAbort;
    const preventCancel = !!options.preventCancel;
    const preventClose = !!options.preventClose;
    const { signal } = options;
    if (signal !== undefined && !isSignal(signal)) throw new TypeError(`${what}: signal is not an AbortSignal`);
    return { preventAbort, preventCancel, preventClose, signal, isPrompt: false };
}

/** One write of a pipe. */
class PipeWrite {
    constructor(pipe) {
        this.pipe = pipe;
        this.next = undefined; // in a Queue
    }
    resolve() { this.pipe.writeSettled(); }
    reject() { this.pipe.writeSettled(); }
}
isolate(PipeWrite);

class Pipe {
    constructor(source, destination, options, resolve, reject) {
        this.source = source;
        this.destination = destination;
        this.options = options;
        this.resolve = resolve;
        this.reject = reject;
        this.reader = acquireReader(source);
        this.writer = attachWriter(destination);
        source.disturbed = true;
        this.context = ops.context();
        this.next = undefined; // in a Queue
        this.value = undefined; // a chunk on its way
        this.reading = false; // read() is on the stack
        this.got = false; // a chunk came from it
        this.unsettled = 0; // chunks that are read and not yet written
        this.shuttingDown = false;
        this.afterWrites = undefined;
        this.onAbort = undefined;
        this.pumpInContext = () => this.within(this.pump);
        this.deliverInContext = () => this.within(this.deliver);
    }

    within(step) {
        const before = ops.enter(this.context);
        try {
            primordials.ReflectApply(step, this, []);
        } finally {
            ops.setContext(before);
        }
    }

    begin() {
        const { signal } = this.options;
        if (signal !== undefined) {
            this.onAbort = () => this.within(this.abort);
            if (signalIsAborted(signal)) {
                this.abort();
                return;
            }
            addAbortAlgorithm(signal, this.onAbort);
        }
        const { source, destination, reader, writer } = this;
        if (source.state === errored) this.sourceErrored(source.storedError);
        else reader.closed.watch(() => this.within(this.sourceClosed), (reason) => this.sourceErrored(reason));
        if (destination.state === writableStates.errored) this.destinationErrored(destination.storedError);
        else writer.closed.watch(noop, (reason) => this.destinationErrored(reason));
        if (source.state === closed) this.sourceClosed();
        if (isClosing(destination) || destination.state === writableStates.closed) this.destinationClosed();
        // A stream that is transferred is asked before its source has started, which then pulls once.
        if (this.options.isPrompt) this.pump();
        else writer.ready.watch(this.pumpInContext, noop);
    }

    pump() {
        const { destination, reader } = this;
        while (!this.shuttingDown) {
            const room = desiredSizeOf(destination);
            if (room === null) return; // the end of the writer says the rest
            if (room <= 0) {
                this.writer.ready.watch(this.pumpInContext, noop);
                return;
            }
            this.got = false;
            this.reading = true;
            read(reader, this);
            this.reading = false;
            if (!this.got) return;
        }
    }

    // The read request. A chunk that comes later is written in a microtask: enqueue() must not call the sink.
    chunk(value) {
        this.unsettled++;
        this.value = value;
        if (this.reading) {
            this.got = true;
            this.send();
        } else {
            react(settled(), this.deliverInContext);
        }
    }
    close() {}
    error() {}

    send() {
        const { value, writer } = this;
        this.value = undefined;
        if (writer.stream === undefined) this.writeSettled();
        else write(writer, value, new PipeWrite(this));
    }

    deliver() {
        this.send();
        this.pump();
    }

    writeSettled() {
        if (--this.unsettled > 0 || this.afterWrites === undefined) return;
        const { afterWrites } = this;
        this.afterWrites = undefined;
        react(settled(), afterWrites);
    }

    sourceErrored(reason) {
        this.shutDown(this.options.preventAbort ? undefined : () => abortWritable(this.destination, reason).promise, true, reason);
    }

    destinationErrored(reason) {
        this.shutDown(this.options.preventCancel ? undefined : () => cancelStream(this.source, reason), true, reason);
    }

    sourceClosed() {
        this.shutDown(this.options.preventClose ? undefined : () => closeIfOpen(this.destination), false, undefined);
    }

    destinationClosed() {
        const reason = new TypeError('pipeTo: the destination is closing or closed');
        this.shutDown(this.options.preventCancel ? undefined : () => cancelStream(this.source, reason), true, reason);
    }

    abort() {
        const { source, destination, options } = this;
        const reason = signalReason(options.signal);
        this.shutDown(options.preventAbort && options.preventCancel ? undefined : () => {
            const first = !options.preventAbort && destination.state === writableStates.writable ? abortWritable(destination, reason).promise : settled();
            const second = !options.preventCancel && source.state === readable ? cancelStream(source, reason) : settled();
            return both(first, second);
        }, true, reason);
    }

    /** https://streams.spec.whatwg.org/#rs-pipeTo-shutdown-with-action. `action` returns an internal promise; undefined: there is nothing to do */
    shutDown(action, isError, error) {
        if (this.shuttingDown) return;
        this.shuttingDown = true;
        const finish = () => {
            if (action === undefined) {
                this.finalize(isError, error);
                return;
            }
            let promise;
            this.within(() => { promise = action(); });
            react(promise, () => this.finalize(isError, error), (reason) => this.finalize(true, reason));
        };
        const { destination } = this;
        if (destination.state !== writableStates.writable || isClosing(destination)) finish();
        else if (this.unsettled > 0) this.afterWrites = finish;
        else react(settled(), finish);
    }

    /** https://streams.spec.whatwg.org/#rs-pipeTo-finalize */
    finalize(isError, error) {
        detachWriter(this.writer);
        detachReader(this.reader);
        if (this.onAbort !== undefined) removeAbortAlgorithm(this.options.signal, this.onAbort);
        if (isError) this.reject(error);
        else this.resolve(undefined);
    }
}
isolate(Pipe);

const { aborted, reason } = primordials.ObjectGetOwnPropertyDescriptors(AbortSignal.prototype);
const signalIsAborted = primordials.uncurryThis(aborted.get);
const signalReason = primordials.uncurryThis(reason.get);

/** https://streams.spec.whatwg.org/#writable-stream-default-writer-close-with-error-propagation */
function closeIfOpen(destination) {
    if (isClosing(destination) || destination.state === writableStates.closed) return settled();
    if (destination.state === writableStates.errored) return rejectedWith(destination.storedError);
    return closeWritable(destination).promise;
}

/** Waits for both; fails with the first failure. */
function both(first, second) {
    const failure = { __proto__: null, happened: false, reason: undefined };
    const note = (reason) => {
        if (failure.happened) return;
        failure.happened = true;
        failure.reason = reason;
    };
    return chain(chain(chain(first, undefined, note), () => chain(second, undefined, note)), () => { if (failure.happened) throw failure.reason; });
}

/** Neither side is locked. @returns {Promise} for the user */
function pipe(source, destination, options) {
    let resolve, reject;
    const promise = new Promise((yes, no) => {
        resolve = yes;
        reject = no;
    });
    new Pipe(source, destination, options, resolve, reject).begin();
    return promise;
}

ObjectAssign(streams, { pipe, toPipeOptions });
