import Telemetry
import Testing
import Wire

@testable import Store

@Suite struct StoreReaderTests {
    private let directory = TemporaryDirectory()

    /// Each element is stored as a row of its own.
    private func store(_ batches: [Batch]) {
        for batch in batches {
            let writer = StoreWriter(directory: directory.path)
            writer.append(batch)
            writer.flush()
        }
    }

    private func reader() throws -> StoreReader { try StoreReader(directory: directory.path) }

    private func names(_ change: (inout TraceQuery) -> Void) throws -> [String] {
        var query = TraceQuery()
        change(&query)
        return try reader().traces(query).map(\.name)
    }

    // MARK: traces

    @Test func aTraceIsPutTogetherFromSeveralBatches() throws {
        store([
            Batch([span(traceID(1), 3, parent: 2, "grandchild", from: 20, to: 30, error: true)], resource: stock),
            Batch([span(traceID(2), 1, "other", from: 500, to: 501)], resource: shop),
            Batch([span(traceID(1), 2, parent: 1, "child", from: 10, to: 40)], resource: shop),
            Batch([span(traceID(1), 1, "root", from: 0, to: 1_000)], resource: shop),
        ])
        let traces = try reader().traces(TraceQuery())
        #expect(traces.map(\.name) == ["other", "root"])
        #expect(
            traces[1]
                == TraceSummary(
                    id: traceID(1), name: "root", service: "shop", start: noon, end: noon + second, spans: 3, errors: 1,
                    isIncomplete: false))
        let trace = try #require(try reader().trace(traceID(1)))
        #expect(trace.spans.map(\.span.name) == ["root", "child", "grandchild"])
        #expect(trace.spans.map(\.resource.serviceName) == ["shop", "shop", "stock"])
    }

    @Test func listsAreFiltered() throws {
        store([
            Batch(
                (1...5).map { span(traceID($0), 1, "GET /\($0)", from: $0 * 100, to: $0 * 100 + $0, error: $0 == 2) },
                resource: shop),
            Batch([span(traceID(6), 1, "tick", from: 600, to: 700)], resource: stock),
        ])
        #expect(try names { _ in } == ["tick", "GET /5", "GET /4", "GET /3", "GET /2", "GET /1"])
        #expect(try names { $0.limit = 2 } == ["tick", "GET /5"])
        #expect(try names { $0.service = "stock" } == ["tick"])
        #expect(try names { $0.nameContains = "get /4" } == ["GET /4"])
        #expect(try names { $0.errorsOnly = true } == ["GET /2"])
        #expect(try names { $0.durationMin = 4_000_000 } == ["tick", "GET /5", "GET /4"])
        #expect(try names { $0.since = noon + 500 * 1_000_000 } == ["tick", "GET /5"])
        #expect(try names { $0.service = "nobody" } == [])
        #expect(try reader().services() == ["shop", "stock"])
    }

    @Test func aListOfFewReadsOnlyTheNewestBatches() throws {
        store((1...30).map { Batch([span(traceID($0), 1, "t\($0)", from: $0 * 100)], resource: shop) })
        let reader = try reader()
        try reader.read { try $0.execute(sql: "SELECT 1") }
        var query = TraceQuery()
        query.limit = 3
        #expect(try reader.traces(query).map(\.name) == ["t30", "t29", "t28"])
    }

    @Test func aTraceWithoutRootIsIncompleteUnlessItCameFromElsewhere() throws {
        var remote = span(traceID(2), 2, parent: 1, "entry", from: 1)
        remote.parentIsRemote = true
        let dead = span(
            traceID(3), 1, "killed", from: 2, error: true,
            attributes: [Attribute(StoredSpan.unfinishedAttribute, true)])
        store([Batch([span(traceID(1), 2, parent: 1, "orphan"), remote, dead], resource: shop)])
        let traces = try reader().traces(TraceQuery())
        #expect(traces.map(\.name) == ["killed", "entry", "orphan"])
        #expect(traces.map(\.isIncomplete) == [true, false, true])
    }

    @Test func ofALongTraceTheEarliestSpansAreKept() throws {
        store([
            Batch((2...60).map { span(traceID(1), $0, parent: 1, "s\($0)", from: $0) }, resource: shop),
            Batch([span(traceID(1), 1, "root", from: 0, to: 100)], resource: shop),
        ])
        let trace = try #require(try reader().trace(traceID(1), spansMax: 10))
        #expect(trace.spans.map(\.span.name) == ["root"] + (2...10).map { "s\($0)" })
        #expect(trace.omittedSpans == 50)
    }

    @Test func ofALargeTraceTheEarliestAreKept() throws {
        let large = String(repeating: "x", count: 10_000)
        let order: [UInt64] = [7, 3, 9, 1, 5, 8, 2, 6, 4, 0]
        store([
            Batch(order.map { log("\($0) \(large)", at: $0, trace: traceID(1)) }, resource: shop),
            Batch(order.map { span(traceID(1), $0 + 1, "\($0) \(large)", from: $0, to: $0 + 1) }, resource: shop),
        ])
        let trace = try #require(try reader().trace(traceID(1), bytesMax: 35_000))
        #expect(trace.logs.map { $0.record.body.string?.first } == ["0", "1", "2"])
        #expect(trace.spans.map(\.span.name.first) == ["0", "1", "2"])
        #expect(trace.omittedLogs == 7)
        #expect(trace.omittedSpans == 7)
        let least = try #require(try reader().trace(traceID(1), bytesMax: 1))
        #expect(least.logs.map { $0.record.body.string?.first } == ["0"], "one at least")
        #expect(least.omittedLogs == 9)
    }

    @Test func tracesAreFoundByPrefix() throws {
        let a = TraceID(hex: "abcdef00000000000000000000000001")!
        let b = TraceID(hex: "abcdef00000000000000000000000002")!
        let c = TraceID(hex: "abcd1200000000000000000000000003")!
        let short = TraceID(hex: "00000000000000000badcafe00000001")!
        store([
            Batch([span(a, 1, "a"), span(b, 1, "b"), span(short, 1, "short")], resource: shop),
            Batch([log("only a log", trace: c)], resource: shop),
        ])
        let reader = try reader()
        #expect(try reader.match(prefix: "abcd1") == .one(c))
        #expect(try reader.match(prefix: "ABCDEF") == .several([a, b]))
        #expect(try reader.match(prefix: "abcdef00000000000000000000000002") == .one(b))
        #expect(try reader.match(prefix: "abcdef000000000000000000000000021") == .none)
        #expect(try reader.match(prefix: "0badcafe00000001") == .one(short))
        #expect(try reader.match(prefix: "00000000000000000badcafe") == .one(short))
        #expect(try reader.match(prefix: "abc") == .none, "too short")
        #expect(try reader.match(prefix: "xyzw") == .none)
        #expect(try reader.match(prefix: "ffff") == .none)
        #expect(try reader.trace(traceID(99)) == nil)
    }

    @Test func aDamagedBatchIsLeftOutAndCounted() throws {
        store([
            Batch([span(traceID(1), 1, "good")], resource: shop),
            Batch([span(traceID(2), 1, "bad", from: 9)], resource: shop),
        ])
        let database = try StoreDatabase.openForWriting(directory.path, busyTimeoutMilliseconds: 5_000)
        try database.queue.inDatabase { try $0.execute(sql: "UPDATE body SET payload = x'0000' WHERE id = 2") }
        let reader = try reader()
        #expect(try reader.traces(TraceQuery()).map(\.name) == ["good"])
        #expect(reader.damagedBatches == 1)
    }

    // MARK: logs

    private func texts(_ logs: [StoredLog]) -> [String] { logs.map { $0.record.body.string ?? "" } }

    @Test func theLastLogsComeOldestFirst() throws {
        store([
            Batch((1...10).map { log("a\($0)", at: $0 * 10) }, resource: shop),
            // Another process, whose records lie between.
            Batch((1...10).map { log("b\($0)", at: $0 * 10 + 5) }, resource: stock),
        ])
        let reader = try reader()
        #expect(texts(try reader.lastLogs(LogQuery(), count: 4).logs) == ["a9", "b9", "a10", "b10"])
        #expect(texts(try reader.lastLogs(LogQuery(), count: 1_000).logs).count == 20)
        #expect(try reader.lastLogs(LogQuery(), count: 0).logs.isEmpty)
        #expect(
            texts(try reader.lastLogs(LogQuery(), count: 2) { texts([$0])[0].hasPrefix("a") }.logs) == ["a9", "a10"])
    }

    @Test func logsAreFiltered() throws {
        store([
            Batch(
                [
                    log("debug", at: 1, severity: 5), log("info", at: 2, trace: traceID(1), span: 1),
                    log("warn", at: 3, severity: 13), log("error", at: 4, severity: 17, trace: traceID(2)),
                ], resource: shop),
            Batch([log("elsewhere", at: 5)], resource: stock),
        ])
        let reader = try reader()
        func found(_ change: (inout LogQuery) -> Void) throws -> [String] {
            var query = LogQuery()
            change(&query)
            var found: [StoredLog] = []
            _ = try reader.logs(query) {
                found.append($0)
                return true
            }
            return texts(found)
        }
        #expect(try found { _ in } == ["debug", "info", "warn", "error", "elsewhere"])
        #expect(try found { $0.severityMin = 13 } == ["warn", "error"])
        #expect(try found { $0.traceID = traceID(1) } == ["info"])
        #expect(try found { $0.service = "stock" } == ["elsewhere"])
        #expect(
            try found {
                $0.since = noon + 3_000_000; $0.until = noon + 5_000_000
            } == ["warn", "error"])
    }

    @Test func aReaderThatFollowsSeesEachRecordOnce() throws {
        store([Batch([log("one")], resource: shop)])
        let reader = try reader()
        var (logs, cursor) = try reader.lastLogs(LogQuery(), count: 10)
        let version = try reader.dataVersion()
        func more() throws -> [String] {
            var found: [StoredLog] = []
            cursor = try reader.logs(LogQuery(), after: cursor) {
                found.append($0)
                return true
            }
            return texts(found)
        }
        #expect(texts(logs) == ["one"])
        #expect(try more() == [])
        store([Batch([log("two")], resource: shop), Batch([log("three")], resource: shop)])
        #expect(try reader.dataVersion() != version)
        #expect(try more() == ["two", "three"])
        #expect(try more() == [])
        logs = []
    }

    @Test func aReaderThatFollowsGoesOnInAStoreMadeAnew() throws {
        store([Batch([log("one")], resource: shop), Batch([log("two")], resource: shop)])
        let reader = try reader()
        var cursor = try reader.cursor()
        _ = try StoreDatabase.moveAside(directory.path, damaged: nil, unixSeconds: 0)
        store([Batch([log("three")], resource: shop)])
        _ = try reader.dataVersion()
        var found: [StoredLog] = []
        cursor = try reader.logs(LogQuery(), after: cursor) {
            found.append($0)
            return true
        }
        #expect(texts(found) == ["three"])
    }
}
