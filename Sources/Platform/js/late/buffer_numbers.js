'use strict';
// @ts-check
// Numbers in a Buffer: read… and write… of buffer_core.js, made from tables. Bytes are taken one by one, so an offset needs no alignment.

const {
    BigInt, Float32Array, Float64Array, Number, NumberIsInteger, RangeError, TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetLength, Uint8Array,
} = primordials;
const { coded, invalidType, outOfRange } = internal.load('node_errors');

const lengthOf = TypedArrayPrototypeGetLength;

/** Throws what is wrong with an offset where `size` bytes are not to be had. */
function refuseOffset(buffer, offset, size) {
    if (typeof offset !== 'number') throw invalidType('offset', 'of type number', offset);
    if (!NumberIsInteger(offset)) throw outOfRange('offset', 'an integer', offset);
    const last = lengthOf(buffer) - size;
    if (last < 0) throw coded(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', 'Attempt to access memory outside buffer bounds');
    throw outOfRange('offset', `>= 0 and <= ${last}`, offset);
}

function requirePlace(buffer, offset, size) {
    if (!(typeof offset === 'number' && NumberIsInteger(offset) && offset >= 0 && offset + size <= lengthOf(buffer))) refuseOffset(buffer, offset, size);
}

function requireByteLength(size) {
    if (typeof size !== 'number') throw invalidType('byteLength', 'of type number', size);
    if (!NumberIsInteger(size)) throw outOfRange('byteLength', 'an integer', size);
    if (size < 1 || size > 6) throw outOfRange('byteLength', '>= 1 and <= 6', size);
}

/** Unsigned, up to 6 bytes: products, for shifts know 32 bits only. */
function readUnsigned(buffer, offset, size, little) {
    requirePlace(buffer, offset, size);
    let value = 0;
    if (little) for (let i = size - 1; i >= 0; i--) value = value * 256 + buffer[offset + i];
    else for (let i = 0; i < size; i++) value = value * 256 + buffer[offset + i];
    return value;
}

function readSigned(buffer, offset, size, little) {
    const value = readUnsigned(buffer, offset, size, little);
    return value >= 2 ** (8 * size - 1) ? value - 2 ** (8 * size) : value;
}

function rangeText(size, signed, big) {
    const n = big ? 'n' : '';
    const bits = 8 * size;
    if (size > 4) {
        return signed ? `>= -(2${n} ** ${bits - 1}${n}) and < 2${n} ** ${bits - 1}${n}` : `>= 0${n} and < 2${n} ** ${bits}${n}`;
    }
    return signed ? `>= ${-(2 ** (bits - 1))} and <= ${2 ** (bits - 1) - 1}` : `>= 0 and <= ${2 ** bits - 1}`;
}

function writeNumber(buffer, value, offset, size, little, signed) {
    value = +value;
    const high = 2 ** (8 * size - (signed ? 1 : 0)) - 1;
    if (value > high || value < (signed ? -high - 1 : 0)) {
        if (size === 1 && typeof offset !== 'number') throw invalidType('offset', 'of type number', offset);
        throw outOfRange('value', rangeText(size, signed, false), value);
    }
    requirePlace(buffer, offset, size);
    let rest = value - value % 1;
    if (rest !== rest) rest = 0;
    if (rest < 0) rest += 2 ** (8 * size);
    if (little) {
        for (let i = 0; i < size; i++) { buffer[offset + i] = rest % 256; rest = (rest - rest % 256) / 256; }
    } else {
        for (let i = size - 1; i >= 0; i--) { buffer[offset + i] = rest % 256; rest = (rest - rest % 256) / 256; }
    }
    return offset + size;
}

function readBig(buffer, offset, little, signed) {
    requirePlace(buffer, offset, 8);
    const low = readUnsigned(buffer, little ? offset : offset + 4, 4, little);
    const upper = signed ? readSigned(buffer, little ? offset + 4 : offset, 4, little) : readUnsigned(buffer, little ? offset + 4 : offset, 4, little);
    return (BigInt(upper) << 32n) + BigInt(low);
}

function writeBig(buffer, value, offset, little, signed) {
    const low = signed ? -(2n ** 63n) : 0n;
    const high = signed ? 2n ** 63n - 1n : 2n ** 64n - 1n;
    if (value > high || value < low) throw outOfRange('value', rangeText(8, signed, true), value);
    requirePlace(buffer, offset, 8);
    let rest = value < 0n ? value + 2n ** 64n : value - 0n;
    for (let i = 0; i < 8; i++) {
        buffer[little ? offset + i : offset + 7 - i] = Number(rest & 255n);
        rest >>= 8n;
    }
    return offset + 8;
}

const scratch = { 4: new Float32Array(1), 8: new Float64Array(1) };
const scratchBytes = { 4: new Uint8Array(TypedArrayPrototypeGetBuffer(scratch[4])), 8: new Uint8Array(TypedArrayPrototypeGetBuffer(scratch[8])) };

function readFloat(buffer, offset, size, little) {
    requirePlace(buffer, offset, size);
    const bytes = scratchBytes[size];
    for (let i = 0; i < size; i++) bytes[little ? i : size - 1 - i] = buffer[offset + i];
    return scratch[size][0];
}

function writeFloat(buffer, value, offset, size, little) {
    value = +value;
    requirePlace(buffer, offset, size);
    scratch[size][0] = value;
    const bytes = scratchBytes[size];
    for (let i = 0; i < size; i++) buffer[offset + i] = bytes[little ? i : size - 1 - i];
    return offset + size;
}

const methods = { __proto__: null };

/** @param {string[]} names the method and its second spelling */
function add(names, method) {
    for (let i = 0; i < names.length; i++) methods[names[i]] = method;
}

const orders = [['LE', true], ['BE', false]];
for (let o = 0; o < 2; o++) {
    const order = orders[o][0];
    const little = orders[o][1];
    const own = {
        [`readBigUInt64${order}`](offset = 0) { return readBig(this, offset, little, false); },
        [`readBigInt64${order}`](offset = 0) { return readBig(this, offset, little, true); },
        [`writeBigUInt64${order}`](value, offset = 0) { return writeBig(this, value, offset, little, false); },
        [`writeBigInt64${order}`](value, offset = 0) { return writeBig(this, value, offset, little, true); },
        [`readUInt${order}`](offset, byteLength) {
            if (offset === undefined) throw invalidType('offset', 'of type number', offset);
            requireByteLength(byteLength);
            return readUnsigned(this, offset, byteLength, little);
        },
        [`readInt${order}`](offset, byteLength) {
            if (offset === undefined) throw invalidType('offset', 'of type number', offset);
            requireByteLength(byteLength);
            return readSigned(this, offset, byteLength, little);
        },
        [`writeUInt${order}`](value, offset, byteLength) {
            requireByteLength(byteLength);
            return writeNumber(this, value, offset, byteLength, little, false);
        },
        [`writeInt${order}`](value, offset, byteLength) {
            requireByteLength(byteLength);
            return writeNumber(this, value, offset, byteLength, little, true);
        },
        [`readFloat${order}`](offset = 0) { return readFloat(this, offset, 4, little); },
        [`readDouble${order}`](offset = 0) { return readFloat(this, offset, 8, little); },
        [`writeFloat${order}`](value, offset = 0) { return writeFloat(this, value, offset, 4, little); },
        [`writeDouble${order}`](value, offset = 0) { return writeFloat(this, value, offset, 8, little); },
    };
    add([`readBigUInt64${order}`, `readBigUint64${order}`], own[`readBigUInt64${order}`]);
    add([`readBigInt64${order}`], own[`readBigInt64${order}`]);
    add([`writeBigUInt64${order}`, `writeBigUint64${order}`], own[`writeBigUInt64${order}`]);
    add([`writeBigInt64${order}`], own[`writeBigInt64${order}`]);
    add([`readUInt${order}`, `readUint${order}`], own[`readUInt${order}`]);
    add([`readInt${order}`], own[`readInt${order}`]);
    add([`writeUInt${order}`, `writeUint${order}`], own[`writeUInt${order}`]);
    add([`writeInt${order}`], own[`writeInt${order}`]);
    for (let size = 1; size <= 4; size *= 2) {
        if (size === 1 && o === 1) continue;
        const suffix = size === 1 ? '8' : `${8 * size}${order}`;
        const sized = {
            [`readUInt${suffix}`](offset = 0) { return readUnsigned(this, offset, size, little); },
            [`readInt${suffix}`](offset = 0) { return readSigned(this, offset, size, little); },
            [`writeUInt${suffix}`](value, offset = 0) { return writeNumber(this, value, offset, size, little, false); },
            [`writeInt${suffix}`](value, offset = 0) { return writeNumber(this, value, offset, size, little, true); },
        };
        add([`readUInt${suffix}`, `readUint${suffix}`], sized[`readUInt${suffix}`]);
        add([`readInt${suffix}`], sized[`readInt${suffix}`]);
        add([`writeUInt${suffix}`, `writeUint${suffix}`], sized[`writeUInt${suffix}`]);
        add([`writeInt${suffix}`], sized[`writeInt${suffix}`]);
    }
    const floats = ['readFloat', 'readDouble', 'writeFloat', 'writeDouble'];
    for (let i = 0; i < 4; i++) add([floats[i] + order], own[floats[i] + order]);
}

return methods;
