// attack: getters of an algorithm detach, shrink and change what is being worked on
// policy: standard
// expect: held
(async () => {
    const { subtle } = crypto;
    const key = await subtle.generateKey({ name: 'AES-GCM', length: 128 }, false, ['encrypt']);
    for (let round = 0; round < 50; round++) {
        const data = new ArrayBuffer(1 << 16, { maxByteLength: 1 << 17 });
        const algorithm = {
            name: 'AES-GCM', get iv() { structuredClone(data, { transfer: [data] }); return new Uint8Array(12); },
            get additionalData() { try { data.resize(16); } catch {} return new Uint8Array(4); },
        };
        const text = await subtle.encrypt(algorithm, key, data).catch(() => new ArrayBuffer(16));
        if (text.byteLength !== 16) return `ESCAPED: ${text.byteLength} bytes of a detached buffer`;
    }
    return 'held';
})().then(console.log);
