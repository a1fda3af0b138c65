'use strict';
// @ts-check
// What the rest of the platform does with streams: `internal.streams`. None of it looks at a property that a user may have put on a stream.

const {
    Promise, TypeError, TypedArrayPrototypeGetLength, TypedArrayPrototypeGetSymbolToStringTag,
    TypedArrayPrototypeSet, Uint8Array,
} = primordials;
const { streams } = internal;
const {
    READABLE_STREAM, ReadableStream, TRANSFORM_STREAM, TransformStream, WRITABLE_STREAM, WritableStream, acquireReader, callForPromise, cancelStream, chain, closed,
    copyView, defer, dressObject, enqueueOwn, errored, isolate, makeByteStream, makeStream, makeWritable, noop, partsOf, react, read, readable, rejectedWith,
    requireStream, settled, stateOf, teeStates, wrap,
} = streams;
const { defineSerializable, exempt } = internal.serialization;

// ---- Asking ----

const isReadableStream = (value) => stateOf(value) !== undefined;
const isDisturbed = (stream) => stateOf(stream).disturbed;
const isLocked = (stream) => stateOf(stream).reader !== undefined;
const isReadable = (stream) => stateOf(stream).state === readable;
const isClosed = (stream) => stateOf(stream).state === closed;
const isErrored = (stream) => stateOf(stream).state === errored;
const storedError = (stream) => stateOf(stream).storedError;

// ---- Feeding ----

/** A byte stream that the host feeds, and its source. Its pull is over when it returns. */
class HostReadable {
    constructor(pull, cancel, highWaterMark) {
        this.pullCallback = pull;
        this.cancelCallback = cancel;
        this.isSync = true;
        this.asked = false; // pull was called, and nothing has come
        this.state = makeByteStream(this, highWaterMark);
        if (highWaterMark > 0) this.state.controller.whenStarted(undefined);
        else this.state.controller.started = true; // nothing is pulled before somebody reads
    }

    get stream() { return wrap(this.state); }

    /** `chunk`: a Uint8Array whose buffer holds nothing else and is the stream's from now on. After the end it is dropped. */
    enqueue(chunk) {
        this.asked = false;
        const { controller } = this.state;
        if (TypedArrayPrototypeGetLength(chunk) > 0) enqueueOwn(controller, chunk);
        else controller.pullIfNeeded();
    }

    close() {
        const { controller } = this.state;
        if (!controller.canEnqueue()) return;
        try {
            controller.close();
            if (controller.pullIntos.length > 0 && this.state.state === closed) controller.respond(0);
        } catch { /* the end came within an element of a BYOB reader's view: the stream has failed with that */ }
    }

    error(reason) { this.state.controller.fail(reason); }
    desiredSize() { return this.state.controller.desiredSize(); }

    pull() {
        if (this.asked || this.pullCallback === undefined) return;
        this.asked = true;
        (0, this.pullCallback)();
    }

    cancel(reason) { return this.cancelCallback === undefined ? settled() : callForPromise(this.cancelCallback, undefined, [reason]); }
}
isolate(HostReadable);

/**
 * A byte stream that the host feeds.
 * @param {(() => void) | undefined} pull somebody waits for bytes, or fewer than `highWaterMark` are queued; called in the context of the read. It may call
 *     enqueue() at once or later, and is called again only after an enqueue. What it throws fails the stream
 * @param {((reason: unknown) => unknown) | undefined} cancel the reader has had enough; may return a promise, which cancel() waits for
 * @param {number} highWaterMark bytes
 * @returns {{stream: ReadableStream, enqueue(chunk: Uint8Array): void, close(): void, error(reason: unknown): void, desiredSize(): number | null}}
 */
const newReadable = (pull, cancel, highWaterMark = 0) => new HostReadable(pull, cancel, highWaterMark);

const fullSource = { __proto__: null, isSync: true, pull() {}, cancel: settled };

/** A stream of one chunk; the bytes' buffer is the stream's from now on. */
function fromBytes(bytes) {
    const state = makeByteStream(fullSource, 0);
    const { controller } = state;
    controller.started = true;
    if (TypedArrayPrototypeGetLength(bytes) > 0) enqueueOwn(controller, bytes);
    controller.close();
    return wrap(state);
}

// ---- Reading ----

const isBytes = (chunk) => TypedArrayPrototypeGetSymbolToStringTag(chunk) === 'Uint8Array';
/** Found while none of the program's functions runs. */
const notBytes = () => internal.withoutStack(new TypeError('Received non-Uint8Array chunk'));

/** A loop that reads, and its own read request. Runs in the context it was made in, whoever brings the chunks. A subclass has take(chunk) → go on. */
class Loop {
    constructor(stream) {
        this.stream = requireStream(stream, 'The body');
        this.reader = acquireReader(this.stream);
        this.context = ops.context();
        this.next = undefined; // in a Queue
        this.reading = false; // read() is on the stack
        this.again = false; // a chunk came meanwhile, and more is wanted
        this.over = false;
    }

    run() {
        do {
            this.again = false;
            this.reading = true;
            read(this.reader, this);
            this.reading = false;
        } while (this.again);
    }

    /** Goes on in the loop's own context. */
    runInContext() {
        const before = ops.enter(this.context);
        try {
            this.run();
        } finally {
            ops.setContext(before);
        }
    }

    chunk(chunk) {
        if (this.over) return;
        if (this.reading) {
            this.again = this.take(chunk);
            return;
        }
        const before = ops.enter(this.context);
        try {
            if (this.take(chunk)) this.run();
        } finally {
            ops.setContext(before);
        }
    }
}
isolate(Loop);

/** Collects a whole stream. */
class Collector extends Loop {
    constructor(stream, onBytes, onError) {
        super(stream);
        this.onBytes = onBytes;
        this.onError = onError;
        this.chunks = undefined; // linked, the last one first
        this.length = 0; // bytes
    }

    take(chunk) {
        if (!isBytes(chunk)) {
            this.error(notBytes());
            return false;
        }
        this.length += TypedArrayPrototypeGetLength(chunk);
        this.chunks = { chunk, before: this.chunks };
        return true;
    }

    close() {
        this.over = true;
        (0, this.onBytes)(this.joined());
    }

    error(reason) {
        this.over = true;
        this.chunks = undefined;
        (0, this.onError)(reason);
    }

    joined() {
        const { chunks, length, stream } = this;
        this.chunks = undefined;
        if (chunks === undefined) return new Uint8Array(0);
        // The chunk of a byte stream belongs to who reads it.
        if (chunks.before === undefined) return stream.controller.isBytes === true ? chunks.chunk : copyView(chunks.chunk);
        const bytes = new Uint8Array(length);
        let end = length;
        for (let link = chunks; link !== undefined; link = link.before) {
            end -= TypedArrayPrototypeGetLength(link.chunk);
            TypedArrayPrototypeSet(bytes, link.chunk, end);
        }
        return bytes;
    }
}

/**
 * Reads a stream to its end, without a promise: one of the functions is called, perhaps before this returns. Throws TypeError when the stream is locked; it stays
 * locked afterwards. `bytes` belongs to the callee.
 * @param {ReadableStream} stream @param {(bytes: Uint8Array) => void} onBytes @param {(reason: unknown) => void} onError a TypeError when a chunk is no Uint8Array
 */
function collect(stream, onBytes, onError) {
    new Collector(stream, onBytes, onError).run();
}

/** Bytes on their way through a promise, which asks what it gets for a `then`: a program may have put one on a prototype. */
function holding(bytes) {
    return { __proto__: null, bytes };
}

/** collect() as a promise. @returns {Promise<{bytes: Uint8Array}>} */
function readAll(stream) {
    return new Promise((resolve, reject) => {
        collect(stream, (bytes) => resolve(holding(bytes)), reject);
    });
}

class ChunkReader extends Loop {
    constructor(stream, onChunk, onEnd, onError) {
        super(stream);
        this.onChunk = onChunk;
        this.onEnd = onEnd;
        this.onError = onError;
        this.paused = false;
        this.taking = false; // onChunk is on the stack
    }

    take(chunk) {
        if (!isBytes(chunk)) {
            const error = notBytes();
            this.cancel(error);
            (0, this.onError)(error);
            return false;
        }
        this.taking = this.paused = true;
        const goOn = (0, this.onChunk)(chunk);
        this.taking = false;
        if (goOn === false && this.paused) return false;
        this.paused = false;
        return !this.over;
    }

    close() {
        if (this.over) return;
        this.over = true;
        (0, this.onEnd)();
    }

    error(reason) {
        if (this.over) return;
        this.over = true;
        (0, this.onError)(reason);
    }

    /** After onChunk returned false: the next chunk may come. */
    resume() {
        if (!this.paused || this.over) return;
        this.paused = false;
        if (!this.taking) this.runInContext();
    }

    /** The reader has had enough: none of the functions is called any more. */
    cancel(reason) {
        if (this.over) return;
        this.over = true;
        const before = ops.enter(this.context);
        try {
            react(cancelStream(this.stream, reason), noop, noop);
        } finally {
            ops.setContext(before);
        }
    }
}

/**
 * The cheapest loop from a stream to the host: no promise of its own. It begins at once, so the functions may be called before this returns. All runs in the
 * context in which it was called, the user's pull() too. Throws TypeError when the stream is locked; it stays locked afterwards.
 * @param {ReadableStream} stream
 * @param {(chunk: Uint8Array) => boolean | void} onChunk returns false to pause. A chunk that is no Uint8Array cancels the stream and is onError's
 * @param {() => void} onEnd @param {(reason: unknown) => void} onError
 * @returns {{resume(): void, cancel(reason: unknown): void}}
 */
function readChunks(stream, onChunk, onEnd, onError) {
    const reader = new ChunkReader(stream, onChunk, onEnd, onError);
    reader.run();
    return reader;
}

/** Two streams of what comes out of one; the second gets copies (https://fetch.spec.whatwg.org/#concept-body-clone). Throws TypeError when it is locked. */
function tee(stream) {
    const { first, second } = teeStates(stateOf(stream), true);
    return [wrap(first), wrap(second)];
}

/** Cancels, locked or not. What cancelling fails with is nobody's. */
function cancel(stream, reason) {
    react(cancelStream(stateOf(stream), reason), noop, noop);
}

// ---- Transferring (https://streams.spec.whatwg.org/#transferable-streams; the rest is in late/stream_transfer.js) ----

/** Whether it is a stream that can be among what is transferred. */
const isTransferable = (value) => partsOf(value) !== undefined;

/** Of such a stream: whether something reads from it, or writes into it, or it was transferred. */
function isInUse(value) {
    const { isDetached, kind, state } = partsOf(value);
    if (isDetached) return true;
    if (kind === READABLE_STREAM) return state.reader !== undefined;
    if (kind === WRITABLE_STREAM) return state.writer !== undefined;
    return state.readable.reader !== undefined || state.writable.writer !== undefined;
}

exempt(ReadableStream);
exempt(WritableStream);
exempt(TransformStream);
const streamKinds = [READABLE_STREAM, WRITABLE_STREAM, TRANSFORM_STREAM];
for (let i = 0; i < streamKinds.length; i++) defineSerializable(streamKinds[i], (object, payload) => internal.load('stream_transfer').receive(object, payload));

/** What that needs of the files above. */
internal.streamParts = {
    READABLE_STREAM, ReadableStream, TRANSFORM_STREAM, TransformStream, WRITABLE_STREAM, WritableStream, chain, defer, dressObject, isolate, makeStream, makeWritable,
    markHandled: streams.markHandled, partsOf, pipe: streams.pipe, rejectedWith, settled,
};

/** @type {object} what others use; the parts above are of this standard's files only */
internal.streams = {
    ReadableStream, cancel, collect, fromBytes, holding, isClosed, isDisturbed, isErrored, isInUse, isLocked, isReadable, isReadableStream, isTransferable,
    newReadable, readAll, readChunks, storedError, tee,
};
