'use strict';
// @ts-check
// node:util/types: what a value is by V8's own knowledge. https://nodejs.org/api/util.html#utiltypes

const { ArrayBufferIsView, TypedArrayPrototypeGetSymbolToStringTag } = primordials;
const { is } = internal.types;
const { withDefault } = internal.load('node_errors');

const isObject = (value) => value !== null && typeof value === 'object';
/** By the numbers of sl_v8_brand. */
const native = (number) => (value) => ops.brand(value) === number;
const branded = (name) => (value) => isObject(value) && ops.brand(value) === 0 && is(name, value);
const typed = (name) => (value) => ArrayBufferIsView(value) && TypedArrayPrototypeGetSymbolToStringTag(value) === name;
const isTypedArray = (value) => ArrayBufferIsView(value) && TypedArrayPrototypeGetSymbolToStringTag(value) !== undefined;

const types = {
    isExternal: native(11), isArgumentsObject: native(9), isNativeError: native(10),
    isAsyncFunction: (value) => ops.brand(value) === 12 || ops.brand(value) === 14,
    isGeneratorFunction: (value) => ops.brand(value) === 13 || ops.brand(value) === 14,
    isGeneratorObject: native(8), isPromise: native(2), isMapIterator: native(3), isSetIterator: native(4), isWeakMap: native(5), isWeakSet: native(6), isProxy: native(1),
    isModuleNamespaceObject: native(7), isDate: branded('Date'), isBigIntObject: branded('BigInt'), isBooleanObject: branded('Boolean'), isNumberObject: branded('Number'),
    isStringObject: branded('String'), isSymbolObject: branded('Symbol'), isRegExp: branded('RegExp'), isMap: branded('Map'), isSet: branded('Set'),
    isArrayBuffer: branded('ArrayBuffer'), isSharedArrayBuffer: branded('SharedArrayBuffer'),
    isAnyArrayBuffer: (value) => types.isArrayBuffer(value) || types.isSharedArrayBuffer(value),
    isBoxedPrimitive: (value) =>
        types.isNumberObject(value) || types.isStringObject(value) || types.isBooleanObject(value) || types.isBigIntObject(value) || types.isSymbolObject(value),
    isArrayBufferView: (value) => ArrayBufferIsView(value), isTypedArray,
    isDataView: (value) => ArrayBufferIsView(value) && !isTypedArray(value),
};
const arrays = [
    'Uint8Array', 'Uint8ClampedArray', 'Uint16Array', 'Uint32Array', 'Int8Array', 'Int16Array', 'Int32Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array',
];
for (let i = 0; i < arrays.length; i++) types[`is${arrays[i]}`] = typed(arrays[i]);
return withDefault(types);
