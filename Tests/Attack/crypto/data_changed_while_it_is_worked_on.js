// attack: data, iv and signature are changed after the call, while another thread works on them
// policy: standard
// expect: held
(async () => {
    const { subtle } = crypto;
    const key = await subtle.importKey('raw', new Uint8Array(32), 'AES-GCM', false, ['encrypt']);
    const data = new Uint8Array(4 << 20);
    const expected = new Uint8Array(await subtle.encrypt({ name: 'AES-GCM', iv: new Uint8Array(12) }, key, data));
    for (let round = 0; round < 5; round++) {
        const copy = data.slice();
        const iv = new Uint8Array(12);
        const pending = subtle.encrypt({ name: 'AES-GCM', iv }, key, copy);
        iv.fill(255);
        copy.fill(255);
        structuredClone(copy.buffer, { transfer: [copy.buffer] });
        const text = new Uint8Array(await pending);
        if (text.length !== expected.length || text.some((byte, i) => byte !== expected[i])) return 'ESCAPED: it was seen';
    }
    return 'held';
})().then(console.log);
