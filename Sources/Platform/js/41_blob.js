'use strict';
// @ts-check
// Blob and File (https://w3c.github.io/FileAPI/). A blob is a view on bytes that nobody changes, so a slice copies nothing.

const {
    ArrayPrototypePush, DateNow, MathTrunc, Number, ReflectSetPrototypeOf, StringPrototypeCharCodeAt, StringPrototypeToLowerCase, TypeError,
    TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetLength, TypedArrayPrototypeSet, TypedArrayPrototypeSubarray, Uint8Array, arrayFromIterable,
} = primordials;
const { customInspect } = internal;
const { bytesOf, noBytes } = internal.encoding;
const { BLOB, FILE, Stamp, defineSerializable, exempt, makeSerializable } = internal.serialization;
const { defineInterface, requireArguments, toDictionary, toUSVString } = internal.webidl;

const lengthOf = TypedArrayPrototypeGetLength;

/** The bytes of `parts` in one new array. @param {Uint8Array[]} parts */
function joinBytes(parts) {
    let length = 0;
    for (let i = 0; i < parts.length; i++) length += lengthOf(parts[i]);
    const joined = new Uint8Array(length);
    let at = 0;
    for (let i = 0; i < parts.length; i++) {
        TypedArrayPrototypeSet(joined, parts[i], at);
        at += lengthOf(parts[i]);
    }
    return joined;
}

/** Lower case; "" when there is a character that no type has (step 3 of the constructor). */
function normalizeType(text) {
    for (let i = 0; i < text.length; i++) {
        const unit = StringPrototypeCharCodeAt(text, i);
        if (unit < 0x20 || unit > 0x7E) return '';
    }
    return StringPrototypeToLowerCase(text);
}

/** https://w3c.github.io/FileAPI/#process-blob-parts */
function partsOf(parts, options) {
    if (parts === null || typeof parts !== 'object') throw new TypeError('Blob: the parts are not a sequence');
    const list = arrayFromIterable(parts, 'Blob: the parts', toPart);
    const endings = options?.endings === undefined ? 'transparent' : `${options.endings}`;
    if (endings !== 'transparent' && endings !== 'native') throw new TypeError(`Blob: '${endings}' is not a valid value for endings`);
    const pieces = [];
    for (let i = 0; i < list.length; i++) {
        const part = list[i];
        if (typeof part === 'string') ArrayPrototypePush(pieces, ops.encodeUtf8(endings === 'native' ? withNativeEndings(part) : part));
        else ArrayPrototypePush(pieces, isBlob(part) ? blobBytes(part) : bytesOf(part));
    }
    return joinBytes(pieces);
}

/** BlobPart */
const toPart = (value) => (isBlob(value) || bytesOf(value) !== undefined ? value : toUSVString(value));

/** https://w3c.github.io/FileAPI/#convert-line-endings-to-native */
function withNativeEndings(text) {
    let result = '';
    for (let i = 0; i < text.length; i++) {
        if (text[i] !== '\r') result += text[i];
        else if (text[i + 1] !== '\n') result += '\n';
    }
    return result;
}

/** An offset of slice(): long long with [Clamp], from the end when it is negative. */
function toOffset(value, size) {
    let offset = Number(value);
    if (offset !== offset) return 0;
    offset = MathTrunc(offset);
    if (offset < 0) return offset + size > 0 ? offset + size : 0;
    return offset < size ? offset : size;
}

let isBlob, isFile, stateOf; // the last throws on a stranger

/** What a Blob is: also what of it is serialized. Its bytes are changed by nobody. */
class BlobState extends Stamp {
    #state; // kind, bytes, type; of a File also name, lastModified
    constructor(blob, state) {
        super(blob);
        this.#state = state;
    }
    static {
        isBlob = (value) => value !== null && typeof value === 'object' && #state in value;
        isFile = (value) => isBlob(value) && value.#state[0] === FILE;
        stateOf = (blob) => blob.#state;
    }
}

/** A Blob or File of the platform's making. */
function make(Class, state) {
    const blob = makeSerializable(Class, Class, state);
    new BlobState(blob, state);
    return blob;
}

const blobBytes = (blob) => stateOf(blob)[1];
const blobType = (blob) => stateOf(blob)[2];
const makeBlob = (bytes, type) => make(Blob, [BLOB, bytes, type]);

class Blob {
    constructor(parts = undefined, options = undefined) { // eslint-disable-line
        options = toDictionary(options, 'The options of a Blob');
        const state = [BLOB, noBytes, ''];
        if (parts !== undefined) state[1] = partsOf(parts, options);
        if (options?.type !== undefined) state[2] = normalizeType(`${options.type}`);
        const blob = makeSerializable(new.target, Blob, state);
        new BlobState(blob, state);
        return blob;
    }

    get size() { return lengthOf(blobBytes(this)); }
    get type() { return blobType(this); }

    slice(start = undefined, end = undefined, contentType = undefined) {
        const bytes = blobBytes(this);
        const size = lengthOf(bytes);
        const from = start === undefined ? 0 : toOffset(start, size);
        const to = end === undefined ? size : toOffset(end, size);
        const type = contentType === undefined ? '' : normalizeType(`${contentType}`);
        return makeBlob(TypedArrayPrototypeSubarray(bytes, from, to > from ? to : from), type);
    }

    stream() { return internal.streams.fromBytes(new Uint8Array(blobBytes(this))); }
    async text() { return ops.decodeUtf8(blobBytes(this), false, false); }
    async arrayBuffer() { return TypedArrayPrototypeGetBuffer(new Uint8Array(blobBytes(this))); }
    async bytes() { return new Uint8Array(blobBytes(this)); }

    [customInspect](depth, options, inspect) { return `Blob ${inspect({ size: this.size, type: this.type }, options)}`; }
}
defineInterface(Blob);

const fileName = (file) => fileState(file)[3];
const fileTime = (file) => fileState(file)[4];

function fileState(value) {
    const state = stateOf(value);
    if (state[0] !== FILE) throw new TypeError('Illegal invocation: the receiver is not a File');
    return state;
}

class File extends Blob {
    constructor(parts, name, options = undefined) {
        requireArguments(arguments.length, 2, 'File');
        super(parts, options);
        const state = stateOf(this);
        const text = toUSVString(name);
        const time = options?.lastModified;
        const number = time === undefined ? DateNow() : MathTrunc(Number(time));
        state[0] = FILE;
        ArrayPrototypePush(state, text, number === number ? number : 0);
    }

    get name() { return fileName(this); }
    get lastModified() { return fileTime(this); }
    get webkitRelativePath() { return fileName(this) && ''; }

    [customInspect](depth, options, inspect) {
        return `File ${inspect({ size: this.size, type: this.type, name: this.name, lastModified: this.lastModified }, options)}`;
    }
}
defineInterface(File);

/** `bytes` are nobody else's to change. `time` in milliseconds since 1970. */
const makeFile = (bytes, name, type, time = DateNow()) => make(File, [FILE, bytes, normalizeType(type), name, time]);

exempt(Blob);
exempt(File);
defineSerializable(BLOB, (blob, state) => {
    ReflectSetPrototypeOf(blob, Blob.prototype);
    new BlobState(blob, state);
});
defineSerializable(FILE, (file, state) => {
    ReflectSetPrototypeOf(file, File.prototype);
    new BlobState(file, state);
});

internal.blob = { Blob, File, blobBytes, blobType, fileName, fileTime, isBlob, isFile, joinBytes, makeBlob, makeFile };
