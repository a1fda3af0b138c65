/// How a file's bytes are to be read.
public enum TailEncoding: Sendable {
    /// UTF-8, or UTF-16 where the file begins with its byte order mark.
    case automatic
    case latin1
}

/// One receiver of files: which it reads, and how.
public struct TailSettings: Sendable {
    public enum Start: Sendable {
        case beginning, end
    }

    /// As configured: "files/shop". The lines' sources bear it.
    public var receiver: String
    /// Patterns of paths: `*`, `?`, `[…]`, `{a,b}`, and `**` for any number of folders. A file that two receivers match is the first one's.
    public var include: [String]
    /// Of what these match nothing is read; one without a slash is for names in any folder.
    public var exclude: [String]
    /// Where files begin that are there when the receiver has no places yet. All others begin at their beginning.
    public var start = Start.beginning
    public var encoding = TailEncoding.automatic
    /// Of a longer line as many bytes are given out; the rest is counted.
    public var lineBytesMax = 1 << 20
    /// A file's bytes a second; nil: as fast as it goes.
    public var bytesPerSecondMax: UInt64?

    public init(receiver: String, include: [String], exclude: [String] = []) {
        self.receiver = receiver
        self.include = include
        self.exclude = exclude
    }
}

/// What all receivers of a tailer share.
public struct TailLimits: Sendable {
    /// Files held open. A file that is idle is closed for another one and opened again when it grows.
    public var openFilesMax = 512
    /// Files known, those that are gone included; further ones are not read.
    public var filesMax = 32_768
    /// Names looked at in one walk.
    public var entriesMax = 262_144
    /// Bytes of one file before it is another one's turn.
    public var quantumBytes = 256 << 10
    /// Between two looks at the size of each file that is known.
    public var pollNanoseconds: UInt64 = 1_000_000_000
    /// Between two walks over the folders: where the system tells of changes, and where it does not.
    public var walkNanoseconds: UInt64 = 10_000_000_000
    public var unwatchedWalkNanoseconds: UInt64 = 1_000_000_000
    /// A file that was renamed or removed and does not grow any more has ended after it.
    public var rotateWaitNanoseconds: UInt64 = 30_000_000_000
    /// A file that says what another one says, and bears its name with something behind, is not read before it: it may be the copy that a rotation makes before it
    /// empties the file. From its last growth.
    public var copyWaitNanoseconds: UInt64 = 30_000_000_000
    /// A file that is gone is remembered as long: a compressed one may come in its place.
    public var forgetNanoseconds: UInt64 = 3_600_000_000_000
    /// What one compressed file may hold; the rest is counted.
    public var decompressedBytesMax: UInt64 = 16 << 30
    /// Compressed files that are read at the same time; each has some memory of its own.
    public var compressedMax = 2

    public init() {}
}
