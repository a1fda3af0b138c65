'use strict';
// @ts-check
// Deep equality of node:assert and util.isDeepStrictEqual: https://nodejs.org/api/assert.html#comparison-details. Strict: types, prototypes and Object.is.
// Loose: primitives by ==, no prototypes, no symbols.

const {
    ArrayBufferIsView, ArrayPrototypePush, BigIntPrototypeValueOf, BooleanPrototypeValueOf, DatePrototypeGetTime, MapPrototypeForEach,
    MapPrototypeGet, MapPrototypeGetSize, MapPrototypeHas, NumberIsNaN, NumberPrototypeValueOf, ObjectGetOwnPropertySymbols, ObjectGetPrototypeOf,
    ObjectIs, ObjectKeys, ObjectPrototypeHasOwnProperty, ObjectPrototypePropertyIsEnumerable, ObjectPrototypeToString, RegExpPrototypeGetFlags,
    RegExpPrototypeGetSource, SafeSet, SetPrototypeForEach, SetPrototypeGetSize, SetPrototypeHas, StringPrototypeValueOf, SymbolPrototypeValueOf,
    TypedArrayPrototypeGetLength,
} = primordials;
const { brandOf, isError } = internal.types;
const { bytesOf } = internal.encoding;

const lengthOf = TypedArrayPrototypeGetLength;

/** @typedef {{strict: boolean, skipPrototype: boolean, seen: {a: object, b: object} | undefined}} Comparison */

function sameBytes(a, b) {
    const x = bytesOf(a), y = bytesOf(b);
    if (lengthOf(x) !== lengthOf(y)) return false;
    for (let i = 0; i < lengthOf(x); i++) if (x[i] !== y[i]) return false;
    return true;
}

/** Loosely, numbers are compared: -0 is 0. */
function sameElements(a, b) {
    if (lengthOf(a) !== lengthOf(b)) return false;
    for (let i = 0; i < lengthOf(a); i++) if (a[i] !== b[i] && !(NumberIsNaN(a[i]) && NumberIsNaN(b[i]))) return false;
    return true;
}

const unwrap = {
    __proto__: null, Number: NumberPrototypeValueOf, String: StringPrototypeValueOf, Boolean: BooleanPrototypeValueOf, BigInt: BigIntPrototypeValueOf, Symbol: SymbolPrototypeValueOf,
};

const isPrimitive = (value) => value === null || (typeof value !== 'object' && typeof value !== 'function');

/** @param {Comparison} c */
function equal(a, b, c) {
    if (a === b) return a !== 0 || !c.strict || ObjectIs(a, b);
    if (c.strict) {
        if (typeof a !== 'object') return typeof a === 'number' && NumberIsNaN(a) && NumberIsNaN(b);
        if (typeof b !== 'object' || a === null || b === null) return false;
        if (!c.skipPrototype && ObjectGetPrototypeOf(a) !== ObjectGetPrototypeOf(b)) return false;
    } else {
        if (a === null || typeof a !== 'object') {
            // eslint would have ===; loose equality is what is asked for.
            return (b === null || typeof b !== 'object') && (a == b || (NumberIsNaN(a) && NumberIsNaN(b)));
        }
        if (b === null || typeof b !== 'object') return false;
    }
    if (ObjectPrototypeToString(a) !== ObjectPrototypeToString(b)) return false;
    const kind = brandOf(a);
    if (kind !== brandOf(b)) return false;
    switch (kind) {
    case 'Array':
        return a.length === b.length && sameProperties(a, b, c, withoutIndexes, 'list');
    case 'Date':
        if (DatePrototypeGetTime(a) !== DatePrototypeGetTime(b) && !(NumberIsNaN(DatePrototypeGetTime(a)) && NumberIsNaN(DatePrototypeGetTime(b)))) return false;
        break;
    case 'RegExp':
        if (RegExpPrototypeGetSource(a) !== RegExpPrototypeGetSource(b) || RegExpPrototypeGetFlags(a) !== RegExpPrototypeGetFlags(b) || a.lastIndex !== b.lastIndex) return false;
        break;
    case 'Error':
        if (!sameErrors(a, b, c)) return false;
        break;
    case 'Number': case 'String': case 'Boolean': case 'BigInt': case 'Symbol':
        if (!ObjectIs(unwrap[kind](a), unwrap[kind](b))) return false;
        break;
    case 'ArrayBuffer': case 'SharedArrayBuffer': case 'DataView':
        if (!sameBytes(a, b)) return false;
        break;
    case 'Set':
        return SetPrototypeGetSize(a) === SetPrototypeGetSize(b) && sameProperties(a, b, c, ObjectKeys, 'set');
    case 'Map':
        return MapPrototypeGetSize(a) === MapPrototypeGetSize(b) && sameProperties(a, b, c, ObjectKeys, 'map');
    case 'WeakMap': case 'WeakSet': case 'Promise':
        return false;
    default:
        if (ArrayBufferIsView(a)) {
            if (!(c.strict ? sameBytes(a, b) : sameElements(a, b))) return false;
            return sameProperties(a, b, c, withoutIndexes, 'none');
        }
        if (isError(a) !== isError(b)) return false;
        if (isError(a) && !sameErrors(a, b, c)) return false;
        if (!sameAddresses(internal.urlRecord(a), internal.urlRecord(b))) return false;
    }
    return sameProperties(a, b, c, ObjectKeys, 'none');
}

/** Two URLs; two others have no records. */
function sameAddresses(a, b) {
    if (a === undefined || b === undefined) return a === b;
    return internal.url.serialize(a) === internal.url.serialize(b);
}

/** name, message, cause and errors count though they are not enumerable. */
function sameErrors(a, b, c) {
    if (a.message !== b.message || a.name !== b.name) return false;
    const names = ['cause', 'errors'];
    for (let i = 0; i < 2; i++) {
        const name = names[i];
        const has = ObjectPrototypeHasOwnProperty(a, name);
        if (has !== ObjectPrototypeHasOwnProperty(b, name)) return false;
        if (has && !ObjectPrototypePropertyIsEnumerable(a, name) && !equal(a[name], b[name], c)) return false;
    }
    return true;
}

/** Own enumerable keys but for the places of an array, which are compared one by one. */
function withoutIndexes(value) {
    const keys = ObjectKeys(value);
    const rest = [];
    for (let i = keys.length - 1; i >= 0; i--) {
        const number = +keys[i];
        if (number >= 0 && number < 4294967295 && `${number >>> 0}` === keys[i]) break; // indexes come first
        ArrayPrototypePush(rest, keys[i]);
    }
    return rest;
}

function enumerableSymbols(value) {
    const all = ObjectGetOwnPropertySymbols(value);
    const kept = [];
    for (let i = 0; i < all.length; i++) if (ObjectPrototypePropertyIsEnumerable(value, all[i])) ArrayPrototypePush(kept, all[i]);
    return kept;
}

function sameProperties(a, b, c, keysOf, inside) {
    const keys = keysOf(a);
    if (keys.length !== keysOf(b).length) return false;
    for (let i = 0; i < keys.length; i++) {
        if (!(c.strict ? ObjectPrototypePropertyIsEnumerable(b, keys[i]) : ObjectPrototypeHasOwnProperty(b, keys[i]))) return false;
    }
    let symbols = [];
    if (c.strict) {
        symbols = enumerableSymbols(a);
        if (symbols.length !== enumerableSymbols(b).length) return false;
        for (let i = 0; i < symbols.length; i++) if (!ObjectPrototypePropertyIsEnumerable(b, symbols[i])) return false;
    }
    // Two that are both being compared further up are taken for equal: a difference, if there is one, is found elsewhere.
    const seen = c.seen ??= { a: new SafeSet(), b: new SafeSet() };
    const isInside = seen.a.has(a), isOtherInside = seen.b.has(b);
    if (isInside && isOtherInside) return true;
    seen.a.add(a);
    seen.b.add(b);
    const result = sameInside(a, b, c, keys, symbols, inside);
    if (!isInside) seen.a.delete(a);
    if (!isOtherInside) seen.b.delete(b);
    return result;
}

function sameInside(a, b, c, keys, symbols, inside) {
    if (inside === 'set') {
        if (!sameSets(a, b, c)) return false;
    } else if (inside === 'map') {
        if (!sameMaps(a, b, c)) return false;
    } else if (inside === 'list') {
        for (let i = 0; i < a.length; i++) {
            if (ObjectPrototypeHasOwnProperty(a, i)) {
                if (!ObjectPrototypeHasOwnProperty(b, i) || !equal(a[i], b[i], c)) return false;
            } else if (ObjectPrototypeHasOwnProperty(b, i)) {
                return false;
            }
        }
    }
    for (let i = 0; i < keys.length; i++) if (!equal(a[keys[i]], b[keys[i]], c)) return false;
    for (let i = 0; i < symbols.length; i++) if (!equal(a[symbols[i]], b[symbols[i]], c)) return false;
    return true;
}

/** Members that have no twin by identity are tried against each other. */
function sameSets(a, b, c) {
    const left = [];
    let fails = false;
    SetPrototypeForEach(a, (value) => {
        if (SetPrototypeHas(b, value)) return;
        if (c.strict && isPrimitive(value)) fails = true;
        ArrayPrototypePush(left, value);
    });
    if (fails) return false;
    if (left.length === 0) return true;
    const right = [];
    SetPrototypeForEach(b, (value) => {
        if (!SetPrototypeHas(a, value)) ArrayPrototypePush(right, value);
    });
    return pairUp(left, right, (x, y) => equal(x, y, c));
}

function sameMaps(a, b, c) {
    const left = [];
    const others = new SafeSet(); // keys of both whose values differ: a key that is only alike may have the right one
    let fails = false;
    MapPrototypeForEach(a, (value, key) => {
        if (fails) return;
        if (MapPrototypeHas(b, key)) {
            if (equal(value, MapPrototypeGet(b, key), c)) return;
            if (c.strict || !isPrimitive(key)) { fails = true; return; }
            others.add(key);
        } else if (c.strict && isPrimitive(key)) {
            fails = true;
            return;
        }
        ArrayPrototypePush(left, [key, value]);
    });
    if (fails) return false;
    if (left.length === 0) return true;
    const right = [];
    MapPrototypeForEach(b, (value, key) => {
        if (!MapPrototypeHas(a, key) || others.has(key)) ArrayPrototypePush(right, [key, value]);
    });
    return pairUp(left, right, (x, y) => equal(x[0], y[0], c) && equal(x[1], y[1], c));
}

/** Every one of `left` has one of `right` to itself. */
function pairUp(left, right, matches) {
    const taken = [];
    for (let i = 0; i < left.length; i++) {
        let found = false;
        for (let k = 0; k < right.length && !found; k++) {
            if (taken[k] !== true && matches(left[i], right[k])) found = taken[k] = true;
        }
        if (!found) return false;
    }
    return true;
}

return {
    isDeepStrictEqual: (a, b, options) => equal(a, b, { strict: true, skipPrototype: options?.skipPrototype === true, seen: undefined }),
    isDeepEqual: (a, b) => equal(a, b, { strict: false, skipPrototype: false, seen: undefined }),
};
