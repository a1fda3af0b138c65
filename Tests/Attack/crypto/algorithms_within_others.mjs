// attack: an algorithm that the policy does not name is used within one that it names
// policy| crypto: [HMAC, SHA-256, AES-GCM]
// policy| random: allow
// expect: held
// expect-violation: crypto
const { subtle } = crypto;
const raw = new Uint8Array(16);
const allowed = await subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, true, ['sign']);
const refused = [
    () => subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-1' }, true, ['sign']), () => subtle.generateKey({ name: 'AES-CBC', length: 128 }, true, ['encrypt']),
    () => subtle.importKey('raw', raw, 'PBKDF2', false, ['deriveBits']), () => subtle.digest('sha-512', raw), () => subtle.digest({ get name() { return 'SHA-1'; } }, raw),
];
let count = 0;
for (const run of refused) await run().then(() => {}, (error) => { if (error.name === 'NotAllowedError') count++; });
const mac = await subtle.sign('HMAC', allowed, raw);
console.log(count === refused.length && mac.byteLength === 32 ? 'held' : `ESCAPED: ${refused.length - count}`);
