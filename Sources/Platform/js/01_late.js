'use strict';
// @ts-check
// V8 gives a realm part of the language only after it has come out of a snapshot (10.2: Atomics, SharedArrayBuffer, WebAssembly, Object.hasOwn,
// Array.prototype.at, findLast). What touches these waits until the host calls `complete`, before any user code, at every boot.

const { ArrayPrototypePush, uncurryThis } = primordials;

const tasks = [];

/** Runs `task` once the realm has everything. Not for a task that makes what belongs into the snapshot. */
internal.whenComplete = (task) => { ArrayPrototypePush(tasks, task); };

internal.complete = () => {
    for (let i = 0; i < tasks.length; i++) tasks[i]();
    tasks.length = 0;
};

/** The primordials of what comes late. */
const late = internal.late = { AtomicsStore: undefined, SharedArrayBufferPrototypeGetByteLength: undefined };

internal.whenComplete(() => {
    late.AtomicsStore = Atomics.store;
    late.SharedArrayBufferPrototypeGetByteLength =
        uncurryThis(Reflect.getOwnPropertyDescriptor(SharedArrayBuffer.prototype, 'byteLength').get);
});
