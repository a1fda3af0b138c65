'use strict';
// @ts-check
// Source maps, version 3 (https://tc39.es/ecma426/), from a position in what V8 ran to the position in what a person wrote.
//
// ops.sourceMap(script) gives the map's JSON for a loaded script. It is parsed at the first look-up of its script and kept; the mappings are decoded as far
// as the highest line asked for, because most look-ups of a bundle touch few lines. A bad map is ignored, and said once.

const {
    ArrayIsArray, ArrayPrototypeJoin, ArrayPrototypePop, ArrayPrototypePush, Error, JSONParse, ObjectPrototypeHasOwnProperty, SafeMap,
    StringPrototypeCharCodeAt, StringPrototypeEndsWith, StringPrototypeIndexOf, StringPrototypeLastIndexOf, StringPrototypeSlice,
    StringPrototypeStartsWith, cutOff,
} = primordials;

// Base64 digit of a character code, -1 for others.
const digits = [];
for (let i = 0; i < 128; i++) digits[i] = -1;
for (let i = 0; i < 64; i++) {
    digits[StringPrototypeCharCodeAt('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', i)] = i;
}

const comma = 44;
const semicolon = 59;

/** One decoded map. Lines and columns are 0-based here. */
class Mappings {
    /** @param {string} text @param {number} sourceCount */
    constructor(text, sourceCount) {
        this.text = text;
        this.sourceCount = sourceCount;
        this.offset = 0;
        this.source = 0;
        this.line = 0;
        this.column = 0;
        /** Per generated line the segments, four numbers each: generated column, source (-1: none), original line, original column. */
        this.lines = [];
    }

    decodeThrough(lastLine) {
        while (this.lines.length <= lastLine && this.offset <= this.text.length) ArrayPrototypePush(this.lines, this.decodeLine());
        return this.lines[lastLine];
    }

    decodeLine() {
        const { text } = this;
        const segments = [];
        let generated = 0;
        let sorted = true;
        while (this.offset < text.length) {
            const unit = StringPrototypeCharCodeAt(text, this.offset);
            if (unit === semicolon) break;
            if (unit === comma) { this.offset++; continue; }
            const delta = this.number();
            if (delta < 0) sorted = false;
            generated += delta;
            let source = -1;
            if (this.more()) {
                this.source += this.number();
                if (!this.more()) throw new Error('a segment has two fields');
                this.line += this.number();
                if (!this.more()) throw new Error('a segment has three fields');
                this.column += this.number();
                if (this.more()) this.number(); // index into names, not used
                if (this.more()) throw new Error('a segment has more than five fields');
                if (this.source < 0 || this.source >= this.sourceCount || this.line < 0 || this.column < 0) throw new Error('a segment points nowhere');
                source = this.source;
            }
            if (generated < 0) throw new Error('a segment has a negative column');
            ArrayPrototypePush(segments, generated, source, this.line, this.column);
        }
        this.offset++;
        return sorted ? segments : sortSegments(segments);
    }

    more() {
        if (this.offset >= this.text.length) return false;
        const unit = StringPrototypeCharCodeAt(this.text, this.offset);
        return unit !== comma && unit !== semicolon;
    }

    /** A base64 VLQ (https://tc39.es/ecma426/#sec-base64-vlq). */
    number() {
        let value = 0;
        let shift = 0;
        for (;;) {
            const unit = this.offset < this.text.length ? StringPrototypeCharCodeAt(this.text, this.offset++) : 0;
            const digit = unit < 128 ? digits[unit] : -1;
            if (digit < 0) throw new Error(`mappings break off at ${this.offset}`);
            if (shift > 30) throw new Error('a number is too large');
            value += (digit & 31) * 2 ** shift;
            if ((digit & 32) === 0) break;
            shift += 5;
        }
        const negative = value % 2 === 1;
        value = (value - (negative ? 1 : 0)) / 2;
        return negative ? -value : value;
    }
}
cutOff(Mappings);

/** Insertion sort by generated column: unsorted lines are rare and nearly sorted. */
function sortSegments(segments) {
    for (let i = 4; i < segments.length; i += 4) {
        const column = segments[i], source = segments[i + 1], line = segments[i + 2], original = segments[i + 3];
        let j = i - 4;
        for (; j >= 0 && segments[j] > column; j -= 4) {
            for (let k = 0; k < 4; k++) segments[j + 4 + k] = segments[j + k];
        }
        segments[j + 4] = column; segments[j + 5] = source; segments[j + 6] = line; segments[j + 7] = original;
    }
    return segments;
}

class SourceMap {
    /** @param {any} json @param {string} script */
    constructor(json, script) {
        if (json === null || typeof json !== 'object') throw new Error('it is no object');
        if (json.version !== 3) throw new Error(`its version is not 3`);
        this.sections = null;
        if (ObjectPrototypeHasOwnProperty(json, 'sections')) {
            this.sections = readSections(json.sections, script);
            return;
        }
        if (!ArrayIsArray(json.sources)) throw new Error('it has no sources');
        if (typeof json.mappings !== 'string') throw new Error('it has no mappings');
        const root = typeof json.sourceRoot === 'string' ? json.sourceRoot : '';
        this.sources = [];
        for (let i = 0; i < json.sources.length; i++) {
            const source = json.sources[i];
            ArrayPrototypePush(this.sources, typeof source === 'string' ? resolveSource(script, root, source) : null);
        }
        this.contents = ArrayIsArray(json.sourcesContent) ? json.sourcesContent : [];
        this.mappings = new Mappings(json.mappings, this.sources.length);
    }

    /** @returns {{source: string, line: number, column: number, content: string | null} | null} */
    find(line, column) {
        if (this.sections !== null) {
            for (let i = this.sections.length - 1; i >= 0; i--) {
                const section = this.sections[i];
                if (section.line > line || (section.line === line && section.column > column)) continue;
                return section.map.find(line - section.line, section.line === line ? column - section.column : column);
            }
            return null;
        }
        const segments = this.mappings.decodeThrough(line);
        if (segments === undefined || segments.length === 0) return null;
        let low = 0;
        let high = segments.length / 4; // the last segment whose column is at most `column` is below high
        while (low < high) {
            const middle = (low + high) >>> 1;
            if (segments[middle * 4] <= column) low = middle + 1; else high = middle;
        }
        if (low === 0) return null;
        const at = (low - 1) * 4;
        const index = segments[at + 1];
        if (index < 0 || this.sources[index] === null) return null;
        const content = this.contents[index];
        return { source: this.sources[index], line: segments[at + 2], column: segments[at + 3], content: typeof content === 'string' ? content : null };
    }
}
cutOff(SourceMap);

function readSections(sections, script) {
    if (!ArrayIsArray(sections)) throw new Error('its sections are no array');
    const result = [];
    for (let i = 0; i < sections.length; i++) {
        const { offset, map } = sections[i];
        if (ObjectPrototypeHasOwnProperty(map, 'sections')) throw new Error('its sections are nested');
        ArrayPrototypePush(result, { line: offset.line, column: offset.column, map: new SourceMap(map, script) });
    }
    return result;
}

/** Where `source` lies, told from the script the map belongs to (a path or a URL). */
function resolveSource(script, root, source) {
    if (root !== '') source = StringPrototypeEndsWith(root, '/') ? root + source : `${root}/${source}`;
    if (hasScheme(source)) return source;
    const scheme = hasScheme(script) ? StringPrototypeSlice(script, 0, StringPrototypeIndexOf(script, ':') + 1) : '';
    const rest = StringPrototypeSlice(script, scheme.length);
    let authority = '';
    let path = rest;
    if (scheme !== '' && StringPrototypeStartsWith(rest, '//')) {
        const end = StringPrototypeIndexOf(rest, '/', 2);
        authority = end < 0 ? rest : StringPrototypeSlice(rest, 0, end);
        path = end < 0 ? '/' : StringPrototypeSlice(rest, end);
    }
    const folder = StringPrototypeSlice(path, 0, StringPrototypeLastIndexOf(path, '/') + 1);
    return scheme + authority + withoutDots(StringPrototypeStartsWith(source, '/') ? source : folder + source);
}

function hasScheme(text) {
    const colon = StringPrototypeIndexOf(text, ':');
    if (colon < 2) return false;
    for (let i = 0; i < colon; i++) {
        const unit = StringPrototypeCharCodeAt(text, i) | 32;
        const letter = unit >= 97 && unit <= 122;
        if (!letter && (i === 0 || !(unit >= 48 && unit <= 57) && text[i] !== '+' && text[i] !== '-' && text[i] !== '.')) return false;
    }
    return true;
}

function withoutDots(path) {
    if (StringPrototypeIndexOf(path, './') < 0) return path;
    const parts = [];
    const rooted = path[0] === '/';
    for (let start = 0; start <= path.length;) {
        let end = StringPrototypeIndexOf(path, '/', start);
        if (end < 0) end = path.length;
        const part = StringPrototypeSlice(path, start, end);
        if (part === '..' && parts.length > 0 && parts[parts.length - 1] !== '..') ArrayPrototypePop(parts);
        else if (part === '..' ? !rooted : part !== '.' && part !== '') ArrayPrototypePush(parts, part);
        start = end + 1;
    }
    return (rooted ? '/' : '') + ArrayPrototypeJoin(parts, '/');
}

/** Script → SourceMap, or null when it has none that can be used. */
const maps = new SafeMap();
/** Original source → its text, for every map with sourcesContent that answered a look-up. */
const contents = new SafeMap();

function mapOf(script) {
    let map = maps.get(script);
    if (map !== undefined) return map;
    map = null;
    try {
        let text = ops.sourceMap(script);
        if (typeof text === 'string') {
            // A guard against inclusion as a script may stand before it (https://tc39.es/ecma426/#sec-json-over-http-transport).
            if (StringPrototypeStartsWith(text, ")]}'")) text = StringPrototypeSlice(text, StringPrototypeIndexOf(text, '\n') + 1);
            map = new SourceMap(JSONParse(text), script);
            maps.set(script, map);
        }
        // A script without a map is asked for again: it may not have been loaded yet.
    } catch (error) {
        ignore(script, error);
    }
    return map;
}

function ignore(script, error) {
    maps.set(script, null);
    let reason = '';
    try { reason = error.message; } catch { /* whatever JSON.parse threw */ }
    ops.print(2, `Warning: the source map of ${script} is ignored: ${reason}\n`);
}

/**
 * Where a position came from. Lines and columns are 1-based, as in a stack trace.
 * @param {string} script @param {number} line @param {number} column
 * @returns {{source: string, line: number, column: number} | null} null: no map, or nothing there
 */
internal.mapPosition = (script, line, column) => {
    const map = mapOf(script);
    if (map === null || !(line >= 1)) return null;
    let found;
    try {
        found = map.find(line - 1, column >= 1 ? column - 1 : 0);
    } catch (error) {
        ignore(script, error);
        return null;
    }
    if (found === null) return null;
    if (found.content !== null && contents.get(found.source) === undefined) contents.set(found.source, found.content);
    return { source: found.source, line: found.line + 1, column: found.column + 1 };
};

/** The text of an original source, when its map brought it along and a position in it was asked for. @returns {string | undefined} */
internal.mappedContent = (source) => contents.get(source);
