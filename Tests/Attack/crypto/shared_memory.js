// attack: shared memory that another thread changes is given where bytes are copied
// policy: standard
// expect: held
(async () => {
    const { subtle } = crypto;
    const shared = new Uint8Array(new SharedArrayBuffer(64));
    const key = await subtle.generateKey({ name: 'AES-CBC', length: 128 }, true, ['encrypt']);
    const pairs = [
        () => subtle.digest('SHA-256', shared), () => subtle.encrypt({ name: 'AES-CBC', iv: shared.subarray(0, 16) }, key, new Uint8Array(1)),
        () => subtle.importKey('raw', shared.subarray(0, 16), 'AES-CBC', true, ['encrypt']), () => subtle.encrypt({ name: 'AES-CBC', iv: new Uint8Array(16) }, key, shared),
        () => subtle.generateKey({ name: 'RSA-PSS', hash: 'SHA-1', modulusLength: 512, publicExponent: shared.subarray(0, 3) }, true, ['sign']), async () => crypto.getRandomValues(shared),
    ];
    for (const run of pairs) {
        const name = await run().then(() => 'nothing', (error) => error.name);
        if (name !== 'TypeError') return `ESCAPED: ${name} ${run}`;
    }
    return 'held';
})().then(console.log);
