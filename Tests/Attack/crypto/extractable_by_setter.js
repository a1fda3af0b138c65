// attack: a key is made extractable by its properties, its prototype, or a clone
// policy: standard
// expect: held
(async () => {
    const key = await crypto.subtle.generateKey({ name: 'AES-CBC', length: 128 }, false, ['encrypt']);
    const tries = [
        () => { key.extractable = true; }, () => Object.defineProperty(key, 'extractable', { value: true }), () => Object.defineProperty(CryptoKey.prototype, 'extractable', { get: () => true }),
        () => key.usages.push('decrypt', 'wrapKey'), () => { key.algorithm.name = 'HKDF'; },
    ];
    for (const attempt of tries) { try { attempt(); } catch {} }
    for (const one of [key, structuredClone(key), Object.create(key)]) {
        if (await crypto.subtle.exportKey('raw', one).then(() => true, () => false)) return 'ESCAPED: exported';
        if (await crypto.subtle.decrypt({ name: 'AES-CBC', iv: new Uint8Array(16) }, one, new Uint8Array(16)).then(() => true, (error) => error.name === 'OperationError')) return 'ESCAPED: used';
    }
    return 'held';
})().then(console.log);
