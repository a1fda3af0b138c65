import Configuration
import Pipeline
import Synchronization
import System
import Telemetry
import Transport
import Wire

/// Writes exports to files, a line of OTLP JSON for each, a file for each signal.
/// <https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/>.
///
/// A disk may take its time, so a thread of its own does the writing; it lives while there is something to write. The machine keeps one export in flight, which
/// bounds what waits here.
final class FileDestination: Destination {
    /// Between what is written and when it is forced to the disk, nanoseconds.
    private static let syncInterval: UInt64 = 1_000_000_000

    private struct State: ~Copyable {
        var files: [Signal: RotatedFile]
        var isSyncDue = false
    }

    private let state: Mutex<State>
    private let settings: ExporterConfiguration.File
    private let timers: any TimerScheduler
    private let clock: any SystemClock

    init(_ settings: ExporterConfiguration.File, timers: any TimerScheduler, clock: any SystemClock) {
        self.settings = settings
        self.timers = timers
        self.clock = clock
        state = Mutex(State(files: [:]))
    }

    func send(_ export: Export, completion: @escaping @Sendable (ExportResult) -> Void) {
        ServiceThread(name: "sidelight-file") { [self] in completion(write(export)) }.detach()
    }

    /// Blocks for as long as the disk does.
    func write(_ export: Export) -> ExportResult {
        guard let path = settings.paths[export.signal] else {
            preconditionFailure("\(export.signal) routed to \(settings.paths.keys)")
        }
        let encoded = OTLP.exportRequestJSON(batches: export.batches)
        guard encoded.skipped < export.itemCount else {
            return .refused(.notEncodable, message: "\(path): the \(export.signal) do not decode")
        }
        let line = encoded.bytes + [0x0A]
        let (failure, startsTimer): (FileFailure?, Bool) = state.withLock { state in
            let file = state.files[export.signal] ?? RotatedFile(path, settings)
            state.files[export.signal] = file
            do throws(FileFailure) {
                try file.append(line, now: clock.unixNanoseconds())
            } catch {
                return (error, false)
            }
            let starts = settings.sync == .interval && !state.isSyncDue
            if starts { state.isSyncDue = true }
            return (nil, starts)
        }
        if startsTimer {
            timers.schedule(at: clock.monotonicNanoseconds() + Self.syncInterval) { [weak self] in
                guard let self else { return }
                ServiceThread(name: "sidelight-file") { [self] in sync() }.detach()
            }
        }
        if let failure { return .failed(message: failure.message) }
        return .delivered(notEncodable: encoded.skipped)
    }

    /// Another process, or the exporter that comes in this one's place, may write the files now; where a disk keeps us waiting, once it lets go.
    func close() { _ = state.withLockIfAvailable { $0.files = [:] } }

    private func sync() {
        state.withLock { state in
            state.isSyncDue = false
            for file in state.files.values { file.sync() }
        }
    }
}
