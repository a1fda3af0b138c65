'use strict';
// @ts-check
// Headers (https://fetch.spec.whatwg.org/#headers-class). Names are kept in lower case. Of the guards only "immutable" can be seen: what the others
// forbid protects a browser's user, and servers need it.
//
// Headers of an incoming request are a text (`name LF value LF …`, names in lower case) until somebody asks for one.

const {
    ArrayPrototypePush, ArrayPrototypeSort, ObjectGetOwnPropertySymbols, ObjectKeys, ReflectGetOwnPropertyDescriptor, ReflectOwnKeys,
    StringPrototypeCharCodeAt, StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeStartsWith, StringPrototypeToLowerCase,
    SymbolIterator, TypeError, arrayFromIterable,
} = primordials;
const { customInspect } = internal;
const { defineInterface, definePairIterable, replacePair, requireArguments, toByteString } = internal.webidl;

// https://www.rfc-editor.org/rfc/rfc9110#name-tokens
const tokenCharacters = [];
for (let i = 0; i < 128; i++) tokenCharacters[i] = (i >= 48 && i <= 57) || (i >= 65 && i <= 90) || (i >= 97 && i <= 122);
for (let i = 0, marks = "!#$%&'*+-.^_`|~"; i < marks.length; i++) tokenCharacters[StringPrototypeCharCodeAt(marks, i)] = true;

function isToken(text) {
    for (let i = 0; i < text.length; i++) {
        if (tokenCharacters[StringPrototypeCharCodeAt(text, i)] !== true) return false;
    }
    return text !== '';
}

function isHTTPWhitespace(unit) {
    return unit === 32 || unit === 9 || unit === 10 || unit === 13;
}

/** https://fetch.spec.whatwg.org/#concept-header-value-normalize */
function normalizeValue(text) {
    let start = 0;
    let end = text.length;
    while (start < end && isHTTPWhitespace(StringPrototypeCharCodeAt(text, start))) start++;
    while (end > start && isHTTPWhitespace(StringPrototypeCharCodeAt(text, end - 1))) end--;
    return start === 0 && end === text.length ? text : StringPrototypeSlice(text, start, end);
}

// Names in front of the work on them: they are mostly literals, of which V8 keeps one copy each, so that `===` compares two pointers.
const NAME_SLOTS = 64;
const givenNames = [];
const lowerNames = [];
for (let i = 0; i < NAME_SLOTS; i++) givenNames[i] = lowerNames[i] = '';

function toName(value, method) {
    if (typeof value !== 'string' || value.length === 0) return toNewName(value, method);
    const slot = StringPrototypeCharCodeAt(value, value.length - 1) * 7 + value.length & NAME_SLOTS - 1;
    if (givenNames[slot] === value) return lowerNames[slot];
    const name = toNewName(value, method);
    givenNames[slot] = value;
    return lowerNames[slot] = name;
}

function toNewName(value, method) {
    const name = toByteString(value, `Headers.${method}`);
    if (!isToken(name)) throw new TypeError(`Headers.${method}: ${internal.inspect(name)} is an invalid header name.`);
    return StringPrototypeToLowerCase(name);
}

/** Nothing in it that needs a second look. */
function isPlainValue(text) {
    const last = text.length - 1;
    for (let i = 0; i <= last; i++) {
        const unit = StringPrototypeCharCodeAt(text, i);
        if (unit > 255 || (unit <= 32 && (unit !== 32 || i === 0 || i === last))) return false;
    }
    return true;
}

function toValue(value, name, method) {
    if (typeof value === 'string' && isPlainValue(value)) return value;
    const text = normalizeValue(toByteString(value, `Headers.${method}`));
    for (let i = 0; i < text.length; i++) {
        const unit = StringPrototypeCharCodeAt(text, i);
        if (unit === 0 || unit === 10 || unit === 13) {
            throw new TypeError(`Headers.${method}: ${internal.inspect(text)} is an invalid value of the header ${name}.`);
        }
    }
    return text;
}

let isHeaders, listOf, sortedListOf, makeHeaders, makeLazyHeaders, setImmutable;

/** The lines of a head from `start` on: name, value, name, value … */
function linesOf(text, start) {
    const list = [];
    const { length } = text;
    for (let count = 0; start < length; count++) {
        let end = StringPrototypeIndexOf(text, '\n', start);
        if (end < 0) end = length;
        list[count] = StringPrototypeSlice(text, start, end);
        start = end + 1;
    }
    return list;
}

/** The value of the header `name` in a head whose first name begins at `at`; undefined: there is none. Several are joined by `joint`. */
function headerIn(head, at, name, joint) {
    const { length } = head;
    let found;
    while (at < length) {
        let end = StringPrototypeIndexOf(head, '\n', at);
        if (end < 0) end = length;
        const matches = end - at === name.length && StringPrototypeStartsWith(head, name, at);
        at = end + 1;
        end = StringPrototypeIndexOf(head, '\n', at);
        if (end < 0) end = length;
        if (matches) {
            const value = StringPrototypeSlice(head, at, end);
            if (joint === undefined) return value;
            found = found === undefined ? value : found + joint + value;
        }
        at = end + 1;
    }
    return found;
}

/** https://fetch.spec.whatwg.org/#concept-headers-fill. @param {string[]} list @param {unknown} init not undefined */
function fill(list, init) {
    if (init === null || (typeof init !== 'object' && typeof init !== 'function')) {
        throw new TypeError('Headers: the init is neither a sequence of pairs nor a record');
    }
    const method = init[SymbolIterator];
    if (isHeaders(init) && method === ownIterator) {
        const from = listOf(init);
        for (let i = 0; i < from.length; i++) {
            // Joined to another value an empty one leaves a space, which is then no part of a value any more.
            if (from[i] === '' && (i & 1) === 1) return fillWithPairs(list, sortedListOf(init));
            ArrayPrototypePush(list, from[i]);
        }
        return list;
    }
    if (method !== undefined && method !== null) {
        const pairs = arrayFromIterable(init, 'Headers: the init');
        for (let i = 0; i < pairs.length; i++) {
            const pair = arrayFromIterable(pairs[i], 'Headers: a pair');
            if (pair.length !== 2) throw new TypeError('Headers: a pair does not have two elements');
            appendTo(list, pair[0], pair[1]);
        }
        return list;
    }
    if (ops.brand(init) === proxyBrand) return fillFromRecord(list, init);
    // The same as a look at each own key's descriptor, but for a proxy that watches, and a third of its time.
    const keys = ObjectKeys(init);
    for (let i = 0; i < keys.length; i++) appendTo(list, keys[i], init[keys[i]]);
    const symbols = ObjectGetOwnPropertySymbols(init);
    for (let i = 0; i < symbols.length; i++) {
        if (ReflectGetOwnPropertyDescriptor(init, symbols[i])?.enumerable) throw new TypeError('Headers: a symbol is no header name');
    }
    return list;
}

/** @param {string[]} pairs name, value, name, value … of other headers */
function fillWithPairs(list, pairs) {
    list.length = 0;
    for (let i = 0; i < pairs.length; i += 2) ArrayPrototypePush(list, pairs[i], normalizeValue(pairs[i + 1]));
    return list;
}

/** By the letter: https://webidl.spec.whatwg.org/#js-record */
function fillFromRecord(list, init) {
    const keys = ReflectOwnKeys(init);
    const pairs = [];
    for (let i = 0; i < keys.length; i++) {
        if (ReflectGetOwnPropertyDescriptor(init, keys[i])?.enumerable !== true) continue;
        const name = toByteString(keys[i], 'Headers: a name');
        ArrayPrototypePush(pairs, name, toByteString(init[keys[i]], 'Headers: a value'));
    }
    for (let i = 0; i < pairs.length; i += 2) appendTo(list, pairs[i], pairs[i + 1]);
    return list;
}

const proxyBrand = 1; // of sl_v8_brand

function appendTo(list, name, value) {
    name = toName(name, 'append');
    ArrayPrototypePush(list, name, toValue(value, name, 'append'));
}

let ownIterator; // Headers.prototype[Symbol.iterator] as it was

const SEARCHES_MAX = 2;

class Headers {
    #list; // name, value, name, value …; undefined: still in #head
    #sorted; // what iteration shows; undefined: to be made
    #head; // text and where the first name begins
    #at = 0;
    #immutable = false;
    #searches = 0; // of the text; after a few it is taken apart

    constructor(init = undefined) {
        this.#list = [];
        if (init !== undefined) fill(this.#list, init);
    }

    append(name, value) {
        const list = listOf(this);
        requireArguments(arguments.length, 2, 'Headers.append');
        name = toName(name, 'append');
        value = toValue(value, name, 'append');
        this.#change();
        ArrayPrototypePush(list, name, value);
    }

    delete(name) {
        const list = listOf(this);
        requireArguments(arguments.length, 1, 'Headers.delete');
        name = toName(name, 'delete');
        this.#change();
        replacePair(list, name, undefined);
    }

    /** The values joined by ", " (https://fetch.spec.whatwg.org/#concept-header-list-get). */
    get(name) {
        const isText = this.#list === undefined && this.#searches < SEARCHES_MAX;
        requireArguments(arguments.length, 1, 'Headers.get');
        name = toName(name, 'get');
        if (isText) {
            this.#searches++;
            return headerIn(this.#head, this.#at, name, ', ') ?? null;
        }
        const list = listOf(this);
        let result = null;
        for (let i = 0; i < list.length; i += 2) {
            if (list[i] === name) result = result === null ? list[i + 1] : `${result}, ${list[i + 1]}`;
        }
        return result;
    }

    getSetCookie() {
        const list = listOf(this);
        const cookies = [];
        for (let i = 0; i < list.length; i += 2) if (list[i] === 'set-cookie') ArrayPrototypePush(cookies, list[i + 1]);
        return cookies;
    }

    has(name) {
        const list = listOf(this);
        requireArguments(arguments.length, 1, 'Headers.has');
        name = toName(name, 'has');
        for (let i = 0; i < list.length; i += 2) if (list[i] === name) return true;
        return false;
    }

    set(name, value) {
        const list = listOf(this);
        requireArguments(arguments.length, 2, 'Headers.set');
        name = toName(name, 'set');
        value = toValue(value, name, 'set');
        this.#change();
        replacePair(list, name, value);
    }

    #change() {
        if (this.#immutable) throw new TypeError('Headers: these headers are immutable');
        this.#sorted = undefined;
    }

    /** https://fetch.spec.whatwg.org/#concept-header-list-sort-and-combine */
    #sortAndCombine() {
        const list = listOf(this);
        const order = [];
        for (let i = 0; i < list.length; i += 2) ArrayPrototypePush(order, i);
        ArrayPrototypeSort(order, (a, b) => (list[a] < list[b] ? -1 : list[a] > list[b] ? 1 : a - b));
        const sorted = [];
        for (let k = 0; k < order.length; k++) {
            const name = list[order[k]];
            const value = list[order[k] + 1];
            const last = sorted.length - 2;
            if (name !== 'set-cookie' && last >= 0 && sorted[last] === name) sorted[last + 1] += `, ${value}`;
            else ArrayPrototypePush(sorted, name, value);
        }
        return sorted;
    }

    [customInspect](depth, options, inspect) {
        const fields = {};
        const list = this.#sorted ??= this.#sortAndCombine();
        for (let i = 0; i < list.length; i += 2) fields[list[i]] = fields[list[i]] === undefined ? list[i + 1] : `${fields[list[i]]}, ${list[i + 1]}`;
        return `Headers ${inspect(fields, options)}`;
    }

    static {
        isHeaders = (value) => #list in value;
        listOf = (headers) => headers.#list ??= linesOf(headers.#head, headers.#at);
        sortedListOf = (headers) => headers.#sorted ??= headers.#sortAndCombine();
        makeHeaders = (list, immutable = false) => {
            const headers = new Headers();
            headers.#list = list;
            headers.#immutable = immutable;
            return headers;
        };
        makeLazyHeaders = (head, at) => {
            const headers = new Headers();
            headers.#list = undefined;
            headers.#head = head;
            headers.#at = at;
            headers.#immutable = true;
            return headers;
        };
        setImmutable = (headers) => {
            headers.#immutable = true;
            return headers;
        };
    }
}
definePairIterable(Headers, sortedListOf);
ownIterator = Headers.prototype[SymbolIterator];
defineInterface(Headers);

internal.headers = {
    Headers, fill, headerIn, isHTTPWhitespace, isToken, listOf, makeHeaders, makeLazyHeaders, normalizeValue, setImmutable,
};
