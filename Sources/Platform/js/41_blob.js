'use strict';
// @ts-check
// Blob and File (https://w3c.github.io/FileAPI/). A blob is a view on bytes that nobody changes, so a slice copies nothing.

const {
    ArrayPrototypePush, DateNow, MathTrunc, Number, StringPrototypeCharCodeAt, StringPrototypeToLowerCase, TypeError,
    TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetLength, TypedArrayPrototypeSet, TypedArrayPrototypeSubarray, Uint8Array, arrayFromIterable,
} = primordials;
const { customInspect } = internal;
const { bytesOf, noBytes } = internal.encoding;
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

let isBlob, blobBytes, blobType, makeBlob, fillBlob;
const secret = {};

class Blob {
    #bytes = noBytes;
    #type = '';

    constructor(parts = undefined, options = undefined) {
        if (options === secret) return;
        options = toDictionary(options, 'The options of a Blob');
        if (parts !== undefined) this.#bytes = partsOf(parts, options);
        if (options?.type !== undefined) this.#type = normalizeType(`${options.type}`);
    }

    get size() { return lengthOf(this.#bytes); }
    get type() { return this.#type; }

    slice(start = undefined, end = undefined, contentType = undefined) {
        const size = lengthOf(this.#bytes);
        const from = start === undefined ? 0 : toOffset(start, size);
        const to = end === undefined ? size : toOffset(end, size);
        const type = contentType === undefined ? '' : normalizeType(`${contentType}`);
        return makeBlob(TypedArrayPrototypeSubarray(this.#bytes, from, to > from ? to : from), type);
    }

    stream() { return internal.streams.fromBytes(new Uint8Array(this.#bytes)); }
    async text() { return ops.decodeUtf8(this.#bytes, false, false); }
    async arrayBuffer() { return TypedArrayPrototypeGetBuffer(new Uint8Array(this.#bytes)); }
    async bytes() { return new Uint8Array(this.#bytes); }

    [customInspect](depth, options, inspect) { return `Blob ${inspect({ size: this.size, type: this.#type }, options)}`; }

    static {
        isBlob = (value) => value !== null && typeof value === 'object' && #bytes in value;
        blobBytes = (blob) => blob.#bytes;
        blobType = (blob) => blob.#type;
        makeBlob = (bytes, type) => {
            const blob = new Blob(undefined, secret);
            fillBlob(blob, bytes, type);
            return blob;
        };
        fillBlob = (blob, bytes, type) => {
            blob.#bytes = bytes;
            blob.#type = type;
        };
    }
}
defineInterface(Blob);

let isFile, fileName, fileTime, makeFile;

class File extends Blob {
    #name;
    #lastModified;

    constructor(parts, name, options = undefined) {
        requireArguments(arguments.length, 2, 'File');
        super(parts, options);
        if (options === secret) return;
        this.#name = toUSVString(name);
        const time = options?.lastModified;
        const number = time === undefined ? DateNow() : MathTrunc(Number(time));
        this.#lastModified = number === number ? number : 0;
    }

    get name() { return this.#name; }
    get lastModified() { return this.#lastModified; }
    get webkitRelativePath() { return this.#name && ''; }

    [customInspect](depth, options, inspect) {
        return `File ${inspect({ size: this.size, type: this.type, name: this.#name, lastModified: this.#lastModified }, options)}`;
    }

    static {
        isFile = (value) => value !== null && typeof value === 'object' && #name in value;
        fileName = (file) => file.#name;
        fileTime = (file) => file.#lastModified;
        /** `bytes` are nobody else's to change. `time` in milliseconds since 1970. */
        makeFile = (bytes, name, type, time = DateNow()) => {
            const file = new File(undefined, undefined, secret);
            fillBlob(file, bytes, normalizeType(type));
            file.#name = name;
            file.#lastModified = time;
            return file;
        };
    }
}
defineInterface(File);

internal.blob = { Blob, File, blobBytes, blobType, fileName, fileTime, isBlob, isFile, joinBytes, makeBlob, makeFile };
