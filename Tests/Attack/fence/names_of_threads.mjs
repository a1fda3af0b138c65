// attack: a worker's name goes to the kernel as its thread's
// policy: standard
// expect: held
for (const name of ['x'.repeat(100000), 'a\0b', '\u001b]0;owned\u0007', '../../proc', '\ud800']) {
    const child = new Worker(URL.createObjectURL(new Blob(['postMessage(self.name.length)'])), { name });
    await new Promise((resolve) => { child.onmessage = resolve; child.onerror = resolve; });
    child.terminate();
}
console.log('held');
