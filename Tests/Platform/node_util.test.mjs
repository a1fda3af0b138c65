// node:util and the comparisons of node:assert against Node's: node --test Tests/Platform/node_util.test.mjs
import assert from 'node:assert/strict';
import loose from 'node:assert';
import test from 'node:test';
import * as theirs from 'node:util';
import vm from 'node:vm';
import { boot } from './harness.mjs';
import { generator, outcome, plain } from './generate.mjs';

const printed = [];
const realm = boot({ print: (fd, text) => printed.push(text) });
const ours = realm.internal.builtin('node:util');
const ourAssert = realm.internal.builtin('node:assert').default;
const here = (source) => vm.runInThisContext(`(${source})`);
const there = (source) => vm.runInContext(`(${source})`, realm.context);

/** Source of a random value; equal seeds give equal values, so pairs that differ in one place are common. */
function makeSource(random, depth) {
    const leaf = () => random.pick(['0', '-0', '1', '"1"', 'NaN', 'null', 'undefined', 'true', '1n', '"a"', 'Symbol.iterator', 'new Date(0)', '/x/g', '/x/', 'new Number(1)', 'new String("a")', 'new Boolean(false)',
        'new Error("e")', 'new TypeError("e")', 'new Uint8Array([1, 2])', 'new Float64Array([0])', 'new Float64Array([-0])', 'new ArrayBuffer(2)', 'Object.create(null)', '[]', '{}', 'new Map()', 'new Set()', 'new (class A {})']);
    if (depth === 0 || random.chance(0.3)) return leaf();
    const inner = () => makeSource(random, depth - 1);
    const items = (make) => Array.from({ length: random.below(4) }, make).join(', ');
    switch (random.below(8)) {
    case 0: return `[${items(inner)}]`;
    case 1: return `[${items(inner)},,]`;
    case 2: return `new Set([${items(inner)}])`;
    case 3: return `new Map([${items(() => `[${inner()}, ${inner()}]`)}])`;
    case 4: return `Object.assign([${inner()}], { x: ${inner()} })`;
    case 5: return `({ [Symbol.for('s')]: ${inner()} })`;
    case 6: return `Object.assign(new Error('m'), { a: ${inner()} })`;
    default: return `({ ${items(() => `${random.pick(['a', 'b', 'c', '1'])}: ${inner()}`)} })`;
    }
}

test('isDeepStrictEqual and deepEqual on generated values', () => {
    let equalCount = 0;
    for (let seed = 1; seed < 8000; seed++) {
        const random = generator(seed);
        const a = makeSource(random, 3);
        let b = random.chance(0.5) ? makeSource(generator(seed), 3) : makeSource(random, 3);
        if (random.chance(0.5)) b = a.replace(/-0|"1"|NaN|1n|undefined|\/x\/g/, random.pick(['0', '1', 'null', '/x/']));
        const note = `${a} and ${b}`;
        const wanted = theirs.isDeepStrictEqual(here(a), here(b));
        if (wanted) equalCount++;
        assert.equal(ours.isDeepStrictEqual(there(a), there(b)), wanted, note);
        const throws = (run) => { try { run(); return false; } catch { return true; } };
        assert.equal(throws(() => ourAssert.deepEqual(there(a), there(b))), throws(() => loose.deepEqual(here(a), here(b))), `loose ${note}`);
    }
    assert.ok(equalCount > 1000);
});

test('values that refer to themselves', () => {
    for (const [a, b] of [
        ['(() => { const a = {}; a.a = a; return a })()', '(() => { const a = {}; a.a = a; return a })()'], ['(() => { const a = {}; a.a = a; return a })()', '(() => { const a = { a: {} }; a.a.a = a; return a })()'],
        ['(() => { const a = [1]; a.push(a); return a })()', '(() => { const a = [1]; a.push([1, a]); return a })()'], ['(() => { const s = new Set(); s.add(s); return s })()', '(() => { const s = new Set(); s.add(s); return s })()'],
        ['(() => { const m = new Map(); m.set("m", m); return m })()', '(() => { const m = new Map(); m.set("m", m); return m })()'],
    ]) assert.equal(ours.isDeepStrictEqual(there(a), there(b)), theirs.isDeepStrictEqual(here(a), here(b)), `${a} ${b}`);
});

test('inspect with the options of node:util', () => {
    const expressions = [
        '{ get a() { return 1 }, set a(v) {}, get b() { throw new Error("x") }, get c() { return { d: 1 } }, set e(v) {} }', '[1234567.1234, -1234n, 12, 1e21, 0.12345678]', 'new Proxy({ a: 1 }, { get() {} })',
        'new Proxy(new Proxy([1], {}), {})', 'new Proxy(function f() {}, {})', '{ p: new Proxy({}, {}) }', '(() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy })()',
        '[1, 2]', 'class A { static x = 1 }', '{ [Symbol("s")]: 1 }', 'new Map([[{ a: 1 }, [1]]])', 'Object.defineProperty({}, "hidden", { value: 1 })', '[3, { b: 1, a: 2 }]', '/x/', 'new Error("e").name',
    ];
    for (const options of [
        {}, { getters: true }, { getters: 'get' }, { getters: 'set' }, { numericSeparator: true }, { showProxy: true }, { showProxy: true, depth: 0 }, { sorted: true }, { sorted: '(a, b) => b < a ? -1 : 1' }, { showHidden: true, depth: 0 },
        { compact: false }, { breakLength: 20 }, { colors: true },
    ]) {
        for (const source of expressions) {
            if (options.showHidden && /Proxy|class|Map|RegExp|\/x/.test(source)) continue;
            const [a, b] = options.sorted === undefined || options.sorted === true ? [options, options] : [{ sorted: there(options.sorted) }, { sorted: here(options.sorted) }];
            assert.equal(ours.inspect(there(source), a), theirs.inspect(here(source), b), `${source} ${JSON.stringify(options)}`);
        }
    }
    assert.equal(ours.inspect(there('{ a: { b: { c: {} } } }'), false, 0, true), theirs.inspect(here('{ a: { b: { c: {} } } }'), false, 0, true));
    assert.deepEqual(plain(ours.inspect.defaultOptions), plain(theirs.inspect.defaultOptions));
    assert.deepEqual(plain(ours.inspect.colors), plain(theirs.inspect.colors));
    assert.deepEqual(plain(ours.inspect.styles), plain(theirs.inspect.styles));
});

test('format on generated arguments', () => {
    const random = generator(3);
    const values = ['"text"', '5', '-0', '1.5', '10n', 'Symbol("s")', 'null', 'undefined', '{ a: { b: { c: 1 } } }', '[1, [2, [3]]]', '() => {}', 'new Date(0)', '"42abc"', 'true', '{ toString() { return "own" } }', 'class A {}', 'new (class B { toString() { return "b" } })', 'NaN'];
    for (let i = 0; i < 5000; i++) {
        let text = '';
        for (let count = random.below(6); count > 0; count--) text += random.pick(['%s', '%d', '%i', '%f', '%j', '%o', '%O', '%c', '%%', '%', '%x', 'a', ' ', 'é']);
        const sources = Array.from({ length: random.below(5) }, () => random.pick(values));
        if (random.chance(0.8)) sources.unshift(JSON.stringify(text));
        const list = `[${sources.join(', ')}]`;
        if (/%[oO]/.test(text) && /class|=>/.test(list)) continue; // hidden properties of functions
        assert.deepEqual(outcome(() => ours.format(...there(list))), outcome(() => theirs.format(...here(list))), list);
        assert.deepEqual(
            outcome(() => ours.formatWithOptions(there('{ colors: true }'), ...there(list))), outcome(() => theirs.formatWithOptions({ colors: true }, ...here(list))), list);
    }
});

test('parseArgs on generated arguments', () => {
    const random = generator(5);
    const options = [
        '{ a: { type: "boolean", short: "a" }, b: { type: "string", short: "b" }, list: { type: "string", multiple: true, short: "l" }, v: { type: "boolean", multiple: true, short: "v" } }',
        '{ d: { type: "string", default: "x" }, a: { type: "boolean", default: true }, "no-e": { type: "boolean" }, e: { type: "boolean" }, m: { type: "string", multiple: true, default: ["1"] } }', '{}',
        '{ a: { type: "nonsense" } }', '{ a: { type: "string", short: "xx" } }', '{ a: { type: "string", default: 5 } }', '{ a: null }',
    ];
    const words = ['-a', '-b', '--a', '--b', '--b=1', '--a=1', '-ab', '-abx', '-bx', '--list', '--list=2', '-l', '-', '--', 'word', '--no-e', '--e', '--no-a', '-v', '-vv', '--unknown', '-z', '--b=', '-b=x', '', '--=', '-val', '--__proto__', '--__proto__=1'];
    for (let i = 0; i < 6000; i++) {
        const args = JSON.stringify(Array.from({ length: random.below(6) }, () => random.pick(words)));
        const config = `({ args: ${args}, options: ${random.chance(0.8) ? options[random.below(3)] : random.pick(options)}, strict: ${random.chance(0.5)}, allowPositionals: ${random.pick([true, false, undefined])}, tokens: ${random.chance(0.3)}, allowNegative: ${random.chance(0.3)} })`;
        assert.deepEqual(outcome(() => ours.parseArgs(there(config))), outcome(() => theirs.parseArgs(here(config))), config);
    }
});

test('types', () => {
    const sources = ['1', 'null', '{}', '[]', '() => {}', 'async () => {}', 'function* () {}', 'async function* () {}', '(function* () {})()', 'Promise.resolve()', 'new Map()', 'new Map().entries()', 'new Set().values()', 'new Set()', 'new WeakMap()', 'new WeakSet()',
        'new Date()', '/x/', 'new Error()', 'new Proxy({}, {})', '(function () { return arguments })()', 'new ArrayBuffer(1)', 'new SharedArrayBuffer(1)', 'new DataView(new ArrayBuffer(1))', 'new Uint8Array(1)', 'new BigInt64Array(1)', 'Object(1n)', 'Object(Symbol())',
        'new Number(1)', 'new String("")', 'new Boolean(true)', 'Object.create(Map.prototype)', '({ [Symbol.toStringTag]: "Map" })', 'Object.create(Error.prototype)', 'new (class extends Map {})', 'new DOMException("x")', 'globalThis'];
    const names = Object.keys(ours.types).filter((name) => name !== 'default');
    for (const source of sources) for (const name of names) {
        if (source.includes('DOMException')) continue;
        assert.equal(ours.types[name](there(source)), theirs.types[name](here(source)), `${name}(${source})`);
    }
    assert.deepEqual(Object.keys(theirs.types).filter((name) => name !== 'default' && !names.includes(name)), ['isKeyObject', 'isCryptoKey']);
});

test('functions of functions', async () => {
    for (const util of [ours, theirs]) {
        const add = util.promisify((a, b, done) => (a < 0 ? done(new Error('negative')) : done(null, a + b)));
        assert.equal(await add(1, 2), 3);
        await assert.rejects(add(-1, 2), /negative/);
        const own = () => {};
        own[util.promisify.custom] = async () => 'own';
        assert.equal(await util.promisify(own)(), 'own');
        const back = util.callbackify(async (x) => { if (x) return x; throw null; });
        assert.equal(await new Promise((resolve) => { back(5, (error, value) => resolve(`${error} ${value}`)); }), 'null 5');
        const error = await new Promise((resolve) => { back(0, resolve); });
        assert.equal(error.code, 'ERR_FALSY_VALUE_REJECTION');
        assert.equal(back.length, 2);
        function Child() {}
        function Parent() {}
        util.inherits(Child, Parent);
        assert.ok(new Child() instanceof Parent && Child.super_ === Parent);
        assert.equal(util.stripVTControlCharacters('\u001B[31mred\u001B[39m \u001B]8;;http://a\u0007link\u001B]8;;\u0007'), 'red link');
        assert.equal(util.styleText(['red', 'bold'], 'x', { validateStream: false }), '\u001B[31m\u001B[1mx\u001B[22m\u001B[39m');
        assert.equal(util.toUSVString('a\ud800'), 'a\ufffd');
    }
    for (const value of [undefined, null, 5, {}]) for (const name of ['promisify', 'callbackify', 'inherits', 'stripVTControlCharacters']) {
        assert.deepEqual(outcome(() => ours[name](value)), outcome(() => theirs[name](value)), name);
    }
});

test('a deprecation is told once', () => {
    const old = ours.deprecate((x) => x + 1, 'old() is old', 'DEP9');
    const other = ours.deprecate(() => 0, 'another', 'DEP9');
    assert.equal(old(1) + old(2), 5);
    other();
    assert.equal(printed.filter((text) => text.includes('[DEP9] DeprecationWarning: old() is old')).length, 1);
    assert.equal(printed.filter((text) => text.includes('another')).length, 0);
});
