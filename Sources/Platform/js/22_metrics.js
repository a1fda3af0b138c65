'use strict';
// Metrics of '@opentelemetry/api': synchronous and observable instruments, aggregated here (cumulative) and written to the ring as points
// when they are collected: every export interval while the loop turns, and at the end of the run.
// <https://opentelemetry.io/docs/specs/otel/metrics/api/>

const { trace: core, ring, otelApi } = internal;
const {
    ArrayPrototypeForEach, ArrayPrototypeIndexOf, ArrayPrototypeSlice, ArrayPrototypeMap, ArrayPrototypePush, ArrayPrototypeSort, ArrayPrototypeSplice, JSONStringify,
    MathMax, MathMin, NumberIsFinite, ObjectKeys, RegExpPrototypeExec, SafeMap, StringPrototypeToLowerCase, cutOff,
} = primordials;

const COUNTER = 1, UP_DOWN = 2, GAUGE = 3, HISTOGRAM = 4;
// The SDK's default boundaries. <https://opentelemetry.io/docs/specs/otel/metrics/sdk/#explicit-bucket-histogram-aggregation>
const BOUNDS = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000];
const BOUNDS_MAX = 1024;
// UTF-16 units of a unit or description; the reader takes no longer ones.
const TEXT_UNITS = 256;
// Attribute sets an instrument keeps; what comes beyond is counted together under otel.metric.overflow=true, as the SDK specification says.
const POINTS_MAX = 2000;
const INSTRUMENTS_MAX = 4095;
const NAME = /^[A-Za-z][-_./A-Za-z0-9]{0,254}$/;

const instruments = [];

class Point {
    constructor(attributes, buckets) {
        this.list = ring.keepAll(attributes, 128, [0]);
        this.value = 0;
        this.count = 0;
        this.min = Infinity;
        this.max = -Infinity;
        this.buckets = buckets;
    }
}
cutOff(Point);

class Instrument {
    constructor(meter, name, type, options) {
        this._meter = meter;
        this._name = name;
        this._type = type;
        this._unit = internal.text.cut(`${options?.unit ?? ''}`, TEXT_UNITS);
        this._description = internal.text.cut(`${options?.description ?? ''}`, TEXT_UNITS);
        this._isInteger = options?.valueType === 0;
        this._bounds = type === HISTOGRAM ? bounds(options?.advice?.explicitBucketBoundaries) : [];
        this._points = new SafeMap();
        this._callbacks = [];
        this._start = 0;
        this._id = 0;
        this._observable = false;
    }

    _point(attributes) {
        const key = attributesKey(attributes);
        let point = this._points.get(key);
        if (point !== undefined) return point;
        if (this._points.size >= POINTS_MAX) {
            const overflow = this._points.get('overflow');
            if (overflow !== undefined) return overflow;
            attributes = { 'otel.metric.overflow': true };
            point = new Point(attributes, this._newBuckets());
            this._points.set('overflow', point);
            return point;
        }
        point = new Point(attributes ?? {}, this._newBuckets());
        this._points.set(key, point);
        return point;
    }

    _newBuckets() { return this._type === HISTOGRAM ? zeros(this._bounds.length + 1) : undefined; }
}

function zeros(count) {
    const list = [];
    for (let i = 0; i < count; i++) list[i] = 0;
    return list;
}

function bounds(given) {
    if (given === undefined || given === null) return BOUNDS;
    const kept = ArrayPrototypeMap(ArrayPrototypeSlice(given, 0, BOUNDS_MAX), (bound) => +bound);
    ArrayPrototypeSort(kept, (a, b) => a - b);
    return kept;
}

// One text for one set of attributes, whatever order they come in.
function attributesKey(attributes) {
    if (attributes === undefined || attributes === null) return '';
    const keys = ObjectKeys(attributes);
    if (keys.length === 0) return '';
    ArrayPrototypeSort(keys);
    try {
        return JSONStringify(ArrayPrototypeMap(keys, (key) => [key, attributes[key]]), plain);
    } catch {
        return 'overflow';
    }
}

// JSON has no bigint.
const plain = (_, value) => typeof value === 'bigint' ? `${value}n` : value;

class Counter extends Instrument {
    add(value, attributes) {
        if (typeof value !== 'number' || !NumberIsFinite(value) || this._type === COUNTER && value < 0) return;
        this._point(attributes).value += value;
    }
}

class Gauge extends Instrument {
    record(value, attributes) {
        if (typeof value === 'number' && NumberIsFinite(value)) this._point(attributes).value = value;
    }
}

class Histogram extends Instrument {
    record(value, attributes) {
        if (typeof value !== 'number' || !NumberIsFinite(value) || value < 0) return;
        this._recordAt(this._point(attributes), value);
    }

    // For who keeps the point of his attributes: finding it costs more than all else.
    _recordAt(point, value) {
        point.value += value;
        point.count++;
        point.min = MathMin(point.min, value);
        point.max = MathMax(point.max, value);
        let bucket = 0;
        while (bucket < this._bounds.length && value > this._bounds[bucket]) bucket++;
        point.buckets[bucket]++;
    }
}

class ObservableInstrument extends Instrument {
    addCallback(callback) {
        if (typeof callback === 'function' && ArrayPrototypeIndexOf(this._callbacks, callback) < 0) ArrayPrototypePush(this._callbacks, callback);
    }
    removeCallback(callback) {
        const at = ArrayPrototypeIndexOf(this._callbacks, callback);
        if (at >= 0) ArrayPrototypeSplice(this._callbacks, at, 1);
    }
    // What callbacks get: the last observation of a collection counts.
    _observe(value, attributes) {
        if (typeof value === 'number' && NumberIsFinite(value)) this._point(attributes).value = value;
    }
}

class Meter {
    constructor(name, version, schemaUrl) {
        this._scope = [name, version, schemaUrl];
        this._known = new SafeMap();
        this._batches = [];
    }

    _make(Class, name, type, options, observable) {
        const text = `${name}`;
        const key = `${type}${observable ? 'o' : ''}:${StringPrototypeToLowerCase(text)}`;
        const known = this._known.get(key);
        if (known !== undefined) return known;
        const instrument = new Class(this, text, type, options);
        instrument._observable = observable;
        instrument._start = core.isEnabled() ? core.now() : 0;
        this._known.set(key, instrument);
        // A bad name still works for its user and is never exported.
        if (RegExpPrototypeExec(NAME, text) !== null && instruments.length < INSTRUMENTS_MAX) {
            ArrayPrototypePush(instruments, instrument);
            schedule();
        } else {
            otelApi.diag.warn(`metrics: instrument "${text}" is not exported: ${instruments.length < INSTRUMENTS_MAX ? 'bad name' : 'too many instruments'}`);
        }
        return instrument;
    }

    createCounter(name, options) { return this._make(Counter, name, COUNTER, options, false); }
    createUpDownCounter(name, options) { return this._make(Counter, name, UP_DOWN, options, false); }
    createGauge(name, options) { return this._make(Gauge, name, GAUGE, options, false); }
    createHistogram(name, options) { return this._make(Histogram, name, HISTOGRAM, options, false); }
    createObservableCounter(name, options) { return this._make(ObservableInstrument, name, COUNTER, options, true); }
    createObservableUpDownCounter(name, options) { return this._make(ObservableInstrument, name, UP_DOWN, options, true); }
    createObservableGauge(name, options) { return this._make(ObservableInstrument, name, GAUGE, options, true); }

    addBatchObservableCallback(callback, observables) { ArrayPrototypePush(this._batches, { callback, observables }); }
    removeBatchObservableCallback(callback) {
        for (let i = this._batches.length - 1; i >= 0; i--) if (this._batches[i].callback === callback) ArrayPrototypeSplice(this._batches, i, 1);
    }
}

const meters = new SafeMap();

const meterProvider = {
    getMeter(name, version, options) {
        const scope = [`${name ?? ''}`, `${version ?? ''}`, `${options?.schemaUrl ?? ''}`];
        const key = `${scope[0]}\0${scope[1]}\0${scope[2]}`;
        let meter = meters.get(key);
        if (meter === undefined) {
            meter = new Meter(scope[0], scope[1], scope[2]);
            meters.set(key, meter);
        }
        return meter;
    },
};

// A callback of the user's must not end the collection.
function guarded(callback, argument) {
    try {
        const result = callback(argument);
        if (result !== null && typeof result === 'object' && typeof result.then === 'function') {
            otelApi.diag.warn('metrics: an observable callback returned a promise; what it observes later counts at the next collection');
        }
    } catch (error) {
        otelApi.diag.error('metrics: an observable callback threw', error);
    }
}

// Observes, then writes one point an attribute set.
function collect() {
    if (instruments.length === 0 || !core.isEnabled()) return;
    // An observable instrument tells what is now: what is no longer observed is gone.
    ArrayPrototypeForEach(instruments, (instrument) => { if (instrument._observable) instrument._points.clear(); });
    meters.forEach((meter) => {
        ArrayPrototypeForEach(meter._batches, ({ callback }) => {
            guarded(callback, { observe: (instrument, value, attributes) => instrument._observe(value, attributes) });
        });
    });
    ArrayPrototypeForEach(instruments, (instrument) => {
        ArrayPrototypeForEach(instrument._callbacks, (callback) => {
            guarded(callback, { observe: (value, attributes) => instrument._observe(value, attributes) });
        });
        if (instrument._points.size === 0) return;
        if (instrument._id === 0 && !describe(instrument)) return;
        const time = core.now();
        instrument._points.forEach((point) => { write(instrument, point, time); });
    });
}

let described = 0;

function describe(instrument) {
    const scope = core.scopeId(instrument._meter._scope[0], instrument._meter._scope[1], instrument._meter._scope[2]);
    const at = ring.open(1024);
    if (at < 0) {
        ring.drop(ring.KIND_INSTRUMENT);
        return false;
    }
    const { state } = ring.bound;
    try {
        const { i32 } = core.views();
        let next = ring.putInline(at + 16, instrument._name);
        if (next >= 0) next = ring.putInline(next, instrument._unit);
        if (next >= 0) next = ring.putInline(next, instrument._description);
        i32[(at >> 2) + 3] = instrument._type | (instrument._isInteger ? 256 : 0) | scope << 16;
        if (next >= 0) {
            instrument._id = described + 1;
            i32[(at >> 2) + 2] = ++described;
            ring.commit(next, ring.KIND_INSTRUMENT);
            return true;
        }
    } catch {
        // The program has written to it, or the stack's end.
    }
    state[ring.WRITING] = 0;
    ring.drop(ring.KIND_INSTRUMENT);
    return false;
}

function write(instrument, point, time) {
    const bounds = instrument._bounds, count = bounds.length >>> 0;
    const at = ring.open(256 + 16 * count);
    if (at < 0) return ring.drop(ring.KIND_POINT);
    const { state } = ring.bound;
    try {
        const next = putPoint(at, instrument, point, bounds, count, time);
        if (next >= 0) return ring.commit(next, ring.KIND_POINT);
    } catch {
        // The program has written to the instrument, or the stack's end.
    }
    state[ring.WRITING] = 0;
    ring.drop(ring.KIND_POINT);
}

// Writes a point at `at`; the next position or -1. Throws what the program's getters do.
function putPoint(at, instrument, point, bounds, count, time) {
    const { i32, f64 } = core.views();
    const word = at >> 2, double = at >> 3;
    i32[word + 2] = instrument._id;
    i32[word + 3] = point.list[0] | count << 16;
    f64[double + 2] = instrument._start;
    f64[double + 3] = time;
    f64[double + 4] = point.value;
    f64[double + 5] = point.count;
    f64[double + 6] = point.count > 0 ? point.min : 0;
    f64[double + 7] = point.count > 0 ? point.max : 0;
    let next = at + 64;
    if (count > 0) {
        for (let i = 0; i < count; i++) f64[(next >> 3) + i] = bounds[i];
        next += 8 * count;
        for (let i = 0; i <= count; i++) f64[(next >> 3) + i] = point.buckets[i];
        next += 8 * (count + 1);
    }
    return ring.putAttributes(next, point.list);
}

// Collects now and then while the loop turns, without keeping it alive. 30_timers.js comes later, hence the late look.
let scheduled = false;
function schedule() {
    if (scheduled) return;
    scheduled = true;
    internal.timers.startUnrefed(() => {
        scheduled = false;
        collect();
        schedule();
    }, internal.metrics.intervalMilliseconds);
}

internal.metrics = { collect, intervalMilliseconds: 60000 };

otelApi.metrics = {
    getMeter: (name, version, options) => meterProvider.getMeter(name, version, options),
    getMeterProvider: () => meterProvider,
    setGlobalMeterProvider: () => false,
    disable() {},
};
otelApi.createNoopMeter = () => new Meter('', '', '');
