// attack: a message that is large, and one that is small and holds one object a million times
// limits: clone-bytes=64KB heap=64MB
// expect: held
const { port1, port2 } = new MessageChannel();
const errors = [];
for (const value of ['x'.repeat(1 << 20), new Uint8Array(1 << 17), new Array(1e5).fill({}), new Map(Array.from({ length: 1e5 }, (_, i) => [i, i]))]) {
    try { port1.postMessage(value); errors.push('none'); } catch ({ name }) { errors.push(name); }
    try { structuredClone(value); errors.push('none'); } catch ({ name }) { errors.push(name); }
}
port1.close();
port2.close();
console.log(errors.every((name) => name === 'DataCloneError') ? 'held' : `ESCAPED: ${errors}`);
