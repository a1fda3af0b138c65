internal import CLinux
internal import Glibc
internal import Linux
public import Logs
public import Telemetry

/// Entries of systemd's journal, as journalctl prints them. What is in the queues is kept as the journal's cursor in a file, from where the next run goes on.
public final class JournalInput: LogInput {
    public struct Journal: Hashable, Sendable {
        /// The path of journalctl.
        public var executable: String
        /// Which entries: further arguments.
        public var arguments: [String]
        /// `NAME=value` each.
        public var environment: [String]
        /// Whether it begins with what is there, when there is no cursor yet.
        public var readsAll = false
        /// Where the cursor is kept.
        public var cursorFile: String

        public init(executable: String, arguments: [String], environment: [String], cursorFile: String) {
            self.executable = executable
            self.arguments = arguments
            self.environment = environment
            self.cursorFile = cursorFile
        }
    }

    /// A cursor is no longer. Bytes.
    private static let cursorBytesMax = 1_024

    private let journal: Journal
    private let workspace = LogWorkspace()
    private let formatter: JournalFormatter
    private let program: ProgramInput
    /// Of the last entry that was handed on.
    private var handedOn: [UInt8] = []

    public init(
        _ receiver: String, _ journal: Journal, _ settings: SyslogSettings, say: @escaping @Sendable (String) -> Void
    ) {
        self.journal = journal
        let formatter = JournalFormatter(settings, workspace)
        self.formatter = formatter
        program = ProgramInput(
            receiver, executable: journal.executable, environment: journal.environment, restart: .always, workspace,
            lineBytesMax: 1 << 20, say: say,
            arguments: { Self.arguments(journal, read: formatter.cursor) },
            makeSink: { stream in
                guard stream == "stdout" else { return SayingSink { say("\(receiver): journalctl: \($0)") } }
                return formatter
            })
    }

    /// - Parameter read: the cursor of what was read in this run.
    private static func arguments(_ journal: Journal, read: [UInt8]) -> [String] {
        var cursor = String(decoding: read, as: UTF8.self)
        if cursor.isEmpty { cursor = kept(journal.cursorFile) }
        let start: [String] =
            cursor.isEmpty
            ? ["--lines=\(journal.readsAll ? "all" : "0")"] : ["--lines=all", "--after-cursor=\(cursor)"]
        return ["--output=json", "--all", "--follow", "--quiet"] + start + journal.arguments
    }

    // MARK: the seam

    public var receiver: String { program.receiver }
    public func begin(_ watcher: LogInputWatcher, _ time: LogInputTime) { program.begin(watcher, time) }
    public func readable(_ mark: UInt32, _ time: LogInputTime) { program.readable(mark, time) }
    public func turn(_ time: LogInputTime) -> UInt64? { program.turn(time) }
    public var isOver: Bool { program.isOver }
    public func askToEnd() { program.askToEnd() }
    public func end(_ time: LogInputTime) { program.end(time) }
    public var counts: LogInputCounts { program.counts }
    public var bytesWaiting: Int { formatter.bytesWaiting }

    public func takeBatches() -> [Batch] {
        handedOn = formatter.cursor
        return formatter.takeBatches()
    }

    public func taken() {
        guard !handedOn.isEmpty, handedOn.count <= Self.cursorBytesMax else { return }
        // The whole of the old one or of the new one; a power loss may leave an older one, and entries come twice.
        let new = journal.cursorFile + ".new"
        let descriptor = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        let isWritten = handedOn.withUnsafeBytes { write(descriptor, $0.baseAddress!, $0.count) } == handedOn.count
        close(descriptor)
        if isWritten { rename(new, journal.cursorFile) }
    }

    /// "" where there is none.
    private static func kept(_ file: String) -> String {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: cursorBytesMax)
        let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress!, $0.count) }
        guard count > 0 else { return "" }
        return String(validating: bytes[..<count], as: UTF8.self) ?? ""
    }
}

/// Tells what a program has to say on standard error.
private final class SayingSink: LineSink {
    /// Of one start of the program.
    private static let linesMax = 10

    private let say: (String) -> Void
    private var lines = 0

    init(_ say: @escaping (String) -> Void) { self.say = say }

    func take(_ lines: UnsafeRawBufferPointer, at offset: UInt64, sourceBytes: UInt64, observed: UInt64) {
        for line in lines.split(separator: 0x0A) where self.lines < Self.linesMax {
            self.lines += 1
            say(String(decoding: line.prefix(1_024), as: UTF8.self))
        }
    }

    func turn(now: UInt64, observed: UInt64) -> UInt64? { nil }
    func end(observed: UInt64) {}
    var resume: ResumePoint { ResumePoint(0) }
}
