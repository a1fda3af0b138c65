'use strict';
// @ts-check
// Streams that are transferred (https://streams.spec.whatwg.org/#transferable-streams). Loaded when a program first transfers one, or gets one.
//
// A stream stays where it is; what arrives is another one. Between the two is a channel, and on each side of it the end of a pipe: here a stream that is
// piped into, or from, the one that was transferred; there the new one. They exchange messages `{type, value}`: 'pull' when the reading side wants a chunk,
// 'chunk', 'close' and 'error'. The channel's ports are nobody's but these streams'.
//
// A child isolate lives while a stream that left it is open, and while it waits for one that came to it.

const { ArrayPrototypePush, ArrayPrototypeSlice } = primordials;
const { DOMException } = internal;
const {
    READABLE_STREAM, ReadableStream, TRANSFORM_STREAM, TransformStream, WRITABLE_STREAM, WritableStream, chain, defer, dressObject, isolate, makeStream, makeWritable,
    markHandled, partsOf, pipe, rejectedWith, settled,
} = internal.streamParts;
const { newChannel, postMessage, receivers, takeStreamPort } = internal.messages;

const pipeOptions = { preventAbort: false, preventCancel: false, preventClose: false, signal: undefined, isPrompt: true };
const couldNotBeRead = () => new DOMException('A chunk of a transferred stream could not be read', 'DataCloneError');
const wasLocked = () => new DOMException('A stream in the transfer list was locked meanwhile', 'DataCloneError');

/** One side's port. A subclass has message(type, value) and fail(reason). */
class Side {
    /** @param {number} port @param {boolean} isSender the stream's own isolate is this one */
    constructor(port, isSender) {
        this.port = port;
        this.isSender = isSender;
        this.isChild = false; // not the port to a child's parent
        this.holds = false; // this child lives for it
        receivers.set(port, this);
        ops.messageEnable(port);
        if (isSender) this.hold();
    }

    hold() {
        if (this.holds || !internal.worker.isChild()) return;
        this.holds = true;
        internal.timers.addRef();
    }

    release() {
        if (!this.holds) return;
        this.holds = false;
        internal.timers.dropRef();
    }

    /** It waits for the other side no more. */
    rest() { if (!this.isSender) this.release(); }

    /** https://streams.spec.whatwg.org/#abstract-opdef-packandpostmessage */
    post(type, value) { postMessage(this.port, { __proto__: null, type, value }); }

    /** The same; what cannot be cloned is told to the other side, too (https://streams.spec.whatwg.org/#abstract-opdef-packandpostmessagehandlingerror). */
    postOrFail(type, value) {
        try {
            this.post(type, value);
        } catch (error) {
            this.tell(error);
            this.end();
            throw error;
        }
    }

    /** This side wants no more: the steps of cancel() and abort(). @returns {object} an internal promise */
    giveUp(reason) {
        try {
            this.postOrFail('error', reason);
        } catch (error) {
            return rejectedWith(error);
        }
        this.end();
        return settled();
    }

    /** https://streams.spec.whatwg.org/#abstract-opdef-crossrealmtransformsenderror */
    tell(error) {
        try {
            this.post('error', error);
        } catch { /* an error that cannot be cloned: the other side hears of the end */ }
    }

    end() {
        receivers.delete(this.port);
        ops.messageClose(this.port);
        this.release();
    }

    // What the host calls (47_messages.js).

    receive(kind, data, ports, failed) {
        if (failed) {
            const error = couldNotBeRead();
            this.tell(error);
            this.fail(error);
            this.end();
        } else {
            this.message(data.type, data.value);
        }
    }

    /** The other isolate has ended, say: as the standard has it, the stream hears of nothing any more. */
    over() { this.end(); }
}
isolate(Side);

/** Where chunks come out (https://streams.spec.whatwg.org/#abstract-opdef-setupcrossrealmtransformreadable); a source. */
class Outlet extends Side {
    constructor(port, isSender) {
        super(port, isSender);
        this.isSync = false;
        this.state = makeStream(this, 0);
        this.state.controller.whenStarted(undefined);
    }

    message(type, value) {
        const { controller } = this.state;
        this.rest();
        if (type === 'chunk') {
            controller.enqueue(value);
        } else if (type === 'close') {
            controller.close();
            this.end();
        } else if (type === 'error') {
            controller.fail(value);
            this.end();
        }
    }

    fail(reason) { this.state.controller.fail(reason); }

    pull() {
        this.hold();
        this.post('pull', undefined);
        return settled();
    }

    cancel(reason) { return this.giveUp(reason); }
}

/** Where chunks go in (https://streams.spec.whatwg.org/#abstract-opdef-setupcrossrealmtransformwritable); a sink. */
class Inlet extends Side {
    constructor(port, isSender) {
        super(port, isSender);
        this.wanted = defer(); // [[backpressurePromise]]; undefined: a chunk is wanted
        this.state = makeWritable(this, 1, undefined);
        this.state.controller.whenStarted(undefined);
    }

    message(type, value) {
        if (type === 'error') {
            this.fail(value);
            this.end();
        } else if (type === 'pull') {
            this.letGo();
        }
    }

    fail(reason) {
        this.state.controller.failIfNeeded(reason);
        this.letGo();
    }

    /** The write that waits goes on. */
    letGo() {
        this.rest();
        const { wanted } = this;
        this.wanted = undefined;
        wanted?.resolve(undefined);
    }

    write(chunk) {
        const { wanted } = this;
        if (wanted !== undefined) this.hold();
        return chain(wanted === undefined ? settled() : wanted.promise, () => {
            this.wanted = defer();
            this.postOrFail('chunk', chunk);
        });
    }

    close() {
        this.post('close', undefined);
        this.end();
    }

    abort(reason) { return this.giveUp(reason); }
}

// ---- Sending ----

/** A transfer that has streams among what it transfers. */
class Transfer {
    /** @param {object[]} objects none is twice in it, and no stream is in use */
    constructor(objects) {
        this.list = []; // for the host: ports of streams are last
        this.portCount = 0; // of those
        this.parts = []; // of the streams
        this.before = []; // what their payloads were: a getter that a message asks may transfer one of them, too
        this.ports = []; // this side's: one for each stream, two for a TransformStream
        const remote = [];
        for (let i = 0; i < objects.length; i++) {
            const parts = partsOf(objects[i]);
            if (parts === undefined) {
                ArrayPrototypePush(this.list, objects[i]);
                continue;
            }
            ArrayPrototypePush(this.parts, parts);
            ArrayPrototypePush(this.before, ArrayPrototypeSlice(parts.payload));
            parts.payload.length = 1;
            parts.payload[0] = parts.kind;
            for (let side = parts.kind === TRANSFORM_STREAM ? 2 : 1; side > 0; side--) {
                const { first, second } = newChannel();
                const object = ops.hostObject(second);
                ArrayPrototypePush(this.ports, first, second);
                ArrayPrototypePush(parts.payload, object);
                ArrayPrototypePush(remote, object);
            }
        }
        this.portCount = remote.length;
        for (let i = 0; i < remote.length; i++) ArrayPrototypePush(this.list, remote[i]);
    }

    /** The message has been written, or has not: streams are what they were to messages. */
    #settle() {
        for (let i = 0; i < this.parts.length; i++) {
            const { payload } = this.parts[i], before = this.before[i];
            payload.length = 0;
            for (let at = 0; at < before.length; at++) ArrayPrototypePush(payload, before[at]);
        }
    }

    /** Nothing was transferred. */
    undo() {
        this.#settle();
        for (let i = 0; i < this.ports.length; i++) ops.messageClose(this.ports[i]);
    }

    /** The message is on its way: the streams are piped through the channels. */
    finish() {
        this.#settle();
        let isRefused = false;
        for (let i = 0, at = 0; i < this.parts.length; i++) {
            const { kind, state } = this.parts[i];
            this.parts[i].isDetached = true;
            const sides = kind === TRANSFORM_STREAM ? [state.readable, state.writable] : [state];
            for (let side = 0; side < sides.length; side++, at += 2) {
                const isReadable = kind === READABLE_STREAM || (kind === TRANSFORM_STREAM && side === 0);
                if (!send(sides[side], isReadable, this.ports[at])) isRefused = true;
            }
        }
        if (isRefused) throw wasLocked();
    }
}

/** https://streams.spec.whatwg.org/#rs-transfer, #ws-transfer. False: a getter that the message asked has locked the stream, and the other side fails. */
function send(state, isReadable, port) {
    if ((isReadable ? state.reader : state.writer) !== undefined) {
        postMessage(port, { __proto__: null, type: 'error', value: wasLocked() });
        ops.messageClose(port);
        return false;
    }
    if (isReadable) markHandled(pipe(state, new Inlet(port, true).state, pipeOptions));
    else markHandled(pipe(new Outlet(port, true).state, state, pipeOptions));
    return true;
}

// ---- Receiving ----

/** Makes a stream of an object that a message has brought (the transfer-receiving steps of each). */
function receive(object, payload) {
    const kind = payload[0];
    const first = takeStreamPort(payload[1]);
    if (kind === READABLE_STREAM) {
        const { state } = new Outlet(first, false);
        state.wrapper = object;
        dressObject(object, ReadableStream, kind, state, payload);
    } else if (kind === WRITABLE_STREAM) {
        const { state } = new Inlet(first, false);
        state.wrapper = object;
        dressObject(object, WritableStream, kind, state, payload);
    } else {
        const { state: side } = new Outlet(first, false);
        const { state: writable } = new Inlet(takeStreamPort(payload[2]), false);
        dressObject(object, TransformStream, kind, { __proto__: null, readable: side, writable, backpressure: true }, payload);
    }
}

return { begin: (objects) => new Transfer(objects), receive };
