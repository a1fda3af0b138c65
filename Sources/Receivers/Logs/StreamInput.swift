internal import CLinux
internal import Glibc
public import Logs
public import Telemetry

/// Lines of standard input, or of a named pipe.
public final class StreamInput: LogInput {
    /// Why a pipe cannot be read; for people, without its name.
    public struct Failure: Error, Hashable, Sendable {
        public let reason: String
    }

    public let receiver: String
    private let descriptor: Int32
    private let ownsDescriptor: Bool
    private let workspace = LogWorkspace()
    private var stream: LineStream
    private var watcher: LogInputWatcher?
    /// A file: the system does not watch it, and there is always something to read.
    private var isAlwaysReady = false
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: LineStream.readBytes, alignment: 16)
    public private(set) var isOver = false

    private init(_ receiver: String, _ descriptor: Int32, ownsDescriptor: Bool, _ settings: LogFormatSettings) {
        self.receiver = receiver
        self.descriptor = descriptor
        self.ownsDescriptor = ownsDescriptor
        let source = LogSource(path: "", receiver: receiver)
        stream = LineStream(
            descriptor, lineBytesMax: settings.recordBytesMax,
            LogFormatter(source, settings, workspace, resume: ResumePoint(0)))
    }

    /// Standard input, to its end.
    public convenience init(standardInput receiver: String, _ settings: LogFormatSettings) {
        // Others may have it, too: it is not made non-blocking, and read when there is something alone.
        self.init(receiver, STDIN_FILENO, ownsDescriptor: false, settings)
    }

    /// A named pipe, which is made where there is none. It has no end: writers come and go.
    public convenience init(
        _ receiver: String, pipe path: String, _ settings: LogFormatSettings
    ) throws(Failure) {
        let descriptor = sl_open_fifo(path)
        guard descriptor >= 0 else {
            let reason = errno == EEXIST ? "it is there, and no named pipe" : String(cString: strerror(errno))
            throw Failure(reason: reason)
        }
        self.init(receiver, descriptor, ownsDescriptor: true, settings)
    }

    deinit {
        if ownsDescriptor { close(descriptor) }
        buffer.deallocate()
    }

    public func begin(_ watcher: LogInputWatcher, _ time: LogInputTime) {
        self.watcher = watcher
        isAlwaysReady = !watcher.watch(descriptor, 0)
    }

    public func readable(_ mark: UInt32, _ time: LogInputTime) {
        guard !isOver, case .ended = stream.read(buffer, time) else { return }
        finish(time)
    }

    public func turn(_ time: LogInputTime) -> UInt64? {
        guard isAlwaysReady, !isOver, bytesWaiting < Self.fileBytesMax else { return stream.turn(time) }
        readable(0, time)
        return time.now &+ 1
    }

    /// Of a file no more is read before it is taken.
    private static let fileBytesMax = 4 << 20

    private func finish(_ time: LogInputTime) {
        guard !isOver else { return }
        isOver = true
        if !isAlwaysReady { watcher?.unwatch(descriptor) }
        stream.end(time)
    }

    public var bytesWaiting: Int { workspace.bytesWaiting }
    public func takeBatches() -> [Batch] { workspace.takeBatches() }
    public func taken() {}
    public func end(_ time: LogInputTime) { finish(time) }

    public var counts: LogInputCounts {
        var counts = LogInputCounts()
        counts.add(workspace)
        stream.add(to: &counts)
        return counts
    }
}
