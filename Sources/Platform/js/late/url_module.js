'use strict';
// @ts-check
// node:url: https://nodejs.org/api/url.html. Beside the standard's URL: paths and file URLs, and what Node calls the legacy API (url_legacy.js).

const {
    ArrayPrototypeJoin, Number, StringPrototypeCharCodeAt, StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeStartsWith,
    StringPrototypeToLowerCase, TypeError, decodeURIComponent,
} = primordials;
const { coded, invalidType, invalidValue, requireObject, requireString, withDefault } = internal.load('node_errors');
const { URL, URLPattern, URLSearchParams } = internal.globals;
const { default: path } = internal.load('path');
const { decode: decodePunycode } = internal.load('punycode');
const legacy = internal.load('url_legacy');

const isURL = (value) => internal.urlRecord(value) !== undefined;

// ---- Paths ----

/** Characters of a path that mean something else in a URL, or that RFC 1738 calls unsafe (section 2.2). */
const escapes = {
    __proto__: null, '%': '%25', '\n': '%0A', '\r': '%0D', '\t': '%09', '?': '%3F', '#': '%23', '"': '%22', '<': '%3C', '>': '%3E', '[': '%5B', ']': '%5D', '^': '%5E', '`': '%60',
    '{': '%7B', '|': '%7C', '}': '%7D', '~': '%7E',
};

function escapePath(text, isWindows) {
    let result = '';
    let done = 0;
    for (let i = 0; i < text.length; i++) {
        const escape = escapes[text[i]] ?? (text[i] === '\\' && !isWindows ? '%5C' : undefined);
        if (escape === undefined) continue;
        result += StringPrototypeSlice(text, done, i) + escape;
        done = i + 1;
    }
    return done === 0 ? text : result + StringPrototypeSlice(text, done);
}

function pathToFileURL(filepath, options) {
    requireString(filepath, 'path');
    const isWindows = options?.windows === true;
    if (isWindows && StringPrototypeStartsWith(filepath, '\\\\')) { // \\server\share\file
        const hostEnd = StringPrototypeIndexOf(filepath, '\\', 2);
        if (hostEnd < 0) throw invalidValue('path', filepath, 'Missing UNC resource path');
        if (hostEnd === 2) throw invalidValue('path', filepath, 'Empty UNC servername');
        const url = new URL('file://');
        setHostname(url, StringPrototypeSlice(filepath, 2, hostEnd));
        setPathname(url, escapePath(StringPrototypeSlice(filepath, hostEnd), true));
        return url;
    }
    let resolved = isWindows ? path.win32.resolve(filepath) : path.posix.resolve(filepath);
    const last = filepath[filepath.length - 1];
    const separator = isWindows ? '\\' : '/';
    // A folder stays one: resolve drops the separator at the end.
    if ((last === '/' || (isWindows && last === '\\')) && resolved[resolved.length - 1] !== separator) resolved += separator;
    return new URL(`file:///${escapePath(StringPrototypeSlice(resolved, isWindows ? 0 : 1), isWindows)}`);
}

const get = internal.urlAttributes;
const { hostname: setHostname, pathname: setPathname } = get.set;

function invalidPath(reason) {
    return coded(TypeError, 'ERR_INVALID_FILE_URL_PATH', `File URL path ${reason}`);
}

function fileURLToPath(url, options) {
    if (typeof url === 'string') url = new URL(url);
    else if (!isURL(url)) throw invalidType('path', 'of type string or an instance of URL', url);
    if (get.protocol(url) !== 'file:') throw coded(TypeError, 'ERR_INVALID_URL_SCHEME', 'The URL must be of scheme file');
    const isWindows = options?.windows === true;
    const pathname = get.pathname(url);
    const hostname = get.hostname(url);
    if (!isWindows && hostname !== '') throw coded(TypeError, 'ERR_INVALID_FILE_URL_HOST', 'File URL host must be "localhost" or empty on linux');
    for (let i = 0; i + 2 < pathname.length; i++) {
        if (pathname[i] !== '%') continue;
        const code = StringPrototypeToLowerCase(StringPrototypeSlice(pathname, i + 1, i + 3));
        if (code === '2f' || (isWindows && code === '5c')) {
            throw invalidPath(isWindows ? 'must not include encoded \\ or / characters' : 'must not include encoded / characters');
        }
    }
    if (!isWindows) return decodeURIComponent(pathname);
    const decoded = decodeURIComponent(ArrayPrototypeJoin(internal.text.split(pathname, '/'), '\\'));
    if (hostname !== '') return `\\\\${domainToUnicode(hostname)}${decoded}`;
    const letter = StringPrototypeCharCodeAt(decoded, 1) | 32;
    if (!(letter >= 97 && letter <= 122) || decoded[2] !== ':') throw invalidPath('must be absolute');
    return StringPrototypeSlice(decoded, 1);
}

// ---- Domains ----

function domainToASCII(domain) {
    const text = `${domain}`;
    try {
        return get.hostname(new URL(`ws://${text}`));
    } catch {
        return '';
    }
}

function domainToUnicode(domain) {
    const ascii = domainToASCII(domain);
    const labels = internal.text.split(ascii, '.');
    for (let i = 0; i < labels.length; i++) {
        if (!StringPrototypeStartsWith(labels[i], 'xn--')) continue;
        try { labels[i] = decodePunycode(StringPrototypeSlice(labels[i], 4)); } catch { /* stays as it is */ }
    }
    return ArrayPrototypeJoin(labels, '.');
}

// ---- Options of a request, text of a URL ----

function urlToHttpOptions(url) {
    requireObject(url, 'url');
    const hostname = url.hostname;
    const options = {
        __proto__: null, ...url, protocol: url.protocol,
        hostname: typeof hostname === 'string' && hostname[0] === '[' ? StringPrototypeSlice(hostname, 1, -1) : hostname,
        hash: url.hash, search: url.search, pathname: url.pathname, path: `${url.pathname || ''}${url.search || ''}`, href: url.href,
    };
    if (url.port !== '') options.port = Number(url.port);
    if (url.username || url.password) options.auth = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    return options;
}

function format(urlObject, options) {
    if (!isURL(urlObject)) return legacy.format(urlObject);
    if (options !== undefined) requireObject(options, 'options');
    const { fragment = true, unicode = false, search = true, auth = true } = options ?? {};
    let text = get.protocol(urlObject);
    const hostname = get.hostname(urlObject);
    const href = get.href(urlObject);
    const hasAuthority = StringPrototypeStartsWith(StringPrototypeSlice(href, text.length), '//');
    if (hasAuthority) {
        text += '//';
        const username = get.username(urlObject), password = get.password(urlObject);
        if (auth && (username !== '' || password !== '')) text += `${username}${password !== '' ? `:${password}` : ''}@`;
        text += unicode ? domainToUnicode(hostname) : hostname;
        if (get.port(urlObject) !== '') text += `:${get.port(urlObject)}`;
    }
    text += get.pathname(urlObject);
    if (search) text += get.search(urlObject);
    if (fragment) text += get.hash(urlObject);
    return text;
}

return withDefault({
    Url: legacy.Url, parse: legacy.parse, resolve: legacy.resolve, resolveObject: legacy.resolveObject, format, URL, URLPattern, URLSearchParams, domainToASCII, domainToUnicode, pathToFileURL,
    fileURLToPath, urlToHttpOptions,
});
