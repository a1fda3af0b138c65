'use strict';
// @ts-check
// node:buffer: https://nodejs.org/api/buffer.html

const { ArrayBufferIsView, Error, ObjectDefineProperty, StringPrototypeCodePointAt, TypedArrayPrototypeGetLength } = primordials;
const { Buffer, fromBytes, isAnyArrayBuffer, isBytes, lengthMax, requireEncoding, stringLengthMax, getShownMax, setShownMax } = internal.load('buffer_core');
const { coded, define, invalidType, requireNumber, withDefault } = internal.load('node_errors');
const { bytesOf } = internal.encoding;
const { atob, btoa, Blob, File } = internal.globals;

/** @deprecated by Node */
function SlowBuffer(length) { return Buffer.allocUnsafeSlow(length); }

function requireBytes(input) {
    if (!isAnyArrayBuffer(input) && !(ArrayBufferIsView(input) && bytesOf(input) !== undefined)) {
        throw invalidType('input', 'an instance of ArrayBuffer, Buffer, or TypedArray', input);
    }
    return bytesOf(input);
}

function transcode(source, fromEncoding, toEncoding) {
    if (!isBytes(source)) throw invalidType('source', 'an instance of Buffer or Uint8Array', source);
    if (source.length === 0) return Buffer.alloc(0);
    const from = requireEncoding(fromEncoding);
    const to = requireEncoding(toEncoding);
    const kinds = { __proto__: null, ascii: 1, latin1: 1, utf16le: 1, utf8: 1 };
    if (kinds[from.name] === undefined || kinds[to.name] === undefined) {
        const error = coded(Error, 'U_ILLEGAL_ARGUMENT_ERROR', 'Unable to transcode Buffer [U_ILLEGAL_ARGUMENT_ERROR]');
        define(error, { errno: 1 });
        throw error;
    }
    const text = from.text(bytesOf(source));
    if (to.name !== 'ascii' && to.name !== 'latin1') return fromBytes(to.bytes(text));
    // What the encoding has not becomes "?".
    const max = to.name === 'ascii' ? 0x7F : 0xFF;
    let shown = '';
    for (let i = 0; i < text.length; i++) {
        const point = StringPrototypeCodePointAt(text, i);
        if (point > 0xFFFF) i++;
        shown += point <= max ? text[i] : '?';
    }
    return fromBytes(to.bytes(shown));
}

const exports = {
    Buffer, SlowBuffer, transcode,
    isUtf8(input) {
        try {
            ops.decodeUtf8(requireBytes(input), true, true);
            return true;
        } catch (error) {
            if (error?.code === 'ERR_INVALID_ARG_TYPE') throw error;
            return false;
        }
    },
    isAscii(input) {
        const bytes = requireBytes(input);
        for (let i = 0; i < TypedArrayPrototypeGetLength(bytes); i++) if (bytes[i] > 0x7F) return false;
        return true;
    },
    kMaxLength: lengthMax,
    kStringMaxLength: stringLengthMax,
    btoa, atob,
    constants: { MAX_LENGTH: lengthMax, MAX_STRING_LENGTH: stringLengthMax },
    Blob, File,
    INSPECT_MAX_BYTES: getShownMax(),
};
ObjectDefineProperty(exports, 'INSPECT_MAX_BYTES', {
    __proto__: null, enumerable: true, configurable: true, get: getShownMax,
    set(value) {
        requireNumber(value, 'INSPECT_MAX_BYTES', 0);
        setShownMax(value);
    },
});
return withDefault(exports);
