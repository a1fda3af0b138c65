'use strict';
// 'node:async_hooks': AsyncLocalStorage and AsyncResource on the mechanism that carries the tracing context, so both go the same ways.
// <https://nodejs.org/api/async_context.html>, <https://github.com/wintercg/proposal-common-minimum-api>

const { trace: core } = internal;
const { Context, Span, withValue, valueOf, valuesOf, storesOf, runInContext } = core;
const { TypeError } = primordials;

const spanOf = (value) => value === undefined || value instanceof Span ? value : value._span;
const withStore = (value, key, store) => new Context(spanOf(value), valuesOf(value), withValue(storesOf(value), key, store));

class AsyncLocalStorage {
    run(store, callback, ...args) {
        return runInContext(withStore(ops.context(), this, store), callback, undefined, args);
    }
    exit(callback, ...args) { return runInContext(withStore(ops.context(), this, undefined), callback, undefined, args); }
    getStore() { return valueOf(storesOf(ops.context()), this); }
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

class AsyncResource {
    #captured;
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
    asyncId() { return 0; }
    triggerAsyncId() { return 0; }
    static bind(fn, type, receiver) { return new AsyncResource(type ?? (fn.name || 'bound-anonymous-fn')).bind(fn, receiver); }
}

internal.builtins.set('node:async_hooks', { AsyncLocalStorage, AsyncResource, default: { AsyncLocalStorage, AsyncResource } });
