// attack: patched prototypes see what the platform does with keys
// policy: standard
// expect: held
(async () => {
    const seen = [];
    const spy = (target, name) => {
        const original = target[name];
        target[name] = function (...args) { seen.push(name); return Reflect.apply(original, this, args); };
    };
    const { subtle } = crypto;
    const wrapping = await subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['wrapKey', 'unwrapKey']);
    const key = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
    for (const name of ['then']) spy(Promise.prototype, name);
    for (const name of ['push', 'slice', 'map', 'includes', 'join']) spy(Array.prototype, name);
    for (const name of ['set', 'slice', 'subarray']) spy(Object.getPrototypeOf(Uint8Array.prototype), name);
    for (const name of ['get', 'set', 'has']) spy(Map.prototype, name);
    spy(JSON, 'stringify');
    spy(JSON, 'parse');
    Object.prototype.toJSON = function () { seen.push('toJSON'); return {}; };
    Array.prototype.toJSON = function () { seen.push('toJSON'); return []; };
    for (const name of ['d', 'k', 'kty', 'key_ops', 'params', 'wrapKey']) Object.defineProperty(Object.prototype, name, { configurable: true, set() { seen.push(name); }, get() { return undefined; } });
    const params = { name: 'AES-GCM', iv: new Uint8Array(12) };
    const wrapped = await subtle.wrapKey('jwk', key.privateKey, wrapping, params);
    const again = await subtle.unwrapKey('jwk', wrapped, wrapping, params, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
    await subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, again, new Uint8Array(9));
    return seen.length === 0 ? 'held' : `ESCAPED: ${seen}`;
})().then((text) => console.log(text), (error) => console.log(`ESCAPED: ${error}`));
