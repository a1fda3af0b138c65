// FormData: what it keeps, how it is serialized, and how multipart and urlencoded bodies are parsed.
import { outcome, outcomeOf, run, times } from './cases.mjs';

const names = ['a', 'b', '', 'ü', 'a"b', 'a\r\nb', 'a\nb', 'a%22', '\ud800', 'a\\b', 'x; filename=y'];
const texts = ['1', '', 'ü', 'a\nb', 'a\r\nb', 'a\rb', '--b', '\u{1f600}', '\ud800', '\u0000', 'x'.repeat(50)];
const types = ['', 'text/plain', 'TEXT/HTML', 'a/b;c=d', 'ü/x'];

async function entries(form) {
    const list = [];
    for (const [name, value] of form) {
        list.push(typeof value === 'string' ? [name, value] : [name, value instanceof File, value.name, value.type, [...new Uint8Array(await value.arrayBuffer())]]);
    }
    return list;
}

/** With the boundary's letters taken out: they are everyone's own. */
async function serialized(form) {
    const response = new Response(form);
    const type = response.headers.get('content-type');
    const boundary = /^multipart\/form-data; ?boundary=(.+)$/.exec(type)?.[1] ?? '?';
    const text = new TextDecoder('latin1').decode(await response.arrayBuffer());
    return text.split(boundary).join('BOUNDARY').trimEnd(); // a peer leaves out the last line's end
}

const dispositions = [
    'form-data; name="a"', 'form-data; name="b c"', 'form-data; name="a"; filename="f"', 'form-data; name="a"; filename="f.txt"', 'form-data; name="a%22b%0D%0A"', 'form-data; name="ü"', 'form-data; name="a"; filename="ü %22"',
];
const boundary = '-----------------------------735323031399963166993862150'; // a peer takes none that is shorter than a browser's
const lines = ['Content-Type: text/plain', 'content-type: a/b', 'Content-Type: text/plain; charset=utf-16'];

/** What RFC 7578 says something of: of a body that is no form at all everyone makes what they like. A peer takes no empty names, one has a default type of its own. */
function multipart(random) {
    const part = () => `--${boundary}\r\nContent-Disposition: ${random.pick(dispositions)}\r\n${random.pick(lines)}\r\n${random.chance(0.5) ? 'X-Y: z\r\n' : ''}\r\n` +
        `${times(random, 2, () => random.pick([...texts, 'x\r\n-', '-b', '\r\n'])).join('')}\r\n`;
    return `${times(random, 3, part).join('')}--${boundary}--\r\n`;
}

await run(async (random) => {
    const kind = random.below(4);
    if (kind === 0) {
        const body = multipart(random);
        const type = random.pick([`multipart/form-data; boundary=${boundary}`, `multipart/form-data;boundary="${boundary}"`, `Multipart/Form-Data; Boundary=${boundary}`, `multipart/form-data; boundary=${boundary}x`, 'multipart/form-data']);
        return [[type, body], await outcomeOf(async () => entries(await new Response(new TextEncoder().encode(body), { headers: { 'content-type': type } }).formData()))];
    }
    if (kind === 1) {
        const body = times(random, 5, () => random.pick(['a', 'b=c', '%61=%zz', '+', '=', 'ü=%C3%BC', '%ff', '\ufeffa=b', '&'])).join(random.pick(['&', '&&', ';']));
        return [body, await outcomeOf(async () => entries(await new Response(body, { headers: { 'content-type': random.pick(['application/x-www-form-urlencoded', 'application/x-www-form-urlencoded;charset=latin1']) } }).formData()))];
    }
    const form = new FormData();
    const done = [];
    const seen = [];
    for (const [what, name, item, file] of times(random, 6, () => [random.pick(['append', 'append', 'set', 'delete', 'get', 'getAll', 'has']), random.pick(names), random.pick(texts), random.below(4)])) {
        done.push([what, name, item, file]);
        const blob = new Blob([item], { type: random.pick(types) });
        const args = !['append', 'set'].includes(what) ? [name] : file === 0 ? [name, blob] : file === 1 ? [name, blob, item === '' ? 'f' : item] : [name, item];
        const result = outcome(() => form[what](...args) ?? null);
        seen.push(typeof result === 'object' ? typeof result : result);
    }
    return [done, [seen, await entries(form), await outcomeOf(() => serialized(form)), await outcomeOf(async () => entries(await new Response(form).formData()))]];
});
