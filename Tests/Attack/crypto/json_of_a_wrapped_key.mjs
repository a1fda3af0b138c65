// attack: a key that is unwrapped is JSON with __proto__, endless depth, or no key at all
// policy: standard
// expect: held
const { subtle } = crypto;
const key = await subtle.generateKey({ name: 'AES-GCM', length: 128 }, false, ['encrypt', 'unwrapKey']);
const params = { name: 'AES-GCM', iv: new Uint8Array(12) };
const texts = [
    '', '{', 'null', '5', '"text"', '[]', '{}', '{"kty":"oct"}', '{"kty":{"toString":1},"k":"AAAA"}', '{"kty":"oct","k":"AAAA","key_ops":{"length":1}}', '{"kty":"oct","k":"AAAA","key_ops":[[["sign"]]]}',
    '['.repeat(100000), `{"kty":"oct","k":${'['.repeat(50000)}${']'.repeat(50000)}}`, '{"__proto__":{"kty":"oct","k":"AAAA"}}', '\u0000', '{"kty":"oct","k":"AAAA"}x',
];
const strange = [];
for (const text of texts) {
    const wrapped = await subtle.encrypt(params, key, new TextEncoder().encode(text));
    const name = await subtle.unwrapKey('jwk', wrapped, key, params, { name: 'HMAC', hash: 'SHA-256' }, true, ['sign']).then(() => 'a key', (error) => error.name);
    if (name !== 'DataError' && name !== 'TypeError') strange.push(`${text.slice(0, 30)}: ${name}`);
}
console.log(strange.length === 0 && {}.kty === undefined ? 'held' : `ESCAPED: ${strange}`);
