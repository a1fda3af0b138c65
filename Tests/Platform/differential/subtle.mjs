// Web Cryptography: imports and exports of keys, sound and not, and what is done with them. All of it gives the same every time.
import { keys, made } from './crypto_keys.mjs';
import { outcomeOf, run, times } from './cases.mjs';

const { subtle } = crypto;
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');
const unurl = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (unit) => unit.charCodeAt(0));
const url = (data) => btoa(String.fromCharCode(...data)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '');
const message = new TextEncoder().encode('the message');

const data = (random, lengths) => Uint8Array.from({ length: random.pick(lengths) }, () => random.below(256));
const text = (random) => data(random, [0, 1, 15, 16, 17, 31, 32, 33, 64, 100, 200]);
const changed = (random, bytes) => {
    if (random.chance(0.5)) return bytes;
    const copy = new Uint8Array(bytes).slice(0, random.chance(0.3) ? random.below(bytes.byteLength + 1) : undefined);
    if (copy.length > 0) copy[random.below(copy.length)] ^= 1 << random.below(8);
    return copy;
};
const hash = (random) => random.pick(['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512', 'sha-256', { name: 'SHA-512' }]);
const allUsages = ['encrypt', 'decrypt', 'sign', 'verify', 'deriveKey', 'deriveBits', 'wrapKey', 'unwrapKey'];
const usages = (random, usual) => (random.chance(0.8) ? usual : times(random, 3, () => random.pick(allUsages)));
const sorted = (value) => Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
const showKey = ({ type, extractable, algorithm, usages: list }) => [type, extractable, sorted(JSON.parse(JSON.stringify(algorithm))), [...list].sort()];
/** `alg` of Ed25519 is younger than one of the peers. */
const showExport = (format, value) => (format === 'jwk' ? sorted({ ...value, key_ops: [...value.key_ops].sort(), alg: value.crv === 'Ed25519' ? undefined : value.alg }) : hex(value));

/** A member of a JWK set, changed or taken away. */
function changedJwk(random, jwk) {
    const copy = { ...jwk };
    for (const [member, values] of [
        ['ext', [true, false]], ['use', ['sig', 'enc', 'x']], ['key_ops', [[], ['sign'], ['sign', 'sign'], ['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey', 'deriveBits', 'deriveKey']]],
        ['alg', ['HS256', 'A128GCM', 'RS256', 'PS256', 'RSA-OAEP', 'ES256', 'none']], ['kty', ['oct', 'RSA', 'EC', 'OKP']], ['crv', ['P-256', 'P-384', 'Ed25519', 'X25519']],
    ]) {
        if (random.chance(0.05)) copy[member] = random.pick(values);
    }
    if (random.chance(0.1)) copy[random.pick(Object.keys(jwk))] = undefined;
    return copy;
}

async function exports(key) {
    const shown = [];
    for (const format of ['raw', 'spki', 'pkcs8', 'jwk']) shown.push(await outcomeOf(async () => showExport(format, await subtle.exportKey(format, key))));
    return shown;
}

const aes = { 'AES-CBC': ['encrypt', 'decrypt'], 'AES-CTR': ['encrypt', 'decrypt'], 'AES-GCM': ['encrypt', 'decrypt'], 'AES-KW': ['wrapKey', 'unwrapKey'] };
const aesParams = (random, name) => ({
    name, iv: data(random, [0, 12, 12, 12, 16, 16, 16, 24]), counter: data(random, [0, 15, 16, 16, 16]), length: random.pick([0, 1, 8, 64, 128, 129, 255]),
    ...(random.chance(0.5) ? { additionalData: text(random) } : {}), ...(random.chance(0.3) ? { tagLength: random.pick([0, 33, 96, 112, 120, 128, 256]) } : {}),
});

const cases = {
    async digest(random) {
        const name = random.pick(['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512', 'sha-1', 'SHA1', 'MD5', '', 'HMAC']);
        const bytes = text(random);
        return [[name, hex(bytes)], await outcomeOf(async () => hex(await subtle.digest(name, bytes)))];
    },
    async hmac(random) {
        const raw = data(random, [0, 1, 16, 20, 64, 65, 128, 129]);
        const algorithm = { name: 'HMAC', hash: hash(random), ...(random.chance(0.3) ? { length: random.pick([0, 1, 8, 120, 121, 128, 160, 512]) } : {}) };
        const isJwk = random.chance(0.5);
        const given = isJwk ? changedJwk(random, { kty: 'oct', k: url(raw) }) : raw;
        const list = usages(random, ['sign', 'verify']);
        const extractable = random.chance(0.8);
        const bytes = text(random);
        return [[algorithm, given, list, extractable], await outcomeOf(async () => {
            const key = await subtle.importKey(isJwk ? 'jwk' : 'raw', given, algorithm, extractable, list);
            const signature = await outcomeOf(async () => hex(await subtle.sign('HMAC', key, bytes)));
            return [showKey(key), await exports(key), signature];
        })];
    },
    async aes(random) {
        const name = random.pick(Object.keys(aes).slice(0, 3));
        const raw = data(random, [16, 16, 24, 32, 32, 15]);
        const params = aesParams(random, name);
        const bytes = text(random);
        return [[name, hex(raw), JSON.stringify(params)], await outcomeOf(async () => {
            const key = await subtle.importKey('raw', raw, name, true, aes[name]);
            const encrypted = await outcomeOf(async () => hex(await subtle.encrypt(params, key, bytes)));
            return [showKey(key), await exports(key), encrypted, await outcomeOf(async () => hex(await subtle.decrypt(params, key, bytes)))];
        })];
    },
    async wrapping(random) {
        const name = random.pick(['AES-KW', 'AES-GCM', 'AES-CBC']);
        const params = { name, iv: data(random, [name === 'AES-CBC' ? 16 : 12]) };
        const raw = data(random, [16, 32]);
        const inner = data(random, [8, 16, 16, 20, 24, 32]);
        const format = random.pick(['raw', 'raw', 'spki']);
        return [[name, hex(raw), hex(inner), format], await outcomeOf(async () => {
            const key = await subtle.importKey('raw', raw, name, false, usages(random, ['wrapKey', 'unwrapKey']));
            const other = await subtle.importKey('raw', inner, { name: 'HMAC', hash: 'SHA-256' }, random.chance(0.9), ['sign']);
            const wrapped = new Uint8Array(await subtle.wrapKey(format, other, key, params));
            const unwrapped = await outcomeOf(async () => showKey(await subtle.unwrapKey(format, changed(random, wrapped), key, params, { name: 'HMAC', hash: 'SHA-1' }, true, ['verify'])));
            return [hex(wrapped), unwrapped];
        })];
    },
    async derive(random) {
        const name = random.pick(['HKDF', 'PBKDF2']);
        const raw = text(random);
        const params = { name, hash: hash(random), salt: text(random), info: text(random), iterations: random.pick([0, 1, 2, 100]) };
        const length = random.pick([8, 16, 128, 160, 256, 512, 1000, 7, 255 * 8 * 20, 255 * 8 * 64, 255 * 8 * 64 + 8]);
        return [[name, hex(raw), JSON.stringify(params), length], await outcomeOf(async () => {
            const key = await subtle.importKey('raw', raw, name, false, ['deriveBits', 'deriveKey']);
            const bits = await outcomeOf(async () => hex(await subtle.deriveBits(params, key, length)));
            return [bits, await outcomeOf(async () => exports(await subtle.deriveKey(params, key, { name: 'AES-GCM', length: 128 }, true, ['encrypt'])))];
        })];
    },
    async agree(random) {
        const curve = random.pick(['P-256', 'P-384', 'P-521', 'X25519']);
        const algorithm = curve === 'X25519' ? { name: curve } : { name: 'ECDH', namedCurve: curve };
        const length = random.pick([undefined, null, 8, 16, 128, 256, 384, 528, 536, 1000]);
        const { d, ...half } = keys[curve];
        return [[curve, length], await outcomeOf(async () => {
            const mine = await subtle.importKey('jwk', keys[curve], algorithm, true, ['deriveBits']);
            const other = await subtle.importKey('jwk', half, algorithm, true, []);
            return hex(await subtle.deriveBits({ name: algorithm.name, public: other }, mine, length));
        })];
    },
    async pairs(random) {
        const kind = random.pick(['rsa', 'P-256', 'P-384', 'P-521', 'Ed25519', 'X25519']);
        const name = random.pick({ rsa: ['RSASSA-PKCS1-v1_5', 'RSA-PSS', 'RSA-OAEP'], Ed25519: ['Ed25519'], X25519: ['X25519'] }[kind] ?? ['ECDSA', 'ECDH']);
        const algorithm = { name, ...(kind === 'rsa' ? { hash: random.pick(['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512']) } : { namedCurve: kind }) };
        const isPrivate = random.chance(0.5);
        const members = isPrivate ? Object.keys(keys[kind]) : Object.keys(keys[kind]).filter((member) => !['d', 'p', 'q', 'dp', 'dq', 'qi'].includes(member));
        const jwk = changedJwk(random, Object.fromEntries(members.map((member) => [member, keys[kind][member]])));
        const uses = name === 'RSA-OAEP' ? (isPrivate ? ['decrypt', 'unwrapKey'] : ['encrypt', 'wrapKey']) : ['ECDH', 'X25519'].includes(name) ? (isPrivate ? ['deriveBits'] : []) : [isPrivate ? 'sign' : 'verify'];
        const list = usages(random, uses);
        const extractable = random.chance(0.9);
        return [[algorithm, jwk, list, extractable], await outcomeOf(async () => {
            const key = await subtle.importKey('jwk', jwk, algorithm, extractable, list);
            const signature = isPrivate && ['RSASSA-PKCS1-v1_5', 'Ed25519'].includes(name) ? await outcomeOf(async () => hex(await subtle.sign(name, key, message))) : undefined;
            return [showKey(key), await exports(key), signature];
        })];
    },
    async verify(random) {
        const kind = random.pick(['P-256', 'P-384', 'P-521', 'pss', 'oaep']);
        const { d, p, q, dp, dq, qi, ...half } = keys[kind] ?? keys.rsa;
        const given = changed(random, unurl(made[kind]));
        const algorithm = { name: kind === 'pss' ? 'RSA-PSS' : kind === 'oaep' ? 'RSA-OAEP' : 'ECDSA', namedCurve: kind, hash: 'SHA-256', saltLength: random.pick([20, 20, 20, 0, 32, 94]), label: message };
        return [[kind, hex(given), algorithm.saltLength], await outcomeOf(async () => {
            if (kind === 'oaep') return hex(await subtle.decrypt(algorithm, await subtle.importKey('jwk', keys.rsa, algorithm, true, ['decrypt']), given));
            return subtle.verify(algorithm, await subtle.importKey('jwk', half, algorithm, true, ['verify']), given, message);
        })];
    },
    async generate(random) {
        const algorithm = {
            name: random.pick(['HMAC', 'AES-GCM', 'AES-KW', 'ECDSA', 'ECDH', 'Ed25519', 'X25519', 'HKDF', 'SHA-1']), hash: hash(random), namedCurve: random.pick(['P-256', 'P-384', 'P-521', 'P-512']),
            length: random.pick([128, 192, 256, 100, 0]),
        };
        const list = times(random, 3, () => random.pick(allUsages));
        const extractable = random.chance(0.5);
        return [[algorithm, list, extractable], await outcomeOf(async () => {
            const made = await subtle.generateKey(algorithm, extractable, list);
            return made.publicKey === undefined ? showKey(made) : [showKey(made.publicKey), showKey(made.privateKey)];
        })];
    },
};

await run(async (random) => {
    const name = random.pick(Object.keys(cases));
    const [what, result] = await cases[name](random);
    return [[name, what], result];
});
