'use strict';
// @ts-check
// The globals that belong to no standard's file: Node's `Buffer` and `global`. And the originals of all others, for the node: modules, which are loaded when
// a program may have replaced them.

const { ObjectDefineProperty, ReflectGetOwnPropertyDescriptor, uncurryThis } = primordials;

const names = [
    'AbortController', 'AbortSignal', 'Blob', 'Event', 'EventTarget', 'File', 'TextDecoder', 'TextEncoder', 'URL', 'URLPattern', 'URLSearchParams', 'atob', 'btoa', 'clearImmediate',
    'clearInterval', 'clearTimeout', 'console', 'process', 'queueMicrotask', 'setImmediate', 'setInterval', 'setTimeout',
];

/** Name → the platform's own value of that global. */
internal.globals = { __proto__: null };
for (let i = 0; i < names.length; i++) internal.globals[names[i]] = globalThis[names[i]];

/** Name → what reads that attribute of a URL; in `set`, what writes it. */
internal.urlAttributes = { __proto__: null, set: { __proto__: null } };
const attributes = ['protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash', 'href'];
for (let i = 0; i < attributes.length; i++) {
    const { get, set } = ReflectGetOwnPropertyDescriptor(internal.globals.URL.prototype, attributes[i]);
    internal.urlAttributes[attributes[i]] = uncurryThis(get);
    internal.urlAttributes.set[attributes[i]] = uncurryThis(set);
}

/** A global that is made when it is first asked for, and a property like any other once it has been set. */
function defineLate(name, enumerable, make) {
    ObjectDefineProperty(globalThis, name, {
        __proto__: null, enumerable, configurable: true,
        get: { [name]() { return make(); } }[name],
        set: { [name](value) { ObjectDefineProperty(globalThis, name, { __proto__: null, value, writable: true, enumerable, configurable: true }); } }[name],
    });
}

defineLate('Buffer', false, () => internal.load('buffer_core').Buffer);
ObjectDefineProperty(globalThis, 'global', { __proto__: null, value: globalThis, writable: true, enumerable: false, configurable: true });
