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
test('brands are checked', () => {
    throws(() => TextEncoder.prototype.encode.call({}), 'TypeError');
    throws(() => TextDecoder.prototype.decode.call({}), 'TypeError');
    ok(Object.prototype.toString.call(new TextDecoder()) === '[object TextDecoder]');
});
await done();
