// Operations of Web Cryptography, for crypto.py:  crypto.mjs [OPERATION COUNT]  does one so often; without, says which there are.
import process from 'node:process';

const { subtle } = crypto;
const text = (count) => new Uint8Array(count).fill(7);

const hmac = await subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['sign', 'verify']);
const gcm = await subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt']);
const ecdsa = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
const ed25519 = await subtle.generateKey('Ed25519', true, ['sign', 'verify']);
const x25519 = await subtle.generateKey('X25519', true, ['deriveBits']);
const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
const rs256 = await subtle.importKey('jwk', {
    kty: 'RSA', e: 'AQAB', // RFC 7515, appendix A.2
    n: 'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ',
}, rsa, true, ['verify']);
const password = await subtle.importKey('raw', text(12), 'PBKDF2', false, ['deriveBits']);
const iv = text(12);
const es256 = { name: 'ECDSA', hash: 'SHA-256' };
const signatures = {
    hmac: await subtle.sign('HMAC', hmac, text(256)), ecdsa: await subtle.sign(es256, ecdsa.privateKey, text(256)), ed25519: await subtle.sign('Ed25519', ed25519.privateKey, text(256)),
};
const spki = await subtle.exportKey('spki', rs256);
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
    'RS256 verify, 2048 bits': () => subtle.verify('RSASSA-PKCS1-v1_5', rs256, text(256), text(256)),
    'PBKDF2-SHA-256, 100,000': () => subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: iv, iterations: 100000 }, password, 256),
    'importKey spki, RSA': () => subtle.importKey('spki', spki, rsa, true, ['verify']),
    'importKey jwk, P-256': () => subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify']),
    'generateKey P-256': () => subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']),
};

const once = rows[process.argv[2]];
if (once === undefined) console.log(Object.keys(rows).join('\n'));
for (let left = Number(process.argv[3]); left > 0; left--) await once();
