'use strict';
// @ts-check
// url.parse, url.format and url.resolve: https://nodejs.org/api/url.html#legacy-url-api. Lenient where the standard's URL is strict. url_module.js loads this.

const {
    RegExpPrototypeExec, StringPrototypeIndexOf, StringPrototypeLastIndexOf, StringPrototypeSlice, StringPrototypeStartsWith,
    StringPrototypeToLowerCase, StringPrototypeTrim, TypeError, decodeURIComponent, encodeURIComponent,
} = primordials;
const { coded, define, invalidType, requireString } = internal.load('node_errors');
const querystring = internal.load('querystring');
const { URL } = internal.globals;
const read = internal.urlAttributes;

const schemePattern = /^[a-z0-9.+-]+:/i;
const portPattern = /:[0-9]*$/;
const simplePathPattern = /^\/\/?(?!\/)[^?\s]*(?:\?[^\s]*)?$/;
const userPattern = /^\/\/[^@/]+@[^@/]+/;
const userBeforeQuery = /^[^?#]*@/;
const hostnameMax = 255; // characters

/** Schemes after which "//" is due. */
const isSlashed = (scheme) => {
    switch (scheme) {
    case 'http': case 'http:': case 'https': case 'https:': case 'ftp': case 'ftp:': case 'gopher': case 'gopher:': case 'file': case 'file:': case 'ws': case 'ws:': case 'wss':
    case 'wss:': return true;
    default: return false;
    }
};
const isScript = (scheme) => scheme === 'javascript' || scheme === 'javascript:';

class Url {
    protocol = null;
    slashes = null;
    auth = null;
    host = null;
    port = null;
    hostname = null;
    hash = null;
    search = null;
    query = null;
    pathname = null;
    path = null;
    href = null;

    parse(url, parseQueryString, slashesDenoteHost) {
        parseInto(this, url, parseQueryString, slashesDenoteHost);
        return this;
    }
    format() { return formatObject(this); }
    resolve(relative) { return resolve(this.href ?? this.format(), typeof relative === 'string' ? relative : relative.href); }
    resolveObject(relative) { return parse(this.resolve(relative), false, true); }
}

/** What ends a host, and what cannot be in one. */
const hostEnds = '/?#';
const strange = '\t\n\r "%\';<>\\^`{|}';

/** Characters that are escaped behind the host. */
const escaped = {
    __proto__: null, '\t': '%09', '\n': '%0A', '\r': '%0D', ' ': '%20', '"': '%22', "'": '%27', '<': '%3C', '>': '%3E', '\\': '%5C', '^': '%5E', '`': '%60', '{': '%7B', '|': '%7C', '}': '%7D',
};

function escapeRest(text) {
    let result = '';
    let done = 0;
    for (let i = 0; i < text.length; i++) {
        const escape = escaped[text[i]];
        if (escape === undefined) continue;
        result += StringPrototypeSlice(text, done, i) + escape;
        done = i + 1;
    }
    return done === 0 ? text : result + StringPrototypeSlice(text, done);
}

/** Backslashes before a query or fragment are slashes. */
function withSlashes(text) {
    let result = '';
    for (let i = 0; i < text.length; i++) {
        if (text[i] === '?' || text[i] === '#') return result + StringPrototypeSlice(text, i);
        result += text[i] === '\\' ? '/' : text[i];
    }
    return result;
}

function invalidURL(input) {
    const error = coded(TypeError, 'ERR_INVALID_URL', 'Invalid URL');
    define(error, { input });
    return error;
}

const hostPattern = /^[^/\\#?:]*/;

/** Splits "host:port" and gives the host the form it has in DNS. @returns {string} what cannot be in a host: it belongs to the path */
function setHost(target, text, input) {
    const match = RegExpPrototypeExec(portPattern, text);
    let hostname = text;
    if (match !== null) {
        if (match[0] !== ':') target.port = StringPrototypeSlice(match[0], 1);
        hostname = StringPrototypeSlice(text, 0, match.index);
    }
    const isAddress = hostname[0] === '[' && hostname[hostname.length - 1] === ']';
    let rest = '';
    if (!isAddress) {
        const { length } = RegExpPrototypeExec(hostPattern, hostname)[0];
        if (length < hostname.length) {
            rest = `/${StringPrototypeSlice(hostname, length)}`;
            hostname = StringPrototypeSlice(hostname, 0, length);
        }
    }
    if (hostname.length > hostnameMax) hostname = '';
    hostname = StringPrototypeToLowerCase(hostname);
    if (!isAddress && hostname !== '') {
        hostname = toASCII(hostname);
        if (hostname === '' || RegExpPrototypeExec(/[\0\t\n\r #%/:<>?@[\\\]^|]/, hostname) !== null) throw invalidURL(input);
    }
    target.hostname = isAddress ? StringPrototypeSlice(hostname, 1, -1) : hostname;
    target.host = hostname + (target.port === null ? '' : `:${target.port}`);
    return rest;
}

function toASCII(hostname) {
    for (let i = 0; i < hostname.length; i++) {
        if (hostname[i] > '\x7f') return normalizeHost(hostname);
    }
    return hostname;
}

/** IDNA's mapping, by way of a URL; what it refuses stays. */
function normalizeHost(hostname) {
    try {
        return read.hostname(new URL(`ws://${hostname}`));
    } catch {
        return hostname;
    }
}

function parseInto(target, url, parseQueryString, slashesDenoteHost) {
    requireString(url, 'url');
    let rest = withSlashes(StringPrototypeTrim(url));
    const hasFragment = StringPrototypeIndexOf(rest, '#') >= 0;
    if (!slashesDenoteHost && !hasFragment && RegExpPrototypeExec(userBeforeQuery, rest) === null && RegExpPrototypeExec(simplePathPattern, rest) !== null) {
        target.path = rest;
        target.href = rest;
        setQuery(target, rest, parseQueryString);
        return;
    }
    const written = RegExpPrototypeExec(schemePattern, rest)?.[0];
    let scheme = written;
    if (scheme !== undefined) {
        rest = StringPrototypeSlice(rest, scheme.length);
        target.protocol = scheme = StringPrototypeToLowerCase(scheme);
    }
    let slashes = false;
    if (slashesDenoteHost || scheme !== undefined || RegExpPrototypeExec(userPattern, rest) !== null) {
        slashes = StringPrototypeStartsWith(rest, '//');
        if (slashes && !(scheme !== undefined && isScript(scheme))) {
            rest = StringPrototypeSlice(rest, 2);
            target.slashes = true;
        }
    }
    if (!isScript(scheme) && (slashes || (written !== undefined && !isSlashed(written)))) {
        let end = -1; // of the host
        let bad = -1; // the first strange character behind the user
        let at = -1;
        let i = 0;
        for (; i < rest.length && end < 0; i++) {
            const unit = rest[i];
            if (unit === '@') {
                at = i;
                bad = -1;
            } else if (StringPrototypeIndexOf(hostEnds, unit) >= 0) {
                if (bad < 0) bad = i;
                end = i;
            } else if (bad < 0 && StringPrototypeIndexOf(strange, unit) >= 0) {
                bad = i;
            }
        }
        let start = 0;
        if (at >= 0) {
            target.auth = decodeURIComponent(StringPrototypeSlice(rest, 0, at));
            start = at + 1;
        }
        const hostEnd = bad < 0 ? (end < 0 ? rest.length : end) : bad;
        const host = StringPrototypeSlice(rest, start, hostEnd);
        rest = StringPrototypeSlice(rest, hostEnd);
        rest = setHost(target, host, url) + rest;
        if (host[0] === '[' && rest[0] !== '/' && target.host[0] === '[') rest = `/${rest}`;
    }
    if (!isScript(scheme)) rest = escapeRest(rest);
    const hash = StringPrototypeIndexOf(rest, '#');
    if (hash >= 0) {
        target.hash = StringPrototypeSlice(rest, hash);
        rest = StringPrototypeSlice(rest, 0, hash);
    }
    setQuery(target, rest, parseQueryString);
    if (target.pathname === '') target.pathname = null;
    if (isSlashed(scheme) && target.hostname && !target.pathname) target.pathname = '/';
    if (target.pathname || target.search) target.path = `${target.pathname ?? ''}${target.search ?? ''}`;
    target.href = formatObject(target);
}

function setQuery(target, rest, parseQueryString) {
    const question = StringPrototypeIndexOf(rest, '?');
    if (question >= 0) {
        target.search = StringPrototypeSlice(rest, question);
        const query = StringPrototypeSlice(rest, question + 1);
        target.query = parseQueryString ? querystring.parse(query) : query;
    } else if (parseQueryString) {
        target.search = null;
        target.query = querystring.parse('');
    }
    target.pathname = question < 0 ? rest : StringPrototypeSlice(rest, 0, question);
}

function parse(url, parseQueryString, slashesDenoteHost) {
    if (url instanceof Url) return url;
    const result = new Url();
    parseInto(result, url, parseQueryString, slashesDenoteHost);
    return result;
}

// ---- Text ----

/** Colons stay: the first parts user and password. */
const encodeAuth = (text) => replaceAll(encodeURIComponent(text), '%3A', ':');

function replaceAll(text, what, by) {
    let result = '';
    let start = 0;
    for (let at = StringPrototypeIndexOf(text, what); at >= 0; at = StringPrototypeIndexOf(text, what, start)) {
        result += StringPrototypeSlice(text, start, at) + by;
        start = at + what.length;
    }
    return result + StringPrototypeSlice(text, start);
}

function formatObject(parts) {
    let auth = parts.auth || '';
    if (auth) auth = `${encodeAuth(auth)}@`;
    let protocol = parts.protocol || '';
    let pathname = parts.pathname || '';
    let hash = parts.hash || '';
    let host = '';
    if (parts.host) {
        host = auth + parts.host;
    } else if (parts.hostname) {
        const { hostname } = parts;
        host = auth + (StringPrototypeIndexOf(hostname, ':') >= 0 && hostname[0] !== '[' ? `[${hostname}]` : hostname);
        if (parts.port) host += `:${parts.port}`;
    }
    let query = '';
    if (parts.query !== null && typeof parts.query === 'object') query = querystring.stringify(parts.query);
    let search = parts.search || (query && `?${query}`) || '';
    if (protocol && protocol[protocol.length - 1] !== ':') protocol += ':';
    pathname = replaceAll(replaceAll(pathname, '#', '%23'), '?', '%3F');
    if (parts.slashes || isSlashed(protocol)) {
        if (parts.slashes || host) {
            if (pathname && pathname[0] !== '/') pathname = `/${pathname}`;
            host = `//${host}`;
        } else if (StringPrototypeStartsWith(protocol, 'file')) {
            host = '//';
        }
    }
    search = replaceAll(search, '#', '%23');
    if (hash && hash[0] !== '#') hash = `#${hash}`;
    if (search && search[0] !== '?') search = `?${search}`;
    return protocol + host + pathname + search + hash;
}

function format(urlObject) {
    if (typeof urlObject === 'string') return formatObject(parse(urlObject));
    if (urlObject === null || typeof urlObject !== 'object') {
        throw invalidType('urlObject', 'one of type object or string', urlObject);
    }
    return formatObject(urlObject);
}

// ---- Resolving ----

const nowhere = 'resolve://a';

/** As a browser resolves a link, by the standard's URL; a base without a scheme gives an answer without one. */
function resolve(from, to) {
    requireString(from, 'url');
    requireString(to, 'url');
    const hasScheme = RegExpPrototypeExec(schemePattern, from) !== null;
    if (to === '' && !hasScheme) return from;
    let base;
    let target;
    try {
        base = new URL(from, nowhere);
        target = new URL(to, base);
    } catch {
        return to; // neither tells more than the link itself
    }
    if (read.protocol(target) !== 'resolve:') return read.href(target);
    const host = read.host(target), pathname = read.pathname(target), search = read.search(target), hash = read.hash(target);
    if (host !== 'a') return `//${host}${pathname}${search}${hash}`;
    const isRelative = from[0] !== '/' && to[0] !== '/';
    const upwards = isRelative ? stepsAbove(from, to) : '';
    return upwards + (isRelative ? StringPrototypeSlice(pathname, 1) : pathname) + search + hash;
}

/** The ".." of a relative link that lead above a relative base. */
function stepsAbove(from, to) {
    const path = (text) => StringPrototypeSlice(text, 0, RegExpPrototypeExec(/[?#]|$/, text).index);
    const joined = path(to) === '' ? path(from) : StringPrototypeSlice(path(from), 0, StringPrototypeLastIndexOf(path(from), '/') + 1) + path(to);
    const parts = internal.text.split(joined, '/');
    let depth = 0;
    let steps = '';
    for (let i = 0; i < parts.length; i++) {
        if (parts[i] === '..') { if (depth > 0) depth--; else steps += '../'; } else if (parts[i] !== '.' && parts[i] !== '') depth++;
    }
    return steps;
}

return { Url, parse, format, resolve, resolveObject: (from, to) => parse(resolve(from, to), false, true) };
