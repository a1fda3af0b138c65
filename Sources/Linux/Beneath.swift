internal import CLinux
internal import Glibc

/// Opens what lies below a folder and nowhere else: neither "..", nor an absolute path, nor a symbolic link leads out of it (openat2(2), RESOLVE_BENEATH).
/// Closed at exec. Throws EXDEV for what would leave the folder.
public func openBeneath(
    _ directory: Int32, _ path: String, flags: Int32, mode: UInt32 = 0
) throws(SystemCallError) -> Int32 {
    let descriptor = sl_open_beneath(directory, path, flags, mode)
    guard descriptor >= 0 else { throw SystemCallError("openat2", errno: errno) }
    return descriptor
}

/// Flags of open(2) that the C library's module lacks.
public enum OpenFlags {
    /// The descriptor stands for a place and cannot be read.
    public static let path = Int32(SL_O_PATH)
    public static let directory = Int32(SL_O_DIRECTORY)
    public static let noFollow = Int32(SL_O_NOFOLLOW)
}

/// A time of a file.
public struct FileTime: Sendable {
    /// Since 1970.
    public var seconds: Int
    public var nanoseconds: Int

    public init(seconds: Int, nanoseconds: Int) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// The time of the call that sets it.
    public static let now = FileTime(seconds: 0, nanoseconds: Int(SL_UTIME_NOW))
    /// Stays as it is.
    public static let unchanged = FileTime(seconds: 0, nanoseconds: Int(SL_UTIME_OMIT))

    fileprivate var raw: timespec { timespec(tv_sec: seconds, tv_nsec: nanoseconds) }
}

/// Sets access and modification time of a file, which may be open as `OpenFlags.path`.
public func setTimes(_ descriptor: Int32, access: FileTime, modification: FileTime) throws(SystemCallError) {
    guard sl_set_times(descriptor, [access.raw, modification.raw]) == 0 else {
        throw SystemCallError("utimensat", errno: errno)
    }
}

/// How many bytes a read would find at once; 0 when that cannot be told.
public func bytesWaiting(_ descriptor: Int32) -> Int { Int(sl_bytes_waiting(descriptor)) }
