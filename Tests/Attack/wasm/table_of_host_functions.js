// attack: host functions go through a table and come out as they went in
// policy| base: strict
// policy| code: {wasm: allow}
// expect: held
const table = new WebAssembly.Table({ element: 'externref', initial: 4 });
table.set(0, fetch);
table.set(1, console);
const same = table.get(0) === fetch && table.get(1) === console;
let error;
try { new WebAssembly.Table({ element: 'anyfunc', initial: 1 }).set(0, fetch); } catch (e) { error = e; }
console.log(same && error instanceof TypeError ? 'held' : 'ESCAPED');
