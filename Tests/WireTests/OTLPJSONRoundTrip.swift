import Telemetry
import Testing
import Wire

/// Telemetry made at random through our encoder of OTLP's JSON form and back.
enum OTLPJSONRoundTrip {
    static func run(seed: UInt64) throws {
        var generator = Generator(seed: seed)
        let resource = generator.resource()
        let scope = generator.scope()
        let spans = (0..<8).map { _ in generator.span() }
        let logs = (0..<8).map { _ in generator.log() }
        let points = (0..<8).map { _ in generator.metric() }
        try check(Batch(spans, resource: resource, scope: scope), seed) { try $0.span(at: $1) == spans[$1] }
        try check(Batch(logs, resource: resource, scope: scope), seed) { try $0.logRecord(at: $1) == logs[$1] }
        try check(Batch(points, resource: resource, scope: scope), seed) { batch, index in
            try batch.metric(at: index).points
                == (try OTLP.decodeMetric(written { OTLP.encode(metric: points[index], into: &$0) })).points
        }
    }

    private static func check(_ batch: Batch, _ seed: UInt64, isSame: (Batch, Int) throws -> Bool) throws {
        let json = OTLP.exportRequestJSON(batches: [batch]).bytes
        let received = try OTLP.batches(fromExportRequestJSON: json, signal: batch.signal)
        #expect(received.rejectedItems == 0, "seed \(seed): \(String(describing: received.firstRejection))")
        let again = try #require(received.batches.first)
        #expect(again.resource == batch.resource && again.resourceSchemaURL == batch.resourceSchemaURL, "seed \(seed)")
        #expect(again.scopes == batch.scopes && again.items.count == batch.items.count, "seed \(seed)")
        for index in batch.items.indices {
            #expect(try isSame(again, index), "seed \(seed), \(batch.signal) \(index)")
            let (left, right) = (again.items[index], batch.items[index])
            #expect(
                (left.status, left.kind, left.start, left.end) == (right.status, right.kind, right.start, right.end))
            #expect((left.traceID, left.spanID, left.parentSpanID) == (right.traceID, right.spanID, right.parentSpanID))
        }
        #expect(OTLP.exportRequestJSON(batches: [again]).bytes == json, "seed \(seed)")
    }
}
