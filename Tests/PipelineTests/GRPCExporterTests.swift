import Configuration
import Pipeline
import System
import Telemetry
import Testing
import Wire

@testable import Exporters

/// What a call that ended so comes to.
private func verdict(
    _ headers: [(name: String, value: String)], status: Int = 200, body: [UInt8] = [], signal: Signal = .traces
) -> ExportResult {
    GRPCAnswer(HTTPResponse(status: status, headers: headers, body: body)).verdict("u", signal)
}

private func framed(_ message: [UInt8], flag: UInt8 = 0) -> [UInt8] {
    [flag, 0, 0, 0, UInt8(message.count)] + message
}

private func retryInfo(seconds: Int) -> String {
    OTLP.base64(OTLP.encodeErrorStatus(code: .unavailable, message: "m", retryAfterSeconds: seconds, isJSON: false))
}

@Suite struct GRPCRequestTests {
    private static func exporter(
        _ environment: [String: String] = [:], flag: String = "otlp-grpc=http://b:4317"
    ) throws -> (
        Exporter, HandTransport, HandClock, HandTimers
    ) {
        let (transport, timers, clock) = (HandTransport(), HandTimers(), HandClock())
        var flags = FlagValues()
        flags.exports = [flag]
        let configuration = try AgentConfiguration.parse(flags, environment: environment).get().value.exporters[0]
        return (Exporter(configuration, transport: transport, timers: timers, clock: clock), transport, clock, timers)
    }

    private static let resource = Resource(attributes: [Attribute("service.name", "shop")])

    @Test func eachSignalIsACallOfItsService() throws {
        let (exporter, transport, clock, timers) = try Self.exporter()
        let span = SpanData(
            context: SpanContext(traceID: TraceID(high: 1, low: 2), spanID: SpanID(1)), name: "n", startTime: 1,
            endTime: 2)
        let point = MetricPoint(
            instrument: MetricPoint.Instrument(name: "m", type: .gauge), startTime: 1, time: 2, value: 3)
        let batches = [
            Batch([span], resource: Self.resource), Batch([LogRecord(time: 1, body: "l")], resource: Self.resource),
            Batch([point], resource: Self.resource),
        ]
        for batch in batches { exporter.accept(batch) }
        clock.advance(second)
        timers.fire(clock)
        #expect(
            transport.requests.map(\.url)
                == ["trace.v1.Trace", "logs.v1.Logs", "metrics.v1.Metrics"].map {
                    "http://b:4317/opentelemetry.proto.collector.\($0)Service/Export"
                })
        for (request, batch) in zip(transport.requests, batches) {
            let message = OTLP.exportRequest(batches: [batch])
            #expect(request.isHTTP2 && request.method == "POST")
            #expect(request.body == framed(message))
            let headers = Dictionary(uniqueKeysWithValues: request.headers.map { ($0.name, $0.value) })
            #expect(
                headers == [
                    "Content-Type": "application/grpc", "TE": "trailers", "grpc-timeout": "10000m",
                    "grpc-accept-encoding": "identity",
                ])
            transport.answer(status: 200, headers: [("grpc-status", "0")], body: framed([]))
        }
        #expect(exporter.counters.exported == 3 && exporter.counters.queued == 0)
    }

    @Test func metadataTimeoutAndCompression() throws {
        let (exporter, transport, clock, timers) = try Self.exporter([
            "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20x", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "86400000",
        ])
        exporter.accept(Batch([LogRecord(time: 1, body: "l")], resource: Self.resource))
        clock.advance(second)
        timers.fire(clock)
        let request = transport.requests[0]
        for header in [("authorization", "Bearer x"), ("grpc-encoding", "gzip"), ("grpc-timeout", "86400000m")] {
            #expect(request.headers.contains { $0 == header }, "\(header)")
        }
        #expect(!request.headers.contains { $0.name == "Content-Encoding" })
        let length = request.body[1..<5].reduce(0) { $0 << 8 | Int($1) }
        #expect(request.body[0] == 1 && request.body.count == 5 + length)
        #expect(request.body[5...].starts(with: [0x1F, 0x8B]))
    }

    @Test func theNextEndpointIsAskedWhenOneFails() throws {
        let (exporter, transport, clock, timers) = try Self.exporter()
        exporter.accept(Batch([LogRecord(time: 1, body: "l")], resource: Self.resource))
        clock.advance(second)
        timers.fire(clock)
        transport.answer(status: 200, headers: [("grpc-status", "14"), ("grpc-message", "go%20away")])
        #expect(exporter.isOutage && exporter.counters.queued == 1)
        clock.advance(10 * second)
        timers.fire(clock)
        transport.answer(status: 200, headers: [("grpc-status", "0")])
        #expect(!exporter.isOutage && exporter.counters.exported == 1)
    }
}

@Suite struct GRPCAnswerTests {
    /// OTLP's table, code by code.
    @Test(arguments: 1...20) func theTableOfCodes(code: Int) {
        let result = verdict([("grpc-status", "\(code)"), ("grpc-message", "no")])
        if [1, 4, 7, 10, 11, 14, 15, 16].contains(code) {
            guard case .failed(nil, _) = result else { Issue.record("\(code): \(result)"); return }
        } else {
            guard case .refused(.refused, _) = result else { Issue.record("\(code): \(result)"); return }
        }
    }

    @Test func aTrailerBeatsTheHeadAndItsMessageIsDecoded() {
        #expect(
            verdict([("grpc-status", "0"), ("grpc-status", "5"), ("grpc-message", "%C3%BC%zz 100%")])
                == .refused(.refused, message: "u: answered NOT_FOUND: ü%zz 100%"))
        #expect(GRPCAnswer.unescaped("%4a%4B%") == "JK%")
    }

    @Test func retryInfoSaysWhen() {
        let details = (name: "grpc-status-details-bin", value: retryInfo(seconds: 7))
        #expect(
            verdict([("grpc-status", "14"), ("grpc-message", "busy"), details])
                == .failed(retryAfter: 7_000_000_000, message: "u: answered UNAVAILABLE: busy"))
        #expect(
            verdict([("grpc-status", "8"), details])
                == .failed(retryAfter: 7_000_000_000, message: "u: answered RESOURCE_EXHAUSTED: m"))
        #expect(verdict([("grpc-status", "8")]) == .refused(.refused, message: "u: answered RESOURCE_EXHAUSTED"))
        // It does not make retryable what is not.
        #expect(
            verdict([("grpc-status", "3"), details]) == .refused(.refused, message: "u: answered INVALID_ARGUMENT: m"))
    }

    /// As grpc-go, grpc's core, grpc-java, .NET, tonic and we say it.
    @Test(arguments: [
        (8, "grpc: received message larger than max (5 vs. 4)"), (8, "Received message larger than max (5 vs. 4)"),
        (8, "gRPC message exceeds maximum size 4194304: 5000000"),
        (8, "Received message exceeds the maximum configured message size."),
        (11, "Error, decoded message length too large: found 5 bytes, the limit is: 4 bytes"),
        (8, "the message is larger than the limit"),
    ])
    func tooLargeIsAskedToBeSmaller(code: Int, message: String) {
        guard case .tooLarge = verdict([("grpc-status", "\(code)"), ("grpc-message", message)]) else {
            Issue.record("\(message)")
            return
        }
    }

    @Test(arguments: [
        (400, false), (401, true), (403, true), (404, false), (429, true), (500, true), (502, true), (503, true),
        (504, true),
    ])
    func anHTTPStatusStandsForACode(status: Int, isRetried: Bool) {
        let result = verdict([("content-type", "text/html")], status: status, body: Array("<h1>x</h1>".utf8))
        let message = "u: answered HTTP \(status) and no grpc-status: <h1>x</h1>"
        #expect(result == (isRetried ? .failed(message: message) : .refused(.refused, message: message)))
    }

    @Test func aSuccessWithoutAStatusIsNone() {
        for status in ["", "x", "99999999999999999999"] {
            guard case .refused(.invalidResponse, _) = verdict([("grpc-status", status)]) else {
                Issue.record("\(status)")
                return
            }
        }
    }

    @Test func aSignalWithoutAServiceIsUnsupported() {
        #expect(
            verdict([("grpc-status", "12")], signal: .logs)
                == .refused(.unsupported, message: "u: answered UNIMPLEMENTED"))
        #expect(verdict([("grpc-status", "12")]) == .refused(.refused, message: "u: answered UNIMPLEMENTED"))
    }

    @Test func partialSuccessIsCounted() {
        var answer = ProtobufWriter()
        answer.message(1) { partial in
            partial.putVarint(1, 2)
            partial.putString(2, "too old")
        }
        #expect(
            verdict([("grpc-status", "0")], body: framed(answer.takeBytes()))
                == .delivered(rejected: 2, message: "u: partial success, 2 rejected: too old"))
    }

    @Test(
        arguments: [
            [1, 0, 0, 0, 0], [0, 0, 0, 0, 1], [0], [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 0xFF],
            [0, 0xFF, 0xFF, 0xFF, 0xFF],
        ] as [[UInt8]])
    func anUnreadableMessageOfASuccessIsAWarning(body: [UInt8]) {
        #expect(
            verdict([("grpc-status", "0")], body: body)
                == .delivered(message: "u: answered OK with what is no OTLP response"))
    }
}
