// attack: WebAssembly where the policy has none
// expect-violation: wasm
// expect: held
const bytes = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);
const out = [];
const tries = [() => new WebAssembly.Module(bytes), () => WebAssembly.compile(bytes), () => WebAssembly.instantiate(bytes), () => WebAssembly.compileStreaming(new Response(bytes, { headers: { 'content-type': 'application/wasm' } })), () => import('data:application/wasm;base64,AGFzbQEAAAA=')];
for (const one of tries) try { await one(); out.push('ESCAPED'); } catch (error) { out.push(error.name); }
console.log(out.includes('ESCAPED') ? `ESCAPED: ${out}` : 'held');
