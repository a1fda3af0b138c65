// TextDecoder of every encoding, whole and in pieces; TextEncoder.
import { outcome, run, times } from './cases.mjs';

const labels = [
    'utf-8', 'utf-8', 'utf-8', 'utf-16le', 'utf-16be', 'ibm866', 'iso-8859-2', 'iso-8859-3', 'iso-8859-5', 'iso-8859-6', 'iso-8859-7', 'iso-8859-8', 'iso-8859-10', 'iso-8859-13', 'iso-8859-14',
    'iso-8859-15', 'iso-8859-16', 'koi8-r', 'koi8-u', 'macintosh', 'windows-874', 'windows-1250', 'windows-1251', 'windows-1252', 'windows-1253', 'windows-1254', 'windows-1255', 'windows-1256',
    'windows-1257', 'windows-1258', 'x-mac-cyrillic', 'gbk', 'gb18030', 'big5', 'euc-jp', 'iso-2022-jp', 'shift_jis', 'euc-kr', 'x-user-defined', ' Latin1\n', 'ascii', 'replacement', 'utf-7', 'unicode',
];
const pieces = [
    [0xEF, 0xBB, 0xBF], [0xFF, 0xFE], [0xFE, 0xFF], [0xC3, 0xA4], [0xE2, 0x82, 0xAC], [0xF0, 0x9F, 0x98, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xC0, 0x80], [0xE0, 0x80], [0xF0, 0x9F],
    [0x80], [0xFF], [0x3D, 0xD8], [0x00, 0xDE], [0x1B, 0x24, 0x42], [0x1B, 0x28, 0x4A], [0x30, 0x42], [0x81, 0x30, 0x81, 0x30], [0x84, 0x31, 0xA4, 0x37], [0xA4, 0xA2], [0x8F, 0xB0, 0xA1], [0x88, 0x62],
];
const bytes = (random) => Uint8Array.from(times(random, 8, () => random.chance(0.4) ? random.pick(pieces) : times(random, 12, () => random.chance(0.6) ? 32 + random.below(95) : random.below(256))).flat());
const texts = ['', 'a', 'abc', 'ä', '€', '\u{1f600}', '\ud83d', '\ude00', 'x'.repeat(40), '漢字'];

await run((random) => {
    if (random.chance(0.25)) {
        const text = times(random, 8, () => random.pick(texts)).join('');
        const room = random.below(30);
        const target = new Uint8Array(room + 2).fill(7);
        return [[text, room], [[...new TextEncoder().encode(text)], new TextEncoder().encodeInto(text, target.subarray(0, room)), [...target]]];
    }
    const label = random.pick(labels);
    const options = { fatal: random.chance(0.3), ignoreBOM: random.chance(0.3) };
    const input = random.chance(0.05) ? Uint8Array.from({ length: 70000 + random.below(3) }, (_, i) => (i % 1000 === 999 && random.chance(0.5) ? 0xC3 : 97)) : bytes(random);
    const cuts = times(random, 3, () => random.below(input.length + 1)).sort((a, b) => a - b);
    const result = outcome(() => {
        const decoder = new TextDecoder(label, options);
        const whole = outcome(() => decoder.decode(input));
        const parts = [decoder.encoding];
        let at = 0;
        for (const cut of cuts) {
            parts.push(outcome(() => decoder.decode(input.subarray(at, cut), { stream: true })));
            at = cut;
        }
        parts.push(outcome(() => decoder.decode(input.subarray(at))), outcome(() => decoder.decode(input)));
        return input.length > 1000 ? [whole.length, parts.map((part) => part.length), hash(whole + parts.join(''))] : [whole, ...parts];
    });
    return [[label, options, input.length > 1000 ? input.length : [...input], cuts], result];
});

function hash(text) {
    let value = 0;
    for (let i = 0; i < text.length; i++) value = Math.imul(value, 31) + text.charCodeAt(i) | 0;
    return value;
}
