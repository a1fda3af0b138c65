'use strict';
// @ts-check
// Byte streams: their controller, BYOB readers and BYOB requests (https://streams.spec.whatwg.org/#rbs-controller-class, #byob-reader-class,
// #rs-byob-request-class). A buffer that comes from a user is transferred, as the standard has it; one that the platform made (`owned`), or that no user has
// seen, is not: nobody could tell.

const {
    ArrayBuffer, ArrayBufferIsView, ArrayBufferPrototypeGetByteLength, BigInt64Array, BigUint64Array, DataView, DataViewPrototypeGetBuffer,
    DataViewPrototypeGetByteLength, DataViewPrototypeGetByteOffset, Float32Array, Float64Array, Int16Array, Int32Array, Int8Array, ObjectAssign,
    PromiseReject, RangeError, ReflectApply, SafeMap, TypeError, TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength,
    TypedArrayPrototypeGetByteOffset, TypedArrayPrototypeGetLength, TypedArrayPrototypeGetSymbolToStringTag, TypedArrayPrototypeSet, Uint16Array, Uint32Array,
    Uint8Array, Uint8ClampedArray,
} = primordials;
const { customInspect, streams } = internal;
const {
    Outcome, Puller, Queue, UserSource, attachReader, cancelByReader, clearedSource, closeStream, closed, detachReader, errorStream, errored, isolate,
    readable, releasedReader, requireStream, stranger, toCount, wrapController,
} = streams;
const { defineInterface, requireArguments, toDictionary } = internal.webidl;

// ---- Views ----

/** What a view is: of which type, and where. Throws TypeError when it is none, or shared. */
function describe(view, what) {
    if (!ArrayBufferIsView(view)) throw new TypeError(`${what} is not a view on an ArrayBuffer`);
    const name = TypedArrayPrototypeGetSymbolToStringTag(view);
    const isDataView = name === undefined;
    const buffer = isDataView ? DataViewPrototypeGetBuffer(view) : TypedArrayPrototypeGetBuffer(view);
    let bufferByteLength;
    try {
        bufferByteLength = ArrayBufferPrototypeGetByteLength(buffer);
    } catch {
        throw new TypeError(`${what} is on a SharedArrayBuffer`);
    }
    if (bufferByteLength === 0) return { name, buffer, bufferByteLength, byteOffset: 0, byteLength: 0, length: 0 };
    const byteOffset = isDataView ? DataViewPrototypeGetByteOffset(view) : TypedArrayPrototypeGetByteOffset(view);
    const byteLength = isDataView ? DataViewPrototypeGetByteLength(view) : TypedArrayPrototypeGetByteLength(view);
    return { name, buffer, bufferByteLength, byteOffset, byteLength, length: isDataView ? byteLength : TypedArrayPrototypeGetLength(view) };
}

/** https://tc39.es/ecma262/#sec-isdetachedbuffer */
function isDetached(buffer) {
    if (ArrayBufferPrototypeGetByteLength(buffer) !== 0) return false;
    try {
        new Uint8Array(buffer);
        return false;
    } catch {
        return true;
    }
}

/** https://streams.spec.whatwg.org/#transfer-array-buffer */
function transfer(buffer) {
    try {
        return ops.clone(buffer, [buffer]);
    } catch {
        throw new TypeError('The buffer cannot be transferred');
    }
}

const constructors = new SafeMap(); // name → [constructor, bytes of an element]
constructors.set(undefined, { View: DataView, elementSize: 1 });
constructors.set('Int8Array', { View: Int8Array, elementSize: 1 });
constructors.set('Uint8Array', { View: Uint8Array, elementSize: 1 });
constructors.set('Uint8ClampedArray', { View: Uint8ClampedArray, elementSize: 1 });
constructors.set('Int16Array', { View: Int16Array, elementSize: 2 });
constructors.set('Uint16Array', { View: Uint16Array, elementSize: 2 });
constructors.set('Int32Array', { View: Int32Array, elementSize: 4 });
constructors.set('Uint32Array', { View: Uint32Array, elementSize: 4 });
constructors.set('Float32Array', { View: Float32Array, elementSize: 4 });
constructors.set('Float64Array', { View: Float64Array, elementSize: 8 });
constructors.set('BigInt64Array', { View: BigInt64Array, elementSize: 8 });
constructors.set('BigUint64Array', { View: BigUint64Array, elementSize: 8 });

function copyBytes(target, targetStart, source, start, length) {
    TypedArrayPrototypeSet(new Uint8Array(target, targetStart, length), new Uint8Array(source, start, length), 0);
}

function cloneBytes(buffer, start, length) {
    const copy = new ArrayBuffer(length);
    copyBytes(copy, 0, buffer, start, length);
    return copy;
}

// ---- The controller's state (https://streams.spec.whatwg.org/#rbs-controller-internal-slots) ----

const forDefault = 0, forByob = 1, forNone = 2; // the reader a pull-into is for

/** https://streams.spec.whatwg.org/#pull-into-descriptor */
class PullInto {
    constructor(buffer, byteOffset, byteLength, minimumFill, elementSize, View, readerType) {
        this.buffer = buffer;
        this.bufferByteLength = ArrayBufferPrototypeGetByteLength(buffer);
        this.byteOffset = byteOffset;
        this.byteLength = byteLength;
        this.filled = 0;
        this.minimumFill = minimumFill;
        this.elementSize = elementSize;
        this.View = View;
        this.readerType = readerType;
        this.exposed = false; // a user may hold the buffer, by a BYOB request
        this.next = undefined;
    }

    /** https://streams.spec.whatwg.org/#readable-byte-stream-controller-convert-pull-into-descriptor */
    toView() {
        const buffer = this.exposed ? transfer(this.buffer) : this.buffer;
        return new this.View(buffer, this.byteOffset, this.filled / this.elementSize);
    }
}
isolate(PullInto);

class ByteControllerState extends Puller {
    constructor(stream, source, highWaterMark, autoAllocateChunkSize) {
        super(stream, source, highWaterMark);
        this.isBytes = true;
        this.queue = new Queue(); // {buffer, byteOffset, byteLength, next}
        this.total = 0; // bytes in it
        this.pullIntos = new Queue();
        this.byobRequest = undefined; // as the user sees it
        this.autoAllocateChunkSize = autoAllocateChunkSize;
    }

    /** https://streams.spec.whatwg.org/#rbs-controller-private-pull */
    pullSteps(request) {
        if (this.total > 0) {
            this.fillRequest(request);
            return;
        }
        const size = this.autoAllocateChunkSize;
        if (size !== undefined) {
            let buffer;
            try {
                buffer = new ArrayBuffer(size);
            } catch (error) {
                request.error(error);
                return;
            }
            this.pullIntos.push(new PullInto(buffer, 0, size, 1, 1, Uint8Array, forDefault));
        }
        this.stream.reader.requests.push(request);
        this.pullIfNeeded();
    }

    /** https://streams.spec.whatwg.org/#rbs-controller-private-cancel */
    cancelSteps(reason) {
        this.invalidate();
        this.pullIntos.clear();
        this.resetQueue();
        const { source } = this;
        this.clear();
        return source.cancel(reason);
    }

    /** https://streams.spec.whatwg.org/#abstract-opdef-readablebytestreamcontroller-releasesteps */
    releaseSteps() {
        if (this.pullIntos.length === 0) return;
        const { first } = this.pullIntos;
        first.readerType = forNone;
        first.next = undefined;
        this.pullIntos.clear();
        this.pullIntos.push(first);
    }

    shouldPull() {
        const { stream } = this;
        if (stream.state !== readable || this.closeRequested || !this.started) return false;
        return (stream.reader !== undefined && stream.reader.requests.length > 0) || this.highWaterMark - this.total > 0;
    }

    canEnqueue() { return !this.closeRequested && this.stream.state === readable; }

    desiredSize() {
        const { state } = this.stream;
        return state === errored ? null : state === closed ? 0 : this.highWaterMark - this.total;
    }

    resetQueue() {
        this.queue.clear();
        this.total = 0;
    }

    clear() { this.source = clearedSource; }

    /** https://streams.spec.whatwg.org/#readable-byte-stream-controller-invalidate-byob-request */
    invalidate() {
        if (this.byobRequest === undefined) return;
        invalidateRequest(this.byobRequest);
        this.byobRequest = undefined;
    }

    /** The buffer of a pull-into, out of reach of whoever has a BYOB request. */
    reclaim(pullInto) {
        if (!pullInto.exposed) return;
        pullInto.buffer = transfer(pullInto.buffer);
        pullInto.exposed = false;
    }

    push(buffer, byteOffset, byteLength) {
        this.queue.push({ buffer, byteOffset, byteLength, next: undefined });
        this.total += byteLength;
    }

    /** https://streams.spec.whatwg.org/#readable-byte-stream-controller-enqueue, for a buffer that is ours */
    enqueue(buffer, byteOffset, byteLength) {
        const { pullIntos, stream } = this;
        if (pullIntos.length > 0) {
            const { first } = pullIntos;
            if (isDetached(first.buffer)) throw new TypeError('enqueue: the buffer of the BYOB request is detached');
            this.invalidate();
            this.reclaim(first);
            if (first.readerType === forNone) this.enqueueReleased(first);
        }
        const { reader } = stream;
        if (reader === undefined) {
            this.push(buffer, byteOffset, byteLength);
        } else if (reader.isByob) {
            this.push(buffer, byteOffset, byteLength);
            this.commitFilled();
        } else {
            while (reader.requests.length > 0 && this.total > 0) this.fillRequest(reader.requests.shift());
            if (reader.requests.length === 0) {
                if (stream.state === readable) this.push(buffer, byteOffset, byteLength);
            } else {
                if (pullIntos.length > 0) pullIntos.shift();
                reader.requests.shift().chunk(new Uint8Array(buffer, byteOffset, byteLength));
            }
        }
        this.pullIfNeeded();
    }

    /** https://streams.spec.whatwg.org/#abstract-opdef-readablebytestreamcontrollerfillreadrequestfromqueue */
    fillRequest(request) {
        const { buffer, byteOffset, byteLength } = this.queue.shift();
        this.total -= byteLength;
        this.afterTaking();
        request.chunk(new Uint8Array(buffer, byteOffset, byteLength));
    }

    /** https://streams.spec.whatwg.org/#readable-byte-stream-controller-handle-queue-drain */
    afterTaking() {
        if (this.total === 0 && this.closeRequested) {
            this.clear();
            closeStream(this.stream);
        } else {
            this.pullIfNeeded();
        }
    }

    /** https://streams.spec.whatwg.org/#readable-byte-stream-controller-close */
    close() {
        if (!this.canEnqueue()) return;
        if (this.total > 0) {
            this.closeRequested = true;
            return;
        }
        const { first } = this.pullIntos;
        if (first !== undefined && first.filled % first.elementSize !== 0) {
            const error = new TypeError('close: the last element of the view that is read into is not whole');
            this.fail(error);
            throw error;
        }
        this.clear();
        closeStream(this.stream);
    }

    /** https://streams.spec.whatwg.org/#readable-byte-stream-controller-error */
    fail(reason) {
        if (this.stream.state !== readable) return;
        this.invalidate();
        this.pullIntos.clear();
        this.resetQueue();
        this.clear();
        errorStream(this.stream, reason);
    }

    /** https://streams.spec.whatwg.org/#readable-byte-stream-controller-pull-into */
    pullInto(view, minimum, request) {
        const { View, elementSize } = constructors.get(view.name);
        const { byteOffset, byteLength } = view;
        let buffer;
        try {
            buffer = transfer(view.buffer);
        } catch (error) {
            request.error(error);
            return;
        }
        const pullInto = new PullInto(buffer, byteOffset, byteLength, minimum * elementSize, elementSize, View, forByob);
        const { stream, pullIntos } = this;
        if (pullIntos.length > 0) {
            pullIntos.push(pullInto);
            stream.reader.requests.push(request);
            return;
        }
        if (stream.state === closed) {
            request.close(new View(buffer, byteOffset, 0));
            return;
        }
        if (this.total > 0) {
            if (this.fillFromQueue(pullInto)) {
                const filled = pullInto.toView();
                this.afterTaking();
                request.chunk(filled);
                return;
            }
            if (this.closeRequested) {
                const error = new TypeError('read: what is left does not fill an element of the view');
                this.fail(error);
                request.error(error);
                return;
            }
        }
        pullIntos.push(pullInto);
        stream.reader.requests.push(request);
        this.pullIfNeeded();
    }

    /** https://streams.spec.whatwg.org/#readable-byte-stream-controller-fill-pull-into-descriptor-from-queue. @returns {boolean} it is ready */
    fillFromQueue(pullInto) {
        const room = pullInto.byteLength - pullInto.filled;
        let left = room < this.total ? room : this.total;
        const reachable = pullInto.filled + left;
        const aligned = reachable - reachable % pullInto.elementSize;
        const isReady = aligned >= pullInto.minimumFill;
        if (isReady) left = aligned - pullInto.filled;
        while (left > 0) {
            const { first } = this.queue;
            const count = left < first.byteLength ? left : first.byteLength;
            copyBytes(pullInto.buffer, pullInto.byteOffset + pullInto.filled, first.buffer, first.byteOffset, count);
            if (count === first.byteLength) {
                this.queue.shift();
            } else {
                first.byteOffset += count;
                first.byteLength -= count;
            }
            this.total -= count;
            pullInto.filled += count;
            left -= count;
        }
        return isReady;
    }

    /** Fills what waits from the queue, then hands it over (https://streams.spec.whatwg.org/#readable-byte-stream-controller-process-pull-into-descriptors-using-queue). */
    commitFilled(before = undefined) {
        const ready = new Queue();
        if (before !== undefined) ready.push(before);
        while (this.pullIntos.length > 0 && this.total > 0 && this.fillFromQueue(this.pullIntos.first)) ready.push(this.pullIntos.shift());
        while (ready.length > 0) this.commit(ready.shift());
    }

    /** https://streams.spec.whatwg.org/#readable-byte-stream-controller-commit-pull-into-descriptor */
    commit(pullInto) {
        const view = pullInto.toView();
        const request = this.stream.reader.requests.shift();
        if (this.stream.state === closed) request.close(view);
        else request.chunk(view);
    }

    /** https://streams.spec.whatwg.org/#abstract-opdef-readablebytestreamcontrollerenqueueclonedchunktoqueue */
    pushClone(buffer, byteOffset, byteLength) {
        let copy;
        try {
            copy = cloneBytes(buffer, byteOffset, byteLength);
        } catch (error) {
            this.fail(error);
            throw error;
        }
        this.push(copy, 0, byteLength);
    }

    /** What a released reader's pull-into has got goes into the queue (#abstract-opdef-readablebytestreamcontrollerenqueuedetachedpullintotoqueue). */
    enqueueReleased(pullInto) {
        if (pullInto.filled > 0) this.pushClone(pullInto.buffer, pullInto.byteOffset, pullInto.filled);
        this.pullIntos.shift();
    }

    /** https://streams.spec.whatwg.org/#readable-byte-stream-controller-respond */
    respond(count) {
        const { first } = this.pullIntos;
        if (this.stream.state === closed) {
            if (count !== 0) throw new TypeError('respond: the stream is closed, so the count must be 0');
        } else {
            if (count === 0) throw new TypeError('respond: the count must not be 0 while the stream is readable');
            if (first.filled + count > first.byteLength) throw new RangeError('respond: the count is more than the view has room for');
        }
        first.buffer = transfer(first.buffer);
        this.respondWith(count);
    }

    /** https://streams.spec.whatwg.org/#readable-byte-stream-controller-respond-with-new-view */
    respondWithView({ buffer, bufferByteLength, byteOffset, byteLength }) {
        const { first } = this.pullIntos;
        if (this.stream.state === closed) {
            if (byteLength !== 0) throw new TypeError('respondWithNewView: the stream is closed, so the view must be empty');
        } else if (byteLength === 0) {
            throw new TypeError('respondWithNewView: the view must not be empty while the stream is readable');
        }
        if (first.byteOffset + first.filled !== byteOffset) throw new RangeError('respondWithNewView: the view begins elsewhere');
        if (first.bufferByteLength !== bufferByteLength) throw new RangeError('respondWithNewView: the buffer has another size');
        if (first.filled + byteLength > first.byteLength) throw new RangeError('respondWithNewView: the view is too long');
        first.buffer = transfer(buffer);
        this.respondWith(byteLength);
    }

    /** https://streams.spec.whatwg.org/#readable-byte-stream-controller-respond-internal */
    respondWith(count) {
        const { pullIntos, stream } = this;
        const { first } = pullIntos;
        first.exposed = false; // just transferred
        this.invalidate();
        if (stream.state === closed) {
            if (first.readerType === forNone) pullIntos.shift();
            const { reader } = stream;
            if (reader !== undefined && reader.isByob) {
                for (let waiting = reader.requests.length; waiting > 0; waiting--) this.commit(pullIntos.shift());
            }
        } else {
            this.respondReadable(first, count);
        }
        this.pullIfNeeded();
    }

    /** https://streams.spec.whatwg.org/#readable-byte-stream-controller-respond-in-readable-state */
    respondReadable(pullInto, count) {
        pullInto.filled += count;
        if (pullInto.readerType === forNone) {
            this.enqueueReleased(pullInto);
            this.commitFilled();
            return;
        }
        if (pullInto.filled < pullInto.minimumFill) return;
        this.pullIntos.shift();
        const rest = pullInto.filled % pullInto.elementSize;
        if (rest > 0) {
            this.pushClone(pullInto.buffer, pullInto.byteOffset + pullInto.filled - rest, rest);
            pullInto.filled -= rest;
        }
        this.commitFilled(pullInto);
    }

    /** The rest of the view that is read into, as describe() gives it, for a tee; undefined: none is. Its buffer is to be transferred. */
    viewToFill() {
        const { first } = this.pullIntos;
        if (first === undefined) return undefined;
        const { buffer, bufferByteLength, byteOffset, byteLength, filled } = first;
        first.exposed = true;
        return { name: 'Uint8Array', buffer, bufferByteLength, byteOffset: byteOffset + filled, byteLength: byteLength - filled, length: byteLength - filled };
    }

    /** https://streams.spec.whatwg.org/#abstract-opdef-readablebytestreamcontrollergetbyobrequest */
    requestForUser() {
        const { first } = this.pullIntos;
        if (this.byobRequest === undefined && first !== undefined) {
            first.exposed = true;
            const view = new Uint8Array(first.buffer, first.byteOffset + first.filled, first.byteLength - first.filled);
            this.byobRequest = wrapController(ReadableStreamBYOBRequest, { controller: this, view });
        }
        return this.byobRequest ?? null;
    }
}

/** ByteControllerState.enqueue for a view of a user's. */
function enqueueView(controller, { buffer, byteOffset, byteLength }) {
    controller.enqueue(transfer(buffer), byteOffset, byteLength);
}

// ---- Public classes ----

let invalidateRequest;

/** https://streams.spec.whatwg.org/#rs-byob-request-class */
class ReadableStreamBYOBRequest {
    #state; // {controller, view}
    constructor() { this.#state = streams.takeAdopted(); }

    get view() { return this.#state.view; }

    respond(bytesWritten) {
        const { controller, view } = this.#state;
        requireArguments(arguments.length, 1, 'respond');
        bytesWritten = toCount(bytesWritten, 'respond: the count');
        if (controller === undefined) throw new TypeError('respond: this request has been answered');
        if (isDetached(TypedArrayPrototypeGetBuffer(view))) throw new TypeError('respond: the buffer is detached');
        controller.respond(bytesWritten);
    }

    respondWithNewView(view) {
        const { controller } = this.#state;
        requireArguments(arguments.length, 1, 'respondWithNewView');
        const description = describe(view, 'respondWithNewView: the view');
        if (controller === undefined) throw new TypeError('respondWithNewView: this request has been answered');
        if (isDetached(description.buffer)) throw new TypeError('respondWithNewView: the buffer is detached');
        controller.respondWithView(description);
    }

    [customInspect](depth, options, inspect) { return `ReadableStreamBYOBRequest ${inspect({ view: this.#state.view }, options)}`; }

    static {
        invalidateRequest = (request) => {
            request.#state.controller = undefined;
            request.#state.view = null;
        };
    }
}
defineInterface(ReadableStreamBYOBRequest);

/** https://streams.spec.whatwg.org/#rbs-controller-class */
class ReadableByteStreamController {
    #state;
    constructor() { this.#state = streams.takeAdopted(); }

    get byobRequest() { return this.#state.requestForUser(); }
    get desiredSize() { return this.#state.desiredSize(); }

    close() {
        if (!this.#state.canEnqueue()) throw new TypeError('close: the stream is closed, about to close, or has failed');
        this.#state.close();
    }

    enqueue(chunk) {
        const controller = this.#state;
        requireArguments(arguments.length, 1, 'enqueue');
        const view = describe(chunk, 'enqueue: the chunk');
        if (view.byteLength === 0) throw new TypeError('enqueue: the chunk is empty');
        if (view.bufferByteLength === 0) throw new TypeError('enqueue: the buffer of the chunk is empty');
        if (!controller.canEnqueue()) throw new TypeError('enqueue: the stream is closed, about to close, or has failed');
        enqueueView(controller, view);
    }

    error(reason = undefined) { this.#state.fail(reason); }

    [customInspect](depth, options, inspect) { return `ReadableByteStreamController ${inspect({ desiredSize: this.desiredSize }, options)}`; }
}
defineInterface(ReadableByteStreamController);

/** The slots of a BYOB reader (https://streams.spec.whatwg.org/#byob-reader-internal-slots). */
class ByobReaderState {
    constructor() {
        this.stream = undefined;
        this.closed = undefined;
        this.requests = new Queue();
        this.isByob = true;
    }
}
isolate(ByobReaderState);

/** https://streams.spec.whatwg.org/#acquire-readable-stream-byob-reader */
function acquireByobReader(stream) {
    if (stream.reader === undefined && stream.controller.isBytes !== true) throw new TypeError('A BYOB reader needs a byte stream');
    return attachReader(new ByobReaderState(), stream);
}

/** https://streams.spec.whatwg.org/#readable-stream-byob-reader-read. `view` as describe() gives it */
function readInto(reader, view, minimum, request) {
    const { stream } = reader;
    stream.disturbed = true;
    if (stream.state === errored) request.error(stream.storedError);
    else stream.controller.pullInto(view, minimum, request);
}

/** https://streams.spec.whatwg.org/#byob-reader-class */
class ReadableStreamBYOBReader {
    #reader;
    constructor(stream) {
        requireArguments(arguments.length, 1, 'ReadableStreamBYOBReader');
        this.#reader = acquireByobReader(requireStream(stream, 'ReadableStreamBYOBReader'));
    }

    get closed() { return #reader in this ? this.#reader.closed.promise : PromiseReject(stranger('ReadableStreamBYOBReader')); }

    cancel(reason = undefined) {
        return #reader in this ? cancelByReader(this.#reader, reason) : PromiseReject(stranger('ReadableStreamBYOBReader'));
    }

    read(view, options = undefined) {
        if (!(#reader in this)) return PromiseReject(stranger('ReadableStreamBYOBReader'));
        let description;
        let minimum = 1;
        try {
            requireArguments(arguments.length, 1, 'read');
            description = describe(view, 'read: the view');
            options = toDictionary(options, 'read: the options');
            const given = options === undefined ? undefined : options.min;
            if (given !== undefined) minimum = toCount(given, 'read: min');
            if (description.byteLength === 0) throw new TypeError('read: the view is empty');
            if (isDetached(description.buffer)) throw new TypeError('read: the buffer is detached');
            if (minimum === 0) throw new TypeError('read: min must be greater than 0');
            if (minimum > description.length) throw new RangeError('read: min is more than the view holds');
            if (this.#reader.stream === undefined) throw releasedReader('read');
        } catch (error) {
            return PromiseReject(error);
        }
        const request = new ReadIntoRequest();
        readInto(this.#reader, description, minimum, request);
        return request.toPromise();
    }

    releaseLock() {
        if (this.#reader.stream !== undefined) detachReader(this.#reader);
    }

    [customInspect](depth, options, inspect) {
        return `ReadableStreamBYOBReader ${inspect({ locked: this.#reader.stream !== undefined, waiting: this.#reader.requests.length }, options)}`;
    }
}
defineInterface(ReadableStreamBYOBReader);

const ReadIntoRequest = streams.ReadRequest;

/** https://streams.spec.whatwg.org/#set-up-readable-byte-stream-controller-from-underlying-source */
function setUpBytes(stream, object, { autoAllocateChunkSize, cancel, pull, start }, highWaterMark) {
    if (autoAllocateChunkSize === 0) throw new TypeError('autoAllocateChunkSize must be greater than 0');
    const source = new UserSource(object, pull, cancel);
    const controller = stream.controller = new ByteControllerState(stream, source, highWaterMark, autoAllocateChunkSize);
    const visible = source.controller = start === undefined && pull === undefined ? undefined : wrapController(ReadableByteStreamController, controller);
    controller.whenStarted(start === undefined ? undefined : ReflectApply(start, object, [visible]));
}

/** A byte stream of a source of the platform's (https://streams.spec.whatwg.org/#abstract-opdef-createreadablebytestream). @returns {ReadableState} */
function makeByteStream(source, highWaterMark = 0) {
    const stream = new streams.ReadableState();
    stream.controller = new ByteControllerState(stream, source, highWaterMark, undefined);
    return stream;
}

ObjectAssign(streams, { ReadableStreamBYOBReader, acquireByobReader, cloneBytes, describe, enqueueView, makeByteStream, readInto, setUpBytes });
