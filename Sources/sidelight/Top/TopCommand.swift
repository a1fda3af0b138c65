import ArgumentParser
import Glibc
import Linux

struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Watch what is served, live: requests, errors, isolates, resources.",
        usage: "sidelight top [OPTIONS]",
        discussion: """
            On a terminal the table is drawn again and again; ? tells its keys. In a pipe, and with --once, figures of one interval are printed once.

            VIEW is workloads, isolates, routes, requests (in flight), errors or exporters. --sort takes the name of one of its columns.

            EXAMPLES
              sidelight top
              sidelight top --admin 127.0.0.1:9464 --admin 127.0.0.1:9465
              sidelight top --admin https://shop.example:9464 --ca ca.pem --cert me.pem --key me.key
              sidelight top --view routes --sort P99
              sidelight top --once --view errors
              sidelight top --json | jq -c '.workloads[0].requestsPerSecond'

            EXIT CODES
              0  success    1  no agent answers    2  usage
            """)

    @Option(
        help: ArgumentHelp(
            "An admin port, with https:// where it speaks TLS; may be given several times (default: 127.0.0.1:9464).",
            valueName: "HOST:PORT"))
    var admin: [String] = []

    @OptionGroup var access: AdminAccess

    @Option(
        help: ArgumentHelp("Time between two looks (default: 2s).", valueName: "TIME"),
        transform: { try OptionText.time($0, example: "500ms, 1s or 1m") })
    var interval = TimeSpan(nanoseconds: 2_000_000_000)

    @Option(
        help: ArgumentHelp("What to show (default: isolates; exporters where nothing is served).", valueName: "VIEW"),
        transform: { try TopCommand.view($0) })
    var view: TopView?

    @Option(help: ArgumentHelp("The column to sort by.", valueName: "COLUMN"))
    var sort: String?

    @Flag(help: "Sort the other way round.")
    var reverse = false

    @Flag(help: "Print the figures of one interval, and end.")
    var once = false

    @Flag(help: "A line of JSON each interval.")
    var json = false

    private static let intervalMin: UInt64 = 100_000_000
    private static let intervalMax: UInt64 = 3_600_000_000_000
    private static let placesMax = 16

    private static func view(_ text: String) throws -> TopView {
        guard let view = TopView(rawValue: text) else {
            throw ValidationError("write \(TopView.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return view
    }

    func validate() throws {
        guard admin.count <= Self.placesMax else { throw ValidationError("--admin: at most \(Self.placesMax)") }
        for place in admin { try AdminOptions.check(place) }
        guard (Self.intervalMin...Self.intervalMax).contains(interval.nanoseconds) else {
            throw ValidationError("--interval is from 100ms to 1h")
        }
        let view = self.view ?? .isolates
        if let sort, !view.columns.contains(where: { $0.title == sort.uppercased() }) {
            let names = view.columns.map(\.title).joined(separator: ", ")
            throw ValidationError("--sort: \(view.rawValue) has no column '\(sort.escaped)'; it has \(names)")
        }
    }

    /// Each once.
    private var places: [String] {
        guard !admin.isEmpty else { return [AdminOptions.standardPlace] }
        var seen: Set<String> = []
        return admin.filter { seen.insert($0).inserted }
    }

    private var screen: TopScreen {
        TopScreen(view: view, sort: sort, isReversed: reverse, intervalNanoseconds: interval.nanoseconds)
    }

    func run() throws {
        SignalDescriptor.ignoreBrokenPipes()
        if json { return try printLines() }
        if once || !TerminalSession.isPossible { return try printOnce() }
        try TopLive(screen, places: places, access).run()
    }

    // MARK: without drawing

    private func printOnce() throws {
        let poll = try TopPoll(places: places, access, intervalNanoseconds: interval.nanoseconds)
        try poll.round()
        try poll.round()
        let terminal = Terminal.standardOutput()
        let paint = Painter(hasColor: terminal.hasColor)
        let output = Output()
        let width = terminal.isInteractive ? terminal.width : Int.max
        var screen = self.screen
        for line in screen.table(poll.model, width: width) { output.line(line.painted(paint, width: width)) }
        output.flush()
    }

    private func printLines() throws {
        let poll = try TopPoll(places: places, access, intervalNanoseconds: interval.nanoseconds)
        let output = Output()
        try poll.round()
        repeat {
            try poll.round()
            output.json(TopJSON.text(poll.model))
            output.flush()
        } while output.isOpen && !once
    }
}

/// Looks at admin ports, an interval apart, and waits for what they say.
final class TopPoll {
    private(set) var model: TopModel
    private let fetcher: TopFetcher
    private let clock = LinuxClock()
    private let intervalNanoseconds: UInt64
    private var next: UInt64

    init(places: [String], _ access: AdminAccess, intervalNanoseconds: UInt64) throws {
        model = TopModel(places: places)
        fetcher = try TopFetcher(places: places, access)
        self.intervalNanoseconds = intervalNanoseconds
        next = clock.monotonicNanoseconds()
    }

    /// Comes back when all have answered, or failed. Where none ever answered, that is said on stderr and exit code 1.
    func round() throws {
        var now = clock.monotonicNanoseconds()
        while now < next {
            usleep(useconds_t(min((next - now) / 1_000 + 1, 1_000_000)))
            now = clock.monotonicNanoseconds()
        }
        next = max(next &+ intervalNanoseconds, now)
        fetcher.ask()
        var open = Set(model.sources.indices)
        while !open.isEmpty {
            var poller = Poller([fetcher.ready.fileDescriptor])
            try poller.wait(nanoseconds: nil)
            for outcome in fetcher.take() {
                model.take(outcome)
                open.remove(outcome.source)
            }
        }
        guard model.sources.allSatisfy({ $0.now == nil }) else { return }
        for source in model.sources { complain("\(source.place.escaped): \((source.problem ?? "").escaped)") }
        throw ExitCode(1)
    }
}

extension TopModel {
    mutating func take(_ outcome: TopFetcher.Outcome) {
        if let sample = outcome.sample {
            take(sample, from: outcome.source)
        } else {
            fail(outcome.problem, from: outcome.source)
        }
    }
}
