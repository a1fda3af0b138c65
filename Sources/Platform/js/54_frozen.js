'use strict';
// @ts-check
// Frozen primordials: where the policy asks for it (`code: {primordials: frozen}`), all objects of the language and of the platform that a program can reach from the
// global one are frozen before its first line runs, and the globals are what they are for good. So one part of a program cannot change what another part calls.
//
// - The global object itself stays extensible: a program may add to it.
// - The mistake that an inherited property which cannot be written cannot be shadowed by assignment either (ECMA-262, OrdinarySet) is made good where programs
//   assign such names: to plain objects, functions, arrays, maps, sets, dates and errors, and to the `constructor` of what is derived from a class.
// - Modules that are built in (node:events and so on) are made when they are first imported, and stay as they are.
// - Error.stackTraceLimit can be set; Error.prepareStackTrace cannot.

const {
    AsyncFunctionPrototype, AsyncGeneratorFunctionPrototype, Error, ErrorPrototype, FunctionPrototype, GeneratorFunctionPrototype, IteratorPrototype,
    ArrayPrototype, ArrayPrototypeIncludes, ObjectCreate, ObjectDefineProperty, ObjectFreeze, ObjectPrototype, ObjectPrototypeHasOwnProperty, ReflectGetOwnPropertyDescriptor,
    ReflectGetPrototypeOf, ReflectOwnKeys, ReflectPreventExtensions, SafeMap, SafeSet, TypedArrayPrototype, TypeError,
} = primordials;

const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';

/** What is known to be frozen, and what is to stay as it is. Made at run time. */
let seen;

/** Freezes `root` and all that it leads to. */
function freezeFrom(root) {
    const pending = [root];
    while (pending.length > 0) {
        const object = pending[pending.length - 1];
        pending.length--;
        if (seen.has(object)) continue;
        seen.add(object);
        const enter = (value) => { if (isObject(value) && !seen.has(value)) pending[pending.length] = value; };
        const keys = ReflectOwnKeys(object);
        for (let i = 0; i < keys.length; i++) {
            const descriptor = ReflectGetOwnPropertyDescriptor(object, keys[i]);
            if (descriptor === undefined) continue;
            enter(descriptor.value);
            enter(descriptor.get);
            enter(descriptor.set);
        }
        enter(ReflectGetPrototypeOf(object));
        try {
            if (isAboveElements(object)) freezeAboveElements(object);
            else ObjectFreeze(object);
        } catch {
            // A view with elements cannot be.
            ReflectPreventExtensions(object);
        }
    }
}

/** What arrays, typed arrays and plain objects inherit from. */
const isAboveElements = (object) => object === ObjectPrototype || object === ArrayPrototype || object === TypedArrayPrototype || ReflectGetPrototypeOf(object) === TypedArrayPrototype;

/**
 * V8 marks the elements of a frozen object as such, though it has none, and then asks all that an object inherits from at each `array[i] = value`, which takes 15 to 80
 * times as long. It does not where the object was slow when it was frozen. Being a prototype anew makes it fast again. docs/adr/0036.
 */
function freezeAboveElements(object) {
    ops.makeSlow(object);
    ObjectFreeze(object);
    ObjectCreate(object);
}

/** Lets what inherits `key` from `holder` have an own property of that name by assignment. */
function letShadow(holder, key) {
    const descriptor = ReflectGetOwnPropertyDescriptor(holder, key);
    if (descriptor === undefined || !('value' in descriptor) || !descriptor.configurable) return;
    const { value, enumerable } = descriptor;
    const accessors = {
        get value() { return value; },
        set value(next) {
            if (this === holder) throw new TypeError(`Cannot assign to read only property '${typeof key === 'symbol' ? 'a symbol' : key}': the language's objects are frozen`);
            if (!isObject(this)) return;
            if (ObjectPrototypeHasOwnProperty(this, key)) this[key] = next;
            else ObjectDefineProperty(this, key, { __proto__: null, value: next, writable: true, enumerable: true, configurable: true });
        },
    };
    const { get, set } = ReflectGetOwnPropertyDescriptor(accessors, 'value');
    ObjectDefineProperty(holder, key, { __proto__: null, get, set, enumerable, configurable: true });
    shadowable.set(get, value);
}
/** Getter of such a property -> its value. */
const shadowable = new SafeMap();

function letShadowUsual() {
    letShadowAll(ObjectPrototype);
    for (let i = 0; i < derived.length; i++) letShadowAll(primordials[`${derived[i]}Prototype`], derived[i] === 'Array' ? 'constructor' : undefined);
    for (let i = 0; i < errors.length; i++) for (let k = 0; k < ofErrors.length; k++) letShadow(primordials[`${errors[i]}Prototype`], ofErrors[k]);
}

/** All that has a name. */
function letShadowAll(holder, butNot) {
    const keys = ReflectOwnKeys(holder);
    for (let i = 0; i < keys.length; i++) if (typeof keys[i] === 'string' && keys[i] !== butNot) letShadow(holder, keys[i]);
}

/** `Old.prototype = Object.create(Class.prototype); Old.prototype.constructor = Old`, as programs wrote it before there were classes. */
function letShadowConstructor(Class) {
    const descriptor = typeof Class === 'function' ? ReflectGetOwnPropertyDescriptor(Class, 'prototype') : undefined;
    if (descriptor === undefined || !isObject(descriptor.value) || keepsConstructor(descriptor.value)) return;
    letShadow(descriptor.value, 'constructor');
}

/** Where V8 looks at `constructor` to know that nobody has changed what map, slice and await do: an accessor there costs them tenfold. */
function keepsConstructor(prototype) {
    const { ArrayBufferPrototype, PromisePrototype, RegExpPrototype, TypedArrayPrototype } = primordials;
    return prototype === ArrayPrototype || prototype === PromisePrototype || prototype === RegExpPrototype || prototype === ArrayBufferPrototype || prototype === TypedArrayPrototype ||
        ReflectGetPrototypeOf(prototype) === TypedArrayPrototype;
}

/** What programs derive from and put own properties on. */
const derived = ['Function', 'Array', 'Map', 'Set', 'WeakMap', 'WeakSet', 'Date'];
const ofErrors = ['constructor', 'message', 'name', 'toString'];
const errors = ['Error', 'AggregateError', 'EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError'];

/** Objects of the language that no global leads to. */
function hidden() {
    const asyncGenerator = AsyncGeneratorFunctionPrototype.prototype;
    const prototypeOf = ReflectGetPrototypeOf;
    return [
        AsyncFunctionPrototype, GeneratorFunctionPrototype, AsyncGeneratorFunctionPrototype, IteratorPrototype, prototypeOf(asyncGenerator), prototypeOf([][primordials.SymbolIterator]()),
        prototypeOf(new primordials.Map()[primordials.SymbolIterator]()), prototypeOf(new primordials.Set()[primordials.SymbolIterator]()), prototypeOf(''[primordials.SymbolIterator]()),
        prototypeOf(/a/g[primordials.SymbolMatchAll]('')), ReflectGetOwnPropertyDescriptor((function () { return arguments; })(), 'callee').get, // eslint-disable-line
    ];
}

/** What V8 and programs set on the constructor of errors. */
function freezeError() {
    ObjectDefineProperty(Error, 'prepareStackTrace', { __proto__: null, value: undefined, writable: false, enumerable: false, configurable: false });
    const keys = ReflectOwnKeys(Error);
    for (let i = 0; i < keys.length; i++) {
        if (keys[i] === 'stackTraceLimit') continue;
        const descriptor = ReflectGetOwnPropertyDescriptor(Error, keys[i]);
        if ('value' in descriptor) descriptor.writable = false;
        descriptor.configurable = false;
        ObjectDefineProperty(Error, keys[i], descriptor);
        if (isObject(descriptor.value)) freezeFrom(descriptor.value);
    }
    ReflectPreventExtensions(Error);
}

/** Globals that are the program's to change. */
const own = ['name', 'onmessage', 'onmessageerror', 'onerror', 'onunhandledrejection', 'onrejectionhandled', 'global', 'globalThis', 'self'];

internal.frozen = {
    isOn: false,

    /** The value of a property, without running the program's code; undefined: it has none. @param {object | undefined} descriptor */
    valueIn: (descriptor) => (descriptor === undefined ? undefined : descriptor.get === undefined ? descriptor.value : shadowable.get(descriptor.get)),

    /** Before the program's first line. */
    start() {
        const { process } = globalThis;
        internal.frozen.isOn = true;
        seen = new SafeSet();
        seen.add(globalThis);
        seen.add(Error);
        seen.add(process.env);
        seen.add(process.argv);
        letShadowUsual();
        const keys = ReflectOwnKeys(globalThis);
        // What is made when it is first asked for is made now.
        const values = [];
        for (let i = 0; i < keys.length; i++) {
            values[i] = globalThis[keys[i]];
            letShadowConstructor(values[i]);
        }
        const roots = hidden();
        for (let i = 0; i < roots.length; i++) freezeFrom(roots[i]);
        freezeFrom(ErrorPrototype);
        freezeError();
        for (let i = 0; i < keys.length; i++) {
            const descriptor = ReflectGetOwnPropertyDescriptor(globalThis, keys[i]);
            if (descriptor === undefined) continue;
            if (isObject(values[i])) freezeFrom(values[i]);
            if (descriptor.get !== undefined) freezeFrom(descriptor.get);
            if (descriptor.set !== undefined) freezeFrom(descriptor.set);
            if (ArrayPrototypeIncludes(own, keys[i]) || !descriptor.configurable) continue;
            if ('value' in descriptor) descriptor.writable = false;
            descriptor.configurable = false;
            ObjectDefineProperty(globalThis, keys[i], descriptor);
        }
    },
};
