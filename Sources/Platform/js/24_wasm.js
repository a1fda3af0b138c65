'use strict';
// WebAssembly as V8 has it, with a span around what takes time: compile and instantiate.
// <https://webassembly.github.io/spec/js-api/>

const { trace: core } = internal;
const { ArrayBufferIsView, ArrayBufferPrototypeGetByteLength, ReflectConstruct, ReflectDefineProperty } = primordials;

internal.whenComplete(() => {
    const { WebAssembly } = globalThis;
    const { compile, instantiate, Module, Instance } = WebAssembly;

    function sizeOf(source) {
        if (ArrayBufferIsView(source)) return source.byteLength;
        try { return ArrayBufferPrototypeGetByteLength(source); } catch { return undefined; }
    }
    // One span of `source`'s size under whatever span was active when the work began.
    function report(name, start, source, parent, error) {
        const bytes = sizeOf(source);
        core.finished(name, start, core.now(), bytes === undefined ? undefined : { 'wasm.module.size': bytes }, error, parent);
    }
    const parentNow = () => core.activeSpan();

    function asynchronous(name, original) {
        return {
            async [original.name](source, ...rest) {
                if (!core.isEnabled()) return original(source, ...rest);
                const start = core.now(), parent = parentNow();
                try {
                    const result = await original(source, ...rest);
                    report(name, start, source, parent);
                    return result;
                } catch (error) {
                    report(name, start, source, parent, error);
                    throw error;
                }
            },
        }[original.name];
    }

    function synchronous(name, Original) {
        function Wrapped(...args) {
            if (new.target === undefined) return Original(...args); // throws what V8 throws
            if (!core.isEnabled()) return ReflectConstruct(Original, args, new.target);
            const start = core.now(), parent = parentNow();
            let failure;
            try {
                return ReflectConstruct(Original, args, new.target);
            } catch (error) {
                failure = error;
                throw error;
            } finally {
                report(name, start, args[0], parent, failure);
            }
        }
        ReflectDefineProperty(Wrapped, 'name', { value: Original.name, configurable: true });
        ReflectDefineProperty(Wrapped, 'length', { value: 1, configurable: true });
        ReflectDefineProperty(Wrapped, 'prototype', { value: Original.prototype, writable: false });
        ReflectDefineProperty(Original.prototype, 'constructor', { value: Wrapped, writable: true, configurable: true });
        return Wrapped;
    }

    const replace = (name, value) => ReflectDefineProperty(WebAssembly, name, { value, writable: true, configurable: true });
    const replaced = asynchronous('wasm compile', compile);
    replace('compile', replaced);
    const instantiateModule = asynchronous('wasm instantiate', instantiate);
    replace('instantiate', {
        // Of bytes: compiled first, so that each of the two is a span. <https://webassembly.github.io/spec/js-api/#dom-webassembly-instantiate>
        async instantiate(source, ...rest) {
            if (!core.isEnabled() || source instanceof Module) return instantiateModule(source, ...rest);
            const module = await replaced(source);
            return { module, instance: await instantiateModule(module, ...rest) };
        },
    }.instantiate);
    const WrappedModule = synchronous('wasm compile', Module);
    for (const name of ['exports', 'imports', 'customSections']) {
        ReflectDefineProperty(WrappedModule, name, { value: Module[name], writable: true, configurable: true });
    }
    replace('Module', WrappedModule);
    replace('Instance', synchronous('wasm instantiate', Instance));
});
