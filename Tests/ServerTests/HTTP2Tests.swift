import Foundation
import Glibc
import Server
import Synchronization
import Testing

@Suite struct HTTP2Tests {
    /// It ends its side while a large answer is on its way, of which the socket has not taken all.
    @Test func aClientThatEndsItsSideGetsTheRestOfItsAnswer() throws {
        let size = 16 << 20
        let isHandled = Atomic<Bool>(false)
        let server = try TestServer(
            ClosureHandler { _, responder in
                responder.respond(200, body: [UInt8](repeating: 7, count: size))
                isHandled.store(true, ordering: .relaxed)
            })
        defer { server.stop() }
        let client = try HTTP2Client(server, receiveBufferBytes: 4_096)
        // SETTINGS_INITIAL_WINDOW_SIZE.
        client.send(4, 0, 0, [0, 4] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: (size * 2) >> $0) })
        client.windowUpdate(0, UInt32(size * 2))
        client.settle()
        client.request(1, "GET", "/")
        #expect(server.eventually { isHandled.load(ordering: .relaxed) })
        client.client.endSending()
        let answer = client.answer(1)
        #expect(answer?.status == 200)
        #expect(answer?.body.count == size)
    }

    @Test func requestsAreAnsweredOnTheirStreams() throws {
        let server = try TestServer(ClosureHandler.echo)
        defer { server.stop() }
        let client = try HTTP2Client(server)
        for stream in stride(from: UInt32(1), to: 21, by: 2) {
            client.request(stream, "POST", "/p?q=\(stream)", body: Array("body \(stream)".utf8))
        }
        for stream in stride(from: UInt32(1), to: 21, by: 2) {
            let answer = try #require(client.answer(stream))
            #expect(answer.status == 200)
            #expect(answer.text == "POST /p?q=\(stream) body \(stream)")
            #expect(answer.fields["content-type"] == "text/plain")
            #expect(answer.fields["content-length"] == "\(answer.body.count)")
            #expect(answer.fields["date"] != nil)
        }
        #expect(server.server.counters.requests == 10)
    }

    @Test func aPrefaceThatDripsInIsOne() throws {
        let server = try TestServer(ClosureHandler.echo)
        defer { server.stop() }
        let client = try TestClient(server)
        for byte in "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8 { client.send([byte]) }
        for byte in HTTP2Client.frame(4, 0, 0, []) + HTTP2Client.frame(1, 5, 1, HTTP2Client.head("GET", "/")) {
            client.send([byte])
        }
        #expect(client.read(5)[3] == 4)
        #expect(server.eventually { server.server.counters.requests == 1 })
    }

    @Test func largeBodiesComeWholeAndLargeAnswersToo() throws {
        let handler = ClosureHandler { request, responder in responder.respond(200, body: request.body) }
        let server = try TestServer(handler)
        defer { server.stop() }
        let client = try HTTP2Client(server)
        client.settle()
        // What the windows allow without waiting for an update.
        let body = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        client.windowUpdate(0, 1 << 24)
        client.send(4, 0, 0, [0, 4, 0, 0x10, 0, 0])
        client.request(1, "POST", "/", body: body)
        #expect(try #require(client.answer(1)).body == body)
        #expect(server.eventually { server.budget.used <= 64 * 1024 })
    }

    @Test func headersAndTrailersComeApart() throws {
        let handler = ClosureHandler { request, responder in
            let text =
                "\(request.header("x-a") ?? "-") \(request.header("x-b") ?? "-") \(request.header("host") ?? "-")"
            responder.respond(
                200, body: Array(text.utf8), trailers: ResponseFields(["grpc-status": "0", "grpc-message": "fine"]))
        }
        let server = try TestServer(handler)
        defer { server.stop() }
        let client = try HTTP2Client(server)
        client.send(1, 4, 1, HTTP2Client.head("POST", "/", [("x-a", "1")]))
        client.send(0, 0, 1, [1])
        client.send(1, 5, 1, HTTP2Client.block([("x-b", "smuggled")]))
        let answer = try #require(client.answer(1))
        #expect(answer.text == "1 - h")
        #expect(answer.fields["grpc-status"] == "0")
        #expect(answer.fields["grpc-message"] == "fine")
        #expect(answer.fields["content-length"] == nil)
    }

    @Test func answersComeFromAnyThreadAndInAnyOrder() throws {
        let handler = ClosureHandler { request, responder in
            let body = request.body
            Thread { responder.respond(200, body: body) }.start()
        }
        let server = try TestServer(handler)
        defer { server.stop() }
        let client = try HTTP2Client(server)
        let streams = stride(from: UInt32(1), to: 101, by: 2)
        for stream in streams { client.request(stream, "POST", "/", body: Array("\(stream)".utf8)) }
        for stream in streams { #expect(try #require(client.answer(stream)).text == "\(stream)") }
    }

    @Test func streamsSendTheirPiecesAndEnd() throws {
        let handler = ClosureHandler { _, responder in
            let stream = responder.stream(200, .none)
            Thread {
                for number in 0..<5 { _ = stream.write(Array("piece \(number) ".utf8)) }
                stream.end()
            }.start()
        }
        let server = try TestServer(handler)
        defer { server.stop() }
        let client = try HTTP2Client(server)
        client.request(1, "GET", "/")
        #expect(try #require(client.answer(1)).text == "piece 0 piece 1 piece 2 piece 3 piece 4 ")
    }

    @Test func aStreamIsToldThatItsClientResetIt() throws {
        let left = Atomic<Int>(0)
        let kept = Mutex<ResponseStream?>(nil)
        let handler = ClosureHandler { _, responder in
            let stream = responder.stream(200, .none, onLeft: { left.wrappingAdd(1, ordering: .relaxed) })
            kept.withLock { $0 = stream }
        }
        let server = try TestServer(handler)
        defer { server.stop() }
        let client = try HTTP2Client(server)
        client.request(1, "GET", "/")
        #expect(server.eventually { kept.withLock { $0 != nil } })
        client.send(3, 0, 1, [0, 0, 0, 8])
        #expect(server.eventually { left.load(ordering: .relaxed) == 1 })
        #expect(kept.withLock { $0?.write([1]) } == false)
    }

    @Test func anAnswerToARequestThatWasTakenBackIsCounted() throws {
        let waiting = Mutex<Responder?>(nil)
        let handler = ClosureHandler { _, responder in waiting.withLock { $0 = responder } }
        let server = try TestServer(handler)
        defer { server.stop() }
        let client = try HTTP2Client(server)
        client.request(1, "GET", "/")
        #expect(server.eventually { waiting.withLock { $0 != nil } })
        client.send(3, 0, 1, [0, 0, 0, 8])
        client.send(6, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8])
        while let frame = client.next(), !(frame.type == 6 && frame.flags == 1) {}
        waiting.withLock { $0 }?.respond(200)
        #expect(server.eventually { server.server.counters.answersUnsent == 1 })
    }

    @Test func stopLetsWhatHasBegunFinish() throws {
        let waiting = Mutex<Responder?>(nil)
        let handler = ClosureHandler { _, responder in waiting.withLock { $0 = responder } }
        let server = try TestServer(handler)
        let client = try HTTP2Client(server)
        client.request(1, "GET", "/")
        #expect(server.eventually { waiting.withLock { $0 != nil } })
        server.server.stop(graceMilliseconds: 20_000)
        while let frame = client.next(), frame.type != 7 {}
        client.request(3, "GET", "/late")
        waiting.withLock { $0 }?.respond(200, body: Array("done".utf8))
        #expect(try #require(client.answer(1)).text == "done")
        #expect(client.answer(3) == nil)
        server.stop()
    }

    // MARK: hostile

    private static func limited(_ change: (inout ServerLimits) -> Void) -> ServerLimits {
        var limits = ServerLimits()
        change(&limits)
        return limits
    }

    @Test func requestsTakenBackAtOnceEndTheConnection() throws {
        let server = try TestServer(ClosureHandler { _, responder in Thread { responder.respond(200) }.start() })
        defer { server.stop() }
        let client = try HTTP2Client(server)
        var bytes: [UInt8] = []
        for stream in stride(from: UInt32(1), to: 4_001, by: 2) {
            bytes += HTTP2Client.frame(1, 4, stream, HTTP2Client.head("POST", "/"))
            bytes += HTTP2Client.frame(3, 0, stream, [0, 0, 0, 8])
        }
        client.client.send(bytes)
        #expect(client.end() == 11)
        #expect(server.server.counters.refused(.flood) == 1)
        #expect(server.eventually { server.server.counters.connectionsOpen == 0 && server.budget.used == 0 })
    }

    @Test(arguments: [
        HTTP2Client.frame(6, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0]), HTTP2Client.frame(4, 0, 0, []),
        HTTP2Client.frame(2, 0, 1, [0, 0, 0, 0, 1]), HTTP2Client.frame(8, 0, 0, [0, 0, 0, 1]),
    ])
    func framesThatCarryNothingEndTheConnection(_ frame: [UInt8]) throws {
        let server = try TestServer(ClosureHandler.echo)
        defer { server.stop() }
        let client = try HTTP2Client(server)
        for _ in 0..<200 where client.client.send([[UInt8]](repeating: frame, count: 100).flatMap { $0 }) {}
        _ = client.end()
        #expect(server.server.counters.refused(.flood) == 1)
        #expect(server.eventually { server.server.counters.connectionsOpen == 0 && server.budget.used == 0 })
    }

    @Test func emptyDataEndsTheConnection() throws {
        let server = try TestServer(ClosureHandler.echo)
        defer { server.stop() }
        let client = try HTTP2Client(server)
        client.send(1, 4, 1, HTTP2Client.head("POST", "/"))
        client.client.send([[UInt8]](repeating: HTTP2Client.frame(0, 0, 1, []), count: 5_000).flatMap { $0 })
        #expect(client.end() == 11)
    }

    @Test func aHeadInEndlessContinuationsEndsTheConnection() throws {
        let server = try TestServer(ClosureHandler.echo)
        defer { server.stop() }
        for piece in [
            [], HTTP2Client.block([("x", "y")]), HTTP2Client.block([("x", String(repeating: "y", count: 8_000))]),
        ] {
            let client = try HTTP2Client(server)
            client.send(1, 0, 1, HTTP2Client.head("POST", "/"))
            for _ in 0..<100
            where client.client.send([[UInt8]](repeating: HTTP2Client.frame(9, 0, 1, piece), count: 100).flatMap { $0 })
            {}
            _ = client.end()
        }
        #expect(server.server.counters.requests == 0)
        #expect(server.eventually { server.server.counters.connectionsOpen == 0 && server.budget.used == 0 })
    }

    @Test func aHeadOverTheLimitIsResetAndTheConnectionGoesOn() throws {
        let server = try TestServer(ClosureHandler.echo, Self.limited { $0.headBytesMax = 4_096 })
        defer { server.stop() }
        let client = try HTTP2Client(server)
        client.request(1, "GET", "/", [("x", String(repeating: "y", count: 10_000))])
        #expect(try #require(client.answer(1)).reset != nil)
        client.request(3, "GET", "/")
        #expect(try #require(client.answer(3)).status == 200)
        #expect(server.server.counters.refused(.headTooLarge) == 1)
    }

    @Test func aWindowThatNeverOpensEndsTheAnswer() throws {
        let handler = ClosureHandler { _, responder in
            responder.respond(200, body: [UInt8](repeating: 1, count: 100_000))
        }
        let server = try TestServer(handler, Self.limited { $0.writeMilliseconds = 200 })
        defer { server.stop() }
        let client = try HTTP2Client(server)
        client.request(1, "GET", "/")
        // 65,535 bytes come; then nothing but the reset.
        let answer = try #require(client.answer(1))
        #expect(answer.body.count == 65_535)
        #expect(answer.reset == 8)
        #expect(server.server.counters.refused(.writeTimeout) == 1)
    }

    @Test func aWindowThatOverflowsIsAnError() throws {
        let server = try TestServer(ClosureHandler.echo)
        defer { server.stop() }
        let client = try HTTP2Client(server)
        client.windowUpdate(0, 0x7FFF_FFFF)
        #expect(client.end() == 3)
    }

    @Test func bodiesThatNeverEndTimeOut() throws {
        let server = try TestServer(ClosureHandler.echo, Self.limited { $0.bodyMilliseconds = 200 })
        defer { server.stop() }
        let client = try HTTP2Client(server)
        client.send(1, 4, 1, HTTP2Client.head("POST", "/"))
        client.send(0, 0, 1, [1])
        #expect(try #require(client.answer(1)).reset == 8)
        #expect(server.server.counters.refused(.bodyTimeout) == 1)
    }

    @Test func aBodyOverTheLimitIsAnsweredBeforeItsEnd() throws {
        let server = try TestServer(ClosureHandler.echo, Self.limited { $0.bodyBytesMax = 20_000 })
        defer { server.stop() }
        let client = try HTTP2Client(server)
        client.request(1, "POST", "/", body: [UInt8](repeating: 0, count: 60_000))
        #expect(try #require(client.answer(1)).status == 413)
        client.request(3, "POST", "/", [("content-length", "30000")])
        let answer = client.answer(3)
        #expect(answer?.status == 413 || answer?.reset != nil)
        client.request(5, "POST", "/", body: [1])
        #expect(try #require(client.answer(5)).status == 200)
    }

    @Test func withoutRoomInTheBudgetARequestIsToComeAgain() throws {
        let server = try TestServer(ClosureHandler.echo, budgetBytes: 100_000)
        defer { server.stop() }
        let client = try HTTP2Client(server)
        client.settle()
        client.request(1, "POST", "/", body: [UInt8](repeating: 0, count: 120_000))
        let answer = try #require(client.answer(1))
        #expect(answer.status == 503)
        #expect(answer.fields["retry-after"] == "1")
        client.request(3, "POST", "/", body: [1])
        #expect(try #require(client.answer(3)).status == 200)
    }

    @Test func answersThatNobodyReadsCountForTheBudget() throws {
        let size = 300_000
        let server = try TestServer(
            ClosureHandler { _, responder in responder.respond(200, body: [UInt8](repeating: 7, count: size)) },
            budgetBytes: 1_100_000)
        defer { server.stop() }
        do {
            let client = try HTTP2Client(server)
            // SETTINGS_INITIAL_WINDOW_SIZE: nothing may be sent.
            client.send(4, 0, 0, [0, 4, 0, 0, 0, 0])
            client.settle()
            for stream in stride(from: UInt32(1), to: 41, by: 2) { client.request(stream, "GET", "/") }
            #expect(client.answer(39)?.status == 503)
            #expect(server.budget.used >= 3 * size && server.budget.used <= 1_100_000)
        }
        #expect(server.eventually { server.server.counters.connectionsOpen == 0 && server.budget.used == 0 })
    }

    @Test func rubbishBehindThePrefaceEndsTheConnection() throws {
        let server = try TestServer(ClosureHandler.echo)
        defer { server.stop() }
        var seed: UInt64 = 7
        for _ in 0..<200 {
            let client = try HTTP2Client(server)
            client.client.send(
                (0..<200).map { _ in
                    seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    return UInt8(truncatingIfNeeded: seed >> 33)
                })
            client.client.endSending()
            _ = client.end()
        }
        #expect(server.eventually { server.server.counters.connectionsOpen == 0 && server.budget.used == 0 })
    }
}
