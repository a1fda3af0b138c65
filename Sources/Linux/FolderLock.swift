internal import CLinux
internal import Glibc
internal import System

/// A lock on a folder (flock of a file in it) that this process has for as long as the object lives: it ends with the process, however that ends.
public final class FolderLock: Sendable {
    public enum Failure: Error, Hashable, Sendable {
        /// Another process has it, or this one; the id is what the file says.
        case locked(pid: Int32?)
        /// There can be no such file; for people.
        case other(String)
    }

    private let descriptor: Int32

    private init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Makes the folder where it is missing (0700).
    public static func take(_ folder: String, file name: String) -> Result<FolderLock, Failure> {
        if let reason = makeFolders(folder) { return .failure(.other(reason)) }
        let path = "\(folder)/\(name)"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | OpenFlags.noFollow, 0o600)
        guard descriptor >= 0 else { return .failure(.other("\(path): \(String(cString: strerror(errno)))")) }
        guard retryingInterrupted({ flock(descriptor, LOCK_EX | LOCK_NB) }) != nil else {
            let code = errno
            defer { close(descriptor) }
            guard code == EWOULDBLOCK else { return .failure(.other("\(path): \(String(cString: strerror(code)))")) }
            return .failure(.locked(pid: pid(in: descriptor)))
        }
        // For whoever is refused; on a full disk the lock holds without it.
        let text = Array("\(getpid())\n".utf8)
        if ftruncate(descriptor, 0) == 0 { _ = pwrite(descriptor, text, text.count, 0) }
        return .success(FolderLock(descriptor))
    }

    private static func pid(in descriptor: Int32) -> Int32? {
        var text = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &text, text.count, 0)
        guard count > 0 else { return nil }
        return Int32(String(decoding: text[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }
}
