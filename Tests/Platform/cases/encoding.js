import { done, equal, ok, same, test, throws } from './assert.js';

const bytes = (...list) => new Uint8Array(list);
const decode = (list, label, options) => new TextDecoder(label, options).decode(bytes(...list));

test('UTF-8 there and back', () => {
    for (const text of ['', 'ascii', 'häß', '€', '😀', '\0', 'a'.repeat(10000), '日本語']) equal(new TextDecoder().decode(new TextEncoder().encode(text)), text);
    same([...new TextEncoder().encode('a\ud800b')], [97, 0xEF, 0xBF, 0xBD, 98]);
    same([...new TextEncoder().encode()], []);
    equal(new TextEncoder().encode('x').constructor, Uint8Array);
    equal(new TextEncoder().encoding, 'utf-8');
});
test('malformed UTF-8 becomes U+FFFD by maximal subparts, or throws when fatal', () => {
    const cases = [
        [[0xFF], '\uFFFD'], [[0xC3], '\uFFFD'], [[0xC3, 0x28], '\uFFFD('], [[0xE2, 0x82], '\uFFFD'], [[0xE2, 0x28, 0xA1], '\uFFFD(\uFFFD'], [[0xF0, 0x9F, 0x98], '\uFFFD'],
        [[0xED, 0xA0, 0x80], '\uFFFD\uFFFD\uFFFD'], [[0xC0, 0x80], '\uFFFD\uFFFD'], [[0xF4, 0x90, 0x80, 0x80], '\uFFFD\uFFFD\uFFFD\uFFFD'], [[0xF0, 0x9F, 0x41], '\uFFFDA'], [[0x80, 0x41], '\uFFFDA'],
    ];
    for (const [list, text] of cases) {
        equal(decode(list), text, list.join());
        throws(() => decode(list, 'utf-8', { fatal: true }), 'TypeError');
    }
});
test('byte order marks', () => {
    equal(decode([0xEF, 0xBB, 0xBF, 65]), 'A');
    equal(decode([0xEF, 0xBB, 0xBF, 65], 'utf-8', { ignoreBOM: true }), '\uFEFFA');
    equal(decode([0xEF, 0xBB, 0xBF, 0xEF, 0xBB, 0xBF]), '\uFEFF');
    equal(decode([0xFF, 0xFE, 65, 0], 'utf-16'), 'A');
});
test('streaming, cut at every place, is decoding whole', () => {
    const whole = new TextEncoder().encode('\uFEFFaé€😀z\uFEFF');
    for (let a = 0; a <= whole.length; a++) {
        for (let b = a; b <= whole.length; b++) {
            const decoder = new TextDecoder();
            const text = decoder.decode(whole.subarray(0, a), { stream: true }) + decoder.decode(whole.subarray(a, b), { stream: true }) + decoder.decode(whole.subarray(b));
            equal(text, 'aé€😀z\uFEFF', `${a} ${b}`);
            equal(decoder.decode(bytes(65)), 'A');
        }
    }
    const decoder = new TextDecoder();
    equal(decoder.decode(bytes(0xE2, 0x82), { stream: true }), '');
    equal(decoder.decode(), '\uFFFD');
    const fatal = new TextDecoder('utf-8', { fatal: true });
    equal(fatal.decode(bytes(0xE2), { stream: true }), '');
    throws(() => fatal.decode(bytes(0x41)), 'TypeError');
    equal(fatal.decode(bytes(0x41)), 'A');
});
test('UTF-16', () => {
    equal(decode([0x3D, 0xD8, 0x00, 0xDE, 65, 0], 'utf-16le'), '😀A');
    equal(decode([0xD8, 0x3D, 0xDE, 0x00, 0, 65], 'utf-16be'), '😀A');
    equal(decode([0x3D, 0xD8, 65, 0], 'utf-16le'), '\uFFFDA');
    equal(decode([65], 'utf-16le'), '\uFFFD');
    throws(() => decode([65], 'utf-16le', { fatal: true }), 'TypeError');
    const decoder = new TextDecoder('utf-16le');
    equal([0x3D, 0xD8, 0x00, 0xDE].map((byte) => decoder.decode(bytes(byte), { stream: true })).join('') + decoder.decode(), '😀');
});
test('windows-1252 under its names', () => {
    equal(decode([0x80, 0xE9, 0x9F, 0x81], 'latin1'), '€éŸ\x81');
    for (const label of ['ascii', 'iso-8859-1', ' WINDOWS-1252\n']) equal(new TextDecoder(label).encoding, 'windows-1252');
    equal(new TextDecoder('Unicode-1-1-UTF-8').encoding, 'utf-8');
    equal(new TextDecoder('ucs-2').encoding, 'utf-16le');
    throws(() => new TextDecoder('nonsense'), 'RangeError', 'nonsense');
});
// https://encoding.spec.whatwg.org/#names-and-labels, the number of labels of each
const labelCounts = {
    'utf-8': 6, 'ibm866': 4, 'iso-8859-2': 9, 'iso-8859-3': 9, 'iso-8859-4': 9, 'iso-8859-5': 8, 'iso-8859-6': 14, 'iso-8859-7': 12, 'iso-8859-8': 11, 'iso-8859-8-i': 3, 'iso-8859-10': 7,
    'iso-8859-13': 3, 'iso-8859-14': 3, 'iso-8859-15': 6, 'iso-8859-16': 1, 'koi8-r': 5, 'koi8-u': 2, 'macintosh': 4, 'windows-874': 6, 'windows-1250': 3, 'windows-1251': 3,
    'windows-1252': 17, 'windows-1253': 3, 'windows-1254': 12, 'windows-1255': 3, 'windows-1256': 3, 'windows-1257': 3, 'windows-1258': 3, 'x-mac-cyrillic': 2, 'gbk': 9, 'gb18030': 1,
    'big5': 5, 'euc-jp': 3, 'iso-2022-jp': 2, 'shift_jis': 8, 'euc-kr': 10, 'utf-16be': 2, 'utf-16le': 7, 'x-user-defined': 1,
};
test('every label', () => {
    const labels = (
        'unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8 866 cp866 csibm866 ibm866 csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2 ' +
        'csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3 csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4 ' +
        'csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988 arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6 iso-8859-6-e ' +
        'iso-8859-6-i iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987 csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso8859-7 iso88597 iso_8859-7 iso_8859-7:1987 ' +
        'sun_eu_greek csiso88598e csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-ir-138 iso8859-8 iso88598 iso_8859-8 iso_8859-8:1988 visual csiso88598i iso-8859-8-i logical csisolatin6 ' +
        'iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6 iso-8859-13 iso8859-13 iso885913 iso-8859-14 iso8859-14 iso885914 csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9 ' +
        'iso-8859-16 cskoi8r koi koi8 koi8-r koi8_r koi8-ru koi8-u csmacintosh mac macintosh x-mac-roman dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874 cp1250 windows-1250 x-cp1250 ' +
        'cp1251 windows-1251 x-cp1251 ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii windows-1252 ' +
        'x-cp1252 cp1253 windows-1253 x-cp1253 cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 latin5 windows-1254 x-cp1254 cp1255 windows-1255 ' +
        'x-cp1255 cp1256 windows-1256 x-cp1256 cp1257 windows-1257 x-cp1257 cp1258 windows-1258 x-cp1258 x-mac-cyrillic x-mac-ukrainian chinese csgb2312 csiso58gb231280 gb2312 gb_2312 ' +
        'gb_2312-80 gbk iso-ir-58 x-gbk gb18030 big5 big5-hkscs cn-big5 csbig5 x-x-big5 cseucpkdfmtjapanese euc-jp x-euc-jp csiso2022jp iso-2022-jp csshiftjis ms932 ms_kanji shift-jis ' +
        'shift_jis sjis windows-31j x-sjis cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 windows-949 unicodefffe utf-16be csunicode ' +
        'iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le x-user-defined').split(' ');
    const counts = {};
    for (const label of labels) {
        const name = new TextDecoder(label).encoding;
        equal(new TextDecoder(`\t\f ${label.toUpperCase()}\r\n`).encoding, name);
        counts[name] = (counts[name] ?? 0) + 1;
    }
    for (const name in labelCounts) equal(counts[name], labelCounts[name], name);
    equal(Object.keys(counts).length, 39);
    for (const bad of ['', ' ', 'replacement', 'csiso2022kr', 'hz-gb-2312', 'iso-2022-cn', 'iso-2022-kr', 'utf-7', 'utf-32', 'utf-8\0', '\u000Butf-8', '\u00A0utf-8', '\u212Aoi8-r', 'constructor', '__proto__']) {
        throws(() => new TextDecoder(bad), 'RangeError');
    }
});
test('legacy encodings: streams, errors, what is given back', () => {
    const cases = [
        ['shift_jis', [0x82, 0xA0, 0x41], 'あA'], ['shift_jis', [0x82, 0x20], '\uFFFD '], ['shift_jis', [0x82, 0xFF, 0x41], '\uFFFDA'], ['shift_jis', [0x82], '\uFFFD'], ['shift_jis', [0x80, 0xB1], '\x80ｱ'],
        ['gb18030', [0x81, 0x30, 0x81, 0x30], '\x80'], ['gb18030', [0x81, 0x30, 0x81], '\uFFFD'], ['gb18030', [0x81, 0x30, 0x20], '\uFFFD0 '], ['gb18030', [0x90, 0x30, 0x81, 0x30], '\u{10000}'],
        ['gb18030', [0xE3, 0x32, 0x9A, 0x36], '\uFFFD'], ['gb18030', [0xA3, 0xA0, 0xA6, 0xD9], '\u3000\uFE10'], ['gbk', [0x80, 0x84, 0x31, 0x95, 0x33], '€\uFEFF'],
        ['big5', [0x88, 0x62, 0x88, 0xA5], 'Ê̄ê̌'], ['big5', [0x81, 0x41], '\uFFFDA'], ['big5', [0xF9, 0xFE], '\uFFED'], ['big5', [0x89, 0x40], '\u{2A3A9}'],
        ['euc-jp', [0x8F, 0xB0, 0xA1, 0x8E, 0xB1, 0xA4, 0xA2], '丂ｱあ'], ['euc-jp', [0x8F, 0xA1], '\uFFFD'], ['euc-jp', [0x8F, 0xA1, 0x41], '\uFFFDA'], ['euc-jp', [0x8E, 0x41], '\uFFFDA'],
        ['euc-kr', [0xB0, 0xA1, 0xC9, 0xA1], '가\uFFFD'], ['euc-kr', [0xB0, 0x20], '\uFFFD '],
        ['iso-2022-jp', [0x1B, 0x24, 0x42, 0x24, 0x22, 0x1B, 0x28, 0x42, 0x41], 'あA'], ['iso-2022-jp', [0x1B, 0x24, 0x42, 0x1B, 0x28, 0x42], '\uFFFD'], ['iso-2022-jp', [0x1B, 0x28, 0x49, 0x31], 'ｱ'],
        ['iso-2022-jp', [0x1B, 0x28, 0x4A, 0x5C, 0x7E], '¥‾'], ['iso-2022-jp', [0x1B, 0x24, 0x41], '\uFFFD$A'], ['iso-2022-jp', [0x1B, 0x24], '\uFFFD$'], ['iso-2022-jp', [0x0E, 0x80], '\uFFFD\uFFFD'],
        ['x-user-defined', [0x41, 0x80, 0xFF], 'A\uF780\uF7FF'], ['windows-1253', [0xAA, 0xC1], '\uFFFDΑ'], ['koi8-u', [0xAE, 0xBE], 'ўЎ'], ['macintosh', [0xF0, 0xDB], '\uF8FF€'], ['iso-8859-16', [0xA4, 0xAA], '€Ș'],
        ['utf-16be', [0xD8, 0x3D, 0xD8, 0x3D, 0xDE, 0x00], '\uFFFD😀'], ['utf-16le', [0x00, 0xDC, 0x41, 0x00], '\uFFFDA'], ['utf-16le', [0x3D, 0xD8, 0x00], '\uFFFD'],
    ];
    for (const [label, list, text] of cases) {
        equal(decode(list, label), text, `${label} ${list}`);
        for (let cut = 0; cut <= list.length; cut++) {
            const decoder = new TextDecoder(label);
            equal(decoder.decode(bytes(...list.slice(0, cut)), { stream: true }) + decoder.decode(bytes(...list.slice(cut))), text, `${label} ${list} cut at ${cut}`);
            equal(decoder.decode(bytes(65, 66)), decode([65, 66], label), 'afterwards');
        }
        const fatal = new TextDecoder(label, { fatal: true });
        if (text.includes('\uFFFD')) equal(throws(() => fatal.decode(bytes(...list)), 'TypeError').code, 'ERR_ENCODING_INVALID_ENCODED_DATA');
        else equal(fatal.decode(bytes(...list)), text);
        equal(fatal.decode(bytes(65, 66)), decode([65, 66], label), 'after an error');
    }
});
test('arguments are converted in order; a buffer taken away meanwhile is empty', () => {
    const order = [];
    const note = (name, value) => ({ toString() { order.push(name); return value; } });
    throws(() => new TextDecoder(note('label', 'nonsense'), { get ignoreBOM() { order.push('ignoreBOM'); }, get fatal() { order.push('fatal'); } }), 'RangeError');
    same(order, ['label', 'fatal', 'ignoreBOM']);
    for (const label of ['utf-8', 'shift_jis']) {
        for (const view of [(b) => b, (b) => new Uint8Array(b), (b) => new DataView(b), (b) => new Uint16Array(b)]) {
            const buffer = new ArrayBuffer(8);
            equal(new TextDecoder(label).decode(view(buffer), { get stream() { structuredClone(buffer, { transfer: [buffer] }); return false; } }), '');
            equal(new TextDecoder(label).decode(buffer), '');
        }
        equal(new TextDecoder(label).decode(new Uint8Array(new SharedArrayBuffer(2))), '\0\0');
    }
});
test('TextDecoderStream of a legacy encoding', async () => {
    const stream = new TextDecoderStream('shift_jis');
    const writer = stream.writable.getWriter();
    const read = (async () => { let text = ''; for await (const chunk of stream.readable) text += `${chunk}|`; return text; })();
    for (const byte of [0x82, 0xA0, 0x41, 0x82]) await writer.write(bytes(byte));
    await writer.close();
    equal(await read, 'あ|A|\uFFFD|');
    equal(stream.encoding, 'shift_jis');
});
test('what decode takes', () => {
    const buffer = new Uint8Array([65, 66, 67, 68]).buffer;
    equal(new TextDecoder().decode(buffer), 'ABCD');
    equal(new TextDecoder().decode(new DataView(buffer, 1, 2)), 'BC');
    equal(new TextDecoder().decode(new Uint16Array(buffer, 2)), 'CD');
    equal(new TextDecoder().decode(undefined), '');
    throws(() => new TextDecoder().decode('text'), 'TypeError');
    throws(() => new TextDecoder().decode([65]), 'TypeError');
});
test('encodeInto writes whole characters only', () => {
    const target = new Uint8Array(5);
    same(new TextEncoder().encodeInto('a€😀', target), { read: 2, written: 4 });
    same([...target], [97, 0xE2, 0x82, 0xAC, 0]);
    same(new TextEncoder().encodeInto('😀', new Uint8Array(4)), { read: 2, written: 4 });
    same(new TextEncoder().encodeInto('', new Uint8Array(0)), { read: 0, written: 0 });
    throws(() => new TextEncoder().encodeInto('a', new Uint16Array(4)), 'TypeError');
});
test('atob and btoa', () => {
    for (const text of ['', 'a', 'ab', 'abc', 'abcd', '\0\xff', '\x00\x01\x02\xfd\xfe\xff']) equal(atob(btoa(text)), text);
    same([btoa('hello'), atob(' aGV\nsbG8 = '), atob('aGVsbG8'), atob('YQ'), atob(null)], ['aGVsbG8=', 'hello', 'hello', 'a', '\x9eée']);
    for (const bad of ['a', 'abc=d', 'ab=', '====', '=', 'a===', 'ab===', 'YQ=', 'aGVsbG8==', 'é', 'a-b_', undefined]) throws(() => atob(bad), 'InvalidCharacterError');
    equal(throws(() => btoa('€'), 'InvalidCharacterError').code, 5);
    throws(() => btoa(), 'TypeError');
    let all = '';
    for (let i = 0; i < 70000; i++) all += String.fromCharCode(i % 256);
    equal(atob(btoa(all)), all);
});
test('after an error in the middle of a stream the decoder is where it was', () => {
    const decoder = new TextDecoder('iso-2022-jp', { fatal: true });
    throws(() => decoder.decode(new Uint8Array([0x1B, 0x24, 0x42, 0x5F, 0xBE]), { stream: true }), 'TypeError');
    equal(decoder.decode(new Uint8Array([0x30, 0x42])), '安');
    equal(decoder.decode(new Uint8Array([0x30, 0x42])), '0B');
    throws(() => decoder.decode(new Uint8Array([0x1B, 0x24, 0x42, 0x5F, 0xBE])), 'TypeError');
    equal(decoder.decode(new Uint8Array([0x30, 0x42])), '0B');
});
test('long texts are what short ones are', () => {
    const size = 200000; // outside of V8's heap
    const ascii = new Uint8Array(size).fill(97);
    const text = new TextDecoder().decode(ascii);
    ok(text === 'a'.repeat(size) && text.slice(5, 8) === 'aaa' && JSON.parse(`"${text}"`) === text && /^a+$/.test(text));
    ascii[size - 1] = 0xE9;
    const latin = new TextDecoder('latin1').decode(ascii);
    equal(latin.length + latin.at(-1), `${size}é`);
    equal(new TextDecoder().decode(ascii).at(-1), '\uFFFD');
    const mixed = 'aß€😀'.repeat(size);
    ok(new TextDecoder().decode(new TextEncoder().encode(mixed)) === mixed);
    const key = {};
    key[text] = 1;
    ok(key['a'.repeat(size)] === 1 && structuredClone(mixed) === mixed);
});
test('brands are checked', () => {
    throws(() => TextEncoder.prototype.encode.call({}), 'TypeError');
    throws(() => TextDecoder.prototype.decode.call({}), 'TypeError');
    ok(Object.prototype.toString.call(new TextDecoder()) === '[object TextDecoder]');
});
await done();
