// attack: wrong paddings and wrong keys are told apart by the error
// policy: standard
// expect: held
const { subtle } = crypto;
const key = await subtle.generateKey({ name: 'AES-CBC', length: 128 }, false, ['encrypt', 'decrypt']);
const rsa = await subtle.generateKey({ name: 'RSA-OAEP', hash: 'SHA-1', modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) }, false, ['encrypt', 'decrypt']);
const words = new Set();
const note = (error) => words.add(`${error.name} ${error.message} ${error.code} ${Reflect.ownKeys(error).map(String)} ${error.cause}`);
const text = new Uint8Array(await subtle.encrypt({ name: 'AES-CBC', iv: new Uint8Array(16) }, key, new Uint8Array(20)));
for (let i = 0; i < 256; i++) {
    const bad = text.slice();
    bad[15] ^= i;
    await subtle.decrypt({ name: 'AES-CBC', iv: new Uint8Array(16) }, key, bad).catch(note);
}
for (let i = 0; i < 100; i++) await subtle.decrypt('RSA-OAEP', rsa.privateKey, crypto.getRandomValues(new Uint8Array(128))).catch(note);
await subtle.decrypt('RSA-OAEP', rsa.privateKey, new Uint8Array(3)).catch(note);
console.log(words.size === 1 ? 'held' : `ESCAPED: ${[...words].join('; ')}`);
