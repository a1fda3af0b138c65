public import Telemetry

/// How the lines of a receiver's sources are read.
public struct LogFormatSettings: Sendable {
    /// What the lines are; of a container's file, whose path says so, what is inside of the runtime's lines. A line that is not what it should be is a plain one,
    /// and counted.
    public enum Format: Sendable {
        /// Each line for itself: containers' (and what is inside of them), JSON, access, logfmt, syslog; else plain.
        case auto
        /// An object a line.
        case json
        /// Docker's json-file; what containers wrote is read as of `auto`.
        case docker
        /// Kubernetes' container runtimes; what containers wrote is read as of `auto`.
        case cri
        case logfmt
        /// Apache's and nginx's common and combined formats.
        case access
        /// Text with a time and a level, maybe.
        case plain
        /// Text in which nothing is looked for.
        case raw
        /// Named groups become attributes; `time`, `level`, `message`, `trace_id` and their kin are what they say.
        case regex(LinePattern)
    }

    /// Which lines belong together. Only plain lines do; a line that a format fits is a record.
    public enum Multiline: Sendable {
        case off
        /// Stack traces of JavaScript, Java, Python, Go, .NET, Ruby and Rust.
        case auto
        case rules(MultilineRules)
    }

    /// A rule that is nil says nothing. With `start` alone, each line that it does not fit belongs to the one before.
    public struct MultilineRules: Sendable {
        /// Fits the first line of a record.
        public var start: LinePattern?
        /// Fits a further line.
        public var next: LinePattern?
        /// Fits the last line.
        public var end: LinePattern?

        public init(start: LinePattern? = nil, next: LinePattern? = nil, end: LinePattern? = nil) {
            self.start = start
            self.next = next
            self.end = end
        }
    }

    public static let recordBytesRange = 1_024...1_048_576
    public static let multilineWaitRange: ClosedRange<UInt64> = 1_000_000...60_000_000_000

    public var format = Format.auto
    public var multiline = Multiline.auto
    /// `service.name`; nil: the container's name, else the file's name without its ending, or its folder's (`LogOrigin`).
    public var serviceName: String?
    /// Further attributes of the resource.
    public var resourceAttributes: Attributes = []
    /// A record's text is cut there. Bytes, in `recordBytesRange`.
    public var recordBytesMax = 262_144
    /// How long a line waits for those that belong to it. Nanoseconds, in `multilineWaitRange`.
    public var multilineWait: UInt64 = 1_000_000_000
    /// Of times that name no zone; nil: the machine's.
    public var utcOffsetSeconds: Int64?

    public init() {}
}
