'use strict';
// The ring's JavaScript end: records, interned strings and attributes, written flat into shared memory.
// Layout: docs/specs/record-format.md. What the records say is the business of 20_trace.js and 22_metrics.js.
//
// Nothing at load time that a snapshot cannot hold: the views on the ring are made by `start`.

const {
    ArrayBufferIsView, ArrayIsArray, NumberIsInteger, ObjectKeys, SafeMap, StringPrototypeCharCodeAt, StringPrototypeSlice,
    TypedArrayPrototypeSlice, cutOff,
} = primordials;

// ---- Records (sections 1 and 2 of the format) ----

// Word indexes of the header's cells.
const HEAD = 16, TAIL = 32, DROPPED = 48;
const DATA = 4096;

const KIND_STRING = 2;

// What `start` sets, once. V8 takes a field of a constant object that was only ever set once for a constant: the views cost no loads and no
// checks of what they are, just the bounds. (A variable is loaded and checked at each mention; with these as variables a span cost a quarter more.)
//
// - i32, u8, f64: the whole mapping
// - capacity, mask: of the data
// - storesAreOrdered: x86 makes stores visible in program order and V8 keeps that order for typed arrays, so a plain store publishes and
//   saves a call. The consumer is woken when the clock is read next, or the turn ends (CV8/Waker.h).
// - enabled: false without an agent, or when the SDK is disabled: spans do not record, context still flows
// - attributeLengthLimit: UTF-16 units a string value is cut to; -1: not at all
// - masks: whether there are secrets, which are masked before a value is cut
// - state: the words below
const bound = {};

// The record being written: its first byte, its limit, and its position in the ring. In words outside of the heap, for the same reason: a
// number in a variable is boxed and checked.
const START = 0, LIMIT = 1, POSITION = 2, WRITING = 3, WAITING = 4, STATE_WORDS = 32;

// A record is written whole before another is begun. What is written can be the program's own objects (a span's fields are properties like others), whose getters
// run between open and commit: then `open` has no room, so what they write is dropped and counted, and findings are put aside until a record is published. WRITING is
// 1 while a record is open, WAITING 1 while findings wait. Who opens sets WRITING back to 0 when nothing is committed, whatever is thrown in between: a program can
// have the stack end in any call here, so by a store of its own.

// Starts a record: where to write, or -1 when there is less room than `least`. Bytes from here to `recordLimit` are free; the data is
// mapped twice in a row, so they are contiguous.
function open(least) {
    return openWithin(least, 0);
}

// The same for what comes in floods, spans: a sixteenth of the ring stays free for logs, errors and the strings that all need.
function openLeavingRoom(least) {
    return openWithin(least, bound.capacity >> 4);
}

function openWithin(least, room) {
    const words = bound.i32, state = bound.state, capacity = bound.capacity;
    const head = words[HEAD];
    let free = (capacity - (head - words[TAIL] | 0) | 0) - room | 0;
    const largest = capacity >> 2;
    if (free > largest) free = largest;
    if (free > 1048576) free = 1048576;
    if (free < least || state[WRITING] !== 0) return -1;
    state[WRITING] = 1;
    const start = DATA + (head & bound.mask) | 0;
    state[POSITION] = head;
    state[START] = start;
    // Whoever writes checks `position + what it needs <= limit`; 64 spare bytes let small fixed parts go unchecked.
    state[LIMIT] = start + free - 64 | 0;
    return start;
}

// Where the record being written must end at the latest, but for 64 bytes.
const limit = () => bound.state[LIMIT];

// The ring's head once the record being written, which ends at `end`, is published.
const headAfter = (end) => bound.state[POSITION] + (end - bound.state[START]) | 0;

// Publishes the record that ends at `end` (a multiple of 8). What it throws it throws before.
function commit(end, kind) {
    const words = bound.i32, state = bound.state;
    const start = state[START];
    const length = end - start | 0;
    const word = start >> 2;
    words[word] = length;
    words[word + 1] = kind;
    const head = state[POSITION] + length | 0;
    if (bound.storesAreOrdered) words[HEAD] = head;
    else bound.AtomicsStore(words, HEAD, head);
    state[WRITING] = 0;
    if (state[WAITING] !== 0) tellWaiting();
}

function tellWaiting() {
    try {
        bound.writeAside();
    } catch {
        // The stack's end. The next record brings them.
    }
}

// For the host: gives up the record that was being written when execution was terminated. Nothing of it was published.
function abandon() {
    const { state } = bound;
    state[WRITING] = 0;
    if (state[WAITING] !== 0) tellWaiting();
}

// Whether a fixed part of at most 64 bytes may be written at `at`.
const fits = (at) => at <= limit();

function drop(kind) {
    bound.i32[DROPPED + kind] = bound.i32[DROPPED + kind] + 1 | 0;
}

// The same when `at` is negative, without a branch: code that V8 has compiled before the first drop is thrown away when it takes a way that it
// never took, and with it all that it was compiled into.
function dropUnless(at, kind) {
    bound.i32[DROPPED + kind] = bound.i32[DROPPED + kind] + (at >>> 31) | 0;
}

// Writes text as UTF-8 at `at`; bytes written, or -1 for want of room. Short ASCII is cheaper copied here than handed to native code.
function putText(at, text) {
    const length = text.length;
    if (length <= 48) {
        if (at + length > limit()) return -1;
        const bytes = bound.u8;
        let i = 0;
        for (; i < length; i++) {
            const unit = StringPrototypeCharCodeAt(text, i);
            if (unit > 127) break;
            bytes[at + i] = unit;
        }
        if (i === length) return length;
    }
    return ops.writeRing(text, at, limit());
}

const pad8 = (n) => n + 7 & ~7;

// An inline string: length, zero, bytes, filler. The next position, or -1.
function putInline(at, text) {
    if (at + 8 > limit()) return -1;
    const count = putText(at + 8, text);
    if (count < 0) return -1;
    bound.i32[at >> 2] = count;
    bound.i32[(at >> 2) + 1] = 0;
    return at + 8 + pad8(count);
}

// ---- Interned strings ----

const STRING_IDS = 16383, STRING_UNITS = 128;
let stringIds = new SafeMap();
let lastString = 0; // the id given last

// In front of the map, which costs three times as much: names and keys are mostly literals, of which V8 keeps one copy each, so that
// `===` compares two pointers.
const CACHE_SLOTS = 256;
const cacheTexts = [], cacheIds = [];
for (let i = 0; i < CACHE_SLOTS; i++) {
    cacheTexts[i] = '';
    cacheIds[i] = -1;
}

// The id of a string that will come again (names, keys), or 0: write it inline. May write a record, so never between open and commit.
function intern(text) {
    const length = text.length;
    if (length === 0) return -1;
    const slot = StringPrototypeCharCodeAt(text, length - 1) * 31 + StringPrototypeCharCodeAt(text, length >> 1) * 7 + length
        & CACHE_SLOTS - 1;
    return cacheTexts[slot] === text ? cacheIds[slot] : internInSlot(text, slot);
}

function internInSlot(text, slot) {
    const id = stringIds.get(text) ?? internNew(text);
    if (id > 0) {
        cacheTexts[slot] = text;
        cacheIds[slot] = id;
    }
    return id;
}

function internNew(text) {
    const id = lastString + 1;
    if (id > STRING_IDS || text.length > STRING_UNITS || !bound.enabled) return 0;
    const at = open(16 + 3 * STRING_UNITS + 128);
    if (at < 0) {
        drop(KIND_STRING);
        return 0;
    }
    const { state } = bound;
    try {
        const count = putText(at + 16, text);
        if (count >= 0) {
            bound.i32[(at >> 2) + 2] = id;
            bound.i32[(at >> 2) + 3] = count;
            // Before it is published: who is terminated between here and the map's entry writes on (a child's last words), and must not give it again.
            lastString = id;
            commit(at + 16 + pad8(count), KIND_STRING);
            stringIds.set(text, id);
            return id;
        }
    } catch {
        // The stack's end.
    }
    state[WRITING] = 0;
    return 0;
}

// A key or name as it is kept until it is written: its id, or the text when it has none (-1 is the empty string).
function reference(text) {
    const id = intern(text);
    return id === 0 ? text : id;
}

// ---- Paths ----
//
// Spans of one name set the same keys in the same order, mostly. So a span knows where it is on a path of keys that begins at its name. When
// the next key is the one that followed here the last time, its id is known without a look-up; and because a path has no key twice, it
// need not be searched for among those already set. A text that stays the same is interned as well, and then costs an id.

class Step {
    constructor(ref, text, depth) {
        this.ref = ref; // of the name or key
        this.text = text;
        this.depth = depth; // attributes a span has that is here
        this.next = null; // the step that followed last
        this.forks = 0; // how often it was another one
        this.value = ''; // the text seen last (always a string, which makes comparing cheap)
        this.valueTag = 0; // its tag, when it has an id
        this.isLearnt = false; // whether an id was looked for
        this.changes = 0; // how often it was another one
        this.event = ''; // the name of the event that came here last
        this.eventRef = -1; // and its reference
        this.child = null; // the first step of the span that began here last
    }
}
cutOff(Step);

// Bounds of what is learnt: keys on a path, other orders at one step, other texts at one key, units of a text, ids left to names and keys.
const PATH_KEYS = 32, FORKS = 16, CHANGES = 8, VALUE_UNITS = 64, VALUE_IDS = STRING_IDS >> 1;

// No path: keys are looked up, and searched for.
const LOST = new Step(0, '', PATH_KEYS);

const cacheSteps = [];
for (let i = 0; i < CACHE_SLOTS; i++) cacheSteps[i] = LOST;

// Where the path of a span's name begins. Its `ref` is the name's; a name without an id has a step of its own.
function firstStep(name) {
    const length = name.length;
    if (length === 0) return EMPTY;
    const slot = StringPrototypeCharCodeAt(name, length - 1) * 31 + StringPrototypeCharCodeAt(name, length >> 1) * 7 + length
        & CACHE_SLOTS - 1;
    const step = cacheSteps[slot];
    return step.text === name ? step : firstStepInSlot(name, slot);
}

function firstStepInSlot(name, slot) {
    const ref = reference(name);
    const step = new Step(ref, name, typeof ref === 'number' ? 0 : PATH_KEYS);
    if (typeof ref === 'number') cacheSteps[slot] = step;
    return step;
}

const EMPTY = new Step(-1, '', PATH_KEYS);

// The step from `step` to a key that is not on its path so far, or LOST.
function stepTo(step, ref, key) {
    if (step.depth >= PATH_KEYS || step.forks >= FORKS || typeof ref !== 'number') return LOST;
    if (step.next !== null) step.forks++;
    return step.next = new Step(ref, key, step.depth + 1);
}

// The tag of the text that came at a step, when it came before; 0: it is kept as a text. Learns it.
function tagOf(step, text) {
    if (text !== step.value) {
        if (step.changes < CHANGES && text.length <= VALUE_UNITS) {
            step.changes++;
            step.value = text;
            step.valueTag = 0;
            step.isLearnt = false;
        }
        return 0;
    }
    if (!step.isLearnt) {
        step.isLearnt = true;
        const id = text.length === 0 || stringIds.size >= VALUE_IDS ? 0 : stringIds.get(text) ?? internNew(text);
        if (id !== 0) {
            textsOfIds[id] = text;
            step.valueTag = id << 4 | 2;
        }
    }
    return step.valueTag;
}

// The texts of ids that stand in tags.
const textsOfIds = [];

// ---- Attributes (section 3) ----

// A copy of a value that later changes of the user's object do not reach; undefined when it is no attribute value, or when reading it throws
// (a getter, a revoked proxy): telemetry must not throw into the program.
function keep(value) {
    switch (typeof value) {
        case 'string':
            return bound.attributeLengthLimit >= 0 && value.length > bound.attributeLengthLimit ? cut(value) : value;
        case 'number': case 'boolean': return value;
        case 'bigint': return Number(value);
        case 'object': return value === null ? undefined : keepWhole(value);
        default: return undefined;
    }
}

// Without secrets first: nobody would know the beginning of one.
function cut(text) { return StringPrototypeSlice(bound.masks ? ops.masked(text) : text, 0, bound.attributeLengthLimit); }

// An object value, kept: its kind and its parts.
class Kept {
    constructor(kind, parts) {
        this.kind = kind;
        this.parts = parts;
    }
}
cutOff(Kept);
const BYTES = 7, ARRAY = 8, MAP = 9;

// Elements and members one value may have in all, at every depth; further ones are left out.
const ELEMENTS_MAX = 1024;
let elementsLeft = 0;

function keepWhole(value) {
    elementsLeft = ELEMENTS_MAX;
    try {
        return keepObject(value, 0);
    } catch {
        return undefined;
    }
}

function keepObject(value, depth) {
    if (depth >= 7) return undefined;
    if (ArrayIsArray(value)) {
        const parts = [];
        for (let i = 0; i < value.length && elementsLeft > 0; i++) {
            elementsLeft--;
            const element = value[i];
            parts[i] = element == null ? null
                : typeof element === 'object' ? keepObject(element, depth + 1) ?? null : keep(element) ?? null;
        }
        return new Kept(ARRAY, parts);
    }
    if (ArrayBufferIsView(value)) {
        return new Kept(BYTES, TypedArrayPrototypeSlice(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)));
    }
    let parts = [0];
    const keys = ObjectKeys(value);
    for (let i = 0; i < keys.length && elementsLeft > 0; i++) {
        elementsLeft--;
        const member = value[keys[i]];
        const kept = member === null ? null : typeof member === 'object' ? keepObject(member, depth + 1) : keep(member);
        if (kept !== undefined) parts = append(parts, reference(keys[i]), kept);
    }
    return new Kept(MAP, parts);
}

// A list of attributes: [how many, key, value, key, value, …]; what lies behind the last one is filler. A key is a reference. One with the bit
// TAGGED says that its value is a tag, whole; so the most frequent attributes are two small integers, which are told apart from all else by a bit.
// Shared by all spans, so a program can reach it, and write to it: all but spans begins with a list of its own. (Frozen it would be of another kind of elements, which costs each span.)
const NO_ATTRIBUTES = [0];
const TAGGED = 65536;

// The reference in a key of a list.
const keyRef = (key) => typeof key === 'number' && key > 0 ? key & TAGGED - 1 : key;

// A kept value of a list, given its key.
const valueAt = (key, value) => typeof key === 'number' && key > TAGGED ? textsOfIds[value >> 4] : value;

// `list` with one more; the first makes a list. That one has room for six, since growing an array twice costs more than writing four
// attributes; a literal of constants alone would be copied at its first write.
const append = (list, key, value) => appendNth(list, list[0] + 1, key, value);

// The same for who knows that it is the n-th.
function appendNth(list, n, key, value) {
    if (n === 1) return [1, key, value, null, null, null, null, null, null, null, null, null, null];
    list[2 * n - 1] = key;
    list[2 * n] = value;
    list[0] = n;
    return list;
}

function keepMember(attributes, key) {
    try {
        return keep(attributes[key]);
    } catch {
        return undefined;
    }
}

// How many attributes the last `keepAll` left out.
let leftOut = 0;

// The enumerable properties of `attributes` as a list, at most `limit`. Of a proxy that will not say what it has, those it told.
function keepAll(attributes, limit, list = NO_ATTRIBUTES) {
    let over = 0;
    try {
        for (const key in attributes) {
            const value = keepMember(attributes, key);
            if (value === undefined) continue;
            if (list[0] >= limit) over++;
            else list = append(list, reference(key), value);
        }
    } catch {
        // What a proxy throws must not reach the program by way of its telemetry.
    }
    leftOut = over; // set last: reading may have come back here
    return list;
}

// Writes attributes; the next position or -1.
function putAttributes(at, list) {
    const words = bound.i32, last = limit();
    const end = 2 * list[0];
    for (let i = 1; i < end; i += 2) {
        const key = list[i], value = list[i + 1];
        let payload = at + 8;
        const word = at >> 2;
        if (payload > last) return -1;
        if (typeof key === 'number') {
            if (key > TAGGED) {
                words[word] = key - TAGGED;
                words[word + 1] = value;
                at = payload;
                continue;
            }
            words[word] = key;
        } else {
            words[word] = 0;
            payload = putInline(payload, key);
            if (payload < 0) return -1;
        }
        if (typeof value === 'string') {
            const count = putText(payload, value);
            if (count < 0) return -1;
            words[word + 1] = count << 4 | 1;
            at = payload + pad8(count);
        } else if (typeof value === 'number') {
            if ((value | 0) === value && value < 134217728 && value >= -134217728) {
                words[word + 1] = value << 4 | 4;
                at = payload;
            } else {
                words[word + 1] = NumberIsInteger(value) && value < 9223372036854775000 && value > -9223372036854775000 ? 5 : 6;
                if (payload + 8 > last) return -1;
                bound.f64[payload >> 3] = value;
                at = payload + 8;
            }
        } else {
            at = putOther(word + 1, payload, value);
            if (at < 0) return -1;
        }
    }
    return at;
}

// Writes a value whose tag is at word `tag` and whose payload begins at `at`; the next position or -1.
function putValue(tag, at, value) {
    if (typeof value === 'string') {
        const count = putText(at, value);
        if (count < 0) return -1;
        bound.i32[tag] = count << 4 | 1;
        return at + pad8(count);
    }
    if (typeof value === 'number') {
        bound.i32[tag] = NumberIsInteger(value) && value < 9223372036854775000 && value > -9223372036854775000 ? 5 : 6;
        if (at + 8 > limit()) return -1;
        bound.f64[at >> 3] = value;
        return at + 8;
    }
    return putOther(tag, at, value);
}

function putOther(tag, at, value) {
    if (typeof value === 'boolean') {
        bound.i32[tag] = (value ? 16 : 0) | 3;
        return at;
    }
    if (value === null) {
        bound.i32[tag] = 0;
        return at;
    }
    const parts = value.parts;
    if (value.kind === BYTES) {
        const count = parts.length >>> 0;
        if (count > limit() - at) return -1;
        bound.i32[tag] = count << 4 | BYTES;
        for (let i = 0; i < count; i++) bound.u8[at + i] = parts[i];
        return at + pad8(count);
    }
    if (value.kind === MAP) {
        bound.i32[tag] = parts[0] << 4 | MAP;
        return putAttributes(at, parts);
    }
    const count = parts.length >>> 0;
    bound.i32[tag] = count << 4 | ARRAY;
    for (let i = 0; i < count && at >= 0; i++) {
        if (at + 8 > limit()) return -1;
        bound.i32[(at >> 2) + 1] = 0;
        at = putValue(at >> 2, at + 8, parts[i]);
    }
    return at;
}

// `buffer` is an ArrayBuffer over the whole mapping, `arch` as in process.arch, `recording` false when spans are not wanted.
function start(buffer, arch, recording, lengthLimit) {
    bound.AtomicsStore = internal.late.AtomicsStore;
    bound.i32 = new Int32Array(buffer);
    bound.u8 = new Uint8Array(buffer);
    bound.f64 = new Float64Array(buffer);
    bound.state = new Int32Array(STATE_WORDS);
    bound.capacity = bound.i32[2];
    bound.mask = bound.capacity - 1;
    bound.storesAreOrdered = arch === 'x64';
    bound.enabled = recording;
    bound.attributeLengthLimit = lengthLimit;
    bound.masks = lengthLimit >= 0 && ops.masked('') !== undefined;
    bound.writeAside = internal.trace.writeAside; // 20_trace_run.js
}

internal.ring = {
    start, bound, open, openLeavingRoom, openWithin, commit, abandon, WRITING, WAITING, drop, dropUnless, fits, limit, headAfter, putInline, putAttributes, keep, keepAll,
    leftOut: () => leftOut, NO_ATTRIBUTES, append, appendNth, reference, firstStep, stepTo, tagOf, TAGGED, keyRef, valueAt, LOST,
    KIND_SPAN: 1, KIND_START: 3, KIND_LOG: 4, KIND_ERROR: 5, KIND_POINT: 6, KIND_SCOPE: 7, KIND_INSTRUMENT: 8, KIND_FINDING: 9,
};
