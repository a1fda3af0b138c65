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

/** The values of an iterable given by user code, read by the iteration protocol (WebIDL sequence<T>). Throws TypeError when it is none. */
primordials.arrayFromIterable = function arrayFromIterable(iterable, what) {
    const method = iterable === null || iterable === undefined ? undefined : iterable[primordials.SymbolIterator];
    if (typeof method !== 'function') throw new primordials.TypeError(`${what} is not iterable`);
    const iterator = apply(method, iterable, []);
    const next = iterator.next;
    const result = [];
    for (;;) {
        const step = apply(next, iterator, []);
        if (step === null || (typeof step !== 'object' && typeof step !== 'function')) throw new primordials.TypeError('Iterator result is not an object');
        if (step.done) return result;
        primordials.ArrayPrototypePush(result, step.value);
    }
};

freeze(primordials);
