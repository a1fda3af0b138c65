/// The files of this machine, as a seam for tests. Paths are absolute.
public struct FileSystem {
    public enum Kind: Sendable {
        case file, directory
        /// A device, socket or pipe.
        case other
    }

    /// What is there, symbolic links followed; nil when nothing is, or it may not be looked at.
    public var kind: (_ path: String) -> Kind?
    /// The path with no symbolic link in it; nil when nothing is there.
    public var realPath: (_ path: String) -> String?
    /// All bytes of a file.
    public var read: (_ path: String) throws(FileError) -> [UInt8]

    public init(
        kind: @escaping (_ path: String) -> Kind?, realPath: @escaping (_ path: String) -> String?,
        read: @escaping (_ path: String) throws(FileError) -> [UInt8]
    ) {
        self.kind = kind
        self.realPath = realPath
        self.read = read
    }
}

/// Why a file could not be read.
public struct FileError: Error, Hashable, Sendable {
    /// POSIX name of the cause, such as "ENOENT".
    public let name: String
    /// For people, such as "No such file or directory".
    public let reason: String

    public init(name: String, reason: String) {
        self.name = name
        self.reason = reason
    }
}
