// The platform works on after a program has patched everything it can reach.
import { done, same, test } from './assert.js';

const results = [];
const parts = { [Symbol.iterator]: () => ({ count: 0, next() { return { done: this.count++ > 0, value: 'text' }; } }) };
const { defineProperty } = Object;
const all = [
    Array.prototype, String.prototype, RegExp.prototype, Map.prototype, Set.prototype, WeakMap.prototype, Function.prototype, Number.prototype, Date.prototype, Error.prototype, Symbol.prototype, BigInt.prototype,
    Object.prototype, Object.getPrototypeOf(Uint8Array.prototype), Uint8Array.prototype, ArrayBuffer.prototype, Math, JSON, Reflect, Object, Array, String, Number, Object.getPrototypeOf([][Symbol.iterator]()),
    Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())), Object.getPrototypeOf(new Map().entries()), Promise.prototype, Promise,
];
const { getOwnPropertyDescriptor, ownKeys } = Reflect;

function patched(run) {
    const undo = [];
    let undone = 0;
    for (let i = 0; i < all.length; i++) {
        const keys = ownKeys(all[i]);
        for (let k = 0; k < keys.length; k++) {
            const key = keys[k];
            // These the language itself calls, or are needed to undo.
            if (key === 'constructor' || key === 'prototype' || key === Symbol.hasInstance || (all[i] === Object.prototype && typeof key === 'string' && key !== 'toString' && key !== 'valueOf')) continue;
            const descriptor = getOwnPropertyDescriptor(all[i], key);
            if (!descriptor.configurable) continue;
            const isAccessor = descriptor.get !== undefined || descriptor.set !== undefined;
            if (!isAccessor && typeof descriptor.value !== 'function') continue;
            const name = typeof key === 'symbol' ? 'a symbol' : key;
            const bomb = function () { throw new TypeError('patched ' + name + ' was used'); };
            undo[undone++] = [all[i], key, descriptor];
            defineProperty(all[i], key, isAccessor ? { get: bomb, configurable: true } : { value: bomb, writable: true, configurable: true });
        }
    }
    try {
        return run();
    } finally {
        for (let i = undone - 1; i >= 0; i--) defineProperty(undo[i][0], undo[i][1], undo[i][2]);
    }
}

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
    if (atob(btoa('abc')) !== 'abc') throw new Error('base64');
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
check('performance and structuredClone', () => {
    performance.mark('m');
    performance.measure('n', 'm');
    structuredClone({ a: [1] });
});
test('what was made under patches runs', async () => {
    await new Promise((resolve) => { setTimeout(resolve, 20); });
    same(results, ['timer', 'microtask', 'immediate']);
});
await done();
