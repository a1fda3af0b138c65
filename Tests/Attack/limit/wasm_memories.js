// attack: memories of WebAssembly, many of them, each below its own limit
// policy: standard
// limits: memory=32MB
// expect-exit: 4
// expect-outcome: exceededMemory
const kept = [];
for (let bytes = 0; bytes < 1 << 30; bytes += 8 << 20) {
    const memory = new WebAssembly.Memory({ initial: 128 });
    new Uint8Array(memory.buffer).fill(1);
    kept.push(memory);
}
console.log('ESCAPED: a gigabyte');
