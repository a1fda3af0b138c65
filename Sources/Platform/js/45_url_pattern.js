'use strict';
// @ts-check
// URLPattern (https://urlpattern.spec.whatwg.org/). What is compiled is kept, for programs make the same few patterns at every request; and the URL that was
// looked at last is, for a router tries one URL on many patterns. A component that takes everything or one text only needs no regular expression.

const {
    RegExp, RegExpPrototypeExec, SafeMap, StringPrototypeCharCodeAt, StringPrototypeEndsWith, StringPrototypeIncludes, StringPrototypeIndexOf,
    StringPrototypeLastIndexOf, StringPrototypeSlice, StringPrototypeStartsWith, StringPrototypeToLowerCase, TypeError, cutOff,
} = primordials;
const { customInspect } = internal;
const {
    PatternOptions, parsePattern, partFixed, partFull, partRegexp, toPattern, toRegexp, tokenAsterisk, tokenChar, tokenClose, tokenEnd, tokenEscaped,
    tokenInvalid, tokenName, tokenOpen, tokenRegexp, tokenize, escapePattern,
} = internal.patternParser;
const { isSpecial, parse, parsePathStart, parsePort, portColon, specialPorts, withoutTabs } = internal.url;
const { parseHost, percentEncode, setC0, setFragment, setSpecialQuery, setUserinfo } = internal.urlHost;
const { defineInterface, toUSVString } = internal.webidl;

const componentNames = ['protocol', 'username', 'password', 'hostname', 'port', 'pathname', 'search', 'hash'];

// ---- Canonical forms (https://urlpattern.spec.whatwg.org/#canon-encoding-callbacks) ----

const invalid = (what, value) => new TypeError(`URLPattern: ${internal.inspect(value)} is not a valid ${what}`);

/** https://urlpattern.spec.whatwg.org/#create-a-dummy-url */
const dummy = () => parse('https://dummy.invalid/', null);

function canonicalProtocol(value) {
    if (value === '') return '';
    const record = parse(`${value}://dummy.invalid/`, null);
    if (record === null) throw invalid('protocol', value);
    return StringPrototypeSlice(record.protocol, 0, -1);
}

const canonicalUserinfo = (value) => percentEncode(withoutTabs(value), setUserinfo);

function canonicalHostname(value) {
    if (value === '') return '';
    let text = withoutTabs(value);
    for (let i = 0; i < text.length; i++) {
        if (StringPrototypeIncludes('/?#\\', text[i])) text = StringPrototypeSlice(text, 0, i); // where the host ends for the URL parser
    }
    const host = text === '' || portColon(text) >= 0 ? null : parseHost(text, true);
    if (host === null) throw invalid('hostname', value);
    return host;
}

function canonicalIPv6(value) {
    for (let i = 0; i < value.length; i++) {
        const unit = StringPrototypeCharCodeAt(value, i);
        const lower = unit | 32;
        const isHex = (unit >= 48 && unit <= 57) || (lower >= 97 && lower <= 102);
        if (!isHex && unit !== 91 && unit !== 93 && unit !== 58) throw invalid('IPv6 hostname', value);
    }
    return StringPrototypeToLowerCase(value);
}

function canonicalPort(value, protocol) {
    if (value === '') return '';
    const text = withoutTabs(value);
    let end = 0;
    while (end < text.length && StringPrototypeCharCodeAt(text, end) >= 48 && StringPrototypeCharCodeAt(text, end) <= 57) end++;
    const record = dummy();
    if (protocol === undefined) record.setProtocol('dummy:'); else record.setProtocol(`${protocol}:`);
    if (end === 0 || !parsePort(record, StringPrototypeSlice(text, 0, end))) throw invalid('port', value);
    return record.port === null ? '' : `${record.port}`;
}

function canonicalPathname(value) {
    if (value === '') return '';
    const text = withoutTabs(value);
    const isAbsolute = text[0] === '/';
    const record = dummy();
    record.path = '';
    // Two characters that keep a relative path relative.
    parsePathStart(record, isAbsolute ? text : `/-${text}`);
    return isAbsolute ? record.path : StringPrototypeSlice(record.path, 2);
}

function canonicalOpaquePathname(value) {
    return value === '' ? '' : percentEncode(withoutTabs(value), setC0);
}

const canonicalSearch = (value) => percentEncode(withoutTabs(value), setSpecialQuery);
const canonicalHash = (value) => percentEncode(withoutTabs(value), setFragment);

// ---- Components ----

const defaultOptions = new PatternOptions('', '');
const hostnameOptions = new PatternOptions('.', '');
const pathnameOptions = new PatternOptions('/', '/');

/** V8 has the flag v since 11.2. */
let flags = 'v';
try { new RegExp('', flags); } catch { flags = 'u'; }

/** https://urlpattern.spec.whatwg.org/#component */
class Component {
    constructor(text, encode, options, ignoreCase) {
        const parts = parsePattern(text, options, encode);
        const { source, names } = toRegexp(parts, options);
        this.names = names;
        this.pattern = toPattern(parts, options);
        this.hasRegexp = false;
        for (let i = 0; i < parts.length; i++) if (parts[i].type === partRegexp) this.hasRegexp = true;
        // What needs no regular expression.
        const only = parts.length === 1 ? parts[0] : undefined;
        this.takesAll = only !== undefined && only.type === partFull && only.prefix === '' && only.suffix === '' && only.modifier === '';
        this.text = parts.length === 0 ? '' : only !== undefined && only.type === partFixed && only.modifier === '' && !ignoreCase ? only.value : undefined;
        try {
            this.regexp = new RegExp(source, ignoreCase ? `${flags}i` : flags);
        } catch (error) {
            throw new TypeError(`URLPattern: ${internal.inspect(text)} has an invalid regular expression: ${error.message}`);
        }
    }

    matches(value) {
        // No part of a URL holds a line end, the one thing that the wildcard does not take.
        if (this.takesAll) return true;
        return this.text !== undefined ? this.text === value : RegExpPrototypeExec(this.regexp, value) !== null;
    }
}
cutOff(Component);

const COMPONENTS_MAX = 2048;
const components = new SafeMap();

/** @param {string} kind tells what `encode` and `options` are */
function compile(kind, text, encode, options, ignoreCase) {
    const key = `${kind}${ignoreCase ? '!' : ':'}${text}`;
    let component = components.get(key);
    if (component === undefined) {
        component = new Component(text, encode, options, ignoreCase);
        if (components.size < COMPONENTS_MAX) components.set(key, component);
    }
    return component;
}

const specialSchemes = ['http', 'https', 'ws', 'wss', 'ftp', 'file'];

/** https://urlpattern.spec.whatwg.org/#protocol-component-matches-a-special-scheme-string */
function matchesSpecial(component) {
    for (let i = 0; i < specialSchemes.length; i++) if (component.matches(specialSchemes[i])) return true;
    return false;
}

const compileProtocol = (text) => compile('protocol', text, canonicalProtocol, defaultOptions, false);

// ---- Constructor strings (https://urlpattern.spec.whatwg.org/#constructor-string-parsing) ----

/** The order of components: a later state leaves out what lies before. */
const order = {
    __proto__: null, init: -2, protocol: 0, authority: 1, username: 2, password: 3, hostname: 4, port: 5, pathname: 6, search: 7, hash: 8, done: 9,
};

class ConstructorStringParser {
    constructor(input) {
        this.input = input;
        this.tokens = tokenize(input, true);
        this.result = new Init();
        this.start = 0; // token that the component begins with
        this.index = 0;
        this.increment = 1;
        this.depth = 0; // of groups
        this.brackets = 0; // of an IPv6 address
        this.isSpecial = false;
        this.state = 'init';
    }

    run() {
        for (; this.index < this.tokens.length; this.index += this.increment) {
            this.increment = 1;
            const { type } = this.tokens[this.index];
            if (type === tokenEnd) {
                if (this.state === 'init') {
                    this.rewind();
                    if (this.isAt('#')) this.change('hash', 1);
                    else if (this.isSearchPrefix()) this.change('search', 1);
                    else this.change('pathname', 0);
                    continue;
                }
                if (this.state === 'authority') {
                    this.rewind();
                    this.state = 'hostname';
                    continue;
                }
                this.change('done', 0);
                break;
            }
            if (type === tokenOpen) {
                this.depth++;
                continue;
            }
            if (this.depth > 0) {
                if (type !== tokenClose) continue;
                this.depth--;
            }
            this.step();
        }
        const { result } = this;
        if (result.hostname !== undefined && result.port === undefined) result.port = '';
        return result;
    }

    step() {
        switch (this.state) {
        case 'init':
            if (this.isAt(':')) this.rewindTo('protocol');
            break;
        case 'protocol':
            if (this.isAt(':')) {
                this.isSpecial = matchesSpecial(compileProtocol(this.componentText()));
                if (this.isAt('/', 1) && this.isAt('/', 2)) this.change('authority', 3);
                else this.change(this.isSpecial ? 'authority' : 'pathname', 1);
            }
            break;
        case 'authority':
            if (this.isAt('@')) this.rewindTo('username');
            else if (this.isAt('/') || this.isSearchPrefix() || this.isAt('#')) this.rewindTo('hostname');
            break;
        case 'username':
            if (this.isAt(':')) this.change('password', 1);
            else if (this.isAt('@')) this.change('hostname', 1);
            break;
        case 'password':
            if (this.isAt('@')) this.change('hostname', 1);
            break;
        case 'hostname':
            if (this.isAt('[')) this.brackets++;
            else if (this.isAt(']')) this.brackets--;
            else if (this.isAt(':') && this.brackets === 0) this.change('port', 1);
            else this.leaveForPath();
            break;
        case 'port':
            this.leaveForPath();
            break;
        case 'pathname':
            if (this.isSearchPrefix()) this.change('search', 1);
            else if (this.isAt('#')) this.change('hash', 1);
            break;
        case 'search':
            if (this.isAt('#')) this.change('hash', 1);
            break;
        }
    }

    leaveForPath() {
        if (this.isAt('/')) this.change('pathname', 0);
        else if (this.isSearchPrefix()) this.change('search', 1);
        else if (this.isAt('#')) this.change('hash', 1);
    }

    /** https://urlpattern.spec.whatwg.org/#change-state */
    change(state, skip) {
        const from = order[this.state];
        const to = order[state];
        const { result } = this;
        if (this.state !== 'init' && this.state !== 'authority' && this.state !== 'done') result[this.state] = this.componentText();
        if (this.state !== 'init' && state !== 'done') {
            if (from <= order.password && to >= order.port && result.hostname === undefined) result.hostname = '';
            if (from <= order.port && to >= order.search && result.pathname === undefined) result.pathname = this.isSpecial ? '/' : '';
            if (from <= order.pathname && to === order.hash && result.search === undefined) result.search = '';
        }
        this.state = state;
        this.index += skip;
        this.start = this.index;
        this.increment = 0;
    }

    rewind() {
        this.index = this.start;
        this.increment = 0;
    }

    rewindTo(state) {
        this.rewind();
        this.state = state;
    }

    token(index) { return index < this.tokens.length ? this.tokens[index] : this.tokens[this.tokens.length - 1]; }

    /** A character that means itself. */
    isAt(value, ahead = 0) {
        const token = this.token(this.index + ahead);
        return token.value === value && (token.type === tokenChar || token.type === tokenEscaped || token.type === tokenInvalid);
    }

    /** A question mark that is no modifier. */
    isSearchPrefix() {
        if (this.isAt('?')) return true;
        if (this.token(this.index).value !== '?') return false;
        if (this.index === 0) return true;
        const { type } = this.token(this.index - 1);
        return type !== tokenName && type !== tokenRegexp && type !== tokenClose && type !== tokenAsterisk;
    }

    componentText() {
        return StringPrototypeSlice(this.input, this.token(this.start).index, this.tokens[this.index].index);
    }
}
cutOff(ConstructorStringParser);

// ---- URLPatternInit (https://urlpattern.spec.whatwg.org/#urlpatterninit) ----

class Init {
    constructor() {
        this.protocol = this.username = this.password = this.hostname = this.port = this.pathname = this.search = this.hash = this.baseURL = undefined;
    }
}
cutOff(Init);

const initMembers = ['baseURL', 'hash', 'hostname', 'password', 'pathname', 'port', 'protocol', 'search', 'username'];

const toText = (value) => (value === undefined ? undefined : toUSVString(value));

/** The dictionary, members read in the order that WebIDL wants. */
function toInit(value) {
    const init = new Init();
    init.baseURL = toText(value.baseURL);
    init.hash = toText(value.hash);
    init.hostname = toText(value.hostname);
    init.password = toText(value.password);
    init.pathname = toText(value.pathname);
    init.port = toText(value.port);
    init.protocol = toText(value.protocol);
    init.search = toText(value.search);
    init.username = toText(value.username);
    return init;
}

const hasOnlyPath = (init) => init.pathname !== undefined && init.baseURL === undefined && init.protocol === undefined && init.hostname === undefined &&
    init.port === undefined && init.search === undefined && init.hash === undefined && init.username === undefined && init.password === undefined;

const isPath = (text, forPattern) => text !== '' && (text[0] === '/' || (forPattern && (text[0] === '\\' || text[0] === '{') && text[1] === '/'));
const withoutFirst = (text, mark) => (text[0] === mark ? StringPrototypeSlice(text, 1) : text);

/** https://urlpattern.spec.whatwg.org/#process-a-urlpatterninit. @param {boolean} forPattern else for a URL, whose components are "" by default */
function processInit(init, forPattern) {
    const result = new Init();
    if (!forPattern) for (let i = 0; i < componentNames.length; i++) result[componentNames[i]] = '';
    let base = null;
    if (init.baseURL !== undefined) {
        base = parse(init.baseURL, null);
        if (base === null) throw invalid('base URL', init.baseURL);
        takeBase(init, result, base, forPattern);
    }
    if (init.protocol !== undefined) {
        const text = StringPrototypeEndsWith(init.protocol, ':') ? StringPrototypeSlice(init.protocol, 0, -1) : init.protocol;
        result.protocol = forPattern ? text : canonicalProtocol(text);
    }
    if (init.username !== undefined) result.username = forPattern ? init.username : canonicalUserinfo(init.username);
    if (init.password !== undefined) result.password = forPattern ? init.password : canonicalUserinfo(init.password);
    if (init.hostname !== undefined) result.hostname = forPattern ? init.hostname : canonicalHostname(init.hostname);
    if (init.port !== undefined) result.port = forPattern ? init.port : canonicalPort(init.port, result.protocol === '' ? undefined : result.protocol);
    if (init.pathname !== undefined) {
        let { pathname } = init;
        if (base !== null && !base.opaque && !isPath(pathname, forPattern)) {
            const path = forPattern ? escapePattern(base.path) : base.path;
            const slash = StringPrototypeLastIndexOf(path, '/');
            if (slash >= 0) pathname = StringPrototypeSlice(path, 0, slash + 1) + pathname;
        }
        const isSpecialPath = result.protocol === undefined || result.protocol === '' || isSpecial(`${result.protocol}:`);
        result.pathname = forPattern ? pathname : isSpecialPath ? canonicalPathname(pathname) : canonicalOpaquePathname(pathname);
    }
    if (init.search !== undefined) {
        const text = withoutFirst(init.search, '?');
        result.search = forPattern ? text : canonicalSearch(text);
    }
    if (init.hash !== undefined) {
        const text = withoutFirst(init.hash, '#');
        result.hash = forPattern ? text : canonicalHash(text);
    }
    return result;
}

/** A component comes from the base unless something before it was given. */
function takeBase(init, result, base, forPattern) {
    const from = forPattern ? escapePattern : (text) => text;
    if (init.protocol !== undefined) return;
    result.protocol = from(StringPrototypeSlice(base.protocol, 0, -1));
    if (!forPattern && init.hostname === undefined && init.port === undefined && init.username === undefined) {
        result.username = base.username;
        if (init.password === undefined) result.password = base.password;
    }
    if (init.hostname !== undefined) return;
    result.hostname = from(base.host ?? '');
    if (init.port !== undefined) return;
    result.port = base.port === null ? '' : `${base.port}`;
    if (init.pathname !== undefined) return;
    result.pathname = from(base.path);
    if (init.search !== undefined) return;
    result.search = from(base.query ?? '');
    if (init.hash !== undefined) return;
    result.hash = from(base.fragment ?? '');
}

// ---- The pattern ----

/** Protocol, username … hash as components. Shared by all patterns that were made alike. */
class Compiled {
    constructor(init, ignoreCase) {
        const given = processInit(init, true);
        for (let i = 0; i < componentNames.length; i++) given[componentNames[i]] ??= '*';
        if (specialPorts[`${given.protocol}:`] !== undefined && given.port === `${specialPorts[`${given.protocol}:`]}`) given.port = '';
        this.protocol = compileProtocol(given.protocol);
        this.username = compile('userinfo', given.username, canonicalUserinfo, defaultOptions, false);
        this.password = compile('userinfo', given.password, canonicalUserinfo, defaultOptions, false);
        const { hostname } = given;
        const isIPv6 = hostname.length >= 2 && (hostname[0] === '[' || ((hostname[0] === '{' || hostname[0] === '\\') && hostname[1] === '['));
        this.hostname = isIPv6 ? compile('ipv6', hostname, canonicalIPv6, hostnameOptions, false)
            : compile('hostname', hostname, canonicalHostname, hostnameOptions, false);
        this.port = compile('port', given.port, (text) => canonicalPort(text, undefined), defaultOptions, false);
        this.pathname = matchesSpecial(this.protocol) ? compile('pathname', given.pathname, canonicalPathname, pathnameOptions, ignoreCase)
            : compile('opaque', given.pathname, canonicalOpaquePathname, defaultOptions, ignoreCase);
        this.search = compile('search', given.search, canonicalSearch, defaultOptions, ignoreCase);
        this.hash = compile('hash', given.hash, canonicalHash, defaultOptions, ignoreCase);
        this.hasRegExpGroups = false;
        for (let i = 0; i < componentNames.length; i++) if (this[componentNames[i]].hasRegexp) this.hasRegExpGroups = true;
    }

    matches(url) {
        return this.pathname.matches(url.pathname) && this.protocol.matches(url.protocol) && this.hostname.matches(url.hostname) &&
            this.port.matches(url.port) && this.search.matches(url.search) && this.hash.matches(url.hash) && this.username.matches(url.username) &&
            this.password.matches(url.password);
    }
}
cutOff(Compiled);

// By the text, or by the pathname where it is the only member.
const PATTERNS_MAX = 1024;
const byText = new SafeMap();
const byPathname = new SafeMap();

function remember(map, key, make) {
    let compiled = map.get(key);
    if (compiled === undefined) {
        compiled = make();
        if (map.size < PATTERNS_MAX) map.set(key, compiled);
    }
    return compiled;
}

/** What a URL or an init is matched as. */
class Subject {
    constructor(protocol, username, password, hostname, port, pathname, search, hash, url) {
        this.protocol = protocol;
        this.username = username;
        this.password = password;
        this.hostname = hostname;
        this.port = port;
        this.pathname = pathname;
        this.search = search;
        this.hash = hash;
        this.url = url; // the text it was made of; undefined: of an init
    }
}
cutOff(Subject);

function subjectOfRecord(record, url) {
    return new Subject(
        StringPrototypeSlice(record.protocol, 0, -1), record.username, record.password, record.host ?? '', record.port === null ? '' : `${record.port}`,
        record.path, record.query ?? '', record.fragment ?? '', url);
}

let lastText = '';
let lastSubject = null;
let lastOrigin = '!'; // of the last http(s) URL: what stands before its path

function subjectOfText(text) {
    if (text === lastText) return lastSubject;
    let subject;
    if (StringPrototypeStartsWith(text, lastOrigin)) subject = subjectOfSibling(text);
    if (subject === undefined) {
        const record = parse(toUSVString(text), null);
        subject = record === null ? null : subjectOfRecord(record, text);
        if (record !== null && (record.protocol === 'http:' || record.protocol === 'https:') && record.username === '' && record.password === '') {
            lastOrigin = `${record.protocol}//${record.host}${record.port === null ? '' : `:${record.port}`}`;
        } else {
            lastOrigin = '!';
        }
    }
    if (text.length > 4096) {
        lastOrigin = '!';
        lastText = '';
        lastSubject = null;
        return subject;
    }
    lastText = text;
    lastSubject = subject;
    return subject;
}

/** A URL of the same origin as the last, with a path that needs no work; undefined: it needs some. */
function subjectOfSibling(text) {
    const start = lastOrigin.length;
    const mark = StringPrototypeIndexOf(text, '?', start);
    const end = mark < 0 ? text.length : mark;
    if (!isPlainPath(text, start, end)) return undefined;
    let search = '';
    if (mark >= 0) {
        for (let i = mark + 1; i < text.length; i++) {
            const unit = StringPrototypeCharCodeAt(text, i);
            // What the special-query set encodes, and what begins a fragment.
            if (unit <= 0x20 || unit > 0x7E || unit === 34 || unit === 35 || unit === 39 || unit === 60 || unit === 62) return undefined;
        }
        search = StringPrototypeSlice(text, mark + 1);
    }
    const { protocol, hostname, port } = lastSubject;
    return new Subject(protocol, '', '', hostname, port, StringPrototypeSlice(text, start, end), search, '', text);
}

/** A path that is its canonical form. */
function isPlainPath(text, start, end) {
    if (start >= end || StringPrototypeCharCodeAt(text, start) !== 47) return false;
    for (let i = start + 1; i < end; i++) {
        const unit = StringPrototypeCharCodeAt(text, i);
        const lower = unit | 32;
        if ((lower >= 97 && lower <= 122) || (unit >= 47 && unit <= 57) || unit === 45 || unit === 95) continue;
        if (unit === 46 && StringPrototypeCharCodeAt(text, i - 1) !== 47) continue;
        return false;
    }
    return true;
}

/** @returns {Subject | null} null: no match possible */
function subjectOf(input, base) {
    if (typeof input === 'string' && base === undefined) return subjectOfText(input);
    if (input !== null && input !== undefined && (typeof input === 'object' || typeof input === 'function')) {
        const record = internal.urlRecord(input); // a URL has a stringifier, so it is a USVString
        if (record !== undefined) input = `${input}`;
    }
    if (input === undefined || (input !== null && (typeof input === 'object' || typeof input === 'function'))) {
        const init = input === undefined ? new Init() : toInit(input);
        if (base !== undefined) throw new TypeError('URLPattern: a base URL goes with a string only');
        return subjectOfInit(init);
    }
    const text = toUSVString(input);
    if (base === undefined) return subjectOfText(text);
    const baseRecord = parse(toUSVString(base), null);
    const record = baseRecord === null ? null : parse(text, baseRecord);
    return record === null ? null : subjectOfRecord(record, undefined);
}

function subjectOfInit(init) {
    if (hasOnlyPath(init) && isPlainPath(init.pathname, 0, init.pathname.length)) {
        return new Subject('', '', '', '', '', init.pathname, '', '', undefined);
    }
    try {
        const { protocol, username, password, hostname, port, pathname, search, hash } = processInit(init, false);
        return new Subject(protocol, username, password, hostname, port, pathname, search, hash, undefined);
    } catch {
        return null;
    }
}

class URLPattern {
    #compiled;

    constructor(input = undefined, baseOrOptions = undefined, options = undefined) {
        let base;
        if (arguments.length > 2 || typeof baseOrOptions === 'string') base = toUSVString(baseOrOptions);
        else options = baseOrOptions;
        if (options !== undefined && options !== null && typeof options !== 'object' && typeof options !== 'function') {
            if (arguments.length > 2) throw new TypeError('URLPattern: the options are not an object');
            base = toUSVString(options);
            options = undefined;
        }
        const ignoreCase = options !== undefined && options !== null && !!options.ignoreCase;
        const isRecord = input !== null && (typeof input === 'object' || typeof input === 'function') && internal.urlRecord(input) === undefined;
        if (input === undefined || isRecord) {
            const init = input === undefined ? new Init() : toInit(input);
            if (base !== undefined) throw new TypeError('URLPattern: a base URL goes with a string only; an object has a member baseURL');
            this.#compiled = !ignoreCase && hasOnlyPath(init) ? remember(byPathname, init.pathname, () => new Compiled(init, false))
                : new Compiled(init, ignoreCase);
            return;
        }
        const text = toUSVString(input);
        const make = () => {
            const init = new ConstructorStringParser(text).run();
            if (base === undefined && init.protocol === undefined) {
                throw new TypeError(`URLPattern: ${internal.inspect(text)} is relative and there is no base URL`);
            }
            init.baseURL = base;
            return new Compiled(init, ignoreCase);
        };
        this.#compiled = base === undefined && !ignoreCase ? remember(byText, text, make) : make();
    }

    test(input = undefined, base = undefined) {
        const compiled = this.#compiled;
        const subject = subjectOf(input, base);
        if (subject === null || !compiled.matches(subject)) return false;
        tell(compiled, subject);
        return true;
    }

    exec(input = undefined, base = undefined) {
        const compiled = this.#compiled;
        const subject = subjectOf(input, base);
        if (subject === null || !compiled.matches(subject)) return null;
        tell(compiled, subject);
        return {
            inputs: base === undefined ? [shown(input)] : [shown(input), toUSVString(base)],
            protocol: resultOf(compiled.protocol, subject.protocol), username: resultOf(compiled.username, subject.username),
            password: resultOf(compiled.password, subject.password), hostname: resultOf(compiled.hostname, subject.hostname),
            port: resultOf(compiled.port, subject.port), pathname: resultOf(compiled.pathname, subject.pathname),
            search: resultOf(compiled.search, subject.search), hash: resultOf(compiled.hash, subject.hash),
        };
    }

    get protocol() { return this.#compiled.protocol.pattern; }
    get username() { return this.#compiled.username.pattern; }
    get password() { return this.#compiled.password.pattern; }
    get hostname() { return this.#compiled.hostname.pattern; }
    get port() { return this.#compiled.port.pattern; }
    get pathname() { return this.#compiled.pathname.pattern; }
    get search() { return this.#compiled.search.pattern; }
    get hash() { return this.#compiled.hash.pattern; }
    get hasRegExpGroups() { return this.#compiled.hasRegExpGroups; }

    [customInspect](depth, options, inspect) {
        const fields = {};
        for (let i = 0; i < componentNames.length; i++) fields[componentNames[i]] = this.#compiled[componentNames[i]].pattern;
        fields.hasRegExpGroups = this.#compiled.hasRegExpGroups;
        return `URLPattern ${inspect(fields, options)}`;
    }
}
defineInterface(URLPattern);

/** An input as a result repeats it: a dictionary becomes an object of what it had. */
function shown(input) {
    if (input === undefined) return {};
    if (input === null || (typeof input !== 'object' && typeof input !== 'function')) return toUSVString(input);
    if (internal.urlRecord(input) !== undefined) return `${input}`;
    const init = toInit(input);
    const result = {};
    for (let i = 0; i < initMembers.length; i++) if (init[initMembers[i]] !== undefined) result[initMembers[i]] = init[initMembers[i]];
    return result;
}

/** https://urlpattern.spec.whatwg.org/#create-a-component-match-result */
function resultOf(component, value) {
    const { names } = component;
    if (component.takesAll && names[0] === '0') return { input: value, groups: { 0: value } };
    const groups = {};
    if (names.length > 0) {
        const found = RegExpPrototypeExec(component.regexp, value);
        for (let i = 0; i < names.length; i++) groups[names[i]] = found[i + 1];
    }
    return { input: value, groups };
}

/** A request's route is the path of the pattern that its URL matched (44_serve.js). */
function tell(compiled, subject) {
    if (!compiled.pathname.takesAll) internal.serve.matched(compiled.pathname.pattern, subject.url, subject.pathname);
}
