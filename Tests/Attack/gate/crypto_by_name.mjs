// attack: algorithms that the policy does not name, in other spellings
// policy| modules: ["node:*"]
// policy| crypto: [SHA-256]
// expect-violation: crypto
// expect: held
import { createHash, createHmac } from 'node:crypto';
const out = [];
const bytes = new Uint8Array(16);
for (const attempt of [
    () => crypto.subtle.digest('SHA-512', bytes), () => crypto.subtle.digest('sha-512', bytes), () => crypto.subtle.digest({ name: 'SHA-1' }, bytes), () => crypto.subtle.digest({ get name() { return 'SHA-384'; } }, bytes),
    () => crypto.subtle.importKey('raw', bytes, 'AES-GCM', true, ['encrypt']), () => crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['sign']), () => createHash('sha512'), () => createHash('SHA512'), () => createHmac('md5', 'a'),
]) {
    try { await attempt(); out.push(`${attempt}`); } catch (error) { if (error.permission !== 'crypto') out.push(`${error}`); }
}
if ((await crypto.subtle.digest('sha-256', bytes)).byteLength !== 32) out.push('SHA-256 does not work');
if (createHash('sha256').update('a').digest().length !== 32) out.push('sha256 does not work');
console.log(out.length === 0 ? 'held' : `ESCAPED: ${out}`);
