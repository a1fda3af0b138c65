import ArgumentParser
import Glibc
import System

struct TapCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tap",
        abstract: "Watch what flows through an agent, live.",
        usage: "sidelight tap [OPTIONS] [POINT]",
        discussion: """
            POINT is a receiver (what comes in there, before any processor) or a pipeline (what its processors let go); without one, all pipelines are shown. \
            Items that come faster than they can be shown are left out, and counted.

            EXAMPLES
              sidelight tap
              sidelight tap otlp-http
              sidelight tap traces --json | jq .
              sidelight tap --limit 10 traces/errors

            EXIT CODES
              0  success    1  no agent answers, or it has no such point    2  usage
            """)

    @OptionGroup var admin: AdminOptions

    @Option(name: .shortAndLong, help: ArgumentHelp("End after so many lines.", valueName: "N"))
    var limit: Int?

    @Flag(help: "OTLP JSON, a line a request.")
    var json = false

    @Argument(help: ArgumentHelp("Where to look.", valueName: "POINT"))
    var point: String?

    /// Copies lines to stdout until there are enough.
    private final class Lines: @unchecked Sendable {
        // @unchecked: of the transport's thread.
        private let output = Output()
        private var left: Int

        private let isJSON: Bool

        init(limit: Int?, isJSON: Bool) {
            left = limit ?? .max
            self.isJSON = isJSON
        }

        func take(_ bytes: [UInt8]) {
            var bytes = bytes[...]
            while left > 0, let end = bytes.firstIndex(of: 0x0A) {
                pending += bytes[...end]
                bytes = bytes[(end + 1)...]
                left -= 1
                let text = String(decoding: pending.dropLast(), as: UTF8.self)
                if isJSON { output.json(text) } else { output.line(text.escaped) }
                pending = []
            }
            pending += bytes
            output.flush()
            // Nobody reads any more, or there was enough.
            if !output.isOpen || left == 0 { Glibc.exit(0) }
        }

        private var pending: [UInt8] = []
    }

    func run() throws {
        if let limit, limit < 1 { throw ValidationError("--limit is at least 1") }
        var path = "/api/v1/tap?format=\(json ? "json" : "text")"
        if let point {
            guard point.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x26 && $0 != 0x23 }) else {
                throw ValidationError("there is no point '\(point.escaped)'")
            }
            path += "&at=\(point)"
        }
        let lines = Lines(limit: limit, isJSON: json)
        try admin.stream(path) { lines.take($0) }
    }
}
