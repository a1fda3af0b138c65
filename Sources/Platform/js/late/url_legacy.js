'use strict';
// @ts-check
// url.parse, url.format and url.resolve: https://nodejs.org/api/url.html#legacy-url-api. Lenient where the standard's URL is strict. url_module.js loads this.

const {
    ArrayPrototypeJoin, ArrayPrototypePush, ArrayPrototypeSlice, Boolean, RegExpPrototypeExec, StringPrototypeIndexOf, StringPrototypeSlice,
    StringPrototypeStartsWith, StringPrototypeToLowerCase, StringPrototypeTrim, TypeError, decodeURIComponent, encodeURIComponent,
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
    resolve(relative) { return resolveFrom(this, parse(relative, false, true)).href; }
    resolveObject(relative) { return resolveFrom(this, typeof relative === 'string' ? parse(relative, false, true) : relative); }
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

const fields = ['protocol', 'slashes', 'auth', 'host', 'port', 'hostname', 'hash', 'search', 'query', 'pathname', 'path', 'href'];

function copyFields(target, source, from = 0) {
    for (let i = from; i < fields.length; i++) target[fields[i]] = source[fields[i]];
}

const segmentsOf = (pathname) => (pathname ? internal.text.split(pathname, '/') : []);
const join = (segments) => ArrayPrototypeJoin(segments, '/');

function takeQuery(result, link) {
    result.search = link.search;
    result.query = link.query;
}

/** With the fields that follow from others. */
function complete(result) {
    result.href = formatObject(result);
    return result;
}

function setPath(result) {
    if (result.pathname !== null || result.search !== null) result.path = `${result.pathname || ''}${result.search || ''}`;
}

/** As Node has it, which is not the standard's way: each part is taken from the link or from the base by itself. Neither is changed. */
function resolveFrom(base, link) {
    const result = new Url();
    copyFields(result, base);
    result.hash = link.hash;
    if (link.href === '') return complete(result);
    if (link.slashes && !link.protocol) {
        copyFields(result, link, 1);
        if (isSlashed(result.protocol) && result.hostname && !result.pathname) result.path = result.pathname = '/';
        return complete(result);
    }
    if (link.protocol && link.protocol !== result.protocol) return complete(withScheme(result, link));
    return complete(withinScheme(result, link));
}

/** The link has a scheme of its own. */
function withScheme(result, link) {
    if (!isSlashed(link.protocol)) {
        copyFields(result, link);
        return result;
    }
    let { host, pathname } = link;
    if (!host && link.protocol !== 'file:' && link.protocol !== 'file') {
        // "http:a/b": what comes first is the host.
        const segments = segmentsOf(pathname);
        let first = 0;
        while (first < segments.length && segments[first] === '') first++;
        host = segments[first] ?? '';
        const rest = ArrayPrototypeSlice(segments, first + 1);
        pathname = rest.length === 0 || (rest.length === 1 && rest[0] === '') ? '/' : join(rest[0] === '' ? rest : withFirst('', rest));
    }
    result.protocol = link.protocol;
    result.pathname = pathname;
    takeQuery(result, link);
    result.host = host || '';
    result.auth = link.auth;
    result.hostname = link.hostname || host;
    result.port = link.port;
    if (result.pathname || result.search) setPath(result);
    result.slashes = result.slashes || link.slashes;
    return result;
}

function withFirst(first, list) {
    const result = [first];
    for (let i = 0; i < list.length; i++) ArrayPrototypePush(result, list[i]);
    return result;
}

/** A host as the first segment, where schemes have none. */
function hostFirst(host, segments) {
    if (!host) return segments;
    return withFirst(host, segments[0] === '' ? ArrayPrototypeSlice(segments, 1) : segments);
}

/** The way back of hostFirst: "user@host". */
function setHostOf(result, text) {
    const at = text ? StringPrototypeIndexOf(text, '@') : -1;
    if (at > 0) result.auth = StringPrototypeSlice(text, 0, at);
    result.host = result.hostname = at > 0 ? internal.text.split(text, '@')[1] : text;
}

function withinScheme(result, link) {
    const isFromRoot = Boolean(link.host) || link.pathname?.[0] === '/';
    let isRooted = isFromRoot || result.pathname?.[0] === '/' || Boolean(result.host && link.pathname);
    const keepsSteps = !isRooted;
    let own = segmentsOf(result.pathname);
    let others = segmentsOf(link.pathname);
    let { host, hostname, port } = link;
    const isHostless = Boolean(result.protocol) && !isSlashed(result.protocol);
    if (isHostless) {
        own = hostFirst(result.host, own);
        result.host = result.hostname = '';
        result.port = null;
        if (link.protocol) {
            others = hostFirst(host, others);
            host = hostname = port = null;
            result.auth = null;
        }
        isRooted = isRooted && (others[0] === '' || own[0] === '');
    }
    if (isFromRoot) {
        if (host || host === '') {
            if (result.host !== host) result.auth = null;
            result.host = host;
            result.port = port;
        }
        if (hostname || hostname === '') {
            if (result.hostname !== hostname) result.auth = null;
            result.hostname = hostname;
        }
        takeQuery(result, link);
        own = others;
    } else if (others.length > 0) {
        own = ArrayPrototypeSlice(own, 0, -1);
        for (let i = 0; i < others.length; i++) ArrayPrototypePush(own, others[i]);
        takeQuery(result, link);
    } else if (link.search !== null && link.search !== undefined) {
        if (isHostless) setHostOf(result, own[0]);
        takeQuery(result, link);
        setPath(result);
        return result;
    }
    if (own.length === 0) {
        result.pathname = null;
        result.path = result.search ? `/${result.search}` : null;
        return result;
    }
    own = withoutSteps(own, Boolean(result.host || host), isRooted, keepsSteps);
    const isAbsolute = own[0] === '' || own[0]?.[0] === '/';
    if (isHostless) {
        setHostOf(result, isAbsolute ? '' : own[0] ?? '');
        if (!isAbsolute) own = ArrayPrototypeSlice(own, 1);
    }
    if ((isRooted || (result.host && own.length > 0)) && !isAbsolute) own = withFirst('', own);
    result.pathname = own.length === 0 ? null : join(own);
    if (own.length === 0) result.path = null;
    setPath(result);
    result.auth = link.auth || result.auth;
    result.slashes = result.slashes || link.slashes;
    return result;
}

/** Takes "." and ".." out. */
function withoutSteps(segments, hasHost, isRooted, keepsSteps) {
    const last = segments[segments.length - 1];
    const isFolder = last === '' || ((hasHost || segments.length > 1) && (last === '.' || last === '..'));
    const reversed = [];
    let up = 0;
    for (let i = segments.length - 1; i >= 0; i--) {
        if (segments[i] === '..') up++;
        else if (segments[i] !== '.') {
            if (up > 0) up--; else ArrayPrototypePush(reversed, segments[i]);
        }
    }
    if (!isRooted && keepsSteps) for (; up > 0; up--) ArrayPrototypePush(reversed, '..');
    const first = reversed[reversed.length - 1];
    if (isRooted && first !== '' && first?.[0] !== '/') ArrayPrototypePush(reversed, '');
    const result = [];
    for (let i = reversed.length - 1; i >= 0; i--) ArrayPrototypePush(result, reversed[i]);
    if (isFolder && (result.length < 2 || result[result.length - 1] !== '')) ArrayPrototypePush(result, '');
    return result;
}

const resolve = (from, to) => parse(from, false, true).resolve(to);
const resolveObject = (from, to) => (from ? parse(from, false, true).resolveObject(to) : to);

return { Url, parse, format, resolve, resolveObject };
