internal import Linux
internal import Wire

/// What a worker sends over its control stream: answers to commands, and what it sends unasked. Taken as it comes; nothing here waits. The
/// control server's thread.
final class ControlStream {
    enum Failure: Error {
        /// For people.
        case refused(String)
        /// Nothing more can be read of it.
        case broken
    }

    enum Taken {
        /// The answer to the command: the path of its file.
        case answer(Result<String, Failure>)
        /// There may be more later.
        case nothing
        /// Something was there, and the answer is not whole yet.
        case part
        /// The stream is over, or broken.
        case over
    }

    let pid: Int32
    let place: Int
    let connection: LocalConnection
    /// The command that it works on.
    var job: ControlJob?
    /// Its process is over: what it has sent is read until this time, and no more is waited for. Monotonic nanoseconds.
    var readUntil: UInt64?

    private let files: ProfileFiles
    private var head: [UInt8] = []
    private var frame: ControlFrame?
    /// Of the frame, bytes still to come.
    private var left = 0
    private var answer: Answer?
    private var isBroken = false
    /// Received, not looked at.
    private var pending: ArraySlice<UInt8> = []

    private final class Answer {
        let purpose: ControlFrame.Purpose
        let bytesMax: Int
        let deadline: UInt64
        var file: ProfileFiles.File?
        var problem: String?
        var reason: [UInt8] = []

        init(_ purpose: ControlFrame.Purpose, bytesMax: Int, deadline: UInt64) {
            self.purpose = purpose
            self.bytesMax = bytesMax
            self.deadline = deadline
        }
    }

    private static let readBytes = 256 << 10
    /// Of the words of a worker that failed.
    private static let reasonBytesMax = 4096
    /// From the first byte of an answer to its last: whoever sends a byte now and then does not keep a file open for ever.
    static let answerNanoseconds: UInt64 = 300_000_000_000

    init(pid: Int32, place: Int, _ connection: LocalConnection, _ files: ProfileFiles) {
        self.pid = pid
        self.place = place
        self.connection = connection
        self.files = files
    }

    /// When an answer that has begun must be whole; nil: none has.
    var deadline: UInt64? { answer?.deadline }

    /// Takes what is there, at most up to the end of an answer.
    func take(now: UInt64) -> Taken {
        guard !isBroken else { return .over }
        if pending.isEmpty {
            switch connection.receiveNow(max: Self.readBytes) {
            case .nothing: return .nothing
            case .over:
                breakOff()
                return .over
            case .bytes(let bytes): pending = bytes[...]
            }
        }
        while true {
            switch step(now) {
            case .part where !pending.isEmpty: continue
            case let taken: return taken
            }
        }
    }

    /// Something was received that `take` has not looked at.
    var hasPending: Bool { !pending.isEmpty }

    /// Reads no more of it. Who sends on is told at once.
    func breakOff() {
        guard !isBroken else { return }
        isBroken = true
        pending = []
        if let path = answer?.file?.path { files.remove(path) }
        answer = nil
        connection.stopReceiving()
    }

    // MARK: frames

    private func step(_ now: UInt64) -> Taken {
        guard let frame else {
            let piece = pending.prefix(ControlFrame.headBytes - head.count)
            pending = pending.dropFirst(piece.count)
            head += piece
            guard head.count == ControlFrame.headBytes else { return .part }
            guard let frame = ControlFrame(head: head), answer.map({ $0.purpose == frame.purpose }) ?? true else {
                breakOff()
                return .over
            }
            head = []
            self.frame = frame
            left = frame.payloadBytes
            if answer == nil { begin(frame.purpose, now) }
            return left == 0 ? endFrame(frame) : .part
        }
        let piece = pending.prefix(left)
        pending = pending.dropFirst(piece.count)
        left -= piece.count
        take(piece, of: frame)
        return left == 0 ? endFrame(frame) : .part
    }

    private func begin(_ purpose: ControlFrame.Purpose, _ now: UInt64) {
        let isSnapshot = purpose == .outOfMemory || (purpose == .answer && job?.isSnapshot == true)
        let bytesMax = isSnapshot ? ProfileFiles.snapshotBytesMax : ProfileFiles.profileBytesMax
        let answer = Answer(purpose, bytesMax: bytesMax, deadline: now &+ Self.answerNanoseconds)
        self.answer = answer
        let mark =
            switch purpose {
            case .answer: ""
            case .slow: "-slow"
            case .outOfMemory: "-oom"
            }
        if purpose == .answer, job == nil {
            answer.problem = "nobody asked"
        } else {
            answer.file = files.make("\(pid)\(mark).\(isSnapshot ? "heapsnapshot" : "cpuprofile")", bytesMax: bytesMax)
            if answer.file == nil { answer.problem = "\(files.folder): \(SystemCallError.lastReason)" }
        }
    }

    private func take(_ piece: ArraySlice<UInt8>, of frame: ControlFrame) {
        guard let answer else { return }
        switch frame.kind {
        case .data:
            guard answer.problem == nil, answer.file?.append(piece) != true else { return }
            answer.problem = "it is larger than \(answer.bytesMax >> 20) MiB, or the disk is full"
        case .failed: answer.reason += piece.prefix(Self.reasonBytesMax - answer.reason.count)
        case .done: break
        }
    }

    private func endFrame(_ frame: ControlFrame) -> Taken {
        self.frame = nil
        guard frame.kind != .data, let answer else { return .part }
        self.answer = nil
        if frame.kind == .failed, answer.problem == nil {
            answer.problem = String(decoding: answer.reason, as: UTF8.self)
        }
        let result: Result<String, Failure>
        if let problem = answer.problem {
            if let path = answer.file?.path { files.remove(path) }
            result = .failure(.refused(problem))
        } else {
            files.prune()
            result = .success(ProfileFiles.absolute(answer.file?.path ?? ""))
        }
        return answer.purpose == .answer && job != nil ? .answer(result) : .part
    }
}

/// A command that a worker works on.
final class ControlJob {
    enum Step {
        /// It takes samples until this time.
        case sampling(until: UInt64)
        /// It is to have answered by this time.
        case answering(until: UInt64)
    }

    /// Nil: it has left, or waits no longer.
    var client: ControlClient?
    let isSnapshot: Bool
    var step: Step

    init(_ client: ControlClient, isSnapshot: Bool, step: Step) {
        self.client = client
        self.isSnapshot = isSnapshot
        self.step = step
    }
}

/// A connection of `sidelight profile`.
final class ControlClient {
    /// What it asks for.
    struct Request {
        enum Command {
            /// Nanoseconds, and microseconds between two samples.
            case profile(nanoseconds: UInt64, interval: UInt32)
            case heap
        }
        let command: Command
        let pid: Int32
    }

    let connection: LocalConnection
    var line: [UInt8] = []
    /// Its line is to be there by this time, or what it waits for is to have begun.
    var deadline: UInt64?
    /// Not begun: its worker is still busy for somebody who has left.
    var waiting: Request?

    init(_ connection: LocalConnection, deadline: UInt64) {
        self.connection = connection
        self.deadline = deadline
    }
}
