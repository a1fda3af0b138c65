// Headers: names, values and lists by chance; what a Response does with them.
import { outcome, run, times } from './cases.mjs';

// No cookie header: both peers join it in ways of their own.
const names = ['a', 'A', 'b', 'set-cookie', 'Set-Cookie', 'content-type', 'x-y', 'a b', '', 'ü', 'a:', 'a\n', '!#$%', 'ﬀ', 'accept'];
const values = ['1', '', ' x ', '\t\r\n y \n', 'a, b', 'ü', 'ÿ', 'Ā', 'a\0b', 'a\nb', 'a\rb', '"q"', 'text/html;charset=utf-8', 5, null, undefined, '\u00a0'];
const shown = (headers) => [[...headers], headers.getSetCookie()];

await run((random) => {
    const name = () => random.pick(names), value = () => random.pick(values);
    const pairs = times(random, 4, () => (random.chance(0.95) ? [name(), value()] : [name()]));
    const start = random.pick([undefined, pairs, Object.fromEntries(pairs.filter((pair) => pair.length === 2)), new Map(pairs)]);
    const done = [start instanceof Map ? ['map', pairs] : start ?? null];
    const result = outcome(() => {
        const headers = new Headers(start);
        const seen = [shown(headers)];
        for (const [what, key, item] of times(random, 6, () => [random.pick(['append', 'append', 'set', 'delete', 'get', 'has', 'copy', 'response']), name(), value()])) {
            done.push([what, key, item ?? String(item)]);
            if (what === 'copy') seen.push(shown(new Headers(headers)));
            else if (what === 'response') seen.push(outcome(() => shown(new Response('x', { headers }).headers)));
            else seen.push(outcome(() => headers[what](key, item) ?? null), shown(headers));
        }
        return seen;
    });
    return [done, result];
});
