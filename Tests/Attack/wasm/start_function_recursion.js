// attack: a start function that calls itself without end
// policy| base: strict
// policy| code: {wasm: allow}
// expect: held
const bytes = new Uint8Array([0,97,115,109,1,0,0,0,1,4,1,96,0,0,3,2,1,0,8,1,0,10,6,1,4,0,16,0,11]);
let error = 'none';
try { new WebAssembly.Instance(new WebAssembly.Module(bytes)); } catch (e) { error = e.name; }
console.log(error === 'RangeError' ? 'held' : `ESCAPED: ${error}`);
