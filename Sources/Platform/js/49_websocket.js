'use strict';
// @ts-check
// WebSocket (https://websockets.spec.whatwg.org/), CloseEvent, and the server's side as Workers write it: WebSocketPair, and a Response with `webSocket`.
// Why that form: docs/adr/0009.
//
// A socket has a link to its peer: over fetch's transport (RemoteLink), over the connection of a request (ServedLink), or to the other end of a pair
// (PairLink). Frames are read and written natively (Sources/Wire/WebSocketDecoder.swift); here is what they mean.
//
// A listener runs in the tracing context in which the socket was made, or accepted.

const {
    ArrayPrototypeIncludes, ArrayPrototypePush, ArrayPrototypeSplice, MathFloor, Number, ReflectConstruct, SafeSet, StringPrototypeIndexOf, StringPrototypeSlice,
    StringPrototypeToLowerCase, SymbolIterator, TypeError, TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength, Uint8Array, arrayFromIterable,
    cutOff,
} = primordials;
const { DOMException, withoutStack } = internal;
const { MessageEvent } = globalThis; // 47_messages.js
const { blobBytes, isBlob, makeBlob } = internal.blob;
const { ErrorEvent, Event, EventTarget, fire, makeHandlerState, setHandler } = internal.events;
const { headerIn, isToken } = internal.headers;
const { limits, reached } = internal.limits;
const { parse } = internal.url;
const { defineInterface, requireArguments, toDOMString, toUSVString } = internal.webidl;

const CONNECTING = 0, OPEN = 1, CLOSING = 2, CLOSED = 3;
const TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10, BROKEN = -1; // ops.socketNext

/** Bytes of one message that may come. */
const MESSAGE_MAX = 32 << 20;
/** Messages that wait for an end of a pair that was not accepted. */
const INBOX_MAX = 4096;
/** Bytes of frames that wait here because the peer takes none, each with what its object takes beside them. More, and the socket is given up. */
const QUEUE_MAX = 64 << 20, FRAME_COST = 400;
/** Milliseconds that a peer has for its close frame, after ours. */
const CLOSE_TIMEOUT = 5_000;
const REASON_MAX = 123; // bytes
/** Of a client's compressor: no server was asked to bound it. */
const WINDOW_BITS = 15;

// ---- Events ----

/** https://websockets.spec.whatwg.org/#the-closeevent-interface */
class CloseEvent extends Event {
    #wasClean = false;
    #code = 0;
    #reason = '';

    constructor(type, init = undefined) {
        requireArguments(arguments.length, 1, 'CloseEvent');
        super(type, init);
        if (init === undefined || init === null) return;
        const { code, reason, wasClean } = init;
        if (code !== undefined) this.#code = Number(code) & 0xFFFF;
        if (reason !== undefined) this.#reason = toUSVString(reason);
        this.#wasClean = !!wasClean;
    }

    get wasClean() { return this.#wasClean; }
    get code() { return this.#code; }
    get reason() { return this.#reason; }
}
defineInterface(CloseEvent);

// ---- Links ----

/** What was counted, for the span. */
class Counts {
    constructor() {
        this.received = this.receivedBytes = this.sent = this.sentBytes = 0;
        this.code = 0;
    }

    describe(span) {
        if (span === undefined || !span._recording) return;
        span.setAttribute('network.protocol.name', 'websocket');
        span.setAttribute('sidelight.websocket.received.messages', this.received);
        span.setAttribute('sidelight.websocket.received.bytes', this.receivedBytes);
        span.setAttribute('sidelight.websocket.sent.messages', this.sent);
        span.setAttribute('sidelight.websocket.sent.bytes', this.sentBytes);
        span.setAttribute('sidelight.websocket.close.code', this.code === 0 ? 1006 : this.code); // 0: nobody has said one
    }
}
cutOff(Counts);

let openLinks = 0;

/** Why no further socket may be opened; undefined: one may. */
function tooMany() {
    if (openLinks < limits.sockets) return undefined;
    const sentence = `too many WebSockets: the limit is ${limits.sockets} at once`;
    reached('sockets', 'exceededSockets', sentence);
    return sentence;
}

/**
 * A link over bytes. A subclass has write(frame) → whether to go on at once, finish() when all is said, and cut(error) to break off.
 * Its socket is told by opened, message, closing, closed.
 */
class FrameLink {
    constructor(socket, isClient) {
        this.socket = socket;
        this.isClient = isClient;
        this.frames = 0; // the native decoder's number
        this.extensions = ''; // agreed on
        this.windowBits = 0; // of our compressor; 0: messages go as they are
        this.counts = new Counts();
        this.queue = []; // frames that wait for the peer,
        this.first = 0; // from here on
        this.waiting = 0; // bytes
        this.pong = undefined; // what the last ping had that waits for its answer
        this.isFull = false;
        this.hasSaidClose = false;
        this.over = false;
        this.isCounted = false;
    }

    open() {
        if (tooMany() !== undefined) return false;
        this.isCounted = true;
        openLinks++;
        this.frames = ops.socketOpen(this.isClient, MESSAGE_MAX, this.windowBits > 0);
        return this.frames !== 0;
    }

    // ---- Out ----

    /** @param {string | Uint8Array} content */
    send(kind, content) {
        if (this.hasSaidClose || this.over) return;
        const isMessage = kind === TEXT || kind === BINARY;
        const frame = ops.socketFrame(kind, content, this.isClient, isMessage ? this.windowBits : 0);
        if (isMessage) this.counts.sent++;
        this.put(frame);
    }

    put(frame) {
        const length = TypedArrayPrototypeGetByteLength(frame);
        this.counts.sentBytes += length;
        if (!this.isFull) {
            this.isFull = !this.write(frame);
            return;
        }
        this.waiting += length;
        ArrayPrototypePush(this.queue, frame);
        if (this.waiting + FRAME_COST * (this.queue.length - this.first) > QUEUE_MAX) {
            this.fail(new TypeError(`WebSocket: more than ${QUEUE_MAX} bytes wait for a peer that takes none`), 0);
        }
    }

    /** The oldest frame that waits. */
    takeFirst() {
        const { queue } = this;
        const frame = queue[this.first];
        queue[this.first++] = undefined;
        // Not one by one, which would move all the others each time.
        if (this.first === queue.length || (this.first >= 1024 && this.first * 2 >= queue.length)) {
            ArrayPrototypeSplice(queue, 0, this.first);
            this.first = 0;
        }
        this.waiting -= TypedArrayPrototypeGetByteLength(frame);
        return frame;
    }

    /** There is room again. */
    resume() {
        this.isFull = false;
        while (!this.isFull && this.queue.length > 0 && !this.over) this.isFull = !this.write(this.takeFirst());
        if (this.isFull || this.pong === undefined) return;
        const { pong } = this;
        this.pong = undefined;
        this.send(PONG, pong);
    }

    /** Of many pings that one after the other find no room for an answer, the last is answered (RFC 6455 section 5.5.3). */
    answerPing(content) {
        if (this.isFull) this.pong = content; else this.send(PONG, content);
    }

    /** @param {number} code 0: none */
    close(code, reason) {
        if (this.hasSaidClose || this.over) return;
        this.sayClose(code, reason);
        internal.timers.startUnrefed(() => this.fail(new TypeError('WebSocket: the peer did not close'), 0), CLOSE_TIMEOUT);
    }

    sayClose(code, reason) {
        this.hasSaidClose = true;
        this.counts.code = code === 0 ? 1005 : code;
        this.put(ops.socketCloseFrame(code, reason, this.isClient));
    }

    // ---- In ----

    /** @param {Uint8Array} bytes of frames */
    take(bytes) {
        if (this.over) return;
        this.counts.receivedBytes += TypedArrayPrototypeGetByteLength(bytes);
        ops.socketTake(this.frames, bytes);
        for (;;) {
            const kind = this.over ? 0 : ops.socketNext(this.frames);
            switch (kind) {
                case 0: return;
                case TEXT: case BINARY: this.message(kind, ops.socketContent(this.frames)); break;
                case PING: this.answerPing(ops.socketContent(this.frames)); break;
                case PONG: break;
                case CLOSE: this.peerCloses(ops.socketCode(this.frames), ops.socketContent(this.frames)); break;
                case BROKEN: {
                    const code = ops.socketCode(this.frames);
                    this.fail(new TypeError(`WebSocket: the peer sent ${ops.socketContent(this.frames)}`), code);
                    break;
                }
            }
        }
    }

    message(kind, content) {
        this.counts.received++;
        receive(this.socket, kind, content);
    }

    peerCloses(code, reason) {
        if (this.counts.code === 0) this.counts.code = code;
        peerIsClosing(this.socket);
        if (!this.hasSaidClose) this.sayClose(code === 1005 ? 0 : code, '');
        const { socket } = this;
        this.leave();
        this.finish();
        isClosed(socket, true, code, reason);
    }

    /** The connection is no good. @param {number} code what the peer is told; 0: nothing */
    fail(error, code) {
        if (this.over) return;
        if (code !== 0 && !this.hasSaidClose) this.sayClose(code, '');
        const { socket } = this;
        this.leave();
        this.cut(error);
        isBroken(socket, error);
    }

    leave() {
        this.over = true;
        this.queue.length = this.first = this.waiting = 0;
        this.pong = undefined;
        if (this.isCounted) openLinks--;
        this.isCounted = false;
        ops.socketClose(this.frames);
    }
}
cutOff(FrameLink);

/** Of a client, over fetch's transport (43_fetch_start.js), which knows the exchange below. */
class RemoteLink extends FrameLink {
    constructor(socket, url, shown, protocols) {
        super(socket, true);
        this.protocols = protocols;
        this.key = ops.socketKey();
        this.isReleased = false;
        this.telling = internal.fetchSpan.begin('GET', url, shown);
        const lines = [];
        internal.fetchSpan.inject(lines, this.telling);
        let headers = `upgrade:websocket\nconnection:Upgrade\nsec-websocket-version:13\nsec-websocket-key:${this.key}\nsec-websocket-extensions:${ops.socketOffer()}\n`;
        if (protocols.length > 0) headers += `sec-websocket-protocol:${joined(protocols)}\n`;
        for (let i = 0; i < lines.length; i += 2) if (lines[i + 1] !== undefined) headers += `${lines[i]}:${lines[i + 1]}\n`;
        internal.timers.addRef();
        this.exchange = new UpgradeExchange(this);
        const excess = tooMany();
        try {
            this.id = excess !== undefined ? 0 : internal.fetch.upgrade(this.exchange, url, headers);
        } catch (error) {
            later(() => this.fail(error, 0));
            return;
        }
        if (this.id === 0) later(() => this.fail(withoutStack(new TypeError(`WebSocket: ${excess ?? 'too many requests are under way'}`)), 0));
    }

    write(frame) { return ops.fetchWrite(this.id, frame); }

    /** https://websockets.spec.whatwg.org/#concept-websocket-establish */
    answered(status, headers) {
        if (this.over) return;
        this.telling?.head(status);
        const problem = this.problemWith(status, headers) ?? (this.open() ? undefined : 'too many sockets are open');
        if (problem !== undefined) {
            this.fail(new TypeError(`WebSocket: ${problem}`), 0);
            return;
        }
        opened(this.socket, headerIn(headers, 0, 'sec-websocket-protocol', undefined) ?? '');
    }

    problemWith(status, headers) {
        if (status !== 101) return `the server answered ${status} and not 101`;
        if (StringPrototypeToLowerCase(headerIn(headers, 0, 'upgrade', ',') ?? '') !== 'websocket') return 'the server upgraded to something else';
        if (!listHas(headerIn(headers, 0, 'connection', ','), 'upgrade')) return 'the server did not upgrade the connection';
        if (headerIn(headers, 0, 'sec-websocket-accept', ',') !== ops.socketAccept(this.key)) return 'the server gave a wrong sec-websocket-accept';
        const extensions = headerIn(headers, 0, 'sec-websocket-extensions', ',');
        if (extensions !== undefined) {
            if (!ops.socketAgrees(extensions)) return 'the server uses an extension, or uses it in a way, that it was not asked for';
            this.extensions = extensions;
            this.windowBits = WINDOW_BITS;
        }
        const protocol = headerIn(headers, 0, 'sec-websocket-protocol', ',');
        if (protocol === undefined) return this.protocols.length > 0 ? 'the server chose none of the subprotocols' : undefined;
        return ArrayPrototypeIncludes(this.protocols, protocol) ? undefined : 'the server chose a subprotocol that it was not asked for';
    }

    /** Both have said close: the server is the one to end the connection. */
    finish() { this.stop(undefined, undefined); }

    cut(error) { this.stop('websocket', error); }

    /** The transport has no more. */
    lost(error, type) {
        if (this.over) {
            this.release();
            return;
        }
        this.leave();
        this.hasSaidClose = false; // there is nobody to hear it
        this.stop(type, error);
        isBroken(this.socket, error);
    }

    /** The span ends, and the exchange when the transport has taken our close frame and the server has ended the connection; or soon. */
    stop(type, error) {
        this.counts.describe(this.telling?.span);
        this.telling?.end(type, error);
        if (this.exchange.phase === 0 || !this.hasSaidClose) {
            if (this.id !== 0) ops.fetchAbort(this.id);
            this.release();
            return;
        }
        ops.fetchClose(this.id);
        internal.timers.startUnrefed(() => {
            if (!this.isReleased) ops.fetchAbort(this.id);
            this.release();
        }, CLOSE_TIMEOUT);
    }

    release() {
        if (this.isReleased) return;
        this.isReleased = true;
        internal.fetch.forget(this.id);
        internal.timers.dropRef();
    }
}

/** What fetch's host tells about the exchange of a RemoteLink. Runs in the context that the socket was made in. */
class UpgradeExchange {
    constructor(link) {
        this.link = link;
        this.phase = 0; // no answer yet
        this.context = ops.context();
        this.telling = link.telling;
        this.upload = link;
    }

    head(status, statusText, headers) {
        this.phase = 1;
        this.within(() => this.link.answered(status, headers));
    }

    chunk(bytes) {
        this.within(() => this.link.take(bytes));
        if (!this.link.over) ops.fetchResume(this.link.id, TypedArrayPrototypeGetByteLength(bytes));
    }

    end() { this.within(() => this.link.lost(new TypeError('WebSocket: the connection was closed without a close frame'), 'reset')); }
    fail(error, type) { this.within(() => this.link.lost(error, type)); }

    within(body) {
        const before = ops.enter(this.context);
        try {
            body();
        } finally {
            ops.setContext(before);
        }
    }
}
cutOff(UpgradeExchange);

/** Of a server: the connection of a request, whose exchange it is feed and reader of (44_serve.js). */
class ServedLink extends FrameLink {
    constructor(socket, exchange) {
        super(socket, false);
        this.exchange = exchange;
        this.context = ops.context();
        this.isReading = false;
    }

    /** The socket was accepted: frames are wanted. */
    start() {
        if (this.isReading) return;
        this.isReading = true;
        ops.httpRead(this.exchange.slot);
    }

    // As the feed of the request's body.
    chunk(bytes) {
        const before = ops.enter(this.context);
        try {
            this.take(bytes);
        } finally {
            ops.setContext(before);
        }
        if (!this.over) ops.httpRead(this.exchange.slot);
    }

    fail(error, code = 0) { super.fail(error, code); }

    /** As the reader of the response's body: the request was given up. */
    cancel(error) {
        if (this.over) return;
        this.leave();
        served.delete(this);
        isBroken(this.socket, error);
    }

    write(frame) { return ops.httpWrite(this.exchange.slot, frame) === 1; }

    finish() {
        served.delete(this);
        internal.serve.upgradeEnded(this.exchange, undefined);
    }

    cut(error) {
        served.delete(this);
        internal.serve.upgradeEnded(this.exchange, error);
    }
}

/** The links of requests that became sockets. */
const served = new SafeSet();

/** To the other end of a pair: what is sent lies in that one's inbox until it is accepted. */
class PairLink {
    constructor(peer) { this.peer = peer; }
    start() {}
    send(kind, content) { deposit(this.peer, { kind, content, code: 0 }); }
    close(code, reason) { deposit(this.peer, { kind: CLOSE, content: reason, code }); }
}
cutOff(PairLink);

async function later(task) {
    await undefined;
    task();
}

function joined(list) {
    let text = list[0];
    for (let i = 1; i < list.length; i++) text += `, ${list[i]}`;
    return text;
}

/** Whether a list of tokens, as a header has it, has one; in any case. */
function listHas(text, token) {
    if (text === undefined) return false;
    const lower = `${StringPrototypeToLowerCase(text)},`;
    for (let at = 0; at < lower.length;) {
        const end = StringPrototypeIndexOf(lower, ',', at);
        if (internal.headers.normalizeValue(StringPrototypeSlice(lower, at, end)) === token) return true;
        at = end + 1;
    }
    return false;
}

// ---- The socket ----

const secret = {}; // who has it makes an end of a pair

let opened, receive, peerIsClosing, isClosed, isBroken, deposit, couple, sendOut, goAway, isPairEnd;

class WebSocket extends EventTarget {
    #state = CONNECTING;
    #url = '';
    #origin = '';
    #protocol = '';
    #binaryType = 'blob';
    #link;
    #context;
    #buffered = 0; // bytes sent since the last microtask
    #handlers = { __proto__: null };
    // Of an end of a pair.
    #isEnd = false;
    #isAccepted = true;
    #inbox; // what the other end sent and this one has not been told: {kind, content, code}
    #other;
    #isSent = false; // with a response

    constructor(url, protocols = []) {
        super();
        this.#context = ops.context();
        if (url === secret) {
            this.#isEnd = true;
            this.#isAccepted = false;
            this.#inbox = [];
            this.#binaryType = 'arraybuffer';
            this.#state = OPEN;
            return;
        }
        requireArguments(arguments.length, 1, 'WebSocket');
        const record = toRecord(toUSVString(url));
        const list = toProtocols(protocols);
        this.#url = internal.url.serialize(record, true);
        const shown = { ...record, username: '', password: '' };
        this.#origin = internal.url.serialize({ ...shown, path: [], query: null, fragment: null }, true);
        const remote = { ...record, protocol: record.protocol === 'ws:' ? 'http:' : 'https:' };
        this.#link = new RemoteLink(this, remote, shown, list);
    }

    get url() { return this.#url; }
    get readyState() { return this.#state; }
    get bufferedAmount() { return this.#buffered + (this.#link?.waiting ?? 0); }
    get extensions() { return this.#link?.extensions ?? ''; }
    get protocol() { return this.#protocol; }
    get binaryType() { return this.#binaryType; }
    set binaryType(value) {
        const text = toDOMString(value);
        if (text === 'blob' || text === 'arraybuffer') this.#binaryType = text;
    }
    get onopen() { return this.#handlers.open?.handler ?? null; }
    set onopen(value) { setHandler(this, 'open', this.#handlers.open ??= makeHandlerState(), value); }
    get onmessage() { return this.#handlers.message?.handler ?? null; }
    set onmessage(value) { setHandler(this, 'message', this.#handlers.message ??= makeHandlerState(), value); }
    get onerror() { return this.#handlers.error?.handler ?? null; }
    set onerror(value) { setHandler(this, 'error', this.#handlers.error ??= makeHandlerState(), value); }
    get onclose() { return this.#handlers.close?.handler ?? null; }
    set onclose(value) { setHandler(this, 'close', this.#handlers.close ??= makeHandlerState(), value); }

    /** https://websockets.spec.whatwg.org/#dom-websocket-send */
    send(data) {
        const state = this.#state;
        requireArguments(arguments.length, 1, 'WebSocket.send');
        if (state === CONNECTING) throw new DOMException('WebSocket.send: the socket is not open yet', 'InvalidStateError');
        let content, kind = BINARY;
        const bytes = internal.encoding.bytesOf(data);
        // A copy: the receiver of a pair may change it. A Blob's bytes are nobody's to change.
        if (bytes !== undefined) content = new Uint8Array(bytes);
        else if (isBlob(data)) content = new Uint8Array(blobBytes(data));
        else {
            content = toUSVString(data);
            kind = TEXT;
        }
        const length = kind === TEXT ? TypedArrayPrototypeGetByteLength(ops.encodeUtf8(content)) : TypedArrayPrototypeGetByteLength(content);
        if (this.#buffered === 0) later(() => { this.#buffered = 0; });
        this.#buffered += length;
        if (this.#state === OPEN) this.#link?.send(kind, content);
    }

    /** https://websockets.spec.whatwg.org/#dom-websocket-close */
    close(code = undefined, reason = undefined) {
        const state = this.#state;
        let number = 0, text = '';
        if (code !== undefined) {
            number = Number(code);
            number = number > 0 ? clamped(number) : 0;
        }
        if (reason !== undefined) text = toUSVString(reason);
        if (code !== undefined && number !== 1000 && !(number >= 3000 && number <= 4999)) {
            throw new DOMException(`WebSocket.close: the code must be 1000, or 3000 to 4999, and not ${number}`, 'InvalidAccessError');
        }
        if (TypedArrayPrototypeGetByteLength(ops.encodeUtf8(text)) > REASON_MAX) {
            throw new DOMException(`WebSocket.close: the reason is longer than ${REASON_MAX} bytes`, 'SyntaxError');
        }
        if (number === 0 && text !== '') number = 1000;
        if (state >= CLOSING) return;
        this.#state = CLOSING;
        const link = this.#link;
        if (state === CONNECTING) later(() => link.fail(new TypeError('WebSocket: closed before it was open'), 0));
        else link?.close(number, text);
    }

    /** As Workers have it: this end of a pair is the program's; its events come from now on. */
    accept() {
        if (!this.#isEnd) throw new TypeError('WebSocket.accept: the socket is no end of a WebSocketPair');
        if (this.#isAccepted) return;
        if (this.#isSent) throw new TypeError('WebSocket.accept: this end was sent in a Response');
        this.#isAccepted = true;
        this.#context = ops.context();
        later(() => this.#empty());
        this.#link.start();
    }

    /** Tells what is in the inbox. */
    #empty() {
        while (this.#inbox.length > 0) {
            const records = this.#inbox;
            this.#inbox = [];
            for (let i = 0; i < records.length; i++) this.#take(records[i]);
        }
    }

    #take({ kind, content, code }) {
        if (kind !== CLOSE) {
            this.#receive(kind, content);
            return;
        }
        const other = this.#other;
        if (this.#state < CLOSING) this.#state = CLOSING;
        this.#close(true, code === 0 ? 1005 : code, content);
        other?.#close(true, code === 0 ? 1005 : code, content);
    }

    #receive(kind, content) {
        if (this.#state !== OPEN) return;
        let data = content;
        if (kind === BINARY) data = this.#binaryType === 'blob' ? makeBlob(content, '') : TypedArrayPrototypeGetBuffer(content);
        this.#fire(new MessageEvent('message', { __proto__: null, data, origin: this.#origin }));
    }

    #fire(event) {
        const before = ops.enter(this.#context);
        try {
            fire(this, event);
        } finally {
            ops.setContext(before);
        }
    }

    #close(wasClean, code, reason) {
        if (this.#state === CLOSED) return;
        this.#state = CLOSED;
        this.#fire(new CloseEvent('close', { __proto__: null, wasClean, code, reason }));
    }

    static {
        opened = (socket, protocol) => {
            if (socket.#state !== CONNECTING) return;
            socket.#state = OPEN;
            socket.#protocol = protocol;
            socket.#fire(new Event('open'));
        };
        /** @param {string | Uint8Array} content the socket's from now on */
        receive = (socket, kind, content) => socket.#receive(kind, content);
        peerIsClosing = (socket) => { if (socket.#state < CLOSING) socket.#state = CLOSING; };
        isClosed = (socket, wasClean, code, reason) => socket.#close(wasClean, code, reason);
        isBroken = (socket, error) => {
            if (socket.#state === CLOSED) return;
            socket.#state = CLOSING;
            socket.#fire(new ErrorEvent('error', { __proto__: null, message: error.message, error }));
            socket.#close(false, 1006, '');
        };
        deposit = (end, record) => {
            if (!end.#isAccepted && end.#inbox.length >= INBOX_MAX) throw new TypeError(`WebSocket: more than ${INBOX_MAX} messages wait for an end of a pair that nobody has accepted`);
            ArrayPrototypePush(end.#inbox, record);
            if (end.#isAccepted) later(() => end.#empty());
        };
        isPairEnd = (value) => value !== null && typeof value === 'object' && #isEnd in value && value.#isEnd;
        couple = (one, two) => {
            one.#other = two;
            two.#other = one;
            one.#link = new PairLink(two);
            two.#link = new PairLink(one);
        };
        /**
         * An end goes out with a response: from now on its other end talks to the client. What that one has sent already goes first.
         * @param {(socket: WebSocket) => ServedLink | undefined} makeLink undefined: it cannot be
         */
        sendOut = (end, makeLink) => {
            const socket = end.#other;
            if (end.#isAccepted || end.#isSent) throw new TypeError('A Response takes an end of a WebSocketPair that was neither accepted nor sent');
            const link = makeLink(socket);
            if (link === undefined) return;
            end.#isSent = true;
            end.#other = socket.#other = undefined;
            socket.#link = link;
            const inbox = end.#inbox;
            end.#inbox = [];
            for (let i = 0; i < inbox.length; i++) {
                const { kind, content, code } = inbox[i];
                if (kind === CLOSE) link.close(code, content);
                else link.send(kind, content);
            }
            if (socket.#isAccepted) link.start();
        };
        goAway = (socket) => {
            if (socket.#state >= CLOSING) return;
            socket.#state = CLOSING;
            socket.#link.close(1001, '');
        };
    }
}
defineInterface(WebSocket, { __proto__: null, CONNECTING, OPEN, CLOSING, CLOSED });

/** [Clamp] (https://webidl.spec.whatwg.org/#es-unsigned-short): to the nearest, of two to the even one. @param {number} number above 0 */
function clamped(number) {
    if (number >= 65535) return 65535;
    const below = MathFloor(number), rest = number - below;
    return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}

function toRecord(text) {
    const record = parse(text, null);
    if (record === null) throw new DOMException(`WebSocket: not a valid URL: ${text}`, 'SyntaxError');
    if (record.protocol === 'http:') record.protocol = 'ws:';
    else if (record.protocol === 'https:') record.protocol = 'wss:';
    if (record.protocol !== 'ws:' && record.protocol !== 'wss:') throw new DOMException(`WebSocket: the scheme of the URL is ${record.protocol} and not ws: or wss:`, 'SyntaxError');
    if (record.fragment !== null) throw new DOMException('WebSocket: the URL has a fragment', 'SyntaxError');
    return record;
}

function toProtocols(given) {
    const isList = given !== null && typeof given === 'object' && typeof given[SymbolIterator] === 'function';
    const list = isList ? arrayFromIterable(given, 'WebSocket: protocols') : [given];
    for (let i = 0; i < list.length; i++) {
        list[i] = toDOMString(list[i]);
        for (let k = 0; k <= i; k++) {
            const isBad = k === i ? !isToken(list[i]) : StringPrototypeToLowerCase(list[k]) === StringPrototypeToLowerCase(list[i]);
            if (isBad) throw new DOMException(`WebSocket: the subprotocol '${list[i]}' is ${k === i ? 'no token' : 'there twice'}`, 'SyntaxError');
        }
    }
    return list;
}

/** Two sockets that talk to each other; one of them goes out with a Response. */
class WebSocketPair {
    constructor() {
        const one = ReflectConstruct(WebSocket, [secret]), two = ReflectConstruct(WebSocket, [secret]);
        couple(one, two);
        this[0] = one;
        this[1] = two;
    }
}
defineInterface(WebSocketPair);

// ---- The server's side (44_serve.js) ----

const IS_HTTP10 = 64; // of an exchange's bits
const GET = 1; // index of a method

/** What of a response's headers the handshake says itself. */
const own = { __proto__: null, connection: 1, 'content-length': 1, 'content-type': 1, date: 1, 'keep-alive': 1, 'sec-websocket-accept': 1, 'sec-websocket-extensions': 1, 'transfer-encoding': 1, upgrade: 1 };

/** Answers a request with 101. @param {string[]} list headers of the response. Throws what is the program's fault */
function serve(exchange, end, list) {
    const { head } = exchange;
    const at = StringPrototypeIndexOf(head, '\n') + 1;
    const get = (name) => headerIn(head, at, name, ',');
    const { answer } = internal.serve;
    const isUpgrade = exchange.method === GET && (exchange.bits & IS_HTTP10) === 0 && listHas(get('upgrade'), 'websocket') && listHas(get('connection'), 'upgrade');
    if (!isUpgrade) return answer(exchange, 426, 'Upgrade Required', 'This address speaks WebSocket');
    if (get('sec-websocket-version') !== '13') return answer(exchange, 426, 'Upgrade Required', 'This address speaks version 13 of WebSocket');
    const accept = ops.socketAccept(get('sec-websocket-key') ?? '');
    if (accept === '') return answer(exchange, 400, 'Bad Request', 'The sec-websocket-key is none');
    let lines = `sec-websocket-accept: ${accept}\r\n`;
    for (let i = 0; i < list.length; i += 2) {
        if (own[list[i]] === 1) continue;
        if (list[i] === 'sec-websocket-protocol' && !listHas(get('sec-websocket-protocol'), StringPrototypeToLowerCase(list[i + 1]))) {
            throw new TypeError(`The client has not asked for the subprotocol ${list[i + 1]}`);
        }
        lines += `${list[i]}: ${list[i + 1]}\r\n`;
    }
    sendOut(end, (socket) => {
        const link = new ServedLink(socket, exchange);
        link.windowBits = ops.socketWindow(get('sec-websocket-extensions') ?? '');
        if (link.windowBits > 0) {
            link.extensions = ops.socketAnswer(link.windowBits);
            lines += `sec-websocket-extensions: ${link.extensions}\r\n`;
        }
        if (!link.open() || !internal.serve.upgrade(exchange, lines, link)) {
            link.leave();
            answer(exchange, 500, 'Internal Server Error', 'Internal Server Error');
            return undefined;
        }
        served.add(link);
        return link;
    });
    return undefined;
}

internal.webSocket = {
    isPairEnd, serve,
    /** The worker is to end. */
    closeAll() { served.forEach((link) => goAway(link.socket)); },
};
