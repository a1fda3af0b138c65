'use strict';
// @ts-check
// Bodies (https://fetch.spec.whatwg.org/#bodies). A text or bytes stay what they are until `body` is touched: only then is there a ReadableStream. What the
// host feeds (the body of an incoming request) is collected without a stream, too, when nobody asks for one.

const {
    ArrayBufferIsView, ArrayBufferPrototypeGetByteLength, ArrayPrototypePush, JSONParse, ObjectDefineProperty, Promise, ReflectGetOwnPropertyDescriptor,
    StringPrototypeCharCodeAt, StringPrototypeSlice, TypeError, TypedArrayPrototypeGetBuffer,
    TypedArrayPrototypeGetByteLength, TypedArrayPrototypeGetLength, TypedArrayPrototypeSet, Uint8Array, cutOff,
} = primordials;
const { blobBytes, blobType, isBlob, joinBytes, makeBlob } = internal.blob;
const { bytesOf, noBytes } = internal.encoding;
const { extractMIMEType, parameterOf, serializeMIMEType } = internal.mime;
const { holding } = internal.streams;
const { toUSVString } = internal.webidl;

const textType = 'text/plain;charset=UTF-8';
const formType = 'application/x-www-form-urlencoded;charset=UTF-8';
const jsonType = 'application/json';

class Body {
    /**
     * @param {string | Uint8Array | Feed | null} source bytes are the body's own; null: only a stream
     * @param {object | null} stream
     */
    constructor(source, stream) {
        this.source = source;
        this.stream = stream;
        this.used = false; // the source was read, without a stream
    }
}
cutOff(Body);

// ---- What the host feeds ----

const feedIdle = 0, feedCollecting = 1, feedStreaming = 2, feedOver = 3;
/** Bytes: smaller pieces are copied behind one another, into arrays of this length. */
const smallBytes = 1024, gatheredBytes = 8192;

/**
 * A body that comes in pieces. `pull` asks for one more; the host then calls exactly one of chunk, end, fail. `cancel` says that no more is wanted.
 */
class Feed {
    constructor(pull, cancel) {
        this.pull = pull;
        this.cancel = cancel;
        this.state = feedIdle;
        this.chunks = undefined;
        this.gathered = undefined; // small pieces that are not among the chunks yet, and
        this.gatheredLength = 0;
        this.resolve = undefined;
        this.reject = undefined;
        this.controller = undefined; // of the stream
        this.failure = undefined; // {error}: it failed before anybody read
    }

    chunk(bytes) {
        if (this.state === feedCollecting) {
            this.gather(bytes);
            this.pull();
        } else if (this.state === feedStreaming) {
            this.controller.enqueue(bytes);
        }
    }

    /** Keeps a piece. A body that trickles in byte by byte must not become an array of bytes. */
    gather(bytes) {
        const length = TypedArrayPrototypeGetLength(bytes);
        if (length >= smallBytes || this.chunks.length === 0) {
            this.closeGathered();
            ArrayPrototypePush(this.chunks, bytes);
            return;
        }
        if (this.gatheredLength + length > gatheredBytes) this.closeGathered();
        if (this.gatheredLength === 0) this.gathered = new Uint8Array(gatheredBytes);
        TypedArrayPrototypeSet(this.gathered, bytes, this.gatheredLength);
        this.gatheredLength += length;
    }

    closeGathered() {
        const length = this.gatheredLength;
        if (length === 0) return;
        let bytes = new Uint8Array(TypedArrayPrototypeGetBuffer(this.gathered), 0, length);
        if (length < gatheredBytes / 2) {
            // What is mostly empty is not kept: large and small pieces may alternate.
            const alone = new Uint8Array(length);
            TypedArrayPrototypeSet(alone, bytes, 0);
            bytes = alone;
        }
        ArrayPrototypePush(this.chunks, bytes);
        this.gathered = undefined;
        this.gatheredLength = 0;
    }

    end() {
        const { state } = this;
        this.state = feedOver;
        if (state === feedCollecting) {
            this.closeGathered();
            this.resolve(holding(this.chunks.length === 1 ? this.chunks[0] : joinBytes(this.chunks)));
        } else if (state === feedStreaming) {
            this.controller.close();
        }
    }

    fail(error) {
        const { state } = this;
        if (state === feedOver) return;
        this.state = feedOver;
        if (state === feedCollecting) this.reject(error);
        else if (state === feedStreaming) this.controller.error(error);
        else this.failure = { error };
    }

    /** @returns {Promise<{bytes: Uint8Array}>} all of it */
    collect() {
        return new Promise((resolve, reject) => {
            if (this.state === feedOver) {
                if (this.failure === undefined) resolve(holding(noBytes)); else reject(this.failure.error);
                return;
            }
            this.state = feedCollecting;
            this.chunks = [];
            this.resolve = resolve;
            this.reject = reject;
            this.pull();
        });
    }

    /** The one stream of it. */
    open() {
        if (this.state === feedOver) {
            const made = internal.streams.newReadable(undefined, undefined, 0);
            if (this.failure === undefined) made.close(); else made.error(this.failure.error);
            return made.stream;
        }
        this.controller = internal.streams.newReadable(this.pull, (reason) => {
            this.state = feedOver;
            this.cancel(reason);
        }, 0);
        this.state = feedStreaming;
        return this.controller.stream;
    }
}
cutOff(Feed);

// ---- Reading ----

const unusable = () => new TypeError('Body is unusable: Body has already been read');

/** https://fetch.spec.whatwg.org/#body-unusable */
function isUnusable(body) {
    if (body.stream === null) return body.used;
    return internal.streams.isDisturbed(body.stream) || internal.streams.isLocked(body.stream);
}

function isUsed(body) {
    return body.stream === null ? body.used : internal.streams.isDisturbed(body.stream);
}

/** The body's stream, made now if there was none. */
function streamOf(body) {
    if (body.stream !== null) return body.stream;
    const { source } = body;
    if (body.used) {
        // It was read as a whole, and must look so.
        const made = internal.streams.newReadable(undefined, undefined, 0);
        const { stream } = made;
        if (!(source instanceof Feed) || source.state === feedOver) made.close();
        internal.streams.collect(stream, () => {}, () => {});
        return body.stream = stream;
    }
    return body.stream = source instanceof Feed ? source.open() : internal.streams.fromBytes(aloneInBuffer(ownBytes(source)));
}

/**
 * Takes all there is, the one time that this can be done.
 * @param {Body | null} body
 * @returns {string | Uint8Array | Promise<{bytes: Uint8Array}>} bytes may be a blob's or a clone's too: who hands them out copies them
 */
function take(body) {
    if (body === null) return '';
    if (isUnusable(body)) throw unusable();
    if (body.stream !== null) return internal.streams.readAll(body.stream);
    body.used = true;
    const { source } = body;
    return source instanceof Feed ? source.collect() : source;
}

function textOf(source) {
    if (typeof source !== 'string') return ops.decodeUtf8(source, false, false);
    return StringPrototypeCharCodeAt(source, 0) === 0xFEFF ? StringPrototypeSlice(source, 1) : source;
}

/** No promise: awaiting bytes would look for a `then` that a program may have put on a prototype. */
const isWhole = (source) => typeof source === 'string' || ArrayBufferIsView(source);

/** Bytes for the program to keep. */
function ownBytes(source) {
    return typeof source === 'string' ? ops.encodeUtf8(source) : new Uint8Array(source);
}

/** A native encoder may hand out a part of a larger buffer. */
function aloneInBuffer(bytes) {
    const length = ArrayBufferPrototypeGetByteLength(TypedArrayPrototypeGetBuffer(bytes));
    return length === TypedArrayPrototypeGetByteLength(bytes) ? bytes : new Uint8Array(bytes);
}

/** https://fetch.spec.whatwg.org/#concept-body-clone */
function cloneBody(body, what) {
    if (body === null) return null;
    if (isUnusable(body)) throw new TypeError(`${what}.clone: Body has already been consumed.`);
    if (body.stream === null && !(body.source instanceof Feed)) return new Body(body.source, null); // neither changes it
    const branches = internal.streams.tee(streamOf(body));
    body.stream = branches[0];
    body.source = null;
    return new Body(null, branches[1]);
}

/** A stream of what is left in `stream`, which is locked from now on (https://streams.spec.whatwg.org/#readablestream-create-a-proxy). */
function moveStream(stream) {
    let reader;
    const made = internal.streams.newReadable(() => reader.resume(), (reason) => reader.cancel(reason), 0);
    reader = internal.streams.readChunks(stream, (chunk) => {
        made.enqueue(new Uint8Array(chunk)); // its buffer may be the program's
        return false;
    }, () => made.close(), (error) => made.error(error));
    return made.stream;
}

// ---- Making ----

/** Set by `extract`: the Content-Type that goes with the body; null: none. */
let extractedType = null;

/**
 * https://fetch.spec.whatwg.org/#concept-bodyinit-extract
 * @returns {Body} its type is what `typeOfExtracted` gives
 */
function extract(value) {
    if (typeof value === 'string') {
        extractedType = textType;
        return new Body(toUSVString(value), null);
    }
    if (value !== null && typeof value === 'object') {
        if (internal.streams !== undefined && internal.streams.isReadableStream(value)) {
            if (internal.streams.isDisturbed(value) || internal.streams.isLocked(value)) {
                throw new TypeError('Response body object should not be disturbed or locked');
            }
            extractedType = null;
            return new Body(null, value);
        }
        const bytes = bytesOf(value);
        if (bytes !== undefined) {
            extractedType = null;
            return new Body(new Uint8Array(bytes), null);
        }
        if (isBlob(value)) {
            extractedType = blobType(value) === '' ? null : blobType(value);
            return new Body(blobBytes(value), null);
        }
        const form = internal.formText(value);
        if (form !== undefined) {
            extractedType = formType;
            return new Body(form, null);
        }
        const multipart = internal.formData.serialize(value);
        if (multipart !== undefined) {
            extractedType = multipart.type;
            return new Body(multipart.bytes, null);
        }
    }
    const text = toUSVString(value);
    extractedType = textType; // after ToString, which is the user's
    return new Body(text, null);
}

/** Content-Type from the body where the list has none. */
function addType(list, type) {
    if (type === null) return;
    for (let i = 0; i < list.length; i += 2) if (list[i] === 'content-type') return;
    ArrayPrototypePush(list, 'content-type', type);
}

// ---- Media types ----

/** The Content-Type of a list of headers; null: none. */
function typeOfList(list) {
    let type = null;
    for (let i = 0; i < list.length; i += 2) if (list[i] === 'content-type') type = type === null ? list[i + 1] : `${type}, ${list[i + 1]}`;
    return type;
}

/** https://fetch.spec.whatwg.org/#dom-body-formdata */
function parseFormData(source, type) {
    const parsed = extractMIMEType(type);
    if (parsed?.essence === 'multipart/form-data') {
        const boundary = parameterOf(parsed.parameters, 'boundary');
        if (boundary === undefined || boundary === '') throw new TypeError('formData: the Content-Type has no boundary');
        return internal.formData.parse(typeof source === 'string' ? ops.encodeUtf8(source) : source, boundary);
    }
    if (parsed?.essence === 'application/x-www-form-urlencoded') {
        // A byte order mark is part of the first name here.
        return internal.formData.fromList(internal.parseForm(typeof source === 'string' ? source : ops.decodeUtf8(source, false, true)));
    }
    throw new TypeError(`formData: the Content-Type is neither multipart/form-data nor application/x-www-form-urlencoded but ${type ?? 'missing'}`);
}

// ---- The mixin (https://fetch.spec.whatwg.org/#body-mixin) ----

/**
 * @param {Function} Class
 * @param {(object) => Body | null} bodyOf throws on a stranger
 * @param {(object) => string | null} contentTypeOf
 */
function defineBody(Class, bodyOf, contentTypeOf) {
    const methods = {
        async text() {
            const source = take(bodyOf(this));
            return textOf(isWhole(source) ? source : (await source).bytes);
        },
        async json() {
            const source = take(bodyOf(this));
            return JSONParse(textOf(isWhole(source) ? source : (await source).bytes));
        },
        async bytes() {
            const source = take(bodyOf(this));
            return ownBytes(isWhole(source) ? source : (await source).bytes);
        },
        async arrayBuffer() {
            const source = take(bodyOf(this));
            return TypedArrayPrototypeGetBuffer(aloneInBuffer(ownBytes(isWhole(source) ? source : (await source).bytes)));
        },
        async blob() {
            const source = take(bodyOf(this));
            const type = extractMIMEType(contentTypeOf(this));
            const bytes = ownBytes(isWhole(source) ? source : (await source).bytes);
            return makeBlob(bytes, type === null ? '' : serializeMIMEType(type));
        },
        async formData() {
            const source = take(bodyOf(this));
            const type = contentTypeOf(this);
            return parseFormData(isWhole(source) ? source : (await source).bytes, type);
        },
    };
    for (const name in methods) {
        ObjectDefineProperty(Class.prototype, name, { __proto__: null, value: methods[name], writable: true, enumerable: true, configurable: true });
    }
    const getters = {
        get body() {
            const body = bodyOf(this);
            return body === null ? null : streamOf(body);
        },
        get bodyUsed() {
            const body = bodyOf(this);
            return body !== null && isUsed(body);
        },
    };
    for (const name in getters) {
        const { get } = ReflectGetOwnPropertyDescriptor(getters, name);
        ObjectDefineProperty(Class.prototype, name, { __proto__: null, get, set: undefined, enumerable: true, configurable: true });
    }
}

internal.body = {
    Body, Feed, addType, cloneBody, defineBody, extract, isUnusable, isUsed, moveStream, streamOf, take, textOf, typeOfList, unusable,
    typeOfExtracted: () => extractedType, textType, jsonType,
};
