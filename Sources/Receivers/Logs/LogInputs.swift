public import Linux
internal import Pipeline
internal import Synchronization
public import System
public import Telemetry

/// Reads all inputs of logs, and hands on what was made of them. Made on any thread, run on one.
public final class LogInputs: Sendable {
    /// Of one receiver.
    public typealias Part = (receiver: String, batches: [Batch])
    /// Tries to put what it was made for into the queues, and says whether it is there. It may be called again when it is not.
    public typealias Attempt = @Sendable (_ answer: @escaping @Sendable (_ isTaken: Bool) -> Void) -> Void

    private enum Message {
        case change(@Sendable ([any LogInput]) -> [any LogInput])
        case settle(Monitor<Bool>)
        case answer(Bool)
        case stop(until: UInt64)
    }

    private let clock: any SystemClock
    private let deliver: @Sendable ([Part]) -> Attempt
    private let over: @Sendable (_ receiver: String) -> Void
    private let inbox = Mutex<[Message]>([])
    private let wake: EventDescriptor
    private let ready: ReadySet
    private let told = Mutex<[(receiver: String, counts: LogInputCounts)]>([])

    /// - Parameters:
    ///   - deliver: On the inputs' thread: makes an attempt of what there is.
    ///   - over: On the inputs' thread: a receiver's stream has ended, and all of it is in the queues.
    public init(
        clock: any SystemClock, deliver: @escaping @Sendable ([Part]) -> Attempt,
        over: @escaping @Sendable (_ receiver: String) -> Void
    ) throws(SystemCallError) {
        self.clock = clock
        self.deliver = deliver
        self.over = over
        wake = try EventDescriptor()
        ready = try ReadySet()
    }

    /// Any thread. `next` is given the inputs that there are, on their thread, and returns those that there are to be: one that is not among them any more is
    /// ended.
    public func change(_ next: @escaping @Sendable ([any LogInput]) -> [any LogInput]) { post(.change(next)) }

    /// Any thread but the inputs'. Returns when what is left of inputs that are gone is in the queues, or after this time.
    public func settle(graceMilliseconds: Int) {
        let isSettled = Monitor<Bool>()
        post(.settle(isSettled))
        _ = isSettled.wait(until: clock.monotonicNanoseconds() &+ UInt64(max(0, graceMilliseconds)) &* 1_000_000)
    }

    /// Any thread. Inputs are ended; `run` returns when what they had left is taken, or after this time.
    public func stop(graceMilliseconds: Int) {
        post(.stop(until: clock.monotonicNanoseconds() &+ UInt64(max(0, graceMilliseconds)) &* 1_000_000))
    }

    /// Any thread.
    public var counts: [(receiver: String, counts: LogInputCounts)] { told.withLock { $0 } }

    private func post(_ message: Message) {
        inbox.withLock { $0.append(message) }
        wake.signal()
    }

    /// Reads until `stop`. Returns how many records could not be delivered.
    public func run() throws(SystemCallError) -> Int {
        let loop = LogInputLoop(ready, deliver: deliver, answer: { self.post(.answer($0)) }, over: over)
        // What is read from is looked at only while there is room for it.
        var whole = Poller([wake.fileDescriptor, ready.fileDescriptor])
        var paused = Poller([wake.fileDescriptor])
        while !loop.isDone {
            let before = clock.monotonicNanoseconds()
            let wait = loop.deadline.map { $0 > before ? $0 - before : 0 }
            if loop.isFull { try paused.wait(nanoseconds: wait) } else { try whole.wait(nanoseconds: wait) }
            wake.clear()
            let time = LogInputTime(now: clock.monotonicNanoseconds(), unix: clock.unixNanoseconds())
            let messages = inbox.withLock { messages in
                let taken = messages
                messages = []
                return taken
            }
            for message in messages {
                switch message {
                case .change(let next): loop.change(next, time)
                case .settle(let isSettled): loop.settle(isSettled)
                case .answer(let isTaken): loop.answered(isTaken, time)
                case .stop(let until): loop.stop(until: until, time)
                }
            }
            loop.turn(time)
            told.withLock { $0 = loop.counts }
        }
        return loop.undelivered()
    }
}

/// The inputs and what is on its way of them. One thread.
private final class LogInputLoop {
    /// Bytes of records that wait, beyond which nothing is read.
    private static let waitingBytesMax = 2 << 20
    /// Of one delivery, unless one record is more: every queue has room for it.
    private static let deliveryBytesMax = 256 << 10
    /// How long what was not taken waits before it is tried again.
    private static let retryNanoseconds: UInt64 = 100_000_000

    private struct Entry {
        let input: any LogInput
        let number: UInt32
        var deadline: UInt64?
        /// Some of it is on its way.
        var isOnItsWay = false
        var isToldOver = false
    }

    private struct Delivery {
        let attempt: LogInputs.Attempt
        let records: Int
        /// When it is tried again; nil: its answer is to come.
        var retryAt: UInt64?
    }

    private let ready: ReadySet
    private let deliver: @Sendable ([LogInputs.Part]) -> LogInputs.Attempt
    private let answer: @Sendable (Bool) -> Void
    private let over: (String) -> Void
    private var entries: [Entry] = []
    private var lastNumber: UInt32 = 0
    /// Inputs that are gone, with what is left of them; and those of which some is on its way.
    private var gone: [any LogInput] = []
    private var goneOnTheirWay: [any LogInput] = []
    private var delivery: Delivery?
    /// What was gathered and does not fit into the delivery that is on its way; first the next.
    private var gathered: ArraySlice<LogInputs.Part> = []
    /// Who waits until nothing is left of inputs that are gone.
    private var settling: [Monitor<Bool>] = []
    private var stopDeadline: UInt64?
    private var now: UInt64 = 0

    init(
        _ ready: ReadySet, deliver: @escaping @Sendable ([LogInputs.Part]) -> LogInputs.Attempt,
        answer: @escaping @Sendable (Bool) -> Void, over: @escaping (String) -> Void
    ) {
        self.ready = ready
        self.deliver = deliver
        self.answer = answer
        self.over = over
    }

    var isFull: Bool { entries.reduce(0) { $0 + $1.input.bytesWaiting } >= Self.waitingBytesMax }
    var counts: [(receiver: String, counts: LogInputCounts)] { entries.map { ($0.input.receiver, $0.input.counts) } }

    var deadline: UInt64? {
        let dues = entries.map(\.deadline) + [delivery?.retryAt, stopDeadline]
        return dues.compactMap(\.self).min()
    }

    /// It was to stop, and there is nothing left to be done, or no time.
    var isDone: Bool {
        guard let stopDeadline else { return false }
        return delivery == nil && gathered.isEmpty && gone.isEmpty || now >= stopDeadline
    }

    /// How many records there are that were not taken. Once it is done.
    func undelivered() -> Int {
        (delivery?.records ?? 0) + Self.records(gathered)
            + gone.reduce(0) { $0 + Self.records([($1.receiver, $1.takeBatches())]) }
    }

    private static func records(_ parts: some Sequence<LogInputs.Part>) -> Int {
        parts.reduce(0) { $0 + $1.batches.reduce(0) { $0 + $1.items.count } }
    }

    // MARK: messages

    func change(_ next: ([any LogInput]) -> [any LogInput], _ time: LogInputTime) {
        guard stopDeadline == nil else { return }
        let wanted = next(entries.map(\.input))
        end(entries.filter { entry in !wanted.contains { $0 === entry.input } }, time)
        entries = wanted.map { input in
            if let entry = entries.first(where: { $0.input === input }) { return entry }
            lastNumber += 1
            input.begin(LogInputWatcher(ready: ready, number: lastNumber), time)
            return Entry(input: input, number: lastNumber)
        }
    }

    func settle(_ isSettled: Monitor<Bool>) { settling.append(isSettled) }

    func stop(until deadline: UInt64, _ time: LogInputTime) {
        guard stopDeadline == nil else { return }
        end(entries, time)
        entries = []
        stopDeadline = deadline
    }

    private func end(_ entries: [Entry], _ time: LogInputTime) {
        for entry in entries { entry.input.askToEnd() }
        for entry in entries {
            entry.input.end(time)
            if entry.isOnItsWay { goneOnTheirWay.append(entry.input) }
            if entry.input.bytesWaiting > 0 { gone.append(entry.input) }
        }
    }

    func answered(_ isTaken: Bool, _ time: LogInputTime) {
        guard isTaken else {
            delivery?.retryAt = time.now &+ Self.retryNanoseconds
            return
        }
        delivery = nil
        guard gathered.isEmpty else { return }
        for input in goneOnTheirWay { input.taken() }
        goneOnTheirWay = []
        for index in entries.indices where entries[index].isOnItsWay {
            entries[index].isOnItsWay = false
            entries[index].input.taken()
        }
    }

    // MARK: turns

    func turn(_ time: LogInputTime) {
        now = time.now
        if !isFull {
            ready.ready { mark in
                let number = UInt32(mark >> 32)
                guard let entry = entries.first(where: { $0.number == number }) else { return }
                entry.input.readable(UInt32(truncatingIfNeeded: mark), time)
            }
        }
        for index in entries.indices { entries[index].deadline = entries[index].input.turn(time) }
        handOn(time)
        if gone.isEmpty, goneOnTheirWay.isEmpty {
            for isSettled in settling { isSettled.open() }
            settling = []
        }
        for index in entries.indices where !entries[index].isToldOver && !entries[index].isOnItsWay {
            let input = entries[index].input
            guard input.isOver, input.bytesWaiting == 0 else { continue }
            entries[index].isToldOver = true
            over(input.receiver)
        }
    }

    private func handOn(_ time: LogInputTime) {
        if let retryAt = delivery?.retryAt, retryAt <= time.now {
            delivery!.retryAt = nil
            return delivery!.attempt(answer)
        }
        guard delivery == nil else { return }
        if gathered.isEmpty { gather() }
        guard !gathered.isEmpty else { return }
        var parts: [LogInputs.Part] = []
        var bytes = 0
        while let part = gathered.first, bytes == 0 || bytes + part.batches[0].bytes.count <= Self.deliveryBytesMax {
            bytes += part.batches[0].bytes.count
            if parts.last?.receiver == part.receiver {
                parts[parts.count - 1].batches += part.batches
            } else {
                parts.append(part)
            }
            gathered.removeFirst()
        }
        let attempt = deliver(parts)
        delivery = Delivery(attempt: attempt, records: Self.records(parts))
        attempt(answer)
    }

    /// All that waits, each part of one batch that is small enough.
    private func gather() {
        var parts: [LogInputs.Part] = gone.map { ($0.receiver, $0.takeBatches()) }
        goneOnTheirWay = gone
        gone = []
        for index in entries.indices where entries[index].input.bytesWaiting > 0 {
            parts.append((entries[index].input.receiver, entries[index].input.takeBatches()))
            entries[index].isOnItsWay = true
        }
        gathered =
            parts.flatMap { receiver, batches in
                batches.flatMap { $0.pieces(memoryBytesMax: Self.deliveryBytesMax) }.map { (receiver, [$0]) }
            }[...]
    }
}
