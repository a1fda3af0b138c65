// attack: every way to make code of a string
// expect-violation: code
// expect: held
const out = [];
globalThis.ran = () => out.push('ESCAPED');
const AsyncFunction = (async () => {}).constructor, GeneratorFunction = (function* () {}).constructor, AsyncGeneratorFunction = (async function* () {}).constructor;
const text = 'globalThis.ran()';
const tries = [
    () => (0, eval)(text), () => eval(text), () => new Function(text)(), () => Function(text)(), () => AsyncFunction(text)(), () => new GeneratorFunction(text)().next(), () => AsyncGeneratorFunction(text)().next(),
    () => (() => {}).constructor(text)(), () => Reflect.construct(Function, [text], class {})(), () => Function.prototype.constructor(text)(), () => [].map.constructor(text)(),
    () => Function.prototype.call.call(Function, null, text)(), () => new (class extends Function {})(text)(), () => Reflect.apply(eval, null, [text]), () => [text].map(eval), () => globalThis['ev' + 'al'](text),
    () => new Proxy(Function, {})(text)(), () => Object.getPrototypeOf(async () => {}).constructor(text)(), () => JSON.parse.constructor.call(null, text)(),
];
for (const one of tries) try { await one(); } catch (error) { if (!(error instanceof Error)) out.push('ESCAPED: no error'); }
for (const timer of [setTimeout, setInterval]) try { timer(text, 0); } catch (error) { void error; }
await new Promise((resolve) => setTimeout(resolve, 20));
console.log(out.length === 0 ? 'held' : out.join());
process.exit(0);
