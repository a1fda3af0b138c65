// attack: keys in DER with lengths and depths that lead astray
// policy: standard
// expect: held
const { subtle } = crypto;
const random = (count) => crypto.getRandomValues(new Uint8Array(count));
const forms = [new Uint8Array(0), new Uint8Array(1 << 20).fill(0x30), Uint8Array.from([0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF]), Uint8Array.from([0x30, 0x80, 0, 0]), Uint8Array.from([0x30, 0x89, 1, 1, 1, 1, 1, 1, 1, 1, 1])];
for (let i = 0; i < 300; i++) {
    const bytes = random(200);
    bytes.set([0x30, 0x81, 0xC5, 0x02, 0x01, 0x00], 0);
    forms.push(bytes);
}
let taken = 0;
for (const algorithm of [{ name: 'ECDSA', namedCurve: 'P-256' }, { name: 'RSA-PSS', hash: 'SHA-256' }, 'Ed25519']) {
    for (const form of forms) for (const [format, usage] of [['spki', 'verify'], ['pkcs8', 'sign']]) {
        await subtle.importKey(format, form, algorithm, true, [usage]).then(() => taken++, (error) => { if (error.name !== 'DataError') taken++; });
    }
}
console.log(taken === 0 ? 'held' : `ESCAPED: ${taken}`);
