// The platform works on after a program has patched everything it can reach.
import { patched } from '../patches.js';
import { done, same, test } from './assert.js';

const results = [];
const parts = { [Symbol.iterator]: () => ({ count: 0, next() { return { done: this.count++ > 0, value: 'text' }; } }) };
const refusedOnes = [new Response(), new Headers(), new Event('x')];
const usages = { [Symbol.iterator]: () => ({ count: 0, next() { return { done: this.count++ > 0, value: 'sign' }; } }) };
const emptyModule = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);
const japanese = new Uint8Array([0x82, 0xA0]);

function check(name, run) {
    test(name, () => {
        let outcome;
        const error = patched(() => { try { outcome = run(); } catch (e) { return e; } });
        if (error !== undefined) throw error;
        return outcome;
    });
}

check('messages', () => {
    const { port1, port2 } = new MessageChannel();
    port2.onmessage = () => {};
    port1.postMessage({ a: [1], when: new Date(0) });
    port1.start();
    port1.close();
    const channel = new BroadcastChannel('hostile');
    channel.onmessage = null;
    channel.postMessage('x');
    channel.close();
    return new MessageEvent('message', { data: 1 }).data;
});
check('console', () => {
    console.log('%s %d %i %j %o %O', 'text', 1, 2, { a: 1 }, [1], { b: [1, 2, { c: new Map() }] });
    console.log([1, 2, 3, 4, 5, 6, 7, 8], { 'a-b': "it's" }, new Error('x'), /x/g, new Date(0), Symbol('s'), 5n, new Uint8Array(3), function f() {}, class A {});
    console.table([{ a: 1 }, { a: 2 }]);
    console.group('g');
    console.count();
    console.time('t');
    console.timeEnd('t');
    console.groupEnd();
});
check('URL', () => {
    const url = new URL('../x?a=1&b=%41+c#z', 'http://user@EXAMPLE.com:8080/a/b/./c');
    url.searchParams.append('ä', 'ö');
    url.searchParams.sort();
    url.host = '[::1]:90';
    url.pathname = '/a b/../c';
    if (url.href !== 'http://user@[::1]:90/c?a=1&b=A+c&%C3%A4=%C3%B6#z') throw new Error(url.href);
    new URL('http://1.2.3/');
    URL.canParse('nonsense');
});
check('encodings', () => {
    const text = new TextDecoder().decode(new TextEncoder().encode('häß😀'));
    if (text !== 'häß😀') throw new Error(text);
    new TextDecoder('utf-16le').decode(new Uint8Array(4));
    if (new TextDecoder('shift_jis').decode(japanese) !== 'あ') throw new Error('shift_jis');
    if (new URL('http://faß.É/').host !== 'xn--fa-hia.xn--9ca') throw new Error('UTS 46');
    if (atob(btoa('abc')) !== 'abc') throw new Error('base64');
});
const pending = [];
check('crypto and compression', () => { // what is loaded late is loaded here
    crypto.getRandomValues(new Uint8Array(4));
    crypto.randomUUID();
    pending[0] = crypto.subtle.digest('SHA-256', new Uint8Array(3));
    pending[1] = crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-1' }, true, usages);
    const packer = new CompressionStream('gzip');
    const writer = packer.writable.getWriter();
    writer.write(new Uint8Array(1000));
    writer.close();
    pending[2] = packer.readable.getReader().read();
});
test('what they promised', async () => {
    same([(await pending[0]).byteLength, (await pending[1]).algorithm.length, (await pending[2]).done], [32, 512, false]);
});
check('events', () => {
    let runs = 0;
    const target = new EventTarget();
    const controller = new AbortController();
    target.addEventListener('x', () => { runs++; }, { signal: controller.signal, once: true });
    target.dispatchEvent(new Event('x'));
    controller.signal.onabort = () => { runs++; };
    controller.abort();
    if (runs !== 2) throw new Error('listeners');
});
check('timers are made', () => {
    const a = setTimeout(() => {}, 5);
    setTimeout(() => { results[0] = 'timer'; }, 1, 'x');
    clearTimeout(a);
    queueMicrotask(() => { results[1] = 'microtask'; });
    setImmediate(() => { results[2] = 'immediate'; });
});
check('headers, requests and responses', () => {
    const headers = new Headers({ b: '1', A: '2' });
    headers.append('a', '3');
    if (headers.get('a') !== '2, 3') throw new Error('headers');
    new Request('http://a/', { method: 'post', body: 'x', headers });
    new Response('x', { status: 201 }).clone();
});
check('bodies', () => {
    const form = new FormData();
    form.append('a', 'b');
    form.append('f', new File(parts, 'n.txt', { type: 'a/b' }));
    const response = new Response(form);
    response.clone().formData().constructor;
    response.text();
    Response.json({ a: [1, { b: 'c' }] }, { headers: { x: 'y' } }).json();
    new Response('{"a":1}').json();
    new Response(new Uint8Array(3)).arrayBuffer();
    new Response('a=b', { headers: { 'content-type': 'application/x-www-form-urlencoded' } }).formData();
    const blob = new Response('x').blob();
    const request = new Request('http://a/', { method: 'PUT', body: 'x', duplex: 'half', signal: new AbortController().signal });
    new Request(request, { headers: { b: 'c' } }).clone().bytes();
    Response.redirect('http://a/b', 303).headers.get('location');
    new Response(new Response('stream').body).text();
});
check('URL patterns', () => {
    const pattern = new URLPattern({ pathname: '/:a/(\\d+)/*', hostname: '*.b' });
    const groups = pattern.exec('http://a.b/x/12/y/z').pathname.groups;
    if (groups.a !== 'x' || groups[0] !== '12' || groups[1] !== 'y/z') throw new Error('groups');
    if (!new URLPattern('https://*.org:*/a{/:b}?/*').test('https://x.org:81/a/b/c')) throw new Error('string');
    try { new URLPattern('('); } catch {}
});
check('sockets', () => {
    const { 0: one, 1: two } = new WebSocketPair();
    one.accept();
    two.accept();
    one.onmessage = null;
    one.send('text');
    one.send(japanese);
    one.close(3000, 'why');
    if (one.readyState !== WebSocket.CLOSING || new CloseEvent('close', { code: 3 }).code !== 3) throw new Error('state');
    try { new WebSocket('ftp://x', ['a', 'b']); } catch (error) { if (error.name !== 'SyntaxError') throw error; }
});
check('WebAssembly', () => {
    const module = new WebAssembly.Module(emptyModule);
    new WebAssembly.Instance(module);
    WebAssembly.compile(emptyModule);
    WebAssembly.instantiate(module);
    WebAssembly.compileStreaming(new Response(emptyModule, { headers: { 'content-type': 'application/wasm' } }));
});
check('performance and structuredClone', () => {
    performance.mark('m');
    performance.measure('n', 'm');
    structuredClone({ a: [1] });
    const file = new File(parts, 'n'), buffer = new ArrayBuffer(3);
    const transfer = { [Symbol.iterator]: () => ({ count: 0, next() { return { done: this.count++ > 0, value: buffer }; } }) };
    const copy = structuredClone({ file, error: new DOMException('m', 'AbortError'), list: [{}, file], buffer }, { transfer });
    if (copy.file.name !== 'n' || copy.list[1] !== copy.file || copy.error.name !== 'AbortError') throw new Error('clone');
    for (let i = 0; i < refusedOnes.length; i++) {
        let name;
        try { structuredClone({ a: [refusedOnes[i]] }); } catch (error) { name = error.name; }
        if (name !== 'DataCloneError') throw new Error('cloned');
    }
    const url = URL.createObjectURL(file);
    new Request(url, { headers: { range: 'bytes=0-1' } });
    fetch(url);
    URL.revokeObjectURL(url);
});
test('what was made under patches runs', async () => {
    await new Promise((resolve) => { setTimeout(resolve, 20); });
    same(results, ['timer', 'microtask', 'immediate']);
});
await done();
