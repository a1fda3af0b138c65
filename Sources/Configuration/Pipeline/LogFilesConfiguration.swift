public import Telemetry

/// Files of lines that the agent reads: a receiver of the kind `files`. docs/logs.md.
public struct LogFilesConfiguration: Hashable, Sendable {
    /// What receivers of this kind are called: "files", or "files/NAME".
    public static let kind = "files"
    /// The one that `--logs` makes.
    public static let flagName = "files/--logs"

    /// Where a file is begun that was there before the agent has seen it for the first time. One that comes later is read whole.
    public enum Start: String, Sendable, CaseIterable { case beginning, end }

    /// What its lines are.
    public enum Format: String, Sendable, CaseIterable {
        /// As the first lines of each file say.
        case auto
        case json
        case docker
        case cri
        case logfmt
        case access
        case plain
        /// As `pattern` says.
        case regex
    }

    /// Which lines belong together.
    public enum Multiline: Hashable, Sendable {
        /// Stack traces of the languages that are known.
        case auto
        /// Each is a record.
        case off
        /// Regular expressions: of a record's first line, and of lines that go on with one.
        case rules(start: String?, continuation: String?)
    }

    public enum Encoding: String, Sendable, CaseIterable {
        /// UTF-8, unless the file begins with a mark of UTF-16.
        case auto
        case utf8 = "utf-8"
        case utf16LittleEndian = "utf-16le"
        case utf16BigEndian = "utf-16be"
        case latin1 = "latin-1"
    }

    public var name: String
    /// Patterns of paths, as a shell has them; `**` for any folders.
    public var include: [String]
    /// Those that are not read.
    public var exclude: [String] = []
    public var start = Start.beginning
    public var format = Format.auto
    /// Of `regex`: a regular expression with named groups.
    public var pattern: String?
    public var multiline = Multiline.auto
    public var encoding = Encoding.auto
    /// `service.name` of what says none itself.
    public var service: String?
    /// Attributes of the resource.
    public var attributes: [Attribute] = []
    /// Of a line; what is longer is cut. Bytes.
    public var lineBytesMax = 1 << 20
    /// Of a record, the lines that were joined included. Bytes.
    public var recordBytesMax = 1 << 20
    /// How long a record waits for further lines. Nanoseconds.
    public var multilineWaitNanoseconds: UInt64 = 1_000_000_000
    /// Bytes a second of each file. Nil: as many as there are.
    public var rateBytesMax: Int?
    /// How often is looked for new files, and at files where the kernel tells nothing. Nanoseconds.
    public var pollNanoseconds: UInt64 = 1_000_000_000
    /// How long a file that was renamed or removed is still read. Nanoseconds.
    public var rotateWaitNanoseconds: UInt64 = 5_000_000_000
    /// Files that are open at once; the others take turns.
    public var openFilesMax = 512
    /// Whether rotated files that are compressed (.gz, .zst) and were never read are read, once.
    public var isCompressedRead = true

    public init(name: String, include: [String]) {
        self.name = name
        self.include = include
    }
}
