// inspect and the console's formatter against Node's, expression by expression: node --test Tests/Platform/inspect.test.mjs
import assert from 'node:assert/strict';
import test from 'node:test';
import util from 'node:util';
import vm from 'node:vm';
import { boot } from './harness.mjs';

const printed = [];
const realm = boot({ print: (fd, text) => printed.push([fd, text]) });
const here = (source) => vm.runInThisContext(`(${source})`);
const there = (source) => vm.runInContext(`(${source})`, realm.context);

const expressions = [
    '1', '-0', '0', '1.5e300', 'NaN', '-Infinity', '10n', '-3n', 'true', 'null', 'undefined', '"text"', '"it\'s"', '`"\'`', '`"\'\\``', '"\\n\\t\\x01\\x7f\\u0085\\\\"',
    '"\\ud800"', '"😀"', 'Symbol("a b")', 'Symbol()', 'Symbol.iterator', 'Symbol("it\'s\\n")',
    '{}', '{a:1}', '{a:{b:{c:{d:1}}}}', '{"a-b":1, 1:2, valid_1:3, "1a":4, "":5, $:6}', '{[Symbol("k")]: 1}', '{get a(){return 1}}', '{set a(v){}}', '{get a(){return 1}, set a(v){}}',
    'Object.create(null)', 'Object.assign(Object.create(null), {a:1})', 'Object.create({})', 'Object.create(Object.create(null))', 'Object.create(class A{}.prototype)',
    'Object.defineProperty({}, "h", {value: 1})', '{__proto__: null, ["__proto__"]: 1}', '{["__proto__"]: 1}', '{constructor: 1}', '{constructor: {name: "X"}}',
    '[]', '[1]', '[1,,3]', '[,,]', 'new Array(5)', '[1,2,3,,,,4]', 'Object.assign([1,2],{x:1})', 'Object.assign([],{x:1})', '[[[[[]]]]]', '[[[[1]]]]', '[undefined,null]', '["a","b"]',
    'Array.from({length: 7}, (_, i) => i)', 'Array.from({length: 101}, (_, i) => i)', 'Array.from({length: 250}, (_, i) => i * 37)', 'Array.from({length: 30}, (_, i) => "x".repeat(i % 7))',
    'Array.from({length: 100}, (_, i) => i % 2 ? -i : i * 1000)', 'Array.from({length: 10}, (_, i) => ({i}))', 'Array.from({length: 27}, (_, i) => "item number " + i)',
    'Array.from({length: 20}, (_, i) => i % 3 ? i : "s" + i)', 'Array.from({length: 12}, (_, i) => BigInt(i) ** 9n)', 'Array.from({length: 8}, (_, i) => [i, i])', 'Array.from({length: 9}, (_, i) => "日本語".slice(0, i % 4))',
    'Array.from({length: 120}, (_, i) => "k" + i)', 'Object.fromEntries(Array.from({length: 30}, (_, i) => ["key" + i, i]))',
    '"a".repeat(10001)', '["a".repeat(200)]', '{a: "line one\\nline two\\n", b: "a long enough text to be split\\nover several lines because it is long\\n"}', '["first line of this text which is long\\nsecond line of this text which is long as well\\nend"]',
    'new Map()', 'new Map([[1,2],["a",{b:1}]])', 'new Map([[{a:1},new Map([[1,2]])]])', 'Object.assign(new Map([[1,2]]),{x:1})', 'new Map([[1,new Map([[2,new Map([[3,new Map()]])]])]])',
    'new Set()', 'new Set([1,"a",{}])', 'new Set(Array.from({length:120},(_, i)=>i))', 'new Map(Array.from({length:110},(_, i)=>[i,i]))', 'new (class M extends Map{})([[1,2]])', 'new (class S extends Set{})()',
    'new WeakMap()', 'new WeakSet()', '(function(){ return arguments })(1,2)', '(function(){ return arguments })()',
    'new Uint8Array(3)', 'new Float64Array([1.5,-0])', 'new BigInt64Array(2)', 'new Uint8Array(200)', 'new ArrayBuffer(4)', 'new ArrayBuffer(120)', 'new DataView(new ArrayBuffer(2))', 'new SharedArrayBuffer(2)', 'Object.assign(new Uint8Array(2),{x:1})', 'new Uint8Array()',
    'new Date(0)', 'new Date(NaN)', 'Object.assign(new Date(0),{a:1})', '/a\\/b/gi', 'Object.assign(/x/,{a:1})', 'new (class R extends RegExp{})("x")', 'new (class D extends Date{})(0)',
    '(function f(){})', '(() => {})', 'async function g(){}', 'function* h(){}', 'async function* k(){}', 'class A{}', 'class B extends Map{}', 'class{}', '(class extends null{})', 'class C{ static x = 1 }', 'Object.assign(function n(){},{a:1})',
    '{m(){}, get: () => 1, async am(){}}', 'Object.setPrototypeOf(function np(){}, null)', 'class{constructor(a){}}', '({class(a){}}).class', 'Object.defineProperty(()=>{}, "name", {value: 5})', 'Math.max', 'Symbol',
    'new Number(3)', 'new String("abc")', 'new Boolean(false)', 'Object(Symbol("s"))', 'Object(3n)', 'Object.assign(new String("ab"),{x:1})', 'Object.assign(new Number(-0),{x:1})', 'new (class N extends Number{})(1)',
    'Math', 'JSON', 'Reflect', 'Atomics', 'Promise.resolve', 'new Proxy([1], {})', 'new Proxy({a:1}, {})',
    '(() => { const a = {x:1}; a.self = a; return a })()', '(() => { const a = [1]; a.push(a, {a}); return a })()', '(() => { const a = {}; const b = {a}; a.b = b; return {a, b} })()', '(() => { const m = new Map(); m.set(m, m); return m })()',
    'new (class Foo { constructor(){ this.a = 1 } })', 'new (class {})', 'new (class Foo { get [Symbol.toStringTag]() { return "Tag" } })', '{[Symbol.toStringTag]: "T", a: 1}', 'Object.create({[Symbol.toStringTag]: "T"})', 'Object.create(null, {[Symbol.toStringTag]: {value: "T"}})',
    'new (class extends Array{})(3)', 'new (class Arr extends Array{})(1,2)', 'Object.setPrototypeOf([1], null)', 'Object.setPrototypeOf(new Map([[1,2]]), null)', 'Object.setPrototypeOf(new Set([1]), null)', 'Object.setPrototypeOf(new Date(0), null)', 'Object.setPrototypeOf(/x/, null)',
    'Object.assign(new Error("m"), {stack: "Error: m\\n    at f (a.js:1:2)"})', 'Object.assign(new TypeError("m"), {stack: undefined})', 'Object.assign(new Error("m"), {stack: "Error: m\\n    at f (a.js:1:2)", code: "E", name: "Error"})',
    '{e: Object.assign(new Error("m"), {stack: "Error: m\\n    at f (a.js:1:2)"})}', 'Object.assign(new (class FooError extends Error{})("m"), {stack: "Error: m\\n    at f (a.js:1:2)"})', 'Object.assign(new Error("m"), {stack: "Error: m\\n    at x", name: "Custom"})',
    'Object.assign(new Error("m", {cause: Object.assign(new Error("c"), {stack: "Error: c\\n    at g (b.js:1:1)"})}), {stack: "Error: m\\n    at f (a.js:1:2)"})', 'Object.assign(new Error("m", {cause: "text"}), {stack: "Error: m\\n    at f (a.js:1:2)"})',
    'Object.assign(new AggregateError([1, 2], "agg"), {stack: "AggregateError: agg\\n    at f (a.js:1:2)"})', '[Object.assign(new Error("m"), {stack: "Error: m"})]', 'Object.assign(new RangeError("two\\nlines"), {stack: "RangeError: two\\nlines\\n    at f (a.js:1:2)"})',
    'Object.assign(new Error("m", {cause: Object.assign(new Error("c"), {stack: "Error: c\\n    at g\\n    at 1\\n    at 2\\n    at 3\\n    at 4"})}), {stack: "Error: m\\n    at f\\n    at 1\\n    at 2\\n    at 3\\n    at 4"})',
    'Object.assign(new Error(""), {stack: "Error\\n    at f (a.js:1:2)"})', 'Object.setPrototypeOf(Object.assign(new Error("np"), {stack: "Error: np\\n    at f"}), null)',
    '{a: {b: {c: {}}}}', '{a: {b: {c: []}}}', '{a: {b: {c: [1]}}}', '{a: {b: {c: new Map([[1,2]])}}}', '{a: {b: {c: () => {}}}}', '{a: {b: {c: new Date(0)}}}', '{a: {b: {c: Object.create(null)}}}', '{a: {b: {c: new (class Foo{ constructor() { this.x = 1 } })}}}', '{a: {b: {c: Object.assign(Object.create(null), {x: 1})}}}',
    '{aaaaaaaaaaaaaaaaaaaaaaaa: 1, bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb: 2, cccccccccccc: 3}', '{aaaaaaaaaaaaaaaaaaaaaaaa: 1, bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb: 2, ccccccccccccccc: 3}', '{a: [1,2,{b: [3,4,{c: 5}]}], d: "e".repeat(50)}', '[{a:1,b:2},{a:3,b:4}]', '[["a",1],["b",2]]',
    '{f: {toString() { return "x" }}}', '({}).toString', 'globalThis.Infinity', '[1.5, -2, 1e21, 0.1]', '[-1, 0, 1, 10, 100, 1000, 10000]', '{undefined: undefined, null: null}', '[true, false]', '{a: 1n, b: Symbol("x")}', 'new Array(200)', '[...new Array(3), ...[1,2]]', 'Object.assign([], {"-1": 2, "01": 3, 1: 4})',
    'new URLSearchParams()', 'new URL("http://a/b?c#d")', 'new URLSearchParams("a=1&b=2")', '[Symbol.for("x")]', '(() => { const o = {}; let p = o; for (let i = 0; i < 5; i++) { p.n = {}; p = p.n } return o })()',
];

for (const source of expressions) {
    test(`inspect ${source.slice(0, 100)}`, () => assert.equal(realm.internal.inspect(there(source)), util.inspect(here(source))));
}

test('colours are where Node has them', () => {
    for (const source of expressions) {
        if (/Proxy|Error|URL/.test(source)) continue;
        assert.equal(realm.internal.inspect(there(source), { colors: true }), util.inspect(here(source), { colors: true }), source);
    }
});

test('depth, breakLength, compact, maxArrayLength and showHidden mean what they mean in Node', () => {
    for (const options of [{ depth: 0 }, { depth: 5 }, { depth: null }, { breakLength: 40 }, { breakLength: Infinity }, { compact: false }, { compact: 1 }, { maxArrayLength: 2 }, { maxStringLength: 5 }, { sorted: true }]) {
        for (const source of expressions) {
            if (/Proxy|Error|URL|Map\(\)\)|SharedArray/.test(source)) continue;
            assert.equal(realm.internal.inspect(there(source), options), util.inspect(here(source), options), `${source} ${JSON.stringify(options)}`);
        }
    }
});

const formats = [
    '["%s", "x"]', '["%s %s", "x"]', '["%s", 1, 2]', '["%%"]', '["%% %s", 1]', '["%d %i %f", "42.5", "42.5", "42.5"]', '["%d", 5n]', '["%i", 5n]', '["%d", {}]', '["%d", Symbol("x")]', '["%f", Symbol("x")]',
    '["%s", Symbol("x")]', '["%s", -0]', '["%s", 5n]', '["%s", null, undefined]', '["%s", {a:{b:{c:1}}}]', '["%s", [1,[2,[3]]]]', '["%s", {toString(){return "own"}}]', '["%s", new (class A { toString() { return "A!" } })]', '["%s", class B{}]', '["%s", () => 1]', '["%s", new Date(0)]',
    '["%j", {a:1}]', '["%j", undefined]', '["%O", {a:{b:{c:{d:1}}}}]', '["%o", [1]]', '["%c styled", "color: red"]', '["%x", 1]', '["%", 1]', '["100%", 1]', '["a", "b", {c:1}, [1]]', '[1, "%s", 2]', '["%s%s%s", 1, 2, 3]', '[]', '[undefined]', '["%s"]', '["%j", (() => { const a = {}; a.a = a; return a })()]', '["a%", "b"]', '["%s", "a", "%s", "b"]', '[{}, "x"]', '["%d", "0x10"]', '["%i", "12abc"]', '["%O %o", 1, 2]',
];
for (const source of formats) {
    test(`format ${source}`, () => assert.equal(realm.internal.format(there(source)), util.format(...here(source))));
}

/** Random nested values as source text. */
function randomSource(random, depth) {
    const n = (max) => Math.floor(random() * max);
    const words = ['a', 'bb', 'some words', 'key', 'x'.repeat(n(30)), "it's", 'é'];
    const leaf = () => [() => String(n(100000)), () => JSON.stringify(words[n(words.length)]), () => 'null', () => 'undefined', () => 'true', () => `-${n(10)}.5`, () => '() => {}', () => `${n(9)}n`, () => 'new Date(0)', () => '/x/', () => 'Symbol("s")'][n(11)]();
    if (depth === 0 || random() < 0.2) return leaf();
    const items = (max, make) => Array.from({ length: n(max) }, make);
    const inner = () => randomSource(random, depth - 1);
    switch (n(6)) {
    case 0: return `[${items(12, inner)}]`;
    case 1: return `new Map([${items(5, () => `[${inner()}, ${inner()}]`)}])`;
    case 2: return `new Set([${items(5, inner)}])`;
    case 3: { const make = [() => String(n(10 ** n(9))), () => JSON.stringify(words[n(7)]), inner][n(3)]; return `[${items(40, make)}]`; }
    default: return `({${items(7, (_, i) => `"${words[n(7)]}${i}": ${inner()}`)}})`;
    }
}

test('random values look as in Node', () => {
    let state = 12345;
    const random = () => (state = Math.imul(state, 1103515245) + 12345 >>> 0) / 4294967296;
    for (let i = 0; i < 5000; i++) {
        const source = randomSource(random, 4);
        assert.equal(realm.internal.inspect(there(source)), util.inspect(here(source)), source);
    }
});
