// Replaces every function of the language that a program can reach by one that throws, for the tests of hostile programs.
const { defineProperty } = Object;
const all = [
    Array.prototype, String.prototype, RegExp.prototype, Map.prototype, Set.prototype, WeakMap.prototype, Function.prototype, Number.prototype, Date.prototype, Error.prototype, Symbol.prototype, BigInt.prototype,
    Object.prototype, Object.getPrototypeOf(Uint8Array.prototype), Uint8Array.prototype, ArrayBuffer.prototype, Math, JSON, Reflect, Object, Array, String, Number, Object.getPrototypeOf([][Symbol.iterator]()),
    Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())), Object.getPrototypeOf(new Map().entries()), Promise.prototype, Promise,
];
const { getOwnPropertyDescriptor, ownKeys } = Reflect;

/** What it did, to be undone. */
function patch() {
    const undo = [];
    let undone = 0;
    for (let i = 0; i < all.length; i++) {
        const keys = ownKeys(all[i]);
        for (let k = 0; k < keys.length; k++) {
            const key = keys[k];
            // These the language itself calls, or are needed to undo.
            if (key === 'constructor' || key === 'prototype' || key === Symbol.hasInstance || (all[i] === Object.prototype && typeof key === 'string' && key !== 'toString' && key !== 'valueOf')) continue;
            const descriptor = getOwnPropertyDescriptor(all[i], key);
            if (!descriptor.configurable) continue;
            const isAccessor = descriptor.get !== undefined || descriptor.set !== undefined;
            if (!isAccessor && typeof descriptor.value !== 'function') continue;
            const name = typeof key === 'symbol' ? 'a symbol' : key;
            const bomb = function () { throw new TypeError('patched ' + name + ' was used'); };
            undo[undone++] = [all[i], key, descriptor];
            defineProperty(all[i], key, isAccessor ? { get: bomb, configurable: true } : { value: bomb, writable: true, configurable: true });
        }
    }
    return { undo, undone };
}

function restore({ undo, undone }) {
    for (let i = undone - 1; i >= 0; i--) defineProperty(undo[i][0], undo[i][1], undo[i][2]);
}

/** Runs it under patches. */
export function patched(run) {
    const done = patch();
    try {
        return run();
    } finally {
        restore(done);
    }
}

/** The same until its promise has settled. */
export async function patchedUntil(run) {
    const done = patch();
    try {
        return await run();
    } finally {
        restore(done);
    }
}
