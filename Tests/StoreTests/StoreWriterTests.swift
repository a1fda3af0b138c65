import Foundation
import Telemetry
import Testing
import Wire

@testable import Store

@Suite struct StoreWriterTests {
    @Test func whatIsFlushedIsThereFieldByField() throws {
        let directory = TemporaryDirectory()
        let scope = InstrumentationScope(name: "lib", version: "1.2")
        let first = SpanData(
            context: SpanContext(traceID: traceID(1), spanID: SpanID(5), traceFlags: 1, traceState: "a=b"),
            parentSpanID: SpanID(4), parentIsRemote: true, name: "höher", kind: .client, startTime: noon,
            endTime: noon + 17, attributes: [Attribute("n", 3), Attribute("list", .array(["x", 2.5]))],
            events: [SpanData.Event(time: noon + 1, name: "e", attributes: [Attribute("k", true)])],
            links: [SpanData.Link(context: SpanContext(traceID: traceID(2), spanID: SpanID(9)))],
            status: SpanStatus(code: .error, message: "no"), droppedAttributesCount: 2)
        let record = log("hello", trace: traceID(1), span: 5)
        let writer = StoreWriter(directory: directory.path)
        writer.append(Batch([first], resource: shop, scope: scope))
        writer.append(Batch([record], resource: shop, scope: scope))
        let counts = writer.flush()
        #expect(counts.traces == StoreCounts.Items(received: 1, stored: 1))
        #expect(counts.logs == StoreCounts.Items(received: 1, stored: 1))

        let trace = try #require(try StoreReader(directory: directory.path).trace(traceID(1)))
        #expect(trace.spans == [StoredSpan(span: first, resource: shop, scope: scope)])
        #expect(trace.logs == [StoredLog(record: record, resource: shop, scope: scope)])
    }

    @Test func nothingIsTouchedBeforeItIsNeeded() {
        let directory = TemporaryDirectory()
        let writer = StoreWriter(directory: directory.path)
        #expect(directory.files() == [])
        #expect(writer.flush() == StoreCounts())
        #expect(writer.close() == StoreCounts())
        #expect(directory.files() == [])
    }

    @Test func theDirectoryIsMadeWithItsParentsAndIsPrivate() throws {
        let directory = TemporaryDirectory()
        let deep = directory.path + "/a/b"
        try StoreWriter(directory: deep).open()
        #expect(FileManager.default.fileExists(atPath: deep + "/sidelight.db"))
        let mode = try FileManager.default.attributesOfItem(atPath: deep)[.posixPermissions] as? Int
        #expect(mode == 0o700)
    }

    @Test func whoCanWaitIsToldWhenThereIsNoRoom() throws {
        let directory = TemporaryDirectory()
        let batch = Batch([log("hello", trace: traceID(1), span: 5)], resource: shop)
        var options = StoreWriter.Options()
        options.queueBytesMax = 2 * StoreWriterState.size(batch)
        // Nothing is due for long: what was appended stays where it is.
        options.delayMilliseconds = 600_000
        options.groupBytes = options.queueBytesMax + 1
        let writer = StoreWriter(directory: directory.path, options: options)
        try writer.open()
        #expect(writer.mayTake([batch, batch]))
        writer.append(batch)
        #expect(writer.mayTake([batch]) && !writer.mayTake([batch, batch]))
        // More than there ever is room for.
        #expect(writer.mayTake([batch, batch, batch]))
        writer.flush()
        #expect(writer.mayTake([batch, batch]))
        writer.append(batch)
        writer.append(batch)
        #expect(!writer.mayTake([batch]))
        writer.close()
        #expect(writer.mayTake([batch]))
    }

    @Test func aFullQueueDropsTheNewestAndCountsIt() {
        var state = StoreWriterState()
        var options = StoreWriter.Options()
        let batch = Batch([span(traceID(1), 1, "a"), span(traceID(1), 2, "b")], resource: shop)
        options.queueBytesMax = 2 * StoreWriterState.size(batch)
        let accepted = (1...3).map { _ in state.append(batch, options) }
        #expect(accepted == [true, true, false])
        #expect(
            state.counts.traces
                == StoreCounts.Items(received: 6, queued: 4, droppedByReason: [.queueFull: 2]))
    }

    @Test func whatIsBeingWrittenCountsForTheBound() {
        var state = StoreWriterState()
        var options = StoreWriter.Options()
        let batch = Batch([span(traceID(1), 1, "a")], resource: shop)
        options.queueBytesMax = StoreWriterState.size(batch)
        options.delayMilliseconds = 0
        let first = state.append(batch, options)
        guard case .done(let taken) = state.next(options) else { Issue.record("nothing to do"); return }
        let second = state.append(batch, options)
        #expect(taken?.count == 1)
        #expect(first && !second)
    }

    @Test func theThreadSleepsUntilTheOldestIsDueOrEnoughHasCome() {
        var state = StoreWriterState()
        var options = StoreWriter.Options()
        options.delayMilliseconds = 1_000_000
        let batch = Batch([span(traceID(1), 1, "a")], resource: shop)
        guard case .untilWoken = state.next(options) else { Issue.record("idle, but awake"); return }
        _ = state.append(batch, options)
        guard case .until = state.next(options) else { Issue.record("not waiting for more"); return }
        options.groupBytes = 1
        guard case .done = state.next(options) else { Issue.record("still waiting"); return }
    }

    @Test func batchesAfterCloseAreCounted() {
        let directory = TemporaryDirectory()
        let writer = StoreWriter(directory: directory.path)
        let batch = Batch([log("a")], resource: shop)
        writer.append(batch)
        #expect(writer.close().logs == StoreCounts.Items(received: 1, stored: 1))
        #expect(!writer.append(batch))
        #expect(writer.flush().logs == StoreCounts.Items(received: 2, stored: 1, droppedByReason: [.closed: 1]))
    }

    @Test func severalWritersShareAStoreWhileItIsRead() async throws {
        let directory = TemporaryDirectory()
        try StoreWriter(directory: directory.path).open()
        try await withThrowingTaskGroup(of: Int.self) { group in
            for writerNumber in 1...3 {
                group.addTask {
                    var options = StoreWriter.Options()
                    options.groupBytes = 4_000
                    options.delayMilliseconds = 1
                    let writer = StoreWriter(directory: directory.path, options: options)
                    for number in 1...200 {
                        let trace = traceID(UInt64(writerNumber * 1_000 + number))
                        writer.append(
                            Batch([span(trace, 1, "w\(writerNumber)"), span(trace, 2, parent: 1, "c")], resource: shop))
                        if number % 50 == 0 { writer.flush() }
                    }
                    return writer.close().traces.stored
                }
            }
            group.addTask {
                let reader = try StoreReader(directory: directory.path)
                for _ in 0..<30 { _ = try reader.traces(TraceQuery()) }
                #expect(reader.damagedBatches == 0)
                return 0
            }
            var stored = 0
            for try await count in group { stored += count }
            #expect(stored == 1_200)
        }
        var query = TraceQuery()
        query.limit = 10_000
        let traces = try StoreReader(directory: directory.path).traces(query)
        #expect(traces.count == 600)
        #expect(traces.allSatisfy { $0.spans == 2 && !$0.isIncomplete })
    }

    @Test func aFullDiskDropsAndCountsAndTheWriterRecovers() throws {
        let directory = TemporaryDirectory()
        let reports = Reports()
        var options = StoreWriter.Options()
        options.pagesMax = 24
        let writer = StoreWriter(directory: directory.path, options: options, report: reports.sink)
        var random = SeededGenerator(seed: 3)
        func noise() -> Batch {
            let text = String(
                (0..<8_000).map { _ in Character(Unicode.Scalar(UInt8.random(in: 32...126, using: &random))) })
            return Batch([log(text)], resource: shop)
        }
        var dropped = 0
        for _ in 0..<60 where dropped == 0 {
            writer.append(noise())
            dropped = writer.flush().logs.droppedByReason[.diskFull] ?? 0
        }
        #expect(dropped == 1)
        #expect(reports.all.count == 1 && reports.all[0].contains("no room"))

        let other = try StoreDatabase.openForWriting(directory.path, busyTimeoutMilliseconds: 5_000)
        try other.queue.inDatabase { try $0.execute(sql: "DELETE FROM batch; DELETE FROM body") }
        writer.append(Batch([log("small")], resource: shop))
        let counts = writer.flush()
        #expect(counts.logs.received == counts.logs.stored + counts.logs.dropped)
        #expect(counts.logs.droppedByReason == [.diskFull: 1])
        #expect(reports.all.last?.contains("takes telemetry again") == true)
    }
}
