// attack: Symbol.hasInstance makes the platform take an object for another
// expect: held
for (const Class of [Headers, Request, Response, URL, Blob, AbortSignal, ReadableStream]) {
    try { Object.defineProperty(Class, Symbol.hasInstance, { value: () => true }); } catch {}
}
const out = [];
const tries = [() => new Response({ fake: true }), () => new Request({ url: 'x' }), () => structuredClone({}), () => URL.createObjectURL({}), () => new File([{}], 'x'), () => new Request('http://a', { signal: {} })];
for (const one of tries) try { out.push(typeof one()); } catch (error) { out.push(error.name); }
console.log(out[3] === 'TypeError' && out[5] === 'TypeError' ? 'held' : `ESCAPED: ${out}`);
