public import Audit
internal import Glibc
internal import Linux
internal import System

/// The audit log's folder on this machine: `audit` of a store.
public final class AuditFolder: AuditFiles {
    public let path: String
    /// The lock; -1: there is none to be had, as for who may only read.
    private var lockFile: Int32 = -1
    private let isReader: Bool
    /// A writer has the lock for a batch. Who has it for longer than a reader waits is none, or is stopped.
    private let lockWaitMilliseconds: Int

    private static let lockLookMilliseconds: UInt32 = 10

    public static func path(store: String) -> String { "\(store)/audit" }

    /// Makes the folder where it is missing (0700).
    public init(writing path: String) throws(AuditFileError) {
        self.path = path
        isReader = false
        lockWaitMilliseconds = .max
        if let reason = makeFolders(path) { throw AuditFileError(reason) }
        lockFile = open("\(path)/lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard lockFile >= 0 else { throw Self.error("open lock") }
    }

    /// For who only reads it; nil: there is none.
    public init?(reading path: String, lockWaitMilliseconds: Int = 10_000) {
        guard Machine.isFolder(path) else { return nil }
        self.path = path
        isReader = true
        self.lockWaitMilliseconds = lockWaitMilliseconds
        lockFile = open("\(path)/lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    }

    deinit { if lockFile >= 0 { close(lockFile) } }

    public func lock() throws(AuditFileError) {
        guard lockFile >= 0 else { return }
        if isReader { return try lockToRead() }
        while flock(lockFile, LOCK_EX) != 0 {
            guard errno == EINTR else { throw Self.error("flock lock") }
        }
    }

    private func lockToRead() throws(AuditFileError) {
        var milliseconds = 0
        while flock(lockFile, LOCK_SH | LOCK_NB) != 0 {
            guard errno == EINTR || errno == EWOULDBLOCK else { throw Self.error("flock lock") }
            guard milliseconds < lockWaitMilliseconds else {
                throw AuditFileError("another process has locked \(path)/lock for \(milliseconds) ms")
            }
            usleep(Self.lockLookMilliseconds * 1_000)
            milliseconds += Int(Self.lockLookMilliseconds)
        }
    }

    public func unlock() { if lockFile >= 0 { flock(lockFile, LOCK_UN) } }

    public func list() throws(AuditFileError) -> [String: Int] {
        guard let stream = opendir(path) else { throw Self.error("opendir \(path)") }
        defer { closedir(stream) }
        var found: [String: Int] = [:]
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw Self.error("readdir \(path)") }
                return found
            }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            var status = stat()
            guard lstat("\(path)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            found[name] = Int(status.st_size)
        }
    }

    public func read(_ name: String, from offset: Int, bytesMax: Int) throws(AuditFileError) -> [UInt8]? {
        let file = open("\(path)/\(name)", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw Self.error("open \(name)")
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw AuditFileError("\(name) is no file")
        }
        let wanted = min(bytesMax, max(0, Int(status.st_size) - offset))
        var failure: AuditFileError?
        let bytes = [UInt8](unsafeUninitializedCapacity: wanted) { room, count in
            while count < wanted {
                let got = pread(file, room.baseAddress! + count, wanted - count, offset + count)
                if got == 0 { return }
                if got > 0 { count += got } else if errno != EINTR { failure = Self.error("read \(name)"); return }
            }
        }
        if let failure { throw failure }
        return bytes
    }

    public func write(_ name: String, _ bytes: [UInt8], at offset: Int) throws(AuditFileError) {
        let file = open("\(path)/\(name)", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw Self.error("open \(name)") }
        defer { close(file) }
        try Self.write(file, name, bytes, at: offset)
    }

    private static func write(
        _ file: Int32, _ name: String, _ bytes: [UInt8], at offset: Int
    ) throws(AuditFileError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                pwrite(file, $0.baseAddress! + written, bytes.count - written, offset + written)
            }
            if count > 0 { written += count } else if count == 0 || errno != EINTR { throw error("write \(name)") }
        }
    }

    public func truncate(_ name: String, to bytes: Int) throws(AuditFileError) {
        guard Glibc.truncate("\(path)/\(name)", bytes) == 0 else { throw Self.error("truncate \(name)") }
    }

    public func sync(_ name: String) throws(AuditFileError) {
        let file = open("\(path)/\(name)", O_WRONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { throw Self.error("open \(name)") }
        defer { close(file) }
        guard fdatasync(file) == 0 else { throw Self.error("fdatasync \(name)") }
    }

    public func replace(_ name: String, with bytes: [UInt8], isPublic: Bool) throws(AuditFileError) {
        let next = "\(path)/\(name).new"
        unlink(next)
        let file = open(next, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, isPublic ? 0o644 : 0o600)
        guard file >= 0 else { throw Self.error("open \(name).new") }
        do {
            defer { close(file) }
            try Self.write(file, name, bytes, at: 0)
            guard fdatasync(file) == 0 else { throw Self.error("fdatasync \(name)") }
        }
        guard rename(next, "\(path)/\(name)") == 0 else { throw Self.error("rename \(name)") }
    }

    public func remove(_ name: String) throws(AuditFileError) {
        guard unlink("\(path)/\(name)") == 0 || errno == ENOENT else { throw Self.error("unlink \(name)") }
    }

    /// Of errno as it is.
    private static func error(_ call: String) -> AuditFileError {
        let code = errno
        return AuditFileError(
            "\(call): \(String(cString: strerror(code)))", isNoSpace: code == ENOSPC || code == EDQUOT)
    }
}
