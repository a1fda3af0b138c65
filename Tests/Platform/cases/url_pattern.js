// URLPattern (https://urlpattern.spec.whatwg.org/). Own cases; the ones of web-platform-tests were used while it was written.
import { done, equal, ok, same, test, throws } from './assert.js';

const components = ['protocol', 'username', 'password', 'hostname', 'port', 'pathname', 'search', 'hash'];
const show = (pattern) => components.map((name) => pattern[name]).join(' ');
const groups = (pattern, ...input) => {
    const result = pattern.exec(...input);
    return result === null ? null : Object.assign({}, ...components.map((name) => result[name].groups));
};

test('constructor strings', () => {
    const cases = [
        ['https://example.com/a', 'https * * example.com  /a * *'], ['https://example.com:8080/a?b#c', 'https * * example.com 8080 /a b c'], ['https://example.com:443/', 'https * * example.com  / * *'],
        ['http{s}?://example.com/*', 'http{s}? * * example.com  /* * *'], ['https://*.example.com/:id', 'https * * *.example.com  /:id * *'], ['data\\:text/:x', 'data * *   text/:x * *'],
        ['https://:user::pass@example.com', 'https :user :pass example.com  * * *'], ['https://user@example.com/x', 'https user * example.com  /x * *'], ['file:///a/b', 'file * *   /a/b * *'],
        ['https://[\\:\\:1]:8080/', 'https * * [\\:\\:1] 8080 / * *'], ['*://*/*', '* * * *  /* * *'], ['https://a/x\\?y', 'https * * a  /x y *'], ['https://a/x\\?y#z', 'https * * a  /x y z'],
        ['https://a/(x|y)?', 'https * * a  /(x|y)? * *'], ['https://a/:x?y', 'https * * a  /:x?y * *'], ['https://a?b', 'https * * a  / b *'], ['https://a#b', 'https * * a  /  b'],
        ['mailto\\:a', 'mailto * *   a * *'], ['https://a/{x/}?y', 'https * * a  /{x/}?y * *'],
    ];
    for (const [text, expected] of cases) equal(show(new URLPattern(text)), expected, text);
    const based = [
        ['/a/:b', 'https://x.org/c/d?e#f', 'https * * x.org  /a/:b * *'], ['b', 'https://x.org/c/d?e#f', 'https * * x.org  /c/b * *'], ['?q=:v', 'https://x.org/c/d?e#f', 'https * * x.org  /c/d q=:v *'],
        ['#h', 'https://x.org/c/d?e#f', 'https * * x.org  /c/d e h'], 
    ];
    for (const [text, base, expected] of based) equal(show(new URLPattern(text, base)), expected, text);
});
test('dictionaries', () => {
    const cases = [
        [{}, '* * * * * * * *'], [{ pathname: '/a' }, '* * * * * /a * *'], [{ protocol: 'https:', search: '?a', hash: '#b' }, 'https * * * * * a b'], [{ hostname: 'EXAMPLE.com' }, '* * * example.com * * * *'],
        [{ protocol: 'http', port: '80' }, 'http * * *  * * *'], [{ protocol: 'http', port: '81' }, 'http * * * 81 * * *'], [{ hostname: 'x', baseURL: 'https://y/z?q#h' }, 'https * * x * * * *'],
        [{ pathname: 'b', baseURL: 'https://y/z/a' }, 'https * * y  /z/b * *'], [{ baseURL: 'https://y/z(1)?q#h' }, 'https * * y  /z\\(1\\) q h'], [{ pathname: '/é/ ' }, '* * * * * /%C3%A9/%20 * *'],
        [{ search: 'ä' }, '* * * * * * %C3%A4 *'], [{ pathname: '/a/../b' }, '* * * * * /b * *'], [{ pathname: '/{a}{b}' }, '* * * * * /ab * *'], [{ pathname: '/:a(.*)' }, '* * * * * /:a(.*) * *'],
        [{ pathname: '/(.*)' }, '* * * * * /* * *'], [{ pathname: '{/:a}?' }, '* * * * * /:a? * *'], [{ pathname: '/a\\:b' }, '* * * * * /a\\:b * *'], [{ pathname: '/:a{b}' }, '* * * * * {/:a}b * *'],
        [{ pathname: '/:a\\b' }, '* * * * * {/:a}b * *'], [{ pathname: ':a.html' }, '* * * * * :a.html * *'], [{ pathname: '/:a([^\\/]+?)' }, '* * * * * /:a * *'],
    ];
    for (const [init, expected] of cases) equal(show(new URLPattern(init)), expected, JSON.stringify(init));
    equal(show(new URLPattern()), '* * * * * * * *');
    equal(String(new URLPattern()), '[object URLPattern]');
});
test('what is refused', () => {
    const bad = [
        ['/a'], ['a'], [''], ['https://a/(', undefined], ['https://a/{x', undefined], ['https://a/:'], [{ pathname: '/(' }], [{ pathname: '/()' }], [{ pathname: '/(?a)' }], [{ pathname: '/(a(b))' }], [{ pathname: '/(é)' }],
        [{ pathname: '/:a/:a' }], [{ pathname: '/{{a}}' }], [{ pathname: '/}' }], [{ pathname: '/+' }], [{ pathname: '/\\' }], [{ pathname: '/([)' }], [{ hostname: 'a b' }], [{ hostname: '[x]' }], [{ hostname: 'a\\:b' }],
        [{ protocol: 'a b' }], [{ protocol: '1' }], [{ port: 'x' }], [{ protocol: 'http', port: '65536' }], [{ pathname: '/a', baseURL: 'nonsense' }], ['/a', 'nonsense'], [{}, 'http://a'], ['https://a', 'http://b', 5], [{ pathname: '/:' }], [{ pathname: '/:1' }],
    ];
    for (const args of bad) throws(() => new URLPattern(...args), 'TypeError');
    throws(() => URLPattern({}), 'TypeError');
    throws(() => new URLPattern({}).test({}, 'http://a'), 'TypeError');
    throws(() => URLPattern.prototype.test.call({}, 'http://a'), 'TypeError');
    throws(() => URLPattern.prototype.pathname, 'TypeError');
    throws(() => new URLPattern({ get pathname() { throw new RangeError('getter'); } }), 'RangeError');
});
test('matching', () => {
    const cases = [
        // pattern, input, groups or null
        [{ pathname: '/users/:id' }, 'http://a/users/5', { id: '5' }], [{ pathname: '/users/:id' }, 'http://a/users/', null], [{ pathname: '/users/:id' }, 'http://a/users/5/6', null],
        [{ pathname: '/users/:id?' }, 'http://a/users', { id: undefined }], [{ pathname: '/users/:id*' }, 'http://a/users/5/6', { id: '5/6' }], [{ pathname: '/users/:id+' }, 'http://a/users', null],
        [{ pathname: '/a/*' }, 'http://a/a/b/c', { 0: 'b/c' }], [{ pathname: '/a/*' }, 'http://a/a', null], [{ pathname: '/a*' }, 'http://a/a', { 0: '' }], [{ pathname: '/*.*' }, 'http://a/x/y.z', { 0: 'x/y', 1: 'z' }],
        [{ pathname: '/:a.:b' }, 'http://a/x.y', { a: 'x', b: 'y' }], [{ pathname: '/:n(\\d+)' }, 'http://a/12', { n: '12' }], [{ pathname: '/:n(\\d+)' }, 'http://a/x', null], [{ pathname: '/(a|b)/c' }, 'http://a/b/c', { 0: 'b' }],
        [{ pathname: '/a{/b}?/c' }, 'http://a/a/c', {}], [{ pathname: '/a{/b}?/c' }, 'http://a/a/b/c', {}], [{ pathname: '/a{/b}*/c' }, 'http://a/a/b/b/c', {}], [{ pathname: '/a{/:b-x}+' }, 'http://a/a/1-x/2-x', { b: '1-x/2' }],
        [{ hostname: '*.b' }, 'http://a.b/', { 0: 'a' }], [{ hostname: ':sub.b' }, 'http://x.y.b/', null], [{ hostname: '{:sub.}*b' }, 'http://x.y.b/', { sub: 'x.y' }], [{ port: '80' }, 'http://a/', null], [{ port: '' }, 'http://a/', {}],
        [{ search: 'q=:q' }, 'http://a/?q=1', { q: '1' }], [{ search: '' }, 'http://a/?q', null], [{ hash: ':h' }, 'http://a/#x', { h: 'x' }], [{ username: ':u', password: ':p' }, 'http://a:b@c/', { u: 'a', p: 'b' }],
        [{ protocol: 'http{s}?' }, 'https://a/', {}], [{ protocol: 'http{s}?' }, 'ftp://a/', null], ['https://*.a.org/:x', 'https://b.a.org/c', { 0: 'b', x: 'c' }], [{ pathname: '/é' }, 'http://a/%C3%A9', {}],
        [{ pathname: '/:é' }, 'http://a/x', { é: 'x' }], ['foo\\:bar', 'foo:bar', {}], [{ pathname: '/a b' }, 'http://a/a%20b', {}], [{ pathname: '/a' }, 'nonsense', null], [{ pathname: '*' }, 'nonsense', null],
        [{ hostname: '[\\:\\:1]' }, 'http://[::1]/', {}], [{ pathname: '/:a(x)' }, 'http://a/x', { a: 'x' }], [{ pathname: '/.\\*' }, 'http://a/.*', {}],
    ];
    for (const [init, input, expected] of cases) {
        const pattern = new URLPattern(init);
        const result = pattern.exec(input);
        equal(pattern.test(input), expected !== null, `${JSON.stringify(init)} test ${input}`);
        if (expected === null) equal(result, null, `${JSON.stringify(init)} exec ${input}`);
        else for (const [name, value] of Object.entries(expected)) ok(components.some((c) => name in result[c].groups && result[c].groups[name] === value), `${JSON.stringify(init)} ${input} ${name}`);
    }
});
test('inputs: text, base, URL, dictionary', () => {
    const pattern = new URLPattern({ pathname: '/a/:b' });
    same([pattern.test('/a/c', 'http://x'), pattern.test('c', 'http://x/a/'), pattern.test('/a/c'), pattern.test('/a/c', 'nonsense'), pattern.test(new URL('http://x/a/c')), pattern.test()], [true, true, false, false, true, false]);
    same([pattern.test({ pathname: '/a/c' }), pattern.test({ pathname: 'c', baseURL: 'http://x/a/b' }), pattern.test({ pathname: '/a/./c' }), pattern.test({ pathname: '/a/c', baseURL: 'nonsense' }), pattern.test({ port: 'x' }), pattern.test({})],
        [true, true, true, false, false, false]);
    same(groups(pattern, { pathname: '/a/é x' }).b, '%C3%A9%20x');
    const result = pattern.exec('http://u:p@h:1/a/c?s#f');
    same(components.map((name) => result[name].input), ['http', 'u', 'p', 'h', '1', '/a/c', 's', 'f']);
    same(result.inputs, ['http://u:p@h:1/a/c?s#f']);
    same(pattern.exec({ pathname: '/a/c', search: '?x' }).inputs, [{ pathname: '/a/c', search: '?x' }]);
    same(pattern.exec('/a/c', 'http://x').inputs, ['/a/c', 'http://x']);
    same(Object.keys(result), ['inputs', ...components]);
    ok(new URLPattern({ protocol: 'http' }).test({ protocol: 'http:' }));
    same(new URLPattern({}).exec({}).pathname, { input: '', groups: { 0: '' } });
    // The URL looked at last is kept: all that can differ must.
    const any = new URLPattern({});
    const at = (url) => components.map((name) => any.exec(url)[name].input).join('|');
    for (const url of ['http://a:81/x', 'http://a:81/x/y?q#f', 'http://a:81', 'http://a:811/x', 'http://a:81/../z', 'http://a:81/%2e/z', 'http://a:81/é', "http://a:81/?'", 'http://a:81/?a#b', 'http://a:81/a\tb', 'http://a:81/a.b', 'http://a:81/.a', 'http://a:81/x ', 'http://a:81@b/x', 'http://a:81\\x']) {
        at('http://a:81/first');
        const fast = at(url);
        at('data:other');
        equal(fast, at(url), url);
    }
});
test('ignoreCase', () => {
    const options = { ignoreCase: true };
    ok(new URLPattern({ pathname: '/Foo/:Bar' }, options).test('http://a/fOO/x'));
    ok(!new URLPattern({ pathname: '/Foo' }).test('http://a/foo'));
    ok(new URLPattern({ search: 'A' }, options).test('http://a/?a') && new URLPattern({ hash: 'A' }, options).test('http://a/#a'));
    ok(!new URLPattern({ username: 'A' }, options).test('http://a@b/'));
    ok(new URLPattern('https://a/X', options).test('https://a/x') && new URLPattern('/X', 'https://a', options).test('https://a/x'));
    ok(!new URLPattern('https://a/X').test('https://a/x'));
});
test('hasRegExpGroups', () => {
    same([{}, { pathname: '/a/:b/*' }, { pathname: '/(a|b)' }, { hostname: '(x).y' }, { pathname: '/:a(\\d+)' }, { search: '(.*)' }, { pathname: '/([^\\/]+?)' }].map((init) => new URLPattern(init).hasRegExpGroups), [false, false, true, true, true, false, false]);
});
test('patterns are apart although what is compiled is shared', () => {
    const [a, b] = [new URLPattern({ pathname: '/x/:y' }), new URLPattern({ pathname: '/x/:y' })];
    ok(a !== b && a.pathname === b.pathname);
    const first = a.exec('http://h/x/1');
    first.pathname.groups.y = 'changed';
    first.inputs.push('x');
    same(b.exec('http://h/x/1').pathname.groups, { y: '1' });
    for (let i = 0; i < 5000; i++) ok(new URLPattern({ pathname: `/many/${i}/:x` }).test(`http://a/many/${i}/y`));
});
await done();
