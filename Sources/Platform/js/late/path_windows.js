'use strict';
// @ts-check
// path.win32: paths of Windows by text alone (https://nodejs.org/api/path.html). Both separators are read, "\" is written. path.js loads it.

const {
    StringPrototypeCharCodeAt, StringPrototypeIncludes, StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeStartsWith,
    StringPrototypeToLowerCase,
} = primordials;
const { commonLength, extensionOf, formatWith, lastSegment, normalizeSegments, stepsUp, withoutSuffix } = internal.pathParts;
delete internal.pathParts;
const { define, requireString } = internal.load('node_errors');

const isSeparator = (unit) => unit === 47 || unit === 92;
const isLetter = (unit) => (unit >= 65 && unit <= 90) || (unit >= 97 && unit <= 122);
const separatorAt = (path, i) => i < path.length && isSeparator(StringPrototypeCharCodeAt(path, i));

/** The end of what begins at i: a run of separators, or of anything else. */
function runEnd(path, i, ofSeparators) {
    while (i < path.length && isSeparator(StringPrototypeCharCodeAt(path, i)) === ofSeparators) i++;
    return i;
}

/**
 * What a path begins with: "C:", "\\server\share" or nothing (`device`, with its separators as they are to be written), whether it is absolute, and where its
 * root ends. `isWholeShare`: nothing follows the share.
 */
function rootOf(path) {
    if (separatorAt(path, 0)) {
        if (separatorAt(path, 1)) {
            const serverEnd = runEnd(path, 2, false);
            if (serverEnd > 2 && serverEnd < path.length) {
                const shareStart = runEnd(path, serverEnd, true);
                const shareEnd = runEnd(path, shareStart, false);
                if (shareStart < path.length) {
                    const server = StringPrototypeSlice(path, 2, serverEnd);
                    const isNamespace = server === '.' || server === '?';
                    const device = isNamespace ? `\\\\${server}` : `\\\\${server}\\${StringPrototypeSlice(path, shareStart, shareEnd)}`;
                    if (isNamespace) return { device, isAbsolute: true, end: 4, isWholeShare: false };
                    return { device, isAbsolute: true, end: shareEnd, isWholeShare: shareEnd === path.length };
                }
            }
        }
        return { device: '', isAbsolute: true, end: 1, isWholeShare: false };
    }
    if (path.length >= 2 && StringPrototypeCharCodeAt(path, 1) === 58 && isLetter(StringPrototypeCharCodeAt(path, 0))) {
        const isAbsolute = separatorAt(path, 2);
        return { device: StringPrototypeSlice(path, 0, 2), isAbsolute, end: isAbsolute ? 3 : 2, isWholeShare: false };
    }
    return { device: '', isAbsolute: false, end: 0, isWholeShare: false };
}

/** Whether the beginning is a drive letter and a colon: the part that basename and extname leave out. */
const driveEnd = (path) => (path.length >= 2 && isLetter(StringPrototypeCharCodeAt(path, 0)) && StringPrototypeCharCodeAt(path, 1) === 58 ? 2 : 0);

/** A relative path must not come to name a drive: "x/../C:/y" stays below where one is. */
function keepRelative(path, tail) {
    if (driveEnd(tail) === 2) return `.\\${tail}`;
    let at = StringPrototypeIndexOf(path, ':');
    while (at >= 0) {
        if (at === path.length - 1 || separatorAt(path, at + 1)) return `.\\${tail}`;
        at = StringPrototypeIndexOf(path, ':', at + 1);
    }
    return tail;
}

function normalize(path) {
    requireString(path, 'path');
    if (path === '') return '.';
    if (path.length === 1) return path === '/' ? '\\' : path;
    const { device, isAbsolute, end, isWholeShare } = rootOf(path);
    if (isWholeShare) return `${device}\\`;
    let tail = end < path.length ? normalizeSegments(StringPrototypeSlice(path, end), !isAbsolute, '\\', isSeparator) : '';
    if (tail === '' && !isAbsolute) tail = '.';
    if (tail !== '' && separatorAt(path, path.length - 1)) tail += '\\';
    if (!isAbsolute && device === '' && StringPrototypeIncludes(path, ':')) return keepRelative(path, tail);
    return isAbsolute ? `${device}\\${tail}` : device + tail;
}

function resolve(...paths) {
    let device = '';
    let tail = '';
    let isAbsolute = false;
    for (let i = paths.length - 1; i >= -1; i--) {
        let path;
        if (i >= 0) {
            path = paths[i];
            requireString(path, `paths[${i}]`);
            if (path === '') continue;
        } else {
            path = ops.cwd();
        }
        const root = rootOf(path);
        if (root.device !== '') {
            if (device !== '') {
                if (StringPrototypeToLowerCase(root.device) !== StringPrototypeToLowerCase(device)) continue;
            } else {
                device = root.device;
            }
        }
        if (isAbsolute) {
            if (device !== '') break;
            continue;
        }
        tail = `${StringPrototypeSlice(path, root.end)}\\${tail}`;
        isAbsolute = root.isAbsolute;
        if (isAbsolute && device !== '') break;
    }
    tail = normalizeSegments(tail, !isAbsolute, '\\', isSeparator);
    if (isAbsolute) return `${device}\\${tail}`;
    return `${device}${tail}` || '.';
}

function join(...paths) {
    let joined;
    let first;
    for (let i = 0; i < paths.length; i++) {
        requireString(paths[i], 'path');
        if (paths[i] === '') continue;
        if (joined === undefined) joined = first = paths[i]; else joined += `\\${paths[i]}`;
    }
    if (joined === undefined) return '.';
    // Two separators at the start name a server only when the first part itself says so: "//server", not "/" and "/a".
    const isServer = separatorAt(first, 0) && separatorAt(first, 1) && first.length > 2 && !separatorAt(first, 2);
    if (!isServer) {
        const start = runEnd(joined, 0, true);
        if (start >= 2) joined = `\\${StringPrototypeSlice(joined, start)}`;
    }
    return normalize(joined);
}

function trimSeparators(path) {
    const start = runEnd(path, 0, true);
    let end = path.length;
    while (end - 1 > start && isSeparator(StringPrototypeCharCodeAt(path, end - 1))) end--;
    return { start, end };
}

function relative(from, to) {
    requireString(from, 'from');
    requireString(to, 'to');
    if (from === to) return '';
    const fromPath = resolve(from);
    const toPath = resolve(to);
    if (fromPath === toPath) return '';
    const fromLower = StringPrototypeToLowerCase(fromPath);
    const toLower = StringPrototypeToLowerCase(toPath);
    if (fromLower === toLower) return '';
    const a = trimSeparators(fromPath);
    const b = trimSeparators(toPath);
    const fromText = StringPrototypeSlice(fromLower, a.start, a.end);
    const toText = StringPrototypeSlice(toLower, b.start, b.end);
    const common = commonLength(fromText, toText, isSeparator);
    // Another drive, or another server or share: there is no way there.
    if (common < 0) return toPath;
    const up = stepsUp(StringPrototypeSlice(fromText, common), '\\', isSeparator);
    const target = StringPrototypeSlice(toPath, b.start, b.end);
    let down = StringPrototypeSlice(target, common);
    if (separatorAt(down, 0)) down = StringPrototypeSlice(down, 1);
    if (up === '') return down;
    return down === '' ? up : `${up}\\${down}`;
}

function toNamespacedPath(path) {
    if (typeof path !== 'string' || path === '') return path;
    const resolved = resolve(path);
    if (resolved.length <= 2) return path;
    if (StringPrototypeStartsWith(resolved, '\\\\')) {
        if (resolved[2] !== '?' && resolved[2] !== '.') return `\\\\?\\UNC\\${StringPrototypeSlice(resolved, 2)}`;
    } else if (driveEnd(resolved) === 2 && resolved[2] === '\\') {
        return `\\\\?\\${resolved}`;
    }
    return resolved;
}

/** Where the root ends for dirname and parse, which leave its text as it is. */
function rootEnd(path) {
    if (!separatorAt(path, 0)) {
        const drive = driveEnd(path);
        return drive === 2 && separatorAt(path, 2) ? 3 : drive;
    }
    if (!separatorAt(path, 1)) return 1;
    const serverEnd = runEnd(path, 2, false);
    if (serverEnd === 2 || serverEnd === path.length) return 1;
    const shareStart = runEnd(path, serverEnd, true);
    if (shareStart === path.length) return 1;
    const shareEnd = runEnd(path, shareStart, false);
    return shareEnd === path.length ? shareEnd : shareEnd + 1;
}

function dirname(path) {
    requireString(path, 'path');
    if (path === '') return '.';
    if (path.length === 1) return separatorAt(path, 0) ? path : '.';
    const root = rootEnd(path);
    if (root === path.length && separatorAt(path, 0) && separatorAt(path, 1) && root > 1) return path;
    const { start, end } = lastSegment(path, root, isSeparator);
    if (start > root && end > start) return StringPrototypeSlice(path, 0, start - 1);
    return root === 0 ? '.' : StringPrototypeSlice(path, 0, root);
}

function basename(path, suffix) {
    if (suffix !== undefined) requireString(suffix, 'suffix');
    requireString(path, 'path');
    const { start, end } = lastSegment(path, driveEnd(path), isSeparator);
    return withoutSuffix(path, StringPrototypeSlice(path, start, end), suffix);
}

function extname(path) {
    requireString(path, 'path');
    const { start, end } = lastSegment(path, driveEnd(path), isSeparator);
    return extensionOf(StringPrototypeSlice(path, start, end));
}

function parse(path) {
    requireString(path, 'path');
    if (path === '') return { root: '', dir: '', base: '', ext: '', name: '' };
    const root = rootEnd(path);
    const rootText = StringPrototypeSlice(path, 0, root);
    if (root === path.length) return { root: rootText, dir: rootText, base: '', ext: '', name: '' };
    const { start, end } = lastSegment(path, root, isSeparator);
    const base = StringPrototypeSlice(path, start, end);
    const ext = extensionOf(base);
    return {
        root: rootText, dir: start > root ? StringPrototypeSlice(path, 0, start - 1) : rootText, base, ext,
        name: StringPrototypeSlice(base, 0, base.length - ext.length),
    };
}

const win32 = {
    resolve, normalize,
    isAbsolute(path) {
        requireString(path, 'path');
        return separatorAt(path, 0) || (driveEnd(path) === 2 && separatorAt(path, 2));
    },
    join, relative, toNamespacedPath, dirname, basename, extname, format: (pathObject) => formatWith('\\', pathObject), parse,
    sep: '\\', delimiter: ';', win32: null, posix: null,
};
define(win32, { _makeLong: toNamespacedPath });
return win32;
