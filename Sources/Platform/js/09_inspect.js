'use strict';
// @ts-check
// Values as text, in the form of Node's util.inspect, which is what people read and compare: same words, same line breaks, same limits.
//
// A value becomes a list of parts (its entries), a base (what stands before the brace) and braces; `lay` puts them on one line when they fit.

const {
    Array, ArrayBufferPrototypeGetByteLength, ArrayPrototypeIncludes, ArrayPrototypeJoin, ArrayPrototypePop, ArrayPrototypePush,
    ArrayPrototypeSort, ArrayPrototypeSplice, AsyncFunctionPrototype, AsyncGeneratorFunctionPrototype, BigIntPrototypeToString,
    BigIntPrototypeValueOf, BooleanPrototypeValueOf, DataViewPrototypeGetBuffer, DataViewPrototypeGetByteLength, DataViewPrototypeGetByteOffset,
    DatePrototypeGetTime, DatePrototypeToISOString, DatePrototypeToString, FunctionPrototypeSymbolHasInstance, FunctionPrototypeToString,
    GeneratorFunctionPrototype, MapPrototypeForEach, MapPrototypeGetSize, NumberPrototypeToString, NumberPrototypeValueOf,
    ObjectGetOwnPropertyDescriptor, ObjectGetOwnPropertyNames, ObjectGetOwnPropertySymbols, ObjectGetPrototypeOf, ObjectIs, ObjectKeys,
    ObjectPrototypeHasOwnProperty, ObjectPrototypeIsPrototypeOf, ObjectPrototypePropertyIsEnumerable, RangeError, ReflectApply,
    RegExpPrototypeExec, RegExpPrototypeGetDotAll, RegExpPrototypeGetGlobal, RegExpPrototypeGetHasIndices, RegExpPrototypeGetIgnoreCase,
    RegExpPrototypeGetMultiline, RegExpPrototypeGetSource, RegExpPrototypeGetSticky, RegExpPrototypeGetUnicode, SafeMap, SetPrototypeForEach,
    SetPrototypeGetSize, String, StringPrototypeEndsWith, StringPrototypeIncludes, StringPrototypeIndexOf, StringPrototypeRepeat,
    StringPrototypeSlice, StringPrototypeStartsWith, StringPrototypeToLowerCase, StringPrototypeTrimStart, StringPrototypeValueOf, SymbolFor,
    SymbolPrototypeToString, SymbolPrototypeValueOf, SymbolToStringTag, TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength,
    TypedArrayPrototypeGetByteOffset, TypedArrayPrototypeGetLength, TypedArrayPrototypeGetSymbolToStringTag, Uint8Array,
} = primordials;
const { brandOf, isError } = internal.types;
const { columns, escapeText, plainLength, replaceNewlines, split, styles } = internal.text;

const customInspect = SymbolFor('nodejs.util.inspect.custom');

const entries = 0, elements = 1, arrayKeys = 2; // how a property is written: `key: value`, `value`, `key: value` after elements

const defaults = {
    showHidden: false, depth: 2, colors: false, customInspect: true, showProxy: false, maxArrayLength: 100, maxStringLength: 10000, breakLength: 80,
    compact: 3, sorted: false, getters: false, numericSeparator: false,
};

// Numbers of sl_v8_brand.
const brandProxy = 1, brandMapIterator = 3, brandSetIterator = 4;

/** The options of most calls: an object that others compare with. */
const plain = { colors: false };
internal.plainInspect = plain;

/**
 * @param {unknown} value
 * @param {object} [options] Node's names: showHidden, depth, colors, customInspect, maxArrayLength, maxStringLength, breakLength, compact
 * @returns {string}
 */
function inspect(value, options, ...older) {
    if (typeof options === 'boolean') { // Node's signature of old
        options = { showHidden: options };
        if (older.length > 0) options.depth = older[0];
        if (older.length > 1 && older[1] !== undefined) options.colors = older[1];
    }
    if (typeof value === 'number' && (options === undefined || options === plain)) return formatNumber(defaults, value);
    const context = {
        __proto__: null, ...defaults, seen: [], circular: undefined, indentation: 0, depthNow: 0, written: 0, options,
    };
    if (typeof options === 'object' && options !== null) {
        const keys = ObjectKeys(defaults);
        for (let i = 0; i < keys.length; i++) {
            if (ObjectPrototypeHasOwnProperty(options, keys[i])) context[keys[i]] = options[keys[i]];
        }
    }
    if (context.depth === null || context.depth === undefined) context.depth = Infinity;
    if (context.maxArrayLength === null) context.maxArrayLength = Infinity;
    if (context.maxStringLength === null) context.maxStringLength = Infinity;
    if (context.compact === true) context.compact = 3;
    if (context.compact === false) context.compact = 0;
    return format(context, value, 0);
}

function style(context, text, kind) {
    if (!context.colors) return text;
    const codes = styles[kind];
    return codes === undefined ? text : codes[0] + text + codes[1];
}

function format(context, value, depth) {
    if (typeof value !== 'object' && typeof value !== 'function') return formatPrimitive(context, value);
    if (value === null) return style(context, 'null', 'null');
    if (ops.brand(value) === brandProxy) { // no trap is called
        const inside = ops.inside(value);
        if (inside[0] === null) return style(context, '<Revoked Proxy>', 'special');
        return context.showProxy ? formatProxy(context, inside, depth) : format(context, inside[0], depth);
    }
    if (context.customInspect) {
        const custom = value[customInspect];
        if (typeof custom === 'function' && custom !== inspect) {
            const text = callCustom(context, value, custom, depth);
            if (text !== undefined) return text;
        }
    }
    if (ArrayPrototypeIncludes(context.seen, value)) {
        if (context.circular === undefined) context.circular = new SafeMap();
        let index = context.circular.get(value);
        if (index === undefined) {
            index = context.circular.size + 1;
            context.circular.set(value, index);
        }
        return style(context, `[Circular *${index}]`, 'special');
    }
    return formatObject(context, value, depth);
}

function formatProxy(context, inside, depth) {
    if (depth > context.depth) return style(context, 'Proxy [Array]', 'special');
    depth++;
    context.indentation += 2;
    const parts = [format(context, inside[0], depth), format(context, inside[1], depth)];
    context.indentation -= 2;
    return lay(context, parts, { base: '', open: 'Proxy [', close: ']', kind: elements }, depth, undefined);
}

function callCustom(context, value, custom, depth) {
    const constructor = ObjectPrototypeHasOwnProperty(value, 'constructor') ? value.constructor : undefined;
    if (constructor !== undefined && constructor !== null && constructor.prototype === value) return undefined; // the prototype itself
    const options = { stylize: (text, kind) => style(context, `${text}`, kind) };
    const keys = ObjectKeys(defaults);
    for (let i = 0; i < keys.length; i++) options[keys[i]] = context[keys[i]];
    options.depth = context.depth - depth;
    const result = ReflectApply(custom, value, [context.depth - depth, options, inspect]);
    if (result === value) return undefined;
    if (typeof result !== 'object') return replaceNewlines(`${String(result)}`, context.indentation);
    return format(context, result, depth);
}

function formatPrimitive(context, value) {
    switch (typeof value) {
    case 'string': {
        let trailer = '';
        if (value.length > context.maxStringLength) {
            const left = value.length - context.maxStringLength;
            value = internal.text.cut(value, context.maxStringLength);
            trailer = `... ${left} more character${left > 1 ? 's' : ''}`;
        }
        // Long text of several lines: one literal a line.
        if (value.length > 16 && value.length > context.breakLength - context.indentation - 4 && StringPrototypeIncludes(value, '\n')) {
            const lines = split(value, '\n');
            let text = '';
            for (let i = 0; i < lines.length; i++) {
                const last = i === lines.length - 1;
                if (last && lines[i] === '') break;
                if (i > 0) text += ` +\n${StringPrototypeRepeat(' ', context.indentation + 2)}`;
                text += style(context, escapeText(last ? lines[i] : lines[i] + '\n'), 'string');
            }
            return text + trailer;
        }
        return style(context, escapeText(value), 'string') + trailer;
    }
    case 'number': return formatNumber(context, value);
    case 'bigint': return style(context, `${context.numericSeparator ? separated(BigIntPrototypeToString(value)) : BigIntPrototypeToString(value)}n`, 'bigint');
    case 'boolean': return style(context, value ? 'true' : 'false', 'boolean');
    case 'symbol': return style(context, SymbolPrototypeToString(value), 'symbol');
    default: return style(context, 'undefined', 'undefined');
    }
}

function formatNumber(context, value) {
    const text = ObjectIs(value, -0) ? '-0' : NumberPrototypeToString(value, 10);
    return style(context, context.numericSeparator && RegExpPrototypeExec(digitsPattern, text) !== null ? separated(text) : text, 'number');
}

const digitsPattern = /^-?\d+(?:\.\d+)?$/;

/** 1_234_567.123_4 */
function separated(text) {
    const dot = StringPrototypeIndexOf(text, '.');
    const whole = dot < 0 ? text : StringPrototypeSlice(text, 0, dot);
    const start = whole[0] === '-' ? 1 : 0;
    let result = '';
    let i = whole.length;
    for (; i >= start + 4; i -= 3) result = `_${StringPrototypeSlice(whole, i - 3, i)}${result}`;
    result = StringPrototypeSlice(whole, 0, i) + result;
    if (dot < 0) return result;
    for (let k = dot + 1; k < text.length; k += 3) result += (k === dot + 1 ? '.' : '_') + StringPrototypeSlice(text, k, k + 3);
    return result;
}

/** The name of the class; null when there is no prototype at all. */
function constructorName(context, value, depth) {
    let holder = value;
    let first;
    while (holder !== null) {
        const constructor = internal.frozen.valueIn(ObjectGetOwnPropertyDescriptor(holder, 'constructor'));
        if (typeof constructor === 'function' && constructor.name !== '' && isInstance(value, constructor)) return String(constructor.name);
        holder = ObjectGetPrototypeOf(holder);
        if (first === undefined) first = holder;
    }
    if (first === null) return null;
    const kind = brandOf(value);
    if (depth > context.depth) return `${kind} <Complex prototype>`;
    const prototypeName = constructorName(context, first, depth + 1);
    if (prototypeName !== null) return `${kind} <${prototypeName}>`;
    const text = inspect(first, { customInspect: false, depth: -1 });
    return `${kind} <${text}>`;
}

function isInstance(value, Class) {
    try {
        return FunctionPrototypeSymbolHasInstance(Class, value);
    } catch {
        return false;
    }
}

function prefixOf(constructor, tag, fallback, size = '') {
    if (constructor === null) {
        return tag !== '' && fallback !== tag ? `[${fallback}${size}: null prototype] [${tag}] ` : `[${fallback}${size}: null prototype] `;
    }
    return tag !== '' && constructor !== tag ? `${constructor}${size} [${tag}] ` : `${constructor}${size} `;
}

function isIndex(key) {
    if (typeof key !== 'string' || key.length === 0 || key.length > 10) return false;
    const number = +key;
    return number >= 0 && number < 4294967295 && `${number}` === key;
}

/** Own keys that are shown. */
function keysOf(context, value, withoutIndexes) {
    let keys = context.showHidden ? ObjectGetOwnPropertyNames(value) : ObjectKeys(value);
    if (withoutIndexes) {
        const rest = [];
        for (let i = 0; i < keys.length; i++) {
            if (!isIndex(keys[i])) ArrayPrototypePush(rest, keys[i]);
        }
        keys = rest;
    }
    const symbols = ObjectGetOwnPropertySymbols(value);
    for (let i = 0; i < symbols.length; i++) {
        if (context.showHidden || ObjectPrototypePropertyIsEnumerable(value, symbols[i])) ArrayPrototypePush(keys, symbols[i]);
    }
    return keys;
}

function formatObject(context, value, depth) {
    const constructor = constructorName(context, value, depth);
    let tag;
    try { tag = value[SymbolToStringTag]; } catch { /* a getter of the user's */ }
    // An own tag is listed as a property anyway.
    if (typeof tag !== 'string' || (tag !== '' && ObjectPrototypePropertyIsEnumerable(value, SymbolToStringTag))) tag = '';

    const shape = { base: '', open: '{', close: '}', parts: noParts, keys: noKeys, kind: entries, empty: undefined };
    describe(context, value, constructor, tag, shape, depth);
    if (shape.empty !== undefined) return shape.empty;

    if (depth > context.depth) {
        const name = StringPrototypeSlice(prefixOf(constructor, tag, 'Object'), 0, -1);
        return style(context, constructor === null ? name : `[${name}]`, 'special');
    }
    depth++;
    ArrayPrototypePush(context.seen, value);
    context.depthNow = depth;
    const indentation = context.indentation;
    let parts;
    try {
        parts = shape.parts(context, value, depth);
        for (let i = 0; i < shape.keys.length; i++) ArrayPrototypePush(parts, formatProperty(context, value, depth, shape.keys[i], shape.kind));
    } catch (error) {
        if (!isStackOverflow(error)) throw error;
        context.indentation = indentation;
        ArrayPrototypePop(context.seen);
        return style(context, `[${constructor}: Inspection interrupted prematurely. Maximum call stack size exceeded.]`, 'special');
    }
    if (context.circular !== undefined) {
        const index = context.circular.get(value);
        if (index !== undefined) {
            const reference = style(context, `<ref *${index}>`, 'special');
            shape.base = shape.base === '' ? reference : `${reference} ${shape.base}`;
        }
    }
    ArrayPrototypePop(context.seen);
    if (context.sorted) sortParts(context, parts, shape);
    const text = lay(context, parts, shape, depth, value);
    // A guard against values whose text would fill the heap.
    context.written += text.length;
    if (context.written > 2 ** 27) context.depth = -1;
    return text;
}

function isStackOverflow(error) {
    return FunctionPrototypeSymbolHasInstance(RangeError, error) && error.message === 'Maximum call stack size exceeded';
}

/** Elements keep their places, properties are sorted. */
function sortParts(context, parts, shape) {
    const compare = context.sorted === true ? undefined : context.sorted;
    const first = shape.kind === entries ? 0 : parts.length - shape.keys.length;
    const properties = ArrayPrototypeSort(ArrayPrototypeSplice(parts, first, parts.length - first), compare);
    for (let i = 0; i < properties.length; i++) ArrayPrototypePush(parts, properties[i]);
}

const noParts = () => [];
const noKeys = [];

/** Fills `shape`; shape.empty is the whole text where nothing has to be listed. */
function describe(context, value, constructor, tag, shape, depth) {
    const brand = brandOf(value);
    switch (brand) {
    case 'Array': {
        const prefix = constructor !== 'Array' || tag !== '' ? prefixOf(constructor, tag, 'Array', `(${value.length})`) : '';
        shape.keys = keysOf(context, value, true);
        shape.open = `${prefix}[`;
        shape.close = ']';
        shape.kind = arrayKeys;
        shape.parts = arrayParts;
        if (value.length === 0 && shape.keys.length === 0) shape.empty = `${shape.open}]`;
        return;
    }
    case 'Set':
    case 'Map': {
        const size = brand === 'Set' ? SetPrototypeGetSize(value) : MapPrototypeGetSize(value);
        const prefix = prefixOf(constructor, tag, brand, `(${size})`);
        shape.keys = keysOf(context, value, false);
        shape.open = `${prefix}{`;
        shape.parts = brand === 'Set' ? setParts : mapParts;
        if (size === 0 && shape.keys.length === 0) shape.empty = `${prefix}{}`;
        return;
    }
    case 'Function':
        shape.base = functionBase(value, constructor, tag);
        break;
    case 'RegExp': {
        const prefix = prefixOf(constructor, tag, 'RegExp');
        shape.base = (prefix === 'RegExp ' ? '' : prefix) + regExpText(value);
        shape.keys = keysOf(context, value, false);
        if (shape.keys.length === 0 || depth > context.depth) shape.empty = style(context, shape.base, 'regexp');
        return;
    }
    case 'Date': {
        const prefix = prefixOf(constructor, tag, 'Date');
        const text = DatePrototypeGetTime(value) !== DatePrototypeGetTime(value) ? DatePrototypeToString(value) : DatePrototypeToISOString(value);
        shape.base = (prefix === 'Date ' ? '' : prefix) + text;
        shape.keys = keysOf(context, value, false);
        if (shape.keys.length === 0) shape.empty = style(context, shape.base, 'date');
        return;
    }
    case 'ArrayBuffer':
    case 'SharedArrayBuffer': {
        const prefix = prefixOf(constructor, tag, brand);
        shape.keys = keysOf(context, value, false);
        shape.open = `${prefix}{`;
        shape.parts = (c, v) => bufferParts(c, v, brand);
        return;
    }
    case 'DataView':
        shape.open = `${prefixOf(constructor, tag, 'DataView')}{`;
        shape.keys = keysOf(context, value, false);
        shape.parts = viewParts;
        return;
    case 'Promise':
        shape.open = `${prefixOf(constructor, tag, 'Promise')}{`;
        shape.keys = keysOf(context, value, false);
        shape.parts = promiseParts;
        return;
    case 'WeakSet':
    case 'WeakMap':
        shape.open = `${prefixOf(constructor, tag, brand)}{`;
        shape.keys = keysOf(context, value, false);
        shape.parts = (c, v, d) => (c.showHidden ? iteratorParts(c, v, d, brand === 'WeakMap') : [style(c, '<items unknown>', 'special')]);
        return;
    case 'Module':
        shape.open = `${prefixOf(constructor, tag, 'Module')}{`;
        shape.parts = moduleParts;
        return;
    case 'Number':
    case 'String':
    case 'Boolean':
    case 'Symbol':
    case 'BigInt':
        shape.base = boxedBase(value, brand, constructor, tag);
        shape.keys = keysOf(context, value, brand === 'String');
        if (shape.keys.length === 0) shape.empty = style(context, shape.base, StringPrototypeToLowerCase(brand));
        return;
    case 'Arguments':
        shape.open = `${constructor === 'Object' ? '' : prefixOf(constructor, '', 'Arguments')}[Arguments] {`;
        shape.keys = keysOf(context, value, false);
        if (shape.keys.length === 0) shape.empty = `${shape.open}}`;
        return;
    case 'Error':
    case 'Object':
        break;
    default: { // a typed array
        const size = TypedArrayPrototypeGetLength(value);
        shape.keys = keysOf(context, value, true);
        shape.open = `${prefixOf(constructor, tag, brand, `(${size})`)}[`;
        shape.close = ']';
        shape.kind = arrayKeys;
        shape.parts = typedArrayParts;
        if (size === 0 && shape.keys.length === 0 && !context.showHidden) shape.empty = `${shape.open}]`;
        return;
    }
    }
    shape.keys = keysOf(context, value, false);
    const number = brand === 'Object' ? ops.brand(value) : 0;
    if (number === brandMapIterator || number === brandSetIterator) {
        const inside = ops.inside(value);
        const name = number === brandMapIterator ? 'Map' : 'Set';
        shape.open = `[${inside !== null && inside[0] ? `${name} Entries` : tag}] {`;
        shape.parts = iteratorParts;
        return;
    }
    if (brand === 'Function') {
        if (shape.keys.length === 0) shape.empty = style(context, shape.base, 'special');
    } else if (brand === 'Error' || isError(value)) {
        shape.base = internal.errorText(context, value, constructor, tag, shape.keys, prefixOf, style);
        if (shape.keys.length === 0) shape.empty = shape.base;
    } else if (constructor === 'Object' && tag === '') {
        if (shape.keys.length === 0) shape.empty = '{}';
    } else {
        shape.open = `${prefixOf(constructor, tag, 'Object')}{`;
        if (shape.keys.length === 0) shape.empty = `${shape.open}}`;
    }
}

function regExpText(value) {
    let text = `/${RegExpPrototypeGetSource(value)}/`;
    if (RegExpPrototypeGetHasIndices(value)) text += 'd';
    if (RegExpPrototypeGetGlobal(value)) text += 'g';
    if (RegExpPrototypeGetIgnoreCase(value)) text += 'i';
    if (RegExpPrototypeGetMultiline(value)) text += 'm';
    if (RegExpPrototypeGetDotAll(value)) text += 's';
    if (RegExpPrototypeGetUnicode(value)) text += 'u';
    if (RegExpPrototypeGetSticky(value)) text += 'y';
    return text;
}

function boxedBase(value, brand, constructor, tag) {
    let inner;
    if (brand === 'Number') inner = NumberPrototypeValueOf(value);
    else if (brand === 'String') inner = StringPrototypeValueOf(value);
    else if (brand === 'Boolean') inner = BooleanPrototypeValueOf(value);
    else if (brand === 'BigInt') inner = BigIntPrototypeValueOf(value);
    else inner = SymbolPrototypeValueOf(value);
    let base = `[${brand}`;
    if (brand !== constructor) base += constructor === null ? ' (null prototype)' : ` (${constructor})`;
    base += `: ${formatPrimitive({ __proto__: null, ...defaults, indentation: 0 }, inner)}]`;
    if (tag !== '' && tag !== constructor) base += ` [${tag}]`;
    return base;
}

function functionBase(value, constructor, tag) {
    const source = FunctionPrototypeToString(value);
    if (StringPrototypeStartsWith(source, 'class') && StringPrototypeEndsWith(source, '}') && !isMethodNamedClass(source)) {
        return classBase(value, constructor, tag);
    }
    let type = 'Function';
    if (ObjectPrototypeIsPrototypeOf(AsyncFunctionPrototype, value)) type = 'AsyncFunction';
    else if (ObjectPrototypeIsPrototypeOf(GeneratorFunctionPrototype, value)) type = 'GeneratorFunction';
    else if (ObjectPrototypeIsPrototypeOf(AsyncGeneratorFunctionPrototype, value)) type = 'AsyncGeneratorFunction';
    let base = `[${type}`;
    if (constructor === null) base += ' (null prototype)';
    base += value.name === '' ? ' (anonymous)' : `: ${typeof value.name === 'string' ? value.name : String(value.name)}`;
    base += ']';
    if (constructor !== type && constructor !== null) base += ` ${constructor}`;
    if (tag !== '' && constructor !== tag) base += ` [${tag}]`;
    return base;
}

/** `class(a) {…}` is a method that is called "class": a parenthesis follows, after white space and comments. */
function isMethodNamedClass(source) {
    for (let i = 5; ;) {
        const two = StringPrototypeSlice(source, i, i + 2);
        if (two === '/*') i = StringPrototypeIndexOf(source, '*/', i + 2) + 2;
        else if (two === '//') i = StringPrototypeIndexOf(source, '\n', i) + 1;
        else if (StringPrototypeTrimStart(two[0]) === '') i++;
        else return two[0] === '(';
    }
}

function classBase(value, constructor, tag) {
    const name = ObjectPrototypeHasOwnProperty(value, 'name') && value.name ? value.name : '(anonymous)';
    let base = `class ${String(name)}`;
    if (constructor !== 'Function' && constructor !== null) base += ` [${constructor}]`;
    if (tag !== '' && constructor !== tag) base += ` [${tag}]`;
    if (constructor === null) {
        base += ' extends null';
    } else {
        const parent = ObjectGetPrototypeOf(value);
        if (parent !== null && parent.name) base += ` extends ${String(parent.name)}`;
    }
    return `[${base}]`;
}

function more(parts, left, what = 'item') {
    if (left > 0) ArrayPrototypePush(parts, `... ${left} more ${what}${left > 1 ? 's' : ''}`);
}

function arrayParts(context, value, depth) {
    const parts = [];
    const length = value.length;
    const shown = context.maxArrayLength < length ? context.maxArrayLength < 0 ? 0 : context.maxArrayLength : length;
    for (let i = 0; i < shown; i++) {
        if (!ObjectPrototypeHasOwnProperty(value, i)) return sparseParts(context, value, depth, shown, parts, i);
        ArrayPrototypePush(parts, formatProperty(context, value, depth, i, elements));
    }
    more(parts, length - shown);
    return parts;
}

/** An array with holes: a run of them is one part. */
function sparseParts(context, value, depth, shown, parts, index) {
    const keys = ObjectKeys(value);
    const length = value.length;
    for (let i = index; i < keys.length && parts.length < shown; i++) {
        const key = keys[i];
        if (!isIndex(key)) break;
        if (`${index}` !== key) {
            const holes = +key - index;
            ArrayPrototypePush(parts, style(context, `<${holes} empty item${holes > 1 ? 's' : ''}>`, 'undefined'));
            index = +key;
            if (parts.length === shown) break;
        }
        ArrayPrototypePush(parts, formatProperty(context, value, depth, key, elements));
        index++;
    }
    const left = length - index;
    if (parts.length !== shown) {
        if (left > 0) ArrayPrototypePush(parts, style(context, `<${left} empty item${left > 1 ? 's' : ''}>`, 'undefined'));
    } else {
        more(parts, left);
    }
    return parts;
}

function typedArrayParts(context, value, depth) {
    const parts = [];
    const length = TypedArrayPrototypeGetLength(value);
    const shown = context.maxArrayLength < length ? context.maxArrayLength : length;
    for (let i = 0; i < shown; i++) ArrayPrototypePush(parts, formatPrimitive(context, value[i]));
    more(parts, length - shown);
    if (context.showHidden) hiddenParts(context, value, length, parts);
    return parts;
}

const elementBytes = {
    __proto__: null, Int8Array: 1, Uint8Array: 1, Uint8ClampedArray: 1, Int16Array: 2, Uint16Array: 2, Int32Array: 4, Uint32Array: 4, Float32Array: 4, Float64Array: 8,
    BigInt64Array: 8, BigUint64Array: 8,
};

/** What a typed array has beside its elements. */
function hiddenParts(context, value, length, parts) {
    const hidden = [
        'BYTES_PER_ELEMENT', elementBytes[TypedArrayPrototypeGetSymbolToStringTag(value)], 'length', length,
        'byteLength', TypedArrayPrototypeGetByteLength(value), 'byteOffset', TypedArrayPrototypeGetByteOffset(value),
    ];
    for (let i = 0; i < hidden.length; i += 2) ArrayPrototypePush(parts, `[${hidden[i]}]: ${formatPrimitive(context, hidden[i + 1])}`);
    const buffer = TypedArrayPrototypeGetBuffer(value);
    const brand = brandOf(buffer);
    ArrayPrototypePush(parts, `[buffer]: ${brand} { byteLength: ${formatPrimitive(context, bufferLength(buffer, brand))} }`);
}

function setParts(context, value, depth) {
    const parts = [];
    let seen = 0;
    context.indentation += 2;
    SetPrototypeForEach(value, (item) => {
        if (seen++ < context.maxArrayLength) ArrayPrototypePush(parts, format(context, item, depth));
    });
    more(parts, seen - context.maxArrayLength);
    context.indentation -= 2;
    return parts;
}

function mapParts(context, value, depth) {
    const parts = [];
    let seen = 0;
    context.indentation += 2;
    MapPrototypeForEach(value, (item, key) => {
        if (seen++ < context.maxArrayLength) ArrayPrototypePush(parts, `${format(context, key, depth)} => ${format(context, item, depth)}`);
    });
    more(parts, seen - context.maxArrayLength);
    context.indentation -= 2;
    return parts;
}

const hexDigits = '0123456789abcdef';

const bufferLength = (buffer, brand) =>
    (brand === 'ArrayBuffer' ? ArrayBufferPrototypeGetByteLength(buffer) : internal.late.SharedArrayBufferPrototypeGetByteLength(buffer));

function bufferParts(context, value, brand) {
    const length = bufferLength(value, brand);
    let bytes;
    try {
        bytes = new Uint8Array(value);
    } catch {
        return [style(context, '(detached)', 'special'), `byteLength: ${formatNumber(context, 0)}`];
    }
    const shown = length > context.maxArrayLength ? context.maxArrayLength : length;
    let text = '';
    for (let i = 0; i < shown; i++) text += (i > 0 ? ' ' : '') + hexDigits[bytes[i] >> 4] + hexDigits[bytes[i] & 15];
    const left = length - shown;
    if (left > 0) text += ` ... ${left} more byte${left > 1 ? 's' : ''}`;
    return [`${style(context, '[Uint8Contents]', 'special')}: <${text}>`, `byteLength: ${formatNumber(context, length)}`];
}

function viewParts(context, value, depth) {
    context.indentation += 2;
    const buffer = format(context, DataViewPrototypeGetBuffer(value), depth);
    context.indentation -= 2;
    return [
        `byteLength: ${formatNumber(context, DataViewPrototypeGetByteLength(value))}`,
        `byteOffset: ${formatNumber(context, DataViewPrototypeGetByteOffset(value))}`, `buffer: ${buffer}`,
    ];
}

/** What an iterator of a Map or Set has still to give, or a weak collection holds; `asPairs`: written key => value. */
function iteratorParts(context, value, depth, asPairs = false) {
    const inside = ops.inside(value);
    if (inside === null) return [];
    const isKeyed = inside[0];
    const list = inside[1];
    const step = isKeyed ? 2 : 1;
    const count = list.length / step;
    const shown = context.maxArrayLength < count ? context.maxArrayLength : count;
    const parts = [];
    context.indentation += 2;
    for (let i = 0; i < shown; i++) {
        const first = format(context, list[i * step], depth);
        if (!isKeyed) {
            ArrayPrototypePush(parts, first);
        } else {
            const second = format(context, list[i * step + 1], depth);
            const pair = { base: '', open: '[', close: ']', kind: elements };
            ArrayPrototypePush(parts, asPairs ? `${first} => ${second}` : lay(context, [first, second], pair, depth, value));
        }
    }
    context.indentation -= 2;
    more(parts, count - shown);
    return parts;
}

function promiseParts(context, value, depth) {
    const inside = ops.inside(value);
    const state = inside === null ? 0 : inside[0]; // 0 pending, 1 fulfilled, 2 rejected
    if (state === 0) return [style(context, '<pending>', 'special')];
    context.indentation += 2;
    const text = format(context, inside[1], depth);
    context.indentation -= 2;
    return [state === 2 ? `${style(context, '<rejected>', 'special')} ${text}` : text];
}

function moduleParts(context, value, depth) {
    const parts = [];
    const keys = ObjectGetOwnPropertyNames(value);
    for (let i = 0; i < keys.length; i++) {
        let text;
        try {
            text = formatProperty(context, value, depth, keys[i], entries);
        } catch {
            text = `${keys[i]}: ${style(context, '<uninitialized>', 'special')}`; // a binding in its temporal dead zone
        }
        ArrayPrototypePush(parts, text);
    }
    return parts;
}

/** "[Getter]"; with the option `getters` also what it gives. */
function getterText(context, value, descriptor, depth) {
    const label = descriptor.set !== undefined ? 'Getter/Setter' : 'Getter';
    const wanted = context.getters === true || (context.getters === 'get' && descriptor.set === undefined) || (context.getters === 'set' && descriptor.set !== undefined);
    if (!wanted) return style(context, `[${label}]`, 'special');
    let text;
    context.indentation += 2;
    try {
        const got = ReflectApply(descriptor.get, value, []);
        if (got === null) text = `${style(context, `[${label}:`, 'special')} ${style(context, 'null', 'null')}${style(context, ']', 'special')}`;
        else if (typeof got === 'object') text = `${style(context, `[${label}]`, 'special')} ${format(context, got, depth)}`;
        else text = `${style(context, `[${label}:`, 'special')} ${formatPrimitiveOrFunction(context, got)}${style(context, ']', 'special')}`;
    } catch (error) {
        text = `${style(context, `[${label}:`, 'special')} <Inspection threw (${error?.message})>${style(context, ']', 'special')}`;
    }
    context.indentation -= 2;
    return text;
}

const formatPrimitiveOrFunction = (context, value) => (typeof value === 'function' ? String(value) : formatPrimitive(context, value));

const identifierPattern = /^[a-zA-Z_][a-zA-Z_0-9]*$/;

function formatProperty(context, value, depth, key, kind) {
    const descriptor = ObjectGetOwnPropertyDescriptor(value, key);
    let text;
    if (descriptor === undefined || (descriptor.get === undefined && descriptor.set === undefined)) {
        context.indentation += 2;
        text = format(context, descriptor === undefined ? value[key] : descriptor.value, depth);
        context.indentation -= 2;
    } else if (descriptor.get !== undefined) {
        text = getterText(context, value, descriptor, depth);
    } else {
        text = style(context, '[Setter]', 'special');
    }
    if (kind === elements) return text;
    let name;
    if (typeof key === 'symbol') name = `[${style(context, escapeText(SymbolPrototypeToString(key), ''), 'symbol')}]`;
    else if (key === '__proto__') name = "['__proto__']";
    else if (descriptor !== undefined && !descriptor.enumerable) name = `[${escapeText(key, '')}]`;
    else if (RegExpPrototypeExec(identifierPattern, key) !== null) name = style(context, key, 'name');
    else name = style(context, escapeText(key), 'string');
    return `${name}: ${text}`;
}

/** One line when the parts fit and are not nested too deep, else a line a part (arrays of short items: in columns). */
function lay(context, parts, shape, depth, value) {
    const { base, open, close } = shape;
    const lead = base === '' ? '' : `${base} `;
    if (context.compact >= 1) {
        const count = parts.length;
        if (shape.kind === arrayKeys && count > 6) parts = columns(context, parts, value);
        if (context.depthNow - depth < context.compact && count === parts.length) {
            let length = parts.length + context.indentation + open.length + base.length + 10 + parts.length;
            for (let i = 0; i < parts.length && length <= context.breakLength; i++) length += plainLength(parts[i], context.colors);
            if (length <= context.breakLength && !StringPrototypeIncludes(base, '\n')) {
                const joined = ArrayPrototypeJoin(parts, ', ');
                if (!StringPrototypeIncludes(joined, '\n')) return `${lead}${open} ${joined} ${close}`;
            }
        }
    }
    const margin = `\n${StringPrototypeRepeat(' ', context.indentation)}`;
    return `${lead}${open}${margin}  ${ArrayPrototypeJoin(parts, `,${margin}  `)}${margin}${close}`;
}

internal.inspect = inspect;
internal.customInspect = customInspect;

/** For node:util: the options that inspect takes when none are given, which a program may change, as Node has it. */
internal.inspectDefaults = defaults;
