import Receivers
import Telemetry
import Testing
import Wire

/// Zipkin and Jaeger.
@Suite struct TraceReceiverTests {
    private static let span =
        #"{"traceId":"0102030405060708090a0b0c0d0e0f10","id":"0102030405060708","name":"get","timestamp":1,"duration":2,"localEndpoint":{"serviceName":"shop"}}"#

    @Test func zipkinsJSONIsAccepted() throws {
        let world = try OTLPHTTPTests.World([.zipkin])
        defer { world.server.stop() }
        for type in ["application/json", "application/json; charset=utf-8", nil] {
            let answer = world.post("/api/v2/spans", type, Array("[\(Self.span)]".utf8))
            #expect(answer.status == 202)
            #expect(answer.body == "")
        }
        #expect(world.intake.entries.count == 3)
        #expect(world.intake.entries.allSatisfy { $0.signal == .traces && $0.receiver == .zipkin })
        #expect(world.intake.entries[0].received.batches[0].items.count == 1)
        #expect(world.post("/api/v1/spans", "application/json", Array("[]".utf8)).status == 202)
    }

    @Test func whatIsNoSpanListIsRefusedInWords() throws {
        let world = try OTLPHTTPTests.World([.zipkin, .jaeger])
        defer { world.server.stop() }
        let bad = world.post("/api/v2/spans", "application/json", Array("[{".utf8))
        #expect(bad.status == 400)
        #expect(bad.head.contains("content-type: text/plain; charset=utf-8\r\n"))
        #expect(bad.body.contains("JSON"))
        #expect(world.post("/api/v2/spans", "application/x-protobuf", [0x0A, 0x7F]).status == 400)
        #expect(world.post("/api/v1/spans", "application/x-thrift", [1]).status == 415)
        #expect(world.post("/api/traces?format=jaeger.thrift", "application/x-thrift", [0xFF]).status == 400)
        #expect(world.post("/api/traces", "application/json", [0x5B, 0x5D]).status == 415)
        #expect(world.intake.entries.isEmpty)
    }

    @Test func aFullIntakeMeansComeAgain() throws {
        let world = try OTLPHTTPTests.World([.zipkin])
        defer { world.server.stop() }
        world.intake.answers(.full(retryAfterSeconds: 1))
        let answer = world.post("/api/v2/spans", "application/json", Array("[\(Self.span)]".utf8))
        #expect(answer.status == 503)
        #expect(answer.head.contains("retry-after: 1\r\n"))
    }
}
