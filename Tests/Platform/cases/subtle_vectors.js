// https://w3c.github.io/webcrypto/: known answers, from NIST and RFCs
import { done, equal, ok, same, test } from './assert.js';

const { subtle } = crypto;
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');
const unhex = (text) => Uint8Array.from(text.replace(/\s/g, '').match(/../g) ?? [], (pair) => parseInt(pair, 16));
const bytes = (text) => new TextEncoder().encode(text);
const url = (data) => btoa(String.fromCharCode(...data)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '');

// ---- AES ----

// NIST SP 800-38A, appendix F
const blocks = '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710';
const keys = {
    128: '2b7e151628aed2a6abf7158809cf4f3c', 192: '8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b', 256: '603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4',
};
const cbc = {
    128: '7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b273bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7',
    192: '4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a571b242012fb7ae07fa9baac3df102e008b0e27988598881d920a9e64f5615cd',
    256: 'f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b',
};
const ctr = {
    128: '874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee',
    192: '1abc932417521ca24f2b0459fe7e6e0b090339ec0aa6faefd5ccc2c6f4ce8e941e36b26bd1ebc670d1bd1d665620abf74f78a7f6d29809585a97daec58c6b050',
    256: '601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c52b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6',
};
for (const length of [128, 192, 256]) {
    test(`AES-CBC, ${length} bits`, async () => {
        const key = await subtle.importKey('raw', unhex(keys[length]), 'AES-CBC', true, ['encrypt', 'decrypt']);
        same(key.algorithm, { name: 'AES-CBC', length });
        const algorithm = { name: 'aes-cbc', iv: unhex('000102030405060708090a0b0c0d0e0f') };
        const text = await subtle.encrypt(algorithm, key, unhex(blocks));
        equal(hex(text).slice(0, 128), cbc[length]);
        equal(text.byteLength, 80);
        equal(hex(await subtle.decrypt(algorithm, key, text)), blocks);
        equal((await subtle.encrypt(algorithm, key, new Uint8Array(0))).byteLength, 16);
    });
    test(`AES-CTR, ${length} bits`, async () => {
        const key = await subtle.importKey('raw', unhex(keys[length]), 'AES-CTR', false, ['encrypt', 'decrypt']);
        for (const bits of [128, 64, 17]) {
            const algorithm = { name: 'AES-CTR', counter: unhex('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff'), length: bits };
            equal(hex(await subtle.encrypt(algorithm, key, unhex(blocks))), ctr[length]);
            equal(hex(await subtle.decrypt(algorithm, key, unhex(ctr[length]).subarray(0, 23))), blocks.slice(0, 46));
        }
    });
}
test('AES-CTR: a counter that wraps leaves the rest of the block as it is', async () => {
    const key = await subtle.importKey('raw', unhex(keys[128]), 'AES-CTR', false, ['encrypt']);
    const zeros = new Uint8Array(64);
    const stream = async (counter, length, count = 64) => hex(await subtle.encrypt({ name: 'AES-CTR', counter: unhex(counter), length }, key, zeros.subarray(0, count)));
    const block = async (counter) => stream(counter, 128, 16);
    const head = '000102030405060708090a0b0c0d0e';
    equal(await stream(`${head}fe`, 8, 48), await block(`${head}fe`) + await block(`${head}ff`) + await block(`${head}00`));
    equal(await stream(`${head}fe`, 128, 48), await block(`${head}fe`) + await block(`${head}ff`) + await block('000102030405060708090a0b0c0d0f00'));
    equal(await stream(`${head}0f`, 4, 32), await block(`${head}0f`) + await block(`${head}00`));
    equal(await stream('0001020304050607ffffffffffffffff', 64, 32), await block('0001020304050607ffffffffffffffff') + await block('00010203040506070000000000000000'));
    equal(await stream('00010203040506ffffffffffffffffff', 72, 32), await block('00010203040506ffffffffffffffffff') + await block('00010203040506000000000000000000'));
    equal(await stream('00010203040506ffffffffffffffffff', 73, 32), await block('00010203040506ffffffffffffffffff') + await block('00010203040507000000000000000000'));
    equal(await stream('ffffffffffffffffffffffffffffffff', 128, 32), await block('ffffffffffffffffffffffffffffffff') + await block('00000000000000000000000000000000'));
    equal(await stream(`${head}01`, 1, 32), await block(`${head}01`) + await block(`${head}00`));
});

// McGrew and Viega, The Galois/Counter Mode of Operation, appendix B: key, iv, additional data, text, ciphertext, tag
const feed = 'feedfacedeadbeeffeedfacedeadbeefabaddad2';
const plain = 'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39';
const gcm = [
    ['00000000000000000000000000000000', '000000000000000000000000', '', '', '', '58e2fccefa7e3061367f1d57a4e7455a'],
    ['00000000000000000000000000000000', '000000000000000000000000', '', '00000000000000000000000000000000', '0388dace60b6a392f328c2b971b2fe78', 'ab6e47d42cec13bdf53a67b21257bddf'],
    ['feffe9928665731c6d6a8f9467308308', 'cafebabefacedbaddecaf888', feed, plain,
        '42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091', '5bc94fbc3221a5db94fae95ae7121a47'],
    ['feffe9928665731c6d6a8f9467308308', 'cafebabefacedbad', feed, plain,
        '61353b4c2806934a777ff51fa22a4755699b2a714fcdc6f83766e5f97b6c742373806900e49f24b22b097544d4896b424989b5e1ebac0f07c23f4598', '3612d2e79e3b0785561be14aaca2fccb'],
    ['feffe9928665731c6d6a8f9467308308feffe9928665731c', 'cafebabefacedbaddecaf888', feed, plain,
        '3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710', '2519498e80f1478f37ba55bd6d27618c'],
    ['feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308', 'cafebabefacedbaddecaf888', feed, plain,
        '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662', '76fc6ece0f4e1768cddf8853bb2d551b'],
];
test('AES-GCM', async () => {
    for (const [raw, iv, additional, text, expected, tag] of gcm) {
        const key = await subtle.importKey('raw', unhex(raw), 'AES-GCM', true, ['encrypt', 'decrypt']);
        const algorithm = { name: 'AES-GCM', iv: unhex(iv), additionalData: unhex(additional) };
        equal(hex(await subtle.encrypt(algorithm, key, unhex(text))), expected + tag);
        equal(hex(await subtle.decrypt(algorithm, key, unhex(expected + tag))), text);
        for (const tagLength of [32, 64, 96, 104, 112, 120, 128]) {
            const cut = expected + tag.slice(0, tagLength / 4);
            equal(hex(await subtle.encrypt({ ...algorithm, tagLength }, key, unhex(text))), cut);
            equal(hex(await subtle.decrypt({ ...algorithm, tagLength }, key, unhex(cut))), text);
        }
    }
});

// RFC 3394, section 4: key, data, wrapped
const wraps = [
    ['000102030405060708090a0b0c0d0e0f', '00112233445566778899aabbccddeeff', '1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5'],
    ['000102030405060708090a0b0c0d0e0f1011121314151617', '00112233445566778899aabbccddeeff', '96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d'],
    ['000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', '00112233445566778899aabbccddeeff', '64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7'],
    ['000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', '00112233445566778899aabbccddeeff0001020304050607', 'a8f9bc1612c68b3ff6e6f4fbe30e71e4769c8b80a32cb8958cd5d17d6b254da1'],
    ['000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', '00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f',
        '28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21'],
];
test('AES-KW (RFC 3394)', async () => {
    for (const [raw, data, expected] of wraps) {
        const key = await subtle.importKey('raw', unhex(raw), 'AES-KW', false, ['wrapKey', 'unwrapKey']);
        const inner = await subtle.importKey('raw', unhex(data), 'AES-CBC', true, ['encrypt']);
        equal(hex(await subtle.wrapKey('raw', inner, key, 'AES-KW')), expected);
        const again = await subtle.unwrapKey('raw', unhex(expected), key, 'AES-KW', { name: 'HMAC', hash: 'SHA-1' }, true, ['sign']);
        equal(hex(await subtle.exportKey('raw', again)), data);
    }
});

// ---- Derivations ----

// RFC 5869, appendix A: hash, key, salt, info, output
const range = (from, to) => hex(Uint8Array.from({ length: to - from }, (_, i) => from + i));
const hkdf = [
    ['SHA-256', '0b'.repeat(22), '000102030405060708090a0b0c', 'f0f1f2f3f4f5f6f7f8f9', '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865'],
    ['SHA-256', range(0, 0x50), range(0x60, 0xb0), range(0xb0, 0x100),
        'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87'],
    ['SHA-256', '0b'.repeat(22), '', '', '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8'],
    ['SHA-1', '0b'.repeat(11), '000102030405060708090a0b0c', 'f0f1f2f3f4f5f6f7f8f9', '085a01ea1b10f36933068b56efa5ad81a4f14b822f5b091568a9cdd4f155fda2c22e422478d305f3f896'],
    ['SHA-1', '0c'.repeat(22), '', '', '2c91117204d745f3500d636a62f64f0ab3bae548aa53d423b0d1f27ebba6f5e5673a081d70cce7acfc48'],
];
test('HKDF (RFC 5869)', async () => {
    for (const [hash, raw, salt, info, expected] of hkdf) {
        const key = await subtle.importKey('raw', unhex(raw), 'HKDF', false, ['deriveBits', 'deriveKey']);
        const algorithm = { name: 'HKDF', hash, salt: unhex(salt), info: unhex(info) };
        equal(hex(await subtle.deriveBits(algorithm, key, expected.length * 4)), expected);
        const derived = await subtle.deriveKey(algorithm, key, { name: 'AES-CTR', length: 192 }, true, ['encrypt']);
        equal(hex(await subtle.exportKey('raw', derived)), expected.slice(0, 48));
    }
});

// RFC 6070, RFC 7914 section 11: hash, password, salt, iterations, output
const pbkdf2 = [
    ['SHA-1', 'password', 'salt', 1, '0c60c80f961f0e71f3a9b524af6012062fe037a6'], ['SHA-1', 'password', 'salt', 2, 'ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957'],
    ['SHA-1', 'password', 'salt', 4096, '4b007901b765489abead49d926f721d065a429c1'],
    ['SHA-1', 'passwordPASSWORDpassword', 'saltSALTsaltSALTsaltSALTsaltSALTsalt', 4096, '3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038'],
    ['SHA-1', 'pass\0word', 'sa\0lt', 4096, '56fa6aa75548099dcc37d7f03425e0c3'],
    ['SHA-256', 'passwd', 'salt', 1, '55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783'],
    ['SHA-256', 'Password', 'NaCl', 80000, '4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d'],
];
test('PBKDF2', async () => {
    for (const [hash, password, salt, iterations, expected] of pbkdf2) {
        const key = await subtle.importKey('raw', bytes(password), 'PBKDF2', false, ['deriveBits']);
        equal(hex(await subtle.deriveBits({ name: 'PBKDF2', hash, salt: bytes(salt), iterations }, key, expected.length * 4)), expected, `${password} ${iterations}`);
    }
});

// ---- Curve25519 ----

// RFC 8032, section 7.1: seed, public key, message, signature
const eddsa = [
    ['9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', '',
        'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b'],
    ['4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb', '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c', '72',
        '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00'],
    ['c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7', 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025', 'af82',
        '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a'],
];
const okp = (crv, d, x) => ({ kty: 'OKP', crv, x: url(unhex(x)), ...(d === undefined ? {} : { d: url(unhex(d)) }) });
test('Ed25519 (RFC 8032)', async () => {
    for (const [seed, raw, message, signature] of eddsa) {
        const privateKey = await subtle.importKey('jwk', okp('Ed25519', seed, raw), 'Ed25519', true, ['sign']);
        const publicKey = await subtle.importKey('raw', unhex(raw), 'Ed25519', true, ['verify']);
        equal(hex(await subtle.sign('Ed25519', privateKey, unhex(message))), signature);
        equal(await subtle.verify('Ed25519', publicKey, unhex(signature), unhex(message)), true);
        equal(await subtle.verify('Ed25519', publicKey, unhex(signature), unhex(`${message}00`)), false);
        equal(hex(await subtle.exportKey('pkcs8', privateKey)), `302e020100300506032b657004220420${seed}`); // RFC 8410
        equal(hex(await subtle.exportKey('spki', publicKey)), `302a300506032b6570032100${raw}`);
        equal(hex(await subtle.exportKey('raw', publicKey)), raw);
        const jwk = await subtle.exportKey('jwk', privateKey);
        same([jwk.kty, jwk.crv, jwk.x, jwk.d, jwk.ext, jwk.key_ops], ['OKP', 'Ed25519', url(unhex(raw)), url(unhex(seed)), true, ['sign']]);
        const again = await subtle.importKey('pkcs8', unhex(`302e020100300506032b657004220420${seed}`), { name: 'ed25519' }, false, ['sign']);
        equal(hex(await subtle.sign('Ed25519', again, unhex(message))), signature);
    }
});
test('X25519 (RFC 7748)', async () => {
    const alice = '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a';
    const bob = ['5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb', 'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f'];
    const shared = '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742';
    const mine = await subtle.importKey('jwk', okp('X25519', bob[0], bob[1]), 'X25519', true, ['deriveBits', 'deriveKey']);
    const other = await subtle.importKey('raw', unhex(alice), 'X25519', true, []);
    equal(hex(await subtle.deriveBits({ name: 'X25519', public: other }, mine, 256)), shared);
    equal(hex(await subtle.deriveBits({ name: 'X25519', public: other }, mine)), shared);
    equal(hex(await subtle.deriveBits({ name: 'X25519', public: other }, mine, 12)), '4a50');
    const derived = await subtle.deriveKey({ name: 'X25519', public: other }, mine, { name: 'HMAC', hash: 'SHA-256', length: 128 }, true, ['sign']);
    equal(hex(await subtle.exportKey('raw', derived)), shared.slice(0, 32));
    equal(hex(await subtle.exportKey('pkcs8', mine)), `302e020100300506032b656e04220420${bob[0]}`);
});

// ---- NIST's curves ----

const ec = (crv, x, y, d) => ({ kty: 'EC', crv, x: url(unhex(x)), y: url(unhex(y)), ...(d === undefined ? {} : { d: url(unhex(d)) }) });
// RFC 6979, appendix A.2.5: hash, message, signature
const p256 = ['60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6', '7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299',
    'c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721'];
const ecdsa = [
    ['SHA-256', 'sample', 'efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8'],
    ['SHA-256', 'test', 'f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083'],
    ['SHA-1', 'sample', '61340c88c3aaebeb4f6d667f672ca9759a6ccaa9fa8811313039ee4a35471d326d7f147dac089441bb2e2fe8f7a3fa264b9c475098fdcf6e00d7c996e1b8b7eb'],
    ['SHA-512', 'sample', '8496a60b5e9b47c825488827e0495b0e3fa109ec4568fd3f8d1097678eb97f002362ab1adbe2b8adf9cb9edab740ea6049c028114f2460f96554f61fae3302fe'],
];
test('ECDSA (RFC 6979)', async () => {
    const publicKey = await subtle.importKey('jwk', ec('P-256', p256[0], p256[1]), { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify']);
    const privateKey = await subtle.importKey('jwk', ec('P-256', ...p256), { name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign']);
    for (const [hash, message, signature] of ecdsa) {
        equal(await subtle.verify({ name: 'ECDSA', hash }, publicKey, unhex(signature), bytes(message)), true, `${hash} ${message}`);
        equal(await subtle.verify({ name: 'ECDSA', hash }, publicKey, unhex(signature), bytes(`${message}.`)), false);
        const own = await subtle.sign({ name: 'ECDSA', hash }, privateKey, bytes(message));
        equal(own.byteLength, 64);
        equal(await subtle.verify({ name: 'ECDSA', hash }, publicKey, own, bytes(message)), true);
    }
    equal(hex(await subtle.exportKey('raw', publicKey)), `04${p256[0]}${p256[1]}`);
    equal(hex(await subtle.exportKey('spki', publicKey)), `3059301306072a8648ce3d020106082a8648ce3d03010703420004${p256[0]}${p256[1]}`);
    const compressed = await subtle.importKey('raw', unhex(`03${p256[0]}`), { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify']);
    equal(hex(await subtle.exportKey('raw', compressed)), `04${p256[0]}${p256[1]}`);
    equal(hex(await subtle.exportKey('spki', compressed)), hex(await subtle.exportKey('spki', publicKey)));
});
test('ECDH (NIST CAVP, KAS ECC CDH)', async () => {
    const vectors = [
        ['P-256', '700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287', 'db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac',
            'ead218590119e8876b29146ff89ca61770c4edbbf97d38ce385ed281d8a6b230', '28af61281fd35e2fa7002523acc85a429cb06ee6648325389f59edfce1405141',
            '7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534', '46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b'],
    ];
    for (const [namedCurve, otherX, otherY, x, y, d, expected] of vectors) {
        const algorithm = { name: 'ECDH', namedCurve };
        const mine = await subtle.importKey('jwk', ec(namedCurve, x, y, d), algorithm, true, ['deriveBits']);
        const other = await subtle.importKey('raw', unhex(`04${otherX}${otherY}`), algorithm, true, []);
        equal(hex(await subtle.deriveBits({ name: 'ECDH', public: other }, mine, null)), expected);
        equal(hex(await subtle.deriveBits({ name: 'ECDH', public: other }, mine, 128)), expected.slice(0, 32));
        equal(hex(await subtle.deriveBits({ name: 'ECDH', public: other }, mine, 3)), (parseInt(expected.slice(0, 2), 16) & 0xE0).toString(16).padStart(2, '0'));
        equal((await subtle.deriveBits({ name: 'ECDH', public: other }, mine, 0)).byteLength, 0);
    }
});

// ---- JWS (RFC 7515, appendix A) ----

const rs256 = {
    kty: 'RSA', e: 'AQAB',
    n: 'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ',
};
const unurl = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (unit) => unit.charCodeAt(0));
const claims = 'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ';
test('RS256, ES256, ES512, HS256 (RFC 7515)', async () => {
    const rsa = await subtle.importKey('jwk', rs256, { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, true, ['verify']);
    same([rsa.algorithm.modulusLength, [...rsa.algorithm.publicExponent], rsa.algorithm.hash.name], [2048, [1, 0, 1], 'SHA-256']);
    const signature = 'cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw';
    ok(await subtle.verify('RSASSA-PKCS1-v1_5', rsa, unurl(signature), bytes(`eyJhbGciOiJSUzI1NiJ9.${claims}`)));
    const es256 = { kty: 'EC', crv: 'P-256', x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU', y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0' };
    const p = await subtle.importKey('jwk', es256, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify']);
    ok(await subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, p, unurl('DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q'), bytes(`eyJhbGciOiJFUzI1NiJ9.${claims}`)));
    const es512 = {
        kty: 'EC', crv: 'P-521', x: 'AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk',
        y: 'ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2',
    };
    const q = await subtle.importKey('jwk', es512, { name: 'ECDSA', namedCurve: 'P-521' }, true, ['verify']);
    const wide = 'AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn';
    ok(await subtle.verify({ name: 'ECDSA', hash: 'SHA-512' }, q, unurl(wide), bytes('eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA')));
    const hs256 = { kty: 'oct', k: 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow' };
    const h = await subtle.importKey('jwk', hs256, { name: 'HMAC', hash: 'SHA-256' }, true, ['verify']);
    ok(await subtle.verify('HMAC', h, unurl('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'), bytes(`eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.${claims}`)));
});

// ---- SHA-3 (FIPS 202) ----

test('SHA-3', async () => {
    equal(hex(await subtle.digest('SHA3-256', bytes(''))), 'a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a');
    equal(hex(await subtle.digest('sha3-256', bytes('abc'))), '3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532');
    equal(hex(await subtle.digest('SHA3-384', bytes('abc'))), 'ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25');
    equal(hex(await subtle.digest('SHA3-512', bytes('abc'))), 'b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0');
});
await done();
