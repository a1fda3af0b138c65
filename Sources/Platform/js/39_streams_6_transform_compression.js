'use strict';
// @ts-check
// Compression Streams (https://compression.spec.whatwg.org/) over zlib. All memory of a codec, zlib's own included, is one ArrayBuffer: it goes when the stream is
// through, has failed or was collected.

const {
    ArrayBuffer, MathFloor, TypeError, TypedArrayPrototypeGetLength, TypedArrayPrototypeSlice, TypedArrayPrototypeSubarray, Uint8Array,
} = primordials;
const { customInspect, streams } = internal;
const { chain, isolate, makeTransform, settled, wrap, wrapWritable, writableStates } = streams;
const { bytesOf, isBufferSource, isShared, noBytes } = internal.encoding;
const { defineInterface, requireArguments, toDOMString } = internal.webidl;

const formats = { __proto__: null, 'deflate': 0, 'deflate-raw': 1, 'gzip': 2 }; // as sl_zlib_open has them
const deflateStateBytes = 320 << 10; // what zlib asks for is 268 KB, and for inflating 42 KB
const inflateStateBytes = 64 << 10;
const pieceBytesMax = 64 << 10; // of what comes out
const queuedBytesMax = 1 << 20; // of what one chunk may put into the queue while nobody reads

let piece; // what zlib writes to; each piece is copied out at once

class Codec {
    constructor(format, inflates) {
        this.format = formats[format];
        this.inflates = inflates;
        this.memory = undefined; // comes with the first chunk
        this.ended = false; // inflating: the end of the compressed input has been reached
        this.over = false;
    }

    /** https://compression.spec.whatwg.org/#compress-and-enqueue-a-chunk, #decompress-and-enqueue-a-chunk */
    transform(chunk, state) {
        if (!isBufferSource(chunk) || isShared(chunk)) {
            throw this.failure('the chunk is no ArrayBuffer or view of one', 'ERR_INVALID_ARG_TYPE');
        }
        const bytes = bytesOf(chunk);
        return TypedArrayPrototypeGetLength(bytes) === 0 ? undefined : this.run(bytes, false, state);
    }

    /** https://compression.spec.whatwg.org/#compress-flush-and-enqueue, #decompress-flush-and-enqueue */
    flush(state) {
        if (!this.inflates) {
            this.run(noBytes, true, state);
        } else if (!this.ended) {
            throw this.failure('the compressed data ends too early', 'ERR_TRUNCATED_INPUT');
        }
        this.release();
    }

    cancel() {
        this.release();
        return settled();
    }

    release() {
        this.over = true;
        this.memory = undefined;
    }

    failure(message, code) {
        this.release();
        return internal.typeError(`${this.inflates ? 'DecompressionStream' : 'CompressionStream'}: ${message}`, code);
    }

    open() {
        piece ??= new Uint8Array(pieceBytesMax);
        this.memory = new ArrayBuffer(this.inflates ? inflateStateBytes : deflateStateBytes);
        if (!ops.zlibOpen(this.memory, this.format, this.inflates)) throw this.failure('zlib has not enough memory', 'ERR_MEMORY');
    }

    /**
     * Takes `bytes` and enqueues what comes of them. A small chunk may come to a thousand times its size: then it waits until the queue has been read.
     * @param {boolean} isOwn nobody else has `bytes`
     * @returns undefined, or an internal promise
     */
    run(bytes, finish, state, isOwn = false) {
        if (this.memory === undefined && !this.ended) this.open();
        let queued = 0;
        for (;;) {
            if (this.ended) {
                if (TypedArrayPrototypeGetLength(bytes) === 0) return undefined;
                throw this.failure('there is more data after the end of the compressed data', 'ERR_TRAILING_JUNK_AFTER_STREAM_END');
            }
            const packed = ops.zlibRun(this.memory, bytes, finish, piece);
            if (packed < 0) throw this.failure('the compressed data is not valid', 'Z_DATA_ERROR');
            const consumed = MathFloor(packed / 0x40000);
            const produced = MathFloor(packed / 2) % 0x20000;
            if (packed % 2 === 1) {
                this.ended = this.inflates;
                if (this.ended) this.memory = undefined;
            }
            if (consumed > 0) bytes = TypedArrayPrototypeSubarray(bytes, consumed);
            if (produced > 0) {
                state.enqueue(TypedArrayPrototypeSlice(piece, 0, produced));
                if (this.over) return undefined; // a reader's callback has cancelled
            }
            queued += produced;
            if (packed % 2 === 1) {
                if (this.inflates) continue;
                return undefined;
            }
            if (produced < pieceBytesMax) {
                if (TypedArrayPrototypeGetLength(bytes) === 0) return undefined;
                if (produced === 0 && consumed === 0) throw this.failure('the compressed data is not valid', 'Z_BUF_ERROR');
            }
            if (queued >= queuedBytesMax && state.backpressure && !finish) return this.wait(bytes, state, isOwn);
        }
    }

    wait(bytes, state, isOwn) {
        if (!isOwn) bytes = TypedArrayPrototypeSlice(bytes, 0); // the caller's buffer is the caller's; once: a chunk may wait a thousand times
        // Cancelled or aborted meanwhile: the rest of the chunk is nobody's.
        return chain(state.change.promise, () => (
            this.over || state.writable.state === writableStates.erroring ? undefined : this.run(bytes, false, state, true)));
    }
}
isolate(Codec);

function toFormat(value) {
    const format = toDOMString(value);
    if (formats[format] === undefined) {
        throw internal.typeError(`The format "${format}" is none of "deflate", "deflate-raw" and "gzip"`, 'ERR_INVALID_ARG_VALUE');
    }
    return format;
}

/** https://compression.spec.whatwg.org/#compression-stream */
class CompressionStream {
    #state;
    constructor(format) {
        requireArguments(arguments.length, 1, 'CompressionStream');
        this.#state = makeTransform(new Codec(toFormat(format), false));
    }
    get readable() { return wrap(this.#state.readable); }
    get writable() { return wrapWritable(this.#state.writable); }
    [customInspect](depth, options, inspect) {
        const { readable, writable } = this;
        return `CompressionStream ${inspect({ readable, writable }, options)}`;
    }
}
defineInterface(CompressionStream);

/** https://compression.spec.whatwg.org/#decompression-stream */
class DecompressionStream {
    #state;
    constructor(format) {
        requireArguments(arguments.length, 1, 'DecompressionStream');
        this.#state = makeTransform(new Codec(toFormat(format), true));
    }
    get readable() { return wrap(this.#state.readable); }
    get writable() { return wrapWritable(this.#state.writable); }
    [customInspect](depth, options, inspect) {
        const { readable, writable } = this;
        return `DecompressionStream ${inspect({ readable, writable }, options)}`;
    }
}
defineInterface(DecompressionStream);
