'use strict';
// @ts-check
// What the program's policy closes (docs/policy.md), for what is decided where JavaScript asks: workers, random values, algorithms, variables. The host decides, at
// one place (Runtime/PolicyGate.swift); here is only whether it needs to be asked. fetch, modules and code of strings never come by here.

const { MathRandom, ObjectDefineProperty, Proxy, ReflectConstruct, ReflectDeleteProperty, ReflectGetOwnPropertyDescriptor, SafeSet } = primordials;

/** Permission -> whether the host is to be asked. */
const closed = { __proto__: null, worker: false, random: false, crypto: false, clock: false };

/** Variables that the policy hides, or in an audit all there are: asking for one is told to the host. */
const watched = new SafeSet();

/** A generator whose numbers are the same in each run (https://prng.di.unimi.it/splitmix64.c, in 32 bits): for Math.random where there is to be no randomness. */
function makeRepeatable() {
    let state = 0x9E3779B9;
    return () => {
        state = state + 0x9E3779B9 | 0;
        let z = state;
        z = (z ^ z >>> 16) * 0x21F0AAAD | 0;
        z = (z ^ z >>> 15) * 0x735A2D97 | 0;
        return ((z ^ z >>> 15) >>> 0) / 4294967296;
    };
}

/** Math.random throws nothing, as programs expect of it. That it is used is told once. */
function replaceRandom(random) {
    let isTold = false;
    const methods = {
        random() {
            if (!isTold) {
                ops.noteAccess('random', '');
                isTold = true;
            }
            return random();
        },
    };
    ObjectDefineProperty(globalThis.Math, 'random', { __proto__: null, value: methods.random, writable: true, enumerable: false, configurable: true });
}

/** In an audit memory that threads share is there, and its use is told: a coarse clock is none with it. */
function tellSharedMemory() {
    const { SharedArrayBuffer, WebAssembly } = globalThis;
    const tell = () => { ops.noteAccess('clock', ''); };
    const define = (value) => { ObjectDefineProperty(globalThis, 'SharedArrayBuffer', { __proto__: null, value, writable: true, enumerable: false, configurable: true }); };
    const accessors = {
        get SharedArrayBuffer() {
            tell();
            define(SharedArrayBuffer);
            return SharedArrayBuffer;
        },
        set SharedArrayBuffer(value) { define(value); },
    };
    const { get, set } = ReflectGetOwnPropertyDescriptor(accessors, 'SharedArrayBuffer');
    ObjectDefineProperty(globalThis, 'SharedArrayBuffer', { __proto__: null, get, set, enumerable: false, configurable: true });
    const Memory = new Proxy(WebAssembly.Memory, {
        __proto__: null,
        construct(target, args, newTarget) {
            const memory = ReflectConstruct(target, args, newTarget);
            if (internal.encoding.isShared(memory.buffer)) tell();
            return memory;
        },
    });
    ObjectDefineProperty(WebAssembly.Memory.prototype, 'constructor', { __proto__: null, value: Memory, writable: true, enumerable: false, configurable: true });
    ObjectDefineProperty(WebAssembly, 'Memory', { __proto__: null, value: Memory, writable: true, enumerable: false, configurable: true });
}

internal.policy = {
    /** Throws what the program is to see, where the policy does not allow it. @param {string} permission @param {string} [name] of what */
    check(permission, name = '') { if (closed[permission]) ops.checkAccess(permission, name); },

    /** Whether there are variables whose use is told. */
    isWatching: () => watched.size > 0,

    /** The program looks at a variable. */
    looksAt(name) { if (typeof name === 'string' && watched.has(name)) ops.noteAccess('environment', name); },

    /** @param {{closed: string[], watched: string[], isCoarse: boolean, isAudited: boolean, isFrozen: boolean}} policy */
    start(policy) {
        for (let i = 0; i < policy.closed.length; i++) closed[policy.closed[i]] = true;
        for (let i = 0; i < policy.watched.length; i++) watched.add(policy.watched[i]);
        if (closed.random) replaceRandom(policy.isAudited ? MathRandom : makeRepeatable());
        if (closed.clock && policy.isAudited) tellSharedMemory();
        // A counter in shared memory would be a clock. The host has seen to WebAssembly's memories.
        if (policy.isCoarse) ReflectDeleteProperty(globalThis, 'SharedArrayBuffer');
    },
};
