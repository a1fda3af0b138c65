internal import CV8

/// WebAssembly beyond what JavaScript sees of it. A stream is begun by V8's own `WebAssembly.compileStreaming(name)`, whose argument is its name: a whole
/// number below 2^53. It exists after the next microtasks.
extension Realm {
    /// Tries compiled code that `sealWasmModule` made. At most once a stream, before its first `pushWasm`.
    /// - Parameter entry: must stay in place until the stream has ended.
    /// - Returns: false when it does not fit, which changes nothing.
    public func useCompiledWasm(_ name: UInt64, _ entry: UnsafeRawBufferPointer) -> Bool {
        guard let start = entry.baseAddress else { return false }
        return sl_v8_wasm_stream_use(isolate.raw, name, start.assumingMemoryBound(to: UInt8.self), entry.count)
    }

    /// More of the module. False: there is no such stream.
    @discardableResult public func pushWasm(_ name: UInt64, _ bytes: UnsafeRawBufferPointer) -> Bool {
        sl_v8_wasm_stream_push(isolate.raw, name, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
    }

    /// The module is complete; its promise settles now or later.
    /// - Returns: whether the compiled code belonged to these bytes, and is used.
    @discardableResult public func finishWasm(_ name: UInt64) -> Bool { sl_v8_wasm_stream_finish(raw, name) }

    /// The module will not come: its promise is rejected with the reason.
    public func abortWasm(_ name: UInt64, reason: Value) { sl_v8_wasm_stream_abort(raw, name, reason.raw) }

    /// The module of these bytes, from compiled code that `sealWasmModule` made, at once.
    /// - Parameters:
    ///   - entry: the entry up to the module's bytes in it (`Engine.wasmModuleOffset`).
    ///   - module: the same, byte for byte, as those. Nobody else may change them meanwhile.
    /// - Returns: nil when the entry does not fit, which changes nothing.
    public func loadCompiledWasm(_ entry: UnsafeRawBufferPointer, of module: UnsafeRawBufferPointer) -> Value? {
        guard let start = entry.baseAddress?.assumingMemoryBound(to: UInt8.self),
            let bytes = module.baseAddress?.assumingMemoryBound(to: UInt8.self)
        else { return nil }
        return sl_v8_wasm_load(raw, start, entry.count, bytes, module.count).map { Value($0, isolate) }
    }

    /// The optimised code of a `WebAssembly.Module`, with the module's own bytes, for another run. Nil: it is no module, or V8 has optimised nothing of it.
    public func sealWasmModule(_ module: Value) -> [UInt8]? {
        [UInt8](taking: sl_v8_wasm_module_seal(isolate.raw, module.raw))
    }

    /// Calls `body` with the bytes a `WebAssembly.Module` was made of; nil when it is none.
    public func withWasmBytes<R>(_ module: Value, _ body: (UnsafeRawBufferPointer) -> R) -> R? {
        var start: UnsafePointer<UInt8>?
        var length = 0
        guard sl_v8_wasm_module_bytes(isolate.raw, module.raw, &start, &length) else { return nil }
        return withExtendedLifetime(module) { body(UnsafeRawBufferPointer(start: start, count: length)) }
    }
}

extension Engine {
    /// A WebAssembly memory may have at most so many bytes, in whole pages of 64 KiB and one at least. For all isolates; from now on.
    public static func limitWasmMemory(bytes: Int) {
        sl_v8_wasm_memory_pages_max(UInt32(clamping: max(1, bytes >> 16)))
    }

    /// Where a module's own bytes lie in what `sealWasmModule` gave: of `length` bytes, beginning with `head` (64 bytes are enough). Nil: it is nothing of
    /// the kind, of another build, or the module has another length.
    public static func wasmModuleOffset(head: UnsafeRawBufferPointer, length: Int, moduleBytes: Int) -> Int? {
        guard let start = head.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return nil }
        let offset = sl_v8_wasm_entry_module_offset(start, head.count, length, moduleBytes)
        return offset == 0 ? nil : offset
    }

    /// Code that `sealWasmModule` gives fits where this is the same: a number for V8's version and flags and for the processor.
    public static var wasmCodeKind: UInt32 { sl_v8_wasm_code_kind() }
}
