// A JavaScript processor's realm inside Node: the sources of script_*.js with `ops` made of Node's own means, and a little protobuf to feed them and look at what they make.
import fs from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';

const folder = path.resolve(import.meta.dirname, '../../Sources/Platform/js/late');
const source = ['wire', 'attributes', 'items', 'run'].map((name) => fs.readFileSync(path.join(folder, `script_${name}.js`), 'utf8')).join('\n');

export const IN_BYTES = 1 << 20, OUT_BYTES = 2 << 20;
const ITEMS_MAX = 512, HEAD_BYTES = 64, ITEM_BYTES = 16, GROUP_BYTES = 16, SCOPE_BYTES = 8, RESULT_BYTES = 16;
export const verdicts = ['none', 'keep', 'drop', 'replace', 'threw', 'too large', 'malformed'];

// ---- protobuf ----

export function varint(value) {
    let rest = BigInt.asUintN(64, BigInt(value));
    const bytes = [];
    for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
    bytes.push(Number(rest));
    return Buffer.from(bytes);
}
export const fixed64 = (number, value) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)));
    return Buffer.concat([varint(number << 3 | 1), bytes]);
};
export const double = (number, value) => {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    return Buffer.concat([varint(number << 3 | 1), bytes]);
};
export const int = (number, value) => Buffer.concat([varint(number << 3), varint(value)]);
export const bytes = (number, value) => {
    const body = Array.isArray(value) ? Buffer.concat(value) : Buffer.from(value);
    return Buffer.concat([varint(number << 3 | 2), varint(body.length), body]);
};
export function any(value) {
    if (value === null) return [];
    switch (typeof value) {
        case 'string': return [bytes(1, value)];
        case 'boolean': return [int(2, value ? 1 : 0)];
        case 'bigint': return [int(3, value)];
        case 'number': return Number.isSafeInteger(value) ? [int(3, value)] : [double(4, value)];
    }
    if (value instanceof Uint8Array) return [bytes(7, value)];
    if (Array.isArray(value)) return [bytes(5, value.map((element) => bytes(1, any(element))))];
    return [bytes(6, Object.entries(value).map(([key, inner]) => keyValue(1, key, inner)))];
}
export const keyValue = (number, key, value) => bytes(number, [bytes(1, key), bytes(2, any(value))]);
export const attributes = (number, object) => Object.entries(object).map(([key, value]) => keyValue(number, key, value));

/** The fields of a message: [number, value] with a Buffer for a length-delimited one, else a BigInt. */
export function fields(buffer) {
    const out = [];
    let at = 0;
    const read = () => {
        let value = 0n;
        for (let shift = 0n; ; shift += 7n) {
            const byte = buffer[at++];
            value |= BigInt(byte & 127) << shift;
            if (byte < 128) return value;
        }
    };
    while (at < buffer.length) {
        const tag = Number(read());
        if ((tag & 7) === 0) out.push([tag >> 3, read()]);
        else if ((tag & 7) === 1) out.push([tag >> 3, buffer.readBigUInt64LE((at += 8) - 8)]);
        else if ((tag & 7) === 2) {
            const length = Number(read());
            if (length > buffer.length - at) throw new Error('truncated');
            out.push([tag >> 3, buffer.subarray(at, at += length)]);
        } else if ((tag & 7) === 5) out.push([tag >> 3, buffer.readUInt32LE((at += 4) - 4)]);
        else throw new Error(`tag ${tag}`);
    }
    return out;
}
export function fromAny(buffer) {
    let value = null;
    for (const [number, body] of fields(buffer)) {
        if (number === 1) value = body.toString();
        else if (number === 2) value = body !== 0n;
        else if (number === 3) value = BigInt.asIntN(64, body);
        else if (number === 4) value = new DataView(new BigUint64Array([body]).buffer).getFloat64(0, true);
        else if (number === 5) value = fields(body).map(([, element]) => fromAny(element));
        else if (number === 6) value = Object.fromEntries(fields(body).map(([, pair]) => fromKeyValue(pair)));
        else if (number === 7) value = new Uint8Array(body);
    }
    return value;
}
export function fromKeyValue(buffer) {
    const parts = Object.fromEntries(fields(buffer));
    return [parts[1].toString(), fromAny(parts[2])];
}
/** Attributes in the fields with this number. */
export const fromAttributes = (buffer, number) => fields(buffer).filter(([at]) => at === number).map(([, body]) => fromKeyValue(body));

/** Tag, start, body and end of each field; throws where there is none. */
function* walk(buffer, at, end) {
    const read = () => {
        let value = 0n;
        for (let shift = 0n; ; shift += 7n) {
            if (at >= end || shift > 63n) throw new Error('malformed');
            const byte = buffer[at++];
            if (shift === 63n && byte > 1) throw new Error('malformed');
            value |= BigInt(byte & 127) << shift;
            if (byte < 128) return value;
        }
    };
    while (at < end) {
        const start = at;
        const tag = Number(read());
        if (tag < 8 || tag > 0x7FFFFFFF) throw new Error('malformed');
        let body = at;
        if ((tag & 7) === 0) read();
        else if ((tag & 7) === 1) at += 8;
        else if ((tag & 7) === 5) at += 4;
        else if ((tag & 7) === 2) {
            const length = Number(read());
            body = at;
            at += length;
        } else throw new Error('malformed');
        if (at > end) throw new Error('malformed');
        yield [tag, start, body, at];
    }
}

// ---- The realm ----

const FIELDS_MAX = 16384;

/** @param {string} script an object with the functions, as an expression. */
export function makeWorld(script, { outBytes = OUT_BYTES, slots = 1 } = {}) {
    const memory = new ArrayBuffer((IN_BYTES + outBytes) * slots);
    const store = Buffer.from(memory);
    const world = { errors: [], lines: [], memory: store };
    const context = vm.createContext({});
    const tables = new ArrayBuffer(128 + 12 * FIELDS_MAX * 4);
    const words = new Int32Array(tables);
    const column = (index, at) => 32 + index * FIELDS_MAX + at;
    const ops = {
        /** As Sources/Runtime/Scripts/ScriptScan.swift. */
        scriptScan(at, end, attributesTag) {
            words.fill(-1, 0, 17);
            words[17] = 0;
            let count = 0;
            try {
                for (const [tag, start, body, next] of walk(store, at, end)) {
                    if (count === FIELDS_MAX) return -2;
                    for (const [index, value] of [tag, start, body, next].entries()) words[column(index, count)] = value;
                    if (tag === attributesTag) {
                        const parts = [start, body, next, body, body, body, body, 0];
                        for (const [inner, , from, to] of walk(store, body, next)) {
                            if (inner === 0x0A) parts.splice(3, 2, from, to);
                            else if (inner === 0x12) parts.splice(5, 2, from, to);
                        }
                        for (const [index, value] of parts.entries()) words[column(4 + index, words[17])] = value;
                        words[17]++;
                    } else if (tag < 17 << 3) words[tag >> 3] = count;
                    count++;
                }
            } catch {
                return -1;
            }
            return count;
        },
        scriptText: (at, length) => store.toString('utf8', at, at + length),
        scriptWrite(text, at, end) {
            const bytes = Buffer.from(text.toWellFormed?.() ?? text);
            return bytes.length > end - at ? -1 : bytes.copy(store, at);
        },
        scriptLog: (level, text) => void world.lines.push([level, text]),
        scriptError: (error) => void world.errors.push(error),
    };
    const host = vm.compileFunction(source, ['ops', 'memory', 'tables'], { parsingContext: context, filename: 'sidelight:script.js' })(ops, memory, tables);
    world.bits = host.load(vm.runInContext(`(${script})`, context, { filename: 'test.js' }));

    /** Fills a slot with [{signal, resource, scopes: [{message, items}]}]. */
    world.fill = (batches, slot = 0) => {
        const input = slot * (IN_BYTES + outBytes);
        const words = new Int32Array(memory, input, IN_BYTES / 4);
        const itemsAt = HEAD_BYTES / 4, groupsAt = itemsAt + ITEMS_MAX * 4, scopesAt = groupsAt + ITEMS_MAX * 4;
        let at = input + HEAD_BYTES + ITEMS_MAX * (ITEM_BYTES + GROUP_BYTES + SCOPE_BYTES);
        let items = 0, groups = 0, scopes = 0;
        const put = (message) => {
            const start = at;
            at += Buffer.from(message).copy(store, at);
            return [start, at - start];
        };
        for (const batch of batches) {
            words.set([batch.signal, ...put(batch.resource ?? '')], groupsAt + groups * 4);
            for (const scope of batch.scopes) {
                words.set(put(scope.message ?? ''), scopesAt + scopes * 2);
                for (const item of scope.items) words.set([...put(item), scopes, groups], itemsAt + items++ * 4);
                scopes++;
            }
            groups++;
        }
        words.set([items, groups, scopes]);
        return items;
    };
    world.runSlot = (slot = 0) => {
        const input = slot * (IN_BYTES + outBytes);
        host.run(input, input + IN_BYTES, input + IN_BYTES + outBytes);
    };
    /** [verdict, message or undefined] of each item. */
    world.results = (count, slot = 0) => {
        const output = slot * (IN_BYTES + outBytes) + IN_BYTES;
        const words = new Int32Array(memory, output, ITEMS_MAX * RESULT_BYTES / 4);
        return Array.from({ length: count }, (_, index) => {
            const [verdict, offset, length] = words.subarray(index * 4);
            return [verdicts[verdict], verdict === 3 ? Buffer.from(store.subarray(output + offset, output + offset + length)) : undefined];
        });
    };
    world.run = (batches) => {
        const count = world.fill(batches);
        world.runSlot();
        return world.results(count);
    };
    world.spans = (...items) => world.run([{ signal: 1, scopes: [{ items }] }]);
    world.logs = (...items) => world.run([{ signal: 2, scopes: [{ items }] }]);
    world.metrics = (...items) => world.run([{ signal: 3, scopes: [{ items }] }]);
    return world;
}

export function span({ name = 'GET /', attributes: values = {}, events = [], links = [], status, kind = 2, extra = [] } = {}) {
    return Buffer.concat([
        bytes(1, Buffer.alloc(16, 0xAB)), bytes(2, Buffer.alloc(8, 0xCD)), bytes(4, Buffer.alloc(8, 0x12)), bytes(5, name), int(6, kind),
        fixed64(7, 1700000000123456789n), fixed64(8, 1700000000223456789n), ...attributes(9, values),
        ...events.map((event) => bytes(11, [fixed64(1, 1700000000200000000n), bytes(2, event.name), ...attributes(3, event.attributes ?? {})])),
        ...links.map((link) => bytes(13, [bytes(1, Buffer.alloc(16, 1)), bytes(2, Buffer.alloc(8, 2)), ...attributes(4, link)])),
        ...(status ? [bytes(15, [bytes(2, status.message), int(3, status.code)])] : []), ...extra,
    ]);
}
