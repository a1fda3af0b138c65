'use strict';
// @ts-check
// Messages: MessageEvent, MessageChannel, MessagePort (https://html.spec.whatwg.org/#channel-messaging) and BroadcastChannel
// (https://html.spec.whatwg.org/#broadcasting-to-other-browsing-contexts).
//
// The host has the queues, one a port, and goes by numbers; here is who a number is. A port nobody listens to is held weakly: when it is collected its
// other end hears that it is closed. The object of a port is one that serialization knows (ops.hostObject), so that it is transferred or refused.
//
// A message is handled in the tracing context of who posted it. A stream that is transferred has ports in the message, too: late/stream_transfer.js.

const {
    ArrayPrototypePush, Error, FinalizationRegistry, FinalizationRegistryPrototypeRegister, FunctionPrototypeSymbolHasInstance,
    Int32Array, ObjectFreeze, ReflectApply, ReflectSetPrototypeOf, SafeMap, SafeSet, SafeWeakMap, SymbolIterator, TypeError, WeakRef,
    WeakRefPrototypeDeref, arrayFromIterable, cutOff,
} = primordials;
const { DOMException } = internal;
const { Event, EventTarget, fire, host, listenerCount } = internal.events;
const { dress, exempt, refuse, revived } = internal.serialization;
const { isInUse, isTransferable } = internal.streams;
const { defineInterface, requireArguments, toDOMString, toUSVString } = internal.webidl;

// ---- The event ----

const noPorts = ObjectFreeze([]);

/** https://html.spec.whatwg.org/#messageevent */
class MessageEvent extends Event {
    #data = null;
    #origin = '';
    #lastEventId = '';
    #source = null;
    #ports = noPorts;

    constructor(type, init = undefined) {
        requireArguments(arguments.length, 1, 'MessageEvent');
        super(type, init);
        if (init === undefined || init === null) return;
        const { data, lastEventId, origin, ports, source } = init;
        this.#set(data === undefined ? null : data, origin, lastEventId, source, ports);
    }

    get data() { return this.#data; }
    get origin() { return this.#origin; }
    get lastEventId() { return this.#lastEventId; }
    get source() { return this.#source; }
    get ports() { return this.#ports; }
    initMessageEvent(type, bubbles = false, cancelable = false, data = null, origin = '', lastEventId = '', source = null, ports = []) {
        requireArguments(arguments.length, 1, 'initMessageEvent');
        ReflectApply(initEvent, this, [type, bubbles, cancelable]);
        this.#set(data, origin, lastEventId, source, ports);
    }

    #set(data, origin, lastEventId, source, ports) {
        this.#data = data;
        if (origin !== undefined) this.#origin = toUSVString(origin);
        if (lastEventId !== undefined) this.#lastEventId = toDOMString(lastEventId);
        if (source !== undefined && source !== null && !isPort(source)) throw new TypeError('MessageEvent: the source is not a MessagePort');
        this.#source = source ?? null;
        if (ports === undefined) return;
        const list = arrayFromIterable(ports, 'MessageEvent: ports');
        for (let i = 0; i < list.length; i++) {
            if (!isPort(list[i])) throw new TypeError('MessageEvent: an element of ports is not a MessagePort');
        }
        this.#ports = ObjectFreeze(list);
    }

    static received(type, data, ports) {
        const event = new MessageEvent(type);
        event.#data = data;
        if (ports !== noPorts) event.#ports = ObjectFreeze(ports);
        return event;
    }
}
const { initEvent } = Event.prototype;
const { received } = MessageEvent;
delete MessageEvent.received;
defineInterface(MessageEvent);

// ---- Handlers: on… attributes whose listener goes when the handler does, since a listener keeps things alive ----

const { addEventListener, removeEventListener } = EventTarget.prototype;

function handlerOf(state, type) {
    return state[type]?.handler ?? null;
}

function setHandlerOf(target, state, type, value) {
    const slot = state[type] ??= { __proto__: null, handler: null, listener: null };
    slot.handler = typeof value === 'function' || (typeof value === 'object' && value !== null) ? value : null;
    if (slot.handler === null) {
        if (slot.listener !== null) ReflectApply(removeEventListener, target, [type, slot.listener]);
        slot.listener = null;
    } else if (slot.listener === null) {
        slot.listener = (event) => {
            const { handler } = slot;
            if (typeof handler === 'function' && ReflectApply(handler, target, [event]) === false) event.preventDefault();
        };
        ReflectApply(addEventListener, target, [type, slot.listener]);
    }
}

// ---- What the host delivers ----

/** Words shared with the host (MessageCell of the host). Made with the first message. */
let cells;
const FLAGS = 6, KIND = 8, SECOND = 10, CHANNEL = 12;

/** From this bit of FLAGS on: how many of a message's ports, the last, belong to streams. The bits below are the context's (26_message_context.js). */
const STREAM_PORTS = 10;

const words = () => cells ??= new Int32Array(ops.messageCells());

/** Number → who receives there: {receive(kind, data, ports, failed), over()}. */
const receivers = new SafeMap();

/** How long messages are handed out before the loop sees to other things; milliseconds. */
const BATCH = 5;

let isClosing = false; // a child that has called close()

/** The host's call: messages wait at this number. Each is a task of its own: microtasks follow it. */
function deliver(id, max) {
    const receiver = receivers.get(id);
    if (receiver === undefined) return;
    const began = internal.now();
    for (let i = 0; i < max && !isClosing; i++) {
        const count = ops.messageTake(id);
        if (count === -1) return;
        if (count === -2) {
            receiver.over();
            return;
        }
        hand(receiver, count);
        ops.runMicrotasks();
        if (internal.now() - began > BATCH) return;
    }
}

function hand(receiver, count) {
    const kind = words()[KIND];
    const text = kind === 2 ? ops.messageText() : '';
    const tracing = internal.messageContext;
    const context = tracing?.take(cells);
    const { ports, objects } = count > 0 ? takePorts(count, cells[FLAGS] >>> STREAM_PORTS) : noneTaken;
    const before = ops.context();
    internal.serve?.goesOn(context);
    ops.setContext(context);
    try {
        if (receiver.isChild) tracing?.link(context);
        let data = text, failed = false;
        if (kind !== 2) {
            try {
                data = ops.messageRead(objects, revived);
                dress();
            } catch {
                revived.length = 0;
                failed = true;
                data = null;
            }
            if (objects !== ports) closeStreamPorts(objects);
        }
        receiver.receive(kind, data, ports, failed);
    } finally {
        ops.setContext(before); // see run() in 30_timers.js
    }
}

const noneTaken = { ports: noPorts, objects: noPorts };

/** Objects for the ports of the message that was taken, and those of them that are MessagePorts. @param {number} hidden how many, the last, are not */
function takePorts(count, hidden) {
    const ports = [];
    for (let i = 0; i < count - hidden; i++) ArrayPrototypePush(ports, makePort(ops.messagePort(i)));
    if (hidden === 0) return { ports, objects: ports };
    const objects = [];
    for (let i = 0; i < ports.length; i++) ArrayPrototypePush(objects, ports[i]);
    streamPorts ??= new SafeWeakMap();
    for (let i = count - hidden; i < count; i++) {
        const id = ops.messagePort(i);
        const object = ops.hostObject(id);
        streamPorts.set(object, id);
        ArrayPrototypePush(objects, object);
    }
    return { ports, objects };
}

let streamPorts; // object → number, until its stream is made

/** The number of a stream's port. */
function takeStreamPort(object) {
    const id = streamPorts.get(object);
    streamPorts.delete(object);
    return id;
}

/** Of streams that the message did not hold, or that it could not be read with. */
function closeStreamPorts(objects) {
    for (let i = 0; i < objects.length; i++) {
        if (streamPorts.get(objects[i]) !== undefined) ops.messageClose(takeStreamPort(objects[i]));
    }
}

// ---- Posting ----

/** https://html.spec.whatwg.org/#dom-messageport-postmessage: (transfer) or ({ transfer }). @returns {object[] | undefined} */
function toTransfer(second, what) {
    if (second === undefined || second === null) return undefined;
    if (typeof second !== 'object' && typeof second !== 'function') throw new TypeError(`${what}: the second argument is neither a list nor options`);
    const isList = second[SymbolIterator] !== undefined && second[SymbolIterator] !== null;
    const transfer = isList ? second : second.transfer;
    return transfer === undefined ? undefined : toObjects(transfer, what);
}

/** sequence<object> */
function toObjects(transfer, what) {
    const list = arrayFromIterable(transfer, `${what}: transfer`);
    for (let i = 0; i < list.length; i++) {
        const value = list[i];
        if (value === null || (typeof value !== 'object' && typeof value !== 'function')) throw new TypeError(`${what}: an element of transfer is not an object`);
    }
    return list.length === 0 ? undefined : list;
}

/** Throws where a transfer list cannot be. `source`: the port it is posted through. */
function checkTransfer(list, source) {
    const seen = new SafeSet();
    for (let i = 0; i < list.length; i++) {
        if (seen.has(list[i])) throw new DOMException('An object is transferred twice', 'DataCloneError');
        seen.add(list[i]);
        if (list[i] === source) throw new DOMException('A port cannot be transferred through itself', 'DataCloneError');
        if (states.get(list[i])?.isDetached === true) throw new DOMException('A MessagePort in the transfer list is detached', 'DataCloneError');
        if (isTransferable(list[i]) && isInUse(list[i])) throw new DOMException('A stream in the transfer list is locked, or was transferred', 'DataCloneError');
    }
}

/** What was transferred is no longer this isolate's. */
function detachAll(list) {
    for (let i = 0; i < list.length; i++) states.get(list[i])?.detach();
}

function rethrow(error) {
    if (FunctionPrototypeSymbolHasInstance(Error, error) && error.name === 'DataCloneError') throw new DOMException(error.message, 'DataCloneError');
    throw error;
}

/** The transfer of a list with streams in it; undefined: it has none. */
function beginStreams(list) {
    for (let i = 0; i < list.length; i++) {
        if (isTransferable(list[i])) return internal.load('stream_transfer').begin(list);
    }
    return undefined;
}

/** Posts through the port of this number. */
function post(id, value, transfer, source) {
    if (transfer === undefined) {
        postBy(ops.messagePost, id, value, undefined, 0);
        return;
    }
    checkTransfer(transfer, source);
    const streams = beginStreams(transfer);
    try {
        postBy(ops.messagePost, id, value, streams?.list ?? transfer, streams?.portCount ?? 0);
    } catch (error) {
        streams?.undo();
        throw error;
    }
    detachAll(transfer);
    streams?.finish();
}

function postBy(op, id, value, transfer, streamPortCount) {
    const tracing = internal.messageContext;
    let text;
    if (tracing === undefined) words()[FLAGS] = 0;
    else text = tracing.put(words());
    cells[FLAGS] |= streamPortCount << STREAM_PORTS;
    let isTaken;
    try {
        isTaken = op(id, value, transfer, text, refuse);
    } catch (error) {
        rethrow(error);
    }
    if (isTaken === false) throw new DOMException('The receiver has too many messages waiting: 1000000, or 256 MiB', 'QuotaExceededError');
}

/** structuredClone with ports or streams among what is transferred. */
function cloneWithPorts(value, transfer) {
    checkTransfer(transfer, undefined);
    const streams = beginStreams(transfer);
    let count;
    try {
        count = ops.messageWrite(value, streams?.list ?? transfer, refuse);
    } catch (error) {
        streams?.undo();
        rethrow(error);
    }
    detachAll(transfer);
    const { ports, objects } = takePorts(count, streams?.portCount ?? 0);
    try {
        const copy = ops.messageRead(objects, revived);
        dress();
        return copy;
    } finally {
        if (objects !== ports) closeStreamPorts(objects);
        streams?.finish();
    }
}

// ---- Ports ----

const states = new SafeWeakMap(); // MessagePort → PortState
let collected; // FinalizationRegistry of ports, made with the first

class PortState {
    constructor(id, port) {
        this.id = id;
        this.weak = new WeakRef(port);
        this.strong = null; // the port while somebody listens
        this.isStarted = false;
        this.isDetached = false; // transferred or closed
        this.isOver = false; // the other end is gone
        this.isReferenced = false; // it keeps a child alive
        this.handlers = { __proto__: null };
    }

    /** Whether somebody listens has changed, or whether anything can come. */
    settle() {
        const port = WeakRefPrototypeDeref(this.weak);
        const listens = !this.isDetached && !this.isOver && this.isStarted && port !== undefined && listenerCount(port, 'message') > 0;
        this.strong = listens ? port : null;
        // The first isolate lives on while children do, and nobody else can post to it.
        const references = listens && internal.worker.isChild();
        if (references === this.isReferenced) return;
        this.isReferenced = references;
        if (references) internal.timers.addRef(); else internal.timers.dropRef();
    }

    start() {
        if (this.isStarted || this.isDetached) return;
        this.isStarted = true;
        ops.messageEnable(this.id);
        this.settle();
    }

    detach() {
        this.isDetached = true;
        receivers.delete(this.id);
        this.settle();
    }

    receive(kind, data, ports, failed) {
        const port = WeakRefPrototypeDeref(this.weak);
        if (port !== undefined) fire(port, received(failed ? 'messageerror' : 'message', data, ports));
    }

    over() {
        const port = WeakRefPrototypeDeref(this.weak);
        this.isOver = true;
        this.settle();
        if (port !== undefined) fire(port, new Event('close'));
    }
}
cutOff(PortState);

function stateOf(port) {
    const state = states.get(port);
    if (state === undefined) throw new TypeError('Illegal invocation: the receiver is not a MessagePort');
    return state;
}

const isPort = (value) => value !== null && typeof value === 'object' && states.get(value) !== undefined;

/** https://html.spec.whatwg.org/#messageport */
class MessagePort extends EventTarget {
    constructor() { // eslint-disable-line
        throw new TypeError('Illegal constructor');
    }

    postMessage(message, transfer = undefined) {
        const state = stateOf(this);
        requireArguments(arguments.length, 1, 'postMessage');
        post(state.id, message, toTransfer(transfer, 'postMessage'), this);
    }
    start() { stateOf(this).start(); }
    close() {
        const state = stateOf(this);
        if (state.isDetached) return;
        ops.messageClose(state.id);
        state.detach();
    }
    get onmessage() { return handlerOf(stateOf(this).handlers, 'message'); }
    set onmessage(value) {
        const state = stateOf(this);
        setHandlerOf(this, state.handlers, 'message', value);
        state.start();
    }
    get onmessageerror() { return handlerOf(stateOf(this).handlers, 'messageerror'); }
    set onmessageerror(value) { setHandlerOf(this, stateOf(this).handlers, 'messageerror', value); }
    get onclose() { return handlerOf(stateOf(this).handlers, 'close'); }
    set onclose(value) { setHandlerOf(this, stateOf(this).handlers, 'close', value); }
}
defineInterface(MessagePort);
exempt(MessagePort);

/** The object of the port of this number, which the host has in this isolate's table. */
function makePort(id) {
    const port = ops.hostObject(id);
    ReflectSetPrototypeOf(port, MessagePort.prototype);
    const state = new PortState(id, port);
    states.set(port, state);
    receivers.set(id, state);
    host(port, (type) => { if (type === 'message') state.settle(); });
    collected ??= new FinalizationRegistry((held) => {
        // One that was transferred has its number elsewhere now.
        if (held.isDetached) return;
        held.isDetached = true;
        receivers.delete(held.id);
        ops.messageClose(held.id);
    });
    FinalizationRegistryPrototypeRegister(collected, port, state);
    return port;
}

/** The numbers of two ports. */
function newChannel() {
    const first = ops.messageChannel();
    return { first, second: (words()[SECOND] >>> 0) + words()[SECOND + 1] * 4294967296 };
}

/** https://html.spec.whatwg.org/#messagechannel */
class MessageChannel {
    #port1;
    #port2;
    constructor() {
        const { first, second } = newChannel();
        this.#port1 = makePort(first);
        this.#port2 = makePort(second);
    }
    get port1() { return this.#port1; }
    get port2() { return this.#port2; }
}
defineInterface(MessageChannel);

// ---- Broadcast ----

const channels = new SafeWeakMap(); // BroadcastChannel → its state
const open = new SafeMap(); // number → state of one that is not closed

/** What the host calls the queue of all of this isolate's channels: MessageCell.broadcasts. */
const BROADCASTS = 0;
receivers.set(BROADCASTS, {
    __proto__: null, isChild: false, over() {},
    receive(kind, data, ports, failed) { open.get((cells[CHANNEL] >>> 0) + cells[CHANNEL + 1] * 4294967296)?.receive(data, failed); },
});

class BroadcastState {
    constructor(id, name, channel) {
        this.id = id;
        this.name = name;
        this.channel = channel; // nobody else need hold it
        this.isClosed = false;
        this.isReferenced = false;
        this.handlers = { __proto__: null };
    }

    settle() {
        const references = !this.isClosed && internal.worker.isChild() && listenerCount(this.channel, 'message') > 0;
        if (references === this.isReferenced) return;
        this.isReferenced = references;
        if (references) internal.timers.addRef(); else internal.timers.dropRef();
    }

    receive(data, failed) { fire(this.channel, received(failed ? 'messageerror' : 'message', data, noPorts)); }
}
cutOff(BroadcastState);

function channelStateOf(channel) {
    const state = channels.get(channel);
    if (state === undefined) throw new TypeError('Illegal invocation: the receiver is not a BroadcastChannel');
    return state;
}

class BroadcastChannel extends EventTarget {
    constructor(name) { // eslint-disable-line
        requireArguments(arguments.length, 1, 'BroadcastChannel');
        name = toDOMString(name);
        const id = ops.channelOpen(name);
        const channel = ops.hostObject(-1);
        ReflectSetPrototypeOf(channel, new.target.prototype);
        const state = new BroadcastState(id, name, channel);
        channels.set(channel, state);
        open.set(id, state);
        host(channel, (type) => { if (type === 'message') state.settle(); });
        return channel;
    }
    get name() { return channelStateOf(this).name; }
    postMessage(message) {
        const state = channelStateOf(this);
        requireArguments(arguments.length, 1, 'postMessage');
        if (state.isClosed) throw new DOMException('The BroadcastChannel is closed', 'InvalidStateError');
        postBy(ops.channelPost, state.id, message, undefined, 0);
    }
    close() {
        const state = channelStateOf(this);
        if (state.isClosed) return;
        state.isClosed = true;
        open.delete(state.id);
        ops.channelClose(state.id);
        state.settle();
    }
    get onmessage() { return handlerOf(channelStateOf(this).handlers, 'message'); }
    set onmessage(value) { setHandlerOf(this, channelStateOf(this).handlers, 'message', value); }
    get onmessageerror() { return handlerOf(channelStateOf(this).handlers, 'messageerror'); }
    set onmessageerror(value) { setHandlerOf(this, channelStateOf(this).handlers, 'messageerror', value); }
}
defineInterface(BroadcastChannel);

internal.messages = {
    BroadcastChannel, MessageChannel, MessageEvent, MessagePort, cloneWithPorts, deliver, handlerOf, isPort, newChannel, noPorts, post, received, receivers,
    setHandlerOf, takeStreamPort, toObjects, toTransfer, words,
    /** Without anything transferred. */
    postMessage(id, value) { postBy(ops.messagePost, id, value, undefined, 0); },
    /** Nothing more is handed out. */
    close() { isClosing = true; },
};
