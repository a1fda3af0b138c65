'use strict';
// @ts-check
// TransformStream (https://streams.spec.whatwg.org/#ts) and, by it, TextEncoderStream and TextDecoderStream
// (https://encoding.spec.whatwg.org/#interface-textencoderstream, #interface-textdecoderstream).

const {
    ObjectAssign, RangeError, ReflectApply, StringPrototypeCharCodeAt, StringPrototypeSlice, TypeError, Uint8Array,
} = primordials;
const { customInspect, streams } = internal;
const {
    TRANSFORM_STREAM, callForPromise, chain, defer, following, highWaterMarkOf, isolate, makeObject, makeStream, makeWritable, noop, ownState, react, readable,
    rejectedWith, resolvedWith, settled, takeAdopted, toCallback, toObject, toStrategy, wrap, wrapController, wrapWritable, writableStates,
} = streams;
const { bytesOf, decodeChunk, TextDecoder } = internal.encoding;
const { defineInterface, toDOMString } = internal.webidl;

const readableErrored = streams.errored;

/** A transform stream and its controller (https://streams.spec.whatwg.org/#ts-internal-slots, #ts-default-controller-internal-slots). */
class TransformState {
    /** @param {{transform(chunk, state), flush(state), cancel(reason)}} transformer each returns what a callback would; cancel an internal promise */
    constructor(transformer, writableHighWaterMark, writableSize, readableHighWaterMark, readableSize) {
        this.transformer = transformer;
        this.writable = makeWritable(new TransformSink(this), writableHighWaterMark, writableSize);
        this.readable = makeStream(new TransformSource(this), readableHighWaterMark, readableSize);
        this.backpressure = true;
        this.change = defer(); // [[backpressureChangePromise]]
        this.finish = undefined; // [[finishPromise]], from defer()
    }

    /** `result` is what the start callback returned. Both sides start two microtasks after it: the standard resolves a promise with a promise there. */
    whenStarted(result) {
        const started = resolvedWith(result);
        this.writable.controller.whenStarted(following(started));
        this.readable.controller.whenStarted(following(started));
    }

    /** https://streams.spec.whatwg.org/#transform-stream-set-backpressure */
    setBackpressure(backpressure) {
        this.change.resolve(undefined);
        this.change = defer();
        this.backpressure = backpressure;
    }

    /** https://streams.spec.whatwg.org/#transform-stream-default-controller-enqueue */
    enqueue(chunk) {
        const { controller } = this.readable;
        if (!controller.canEnqueue()) throw new TypeError('enqueue: the readable side is closed, about to close, or has failed');
        try {
            controller.enqueue(chunk);
        } catch (error) {
            this.failWritable(error);
            throw this.readable.storedError;
        }
        const backpressure = !controller.shouldPull();
        if (backpressure !== this.backpressure) this.setBackpressure(true);
    }

    /** https://streams.spec.whatwg.org/#transform-stream-error */
    fail(error) {
        this.readable.controller.fail(error);
        this.failWritable(error);
    }

    /** https://streams.spec.whatwg.org/#transform-stream-error-writable-and-unblock-write */
    failWritable(error) {
        this.transformer = clearedTransformer;
        this.writable.controller.failIfNeeded(error);
        this.unblock();
    }

    unblock() {
        if (this.backpressure) this.setBackpressure(false);
    }

    /** https://streams.spec.whatwg.org/#transform-stream-default-controller-terminate */
    terminate() {
        this.readable.controller.close();
        this.failWritable(new TypeError('The transform stream has been terminated'));
    }

    /** https://streams.spec.whatwg.org/#transform-stream-default-controller-perform-transform */
    perform(chunk) {
        let result;
        try {
            result = this.transformer.transform(chunk, this);
        } catch (error) {
            this.fail(error);
            throw error;
        }
        if (result === undefined) return undefined;
        return chain(resolvedWith(result), noop, (error) => {
            this.fail(error);
            throw error;
        });
    }

    /** Runs the last callback of the transformer once. @returns {Promise} internal */
    finishWith(run, onFulfilled, onRejected) {
        if (this.finish !== undefined) return this.finish.promise;
        const { promise, resolve, reject } = this.finish = defer();
        const { transformer } = this;
        let last;
        try {
            last = resolvedWith(run(transformer));
        } catch (error) {
            last = rejectedWith(error);
        }
        this.transformer = clearedTransformer;
        react(chain(last, onFulfilled, onRejected), resolve, reject);
        return promise;
    }
}
isolate(TransformState);

const clearedTransformer = { __proto__: null, transform: noop, flush: noop, cancel: settled };

class TransformSink {
    constructor(state) { this.state = state; }

    /** https://streams.spec.whatwg.org/#transform-stream-default-sink-write-algorithm */
    write(chunk) {
        const { state } = this;
        if (!state.backpressure) return state.perform(chunk);
        return chain(state.change.promise, () => {
            const { writable } = state;
            if (writable.state === writableStates.erroring) throw writable.storedError;
            return state.perform(chunk);
        });
    }

    /** https://streams.spec.whatwg.org/#transform-stream-default-sink-close-algorithm */
    close() {
        const { state } = this;
        const { readable: side } = state;
        return state.finishWith((transformer) => transformer.flush(state), () => {
            if (side.state === readableErrored) throw side.storedError;
            side.controller.close();
        }, (reason) => {
            side.controller.fail(reason);
            throw reason;
        });
    }

    /** https://streams.spec.whatwg.org/#transform-stream-default-sink-abort-algorithm */
    abort(reason) {
        const { state } = this;
        const { readable: side } = state;
        return state.finishWith((transformer) => transformer.cancel(reason), () => {
            if (side.state === readableErrored) throw side.storedError;
            side.controller.fail(reason);
        }, (failure) => {
            side.controller.fail(failure);
            throw failure;
        });
    }
}
isolate(TransformSink);

class TransformSource {
    constructor(state) {
        this.state = state;
        this.isSync = false;
    }

    /** https://streams.spec.whatwg.org/#transform-stream-default-source-pull-algorithm */
    pull() {
        this.state.setBackpressure(false);
        return this.state.change.promise;
    }

    /** https://streams.spec.whatwg.org/#transform-stream-default-source-cancel-algorithm */
    cancel(reason) {
        const { state } = this;
        const { writable } = state;
        return state.finishWith((transformer) => transformer.cancel(reason), () => {
            if (writable.state === writableStates.errored) throw writable.storedError;
            writable.controller.failIfNeeded(reason);
            state.unblock();
        }, (failure) => {
            writable.controller.failIfNeeded(failure);
            state.unblock();
            throw failure;
        });
    }
}
isolate(TransformSource);

// ---- Public classes ----

class UserTransformer {
    constructor(object, { cancel, flush, transform }) {
        this.object = object;
        this.transformCallback = transform;
        this.flushCallback = flush;
        this.cancelCallback = cancel;
        this.controller = undefined; // as the user sees it
    }
    transform(chunk, state) {
        if (this.transformCallback === undefined) return state.enqueue(chunk);
        return ReflectApply(this.transformCallback, this.object, [chunk, this.controller]);
    }
    flush() { return this.flushCallback === undefined ? undefined : ReflectApply(this.flushCallback, this.object, [this.controller]); }
    cancel(reason) { return this.cancelCallback === undefined ? settled() : callForPromise(this.cancelCallback, this.object, [reason]); }
}
isolate(UserTransformer);

/** https://streams.spec.whatwg.org/#ts-default-controller-class */
class TransformStreamDefaultController {
    #state;
    constructor() { this.#state = takeAdopted(); }
    get desiredSize() { return this.#state.readable.controller.desiredSize(); }
    enqueue(chunk = undefined) { this.#state.enqueue(chunk); }
    error(reason = undefined) { this.#state.fail(reason); }
    terminate() { this.#state.terminate(); }
    [customInspect](depth, options, inspect) { return `TransformStreamDefaultController ${inspect({ desiredSize: this.desiredSize }, options)}`; }
}
defineInterface(TransformStreamDefaultController);

const own = (value) => ownState(value, TRANSFORM_STREAM);

/** https://streams.spec.whatwg.org/#ts-class */
class TransformStream {
    constructor(transformer = undefined, writableStrategy = undefined, readableStrategy = undefined) { // eslint-disable-line
        toObject(transformer, 'TransformStream: the transformer');
        const forWritable = toStrategy(writableStrategy);
        const forReadable = toStrategy(readableStrategy);
        const callbacks = transformer === undefined ? noCallbacks : toTransformer(transformer);
        const readableHighWaterMark = highWaterMarkOf(forReadable, 0);
        const writableHighWaterMark = highWaterMarkOf(forWritable, 1);
        const inner = new UserTransformer(transformer, callbacks);
        const state = new TransformState(inner, writableHighWaterMark, forWritable.size, readableHighWaterMark, forReadable.size);
        const object = makeObject(new.target, TransformStream, TRANSFORM_STREAM, state);
        inner.controller = wrapController(TransformStreamDefaultController, state);
        const { start } = callbacks;
        state.whenStarted(start === undefined ? undefined : ReflectApply(start, transformer, [inner.controller]));
        return object;
    }

    get readable() { return wrap(own(this).readable); }
    get writable() { return wrapWritable(own(this).writable); }

    [customInspect](depth, options, inspect) {
        const { readable: readableSide, writable } = this;
        return `TransformStream ${inspect({ readable: readableSide, writable, backpressure: own(this).backpressure }, options)}`;
    }
}
defineInterface(TransformStream);

const noCallbacks = { __proto__: null, cancel: undefined, flush: undefined, start: undefined, transform: undefined };

/** The Transformer dictionary (https://streams.spec.whatwg.org/#dictdef-transformer), members in alphabetical order. */
function toTransformer(object) {
    const cancel = toCallback(object.cancel, 'cancel of the transformer');
    const flush = toCallback(object.flush, 'flush of the transformer');
    const { readableType } = object;
    const start = toCallback(object.start, 'start of the transformer');
    const transform = toCallback(object.transform, 'transform of the transformer');
    const { writableType } = object;
    if (readableType !== undefined || writableType !== undefined) throw new RangeError('TransformStream: readableType and writableType are reserved');
    return { cancel, flush, start, transform };
}

/** A transform stream of the platform's (https://streams.spec.whatwg.org/#transformstream-set-up). */
function makeTransform(transformer) {
    const state = new TransformState(transformer, 1, undefined, 0, undefined);
    state.whenStarted(undefined);
    return state;
}

// ---- Text ----

class Encoder {
    constructor() { this.lead = ''; } // a high surrogate that ended the last chunk

    /** https://encoding.spec.whatwg.org/#encode-and-enqueue-a-chunk */
    transform(chunk, state) {
        let text = this.lead + toDOMString(chunk);
        this.lead = '';
        if (text === '') return;
        const last = StringPrototypeCharCodeAt(text, text.length - 1);
        if (last >= 0xD800 && last <= 0xDBFF) {
            this.lead = text[text.length - 1];
            text = StringPrototypeSlice(text, 0, -1);
        }
        if (text !== '') state.enqueue(ops.encodeUtf8(text));
    }

    /** https://encoding.spec.whatwg.org/#encode-and-flush */
    flush(state) {
        if (this.lead !== '') state.enqueue(ops.encodeUtf8('\uFFFD'));
    }

    cancel() { return settled(); }
}
isolate(Encoder);

class TextEncoderStream {
    #state = makeTransform(new Encoder());
    get encoding() { return this.#state && 'utf-8'; }
    get readable() { return wrap(this.#state.readable); }
    get writable() { return wrapWritable(this.#state.writable); }
    [customInspect](depth, options, inspect) { return `TextEncoderStream ${inspect({ encoding: this.encoding }, options)}`; }
}
defineInterface(TextEncoderStream);

class Decoder {
    constructor(decoder) { this.decoder = decoder; }

    /** https://encoding.spec.whatwg.org/#decode-and-enqueue-a-chunk */
    transform(chunk, state) {
        if (bytesOf(chunk) === undefined) throw new TypeError('TextDecoderStream: the chunk is no ArrayBuffer or view of one');
        const text = decodeChunk(this.decoder, chunk, true);
        if (text !== '') state.enqueue(text);
    }

    /** https://encoding.spec.whatwg.org/#flush-and-enqueue */
    flush(state) {
        const text = decodeChunk(this.decoder, new Uint8Array(0), false);
        if (text !== '') state.enqueue(text);
    }

    cancel() { return settled(); }
}
isolate(Decoder);

const { encoding, fatal, ignoreBOM } = primordials.ObjectGetOwnPropertyDescriptors(TextDecoder.prototype);

class TextDecoderStream {
    #decoder;
    #state;
    constructor(label = 'utf-8', options = undefined) {
        this.#decoder = new TextDecoder(label, options);
        this.#state = makeTransform(new Decoder(this.#decoder));
    }
    get encoding() { return ReflectApply(encoding.get, this.#decoder, []); }
    get fatal() { return ReflectApply(fatal.get, this.#decoder, []); }
    get ignoreBOM() { return ReflectApply(ignoreBOM.get, this.#decoder, []); }
    get readable() { return wrap(this.#state.readable); }
    get writable() { return wrapWritable(this.#state.writable); }
    [customInspect](depth, options, inspect) {
        return `TextDecoderStream ${inspect({ encoding: this.encoding, fatal: this.fatal, ignoreBOM: this.ignoreBOM }, options)}`;
    }
}
defineInterface(TextDecoderStream);

ObjectAssign(streams, { TransformStream, makeTransform });
