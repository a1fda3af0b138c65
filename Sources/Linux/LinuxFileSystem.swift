internal import CLinux
internal import Glibc
public import System

extension FileSystem {
    /// The real one.
    public static var linux: FileSystem {
        FileSystem(kind: kind(ofPath:), realPath: realPath(of:)) { path throws(FileError) in try readFile(path) }
    }
}

/// All bytes of a file, those of /proc included.
/// - Parameter bytesMax: A longer file is an error; so is one without an end, such as a device.
public func readFile(_ path: String, bytesMax: Int = .max) throws(FileError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError(errno: errno) }
    defer { close(descriptor) }
    return try readToEnd(descriptor, bytesMax: bytesMax)
}

/// The same of a regular file only: nothing else is waited for, as a pipe that somebody has put there would have it.
public func readRegularFile(_ path: String, bytesMax: Int) throws(FileError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else { throw FileError(errno: errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileError(errno: errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
        throw FileError(name: "EINVAL", reason: "It is no regular file")
    }
    return try readToEnd(descriptor, bytesMax: bytesMax)
}

/// All bytes from where the descriptor stands.
public func readToEnd(_ descriptor: Int32, bytesMax: Int = .max) throws(FileError) -> [UInt8] {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileError(errno: errno) }
    guard status.st_size <= bytesMax else { throw FileError(bytesMax: bytesMax) }
    // One byte more than the file has, so that the read that finds the end needs no further room.
    var bytes = [UInt8](repeating: 0, count: max(Int(status.st_size), 4095) + 1)
    var count = 0
    while true {
        let room = bytes.count - count
        let got = bytes.withUnsafeMutableBytes { buffer in
            retryingInterrupted { read(descriptor, buffer.baseAddress! + count, room) }
        }
        guard let got else { throw FileError(errno: errno) }
        count += got
        guard count <= bytesMax else { throw FileError(bytesMax: bytesMax) }
        if got == 0 {
            bytes.removeLast(bytes.count - count)
            return bytes
        }
        if count == bytes.count { bytes.append(contentsOf: repeatElement(0, count: bytes.count)) }
    }
}

extension FileError {
    fileprivate init(bytesMax: Int) {
        self.init(name: "EFBIG", reason: "It has more than \(bytesMax) bytes")
    }

    init(errno code: Int32) {
        self.init(
            name: sl_error_name(code).map { String(cString: $0) } ?? "E\(code)", reason: String(cString: strerror(code))
        )
    }
}

private func kind(ofPath path: String) -> FileSystem.Kind? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return .file
    case S_IFDIR: return .directory
    default: return .other
    }
}

private func realPath(of path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
}

/// What tells that a file is not what it was: another file at the path, another size, a later change.
public struct FileIdentity: Hashable, Sendable {
    private let device: UInt
    private let inode: UInt
    private let bytes: Int
    private let seconds: Int
    private let nanoseconds: Int

    /// Nil: there is none.
    public init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = UInt(status.st_dev)
        inode = UInt(status.st_ino)
        bytes = Int(status.st_size)
        seconds = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
    }
}
