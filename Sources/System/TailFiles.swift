/// Files that others write, as who follows them sees them: `LinuxTailFiles` is the real driver, tests have one whose files are rotated by the seed. One thread. Paths
/// are absolute or relative to the process's folder; the empty path is that folder.
public protocol TailFiles: AnyObject {
    /// The names in a folder, in any order, until `body` returns false. False: the folder cannot be read.
    func list(_ folder: String, _ body: (_ name: String, _ kind: TailEntryKind) -> Bool) -> Bool
    /// What a path leads to, through links. Nil: nothing that can be seen.
    func status(_ path: String) -> TailFileStatus?
    func status(_ file: TailFile) -> TailFileStatus?
    /// The path without links in it.
    func resolved(_ path: String) -> String?
    /// Opens a regular file for reading; never waits.
    func open(_ path: String) -> TailFile?
    func close(_ file: TailFile)
    /// As many bytes as there are and as fit. Nil: the file cannot be read.
    func read(_ file: TailFile, into bytes: UnsafeMutableRawBufferPointer, at offset: UInt64) -> Int?
    /// Begins to tell what happens in a folder. False: nothing is told of it; to be told is a hint in any case, never a promise.
    func watch(_ folder: String) -> Bool
    /// Tells it no more.
    func forget(_ folder: String)
    /// What has happened in watched folders since the last call. Does not wait.
    func takeChanges(_ body: (TailChange) -> Void)
}

public enum TailEntryKind: Sendable {
    case file, folder, link, other
}

/// Something in a watched folder.
public enum TailChange: Sendable {
    /// A file has been written to, or made shorter.
    case written(folder: String, name: String)
    /// A name is new, gone, or leads to something else.
    case named(folder: String, name: String)
    /// More happened than can be told.
    case lost
}

/// Which file it is, whatever it is called. Given again by the system to another file once this one is gone.
public struct TailFileIdentity: Hashable, Sendable {
    public var device: UInt64
    public var inode: UInt64

    public init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }
}

public struct TailFileStatus: Sendable {
    public var identity: TailFileIdentity
    public var kind: TailEntryKind
    public var bytes: UInt64
    /// Unix nanoseconds.
    public var modified: Int64

    public init(identity: TailFileIdentity, kind: TailEntryKind, bytes: UInt64, modified: Int64) {
        self.identity = identity
        self.kind = kind
        self.bytes = bytes
        self.modified = modified
    }
}

/// An open file: what the driver calls it.
public struct TailFile: Hashable, Sendable {
    public let number: Int32

    public init(number: Int32) { self.number = number }
}
