// attack: a key is used here while the isolate that made it is torn down
// policy: standard
// expect: held
const source = `
    const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-384' }, false, ['sign', 'verify']);
    postMessage(pair);
    crypto.subtle.generateKey({ name: 'RSA-PSS', hash: 'SHA-256', modulusLength: 8192, publicExponent: new Uint8Array([1, 0, 1]) }, true, ['sign', 'verify']);
`;
const algorithm = { name: 'ECDSA', hash: 'SHA-384' };
let sound = 0;
for (let i = 0; i < 6; i++) {
    const worker = new Worker(`data:text/javascript,${encodeURIComponent(source)}`, { type: 'module' });
    const { privateKey, publicKey } = await new Promise((resolve) => { worker.onmessage = ({ data }) => resolve(data); });
    const pending = Array.from({ length: 8 }, () => crypto.subtle.sign(algorithm, privateKey, new Uint8Array(8)));
    worker.terminate();
    for (const signature of await Promise.all(pending)) if (await crypto.subtle.verify(algorithm, publicKey, signature, new Uint8Array(8))) sound++;
}
console.log(sound === 48 ? 'held' : `ESCAPED: ${sound}`);
