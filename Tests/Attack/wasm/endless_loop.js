// attack: a WebAssembly function that does not come back
// policy| base: strict
// policy| code: {wasm: allow}
// limits: cpu=200ms
// expect-exit: 4
// expect-outcome: exceededCpu
const bytes = new Uint8Array([0,97,115,109,1,0,0,0,1,4,1,96,0,0,3,2,1,0,7,8,1,4,108,111,111,112,0,0,10,9,1,7,0,3,64,12,0,11,11]);
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
exports.loop();
console.log('ESCAPED');
