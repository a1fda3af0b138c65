// attack: the program freezes what the platform shares with it
// policy| base: strict
// policy| code: {primordials: open}
// policy| random: allow
// expect: held
for (const Class of [Object, Array, Function, Promise, Map, Set, Error, RegExp, String, Uint8Array, ArrayBuffer]) { Object.freeze(Class); Object.freeze(Class.prototype); }
Object.freeze(globalThis.constructor?.prototype ?? {});
const text = await new Response(new Blob(['fine'])).text();
await new Promise((resolve) => setTimeout(resolve, 1));
console.log(text === 'fine' ? 'held' : 'ESCAPED');
