// attack: points of other curves and of small order draw a private key out bit by bit
// policy: standard
// expect: held
const { subtle } = crypto;
const ec = { name: 'ECDH', namedCurve: 'P-256' };
const mine = await subtle.generateKey(ec, false, ['deriveBits']);
const secret = await subtle.generateKey('X25519', false, ['deriveBits']);
const accepted = [];
for (let i = 0; i < 200; i++) { // y by chance: one in 2^256 would be on the curve
    const point = crypto.getRandomValues(new Uint8Array(65));
    point[0] = 4;
    const other = await subtle.importKey('raw', point, ec, true, []).catch(() => undefined);
    if (other !== undefined) accepted.push(await subtle.deriveBits({ name: 'ECDH', public: other }, mine.privateKey, 256));
}
for (const first of [0, 1]) {
    const other = await subtle.importKey('raw', Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? first : 0)), 'X25519', true, []);
    await subtle.deriveBits({ name: 'X25519', public: other }, secret.privateKey, 256).then(() => accepted.push(first), () => {});
}
console.log(accepted.length === 0 ? 'held' : `ESCAPED: ${accepted.length} points`);
