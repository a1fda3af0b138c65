// URL against Node's (Ada), on generated inputs: node --test Tests/Platform/url.test.mjs   (COUNT=1000000 SEED=7 for more)
import assert from 'node:assert/strict';
import test from 'node:test';
import vm from 'node:vm';
import { boot } from './harness.mjs';

const count = +(process.env.COUNT ?? 100_000);
const seed = +(process.env.SEED ?? 1);
const ours = vm.runInContext('({ URL, URLSearchParams })', boot().context);

/** mulberry32 */
function generator(state) {
    return () => {
        state = state + 0x6D2B79F5 | 0;
        let t = Math.imul(state ^ state >>> 15, 1 | state);
        t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
        return ((t ^ t >>> 14) >>> 0) / 4294967296;
    };
}
const random = generator(seed);
const pick = (list) => list[Math.floor(random() * list.length)];
const some = (list, max, joint = '') => Array.from({ length: Math.floor(random() * (max + 1)) }, () => pick(list)).join(joint);

const schemes = ['http:', 'https:', 'HTTP:', 'file:', 'ftp:', 'ws:', 'wss:', 'foo:', 'data:', 'blob:', 'javascript:', 'a+b-c.1:', 'blob:http:', 'http', '1x:', ''];
const slashes = ['//', '/', '', '///', '\\\\', '\\', '/\\', '////'];
const credentials = ['', '', '', 'user@', 'u:p@', ':@', '@', 'a:b:c@', 'ü:%41@', 'a@b@', '"<>`@'];
const hosts = [
    'example.com', 'EXAMPLE.COM', 'a', '', 'localhost', '127.0.0.1', '0x7f.1', '256.1.1.1', '1.2.3', '0300.1', '1.2.3.4.5', '[::1]', '[1:2:3:4:5:6:7:8]',
    '[::ffff:1.2.3.4]', '[1::2::3]', '[::1', 'a b', 'a%20b', 'a%41b', 'ex%61mple.com', 'exa_mple', 'a..b', 'a.', '.', '..', 'faß.de', 'bücher.example',
    '☃.net', 'xn--mnchen-3ya.de', 'xn--', 'xn--a', '1.2.3.0x', '09.1', '%zz', 'a<b', 'a|b', 'C:', 'C|', '0', '4294967295', '4294967296', '1.', '1..',
    '[1:2::3:0:0:0]', '[0:0:1:0:0:0:1:0]', '[::1.2.3.04]', '[::1.2.3]', '[v1.a]', 'a^b', 'a\u00adb', 'ａ.com', '日本語', '%E2%98%83.net', 'a%00b', 'a%',
    '-a-', 'ab--cd', '0x', '0X1', 'foo.0x', '1e2', '１２７.0.0.1',
];
const ports = ['', '', '', ':', ':80', ':443', ':0', ':00080', ':65535', ':65536', ':8a', ':-1', ': 1', ':8\t0', ':21'];
const segments = ['a', 'b', '..', '.', '%2e', '%2E.', '.%2e', '', ' ', 'C:', 'C|', 'ä', '%', '%4', '%zz', '😀', '\ud800', '{}', '`"<>', '^|', "'", '~', '@:', ';=', '\t', '\n', '...', 'a?', '\\', '+', '[', '%2e%2E'];
const queries = ['', '', '?', '?a=b', "?'\"<>", '?ä=ö&ü', '?a?b', '?#', '?%zz', '?a b', '?\ud83d', '?{}|^`', '?a=1&a=2&=&&b', '? ', '?\t'];
const fragments = ['', '', '#', '#f', '# <>"`', '#ä', '#a#b', '#%', '#\u0000', '#{}|^', '# '];
const ends = ['', '', '', ' ', '\n', '\u0001', '\u00a0'];

function input() {
    if (random() < 0.15) return pick(ends) + some([...segments, ...slashes, ...hosts, ...queries, ':', '@', '?', '#'], 6) + pick(ends);
    return pick(ends) + pick(schemes) + pick(slashes) + (random() < 0.7 ? pick(credentials) + pick(hosts) + pick(ports) : '') +
        (random() < 0.7 ? pick(['/', '\\', '']) + some(segments, 5, pick(['/', '/', '\\'])) : '') + pick(queries) + pick(fragments) + pick(ends);
}

const parts = ['href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash'];

function parse(Class, text, base) {
    try { return new Class(text, base); } catch (error) { if (error.code !== 'ERR_INVALID_URL') throw error; return null; }
}

function show(url) {
    return url === null ? 'invalid' : parts.map((part) => `${part}=${url[part]}`).join('\n') + '\n' + [...url.searchParams].join('|');
}

// What Node 20's parser (Ada 2.9) does otherwise than the standard says today. Everything else must agree.

/** "^" joined the path percent-encode set in 2024. */
const normalize = (text) => text.replaceAll('%5E', '^');

/** A trailing space of an opaque path is encoded before "?" and "#" since 2025; before, the setters stripped it. */
const hasOpaqueSpace = (text) => /^[\s\x00-\x1f]*[a-z+.\-0-9]*:[^/]/i.test(text) && / [\t\n]*[?#]/.test(text);

function isKnown(mine, theirs, text, base) {
    const against = base === undefined ? null : ours.URL.parse(base);
    // Ada takes a relative input with a fragment against an opaque base; the standard takes only a fragment.
    if (mine === null) return against !== null && text.includes('#') && against.host === '' && !against.pathname.startsWith('/');
    // An empty input does not inherit an empty query.
    if (against !== null && /^(\w+:)?(#|$)/.test(trim(text)) && /\?(#|$)/.test(against.href)) return true;
    return isRootDots(mine, theirs) || keepsDots(theirs) || isDriveLike(mine.href) || isDriveLike(trim(text)) || (against !== null && (isDriveLike(against.href) || isDriveLike(trim(base))));
}

const trim = (text) => text.replace(/^[\x00-\x20]+|[\x00-\x20]+$|[\t\n\r]/g, '');

/** Seen once in a million: ".." of a file URL stays. */
function keepsDots(theirs) {
    return theirs !== null && theirs.protocol === 'file:' && theirs.pathname.includes('/../');
}

/** A first segment that only begins like a drive letter, "C:x", is not removed by "..". */
function isDriveLike(text) {
    return /^(file:)?[/\\]*[a-z][:|][^/\\]/i.test(text);
}

/** ".." at the end of a path that is empty already: Ada leaves it empty when the scheme is not special, the standard adds the empty segment. */
function isRootDots(mine, theirs) {
    return mine.pathname === '/' && theirs !== null && theirs.pathname === '';
}

/** @returns {boolean} the standard's outcome is known to differ from Ada's */
function isKnownSetter(url, name, value) {
    const [host] = value.replace(/[\t\n\r]/g, '').split(/[/?#]/);
    switch (name) {
    // A port beside a host where there was none is dropped; a port that is none clears the old one; no host does not
    // become an empty one; a lone port empties the host.
    case 'host': return host.startsWith(':') || (url.hostname === '' && (value.includes(':') || host === '')) || /:(?![0-9]|$)/.test(host);
    case 'hostname': return url.hostname === '' && host === '';
    // A path that begins with "//" loses query and fragment where there is no host.
    case 'pathname': return url.host === '';
    // Port 0 is lost; with "file" the rest is parsed again, so "localhost" vanishes and "C|" becomes "C:".
    case 'protocol': return url.port === '0' || /^file:/i.test(trim(value) + ':');
    default: return false;
    }
}

const setters = {
    protocol: () => pick(schemes) + pick(['', ':', 'x']), username: () => some(segments, 2), password: () => some(segments, 2), host: () => pick(hosts) + pick(ports) + pick(['', '/x', '?x', '#', '\\', '@']),
    hostname: () => pick(hosts) + pick(['', '', ':1', '/x']), port: () => pick(ports).slice(1) + pick(['', 'a', '/', '\t1', ' ']), pathname: () => pick(['/', '', '\\']) + some(segments, 4, '/') + pick(queries) + pick(fragments),
    search: () => pick(queries), hash: () => pick(fragments), href: () => input(),
};

/** The lines that differ, as "ours <> theirs". */
function differences(mine, theirs) {
    const [a, b] = [normalize(mine).split('\n'), normalize(theirs).split('\n')];
    return a.length !== b.length ? [`${a[0]} <> ${b[0]}`] : a.flatMap((line, i) => (line === b[i] ? [] : [`${line} <> ${b[i]}`]));
}

/** Runs `check` count times; it returns what to report of a failure. The first ten are shown. */
function repeat(times, check) {
    const failures = [];
    for (let i = 0; i < times && failures.length < (process.env.MAX ?? 10); i++) {
        const failure = check(i);
        if (failure !== undefined) failures.push(failure);
    }
    assert.deepEqual(failures, []);
}

test(`${count} generated inputs parse as Node parses them, seed ${seed}`, () => {
    let valid = 0;
    repeat(count, () => {
        const text = input();
        const base = random() < 0.5 ? undefined : input();
        if (hasOpaqueSpace(text) || (base !== undefined && hasOpaqueSpace(base))) return;
        const theirs = parse(URL, text, base);
        const mine = parse(ours.URL, text, base);
        if (isKnown(mine, theirs, text, base)) return;
        const found = differences(show(mine), show(theirs));
        if (ours.URL.canParse(text, base) !== (mine !== null)) found.push('canParse');
        if (mine !== null && new ours.URL(mine.href).href !== mine.href) found.push('not idempotent');
        if (mine !== null) valid++;
        return found.length === 0 ? undefined : [text, base, ...found];
    });
    assert.ok(valid > count / 5, `${valid} valid`);
});

test(`${count} generated assignments change what Node changes, seed ${seed}`, () => {
    repeat(count, () => {
        const text = input();
        const theirs = parse(URL, text);
        if (theirs === null || keepsDots(theirs) || hasOpaqueSpace(text) || isDriveLike(trim(text))) return;
        const mine = new ours.URL(text);
        const done = [text];
        for (let k = 0; k < 3; k++) {
            const name = pick(Object.keys(setters));
            const value = setters[name]();
            if (name === 'href' && hasOpaqueSpace(value)) continue;
            if (/ $/.test(theirs.pathname) && (name === 'search' || name === 'hash')) continue; // opaque paths, see above
            if (isKnownSetter(theirs, name, value)) continue;
            done.push(`${name} = ${JSON.stringify(value)}`);
            const outcomes = [mine, theirs].map((url) => { try { url[name] = value; return 'set'; } catch (e) { return e.code; } });
            if (isRootDots(mine, theirs) || isDriveLike(mine.href) || isDriveLike(trim(value))) return;
            const found = differences(show(mine), show(theirs));
            if (outcomes[0] !== outcomes[1]) found.push(outcomes);
            if (found.length > 0) return [...done, ...found];
        }
    });
});

test(`search parameters behave as Node's, seed ${seed}`, () => {
    const words = ['a', 'b', 'ä', ' ', '+', '%41', '%', '&', '=', '', '😀', '~', '*', "'", '\ud800', 'a=b&c', '!()', '-._'];
    repeat(count / 10, () => {
        const text = some([...words, '&', '='], 8);
        // A malformed escape makes Node take characters beyond ASCII for bytes.
        try { decodeURIComponent(text); } catch { if (/[^\x00-\x7f]/.test(text)) return; }
        const both = [new ours.URLSearchParams(text), new URLSearchParams(text)];
        for (let k = 0; k < 4; k++) {
            const operation = pick(['append', 'set', 'delete', 'sort', 'has']);
            const [name, value] = [pick(words), pick(words)];
            const results = both.map((params) => [
                operation === 'sort' ? params.sort() : operation === 'delete' && k % 2 ? params.delete(name) : params[operation](name, value),
                params.toString(), [...params].join('|'), params.size, params.get(name), params.getAll(name),
            ].join(';'));
            if (results[0] !== results[1]) return [text, operation, name, value, ...results];
        }
    });
});
