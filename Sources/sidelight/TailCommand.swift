import ArgumentParser
import Glibc
import Store
import Synchronization
import Telemetry
import Wire

struct TailCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail",
        abstract: "Print recorded logs, and follow them.",
        discussion: """
            Without -n, --since, --until and --trace the last 10 records are printed.

            --search finds records with all of the words, in any order and in upper or lower case: "a phrase" in quotes, pre* for words that begin so, -word for \
            records without it, OR and parentheses. It reads only those parts of the store that have the words; --grep reads everything.

            With --admin nothing recorded is printed: the agent there, on this machine or \
            another, sends what comes from now on. Where records come faster than they can be shown, the line "… N not shown" says how many are missing; the store \
            has them.

            EXAMPLES
              sidelight tail -f
              sidelight tail -f --level warn --service shop
              sidelight tail --since 1h --until 30m --grep 'timeout|refused' --context 3
              sidelight tail --search 'payment "connection refused" -retry'
              sidelight tail --trace 4bf92f35 --json
              sidelight tail --admin 10.0.0.7:9464 --level error
            """)

    @OptionGroup var options: StoreOptions

    @Flag(name: .shortAndLong, help: "Go on as records come, until interrupted.")
    var follow = false

    @Option(help: ArgumentHelp("Follow the agent with this admin port instead of a store.", valueName: "HOST:PORT"))
    var admin: String?

    @OptionGroup var access: AdminAccess

    @Option(
        help: ArgumentHelp("This level and above: trace, debug, info, warn, error, fatal.", valueName: "L"),
        transform: OptionText.level)
    var level: SeverityLevel?

    @Option(help: ArgumentHelp("Only records of this trace: its id, the first digits, or \"latest\".", valueName: "ID"))
    var trace: String?

    @Option(
        help: ArgumentHelp(
            "Only records in whose text, attributes or stack this regular expression is found.", valueName: "REGEX"))
    var grep: String?

    // `-word` is no option behind it.
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Only records with these words in their text, attributes or stack: words, \"phrases\", pre*, -not, OR.",
            valueName: "WORDS"),
        transform: OptionText.search)
    var search: SearchQuery?

    @Option(
        help: ArgumentHelp("With --grep or --search: N records before and after each, too.", valueName: "N"),
        transform: { try OptionText.number($0, in: 0...1_000, example: 3) })
    var context = 0

    @Option(
        help: ArgumentHelp("Records of this time, as in 30s, 10m or 1h.", valueName: "TIME"),
        transform: { try OptionText.time($0, example: "30s, 10m or 1h") })
    var since: TimeSpan?

    @Option(
        help: ArgumentHelp("None younger than this, as in 30s, 10m or 1h.", valueName: "TIME"),
        transform: { try OptionText.time($0, example: "30s, 10m or 1h") })
    var until: TimeSpan?

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
    /// Between two questions to an agent that has gone.
    private static let againMicroseconds: useconds_t = 1_000_000

    func validate() throws {
        _ = try expression()
        if context > 0, grep == nil, search == nil { throw ValidationError("--context needs --grep or --search") }
        if until != nil, follow {
            throw ValidationError("--until is for what was recorded: it cannot be with --follow")
        }
        if let since, let until, since.nanoseconds <= until.nanoseconds {
            throw ValidationError("--since must be longer ago than --until")
        }
        guard let admin else { return }
        try AdminOptions.check(admin)
        for (name, isGiven) in [("--since", since != nil), ("--until", until != nil), ("-n", number != nil)]
        where isGiven {
            throw ValidationError("\(name) is for a store: an agent at --admin sends what comes from now on")
        }
    }

    func run() throws {
        signal(SIGPIPE, SIG_IGN)
        for number in [SIGINT, SIGTERM] where follow && admin == nil {
            signal(number) { _ in interrupted.store(true, ordering: .relaxed) }
        }
        if let admin { return try followAgent(admin) }
        if follow {
            try waitForStore()
            if interrupted.load(ordering: .relaxed) { return }
        }
        var printer = try printer()
        try options.withReader { reader in
            let query = try query(reader)
            var cursor: StoreCursor
            if number == nil, since != nil || until != nil || trace != nil {
                cursor = try reader.logs(query) { put($0, &printer) }
            } else if context > 0 {
                var last = LastMatches(count: number ?? Self.numberDefault, context: context, printer.matches)
                cursor = try reader.logs(query) {
                    last.take($0)
                    return !interrupted.load(ordering: .relaxed)
                }
                for log in last.trimmed() {
                    guard let log else {
                        printer.leaveOut()
                        continue
                    }
                    guard put(log, &printer) else { break }
                }
            } else {
                let last = try reader.lastLogs(query, count: number ?? Self.numberDefault, where: printer.matches)
                cursor = last.cursor
                for log in last.logs { guard put(log, &printer) else { break } }
            }
            printer.output.flush()
            guard follow else { return }
            try followStore(reader, query, cursor, &printer)
        }
    }

    /// False: nobody reads any more.
    private func put(_ log: StoredLog, _ printer: inout LogPrinter) -> Bool {
        printer.take(log)
        return printer.output.isOpen && !interrupted.load(ordering: .relaxed)
    }

    private func followStore(
        _ reader: StoreReader, _ query: LogQuery, _ start: StoreCursor, _ printer: inout LogPrinter
    ) throws {
        var cursor = start
        var version: Int?
        while printer.output.isOpen, !interrupted.load(ordering: .relaxed) {
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
                cursor = try reader.logs(query, after: cursor) { put($0, &printer) }
                printer.output.flush()
            } else {
                usleep(Self.pollMicroseconds)
            }
        }
    }

    /// Follows an agent until interrupted. One that goes away is waited for.
    private func followAgent(_ place: String) throws {
        var fields: [String] = []
        if let level { fields.append("level=\(level.rawValue)") }
        if let service { fields.append("service=" + PercentEncoding.encoded(service)) }
        if let trace {
            guard let id = TraceID(hex: trace), id.isValid else {
                throw ValidationError("'\(trace.escaped)' is no trace id of 32 hex digits, which an agent needs")
            }
            fields.append("trace=\(id.hex)")
        }
        let stream = LogStream(try printer())
        var options = AdminOptions()
        options.admin = place
        options.access = access
        let path = "/api/v1/logs/tail" + (fields.isEmpty ? "" : "?" + fields.joined(separator: "&"))
        while true {
            switch options.ask(path, stream.take) {
            case .refused(let reason):
                complain(reason)
                throw ExitCode(1)
            case .failed(let reason) where !stream.hasBegun:
                complain("no agent answers at \(place.escaped): \(reason)")
                throw ExitCode(1)
            case .complete, .failed: stream.waits(for: place)
            }
            usleep(Self.againMicroseconds)
        }
    }

    private func printer() throws -> LogPrinter {
        LogPrinter(try expression(), search, context: context, isJSON: json)
    }

    private func query(_ reader: StoreReader) throws -> LogQuery {
        var query = LogQuery()
        let now = TimeText.now()
        query.severityMin = level?.severityMin ?? 0
        query.service = service
        query.since = since.map { now - min($0.nanoseconds, now) } ?? 0
        if let until { query.until = now - min(until.nanoseconds, now) }
        // What is around a record has other words.
        if context == 0 { query.search = search }
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
