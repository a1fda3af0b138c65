import Telemetry
import Testing
import Wire

@Suite struct ExportRequestTests {
    private static let scopeA = InstrumentationScope(name: "a")
    private static let scopeB = InstrumentationScope(name: "b", schemaURL: "https://b")

    private func span(_ name: String) -> SpanData {
        SpanData(
            context: SpanContext(traceID: Example.traceID, spanID: Example.spanID), name: name, startTime: 1, endTime: 2
        )
    }

    /// Resource, scope and name of each span in the order of the bytes.
    private func flattened(_ request: [UInt8]) throws -> [String] {
        try OTLP.batches(fromExportRequest: request, signal: .traces).batches.flatMap { batch in
            let resource = try batch.decodedResource()
            return try batch.spans().map { try $0.get() }.map {
                "\(resource.serviceName)/\($0.scope.name)/\($0.value.name)"
            }
        }
    }

    private func batch(_ service: String, _ spans: [(InstrumentationScope, String)]) -> Batch {
        var builder = BatchBuilder(
            signal: .traces, resource: Resource(attributes: [Attribute("service.name", .string(service))]))
        for (scope, name) in spans { builder.append(span(name), scope: scope) }
        return builder.take()
    }

    @Test func nothingMakesAnEmptyRequest() {
        #expect(OTLP.exportRequest(batches: []) == [])
        #expect(OTLP.exportRequest(batches: [batch("s", [])]) == [])
        #expect(OTLP.exportRequestJSON(batches: []).bytes == Array("{}".utf8))
    }

    @Test func interleavedScopesAreBroughtTogether() throws {
        let batch = batch("s", [(Self.scopeA, "1"), (Self.scopeB, "2"), (Self.scopeA, "3"), (Self.scopeA, "4")])
        #expect(try flattened(OTLP.exportRequest(batches: [batch])) == ["s/a/1", "s/a/3", "s/a/4", "s/b/2"])
    }

    @Test func equalResourcesAndScopesShareTheirMessages() throws {
        let batches = [
            batch("s", [(Self.scopeA, "1")]), batch("t", [(Self.scopeB, "2")]),
            batch("s", [(Self.scopeB, "3"), (Self.scopeA, "4")]),
        ]
        let request = OTLP.exportRequest(batches: batches)
        #expect(try flattened(request) == ["s/a/1", "s/a/4", "s/b/3", "t/b/2"])
        let received = try OTLP.batches(fromExportRequest: request, signal: .traces).batches
        #expect(received.map { $0.scopes.count } == [2, 1])
        #expect(received[0].scopes[1].schemaURL == "https://b")
    }

    @Test func removedItemsStayAway() throws {
        var batch = batch("s", [(Self.scopeA, "1"), (Self.scopeA, "2"), (Self.scopeB, "3"), (Self.scopeA, "4")])
        batch.items.remove(at: 2)
        batch.items.remove(at: 1)
        #expect(try flattened(OTLP.exportRequest(batches: [batch])) == ["s/a/1", "s/a/4"])
    }

    @Test func reorderedItemsKeepTheirNewOrder() throws {
        var batch = batch("s", [(Self.scopeA, "1"), (Self.scopeA, "2"), (Self.scopeA, "3")])
        batch.items.reverse()
        #expect(try flattened(OTLP.exportRequest(batches: [batch])) == ["s/a/3", "s/a/2", "s/a/1"])
    }

    @Test(arguments: Signal.allCases, 0..<10 as Range<UInt64>)
    func batchesComeBackFromTheirRequest(signal: Signal, seed: UInt64) throws {
        var generator = Generator(seed: seed)
        var builder = BatchBuilder(signal: signal, resource: generator.resource())
        let scopes = (0..<3).map { _ in generator.scope() }
        for scope in scopes {
            for _ in 0..<5 {
                switch signal {
                case .traces: builder.append(generator.span(), scope: scope)
                case .logs: builder.append(generator.log(), scope: scope)
                case .metrics: builder.append(generator.metric(), scope: scope)
                }
            }
        }
        let batch = builder.take()
        let received = try OTLP.batches(
            fromExportRequest: OTLP.exportRequest(batches: [batch]), signal: signal)
        #expect(received.rejectedItems == 0)
        let back = try #require(received.batches.first)
        #expect(received.batches.count == 1)
        #expect(back.resource == batch.resource)
        #expect(back.resourceSchemaURL == batch.resourceSchemaURL)
        #expect(back.scopes == batch.scopes)
        #expect(back.bytes == batch.bytes)
        #expect(back.items.map(fields) == batch.items.map(fields))
    }

    private func fields(_ item: Batch.Item) -> String { "\(item)" }

    @Test func partsInAnyOrderAndInPiecesAreMerged() throws {
        let span = written { OTLP.encode(span: Example.span, into: &$0) }
        let request = written { writer in
            writer.message(1) { resourceSpans in
                resourceSpans.putString(3, "https://r")
                resourceSpans.message(2) { scopeSpans in
                    scopeSpans.putBytes(2, span)
                    scopeSpans.putString(3, "https://s")
                    scopeSpans.message(1) { $0.putString(1, "http") }
                    scopeSpans.putBytes(2, span)
                    scopeSpans.message(1) { $0.putString(2, "1.2") }
                }
                resourceSpans.message(1) { OTLP.encode(resource: Example.resource, into: &$0) }
            }
        }
        let batch = try #require(try OTLP.batches(fromExportRequest: request, signal: .traces).batches.first)
        #expect(try batch.decodedResource() == Example.resource)
        #expect(
            try batch.decodedScopes() == [InstrumentationScope(name: "http", version: "1.2", schemaURL: "https://s")])
        #expect(try batch.spans().map { try $0.get().value } == [Example.span, Example.span])
    }

    @Test func overlongFrameTagIsMadeShort() throws {
        let span = written { OTLP.encode(span: Example.span, into: &$0) }
        let frame = written { $0.putBytes(2, span) }
        let overlong: [UInt8] = [0x92, 0x00] + frame.dropFirst()
        let request = written { $0.message(1) { $0.putBytes(2, frame + overlong + frame) } }
        let batch = try #require(try OTLP.batches(fromExportRequest: request, signal: .traces).batches.first)
        #expect(batch.bytes == frame + frame + frame)
        #expect(batch.items.map { Int($0.offset) } == [0, frame.count, 2 * frame.count])
    }

    @Test func badSpanIsRejectedAndItsNeighboursStay() throws {
        let good = written { $0.message(2) { OTLP.encode(span: Example.span, into: &$0) } }
        let withoutID = written { $0.message(2) { $0.putString(5, "no ids") } }
        let shortID = written { $0.message(2) { $0.putBytes(1, [1, 2, 3]) } }
        let broken = written { $0.putBytes(2, [0x4A, 0x7F]) }
        let request = written { $0.message(1) { $0.putBytes(2, good + withoutID + good + shortID + broken + good) } }
        let received = try OTLP.batches(fromExportRequest: request, signal: .traces)
        #expect(received.rejectedItems == 3)
        #expect(received.firstRejection?.shortDescription == "a span has no trace id or no span id")
        #expect(received.batches[0].bytes == good + good + good)
        #expect(
            try received.batches[0].spans().map { try $0.get().value } == [Example.span, Example.span, Example.span])
    }

    @Test func limitsHold() throws {
        let log = written { $0.message(2) { $0.putFixed64(1, 1) } }
        func request(resources: Int, scopes: Int, logs: Int) -> [UInt8] {
            let scopeLogs = written { $0.putBytes(2, Array(repeatElement(log, count: logs).joined())) }
            let resourceLogs = written { $0.putBytes(1, Array(repeatElement(scopeLogs, count: scopes).joined())) }
            return Array(repeatElement(resourceLogs, count: resources).joined())
        }
        let limits = OTLP.ReceiveLimits(requestBytesMax: 1000, itemsMax: 8, resourcesMax: 4)
        func receive(_ bytes: [UInt8]) -> String? {
            do {
                _ = try OTLP.batches(fromExportRequest: bytes, signal: .logs, limits: limits)
                return nil
            } catch { return error.shortDescription }
        }
        #expect(receive(request(resources: 4, scopes: 1, logs: 2)) == nil)
        #expect(receive(request(resources: 1, scopes: 4, logs: 2)) == nil)
        #expect(receive(request(resources: 1, scopes: 1, logs: 9)) == "the request holds more items than the limit")
        let tooMany = "the request holds more resources, or a resource more scopes, than the limit"
        #expect(receive(request(resources: 5, scopes: 1, logs: 1)) == tooMany)
        #expect(receive(request(resources: 1, scopes: 5, logs: 1)) == tooMany)
        #expect(receive([UInt8](repeating: 0, count: 1001)) == "the message is larger than the limit")
    }

    @Test func metricIsIndexedByItsFirstPoint() throws {
        let metric = written { writer in
            writer.putString(1, "summary")
            writer.message(11) { summary in
                summary.message(1) { $0.putFixed64(3, 77) }
                summary.message(1) { $0.putFixed64(3, 78) }
            }
        }
        let request = written { $0.message(1) { $0.message(2) { $0.putBytes(2, metric) } } }
        let batch = try #require(try OTLP.batches(fromExportRequest: request, signal: .metrics).batches.first)
        #expect(batch.items[0].start == 77)
        #expect(batch.items[0].end == 77)
    }
}
