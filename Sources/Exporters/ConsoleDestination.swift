import Configuration
import Glibc
import Pipeline
import Synchronization
import Telemetry
import Transport
import Wire

/// Writes exports to a file descriptor: text for people, or OTLP JSON, a line for each export.
///
/// A terminal or pipe may block its writer for as long as it likes, so a thread of its own does the writing; it lives
/// while there is something to write. The machine keeps one export in flight, which bounds what waits here.
final class ConsoleDestination: Destination {
    private let descriptor: Int32
    private let isJSON: Bool

    init(_ console: ExporterConfiguration.Console, descriptor: Int32? = nil) {
        self.descriptor = descriptor ?? (console.stream == .stdout ? STDOUT_FILENO : STDERR_FILENO)
        isJSON = console.isJSON
    }

    func send(_ export: Export, completion: @escaping @Sendable (ExportResult) -> Void) {
        ServiceThread(name: "sidelight-print") { [self] in completion(write(export)) }.detach()
    }

    private func write(_ export: Export) -> ExportResult {
        let bytes: [UInt8]
        let skipped: Int
        if isJSON {
            let encoded = OTLP.exportRequestJSON(batches: export.batches)
            bytes = encoded.bytes + [0x0A]
            skipped = encoded.skipped
        } else {
            let text = ConsoleText(export.batches)
            bytes = Array(text.text.utf8)
            skipped = text.skipped
        }
        guard skipped < export.itemCount else {
            return .refused(.notEncodable, message: "console: the \(export.signal) do not decode")
        }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var readiness = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&readiness, 1, -1)
            } else if errno != EINTR {
                // A part may be on the screen; whoever reads it is gone, so trying again would help nobody.
                return .refused(.refused, message: "console: cannot write: \(String(cString: strerror(errno)))")
            }
        }
        return .delivered(notEncodable: skipped)
    }
}
