import Receivers
import Server
import System
import Telemetry
import Testing
import Wire

@Suite struct OTLPHTTPTests {
    struct World {
        let intake: RecordingIntake
        let counters = ReceiverCounters()
        let server: TestServer
        let client: TestClient

        init(
            _ protocols: Set<ReceiverName> = [.otlpHTTP], origins: [String] = [], limits: OTLP.ReceiveLimits? = nil,
            waits: Bool = false
        ) throws {
            intake = RecordingIntake(waits: waits)
            var options = ReceiverHandler.Options(protocols: protocols)
            options.allowedOrigins = origins
            if let limits { options.limits = limits }
            options.limitKey = "receivers.mine.body-max"
            let handler = ReceiverHandler(
                options, intake: intake, counters: counters, budget: MemoryBudget(), clock: MachineClock())
            server = try TestServer(handler, bodyBytesMax: limits == nil ? nil : handler.bodyBytesMax)
            client = try TestClient(server)
        }

        func post(_ path: String, _ type: String?, _ body: [UInt8], _ fields: String = "") -> TestClient.Answer {
            let type = type.map { "content-type: \($0)\r\n" } ?? ""
            client.send("POST \(path) HTTP/1.1\r\nhost: h\r\n\(type)\(fields)content-length: \(body.count)\r\n\r\n")
            client.send(body)
            return client.answer()
        }
    }

    private static let protobuf = "application/x-protobuf"

    @Test(arguments: [false, true])
    func spansReachTheIntakeAsTheyCame(_ waits: Bool) throws {
        let world = try World(waits: waits)
        defer { world.server.stop() }
        let answer = world.post("/v1/traces", Self.protobuf, Sample.request([Sample.span(1), Sample.span(2)]))
        #expect(answer.status == 200)
        #expect(answer.body == "")
        #expect(answer.head.contains("content-type: application/x-protobuf\r\n"))
        let entry = try #require(world.intake.entries.first)
        #expect(entry.signal == .traces)
        #expect(entry.receiver == .otlpHTTP)
        #expect(entry.received.batches.count == 1)
        #expect(entry.received.batches[0].items.map(\.end) == [2_000, 2_000])
        let counts = world.counters.counts(of: .otlpHTTP)
        #expect(counts.accepted == 1 && counts.items == 2 && counts.rejectedItems == 0)
    }

    @Test func everySignalHasItsPath() throws {
        let world = try World()
        defer { world.server.stop() }
        var log = ProtobufWriter()
        log.putFixed64(1, 5)
        #expect(world.post("/v1/logs", Self.protobuf, Sample.request([log.takeBytes()])).status == 200)
        var metric = ProtobufWriter()
        metric.putString(1, "name")
        #expect(
            world.post("/v1/metrics", Self.protobuf + "; charset=utf-8", Sample.request([metric.takeBytes()])).status
                == 200)
        #expect(world.intake.entries.map(\.signal) == [.logs, .metrics])
    }

    /// The agent is the collection system that observes it: <https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-observedtimestamp>.
    @Test(arguments: [false, true])
    func aLogRecordWithoutATimeGetsThatOfItsArrival(_ isJSON: Bool) throws {
        let world = try World()
        defer { world.server.stop() }
        let before = MachineClock().unixNanoseconds()
        if isJSON {
            let records = #"{"body":{"stringValue":"a"}},{"observedTimeUnixNano":"7"},{"timeUnixNano":"5"}"#
            let text = #"{"resourceLogs":[{"scopeLogs":[{"logRecords":[\#(records)]}]}]}"#
            #expect(world.post("/v1/logs", "application/json", Array(text.utf8)).status == 200)
        } else {
            var timeless = ProtobufWriter()
            var observed = ProtobufWriter()
            var timed = ProtobufWriter()
            timeless.putString(3, "INFO")
            observed.putFixed64(11, 7)
            timed.putFixed64(1, 5)
            let request = Sample.request([timeless.takeBytes(), observed.takeBytes(), timed.takeBytes()])
            #expect(world.post("/v1/logs", Self.protobuf, request).status == 200)
        }
        let after = MachineClock().unixNanoseconds()
        let batch = try #require(world.intake.entries.first?.received.batches.first)
        let logs = try batch.items.indices.map { try batch.logRecord(at: $0) }
        #expect(logs.map(\.time) == [0, 0, 5])
        #expect(logs[1].observedTime == 7 && logs[2].observedTime == 0)
        #expect(logs[0].observedTime >= before && logs[0].observedTime <= after)
        #expect(batch.items.map(\.start) == [logs[0].observedTime, 7, 5])
        // It is whole, and what a queue keeps of it reads the same.
        let again = try OTLP.batches(fromExportRequest: OTLP.exportRequest(batches: [batch]), signal: .logs)
        #expect(again.batches.map(\.bytes) == [batch.bytes])
        #expect(again.batches[0].items.map(\.start) == batch.items.map(\.start))
    }

    @Test func anEmptyRequestIsSuccess() throws {
        let world = try World()
        defer { world.server.stop() }
        #expect(world.post("/v1/traces", Self.protobuf, []).status == 200)
        #expect(world.post("/v1/traces", "application/json; charset=utf-8", Array("{}".utf8)).body == "{}")
        #expect(world.intake.entries.isEmpty)
    }

    @Test func jsonIsAnsweredInJSON() throws {
        let world = try World()
        defer { world.server.stop() }
        let body = """
            {"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708",
            "name":"x","kind":2,"startTimeUnixNano":"1","endTimeUnixNano":"2"},{"traceId":"","spanId":""}]}]}]}
            """
        let answer = world.post("/v1/traces", "application/json", Array(body.utf8))
        #expect(answer.status == 200)
        #expect(answer.head.contains("content-type: application/json\r\n"))
        #expect(answer.body.hasPrefix(#"{"partialSuccess":{"rejectedSpans":"1","errorMessage":""#))
        #expect(world.intake.entries.first?.received.batches.first?.items.count == 1)
        let bad = world.post("/v1/traces", "application/json", Array("{\"resourceSpans\":[".utf8))
        #expect(bad.status == 400)
        #expect(bad.body.hasPrefix(#"{"code":3,"message":""#))
    }

    @Test func whatIsMalformedIsCountedAndTold() throws {
        let world = try World()
        defer { world.server.stop() }
        let answer = world.post("/v1/traces", Self.protobuf, Sample.request([Sample.span(1), [1, 2], Sample.span(0)]))
        #expect(answer.status == 200)
        let partial = try OTLP.decodeExportResponse(Array(answer.body.utf8), signal: .traces)
        #expect(partial?.rejected == 2)
        #expect(partial?.message.isEmpty == false)
        #expect(world.intake.entries.first?.received.batches.first?.items.count == 1)
        #expect(world.counters.counts(of: .otlpHTTP).rejectedItems == 2)
    }

    @Test func refusalsAreInTheRequestsEncoding() throws {
        let world = try World(limits: OTLP.ReceiveLimits(requestBytesMax: 1_000, itemsMax: 3))
        defer { world.server.stop() }
        let bad = world.post("/v1/traces", Self.protobuf, [0x0A, 0x7F])
        #expect(bad.status == 400)
        #expect(OTLP.decodeErrorStatus(Array(bad.body.utf8))?.contains("beyond the end") == true)
        #expect(world.post("/v1/traces", Self.protobuf, Sample.request((1...4).map { Sample.span($0) })).status == 413)
        #expect(world.post("/v1/traces", Self.protobuf, [UInt8](repeating: 0, count: 1_001)).status == 413)
        #expect(world.post("/v1/traces", "text/plain", [1]).status == 415)
        #expect(world.post("/v1/traces", nil, [1]).status == 415)
        #expect(world.post("/v1/trace", Self.protobuf, [1]).status == 404)
        #expect(world.post("/api/v2/spans", "application/json", [1]).status == 404)
        world.client.send("GET /v1/traces HTTP/1.1\r\nhost: h\r\n\r\n")
        let method = world.client.answer()
        #expect(method.status == 405)
        #expect(method.head.contains("allow: POST\r\n"))
        #expect(world.intake.entries.isEmpty)
        #expect(world.counters.counts(of: .otlpHTTP).bad == 6)
    }

    private static let tooLarge =
        "the body has more than the 1000 bytes that are taken; receivers.mine.body-max raises that"

    /// What the server itself refuses and hands to nobody.
    @Test(
        arguments: [
            ("content-length: 5000", "", 413, tooLarge),
            ("transfer-encoding: chunked", "1000\r\n", 413, tooLarge),
            ("content-length: 3\r\ncontent-encoding: gzip", "abc", 400, "the body is not what its content-encoding says"),
            (
                "content-length: 3\r\ncontent-encoding: br", "abc", 415,
                "the content-encoding is none of those that are understood: gzip, deflate, zstd"
            ),
        ])
    func whatTheServerRefusesIsToldInTheProtocolsWords(
        _ fields: String, _ body: String, _ status: Int, _ text: String
    ) throws {
        for (path, type) in [
            ("/v1/logs", Self.protobuf), ("/v1/logs", "application/json"), ("/api/v2/spans", "application/json"),
            ("/nowhere", Self.protobuf),
        ] {
            let world = try World(
                [.otlpHTTP, .zipkin], origins: ["https://shop.example"],
                limits: OTLP.ReceiveLimits(requestBytesMax: 1_000))
            defer { world.server.stop() }
            world.client.send(
                "POST \(path) HTTP/1.1\r\nhost: h\r\norigin: https://shop.example\r\ncontent-type: \(type)\r\n\(fields)\r\n\r\n\(body)")
            let answer = world.client.answer()
            #expect(answer.status == status, "\(path) \(type)")
            guard path != "/nowhere" else {
                #expect(answer.body.isEmpty)
                continue
            }
            let isOTLP = path.hasPrefix("/v1")
            let isJSON = type == "application/json"
            let said =
                isOTLP
                ? OTLP.decodeErrorStatus(Array(answer.body.utf8), isJSON: isJSON)
                : answer.body.hasSuffix("\n") ? String(answer.body.dropLast()) : nil
            #expect(said == text, "\(path) \(type)")
            #expect(answer.head.contains("content-type: \(isOTLP ? type : "text/plain; charset=utf-8")\r\n"))
            #expect(answer.head.contains("access-control-allow-origin: https://shop.example\r\n"))
            #expect(answer.head.contains("accept-encoding: gzip") == (status == 415))
            #expect(world.counters.counts(of: isOTLP ? .otlpHTTP : .zipkin).bad == 1)
            #expect(world.intake.entries.isEmpty)
        }
    }

    @Test func aWrongPathIsToldInOTLPToThoseWhoSpeakIt() throws {
        let world = try World()
        defer { world.server.stop() }
        let text = "no receiver at this path; this listener has /v1/traces, /v1/logs, /v1/metrics"
        #expect(OTLP.decodeErrorStatus(Array(world.post("/v1/trace", Self.protobuf, [1]).body.utf8)) == text)
        #expect(
            OTLP.decodeErrorStatus(Array(world.post("/", "application/json", [1]).body.utf8), isJSON: true) == text)
        #expect(world.post("/", nil, [1]).body == text + "\n")
    }

    @Test func aFullIntakeMeansComeAgain() throws {
        let world = try World(waits: true)
        defer { world.server.stop() }
        let request = Sample.request([Sample.span(1)])
        world.intake.answers(.full(retryAfterSeconds: 3))
        let full = world.post("/v1/traces", Self.protobuf, request)
        #expect(full.status == 503)
        #expect(full.head.contains("retry-after: 3\r\n"))
        world.intake.answers(.failed("the disk is broken"))
        let failed = world.post("/v1/traces", Self.protobuf, request)
        #expect(failed.status == 500)
        #expect(OTLP.decodeErrorStatus(Array(failed.body.utf8)) == "the disk is broken")
        let counts = world.counters.counts(of: .otlpHTTP)
        #expect(counts.full == 1 && counts.failed == 1 && counts.accepted == 0)
    }

    // MARK: browsers

    @Test func withoutTheOptionNoPageMaySend() throws {
        let world = try World()
        defer { world.server.stop() }
        world.client.send(
            "OPTIONS /v1/traces HTTP/1.1\r\nhost: h\r\norigin: https://a.example\r\naccess-control-request-method: POST\r\n\r\n"
        )
        let answer = world.client.answer()
        #expect(answer.status == 403)
        #expect(!answer.head.contains("access-control"))
    }

    @Test func pagesOfTheNamedOriginsMaySend() throws {
        let world = try World(origins: ["https://a.example"])
        defer { world.server.stop() }
        for (origin, isAllowed) in [("https://a.example", true), ("https://b.example", false)] {
            world.client.send(
                "OPTIONS /v1/traces HTTP/1.1\r\nhost: h\r\norigin: \(origin)\r\naccess-control-request-method: POST\r\naccess-control-request-headers: content-type,x-key\r\n\r\n"
            )
            let answer = world.client.answer()
            #expect(answer.status == (isAllowed ? 204 : 403))
            #expect(answer.head.contains("access-control-allow-headers: content-type,x-key\r\n") == isAllowed)
            let post = world.post(
                "/v1/traces", Self.protobuf, Sample.request([Sample.span(1)]), "origin: \(origin)\r\n")
            #expect(post.status == 200)
            #expect(post.head.contains("access-control-allow-origin: \(origin)\r\n") == isAllowed)
        }
    }
}
