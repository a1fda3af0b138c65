/// The files of one queue's folder, as a seam: `LinuxQueueFiles` is the real one, tests have one that crashes. Names have no folder in them. Used by the queue's
/// owner alone; at most one queue at a time holds a folder (the driver locks it).
public protocol QueueFiles: AnyObject {
    /// For messages.
    var folder: String { get }

    /// Everything in the folder, in any order.
    func list() throws(QueueFileError) -> [QueueListing]
    /// A new file, open for reading and writing. Fails when the name is taken.
    func create(_ name: String) throws(QueueFileError) -> QueueFile
    /// A regular file that is there, open for reading and writing; never through a symbolic link.
    func open(_ name: String) throws(QueueFileError) -> QueueFile
    func close(_ file: QueueFile)
    /// Writes all the bytes at an offset in one call where the system takes them at once. When it fails, any part of them may have been written.
    func write(_ file: QueueFile, _ bytes: UnsafeRawBufferPointer, at offset: Int) throws(QueueFileError)
    /// As many bytes as the buffer holds; fewer only where the file ends.
    func read(
        _ file: QueueFile, into bytes: UnsafeMutableRawBufferPointer, at offset: Int
    ) throws(QueueFileError) -> Int
    func truncate(_ file: QueueFile, to bytes: Int) throws(QueueFileError)
    /// What was written to the file survives a loss of power (fdatasync).
    func sync(_ file: QueueFile) throws(QueueFileError)
    /// What was created, renamed and removed in the folder survives a loss of power (fsync of the folder).
    func syncFolder() throws(QueueFileError)
    /// Begins to sync files and the folder, and returns at once; the driver goes on beside the owner, who may write to them, close and remove them meanwhile. What was
    /// written before is covered. Not before the end of the last one was taken.
    func beginSync(_ request: QueueSyncRequest)
    /// The end of the sync that was begun; it is given once. Nil: it goes on, or none was begun. `waiting`: not before it has ended. A sync that goes on when the owner
    /// lets go of the driver is left unfinished.
    func endOfSync(waiting: Bool) -> QueueSyncEnd?
    func rename(_ name: String, to other: String) throws(QueueFileError)
    /// Nothing to remove is no error.
    func remove(_ name: String) throws(QueueFileError)
    /// Any 64 bits that nobody can guess.
    func random() -> UInt64
}

/// An open file of a queue: what the driver calls it.
public struct QueueFile: Hashable, Sendable {
    public let number: Int32

    public init(number: Int32) { self.number = number }
}

/// What is to be synced beside the owner.
public struct QueueSyncRequest: Sendable {
    public struct File: Sendable {
        public let name: String
        /// Where the owner has it open. Another is opened by its name.
        public let open: QueueFile?

        public init(name: String, open: QueueFile?) {
            self.name = name
            self.open = open
        }
    }

    public var files: [File] = []
    /// After the files.
    public var folder = false

    public init() {}
}

/// How that ended.
public struct QueueSyncEnd: Sendable {
    /// In the order of the request; nil: it survives a loss of power.
    public var files: [QueueFileError?] = []
    public var folder: QueueFileError?

    public init() {}
}

/// A name in a queue's folder.
public struct QueueListing: Sendable {
    public let name: String
    /// Of a file; 0 for what is none.
    public let bytes: Int

    public init(name: String, bytes: Int) {
        self.name = name
        self.bytes = bytes
    }
}

/// What the system said to an operation on a queue's files.
public struct QueueFileError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Sendable {
        /// The disk, or the user's share of it, is full (ENOSPC, EDQUOT).
        case noSpace
        /// This very file cannot be read or written (EIO, EUCLEAN), or is none (EISDIR, ELOOP).
        case damaged
        /// Anything else: permissions, too many open files, a file system mounted for reading.
        case other
    }

    public let kind: Kind
    /// What was tried, with the name it was tried on: "write 00000000000000000001-….queue".
    public let call: String
    /// The system's words: "No space left on device".
    public let reason: String

    public init(_ kind: Kind, _ call: String, reason: String) {
        self.kind = kind
        self.call = call
        self.reason = reason
    }

    public var description: String { "\(call): \(reason)" }
}
