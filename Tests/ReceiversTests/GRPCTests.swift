import CZlib
import Receivers
import Server
import System
import Telemetry
import Testing
import Wire

@Suite struct GRPCTests {
    private static let path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

    private struct World {
        let intake = RecordingIntake(waits: true)
        let counters = ReceiverCounters()
        let server: TestServer
        let client: HTTP2Client
        private var stream: UInt32 = 1

        init() throws {
            server = try TestServer(
                ReceiverHandler(
                    .init(protocols: [.otlpGRPC]), intake: intake, counters: counters, budget: MemoryBudget(),
                    clock: MachineClock()))
            client = try HTTP2Client(server)
        }

        mutating func call(
            _ path: String, _ body: [UInt8], _ fields: [(String, String)] = [("content-type", "application/grpc")]
        ) throws -> HTTP2Client.Answer {
            client.request(stream, "POST", path, fields + [("te", "trailers"), ("grpc-timeout", "10S")], body: body)
            defer { stream += 2 }
            return try #require(client.answer(stream))
        }
    }

    private static func message(_ bytes: [UInt8], flag: UInt8 = 0) -> [UInt8] {
        [flag] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: bytes.count >> $0) } + bytes
    }

    private static func gzip(_ bytes: [UInt8]) -> [UInt8] {
        var stream = z_stream()
        sl_zlib_gzip_init(&stream, 6)
        defer { deflateEnd(&stream) }
        var input = bytes
        var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(bytes.count))) + 64)
        let count = input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(input.count)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(output.count)
                CZlib.deflate(&stream, Z_FINISH)
                return output.count - Int(stream.avail_out)
            }
        }
        return Array(output[..<count])
    }

    @Test func spansReachTheIntake() throws {
        var world = try World()
        defer { world.server.stop() }
        let request = Sample.request((1...100).map { Sample.span($0, name: String(repeating: "n", count: 300)) })
        let answer = try world.call(Self.path, Self.message(request))
        #expect(answer.status == 200)
        #expect(answer.fields["content-type"] == "application/grpc")
        #expect(answer.fields["grpc-status"] == "0")
        #expect(answer.body == [0, 0, 0, 0, 0])
        #expect(world.intake.entries.first?.received.batches.first?.items.count == 100)
        #expect(world.intake.entries.first?.receiver == .otlpGRPC)
    }

    @Test func everySignalHasItsService() throws {
        var world = try World()
        defer { world.server.stop() }
        var log = ProtobufWriter()
        log.putFixed64(1, 5)
        let request = Self.message(Sample.request([log.takeBytes()]))
        let logs = try world.call(
            "/opentelemetry.proto.collector.logs.v1.LogsService/Export", request,
            [("content-type", "application/grpc+proto")])
        #expect(logs.fields["grpc-status"] == "0")
        let metrics = try world.call("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", request)
        #expect(metrics.fields["grpc-status"] == "0")
        #expect(world.intake.entries.map(\.signal) == [.logs, .metrics])
    }

    @Test func compressedMessagesAreDecoded() throws {
        var world = try World()
        defer { world.server.stop() }
        let request = Sample.request((1...50).map { Sample.span($0) })
        let gzip = [("content-type", "application/grpc"), ("grpc-encoding", "gzip")]
        let answer = try world.call(Self.path, Self.message(Self.gzip(request), flag: 1), gzip)
        #expect(answer.fields["grpc-status"] == "0")
        #expect(world.intake.entries.first?.received.batches.first?.items.count == 50)
        let broken = try world.call(Self.path, Self.message([1, 2, 3], flag: 1), gzip)
        #expect(broken.fields["grpc-status"] == "3")
        let plain = try world.call(Self.path, Self.message(request), gzip)
        #expect(plain.fields["grpc-status"] == "0")
        let unknown = try world.call(
            Self.path, Self.message(request, flag: 1),
            [("content-type", "application/grpc"), ("grpc-encoding", "snappy")])
        #expect(unknown.fields["grpc-status"] == "12")
        #expect(unknown.fields["grpc-accept-encoding"] == "identity, gzip, zstd")
        let unnamed = try world.call(Self.path, Self.message(request, flag: 1))
        #expect(unnamed.fields["grpc-status"] == "13")
    }

    @Test func aMessageThatIsTooLargeIsToldAsGRPC() throws {
        var options = ReceiverHandler.Options(protocols: [.otlpGRPC])
        options.limits = OTLP.ReceiveLimits(requestBytesMax: 1_000)
        options.limitKey = "receivers.mine.body-max"
        let counters = ReceiverCounters()
        let handler = ReceiverHandler(
            options, intake: RecordingIntake(), counters: counters, budget: MemoryBudget(), clock: MachineClock())
        let server = try TestServer(handler, bodyBytesMax: handler.bodyBytesMax)
        defer { server.stop() }
        let client = try HTTP2Client(server)
        client.request(
            1, "POST", Self.path, [("content-type", "application/grpc"), ("te", "trailers")],
            body: Self.message([UInt8](repeating: 0, count: 2_000)))
        let answer = try #require(client.answer(1))
        #expect(answer.status == 200)
        #expect(answer.fields["grpc-status"] == "8")
        #expect(
            answer.fields["grpc-message"]
                == "the body has more than the 1000 bytes that are taken; receivers.mine.body-max raises that")
        #expect(counters.counts(of: .otlpGRPC).bad == 1)
    }

    @Test func framesThatAreNoMessageAreRefused() throws {
        var world = try World()
        defer { world.server.stop() }
        let request = Sample.request([Sample.span(1)])
        for (body, status) in [
            ([], "3"), ([0, 0], "3"), ([0, 0xFF, 0xFF, 0xFF, 0xFF, 1], "3"),
            (Array(Self.message(request).dropLast(1)), "3"),
            (Self.message(request) + Self.message(request), "12"), (Self.message(request, flag: 9), "13"),
            (Self.message([0x0A, 0x7F]), "3"),
        ] as [([UInt8], String)] {
            let answer = try world.call(Self.path, body)
            #expect(answer.status == 200)
            #expect(answer.fields["grpc-status"] == status, "\(body)")
            #expect(answer.body.isEmpty)
        }
        #expect(world.intake.entries.isEmpty)
        #expect(world.counters.counts(of: .otlpGRPC).bad == 7)
    }

    @Test func whatIsNotTheServiceIsUnimplementedOrNoGRPC() throws {
        var world = try World()
        defer { world.server.stop() }
        #expect(try world.call("/grpc.health.v1.Health/Check", Self.message([])).fields["grpc-status"] == "12")
        #expect(try world.call(Self.path, [], [("content-type", "text/plain")]).status == 415)
        #expect(try world.call("/v1/traces", [], [("content-type", "application/x-protobuf")]).status == 404)
        let http1 = try TestClient(world.server)
        http1.send(
            "POST \(Self.path) HTTP/1.1\r\nhost: h\r\ncontent-type: application/grpc\r\ncontent-length: 0\r\n\r\n")
        #expect(http1.answer().status == 505)
    }

    @Test func aFullIntakeIsUnavailableWithATimeToComeAgain() throws {
        var world = try World()
        defer { world.server.stop() }
        let request = Self.message(Sample.request([Sample.span(1)]))
        world.intake.answers(.full(retryAfterSeconds: 2))
        let full = try world.call(Self.path, request)
        #expect(full.fields["grpc-status"] == "14")
        #expect(full.fields["grpc-message"] == "no room at the moment")
        // Code 14, the message, and RetryInfo of 2 s: written by hand from the .proto files.
        let details = try #require(full.fields["grpc-status-details-bin"])
        #expect(
            details
                == "CA4SFW5vIHJvb20gYXQgdGhlIG1vbWVudBowCih0eXBlLmdvb2dsZWFwaXMuY29tL2dvb2dsZS5ycGMuUmV0cnlJbmZvEgQKAggC"
        )
        world.intake.answers(.failed("50 % off: ä"))
        let failed = try world.call(Self.path, request)
        #expect(failed.fields["grpc-status"] == "13")
        #expect(failed.fields["grpc-message"] == "50 %25 off: %C3%A4")
    }

    @Test func rejectedSpansAreTold() throws {
        var world = try World()
        defer { world.server.stop() }
        let answer = try world.call(Self.path, Self.message(Sample.request([Sample.span(1), Sample.span(0)])))
        #expect(answer.fields["grpc-status"] == "0")
        let partial = try OTLP.decodeExportResponse(Array(answer.body.dropFirst(5)), signal: .traces)
        #expect(partial?.rejected == 1)
    }
}
