// attack: objects that look like keys are given for keys
// policy: standard
// expect: held
(async () => {
    const key = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['sign']);
    const forged = [
        Object.create(CryptoKey.prototype), { type: 'secret', extractable: true, algorithm: key.algorithm, usages: ['sign'] }, new Proxy(key, {}), Object.setPrototypeOf({}, key),
        Object.setPrototypeOf(new Uint8Array(64), CryptoKey.prototype), Object.setPrototypeOf(new ArrayBuffer(64), CryptoKey.prototype),
    ];
    for (const one of forged) {
        for (const run of [() => crypto.subtle.sign('HMAC', one, new Uint8Array(1)), () => crypto.subtle.exportKey('raw', one)]) {
            const name = await run().then(() => 'nothing', (error) => error.name);
            if (name !== 'TypeError') return `ESCAPED: ${name}`;
        }
        try { structuredClone(one); } catch {}
    }
    try { new CryptoKey({}, { type: 'secret' }); return 'ESCAPED: made'; } catch {}
    return 'held';
})().then(console.log);
