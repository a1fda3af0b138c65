// A named pipe ends when its last writer leaves, and would say so again and again until another comes. An end of the agent's own, for writing, keeps it from that while
// it is quiet. It is closed as soon as something has been read: then the last writer's leaving shows, what it left unfinished is given out, and the own end is opened
// again. What a writer does between the two is in the pipe, and read next.

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
    private let isPipe: Bool
    /// Of a pipe, for writing; -1: it is closed.
    private var ownEnd: Int32
    /// When it is tried again to open the own end. Until then nothing is read.
    private var ownEndAt: UInt64?
    /// The path of a pipe that was made.
    private let newPath: String?
    private let workspace = LogWorkspace()
    private var stream: LineStream
    private var watcher: LogInputWatcher?
    /// A file: the system does not watch it, and there is always something to read.
    private var isAlwaysReady = false
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: LineStream.readBytes, alignment: 16)
    public private(set) var isOver = false

    /// - Parameter ownEnd: nil: it is no pipe.
    private init(
        _ receiver: String, _ descriptor: Int32, ownEnd: Int32?, newPath: String?, _ settings: LogFormatSettings
    ) {
        self.receiver = receiver
        self.descriptor = descriptor
        self.newPath = newPath
        isPipe = ownEnd != nil
        self.ownEnd = ownEnd ?? -1
        let source = LogSource(path: "", receiver: receiver)
        stream = LineStream(
            descriptor, lineBytesMax: settings.recordBytesMax,
            LogFormatter(source, settings, workspace, resume: ResumePoint(0)))
    }

    /// Standard input, to its end.
    public convenience init(standardInput receiver: String, _ settings: LogFormatSettings) {
        // Others may have it, too: it is not made non-blocking, and read when there is something alone.
        self.init(receiver, STDIN_FILENO, ownEnd: nil, newPath: nil, settings)
    }

    /// A named pipe, which is made where there is none. It has no end: writers come and go.
    public convenience init(
        _ receiver: String, pipe path: String, _ settings: LogFormatSettings
    ) throws(Failure) {
        var isNew = false
        let descriptor = sl_open_fifo(path, &isNew)
        let ownEnd = descriptor >= 0 ? sl_open_fifo_writer(descriptor) : -1
        guard ownEnd >= 0 else {
            let reason = errno == EEXIST ? "it is there, and no named pipe" : String(cString: strerror(errno))
            if descriptor >= 0 { close(descriptor) }
            if isNew { unlink(path) }
            throw Failure(reason: reason)
        }
        self.init(receiver, descriptor, ownEnd: ownEnd, newPath: isNew ? path : nil, settings)
    }

    deinit {
        if isPipe { close(descriptor) }
        closeOwnEnd()
        buffer.deallocate()
    }

    /// Removes the pipe if it was made for this: nobody is going to read it.
    public func removeNewPath() {
        if let newPath { unlink(newPath) }
    }

    public func begin(_ watcher: LogInputWatcher, _ time: LogInputTime) {
        self.watcher = watcher
        isAlwaysReady = !watcher.watch(descriptor, 0)
    }

    public func readable(_ mark: UInt32, _ time: LogInputTime) {
        guard !isOver else { return }
        switch stream.read(buffer, time) {
        case .read: closeOwnEnd()
        case .nothing: break
        case .ended where isPipe:
            stream.endLine(time)
            openOwnEnd(time)
        case .ended: finish(time)
        }
    }

    private func closeOwnEnd() {
        guard ownEnd >= 0 else { return }
        close(ownEnd)
        ownEnd = -1
    }

    private func openOwnEnd(_ time: LogInputTime) {
        ownEnd = sl_open_fifo_writer(descriptor)
        if ownEnd < 0 {
            // There are too many open files. What comes meanwhile stays in the pipe.
            if ownEndAt == nil { watcher?.unwatch(descriptor) }
            ownEndAt = time.now &+ Self.ownEndNanoseconds
        } else if ownEndAt != nil {
            ownEndAt = nil
            _ = watcher?.watch(descriptor, 0)
        }
    }

    private static let ownEndNanoseconds: UInt64 = 100_000_000

    public func turn(_ time: LogInputTime) -> UInt64? {
        if let ownEndAt, !isOver {
            if ownEndAt <= time.now { openOwnEnd(time) }
            return [stream.turn(time), self.ownEndAt].compactMap(\.self).min()
        }
        guard isAlwaysReady, !isOver, bytesWaiting < Self.fileBytesMax else { return stream.turn(time) }
        readable(0, time)
        return time.now &+ 1
    }

    /// Of a file no more is read before it is taken.
    private static let fileBytesMax = 4 << 20

    private func finish(_ time: LogInputTime) {
        guard !isOver else { return }
        isOver = true
        if !isAlwaysReady, ownEndAt == nil { watcher?.unwatch(descriptor) }
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
