'use strict';
// @ts-check
// The classes URL (https://url.spec.whatwg.org/#url-class) and URLSearchParams (https://url.spec.whatwg.org/#interface-urlsearchparams).

const {
    ArrayPrototypeJoin, ArrayPrototypePush, ArrayPrototypeSort, ReflectGetOwnPropertyDescriptor, ReflectOwnKeys, StringPrototypeCharCodeAt,
    StringPrototypeIncludes, StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeStartsWith, StringPrototypeToLowerCase, SymbolIterator,
    arrayFromIterable,
} = primordials;
const { customInspect } = internal;
const { split } = internal.text;
const { defineInterface, definePairIterable, requireArguments, toUSVString } = internal.webidl;
const { parseHost, percentDecode, percentEncode, setForm, setFragment, setQuery, setSpecialQuery, setUserinfo } = internal.urlHost;
const { endOfHost, isSpecial, parse, parsePathStart, parsePort, portColon, schemeLength, serialize, specialPorts, withoutTabs } = internal.url;

// ---- application/x-www-form-urlencoded (https://url.spec.whatwg.org/#application/x-www-form-urlencoded) ----

function formDecode(text) {
    if (StringPrototypeIncludes(text, '+')) text = ArrayPrototypeJoin(split(text, '+'), ' ');
    return percentDecode(text);
}

/** @param {string} text @returns {string[]} name, value, name, value … */
function parseForm(text) {
    const list = [];
    for (let start = 0; start < text.length;) {
        let end = StringPrototypeIndexOf(text, '&', start);
        if (end < 0) end = text.length;
        if (end > start) {
            const equals = StringPrototypeIndexOf(text, '=', start);
            const inside = equals >= 0 && equals < end;
            ArrayPrototypePush(list, formDecode(StringPrototypeSlice(text, start, inside ? equals : end)));
            ArrayPrototypePush(list, inside ? formDecode(StringPrototypeSlice(text, equals + 1, end)) : '');
        }
        start = end + 1;
    }
    return list;
}

function formEncode(text) {
    const encoded = percentEncode(text, setForm);
    return StringPrototypeIncludes(encoded, '%20') ? ArrayPrototypeJoin(split(encoded, '%20'), '+') : encoded;
}

function serializeForm(list) {
    let text = '';
    for (let i = 0; i < list.length; i += 2) text += `${i > 0 ? '&' : ''}${formEncode(list[i])}=${formEncode(list[i + 1])}`;
    return text;
}

// ---- URLSearchParams ----

/** Set by URLSearchParams' static block. */
let isParams, listOf, replaceList, makeParams;

class URLSearchParams {
    #list; // name, value, name, value …
    #url; // the URL object it belongs to

    /** https://url.spec.whatwg.org/#dom-urlsearchparams-urlsearchparams */
    constructor(init = undefined) {
        if (init === undefined) this.#list = [];
        else if (init !== null && (typeof init === 'object' || typeof init === 'function')) this.#list = listFromObject(init);
        else {
            const text = toUSVString(init);
            this.#list = parseForm(StringPrototypeStartsWith(text, '?') ? StringPrototypeSlice(text, 1) : text);
        }
    }

    get size() { return this.#list.length / 2; }

    append(name, value) {
        requireArguments(arguments.length, 2, 'append');
        ArrayPrototypePush(this.#list, toUSVString(name), toUSVString(value));
        this.#update();
    }

    delete(name, value = undefined) {
        requireArguments(arguments.length, 1, 'delete');
        const list = this.#list;
        name = toUSVString(name);
        if (value !== undefined) value = toUSVString(value);
        let kept = 0;
        for (let i = 0; i < list.length; i += 2) {
            if (list[i] === name && (value === undefined || list[i + 1] === value)) continue;
            list[kept++] = list[i];
            list[kept++] = list[i + 1];
        }
        list.length = kept;
        this.#update();
    }

    get(name) {
        requireArguments(arguments.length, 1, 'get');
        const list = this.#list;
        name = toUSVString(name);
        for (let i = 0; i < list.length; i += 2) if (list[i] === name) return list[i + 1];
        return null;
    }

    getAll(name) {
        requireArguments(arguments.length, 1, 'getAll');
        const list = this.#list;
        name = toUSVString(name);
        const values = [];
        for (let i = 0; i < list.length; i += 2) if (list[i] === name) ArrayPrototypePush(values, list[i + 1]);
        return values;
    }

    has(name, value = undefined) {
        requireArguments(arguments.length, 1, 'has');
        const list = this.#list;
        name = toUSVString(name);
        if (value !== undefined) value = toUSVString(value);
        for (let i = 0; i < list.length; i += 2) {
            if (list[i] === name && (value === undefined || list[i + 1] === value)) return true;
        }
        return false;
    }

    set(name, value) {
        requireArguments(arguments.length, 2, 'set');
        const list = this.#list;
        name = toUSVString(name);
        value = toUSVString(value);
        let found = false;
        let kept = 0;
        for (let i = 0; i < list.length; i += 2) {
            if (list[i] === name) {
                if (found) continue;
                found = true;
                list[i + 1] = value;
            }
            list[kept++] = list[i];
            list[kept++] = list[i + 1];
        }
        list.length = kept;
        if (!found) ArrayPrototypePush(list, name, value);
        this.#update();
    }

    /** By the code units of the names; pairs of equal names keep their order. */
    sort() {
        const list = this.#list;
        const pairs = [];
        for (let i = 0; i < list.length; i += 2) ArrayPrototypePush(pairs, { name: list[i], value: list[i + 1] });
        ArrayPrototypeSort(pairs, (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
        for (let i = 0; i < pairs.length; i++) {
            list[2 * i] = pairs[i].name;
            list[2 * i + 1] = pairs[i].value;
        }
        this.#update();
    }

    toString() { return serializeForm(this.#list); }

    #update() {
        if (this.#url !== undefined) setQueryOf(this.#url, serializeForm(this.#list));
    }

    [customInspect](depth, options, inspect) {
        const list = this.#list;
        if (list.length === 0) return 'URLSearchParams {}';
        const parts = [];
        for (let i = 0; i < list.length; i += 2) ArrayPrototypePush(parts, `${inspect(list[i], options)} => ${inspect(list[i + 1], options)}`);
        const joined = ArrayPrototypeJoin(parts, ', ');
        return joined.length + 22 <= options.breakLength ? `URLSearchParams { ${joined} }` :
            `URLSearchParams {\n  ${ArrayPrototypeJoin(parts, ',\n  ')} }`;
    }

    static {
        isParams = (value) => value !== null && typeof value === 'object' && #list in value;
        listOf = (params) => params.#list;
        replaceList = (params, text) => { params.#list = parseForm(text); };
        makeParams = (url, text) => {
            const params = new URLSearchParams();
            params.#list = parseForm(text);
            params.#url = url;
            return params;
        };
    }
}
definePairIterable(URLSearchParams, listOf);
defineInterface(URLSearchParams);

/** A sequence of pairs when it is iterable, else a record. */
function listFromObject(init) {
    const list = [];
    const method = init[SymbolIterator];
    if (method !== undefined && method !== null) {
        const pairs = arrayFromIterable(init, 'The init of URLSearchParams');
        for (let i = 0; i < pairs.length; i++) {
            const isObject = pairs[i] !== null && (typeof pairs[i] === 'object' || typeof pairs[i] === 'function');
            const pair = isObject ? arrayFromIterable(pairs[i], 'A pair of URLSearchParams') : [];
            if (pair.length !== 2) throw internal.typeError('Each query pair must be an iterable [name, value] tuple', 'ERR_INVALID_TUPLE');
            ArrayPrototypePush(list, toUSVString(pair[0]), toUSVString(pair[1]));
        }
        return list;
    }
    // Different keys can become the same USVString: the last value wins, at the first place.
    const keys = ReflectOwnKeys(init);
    for (let i = 0; i < keys.length; i++) {
        const descriptor = ReflectGetOwnPropertyDescriptor(init, keys[i]);
        if (descriptor === undefined || !descriptor.enumerable) continue;
        const name = toUSVString(keys[i]);
        const value = toUSVString(init[keys[i]]);
        let at = 0;
        while (at < list.length && list[at] !== name) at += 2;
        list[at] = name;
        list[at + 1] = value;
    }
    return list;
}

// ---- URL ----

let setQueryOf; // (url object, query text)

function invalidURL(input, base) {
    const error = internal.typeError('Invalid URL', 'ERR_INVALID_URL');
    error.input = input;
    if (base !== undefined) error.base = base;
    return error;
}

/** The record of `input` against `base`, both not yet strings; null: failure. */
function parseArguments(input, base) {
    let baseRecord = null;
    const text = toUSVString(input);
    if (base !== undefined) {
        baseRecord = parse(toUSVString(base), null);
        if (baseRecord === null) return null;
    }
    return parse(text, baseRecord);
}

/** https://url.spec.whatwg.org/#cannot-have-a-username-password-port */
function cannotHaveCredentials(record) {
    return record.host === null || record.host === '' || record.protocol === 'file:';
}

class URL {
    #record;
    #params;
    #href; // cached serialization

    constructor(input, base = undefined) {
        requireArguments(arguments.length, 1, 'URL');
        this.#record = parseArguments(input, base);
        if (this.#record === null) throw invalidURL(`${input}`, base === undefined ? undefined : `${base}`);
    }

    static canParse(input, base = undefined) {
        requireArguments(arguments.length, 1, 'URL.canParse');
        return parseArguments(input, base) !== null;
    }

    static parse(input, base = undefined) {
        requireArguments(arguments.length, 1, 'URL.parse');
        const record = parseArguments(input, base);
        return record === null ? null : new URL(serialize(record, false));
    }

    get href() { return this.#href ??= serialize(this.#record, false); }
    set href(value) {
        const record = parse(toUSVString(value), null);
        if (record === null) throw invalidURL(`${value}`, undefined);
        this.#record = record;
        this.#changed();
        if (this.#params !== undefined) replaceList(this.#params, record.query ?? '');
    }

    /** https://url.spec.whatwg.org/#concept-url-origin */
    get origin() {
        const record = this.#record;
        switch (record.protocol) {
        case 'blob:': {
            const inner = parse(record.path, null);
            if (inner === null || (inner.protocol !== 'http:' && inner.protocol !== 'https:')) return 'null';
            return originOf(inner);
        }
        case 'ftp:':
        case 'http:':
        case 'https:':
        case 'ws:':
        case 'wss:':
            return originOf(record);
        default:
            return 'null';
        }
    }

    get protocol() { return this.#record.protocol; }
    set protocol(value) {
        // Scheme start state and scheme state with a state override.
        const text = withoutTabs(`${toUSVString(value)}:`);
        const length = schemeLength(text);
        const record = this.#record;
        if (length < 0) return;
        const protocol = StringPrototypeToLowerCase(StringPrototypeSlice(text, 0, length + 1));
        if (isSpecial(protocol) !== record.special) return;
        if (protocol === 'file:' && (record.username !== '' || record.password !== '' || record.port !== null)) return;
        if (record.protocol === 'file:' && (record.host === '' || record.host === null)) return;
        record.setProtocol(protocol);
        if (record.port === specialPorts[protocol]) record.port = null;
        this.#changed();
    }

    get username() { return this.#record.username; }
    set username(value) {
        const text = toUSVString(value);
        if (cannotHaveCredentials(this.#record)) return;
        this.#record.username = percentEncode(text, setUserinfo);
        this.#changed();
    }

    get password() { return this.#record.password; }
    set password(value) {
        const text = toUSVString(value);
        if (cannotHaveCredentials(this.#record)) return;
        this.#record.password = percentEncode(text, setUserinfo);
        this.#changed();
    }

    get host() {
        const { host, port } = this.#record;
        return host === null ? '' : port === null ? host : `${host}:${port}`;
    }
    set host(value) { this.#setHost(toUSVString(value), true); }

    get hostname() { return this.#record.host ?? ''; }
    set hostname(value) { this.#setHost(toUSVString(value), false); }

    get port() {
        const { port } = this.#record;
        return port === null ? '' : `${port}`;
    }
    set port(value) {
        const text = toUSVString(value);
        const record = this.#record;
        if (cannotHaveCredentials(record)) return;
        if (text === '') record.port = null;
        else parsePort(record, leadingDigits(withoutTabs(text)));
        this.#changed();
    }

    get pathname() { return this.#record.path; }
    set pathname(value) {
        const text = withoutTabs(toUSVString(value));
        const record = this.#record;
        if (record.opaque) return;
        record.path = '';
        parsePathStart(record, text);
        if (text === '' && !record.special && record.host === null) record.path = '/';
        this.#changed();
    }

    get search() {
        const { query } = this.#record;
        return query === null || query === '' ? '' : `?${query}`;
    }
    set search(value) {
        let text = toUSVString(value);
        const record = this.#record;
        if (text === '') {
            record.query = null;
            if (this.#params !== undefined) replaceList(this.#params, '');
        } else {
            if (text[0] === '?') text = StringPrototypeSlice(text, 1);
            record.query = percentEncode(withoutTabs(text), record.special ? setSpecialQuery : setQuery);
            if (this.#params !== undefined) replaceList(this.#params, record.query);
        }
        this.#changed();
    }

    get searchParams() { return this.#params ??= makeParams(this, this.#record.query ?? ''); }

    get hash() {
        const { fragment } = this.#record;
        return fragment === null || fragment === '' ? '' : `#${fragment}`;
    }
    set hash(value) {
        let text = toUSVString(value);
        if (text === '') {
            this.#record.fragment = null;
        } else {
            if (text[0] === '#') text = StringPrototypeSlice(text, 1);
            this.#record.fragment = percentEncode(withoutTabs(text), setFragment);
        }
        this.#changed();
    }

    toString() { return this.#href ??= serialize(this.#record, false); }
    toJSON() { return this.#href ??= serialize(this.#record, false); }

    #changed() {
        this.#href = undefined;
    }

    /** Host state and hostname state with a state override. */
    #setHost(text, withPort) {
        const record = this.#record;
        if (record.opaque) return;
        text = withoutTabs(text);
        let end = endOfHost(record, text);
        for (let i = 0; i < end; i++) if (text[i] === '?' || text[i] === '#') end = i;
        text = StringPrototypeSlice(text, 0, end);
        let port = '';
        if (record.protocol !== 'file:') {
            const colon = portColon(text);
            if (colon >= 0) {
                if (colon === 0 || !withPort) return;
                port = leadingDigits(StringPrototypeSlice(text, colon + 1));
                text = StringPrototypeSlice(text, 0, colon);
            }
            if (text === '' && (record.special || record.username !== '' || record.password !== '' || record.port !== null)) return;
        }
        let host = text === '' ? '' : parseHost(text, record.special);
        if (host === null) return;
        if (record.protocol === 'file:' && host === 'localhost') host = '';
        record.host = host;
        parsePort(record, port);
        this.#changed();
    }

    [customInspect](depth, options, inspect) {
        if (depth < 0) return '[URL]';
        const fields = {
            href: this.href, origin: this.origin, protocol: this.protocol, username: this.username, password: this.password, host: this.host,
            hostname: this.hostname, port: this.port, pathname: this.pathname, search: this.search, searchParams: this.searchParams, hash: this.hash,
        };
        return `${this.constructor.name} ${inspect(fields, options)}`;
    }

    static {
        setQueryOf = (url, query) => {
            url.#record.query = query === '' ? null : query;
            url.#changed();
        };
        internal.urlRecord = (value) => (value !== null && typeof value === 'object' && #record in value ? value.#record : undefined);
    }
}
defineInterface(URL);

function originOf(record) {
    return `${record.protocol}//${record.host}${record.port === null ? '' : `:${record.port}`}`;
}

function leadingDigits(text) {
    let end = 0;
    while (end < text.length && StringPrototypeCharCodeAt(text, end) >= 48 && StringPrototypeCharCodeAt(text, end) <= 57) end++;
    return StringPrototypeSlice(text, 0, end);
}

/** The form-urlencoded text of a URLSearchParams; undefined for anything else. */
internal.formText = (value) => (isParams(value) ? serializeForm(listOf(value)) : undefined);
internal.parseForm = parseForm;
