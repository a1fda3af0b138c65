internal import Glibc
internal import System

/// A folder of files that only save time. They appear by rename, so a reader sees a whole one or none; all faults are silent.
struct CacheDirectory {
    struct File {
        let name: String
        let bytes: Int
        fileprivate let seconds: Int
        fileprivate let nanoseconds: Int

        func isOlder(than other: File) -> Bool {
            (seconds, nanoseconds) < (other.seconds, other.nanoseconds)
        }
    }

    /// Need not exist.
    let path: String
    /// All files together; the oldest go first.
    let bytesMax: Int

    func path(of name: String) -> String { path + "/" + name }

    /// False when it could not be written.
    @discardableResult func write(_ bytes: [UInt8], as name: String) -> Bool {
        // What a killed process left must be in nobody's way: in containers all have the same process id.
        let temporary = path(of: name) + ".\(getpid())-\(UInt32.random(in: 0 ... .max)).tmp"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return false }
        let written = Glibc.write(descriptor, bytes, bytes.count)
        close(descriptor)
        if written == bytes.count, rename(temporary, path(of: name)) == 0 { return true }
        unlink(temporary)
        return false
    }

    /// Makes it and the folders above it.
    func make() -> Bool { makeFolders(path) == nil }

    func trim() {
        var files = self.files()
        var total = files.reduce(0) { $0 + $1.bytes }
        guard total > bytesMax else { return }
        files.sort { $0.isOlder(than: $1) }
        for file in files where total > bytesMax {
            if unlink(path(of: file.name)) == 0 { total -= file.bytes }
        }
    }

    /// Those whose name begins with `prefix`.
    func files(beginning prefix: String = "") -> [File] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var files: [File] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            var status = stat()
            guard !name.hasPrefix("."), name.hasPrefix(prefix), stat(path(of: name), &status) == 0 else { continue }
            files.append(
                File(
                    name: name, bytes: Int(status.st_size), seconds: status.st_mtim.tv_sec,
                    nanoseconds: status.st_mtim.tv_nsec))
        }
        return files
    }
}
