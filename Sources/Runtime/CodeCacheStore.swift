// V8's compiled code of user modules, kept on disk between runs: <cacheDir>/code/<fingerprint of path and source>.
//
// What lies there is never trusted blindly: CV8 seals it with a checksum and V8 checks version, flags and source.

internal import Engine
internal import Linux
internal import Platform

struct CodeCacheStore {
    /// Smaller sources compile faster than a file is read.
    static let sourceBytesMin = 4 << 10
    /// All files together; the oldest go first.
    static let directoryBytesMax = 64 << 20

    private let directory: CacheDirectory

    /// - Parameter cacheDirectory: need not exist.
    init(cacheDirectory: String) {
        directory = CacheDirectory(path: cacheDirectory + "/code", bytesMax: Self.directoryBytesMax)
    }

    /// Nil when the source is not worth it.
    static func key(path: String, source: [UInt8]) -> String? {
        guard source.count >= sourceBytesMin else { return nil }
        var ofPath = Fingerprint()
        ofPath.combine(path)
        var ofSource = Fingerprint()
        source.withUnsafeBytes { ofSource.combine($0) }
        return String(ofPath.value, radix: 16) + "-" + String(ofSource.value, radix: 16)
    }

    func read(_ key: String) -> CodeCache? {
        (try? readFile(directory.path(of: key))).map(CodeCache.init)
    }

    /// Writes entries and drops the oldest beyond the bound.
    func write(_ entries: [(key: String, bytes: [UInt8])]) {
        guard !entries.isEmpty, directory.make() else { return }
        for entry in entries { directory.write(entry.bytes, as: entry.key) }
        directory.trim()
    }
}
