internal import CLinux
internal import Glibc
internal import Linux
public import Logs
public import Telemetry

/// Lines that a program writes to its standard output and error. The program is started, and started again when it ends.
public final class ProgramInput: LogInput {
    public struct Program: Hashable, Sendable {
        public enum Restart: String, Sendable, CaseIterable {
            case always
            case onFailure = "on-failure"
            case never
        }

        /// A path.
        public var executable: String
        public var arguments: [String]
        /// `NAME=value` each.
        public var environment: [String]
        public var restart: Restart

        public init(executable: String, arguments: [String], environment: [String], restart: Restart = .always) {
            self.executable = executable
            self.arguments = arguments
            self.environment = environment
            self.restart = restart
        }
    }

    /// Before it is started again: the first time, and at most. It is doubled each time, until the program has run for the latter. Nanoseconds.
    private static let waitMin: UInt64 = 1_000_000_000
    private static let waitMax: UInt64 = 60_000_000_000

    /// How long a program may take that was asked to end, and how often what it writes is read meanwhile.
    private static let endNanoseconds: UInt64 = 2_000_000_000
    private static let endCheckNanoseconds: UInt64 = 50_000_000
    /// Of what it has not been read of when it is to end; the last read may bring more.
    static let endBytesMax = 1 << 20
    /// Of one stream, between two looks.
    private static let drainReadsMax = 64

    /// Of the process; the streams have 0 and 1.
    private static let processMark: UInt32 = 2

    private struct Running {
        let process: ChildProcess
        let since: UInt64
        /// Standard output and error; nil: at its end.
        var streams: [LineStream?]
        var hasEnded = false
    }

    public let receiver: String
    private let executable: String
    private let environment: [String]
    private let restart: Program.Restart
    private let lineBytesMax: Int
    private let say: @Sendable (String) -> Void
    /// At each start.
    private let arguments: () -> [String]
    /// Of "stdout" and "stderr".
    private let makeSink: (_ stream: String) -> any LineSink
    private let workspace: LogWorkspace
    private var watcher: LogInputWatcher?
    private var running: Running?
    private var wait = waitMin
    private var startAt: UInt64?
    /// When the program is made to end that was asked to.
    private var endAt: UInt64?
    private var ownCounts = LogInputCounts()
    private var starts: UInt64 = 0
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: LineStream.readBytes, alignment: 16)
    public private(set) var isOver = false

    /// - Parameter say: Tells how the program ended.
    public convenience init(
        _ receiver: String, _ program: Program, _ settings: LogFormatSettings, say: @escaping @Sendable (String) -> Void
    ) {
        let workspace = LogWorkspace()
        self.init(
            receiver, executable: program.executable, environment: program.environment, restart: program.restart,
            workspace,
            lineBytesMax: settings.recordBytesMax, say: say, arguments: { program.arguments },
            makeSink: { stream in
                let source = LogSource(path: "", receiver: receiver, stream: stream)
                return LogFormatter(source, settings, workspace, resume: ResumePoint(0))
            })
    }

    init(
        _ receiver: String, executable: String, environment: [String], restart: Program.Restart,
        _ workspace: LogWorkspace,
        lineBytesMax: Int, say: @escaping @Sendable (String) -> Void, arguments: @escaping () -> [String],
        makeSink: @escaping (_ stream: String) -> any LineSink
    ) {
        self.receiver = receiver
        self.executable = executable
        self.environment = environment
        self.restart = restart
        self.workspace = workspace
        self.lineBytesMax = lineBytesMax
        self.say = say
        self.arguments = arguments
        self.makeSink = makeSink
    }

    deinit { buffer.deallocate() }

    // MARK: the seam

    public func begin(_ watcher: LogInputWatcher, _ time: LogInputTime) {
        self.watcher = watcher
        start(time)
    }

    public func readable(_ mark: UInt32, _ time: LogInputTime) {
        guard running != nil else { return }
        if mark == Self.processMark { return ended(time) }
        guard case .ended? = running!.streams[Int(mark)]?.read(buffer, time) else { return }
        close(Int(mark), time)
        finishIfDone(time)
    }

    public func turn(_ time: LogInputTime) -> UInt64? {
        if let startAt, startAt <= time.now { start(time) }
        let waits = running?.streams.compactMap { $0?.turn(time) } ?? []
        return (waits + [startAt].compactMap(\.self)).min()
    }

    public var bytesWaiting: Int { workspace.bytesWaiting }
    public func takeBatches() -> [Batch] { workspace.takeBatches() }
    public func taken() {}

    public func askToEnd() {
        guard let running, !running.hasEnded else { return }
        running.process.send(SIGTERM)
        endAt = LinuxClock().monotonicNanoseconds() &+ Self.endNanoseconds
    }

    /// The program was asked to end, and is made to when its time is over; what is in its pipes is read, up to `endBytesMax`.
    public func end(_ time: LogInputTime) {
        startAt = nil
        isOver = true
        guard let process = running?.process else { return }
        watcher?.unwatch(process.fileDescriptor)
        var room = Self.endBytesMax
        if !running!.hasEnded {
            if endAt == nil { askToEnd() }
            var poller = Poller([process.fileDescriptor])
            while !poller.isReady(0) {
                drain(&room, time)
                let now = LinuxClock().monotonicNanoseconds()
                guard let endAt, now < endAt else { break }
                try? poller.wait(nanoseconds: min(endAt - now, Self.endCheckNanoseconds))
            }
            process.send(SIGKILL)
        }
        _ = try? process.reap()
        drain(&room, time)
        if room <= 0 { say("\(receiver): \(executable) went on writing when it was to end; the rest is not read") }
        for index in 0..<2 where running!.streams[index] != nil { close(index, time) }
        running = nil
    }

    private func drain(_ room: inout Int, _ time: LogInputTime) {
        for index in 0..<2 {
            // It may write as fast as it is read.
            for _ in 0..<Self.drainReadsMax where room > 0 {
                guard case .read(let bytes)? = running!.streams[index]?.read(buffer, time) else { break }
                room -= bytes
            }
        }
    }

    public var counts: LogInputCounts {
        var counts = ownCounts
        counts.add(workspace)
        for case let stream? in running?.streams ?? [] { stream.add(to: &counts) }
        counts.restarts = starts > 0 ? starts - 1 : 0
        return counts
    }

    // MARK: the program

    private func start(_ time: LogInputTime) {
        startAt = nil
        var pipes: [[Int32]] = []
        var input: Int32 = -1
        defer {
            for pipe in pipes { Glibc.close(pipe[1]) }
            if input >= 0 { Glibc.close(input) }
        }
        do {
            for _ in 0..<2 {
                var ends: [Int32] = [-1, -1]
                guard sl_pipe(&ends) == 0 else { throw SystemCallError("pipe", errno: errno) }
                pipes.append(ends)
                _ = sl_set_nonblocking(ends[0])
            }
            input = open("/dev/null", O_RDONLY | O_CLOEXEC)
            let process = try ChildProcess(
                executable: executable, arguments: arguments(), descriptors: [],
                parentDeathSignal: SIGTERM, hasOwnGroup: true, environment: environment,
                streams: (input, pipes[0][1], pipes[1][1]))
            starts += 1
            running = Running(process: process, since: time.now, streams: [nil, nil])
            _ = watcher!.watch(process.fileDescriptor, Self.processMark)
            for (index, name) in ["stdout", "stderr"].enumerated() {
                running!.streams[index] = LineStream(pipes[index][0], lineBytesMax: lineBytesMax, makeSink(name))
                _ = watcher!.watch(pipes[index][0], UInt32(index))
            }
        } catch {
            for pipe in pipes { Glibc.close(pipe[0]) }
            say("\(receiver): \(executable) cannot be started: \(error)")
            startLater(time)
        }
    }

    private func close(_ index: Int, _ time: LogInputTime) {
        guard var stream = running!.streams[index] else { return }
        stream.end(time)
        stream.add(to: &ownCounts)
        watcher?.unwatch(stream.descriptor)
        Glibc.close(stream.descriptor)
        running!.streams[index] = nil
    }

    /// What it started may still write to its pipes.
    private func ended(_ time: LogInputTime) {
        guard !running!.hasEnded else { return }
        running!.hasEnded = true
        watcher?.unwatch(running!.process.fileDescriptor)
        finishIfDone(time)
    }

    private func finishIfDone(_ time: LogInputTime) {
        guard let running, running.hasEnded, running.streams.allSatisfy({ $0 == nil }) else { return }
        self.running = nil
        let status = (try? running.process.reap())?.status
        if time.now &- running.since >= Self.waitMax { wait = Self.waitMin }
        let startsAgain =
            switch restart {
            case .always: true
            case .onFailure: status != .exited(0)
            case .never: false
            }
        let ending = status.map(Self.text) ?? "ended"
        let next = startsAgain ? "; it is started again in \(wait / 1_000_000_000) s" : ""
        say("\(receiver): \(executable) \(ending)\(next)")
        if startsAgain { startLater(time) } else { isOver = true }
    }

    private func startLater(_ time: LogInputTime) {
        startAt = time.now &+ wait
        wait = min(wait * 2, Self.waitMax)
    }

    private static func text(_ status: ChildProcess.Status) -> String {
        switch status {
        case .exited(let code): "ended with exit code \(code)"
        case .signaled(let signal, _): "was ended by signal \(signal)"
        }
    }
}
