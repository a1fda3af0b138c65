// attack: signatures that hold without the private key: zeros, small orders, e = 3 with garbage after the padding
// policy: standard
// expect: held
const { subtle } = crypto;
const message = new TextEncoder().encode('pay');
const valid = [];
const check = async (what, algorithm, key, signature) => { if (await subtle.verify(algorithm, key, signature, message)) valid.push(what); };
const ec = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
await check('ECDSA zeros', { name: 'ECDSA', hash: 'SHA-256' }, ec.publicKey, new Uint8Array(64));
for (const first of [0, 1]) {
    const point = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? first : 0));
    const key = await subtle.importKey('raw', point, 'Ed25519', true, ['verify']);
    for (let r = 0; r < 2; r++) await check('Ed25519 small order', 'Ed25519', key, Uint8Array.from({ length: 64 }, (_, i) => (i === 0 ? r : 0)));
}
const rsa = await subtle.generateKey({ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([3]) }, false, ['sign', 'verify']);
// Bleichenbacher: the cube root of 00 01 FF 00 DigestInfo hash garbage
const digest = new Uint8Array(await subtle.digest('SHA-256', message));
const head = [0, 1, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20, ...digest];
let target = head.concat(Array(256 - head.length).fill(255)).reduce((sum, byte) => sum << 8n | BigInt(byte), 0n);
let low = 0n, high = 1n << 700n;
while (low < high) { const middle = (low + high + 1n) / 2n; if (middle ** 3n <= target) low = middle; else high = middle - 1n; }
await check('RSA e = 3', 'RSASSA-PKCS1-v1_5', rsa.publicKey, Uint8Array.from({ length: 256 }, (_, i) => Number(low >> BigInt(8 * (255 - i)) & 255n)));
console.log(valid.length === 0 ? 'held' : `ESCAPED: ${valid}`);
