public import Telemetry

/// Files of lines that the agent reads: a receiver of the kind `files`. docs/logs.md.
public struct LogFilesConfiguration: Hashable, Sendable {
    /// What receivers of this kind are called: "files", or "files/NAME".
    public static let kind = "files"
    /// The one that `--logs` makes.
    public static let flagName = "files/--logs"

    /// Where files are begun that are there when the receiver looks for the first time. All others are read from their beginning.
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
        case raw
        /// As `pattern` says.
        case regex
    }

    /// Which lines belong together.
    public enum Multiline: Hashable, Sendable {
        /// Stack traces of the languages that are known.
        case auto
        /// Each is a record.
        case off
        /// Regular expressions: of a record's first line, of lines that go on with one, of its last line.
        case rules(start: String?, continuation: String?, end: String?)
    }

    public enum Encoding: String, Sendable, CaseIterable {
        /// UTF-8, or UTF-16 where the file begins with its byte order mark.
        case auto
        case latin1 = "latin-1"
    }

    public var name: String
    /// Patterns of paths: `*`, `?`, `[…]`, `{a,b}`, and `**` for any number of folders.
    public var include: [String]
    /// Of what these match nothing is read; one without a slash is for names in any folder.
    public var exclude: [String] = []
    public var start = Start.beginning
    public var format = Format.auto
    /// Of `regex`: a regular expression with named groups.
    public var pattern: String?
    public var multiline = Multiline.auto
    public var encoding = Encoding.auto
    /// `service.name`; nil: the container's name, else the file's name without its ending.
    public var service: String?
    /// Attributes of the resource.
    public var attributes: [Attribute] = []
    /// Of a longer line as much is read. Bytes.
    public var lineBytesMax = 1 << 20
    /// A record's text is cut there. Bytes.
    public var recordBytesMax = 256 << 10
    /// How long a line waits for those that belong to it. Nanoseconds.
    public var multilineWaitNanoseconds: UInt64 = 1_000_000_000
    /// Bytes a second of each file. Nil: as many as there are.
    public var rateBytesMax: Int?

    public init(name: String, include: [String]) {
        self.name = name
        self.include = include
    }
}

/// What all receivers of files share.
public struct LogFilesLimits: Hashable, Sendable {
    /// Files that are open at once; one that is idle is closed for another.
    public var openFilesMax = 512
    /// Between two looks at each file's size, whatever the kernel tells. Nanoseconds.
    public var pollNanoseconds: UInt64 = 1_000_000_000
    /// A file that was renamed or removed and does not grow has ended after it. Nanoseconds.
    public var rotateWaitNanoseconds: UInt64 = 30_000_000_000

    public init() {}
}
