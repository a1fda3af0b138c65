import ArgumentParser
import Store
import Telemetry

struct TraceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace", abstract: "Look at recorded traces.",
        subcommands: [TraceListCommand.self, TraceShowCommand.self])
}

struct TraceListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List traces, newest first.",
        discussion: """
            EXAMPLES
              sidelight trace ls --errors --since 1h
              sidelight trace ls --service shop --min-duration 100ms --limit 50
              sidelight trace ls --json | jq '.[].traceId'
            """)

    @OptionGroup var options: StoreOptions

    @Option(help: ArgumentHelp("Only traces whose root span is of this service.", valueName: "NAME"))
    var service: String?

    @Option(
        help: ArgumentHelp("Only traces whose root span's name, or request's path, contains this.", valueName: "TEXT"))
    var name: String?

    @Flag(help: "Only traces with errors: spans that failed, or log records of level error.")
    var errors = false

    @Option(
        help: ArgumentHelp("Only traces that took at least this long, as in 10ms or 1.5s.", valueName: "TIME"),
        transform: { try OptionText.time($0, example: "10ms, 1.5s or 2m") })
    var minDuration: TimeSpan?

    @Option(
        help: ArgumentHelp("Only traces that began within this time, as in 30m, 1h or 2d.", valueName: "TIME"),
        transform: { try OptionText.time($0, example: "30m, 1h or 2d") })
    var since: TimeSpan?

    @Option(
        name: [.customShort("n"), .long],
        help: ArgumentHelp("At most so many.", valueName: "N"),
        transform: { try OptionText.number($0, in: 1...1_000_000, example: 50) })
    var limit = 20

    @Flag(help: "A JSON array.")
    var json = false

    func run() throws {
        var query = TraceQuery()
        query.service = service
        query.nameContains = name
        query.errorsOnly = errors
        query.durationMin = minDuration?.nanoseconds ?? 0
        query.since = since.map { TimeText.now() - min($0.nanoseconds, TimeText.now()) } ?? 0
        query.limit = limit
        let traces = try options.withReader { try $0.traces(query) }
        let output = Output()
        if json {
            for (index, trace) in traces.enumerated() {
                output.json(
                    (index == 0 ? "[" : " ") + TelemetryJSON.text(trace) + (index == traces.count - 1 ? "]" : ","))
            }
            if traces.isEmpty { output.line("[]") }
        } else if traces.isEmpty {
            complain("no traces in \(options.directory)" + (isFiltered ? " match" : " yet"))
        } else {
            for line in TraceTable(terminal: .standardOutput()).lines(traces) { output.line(line) }
        }
        output.flush()
    }

    private var isFiltered: Bool { service != nil || name != nil || errors || minDuration != nil || since != nil }
}

struct TraceShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Draw one trace: spans, logs and errors over time.",
        discussion: """
            EXAMPLES
              sidelight trace show latest
              sidelight trace show 4bf92f35 --attributes
              sidelight trace show 4bf92f35 --json | jq '.spans[].name'

            On a terminal lines are cut to its width; in a pipe only names in the tree are.

            EXIT CODES
              0  shown          1  there is no such trace          2  usage, or no store that can be read
            """)

    @OptionGroup var options: StoreOptions

    @Argument(help: ArgumentHelp("A trace id, its first digits (4 or more), or \"latest\".", valueName: "ID"))
    var id: String?

    @Flag(name: .shortAndLong, help: "With the attributes of spans and events, and whole lines.")
    var attributes = false

    @Option(
        help: ArgumentHelp("Draw at most so many spans.", valueName: "N"),
        transform: { try OptionText.number($0, in: 1...Self.readMax, example: 1_000) })
    var maxSpans = 1_000

    @Option(
        help: ArgumentHelp("Columns to draw in (default: the terminal's).", valueName: "N"),
        transform: { try OptionText.number($0, in: Terminal.widthMin...1_000, example: 120) })
    var width: Int?

    @Flag(help: "One JSON object.")
    var json = false

    /// Spans and logs read of a larger trace than anybody would look at.
    private static let readMax = 100_000

    func run() throws {
        guard let id else {
            throw ValidationError(
                "ID is missing: which trace? `sidelight trace ls` lists them, \"latest\" is the one that began last")
        }
        let trace = try options.withReader { reader in
            let id = try StoreOptions.find(id, reader)
            return try reader.trace(id, spansMax: Self.readMax, logsMax: Self.readMax)
        }
        guard let trace else {
            // Deleted by the retention between the two reads.
            complain("the trace \(id) is gone")
            throw ExitCode(1)
        }
        let output = Output()
        if json {
            output.json(TelemetryJSON.text(trace))
        } else {
            var terminal = Terminal.standardOutput()
            if let width { terminal.width = width }
            let waterfall = Waterfall(
                trace, Waterfall.Options(terminal: terminal, showsAttributes: attributes, spansMax: maxSpans))
            for line in waterfall.lines() { output.line(line) }
        }
        output.flush()
    }
}
