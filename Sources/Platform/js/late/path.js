'use strict';
// @ts-check
// node:path: https://nodejs.org/api/path.html. Two flavours, each an object whose members know nothing of `this`.

const {
    ArrayPrototypeJoin, ArrayPrototypePop, ArrayPrototypePush, StringPrototypeCharCodeAt, StringPrototypeEndsWith, StringPrototypeLastIndexOf,
    StringPrototypeSlice,
} = primordials;
const { define, invalidType, requireObject, requireString, withDefault } = internal.load('node_errors');

const slash = 47, dot = 46;

/**
 * A path without ".", ".." and empty segments. ".." above the start stays when `keepsAbove`.
 * @param {(unit: number) => boolean} isSeparator
 */
function normalizeSegments(path, keepsAbove, separator, isSeparator) {
    const kept = [];
    let above = 0; // of `kept`, how many are ".."
    let start = 0;
    for (let i = 0; i <= path.length; i++) {
        if (i < path.length && !isSeparator(StringPrototypeCharCodeAt(path, i))) continue;
        const segment = StringPrototypeSlice(path, start, i);
        start = i + 1;
        if (segment === '' || segment === '.') continue;
        if (segment !== '..') {
            ArrayPrototypePush(kept, segment);
        } else if (kept.length > above) {
            ArrayPrototypePop(kept);
        } else if (keepsAbove) {
            ArrayPrototypePush(kept, '..');
            above++;
        }
    }
    return ArrayPrototypeJoin(kept, separator);
}

/** Where the last segment begins and ends, trailing separators left out. `from`: what stands before is a root. */
function lastSegment(path, from, isSeparator) {
    let end = path.length;
    while (end > from && isSeparator(StringPrototypeCharCodeAt(path, end - 1))) end--;
    let start = end;
    while (start > from && !isSeparator(StringPrototypeCharCodeAt(path, start - 1))) start--;
    return { start, end };
}

function extensionOf(base) {
    const at = StringPrototypeLastIndexOf(base, '.');
    return at <= 0 || base === '..' ? '' : StringPrototypeSlice(base, at);
}

function withoutSuffix(path, base, suffix) {
    if (suffix === undefined || suffix.length === 0 || suffix.length > path.length) return base;
    if (suffix === path) return '';
    if (suffix.length >= base.length || !StringPrototypeEndsWith(base, suffix)) return base;
    return StringPrototypeSlice(base, 0, base.length - suffix.length);
}

function formatWith(separator, parts) {
    requireObject(parts, 'pathObject');
    const dir = parts.dir || parts.root;
    let { ext } = parts;
    if (ext && ext[0] !== '.') ext = `.${ext}`;
    const base = parts.base || `${parts.name || ''}${ext || ''}`;
    if (!dir) return base;
    return dir === parts.root ? `${dir}${base}` : `${dir}${separator}${base}`;
}

/** How many units `from` and `to` share, up to the last separator that both have; -1: they part before the first. */
function commonLength(from, to, isSeparator) {
    const shorter = from.length < to.length ? from.length : to.length;
    let last = -1;
    let i = 0;
    for (; i < shorter; i++) {
        const unit = StringPrototypeCharCodeAt(from, i);
        if (unit !== StringPrototypeCharCodeAt(to, i)) return last;
        if (isSeparator(unit)) last = i;
    }
    // One is the beginning of the other.
    if (from.length === to.length) return last < 0 ? 0 : last;
    const longer = from.length > to.length ? from : to;
    return isSeparator(StringPrototypeCharCodeAt(longer, i)) ? i : last < 0 ? 0 : last;
}

/** "../.." for every segment of `rest`. */
function stepsUp(rest, separator, isSeparator) {
    let text = '';
    let inSegment = false;
    for (let i = 0; i <= rest.length; i++) {
        const isEnd = i === rest.length || isSeparator(StringPrototypeCharCodeAt(rest, i));
        if (isEnd && inSegment) text += text === '' ? '..' : `${separator}..`;
        inSegment = !isEnd;
    }
    return text;
}

// ---- POSIX ----

const isSlash = (unit) => unit === slash;
const startsWithSlash = (path) => path.length > 0 && StringPrototypeCharCodeAt(path, 0) === slash;

const posix = {
    resolve(...paths) {
        let resolved = '';
        let isAbsolute = false;
        for (let i = paths.length - 1; i >= -1 && !isAbsolute; i--) {
            const path = i >= 0 ? paths[i] : ops.cwd();
            requireString(path, `paths[${i}]`);
            if (path === '') continue;
            resolved = `${path}/${resolved}`;
            isAbsolute = startsWithSlash(path);
        }
        resolved = normalizeSegments(resolved, !isAbsolute, '/', isSlash);
        if (isAbsolute) return `/${resolved}`;
        return resolved === '' ? '.' : resolved;
    },
    normalize(path) {
        requireString(path, 'path');
        if (path === '') return '.';
        const isAbsolute = startsWithSlash(path);
        const isFolder = StringPrototypeCharCodeAt(path, path.length - 1) === slash;
        let result = normalizeSegments(path, !isAbsolute, '/', isSlash);
        if (result === '') {
            if (isAbsolute) return '/';
            return isFolder ? './' : '.';
        }
        if (isFolder) result += '/';
        return isAbsolute ? `/${result}` : result;
    },
    isAbsolute(path) {
        requireString(path, 'path');
        return startsWithSlash(path);
    },
    join(...paths) {
        let joined = '';
        for (let i = 0; i < paths.length; i++) {
            requireString(paths[i], 'path');
            if (paths[i] !== '') joined += joined === '' ? paths[i] : `/${paths[i]}`;
        }
        return joined === '' ? '.' : posix.normalize(joined);
    },
    relative(from, to) {
        requireString(from, 'from');
        requireString(to, 'to');
        if (from === to) return '';
        from = posix.resolve(from);
        to = posix.resolve(to);
        if (from === to) return '';
        const tail = from === '/' ? '' : from;
        const target = to === '/' ? '' : to;
        const common = commonLength(tail, target, isSlash);
        const up = stepsUp(StringPrototypeSlice(tail, common < 0 ? 0 : common), '/', isSlash);
        let down = StringPrototypeSlice(target, common < 0 ? 0 : common);
        if (startsWithSlash(down) && up === '') down = StringPrototypeSlice(down, 1);
        return up + (down === '' || startsWithSlash(down) || up === '' ? down : `/${down}`);
    },
    toNamespacedPath: (path) => path,
    dirname(path) {
        requireString(path, 'path');
        if (path === '') return '.';
        const hasRoot = startsWithSlash(path);
        const { start, end } = lastSegment(path, 1, isSlash);
        // The separators before the last segment belong to neither side; of a root's two slashes both are kept, as POSIX allows.
        let at = start;
        if (end === start || start <= 1) return hasRoot ? '/' : '.';
        at = start - 1;
        if (hasRoot && at === 1) return '//';
        return StringPrototypeSlice(path, 0, at);
    },
    basename(path, suffix) {
        if (suffix !== undefined) requireString(suffix, 'suffix');
        requireString(path, 'path');
        const { start, end } = lastSegment(path, 0, isSlash);
        return withoutSuffix(path, StringPrototypeSlice(path, start, end), suffix);
    },
    extname(path) {
        requireString(path, 'path');
        const { start, end } = lastSegment(path, 0, isSlash);
        return extensionOf(StringPrototypeSlice(path, start, end));
    },
    format: (pathObject) => formatWith('/', pathObject),
    parse(path) {
        requireString(path, 'path');
        const root = startsWithSlash(path) ? '/' : '';
        const { start, end } = lastSegment(path, root.length, isSlash);
        const base = StringPrototypeSlice(path, start, end);
        const ext = extensionOf(base);
        let dir = root;
        if (start > root.length) dir = StringPrototypeSlice(path, 0, start - 1);
        return { root, dir, base, ext, name: StringPrototypeSlice(base, 0, base.length - ext.length) };
    },
    sep: '/',
    delimiter: ':',
    win32: null,
    posix: null,
};
define(posix, { _makeLong: posix.toNamespacedPath });

internal.pathParts = { commonLength, extensionOf, formatWith, invalidType, lastSegment, normalizeSegments, stepsUp, withoutSuffix };
const win32 = internal.load('path_windows');
posix.posix = win32.posix = posix;
posix.win32 = win32.win32 = win32;
return withDefault(posix);
