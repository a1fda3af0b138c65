internal import CLinux
internal import Glibc
import Synchronization
public import System

/// The file of places on this machine: `positions` in a folder of its own, which is locked (flock of a file named `lock`) for as long as this lives.
public final class LinuxPositionFiles: PositionFiles {
    public let path: String
    private let directory: Int32
    private let lock: FolderLock
    private let current: Mutex<Int32>

    private static let name = "positions"
    private static let newName = "positions.new"
    /// A file that is larger is not one of ours.
    private static let bytesMax = 256 << 20

    /// Makes the folder where it is missing (0700) and takes it for this process.
    public init(folder: String) throws(PositionFileError) {
        path = "\(folder)/\(Self.name)"
        switch FolderLock.take(folder, file: "lock") {
        case .success(let lock): self.lock = lock
        case .failure(.locked(let pid)):
            throw PositionFileError("lock \(folder)", reason: "process \(pid.map { "\($0)" } ?? "unknown") has it")
        case .failure(.other(let reason)): throw PositionFileError("lock \(folder)", reason: reason)
        }
        directory = Glibc.open(folder, O_RDONLY | O_CLOEXEC | OpenFlags.directory)
        guard directory >= 0 else { throw PositionFileError(errno: errno, "open", folder) }
        let file = sl_open_at(
            directory, Self.name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | OpenFlags.noFollow, 0o600)
        guard file >= 0 else {
            let code = errno
            Glibc.close(directory)
            throw PositionFileError(errno: code, "open", path)
        }
        current = Mutex(file)
    }

    deinit {
        current.withLock { _ = Glibc.close($0) }
        Glibc.close(directory)
    }

    private var file: Int32 { current.withLock { $0 } }

    public func contents() throws(PositionFileError) -> [UInt8] {
        let file = file
        var status = stat()
        guard fstat(file, &status) == 0 else { throw PositionFileError(errno: errno, "fstat", path) }
        let size = Int(status.st_size)
        guard size <= Self.bytesMax else {
            throw PositionFileError("read \(path)", reason: "\(size) bytes are too many")
        }
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, total in
            while total < size {
                let count = retryingInterrupted { pread(file, buffer.baseAddress! + total, size - total, total) }
                guard let count else {
                    failure = errno
                    return
                }
                if count == 0 { return }
                total += count
            }
        }
        guard failure == 0 else { throw PositionFileError(errno: failure, "read", path) }
        return bytes
    }

    public func append(_ bytes: [UInt8]) throws(PositionFileError) { try write(file, bytes, path) }

    public func truncate(to bytes: Int) throws(PositionFileError) {
        guard retryingInterrupted({ ftruncate(file, bytes) }) != nil else {
            throw PositionFileError(errno: errno, "ftruncate", path)
        }
    }

    public func sync() throws(PositionFileError) { try sync(file) }

    private func sync(_ file: Int32) throws(PositionFileError) {
        guard retryingInterrupted({ fdatasync(file) }) != nil else {
            throw PositionFileError(errno: errno, "fdatasync", path)
        }
    }

    public func replace(with bytes: [UInt8]) throws(PositionFileError) {
        let new = sl_open_at(
            directory, Self.newName, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | OpenFlags.noFollow, 0o600)
        guard new >= 0 else { throw PositionFileError(errno: errno, "open", Self.newName) }
        do throws(PositionFileError) {
            try write(new, bytes, Self.newName)
            try sync(new)
            guard renameat(directory, Self.newName, directory, Self.name) == 0 else {
                throw PositionFileError(errno: errno, "rename", Self.newName)
            }
        } catch {
            Glibc.close(new)
            throw error
        }
        current.withLock { old in
            Glibc.close(old)
            old = new
        }
        guard retryingInterrupted({ fsync(directory) }) != nil else {
            throw PositionFileError(errno: errno, "fsync", "folder of \(path)")
        }
    }

    private func write(_ file: Int32, _ bytes: [UInt8], _ name: String) throws(PositionFileError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { all in
                retryingInterrupted { Glibc.write(file, all.baseAddress! + written, all.count - written) }
            }
            guard let count, count > 0 else {
                throw PositionFileError(errno: count == nil ? errno : ENOSPC, "write", name)
            }
            written += count
        }
    }
}

extension PositionFileError {
    init(errno code: Int32, _ call: String, _ name: String) {
        self.init("\(call) \(name)", reason: String(cString: strerror(code)))
    }
}
