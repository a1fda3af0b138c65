'use strict';
// @ts-check
// Text for people: quoting, widths, columns and the colours of a terminal. What inspect and the console are made of.

const {
    ArrayPrototypeJoin, ArrayPrototypePush, MathFloor, MathMax, MathMin, MathRound, MathSqrt, NumberPrototypeToString, StringPrototypeCharCodeAt,
    StringPrototypeCodePointAt, StringPrototypeIncludes, StringPrototypeIndexOf, StringPrototypePadStart, StringPrototypeRepeat,
    StringPrototypeSlice, StringPrototypeToUpperCase,
} = primordials;

/** Kind of value → escape sequences before and after (ECMA-48 SGR). */
const styles = {
    __proto__: null,
    special: ['\x1b[36m', '\x1b[39m'], number: ['\x1b[33m', '\x1b[39m'], bigint: ['\x1b[33m', '\x1b[39m'], boolean: ['\x1b[33m', '\x1b[39m'],
    undefined: ['\x1b[90m', '\x1b[39m'], null: ['\x1b[1m', '\x1b[22m'], string: ['\x1b[32m', '\x1b[39m'], symbol: ['\x1b[32m', '\x1b[39m'],
    date: ['\x1b[35m', '\x1b[39m'], regexp: ['\x1b[31m', '\x1b[39m'], module: ['\x1b[4m', '\x1b[24m'],
};

const shortEscapes = { __proto__: null, 8: '\\b', 9: '\\t', 10: '\\n', 12: '\\f', 13: '\\r', 92: '\\\\' };

/**
 * A string literal of `text`. The quote is ' unless that would need escapes and " or ` would not.
 * @param {string} text @param {string} [quote] given: this one; '' only escapes
 */
function escapeText(text, quote) {
    if (quote === undefined) {
        quote = "'";
        if (StringPrototypeIncludes(text, "'")) {
            if (!StringPrototypeIncludes(text, '"')) quote = '"';
            else if (!StringPrototypeIncludes(text, '`') && !StringPrototypeIncludes(text, '${')) quote = '`';
        }
    }
    let result = quote;
    let done = 0;
    for (let i = 0; i < text.length; i++) {
        const unit = StringPrototypeCharCodeAt(text, i);
        let escape;
        if (unit < 32 || unit === 92 || (unit >= 127 && unit < 160)) {
            escape = shortEscapes[unit];
            if (escape === undefined) escape = `\\x${StringPrototypePadStart(StringPrototypeToUpperCase(NumberPrototypeToString(unit, 16)), 2, '0')}`;
        } else if (unit === 39 && quote === "'") {
            escape = "\\'";
        } else if (unit >= 0xD800 && unit <= 0xDFFF) {
            const next = unit < 0xDC00 && i + 1 < text.length ? StringPrototypeCharCodeAt(text, i + 1) : 0;
            if (next >= 0xDC00 && next <= 0xDFFF) { i++; continue; }
            escape = `\\u${NumberPrototypeToString(unit, 16)}`;
        } else {
            continue;
        }
        result += StringPrototypeSlice(text, done, i) + escape;
        done = i + 1;
    }
    return (done === 0 ? result + text : result + StringPrototypeSlice(text, done)) + quote;
}

/** @returns {string[]} */
function split(text, separator) {
    const parts = [];
    let start = 0;
    for (;;) {
        const end = StringPrototypeIndexOf(text, separator, start);
        if (end < 0) break;
        ArrayPrototypePush(parts, StringPrototypeSlice(text, start, end));
        start = end + separator.length;
    }
    ArrayPrototypePush(parts, StringPrototypeSlice(text, start));
    return parts;
}

/** Indents every line but the first. */
function replaceNewlines(text, indentation) {
    if (indentation === 0 || !StringPrototypeIncludes(text, '\n')) return text;
    return ArrayPrototypeJoin(split(text, '\n'), `\n${StringPrototypeRepeat(' ', indentation)}`);
}

/** Length without SGR sequences. */
function plainLength(text, colored) {
    if (!colored) return text.length;
    let length = text.length;
    for (let start = StringPrototypeIndexOf(text, '\x1b['); start >= 0; start = StringPrototypeIndexOf(text, '\x1b[', start + 1)) {
        length -= StringPrototypeIndexOf(text, 'm', start) + 1 - start;
    }
    return length;
}

/** Columns that a terminal uses for text: 2 for wide characters, 0 for combining ones. */
function width(text, colored) {
    let columns = plainLength(text, colored);
    for (let i = 0; i < text.length; i++) {
        const unit = StringPrototypeCharCodeAt(text, i);
        if (unit < 0x300) continue;
        const point = StringPrototypeCodePointAt(text, i);
        if (point > 0xFFFF) { i++; columns--; }
        if (isZeroWidth(point)) columns--; else if (isWide(point)) columns++;
    }
    return columns;
}

function isZeroWidth(point) {
    return point <= 0x36F || (point >= 0x200B && point <= 0x200F) || (point >= 0x20D0 && point <= 0x20FF) || (point >= 0xFE00 && point <= 0xFE0F) ||
        (point >= 0xFE20 && point <= 0xFE2F) || (point >= 0xE0100 && point <= 0xE01EF);
}

function isWide(point) {
    return point >= 0x1100 && (point <= 0x115F || point === 0x2329 || point === 0x232A || (point >= 0x2E80 && point <= 0x3247 && point !== 0x303F) ||
        (point >= 0x3250 && point <= 0x4DBF) || (point >= 0x4E00 && point <= 0xA4C6) || (point >= 0xA960 && point <= 0xA97C) ||
        (point >= 0xAC00 && point <= 0xD7A3) || (point >= 0xF900 && point <= 0xFAFF) || (point >= 0xFE10 && point <= 0xFE19) ||
        (point >= 0xFE30 && point <= 0xFE6B) || (point >= 0xFF01 && point <= 0xFF60) || (point >= 0xFFE0 && point <= 0xFFE6) ||
        (point >= 0x1B000 && point <= 0x1B001) || (point >= 0x1F200 && point <= 0x1F251) || (point >= 0x1F300 && point <= 0x1F64F) ||
        (point >= 0x1F900 && point <= 0x1F9FF) || (point >= 0x20000 && point <= 0x3FFFD));
}

/**
 * Parts of an array in columns of even width, so that a hundred numbers take seven lines. How many columns: about as wide as high on a terminal, whose
 * cells are 2.5 times as high as wide, and never more than 15 or than fit.
 * @param {{breakLength: number, indentation: number, compact: number, colors: boolean, maxArrayLength: number}} context
 * @param {string[]} parts the last of which may be "... n more items"
 * @param {ArrayLike<unknown>} value what the parts show: numbers are aligned to the right
 */
function columns(context, parts, value) {
    const extra = context.maxArrayLength < parts.length ? 1 : 0;
    const count = parts.length - extra;
    const gap = 2;
    const widths = [];
    let total = 0;
    let widest = 0;
    for (let i = 0; i < count; i++) {
        const w = width(parts[i], context.colors);
        ArrayPrototypePush(widths, w);
        total += w + gap;
        if (w > widest) widest = w;
    }
    const cell = widest + gap;
    if (cell * 3 + context.indentation >= context.breakLength || !(total / cell > 5 || widest <= 6)) return parts;
    const typical = MathMax(cell - 3 - MathSqrt(cell - total / parts.length), 1);
    const across = MathMin(
        MathRound(MathSqrt(2.5 * typical * count) / typical), MathFloor((context.breakLength - context.indentation) / cell), context.compact * 4, 15);
    if (across <= 1) return parts;
    const columnWidths = [];
    for (let column = 0; column < across; column++) {
        let w = 0;
        for (let i = column; i < count; i += across) w = MathMax(w, widths[i]);
        ArrayPrototypePush(columnWidths, w + gap);
    }
    let right = value !== undefined;
    for (let i = 0; right && i < parts.length; i++) right = typeof value[i] === 'number' || typeof value[i] === 'bigint';
    const rows = [];
    for (let start = 0; start < count; start += across) {
        const end = MathMin(start + across, count);
        let row = '';
        for (let i = start; i < end; i++) {
            const last = i === end - 1;
            const text = last ? parts[i] : `${parts[i]}, `;
            const padding = StringPrototypeRepeat(' ', columnWidths[i - start] - widths[i] - gap);
            row += right ? padding + text : last ? text : text + padding;
        }
        ArrayPrototypePush(rows, row);
    }
    if (extra === 1) ArrayPrototypePush(rows, parts[count]);
    return rows;
}

/** The first `units` of a text, once its secrets are out of it: of one that is cut in two nobody would find the beginning. */
function cut(text, units) {
    if (text.length <= units) return text;
    return StringPrototypeSlice(ops.masked('') === undefined ? text : ops.masked(text), 0, units);
}

internal.text = { columns, cut, escapeText, plainLength, replaceNewlines, split, styles, width };
