// attack: recursion in JavaScript, in getters, in toString and in native functions that call back
// limits: stack=256KB
// expect: held
const ways = {
    plain: () => ways.plain() + 1,
    getter: () => { const o = { get x() { return this.x; } }; return o.x; },
    text: () => { const o = { toString() { return `${o}`; } }; return `${o}`; },
    sort: () => { const f = () => [2, 1].sort(f); return f(); },
    replace: () => { const f = () => 'a'.replace(/a/, f); return f(); },
    json: () => { let deep = []; for (let i = 0; i < 1e6; i++) deep = [deep]; return JSON.stringify(deep); },
    reviver: () => { const f = () => JSON.parse('[1]', f); return f(); },
    proxy: () => { let p = {}; for (let i = 0; i < 1e6; i++) p = new Proxy(p, {}); return p.x; },
    bound: () => { let f = () => 1; for (let i = 0; i < 1e6; i++) f = f.bind(null); return f(); },
    clone: () => { let deep = {}; for (let i = 0; i < 1e6; i++) deep = { deep }; return structuredClone(deep); },
    regex: () => new RegExp('('.repeat(1e5) + ')'.repeat(1e5)).test('x'),
    source: () => new Function(`return ${'('.repeat(1e6)}1${')'.repeat(1e6)}`)(),
    flat: () => { let deep = []; for (let i = 0; i < 1e6; i++) deep = [deep]; return deep.flat(Infinity); },
};
const through = [];
for (const name in ways) {
    try { ways[name](); if (name !== 'bound') through.push(name); } catch (error) { if (!(error instanceof Error)) through.push(`${name}: ${error}`); }
}
// Some of V8's functions do not recurse, and give a result.
const unexpected = through.filter((name) => !['json', 'proxy', 'regex', 'source', 'flat'].includes(name));
console.log(unexpected.length === 0 ? 'held' : `ESCAPED: ${unexpected}`);
