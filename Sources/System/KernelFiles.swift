/// Files whose text the kernel makes when they are read (proc(5), cgroups(7)), as who samples them sees them: `LinuxKernelFiles` is the real driver, tests have one over
/// recorded trees. One thread. Paths are absolute.
public protocol KernelFiles: AnyObject {
    /// Opens a file that is read again and again. It stays what it was when it was opened: of a process that is gone nothing more is read, whoever has its number.
    func open(_ path: String) throws(KernelFileFailure) -> KernelFile
    func close(_ file: KernelFile)
    /// The whole text as it is now, or as much as fits.
    func read(_ file: KernelFile, into bytes: UnsafeMutableRawBufferPointer) throws(KernelFileFailure) -> Int
    /// The names of a folder that are numbers, at most `countMax` of them, in any order.
    func numbers(in folder: String, countMax: Int, _ body: (Int32) -> Void) throws(KernelFileFailure)
    /// How many names there are in a folder.
    func count(in folder: String) throws(KernelFileFailure) -> Int
    func exists(_ path: String) -> Bool
    /// Where a symbolic link leads; what is no UTF-8 in it is replaced.
    func target(of path: String) throws(KernelFileFailure) -> String
    /// statvfs(3) of a mounted file system.
    func space(_ path: String) throws(KernelFileFailure) -> FileSystemSpace
}

/// An open file of `KernelFiles`.
public struct KernelFile: Hashable, Sendable {
    public let number: Int32

    public init(number: Int32) { self.number = number }
}

/// Why a file was not read.
public enum KernelFileFailure: String, Error, Sendable, CaseIterable {
    /// It is not there, or what it tells of is gone.
    case absent
    case denied
    /// The kernel has it switched off.
    case unsupported
    /// The process may open no more files.
    case exhausted
    case other
    /// What was read is not what proc(5) says.
    case malformed
}

/// Room in a file system, bytes.
public struct FileSystemSpace: Equatable, Sendable {
    public var total: UInt64
    /// For everybody.
    public var available: UInt64
    /// For the superuser too.
    public var free: UInt64
    public var nodes: UInt64
    public var nodesFree: UInt64

    public init(total: UInt64, available: UInt64, free: UInt64, nodes: UInt64, nodesFree: UInt64) {
        self.total = total
        self.available = available
        self.free = free
        self.nodes = nodes
        self.nodesFree = nodesFree
    }
}
