'use strict';
// @ts-check
// The modules that are built in: `import … from 'sidelight'`, 'node:process' and so on. Each file of this folder adds its own here;
// the host turns them into synthetic modules.

const { ArrayPrototypePush, ObjectKeys, SafeMap } = primordials;

/** Specifier → object whose own properties are the exports, 'default' included where there is one; or a function that makes it once. */
internal.builtins = new SafeMap();

/** @returns {string[]} the specifiers */
internal.builtinNames = () => {
    const names = [];
    internal.builtins.forEach((_, name) => ArrayPrototypePush(names, name));
    return names;
};

/** @param {string} name @returns {object | undefined} the exports; undefined when there is no such module */
internal.builtin = (name) => {
    let exports = internal.builtins.get(name);
    if (typeof exports === 'function') {
        exports = exports();
        internal.builtins.set(name, exports);
    }
    return exports;
};

/** @param {string} name @returns {string[]} the names a synthetic module of it exports */
internal.builtinExports = (name) => ObjectKeys(internal.builtin(name));

const loaded = new SafeMap();

/**
 * What `late/NAME.js` returns. It is compiled and run when first asked for, and is in no snapshot, so it costs nobody who does not.
 * @param {string} name
 */
internal.load = (name) => {
    let value = loaded.get(name);
    if (value === undefined) {
        value = ops.lateSource(name)(ops, internal, primordials);
        loaded.set(name, value);
    }
    return value;
};

// Module → file of late/ that returns its exports.
const lateModules = [
    'assert', 'assert', 'assert/strict', 'assert_strict', 'buffer', 'buffer', 'crypto', 'crypto', 'diagnostics_channel', 'diagnostics_channel', 'events', 'events', 'os', 'os',
    'path', 'path', 'path/posix', 'path_posix', 'path/win32', 'path_win32', 'punycode', 'punycode', 'querystring', 'querystring',
    'string_decoder', 'string_decoder', 'url', 'url_module', 'util', 'util', 'util/types', 'util_types',
];
for (let i = 0; i < lateModules.length; i += 2) {
    const file = lateModules[i + 1];
    internal.builtins.set(`node:${lateModules[i]}`, () => internal.load(file));
}
