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

    /// Percent-encoded for a query: all but RFC 3986's unreserved characters.
    static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var out: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: out.append(byte)
            default: out += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
