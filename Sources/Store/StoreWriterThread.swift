import GRDB
import Glibc
import System
import Telemetry

/// The writer's thread: opens the store, inserts, mends. Everything here runs on that thread.
final class StoreWriterThread: @unchecked Sendable {
    // @unchecked: made on one thread, handed to the new one, and used by that only.
    private let core: Monitor<StoreWriterState>
    private let directory: String
    private let options: StoreWriter.Options
    private let report: @Sendable (String) -> Void

    private var database: StoreDatabase?
    private var inserter: RowInserter
    private var retention: RetentionRunner
    private var indexBudget: IndexBudget
    /// When opening failed last; not tried again before `reopenSeconds` have passed. CLOCK_MONOTONIC, nanoseconds.
    private var openFailedAt: UInt64?
    /// The kind of trouble the user has been told of, so that each is told once.
    private var reported: StoreError.Code?

    private static let reopenSeconds: UInt64 = 1
    private static let attemptsMax = 3
    /// Shards of the word index are about so many to a full store.
    private static let shardsMin = 32
    private static let shardBytes = 64 << 10...4 << 20

    init(
        core: Monitor<StoreWriterState>, directory: String, options: StoreWriter.Options,
        report: @escaping @Sendable (String) -> Void
    ) {
        self.core = core
        self.directory = directory
        self.options = options
        self.report = report
        retention = RetentionRunner(options.retention)
        inserter = Self.makeInserter(options)
        indexBudget = IndexBudget(share: options.indexShareMax)
    }

    func run() {
        let failure = openDatabase()
        // Now, and not when something is lost for it.
        if let failure { _ = dropping(failure, .unavailable) }
        core.withLock { $0.openResult = failure.map(Result.failure) ?? .success(()) }
        core.wake()
        while let batches = core.wait({ $0.next(options) }) { write(batches) }
        database = nil
        core.withLock { $0.end(nil) }
        core.wake()
    }

    private static func makeInserter(_ options: StoreWriter.Options) -> RowInserter {
        let bytes = options.retention.bytesMax / shardsMin
        return RowInserter(shardBytesMax: min(max(bytes, shardBytes.lowerBound), shardBytes.upperBound))
    }

    /// Writes what was taken from the queue, a bounded transaction at a time.
    private func write(_ batches: [Batch]) {
        var merger = RowMerger(rowBytes: options.rowBytes)
        var bytes = 0
        var first = 0
        for (index, batch) in batches.enumerated() {
            merger.add(batch)
            bytes += StoreWriterState.size(batch)
            guard bytes >= options.groupBytes || index == batches.count - 1 else { continue }
            write(merger.take(), batches: index + 1 - first, bytes: bytes)
            bytes = 0
            first = index + 1
        }
    }

    private func write(_ rows: [RowBuilder], batches: Int, bytes: Int) {
        let failure = insert(rows)
        core.withLock { state in
            for row in rows {
                if let failure {
                    state.counts.drop(row.signal, row.items, failure)
                } else {
                    state.counts.store(row.signal, row.items)
                }
            }
            if failure == nil, options.indexesWords { state.counts.unindexedLogs += inserter.unindexedLogs }
            state.writingBytes -= bytes
            state.finished += batches
        }
        core.wake()
        if failure == nil { expire() }
    }

    // MARK: inserting

    /// One transaction; mends what can be mended and tries again. Returns why the rows are lost.
    private func insert(_ rows: [RowBuilder]) -> StoreDropReason? {
        var last: StoreError?
        for _ in 0..<Self.attemptsMax {
            do {
                try checkPlace()
                guard let database else { return .unavailable }
                let indexing = options.indexesWords && indexBudget.hasRoom(monotonicNanoseconds())
                let start = indexing ? threadNanoseconds() : 0
                let stored = try StoreDatabase.catching(directory, .failed) {
                    try database.queue.inDatabase { db in
                        try inserter.insert(rows, db, storedAt: options.unixSeconds(), indexing: indexing)
                    }
                }
                if indexing { indexBudget.take(threadNanoseconds() - start) }
                retention.noteInserted(bytes: stored)
                recovered()
                return nil
            } catch {
                last = error
                switch error.code {
                case .corrupt: mend(error)
                case .busy: continue
                case .diskFull: return dropping(error, .diskFull)
                default: closeDatabase()
                }
            }
        }
        guard let last else { return .failed }
        return dropping(last, last.code == .busy ? .busy : .failed)
    }

    /// Makes sure that a connection is open and leads to the file that is in its place: a user may have removed the store, another process
    /// may have moved it aside.
    private func checkPlace() throws(StoreError) {
        if let database {
            if database.isInPlace { return }
            closeDatabase()
            report("the store \(database.path) was removed while in use; a new one is made")
        }
        if let openFailedAt, monotonicNanoseconds() - openFailedAt < Self.reopenSeconds * 1_000_000_000 { return }
        if let failure = openDatabase() { throw failure }
    }

    private func closeDatabase() {
        database = nil
        inserter = Self.makeInserter(options)
    }

    // MARK: opening and mending

    private func openDatabase() -> StoreError? {
        do {
            database = try openOrMoveAside()
            openFailedAt = nil
            return nil
        } catch {
            openFailedAt = monotonicNanoseconds()
            return error
        }
    }

    private func openOrMoveAside() throws(StoreError) -> StoreDatabase {
        do {
            return try open()
        } catch {
            guard error.code == .corrupt else { throw error }
            try moveAside(error, damaged: StoreDatabase.identity(directory))
            return try open()
        }
    }

    private func open() throws(StoreError) -> StoreDatabase {
        try .openForWriting(
            directory, busyTimeoutMilliseconds: options.busyTimeoutMilliseconds, pagesMax: options.pagesMax)
    }

    private func moveAside(_ error: StoreError, damaged: FileIdentity?) throws(StoreError) {
        guard
            let target = try StoreDatabase.moveAside(directory, damaged: damaged, unixSeconds: options.unixSeconds())
        else { return }
        report("\(error.message); moved aside to \(target), a new store is made")
    }

    /// Damage found while writing.
    private func mend(_ error: StoreError) {
        let damaged = StoreDatabase.identity(directory)
        closeDatabase()
        do {
            try moveAside(error, damaged: damaged)
        } catch {
            report(error.message)
        }
    }

    // MARK: telling

    private func dropping(_ error: StoreError, _ reason: StoreDropReason) -> StoreDropReason {
        if reported != error.code {
            reported = error.code
            report("\(error.message); telemetry is not stored until this is mended")
        }
        return reason
    }

    private func recovered() {
        guard reported != nil else { return }
        reported = nil
        report("the store in \(directory) takes telemetry again")
    }

    // MARK: retention

    /// A bounded step; failing is no loss, the next commit tries again.
    private func expire() {
        let now = monotonicNanoseconds()
        guard let database, retention.isDue(now) else { return }
        let expired = try? database.queue.inDatabase { db in
            try retention.step(db, unixSeconds: options.unixSeconds(), now: now)
        }
        core.withLock { $0.counts.expiredBatches += expired ?? 0 }
    }
}
