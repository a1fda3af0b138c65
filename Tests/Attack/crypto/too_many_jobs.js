// attack: more work than may wait
// policy: standard
// expect: held
(async () => {
    const { subtle } = crypto;
    const key = await subtle.importKey('raw', new Uint8Array(8), 'PBKDF2', false, ['deriveBits']);
    const names = new Set();
    let done = 0;
    for (let i = 0; i < 70000; i++) subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-1', salt: new Uint8Array(8), iterations: 4000000000 }, key, 160).then(() => { done++; }, (error) => names.add(error.name));
    await new Promise((resolve) => setTimeout(resolve, 50));
    console.log(done === 0 && [...names].join() === 'OperationError' ? 'held' : `ESCAPED: ${done} ${[...names]}`);
    process.exit(0);
})();
