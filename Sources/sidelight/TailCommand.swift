import ArgumentParser
import Glibc
import Store
import Synchronization
import Telemetry

struct TailCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail",
        abstract: "Print recorded logs, and follow them.",
        discussion: """
            Without -n, --since and --trace the last 10 records are printed.

            EXAMPLES
              sidelight tail -f
              sidelight tail -f --level warn --service shop
              sidelight tail --since 1h --grep 'timeout|refused'
              sidelight tail --trace 4bf92f35 --json
            """)

    @OptionGroup var options: StoreOptions

    @Flag(name: .shortAndLong, help: "Go on as records come, until interrupted.")
    var follow = false

    @Option(help: ArgumentHelp("This level and above: trace, debug, info, warn, error, fatal.", valueName: "L"))
    var level: MinimumLevel?

    @Option(help: ArgumentHelp("Only records of this trace: its id, the first digits, or \"latest\".", valueName: "ID"))
    var trace: String?

    @Option(
        help: ArgumentHelp(
            "Only records in whose text, attributes or stack this regular expression is found.", valueName: "REGEX"))
    var grep: String?

    @Option(
        help: ArgumentHelp("Records of this time, as in 30s, 10m or 1h.", valueName: "TIME"),
        transform: { try OptionText.time($0, example: "30s, 10m or 1h") })
    var since: TimeSpan?

    @Option(
        name: .shortAndLong, help: ArgumentHelp("The last N records.", valueName: "N"),
        transform: { try OptionText.number($0, in: 0...Self.numberMax, example: 50) })
    var number: Int?

    @Option(help: ArgumentHelp("Only records of this service.", valueName: "NAME"))
    var service: String?

    @Flag(help: "One JSON object a line.")
    var json = false

    private static let numberDefault = 10
    private static let numberMax = 1_000_000
    private static let pollMicroseconds: useconds_t = 100_000

    func validate() throws {
        _ = try expression()
    }

    func run() throws {
        signal(SIGPIPE, SIG_IGN)
        if follow {
            for number in [SIGINT, SIGTERM] { signal(number) { _ in interrupted.store(true, ordering: .relaxed) } }
            try waitForStore()
            if interrupted.load(ordering: .relaxed) { return }
        }
        let grep = try GrepFilter(expression())
        let output = Output()
        let terminal = Terminal.standardOutput()
        let line = LogLine(painter: Painter(hasColor: terminal.hasColor))
        func put(_ log: StoredLog) -> Bool {
            if json {
                output.line(TelemetryJSON.text(log))
            } else {
                for text in line.lines(log) { output.line(text) }
            }
            return output.isOpen && !interrupted.load(ordering: .relaxed)
        }
        try options.withReader { reader in
            let query = try query(reader)
            var cursor: StoreCursor
            if number == nil, since != nil || trace != nil {
                cursor = try reader.logs(query) { grep.matches($0) ? put($0) : true }
            } else {
                let last = try reader.lastLogs(query, count: number ?? Self.numberDefault, where: grep.matches)
                cursor = last.cursor
                for log in last.logs { guard put(log) else { break } }
            }
            output.flush()
            guard follow else { return }
            try followLogs(reader, query, cursor, output) { grep.matches($0) ? put($0) : true }
        }
    }

    private func followLogs(
        _ reader: StoreReader, _ query: LogQuery, _ start: StoreCursor, _ output: Output, _ put: (StoredLog) -> Bool
    ) throws {
        var cursor = start
        var version: Int?
        while output.isOpen, !interrupted.load(ordering: .relaxed) {
            let present: Int
            do {
                present = try reader.dataVersion()
            } catch {
                // Removed or just being made anew: it comes back with the next run.
                guard error.code == .missing || error.code == .busy else { throw error }
                usleep(Self.pollMicroseconds)
                continue
            }
            if present != version {
                version = present
                cursor = try reader.logs(query, after: cursor, put)
                output.flush()
            } else {
                usleep(Self.pollMicroseconds)
            }
        }
    }

    private func query(_ reader: StoreReader) throws -> LogQuery {
        var query = LogQuery()
        query.severityMin = level?.severity ?? 0
        query.service = service
        query.since = since.map { TimeText.now() - min($0.nanoseconds, TimeText.now()) } ?? 0
        query.traceID = try trace.map { try StoreOptions.find($0, reader) }
        return query
    }

    /// `tail -f` may be started before anything has run.
    private func waitForStore() throws {
        var isSaid = false
        while !interrupted.load(ordering: .relaxed) {
            do throws(StoreError) {
                _ = try StoreReader(directory: options.directory)
                return
            } catch {
                guard error.code == .missing else { return }
            }
            if !isSaid { complain("waiting for a store in \(options.directory)") }
            isSaid = true
            usleep(Self.pollMicroseconds)
        }
    }

    private func expression() throws -> Regex<AnyRegexOutput>? {
        guard let grep else { return nil }
        do {
            return try Regex(grep)
        } catch {
            throw ValidationError("--grep '\(grep.escaped)' is no regular expression: \(error)")
        }
    }
}

/// Set by SIGINT and SIGTERM while following.
private let interrupted = Atomic<Bool>(false)

private struct GrepFilter {
    private let expression: Regex<AnyRegexOutput>?

    init(_ expression: Regex<AnyRegexOutput>?) { self.expression = expression }

    func matches(_ log: StoredLog) -> Bool {
        guard let expression else { return true }
        return LogLine.searchable(log).contains(expression)
    }
}

/// The argument of `--level`.
enum MinimumLevel: String, ExpressibleByArgument, CaseIterable {
    case trace, debug, info, warn, error, fatal

    init?(argument: String) {
        let name = argument.lowercased()
        self.init(rawValue: name == "warning" ? "warn" : name)
    }

    /// The lowest OTLP severity number of the level.
    var severity: UInt8 {
        switch self {
        case .trace: 1
        case .debug: 5
        case .info: 9
        case .warn: 13
        case .error: 17
        case .fatal: 21
        }
    }
}
