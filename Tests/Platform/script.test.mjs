// JavaScript processors (Sources/Platform/js/late/script_*.js) inside Node: what a script reads, what its edits become, and what hostile bytes do.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { any, attributes, bytes, double, fields, fixed64, fromAny, fromAttributes, int, keyValue, makeWorld, span } from './script_world.mjs';

const spanAttributes = (message) => fromAttributes(message, 9);
const field = (message, number) => fields(message).filter(([at]) => at === number).map(([, body]) => body);
/** What one function makes of one item; throws what the script threw. */
function once(script, item, kind = 'spans') {
    const world = makeWorld(script);
    const [result] = world[kind](item);
    if (world.errors.length > 0) throw world.errors[0];
    return [...result, world];
}

test('every field of a span can be read', () => {
    const item = span({
        name: 'GET /ü', kind: 3, attributes: { 'http.method': 'GET', n: 7, big: 2n ** 60n, low: -5, lower: -(2n ** 62n), d: 0.5, yes: true, list: ['a', 1], map: { x: { y: [1] } }, raw: new Uint8Array([1, 2]), none: null },
        events: [{ name: 'exception', attributes: { 'exception.type': 'E' } }], links: [{ l: 1 }], status: { code: 2, message: 'no' },
        extra: [bytes(3, 'a=b')],
    });
    const script = `{ span(s) { console.log(JSON.stringify([s.name, s.kind, s.status, s.traceId, s.spanId, s.parentSpanId, s.traceState, s.duration,
        s.startTime, s.endTime, s.attributes.n, s.attributes.low, s.attributes.d, s.attributes.yes, s.attributes.list, s.attributes.map, s.attributes.none,
        [...s.attributes.raw], String(s.attributes.big), String(s.attributes.lower), s.attributes.missing === undefined, s.events[0].name, s.events[0].attributes['exception.type'],
        s.events[0].time, s.links, s.resource.attributes['service.name'], s.scope.name, s.scope.version, Object.keys(s.attributes).length])); } }`;
    const world = makeWorld(script);
    const [[verdict]] = world.run([{ signal: 1, resource: keyValue(1, 'service.name', 'shop'), scopes: [{ message: Buffer.concat([bytes(1, 'lib'), bytes(2, '1.2')]), items: [item] }] }]);
    assert.deepEqual(world.errors, []);
    assert.equal(verdict, 'keep');
    assert.deepEqual(JSON.parse(world.lines[0][1]), [
        'GET /ü', 'client', { code: 'error', message: 'no' }, 'ab'.repeat(16), 'cd'.repeat(8), '12'.repeat(8), 'a=b', 100,
        1700000000123.4568, 1700000000223.4568, 7, -5, 0.5, true, ['a', 1], { x: { y: [1] } }, null, [1, 2], String(2n ** 60n), String(-(2n ** 62n)), true,
        'exception', 'E', 1700000000200, [{ traceId: '01'.repeat(16), spanId: '02'.repeat(8), attributes: { l: 1 } }], 'shop', 'lib', '1.2', 11,
    ]);
});

test('an untouched item is kept, and a dropped one dropped', () => {
    for (const [script, verdict] of [
        ['{ span(s) { s.name; s.attributes.a; s.events; } }', 'keep'], ['{ span: (s) => s }', 'keep'], ['{ span: () => true }', 'keep'],
        ['{ span: () => false }', 'drop'], ['{ span: () => null }', 'drop'], ['{ span(s) { s.name = "x"; s.drop(); } }', 'drop'],
        ['{ span(s) { delete s.attributes.missing; } }', 'keep'],
    ]) assert.equal(once(script, span({ attributes: { a: 1 } }))[0], verdict, script);
});

test('edits change what they name, and nothing else', () => {
    const item = span({ attributes: { a: 'x', b: 'y', c: 'z' }, events: [{ name: 'e', attributes: { k: 'v' } }], status: { code: 2, message: 'm' } });
    const [verdict, message] = once(`{ span(s) {
        s.attributes.b = 'Y' + s.attributes.b; delete s.attributes.a; s.attributes['né'] = [1, 'two', null, { three: 3.5 }]; s.name = 'other';
        s.status.code = 'ok'; s.kind = 'consumer'; s.set('last', -1); s.attributes.bytes = new Uint8Array([9]); s.attributes.big = 1n << 62n;
    } }`, item);
    assert.equal(verdict, 'replace');
    assert.deepEqual(spanAttributes(message), [
        ['b', 'Yy'], ['c', 'z'], ['né', [1n, 'two', null, { three: 3.5 }]], ['last', -1n], ['bytes', new Uint8Array([9])], ['big', 1n << 62n],
    ]);
    assert.equal(field(message, 5)[0].toString(), 'other');
    assert.equal(field(message, 6)[0], 5n);
    assert.deepEqual(fields(field(message, 15)[0]).map(([number, body]) => [number, String(body)]), [[2, 'm'], [3, '1']]);
    for (const number of [1, 2, 4, 7, 8, 11]) assert.deepEqual(field(message, number), field(item, number));
});

test('attributes behave as properties', () => {
    const [, message, world] = once(`{ span(s) {
        const a = s.attributes;
        const out = ['x' in a, 'nope' in a, Object.keys(a), Object.entries(a), [...a], { ...a }, JSON.stringify(a), Object.getPrototypeOf(a), a.toString === undefined];
        a.x = undefined; a.y ??= 2; a.z = { get: 1 };
        s.attributes.w = 'W'; out.push(s.get('y'), s.has('x'), a.z.get);
        console.log(JSON.stringify(out));
    } }`, span({ attributes: { x: 1, 'a b': 'c' } }));
    assert.deepEqual(JSON.parse(world.lines[0][1]), [
        true, false, ['x', 'a b'], [['x', 1], ['a b', 'c']], [['x', 1], ['a b', 'c']], { x: 1, 'a b': 'c' }, '{"x":1,"a b":"c"}', null, true, 2, false, 1,
    ]);
    assert.deepEqual(spanAttributes(message), [['a b', 'c'], ['y', 2n], ['z', { get: 1n }], ['w', 'W']]);
});

test('a key that is there twice is gone when it is deleted, and once when it is set', () => {
    const item = Buffer.concat([span(), ...attributes(9, { p: 'secret' }), ...attributes(9, { q: 1 }), ...attributes(9, { p: 'secret too' })]);
    assert.deepEqual(spanAttributes(once(`{ span(s) { delete s.attributes.p; } }`, item)[1]), [['q', 1n]]);
    assert.deepEqual(spanAttributes(once(`{ span(s) { s.attributes.p = '*'; } }`, item)[1]), [['p', '*'], ['q', 1n]]);
    assert.deepEqual(spanAttributes(once(`{ span(s) { s.attributes = { only: true, no: undefined }; } }`, item)[1]), [['only', true]]);
});

test('attributes of events and of points can be changed', () => {
    const item = span({ events: [{ name: 'a', attributes: { k: 'v' } }, { name: 'b', attributes: { secret: 's', x: 1 } }, { name: 'c' }], attributes: { z: 1 } });
    const [, message] = once(`{ span(s) { for (const e of s.events) { delete e.attributes.secret; if (e.name === 'c') e.attributes.n = 1; } s.attributes.z = 2; } }`, item);
    assert.deepEqual(field(message, 11).map((event) => [field(event, 2)[0].toString(), fromAttributes(event, 3)]), [['a', [['k', 'v']]], ['b', [['x', 1n]]], ['c', [['n', 1n]]]]);
    assert.deepEqual(spanAttributes(message), [['z', 2n]]);

    const point = (value, tag) => bytes(1, [fixed64(3, 5n), double(4, value), ...attributes(7, { host: tag })]);
    const metric = Buffer.concat([bytes(1, 'm'), bytes(3, 's'), bytes(7, [point(1.5, 'a'), point(2.5, 'b'.repeat(200)), int(2, 2), int(3, 1)])]);
    const [verdict, changed, world] = once(`{ metric(m) {
        console.log(JSON.stringify([m.name, m.unit, m.type, m.temporality, m.isMonotonic, m.points.map((p) => p.value)]));
        for (const p of m.points) if (p.value > 2) p.attributes.host = 'x'.repeat(300);
        m.name = 'renamed'; m.description = 'd';
    } }`, metric, 'metrics');
    assert.equal(verdict, 'replace');
    assert.deepEqual(JSON.parse(world.lines[0][1]), ['m', 's', 'sum', 'cumulative', true, [1.5, 2.5]]);
    assert.equal(field(changed, 1)[0].toString(), 'renamed');
    assert.equal(field(changed, 2)[0].toString(), 'd');
    const data = field(changed, 7)[0];
    assert.deepEqual(field(data, 1).map((at) => fromAttributes(at, 7)), [[['host', 'a']], [['host', 'x'.repeat(300)]]]);
    assert.deepEqual([field(data, 2), field(data, 3)], [[2n], [1n]]);
});

test('histograms and summaries', () => {
    const histogram = Buffer.concat([bytes(1, 'h'), bytes(9, [bytes(1, [fixed64(3, 5n), fixed64(4, 9n), double(5, 4.5), double(11, 1), double(12, 2), ...attributes(9, { a: 1 })])])]);
    const [, message, world] = once(`{ metric(m) { const [p] = m.points; console.log(JSON.stringify([m.type, p.count, p.sum, p.min, p.max, p.value])); p.attributes.b = 2; } }`, histogram, 'metrics');
    assert.deepEqual(JSON.parse(world.lines[0][1]), ['histogram', 9, 4.5, 1, 2, null]);
    assert.deepEqual(fromAttributes(field(field(message, 9)[0], 1)[0], 9), [['a', 1n], ['b', 2n]]);
});

test('log records', () => {
    const record = Buffer.concat([fixed64(1, 1700000000000000000n), int(2, 9), bytes(3, 'INFO'), bytes(5, any('card 4111')), ...attributes(6, { u: 1 }), bytes(9, Buffer.alloc(16, 3)), bytes(12, 'ev')]);
    const [, message, world] = once(`{ log(l) {
        console.log(JSON.stringify([l.time, l.severityNumber, l.severityText, l.body, l.traceId, l.spanId, l.eventName]));
        l.body = l.body.replace(/[0-9]+/, '*'); l.severityNumber = 17; l.severityText = 'ERROR'; l.attributes.v = 2;
    } }`, record, 'logs');
    assert.deepEqual(JSON.parse(world.lines[0][1]), [1700000000000, 9, 'INFO', 'card 4111', '03'.repeat(16), '', 'ev']);
    assert.equal(fromAny(field(message, 5)[0]), 'card *');
    assert.deepEqual([field(message, 2)[0], field(message, 3)[0].toString(), fromAttributes(message, 6)], [17n, 'ERROR', [['u', 1n], ['v', 2n]]]);
    const [, structured] = once(`{ log(l) { l.body = { a: [l.body] }; } }`, record, 'logs');
    assert.deepEqual(fromAny(field(structured, 5)[0]), { a: ['card 4111'] });
});

test('what is wrong is said, and costs its own item only', () => {
    for (const [script, pattern] of [
        ['{ span(s) { s.nope.x; } }', /Cannot read properties of undefined/],
        ['{ span(s) { s.name = 7; } }', /the name of a span is a string/], ['{ span(s) { s.kind = "serve"; } }', /unspecified, internal, server/],
        ['{ span(s) { s.attributes.x = () => 1; } }', /a value is a string/], ['{ span(s) { s.attributes[""] = 1; } }', /needs a key/],
        ['{ span(s) { s.attributes.x = 2n ** 63n; } }', /fit 64 bits/], ['{ span(s) { s.traceId = "00"; } }', /only a getter/],
        ['{ span(s) { return 7; } }', /a number was returned/], ['{ span(s) { return Promise.resolve(); } }', /a promise was returned/],
        ['{ span(s) { const a = []; a[0] = a; s.attributes.x = a; } }', /32 deep/], ['{ span(s) { s.attributes[Symbol()] = 1; } }', /string for a key/],
    ]) assert.throws(() => once(`(() => { 'use strict'; return ${script}; })()`, span()), pattern, script);
    const world = makeWorld('{ span(s) { if (s.attributes.bad) throw new Error("x"); s.attributes.ok = 1; } }');
    assert.deepEqual(world.spans(span(), span({ attributes: { bad: true } }), span()).map(([verdict]) => verdict), ['replace', 'threw', 'replace']);
});

test('what cannot be loaded', () => {
    for (const [script, pattern] of [
        ['{ async span() {} }', /async function/], ['{ *span() {} }', /generator/], ['{ async *log() {} }', /generator/], ['{ spans() {} }', /but spans/], ['{}', /none of span/],
        ['undefined', /export default/], ['{ span: 7 }', /no function/],
    ]) assert.throws(() => makeWorld(script), pattern, script);
    assert.equal(makeWorld('{ span() {}, metric() {} }').bits, 5);
});

test('an item, its attributes and its events are of no use later', () => {
    const world = makeWorld(`(() => { const kept = []; return { span(s) {
        if (kept.length === 0) { kept.push(s, s.attributes, s.events[0], s.events[0].attributes, s.status); return; }
        for (const use of [(x) => x[0].name, (x) => x[0].set('a', 1), (x) => x[1].a, (x) => { x[1].a = 2; }, (x) => x[2].name, (x) => x[3].a, (x) => x[4].code]) {
            try { use(kept); console.log('used ' + use); } catch (error) { if (!/left behind/.test(error.message)) throw error; }
        }
    } }; })()`);
    const item = span({ events: [{ name: 'e' }] });
    assert.deepEqual(world.spans(item, item).map(([verdict]) => verdict), ['keep', 'keep']);
    assert.deepEqual(world.lines, []);
});

test('what is too large for the output fails, and the next item has its room', () => {
    const world = makeWorld('{ span(s) { s.attributes.x = s.name === "big" ? "x".repeat(3 << 20) : "y".repeat(1000); } }');
    const results = world.spans(span(), span({ name: 'big' }), span());
    assert.deepEqual(results.map(([verdict]) => verdict), ['replace', 'too large', 'replace']);
    assert.equal(spanAttributes(results[2][1])[0][1], 'y'.repeat(1000));
});

test('lengths at every boundary', () => {
    for (const length of [0, 1, 40, 41, 42, 63, 64, 100, 119, 120, 126, 127, 128, 129, 5000, 16383, 16384, 70000]) {
        const world = makeWorld(`{ span(s) { s.attributes.x = 'a'.repeat(${length}); s.attributes.y = ['é'.repeat(${length})]; s.name = 'ü'.repeat(${length}) + '\\ud800'; } }`);
        const [[verdict, message]] = world.spans(span());
        assert.equal(verdict, 'replace');
        assert.deepEqual(spanAttributes(message), [['x', 'a'.repeat(length)], ['y', ['é'.repeat(length)]]]);
        assert.equal(field(message, 5)[0].toString(), 'ü'.repeat(length) + '\ufffd');
    }
});

test('numbers come out as they went in', () => {
    const values = [0, 1, -1, 127, 128, 2 ** 31, -(2 ** 31), 2 ** 32 + 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 0.1, 1e300, -0.5];
    const big = [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n), 12345678901234567n];
    const item = span({ attributes: Object.fromEntries([...values, ...big].map((value, index) => [`k${index}`, value])) });
    const [, message] = once('{ span(s) { for (const [k, v] of s.attributes) s.attributes["c" + k] = v; } }', item);
    const read = spanAttributes(message);
    for (let index = 0; index < read.length / 2; index++) assert.equal(read[index][1], read[index + read.length / 2][1]);
    const [, zero] = once('{ span(s) { s.attributes.z = -0; s.attributes.n = NaN; } }', span());
    assert.ok(Object.is(spanAttributes(zero)[0][1], -0) && Number.isNaN(spanAttributes(zero)[1][1]));
});

test('a script that patches what it can reach breaks nothing but itself', () => {
    const script = `(() => {
        const { ownKeys, defineProperty } = Reflect;
        const all = [Array, String, Uint8Array, Int32Array, DataView, Map, Function, Object, Number, Promise, Proxy, JSON, Symbol];
        for (let i = 0; i < all.length * 2; i++) {
            const target = i % 2 ? all[i >> 1] : all[i >> 1].prototype;
            if (target === undefined) continue;
            const keys = ownKeys(target);
            for (let k = 0; k < keys.length; k++) {
                const key = keys[k];
                if (key === 'prototype' || key === 'constructor') continue;
                try { defineProperty(target, key, { value() { throw new Error('patched'); } }); } catch {}
            }
        }
        defineProperty(Array.prototype, 0, { set() { throw new Error('patched'); } });
        Object.prototype.toJSON = () => 'no';
        return { span(s) { s.attributes.x = 'ok'; s.name = 'n' + s.attributes.a; s.status.code = 'ok'; s.events[0].attributes.y = { z: [1] }; } };
    })()`;
    const [verdict, message] = once(script, span({ attributes: { a: 'b' }, events: [{ name: 'e' }] }));
    assert.equal(verdict, 'replace');
    assert.deepEqual(spanAttributes(message), [['a', 'b'], ['x', 'ok']]);
});

test('the realm has ECMAScript and a console, and nothing else', () => {
    const [, , world] = once('{ span() { console.warn(Object.getOwnPropertyNames(globalThis).filter((n) => /^(Atomics|SharedArrayBuffer|WebAssembly|process|require|fetch|setTimeout|Deno)$/.test(n)).join()); } }', span());
    assert.deepEqual(world.lines, [[13, '']]);
});

test('hostile bytes: an item is malformed, or is what the script could read', () => {
    let state = 1;
    const random = (below) => (state = Math.imul(state, 1103515245) + 12345 >>> 0) % below;
    const script = `{ span(s) { JSON.stringify(s); s.attributes.x = 1; for (const e of s.events) e.attributes.q = 'r'; s.name = s.name + '!'; s.status.message = 'z'; },
        log(l) { JSON.stringify(l); l.attributes.x = 1; l.body = [l.body]; }, metric(m) { JSON.stringify(m); for (const p of m.points) p.attributes.x = 1; m.name += '!'; } }`;
    const world = makeWorld(script);
    const seed = [span({ attributes: { a: 'b', l: [1, { x: 2 }] }, events: [{ name: 'e', attributes: { k: 'v' } }], links: [{ z: 1 }], status: { code: 1, message: 'm' } }),
        Buffer.concat([bytes(5, any({ a: ['b'] })), ...attributes(6, { u: 'v' })]),
        Buffer.concat([bytes(1, 'm'), bytes(5, [bytes(1, [double(4, 1), ...attributes(7, { h: 'x' })])])])];
    const seen = new Set();
    for (let round = 0; round < 3000; round++) {
        const signal = 1 + random(3);
        const item = Buffer.from(seed[signal - 1]);
        for (let count = random(4); count >= 0; count--) item[random(item.length)] = random(256);
        const cut = random(4) === 0 ? item.subarray(0, random(item.length)) : item;
        const [[verdict, message]] = world.run([{ signal, scopes: [{ items: [cut] }] }]);
        seen.add(verdict);
        if (verdict === 'replace') fields(message);
        else assert.ok(verdict === 'malformed' || verdict === 'threw', verdict);
    }
    for (const error of world.errors) assert.match(String(error), /unspecified|not a function|is a string|needs a name|cannot be converted|Cannot mix/);
    assert.ok(seen.has('malformed') && seen.has('replace'));
});
