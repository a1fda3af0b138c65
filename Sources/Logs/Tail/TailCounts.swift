/// What a tailer has done, and how far it is behind.
public struct TailCounts: Sendable {
    /// Bytes of the sources that were given to the sinks, and lines of them.
    public var bytes: UInt64 = 0
    public var lines: UInt64 = 0
    /// Bytes that were seen to be there and never could be read: the file was emptied and no copy was found; it was removed while it was closed; a compressed one was
    /// damaged or too large (as far as its bytes are known).
    public var missedTruncated: UInt64 = 0
    public var missedDeleted: UInt64 = 0
    public var missedCompressed: UInt64 = 0
    /// Bytes that were no text and were replaced.
    public var invalidBytes: UInt64 = 0
    /// Lines that were longer than allowed, and bytes that this cost.
    public var linesCut: UInt64 = 0
    public var bytesCut: UInt64 = 0
    /// Bytes of value 0 at the beginning of lines: what a writer that goes on where it was leaves in an emptied file.
    public var nulBytes: UInt64 = 0
    /// Files that were emptied, or replaced by others under the same number.
    public var truncations: UInt64 = 0
    /// Files that were renamed or removed.
    public var rotations: UInt64 = 0
    /// Files that cannot be opened or read, counted at each attempt.
    public var failures: UInt64 = 0
    /// The last of them.
    public var failedPath: String?
    /// Files, folders and names that a limit kept out, counted at each walk.
    public var leftOut: UInt64 = 0
    public var walks: UInt64 = 0

    public var filesKnown = 0
    /// Of them, files that are or may be read on.
    public var filesFollowed = 0
    public var filesOpen = 0
    /// Bytes that are there and not yet finished by the sinks.
    public var lagBytes: UInt64 = 0

    public init() {}
}

/// How far one file is behind.
public struct TailLag: Sendable {
    public let path: String
    public let receiver: String
    public let bytes: UInt64
}
