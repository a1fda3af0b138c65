import ArgumentParser
import Store
import Telemetry

struct LogsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Learn what is in the recorded logs.", subcommands: [LogPatternsCommand.self])
}

struct LogPatternsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "patterns",
        abstract: "List the kinds of log lines that there are, the most frequent first.",
        discussion: """
            Lines that differ in numbers, ids, addresses, paths and quoted texts, or in a few words, are one kind. NEW: it came in the last quarter of the time \
            looked at, and not before; GROWING: it came at least twice as often there as before.

            EXAMPLES
              sidelight logs patterns
              sidelight logs patterns --since 1h --service shop --level warn
              sidelight logs patterns --json | jq -r 'select(.new) | .template'
            """)

    @OptionGroup var store: StoreOptions

    @Option(
        help: ArgumentHelp("Records of this time, as in 30m, 1h or 2d.", valueName: "TIME"),
        transform: { try OptionText.time($0, example: "30m, 1h or 2d") })
    var since: TimeSpan?

    @Option(help: ArgumentHelp("Only records of this service.", valueName: "NAME"))
    var service: String?

    @Option(
        help: ArgumentHelp("This level and above: trace, debug, info, warn, error, fatal.", valueName: "L"),
        transform: OptionText.level)
    var level: SeverityLevel?

    @Option(
        name: [.customShort("n"), .long], help: ArgumentHelp("At most so many.", valueName: "N"),
        transform: { try OptionText.number($0, in: 1...StoreReader.patternsMax, example: 50) })
    var limit = 50

    @Flag(help: "One JSON object a line.")
    var json = false

    func run() throws {
        var query = LogQuery()
        let now = TimeText.now()
        query.since = since.map { now - min($0.nanoseconds, now) } ?? 0
        query.service = service
        query.severityMin = level?.severityMin ?? 0
        let found = try store.withReader { try $0.logPatterns(query, limit: limit) }
        let output = Output()
        if json {
            for pattern in found.patterns { output.json(TelemetryJSON.text(pattern, of: found.total)) }
        } else if found.patterns.isEmpty {
            complain("no logs in \(store.directory)")
        } else {
            for line in PatternTable(terminal: .standardOutput()).lines(found) { output.line(line) }
        }
        output.flush()
    }
}
