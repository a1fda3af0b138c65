// attack: memories are made and grown without end
// policy| base: strict
// policy| code: {wasm: allow}
// limits: wasm-memory=64MB memory=256MB
// expect: held
const held = [];
let error = 'none';
try { for (;;) { const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 }); for (;;) { if (memory.grow(1024) === -1) break; } held.push(memory); } } catch (e) { error = e.name; }
console.log(error !== 'none' ? 'held' : 'ESCAPED');
