// structuredClone of values by chance: shared and circular parts, every kind of the language, what cannot be cloned, what is transferred.
import { outcome, run, times } from './cases.mjs';

const errors = [Error, TypeError, RangeError, SyntaxError, URIError, EvalError, ReferenceError];

function value(random, made, depth) {
    if (made.length > 0 && random.chance(0.15)) return random.pick(made); // again, or around
    const keep = (object) => { made.push(object); return object; };
    const inner = () => value(random, made, depth + 1);
    if (depth > 4 || random.chance(0.45)) {
        return random.pick([
            () => null, () => undefined, () => random.below(2000) - 1000, () => -0, () => NaN, () => 1e300, () => 2n ** 70n, () => -5n, () => 'text', () => 'ü\ud800', () => true, () => false, () => '',
        ])();
    }
    return random.pick([
        () => { const object = keep({}); for (const key of times(random, 4, () => random.pick(['a', 'b', '1', '-1', 'ü', '__proto', 'length']))) object[key] = inner(); return object; },
        () => { const array = keep([]); for (const item of times(random, 4, () => random.below(3))) { if (item === 0) array.length++; else array.push(inner()); } if (random.chance(0.2)) array.extra = inner(); return array; },
        () => { const map = keep(new Map()); for (let i = random.below(4); i > 0; i--) map.set(inner(), inner()); return map; },
        () => { const set = keep(new Set()); for (let i = random.below(4); i > 0; i--) set.add(inner()); return set; },
        () => keep(new Date(random.pick([0, 1e12, NaN, -1.5]))),
        () => keep(new RegExp(random.pick(['a+', '(?:)', '[\\]/]', '\n']), random.pick(['', 'g', 'imsuy', 'd']))),
        () => { const error = keep(new (random.pick(errors))(random.pick(['', 'why', 'ü']))); if (random.chance(0.3)) error.name = random.pick(['Mine', 'TypeError']); if (random.chance(0.2)) error.extra = 1; return error; },
        () => keep(Object(random.pick([1, 'text', true, 7n]))),
        () => keep(new Uint8Array(times(random, 5, () => random.below(256))).buffer),
        () => keep(new (random.pick([Uint8Array, Int16Array, Float64Array, Uint8ClampedArray, BigInt64Array]))(random.below(4))),
        () => { const buffer = new ArrayBuffer(16); return [keep(new Uint8Array(buffer, 4, 4)), keep(new DataView(buffer, 2)), keep(buffer)]; },
        () => keep(new (class Point { x = inner(); #y = 1; })()),
        () => keep(Object.assign(Object.create({ inherited: 1 }), { own: inner() })),
        () => keep({ get computed() { return inner(); }, [Symbol('s')]: 1 }),
        () => keep(Object.defineProperty({ a: 1 }, 'hidden', { value: 1 })),
        () => random.chance(0.2) ? random.pick([() => () => 1, () => Symbol('x'), () => new WeakMap(), () => new Proxy({}, {}), () => Promise.resolve(), () => ({ get x() { throw new RangeError(''); } }), () => function* () {}()])() : 5,
        () => random.chance(0.2) ? random.pick([() => new Response(), () => new Headers(), () => new URL('http://a/')])() : 5,
    ])();
}

/** All that can be seen of it, with numbers for what was seen before. */
function show(what, seen = new Map()) {
    if (typeof what === 'bigint') return `${what}n`;
    if (typeof what === 'number') return Object.is(what, -0) ? '-0' : String(what);
    if (what === undefined) return 'undefined';
    if (what === null || typeof what !== 'object') return what;
    if (seen.has(what)) return `#${seen.get(what)}`;
    seen.set(what, seen.size);
    const again = (inner) => show(inner, seen);
    const kind = Object.prototype.toString.call(what).slice(8, -1);
    const prototype = Object.getPrototypeOf(what) === globalThis[kind]?.prototype;
    if (what instanceof Map) return [kind, prototype, [...what].map(([key, item]) => [again(key), again(item)])];
    if (what instanceof Set) return [kind, prototype, [...what].map(again)];
    if (what instanceof Date) return [kind, prototype, again(what.getTime())];
    if (what instanceof RegExp) return [kind, what.source, what.flags, what.lastIndex];
    if (what instanceof Error) return [kind, what.constructor.name, Object.getOwnPropertyNames(what).filter((name) => name !== 'stack').sort(), what.name, what.message];
    if (ArrayBuffer.isView(what)) return [kind, what.byteOffset, what.byteLength, again(what.buffer)];
    if (what instanceof ArrayBuffer) return [kind, [...new Uint8Array(what)]];
    const properties = Object.entries(what).map(([key, item]) => [key, again(item)]);
    const boxed = ['Number', 'String', 'Boolean', 'BigInt'].includes(kind) ? again(what.valueOf()) : undefined;
    return [kind, prototype, properties, boxed, Array.isArray(what) ? what.length : undefined];
}

await run((random) => {
    const made = [];
    const original = value(random, made, 0);
    const before = outcome(() => show(original));
    const buffers = made.filter((item) => item instanceof ArrayBuffer);
    const transfer = buffers.filter(() => random.chance(0.5));
    if (transfer.length > 0 && random.chance(0.1)) transfer.push(transfer[0]);
    if (random.chance(0.03)) transfer.push({});
    const result = outcome(() => show(structuredClone(original, { transfer })));
    return [[before, transfer.length], [result, buffers.map((buffer) => buffer.byteLength)]];
});
