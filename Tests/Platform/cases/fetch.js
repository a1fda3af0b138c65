import { done, equal, ok, rejects, same, test, throws } from './assert.js';

test('Headers combine, sort and validate', () => {
    const headers = new Headers({ B: ' 2 ', a: '1' });
    headers.append('A', '3');
    headers.append('set-cookie', 'x=1');
    headers.append('Set-Cookie', 'y=2');
    same([...headers], [['a', '1, 3'], ['b', '2'], ['set-cookie', 'x=1'], ['set-cookie', 'y=2']]);
    same([headers.get('A'), headers.get('none'), headers.has('B'), headers.getSetCookie()], ['1, 3', null, true, ['x=1', 'y=2']]);
    headers.set('a', 'new');
    headers.delete('set-cookie');
    same([...headers.values()], ['new', '2']);
    const seen = [];
    headers.forEach((value, name) => seen.push(`${name}=${value}`));
    same(seen, ['a=new', 'b=2']);
    for (const bad of [['', 'x'], ['a b', 'x'], ['é', 'x'], ['a', 'x\ny'], ['a', '\0'], ['a', '€']]) throws(() => headers.append(...bad), 'TypeError');
    throws(() => new Headers([['a']]), 'TypeError');
    throws(() => new Headers(5), 'TypeError');
    same([...new Headers(headers)], [...headers]);
    same([...new Headers([['x', '1'], ['X', '2']])], [['x', '1, 2']]);
});
test('Response', async () => {
    const response = new Response('hé', { status: 201, statusText: 'Made', headers: { x: 'y' } });
    same([response.status, response.ok, response.statusText, response.type, response.url, response.redirected, response.bodyUsed], [201, true, 'Made', 'default', '', false, false]);
    equal(response.headers.get('content-type'), 'text/plain;charset=UTF-8');
    const copy = response.clone();
    equal(await response.text(), 'hé');
    equal(response.bodyUsed, true);
    await rejects(response.text(), 'TypeError');
    throws(() => response.clone(), 'TypeError');
    same([...new Uint8Array(await copy.arrayBuffer())], [104, 0xC3, 0xA9]);
    same(await Response.json({ a: [1] }, { status: 400 }).json(), { a: [1] });
    same([Response.error().status, Response.error().type, Response.redirect('http://a/b', 301).headers.get('location')], [0, 'error', 'http://a/b']);
    equal(await new Response().text(), '');
    equal(await new Response(new Uint8Array([0xEF, 0xBB, 0xBF, 65])).text(), 'A');
    await rejects(new Response('{').json(), 'SyntaxError');
    for (const status of [199, 600, 0]) throws(() => new Response('', { status }), 'RangeError');
    throws(() => new Response('x', { status: 204 }), 'TypeError');
    throws(() => Response.redirect('http://a', 200), 'RangeError');
    throws(() => Response.json(undefined), 'TypeError');
});
test('Request', async () => {
    const request = new Request('http://a/b?c#d', { method: 'post', body: new URLSearchParams({ a: 'b c' }), headers: { 'X-Y': '1' }, redirect: 'manual' });
    same([request.method, request.url, request.redirect, request.headers.get('content-type'), request.headers.get('x-y')], ['POST', 'http://a/b?c#d', 'manual', 'application/x-www-form-urlencoded;charset=UTF-8', '1']);
    const copy = request.clone();
    equal(await request.text(), 'a=b+c');
    const moved = new Request(copy, { method: 'PUT' });
    same([moved.method, await moved.text(), copy.bodyUsed], ['PUT', 'a=b+c', true]);
    ok(request.signal instanceof AbortSignal && !request.signal.aborted);
    const controller = new AbortController();
    const followed = new Request('http://a', { signal: controller.signal });
    controller.abort('why');
    equal(followed.signal.reason, 'why');
    for (const bad of [['nonsense'], ['http://u:p@a'], ['http://a', { method: 'CONNECT' }], ['http://a', { method: 'a b' }], ['http://a', { body: 'x' }], ['http://a', { redirect: 'no' }]]) {
        throws(() => new Request(...bad), 'TypeError');
    }
    equal(new Request('http://a', { method: 'patch' }).method, 'patch');
});
test('data: URLs', async () => {
    const cases = [
        ['data:,hello', 'hello', 'text/plain;charset=US-ASCII'], ['data:text/html;charset=utf-8,%3Cp%3E', '<p>', 'text/html;charset=utf-8'], ['data:;base64,aGVsbG8=', 'hello', 'text/plain;charset=US-ASCII'],
        ['data:application/json ; base64,eyJhIjoxfQ', '{"a":1}', 'application/json'], ['data:x,y', 'y', 'text/plain;charset=US-ASCII'], ['data:text/plain;a="b;c",d', 'd', 'text/plain;a="b;c"'], ['data:,a?b#c', 'a?b', 'text/plain;charset=US-ASCII'],
    ];
    for (const [url, text, type] of cases) {
        const response = await fetch(url);
        same([await response.text(), response.headers.get('content-type'), response.status], [text, type, 200], url);
    }
    await rejects(fetch('data:nocomma'), 'TypeError');
    await rejects(fetch('data:;base64,a'), 'TypeError');
});
test('fetch refuses what it cannot send', async () => {
    await rejects(fetch(), 'TypeError');
    await rejects(fetch('nonsense'), 'TypeError');
    await rejects(fetch('foo:x'), 'TypeError');
    await rejects(fetch('http://127.0.0.1:1/', { signal: AbortSignal.abort() }), 'AbortError');
    const error = await rejects(fetch('http://127.0.0.1:1/'), 'TypeError', 'fetch failed');
    ok(error.cause instanceof Error);
});
test('a stream that is a body', async () => {
    const bytes = () => new ReadableStream({ start(c) { c.enqueue(new Uint8Array([104, 105])); c.close(); } });
    await rejects(fetch('http://127.0.0.1:1/', { method: 'POST', body: bytes() }), 'TypeError');
    const locked = bytes();
    locked.getReader();
    await rejects(fetch('http://127.0.0.1:1/', { method: 'POST', body: locked, duplex: 'half' }), 'TypeError');
    let cancelled;
    const endless = new ReadableStream({ cancel(reason) { cancelled = reason; } });
    const error = await rejects(fetch('http://127.0.0.1:1/', { method: 'POST', body: endless, duplex: 'half' }), 'TypeError', 'fetch failed');
    equal(cancelled, error);
});

// With a server (argument: its URL) that answers as Tests/Platform/server.py does.
const server = process.argv[2];
if (server !== undefined) {
    test('a response from a server', async () => {
        const response = await fetch(`${server}/echo?x=1#frag`, { method: 'POST', body: 'päyload', headers: { 'X-Test': 'yes' } });
        same([response.status, response.ok, response.url, response.redirected, response.type], [200, true, `${server}/echo?x=1`, false, 'basic']);
        const echo = await response.json();
        same([echo.method, echo.path, echo.body, echo.headers['x-test'], echo.headers['content-type'], echo.headers.accept], ['POST', '/echo?x=1', 'päyload', 'yes', 'text/plain;charset=UTF-8', '*/*']);
    });
    test('several at once', async () => {
        const answers = await Promise.all(Array.from({ length: 20 }, async (_, i) => (await (await fetch(`${server}/echo?${i}`)).json()).path));
        same(answers, Array.from({ length: 20 }, (_, i) => `/echo?${i}`));
    });
    test('redirects', async () => {
        const followed = await fetch(`${server}/redirect`);
        same([followed.status, followed.redirected, followed.url], [200, true, `${server}/echo`]);
        const manual = await fetch(`${server}/redirect`, { redirect: 'manual' });
        same([manual.status, manual.headers.get('location')], [302, '/echo']);
        await rejects(fetch(`${server}/redirect`, { redirect: 'error' }), 'TypeError');
    });
    test('statuses, empty bodies and cookies', async () => {
        same([(await fetch(`${server}/status/404`)).ok, (await fetch(`${server}/status/204`)).status, await (await fetch(`${server}/echo`, { method: 'HEAD' })).text()], [false, 204, '']);
        same((await fetch(`${server}/cookies`)).headers.getSetCookie(), ['a=1', 'b=2']);
    });
    test('bodies as streams, both ways', async () => {
        const pieces = ['one ', 'twö ', 'three'];
        const body = new ReadableStream({
            async pull(c) {
                await new Promise((resolve) => setTimeout(resolve, 5));
                if (pieces.length === 0) c.close(); else c.enqueue(new TextEncoder().encode(pieces.shift()));
            },
        });
        const response = await fetch(`${server}/echo`, { method: 'POST', body, duplex: 'half' });
        let text = '';
        const decoder = new TextDecoder();
        for await (const chunk of response.body) text += decoder.decode(chunk, { stream: true });
        const echo = JSON.parse(text);
        same([echo.body, echo.headers['transfer-encoding'], response.bodyUsed], ['one twö three', 'chunked', true]);
        await rejects(response.text(), 'TypeError');
        const copied = await fetch(`${server}/echo`);
        const copy = copied.clone();
        equal(await copied.text(), await copy.text());
        const unread = await fetch(`${server}/echo`);
        await unread.body.cancel();
        equal(unread.bodyUsed, true);
    });
    test('an invalid piece of a body ends the request', async () => {
        const text = new ReadableStream({ start(c) { c.enqueue('text'); } });
        await rejects(fetch(`${server}/echo`, { method: 'POST', body: text, duplex: 'half' }), 'TypeError');
        const failing = new ReadableStream({ pull() { throw new RangeError('mine'); } });
        await rejects(fetch(`${server}/echo`, { method: 'POST', body: failing, duplex: 'half' }), 'RangeError', 'mine');
    });
    test('a request is given up', async () => {
        const controller = new AbortController();
        setTimeout(() => controller.abort(new RangeError('enough')), 20);
        await rejects(fetch(`${server}/slow`, { signal: controller.signal }), 'RangeError', 'enough');
        await rejects(fetch(`${server}/slow`, { signal: AbortSignal.timeout(20) }), 'TimeoutError');
    });
}
await done();
