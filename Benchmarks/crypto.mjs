// Operations of Web Cryptography, one after the other and eight at once; prints a line a row. Runs on Sidelight, Node and Deno:
//     sidelight-worker Benchmarks/crypto.mjs [MILLISECONDS EACH]
import process from 'node:process';

const { subtle } = crypto;
const milliseconds = Number(process.argv[2] ?? 300);
const text = (count) => new Uint8Array(count).fill(7);
const rsa = { modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' };

const hmac = await subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['sign', 'verify']);
const gcm = await subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt']);
const ecdsa = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
const ed25519 = await subtle.generateKey('Ed25519', true, ['sign', 'verify']);
const x25519 = await subtle.generateKey('X25519', true, ['deriveBits']);
const rs256 = await subtle.generateKey({ name: 'RSASSA-PKCS1-v1_5', ...rsa }, true, ['sign', 'verify']);
const password = await subtle.importKey('raw', text(12), 'PBKDF2', false, ['deriveBits']);
const iv = text(12);
const es256 = { name: 'ECDSA', hash: 'SHA-256' };
const signatures = {
    hmac: await subtle.sign('HMAC', hmac, text(256)), ecdsa: await subtle.sign(es256, ecdsa.privateKey, text(256)), ed25519: await subtle.sign('Ed25519', ed25519.privateKey, text(256)),
    rs256: await subtle.sign('RSASSA-PKCS1-v1_5', rs256.privateKey, text(256)),
};
const spki = await subtle.exportKey('spki', rs256.publicKey);
const jwk = await subtle.exportKey('jwk', ecdsa.publicKey);

const rows = {
    'SHA-256, 1 KiB': () => subtle.digest('SHA-256', text(1024)),
    'SHA-256, 1 MiB': ((data) => () => subtle.digest('SHA-256', data))(text(1 << 20)),
    'HMAC-SHA-256 sign, 256 B': () => subtle.sign('HMAC', hmac, text(256)),
    'HMAC-SHA-256 verify, 256 B': () => subtle.verify('HMAC', hmac, signatures.hmac, text(256)),
    'AES-256-GCM encrypt, 1 KiB': () => subtle.encrypt({ name: 'AES-GCM', iv }, gcm, text(1024)),
    'AES-256-GCM encrypt, 1 MiB': ((data) => () => subtle.encrypt({ name: 'AES-GCM', iv }, gcm, data))(text(1 << 20)),
    'ECDSA P-256 sign': () => subtle.sign(es256, ecdsa.privateKey, text(256)),
    'ECDSA P-256 verify': () => subtle.verify(es256, ecdsa.publicKey, signatures.ecdsa, text(256)),
    'Ed25519 sign': () => subtle.sign('Ed25519', ed25519.privateKey, text(256)),
    'Ed25519 verify': () => subtle.verify('Ed25519', ed25519.publicKey, signatures.ed25519, text(256)),
    'X25519 deriveBits': () => subtle.deriveBits({ name: 'X25519', public: x25519.publicKey }, x25519.privateKey, 256),
    'RS256 sign, 2048 bits': () => subtle.sign('RSASSA-PKCS1-v1_5', rs256.privateKey, text(256)),
    'RS256 verify, 2048 bits': () => subtle.verify('RSASSA-PKCS1-v1_5', rs256.publicKey, signatures.rs256, text(256)),
    'PBKDF2-SHA-256, 100,000': () => subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: iv, iterations: 100000 }, password, 256),
    'importKey spki, RSA': () => subtle.importKey('spki', spki, { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, true, ['verify']),
    'importKey jwk, P-256': () => subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify']),
    'generateKey P-256': () => subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']),
};

/** Microseconds an operation. */
async function measure(once, atOnce) {
    for (let i = 0; i < 20; i++) await once();
    let count = 0;
    const start = performance.now();
    do {
        const pending = [];
        for (let i = 0; i < atOnce; i++) pending.push(once());
        await Promise.all(pending);
        count += atOnce;
    } while (performance.now() - start < milliseconds);
    return (performance.now() - start) * 1000 / count;
}

for (const [name, once] of Object.entries(rows)) {
    const [alone, many] = [await measure(once, 1), await measure(once, 8)];
    console.log(`${name}\t${alone.toFixed(1)}\t${many.toFixed(1)}`);
}
