// attack: code of strings in timers, in handlers, in microtasks, by all five constructors
// expect-violation: code
// expect: held
const out = [];
const makers = { eval: (text) => (0, eval)(text), Function: (text) => Function(text), Async: (text) => (async () => {}).constructor(text), Generator: (text) => (function* () {}).constructor(text), AsyncGenerator: (text) => (async function* () {}).constructor(text) };
const later = (run) => new Promise((resolve) => run(resolve));
for (const [name, make] of Object.entries(makers)) {
    for (const way of [(f) => f(), queueMicrotask, setImmediate, (f) => setTimeout(f, 0), (f) => Promise.resolve().then(f), (f) => { const t = new EventTarget(); t.addEventListener('a', f); t.dispatchEvent(new Event('a')); }]) {
        await later((resolve) => way(() => { try { make('1'); out.push(name); } catch (error) { if (error.name !== 'EvalError') out.push(`${error}`); } resolve(); }));
    }
}
if (eval({ a: 1 }).a !== 1) out.push('what is no string is no code');
console.log(out.length === 0 ? 'held' : `ESCAPED: ${out}`);
