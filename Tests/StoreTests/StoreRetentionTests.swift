import Synchronization
import Telemetry
import Testing
import Wire

@testable import Store

@Suite struct StoreRetentionTests {
    private func batches(_ db: StoreDatabase) throws -> [Int64] {
        try db.queue.read { try Int64.fetchAll($0, sql: "SELECT id FROM batch ORDER BY id") }
    }

    @Test func oldBatchesGoAndTheNewestStays() throws {
        let directory = TemporaryDirectory()
        let clock = Clock()
        var options = StoreWriter.Options()
        options.retention = StoreRetention(ageSecondsMax: 100, bytesMax: 1 << 30)
        options.unixSeconds = { clock.now }
        for number in 1...3 {
            // A writer of its own each time: the first commit of each is followed by a step.
            let writer = StoreWriter(directory: directory.path, options: options)
            writer.append(Batch([span(traceID(UInt64(number)), 1, "a")], resource: number == 1 ? stock : shop))
            writer.close()
            clock.advance(60)
        }
        let reader = try StoreReader(directory: directory.path)
        #expect(try reader.traces(TraceQuery()).map(\.id) == [traceID(3), traceID(2)].sorted().reversed())
        #expect(try reader.services() == ["shop"], "a resource goes with its last batch")
    }

    @Test func stepsBringTheStoreUnderItsBytesAndEachIsBounded() throws {
        let directory = TemporaryDirectory()
        var options = StoreWriter.Options()
        options.rowBytes = 4_096
        options.groupBytes = 4_096
        options.indexesWords = false
        options.retention = StoreRetention(ageSecondsMax: 1 << 40, bytesMax: 1 << 40)
        let writer = StoreWriter(directory: directory.path, options: options)
        var random = SeededGenerator(seed: 9)
        for _ in 0..<600 {
            let text = String(
                (0..<4_000).map { _ in Character(Unicode.Scalar(UInt8.random(in: 32...126, using: &random))) })
            writer.append(Batch([log(text)], resource: shop))
            if writer.counts.logs.queued > 100 { writer.flush() }
        }
        writer.close()

        let database = try StoreDatabase.openForWriting(directory.path, busyTimeoutMilliseconds: 5_000)
        #expect(try batches(database).count == 600)
        var runner = RetentionRunner(StoreRetention(ageSecondsMax: 1 << 40, bytesMax: 1 << 20))
        let first = try database.queue.inDatabase { try runner.step($0, unixSeconds: 0, now: 5) }
        #expect(first == RetentionRunner.stepBatchesMax)
        for _ in 0..<4 { _ = try database.queue.inDatabase { try runner.step($0, unixSeconds: 0, now: 5) } }
        let left = try batches(database)
        #expect(left.last == 600)
        #expect(left.count > 50 && left.count < 300)
        let further = try database.queue.inDatabase { try runner.step($0, unixSeconds: 0, now: 5) }
        #expect(further == 0)
        let used = try database.queue.inDatabase { db in
            try (Int.fetchOne(db, sql: "PRAGMA page_count")! - Int.fetchOne(db, sql: "PRAGMA freelist_count")!) * 16_384
        }
        #expect(used <= 1 << 20)
    }

    @Test func aStepIsDueFirstAndThenAfterTimeOrBytes() throws {
        let directory = TemporaryDirectory()
        let database = try StoreDatabase.openForWriting(directory.path, busyTimeoutMilliseconds: 5_000)
        var runner = RetentionRunner(StoreRetention())
        let now: UInt64 = 5
        #expect(runner.isDue(now))
        _ = try database.queue.inDatabase { try runner.step($0, unixSeconds: 0, now: 5) }
        #expect(!runner.isDue(now))
        #expect(runner.isDue(now + 2 * RetentionRunner.dueNanoseconds))
        runner.noteInserted(bytes: RetentionRunner.dueBytes)
        #expect(runner.isDue(now))
    }
}

private final class Clock: Sendable {
    private let seconds = Mutex(1_000_000)
    var now: Int { seconds.withLock { $0 } }
    func advance(_ by: Int) { seconds.withLock { $0 += by } }
}
