'use strict';
// @ts-check
// Streams from streams and iterables: tee (https://streams.spec.whatwg.org/#abstract-opdef-readablestreamtee), ReadableStream.from, async iteration.

const {
    AsyncGeneratorFunctionPrototype, ObjectAssign, ObjectDefineProperty, ObjectGetPrototypeOf, ObjectSetPrototypeOf, PromiseReject,
    ReflectApply, SymbolAsyncIterator, SymbolIterator, SymbolToStringTag, TypeError, TypedArrayPrototypeGetSymbolToStringTag, Uint8Array,
} = primordials;
const { streams } = internal;
const {
    Queue, ReadRequest, acquireByobReader, acquireReader, cancelStream, chain, cloneBytes, defer, describe, detachReader, isolate, makeByteStream,
    makeStream, noop, react, read, readInto, rejectedWith, resolvedWith, settled, stranger,
} = streams;

// ---- tee ----

/** One side of a tee: the source of its stream. */
class Branch {
    constructor(tee) {
        this.tee = tee;
        this.isSync = false;
        this.controller = undefined; // internal
        this.canceled = false;
        this.reason = undefined;
        this.readAgain = false; // of a byte stream
    }
    pull() { return this.tee.pull(this); }
    cancel(reason) {
        this.canceled = true;
        this.reason = reason;
        const { tee } = this;
        if (tee.first.canceled && tee.second.canceled) tee.over.resolve(cancelStream(tee.stream, [tee.first.reason, tee.second.reason]));
        return tee.over.promise;
    }
}
isolate(Branch);

/** What both kinds of tees do. It is its reader's read request too: there is one at a time. */
class Tee {
    constructor(stream) {
        this.stream = stream;
        this.reader = acquireReader(stream);
        this.reading = false;
        this.over = defer(); // what cancel() of a branch waits for
        react(this.over.promise, undefined, noop); // nobody may have canceled
        this.first = new Branch(this);
        this.second = new Branch(this);
        this.value = undefined; // the chunk on its way
        this.next = undefined; // in a Queue
        this.deliver = () => this.distribute();
    }

    /** The streams of the branches begin. */
    begin(first, second) {
        this.first.controller = first.controller;
        this.second.controller = second.controller;
        this.forwardError(this.reader);
        this.first.controller.whenStarted(undefined);
        this.second.controller.whenStarted(undefined);
    }

    forwardError(reader) {
        reader.closed.watch(undefined, (reason) => {
            if (this.reader !== reader) return;
            this.fail(reason);
            this.settle();
        });
    }

    fail(reason) {
        this.first.controller.fail(reason);
        this.second.controller.fail(reason);
    }

    settle() {
        if (!this.first.canceled || !this.second.canceled) this.over.resolve(undefined);
    }

    /** A chunk could not be copied. */
    abandon(error) {
        this.fail(error);
        this.over.resolve(cancelStream(this.stream, error));
    }

    // The read request. A chunk is handed on in a microtask, so that an error that comes with it goes first.
    chunk(value) {
        this.value = value;
        react(settled(), this.deliver);
    }

    error() { this.reading = false; }
}
isolate(Tee);

/** https://streams.spec.whatwg.org/#abstract-opdef-readablestreamdefaulttee */
class DefaultTee extends Tee {
    constructor(stream, cloneForSecond) {
        super(stream);
        this.cloneForSecond = cloneForSecond;
        this.readAgain = false;
    }

    pull() {
        if (this.reading) {
            this.readAgain = true;
            return;
        }
        this.reading = true;
        read(this.reader, this);
    }

    distribute() {
        this.readAgain = false;
        const { value, first, second } = this;
        this.value = undefined;
        let copy = value;
        if (!second.canceled && this.cloneForSecond) {
            try {
                copy = cloneChunk(value);
            } catch (error) {
                this.abandon(error);
                return;
            }
        }
        // An enqueue that fails has failed its branch.
        try { if (!first.canceled) first.controller.enqueue(value); } catch { /* see above */ }
        try { if (!second.canceled) second.controller.enqueue(copy); } catch { /* see above */ }
        this.reading = false;
        if (this.readAgain) this.pull();
    }

    close() {
        this.reading = false;
        if (!this.first.canceled) this.first.controller.close();
        if (!this.second.canceled) this.second.controller.close();
        this.settle();
    }
}

function cloneChunk(value) {
    return TypedArrayPrototypeGetSymbolToStringTag(value) === 'Uint8Array' ? copyView(value) : internal.structuredClone(value);
}

/** https://streams.spec.whatwg.org/#abstract-opdef-cloneasuint8array */
function copyView(view) {
    const { buffer, byteOffset, byteLength } = describe(view, 'The chunk');
    return new Uint8Array(cloneBytes(buffer, byteOffset, byteLength));
}

/** https://streams.spec.whatwg.org/#abstract-opdef-readablebytestreamtee */
class ByteTee extends Tee {
    constructor(stream) { super(stream); } // not V8's, which spreads its arguments by Array.prototype[Symbol.iterator]

    pull(branch) {
        if (this.reading) {
            branch.readAgain = true;
            return;
        }
        this.reading = true;
        const view = branch.controller.viewToFill();
        if (view === undefined) {
            if (this.reader.isByob) this.changeReader(acquireReader);
            read(this.reader, this);
        } else {
            if (!this.reader.isByob) this.changeReader(acquireByobReader);
            readInto(this.reader, view, 1, new BranchRequest(this, branch, branch === this.first ? this.second : this.first));
        }
    }

    changeReader(acquire) {
        const { reader } = this;
        this.reader = undefined; // so that its end is not taken for the stream's
        detachReader(reader);
        this.reader = acquire(this.stream);
        this.forwardError(this.reader);
    }

    distribute() {
        const { value, first, second } = this;
        this.value = undefined;
        first.readAgain = second.readAgain = false;
        let copy = value;
        if (!first.canceled && !second.canceled) {
            try {
                copy = copyView(value);
            } catch (error) {
                this.abandon(error);
                return;
            }
        }
        if (!first.canceled) enqueueOwn(first.controller, value);
        if (!second.canceled) enqueueOwn(second.controller, copy);
        this.goOn();
    }

    goOn() {
        this.reading = false;
        if (this.first.readAgain) this.pull(this.first);
        else if (this.second.readAgain) this.pull(this.second);
    }

    close() {
        this.reading = false;
        const { first, second } = this;
        if (!first.canceled) first.controller.close();
        if (!second.canceled) second.controller.close();
        if (first.controller.pullIntos.length > 0) first.controller.respond(0);
        if (second.controller.pullIntos.length > 0) second.controller.respond(0);
        this.settle();
    }
}

/** A chunk whose buffer no user holds. */
function enqueueOwn(controller, chunk) {
    const { buffer, byteOffset, byteLength } = describe(chunk, 'The chunk');
    if (controller.canEnqueue()) controller.enqueue(buffer, byteOffset, byteLength);
}

/** A read into the view of a branch's BYOB request. */
class BranchRequest {
    constructor(tee, branch, other) {
        this.tee = tee;
        this.branch = branch;
        this.other = other;
        this.next = undefined;
    }

    chunk(view) {
        react(settled(), () => {
            const { tee, branch, other } = this;
            branch.readAgain = other.readAgain = false;
            if (!other.canceled) {
                let copy;
                try {
                    copy = copyView(view);
                } catch (error) {
                    tee.abandon(error);
                    return;
                }
                if (!branch.canceled) branch.controller.respondWithView(describe(view, 'The chunk'));
                enqueueOwn(other.controller, copy);
            } else if (!branch.canceled) {
                branch.controller.respondWithView(describe(view, 'The chunk'));
            }
            tee.goOn();
        });
    }

    close(view) {
        const { tee, branch, other } = this;
        tee.reading = false;
        if (!branch.canceled) branch.controller.close();
        if (!other.canceled) other.controller.close();
        if (view !== undefined) {
            if (!branch.canceled) branch.controller.respondWithView(describe(view, 'The chunk'));
            if (!other.canceled && other.controller.pullIntos.length > 0) other.controller.respond(0);
        }
        tee.settle();
    }

    error() { this.tee.reading = false; }
}
isolate(BranchRequest);

/** @returns {{first: ReadableState, second: ReadableState}} */
function teeStates(stream, cloneForSecond) {
    const isBytes = stream.controller.isBytes === true;
    const tee = isBytes ? new ByteTee(stream) : new DefaultTee(stream, cloneForSecond);
    const first = isBytes ? makeByteStream(tee.first) : makeStream(tee.first);
    const second = isBytes ? makeByteStream(tee.second) : makeStream(tee.second);
    tee.begin(first, second);
    return { first, second };
}

// ---- ReadableStream.from (https://streams.spec.whatwg.org/#abstract-opdef-readablestreamfromiterable) ----

class IteratorSource {
    constructor(iterator, isAsync) {
        this.iterator = iterator;
        this.nextMethod = iterator.next;
        this.isAsync = isAsync;
        this.isSync = false;
    }

    pull(controller) {
        const result = ReflectApply(this.nextMethod, this.iterator, []);
        if (this.isAsync) return chain(resolvedWith(result), (step) => deliver(controller, step));
        // What %AsyncFromSyncIteratorPrototype%.next does: the value is awaited.
        requireObject(result, 'next');
        const { done } = result;
        return chain(resolvedWith(result.value), (value) => (done ? controller.close() : controller.enqueue(value)));
    }

    cancel(reason) {
        const { iterator } = this;
        let result;
        try {
            const method = iterator.return;
            if (method === undefined || method === null) return settled();
            result = ReflectApply(method, iterator, [reason]);
            if (!this.isAsync) return chain(resolvedWith(requireObject(result, 'return').value), () => undefined);
        } catch (error) {
            return rejectedWith(error);
        }
        return chain(resolvedWith(result), (step) => { requireObject(step, 'return'); });
    }
}
isolate(IteratorSource);

function requireObject(value, method) {
    if (value === null || (typeof value !== 'object' && typeof value !== 'function')) throw new TypeError(`What ${method}() of the iterator gives is not an object`);
    return value;
}

function deliver(controller, step) {
    if (requireObject(step, 'next').done) controller.close();
    else controller.enqueue(step.value);
}

/** @returns {ReadableState} */
function fromIterable(iterable) {
    if (iterable === undefined || iterable === null) throw new TypeError('ReadableStream.from: the argument is not iterable');
    let method = iterable[SymbolAsyncIterator];
    const isAsync = method !== undefined && method !== null;
    if (!isAsync) method = iterable[SymbolIterator];
    if (typeof method !== 'function') throw new TypeError('ReadableStream.from: the argument is not iterable');
    const iterator = requireObject(ReflectApply(method, iterable, []), isAsync ? 'Symbol.asyncIterator' : 'Symbol.iterator');
    const stream = makeStream(new IteratorSource(iterator, isAsync), 0);
    stream.controller.whenStarted(undefined);
    return stream;
}

// ---- Async iteration (https://streams.spec.whatwg.org/#rs-asynciterator, https://webidl.spec.whatwg.org/#js-asynchronous-iterable) ----

/** One call of next() or return(); of next() it is the read request too. */
class IteratorCall extends ReadRequest {
    constructor(iteration, isReturn, value) {
        super();
        this.iteration = iteration;
        this.isReturn = isReturn;
        this.argument = value;
    }
    // The caller hears of it a microtask later: Web IDL's asynchronous iterators have a promise between (https://webidl.spec.whatwg.org/#js-asynchronous-iterable).
    chunk(value) {
        react(settled(), () => {
            this.resolve({ value, done: false });
            this.iteration.goOn();
        });
    }
    close() {
        this.iteration.finish();
        react(settled(), () => {
            this.resolve({ value: undefined, done: true });
            this.iteration.goOn();
        });
    }
    error(reason) {
        this.iteration.finish();
        react(settled(), () => {
            this.reject(reason);
            this.iteration.goOn();
        });
    }
}

/** The calls of an iterator run one after another. */
class Iteration {
    constructor(reader, preventCancel) {
        this.reader = reader;
        this.preventCancel = preventCancel;
        this.finished = false;
        this.running = false;
        this.waiting = new Queue();
    }

    call(isReturn, value) {
        const call = new IteratorCall(this, isReturn, value);
        if (this.running) {
            this.waiting.push(call);
        } else {
            this.run(call);
        }
        return call.toPromise();
    }

    run(call) {
        this.running = true;
        if (call.isReturn) {
            this.end(call);
        } else if (this.finished) {
            call.resolve({ value: undefined, done: true });
            this.goOn();
        } else {
            read(this.reader, call);
        }
    }

    /** The running call is over; the next one begins when its caller has heard. */
    goOn() {
        if (this.waiting.length === 0) this.running = false;
        else react(settled(), () => this.run(this.waiting.shift()));
    }

    finish() {
        this.finished = true;
        if (this.reader.stream !== undefined) detachReader(this.reader);
    }

    /** return(value) */
    end(call) {
        const { argument: value } = call;
        if (this.finished) {
            call.resolve({ value, done: true });
            this.goOn();
            return;
        }
        this.finished = true;
        const { reader } = this;
        const promise = this.preventCancel ? settled() : cancelStream(reader.stream, value);
        detachReader(reader);
        react(promise, () => {
            call.resolve({ value, done: true });
            this.goOn();
        }, (reason) => {
            call.reject(reason);
            this.goOn();
        });
    }
}
isolate(Iteration);

let adoptedIteration;

class ReadableStreamAsyncIterator {
    #iteration = adoptedIteration;
    next() {
        return #iteration in this ? this.#iteration.call(false, undefined) : PromiseReject(stranger('ReadableStream AsyncIterator'));
    }
    return(value) {
        return #iteration in this ? this.#iteration.call(true, value) : PromiseReject(stranger('ReadableStream AsyncIterator'));
    }
}
const iteratorPrototype = ReadableStreamAsyncIterator.prototype;
delete iteratorPrototype.constructor;
ObjectSetPrototypeOf(iteratorPrototype, ObjectGetPrototypeOf(AsyncGeneratorFunctionPrototype.prototype)); // %AsyncIteratorPrototype%
ObjectDefineProperty(iteratorPrototype, 'next', { __proto__: null, enumerable: true });
ObjectDefineProperty(iteratorPrototype, 'return', { __proto__: null, enumerable: true });
ObjectDefineProperty(iteratorPrototype, SymbolToStringTag, { __proto__: null, value: 'ReadableStream AsyncIterator', configurable: true });

function iterate(reader, preventCancel) {
    adoptedIteration = new Iteration(reader, preventCancel);
    return new ReadableStreamAsyncIterator();
}

ObjectAssign(streams, { copyView, enqueueOwn, fromIterable, iterate, teeStates });
