'use strict';
// @ts-check
// indexOf, lastIndexOf, includes and fill of a Buffer; buffer_core.js loads this.

const {
    ArrayBufferIsView, NumberIsNaN, StringPrototypeCharCodeAt, TypeError, TypedArrayPrototypeFill, TypedArrayPrototypeGetLength,
    TypedArrayPrototypeIndexOf, TypedArrayPrototypeLastIndexOf, TypedArrayPrototypeSet, Uint32Array,
} = primordials;
const { invalidType, invalidValue, requireInteger, coded } = internal.load('node_errors');
const { encodingOf, encodings } = internal.load('buffer_encodings');

const lengthOf = TypedArrayPrototypeGetLength;

/** How many bytes at `at`, of which the first is right, are those of `wanted`. */
function countMatching(buffer, at, wanted) {
    let i = 1;
    while (i < lengthOf(wanted) && buffer[at + i] === wanted[i]) i++;
    return i;
}

/** Where `wanted`, one byte or more, begins at or behind `from`. `step` 2: at even places only. */
function findForward(buffer, wanted, from, step) {
    const last = lengthOf(buffer) - lengthOf(wanted);
    let compared = 0;
    for (let at = TypedArrayPrototypeIndexOf(buffer, wanted[0], from); at >= 0 && at <= last; at = TypedArrayPrototypeIndexOf(buffer, wanted[0], at + 1)) {
        if (compared > lengthOf(buffer)) return findSteadily(buffer, wanted, at, step, true);
        const count = countMatching(buffer, at, wanted);
        if (at % step === 0 && count === lengthOf(wanted)) return at;
        compared += count;
    }
    return -1;
}

function findBackward(buffer, wanted, from, step) {
    const last = lengthOf(buffer) - lengthOf(wanted);
    if (from > last) from = last;
    let compared = 0;
    for (let at = from; at >= 0; at--) {
        at = TypedArrayPrototypeLastIndexOf(buffer, wanted[0], at);
        if (at < 0) return -1;
        if (compared > lengthOf(buffer)) return findSteadily(buffer, wanted, at, step, false);
        const count = countMatching(buffer, at, wanted);
        if (at % step === 0 && count === lengthOf(wanted)) return at;
        compared += count;
    }
    return -1;
}

/**
 * The same by Knuth, Morris and Pratt's way, which looks at each byte twice at most: for bytes that repeat themselves so much that trying place after
 * place takes the product of both lengths.
 */
function findSteadily(buffer, wanted, from, step, forward) {
    const count = lengthOf(wanted);
    const byteAt = forward ? (i) => wanted[i] : (i) => wanted[count - 1 - i];
    const borders = new Uint32Array(count); // of the first i + 1 bytes: how many of the first are the last as well
    for (let i = 1, k = 0; i < count; i++) {
        while (k > 0 && byteAt(i) !== byteAt(k)) k = borders[k - 1];
        if (byteAt(i) === byteAt(k)) k++;
        borders[i] = k;
    }
    const end = forward ? lengthOf(buffer) : -1;
    for (let i = forward ? from : from + count - 1, k = 0; i !== end; i += forward ? 1 : -1) {
        while (k > 0 && buffer[i] !== byteAt(k)) k = borders[k - 1];
        if (buffer[i] === byteAt(k)) k++;
        if (k < count) continue;
        const at = forward ? i - count + 1 : i;
        if (at % step === 0) return at;
        k = borders[k - 1];
    }
    return -1;
}

return ({ isBytes, part, requireEncoding, setFill }) => {
    function search(buffer, value, byteOffset, label, forward) {
        if (typeof byteOffset === 'string') {
            label = byteOffset;
            byteOffset = undefined;
        }
        const length = lengthOf(buffer);
        let from = +byteOffset;
        if (NumberIsNaN(from)) from = forward ? 0 : length; // also of undefined
        from = from > 0x7FFFFFFF ? 0x7FFFFFFF : from < -0x80000000 ? -0x80000000 : from - from % 1;
        if (typeof value === 'number') {
            if (from < 0) from += length;
            if (from < 0) {
                if (!forward) return -1;
                from = 0;
            }
            const byte = value & 255;
            return forward ? TypedArrayPrototypeIndexOf(buffer, byte, from) : length === 0 ? -1 : TypedArrayPrototypeLastIndexOf(buffer, byte, from);
        }
        let wanted;
        let step = 1;
        if (typeof value === 'string') {
            const encoding = label === undefined ? encodings.utf8 : encodingOf(`${label}`);
            if (encoding === undefined) throw coded(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${label}`);
            wanted = encoding.bytes(value);
            if (encoding === encodings.utf16le) step = 2;
        } else if (isBytes(value)) {
            wanted = value;
            if (label !== undefined && encodingOf(`${label}`) === encodings.utf16le) step = 2;
        } else {
            throw invalidType('value', 'one of type number or string or an instance of Buffer or Uint8Array', value);
        }
        if (from < 0) from += length;
        if (from < 0) {
            if (!forward && lengthOf(wanted) > 0) return -1;
            from = 0;
        }
        if (lengthOf(wanted) === 0) return from < length ? from : length - length % step;
        if (from > length && forward) return -1;
        if (step === 2 && (lengthOf(wanted) < 2 || length < 2)) return -1;
        return forward ? findForward(buffer, wanted, from, step) : findBackward(buffer, wanted, from, step);
    }

    function fill(buffer, value, offset, end, label) {
        if (typeof value === 'string') {
            if (offset === undefined || typeof offset === 'string') {
                label = offset;
                offset = 0;
                end = lengthOf(buffer);
            } else if (typeof end === 'string') {
                label = end;
                end = lengthOf(buffer);
            }
            if (label !== undefined && typeof label !== 'string') throw invalidType('encoding', 'of type string', label);
        }
        const encoding = typeof value === 'string' ? requireEncoding(label) : undefined;
        if (offset === undefined) {
            offset = 0;
            end = lengthOf(buffer);
        } else {
            requireInteger(offset, 'offset', 0, 2 ** 32);
            if (end === undefined) end = lengthOf(buffer); else requireInteger(end, 'end', 0, lengthOf(buffer));
            if (offset >= end) return;
        }
        if (typeof value === 'boolean' || typeof value === 'number' || value === null || value === undefined) {
            TypedArrayPrototypeFill(buffer, value & 255, offset, end);
            return;
        }
        if (typeof value === 'string' && value.length === 1) {
            const unit = StringPrototypeCharCodeAt(value, 0);
            if (unit < 128 && (encoding === encodings.utf8 || encoding === encodings.latin1)) {
                TypedArrayPrototypeFill(buffer, unit, offset, end);
                return;
            }
        }
        if (value === '') {
            TypedArrayPrototypeFill(buffer, 0, offset, end);
            return;
        }
        let pattern;
        if (typeof value === 'string') pattern = encoding.bytes(value);
        else if (isBytes(value)) pattern = value;
        else if (ArrayBufferIsView(value)) pattern = internal.encoding.bytesOf(value);
        else pattern = undefined;
        if (pattern === undefined) {
            TypedArrayPrototypeFill(buffer, value & 255, offset, end);
            return;
        }
        if (lengthOf(pattern) === 0) throw invalidValue('value', value);
        // Doubles what is filled: a copy of n bytes costs far less than n copies.
        const size = end - offset;
        let done = lengthOf(pattern) < size ? lengthOf(pattern) : size;
        TypedArrayPrototypeSet(buffer, part(pattern, 0, done), offset);
        while (done < size) {
            const count = done < size - done ? done : size - done;
            TypedArrayPrototypeSet(buffer, part(buffer, offset, offset + count), offset + done);
            done += count;
        }
    }
    setFill(fill);

    return {
        indexOf(value, byteOffset, encoding) { return search(this, value, byteOffset, encoding, true); },
        lastIndexOf(value, byteOffset, encoding) { return search(this, value, byteOffset, encoding, false); },
        includes(value, byteOffset, encoding) { return search(this, value, byteOffset, encoding, true) !== -1; },
        fill(value, offset, end, encoding) {
            fill(this, value, offset, end, encoding);
            return this;
        },
    };
};
