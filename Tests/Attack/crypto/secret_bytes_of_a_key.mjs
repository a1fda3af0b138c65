// attack: the bytes of a key that may not be exported, by every door
// policy: standard
// expect: held
import { inspect } from 'node:util';
const raw = new TextEncoder().encode('SECRETSECRETSECRETSECRETSECRET!!');
const key = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'wrapKey']);
raw.fill(0);
const found = [];
const seen = new Set();
const holds = (bytes) => String.fromCharCode(...bytes).includes('SECRET');
(function walk(value, path) {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value) || path.length > 12) return;
    seen.add(value);
    if (value instanceof ArrayBuffer && holds(new Uint8Array(value))) found.push(path.join('.'));
    if (ArrayBuffer.isView(value) && holds(new Uint8Array(value.buffer))) found.push(path.join('.'));
    for (const name of Reflect.ownKeys(value)) {
        let inner;
        try { inner = value[name]; } catch { continue; }
        walk(inner, [...path, String(name)]);
    }
    walk(Reflect.getPrototypeOf(value), [...path, 'prototype']);
})(key, []);
for (const format of ['raw', 'jwk']) await crypto.subtle.exportKey(format, key).then(() => found.push(format), () => {});
await crypto.subtle.wrapKey('raw', key, key, { name: 'AES-GCM', iv: new Uint8Array(12) }).then(() => found.push('wrapKey'), () => {});
if (/SECRET/.test(inspect(key, { showHidden: true, depth: 9 }) + JSON.stringify(key) + String(key))) found.push('text');
console.log(found.length === 0 ? 'held' : `ESCAPED: ${found}`);
