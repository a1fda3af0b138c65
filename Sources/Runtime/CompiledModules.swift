// WebAssembly modules on their way into V8, and their compiled code on its way to and from the disk.
//
// A module that comes piece by piece may be one that is stored: its first bytes say which one to try. V8 then waits for the rest, and CV8 compares every
// byte of it. When one differs, V8 compiles what came, later than it would have: a new version of a module costs that once.

internal import Engine
internal import Glibc
internal import Platform

/// On the isolate's thread.
final class CompiledModules: WasmHost {
    private struct Stream {
        /// What has come while it was too little to tell.
        var head: [UInt8] = []
        var isDecided = false
        var entry: StoredModules.Entry?
    }

    private let internals: Internals
    private let store: StoredModules?
    private var streams: [UInt64: Stream] = [:]

    /// - Parameter store: nil: nothing is kept.
    init(_ internals: Internals, store: StoredModules?) {
        self.internals = internals
        self.store = store
    }

    private var realm: Realm { internals.realm }

    // MARK: WasmHost

    var storesCode: Bool { store != nil }

    func load(_ module: UnsafeRawBufferPointer) -> Value? {
        guard let store, StoredModules.moduleBytes.contains(module.count), let entry = store.read(for: module) else {
            return nil
        }
        if let value = realm.loadCompiledWasm(entry.bytes, of: module) { return value }
        // Damaged.
        store.remove(entry)
        return nil
    }

    func push(_ name: UInt64, _ bytes: UnsafeRawBufferPointer) {
        var stream = streams[name] ?? Stream()
        if !stream.isDecided {
            guard stream.head.count + bytes.count >= StoredModules.headBytes || store == nil else {
                stream.head.append(contentsOf: bytes)
                streams[name] = stream
                return
            }
            decide(name, &stream, with: bytes)
            streams[name] = stream
        }
        realm.pushWasm(name, bytes)
    }

    /// Looks for stored code and pushes what has waited.
    private func decide(_ name: UInt64, _ stream: inout Stream, with bytes: UnsafeRawBufferPointer) {
        if let store {
            let head = stream.head + bytes.prefix(max(0, StoredModules.headBytes - stream.head.count))
            stream.entry = head.withUnsafeBytes(store.newest(beginning:))
            if let entry = stream.entry, !realm.useCompiledWasm(name, entry.bytes) {
                // Damaged, or of another build.
                store.remove(entry)
                stream.entry = nil
            }
        }
        stream.head.withUnsafeBytes { _ = realm.pushWasm(name, $0) }
        stream.head = []
        stream.isDecided = true
    }

    func finish(_ name: UInt64) -> Bool {
        let stream = streams.removeValue(forKey: name) ?? Stream()
        stream.head.withUnsafeBytes { _ = realm.pushWasm(name, $0) }
        return withExtendedLifetime(stream.entry) { realm.finishWasm(name) }
    }

    func abort(_ name: UInt64, reason: Value) {
        // The entry must stay in place until V8 has let go of it.
        let stream = streams.removeValue(forKey: name)
        withExtendedLifetime(stream) { realm.abortWasm(name, reason: reason) }
    }

    // MARK: After the run

    /// Keeps the code of modules that still live, where it is not stored yet or has grown by a quarter since.
    func write() {
        guard let store else { return }
        var hasWritten = false
        while let module = try? internals.call("wasm.next"), module.kind != .null {
            guard module.kind != .undefined else { continue }
            let length = realm.withWasmBytes(module) { $0.count } ?? 0
            guard StoredModules.moduleBytes.contains(length), let bytes = realm.sealWasmModule(module),
                let key = realm.withWasmBytes(module, StoredModules.key(of:)),
                (bytes.count - length) * 4 > (store.size(key) - length) * 5
            else { continue }
            hasWritten = store.write(bytes, as: key) || hasWritten
        }
        if hasWritten { store.trim() }
    }
}
