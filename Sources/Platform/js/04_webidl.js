'use strict';
// @ts-check
// What every web interface shares: how it appears on the global and how arguments are converted (https://webidl.spec.whatwg.org/).

const {
    ArrayPrototypePush, IteratorPrototype, MathTrunc, Number, ObjectCreate, ObjectDefineProperty, ReflectApply, ReflectGetOwnPropertyDescriptor, ReflectOwnKeys,
    SafeWeakMap, String, StringPrototypeCharCodeAt, StringPrototypeSlice, SymbolIterator, SymbolToStringTag, TypeError,
} = primordials;

/** A global that is an interface or namespace: writable, configurable, not enumerable (§3.7). */
function defineGlobal(name, value) {
    ObjectDefineProperty(globalThis, name, { __proto__: null, value, writable: true, enumerable: false, configurable: true });
}

/** A global function, enumerable as operations are (§3.7.7). */
function defineGlobalFunction(name, value) {
    ObjectDefineProperty(globalThis, name, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
}

/** Makes members enumerable and tags the prototype, as WebIDL has it and class syntax has not. */
function shapeInterface(Class, constants) {
    const name = Class.name;
    internal.serialization.mark(Class);
    enumerate(Class.prototype);
    enumerate(Class);
    ObjectDefineProperty(Class.prototype, SymbolToStringTag, { __proto__: null, value: name, writable: false, enumerable: false, configurable: true });
    if (constants !== undefined) {
        const keys = ReflectOwnKeys(constants);
        for (let i = 0; i < keys.length; i++) {
            const constant = { __proto__: null, value: constants[keys[i]], writable: false, enumerable: true, configurable: false };
            ObjectDefineProperty(Class, keys[i], constant);
            ObjectDefineProperty(Class.prototype, keys[i], constant);
        }
    }
}

/** Of a class: its own properties that are no members are left out. Of a prototype: attributes come before operations. */
function enumerate(target) {
    const keys = ReflectOwnKeys(target);
    const isClass = typeof target === 'function';
    const operations = [];
    for (let i = 0; i < keys.length; i++) {
        const key = keys[i];
        if (typeof key === 'symbol' || key === 'constructor' || (isClass && (key === 'prototype' || key === 'name' || key === 'length'))) continue;
        const descriptor = ReflectGetOwnPropertyDescriptor(target, key);
        descriptor.enumerable = true;
        if (!isClass && typeof descriptor.value === 'function') {
            delete target[key];
            ArrayPrototypePush(operations, key, descriptor);
        } else {
            ObjectDefineProperty(target, key, descriptor);
        }
    }
    for (let i = 0; i < operations.length; i += 2) ObjectDefineProperty(target, operations[i], operations[i + 1]);
}

/** An interface with its global. */
function defineInterface(Class, constants) {
    shapeInterface(Class, constants);
    defineGlobal(Class.name, Class);
}

/** @param {number} given @param {number} wanted @param {string} what */
function requireArguments(given, wanted, what) {
    if (given < wanted) throw new TypeError(`${what}: ${wanted} argument${wanted === 1 ? '' : 's'} required, but only ${given} present.`);
}

/** DOMString (§3.2.9): what ToString gives; a symbol throws. */
function toDOMString(value) {
    return typeof value === 'string' ? value : `${value}`;
}

/** USVString (§3.2.11): lone surrogates become U+FFFD. */
function toUSVString(value) {
    const text = typeof value === 'string' ? value : `${value}`;
    const length = text.length;
    for (let i = 0; i < length; i++) {
        const unit = StringPrototypeCharCodeAt(text, i);
        if (unit < 0xD800 || unit > 0xDFFF) continue;
        if (unit < 0xDC00 && i + 1 < length) {
            const next = StringPrototypeCharCodeAt(text, i + 1);
            if (next >= 0xDC00 && next <= 0xDFFF) { i++; continue; }
        }
        return replaceLoneSurrogates(text, i);
    }
    return text;
}

function replaceLoneSurrogates(text, from) {
    let result = StringPrototypeSlice(text, 0, from);
    const length = text.length;
    for (let i = from; i < length; i++) {
        const unit = StringPrototypeCharCodeAt(text, i);
        if (unit >= 0xD800 && unit <= 0xDFFF) {
            if (unit < 0xDC00 && i + 1 < length) {
                const next = StringPrototypeCharCodeAt(text, i + 1);
                if (next >= 0xDC00 && next <= 0xDFFF) { result += text[i] + text[i + 1]; i++; continue; }
            }
            result += '\uFFFD';
        } else {
            result += text[i];
        }
    }
    return result;
}

/** ByteString (§3.2.10): TypeError on a code unit over 255. */
function toByteString(value, what) {
    const text = typeof value === 'string' ? value : `${value}`;
    for (let i = 0; i < text.length; i++) {
        if (StringPrototypeCharCodeAt(text, i) > 255) {
            throw new TypeError(`${what}: the character at index ${i} has the value ${StringPrototypeCharCodeAt(text, i)}, which is greater than 255.`);
        }
    }
    return text;
}

/** unsigned long long with [EnforceRange] (§3.2.4.9), as far as a double is exact. */
function toEnforcedUnsigned(value, what) {
    const number = MathTrunc(Number(value));
    if (!(number >= 0 && number <= 9007199254740991)) throw new TypeError(`${what}: ${String(value)} is out of range.`);
    return number + 0;
}

/** A dictionary argument: undefined and null are the empty one, other primitives throw (§3.2.17). */
function toDictionary(value, what) {
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'object' && typeof value !== 'function') throw new TypeError(`${what} is not an object.`);
    return value;
}

/**
 * pair iterable<name, value> (§3.7.10): entries, keys, values, forEach and @@iterator for a class. Iterators are live: they keep an index.
 * @param {Function} Class
 * @param {(target: object) => string[]} listOf the pairs as name, value, name, value …; throws on a stranger
 */
function definePairIterable(Class, listOf) {
    const states = new SafeWeakMap(); // iterator → where it is
    const prototype = ObjectCreate(IteratorPrototype);
    const define = (target, key, value, enumerable) =>
        ObjectDefineProperty(target, key, { __proto__: null, value, writable: true, enumerable, configurable: true });
    define(prototype, 'next', function next() {
        const state = states.get(this);
        if (state === undefined) throw new TypeError(`next: the receiver is not a ${Class.name} Iterator`);
        const list = listOf(state.target);
        const { index, kind } = state;
        if (index >= list.length) return { value: undefined, done: true };
        state.index = index + 2;
        return { value: kind === 'keys' ? list[index] : kind === 'values' ? list[index + 1] : [list[index], list[index + 1]], done: false };
    }, true);
    ObjectDefineProperty(prototype, SymbolToStringTag, { __proto__: null, value: `${Class.name} Iterator`, configurable: true });
    const iterate = (target, kind) => {
        listOf(target);
        const iterator = ObjectCreate(prototype);
        states.set(iterator, { target, kind, index: 0 });
        return iterator;
    };
    const methods = {
        entries() { return iterate(this, 'entries'); },
        keys() { return iterate(this, 'keys'); },
        values() { return iterate(this, 'values'); },
        forEach(callback, receiver = undefined) {
            listOf(this);
            requireArguments(arguments.length, 1, 'forEach');
            if (typeof callback !== 'function') throw internal.typeError('The "callback" argument must be of type function.', 'ERR_INVALID_ARG_TYPE');
            for (let i = 0, list = listOf(this); i < list.length; i += 2, list = listOf(this)) {
                ReflectApply(callback, receiver, [list[i + 1], list[i], this]);
            }
        },
    };
    for (const name in methods) define(Class.prototype, name, methods[name], true);
    define(Class.prototype, SymbolIterator, methods.entries, false);
}

/** In a list of name, value, name, value …: puts value at the first place of name, or at the end; undefined takes name away. */
function replacePair(list, name, value) {
    let kept = 0;
    let done = value === undefined;
    for (let i = 0; i < list.length; i += 2) {
        let current = list[i + 1];
        if (list[i] === name) {
            if (done) continue;
            done = true;
            current = value;
        }
        list[kept++] = list[i];
        list[kept++] = current;
    }
    list.length = kept;
    if (!done) ArrayPrototypePush(list, name, value);
}

internal.webidl = {
    defineGlobal, defineGlobalFunction, defineInterface, definePairIterable, replacePair, requireArguments, shapeInterface, toByteString, toDOMString, toDictionary, toEnforcedUnsigned,
    toUSVString,
};
