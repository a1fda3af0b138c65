// node:path and node:querystring against Node's, on generated inputs: node --test Tests/Platform/node_path.test.mjs
import assert from 'node:assert/strict';
import path from 'node:path';
import querystring from 'node:querystring';
import test from 'node:test';
import { boot } from './harness.mjs';
import { generator, outcome } from './generate.mjs';

const realm = boot();
const ours = realm.internal.builtin('node:path');
const ourQuery = realm.internal.builtin('node:querystring');
const rounds = 20000;

const pieces = ['a', 'b', 'foo', '.', '..', '...', '.x', 'a.b', 'a.b.c', 'x.', '', ' ', 'C:', 'c:', 'd:', 'é', '?', 'server', 'share', 'ab:c'];
const separators = ['/', '/', '/', '\\', '\\', '//', '\\\\', ''];

function makePath(random) {
    let text = random.below(3) === 0 ? random.pick(separators) : '';
    for (let count = random.below(6); count > 0; count--) text += random.pick(pieces) + random.pick(separators);
    return text;
}

for (const flavour of ['posix', 'win32']) {
    const [here, there] = [ours[flavour], path[flavour]];
    test(`${flavour} paths`, () => {
        const random = generator(7);
        for (let i = 0; i < rounds; i++) {
            const [a, b, c] = [makePath(random), makePath(random), makePath(random)];
            const suffix = random.pick(['', '.x', 'b', 'c', '.b', 'a.b', a]);
            for (const [name, args] of [
                ['normalize', [a]], ['join', [a, b]], ['join', [a, b, c]], ['resolve', [a, b]], ['resolve', [a, b, c]],
                // Without a drive or share in front Node's own answers do not lead there: '..\\..a' from '\\abc\\x' to '\\a'.
                ...(flavour === 'posix' || [a, b].every((one) => /^([a-z]:\\|\\\\)/i.test(there.resolve(one))) ? [['relative', [a, b]]] : []),
                ['dirname', [a]], ['basename', [a]],
                // Of a name that is shorter than the suffix Node leaves the separators behind it: 'b//' of basename('a/b//', '.b').
                ...(there.basename(a).length < suffix.length ? [] : [['basename', [a, suffix]]]), ['extname', [a]], // Of '/..' Node says the extension is '.'.
                ...(there.basename(a) === '..' ? [] : [['parse', [a]]]), ['isAbsolute', [a]], ['toNamespacedPath', [a]],
            ]) {
                assert.deepEqual(outcome(() => here[name](...args)), outcome(() => there[name](...args)), `${name}(${JSON.stringify(args)})`);
            }
            const parsed = there.parse(a);
            assert.equal(here.format(parsed), there.format(parsed));
            delete parsed.base;
            assert.equal(here.format(parsed), there.format(parsed));
        }
    });
}

test('what is no string is refused in the same words', () => {
    for (const value of [undefined, null, 1, {}, [], () => {}, Symbol('s'), 10n, true, Object.create(null), new (class Foo {})()]) {
        for (const name of ['normalize', 'join', 'resolve', 'dirname', 'basename', 'extname', 'parse', 'isAbsolute', 'format']) {
            assert.deepEqual(outcome(() => ours[name](value)), outcome(() => path[name](value)), name);
        }
    }
});

test('querystring both ways', () => {
    const random = generator(11);
    const bits = ['a', 'b=c', '=', '&', '&&', '%', '%4', '%41', '%zz', '+', ' ', 'é', '%C3%A9', '%ff', '😀', ';', ':', '[]', '%00', 'x%20y', '#'];
    for (let i = 0; i < rounds; i++) {
        let text = '';
        for (let count = random.below(8); count > 0; count--) text += random.pick(bits);
        const separator = random.pick([undefined, '&', ';', '&&', '']);
        const equals = random.pick([undefined, '=', ':', '==']);
        const options = random.pick([undefined, { maxKeys: 2 }, { maxKeys: 0 }, { decodeURIComponent: (t) => `<${t}>` }]);
        // A bad escape makes Node take what follows byte by byte, here and there.
        if (!/%(?![0-9a-f]{2})/i.test(text) || !/[^\0-\x7f]/.test(text)) assert.deepEqual(
            outcome(() => ({ ...ourQuery.parse(text, separator, equals, options) })), outcome(() => ({ ...querystring.parse(text, separator, equals, options) })),
            JSON.stringify([text, separator, equals, options]));
        const object = { [text]: text, list: [text, 1, null], n: random.below(9), flag: true, nothing: undefined, big: 5n, [random.pick(bits)]: [] };
        assert.deepEqual(outcome(() => ourQuery.stringify(object, separator, equals)), outcome(() => querystring.stringify(object, separator, equals)), text);
        assert.equal(ourQuery.unescapeBuffer(text).toString('latin1'), querystring.unescapeBuffer(text).toString('latin1'), text);
        assert.deepEqual(outcome(() => ourQuery.escape(text)), outcome(() => querystring.escape(text)), text);
        assert.deepEqual(outcome(() => ourQuery.unescape(text)), outcome(() => querystring.unescape(text)), text);
    }
});
