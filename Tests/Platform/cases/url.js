import { done, equal, ok, same, test, throws } from './assert.js';

const cases = [
    ['http://user:pass@EXAMPLE.com:80/a/./b/../c?q#f', undefined, 'http://user:pass@example.com/a/c?q#f'],
    ['//other/x', 'https://host/a/b', 'https://other/x'], ['?x', 'https://host/a/b?y#z', 'https://host/a/b?x'], ['#x', 'https://host/a/b?y#z', 'https://host/a/b?y#x'], ['', 'https://host/a?y#z', 'https://host/a?y'],
    ['c', 'https://host/a/b', 'https://host/a/c'], ['../../../c', 'https://host/a/b', 'https://host/c'], ['/\\host2', 'https://host/a', 'https://host2/'], ['https:x', 'https://host/a/b', 'https://host/a/x'],
    ['file:///C|/x/../..', undefined, 'file:///C:/'], ['file://localhost/x', undefined, 'file:///x'], ['/x', 'file:///C:/y', 'file:///C:/x'], ['C|/x', 'file://host/y', 'file://host/C:/x'],
    ['data:text/plain,hello world', undefined, 'data:text/plain,hello world'], ['foo:/.//p', undefined, 'foo:/.//p'],
    ['http://0x7F.1/', undefined, 'http://127.0.0.1/'], ['http://[::0:1]/', undefined, 'http://[::1]/'], ['http://[1:0:0:2:0::3]/', undefined, 'http://[1:0:0:2::3]/'], ['http://ex%61mple.com', undefined, 'http://example.com/'],
    ['http://bücher.de/ä?ö#ü', undefined, 'http://xn--bcher-kva.de/%C3%A4?%C3%B6#%C3%BC'], [' \thttp://a\n/b\r ', undefined, 'http://a/b'], ['http://a/%zz%41{}', undefined, 'http://a/%zz%41%7B%7D'],
];
test('parsing', () => { for (const [input, base, href] of cases) equal(new URL(input, base).href, href, input); });
// Where Node 20 is behind the standard.
if (process.versions.node === undefined) {
    cases.push(['mailto:a@b ?x', undefined, 'mailto:a@b%20?x'], ['foo://h/..', undefined, 'foo://h/'], ['http://a/^', undefined, 'http://a/%5E']);
    test('null as parameters is the text', () => equal(String(new URLSearchParams(null)), 'null='));
}
test('what is no URL', () => {
    for (const bad of ['', 'x', '//a', 'http://', 'http://a:99999', 'http://a:x', 'http://[::1', 'http://a b', 'http://1.2.3.256', 'http://%zz', 'http://a@', 'http://:80', 'http://xn--/']) {
        const error = throws(() => new URL(bad), 'TypeError', 'Invalid URL');
        equal(error.code, 'ERR_INVALID_URL');
        equal(URL.canParse(bad), false);
    }
    throws(() => new URL('x', 'mailto:a'), 'TypeError');
    equal(URL.canParse('x', 'http://a'), true);
    equal(URL.parse('nonsense'), null);
    equal(URL.parse('b', 'http://a').href, 'http://a/b');
    throws(() => new URL(), 'TypeError');
});
test('parts and setters', () => {
    const url = new URL('https://user:pw@host:8080/p?q#f');
    same([url.origin, url.protocol, url.username, url.password, url.host, url.hostname, url.port, url.pathname, url.search, url.hash], ['https://host:8080', 'https:', 'user', 'pw', 'host:8080', 'host', '8080', '/p', '?q', '#f']);
    url.protocol = 'http';
    url.port = '80';
    url.host = 'other:90';
    url.hostname = 'third';
    url.pathname = 'a b';
    url.search = '';
    url.hash = 'x y';
    url.username = 'ü';
    url.password = '';
    equal(url.href, 'http://%C3%BC@third:90/a%20b#x%20y');
    url.protocol = 'foo';
    url.port = 'x';
    url.host = '';
    equal(url.href, 'http://%C3%BC@third:90/a%20b#x%20y');
    throws(() => { url.href = 'nonsense'; }, 'TypeError');
    same([JSON.stringify(url), `${url}`], [`"${url.href}"`, url.href]);
    equal(new URL('blob:https://a:1/x').origin, 'https://a:1');
    equal(new URL('file:///x').origin, 'null');
});
test('searchParams and the URL follow each other', () => {
    const url = new URL('http://a/?x=1&y=2&x=3');
    const params = url.searchParams;
    equal(params, url.searchParams);
    params.append('z', 'ä&');
    equal(url.search, '?x=1&y=2&x=3&z=%C3%A4%26');
    params.delete('x');
    url.search = '?n=5';
    same([...params], [['n', '5']]);
    params.delete('n');
    equal(url.href, 'http://a/');
    url.href = 'http://b/?k=v';
    equal(params.get('k'), 'v');
});
test('URLSearchParams', () => {
    const params = new URLSearchParams('?b=2&a=1&b=3&c&=d&&e=%20+%41');
    same([...params], [['b', '2'], ['a', '1'], ['b', '3'], ['c', ''], ['', 'd'], ['e', '  A']]);
    same([params.get('b'), params.getAll('b'), params.get('zz'), params.has('c'), params.has('b', '9'), params.size], ['2', ['2', '3'], null, true, false, 6]);
    params.sort();
    equal(params.toString(), '=d&a=1&b=2&b=3&c=&e=++A');
    params.set('b', 'x');
    params.delete('b', 'nope');
    same([...params.keys()], ['', 'a', 'b', 'c', 'e']);
    same([...new URLSearchParams({ a: 1, b: [2, 3] })], [['a', '1'], ['b', '2,3']]);
    same([...new URLSearchParams([['a', 1], new Set(['b', 'c'])])], [['a', '1'], ['b', 'c']]);
    same([...new URLSearchParams(new URLSearchParams('q=1'))], [['q', '1']]);
    same([String(new URLSearchParams(undefined)), String(new URLSearchParams({ a: "*-._~'()!" }))], ['', 'a=*-._%7E%27%28%29%21']);
    for (const bad of [[['a']], [['a', 'b', 'c']], [5]]) throws(() => new URLSearchParams(bad), 'TypeError');
    const seen = [];
    params.forEach(function (value, name, self) { seen.push(value + name + (self === params) + this.x); }, { x: 1 });
    equal(seen[1], '1atrue1');
    const iterator = params.entries();
    equal(Object.prototype.toString.call(iterator), '[object URLSearchParams Iterator]');
    equal(iterator[Symbol.iterator](), iterator);
});
test('a name in another script, and Punycode that is none', () => {
    equal(new URL('http://☃.net').host, 'xn--n3h.net');
    equal(new URL('http://FAß.de').host, 'xn--fa-hia.de');
    ok(!URL.canParse('http://a\u0000b') && !URL.canParse('http://a%00b'));
});
await done();
