'use strict';
// Goes on where script_wire.js ends: the four files are one function (script_wire.js).

// ---- Attributes ----

/** Of an entry of a list. */
const AS_IS = 0, GONE = 1, SET = 2;

const COLUMNS = freeze(['start', 'body', 'end', 'keyAt', 'keyEnd', 'valueAt', 'valueEnd', 'state']);

/** Attributes of one message of the current item: where each is, and what the script has made of it. */
class List {
    /** @param table where the host writes the attributes of an item; none for a list that grows. */
    constructor(table) {
        this.isFixed = table !== undefined;
        this.capacity = 0;
        if (this.isFixed) {
            this.capacity = FIELDS_MAX;
            for (let index = 0; index < COLUMNS.length; index++) this[COLUMNS[index]] = new Int32Array(tables, table + index * FIELDS_MAX * 4, FIELDS_MAX);
        } else {
            this.grow();
        }
        this.keys = [];
        this.values = [];
        setNoPrototype(this.keys);
        setNoPrototype(this.values);
        this.clear();
    }

    clear() {
        /** Entries of the message; those that were added follow, up to `count`. */
        this.given = 0;
        this.count = 0;
        this.isRead = false;
        this.isChanged = false;
    }

    grow() {
        if (this.isFixed) throw new TypeError('there are too many attributes');
        const before = this.capacity;
        this.capacity = before === 0 ? 32 : before * 2;
        for (let index = 0; index < COLUMNS.length; index++) {
            const larger = new Int32Array(this.capacity);
            if (before > 0) setArray32(larger, this[COLUMNS[index]]);
            this[COLUMNS[index]] = larger;
        }
    }

    /** An attribute of the message: its tag begins at `start`. */
    push(start, body, end) {
        const index = this.count;
        if (index === this.capacity) this.grow();
        this.start[index] = start;
        this.body[index] = body;
        this.end[index] = end;
        this.state[index] = AS_IS;
        this.given = this.count = index + 1;
    }

    read() {
        this.isRead = true;
        for (let index = 0; index < this.given; index++) {
            readKeyValue(this.body[index], this.end[index]);
            this.keyAt[index] = keyAt;
            this.keyEnd[index] = keyEnd;
            this.valueAt[index] = valueAt;
            this.valueEnd[index] = valueEnd;
        }
    }

    key(index) { return index < this.given ? text(this.keyAt[index], this.keyEnd[index]) : this.keys[index]; }

    value(index) {
        return this.state[index] === SET ? shown(this.values[index]) : readAny(this.valueAt[index], this.valueEnd[index]);
    }

    /** The next entry with this key, from `from` on; -1: none. */
    find(key, from) {
        if (!this.isRead) this.read();
        const length = key.length;
        const { keyAt, keyEnd, state } = this;
        let index = from;
        for (; index < this.given; index++) {
            if (state[index] === GONE) continue;
            const at = keyAt[index];
            if (keyEnd[index] - at !== length) continue;
            let unit = length - 1;
            for (; unit >= 0; unit--) {
                const byte = u8[at + unit];
                if (byte > 127 || charCodeAt(key, unit) !== byte) break;
            }
            if (unit < 0) return index;
        }
        if (!isAscii(key)) {
            for (index = from; index < this.given; index++) {
                if (state[index] !== GONE && text(keyAt[index], this.keyEnd[index]) === key) return index;
            }
        }
        for (index = from > this.given ? from : this.given; index < this.count; index++) {
            if (state[index] !== GONE && this.keys[index] === key) return index;
        }
        return -1;
    }

    get(key) {
        const index = this.find(key, 0);
        return index < 0 ? undefined : this.value(index);
    }

    /** Keys are unique afterwards, whatever came. */
    set(key, value) {
        if (key === '') throw new TypeError('an attribute needs a key');
        if (value === undefined) return this.delete(key);
        value = checked(value);
        let index = this.find(key, 0);
        if (index < 0) {
            index = this.count;
            if (index === this.capacity) this.grow();
            this.count = index + 1;
            this.keys[index] = key;
        } else {
            this.remove(key, index + 1);
        }
        this.state[index] = SET;
        this.values[index] = value;
        this.isChanged = true;
        isChanged = true;
    }

    delete(key) { this.remove(key, 0); }

    remove(key, from) {
        for (let index = this.find(key, from); index >= 0; index = this.find(key, index + 1)) {
            this.state[index] = GONE;
            this.isChanged = true;
            isChanged = true;
        }
    }

    deleteAll() {
        if (!this.isRead) this.read();
        for (let index = 0; index < this.count; index++) this.state[index] = GONE;
        this.isChanged = true;
        isChanged = true;
    }

    /** Keys and values by turns, in an array without a prototype. */
    entries() {
        if (!this.isRead) this.read();
        const entries = [];
        setNoPrototype(entries);
        const seen = this.count > FEW ? { __proto__: null } : null;
        for (let index = 0; index < this.count; index++) {
            if (this.state[index] === GONE) continue;
            const key = this.key(index);
            if (isIn(entries, seen, key)) continue;
            const at = entries.length;
            entries[at] = key;
            entries[at + 1] = this.value(index);
        }
        return entries;
    }

    /** Writes the entry in its changed form, if it is to stay. */
    write(index, tag) {
        if (this.state[index] === SET) writeKeyValue(tag, this.key(index), this.values[index]);
    }

    writeAdded(tag) {
        for (let index = this.given; index < this.count; index++) this.write(index, tag);
    }

    /** Copies a message with what has become of these attributes in it. */
    writeMessage(tag, at, end, attributesTag) {
        const start = open(tag, Infinity);
        copied = at;
        for (let index = 0; index < this.given; index++) {
            if (this.state[index] === AS_IS) continue;
            copyTo(this.start[index]);
            copied = this.end[index];
            this.write(index, attributesTag);
        }
        copyTo(end);
        this.writeAdded(attributesTag);
        close(start, Infinity);
    }
}

function isAscii(string) {
    for (let index = 0; index < string.length; index++) if (charCodeAt(string, index) > 127) return false;
    return true;
}

/** Up to so many keys are compared one by one. */
const FEW = 16;

/** Whether a key is among keys and values by turns; `seen` has all keys so far where there are many. */
function isIn(entries, seen, key) {
    if (seen !== null) {
        if (key in seen) return true;
        seen[key] = true;
        return false;
    }
    for (let index = 0; index < entries.length; index += 2) if (entries[index] === key) return true;
    return false;
}

/** What a script has as `attributes`: the properties are the attributes. */
class Attributes {
    constructor(list) {
        this.list = list;
        this.serial = serial;
    }
}

function listOf(target) {
    if (target.serial !== serial) passed();
    return target.list;
}

function passed() { throw new Error('this item has been left behind: an item can be used until the function that got it returns'); }

/** Goes through what was there when it was made. */
class Pairs {
    #entries;
    #at = 0;
    constructor(entries) { this.#entries = entries; }
    next() {
        const at = this.#at, entries = this.#entries;
        if (at >= entries.length) return { value: undefined, done: true };
        this.#at = at + 2;
        return { value: [entries[at], entries[at + 1]], done: false };
    }
    [SymbolIterator]() { return this; }
}
freeze(Pairs.prototype);

const attributesHandler = {
    __proto__: null,
    get(target, key) {
        const list = listOf(target);
        if (typeof key === 'string') return list.get(key);
        if (key !== SymbolIterator) return undefined;
        return () => new Pairs(listOf(target).entries());
    },
    set(target, key, value) {
        if (typeof key !== 'string') throw new TypeError('an attribute has a string for a key');
        listOf(target).set(key, value);
        return true;
    },
    has(target, key) { return typeof key === 'string' && listOf(target).find(key, 0) >= 0; },
    deleteProperty(target, key) {
        if (typeof key === 'string') listOf(target).delete(key);
        return true;
    },
    ownKeys(target) {
        const entries = listOf(target).entries();
        const keys = [];
        for (let index = 0; index < entries.length; index += 2) append(keys, entries[index]);
        return keys;
    },
    getOwnPropertyDescriptor(target, key) {
        if (typeof key !== 'string') return undefined;
        const list = listOf(target);
        const index = list.find(key, 0);
        if (index < 0) return undefined;
        return { __proto__: null, value: list.value(index), writable: true, enumerable: true, configurable: true };
    },
    defineProperty(target, key, descriptor) {
        if (typeof key !== 'string' || !('value' in descriptor)) throw new TypeError('an attribute is a value');
        listOf(target).set(key, descriptor.value);
        return true;
    },
    getPrototypeOf() { return null; },
    setPrototypeOf() { return false; },
    preventExtensions() { return false; },
};

function attributesProxy(list) {
    return new Proxy(new Attributes(list), attributesHandler);
}

// ---- The current item ----

let serial = 0;
let signal = 0;
let itemAt = 0, itemEnd = 0;
/** Word offsets of its batch's tables. */
let group = 0, scope = 0;
let isScanned = false;
let isChanged = false;
let isDropped = false;

// Where the host writes what it finds in an item (Sources/Runtime/Scripts/ScriptScan.swift): the last field of each number up to 16, the number of attributes, and in columns of
// FIELDS_MAX words the fields and the attributes.
const NUMBERS = 17;
const HEADER_BYTES = 128;
const tableHead = new Int32Array(tables, 0, HEADER_BYTES / 4);
const column = (index) => new Int32Array(tables, HEADER_BYTES + index * FIELDS_MAX * 4, FIELDS_MAX);
const fieldTag = column(0), fieldStart = column(1), fieldBody = column(2), fieldEnd = column(3);
let fieldCount = 0;

/** By number: what a script has set, where `edit` says that it has. */
const AS_IT_WAS = 0, TO_WRITE = 1, WRITTEN = 2;
const edit = new Int32Array(NUMBERS);
const edited = new NewArray(NUMBERS);
setNoPrototype(edited);
let editCount = 0;

const attributes = new List(HEADER_BYTES + 4 * FIELDS_MAX * 4);
/** Of events or points, made when they are asked for. */
let parts = null;

// Lists of parts are used again.
const pool = [];
setNoPrototype(pool);
let pooled = 0;

function newList() {
    if (pooled === pool.length) pool[pooled] = new List();
    const list = pool[pooled++];
    list.clear();
    return list;
}

/** The tag of the attributes in spans and log records; a metric has none itself. */
const ATTRIBUTES = { __proto__: null, [TRACES]: 9 << 3 | 2, [LOGS]: 6 << 3 | 2, [METRICS]: -1 };
let attributesTag = 0;

function begin(at, length) {
    serial++;
    itemAt = at;
    itemEnd = at + length;
    isScanned = isChanged = isDropped = false;
    parts = null;
}

/** Finds the item's fields, once. */
function scan() {
    isScanned = true;
    attributesTag = ATTRIBUTES[signal];
    attributes.clear();
    pooled = 0;
    if (editCount > 0) {
        for (let number = 0; number < NUMBERS; number++) edit[number] = AS_IT_WAS;
        editCount = 0;
    }
    fieldCount = ops.scriptScan(itemAt, itemEnd, attributesTag);
    if (fieldCount < 0) {
        isScanned = false;
        throw fieldCount === -1 ? malformed : tooLarge;
    }
    attributes.given = attributes.count = tableHead[NUMBERS];
    attributes.isRead = true;
}

/** The field with this tag, or -1; one with another wire type counts as unknown. */
function fieldOf(tag) {
    if (!isScanned) scan();
    const index = tableHead[tag >> 3];
    return index >= 0 && fieldTag[index] === tag ? index : -1;
}

function textOf(number) {
    if (!isScanned) scan();
    if (edit[number] !== AS_IT_WAS) return edited[number];
    const index = fieldOf(number << 3 | 2);
    return index < 0 ? '' : text(fieldBody[index], fieldEnd[index]);
}

function hexOf(number) {
    const index = fieldOf(number << 3 | 2);
    return index < 0 ? '' : hex(fieldBody[index], fieldEnd[index]);
}

function timeOf(number) {
    const index = fieldOf(number << 3 | 1);
    return index < 0 ? 0 : readTime(fieldBody[index]);
}

function varintOf(number) {
    if (!isScanned) scan();
    if (edit[number] !== AS_IT_WAS) return edited[number];
    const index = fieldOf(number << 3);
    return index < 0 ? 0 : ToNumber(readInt64(fieldBody[index]));
}

function setField(number, value) {
    if (!isScanned) scan();
    edit[number] = TO_WRITE;
    edited[number] = value;
    editCount++;
    isChanged = true;
}

function setText(number, name, value) {
    if (typeof value !== 'string') throw new TypeError(`${name} is a string`);
    setField(number, value);
}

// ---- Writing it ----

const TEXT = 1, VARINT = 2, ANY = 3, STATUS = 4;
const KINDS = {
    __proto__: null,
    [TRACES]: { __proto__: null, 5: TEXT, 6: VARINT, 15: STATUS },
    [LOGS]: { __proto__: null, 2: VARINT, 3: TEXT, 5: ANY },
    [METRICS]: { __proto__: null, 1: TEXT, 2: TEXT, 3: TEXT },
};

function writeEdit(number) {
    edit[number] = WRITTEN;
    const value = edited[number];
    switch (KINDS[signal][number]) {
        case TEXT:
            if (value !== '') writeText(number << 3 | 2, value);
            return;
        case VARINT:
            if (value === 0) return;
            writeByte(number << 3);
            return writeVarint(value);
        case ANY: {
            const max = anyMax(value);
            const start = open(number << 3 | 2, max);
            writeAny(value);
            return close(start, max);
        }
        case STATUS: {
            const max = textMax(value.message) + 8;
            const start = open(number << 3 | 2, max);
            if (value.message !== '') writeText(0x12, value.message);
            if (value.code !== 0) {
                writeByte(0x18);
                writeVarint(value.code);
            }
            return close(start, max);
        }
    }
}

function write() {
    copied = itemAt;
    let attribute = 0;
    for (let index = 0; index < fieldCount; index++) {
        const tag = fieldTag[index];
        if (tag === attributesTag) {
            const entry = attribute++;
            if (attributes.state[entry] === AS_IS) continue;
            copyTo(fieldStart[index]);
            copied = fieldEnd[index];
            attributes.write(entry, tag);
        } else if (editCount > 0 && tag < NUMBERS << 3 && edit[tag >> 3] !== AS_IT_WAS) {
            copyTo(fieldStart[index]);
            copied = fieldEnd[index];
            if (edit[tag >> 3] === TO_WRITE) writeEdit(tag >> 3);
        } else if (parts !== null && parts.field === tag) {
            parts.write(index);
        }
    }
    copyTo(itemEnd);
    if (attributes.isChanged) attributes.writeAdded(attributesTag);
    if (editCount > 0) {
        for (let number = 0; number < NUMBERS; number++) if (edit[number] === TO_WRITE) writeEdit(number);
    }
}
