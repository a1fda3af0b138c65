// URLPattern: patterns by chance against URLs by chance. No dot segments: where the protocol is no special one they stay, by the standard
// (https://urlpattern.spec.whatwg.org/#canonicalize-an-opaque-pathname), and go, by both peers.
import { outcome, run, times } from './cases.mjs';

const components = ['protocol', 'username', 'password', 'hostname', 'port', 'pathname', 'search', 'hash'];
const parts = {
    protocol: ['http', 'https', 'http{s}?', ':p', '*', 'a', '(a|b)', 'data', 'http(s?)', ''],
    username: ['*', 'u', ':u', '', '(.*)', 'ü'], password: ['*', 'p', '', ':p'],
    hostname: ['example.com', '*.example.com', ':sub.example.com', '{*.}?example.com', '*', 'bücher.de', '[\\:\\:1]', '[:v]', '(foo|bar).com', 'EXAMPLE.com', 'a b', ''],
    port: ['', '80', '8080', ':n', '(\\d+)', '*', '443', '80a'],
    pathname: ['/a', '/:a', '/:a?', '/:a*', '/:a+', '/*', '/{b}?', '/{b/}*c', '/a-:b', '/:a(\\d+)', '/(\\w+)', '/ü', '/:a.:b', '/a\\:b', '/{:a-}?x', '/', '', '*', '/:a/:a', '/(', '/{', '/:', '/a%20b', '/{a}{b}'],
    search: ['*', 'a=b', 'a=:b', '', ':q', 'a=:b&*', '?x'], hash: ['*', '', 'f', ':f', '{f}?'],
};
const inputs = {
    protocol: ['http', 'https', 'a', 'data', 'b'], username: ['', 'u', 'ü'], password: ['', 'p'], hostname: ['example.com', 'a.example.com', 'bücher.de', '[::1]', 'foo.com', 'a b'],
    port: ['', '80', '8080', '443', 'x'], pathname: ['/a', '/a/b', '/', '', '/1', '/b/c', '/b/b/c', '/ü', '/a.b', '/a:b', '/x', '/a-x', 'a b', '/a%20b'],
    search: ['', 'a=b', 'a=b&c', '?x'], hash: ['', 'f', 'ü'],
};
const init = (random, from) => Object.fromEntries(components.filter(() => random.chance(0.35)).map((name) => [name, random.pick(from[name])]));
const text = (random) => `${random.pick(['https://', 'http{s}?://', ':p://', '', 'http://u:p@', 'https\\://'])}${random.pick(parts.hostname)}${random.pick(['', ':8080', ':*', ''])}` +
    `${times(random, 3, () => random.pick(parts.pathname)).join('')}${random.pick(['', '?a=:b', '\\?x', ''])}${random.pick(['', '#f', '#*', ''])}`;
const address = (random) => `${random.pick(['https://', 'http://', 'data:'])}${random.pick(inputs.hostname)}${random.pick(['', ':8080', ':80'])}${random.pick(inputs.pathname)}` +
    `${random.pick(['', '?a=b'])}${random.pick(['', '#f'])}`;
const bases = [undefined, undefined, 'https://example.com', 'https://example.com/a/b?c#d', 'not a url', 'data:x'];
const groups = (match) => match === null ? null : components.map((name) => [match[name].input, Object.entries(match[name].groups).map(([key, value]) => [key, value ?? null])]);

await run((random) => {
    const pattern = random.chance(0.6) ? init(random, parts) : text(random);
    const base = random.pick(bases);
    const options = random.chance(0.2) ? { ignoreCase: random.chance(0.5) } : undefined;
    const tried = times(random, 3, () => (random.chance(0.5) ? [address(random), random.pick(bases)] : [init(random, inputs)]));
    const result = outcome(() => {
        const made = base === undefined ? new URLPattern(pattern, options) : new URLPattern(pattern, base, options);
        return [components.map((name) => made[name]), made.hasRegExpGroups, ...tried.map((input) => [outcome(() => made.test(...input)), outcome(() => groups(made.exec(...input)))])];
    });
    return [[pattern, base, options, tried], result];
});
