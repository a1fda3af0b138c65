// V8's compiled code of user modules, kept on disk between runs: <cacheDir>/code/<fingerprint of path and source>.
//
// What lies there is never trusted blindly: CV8 seals it with a checksum and V8 checks version, flags and source. Files appear by rename,
// so a reader sees a whole one or none. All faults are silent: the cache only saves time.

internal import Engine
internal import Glibc
internal import Linux
internal import Platform

struct CodeCacheStore {
    /// Smaller sources compile faster than a file is read.
    static let sourceBytesMin = 4 << 10
    /// All files together; the oldest go first.
    static let directoryBytesMax = 64 << 20

    private let directory: String

    /// - Parameter cacheDirectory: need not exist.
    init(cacheDirectory: String) { directory = cacheDirectory + "/code" }

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
        (try? readFile(path(key))).map(CodeCache.init)
    }

    /// Writes entries and drops the oldest beyond the bound.
    func write(_ entries: [(key: String, bytes: [UInt8])]) {
        guard !entries.isEmpty, makeDirectories() else { return }
        for entry in entries { write(entry.bytes, to: path(entry.key)) }
        trim()
    }

    private func path(_ key: String) -> String { directory + "/" + key }

    private func write(_ bytes: [UInt8], to path: String) {
        let temporary = path + ".\(getpid()).tmp"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        let written = Glibc.write(descriptor, bytes, bytes.count)
        close(descriptor)
        if written != bytes.count || rename(temporary, path) != 0 { unlink(temporary) }
    }

    private func makeDirectories() -> Bool {
        var path = ""
        for part in directory.split(separator: "/") {
            path += "/" + part
            if mkdir(path, 0o700) != 0, errno != EEXIST { return false }
        }
        return true
    }

    private func trim() {
        var files = list()
        var total = files.reduce(0) { $0 + $1.bytes }
        guard total > Self.directoryBytesMax else { return }
        files.sort { ($0.seconds, $0.nanoseconds) < ($1.seconds, $1.nanoseconds) }
        for file in files where total > Self.directoryBytesMax {
            if unlink(path(file.name)) == 0 { total -= file.bytes }
        }
    }

    private func list() -> [(name: String, bytes: Int, seconds: Int, nanoseconds: Int)] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var files: [(name: String, bytes: Int, seconds: Int, nanoseconds: Int)] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            var status = stat()
            guard !name.hasPrefix("."), stat(path(name), &status) == 0 else { continue }
            files.append((name, Int(status.st_size), status.st_mtim.tv_sec, status.st_mtim.tv_nsec))
        }
        return files
    }
}
