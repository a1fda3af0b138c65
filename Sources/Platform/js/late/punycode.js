'use strict';
// @ts-check
// node:punycode (https://nodejs.org/api/punycode.html), by RFC 3492.

const {
    ArrayPrototypeJoin, ArrayPrototypePush, ArrayPrototypeSplice, MathFloor, RangeError, StringFromCodePoint, StringPrototypeCharCodeAt,
    StringPrototypeCodePointAt, StringPrototypeIndexOf, StringPrototypeLastIndexOf, StringPrototypeSlice, StringPrototypeStartsWith,
    StringPrototypeToLowerCase,
} = primordials;
const { withDefault } = internal.load('node_errors');

// RFC 3492 section 5.
const base = 36, tMin = 1, tMax = 26, skew = 38, damp = 700, initialBias = 72, initialN = 128;
const max = 2147483647;

function adapt(delta, count, isFirst) {
    delta = isFirst ? MathFloor(delta / damp) : delta >> 1;
    delta += MathFloor(delta / count);
    let k = 0;
    for (; delta > (base - tMin) * tMax >> 1; k += base) delta = MathFloor(delta / (base - tMin));
    return MathFloor(k + (base - tMin + 1) * delta / (delta + skew));
}

const digitText = (digit) => StringFromCodePoint(digit + (digit < 26 ? 97 : 22));

function digitOf(unit) {
    if (unit >= 48 && unit < 58) return unit - 22;
    const lower = unit | 32;
    return lower >= 97 && lower <= 122 ? lower - 97 : base;
}

function refuse(message) { return new RangeError(message); }

function pointsOf(text) {
    const points = [];
    for (let i = 0; i < text.length; i++) {
        const unit = StringPrototypeCharCodeAt(text, i);
        const next = i + 1 < text.length ? StringPrototypeCharCodeAt(text, i + 1) : 0;
        if (unit >= 0xD800 && unit < 0xDC00 && next >= 0xDC00 && next < 0xE000) {
            ArrayPrototypePush(points, StringPrototypeCodePointAt(text, i));
            i++;
        } else {
            ArrayPrototypePush(points, unit);
        }
    }
    return points;
}

function textOf(points) {
    let text = '';
    for (let i = 0; i < points.length; i++) text += StringFromCodePoint(points[i]);
    return text;
}

const threshold = (k, bias) => (k <= bias ? tMin : k >= bias + tMax ? tMax : k - bias);

/** RFC 3492 section 6.2 */
function decode(input) {
    const points = [];
    const delimiter = StringPrototypeLastIndexOf(input, '-');
    for (let i = 0; i < delimiter; i++) {
        const unit = StringPrototypeCharCodeAt(input, i);
        if (unit >= 0x80) throw refuse('Illegal input >= 0x80 (not a basic code point)');
        ArrayPrototypePush(points, unit);
    }
    let n = initialN, bias = initialBias, i = 0;
    for (let at = delimiter > 0 ? delimiter + 1 : 0; at < input.length;) {
        const before = i;
        for (let weight = 1, k = base; ; k += base) {
            if (at >= input.length) throw refuse('Invalid input');
            const digit = digitOf(StringPrototypeCharCodeAt(input, at++));
            if (digit >= base) throw refuse('Invalid input');
            if (digit > MathFloor((max - i) / weight)) throw refuse('Overflow: input needs wider integers to process');
            i += digit * weight;
            const t = threshold(k, bias);
            if (digit < t) break;
            if (weight > MathFloor(max / (base - t))) throw refuse('Overflow: input needs wider integers to process');
            weight *= base - t;
        }
        const count = points.length + 1;
        bias = adapt(i - before, count, before === 0);
        n += MathFloor(i / count);
        if (n > 0x10FFFF) throw refuse('Overflow: input needs wider integers to process');
        i %= count;
        ArrayPrototypeSplice(points, i++, 0, n);
    }
    return textOf(points);
}

/** RFC 3492 section 6.3 */
function encode(input) {
    const points = pointsOf(`${input}`);
    let output = '';
    for (let i = 0; i < points.length; i++) if (points[i] < 0x80) output += StringFromCodePoint(points[i]);
    let handled = output.length;
    const basic = handled;
    if (basic > 0) output += '-';
    let n = initialN, delta = 0, bias = initialBias;
    while (handled < points.length) {
        let m = max;
        for (let i = 0; i < points.length; i++) if (points[i] >= n && points[i] < m) m = points[i];
        if (m - n > MathFloor((max - delta) / (handled + 1))) throw refuse('Overflow: input needs wider integers to process');
        delta += (m - n) * (handled + 1);
        n = m;
        for (let i = 0; i < points.length; i++) {
            if (points[i] < n) delta++;
            if (points[i] !== n) continue;
            let q = delta;
            for (let k = base; ; k += base) {
                const t = threshold(k, bias);
                if (q < t) break;
                output += digitText(t + (q - t) % (base - t));
                q = MathFloor((q - t) / (base - t));
            }
            output += digitText(q);
            bias = adapt(delta, handled + 1, handled === basic);
            delta = 0;
            handled++;
        }
        delta++;
        n++;
    }
    return output;
}

const dots = '.\u3002\uFF0E\uFF61';

/** Each label by `change`; a mail address keeps what is before the "@". */
function eachLabel(domain, change) {
    const at = StringPrototypeIndexOf(domain, '@');
    const start = at < 0 ? '' : StringPrototypeSlice(domain, 0, at + 1);
    const labels = [];
    let label = '';
    for (let i = start.length; i <= domain.length; i++) {
        if (i === domain.length || StringPrototypeIndexOf(dots, domain[i]) >= 0) {
            ArrayPrototypePush(labels, change(label));
            label = '';
        } else {
            label += domain[i];
        }
    }
    return start + ArrayPrototypeJoin(labels, '.');
}

function isASCII(text) {
    for (let i = 0; i < text.length; i++) if (StringPrototypeCharCodeAt(text, i) > 0x7F) return false;
    return true;
}

return withDefault({
    version: '2.1.0',
    ucs2: { decode: pointsOf, encode: textOf },
    decode, encode,
    toASCII: (domain) => eachLabel(domain, (label) => (isASCII(label) ? label : `xn--${encode(label)}`)),
    toUnicode: (domain) => eachLabel(domain, (label) => (StringPrototypeStartsWith(label, 'xn--') ? decode(StringPrototypeToLowerCase(StringPrototypeSlice(label, 4))) : label)),
});
