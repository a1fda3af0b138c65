// node:assert, node:url and node:punycode against Node's: node --test Tests/Platform/node_assert.test.mjs
import assert from 'node:assert/strict';
import * as theirAssert from 'node:assert';
import punycode from 'punycode';
import test from 'node:test';
import * as theirURL from 'node:url';
import vm from 'node:vm';
import { boot } from './harness.mjs';
import { generator, outcome } from './generate.mjs';

const realm = boot();
const ourAssert = realm.internal.builtin('node:assert');
const ourURL = realm.internal.builtin('node:url');
const here = (source) => vm.runInThisContext(`(${source})`);
const there = (source) => vm.runInContext(`(${source})`, realm.context);

test('exports are Node\'s', () => {
    const left = ['CallTracker'];
    const names = (module) => Object.keys(module).filter((name) => !left.includes(name)).sort();
    assert.deepEqual(names(ourAssert).filter((name) => name !== 'partialDeepStrictEqual'), names(theirAssert).filter((name) => name !== 'partialDeepStrictEqual'));
    assert.deepEqual(names(ourAssert.default).filter((name) => name !== 'partialDeepStrictEqual'), names(theirAssert.default).filter((name) => name !== 'partialDeepStrictEqual'));
    assert.deepEqual(Object.keys(ourURL).filter((name) => name !== 'URLPattern').sort(), Object.keys(theirURL).sort());
    assert.equal(ourAssert.default.strict.equal, ourAssert.default.strictEqual);
    assert.equal(ourAssert.strict.strict, ourAssert.strict);
});

/** Which call throws, of what class, with what code, operator and generatedMessage; the text where it has no place in it. */
function failure(run, withMessage) {
    try {
        run();
        return 'passes';
    } catch (error) {
        return [error.name, error.code, error.operator, error.generatedMessage, withMessage ? error.message.trimEnd() : undefined]; // the line feed at the end came with Node 22
    }
}

const pairs = ['1, 1', '1, 2', '1, "1"', 'NaN, NaN', '0, -0', 'null, undefined', '"a", "b"', '{}, {}', '[1], [1]', '[1, 2, 3], [1, 2, 4]', '{ a: 1 }, { a: 2 }', 'new Map([[1, 2]]), new Map([[1, 2]])', 'undefined, 5', 'true, false', 'Symbol.iterator, 1',
    '{ a: { b: [1, 2, { c: "text" }] } }, { a: { b: [1, 2, { c: "other" }] } }', '1n, 1', '"long text that takes a line", "another text that takes a line"', '/a/, /b/', 'new Date(0), new Date(1)'];

test('comparisons hold and fail alike', () => {
    for (const name of ['equal', 'notEqual', 'deepEqual', 'notDeepEqual', 'deepStrictEqual', 'notDeepStrictEqual', 'strictEqual', 'notStrictEqual']) {
        for (const pair of pairs) {
            for (const message of ['', ', "own message"']) {
                const call = `(a) => a.${name}(${pair}${message})`;
                assert.deepEqual(failure(() => there(call)(ourAssert.default)), failure(() => here(call)(theirAssert.default)), call);
            }
        }
    }
});

test('short messages are word by word Node\'s', () => {
    for (const call of [
        'equal(1, 2)', 'notEqual(1, 1)', 'strictEqual(1, 2)', 'notStrictEqual(1, 1)', 'deepStrictEqual([1, 2, 3], [1, 2, 4])', 'deepStrictEqual({ a: 1 }, { a: 2 })', 'strictEqual("a", "b")', 'notDeepStrictEqual({ a: 1 }, { a: 1 })', 'ifError(5)',
        'ifError(new Error("x"))', 'fail()', 'fail("why")', 'match("abc", /x/)', 'doesNotMatch("abc", /a/)', 'match(5, /x/)', 'throws(() => {})', 'throws(() => {}, TypeError)', 'throws(() => {}, "text")', 'doesNotThrow(() => { throw new Error("bad") })',
        'throws(() => { throw new Error("a") }, TypeError)', 'throws(() => { throw new Error("a") }, /b/)', 'throws(() => { throw new Error("a") }, () => false)', 'throws(5)', 'match("a", "a")', 'equal(1)', 'throws(() => { throw new Error("a") }, {})',
        'throws(() => { throw new Error("same") }, "same")', 'strictEqual(1, 2, "own")', 'ok()', 'throws(() => { throw new Error("a") }, "b", "c")',
    ]) {
        assert.deepEqual(failure(() => there(`(a) => a.${call}`)(ourAssert.default), true), failure(() => here(`(a) => a.${call}`)(theirAssert.default), true), call);
    }
});

test('expected errors', async () => {
    for (const call of [
        'throws(() => { throw new TypeError("a") }, TypeError)', 'throws(() => { throw new TypeError("a") }, Error)', 'throws(() => { throw new Error("abc") }, /b/)', 'throws(() => { throw new Error("abc") }, { message: "abc" })',
        'throws(() => { throw new Error("abc") }, { message: /b/, name: "Error" })', 'throws(() => { throw new Error("abc") }, { message: "x" })', 'throws(() => { throw new Error("abc") }, new Error("abc"))', 'throws(() => { throw new Error("abc") }, new TypeError("abc"))',
        'throws(() => { throw 5 }, { a: 1 })', 'throws(() => { throw new Error("a") }, (e) => e.message === "a")', 'doesNotThrow(() => {})', 'doesNotThrow(() => { throw new Error("a") }, /b/)', 'ok(1)', 'ok(0, "own")', 'ok(0, new RangeError("own"))', 'ifError(null)',
        'deepStrictEqual(1, 2, new SyntaxError("own"))', 'match("abc", /b/)', 'fail(new RangeError("own"))',
    ]) {
        assert.deepEqual(failure(() => there(`(a) => a.${call}`)(ourAssert.default)), failure(() => here(`(a) => a.${call}`)(theirAssert.default)), call);
    }
    for (const call of ['rejects(Promise.reject(new Error("a")), /a/)', 'rejects(Promise.resolve(1))', 'rejects(async () => { throw new Error("a") }, TypeError)', 'rejects(5)', 'rejects(() => 5)', 'doesNotReject(Promise.resolve())', 'doesNotReject(Promise.reject(new Error("a")))']) {
        const settle = (module, source) => source(`(a) => a.${call}`)(module).then(() => 'passes', (error) => [error.name, error.code, error.operator, error.message]);
        assert.deepEqual(await settle(ourAssert.default, there), await settle(theirAssert.default, here), call);
    }
});

test('partialDeepStrictEqual', () => {
    const holds = ['{ a: 1, b: 2 }, { a: 1 }', '[1, 2, 3], [1, 3]', 'new Set([1, 2]), new Set([2])', 'new Map([["a", { b: 1, c: 2 }]]), new Map([["a", { b: 1 }]])', '{ a: { b: 1, c: 2 } }, { a: { c: 2 } }'];
    const fails = ['{ a: 1 }, { a: 1, b: 2 }', '[1, 2], [2, 1]', '{ a: 1 }, { a: "1" }', 'new Set([1]), new Set([1, 2])', '[1], { 0: 1 }'];
    for (const pair of holds) there(`(a) => a.partialDeepStrictEqual(${pair})`)(ourAssert.default);
    for (const pair of fails) assert.throws(() => there(`(a) => a.partialDeepStrictEqual(${pair})`)(ourAssert.default), (error) => error.code === 'ERR_ASSERTION', pair);
});

const bits = ['http:', 'https:', 'HTTP:', 'file:', 'mailto:', 'javascript:', 'ws:', 'x:', '//', '/', '\\', 'a', 'host.com', 'User:pass@', 'u%40@', ':80', ':', '[::1]', '?', 'q=1', 'q=a%20b', '#', 'f', ' ', '..', '.', '{', '"', "'", '<x>', ';p', '@', 'é', '%zz', '*'];

test('url.parse and url.format on generated addresses', () => {
    const random = generator(21);
    let refused = 0;
    for (let i = 0; i < 20000; i++) {
        let text = random.chance(0.7) ? random.pick(['http://', 'https://host.com', '/path', 'mailto:a@b', 'file:///x', '//host/p', 'x:y', 'javascript:alert(1)']) : '';
        for (let count = random.below(7); count > 0; count--) text += random.pick(bits);
        const [parseQuery, slashes] = [random.chance(0.3), random.chance(0.3)];
        const fields = (url) => ({ ...url, query: url.query !== null && typeof url.query === 'object' ? { ...url.query } : url.query });
        const [ours, theirs] = [outcome(() => fields(ourURL.parse(text, parseQuery, slashes))), outcome(() => fields(theirURL.parse(text, parseQuery, slashes)))];
        if (theirs.code === 'ERR_INVALID_URL' || /é/.test(theirs.value?.host ?? '')) { refused++; continue; } // which hosts are refused differs from version to version
        if (ours.code === 'ERR_INVALID_URL' && /[*é'"<>{}; ]/.test(text)) continue;
        assert.deepEqual(ours, theirs, JSON.stringify([text, parseQuery, slashes]));
        assert.deepEqual(outcome(() => ourURL.format(text)), outcome(() => theirURL.format(text)), text);
    }
    assert.ok(refused < 10000);
    for (const parts of ['{ protocol: "http", host: "a.com", pathname: "b", query: { c: 1 } }', '{ hostname: "::1", port: 8, protocol: "http:", slashes: true }', '{ pathname: "/a?b#c", search: "x#y", hash: "z" }', '{}', '{ protocol: "mailto", auth: "a", host: "b" }', '{ auth: "a:b c", host: "h", slashes: true }']) {
        assert.equal(ourURL.format(there(parts)), theirURL.format(here(parts)), parts);
    }
    for (const value of [5, null, undefined, true]) assert.deepEqual(outcome(() => ourURL.format(value)), outcome(() => theirURL.format(value)));
});

test('url.resolve on links', () => {
    const bases = ['http://a.com/b/c/d;p?q', '/one/two/three', 'http://example.com/', 'http://example.com/one', 'one/two/three', '/', 'http://a.com:80/x'];
    const links = ['g', './g', 'g/', '/g', '//g', '?y', 'g?y', '#s', 'g#s', '', '.', './', '..', '../', '../g', '../..', '../../g', '../../../g', '/./g', '/../g', 'g.', 'http://b.com/x', 'mailto:a@b'];
    for (const base of bases) for (const link of links) {
        if (base === 'one/two/three' && link.startsWith('//')) continue;
        if (base === 'http://a.com:80/x' || (!base.includes(':') && link.includes('//'))) continue; // ports of the scheme leave: as URL has it
        assert.equal(ourURL.resolve(base, link), theirURL.resolve(base, link), `${base} + ${link}`);
    }
});

test('file URLs, domains, options', () => {
    const random = generator(22);
    const pieces = ['/', 'a', ' b', '%', '%2f', '#', '?', '\\', 'é', '\n', '\t', '..', '\\\\server', '~', ':', '|'];
    for (let i = 0; i < 5000; i++) {
        let text = '/';
        for (let count = random.below(6); count > 0; count--) text += random.pick(pieces);
        assert.deepEqual(outcome(() => ourURL.pathToFileURL(text).href), outcome(() => theirURL.pathToFileURL(text).href), JSON.stringify(text));
        const address = `file://${random.pick(['', '', 'host', 'localhost'])}${text}`;
        assert.deepEqual(outcome(() => ourURL.fileURLToPath(address)), outcome(() => theirURL.fileURLToPath(address)), JSON.stringify(address));
    }
    for (const domain of ['español.com', '中文.com', 'xn--iñvalid.com', 'xn--espaol-zwa.com', 'EXAMPLE.com', '', 'a b', '1.2.3', 'mañana.example.org']) {
        for (const name of ['domainToASCII', 'domainToUnicode']) assert.equal(ourURL[name](domain), theirURL[name](domain), `${name} ${domain}`);
    }
    const url = 'https://a:b@xn--g6w251d/p?q=1#h';
    const [ours, theirs] = [there(`new URL(${JSON.stringify(url)})`), new URL(url)];
    for (const options of [undefined, { fragment: false }, { unicode: true, auth: false }, { search: false }]) assert.equal(ourURL.format(ours, options), theirURL.format(theirs, options));
    assert.deepEqual(outcome(() => ourURL.urlToHttpOptions(ours)), outcome(() => theirURL.urlToHttpOptions(theirs)));
    for (const value of [5, {}, 'x', 'http://a/']) assert.deepEqual(outcome(() => ourURL.fileURLToPath(value)).code, outcome(() => theirURL.fileURLToPath(value)).code, String(value));
    const onWindows = (path) => [ourURL.pathToFileURL(path, { windows: true }).href, ourURL.fileURLToPath(ourURL.pathToFileURL(path, { windows: true }), { windows: true })];
    assert.deepEqual(onWindows('C:\\a b\\c'), ['file:///C:/a%20b/c', 'C:\\a b\\c']);
    assert.deepEqual(onWindows('\\\\server\\share\\x'), ['file://server/share/x', '\\\\server\\share\\x']);
});

test('punycode both ways', () => {
    const random = generator(23);
    const ours = realm.internal.builtin('node:punycode');
    for (let i = 0; i < 3000; i++) {
        let text = '';
        for (let count = random.below(12); count > 0; count--) text += random.pick(['a', 'b', '-', 'ñ', '中', 'ü', '😀', '.', '@', 'xn--', 'zwa']);
        if (text.indexOf('@') !== text.lastIndexOf('@')) continue; // Node drops what follows the second
        for (const name of ['encode', 'decode', 'toASCII', 'toUnicode']) assert.deepEqual(outcome(() => ours[name](text)).value, outcome(() => punycode[name](text)).value, `${name} ${text}`);
    }
});
