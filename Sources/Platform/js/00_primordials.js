'use strict';
// @ts-check
// The originals of ECMAScript's built-ins (but for what comes late: 01_late.js), taken before any user code can patch them. Everything in this folder
// calls these and never a method through a user-visible prototype.
//
// Names follow one rule, so that no list has to be kept:
//   static member          ArrayIsArray, ObjectKeys, MathFloor, SymbolIterator, JSONStringify, ReflectApply
//   prototype method       ArrayPrototypePush(array, value): the receiver comes first
//   prototype accessor     MapPrototypeGetSize(map)
//   symbol-keyed method    RegExpPrototypeSymbolReplace(pattern, text, replacement)
//   the constructor itself Array, Map, TypeError
// Not safe from patches, so not used here: for-of, spread and destructuring of arrays (they call Array.prototype[Symbol.iterator]),
// `new Map(iterable)`, String methods that take a RegExp, Promise.prototype.then (use await).

const { apply, ownKeys, getOwnPropertyDescriptor, getPrototypeOf, setPrototypeOf, defineProperty } = Reflect;
const { bind, call } = Function.prototype;
const { charAt, slice, toUpperCase } = String.prototype;
const { freeze } = Object;

/** uncurryThis(f)(self, ...args) is f.call(self, ...args), whatever becomes of Function.prototype.call. */
const uncurryThis = apply(bind, bind, [call]);
primordials.uncurryThis = uncurryThis;

/** @param {string | symbol} key */
function pascal(key) {
    if (typeof key === 'symbol') {
        const text = /** @type {string} */ (key.description); // "Symbol.iterator"
        return 'Symbol' + apply(toUpperCase, text[7], []) + apply(slice, text, [8]);
    }
    return apply(toUpperCase, apply(charAt, key, [0]), []) + apply(slice, key, [1]);
}

const ArrayPrototypeIncludes = uncurryThis(Array.prototype.includes);
const functionKeys = ['prototype', 'length', 'name', 'caller', 'arguments'];

/** Copies the members of `source` as `prefix`Name. `adapt` turns a function into the form that is called. */
function copy(prefix, source, adapt) {
    const keys = ownKeys(source);
    for (let i = 0; i < keys.length; i++) {
        const key = keys[i];
        if (key === 'constructor' || (typeof source === 'function' && ArrayPrototypeIncludes(functionKeys, key))) continue;
        if (typeof key === 'string' && !(/^[A-Za-z]/.test(key))) continue; // RegExp.$1 and friends
        const descriptor = getOwnPropertyDescriptor(source, key);
        if ('value' in descriptor) {
            const value = descriptor.value;
            primordials[prefix + pascal(key)] = typeof value === 'function' ? adapt(value) : value;
        } else if (prefix !== 'RegExp' && descriptor.get !== undefined) {
            primordials[`${prefix}Get${pascal(key)}`] = uncurryThis(descriptor.get);
        }
    }
}

const same = (f) => f;

copy('JSON', JSON, same);
copy('Math', Math, same);
copy('Reflect', Reflect, same);

const classes = [
    AggregateError, Array, ArrayBuffer, BigInt, BigInt64Array, BigUint64Array, Boolean, DataView, Date, Error, EvalError, FinalizationRegistry,
    Float32Array, Float64Array, Function, Int16Array, Int32Array, Int8Array, Map, Number, Object, Promise, Proxy, RangeError, ReferenceError,
    RegExp, Set, String, Symbol, SyntaxError, TypeError, URIError, Uint16Array, Uint32Array, Uint8Array, Uint8ClampedArray,
    WeakMap, WeakRef, WeakSet,
];
for (let i = 0; i < classes.length; i++) {
    const Class = classes[i];
    const name = Class.name;
    primordials[name] = Class;
    // Only these look at their receiver.
    const usesReceiver = Class === Promise || Class === Array;
    copy(name, Class, usesReceiver ? (f) => apply(bind, f, [Class]) : same);
    if (Class.prototype !== undefined) {
        primordials[`${name}Prototype`] = Class.prototype;
        copy(`${name}Prototype`, Class.prototype, uncurryThis);
    }
}

const TypedArray = getPrototypeOf(Uint8Array);
primordials.TypedArray = TypedArray;
primordials.TypedArrayPrototype = TypedArray.prototype;
copy('TypedArrayPrototype', TypedArray.prototype, uncurryThis);

primordials.AsyncFunctionPrototype = getPrototypeOf(async function () {});
primordials.GeneratorFunctionPrototype = getPrototypeOf(function* () {});
primordials.AsyncGeneratorFunctionPrototype = getPrototypeOf(async function* () {});
primordials.IteratorPrototype = getPrototypeOf(getPrototypeOf([][Symbol.iterator]()));

// These make their result through the receiver's constructor and its Symbol.species, which user code can patch (ECMA-262 §23.1.3 ArraySpeciesCreate):
// written again without.
function clamp(index, length) {
    if (index < 0) return index + length > 0 ? index + length : 0;
    return index < length ? index : length;
}
primordials.ArrayPrototypeSlice = function slice(list, start = 0, end = list.length) {
    const result = [];
    const last = clamp(end, list.length);
    for (let i = clamp(start, list.length), k = 0; i < last; i++, k++) result[k] = list[i];
    return result;
};
primordials.ArrayPrototypeSplice = function splice(list, start, count, ...added) {
    const { length } = list;
    const from = clamp(start, length);
    const removed = primordials.ArrayPrototypeSlice(list, from, from + count);
    const shift = added.length - removed.length;
    if (shift <= 0) {
        for (let i = from + removed.length; i < length; i++) list[i + shift] = list[i];
        list.length = length + shift;
    } else {
        for (let i = length - 1; i >= from + removed.length; i--) list[i + shift] = list[i];
    }
    for (let i = 0; i < added.length; i++) list[from + i] = added[i];
    return removed;
};
primordials.ArrayPrototypeMap = function map(list, transform) {
    const result = [];
    for (let i = 0; i < list.length; i++) result[i] = transform(list[i], i);
    return result;
};
primordials.ArrayPrototypeFilter = function filter(list, test) {
    const result = [];
    for (let i = 0; i < list.length; i++) if (test(list[i], i)) result[result.length] = list[i];
    return result;
};
/** Of a Uint8Array only. */
primordials.TypedArrayPrototypeSubarray = function subarray(bytes, start = 0, end = undefined) {
    const { TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteOffset, TypedArrayPrototypeGetLength } = primordials;
    const length = TypedArrayPrototypeGetLength(bytes);
    const from = clamp(start, length);
    const to = end === undefined ? length : clamp(end, length);
    return new primordials.Uint8Array(TypedArrayPrototypeGetBuffer(bytes), TypedArrayPrototypeGetByteOffset(bytes) + from, to > from ? to - from : 0);
};
/** Of a Uint8Array only. */
primordials.TypedArrayPrototypeSlice = (bytes, start, end) => new primordials.Uint8Array(primordials.TypedArrayPrototypeSubarray(bytes, start, end));
const speciesMethods = ['ArrayPrototypeConcat', 'ArrayPrototypeFlat', 'ArrayPrototypeFlatMap', 'TypedArrayPrototypeMap', 'TypedArrayPrototypeFilter'];
for (let i = 0; i < speciesMethods.length; i++) delete primordials[speciesMethods[i]];

const functions = ['decodeURI', 'decodeURIComponent', 'encodeURI', 'encodeURIComponent', 'isFinite', 'isNaN', 'parseFloat', 'parseInt'];
for (let i = 0; i < functions.length; i++) primordials[functions[i]] = globalThis[functions[i]];

/** Gives `Safe` its own copies of the methods of `Base` and cuts it off from what user code can reach. */
function makeSafe(Base, Safe) {
    const keys = ownKeys(Base.prototype);
    for (let i = 0; i < keys.length; i++) {
        if (keys[i] !== 'constructor') defineProperty(Safe.prototype, keys[i], getOwnPropertyDescriptor(Base.prototype, keys[i]));
    }
    setPrototypeOf(Safe.prototype, null);
    freeze(Safe.prototype);
    freeze(Safe);
    return Safe;
}
// Used as `map.get(key)`. No iterable for the constructor; iterate with forEach.
primordials.SafeMap = makeSafe(Map, class SafeMap extends Map { constructor() { super(); } });
primordials.SafeSet = makeSafe(Set, class SafeSet extends Set { constructor() { super(); } });
primordials.SafeWeakMap = makeSafe(WeakMap, class SafeWeakMap extends WeakMap { constructor() { super(); } });
primordials.SafeWeakSet = makeSafe(WeakSet, class SafeWeakSet extends WeakSet { constructor() { super(); } });

/** For a class whose objects no program gets: what it assigns to their fields is not seen by a setter of Object.prototype, which would be handed the object. */
primordials.cutOff = function cutOff(Class) { setPrototypeOf(Class.prototype, null); };

/** The values of an iterable given by user code, read by the iteration protocol (WebIDL sequence<T>). Throws TypeError when it is none. */
primordials.arrayFromIterable = function arrayFromIterable(iterable, what, convert = undefined) {
    const isObject = (typeof iterable === 'object' && iterable !== null) || typeof iterable === 'function';
    const method = isObject ? iterable[primordials.SymbolIterator] : undefined; // a text is no sequence
    if (typeof method !== 'function') throw new primordials.TypeError(`${what} is not iterable`);
    const iterator = apply(method, iterable, []);
    const next = iterator.next;
    const result = [];
    for (;;) {
        const step = apply(next, iterator, []);
        if (step === null || (typeof step !== 'object' && typeof step !== 'function')) throw new primordials.TypeError('Iterator result is not an object');
        if (step.done) return result;
        primordials.ArrayPrototypePush(result, convert === undefined ? step.value : convert(step.value));
    }
};

freeze(primordials);
