import Agent
public import ArgumentParser
public import Audit
import Glibc
import Linux
import Signing
import Telemetry

/// Which entries are wanted.
struct AuditFilter: ParsableArguments {
    @Option(
        name: .customLong("kind"),
        help: ArgumentHelp(
            "Only these: \(AuditEvent.Kind.allCases.map(\.rawValue).joined(separator: ", ")). Repeatable.",
            valueName: "KIND"))
    var kinds: [AuditEvent.Kind] = []

    @Option(
        help: ArgumentHelp("Only those with this text in actor, action, target, outcome or reason.", valueName: "TEXT"))
    var grep: String?

    @Option(help: ArgumentHelp("Only those of the last time, as in 1h.", valueName: "TIME"))
    var since: TimeSpan?

    @Option(help: ArgumentHelp("Only those of this trace.", valueName: "ID"))
    var trace: String?

    func matches(_ event: AuditEvent, now: UInt64) -> Bool {
        if !kinds.isEmpty, !kinds.contains(event.kind) { return false }
        if let since, event.time < now - min(now, since.nanoseconds) { return false }
        if let trace, event.traceID?.hex.hasPrefix(trace.lowercased()) != true { return false }
        guard let grep else { return true }
        return [event.actor, event.action, event.target, event.outcome, event.reason].contains { $0.contains(grep) }
    }
}

extension AuditEvent.Kind: ExpressibleByArgument {}

struct AuditListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List what is on record, the latest last.",
        usage: "sidelight audit ls [OPTIONS]",
        discussion: """
            EXAMPLES
              sidelight audit ls
              sidelight audit ls --kind violation --kind limit --since 1h
              sidelight audit ls --json | jq 'select(.outcome == "refused") | .target'

            EXIT CODES
              0  success    2  usage, or there is no log
            """)

    @OptionGroup var options: StoreOptions
    @OptionGroup var filter: AuditFilter

    @Option(
        name: [.customShort("n"), .long], help: ArgumentHelp("How many, the latest.", valueName: "N"))
    var limit = 50

    @Flag(help: "A line of JSON each, as they stand in the log.")
    var json = false

    func run() throws {
        guard limit > 0 else { throw ValidationError("--limit is at least 1") }
        let folder = try AuditReading.folder(options)
        let key = try AuditReading.key(nil, folder)
        let now = LinuxClock().unixNanoseconds()
        var latest: [(entry: AuditEntry, line: ArraySlice<UInt8>)] = []
        let verdict = try AuditReading.complaining { () throws(AuditFileError) in
            try AuditVerifier.verify(folder, key: key) { entry, line in
                guard filter.matches(entry.event, now: now) else { return }
                // A copy: a part would keep its whole segment.
                latest.append((entry, json ? Array(line)[...] : []))
                // Twice as many are kept, so that it is seldom done.
                if latest.count - limit > limit { latest.removeFirst(latest.count - limit) }
            }
        }
        let printer = AuditPrinter(isJSON: json)
        for (entry, line) in latest.suffix(limit) { printer.print(entry, line) }
        printer.output.flush()
        AuditReading.warn(verdict)
    }
}

struct AuditTailCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail",
        abstract: "Follow the audit log.",
        usage: "sidelight audit tail [OPTIONS]",
        discussion: """
            EXAMPLES
              sidelight audit tail
              sidelight audit tail --kind violation --json

            EXIT CODES
              0  the reader of the output has gone    2  usage, or there is no log
            """)

    private static let lookMicroseconds: UInt32 = 200_000

    @OptionGroup var options: StoreOptions
    @OptionGroup var filter: AuditFilter

    @Flag(help: "A line of JSON each, as they stand in the log.")
    var json = false

    func run() throws {
        let folder = try AuditReading.folder(options)
        let printer = AuditPrinter(isJSON: json)
        var follower = try AuditReading.complaining { () throws(AuditFileError) in try AuditFollower(folder) }
        while printer.output.isOpen {
            let now = LinuxClock().unixNanoseconds()
            try AuditReading.complaining { () throws(AuditFileError) in
                try follower.next { entry, line in
                    if filter.matches(entry.event, now: now) { printer.print(entry, line) }
                }
            }
            printer.output.flush()
            usleep(Self.lookMicroseconds)
        }
    }
}

/// Entries on standard output.
struct AuditPrinter {
    let isJSON: Bool
    let output = Output()
    private let paint = Painter(hasColor: Terminal.standardOutput().hasColor)

    init(isJSON: Bool) { self.isJSON = isJSON }

    func print(_ entry: AuditEntry, _ line: ArraySlice<UInt8>) {
        if isJSON { return output.json(String(decoding: line, as: UTF8.self)) }
        let event = entry.event
        var parts = [
            paint(TimeText.dateAndTime(event.time), .dim), "#\(entry.number)",
            paint(event.kind.rawValue, Self.style(event.kind)),
        ]
        for text in [event.actor, event.action, event.target] where !text.isEmpty { parts.append(text.escaped) }
        if !event.outcome.isEmpty { parts.append(paint(event.outcome.escaped, .bold)) }
        if !event.reason.isEmpty { parts.append(paint("— " + event.reason.escaped, .dim)) }
        if let trace = event.traceID { parts.append(paint("trace \(trace.hex)", .dim)) }
        output.line(parts.joined(separator: "  "))
    }

    private static func style(_ kind: AuditEvent.Kind) -> Style {
        switch kind {
        case .violation: .red
        case .limit: .yellow
        case .integrity: .magenta
        case .policyChange, .signature, .admin: .cyan
        case .start, .stop: .green
        }
    }
}
