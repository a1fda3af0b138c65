// URL and URLSearchParams: parsing against a base, then setters; lists and sorting.
import { outcome, run, times } from './cases.mjs';

const schemes = ['http:', 'https:', 'file:', 'ws:', 'ftp:', 'data:', 'blob:', 'mailto:', 'a:', 'HTTP:', 'fi le:', 'java\tscript:', ''];
const slashes = ['//', '/', '', '\\\\', '///', '/\\', '\\'];
const users = ['', '', '', 'u@', 'u:p@', ':@', 'ü%40:p@x@', '@'];
const hosts = [
    'example.com', 'EXAMPLE.com.', 'a.b', '1.2.3', '0x7f.1', '256.1.1.1', '[::1]', '[1:2::3.4.5.6]', '[::g]', 'bücher.de', 'xn--bcher-kva.de', 'faß.de', 'a_b', 'a b', 'a%41',
    'a%00', '', 'localhost', 'C:', '%31.2.3.4', '１.2.3.4', 'a..b', 'xn--a', '☕.example', 'a<b', '4294967296', '0.0.0.0x100',
];
const ports = ['', '', ':80', ':443', ':0', ':65535', ':65536', ':', ':8a', ':٨'];
// No '^' in a path: what is done with it is younger than one of the peers.
const segments = ['a', 'b c', '..', '.', '%2e', '%2E%2e', 'C:', '', 'ü', '%zz', '%', '{}', '|', '"<>`', "'", '\u0000', '\ud800', 'a;b=c', '~', ':', '@'];
const queries = ['', '', '?', '?a=b', '?ü', "?'", '?%zz&+ =', '?a?b', '?\u0000', '?"<>`{|}'];
const fragments = ['', '', '#', '#f', '#ü `"<>', '##', '#%zz', '#\u0000'];
const setters = ['protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash', 'href'];
const fields = ['href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash'];

const path = (random) => times(random, 4, () => random.pick(['/', '/', '/', '\\', '']) + random.pick(segments)).join('');
const noise = (random, text) => {
    if (!random.chance(0.15)) return text;
    const at = random.below(text.length + 1);
    return text.slice(0, at) + random.pick([' ', '\t', '\n', '\u0001', '\u00a0', '/', '?', '#', '@', ':', '[', '%', '\u200d', '\ufeff']) + text.slice(at);
};
const absolute = (random) => noise(random, random.pick(schemes) + random.pick(slashes) + random.pick(users) + random.pick(hosts) + random.pick(ports) + path(random) +
    random.pick(queries) + random.pick(fragments));
const relative = (random) => noise(random, random.pick(['', '//' + random.pick(hosts), '/', '', random.pick(schemes)]) + path(random) + random.pick(queries) + random.pick(fragments));
const values = (random) => random.pick([random.pick(schemes), random.pick(hosts) + random.pick(ports), random.pick(ports).slice(1), path(random), random.pick(queries), random.pick(fragments), absolute(random)]);
const show = (url) => fields.map((field) => url[field]);

await run((random) => {
    if (random.chance(0.2)) {
        const done = [];
        const params = new URLSearchParams(noise(random, times(random, 5, () => random.pick(['a', 'b', '', 'ü', '%61', '+', '%zz', '\ud800', 'a b'])).join(random.pick(['&', '=', '&&']))));
        const names = ['a', 'b', '', 'ü', 'ﬃ', '\u{1f600}', '\ud800'];
        for (const [what, name, value] of times(random, 6, () => [random.pick(['append', 'set', 'delete', 'delete2', 'sort', 'has']), random.pick(names), random.pick(names)])) {
            done.push([what, name, value]);
            if (what === 'delete2') params.delete(name, value);
            else if (what === 'has') done.push(params.has(name, value), params.get(name), params.getAll(name));
            else params[what](name, value);
        }
        return [done, [String(params), [...params], params.size]];
    }
    const input = random.chance(0.6) ? absolute(random) : relative(random);
    const base = random.chance(0.5) ? absolute(random) : undefined;
    const changes = times(random, 3, () => [random.pick(setters), values(random)]);
    const result = outcome(() => {
        const url = new URL(input, base);
        const seen = [show(url)];
        for (const [name, value] of changes) {
            seen.push(outcome(() => { url[name] = value; return show(url); }));
        }
        return seen;
    });
    return [[input, base, changes], result];
});
