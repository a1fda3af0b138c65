import ArgumentParser
import Store
import Telemetry

struct ErrorsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "errors", abstract: "Show which errors there are, how often, and since when.",
        subcommands: [ErrorsListCommand.self, ErrorsShowCommand.self], defaultSubcommand: ErrorsListCommand.self)
}

/// The options of both.
struct ErrorOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Errors of this time, as in 30m, 1h or 2d.", valueName: "TIME"),
        transform: { try OptionText.time($0, example: "30m, 1h or 2d") })
    var since: TimeSpan?

    @Option(help: ArgumentHelp("Only errors of this service.", valueName: "NAME"))
    var service: String?

    var query: ErrorQuery {
        var query = ErrorQuery()
        let now = TimeText.now()
        query.since = since.map { now - min($0.nanoseconds, now) } ?? 0
        query.service = service
        return query
    }
}

struct ErrorsListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List errors, grouped, the latest first.",
        discussion: """
            An error is a log record of level error or with an exception, and an exception that a span recorded: uncaught errors, rejections that nobody handled, \
            workers that crashed or hit a limit are among them. Errors are one group when type, message (without numbers, ids and what is in quotes) and the first \
            three frames of the program (without line numbers) are the same.

            EXAMPLES
              sidelight errors
              sidelight errors --sort count --since 1d
              sidelight errors --sort first --service shop
              sidelight errors show 3f2a
              sidelight errors --json | jq -r .fingerprint
            """)

    @OptionGroup var store: StoreOptions
    @OptionGroup var errors: ErrorOptions

    @Option(
        help: ArgumentHelp(
            "last (occurrence, newest first), first (occurrence: what is new), count.", valueName: "ORDER"),
        transform: Self.order)
    var sort = ErrorQuery.Order.last

    @Option(
        name: [.customShort("n"), .long], help: ArgumentHelp("At most so many.", valueName: "N"),
        transform: { try OptionText.number($0, in: 1...StoreReader.errorGroupsMax, example: 50) })
    var limit = 50

    @Flag(help: "One JSON object a line.")
    var json = false

    static func order(_ text: String) throws -> ErrorQuery.Order {
        guard let order = ErrorQuery.Order(rawValue: text) else {
            throw ValidationError("write \(ErrorQuery.Order.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return order
    }

    func run() throws {
        var query = errors.query
        query.order = sort
        query.limit = limit
        let listing = try store.withReader { try $0.errors(query) }
        let output = Output()
        if json {
            for group in listing.groups { output.json(TelemetryJSON.text(group)) }
        } else if listing.groups.isEmpty {
            complain("no errors in \(store.directory)")
        } else {
            for line in ErrorTable(terminal: .standardOutput()).lines(listing) { output.line(line) }
        }
        output.flush()
    }
}

struct ErrorsShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show the latest occurrence of an error: its frames, causes, and what was logged before it.",
        discussion: """
            EXAMPLES
              sidelight errors show 3f2a
              sidelight errors show 3f2a --logs 50
              sidelight errors show 3f2a --json | jq .causes

            EXIT CODES
              0  shown          1  there is no such error          2  usage, or no store that can be read
            """)

    static let digitsMin = 4

    @OptionGroup var store: StoreOptions
    @OptionGroup var errors: ErrorOptions

    @Argument(help: ArgumentHelp("From `sidelight errors`, or its first digits (4 or more).", valueName: "FINGERPRINT"))
    var fingerprint: String

    @Option(
        help: ArgumentHelp("The last N log records of its trace.", valueName: "N"),
        transform: { try OptionText.number($0, in: 0...1_000, example: 10) })
    var logs = 10

    @Flag(help: "One JSON object.")
    var json = false

    func validate() throws {
        guard (Self.digitsMin...16).contains(fingerprint.utf8.count), fingerprint.allSatisfy(\.isHexDigit) else {
            throw ValidationError(
                "'\(fingerprint.escaped)' is no fingerprint: give 4 to 16 hex digits; `sidelight errors` lists them")
        }
    }

    func run() throws {
        let found = try store.withReader { try $0.error(fingerprint, errors.query, logsMax: logs) }
        guard let detail = found.detail else {
            complain(
                found.fingerprints.isEmpty
                    ? "no error \(fingerprint) in \(store.directory); `sidelight errors` lists what is there"
                    : "several errors begin with \(fingerprint):\n"
                        + found.fingerprints.map { "  " + $0 }.joined(separator: "\n"))
            throw ExitCode(1)
        }
        let output = Output()
        if json {
            output.json(TelemetryJSON.text(detail))
        } else {
            for line in ErrorText(Painter(hasColor: Terminal.standardOutput().hasColor)).lines(detail) {
                output.line(line)
            }
        }
        output.flush()
    }
}
