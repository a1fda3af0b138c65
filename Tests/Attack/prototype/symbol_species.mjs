// attack: Symbol.species gives the platform objects of the program's making
// policy| base: strict
// policy| code: {primordials: open}
// policy| random: allow
// expect: held
let made = 0;
for (const Class of [Array, ArrayBuffer, Promise, RegExp, Map, Set]) {
    Object.defineProperty(Class, Symbol.species, { configurable: true, get() { made++; return Class; } });
}
new TextEncoder().encode('abc').subarray(1).length;
const before = made;
new URLSearchParams('a=1').toString();
await new Blob(['abc']).slice(1).text();
new Headers({ a: 'b' }).entries().next();
await new Response(new Uint8Array(3)).arrayBuffer();
console.log(made - before === 0 ? 'held' : `ESCAPED: species was asked for ${made - before} times`);
