// V8's compiled code of WebAssembly modules, kept on disk between runs: <cacheDir>/wasm/<kind of code>-<first bytes>-<all bytes>-<length>, all but the
// length fingerprints in hexadecimal.
//
// A fingerprint finds a file and proves nothing. What is in it is sealed by CV8 (sl_v8_wasm_module_seal): the checksum, the library's build and the
// module's own bytes are compared before V8 gets to see its code.

internal import Engine
internal import Glibc
internal import Platform

struct StoredModules {
    /// Of modules that are worth it and not too much. Bytes.
    static let moduleBytes = 16 << 10...32 << 20
    /// Code and module together.
    static let entryBytesMax = 128 << 20
    /// All files together; the oldest go first.
    static let directoryBytesMax = 512 << 20
    /// What tells one module from another before all of it is there.
    static let headBytes = 4 << 10
    /// Of a module's bytes in a file, read and compared at a time.
    private static let pieceBytes = 64 << 10
    /// What says where they lie.
    private static let layoutBytes = 64

    /// A file, or the part of it before the module's bytes, in memory until the last reference goes.
    final class Entry {
        let bytes: UnsafeRawBufferPointer
        let key: String
        private let memory: UnsafeMutableRawBufferPointer

        /// - Parameter byteCount: of a file that has as many.
        fileprivate init?(_ key: String, _ descriptor: CInt, byteCount: Int) {
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 16)
            guard pread(descriptor, memory.baseAddress!, byteCount, 0) == byteCount else {
                memory.deallocate()
                return nil
            }
            self.key = key
            self.memory = memory
            bytes = UnsafeRawBufferPointer(memory)
        }

        deinit { memory.deallocate() }
    }

    private let directory: CacheDirectory

    /// - Parameter cacheDirectory: need not exist.
    init(cacheDirectory: String) {
        directory = CacheDirectory(path: cacheDirectory + "/wasm", bytesMax: Self.directoryBytesMax)
    }

    static func key(of module: UnsafeRawBufferPointer) -> String {
        let head = UnsafeRawBufferPointer(rebasing: module.prefix(headBytes))
        return prefix(of: head) + hex(module) + "-\(module.count)"
    }

    private static func prefix(of head: UnsafeRawBufferPointer) -> String {
        String(Engine.wasmCodeKind, radix: 16) + "-" + hex(head) + "-"
    }

    private static func hex(_ bytes: UnsafeRawBufferPointer) -> String {
        var fingerprint = Fingerprint()
        fingerprint.combine(bytes)
        return String(fingerprint.value, radix: 16)
    }

    /// Bytes of an entry; 0 when there is none.
    func size(_ key: String) -> Int {
        var status = stat()
        return stat(directory.path(of: key), &status) == 0 ? Int(status.st_size) : 0
    }

    /// All of an entry.
    func read(_ key: String) -> Entry? {
        withFile(key) { descriptor, byteCount in Entry(key, descriptor, byteCount: byteCount) }
    }

    /// What comes before the module's bytes in the entry that has these; the rest of the file is compared and not kept. One that has others is removed.
    func read(for module: UnsafeRawBufferPointer) -> Entry? {
        let key = Self.key(of: module)
        return withFile(key) { descriptor, byteCount in
            let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.pieceBytes, alignment: 16)
            defer { piece.deallocate() }
            let headCount = pread(descriptor, piece.baseAddress!, Self.layoutBytes, 0)
            let head = UnsafeRawBufferPointer(rebasing: piece.prefix(max(0, headCount)))
            guard let offset = Engine.wasmModuleOffset(head: head, length: byteCount, moduleBytes: module.count),
                Self.isEqual(descriptor, from: offset, module, piece)
            else {
                unlink(directory.path(of: key))
                return nil
            }
            return Entry(key, descriptor, byteCount: offset)
        }
    }

    private static func isEqual(
        _ descriptor: CInt, from offset: Int, _ module: UnsafeRawBufferPointer, _ piece: UnsafeMutableRawBufferPointer
    ) -> Bool {
        var compared = 0
        while compared < module.count {
            let count = min(piece.count, module.count - compared)
            guard pread(descriptor, piece.baseAddress!, count, off_t(offset + compared)) == count,
                memcmp(piece.baseAddress!, module.baseAddress! + compared, count) == 0
            else { return false }
            compared += count
        }
        return true
    }

    private func withFile(_ key: String, _ body: (CInt, _ byteCount: Int) -> Entry?) -> Entry? {
        let descriptor = open(directory.path(of: key), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            (1...Self.entryBytesMax).contains(Int(status.st_size))
        else { return nil }
        return body(descriptor, Int(status.st_size))
    }

    /// Another may be written then, however large this one was.
    func remove(_ entry: Entry) { unlink(directory.path(of: entry.key)) }

    /// The entry last written of a module with these first `headBytes`.
    func newest(beginning head: UnsafeRawBufferPointer) -> Entry? {
        let files = directory.files(beginning: Self.prefix(of: head)).filter { !$0.name.hasSuffix(".tmp") }
        return files.max { $0.isOlder(than: $1) }.flatMap { read($0.name) }
    }

    /// False when it could not be written, or is too large.
    func write(_ entry: [UInt8], as key: String) -> Bool {
        entry.count <= Self.entryBytesMax && directory.make() && directory.write(entry, as: key)
    }

    func trim() { directory.trim() }
}
