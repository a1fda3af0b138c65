'use strict';
// WebAssembly as V8 has it, with a span around what takes time (compile and instantiate), modules that come over the network, and compiled code that is
// kept on disk between runs.
// <https://webassembly.github.io/spec/js-api/>, <https://webassembly.github.io/spec/web-api/>
//
// V8's own compileStreaming is never the program's: it is the door through which a module's bytes go in piece by piece, and stored code with them
// (sl_v8.h). It is called with a number, the stream's name, and has made the stream one microtask later.

const { trace: core } = internal;
const {
    ArrayBufferIsView, ArrayPrototypePush, ArrayPrototypeSplice, ReflectApply, ReflectConstruct, ReflectDefineProperty, ReflectSetPrototypeOf,
    RegExpPrototypeExec, StringPrototypeToLowerCase, TypedArrayPrototypeGetLength, TypedArrayPrototypeGetSymbolToStringTag, TypeError, Uint8Array,
    WeakRef, WeakRefPrototypeDeref,
} = primordials;

/** Modules that may be stored when the run is over; the oldest are forgotten. */
const modulesMax = 64;
/** Smaller ones compile faster than a file is read. Bytes. */
const storedBytesMin = 16 << 10;

const compiled = [];
let lastStream = 0;

/** Stored at the end of the run when it still lives and V8 has optimised more of it than is stored. */
function remember(module) {
    if (compiled.length >= modulesMax) ArrayPrototypeSplice(compiled, 0, 1);
    ArrayPrototypePush(compiled, new WeakRef(module));
    return module;
}

function sizeOf(source) {
    const bytes = internal.encoding.bytesOf(source);
    return bytes === undefined ? undefined : TypedArrayPrototypeGetLength(bytes);
}

/** A DataView is a buffer source like any other, which V8 10.2 does not know: the same bytes as what it knows. */
function known(source) {
    const isDataView = ArrayBufferIsView(source) && TypedArrayPrototypeGetSymbolToStringTag(source) === undefined;
    return isDataView ? internal.encoding.bytesOf(source) : source;
}

/** One span of work on `bytes` bytes, under whatever span was active when it began. */
function report(name, start, bytes, stored, parent, error) {
    if (!core.isEnabled()) return;
    const attributes = bytes === undefined ? undefined : { 'wasm.module.size': bytes };
    if (stored) attributes['sidelight.module.cached'] = true;
    core.finished(name, start, core.now(), attributes, error, parent);
}

/** The media type of a header's value is this and nothing else, parameters included. */
const wasmType = /^[\t\n\r ]*application\/wasm[\t\n\r ]*$/;

internal.wasm = {
    /** The next module to be stored; undefined: it is gone; null: that was all. */
    next() {
        if (compiled.length === 0) return null;
        return WeakRefPrototypeDeref(ArrayPrototypeSplice(compiled, 0, 1)[0]);
    },
    /** Like WebAssembly.compile and instantiate, whatever the program has made of those. */
    compile: undefined,
    instantiate: undefined,
    /** Of a file, at once: bytes nobody else has, and its name for the error. */
    compileFile: undefined,
};

internal.whenComplete(() => {
    const { WebAssembly } = globalThis;
    const { CompileError, compile, compileStreaming, instantiate, validate, Module, Instance } = WebAssembly;

    /** @param {(name: number) => void} feed pushes the bytes, now or later, and ends the stream */
    async function stream(feed) {
        const name = ++lastStream;
        const promise = compileStreaming(name);
        await undefined; // V8 has made the stream
        feed(name);
        return await promise;
    }

    /** The module of `source`, of so many bytes, from stored code; null: there is none. */
    function load(source, bytes) {
        if (!(bytes >= storedBytesMin) || !ops.wasmStores()) return null;
        // Shared memory may change while it is compared.
        return ops.wasmLoad(internal.encoding.isShared(source) ? new Uint8Array(internal.encoding.bytesOf(source)) : source);
    }

    async function compileBytes(given) {
        const source = known(given);
        const start = core.now(), parent = core.activeSpan();
        const bytes = sizeOf(source);
        try {
            const stored = load(source, bytes);
            const module = remember(stored ?? await compile(source));
            report('wasm compile', start, bytes, stored !== null, parent);
            return module;
        } catch (error) {
            report('wasm compile', start, bytes, false, parent, error);
            throw error;
        }
    }

    async function instantiateModule(module, imports) {
        const start = core.now(), parent = core.activeSpan();
        try {
            const instance = await instantiate(module, imports);
            report('wasm instantiate', start, undefined, false, parent);
            return instance;
        } catch (error) {
            report('wasm instantiate', start, undefined, false, parent, error);
            throw error;
        }
    }

    /** https://webassembly.github.io/spec/web-api/#compile-a-potential-webassembly-response */
    async function compileResponse(source, what) {
        const response = await source;
        const { isResponse, partsOf } = internal.fetchClasses;
        if (!isResponse(response)) throw new TypeError(`WebAssembly.${what}(): Argument 0 must be a Response or a promise of one`);
        const start = core.now(), parent = core.activeSpan();
        const { status, type, body } = partsOf(response);
        if (type === null || RegExpPrototypeExec(wasmType, StringPrototypeToLowerCase(type)) === null) {
            throw new TypeError(`WebAssembly.${what}(): Incorrect response MIME type ${type === null ? 'null' : `'${type}'`}. Expected 'application/wasm'.`);
        }
        if (status < 200 || status > 299) throw new TypeError(`WebAssembly.${what}(): HTTP status code is not ok: ${status}`);
        let bytes = 0, stored = false;
        try {
            if (body !== null && internal.body.isUnusable(body)) throw internal.body.unusable();
            const module = await stream((name) => {
                const push = (chunk) => {
                    bytes += TypedArrayPrototypeGetLength(chunk);
                    ops.wasmPush(name, chunk);
                };
                const end = () => { stored = ops.wasmFinish(name); };
                if (body === null) return end();
                try {
                    internal.streams.readChunks(internal.body.streamOf(body), push, end, (reason) => ops.wasmAbort(name, reason));
                } catch (error) {
                    ops.wasmAbort(name, error);
                }
            });
            report('wasm compile', start, bytes, stored, parent);
            return remember(module);
        } catch (error) {
            report('wasm compile', start, bytes, false, parent, error);
            throw error;
        }
    }

    /** From stored code, as a new object of `newTarget`. */
    function loadFor(newTarget, source) {
        const module = load(source, sizeOf(source));
        if (module !== null) {
            const { prototype } = newTarget;
            if ((typeof prototype === 'object' && prototype !== null) || typeof prototype === 'function') ReflectSetPrototypeOf(module, prototype);
        }
        return module;
    }

    function synchronous(name, Original) {
        function Wrapped(...args) {
            if (new.target === undefined) return ReflectApply(Original, undefined, args); // throws what V8 throws
            if (Original === Module) args[0] = known(args[0]);
            const start = core.now(), parent = core.activeSpan();
            let failure, stored = null;
            try {
                if (Original !== Module) return ReflectConstruct(Original, args, new.target);
                stored = loadFor(new.target, args[0]);
                return remember(stored ?? ReflectConstruct(Original, args, new.target));
            } catch (error) {
                failure = error;
                throw error;
            } finally {
                report(name, start, sizeOf(args[0]), stored !== null, parent, failure);
            }
        }
        ReflectDefineProperty(Wrapped, 'name', { __proto__: null, value: Original.name, configurable: true });
        ReflectDefineProperty(Wrapped, 'length', { __proto__: null, value: 1, configurable: true });
        ReflectDefineProperty(Wrapped, 'prototype', { __proto__: null, value: Original.prototype, writable: false });
        ReflectDefineProperty(Original.prototype, 'constructor', { __proto__: null, value: Wrapped, writable: true, configurable: true });
        return Wrapped;
    }

    const checkImports = (imports, what) => {
        if (imports !== undefined && (imports === null || (typeof imports !== 'object' && typeof imports !== 'function'))) {
            throw new TypeError(`WebAssembly.${what}(): Argument 1 must be an object`);
        }
    };
    const methods = {
        validate(source) { return validate(known(source)); },
        async compile(source) { return await compileBytes(source); },
        // Of bytes: compiled first, so that each of the two is a span. <https://webassembly.github.io/spec/js-api/#dom-webassembly-instantiate>
        async instantiate(source, imports = undefined) {
            checkImports(imports, 'instantiate');
            if (source instanceof Module) return await instantiateModule(source, imports);
            const module = await compileBytes(source);
            return { module, instance: await instantiateModule(module, imports) };
        },
        async compileStreaming(source) { return await compileResponse(source, 'compileStreaming'); },
        async instantiateStreaming(source, imports = undefined) {
            checkImports(imports, 'instantiateStreaming');
            const module = await compileResponse(source, 'instantiateStreaming');
            return { module, instance: await instantiateModule(module, imports) };
        },
    };
    const replace = (name, value) => ReflectDefineProperty(WebAssembly, name, { __proto__: null, value, writable: true, configurable: true });
    for (const name in methods) replace(name, methods[name]);
    const WrappedModule = synchronous('wasm compile', Module);
    for (const name of ['exports', 'imports', 'customSections']) {
        ReflectDefineProperty(WrappedModule, name, { __proto__: null, value: Module[name], writable: true, configurable: true });
    }
    replace('Module', WrappedModule);
    replace('Instance', synchronous('wasm instantiate', Instance));
    internal.wasm.compileFile = (bytes, name) => {
        try {
            return new WrappedModule(bytes);
        } catch (error) {
            throw new CompileError(`${name}: ${error.message}`);
        }
    };
    internal.wasm.compile = compileBytes;
    internal.wasm.instantiate = instantiateModule;
});
