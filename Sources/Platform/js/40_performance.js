'use strict';
// @ts-check
// High Resolution Time (https://w3c.github.io/hr-time/), User Timing (https://w3c.github.io/user-timing/) and Performance Timeline
// (https://w3c.github.io/performance-timeline/). The monotonic clock is the ring's: what
// performance.now() says can be laid beside span times.

const {
    ArrayPrototypeFilter, ArrayPrototypeIncludes, ArrayPrototypeMap, ArrayPrototypePush, ArrayPrototypeSlice, ArrayPrototypeSort, Boolean, Number, NumberIsFinite,
    ObjectFreeze, ReflectApply, ReflectConstruct, TypeError, arrayFromIterable,
} = primordials;
const { DOMException, customInspect } = internal;
const { defineGlobal, defineInterface, requireArguments, toDOMString, toDictionary } = internal.webidl;

let timeOrigin = 0; // Unix time in ms of what now() counts from

const secret = {}; // who has it may construct

let nameOf, typeOf, startOf, detailOf;

/** https://w3c.github.io/performance-timeline/#dom-performanceentry */
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
    static {
        nameOf = (entry) => entry.#name;
        typeOf = (entry) => entry.#type;
        startOf = (entry) => entry.#start;
        detailOf = (entry) => entry.#detail;
    }
}
defineInterface(PerformanceEntry);

function cloneDetail(options) {
    const detail = options === undefined ? undefined : options.detail;
    return detail === undefined || detail === null ? null : internal.structuredClone(detail);
}

/** https://w3c.github.io/user-timing/#the-performancemark-constructor */
class PerformanceMark extends PerformanceEntry {
    constructor(name, options = undefined) {
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

/** https://w3c.github.io/performance-timeline/#queue-a-performanceentry */
function record(entry) {
    ArrayPrototypePush(entries, entry);
    for (let i = 0; i < observers.length; i++) enqueue(observers[i], entry);
}

// The timeline. Its length is the program's own affair: the standard sets no limit on marks and measures.
let entries = [];

function select(name, type, list = entries) {
    const result = [];
    for (let i = 0; i < list.length; i++) {
        const entry = list[i];
        if ((name === undefined || nameOf(entry) === name) && (type === undefined || typeOf(entry) === type)) ArrayPrototypePush(result, entry);
    }
    return ArrayPrototypeSort(result, (a, b) => startOf(a) - startOf(b)); // stable: equal times stay in order of making
}

function clear(name, type) {
    const kept = [];
    for (let i = 0; i < entries.length; i++) {
        if (typeOf(entries[i]) !== type || (name !== undefined && nameOf(entries[i]) !== name)) ArrayPrototypePush(kept, entries[i]);
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
        if (typeOf(entries[i]) === 'mark' && nameOf(entries[i]) === name) return startOf(entries[i]);
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

// ---- Observers ----

const entryTypes = ObjectFreeze(['mark', 'measure']);

let observers = []; // those that observe, in the order in which they began
let isTold = false; // a task that tells them waits

let enqueue, deliver;

/** https://w3c.github.io/performance-timeline/#queue-the-performanceobserver-task */
function tellLater() {
    if (isTold) return;
    isTold = true;
    internal.timers.startImmediate(() => {
        isTold = false;
        const turn = ArrayPrototypeSlice(observers);
        for (let i = 0; i < turn.length; i++) deliver(turn[i]);
    });
}

/** https://w3c.github.io/performance-timeline/#the-performanceobserverentrylist-interface */
class PerformanceObserverEntryList {
    #list;
    constructor(key, list) {
        if (key !== secret) throw new TypeError('Illegal constructor');
        this.#list = list;
    }
    getEntries() { return select(undefined, undefined, this.#list); }
    getEntriesByType(type) {
        requireArguments(arguments.length, 1, 'getEntriesByType');
        return select(undefined, toDOMString(type), this.#list);
    }
    getEntriesByName(name, type = undefined) {
        requireArguments(arguments.length, 1, 'getEntriesByName');
        return select(toDOMString(name), type === undefined ? undefined : toDOMString(type), this.#list);
    }
}
defineInterface(PerformanceObserverEntryList);

/** https://w3c.github.io/performance-timeline/#the-performanceobserver-interface */
class PerformanceObserver {
    #callback;
    #kind; // 'multiple' (entryTypes) or 'single' (type), once it has observed
    #types = []; // what it observes now
    #buffer = [];
    #context;

    constructor(callback) {
        requireArguments(arguments.length, 1, 'PerformanceObserver');
        if (typeof callback !== 'function') throw internal.typeError('The "callback" argument must be of type function.', 'ERR_INVALID_ARG_TYPE');
        this.#callback = callback;
        this.#context = ops.context();
    }

    observe(options = undefined) {
        this.#buffer;
        options = toDictionary(options, 'The options');
        const buffered = options?.buffered;
        const given = options?.entryTypes;
        const type = options?.type;
        if (given === undefined && type === undefined) throw new TypeError('PerformanceObserver.observe: entryTypes or type is due');
        if (given !== undefined && (type !== undefined || buffered !== undefined)) throw new TypeError('PerformanceObserver.observe: entryTypes goes with no other option');
        const kind = given !== undefined ? 'multiple' : 'single';
        const wanted = given !== undefined ? ArrayPrototypeMap(arrayFromIterable(given, 'entryTypes'), toDOMString) : [toDOMString(type)];
        if (this.#kind !== undefined && this.#kind !== kind) {
            throw new DOMException(`A PerformanceObserver that observes by ${this.#kind === 'single' ? 'type' : 'entryTypes'} cannot change to the other`, 'InvalidModificationError');
        }
        this.#kind = kind;
        const known = ArrayPrototypeFilter(wanted, (name) => ArrayPrototypeIncludes(entryTypes, name));
        if (known.length === 0) return; // nothing of these is ever recorded here
        if (kind === 'multiple') this.#types = [];
        for (let i = 0; i < known.length; i++) if (!ArrayPrototypeIncludes(this.#types, known[i])) ArrayPrototypePush(this.#types, known[i]);
        if (!ArrayPrototypeIncludes(observers, this)) ArrayPrototypePush(observers, this);
        if (kind === 'single' && Boolean(buffered)) {
            for (let i = 0; i < entries.length; i++) if (typeOf(entries[i]) === known[0]) ArrayPrototypePush(this.#buffer, entries[i]);
            if (this.#buffer.length > 0) tellLater();
        }
    }

    disconnect() {
        this.#buffer = [];
        this.#types = [];
        this.#kind = undefined;
        observers = ArrayPrototypeFilter(observers, (observer) => observer !== this);
    }

    takeRecords() {
        const records = this.#buffer;
        this.#buffer = [];
        return records;
    }

    static get supportedEntryTypes() { return entryTypes; }

    static {
        enqueue = (observer, entry) => {
            if (!ArrayPrototypeIncludes(observer.#types, typeOf(entry))) return;
            ArrayPrototypePush(observer.#buffer, entry);
            tellLater();
        };
        deliver = (observer) => {
            const records = observer.#buffer;
            if (records.length === 0) return;
            observer.#buffer = [];
            const list = ReflectConstruct(PerformanceObserverEntryList, [secret, records]);
            const before = ops.enter(observer.#context);
            try {
                ReflectApply(observer.#callback, observer, [list, observer, { droppedEntriesCount: 0 }]);
            } catch (error) {
                internal.reportError(error);
            } finally {
                ops.setContext(before);
            }
        };
    }
}
defineInterface(PerformanceObserver);

class Performance extends EventTarget {
    #brand = true;
    constructor(key) {
        if (key !== secret) throw new TypeError('Illegal constructor');
        super();
    }
    get timeOrigin() {
        this.#brand;
        return timeOrigin;
    }
    now() {
        this.#brand;
        return internal.now();
    }
    mark(name, options = undefined) {
        this.#brand;
        requireArguments(arguments.length, 1, 'mark');
        const mark = new PerformanceMark(name, options);
        record(mark);
        return mark;
    }
    measure(name, startOrOptions = undefined, endMark = undefined) {
        this.#brand;
        requireArguments(arguments.length, 1, 'measure');
        const { startTime, endTime, detail } = measureTimes(startOrOptions ?? undefined, endMark); // null is the empty dictionary
        const measure = ReflectConstruct(PerformanceMeasure, [secret, toDOMString(name), 'measure', startTime, endTime - startTime, detail]);
        record(measure);
        return measure;
    }
    clearMarks(name = undefined) {
        this.#brand;
        clear(name === undefined ? undefined : toDOMString(name), 'mark');
    }
    clearMeasures(name = undefined) {
        this.#brand;
        clear(name === undefined ? undefined : toDOMString(name), 'measure');
    }
    getEntries() {
        this.#brand;
        return select(undefined, undefined);
    }
    getEntriesByName(name, type = undefined) {
        this.#brand;
        requireArguments(arguments.length, 1, 'getEntriesByName');
        return select(toDOMString(name), type === undefined ? undefined : toDOMString(type));
    }
    getEntriesByType(type) {
        this.#brand;
        requireArguments(arguments.length, 1, 'getEntriesByType');
        return select(undefined, toDOMString(type));
    }
    toJSON() {
        this.#brand;
        return { timeOrigin };
    }
    [customInspect](depth, options, inspect) { return `Performance ${inspect({ timeOrigin }, options)}`; }
}
defineInterface(Performance);

const performance = new Performance(secret);
defineGlobal('performance', performance);
{
    const exports = { performance, Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure, PerformanceObserver, PerformanceObserverEntryList };
    internal.builtins.set('node:perf_hooks', { ...exports, default: exports });
}

internal.performance = {
    start() { timeOrigin = ops.hrUnix() - internal.now(); },
};
