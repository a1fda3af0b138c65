internal import CLinux
internal import Glibc

/// A small file without a name, for handing bytes to a child.
public final class MemoryFile: Sendable {
    public let fileDescriptor: Int32

    /// The read position is at the start.
    public init(name: String, contents: [UInt8]) throws(SystemCallError) {
        fileDescriptor = sl_memfd(name)
        guard fileDescriptor >= 0 else { throw SystemCallError("memfd_create", errno: errno) }
        var offset = 0
        while offset < contents.count {
            let written = contents.withUnsafeBytes { bytes in
                retryingInterrupted {
                    pwrite(fileDescriptor, bytes.baseAddress! + offset, bytes.count - offset, off_t(offset))
                }
            }
            guard let written else {
                let code = errno
                close(fileDescriptor)
                throw SystemCallError("writing \(name)", errno: code)
            }
            offset += written
        }
    }

    deinit { close(fileDescriptor) }
}
