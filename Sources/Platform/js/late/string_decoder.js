'use strict';
// @ts-check
// node:string_decoder: text of bytes that come in pieces. https://nodejs.org/api/string_decoder.html

const {
    ArrayBufferIsView, String, TypeError, TypedArrayPrototypeGetLength, TypedArrayPrototypeSet, TypedArrayPrototypeSubarray, Uint8Array,
} = primordials;
const { encodingOf, encodings } = internal.load('buffer_encodings');
const { fromBytes } = internal.load('buffer_core');
const { coded, invalidType, withDefault } = internal.load('node_errors');
const { bytesOf, noBytes } = internal.encoding;

const lengthOf = TypedArrayPrototypeGetLength;

function join(head, tail) {
    if (lengthOf(head) === 0) return tail;
    const bytes = new Uint8Array(lengthOf(head) + lengthOf(tail));
    TypedArrayPrototypeSet(bytes, head, 0);
    TypedArrayPrototypeSet(bytes, tail, lengthOf(head));
    return bytes;
}

/** How many bytes at the end begin a character by what the first of them says. */
function unfinishedUtf8(bytes) {
    const length = lengthOf(bytes);
    for (let back = 1; back <= 3 && back <= length; back++) {
        const byte = bytes[length - back];
        if (byte >= 0x80 && byte < 0xC0) continue;
        const needed = byte >= 0xF0 && byte < 0xF8 ? 4 : byte >= 0xE0 && byte < 0xF0 ? 3 : byte >= 0xC0 && byte < 0xE0 ? 2 : 1;
        if (needed <= back) return 0;
        return back;
    }
    return 0;
}

function unfinished(encoding, bytes) {
    const length = lengthOf(bytes);
    switch (encoding) {
    case encodings.utf8: return unfinishedUtf8(bytes);
    case encodings.base64:
    case encodings.base64url: return length % 3;
    case encodings.utf16le: {
        // Half a unit, or the first half of a pair.
        const odd = length % 2;
        if (length - odd >= 2) {
            const high = bytes[length - odd - 1];
            if (high >= 0xD8 && high <= 0xDB) return odd + 2;
        }
        return odd;
    }
    default: return 0;
    }
}

class StringDecoder {
    #encoding;
    #rest = noBytes;

    constructor(encoding) {
        const found = encoding === undefined || encoding === null || encoding === '' ? encodings.utf8 : encodingOf(`${String(encoding)}`);
        if (found === undefined) throw coded(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${String(encoding)}`);
        this.#encoding = found;
        this.encoding = found.name;
    }

    write(buf) {
        if (typeof buf === 'string') return buf;
        if (!ArrayBufferIsView(buf)) throw invalidType('buf', 'an instance of Buffer, TypedArray, or DataView', buf);
        const bytes = join(this.#rest, bytesOf(buf));
        const kept = unfinished(this.#encoding, bytes);
        const whole = lengthOf(bytes) - kept;
        this.#rest = kept === 0 ? noBytes : new Uint8Array(TypedArrayPrototypeSubarray(bytes, whole));
        return whole === 0 ? '' : this.#encoding.text(TypedArrayPrototypeSubarray(bytes, 0, whole));
    }

    end(buf) {
        let text = buf === undefined ? '' : this.write(buf);
        const rest = this.#rest;
        this.#rest = noBytes;
        if (lengthOf(rest) > 0) text += this.#encoding.text(rest);
        return text;
    }

    text(buf, offset) {
        this.#rest = noBytes;
        return this.write(fromBytes(TypedArrayPrototypeSubarray(bytesOf(buf), offset)));
    }

    get lastChar() { return fromBytes(this.#rest); }
    get lastNeed() { return lengthOf(this.#rest) === 0 ? 0 : 1; }
    get lastTotal() { return lengthOf(this.#rest); }
}

return withDefault({ StringDecoder });
