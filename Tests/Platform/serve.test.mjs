// internal.serve with the ops of the HTTP server played by serve.mjs: node --test --experimental-vm-modules Tests/Platform/serve.test.mjs
import assert from 'node:assert/strict';
import test from 'node:test';
import { boot } from './harness.mjs';
import { serve } from './serve.mjs';

const fetchHandler = (body, before = '') => serve(`${before}\n export default { fetch(request, env, ctx) { ${body} } }`);
const asyncHandler = (body, before = '') => serve(`${before}\n export default { async fetch(request, env, ctx) { ${body} } }`);
const host = { host: 'example.com' };
const { is: same, deepEqual: equal, match } = assert.strict === undefined ? assert : { is: assert.strictEqual, deepEqual: assert.deepStrictEqual, match: assert.match };

// ---- The request ----

const urlCases = [
    // target, host, bits, url
    ['/', 'example.com', 1, 'http://example.com/'],
    ['/a/b?c=d&e', 'example.com:8080', 1, 'http://example.com:8080/a/b?c=d&e'],
    ['/', 'example.com:80', 1, 'http://example.com/'],
    ['/', 'EXAMPLE.com', 1, 'http://example.com/'],
    ['/x', 'example.com', 33, 'https://example.com/x'],
    ['/x', 'example.com:443', 33, 'https://example.com/x'],
    ['/x', 'example.com:80', 33, 'https://example.com:80/x'],
    ['/x', 'example.com:443', 1, 'http://example.com:443/x'],
    ['/a/../b', 'a', 1, 'http://a/b'],
    ['/a/./b', 'a', 1, 'http://a/a/b'],
    ['/%2e%2e/b', 'a', 1, 'http://a/b'],
    ['/a%20b', 'a', 1, 'http://a/a%20b'],
    ['/a|b^c', 'a', 1, 'http://a/a|b%5Ec'],
    ['/a"b', 'a', 1, 'http://a/a%22b'],
    ['/a\\b', 'a', 1, 'http://a/a/b'],
    ["/?a'b", 'a', 1, 'http://a/?a%27b'],
    ['/?a\\b^`{}', 'a', 1, 'http://a/?a\\b^`{}'],
    ['/??', 'a', 1, 'http://a/??'],
    ['/\xe9?\xff', 'a', 1, 'http://a/%E9?%FF'],
    ['//evil.com/x', 'a', 1, 'http://a//evil.com/x'],
    ['/x#frag', 'a', 1, 'http://a/x'],
    ['http://other.org/y?z', 'a', 1, 'http://other.org/y?z'],
    ['https://u:p@other.org/y', 'a', 1, 'https://other.org/y'],
    ['HTTP://Other.org', 'a', 1, 'http://other.org/'],
    ['ftp://other.org/y', 'a', 1, 'http://a/'],
    ['*', 'a', 1, 'http://a/'],
    ['/', '[::1]:3000', 1, 'http://[::1]:3000/'],
    ['/', '', 1, 'http://localhost:3000/'],
    ['/', 'a/b', 1, 'http://localhost:3000/'],
    ['/', 'u@a', 1, 'http://localhost:3000/'],
    ['/', 'a b', 1, 'http://localhost:3000/'],
    ['/', 'a:99999', 1, 'http://localhost:3000/'],
    ['/', 'a?b', 1, 'http://localhost:3000/'],
    ['/', 'a#b', 1, 'http://localhost:3000/'],
    ['/', '127.1', 1, 'http://127.0.0.1/'],
];
test('request.url is absolute, by target and Host', async () => {
    const server = fetchHandler('return new Response(request.url);');
    for (const [target, name, bits, expected] of urlCases) {
        same((await server.request(`GET ${target}`, { host: name }, { bits })).body, expected, `${target} at ${name}`);
    }
    same((await server.request('GET /q', {})).body, 'http://localhost:3000/q', 'no Host at all');
    same((await server.request('GET /q', { a: 'host', host: 'right' })).body, 'http://right/q', 'a value that looks like a name');
    same((await server.request('GET /q', { 'x-host': 'wrong', host: 'right' })).body, 'http://right/q');
});

test('method, headers and the rest of an incoming Request', async () => {
    const server = asyncHandler(`
        const h = request.headers;
        const seen = { method: request.method, a: h.get('A'), none: h.get('none'), has: h.has('b'), all: [...h], cookies: h.getSetCookie(),
            mode: request.mode, redirect: request.redirect, body: request.body, used: request.bodyUsed, same: request.headers === h,
            instance: request instanceof Request, aborted: request.signal.aborted, sameSignal: request.signal === request.signal, keys: Object.keys(request).length,
            tag: String(request), destination: request.destination, referrer: request.referrer, duplex: request.duplex, text: await request.text() };
        return Response.json(seen);`);
    const answer = await server.request('GET /x', [['host', 'h'], ['a', '1'], ['b', 'two'], ['a', '3'], ['set-cookie', 'x'], ['set-cookie', 'y'], ['e', '']]);
    equal(JSON.parse(answer.body), {
        method: 'GET', a: '1, 3', none: null, has: true, all: [['a', '1, 3'], ['b', 'two'], ['e', ''], ['host', 'h'], ['set-cookie', 'x'], ['set-cookie', 'y']],
        cookies: ['x', 'y'], mode: 'cors', redirect: 'follow', body: null, used: false, same: true, instance: true, aborted: false, sameSignal: true, keys: 0,
        tag: '[object Request]', destination: '', referrer: 'about:client', duplex: 'half', text: '',
    });
    same(answer.headers, 'content-type: application/json\r\n');
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND', 'get']) {
        const echo = await fetchHandler('return new Response(request.method);').request(`${method} /`, host);
        same(echo.body, method);
        same(echo.span.name, ['PROPFIND', 'get'].includes(method) ? 'HTTP' : method);
    }
});

test('headers of a request are immutable; those of a copy are not', async () => {
    const server = fetchHandler(`
        const errors = [];
        for (const change of [() => request.headers.set('a', 'b'), () => request.headers.append('a', 'b'), () => request.headers.delete('host')]) {
            try { change(); } catch (e) { errors.push(e.name); }
        }
        const copy = new Request(request, { headers: request.headers });
        copy.headers.set('host', 'new');
        const clone = request.clone();
        clone.headers.set('host', 'cloned');
        return new Response([...errors, copy.headers.get('host'), clone.headers.get('host'), request.headers.get('host'), copy.url, clone.method].join());`);
    same((await server.request('GET /p', host)).body, 'TypeError,TypeError,TypeError,new,cloned,example.com,http://example.com/p,GET');
});

test('brand checks hold for an incoming request', async () => {
    const server = fetchHandler(`
        const fake = Object.create(Request.prototype);
        const results = [];
        for (const name of ['url', 'method', 'headers', 'body', 'bodyUsed', 'signal', 'redirect', 'duplex']) {
            try { fake[name]; results.push('no error'); } catch (e) { results.push(e.name); }
        }
        try { fake.clone(); } catch (e) { results.push(e.name); }
        return new Response([...new Set(results)].join());`);
    same((await server.request('GET /', host)).body, 'TypeError');
});

test('inspecting a request shows it', async () => {
    const server = fetchHandler('console.log(request); return new Response();');
    await server.request('GET /p', host);
    match(server.printed.join(''), /^Request \{\n {2}method: 'GET',\n {2}url: 'http:\/\/example.com\/p',\n {2}headers: Headers \{ host: 'example.com' \}/);
});

// ---- Its body ----

const readers = {
    text: ['await request.text()', 'héllo'],
    json: ['JSON.stringify(await request.json())', '{"a":[1]}', '{"a":[1]}'],
    bytes: ['[...await request.bytes()].join()', '104,195,169', 'hé'],
    arrayBuffer: ['(await request.arrayBuffer()).byteLength', '3', 'hé'],
    blob: ['await (await request.blob()).text()', 'x', 'x'],
    form: ['(await request.formData()).get("a")', 'b c', 'a=b+c&d=e', { 'content-type': 'application/x-www-form-urlencoded' }],
    multipart: ['await (await request.formData()).get("f").text()', 'data', '--B\r\nContent-Disposition: form-data; name="f"; filename="n.txt"\r\nContent-Type: text/plain\r\n\r\ndata\r\n--B--\r\n', { 'content-type': 'multipart/form-data; boundary=B' }],
    stream: ['await (async () => { let s = ""; const d = new TextDecoder(); for await (const c of request.body) s += d.decode(c, { stream: true }); return s; })()', 'héllo', 'héllo'],
    reader: ['await (async () => { const r = request.body.getReader(); let n = 0; for (;;) { const { done, value } = await r.read(); if (done) return n; n += value.length; } })()', '6', 'héllo'],
    clone: ['await (async () => { const c = request.clone(); return await c.text() + await request.text(); })()', 'xx', 'x'],
    moved: ['await new Request(request, { method: "PUT" }).text()', 'x', 'x'],
    movedStream: ['await (async () => { request.body; return new Request(request).text(); })()', 'xyz', 'xyz'],
};
for (const [name, [expression, expected, body = expected, headers = {}]] of Object.entries(readers)) {
    test(`reading a body: ${name}`, async () => {
        const server = asyncHandler(`const value = ${expression}; return new Response(String(value) + ' ' + request.bodyUsed);`);
        const whole = Buffer.from(body);
        for (const chunks of [[whole], [...whole].map((byte) => Uint8Array.of(byte)), []]) {
            if (chunks.length === 0 && body !== '') continue;
            const answer = await server.request('POST /', { ...host, ...headers }, { body: chunks });
            same(answer.status, 200, JSON.stringify(answer.records?.errors));
            same(answer.body, `${expected} true`);
        }
    });
}

test('a body is read once', async () => {
    const server = asyncHandler('await request.text(); try { await request.text(); } catch (e) { return new Response(e.name + ": " + e.message); }');
    match((await server.request('POST /', host, { body: ['x'] })).body, /^TypeError: Body is unusable/);
    const locked = asyncHandler('request.body.getReader(); try { await request.text(); } catch (e) { return new Response(e.name); }');
    same((await locked.request('POST /', host, { body: ['x'] })).body, 'TypeError');
});

test('an empty body is empty', async () => {
    const server = asyncHandler('return new Response(`[${await request.text()}]`);');
    same((await server.request('POST /', host, { body: [] })).body, '[]');
    const stream = asyncHandler('let n = 0; for await (const c of request.body) n++; return new Response(String(n));');
    same((await stream.request('POST /', host, { body: [] })).body, '0');
});

test('a body that fails rejects its reader', async () => {
    const server = asyncHandler('try { await request.text(); } catch (e) { return new Response(e.name + ":" + e.message); }');
    same((await server.request('POST /', host, { body: ['x', new Error('too large')] })).body, 'TypeError:too large');
    const stream = asyncHandler('try { for await (const c of request.body); } catch (e) { return new Response(e.message); }');
    same((await stream.request('POST /', host, { body: ['x', new Error('cut')] })).body, 'cut');
});

test('nothing is read unasked, and after the response nothing can be', async () => {
    const server = serve(`let late; export default { fetch(request, env, ctx) {
        globalThis.kept = request;
        ctx.waitUntil((async () => { await null; await null; try { await request.text(); } catch (e) { globalThis.late = e.message; } })());
        return new Response('at once'); } }`);
    const answer = await server.request('POST /', host, { body: ['x'] });
    same(answer.body, 'at once');
    await server.turn();
    match(server.evaluate('late'), /after the response/);
});

// ---- Responses ----

const responses = [
    // expression, status, headers, body
    ["new Response('hi')", 200, 'content-type: text/plain;charset=UTF-8\r\n', 'hi'],
    ['new Response()', 200, '', null],
    ["new Response('')", 200, 'content-type: text/plain;charset=UTF-8\r\n', ''],
    ['new Response(null, { status: 204 })', 204, '', null],
    ["new Response('x', { status: 404, statusText: 'Nope' })", 404, 'content-type: text/plain;charset=UTF-8\r\n', 'x'],
    ['Response.json({ a: 1 })', 200, 'content-type: application/json\r\n', '{"a":1}'],
    ["Response.json([1], { status: 201, headers: { 'X-A': 'b' } })", 201, 'x-a: b\r\ncontent-type: application/json\r\n', '[1]'],
    ["new Response('x', { headers: { 'Content-Type': 'a/b' } })", 200, 'content-type: a/b\r\n', 'x'],
    ["new Response('x', { headers: [['a', '1'], ['A', '2']] })", 200, 'a: 1\r\na: 2\r\ncontent-type: text/plain;charset=UTF-8\r\n', 'x'],
    ["new Response(new URLSearchParams({ a: 'b c' }))", 200, 'content-type: application/x-www-form-urlencoded;charset=UTF-8\r\n', 'a=b+c'],
    ["new Response(new Blob(['b'], { type: 'x/y' }))", 200, 'content-type: x/y\r\n', Buffer.from('b')],
    ['new Response(new Uint8Array([1, 2]))', 200, '', Buffer.from([1, 2])],
    ['new Response(new Uint16Array([1]).buffer)', 200, '', Buffer.from([1, 0])],
    ["Response.redirect('http://a/b')", 302, 'location: http://a/b\r\n', null],
    ["new Response('x', { headers: { connection: 'close', 'transfer-encoding': 'chunked', 'content-length': '9', date: 'now', 'keep-alive': '1', upgrade: 'x' } })", 200, 'content-type: text/plain;charset=UTF-8\r\n', 'x'],
    ["(() => { const r = new Response('x'); r.headers.set('a', 'b'); r.headers.append('set-cookie', '1'); r.headers.append('set-cookie', '2'); return r; })()", 200, 'content-type: text/plain;charset=UTF-8\r\na: b\r\nset-cookie: 1\r\nset-cookie: 2\r\n', 'x'],
    ["(() => { const r = new Response('x'); r.headers.delete('content-type'); return r; })()", 200, '', 'x'],
    ["new Response('x').clone()", 200, 'content-type: text/plain;charset=UTF-8\r\n', 'x'],
    ["new Response(5)", 200, 'content-type: text/plain;charset=UTF-8\r\n', '5'],
    ["new Response('\\ud800')", 200, 'content-type: text/plain;charset=UTF-8\r\n', '\ufffd'],
    ["new (class extends Response { get status() { return 999; } get headers() { throw 1; } })('sub')", 200, 'content-type: text/plain;charset=UTF-8\r\n', 'sub'],
    ["Object.setPrototypeOf(new Response('bare'), null)", 200, 'content-type: text/plain;charset=UTF-8\r\n', 'bare'],
    ["new Response('é', { headers: { 'x-l': '\\xe9' } })", 200, 'x-l: \xe9\r\ncontent-type: text/plain;charset=UTF-8\r\n', 'é'],
];
for (const make of ['sync', 'promise', 'thenable']) {
    test(`responses, ${make}`, async () => {
        for (const [expression, status, headers, body] of responses) {
            const wrapped = make === 'sync' ? expression : make === 'promise' ? `Promise.resolve(${expression})` : `{ then(done) { done(${expression}); } }`;
            const answer = await fetchHandler(`return ${wrapped};`).request('GET /', host);
            equal([answer.status, answer.headers, answer.body, answer.calls], [status, headers, body, ['respond']], expression);
            same(answer.span.attributes['http.response.status_code'], status);
            same(answer.span.status, 0);
        }
    });
}

const wrong = [
    ['undefined', /returned undefined/], ['null', /returned null/], ['"text"', /returned 'text'/], ['5', /returned 5/], ['{}', /returned \{\}/], ['[]', /returned \[\]/],
    ['new Proxy(new Response("x"), {})', /must return a Response/], ['Object.create(Response.prototype)', /must return a Response/], ['Promise.resolve()', /returned undefined/],
    ['Promise.resolve(new Proxy({}, { getPrototypeOf() { throw 1; } }))', /must return a Response/], ['Response.error()', /cannot be sent/], ['() => 1', /must return a Response/],
    ['Symbol("s")', /Symbol\(s\)/], ['request', /must return a Response/], ['new Response("x", { headers: { a: "\x01" } })', /header a has a control character/], ['new Response("x", { headers: { a: "b\x7f" } })', /control character/],
];
test('what is no response is a 500 that says so', async () => {
    for (const [expression, message] of wrong) {
        const answer = await fetchHandler(`return ${expression};`).request('GET /', host);
        equal([answer.status, answer.body, answer.headers, answer.statusText], [500, 'Internal Server Error', 'content-type: text/plain;charset=UTF-8\r\n', 'Internal Server Error'], expression);
        same(answer.records.errors.length, 1);
        match(answer.records.errors[0].body, message);
        equal([answer.span.status, answer.span.attributes['error.type'], answer.errorType], [2, 'TypeError', 'TypeError'], expression);
        same(answer.span.events[0].name, 'exception');
    }
});

test('a body that is refused is the client\'s fault, unless the handler says otherwise', async () => {
    const refused = Object.assign(new Error('body_too_large'), { status: 413 });
    for (const [body, status, text] of [
        ['return new Response(await request.text())', 413, 'body_too_large'],
        ['for await (const chunk of request.body); return new Response()', 413, 'body_too_large'],
        ['try { await request.text(); } catch { return new Response("mine"); }', 200, 'mine'],
        ['try { await request.text(); } catch (error) { throw new RangeError(error.message); }', 500, 'Internal Server Error'],
    ]) {
        const answer = await asyncHandler(body).request('POST /', host, { body: ['x', refused] });
        equal([answer.status, answer.body], [status, text], body);
        equal([answer.span.status, answer.span.attributes['http.response.status_code'], answer.records.errors.length], status === 500 ? [2, 500, 1] : [0, status, 0], body);
    }
});

const failures = [
    ['throw new RangeError("no")', 'RangeError', 'RangeError: no'], ['throw "text"', undefined, 'text'], ['throw undefined', undefined, 'undefined'], ['throw null', undefined, 'null'],
    ['throw { get name() { throw 1; } }', undefined, '[object Object]'], ['throw Object.create(null)', undefined, 'object'], ['null.x', 'TypeError', /^TypeError: Cannot read/],
    ['throw new Proxy({}, { get() { throw 1; } })', undefined, 'object'], ['throw Object.assign(new Error("m"), { name: "Mine" })', 'Mine', 'Mine: m'],
    ['return { then() { throw new Error("in then"); } }', 'Error', 'Error: in then'], ['return { get then() { throw new Error("getter"); } }', 'Error', 'Error: getter'],
    ['return Promise.reject(new SyntaxError("s"))', 'SyntaxError', 'SyntaxError: s'], ['return { then(a, b) { b(new Error("r")); } }', 'Error', 'Error: r'],
    ['throw new DOMException("d", "DataError")', 'DataError', 'DataError: d'],
];
test('what a handler throws is a 500, recorded, and the server lives', async () => {
    for (const [body, type, message] of failures) {
        const server = fetchHandler(`if (request.url.endsWith('ok')) return new Response('ok'); ${body}`);
        const answer = await server.request('GET /', host);
        equal([answer.status, answer.body], [500, 'Internal Server Error'], body);
        equal([answer.span.status, answer.span.attributes['http.response.status_code'], answer.span.attributes['error.type'], answer.errorType], [2, 500, type ?? '_OTHER', type ?? '_OTHER'], body);
        if (message instanceof RegExp) match(answer.records.errors[0].body, message); else same(answer.records.errors[0].body, message, body);
        equal([answer.records.errors[0].spanId, answer.records.errors[0].severity], [answer.span.spanId, 17]);
        same((await server.request('GET /ok', host)).body, 'ok');
        same(server.realm.internal.serve.idle(), 0);
        same(server.printed.length, 1, body);
    }
});

test('an error is printed as uncaught ones are, without frames of the platform', async () => {
    const server = serve('export default { fetch() { throw new RangeError("shown"); } }');
    await server.request('GET /', host);
    match(server.printed.join(''), /RangeError: shown\n {4}at Object.fetch/);
    same(server.printed.join('').includes('sidelight:'), false);
});

test('so many errors a second are printed, and of the others is said how many they were', async () => {
    let time = 5000;
    const server = serve('export default { fetch(request) { throw new RangeError("again " + "x".repeat(request.url.endsWith("long") ? 30000 : 0)); } }', { clock: () => time });
    for (let i = 0; i < 50; i++) await server.request('GET /', host);
    same(server.printed.length, 20);
    time += 1000;
    await server.request('GET /long', host);
    equal(server.printed.slice(20, 21), ['sidelight: 30 more uncaught errors were not printed, since there were more than 20 in a second\n']);
    match(server.printed[21], /… \(\d+ characters more\)\n {4}in GET \/long, trace [0-9a-f]{32}\n$/);
    same(server.printed[21].length < 17000, true);
    for (let i = 0; i < 20; i++) await server.request('GET /', host);
    // Nobody need fail for the rest to be told of: the worker's end will do.
    same(server.printed.length, 41);
    server.realm.internal.serve.tellUnshown();
    equal(server.printed.slice(41), ['sidelight: 1 more uncaught error was not printed, since there were more than 20 in a second\n']);
    server.realm.internal.serve.tellUnshown();
    same(server.printed.length, 42);
});

test('why serving cannot begin: our words once, an error of the program with its place', () => {
    const server = serve('export default {}', { install: false });
    const why = (value, prefix) => {
        let error;
        try { server.install(value); } catch (thrown) { error = thrown; }
        return server.realm.internal.serve.cannotStart(error, prefix);
    };
    const wanted = 'The default export of the entry module must be an object with a fetch or a scheduled function';
    same(why(undefined, ''), `${wanted}, but it has none`);
    equal(server.printed, []);
    same(why(server.evaluate('(function fetch() {})'), 'sidelight: '), `${wanted}, but it is a function: write export default { fetch: … }`);
    equal(server.printed.splice(0), [`sidelight: ${wanted}, but it is a function: write export default { fetch: … }\n`]);
    match(why(server.evaluate('({ get fetch() { throw new RangeError("of the program") } })'), ''), /^RangeError: of the program \(.*:\d+:\d+\)$/);
    match(server.printed.join(''), /RangeError: of the program\n {4}at /);
    same(server.read().errors.length, 3);
});

test('a handler that goes on when its client has left keeps its place until it ends', async () => {
    const server = serve('let go; export default { async fetch(r, env, ctx) { if (r.url.endsWith("wait")) ctx.waitUntil(new Promise(() => {})); await new Promise((f) => { go = f; }); return new Response("late"); }, go: () => go() }');
    const { idle, pending } = server.realm.internal.serve;
    const answer = server.begin('GET /hang', host);
    await server.turn();
    answer.finish(1);
    await server.turn();
    equal(server.outlived, [[answer.slot]]);
    equal([idle(), pending(0), pending(1)], [1, 0, 0]);
    server.exported.go();
    await server.turn();
    equal(server.outlived, [[answer.slot], [answer.slot, 900 + answer.slot]]);
    same(idle(), 0);
    const waiting = server.begin('GET /wait', host);
    await server.turn();
    server.exported.go();
    await waiting.ended;
    equal([idle(), pending(0), pending(1)], [1, 1, 0]);
});

test('a handler that is over its wall limit keeps its place, and nobody waits for it', async () => {
    const server = serve('let go; export default { async fetch() { await new Promise((f) => { go = f; }); return new Response("late"); }, go: () => go() }');
    const { idle } = server.realm.internal.serve;
    const answer = server.begin('GET /hang', host);
    await server.turn();
    answer.finish(4, 503);
    await server.turn();
    equal([server.outlived, idle()], [[[answer.slot]], 0]);
    server.exported.go();
    await server.turn();
    equal([server.outlived, idle()], [[[answer.slot], [answer.slot, 900 + answer.slot]], 0]);
});

test('a 5xx of the handler is an error of its span, a 4xx is not', async () => {
    const server = fetchHandler('return new Response("x", { status: +new URL(request.url).pathname.slice(1) });');
    for (const [status, code, type] of [[200, 0, undefined], [301, 0, undefined], [404, 0, undefined], [499, 0, undefined], [500, 2, '500'], [503, 2, '503'], [599, 2, '599']]) {
        const { span, records } = await server.request(`GET /${status}`, host);
        equal([span.status, span.attributes['error.type'], span.attributes['http.response.status_code'], records.errors.length], [code, type, status, 0]);
    }
});

test('a response is sent once', async () => {
    const server = fetchHandler('return kept ??= new Response("once");', 'let kept;');
    same((await server.request('GET /', host)).body, 'once');
    const second = await server.request('GET /', host);
    same(second.status, 500);
    match(second.records.errors[0].body, /can be sent once, send response.clone\(\)/);
    const clones = fetchHandler('return kept.clone();', 'const kept = new Response("many");');
    for (let i = 0; i < 3; i++) same((await clones.request('GET /', host)).body, 'many');
    const empty = fetchHandler('return kept;', 'const kept = new Response(null, { status: 204 });');
    for (let i = 0; i < 3; i++) same((await empty.request('GET /', host)).status, 204);
    for (const use of ['await r.text()', 'r.body.getReader()', 'await r.body.cancel()', 'for await (const c of r.body);']) {
        const used = asyncHandler(`const r = new Response('x'); ${use}; return r;`);
        same((await used.request('GET /', host)).status, 500, use);
    }
});

test('HEAD: no body is written, the length is kept', async () => {
    const server = fetchHandler('return new Response(null, { headers: { "content-length": "42" } });');
    same((await server.request('HEAD /', host)).headers, 'content-length: 42\r\n');
    same((await server.request('GET /', host)).headers, '');
    const stream = serve(`globalThis.cancelled = 0; export default { fetch() { return new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(9)); }, cancel() { cancelled++; } })); } }`);
    const answer = await stream.request('HEAD /', host);
    equal([answer.calls, answer.chunks, stream.evaluate('cancelled')], [['head', 'end'], [], 1]);
});

// ---- Streamed responses ----

const encoder = 'const encode = (text) => new TextEncoder().encode(text);';
test('a stream goes out in pieces', async () => {
    const server = fetchHandler(`return new Response(new ReadableStream({ async start(c) { for (const t of ['a', '', 'bc']) { await null; c.enqueue(encode(t)); } c.close(); } }), { status: 201, headers: { a: 'b' } });`, encoder);
    const answer = await server.request('GET /', host);
    equal([answer.status, answer.headers, answer.length, answer.chunks, answer.calls], [201, 'a: b\r\n', -1, ['a', 'bc'], ['head', 'write', 'write', 'end']]);
    same(answer.span.attributes['http.response.status_code'], 201);
    const transform = fetchHandler(`const { readable, writable } = new TransformStream(); const w = writable.getWriter(); w.write(encode('x')).then(() => w.close()); return new Response(readable);`, encoder);
    equal((await transform.request('GET /', host)).chunks, ['x']);
    const touched = fetchHandler(`const r = new Response('abc'); r.body; return r;`);
    equal((await touched.request('GET /', host)).chunks, ['abc']);
    const echo = fetchHandler('return new Response(request.body);');
    equal((await echo.request('POST /', host, { body: ['1', '2', '3'] })).chunks, ['1', '2', '3']);
    const clone = asyncHandler(`const r = new Response(new Response('abc').body); const c = r.clone(); return new Response(await c.text() + '/' + await r.text());`);
    same((await clone.request('GET /', host)).body, 'abc/abc');
});

test('a Content-Length goes with a stream and is kept to', async () => {
    const make = (length) => fetchHandler(`return new Response(new ReadableStream({ start(c) { c.enqueue(encode('abc')); c.close(); } }), { headers: { 'content-length': '${length}' } });`, encoder);
    const exact = await make(3).request('GET /', host);
    equal([exact.length, exact.how], [3, 'whole']);
    for (const [length, message] of [[2, /longer/], [4, /shorter/]]) {
        const answer = await make(length).request('GET /', host);
        equal([answer.how, answer.span.status], ['aborted', 2]);
        match(answer.records.errors[0].body, message);
    }
    same((await make('1e1').request('GET /', host)).length, -1);
});

test('backpressure: a full connection stops the stream until it is drained', async () => {
    const server = serve(`globalThis.pulled = 0; export default { fetch() { return new Response(new ReadableStream({ pull(c) { pulled++; c.enqueue(new Uint8Array([65])); if (pulled === 5) c.close(); } }, { highWaterMark: 0 })); } }`);
    server.full = true;
    const answer = server.begin('GET /', host);
    for (let i = 1; i <= 4; i++) {
        await server.turn();
        await server.turn();
        equal([answer.chunks.length, server.evaluate('pulled')], [i, i]);
        server.drained(answer.slot);
    }
    server.full = false;
    await server.turn();
    server.drained(answer.slot);
    await answer.ended;
    same(answer.chunks.join(''), 'AAAAA');
});

test('a stream that fails half-way cuts the connection', async () => {
    for (const [body, message] of [
        ['start(c) { c.enqueue(encode("a")); }, pull() { throw new RangeError("half"); }', /RangeError: half/],
        ['pull(c) { c.error(new RangeError("half")); }', /RangeError: half/],
        ['async pull(c) { await null; c.enqueue("no bytes"); }', /Uint8Array/],
        ['start(c) { c.enqueue(5); }', /Uint8Array/],
        ['async pull() { throw "text"; }', /text/],
    ]) {
        const answer = await fetchHandler(`return new Response(new ReadableStream({ ${body} }, { highWaterMark: 0 }));`, encoder).request('GET /', host);
        same(answer.how, 'aborted', body);
        match(answer.records.errors[0].body, message);
        equal([answer.span.status, answer.span.attributes['http.response.status_code']], [2, 200]);
        same(answer.span.events[0].name, 'exception');
    }
});

// ---- Leaving ----

test('the client leaves: the signal aborts, the streams end, the span says so', async () => {
    const server = serve(`globalThis.seen = []; export default { fetch(request) {
        request.signal.addEventListener('abort', () => seen.push(request.signal.reason.name, String(trace.getActiveSpan() !== undefined)));
        return new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(1)); }, cancel(reason) { seen.push('cancel ' + reason.name); } }));
    } }`);
    server.full = true;
    const answer = server.begin('GET /', host);
    await server.turn();
    answer.finish(1);
    await answer.ended;
    equal(server.evaluate('seen.join()'), 'AbortError,true,cancel AbortError');
    const { spans, errors } = server.read();
    equal([spans.length, spans[0].status, spans[0].attributes['error.type'], errors.length], [1, 2, 'client_left', 0]);
    same(server.realm.internal.serve.idle(), 0);
});

test('the client leaves before there is a response: it goes nowhere, and counts as open work until then', async () => {
    const server = serve(`export default { async fetch(request) { await new Promise((done) => { globalThis.go = done; }); globalThis.aborted = request.signal.aborted + request.signal.reason.name;
        return new Response(new ReadableStream({ cancel() { globalThis.cancelled = true; } })); } }`);
    const answer = server.begin('GET /', host);
    same(server.realm.internal.serve.idle(), 1);
    answer.finish(1);
    same(server.realm.internal.serve.idle(), 1);
    server.evaluate('go()');
    await server.turn();
    equal([answer.calls, server.evaluate('aborted'), server.evaluate('cancelled'), server.realm.internal.serve.idle()], [[], 'trueAbortError', true, 0]);
    const failing = serve(`export default { async fetch() { await new Promise((done) => { globalThis.go = done; }); throw new Error('late'); } }`);
    failing.begin('GET /', host).finish(1);
    failing.evaluate('go()');
    await failing.turn();
    match(failing.read().errors[0].body, /late/);
});

test('a time-out of native is told apart', async () => {
    const server = serve('export default { fetch(request) { globalThis.signal = request.signal; return new Promise(() => {}); } }');
    const answer = server.begin('GET /', host);
    answer.finish(2, 503);
    same(server.evaluate('signal.reason.name'), 'TimeoutError');
    const [span] = server.read().spans;
    equal([span.status, span.attributes['error.type'], span.attributes['http.response.status_code']], [2, '503', 503].map((v, i) => (i === 1 ? 'timeout' : v)));
});

test('a head that cannot be written: an error record, a 500 on the span, and the stream is cancelled', async () => {
    const server = serve(`export default { fetch: () => new Response(new ReadableStream({
        pull(controller) { controller.enqueue(new Uint8Array(9)); }, cancel(reason) { globalThis.cancelled = reason.name; } })) }`);
    server.full = true; // what native says of pieces behind such a head is not that they are sent
    const answer = server.begin('GET /', host);
    await server.turn();
    answer.finish(3, 500);
    await server.turn();
    same(server.evaluate('cancelled'), 'TypeError');
    same(server.realm.internal.serve.idle(), 0);
    const { spans: [span], errors } = server.read();
    equal([span.status, span.attributes['error.type'], span.attributes['http.response.status_code']], [2, 'TypeError', 500]);
    same(errors.length, 1);
});

test('a body that is being read fails when the client leaves', async () => {
    const server = serve('export default { async fetch(request) { try { await request.text(); } catch (e) { globalThis.seen = e.name; throw e; } } }');
    const answer = server.begin('POST /', host, { body: [] });
    answer.finish(1);
    await server.turn();
    same(server.evaluate('seen'), 'AbortError');
});

test('a slow client: the span ends when the last byte is out', async () => {
    const server = fetchHandler('return new Response("x");');
    server.slow = true;
    const answer = server.begin('GET /', host);
    same(server.read().spans.length, 0);
    same(server.realm.internal.serve.idle(), 1);
    answer.finish(0);
    same(server.read().spans.length, 1);
    answer.finish(0);
    answer.finish(1);
    same(server.read().spans.length, 0);
});

test('abortAll ends everything', async () => {
    const server = serve('export default { fetch(request) { (globalThis.signals ??= []).push(request.signal); return new Promise(() => {}); } }');
    const answers = [server.begin('GET /', host), server.begin('GET /', host)];
    server.realm.internal.serve.abortAll();
    for (const answer of answers) same((await answer.ended).how, 'aborted');
    same(server.evaluate('signals.every((s) => s.aborted)'), true);
    same(server.read().spans.length, 2);
});

test('calls for slots that are over do nothing', () => {
    const { internal } = fetchHandler('return new Response("x");').realm;
    for (const slot of [0, 5, 63, 1e6]) {
        internal.serve.ended(slot, 0);
        internal.serve.ended(slot, 1);
        internal.serve.drained(slot);
        internal.serve.bodyChunk(slot, new Uint8Array(1));
        internal.serve.bodyEnd(slot);
        internal.serve.bodyError(slot, 'x');
    }
    same(internal.serve.idle(), 0);
});

// ---- ctx ----

test('waitUntil: open work, recorded rejections, the span of the request stays', async () => {
    const server = serve(`export default { fetch(request, env, ctx) {
        ctx.waitUntil(new Promise((done) => { globalThis.go = done; }).then(() => { globalThis.spanId = trace.getActiveSpan().spanContext().spanId; }));
        ctx.waitUntil(Promise.reject(new RangeError('later')));
        ctx.waitUntil(5);
        ctx.waitUntil({ then() { throw new Error('bad thenable'); } });
        ctx.passThroughOnException();
        let needs; try { ctx.waitUntil(); } catch (e) { needs = e.name; }
        return new Response(needs);
    } }`);
    const answer = await server.request('GET /', host);
    same(answer.body, 'TypeError');
    same(answer.span.status, 0);
    same(server.realm.internal.serve.idle(), 1);
    const errors = [...answer.records.errors, ...server.read().errors];
    equal(errors.map((e) => e.body).sort(), ['Error: bad thenable', 'RangeError: later']);
    assert.ok(errors.every((e) => e.spanId === answer.span.spanId));
    server.evaluate('go()');
    await server.turn();
    equal([server.realm.internal.serve.idle(), server.evaluate('spanId')], [0, answer.span.spanId]);
    const { body } = await fetchHandler('let e; try { new ctx.constructor(); } catch (x) { e = x; } return new Response(e.message + String(ctx));').request('GET /', host);
    same(body, 'Illegal constructor[object ExecutionContext]');
    same((await fetchHandler('return new Response(typeof env + env.A);').request('GET /', host)).body, 'objectundefined');
    const env = serve('export default { fetch(request, env) { return new Response(env.A); } }', { env: { A: 'b' } });
    same((await env.request('GET /', host)).body, 'b');
});

// ---- Spans ----

test('the server span: identity, parent, kind, native attributes first', async () => {
    const server = fetchHandler(`const span = trace.getActiveSpan(); span.setAttribute('user', 1); span.end(); return Response.json(span.spanContext());`);
    const answer = await server.request('POST /p', host, { trace: [1, 2, 3, 4, 5, 6, 7, 8], bits: 3 });
    equal(answer.span, {
        start: 1000, end: answer.span.end, traceId: '01000000020000000300000004000000', spanId: '0500000006000000', parentId: '0700000008000000', kind: 2, status: 0, flags: 1,
        bits: 1, name: 'POST', attributes: { 'url.path': '/p', user: 1, 'http.response.status_code': 200 }, events: [],
    });
    equal(JSON.parse(answer.body), { traceId: '01000000020000000300000004000000', spanId: '0500000006000000', traceFlags: 1 });
    equal([answer.records.starts, answer.records.spans.length], [0, 1]);
});

test('not sampled: nothing is recorded, the context is there', async () => {
    const server = fetchHandler(`const span = trace.getActiveSpan(); const child = trace.getTracer('t').startSpan('c'); child.end();
        return Response.json([span.isRecording(), span.spanContext().traceFlags, child.isRecording(), child.spanContext().traceId === span.spanContext().traceId]);`);
    const answer = await server.request('GET /', host, { bits: 0 });
    same(answer.body, '[false,0,false,true]');
    equal([answer.records.spans.length, answer.records.starts], [0, 0]);
    const failing = await fetchHandler('throw new Error("x")').request('GET /', host, { bits: 0 });
    equal([failing.status, failing.records.errors.length, failing.records.spans.length], [500, 1, 0]);
});

test('children: across await, timers, streams and waitUntil', async () => {
    const server = serve(`const child = (name) => trace.getTracer('t').startSpan(name).end();
        export default { async fetch(request, env, ctx) {
            child('sync'); await null; child('await');
            await new Promise((done) => setTimeout(done, 1)); child('after timer');
            setTimeout(() => child('timer'), 1);
            queueMicrotask(() => child('microtask'));
            await request.text(); child('body');
            ctx.waitUntil((async () => { await new Promise((done) => setTimeout(done, 5)); child('waitUntil'); })());
            return new Response(new ReadableStream({ async pull(c) { child('pull'); await null; child('pull later'); c.enqueue(new Uint8Array(1)); c.close(); } }, { highWaterMark: 0 }));
        } }`);
    const answer = await server.request('POST /', host, { body: ['a', 'b'] });
    await new Promise((done) => setTimeout(done, 30));
    const children = [...answer.records.spans, ...server.read().spans].filter((span) => span.kind === 1);
    equal(children.map((span) => span.name).sort(), ['after timer', 'await', 'body', 'microtask', 'pull', 'pull later', 'sync', 'timer', 'waitUntil']);
    for (const span of children) equal([span.parentId, span.traceId], [answer.span.spanId, answer.span.traceId], span.name);
    same(server.realm.ops.context(), undefined);
});

test('two requests at once keep their contexts apart', async () => {
    const server = serve(`const als = new AsyncLocalStorage(); export default { fetch(request) { return als.run(request.url, async () => {
        for (let i = 0; i < 5; i++) { await new Promise((done) => setTimeout(done, 1)); if (als.getStore() !== request.url) throw new Error('mixed'); }
        return new Response(trace.getActiveSpan().spanContext().spanId + als.getStore()); }); } }`);
    const answers = Array.from({ length: 8 }, (_, i) => server.begin(`GET /${i}`, host));
    for (const [i, answer] of answers.entries()) {
        await answer.ended;
        match(answer.body, new RegExp(`^${(100 + answer.slot).toString(16)}00000007000000http://example.com/${i}$`));
    }
});

test('tracestate and baggage are taken over', async () => {
    const server = fetchHandler(`return Response.json([trace.getActiveSpan().spanContext().traceState.serialize(), propagation.getActiveBaggage()?.getEntry('k')?.value ?? null]);`);
    const answer = await server.request('GET /', [['host', 'a'], ['tracestate', 'a=1'], ['tracestate', 'b=2'], ['baggage', 'k=v%20w'], ['baggage', 'l=m']], { bits: 1 | 2 | 4 | 8 });
    equal(JSON.parse(answer.body), ['a=1,b=2', 'v w']);
    equal([answer.span.traceState, answer.span.bits], ['a=1,b=2', 9]);
    const bad = await server.request('GET /', { host: 'a', tracestate: ',,=', baggage: ';;;' }, { bits: 1 | 4 | 8 });
    equal(JSON.parse(bad.body), ['', null]);
    const unsampled = await server.request('GET /', { host: 'a', tracestate: 'a=1' }, { bits: 2 | 4 });
    equal(JSON.parse(unsampled.body), ['a=1', null]);
});

test('the route: URLPattern, setRoute, http.route', async () => {
    const patterns = `const users = new URLPattern({ pathname: '/users/:id' }), posts = new URLPattern('http://*/posts/:id\\\\?*'), all = new URLPattern({});`;
    const server = serve(`${patterns} export default { async fetch(request) {
        const path = new URL(request.url).pathname;
        if (path === '/set') setRoute('/by/:hand');
        if (path === '/attribute') trace.getActiveSpan().setAttribute('http.route', '/attr');
        if (path === '/renamed') { trace.getActiveSpan().updateName('mine'); setRoute('/r'); }
        if (path === '/child') await trace.getTracer('t').startActiveSpan('c', async (span) => { await null; setRoute('/in/child'); span.end(); });
        if (path === '/other') users.test('http://example.com/users/9');
        if (path === '/path/users') users.test({ pathname: '/users/9' });
        if (path.startsWith('/users/')) await null;
        all.test(request.url);
        users.exec(request.url); posts.test(request.url);
        if (path === '/users/late') throw new Error('late');
        return new Response('x');
    } }`);
    const cases = [
        ['/users/5', '/users/:id'], ['/users/5?q=1', '/users/:id'], ['/posts/1?x', '/posts/:id'], ['/none', undefined], ['/set', '/by/:hand'], ['/attribute', '/attr'],
        ['/child', '/in/child'], ['/other', undefined], ['/path/users', undefined], ['/users/late', '/users/:id'],
    ];
    for (const [path, route] of cases) {
        const { span, route: told } = await server.request(`GET ${path}`, host);
        equal([span.name, span.attributes['http.route'], told], [route === undefined ? 'GET' : `GET ${route}`, route, route], path);
    }
    const renamed = await server.request('GET /renamed', host);
    equal([renamed.span.name, renamed.span.attributes['http.route']], ['mine', '/r']);
    const unsampled = await server.request('GET /users/5', host, { bits: 0 });
    same(unsampled.route, '/users/:id');
    const byPath = await fetchHandler(`p.test({ pathname: new URL(request.url).pathname }); return new Response();`, `const p = new URLPattern({ pathname: '/a/:b' });`).request('GET /a/1?x', host);
    same(byPath.span.name, 'GET /a/:b');
    same((await fetchHandler('try { setRoute(); } catch (e) { return new Response(e.name); }').request('GET /', host)).body, 'TypeError');
});

test('uncaught errors beside a request are recorded and end nothing', async () => {
    const server = serve(`export default { fetch() { setTimeout(() => reportError(new RangeError('beside')), 1); return new Response('x'); } }`);
    const { records } = await server.request('GET /', host);
    await new Promise((done) => setTimeout(done, 20));
    equal([...records.errors, ...server.read().errors].map((e) => e.body), ['RangeError: beside']);
    same(server.realm.internal.unhandledRejection(new Error('r')), true);
    same(server.realm.internal.uncaught(new Error('r')), true);
});

// ---- install ----

test('the default export is checked', () => {
    const accepted = [['{ fetch() {} }', 1], ['{ scheduled() {} }', 2], ['{ fetch() {}, scheduled() {} }', 3], ['new (class { fetch() {} })', 1], ['Object.create({ fetch() {} })', 1],
        ['{ fetch() {}, health() {} }', 5], ['{ scheduled() {}, health() {} }', 6], ['{ fetch() {}, health: { a: 1 } }', 1]];
    for (const [expression, bits] of accepted) {
        const server = serve(`export default ${expression}`, { install: false });
        same(server.install(server.exported), bits);
    }
    const refused = [
        ['undefined', /but it has none/], ['null', /it is null/], ['() => {}', /it is a function: write export default \{ fetch/], ['class A {}', /it is the class A: export an instance/],
        ['{}', /it has neither/], ['{ get: 1, post: 2 }', /it has only get, post/], ['{ fetch: 5 }', /its fetch is of type number/], ['{ scheduled: "x" }', /its scheduled is of type string/],
        ['5', /it is of type number/], ['"x"', /it is of type string/], ['Promise.resolve()', /it has neither/],
    ];
    for (const [expression, message] of refused) {
        const server = serve(`export default ${expression}`, { install: false });
        assert.throws(() => server.install(server.exported), (error) => error.name === 'TypeError' && message.test(error.message), expression);
    }
});

test('this is the default export, also of a class', async () => {
    const server = serve(`class App { #name = 'app'; fetch() { return new Response(this.#name); } } export default new App()`);
    same((await server.request('GET /', host)).body, 'app');
    const getter = serve('let n = 0; export default { get fetch() { if (n++ > 0) throw new Error("getter"); return () => {}; } }');
    same((await getter.request('GET /', host)).status, 500);
});

// ---- Hostile programs ----

test('patched prototypes change nothing', async () => {
    const server = serve(`
        const { Response: R, ReadableStream: S } = globalThis; const bytes = new Uint8Array([66]);
        export default { async fetch(request) {
            const { url, method, headers } = request; const seen = url + method + headers.get('a') + await request.text();
            return url.endsWith('s') ? new R(new S({ start(c) { c.enqueue(bytes); c.close(); } })) : new R(seen, { headers: { b: 'c' } });
        } }`, {
        patch: `const { includes } = Array.prototype, has = includes.call.bind(includes); for (const target of [Array.prototype, String.prototype, Map.prototype, WeakMap.prototype, Function.prototype, RegExp.prototype, Object.getPrototypeOf(Uint8Array.prototype), JSON, Reflect, Object, Array,
            Response.prototype, Request.prototype, Headers.prototype, URL.prototype, AbortSignal.prototype, ReadableStream.prototype, Object.getPrototypeOf(new ReadableStream().getReader())]) {
            for (const key of Object.getOwnPropertyNames(target)) {
                if (key === 'constructor' || target === Headers.prototype && key === 'get' || target === Request.prototype && has(['url', 'method', 'headers', 'text'], key) || target === String.prototype && key === 'endsWith') continue;
                const d = Object.getOwnPropertyDescriptor(target, key);
                if (!d.configurable || typeof d.value !== 'function' && d.get === undefined || key === 'defineProperty' || key === 'getOwnPropertyDescriptor' || key === 'getOwnPropertyNames') continue;
                Object.defineProperty(target, key, d.get ? { get() { throw new TypeError('patched ' + key); }, configurable: true } : { value() { throw new TypeError('patched ' + key); }, configurable: true, writable: true });
            }
        }`,
    });
    const answer = await server.request('POST /p', { host: 'h', a: 'b' }, { body: ['x', 'y'] });
    equal([answer.status, answer.body, answer.headers], [200, 'http://h/pPOSTbxy', 'b: c\r\ncontent-type: text/plain;charset=UTF-8\r\n'], JSON.stringify(answer.records.errors));
    const stream = await server.request('POST /s', { host: 'h' }, { body: [] });
    equal([stream.status, stream.chunks], [200, ['B']], JSON.stringify(stream.records.errors));
});

test('a handler that calls back into the server from strange places', async () => {
    const server = serve(`export default { fetch(request) {
        const r = new Response('a'); const init = { get status() { request.signal; request.clone(); return 201; }, get headers() { return { get x() { return new Response('n').headers.get('content-type'); } }; } };
        return new Response('b', init); } }`);
    const answer = await server.request('GET /', host);
    equal([answer.status, answer.headers], [201, 'x: text/plain;charset=UTF-8\r\ncontent-type: text/plain;charset=UTF-8\r\n']);
});

test('ten thousand requests leave nothing behind', async () => {
    const server = fetchHandler('return new Response("x");');
    for (let i = 0; i < 10000; i++) {
        server.begin('GET /', host);
        if (i % 500 === 0) {
            server.read();
            await server.turn();
        }
    }
    await server.turn();
    same(server.realm.internal.serve.idle(), 0);
    server.read();
});

// ---- scheduled ----

test('a scheduled run is a trace of its own', async () => {
    const server = serve(`export default { async scheduled(event, env, ctx) {
        globalThis.seen = [event.type, event.cron, event.scheduledTime, String(event), env.A, trace.getActiveSpan().spanContext().traceId];
        ctx.waitUntil(Promise.reject(new Error('after')));
        await null; trace.getTracer('t').startSpan('child').end();
        if (event.cron === '@daily') throw new RangeError('failed');
    } }`, { env: { A: 'e' } });
    const { serve: api } = server.realm.internal;
    api.runScheduled('*/5 * * * *', Date.UTC(2026, 0, 1));
    same(api.idle() > 0, true);
    await server.turn();
    same(api.idle(), 0);
    const { spans, errors } = server.read();
    const root = spans.find((span) => span.name === 'scheduled */5 * * * *');
    equal(root.attributes, { 'faas.trigger': 'timer', 'faas.cron': '*/5 * * * *', 'faas.time': '2026-01-01T00:00:00.000Z' });
    equal([root.parentId, root.status, spans.find((span) => span.name === 'child').parentId], ['0000000000000000', 0, root.spanId]);
    same(server.evaluate('JSON.stringify(seen)'), JSON.stringify(['scheduled', '*/5 * * * *', Date.UTC(2026, 0, 1), '[object ScheduledEvent]', 'e', root.traceId]));
    equal(errors.map((e) => e.body), ['Error: after']);
    api.runScheduled('@daily', 0);
    await server.turn();
    const failed = server.read();
    equal([failed.spans.find((span) => span.name === 'scheduled @daily').status, failed.errors.map((e) => e.body).sort()], [2, ['Error: after', 'RangeError: failed']]);
    assert.throws(() => api.startSchedules(['nonsense']), (e) => e.name === 'TypeError' && /1 fields, not 5/.test(e.message));
    const none = fetchHandler('return new Response();');
    assert.throws(() => none.realm.internal.serve.startSchedules('["* * * * *"]'), /no scheduled function/);
});

// ---- health ----

const PASS = 1, WARN = 2, FAIL = 3;

/** What `health` has said once there are so many answers. */
async function answers(server, count) {
    while (server.health.length < count) await new Promise((done) => setTimeout(done, 1));
    return server.health;
}

test('health is called again and again, and what it says is told', async () => {
    const server = serve(`let calls = 0; globalThis.calls = () => calls;
        export default { fetch() {}, async health(env, ctx) {
            if (env.A !== 'e' || typeof ctx.waitUntil !== 'function' || this.fetch === undefined) throw new Error('not called as it should be');
            const said = [undefined, true, 'pass', 'warn', 'fail', 'down', false, { status: 'warn', reason: 'cold' }, { status: 'fail', output: 'gone' }, { status: 'up', output: 'x' },
                null, 7, 'fine', {}, { status: 200 }, { get status() { throw new TypeError('getter'); } }, { status: 'fail', reason: Symbol('s') }];
            if (calls === said.length) { calls++; throw new RangeError('thrown'); }
            return said[calls++];
        } }`, { env: { A: 'e' } });
    server.realm.internal.serve.startHealth(1, 1000);
    const found = (await answers(server, 18)).slice(0, 18);
    equal(found.slice(0, 10), [[PASS, ''], [PASS, ''], [PASS, ''], [WARN, ''], [FAIL, ''], [FAIL, ''], [FAIL, ''], [WARN, 'cold'], [FAIL, 'gone'], [PASS, '']]);
    for (const [status, reason] of found.slice(10, 15)) equal([status, /^health\(\) gave no true, false/.test(reason)], [FAIL, true]);
    equal(found[15], [FAIL, 'TypeError: getter']);
    equal([found[16][0], /TypeError/.test(found[16][1])], [FAIL, true]);
    equal(found[17], [FAIL, 'RangeError: thrown']);
    // It keeps nobody from ending, and leaves no trace.
    same(server.realm.internal.serve.idle(), 0);
    const { spans, errors } = server.read();
    equal([spans, errors], [[], []]);
});

test('a health that takes too long is late once, and has no second call beside it', async () => {
    const server = serve(`let calls = 0; globalThis.calls = () => calls;
        export default { fetch() {}, health() { calls++; return calls === 1 ? new Promise((done, fail) => { globalThis.fail = fail; }) : true; } }`);
    server.realm.internal.serve.startHealth(1, 20);
    equal(await answers(server, 1), [[FAIL, 'health() has not answered within 20 ms']]);
    await new Promise((done) => setTimeout(done, 30));
    equal([server.health.length, server.evaluate('calls()')], [1, 1]);
    // What it says in the end is not wanted any more; the next call is.
    server.evaluate("fail(new Error('at last'))");
    equal((await answers(server, 2))[1], [PASS, '']);
});

test('what health does is not sampled', async () => {
    const server = serve(`export default { fetch() {}, async health() {
        const span = trace.getTracer('t').startSpan('child'); await null; trace.getTracer('t').startSpan('after').end(); span.end(); } }`);
    server.realm.internal.trace.beginRun('app.mjs');
    server.realm.internal.serve.startHealth(1, 1000);
    await answers(server, 2);
    equal(server.read().spans.map((span) => span.name), ['start']); // that of the run
});

// ---- Generated ----

/** mulberry32 */
function generator(state) {
    return () => {
        state = state + 0x6D2B79F5 | 0;
        let t = Math.imul(state ^ state >>> 15, 1 | state);
        t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
        return ((t ^ t >>> 14) >>> 0) / 4294967296;
    };
}
const seed = +(process.env.SEED ?? 1);

test(`20,000 generated targets have the URL that the parser gives (SEED=${seed})`, () => {
    const random = generator(seed);
    const { internal } = fetchHandler('').realm;
    const pieces = ['/', '/', 'a', 'b1', '.', '..', '%2e', '%2E', '%20', '%', '?', '&', '=', '#', "'", '"', '<', '`', '{', '}', '|', '^', '\\', '~', ':', '@', ';', ',', '+', '[', ']', '\xe9', '\xff', '*', '!', '$', '(', ')', '_', '-'];
    for (let i = 0; i < 20000; i++) {
        let target = '/';
        for (let n = random() * 10; n > 0; n--) target += pieces[Math.floor(random() * pieces.length)];
        const exchange = { slot: 0, bits: 1, method: 1, head: `GET ${target}\nhost\nh.example:81\n` };
        const url = internal.request.urlTextOf(internal.request.makeIncoming(exchange));
        const escaped = [...target].map((c) => (c.charCodeAt(0) < 0x80 ? c : `%${c.charCodeAt(0).toString(16).toUpperCase()}`)).join('');
        const expected = new URL(`http://h.example:81${escaped}`);
        expected.hash = '';
        // What Node 20 does not encode yet: docs/specs/platform.md.
        const [path, ...query] = expected.href.split('?');
        same(url, [path.replaceAll('^', '%5E'), ...query].join('?'), target);
    }
});

test(`20,000 generated heads: headers come out as they went in (SEED=${seed})`, () => {
    const random = generator(seed);
    const { internal } = fetchHandler('').realm;
    const names = ['host', 'a', 'accept', 'x-a', 'cookie', 'set-cookie', 'content-type', 'b'];
    const values = ['', 'host', 'a', 'x', 'text/plain', '\xe9', 'a, b', 'very long value of a header', '0'];
    for (let i = 0; i < 20000; i++) {
        const list = [];
        let head = 'GET /\n';
        for (let n = Math.floor(random() * 8); n > 0; n--) {
            const name = names[Math.floor(random() * names.length)], value = values[Math.floor(random() * values.length)];
            list.push([name, value]);
            head += `${name}\n${value}\n`;
        }
        const headers = internal.headers.makeLazyHeaders(head, 6);
        const wanted = [];
        for (let k = 0; k < 4; k++) {
            const name = names[Math.floor(random() * names.length)];
            const all = list.filter(([n]) => n === name).map(([, v]) => v);
            same(headers.get(name), all.length === 0 ? null : all.join(', '), `${name} of ${JSON.stringify(head)}`);
            wanted.push(name);
        }
        equal([...internal.headers.listOf(headers)], list.flat(), JSON.stringify(head));
    }
});

test('schedules start', () => {
    const server = serve('export default { scheduled() {} }');
    server.realm.internal.serve.startSchedules('["* * * * *", "@yearly", "0 0 29 2 *"]');
    server.realm.internal.serve.startSchedules([]);
    same(server.realm.internal.serve.idle(), 0);
});

// ---- Bodies that trickle in ----

test('small pieces of a body are kept together', async () => {
    const { internal } = boot({});
    for (const sizes of [[1], [0, 1], [1, 1], Array(20000).fill(1), [5000, ...Array(9000).fill(1), 5000, 3, 1024, 1023, 2], Array(40).fill(1023), Array(200).fill([1024, 1]).flat()]) {
        const feed = new internal.body.Feed(() => {}, () => {});
        const whole = feed.collect();
        let at = 0;
        for (const size of sizes) feed.chunk(Uint8Array.from({ length: size }, () => at++ & 255));
        assert.ok(feed.chunks.length <= 4 + at / 512, `${feed.chunks.length} arrays for ${at} bytes`);
        feed.end();
        const held = feed.chunks.reduce((sum, chunk) => sum + chunk.buffer.byteLength, 0);
        assert.ok(held <= 2 * at + 8192, `${held} bytes are held for ${at}`);
        equal(Buffer.from((await whole).bytes), Buffer.from(Uint8Array.from({ length: at }, (_, i) => i & 255)));
    }
});

// ---- fetch ----

/** A handler that fetches `[url, init]` one after the other, while the host does what `answers` say: a status and a version, or the code of a failure. */
async function fetching(calls, answers, hasBoard, bits) {
    const server = asyncHandler(`
        const outcomes = [];
        for (const [url, init] of ${JSON.stringify(calls)}) {
            const signal = init?.abortAs === undefined ? undefined : new AbortController();
            const answer = fetch(url, { ...init, signal: signal?.signal });
            if (signal !== undefined) signal.abort(Object.assign(new Error('given up'), { name: init.abortAs }));
            try { outcomes.push(await (await answer).text()); } catch (error) { outcomes.push(error.cause?.code ?? error.code ?? error.name); }
        }
        return Response.json(outcomes);`);
    const { ops, internal } = server.realm;
    const ended = [];
    ops.fetchEnded = (...facts) => {
        ended.push(facts);
        return hasBoard;
    };
    ops.fetchStart = (id) => {
        const answer = answers.shift();
        if (answer === null) return true;
        setImmediate(() => {
            if (typeof answer === 'string') return internal.fetch.fail(id, answer, 'of the network', 0, 0, 0, 0, '', '', 0);
            const [status, version, headers = ''] = answer;
            internal.fetch.head(id, status, '', headers, 0, 0, 0, 0, version, '', 0);
            internal.fetch.end(id);
        });
        return true;
    };
    const answer = await server.request('GET /', host, { bits });
    same(answer.status, 200);
    const meter = internal.otelApi.metrics.getMeter('sidelight');
    return { ended, spans: answer.records.spans, isMetered: meter._known.has('4:http.client.request.duration') };
}

const fetches = [
    // call, answers, facts for the board
    [['http://stock.test:8080/a?b'], [[200, '1.1']], [1, false, 200, 2, 8080, 'stock.test', '']],
    [['https://stock.test/', { method: 'POST', body: 'x' }], [[503, '2']], [3, true, 503, 3, 443, 'stock.test', '503']],
    [['http://[::1]/', { method: 'QUERY' }], [[404, '1.0']], [10, false, 404, 1, 80, '::1', '404']],
    [['http://stock.test/', { method: 'PROPFIND' }], [[207, '3']], [0, false, 207, 4, 80, 'stock.test', '']],
    [['http://stock.test/'], ['refused'], [1, false, 0, 0, 80, 'stock.test', 'refused']],
    [['http://stock.test/', { abortAs: 'BoredError' }], [null], [1, false, 0, 0, 80, 'stock.test', 'BoredError']],
    // One fetch, redirects included; it is of the URL that the program asked for.
    [['http://old.test/'], [[301, '1.1', 'location\nhttp://new.test/'], [200, '1.1']], [1, false, 200, 2, 80, 'old.test', '']],
    [['http://old.test/', { redirect: 'error' }], [[302, '1.1', 'location\nhttp://new.test/']], [1, false, 302, 2, 80, 'old.test', 'redirect']],
];
for (const bits of [1, 0]) {
    test(`every fetch is told to the board once, and then is no metric of JavaScript's: ${bits === 1 ? 'sampled' : 'not sampled'}`, async () => {
        const { ended, spans, isMetered } = await fetching(fetches.map(([call]) => call), fetches.flatMap(([, answers]) => answers), true, bits);
        equal(ended.map(([nanoseconds, ...facts]) => facts), fetches.map(([, , facts]) => facts));
        for (const [nanoseconds] of ended) assert.ok(nanoseconds >= 0 && nanoseconds < 60e9);
        same(isMetered, false);
        const clients = spans.filter((span) => span.kind === 3);
        same(clients.length, bits === 1 ? fetches.length : 0);
        // As the spans have it.
        equal(clients.map((span) => span.attributes['error.type'] ?? ''), bits === 1 ? ended.map((facts) => facts[7]) : []);
    });
}

test('without a board they are a metric', async () => {
    const { ended, isMetered } = await fetching([['http://stock.test/']], [[200, '1.1']], false, 1);
    same(ended.length, 1);
    same(isMetered, true);
});
