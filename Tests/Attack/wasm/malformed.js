// attack: modules that are cut, padded and changed at each byte
// policy| base: strict
// policy| code: {wasm: allow}
// expect: held
const whole = new Uint8Array([0,97,115,109,1,0,0,0,1,7,1,96,2,127,127,1,127,3,2,1,0,7,7,1,3,97,100,100,0,0,10,9,1,7,0,32,0,32,1,106,11]);
let good = 0;
for (let i = 0; i < whole.length; i++) {
    for (const change of [0, 1, 127, 128, 255]) {
        const bytes = whole.slice();
        bytes[i] = change;
        try { const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes)); good++; exports.add?.(1, 2); } catch (error) { if (!(error instanceof Error)) console.log('ESCAPED'); }
    }
    try { new WebAssembly.Module(whole.slice(0, i)); } catch {}
}
console.log(good > 0 ? 'held' : 'ESCAPED: none was good');
