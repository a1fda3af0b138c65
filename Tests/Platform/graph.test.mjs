// No path leads from what a program has to what the host has: everything that can be reached from the global object, the modules and objects of the platform's classes is
// walked, and neither `ops`, `internal`, `primordials` nor anything that only they have is among it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { types } from 'node:util';
import vm from 'node:vm';
import { boot } from './harness.mjs';
import { makeRing } from './serve.mjs';

const sources = path.resolve(import.meta.dirname, '../../Sources/Platform/js');

/** Objects of a program: one of each kind that it gets from the platform, and what errors tell of the stack. */
const objects = `(builtin) => {
    'use strict';
    const found = [];
    const keep = (make) => { try { found.push(make()); } catch (error) { found.push(error); } };
    const { trace, context, propagation, metrics } = builtin('@opentelemetry/api');
    for (const make of [
        () => new Headers({ a: 'b' }), () => new Request('http://a/', { method: 'POST', body: 'b' }), () => new Response('b'), () => new URL('http://a/?b'), () => new URLSearchParams('a=b'),
        () => new Blob(['a']), () => new File(['a'], 'b'), () => new FormData(), () => new AbortController(), () => AbortSignal.timeout(1000), () => new Event('a'), () => new EventTarget(),
        () => new ReadableStream({ pull(c) { found.push(c); } }), () => new ReadableStream({ type: 'bytes', pull(c) { found.push(c); } }), () => new WritableStream({ start(c) { found.push(c); } }),
        () => new TransformStream({ start(c) { found.push(c); } }), () => new TextEncoder(), () => new TextDecoder(), () => new DOMException('a'), () => new MessageChannel(),
        () => new URLPattern({ pathname: '/:a' }), () => performance.mark('a'), () => performance.now, () => process.env, () => Buffer.from('a'), () => setTimeout(() => {}, 1e6), () => fetch('http://a/'),
        () => new (builtin('node:async_hooks').AsyncLocalStorage)(), () => new (builtin('node:events').EventEmitter)(), () => structuredClone(new Error('a')), () => crypto, () => crypto.subtle,
        () => trace.getTracer('a').startSpan('b'), () => trace.getTracer('a'), () => context.active(), () => trace.getActiveSpan(), () => metrics.getMeter('a').createCounter('b'),
        () => builtin('node:crypto').createHash('sha256'), () => builtin('node:util').inspect, () => navigator, () => new WebSocket('ws://a/'), () => new EventSource('http://a/'),
    ]) keep(make);
    // What throws within the platform's code, with the frames it was thrown through.
    Error.stackTraceLimit = 100;
    const frames = [];
    Error.prepareStackTrace = (error, sites) => { frames.push(...sites); return sites; };
    const thrower = { toString() { const error = new Error('a'); found.push(error.stack); return 'a'; }, get method() { found.push(new Error('b').stack); return 'GET'; } };
    for (const attempt of [
        () => new URL(thrower), () => new Headers([[thrower, 'a']]), () => new Request('http://a/', thrower), () => console.log('%s', thrower), () => new Blob([thrower]), () => atob(thrower),
        () => new Event(thrower), () => [1].map(() => found.push(new Error('c').stack)), () => new Proxy({}, { get: () => { found.push(new Error('d').stack); } }).a, () => null.a,
        () => queueMicrotask(5), () => new URLSearchParams(thrower), () => structuredClone({ get a() { found.push(new Error('e').stack); } }), () => trace.getTracer(thrower).startSpan(thrower),
        () => new ReadableStream({ start() { found.push(new Error('f').stack); } }), () => process.exit('x'), () => new TextDecoder('none'), () => crypto.getRandomValues(1),
    ]) try { attempt(); } catch (error) { found.push(error, error.stack); }
    for (const site of frames) {
        for (const method of Object.getOwnPropertyNames(Object.getPrototypeOf(site))) {
            if (method === 'constructor') continue;
            try { found.push(site[method]()); } catch (error) { found.push(error); }
        }
    }
    Error.prepareStackTrace = undefined;
    return { found, frames: frames.length };
}`;

function walk(roots, forbidden) {
    const seen = new Set();
    const pending = roots.map((root) => [root, 'root']);
    let calls = 0;
    while (pending.length > 0) {
        const [value, path] = pending.pop();
        if (value === null || (typeof value !== 'object' && typeof value !== 'function') || seen.has(value)) continue;
        const what = forbidden.get(value);
        if (what !== undefined) assert.fail(`${path} is ${what}`);
        seen.add(value);
        const to = (next, step) => pending.push([next, path.length > 300 ? path : path + step]);
        let keys = [];
        try { keys = Reflect.ownKeys(value); } catch { /* a proxy */ }
        for (const key of keys) {
            let descriptor;
            try { descriptor = Reflect.getOwnPropertyDescriptor(value, key); } catch { continue; }
            if (descriptor === undefined) continue;
            to(descriptor.value, `.${String(key)}`);
            to(descriptor.get, `.get ${String(key)}`);
            to(descriptor.set, `.set ${String(key)}`);
            if (descriptor.get === undefined) continue;
            for (const receiver of [value, ...roots.slice(0, 3)]) {
                calls++;
                try {
                    const result = Reflect.apply(descriptor.get, receiver, []);
                    if (types.isPromise(result)) Promise.prototype.catch.call(result, () => {});
                    to(result, `.${String(key)}()`);
                } catch (error) { to(error, `.${String(key)} throws`); }
            }
        }
        try { to(Reflect.getPrototypeOf(value), '.__proto__'); } catch { /* a proxy */ }
        if (typeof value !== 'function') continue;
        for (const key of ['caller', 'arguments']) try { to(value[key], `.${key}`); } catch (error) { to(error, `.${key} throws`); }
    }
    return { count: seen.size, calls };
}

test('nothing of the host can be reached', async () => {
    const realm = boot({ ring: makeRing(), print() {}, fetch: () => true, ops: () => ({ refCount() {} }) });
    const { internal, ops, primordials } = realm;
    const forbidden = new Map([[ops, 'ops'], [internal, 'internal'], [primordials, 'primordials']]);
    for (const name of Object.keys(ops)) if (typeof ops[name] === 'function') forbidden.set(ops[name], `ops.${name}`);
    // Not SafeMap and its like, which are frozen and can no more than a Map.
    for (const name of ['uncurryThis', 'arrayFromIterable', 'ArrayPrototypePush']) forbidden.set(primordials[name], `primordials.${name}`);
    const modules = internal.builtinNames().map((name) => internal.builtin(name));
    const exported = modules.flatMap((exports) => Object.values(exports));
    const globals = vm.runInContext('Reflect.ownKeys(globalThis).map((key) => globalThis[key])', realm.context);
    for (const name of Object.keys(internal)) {
        const value = internal[name];
        // What the program has under another name: util.inspect.defaultOptions, as in Node, globals, exports.
        if (name === 'inspectDefaults' || globals.includes(value) || exported.includes(value)) continue;
        if (typeof value === 'object' && value !== null) forbidden.set(value, `internal.${name}`);
    }
    const { found, frames } = vm.runInContext(objects, realm.context)((name) => internal.builtin(name));
    assert.ok(frames > 20, `${frames} frames`);
    const roots = [vm.runInContext('globalThis', realm.context), found, modules];
    const { count } = walk(roots, forbidden);
    assert.ok(count > 3000, `${count} objects`);
});

/** Every field that the platform's sources set by assignment. */
function fields() {
    const names = new Set();
    for (const folder of [sources, path.join(sources, 'late')]) {
        for (const file of fs.readdirSync(folder)) {
            if (!file.endsWith('.js') || file.startsWith('script_')) continue;
            for (const [, name] of fs.readFileSync(path.join(folder, file), 'utf8').matchAll(/\bthis\.([A-Za-z_]\w*) =[^=]/g)) names.add(name);
        }
    }
    return [...names];
}

test('no object of the platform\'s own is handed to a setter of Object.prototype', () => {
    const realm = boot({ ring: makeRing(), print() {}, fetch: () => true, ops: () => ({ refCount() {} }) });
    for (const name of realm.internal.builtinNames()) realm.internal.builtin(name);
    const caught = vm.runInContext(`(names) => {
        const caught = [];
        for (const name of names) Object.defineProperty(Object.prototype, name, { __proto__: null, configurable: true, get() { return undefined; }, set(value) {
            caught.push(this.constructor?.name + '.' + name);
            Object.defineProperty(this, name, { __proto__: null, value, writable: true, configurable: true, enumerable: true });
        } });
        return caught;
    }`, realm.context)(fields());
    vm.runInContext(objects, realm.context)((name) => realm.internal.builtin(name));
    // What a program gets anyway.
    const own = ['Span', 'Context', 'Tracer', 'Counter', 'Meter', 'TypeError', 'RangeError'];
    assert.deepEqual([...new Set(caught)].filter((found) => !own.includes(found.split('.')[0])), []);
});
