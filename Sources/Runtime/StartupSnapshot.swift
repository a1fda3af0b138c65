// The file with the start-up snapshot: 8 bytes magic, 8 bytes fingerprint of the platform's sources and ops, then what CV8 made, which
// carries V8's version and flags and a checksum of its own. A file that does not fit is as good as none.

internal import Engine
internal import Glibc
internal import Linux
internal import Platform

enum StartupSnapshot {
    private static let magic = Array("SLSTART1".utf8)
    private static let headerBytes = 16

    /// Where snapshots lie, best first.
    static func candidates(_ options: WorkerOptions) -> [String] {
        if let path = options.snapshotPath { return [path] }
        let beside = Machine.executablePath.map { $0 + ".snapshot" }
        let cached = options.cacheDirectory.map { $0 + "/sidelight-worker.snapshot" }
        return [beside, cached].compactMap { $0 }
    }

    /// The bytes for `IsolateOptions.snapshot`, mapped for the life of the process; nil when the file is missing or not made of these sources.
    static func map(_ path: String) -> UnsafeRawBufferPointer? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_size > headerBytes else { return nil }
        let length = Int(status.st_size)
        guard let start = mmap(nil, length, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
            return nil
        }
        let file = UnsafeRawBufferPointer(start: start, count: length)
        guard file.starts(with: header()) else {
            munmap(start, length)
            return nil
        }
        return UnsafeRawBufferPointer(rebasing: file[headerBytes...])
    }

    /// Makes a snapshot and puts it at a path, whole or not at all.
    static func build(at path: String) throws {
        let code = try Rehearsal.run(beside: path)
        let bytes = try Snapshot.create { realm in
            try PlatformSources.prepare(realm, ops: realm.installOps(host: nil), code: code)
        }
        if let index = code.firstIndex(where: { $0?.rejected != false }) {
            throw RehearsalError(reason: "V8 refuses the code of source \(index)")
        }
        let temporary = path + ".\(getpid()).tmp"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw SystemCallError("open \(temporary)", errno: errno) }
        defer { close(descriptor) }
        for part in [header(), bytes] {
            var rest = part[...]
            while !rest.isEmpty {
                let written = rest.withUnsafeBytes { write(descriptor, $0.baseAddress!, $0.count) }
                guard written > 0 else { throw SystemCallError("write \(temporary)", errno: errno) }
                rest = rest.dropFirst(written)
            }
        }
        guard rename(temporary, path) == 0 else {
            throw SystemCallError("rename \(temporary) to \(path)", errno: errno)
        }
    }

    private static func header() -> [UInt8] {
        magic + withUnsafeBytes(of: PlatformSources.fingerprint.littleEndian, Array.init)
    }
}
