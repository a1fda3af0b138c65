'use strict';
// 'node:async_hooks': AsyncLocalStorage and AsyncResource on the mechanism that carries the tracing context, so both go the same ways.
// <https://nodejs.org/api/async_context.html>, <https://github.com/wintercg/proposal-common-minimum-api>

const { trace: core } = internal;
const { Context, Span, withValue, valueOf, valuesOf, storesOf, runInContext } = core;
const { TypeError } = primordials;

const spanOf = (value) => value === undefined || value instanceof Span ? value : value._span;
const withStore = (value, key, store) => new Context(spanOf(value), valuesOf(value), withValue(storesOf(value), key, store));

class AsyncLocalStorage {
    #default;
    #name = '';
    constructor(options = undefined) {
        if (options === undefined || options === null) return;
        this.#default = options.defaultValue;
        if (options.name !== undefined) this.#name = `${options.name}`;
    }
    get name() { return this.#name; }
    run(store, callback, ...args) {
        return runInContext(withStore(ops.context(), this, store), callback, undefined, args);
    }
    exit(callback, ...args) { return runInContext(withStore(ops.context(), this, undefined), callback, undefined, args); }
    getStore() {
        const store = valueOf(storesOf(ops.context()), this);
        return store === undefined ? this.#default : store;
    }
    enterWith(store) {
        ops.setContext(withStore(ops.context(), this, store));
    }
    disable() { ops.setContext(withStore(ops.context(), this, undefined)); }
    static bind(fn) { return AsyncResource.bind(fn); }
    static snapshot() {
        const captured = ops.context();
        return (fn, ...args) => runInContext(captured, fn, undefined, args);
    }
}

let lastId = 1; // 1 is the program itself, as in Node

class AsyncResource {
    #captured;
    #id = ++lastId;
    constructor(type) {
        if (typeof type !== 'string') throw new TypeError('The "type" argument must be of type string');
        this.#captured = ops.context();
    }
    runInAsyncScope(fn, receiver, ...args) { return runInContext(this.#captured, fn, receiver, args); }
    bind(fn, receiver) {
        if (typeof fn !== 'function') throw new TypeError('The "fn" argument must be of type function');
        const captured = this.#captured;
        return function (...args) { return runInContext(captured, fn, receiver ?? this, args); };
    }
    emitDestroy() { return this; }
    asyncId() { return this.#id; }
    triggerAsyncId() { return 1; } // who caused what is told by spans, not by ids
    static bind(fn, type, receiver) { return new AsyncResource(type ?? (fn.name || 'bound-anonymous-fn')).bind(fn, receiver); }
}

internal.builtins.set('node:async_hooks', { AsyncLocalStorage, AsyncResource, default: { AsyncLocalStorage, AsyncResource } });
