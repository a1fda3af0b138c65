'use strict';
// @ts-check
// High Resolution Time (https://w3c.github.io/hr-time/) and User Timing (https://w3c.github.io/user-timing/). The monotonic clock is the ring's: what
// performance.now() says can be laid beside span times.

const { ArrayPrototypePush, ArrayPrototypeSort, Number, NumberIsFinite, ReflectConstruct, TypeError } = primordials;
const { DOMException, customInspect } = internal;
const { defineGlobal, defineInterface, requireArguments, toDOMString, toDictionary } = internal.webidl;

let timeOrigin = 0; // Unix time in ms of what now() counts from

const secret = {}; // who has it may construct

class PerformanceEntry {
    #name;
    #type;
    #start;
    #duration;
    #detail;
    constructor(key, name, type, start, duration, detail) {
        if (key !== secret) throw new TypeError('Illegal constructor');
        this.#name = name;
        this.#type = type;
        this.#start = start;
        this.#duration = duration;
        this.#detail = detail;
    }
    get name() { return this.#name; }
    get entryType() { return this.#type; }
    get startTime() { return this.#start; }
    get duration() { return this.#duration; }
    toJSON() {
        const json = { name: this.#name, entryType: this.#type, startTime: this.#start, duration: this.#duration };
        if (this.#detail !== undefined) json.detail = this.#detail;
        return json;
    }
    [customInspect](depth, options, inspect) {
        const fields = { name: this.#name, entryType: this.#type, startTime: this.#start, duration: this.#duration };
        if (this.#detail !== undefined) fields.detail = this.#detail;
        return `${this.constructor.name} ${inspect(fields, options)}`;
    }
    static detailOf(entry) { return entry.#detail; }
}
const { detailOf } = PerformanceEntry;
delete PerformanceEntry.detailOf;
defineInterface(PerformanceEntry);

function cloneDetail(options) {
    const detail = options === undefined ? undefined : options.detail;
    return detail === undefined || detail === null ? null : internal.structuredClone(detail);
}

/** https://w3c.github.io/user-timing/#the-performancemark-constructor */
class PerformanceMark extends PerformanceEntry {
    constructor(name, options) {
        requireArguments(arguments.length, 1, 'PerformanceMark');
        options = toDictionary(options, 'The options');
        const start = options === undefined || options.startTime === undefined ? internal.now() : toTime(options.startTime, 'startTime');
        if (start < 0) throw new TypeError('startTime is negative');
        super(secret, toDOMString(name), 'mark', start, 0, cloneDetail(options));
    }
    get detail() { return detailOf(this); }
}
defineInterface(PerformanceMark);

class PerformanceMeasure extends PerformanceEntry {
    // Not left out: V8's own hands the arguments on through Array.prototype[Symbol.iterator].
    constructor(key, name, type, start, duration, detail) { super(key, name, type, start, duration, detail); }
    get detail() { return detailOf(this); }
}
defineInterface(PerformanceMeasure);

function toTime(value, what) {
    const time = Number(value);
    if (!NumberIsFinite(time)) throw new TypeError(`${what} is not a finite number`);
    return time;
}

// The timeline. Its length is the program's own affair: the standard sets no limit on marks and measures.
let entries = [];

function select(name, type) {
    const result = [];
    for (let i = 0; i < entries.length; i++) {
        const entry = entries[i];
        if ((name === undefined || entry.name === name) && (type === undefined || entry.entryType === type)) ArrayPrototypePush(result, entry);
    }
    return ArrayPrototypeSort(result, (a, b) => a.startTime - b.startTime); // stable: equal times stay in order of making
}

function clear(name, type) {
    const kept = [];
    for (let i = 0; i < entries.length; i++) {
        if (entries[i].entryType !== type || (name !== undefined && entries[i].name !== name)) ArrayPrototypePush(kept, entries[i]);
    }
    entries = kept;
}

/** A mark's name or a time (https://w3c.github.io/user-timing/#convert-a-mark-to-a-timestamp). */
function toTimestamp(mark) {
    if (typeof mark === 'number') {
        if (mark < 0) throw new TypeError('A time is negative');
        return toTime(mark, 'A time');
    }
    const name = toDOMString(mark);
    for (let i = entries.length - 1; i >= 0; i--) {
        if (entries[i].entryType === 'mark' && entries[i].name === name) return entries[i].startTime;
    }
    throw new DOMException(`The "${name}" performance mark has not been set`, 'SyntaxError');
}

/** https://w3c.github.io/user-timing/#measure-method */
function measureTimes(startOrOptions, endMark) {
    let start;
    let end = endMark;
    let duration;
    let options;
    if (startOrOptions !== null && typeof startOrOptions === 'object') {
        options = startOrOptions;
        const isEmpty = options.start === undefined && options.end === undefined && options.duration === undefined && options.detail === undefined;
        if (!isEmpty) {
            if (endMark !== undefined) throw new TypeError('An end mark is given beside options');
            if (options.start === undefined && options.end === undefined) throw new TypeError('Neither start nor end is given');
            if (options.start !== undefined && options.end !== undefined && options.duration !== undefined) {
                throw new TypeError('start, end and duration are given');
            }
            ({ start, end, duration } = options);
        }
    } else {
        start = startOrOptions;
    }
    let endTime;
    if (end !== undefined) endTime = toTimestamp(end);
    else if (start !== undefined && duration !== undefined) endTime = toTimestamp(start) + toTimestamp(Number(duration));
    else endTime = internal.now();
    let startTime = 0;
    if (start !== undefined) startTime = toTimestamp(start);
    else if (duration !== undefined && end !== undefined) startTime = toTimestamp(end) - toTimestamp(Number(duration));
    return { startTime, endTime, detail: cloneDetail(options) };
}

class Performance extends EventTarget {
    constructor(key) {
        if (key !== secret) throw new TypeError('Illegal constructor');
        super();
    }
    get timeOrigin() { return timeOrigin; }
    now() { return internal.now(); }
    mark(name, options) {
        requireArguments(arguments.length, 1, 'mark');
        const mark = new PerformanceMark(name, options);
        ArrayPrototypePush(entries, mark);
        return mark;
    }
    measure(name, startOrOptions, endMark) {
        requireArguments(arguments.length, 1, 'measure');
        const { startTime, endTime, detail } = measureTimes(startOrOptions, endMark);
        const measure = ReflectConstruct(PerformanceMeasure, [secret, toDOMString(name), 'measure', startTime, endTime - startTime, detail]);
        ArrayPrototypePush(entries, measure);
        return measure;
    }
    clearMarks(name) { clear(name === undefined ? undefined : toDOMString(name), 'mark'); }
    clearMeasures(name) { clear(name === undefined ? undefined : toDOMString(name), 'measure'); }
    getEntries() { return select(undefined, undefined); }
    getEntriesByName(name, type) { return select(toDOMString(name), type === undefined ? undefined : toDOMString(type)); }
    getEntriesByType(type) { return select(undefined, toDOMString(type)); }
    toJSON() { return { timeOrigin }; }
    [customInspect](depth, options, inspect) { return `Performance ${inspect({ timeOrigin }, options)}`; }
}
defineInterface(Performance);

const performance = new Performance(secret);
defineGlobal('performance', performance);
{
    const exports = { performance, Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure };
    internal.builtins.set('node:perf_hooks', { ...exports, default: exports });
}

internal.performance = {
    start() { timeOrigin = ops.hrUnix() - internal.now(); },
};
