// Frozen primordials: what a program reaches cannot be changed, and ordinary programs run all the same.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import vm from 'node:vm';
import { boot } from './harness.mjs';
import { makeRing } from './serve.mjs';

const printed = [];
const realm = boot({ ring: makeRing(), print: (fd, text) => printed.push(text) });
const started = performance.now();
realm.internal.frozen.start();
console.log(`# frozen in ${(performance.now() - started).toFixed(1)} ms`);
const run = (source) => vm.runInContext(`'use strict'; ${source}`, realm.context);

test('nothing of the language or the platform can be changed', () => {
    for (const attempt of [
        'Array.prototype.map = 1', 'Object.prototype.polluted = 1', 'Object.prototype.toString = 1', 'delete Array.prototype.push', 'Function.prototype.call = 1', 'Promise.prototype.then = 1',
        'JSON.parse = 1', 'Math.random = 1',  'console.log = 1', 'Response.prototype.text = 1', 'URL.prototype.a = 1', 'Error.prepareStackTrace = () => {}',
        'Reflect.getPrototypeOf(async function () {}).a = 1', 'Reflect.getPrototypeOf(function* () {}).prototype.a = 1', 'Reflect.getPrototypeOf([][Symbol.iterator]()).next = 1', 'Symbol.prototype.a = 1',
        'Reflect.getPrototypeOf(Uint8Array).prototype.set = 1', 'Object.setPrototypeOf(Array.prototype, null)', 'Object.defineProperty(String.prototype, "a", { value: 1 })', '({}).__proto__.a = 1',
        '({}).constructor.prototype.a = 1', 'class A extends Array {}; Reflect.getPrototypeOf(A.prototype).a = 1', 'crypto.subtle.digest = 1', 'Object.freeze = 1', 'new Proxy({}, {}).__proto__.a = 1',
    ]) assert.throws(() => run(attempt), /TypeError|ReferenceError/, attempt);
});

test('JSON cannot pollute, nor can a merge', () => {
    assert.throws(() => run(`const merge = (to, from) => { for (const key in from) { if (typeof from[key] === 'object') merge(to[key] ??= {}, from[key]); else to[key] = from[key]; } };
        merge({}, JSON.parse('{"__proto__": {"polluted": true}}'))`), /TypeError/);
    assert.equal(run('({}).polluted'), undefined);
});

test('what inherits is the program\'s own, by assignment too', () => {
    assert.equal(run(`const a = {}; a.toString = () => 'mine'; String(a)`), 'mine');
    assert.equal(run(`function Old() {} Old.prototype = {}; Old.prototype.constructor = Old; Old.prototype.toString = function () { return 'old'; }; '' + new Old()`), 'old');
    assert.equal(run(`class Mine extends Error { constructor(m) { super(m); this.name = 'Mine'; this.message += '!'; } } String(new Mine('a'))`), 'Mine: a!');
    assert.equal(run(`const e = new TypeError('a'); e.name = 'B'; e.message = 'c'; String(e)`), 'B: c');
    assert.equal(run(`const list = [1]; list.push = () => 'mine'; list.push(2)`), 'mine');
    assert.equal(run(`const f = () => {}; f.toString = () => 'mine'; f.bind = 5; '' + f + f.bind`), 'mine5');
    assert.equal(run(`const map = { __proto__: null }; map.constructor = 1; map.constructor`), 1);
    assert.equal(run(`const o = {}; o.hasOwnProperty = 1; o.hasOwnProperty = 2; JSON.stringify(o)`), '{"hasOwnProperty":2}');
    assert.equal(run(`{ const list = [1]; list.map = 1; const f = () => {}; f.call = 2; const m = new Map(); m.get = 3; m.get = 4; list.map + f.call + m.get }`), 7);
    assert.equal(run(`function L() {} L.prototype = Object.create(EventTarget.prototype); L.prototype.constructor = L; new L().constructor === L`), true);
    assert.equal(run(`[1, 2].map((x) => x * 2).filter((x) => x > 2).concat(5).join() + new Map([[1, 2]]).get(1) + Math.max.apply(null, [1, 2])`), '4,522');
    assert.equal(run(`class MyMap extends Map { get(key) { return super.get(key) + 1; } } new MyMap([[1, 2]]).get(1)`), 3);
    assert.equal(run(`globalThis.added = 1; globalThis.added += 1; added`), 2);
});

test('the platform works', async () => {
    assert.equal(run(`new URL('http://a/b?c=d').searchParams.get('c')`), 'd');
    assert.equal(run(`[...new Headers([['a', 'b']])].flat().join()`), 'a,b');
    assert.equal(await run(`new Response('text').text()`), 'text');
    assert.equal(await run(`(async () => { let text = ''; for await (const c of new Response('abc').body) text += new TextDecoder().decode(c); return text; })()`), 'abc');
    assert.equal(run(`structuredClone(new Map([[1, { a: [2] }]])).get(1).a[0]`), 2);
    assert.equal(await run(`new Promise((resolve) => setTimeout(() => resolve(1), 1))`), 1);
    run(`console.log('%s %O', 'a', { b: 1 }); console.table([{ a: 1 }]); console.error(new Error('c'))`);
    assert.match(printed.join(''), /a { b: 1 }/);
    run(`process.exitCode = 0; process.env.A = 'b'; process.on('exit', () => {}); Error.stackTraceLimit = 5; try { null.a; } catch (error) { error.stack; }`);
    run(`addEventListener('error', () => {}); const t = new EventTarget(); t.addEventListener('a', (e) => e.preventDefault()); t.dispatchEvent(new Event('a')); new AbortController().abort()`);
    assert.equal(run(`Buffer.from('YQ==', 'base64').toString() + Buffer.concat([Buffer.alloc(1, 98), Buffer.from([99])]) + Buffer.from('ab').subarray(1)`), 'abcb');
    assert.equal(run(`(typeof atob('YQ=='))`), 'string');
    const { context, trace } = realm.internal.builtin('@opentelemetry/api');
    trace.getTracer('a').startActiveSpan('b', (span) => { span.setAttribute('c', 1); span.end(); });
    assert.ok(context.active());
    for (const name of realm.internal.builtinNames()) assert.ok(realm.internal.builtin(name), name);
    const { EventEmitter } = realm.internal.builtin('node:events');
    let heard = 0;
    new EventEmitter().on('a', () => heard++).emit('a');
    assert.equal(heard, 1);
    assert.equal(realm.internal.builtin('node:util').format('%s', 1), '1');
});
