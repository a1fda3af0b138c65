// attack: gigabytes wait for another thread
// policy: standard
// expect: held
(async () => {
    const { subtle } = crypto;
    const slow = await subtle.importKey('raw', new Uint8Array(8), 'PBKDF2', false, ['deriveBits']);
    for (let i = 0; i < 2; i++) subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-1', salt: new Uint8Array(8), iterations: 4000000000 }, slow, 160);
    const data = new Uint8Array(32 << 20);
    const names = new Set();
    for (let i = 0; i < 64; i++) subtle.digest('SHA-512', data).catch((error) => names.add(error.name));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const { rss } = process.memoryUsage();
    console.log([...names].join() === 'OperationError' && rss < 1200 << 20 ? 'held' : `ESCAPED: ${rss >> 20} MiB ${[...names]}`);
    process.exit(0);
})();
