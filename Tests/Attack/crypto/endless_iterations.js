// attack: PBKDF2 with billions of iterations keeps the event loop, and the process after its end
// policy: standard
// limits: wall=2s
// expect: held
// expect-exit: 0
(async () => {
    const { subtle } = crypto;
    const key = await subtle.importKey('raw', new Uint8Array(8), 'PBKDF2', false, ['deriveBits']);
    for (let i = 0; i < 8; i++) subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-512', salt: new Uint8Array(8), iterations: 4294967295 }, key, 512 * 100);
    const start = performance.now();
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 5));
    console.log(performance.now() - start < 1500 ? 'held' : 'ESCAPED: the loop stood still');
    process.exit(0);
})();
