// Blob, File, FormData and the bodies of Request and Response.
import { done, equal, ok, rejects, same, test, throws } from './assert.js';

const encode = (text) => new TextEncoder().encode(text);
const decode = (bytes) => new TextDecoder().decode(bytes);
const streamOf = (...parts) => new ReadableStream({
    start(controller) {
        for (const part of parts) controller.enqueue(typeof part === 'string' ? encode(part) : part);
        controller.close();
    },
});
async function readAll(stream) {
    let text = '';
    for await (const chunk of stream) text += decode(chunk);
    return text;
}
const message = (run) => { try { run(); return 'no error'; } catch (error) { return error.name; } };

test('Blob: parts, size, type', async () => {
    const cases = [
        [[], 0, ''], [['abc'], 3, 'abc'], [['a', 'é'], 3, 'aé'], [[new Uint8Array([65, 66])], 2, 'AB'], [[new Uint8Array([65]).buffer], 1, 'A'], [[new DataView(new ArrayBuffer(2), 1)], 1, '\0'],
        [[new Blob(['x']), 'y'], 2, 'xy'], [[5, null, undefined], 14, '5nullundefined'], [[new Uint16Array([0x4241])], 2, 'AB'], [['\ud800'], 3, '\ufffd'], [[{ toString: () => 's' }], 1, 's'],
        [new Set(['a', 'b']), 2, 'ab'], [[[1, 2]], 3, '1,2'],
    ];
    for (const [parts, size, text] of cases) {
        const blob = new Blob(parts);
        equal(blob.size, size);
        equal(await blob.text(), text);
        equal(blob.type, '');
    }
    same([new Blob().size, await new Blob(undefined).text()], [0, '']);
    same([new Blob([], { type: 'Text/HTML' }).type, new Blob([], { type: 'té' }).type, new Blob([], { type: 'a\0' }).type, new Blob([], { type: 5 }).type, new Blob([], {}).type], ['text/html', '', '', '5', '']);
    for (const bad of [null, 'text', 5, {}, true]) throws(() => new Blob(bad), 'TypeError');
    throws(() => new Blob(['a'], 'x'), 'TypeError');
    throws(() => new Blob([], { endings: 'x' }), 'TypeError');
    throws(() => Blob([]), 'TypeError');
    same([await new Blob(['a\nb\r\nc\rd'], { endings: 'native' }).text(), await new Blob(['a\r\n'], { endings: 'transparent' }).text()], ['a\nb\nc\nd', 'a\r\n']);
    equal(String(new Blob()), '[object Blob]');
});
test('Blob: a copy of what it was made of', async () => {
    const bytes = new Uint8Array([65]);
    const blob = new Blob([bytes]);
    bytes[0] = 66;
    equal(await blob.text(), 'A');
    const out = new Uint8Array(await blob.arrayBuffer());
    out[0] = 66;
    equal(await blob.text(), 'A');
});
test('Blob: slice', async () => {
    const blob = new Blob(['0123456789'], { type: 'a/b' });
    const cases = [
        [[], '0123456789'], [[2], '23456789'], [[2, 5], '234'], [[-3], '789'], [[-3, -1], '78'], [[0, 100], '0123456789'], [[-100, 2], '01'], [[5, 2], ''], [[20], ''], [[1.9, 3.9], '12'],
        [['2', '4'], '23'], [[NaN, 2], '01'], [[undefined, 3], '012'], [[null, 3], '012'], [[0, null], ''], [[-1e9, 1e9], '0123456789'],
    ];
    for (const [args, text] of cases) equal(await blob.slice(...args).text(), text, JSON.stringify(args));
    same([blob.slice(0, 1).type, blob.slice(0, 1, 'X/Y').type, blob.slice(0, 1, 'é').type], ['', 'x/y', '']);
    equal(await blob.slice(2, 8).slice(1, 3).text(), '34');
    ok(!(new File(['a'], 'n').slice() instanceof File));
});
test('Blob: reading', async () => {
    const blob = new Blob(['hé']);
    same([...new Uint8Array(await blob.arrayBuffer())], [104, 195, 169]);
    if (blob.bytes !== undefined) same([...await blob.bytes()], [104, 195, 169]);
    const stream = blob.stream();
    ok(stream instanceof ReadableStream);
    equal(await readAll(stream), 'hé');
    equal(await readAll(blob.stream()), 'hé');
    equal(await readAll(new Blob().stream()), '');
    equal(await new Blob([new Uint8Array([0xEF, 0xBB, 0xBF, 65])]).text(), 'A');
    await rejects(Blob.prototype.text.call({}), 'TypeError');
});
test('File', async () => {
    const before = Date.now() - 1;
    const file = new File(['ab', 'c'], 'näme.txt', { type: 'Text/Plain', lastModified: 5 });
    same([file.name, file.type, file.size, file.lastModified, await file.text(), file instanceof Blob, String(file)], ['näme.txt', 'text/plain', 3, 5, 'abc', true, '[object File]']);
    const now = new File([], '');
    ok(now.lastModified >= before && now.lastModified <= Date.now() + 1, `lastModified ${now.lastModified}`);
    same([new File([], 'a/b').name, new File([], '\ud800').name, new File([], 5).name, new File([], 'x', { lastModified: NaN }).lastModified], ['a/b', '\ufffd', '5', 0]);
    throws(() => new File([]), 'TypeError');
    throws(() => new File(), 'TypeError');
});
test('FormData', async () => {
    const form = new FormData();
    form.append('a', '1');
    form.append('a', 2);
    form.append('b', new Blob(['x'], { type: 't/y' }));
    form.append('c', new Blob(['x']), 'name.txt');
    form.append('d', new File(['y'], 'own.txt', { lastModified: 7 }));
    form.append('e', new File(['y'], 'own.txt'), 'other.txt');
    same([form.get('a'), form.getAll('a'), form.get('none'), form.getAll('none'), form.has('b'), form.has('B')], ['1', ['1', '2'], null, [], true, false]);
    same([form.get('b').name, form.get('b') instanceof File, form.get('b').type, form.get('c').name, form.get('d').name, form.get('d').lastModified, form.get('e').name], ['blob', true, 't/y', 'name.txt', 'own.txt', 7, 'other.txt']);
    equal(form.get('d'), form.get('d'));
    same([...form.keys()], ['a', 'a', 'b', 'c', 'd', 'e']);
    form.set('a', 'new');
    form.set('z', 'last');
    form.delete('b');
    same([...form].filter(([, v]) => typeof v === 'string'), [['a', 'new'], ['z', 'last']]);
    same([...form.values()].length, 5);
    const seen = [];
    form.forEach((value, name, self) => seen.push(name, self === form));
    same(seen, ['a', true, 'c', true, 'd', true, 'e', true, 'z', true]);
    throws(() => form.append('x'), 'TypeError');
    throws(() => form.append('x', 'text', 'file.txt'), 'TypeError');
    throws(() => form.get(), 'TypeError');
    throws(() => new FormData('form'), 'TypeError');
    equal(String(form), '[object FormData]');
});
test('FormData goes out and comes back', async () => {
    const form = new FormData();
    form.append('text', 'line\nbreak');
    form.append('q"uo\r\nte', 'é');
    form.append('file', new File([new Uint8Array([0, 13, 10, 45, 45, 255])], 'b"in.dat', { type: 'application/x' }));
    form.append('empty', '');
    const response = new Response(form);
    const type = response.headers.get('content-type');
    ok(/^multipart\/form-data; boundary=\S{10,70}$/.test(type), type);
    const raw = await response.clone().text();
    ok(raw.includes('Content-Disposition: form-data; name="text"\r\n\r\nline\r\nbreak\r\n'), raw);
    ok(raw.includes('name="q%22uo%0D%0Ate"'), raw);
    ok(raw.includes('name="file"; filename="b%22in.dat"\r\nContent-Type: application/x\r\n\r\n'), raw);
    const back = await response.formData();
    same([...back.keys()], ['text', 'q"uo\r\nte', 'file', 'empty']);
    same([back.get('text'), back.get('q"uo\r\nte'), back.get('empty'), back.get('file').name, back.get('file').type], ['line\r\nbreak', 'é', '', 'b"in.dat', 'application/x']);
    same([...new Uint8Array(await back.get('file').arrayBuffer())], [0, 13, 10, 45, 45, 255]);
    same([...await new Response(new FormData()).formData()], []);
    const twice = await Promise.all([new Response(form).text(), new Response(form).text()]);
    ok(twice[0] !== twice[1], 'the boundary is new each time');
});
test('formData: multipart as others write it', async () => {
    const parse = (body, type = 'multipart/form-data; boundary=B') => new Response(body, { headers: { 'content-type': type } }).formData();
    const part = (head, body) => `--B\r\n${head}\r\n\r\n${body}\r\n`;
    const good = [
        [part('Content-Disposition: form-data; name="a"', '1') + '--B--', [['a', '1']]],
        [part('content-disposition:form-data;name="a"', '1') + '--B--\r\n', [['a', '1']]],
        [part('Content-Type: x/y\r\nContent-Disposition: form-data; name="a"', '1') + '--B--\r\n', [['a', '1']]],
        ['preamble\r\n' + part('Content-Disposition: form-data; name="a"', '') + '--B--\r\nepilogue', [['a', '']]],
        [part('Content-Disposition: form-data; name="a"', '--B in the text') + '--B--\r\n', [['a', '--B in the text']]],
        [part('Content-Disposition: form-data; name="a"', 'x\r\n\r\ny') + '--B--\r\n', [['a', 'x\r\n\r\ny']]],
        [part('Content-Disposition: form-data; name="é"', 'ü') + '--B--\r\n', [['é', 'ü']]],
        [part('Content-Disposition: form-data; name="a%22b"', '1') + '--B--\r\n', [['a"b', '1']]],
    ];
    for (const [body, pairs] of good) same([...await parse(body)], pairs, body);
    same([...await parse(good[0][0], 'Multipart/Form-Data; charset=utf-8; BOUNDARY="B"')], [['a', '1']]);
    const bad = [
        '', '--B', '--B\r\n', 'no boundary at all', part('Content-Disposition: form-data; name="a"', '1'), part('Content-Disposition: form-data', '1') + '--B--',
        part('Content-Disposition: attachment; name="a"', '1') + '--B--', part('nonsense', '1') + '--B--', '--B x\r\n\r\n--B--',
    ];
    for (const body of bad) await rejects(parse(body), 'TypeError');
    await rejects(parse('x', 'multipart/form-data'), 'TypeError');
    await rejects(parse('x', 'text/plain'), 'TypeError');
    await rejects(new Response('x', { headers: {} }).formData(), 'TypeError');
    same([...await parse('a=1&b=c+d&e=%C3%A9&f', 'application/x-www-form-urlencoded')], [['a', '1'], ['b', 'c d'], ['e', 'é'], ['f', '']]);
    same([...await parse('a=1', 'application/x-www-form-urlencoded; charset=utf-8')], [['a', '1']]);
});

const sources = {
    string: () => 'héllo', bytes: () => encode('héllo'), buffer: () => encode('héllo').buffer, view: () => new DataView(encode('héllo').buffer), blob: () => new Blob(['hé', 'llo']),
    params: () => new URLSearchParams('héllo'), stream: () => streamOf('hé', 'llo'),
};
for (const [name, make] of Object.entries(sources)) {
    const text = name === 'params' ? 'h%C3%A9llo=' : 'héllo';
    for (const [kind, wrap] of [['Response', (body) => new Response(body)], ['Request', (body) => new Request('http://a', { method: 'POST', body, duplex: 'half' })]]) {
        test(`body of ${kind} from ${name}`, async () => {
            equal(await wrap(make()).text(), text);
            equal(decode(await wrap(make()).arrayBuffer()), text);
            if (Response.prototype.bytes !== undefined) equal(decode(await wrap(make()).bytes()), text);
            equal(await (await wrap(make()).blob()).text(), text);
            equal(await readAll(wrap(make()).body), text);
            const one = wrap(make());
            equal(one.bodyUsed, false);
            ok(one.body instanceof ReadableStream && one.body === one.body && !one.body.locked);
            equal(one.bodyUsed, false);
            const reading = one.text();
            equal(one.bodyUsed, true);
            equal(await reading, text);
            await rejects(one.text(), 'TypeError');
            throws(() => one.clone(), 'TypeError');
            const pair = wrap(make());
            const copy = pair.clone();
            same(await Promise.all([pair.text(), copy.text()]), [text, text]);
            const touched = wrap(make());
            touched.body;
            equal(await touched.text(), text);
            const again = wrap(make());
            again.body;
            const clone = again.clone();
            same([await clone.text(), await again.text(), clone.bodyUsed, again.bodyUsed], [text, text, true, true]);
            const locked = wrap(make());
            const reader = locked.body.getReader();
            equal(locked.bodyUsed, false);
            await rejects(locked.text(), 'TypeError');
            throws(() => locked.clone(), 'TypeError');
            await reader.read();
            equal(locked.bodyUsed, true);
            const cancelled = wrap(make());
            await cancelled.body.cancel();
            equal(cancelled.bodyUsed, true);
            await rejects(cancelled.text(), 'TypeError');
            const read = wrap(make());
            await read.text();
            ok(read.body instanceof ReadableStream);
        });
    }
}
test('null bodies', async () => {
    for (const one of [new Response(), new Response(null), new Response(undefined), new Request('http://a')]) {
        same([one.body, one.bodyUsed, await one.text(), one.bodyUsed, await one.text()], [null, false, '', false, '']);
        equal((await one.arrayBuffer()).byteLength, 0);
        equal((await one.blob()).size, 0);
        await rejects(one.json(), 'SyntaxError');
        equal(one.clone().body, null);
    }
    equal(new Response('').body !== null, true);
});
test('json', async () => {
    same(await new Response('{"a":[1,null]}').json(), { a: [1, null] });
    same(await new Response(new Uint8Array([0xEF, 0xBB, 0xBF, 0x35])).json(), 5);
    for (const bad of ['', '{', 'undefined', "{'a':1}"]) await rejects(new Response(bad).json(), 'SyntaxError');
});
test('Content-Type comes from the body where none is given', async () => {
    const typeOf = (body, headers) => new Response(body, headers === undefined ? undefined : { headers }).headers.get('content-type');
    same([
        typeOf('x'), typeOf(encode('x')), typeOf(new Blob(['x'])), typeOf(new Blob([], { type: 'a/b' })), typeOf(new URLSearchParams()), typeOf(streamOf('x')), typeOf(null), typeOf('x', { 'Content-Type': 'c/d' }),
        typeOf('x', {}), (await new Response('x', { headers: { 'content-type': 'A/B' } }).blob()).type,
    ], ['text/plain;charset=UTF-8', null, null, 'a/b', 'application/x-www-form-urlencoded;charset=UTF-8', null, null, 'c/d', 'text/plain;charset=UTF-8', 'a/b']);
});
test('streams as bodies', async () => {
    const used = streamOf('x');
    await readAll(used);
    throws(() => new Response(used), 'TypeError');
    const locked = streamOf('x');
    locked.getReader();
    throws(() => new Response(locked), 'TypeError');
    throws(() => new Request('http://a', { method: 'POST', body: streamOf('x') }), 'TypeError', 'duplex');
    throws(() => new Request('http://a', { method: 'POST', body: streamOf('x'), duplex: 'full' }), 'TypeError');
    const own = streamOf('x');
    equal(new Response(own).body, own);
    await rejects(new Response(new ReadableStream({ start(c) { c.enqueue('text'); c.close(); } })).text(), 'TypeError');
    await rejects(new Response(new ReadableStream({ start(c) { c.enqueue(5); c.close(); } })).arrayBuffer(), 'TypeError');
    await rejects(new Response(new ReadableStream({ pull() { throw new RangeError('pull'); } })).text(), 'RangeError', 'pull');
    equal(await new Response(new ReadableStream({ type: 'bytes', start(c) { c.enqueue(encode('by')); c.enqueue(encode('tes')); c.close(); } })).text(), 'bytes');
    equal(await new Response(streamOf('a', 'b').pipeThrough(new TransformStream({ transform(chunk, c) { c.enqueue(encode(decode(chunk).toUpperCase())); } }))).text(), 'AB');
    equal(await new Response(streamOf(new Uint8Array([0xC3]), new Uint8Array([0xA9]))).text(), 'é');
});
test('a Request takes over the body of another', async () => {
    const first = new Request('http://a/b', { method: 'POST', body: 'x', headers: { a: '1' }, redirect: 'manual', cache: 'no-store', credentials: 'omit', keepalive: true, integrity: 'i', mode: 'same-origin' });
    const second = new Request(first, { method: 'PUT' });
    same([first.bodyUsed, second.method, second.url, second.headers.get('a'), second.redirect, second.cache, second.credentials, second.keepalive, second.integrity, second.mode],
        [true, 'PUT', 'http://a/b', '1', 'manual', 'no-store', 'omit', true, 'i', 'same-origin']);
    equal(await second.text(), 'x');
    throws(() => new Request(first), 'TypeError');
    throws(() => new Request(new Request('http://a', { method: 'POST', body: 'x' }), { method: 'GET' }), 'TypeError');
    const replaced = new Request('http://a', { method: 'POST', body: 'old' });
    equal(await new Request(replaced, { body: 'new' }).text(), 'new');
    equal(replaced.bodyUsed, false);
    const streamed = new Request('http://a', { method: 'POST', body: streamOf('a', 'b', 'c'), duplex: 'half' });
    const moved = new Request(streamed);
    same([await moved.text(), streamed.bodyUsed, moved.bodyUsed], ['abc', true, true]);
    const changed = new Request(first, { method: 'POST', body: 'y', headers: { b: '2' } });
    same([changed.headers.get('a'), changed.headers.get('b')], [null, '2']);
});
test('Request and its signal', () => {
    const controller = new AbortController();
    const request = new Request('http://a', { signal: controller.signal });
    const clone = request.clone();
    const copy = new Request(request);
    const own = new Request(request, { signal: null });
    controller.abort('why');
    same([request.signal.aborted, clone.signal.reason, copy.signal.reason, own.signal.aborted], [true, 'why', 'why', false]);
    ok(request.signal !== controller.signal);
    for (const bad of [5, 'x', {}, new EventTarget()]) throws(() => new Request('http://a', { signal: bad }), 'TypeError');
});
test('Request: what is refused', () => {
    const bad = [
        [], ['nonsense'], ['/relative'], ['http://'], ['http://u@a'], ['http://a', { method: '' }], ['http://a', { method: 'a b' }], ['http://a', { method: 'TRACE' }], ['http://a', { method: 'track' }], ['http://a', { body: '' }],
        ['http://a', { method: 'HEAD', body: 'x' }], ['http://a', { mode: 'navigate' }], ['http://a', { mode: 'x' }], ['http://a', { cache: 'x' }], ['http://a', { credentials: 'x' }], ['http://a', { redirect: '' }],
        ['http://a', { referrerPolicy: 'x' }], ['http://a', { headers: [['a']] }], ['http://a', { headers: { 'a b': 'c' } }], ['http://a', 5],
    ];
    for (const args of bad) throws(() => new Request(...args), 'TypeError');
    same([new Request('http://a', { method: 'patch' }).method, new Request('http://a', { method: 'post' }).method, new Request('HTTP://A/%7e?#').url, new Request(new URL('http://a/b')).url], ['patch', 'POST', 'http://a/%7e?#', 'http://a/b']);
    const request = new Request('http://a', undefined);
    same([request.method, request.mode, request.credentials, request.cache, request.redirect, request.referrer, request.referrerPolicy, request.integrity, request.keepalive, request.destination, request.duplex],
        ['GET', 'cors', 'same-origin', 'default', 'follow', 'about:client', '', '', false, '', 'half']);
    same([message(() => Request.prototype.url), message(() => Request.prototype.clone.call({})), message(() => Request('http://a'))], ['TypeError', 'TypeError', 'TypeError']);
});
test('Response: what is refused, and statics', async () => {
    const bad = [['RangeError', { status: 199 }], ['RangeError', { status: 600 }], ['RangeError', { status: 0 }], ['RangeError', { status: NaN }], ['TypeError', { statusText: 'a\nb' }], ['TypeError', { statusText: '€' }], ['TypeError', { headers: { 'é': '1' } }], ['TypeError', 5]];
    for (const [name, init] of bad) throws(() => new Response('', init), name);
    for (const status of [204, 205, 304]) {
        throws(() => new Response('x', { status }), 'TypeError');
        throws(() => new Response('', { status }), 'TypeError');
        equal(new Response(null, { status }).status, status);
        throws(() => Response.json({}, { status }), 'TypeError');
    }
    const error = Response.error();
    same([error.type, error.status, error.ok, error.body, error.statusText], ['error', 0, false, null, '']);
    throws(() => error.headers.set('a', 'b'), 'TypeError');
    for (const status of [301, 302, 303, 307, 308]) same([Response.redirect('http://a/b', status).status, Response.redirect('http://a/b', status).headers.get('location')], [status, 'http://a/b']);
    for (const status of [200, 300, 304, 309]) throws(() => Response.redirect('http://a', status), 'RangeError');
    throws(() => Response.redirect('nonsense'), 'TypeError');
    throws(() => Response.redirect('http://a').headers.append('a', 'b'), 'TypeError');
    for (const value of [undefined, () => 1, Symbol('s')]) throws(() => Response.json(value), 'TypeError');
    throws(() => { const a = {}; a.a = a; Response.json(a); }, 'TypeError');
    throws(() => Response.json({ get a() { throw new RangeError('getter'); } }), 'RangeError');
    const json = Response.json({ a: 1 }, { status: 201, headers: { a: 'b' } });
    same([json.status, json.headers.get('content-type'), json.headers.get('a'), await json.text()], [201, 'application/json', 'b', '{"a":1}']);
    equal(Response.json(1, { headers: { 'content-type': 'x/y' } }).headers.get('content-type'), 'x/y');
    const response = new Response('x', { status: 299.9, statusText: 'é' });
    same([response.status, response.ok, response.statusText, response.type, response.url, response.redirected], [299, true, 'é', 'default', '', false]);
    same([message(() => Response.prototype.status), message(() => Response.prototype.type), message(() => Response('x')), message(() => Response.prototype.headers)], ['TypeError', 'TypeError', 'TypeError', 'TypeError']);
    equal(response.headers, response.headers);
});
test('clones are apart', async () => {
    const response = new Response('x', { headers: { a: '1' } });
    const clone = response.clone();
    clone.headers.set('a', '2');
    clone.headers.append('b', '3');
    same([response.headers.get('a'), response.headers.get('b'), clone.headers.get('a')], ['1', null, '2']);
    const plain = new Response('x');
    const copy = plain.clone();
    plain.headers.delete('content-type');
    same([plain.headers.get('content-type'), copy.headers.get('content-type')], [null, 'text/plain;charset=UTF-8']);
    const bytes = encode('abc');
    const fromBytes = new Response(bytes);
    bytes[0] = 90;
    const twin = fromBytes.clone();
    const got = new Uint8Array(await fromBytes.arrayBuffer());
    got[0] = 90;
    equal(await twin.text(), 'abc');
    const blob = new Blob(['abc']);
    const taken = new Uint8Array(await new Response(blob).arrayBuffer());
    taken[0] = 90;
    equal(await blob.text(), 'abc');
    const stream = new Response(new Blob(['abc'])).body;
    (await stream.getReader().read()).value[0] = 90;
    equal(await blob.text(), 'abc');
});
test('subclasses', async () => {
    class Mine extends Response { constructor(body) { super(body, { status: 201 }); this.own = 1; } get ok() { return 'mine'; } }
    const mine = new Mine('x');
    same([mine.status, mine.ok, mine.own, await mine.text(), mine instanceof Response], [201, 'mine', 1, 'x', true]);
    class Asked extends Request { get method() { return 'X'; } }
    same([new Asked('http://a').method, new Request(new Asked('http://a')).method], ['X', 'GET']);
});
test('Headers of Headers: what two values were joined to is a value, without white space at its end', () => {
    const first = new Headers([['b', '5'], ['b', ''], ['set-cookie', 'x'], ['set-cookie', ''], ['a', '']]);
    const second = new Headers(first);
    same([first.get('b'), second.get('b'), second.get('a'), second.getSetCookie()], ['5, ', '5,', '', ['x', '']]);
});
test('Headers: fill and order', () => {
    same([...new Headers({ b: '2', a: '1' })], [['a', '1'], ['b', '2']]);
    same([...new Headers(new Map([['x', '1']]))], [['x', '1']]);
    same([...new Headers(Object.create({ inherited: '1' }, { own: { value: '2', enumerable: true }, hidden: { value: '3', enumerable: false } }))], [['own', '2']]);
    throws(() => new Headers({ [Symbol('s')]: '1' }), 'TypeError');
    throws(() => new Headers([['a', 'b', 'c']]), 'TypeError');
    throws(() => new Headers([5]), 'TypeError');
    throws(() => new Headers(null), 'TypeError');
    const headers = new Headers([['X-A', '  v\t'], ['x-a', '']]);
    same([headers.get('x-A'), [...headers.keys()]], ['v, ', ['x-a']]);
    for (const value of ['a\rb', 'a\nb', 'a\0b', 'ā']) throws(() => headers.set('x', value), 'TypeError');
    for (const value of ['a b', 'é', ' inner  spaces ', '\x7f']) headers.set('x', value);
    for (const name of ['', 'a:', 'a b', '(', 'é', 'a\n']) {
        throws(() => headers.get(name), 'TypeError');
        throws(() => headers.set(name, 'x'), 'TypeError');
    }
    class Sub extends Headers { get(name) { return `<${super.get(name)}>`; } }
    equal(new Sub({ a: '1' }).get('a'), '<1>');
});
test('a byte order mark in an urlencoded body belongs to the name', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    for (const body of ['\uFEFFa=\uFEFF', new TextEncoder().encode('\uFEFFa=\uFEFF')]) same([...await new Response(body, { headers }).formData()], [['\uFEFFa', '\uFEFF']]);
});
test('bytes of a body do not ask the program for a `then`', async () => {
    const stream = () => new ReadableStream({ start(controller) { controller.enqueue(new TextEncoder().encode('hello')); controller.close(); } });
    const response = new Response(stream());
    let asked = 0;
    Object.defineProperty(Object.prototype, 'then', { configurable: true, get() { asked++; return undefined; } });
    const text = response.text();
    try {
        equal(await text, 'hello');
        equal(asked, 0);
    } finally {
        delete Object.prototype.then;
    }
});
test('the type of a body', async () => {
    const typeOf = async (value) => (await new Response('', { headers: { 'content-type': value } }).blob()).type;
    for (const [value, type] of [
        ['Text/HTML;Charset=GBK', 'text/html;charset=GBK'], ['text/html;charset= x', 'text/html;charset=" x"'], ['text/html;charset =x', 'text/html'],
        ['text/html; charset="a\\"b" ;x', 'text/html;charset="a\\"b"'], ['text/html;a=1;a=2', 'text/html;a=1'], ['text', ''], ['/x', ''], ['a/', ''], ['a;b/c', ''],
        ['text/plain;charset=x, text/plain', 'text/plain;charset=x'], ['text/plain;charset=x, text/html', 'text/html'], ['text/html, */*', 'text/html'],
        ['text/html;a=",", text/plain', 'text/plain'], ['bogus, text/html', 'text/html'],
    ]) equal(await typeOf(value), type);
});
test('a blob\'s parts are converted one by one; a form keeps a file\'s time', async () => {
    const parts = ['a', { toString() { parts.pop(); return 'b'; } }, 'c'];
    equal(await new Blob(parts).text(), 'ab');
    const form = new FormData();
    form.set('f', new File(['x'], 'one', { lastModified: 123 }), 'two');
    same([form.get('f').name, form.get('f').lastModified], ['two', 123]);
});
test('Headers of a proxy: each trap once, in the order of Web IDL', () => {
    const seen = [];
    const watched = new Proxy({ a: '1', b: '2' }, {
        get(target, key) { seen.push(`get ${String(key)}`); return target[key]; },
        ownKeys(target) { seen.push('keys'); return Reflect.ownKeys(target); },
        getOwnPropertyDescriptor(target, key) { seen.push(`own ${key}`); return Reflect.getOwnPropertyDescriptor(target, key); },
    });
    same([...new Headers(watched)], [['a', '1'], ['b', '2']]);
    same(seen, ['get Symbol(Symbol.iterator)', 'keys', 'own a', 'get a', 'own b', 'get b']);
    throws(() => new Headers(new Proxy({ [Symbol('s')]: 'x' }, {})), 'TypeError');
});
await done();
