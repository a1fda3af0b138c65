'use strict';
// @ts-check
// What kind of object a value is, whatever its prototype and Symbol.toStringTag say. V8 tells some by a native call; of the others the brand checks inside
// the built-ins' own getters tell. They throw on a stranger, which is slow, so cheap evidence goes first.

const {
    ArrayBufferIsView, ArrayBufferPrototypeGetByteLength, ArrayIsArray, BigIntPrototypeValueOf, BooleanPrototypeValueOf, DatePrototypeGetTime,
    Error, FunctionPrototypeSymbolHasInstance, MapPrototypeGetSize, NumberPrototypeValueOf, ObjectGetPrototypeOf, ObjectKeys, ObjectPrototype,
    ObjectPrototypeToString, Promise, RegExpPrototypeGetSource, SetPrototypeGetSize,
    StringPrototypeSlice, StringPrototypeValueOf, SymbolPrototypeValueOf, SymbolToStringTag, TypedArrayPrototypeGetSymbolToStringTag,
    WeakMapPrototypeHas, WeakSetPrototypeHas,
} = primordials;

const none = {};
const brands = {
    __proto__: null,
    Map: MapPrototypeGetSize,
    Set: SetPrototypeGetSize,
    Date: DatePrototypeGetTime,
    RegExp: RegExpPrototypeGetSource,
    ArrayBuffer: ArrayBufferPrototypeGetByteLength,
    SharedArrayBuffer: (value) => internal.late.SharedArrayBufferPrototypeGetByteLength(value),
    WeakMap: (value) => WeakMapPrototypeHas(value, none),
    WeakSet: (value) => WeakSetPrototypeHas(value, none),
    Number: NumberPrototypeValueOf,
    String: StringPrototypeValueOf,
    Boolean: BooleanPrototypeValueOf,
    Symbol: SymbolPrototypeValueOf,
    BigInt: BigIntPrototypeValueOf,
};
const brandNames = ObjectKeys(brands);

function is(brand, value) {
    try {
        brands[brand](value);
        return true;
    } catch {
        return false;
    }
}

// By the numbers of sl_v8_brand; those that are missing here are told below.
const native = ['', 'Proxy', 'Promise', '', '', 'WeakMap', 'WeakSet', 'Module', '', 'Arguments', 'Error'];

/**
 * 'Array', 'Function', 'Object', 'Error', 'Arguments', 'Module', 'DataView', 'Promise', a typed array's name, or one of `brands`.
 * @param {object} value
 */
function brandOf(value) {
    if (typeof value === 'function') return 'Function';
    if (ArrayIsArray(value)) return 'Array';
    if (ArrayBufferIsView(value)) {
        const name = TypedArrayPrototypeGetSymbolToStringTag(value);
        return name === undefined ? 'DataView' : name;
    }
    const known = native[ops.brand(value)];
    if (known !== undefined && known !== '') return known;
    let tag;
    try { tag = value[SymbolToStringTag]; } catch { tag = ''; }
    if (typeof tag !== 'string') {
        // Without a tag Object.prototype.toString tells the built-in kind of the kinds that are older than tags (ECMA-262 §20.1.3.6).
        const name = StringPrototypeSlice(ObjectPrototypeToString(value), 8, -1);
        if (name !== 'Object') return name === 'Function' ? 'Object' : name;
        const prototype = ObjectGetPrototypeOf(value);
        if (prototype === ObjectPrototype) return 'Object';
        // A class of the user's, or a collection whose prototype was taken away.
        return prototype === null ? search(value) : 'Object';
    }
    if (tag === 'Object' || tag === 'Array') return 'Object';
    if (brands[tag] !== undefined && is(tag, value)) return tag;
    if (tag === 'Promise' && FunctionPrototypeSymbolHasInstance(Promise, value)) return 'Promise';
    if (tag === 'Module' && ObjectGetPrototypeOf(value) === null) return 'Module';
    return search(value);
}

function search(value) {
    for (let i = 0; i < brandNames.length; i++) {
        if (is(brandNames[i], value)) return brandNames[i];
    }
    try {
        if (FunctionPrototypeSymbolHasInstance(Promise, value)) return 'Promise';
        if (FunctionPrototypeSymbolHasInstance(Error, value)) return 'Error';
    } catch { /* a proxy's trap */ }
    return 'Object';
}

/** An error of this realm, or what V8 itself takes for one. */
function isError(value) {
    if (value === null || typeof value !== 'object') return false;
    try {
        return FunctionPrototypeSymbolHasInstance(Error, value) ||
            (value[SymbolToStringTag] === undefined && ObjectPrototypeToString(value) === '[object Error]');
    } catch {
        return false; // a proxy's trap
    }
}

internal.types = { brandOf, is, isError };
