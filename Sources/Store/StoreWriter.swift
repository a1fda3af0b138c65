// Batches come in on any thread and are put into a queue bounded in bytes; one thread of the writer's own merges them into rows
// and inserts those, a few megabytes to a transaction. It wakes when enough has come, when the oldest has waited long enough, or
// for a flush. SQLite's work, its fsync included, is thus never on the way of whoever appends.
//
// Nothing is started and no file touched before the first `append` or `open`.

import Glibc
import System
public import Telemetry

/// Writes batches to the store of a directory. Several writers, in several processes, may share one store.
public final class StoreWriter: Sendable {
    public struct Options: Sendable {
        /// Accepted and not yet committed; a batch beyond is dropped. Bytes.
        public var queueBytesMax = 16 << 20
        /// Small batches become rows of about this size, large ones are split. Uncompressed bytes.
        public var rowBytes = 256 << 10
        /// What is pending is written at once when there is this much of it, and one transaction takes no more. Bytes.
        public var groupBytes = 4 << 20
        /// What is pending is written after this time at the latest. Milliseconds.
        public var delayMilliseconds = 100
        /// How long to wait for another process's transaction. Milliseconds.
        public var busyTimeoutMilliseconds = 5_000
        public var retention = StoreRetention()
        /// Whether the words of logs are indexed, for searches.
        public var indexesWords = true
        /// The part of a core that transactions which index may take; where it is used up, batches are stored without.
        public var indexShareMax = 0.2
        /// Pages that the file may have; what does not fit fails as on a full disk. For tests.
        var pagesMax: Int?
        /// Unix time in seconds.
        public var unixSeconds: @Sendable () -> Int = { time(nil) }

        public init() {}
    }

    private let core: Monitor<StoreWriterState>
    private let directory: String
    private let options: Options
    private let report: @Sendable (String) -> Void

    /// - Parameters:
    ///   - directory: made, with its parents, when the store is opened.
    ///   - report: takes messages for the user (a damaged store moved aside, a full disk, …), on the writer's thread.
    public init(
        directory: String, options: Options = Options(), report: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        core = Monitor(StoreWriterState())
        self.directory = directory
        self.options = options
        self.report = report
    }

    /// Asks the thread to write what is pending and end; does not wait. `close()` waits.
    deinit {
        core.withLock { $0.isClosing = true }
        core.wake()
    }

    /// Starts opening the store, so that a later `open()` or `flush()` need not wait for it.
    public func start() {
        guard core.withLock({ $0.shouldStartThread() }) else { return }
        let thread = StoreWriterThread(core: core, directory: directory, options: options, report: report)
        if !startThread({ thread.run() }) {
            core.withLock {
                $0.end(StoreError(.failed, "no thread for the store: \(String(cString: strerror(errno)))"))
            }
            core.wake()
        }
    }

    /// Opens the store and waits until that is done. Throws when it cannot be written; batches given later are dropped and counted then.
    public func open() throws(StoreError) {
        start()
        let result: Result<Void, StoreError> = core.wait { state in
            if let result = state.openResult { .done(result) } else { .untilWoken }
        }
        try result.get()
    }

    /// Takes a batch. Never blocks on the disk. False: it was dropped and counted. Any thread.
    @discardableResult
    public func append(_ batch: Batch) -> Bool {
        guard !batch.isEmpty else { return true }
        let (accepted, mustWake, mustStart) = core.withLock { state in
            let accepted = state.append(batch, options)
            let mustWake = accepted && (state.batches.count == 1 || state.batchesBytes >= options.groupBytes)
            return (accepted, mustWake, !state.isThreadStarted)
        }
        if mustStart { start() } else if mustWake { core.wake() }
        return accepted
    }

    /// Whether these batches would be taken now. Also true where waiting would not help: when the store has ended, or they are more than it ever has room for. Any thread.
    public func mayTake(_ batches: [Batch]) -> Bool {
        let bytes = batches.reduce(0) { $0 + StoreWriterState.size($1) }
        return core.withLock { $0.isClosing || $0.hasEnded || bytes > options.queueBytesMax || $0.hasRoom(bytes, options) }
    }

    /// Waits until everything accepted so far is committed, or dropped and counted. The data then survives the death of this process.
    /// Any thread. A process that is about to exit needs no `close()` after it.
    @discardableResult
    public func flush() -> StoreCounts {
        core.withLock { $0.flushWanted = $0.accepted }
        core.wake()
        return core.wait { state in
            state.finished >= state.flushWanted || state.hasEnded ? .done(state.counts) : .untilWoken
        }
    }

    /// Writes what is pending, closes the file (SQLite then folds its WAL into it) and ends the thread. Idempotent, any thread.
    @discardableResult
    public func close() -> StoreCounts {
        core.withLock { $0.isClosing = true }
        core.wake()
        return core.wait { state in
            state.hasEnded || !state.isThreadStarted && state.batches.isEmpty ? .done(state.counts) : .untilWoken
        }
    }

    public var counts: StoreCounts { core.withLock { $0.counts } }
}

/// What appending threads and the writer's thread share.
struct StoreWriterState {
    var isThreadStarted = false
    var isClosing = false
    var hasEnded = false
    /// Nil until the first attempt to open has come to an end.
    var openResult: Result<Void, StoreError>?
    /// Pending, oldest first.
    var batches: [Batch] = []
    var batchesBytes = 0
    /// Taken by the writer's thread and not yet committed.
    var writingBytes = 0
    /// When the oldest pending batch came. CLOCK_MONOTONIC, nanoseconds.
    var pendingSince: UInt64 = 0
    /// Batches ever accepted; those of them committed or dropped; how far a flush wants to come.
    var accepted = 0
    var finished = 0
    var flushWanted = 0
    var counts = StoreCounts()

    mutating func shouldStartThread() -> Bool {
        defer { isThreadStarted = isThreadStarted || !(isClosing && batches.isEmpty) }
        return !isThreadStarted && !(isClosing && batches.isEmpty)
    }

    mutating func append(_ batch: Batch, _ options: StoreWriter.Options) -> Bool {
        counts.receive(batch)
        guard !isClosing, !hasEnded else {
            counts.drop(batch.signal, batch.items.count, .closed)
            return false
        }
        let bytes = Self.size(batch)
        guard hasRoom(bytes, options) else {
            counts.drop(batch.signal, batch.items.count, .queueFull)
            return false
        }
        if batches.isEmpty { pendingSince = monotonicNanoseconds() }
        batches.append(batch)
        batchesBytes += bytes
        accepted += 1
        return true
    }

    func hasRoom(_ bytes: Int, _ options: StoreWriter.Options) -> Bool {
        batchesBytes + writingBytes + bytes <= options.queueBytesMax
    }

    static func size(_ batch: Batch) -> Int { batch.bytes.count + batch.items.count * MemoryLayout<Batch.Item>.stride }

    /// The next work of the writer's thread, or how long it may sleep.
    mutating func next(_ options: StoreWriter.Options) -> Monitor<StoreWriterState>.Wait<[Batch]?> {
        guard !batches.isEmpty else { return isClosing ? .done(nil) : .untilWoken }
        let due = pendingSince + UInt64(options.delayMilliseconds) * 1_000_000
        let isDue =
            isClosing || flushWanted > finished || batchesBytes >= options.groupBytes || monotonicNanoseconds() >= due
        guard isDue else { return .until(due) }
        defer {
            writingBytes = batchesBytes
            batches = []
            batchesBytes = 0
        }
        return .done(batches)
    }

    /// The thread has ended, or there is none; what is pending is dropped.
    mutating func end(_ error: StoreError?) {
        for batch in batches { counts.drop(batch.signal, batch.items.count, .unavailable) }
        batches = []
        batchesBytes = 0
        finished = accepted
        if openResult == nil { openResult = error.map(Result.failure) ?? .success(()) }
        hasEnded = true
    }
}
