import Telemetry
import Testing
import Wire

@testable import Store

@Suite struct RowMergerTests {
    private func rows(_ batches: [Batch], rowBytes: Int = 1 << 16) -> [RowBuilder] {
        var merger = RowMerger(rowBytes: rowBytes)
        for batch in batches { merger.add(batch) }
        return merger.take()
    }

    @Test func smallBatchesOfOneSignalAndResourceBecomeOneRow() {
        let batches = (1...10).flatMap { number in
            [
                Batch([span(traceID(UInt64(number)), 1, "a")], resource: shop),
                Batch([log("b", at: UInt64(number))], resource: shop),
            ]
        }
        let rows = rows(batches)
        #expect(rows.map(\.signal) == [.traces, .logs])
        #expect(rows.map(\.items) == [10, 10])
        #expect(rows[0].traces().count == 80)
        #expect(rows[0].bytes == batches.filter { $0.signal == .traces }.flatMap(\.bytes))
    }

    @Test func aBatchOfTheSizeOfARowIsOneWithoutWaitingForOthers() {
        let small = Batch([span(traceID(1), 1, "before")], resource: shop)
        let batch = Batch((1...100).map { span(traceID(UInt64($0)), $0, "some name") }, resource: shop)
        let rows = rows([small, batch, small], rowBytes: batch.bytes.count)
        #expect(rows.map(\.items) == [100, 2])
        #expect(rows[0].bytes == batch.bytes)
        #expect(rows[0].traces().count == 800)
        #expect(rows[0].runs == [BatchBody.ScopeRun(scope: 0, items: 100)])
    }

    @Test func aLargeBatchIsSplitBetweenItems() {
        let batch = Batch((1...100).map { span(traceID(1), $0, "some name") }, resource: shop)
        let rows = rows([batch], rowBytes: batch.bytes.count / 4)
        #expect(rows.count > 3)
        #expect(rows.map(\.items).reduce(0, +) == 100)
        #expect(rows.flatMap(\.bytes) == batch.bytes)
        #expect(rows.allSatisfy { $0.bytes.count <= batch.bytes.count / 4 })
    }

    @Test func anItemLargerThanARowHasARowToItself() {
        let big = span(traceID(1), 1, String(repeating: "x", count: 5_000))
        let rows = rows([Batch([span(traceID(1), 2, "small"), big], resource: shop)], rowBytes: 1_000)
        #expect(rows.map(\.items) == [1, 1])
    }

    @Test func scopesOfMergedBatchesKeepTheirItems() {
        let a = InstrumentationScope(name: "a"), b = InstrumentationScope(name: "b")
        let rows = rows([
            Batch([span(traceID(1), 1, "x")], resource: shop, scope: a),
            Batch([span(traceID(1), 2, "y"), span(traceID(1), 3, "y")], resource: shop, scope: b),
            Batch([span(traceID(1), 4, "z")], resource: shop, scope: a),
        ])
        #expect(rows.count == 1)
        #expect(rows[0].scopes == [OTLP.message(a), OTLP.message(b)])
        #expect(
            rows[0].runs == [
                BatchBody.ScopeRun(scope: 0, items: 1), BatchBody.ScopeRun(scope: 1, items: 2),
                BatchBody.ScopeRun(scope: 0, items: 1),
            ])
    }

    @Test func itemsLeftOutByAProcessorAreNotStored() {
        var batch = Batch((1...5).map { span(traceID(1), $0, "n\($0)") }, resource: shop)
        let all = batch
        batch.items.remove(at: 2)
        let row = rows([batch])[0]
        #expect(row.items == 4)
        #expect(row.bytes.count == all.bytes.count - Int(all.items[2].length))
    }

    @Test func manyResourcesKeepFewRowsOpen() {
        var merger = RowMerger(rowBytes: 1 << 20)
        for number in 1...100 {
            merger.add(
                Batch(
                    [span(traceID(1), 1, "a")],
                    resource: Resource(attributes: [Attribute("service.name", .string("s\(number)"))])))
        }
        let rows = merger.take()
        #expect(rows.count == 100)
    }

    @Test func traceKeysAreFoundByRange() {
        let keys: [UInt64] = [3, 9, 200]
        keys.withUnsafeBytes { bytes in
            #expect(TraceKey.contains(bytes, 9...9))
            #expect(TraceKey.contains(bytes, 4...10))
            #expect(TraceKey.contains(bytes, 200...(.max)))
            #expect(!TraceKey.contains(bytes, 10...199))
            #expect(!TraceKey.contains(bytes, 201...(.max)))
            #expect(!TraceKey.contains(UnsafeRawBufferPointer(rebasing: bytes[..<0]), 0...(.max)))
        }
    }

    @Test func damagedScopesAndPayloadsAreRefused() {
        let scopes = BatchBody.encodeScopes([Batch.Scope(message: [1, 2, 3], schemaURL: "u")], [])
        for count in 0..<scopes.count {
            #expect(scopes[..<count].withUnsafeBytes { BatchBody.decodeScopes($0) } == nil)
        }
        var packed: [UInt8] = []
        let compressor = BlockCompressor()
        let text = [UInt8](repeating: 65, count: 1_000)
        let count = text.withUnsafeBytes { BatchBody.pack($0, compressor, into: &packed) }
        #expect(packed[..<count].withUnsafeBytes { BatchBody.expand($0) } == text)
        for cut in 0..<count { #expect(packed[..<cut].withUnsafeBytes { BatchBody.expand($0) } == nil) }
        packed[7] = 0xFF
        #expect(packed[..<count].withUnsafeBytes { BatchBody.expand($0) } == nil, "claims 4 GB")
    }
}
