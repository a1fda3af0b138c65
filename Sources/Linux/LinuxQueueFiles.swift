internal import CLinux
internal import Glibc
public import Queue
internal import System

/// A queue's folder on this machine. Holds a lock on it (flock of a file named `lock`) for as long as it lives: the lock ends with the process, however that ends.
public final class LinuxQueueFiles: QueueFiles {
    public let folder: String
    private let directory: Int32
    private let lock: Int32
    private let syncer: QueueSyncer

    /// Makes the folder where it is missing (0700) and takes it for this process. Throws `QueueError.locked` when another one, or this one, has it.
    public init(folder: String) throws(QueueError) {
        self.folder = folder
        do throws(QueueFileError) {
            if let reason = makeFolders(folder) { throw QueueFileError(.other, "mkdir", reason: reason) }
            directory = Glibc.open(folder, O_RDONLY | O_CLOEXEC | OpenFlags.directory)
            guard directory >= 0 else { throw QueueFileError(errno: errno, "open", folder) }
        } catch {
            throw .files(folder: folder, error)
        }
        syncer = QueueSyncer(directory)
        lock = sl_open_at(directory, "lock", O_RDWR | O_CREAT | O_CLOEXEC | OpenFlags.noFollow, 0o600)
        guard lock >= 0 else {
            let error = QueueFileError(errno: errno, "open", "lock")
            Glibc.close(directory)
            throw .files(folder: folder, error)
        }
        guard retryingInterrupted({ flock(lock, LOCK_EX | LOCK_NB) }) != nil else {
            let code = errno
            let pid = Self.pid(in: lock)
            Glibc.close(lock)
            Glibc.close(directory)
            if code == EWOULDBLOCK { throw .locked(folder: folder, pid: pid) }
            throw .files(folder: folder, QueueFileError(errno: code, "flock", "lock"))
        }
        // For whoever is refused; on a full disk the lock holds without it.
        let text = Array("\(getpid())\n".utf8)
        if ftruncate(lock, 0) == 0 { _ = pwrite(lock, text, text.count, 0) }
    }

    deinit {
        // Who has the folder next learns of no error that this one's thread was told.
        syncer.close()
        Glibc.close(lock)
        Glibc.close(directory)
    }

    private static func pid(in file: Int32) -> Int32? {
        var text = [UInt8](repeating: 0, count: 16)
        let count = pread(file, &text, text.count, 0)
        guard count > 0 else { return nil }
        return Int32(String(decoding: text[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }

    public func list() throws(QueueFileError) -> [QueueListing] {
        guard let stream = opendir(folder) else { throw QueueFileError(errno: errno, "opendir", folder) }
        defer { closedir(stream) }
        var found: [QueueListing] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw QueueFileError(errno: errno, "readdir", folder) }
                return found
            }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name == "." || name == ".." || name == "lock" { continue }
            var status = stat()
            guard fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { continue }
            found.append(QueueListing(name: name, bytes: status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : 0))
        }
    }

    public func create(_ name: String) throws(QueueFileError) -> QueueFile {
        try open(name, O_RDWR | O_CREAT | O_EXCL)
    }

    public func open(_ name: String) throws(QueueFileError) -> QueueFile {
        try open(name, O_RDWR | O_NONBLOCK)
    }

    private func open(_ name: String, _ flags: Int32) throws(QueueFileError) -> QueueFile {
        QueueFile(number: try openInQueue(directory, name, flags))
    }

    public func close(_ file: QueueFile) { Glibc.close(file.number) }

    public func write(_ file: QueueFile, _ bytes: UnsafeRawBufferPointer, at offset: Int) throws(QueueFileError) {
        var written = 0
        while written < bytes.count {
            let count = retryingInterrupted {
                pwrite(file.number, bytes.baseAddress! + written, bytes.count - written, offset + written)
            }
            guard let count, count > 0 else {
                throw QueueFileError(errno: count == nil ? errno : ENOSPC, "write", "file")
            }
            written += count
        }
    }

    public func read(
        _ file: QueueFile, into bytes: UnsafeMutableRawBufferPointer, at offset: Int
    ) throws(QueueFileError) -> Int {
        var total = 0
        while total < bytes.count {
            let count = retryingInterrupted {
                pread(file.number, bytes.baseAddress! + total, bytes.count - total, offset + total)
            }
            guard let count else { throw QueueFileError(errno: errno, "read", "file") }
            if count == 0 { break }
            total += count
        }
        return total
    }

    public func truncate(_ file: QueueFile, to bytes: Int) throws(QueueFileError) {
        guard retryingInterrupted({ ftruncate(file.number, bytes) }) != nil else {
            throw QueueFileError(errno: errno, "ftruncate", "file")
        }
    }

    public func sync(_ file: QueueFile) throws(QueueFileError) { try syncFile(file.number, "file") }

    public func beginSync(_ request: QueueSyncRequest) { syncer.begin(request) }

    public func endOfSync(waiting: Bool) -> QueueSyncEnd? { syncer.end(waiting: waiting) }

    public func syncFolder() throws(QueueFileError) { try Linux.syncFolder(directory) }

    public func rename(_ name: String, to other: String) throws(QueueFileError) {
        guard renameat(directory, name, directory, other) == 0 else {
            throw QueueFileError(errno: errno, "rename", name)
        }
    }

    public func remove(_ name: String) throws(QueueFileError) {
        guard unlinkat(directory, name, 0) == 0 || errno == ENOENT else {
            throw QueueFileError(errno: errno, "unlink", name)
        }
    }

    public func random() -> UInt64 { UInt64.random(in: .min ... .max) }
}

/// A regular file of a queue's folder, never through a symbolic link.
func openInQueue(_ directory: Int32, _ name: String, _ flags: Int32) throws(QueueFileError) -> Int32 {
    let descriptor = sl_open_at(directory, name, flags | O_CLOEXEC | OpenFlags.noFollow, 0o600)
    guard descriptor >= 0 else { throw QueueFileError(errno: errno, "open", name) }
    return descriptor
}

func syncFile(_ descriptor: Int32, _ name: String) throws(QueueFileError) {
    guard retryingInterrupted({ fdatasync(descriptor) }) != nil else {
        throw QueueFileError(errno: errno, "fdatasync", name)
    }
}

func syncFolder(_ directory: Int32) throws(QueueFileError) {
    guard retryingInterrupted({ fsync(directory) }) != nil else {
        throw QueueFileError(errno: errno, "fsync", "folder")
    }
}

extension QueueFileError {
    init(errno code: Int32, _ call: String, _ name: String) {
        let kind: Kind =
            switch code {
            case ENOSPC, EDQUOT: .noSpace
            // ENOENT: it was in the folder a moment ago.
            case EIO, EUCLEAN, EISDIR, ELOOP, ENXIO, ENOENT: .damaged
            default: .other
            }
        self.init(kind, "\(call) \(name)", reason: String(cString: strerror(code)))
    }
}
