'use strict';
// @ts-check
// URL parsing (https://url.spec.whatwg.org/#url-parsing). The standard's state machine reads one code point after another; the same language is read here by
// cutting: outside of the scheme the first "#" always begins the fragment and the first "?" before it the query, so what is left is authority and path, which
// end at slashes. A path is kept as its serialization, since that is what everybody asks for: "" is the empty list, "/a/b" the list of a and b.

const {
    ArrayPrototypeJoin, StringPrototypeCharCodeAt, StringPrototypeIncludes, StringPrototypeIndexOf, StringPrototypeLastIndexOf,
    StringPrototypeSlice, StringPrototypeStartsWith, StringPrototypeToLowerCase, cutOff,
} = primordials;
const { split } = internal.text;
const { parseHost, percentEncode, setC0, setFragment, setPath, setQuery, setSpecialQuery, setUserinfo } = internal.urlHost;

/** https://url.spec.whatwg.org/#special-scheme → default port */
const specialPorts = { __proto__: null, 'http:': 80, 'https:': 443, 'ws:': 80, 'wss:': 443, 'ftp:': 21, 'file:': null };

function isSpecial(protocol) {
    return specialPorts[protocol] !== undefined;
}

/** https://url.spec.whatwg.org/#concept-url */
class URLRecord {
    constructor() {
        this.protocol = ''; // the scheme with its colon
        this.special = false;
        this.username = '';
        this.password = '';
        /** @type {string | null} serialized, with brackets around IPv6 */
        this.host = null;
        /** @type {number | null} null: the scheme's default */
        this.port = null;
        this.path = '';
        this.opaque = false; // the path is an opaque one
        /** @type {string | null} */
        this.query = null;
        /** @type {string | null} */
        this.fragment = null;
    }

    setProtocol(protocol) {
        this.protocol = protocol;
        this.special = isSpecial(protocol);
    }

    takeAuthority(other) {
        this.username = other.username;
        this.password = other.password;
        this.host = other.host;
        this.port = other.port;
    }
}
cutOff(URLRecord);

// ---- Pieces of the machine ----

function isLetter(unit) {
    unit |= 32;
    return unit >= 97 && unit <= 122;
}

/** A letter and ":" or "|", then a slash or the end, where "?" or "#" stood: https://url.spec.whatwg.org/#start-with-a-windows-drive-letter. */
function startsWithDriveLetter(text) {
    if (text.length < 2 || !isLetter(StringPrototypeCharCodeAt(text, 0)) || (text[1] !== ':' && text[1] !== '|')) return false;
    return text.length === 2 || text[2] === '/' || text[2] === '\\';
}

/** The first segment of a path is "/C:". */
function beginsWithNormalizedDrive(path) {
    return path.length >= 3 && isLetter(StringPrototypeCharCodeAt(path, 1)) && path[2] === ':' && (path.length === 3 || path[3] === '/');
}

/** https://url.spec.whatwg.org/#shorten-a-urls-path */
function shorten(url) {
    const { path } = url;
    if (url.protocol === 'file:' && path.length === 3 && beginsWithNormalizedDrive(path)) return;
    if (path !== '') url.path = StringPrototypeSlice(path, 0, StringPrototypeLastIndexOf(path, '/'));
}

/** 1: a single-dot segment, 2: a double-dot segment, also when written with %2e (https://url.spec.whatwg.org/#single-dot-path-segment). */
function dots(segment) {
    const { length } = segment;
    if (length === 0 || length > 6 || (segment[0] !== '.' && segment[0] !== '%')) return 0;
    let count = 0;
    for (let i = 0; i < length;) {
        if (segment[i] === '.') i++;
        else if (segment[i] === '%' && segment[i + 1] === '2' && (segment[i + 2] === 'e' || segment[i + 2] === 'E')) i += 3;
        else return 0;
        count++;
    }
    return count <= 2 ? count : 0;
}

/** Path state: the segments of `text` are added to the path. */
function parsePath(url, text) {
    const { special, protocol } = url;
    const file = protocol === 'file:';
    if (special && StringPrototypeIncludes(text, '\\')) text = ArrayPrototypeJoin(split(text, '\\'), '/');
    if (!file && !StringPrototypeIncludes(text, '.') && !StringPrototypeIncludes(text, '%')) { // no dot segments, no drives
        url.path += `/${percentEncode(text, setPath)}`;
        return;
    }
    for (let start = 0; ;) {
        let end = StringPrototypeIndexOf(text, '/', start);
        const last = end < 0;
        if (last) end = text.length;
        let segment = StringPrototypeSlice(text, start, end);
        const kind = dots(segment);
        if (kind !== 0) {
            if (kind === 2) shorten(url);
            if (last) url.path += '/';
        } else {
            if (file && url.path === '' && segment.length === 2 && segment[1] === '|' && isLetter(StringPrototypeCharCodeAt(segment, 0))) {
                segment = `${segment[0]}:`;
            }
            url.path += `/${percentEncode(segment, setPath)}`;
        }
        if (last) return;
        start = end + 1;
    }
}

function isSlash(url, text, at) {
    return text[at] === '/' || (url.special && text[at] === '\\');
}

/** Path start state: what follows the authority, from its slash on. */
function parsePathStart(url, text) {
    if (url.special) parsePath(url, isSlash(url, text, 0) ? StringPrototypeSlice(text, 1) : text);
    else if (text !== '') parsePath(url, text[0] === '/' ? StringPrototypeSlice(text, 1) : text);
}

/** Where the authority or host ends: the first slash. */
function endOfHost(url, text) {
    for (let i = 0; i < text.length; i++) {
        const unit = StringPrototypeCharCodeAt(text, i);
        if (unit === 47 || (unit === 92 && url.special)) return i;
    }
    return text.length;
}

/** The colon before the port; -1: none. Colons in brackets belong to an IPv6 address. */
function portColon(text) {
    let inBrackets = false;
    for (let i = 0; i < text.length; i++) {
        const unit = StringPrototypeCharCodeAt(text, i);
        if (unit === 58 && !inBrackets) return i;
        if (unit === 91) inBrackets = true; else if (unit === 93) inBrackets = false;
    }
    return -1;
}

/** Port state, all of `text`. @returns {boolean} success */
function parsePort(url, text) {
    let port = 0;
    for (let i = 0; i < text.length; i++) {
        const digit = StringPrototypeCharCodeAt(text, i) - 48;
        if (digit < 0 || digit > 9) return false;
        port = port * 10 + digit;
        if (port > 65535) return false;
    }
    if (text !== '') url.port = port === specialPorts[url.protocol] ? null : port;
    return true;
}

/** Authority state and on, from behind the slashes. @returns {boolean} success */
function parseAuthority(url, text) {
    const end = endOfHost(url, text);
    let host = end === text.length ? text : StringPrototypeSlice(text, 0, end);
    const at = StringPrototypeLastIndexOf(host, '@');
    if (at >= 0) {
        const credentials = StringPrototypeSlice(host, 0, at);
        const colon = StringPrototypeIndexOf(credentials, ':');
        url.username = percentEncode(colon < 0 ? credentials : StringPrototypeSlice(credentials, 0, colon), setUserinfo);
        url.password = colon < 0 ? '' : percentEncode(StringPrototypeSlice(credentials, colon + 1), setUserinfo);
        host = StringPrototypeSlice(host, at + 1);
        if (host === '') return false;
    }
    const colon = portColon(host);
    if (colon === 0) return false;
    const name = colon < 0 ? host : StringPrototypeSlice(host, 0, colon);
    if (name === '' && url.special) return false;
    url.host = parseHost(name, url.special);
    if (url.host === null) return false;
    if (colon > 0 && !parsePort(url, StringPrototypeSlice(host, colon + 1))) return false;
    parsePathStart(url, end === text.length ? '' : StringPrototypeSlice(text, end));
    return true;
}

/** Special authority ignore slashes state. */
function parseSpecialAuthority(url, text, from) {
    while (from < text.length && isSlash(url, text, from)) from++;
    return parseAuthority(url, StringPrototypeSlice(text, from));
}

/** File state. @returns {boolean} success */
function parseFile(url, text, hasQuery, base) {
    url.setProtocol('file:');
    url.host = '';
    const fileBase = base !== null && base.protocol === 'file:' ? base : null;
    if (isSlash(url, text, 0)) {
        if (isSlash(url, text, 1)) return parseFileHost(url, StringPrototypeSlice(text, 2));
        if (fileBase !== null) {
            url.host = fileBase.host;
            if (!startsWithDriveLetter(StringPrototypeSlice(text, 1)) && beginsWithNormalizedDrive(fileBase.path)) {
                url.path = StringPrototypeSlice(fileBase.path, 0, 3);
            }
        }
        parsePath(url, StringPrototypeSlice(text, 1));
        return true;
    }
    if (fileBase !== null) {
        url.host = fileBase.host;
        url.path = fileBase.path;
        if (text === '') {
            if (!hasQuery) url.query = fileBase.query;
            return true;
        }
        if (startsWithDriveLetter(text)) url.path = ''; else shorten(url);
    }
    parsePath(url, text);
    return true;
}

/** File host state: `text` follows the two slashes. */
function parseFileHost(url, text) {
    const end = endOfHost(url, text);
    const name = StringPrototypeSlice(text, 0, end);
    if (name.length === 2 && startsWithDriveLetter(name)) { // a drive, no host
        parsePath(url, text);
        return true;
    }
    if (name !== '') {
        const host = parseHost(name, true);
        if (host === null) return false;
        url.host = host === 'localhost' ? '' : host;
    }
    parsePathStart(url, StringPrototypeSlice(text, end));
    return true;
}

/** Relative state: there is a base that is not opaque and not a file. @returns {boolean} success */
function parseRelative(url, text, hasQuery, base) {
    url.setProtocol(base.protocol);
    if (isSlash(url, text, 0)) {
        if (url.special && isSlash(url, text, 1)) return parseSpecialAuthority(url, text, 2);
        if (text[1] === '/') return parseAuthority(url, StringPrototypeSlice(text, 2));
        url.takeAuthority(base);
        parsePath(url, StringPrototypeSlice(text, 1));
        return true;
    }
    url.takeAuthority(base);
    url.path = base.path;
    if (text === '') {
        if (!hasQuery) url.query = base.query;
        return true;
    }
    shorten(url);
    parsePath(url, text);
    return true;
}

/** The length of the scheme that `text` begins with, its colon not counted; -1: none. */
function schemeLength(text) {
    if (text === '' || !isLetter(StringPrototypeCharCodeAt(text, 0))) return -1;
    for (let i = 1; i < text.length; i++) {
        const unit = StringPrototypeCharCodeAt(text, i);
        if (unit === 58) return i;
        if (!isLetter(unit) && !(unit >= 48 && unit <= 57) && unit !== 43 && unit !== 45 && unit !== 46) return -1;
    }
    return -1;
}

/** Without tabs and line ends, which may stand anywhere and mean nothing. */
function withoutTabs(text) {
    for (let i = 0; i < text.length; i++) {
        const unit = StringPrototypeCharCodeAt(text, i);
        if (unit === 9 || unit === 10 || unit === 13) {
            return ArrayPrototypeJoin(split(ArrayPrototypeJoin(split(ArrayPrototypeJoin(split(text, '\t'), ''), '\n'), ''), '\r'), '');
        }
    }
    return text;
}

function trimmed(text) {
    let start = 0;
    let end = text.length;
    while (start < end && StringPrototypeCharCodeAt(text, start) <= 32) start++;
    while (end > start && StringPrototypeCharCodeAt(text, end - 1) <= 32) end--;
    return withoutTabs(start === 0 && end === text.length ? text : StringPrototypeSlice(text, start, end));
}

/** Opaque path state. A space at the end would not survive another parse, so it is encoded there. */
function parseOpaquePath(url, text, isLast) {
    url.opaque = true;
    if (!isLast && StringPrototypeCharCodeAt(text, text.length - 1) === 32) text = `${StringPrototypeSlice(text, 0, -1)}%20`;
    url.path = percentEncode(text, setC0);
}

/** @returns {boolean} success */
function parseAfterScheme(url, text, hasQuery, isLast, base) {
    if (url.protocol === 'file:') return parseFile(url, text, hasQuery, base);
    if (url.special) {
        if (base !== null && base.protocol === url.protocol && !(text[0] === '/' && text[1] === '/')) return parseRelative(url, text, hasQuery, base);
        return parseSpecialAuthority(url, text, 0);
    }
    if (text[0] === '/') {
        if (text[1] === '/') return parseAuthority(url, StringPrototypeSlice(text, 2));
        parsePath(url, StringPrototypeSlice(text, 1));
        return true;
    }
    parseOpaquePath(url, text, isLast);
    return true;
}

/**
 * https://url.spec.whatwg.org/#concept-basic-url-parser without a state override.
 * @param {string} input a USVString
 * @param {URLRecord | null} base
 * @returns {URLRecord | null} null: failure
 */
function parse(input, base) {
    let text = trimmed(input);
    const url = new URLRecord();
    const length = schemeLength(text);
    if (length >= 0) {
        url.setProtocol(StringPrototypeToLowerCase(StringPrototypeSlice(text, 0, length + 1)));
        text = StringPrototypeSlice(text, length + 1);
    }
    let fragment = null;
    let query = null;
    const hash = StringPrototypeIndexOf(text, '#');
    if (hash >= 0) {
        fragment = StringPrototypeSlice(text, hash + 1);
        text = StringPrototypeSlice(text, 0, hash);
    }
    const mark = StringPrototypeIndexOf(text, '?');
    if (mark >= 0) {
        query = StringPrototypeSlice(text, mark + 1);
        text = StringPrototypeSlice(text, 0, mark);
    }
    const hasQuery = query !== null;
    if (length >= 0) {
        if (!parseAfterScheme(url, text, hasQuery, !hasQuery && fragment === null, base)) return null;
    } else if (base === null) {
        return null;
    } else if (base.opaque) {
        if (text !== '' || hasQuery || fragment === null) return null;
        url.setProtocol(base.protocol);
        url.opaque = true;
        url.path = base.path;
        url.query = base.query;
    } else if (!(base.protocol === 'file:' ? parseFile : parseRelative)(url, text, hasQuery, base)) {
        return null;
    }
    if (hasQuery) url.query = percentEncode(query, url.special ? setSpecialQuery : setQuery);
    if (fragment !== null) url.fragment = percentEncode(fragment, setFragment);
    return url;
}

/** https://url.spec.whatwg.org/#concept-url-serializer */
function serialize(url, withoutFragment) {
    let text = url.protocol;
    if (url.host !== null) {
        text += '//';
        if (url.username !== '' || url.password !== '') {
            text += url.username;
            if (url.password !== '') text += `:${url.password}`;
            text += '@';
        }
        text += url.host;
        if (url.port !== null) text += `:${url.port}`;
    } else if (!url.opaque && StringPrototypeStartsWith(url.path, '//')) {
        text += '/.'; // else the path would read as a host
    }
    text += url.path;
    if (url.query !== null) text += `?${url.query}`;
    return withoutFragment || url.fragment === null ? text : `${text}#${url.fragment}`;
}

internal.url = {
    parse, serialize, parsePathStart, parsePort, endOfHost, portColon, schemeLength, withoutTabs, isSpecial, specialPorts,
};
