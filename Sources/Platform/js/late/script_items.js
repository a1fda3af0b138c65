'use strict';
// Goes on where script_attributes.js ends: the four files are one function (script_wire.js).

// ---- What items share ----

const SPAN_KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];
const STATUS_CODES = ['unset', 'ok', 'error'];
const TEMPORALITIES = ['unspecified', 'delta', 'cumulative'];
for (const names of [SPAN_KINDS, STATUS_CODES, TEMPORALITIES]) freeze(names);

function numberOf(names, what, name) {
    for (let index = 0; index < names.length; index++) if (names[index] === name) return index;
    let list = '';
    for (let index = 0; index < names.length; index++) list += (index > 0 ? ', ' : '') + names[index];
    throw new TypeError(`${what} is one of ${list}`);
}

// Resources and scopes are the same for many items: made once for each in a batch.
let cacheSerial = 0;
const resources = [], scopes = [];
setNoPrototype(resources);
setNoPrototype(scopes);

function deepFreeze(value) {
    if (typeof value !== 'object' || value === null || typedArrayTag(value) !== undefined) return value;
    const keys = ownKeys(value);
    for (let index = 0; index < keys.length; index++) deepFreeze(value[keys[index]]);
    return freeze(value);
}

function resourceOf(index) {
    const known = resources[index];
    if (known !== undefined && known.serial === cacheSerial) return known.value;
    const at = group;
    const attributes = readMap(i32[at + 1], i32[at + 1] + i32[at + 2], 0x0A, 0);
    const value = deepFreeze({ __proto__: null, attributes });
    resources[index] = { __proto__: null, serial: cacheSerial, value };
    return value;
}

function scopeOf(index) {
    const known = scopes[index];
    if (known !== undefined && known.serial === cacheSerial) return known.value;
    const at = i32[scope], end = at + i32[scope + 1];
    let name = '', version = '';
    pos = at;
    while (pos < end) {
        const tag = readField(end);
        if (tag === 0x0A) name = text(bodyAt, pos);
        else if (tag === 0x12) version = text(bodyAt, pos);
    }
    const value = deepFreeze({ __proto__: null, name, version, attributes: readMap(at, end, 0x1A, 0) });
    scopes[index] = { __proto__: null, serial: cacheSerial, value };
    return value;
}

let groupIndex = 0, scopeIndex = 0;

class Item {
    #serial;
    #attributes;

    constructor() { this.#serial = serial; }

    /** Every use of an item goes through here. */
    static check(item) { if (item.#serial !== serial) passed(); }

    get attributes() {
        check(this);
        if (signal === METRICS) return undefined;
        if (!isScanned) scan();
        return this.#attributes ??= attributesProxy(attributes);
    }
    set attributes(value) {
        check(this);
        if (!isScanned) scan();
        if (typeof value !== 'object' || value === null || signal === METRICS) throw new TypeError('attributes are a plain object');
        const keys = ownKeys(value);
        const values = [];
        setNoPrototype(values);
        for (let index = 0; index < keys.length; index++) values[index] = typeof keys[index] === 'string' ? value[keys[index]] : undefined;
        attributes.deleteAll();
        for (let index = 0; index < keys.length; index++) if (values[index] !== undefined) attributes.set(keys[index], values[index]);
    }

    get(key) { return own(this, key).get(key); }
    set(key, value) { own(this, key).set(key, value); }
    has(key) { return own(this, key).find(key, 0) >= 0; }
    delete(key) { own(this, key).delete(key); }

    drop() {
        check(this);
        isDropped = true;
    }

    get resource() {
        check(this);
        return resourceOf(groupIndex);
    }

    get scope() {
        check(this);
        return scopeOf(scopeIndex);
    }
}

/** The attributes of the current item, for its own methods. */
function own(item, key) {
    check(item);
    if (typeof key !== 'string') throw new TypeError('an attribute has a string for a key');
    if (signal === METRICS) throw new TypeError('a metric has no attributes of its own: its points have');
    if (!isScanned) scan();
    return attributes;
}

const { check } = Item;
delete Item.check;

// ---- Parts: events and points ----

/** An event of a span, or a point of a metric: a message with attributes that can be changed. */
class Part {
    #serial = serial;
    #list;
    #attributes;
    #at;
    #end;

    constructor(list, at, end) {
        this.#list = list;
        this.#at = at;
        this.#end = end;
    }

    static range(part) {
        if (part.#serial !== serial) passed();
        pos = part.#at;
        return part.#end;
    }

    get attributes() {
        if (this.#serial !== serial) passed();
        return this.#attributes ??= attributesProxy(this.#list);
    }
}
const { range } = Part;
delete Part.range;

/** The parts of an item: those in one field (the data of a metric), or one a field (the events of a span). */
class Parts {
    /**
     * @param field the tag of the fields of the item that they are in.
     * @param isNested whether such a field holds them, as its fields 1, or is one of them.
     * @param attributesTag of a part's attributes.
     */
    constructor(field, isNested, attributesTag, make) {
        this.field = field;
        this.attributesTag = attributesTag;
        this.isNested = isNested;
        /** Of each: the index of the field it is in, where its tag begins, where it begins and ends, and its attributes. */
        this.owner = [];
        this.start = [];
        this.body = [];
        this.end = [];
        this.lists = [];
        setNoPrototype(this.owner);
        setNoPrototype(this.start);
        setNoPrototype(this.body);
        setNoPrototype(this.end);
        setNoPrototype(this.lists);
        const shown = [];
        for (let index = 0; index < fieldCount; index++) {
            if (fieldTag[index] !== field) continue;
            if (!isNested) {
                this.add(index, fieldStart[index], fieldBody[index], fieldEnd[index]);
                continue;
            }
            const end = fieldEnd[index];
            let at = fieldBody[index];
            while (at < end) {
                pos = at;
                const tag = readField(end);
                const next = pos;
                if (tag === 0x0A) this.add(index, at, bodyAt, next);
                at = next;
            }
        }
        for (let index = 0; index < this.lists.length; index++) append(shown, make(this.lists[index], this.body[index], this.end[index]));
        /** What the script gets. */
        this.shown = freeze(shown);
    }

    add(owner, start, body, end) {
        const index = this.lists.length;
        this.owner[index] = owner;
        this.start[index] = start;
        this.body[index] = body;
        this.end[index] = end;
        const list = this.lists[index] = newList();
        let at = body;
        while (at < end) {
            pos = at;
            const tag = readField(end);
            if (tag === this.attributesTag) list.push(at, bodyAt, pos);
            at = pos;
        }
    }

    /** Writes those in this field of the item, if one of them was changed. */
    write(field) {
        let first = -1, count = 0;
        for (let index = 0; index < this.lists.length; index++) {
            if (this.owner[index] !== field) continue;
            if (first < 0) first = index;
            if (this.lists[index].isChanged) count++;
        }
        if (count === 0) return;
        copyTo(fieldStart[field]);
        if (!this.isNested) {
            this.lists[first].writeMessage(this.field, this.body[first], this.end[first], this.attributesTag);
        } else {
            const start = open(this.field, Infinity);
            copied = fieldBody[field];
            for (let index = first; index < this.lists.length && this.owner[index] === field; index++) {
                if (!this.lists[index].isChanged) continue;
                copyTo(this.start[index]);
                this.lists[index].writeMessage(0x0A, this.body[index], this.end[index], this.attributesTag);
                copied = this.end[index];
            }
            copyTo(fieldEnd[field]);
            close(start, Infinity);
        }
        copied = fieldEnd[field];
    }
}

/** Where the last field with this tag in a part is; -1: nowhere. `pos` is behind it. */
function find(part, wanted) {
    const end = range(part);
    let found = -1, next = -1;
    while (pos < end) {
        if (readField(end) !== wanted) continue;
        found = bodyAt;
        next = pos;
    }
    pos = next;
    return found;
}

function partText(part, tag) {
    const at = find(part, tag);
    return at < 0 ? '' : text(at, pos);
}

function partTime(part, tag) {
    const at = find(part, tag);
    return at < 0 ? 0 : readTime(at);
}

// ---- Spans ----

class Status {
    #serial = serial;
    static check(status) { if (status.#serial !== serial) passed(); }

    get code() {
        checkStatus(this);
        return STATUS_CODES[statusOf().code] ?? 'unset';
    }
    set code(name) {
        checkStatus(this);
        setField(15, { __proto__: null, code: numberOf(STATUS_CODES, 'the code of a status', name), message: statusOf().message });
    }
    get message() {
        checkStatus(this);
        return statusOf().message;
    }
    set message(message) {
        checkStatus(this);
        if (typeof message !== 'string') throw new TypeError('the message of a status is a string');
        setField(15, { __proto__: null, code: statusOf().code, message });
    }
    toJSON() { return { code: this.code, message: this.message }; }
}
const { check: checkStatus } = Status;
delete Status.check;

function statusOf() {
    if (!isScanned) scan();
    if (edit[15] !== AS_IT_WAS) return edited[15];
    let code = 0, message = '';
    const index = fieldOf(15 << 3 | 2);
    if (index >= 0) {
        const end = fieldEnd[index];
        pos = fieldBody[index];
        while (pos < end) {
            const tag = readField(end);
            if (tag === 0x12) message = text(bodyAt, pos);
            else if (tag === 0x18) code = ToNumber(readInt64(bodyAt));
        }
    }
    return { __proto__: null, code, message };
}

class Event extends Part {
    // Written out: the constructor that V8 makes of none goes through Array.prototype's iterator.
    constructor(list, at, end) { super(list, at, end); }
    get name() { return partText(this, 0x12); }
    get time() { return partTime(this, 0x09); }
    toJSON() { return { name: this.name, time: this.time, attributes: plain(this.attributes) }; }
}

function readLinks() {
    const links = [];
    for (let index = 0; index < fieldCount; index++) {
        if (fieldTag[index] !== (13 << 3 | 2)) continue;
        const at = fieldBody[index], end = fieldEnd[index];
        let traceId = '', spanId = '';
        pos = at;
        while (pos < end) {
            const tag = readField(end);
            if (tag === 0x0A) traceId = hex(bodyAt, pos);
            else if (tag === 0x12) spanId = hex(bodyAt, pos);
        }
        append(links, deepFreeze({ __proto__: null, traceId, spanId, attributes: readMap(at, end, 0x22, 0) }));
    }
    return freeze(links);
}

/** Attributes as a plain object, for JSON. */
function plain(proxy) {
    const keys = ownKeys(proxy);
    const object = {};
    for (let index = 0; index < keys.length; index++) {
        defineProperty(object, keys[index], { __proto__: null, value: proxy[keys[index]], writable: true, enumerable: true, configurable: true });
    }
    return object;
}

class Span extends Item {
    #status;
    constructor() { super(); }

    get name() { check(this); return textOf(5); }
    set name(value) { check(this); setText(5, 'the name of a span', value); }
    get kind() { check(this); return SPAN_KINDS[varintOf(6)] ?? 'unspecified'; }
    set kind(value) { check(this); setField(6, numberOf(SPAN_KINDS, 'the kind of a span', value)); }
    get status() { check(this); return this.#status ??= new Status(); }
    set status(value) {
        check(this);
        if (typeof value !== 'object' || value === null) throw new TypeError('a status is {code, message}');
        const { code = 'unset', message = '' } = value;
        if (typeof message !== 'string') throw new TypeError('the message of a status is a string');
        setField(15, { __proto__: null, code: numberOf(STATUS_CODES, 'the code of a status', code), message });
    }
    get traceId() { check(this); return hexOf(1); }
    get spanId() { check(this); return hexOf(2); }
    get parentSpanId() { check(this); return hexOf(4); }
    get traceState() { check(this); return textOf(3); }
    get startTime() { check(this); return timeOf(7); }
    get endTime() { check(this); return timeOf(8); }
    get duration() {
        check(this);
        const start = fieldOf(7 << 3 | 1), end = fieldOf(8 << 3 | 1);
        if (start < 0 || end < 0) return 0;
        const first = fieldBody[start], second = fieldBody[end];
        const high = getUint32(view, second + 4, true) - getUint32(view, first + 4, true);
        return (high * 4294967296 + (getUint32(view, second, true) - getUint32(view, first, true))) / 1e6;
    }
    get events() {
        check(this);
        if (!isScanned) scan();
        parts ??= new Parts(11 << 3 | 2, false, 0x1A, (list, at, end) => new Event(list, at, end));
        return parts.shown;
    }
    get links() {
        check(this);
        if (!isScanned) scan();
        return readLinks();
    }
    toJSON() {
        return {
            name: this.name, kind: this.kind, status: this.status, traceId: this.traceId, spanId: this.spanId, parentSpanId: this.parentSpanId,
            startTime: this.startTime, endTime: this.endTime, attributes: plain(this.attributes), events: this.events, links: this.links,
            resource: this.resource, scope: this.scope,
        };
    }
}

// ---- Log records ----

class Log extends Item {
    constructor() { super(); }
    get body() {
        check(this);
        if (!isScanned) scan();
        if (edit[5] !== AS_IT_WAS) return shown(edited[5]);
        const index = fieldOf(5 << 3 | 2);
        return index < 0 ? null : readAny(fieldBody[index], fieldEnd[index]);
    }
    set body(value) { check(this); setField(5, value === undefined ? null : checked(value)); }
    get severityNumber() { check(this); return varintOf(2); }
    set severityNumber(value) {
        check(this);
        if (!isSafeInteger(value) || value < 0 || value > 24) throw new TypeError('a severity number is a whole number from 0 to 24');
        setField(2, value);
    }
    get severityText() { check(this); return textOf(3); }
    set severityText(value) { check(this); setText(3, 'the text of a severity', value); }
    get time() { check(this); return timeOf(1); }
    get observedTime() { check(this); return timeOf(11); }
    get traceId() { check(this); return hexOf(9); }
    get spanId() { check(this); return hexOf(10); }
    get eventName() { check(this); return textOf(12); }
    toJSON() {
        return {
            time: this.time, severityNumber: this.severityNumber, severityText: this.severityText, body: this.body, traceId: this.traceId,
            spanId: this.spanId, eventName: this.eventName, attributes: plain(this.attributes), resource: this.resource, scope: this.scope,
        };
    }
}

// ---- Metrics ----

const TYPES = { __proto__: null, 5: 'gauge', 7: 'sum', 9: 'histogram', 10: 'exponentialHistogram', 11: 'summary' };
const POINT_ATTRIBUTES = { __proto__: null, 5: 0x3A, 7: 0x3A, 9: 0x4A, 10: 0x0A, 11: 0x3A };

/** The number of the metric's data; 0: it has none. */
function dataNumber() {
    if (!isScanned) scan();
    for (let number = 11; number >= 5; number--) {
        if (number in TYPES && fieldOf(number << 3 | 2) >= 0) return number;
    }
    return 0;
}

/** A varint of the data; 0 where it is not. */
function dataVarint(tag) {
    const number = dataNumber();
    if (number === 0) return 0;
    const index = fieldOf(number << 3 | 2);
    const end = fieldEnd[index];
    let value = 0;
    pos = fieldBody[index];
    while (pos < end) if (readField(end) === tag) value = u8[bodyAt];
    return value;
}

class Point extends Part {
    constructor(list, at, end) { super(list, at, end); }
    get time() { return partTime(this, 0x19); }
    get startTime() { return partTime(this, 0x11); }
    toJSON() {
        const object = { time: this.time, startTime: this.startTime, attributes: plain(this.attributes) };
        const names = ['value', 'count', 'sum', 'min', 'max'];
        for (let index = 0; index < names.length; index++) {
            const value = this[names[index]];
            if (value !== undefined) object[names[index]] = value;
        }
        return object;
    }
}

class NumberPoint extends Point {
    constructor(list, at, end) { super(list, at, end); }
    get value() {
        const double = find(this, 0x21);
        if (double >= 0) return getFloat64(view, double, true);
        const int = find(this, 0x31);
        if (int < 0) return undefined;
        const value = getBigInt64(view, int, true);
        const number = ToNumber(value);
        return isSafeInteger(number) ? number : value;
    }
}

function partDouble(part, tag) {
    const at = find(part, tag);
    return at < 0 ? undefined : getFloat64(view, at, true);
}

/** Of a histogram or a summary; where count, sum, least and most are told by the tags. */
class DistributionPoint extends Point {
    #tags;
    constructor(list, at, end, tags) {
        super(list, at, end);
        this.#tags = tags;
    }
    get count() {
        const at = find(this, this.#tags.count);
        return at < 0 ? 0 : readFixed(at);
    }
    get sum() { return partDouble(this, this.#tags.sum); }
    get min() { return this.#tags.min === 0 ? undefined : partDouble(this, this.#tags.min); }
    get max() { return this.#tags.max === 0 ? undefined : partDouble(this, this.#tags.max); }
}

const DISTRIBUTIONS = {
    __proto__: null,
    9: { __proto__: null, count: 0x21, sum: 0x29, min: 0x59, max: 0x61 },
    10: { __proto__: null, count: 0x21, sum: 0x29, min: 0x61, max: 0x69 },
    11: { __proto__: null, count: 0x21, sum: 0x29, min: 0, max: 0 },
};

class Metric extends Item {
    constructor() { super(); }
    get name() { check(this); return textOf(1); }
    set name(value) {
        check(this);
        if (value === '') throw new TypeError('a metric needs a name');
        setText(1, 'the name of a metric', value);
    }
    get description() { check(this); return textOf(2); }
    set description(value) { check(this); setText(2, 'the description of a metric', value); }
    get unit() { check(this); return textOf(3); }
    set unit(value) { check(this); setText(3, 'the unit of a metric', value); }
    get type() { check(this); return TYPES[dataNumber()]; }
    get temporality() { check(this); return TEMPORALITIES[dataVarint(0x10)]; }
    get isMonotonic() { check(this); return dataNumber() === 7 && dataVarint(0x18) !== 0; }
    get points() {
        check(this);
        const number = dataNumber();
        if (number === 0) return freeze([]);
        const tags = DISTRIBUTIONS[number];
        parts ??= new Parts(number << 3 | 2, true, POINT_ATTRIBUTES[number],
            (list, at, end) => tags === undefined ? new NumberPoint(list, at, end) : new DistributionPoint(list, at, end, tags));
        return parts.shown;
    }
    toJSON() {
        return {
            name: this.name, description: this.description, unit: this.unit, type: this.type, points: this.points, resource: this.resource,
            scope: this.scope,
        };
    }
}

for (const Class of [Item, Part, Status, Event, Span, Log, Metric, Point, NumberPoint, DistributionPoint]) {
    // So that a script cannot make items: they have no state but the current one's.
    delete Class.prototype.constructor;
    freeze(Class.prototype);
}
