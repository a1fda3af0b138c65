import Glibc
import Store
import Telemetry
import Wire

/// Prints the log records that an agent sends as server-sent events. On the transport's thread.
final class LogStream: @unchecked Sendable {
    // @unchecked: `take` is called by one thread at a time, `waits` between calls.

    private var printer: LogPrinter
    private var pending: [UInt8] = []
    private var isSkipEvent = false
    private(set) var hasBegun = false
    private var isWaiting = false

    init(_ printer: LogPrinter) { self.printer = printer }

    func take(_ bytes: [UInt8]) {
        if isWaiting { complain("following again") }
        (hasBegun, isWaiting) = (true, false)
        pending += bytes
        var start = 0
        while let end = pending[start...].firstIndex(of: 0x0A) {
            line(pending[start..<end])
            start = end + 1
        }
        pending.removeFirst(start)
        printer.output.flush()
        // Nobody reads any more.
        if !printer.output.isOpen { Glibc.exit(0) }
    }

    /// The agent has gone; it is asked again.
    func waits(for place: String) {
        pending = []
        if !isWaiting { complain("the agent at \(place.escaped) has gone; waiting for it") }
        isWaiting = true
    }

    private func line(_ line: ArraySlice<UInt8>) {
        if line.isEmpty {
            isSkipEvent = false
        } else if line.elementsEqual("event: skipped".utf8) {
            isSkipEvent = true
        } else if line.starts(with: "data: ".utf8) {
            let data = Array(line.dropFirst(6))
            if isSkipEvent {
                if let count = (try? JSONValue(parsing: data))?["skipped"]?.integer { printer.skipped(Int(count)) }
            } else if let log = try? TelemetryJSON.log(parsing: data) {
                printer.take(log)
            } else {
                // No record as our agents write them.
                printer.skipped(1)
            }
        }
    }
}
