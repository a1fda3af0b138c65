'use strict';
// @ts-check
// Headers (https://fetch.spec.whatwg.org/#headers-class). Names are kept in lower case. There are no guards: nothing here runs in a browser's page.

const {
    ArrayPrototypePush, ArrayPrototypeSlice, ArrayPrototypeSort, ReflectGetOwnPropertyDescriptor, ReflectOwnKeys, StringPrototypeCharCodeAt,
    StringPrototypeSlice, StringPrototypeToLowerCase, SymbolIterator, TypeError, arrayFromIterable,
} = primordials;
const { customInspect } = internal;
const { defineInterface, definePairIterable, requireArguments, toByteString } = internal.webidl;

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

function toName(value, method) {
    const name = toByteString(value, `Headers.${method}`);
    if (!isToken(name)) throw new TypeError(`Headers.${method}: ${internal.inspect(name)} is an invalid header name.`);
    return StringPrototypeToLowerCase(name);
}

function toValue(value, name, method) {
    const text = normalizeValue(toByteString(value, `Headers.${method}`));
    for (let i = 0; i < text.length; i++) {
        const unit = StringPrototypeCharCodeAt(text, i);
        if (unit === 0 || unit === 10 || unit === 13) {
            throw new TypeError(`Headers.${method}: ${internal.inspect(text)} is an invalid value of the header ${name}.`);
        }
    }
    return text;
}

let isHeaders, listOf, sortedListOf, makeHeaders;

class Headers {
    #list = []; // name, value, name, value …
    #sorted; // what iteration shows; undefined: to be made

    constructor(init = undefined) {
        if (init === undefined) return;
        if (init === null || (typeof init !== 'object' && typeof init !== 'function')) {
            throw new TypeError('Headers: the init is neither a sequence of pairs nor a record');
        }
        if (isHeaders(init)) {
            this.#list = ArrayPrototypeSlice(init.#list);
            return;
        }
        const method = init[SymbolIterator];
        if (method !== undefined && method !== null) {
            const pairs = arrayFromIterable(init, 'Headers: the init');
            for (let i = 0; i < pairs.length; i++) {
                const pair = arrayFromIterable(pairs[i], 'Headers: a pair');
                if (pair.length !== 2) throw new TypeError('Headers: a pair does not have two elements');
                this.#append(pair[0], pair[1]);
            }
            return;
        }
        const keys = ReflectOwnKeys(init);
        for (let i = 0; i < keys.length; i++) {
            const descriptor = ReflectGetOwnPropertyDescriptor(init, keys[i]);
            if (descriptor !== undefined && descriptor.enumerable) this.#append(keys[i], init[keys[i]]);
        }
    }

    append(name, value) {
        this.#list;
        requireArguments(arguments.length, 2, 'Headers.append');
        this.#append(name, value);
    }

    delete(name) {
        const list = this.#list;
        requireArguments(arguments.length, 1, 'Headers.delete');
        this.#replace(list, toName(name, 'delete'), undefined);
    }

    /** The values joined by ", " (https://fetch.spec.whatwg.org/#concept-header-list-get). */
    get(name) {
        const list = this.#list;
        requireArguments(arguments.length, 1, 'Headers.get');
        name = toName(name, 'get');
        let result = null;
        for (let i = 0; i < list.length; i += 2) {
            if (list[i] === name) result = result === null ? list[i + 1] : `${result}, ${list[i + 1]}`;
        }
        return result;
    }

    getSetCookie() {
        const list = this.#list;
        const cookies = [];
        for (let i = 0; i < list.length; i += 2) if (list[i] === 'set-cookie') ArrayPrototypePush(cookies, list[i + 1]);
        return cookies;
    }

    has(name) {
        const list = this.#list;
        requireArguments(arguments.length, 1, 'Headers.has');
        name = toName(name, 'has');
        for (let i = 0; i < list.length; i += 2) if (list[i] === name) return true;
        return false;
    }

    set(name, value) {
        const list = this.#list;
        requireArguments(arguments.length, 2, 'Headers.set');
        name = toName(name, 'set');
        this.#replace(list, name, toValue(value, name, 'set'));
    }

    #append(name, value) {
        name = toName(name, 'append');
        ArrayPrototypePush(this.#list, name, toValue(value, name, 'append'));
        this.#sorted = undefined;
    }

    /** Puts value at the first place of name, or at the end; undefined takes name away. */
    #replace(list, name, value) {
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
        this.#sorted = undefined;
    }

    /** https://fetch.spec.whatwg.org/#concept-header-list-sort-and-combine */
    #sortAndCombine() {
        const list = this.#list;
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
        listOf = (headers) => headers.#list;
        sortedListOf = (headers) => headers.#sorted ??= headers.#sortAndCombine();
        makeHeaders = (list) => {
            const headers = new Headers();
            headers.#list = list;
            return headers;
        };
    }
}
definePairIterable(Headers, sortedListOf);
defineInterface(Headers);

internal.headers = { Headers, isToken, listOf, makeHeaders, isHTTPWhitespace };
