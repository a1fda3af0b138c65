import Foundation
import Server
import Synchronization
import Testing

@Suite struct HTTP1Tests {
    private static func post(_ body: String, _ fields: String = "") -> String {
        "POST /v1/x?a=b HTTP/1.1\r\nhost: h\r\n\(fields)content-length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    @Test func aConnectionCarriesManyRequests() throws {
        let server = try TestServer(ClosureHandler.echo)
        defer { server.stop() }
        let client = try TestClient(server)
        for number in 0..<5 {
            client.send(Self.post("body \(number)"))
            let answer = client.answer()
            #expect(answer.status == 200)
            #expect(answer.body == "POST /v1/x?a=b body \(number)")
            #expect(answer.head.contains("content-type: text/plain\r\n"))
            #expect(answer.head.contains("date: "))
        }
        #expect(server.server.counters.connections == 1)
        #expect(server.server.counters.requests == 5)
        #expect(server.server.counters.connectionsOpen == 1)
    }

    @Test func requestsInOnePieceAreAnsweredInOrder() throws {
        let server = try TestServer(ClosureHandler.echo)
        defer { server.stop() }
        let client = try TestClient(server)
        client.send((0..<50).map { Self.post("body \($0)") }.joined())
        for number in 0..<50 { #expect(client.answer().body == "POST /v1/x?a=b body \(number)") }
    }

    @Test func requestsInOnePieceWaitForAnswersThatComeLater() throws {
        let waiting = Mutex<[(Responder, [UInt8])]>([])
        let handler = ClosureHandler(turnEnded: {
            let taken = waiting.withLock { waiting in
                defer { waiting = [] }
                return waiting
            }
            for (responder, body) in taken { responder.respond(200, body: body) }
        }) { request, responder in
            let body = request.body
            waiting.withLock { $0.append((responder, body)) }
        }
        let server = try TestServer(handler)
        defer { server.stop() }
        let client = try TestClient(server)
        client.send((0..<20).map { Self.post("body \($0)") }.joined())
        for number in 0..<20 { #expect(client.answer().body == "body \(number)") }
    }

    @Test func bytesThatDripInAreOneRequest() throws {
        let server = try TestServer(ClosureHandler.echo)
        defer { server.stop() }
        let client = try TestClient(server)
        for byte in Self.post("slow").utf8 { client.send([byte]) }
        #expect(client.answer().body == "POST /v1/x?a=b slow")
        #expect(server.eventually { server.budget.used == 0 })
    }

    @Test(arguments: [1, 1_000, 70_000, 300_000, 3_000_000])
    func bodiesOfAnySizeComeWhole(_ size: Int) throws {
        let handler = ClosureHandler { request, responder in
            let sum = request.withBody { $0.reduce(into: UInt64(0)) { $0 = $0 &* 31 &+ UInt64($1) } }
            responder.respond(200, body: Array("\(request.bodyCount) \(sum)".utf8))
        }
        let server = try TestServer(handler)
        defer { server.stop() }
        let client = try TestClient(server)
        let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
        let sum = body.reduce(into: UInt64(0)) { $0 = $0 &* 31 &+ UInt64($1) }
        for _ in 0..<2 {
            client.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: \(size)\r\n\r\n")
            client.send(body)
            #expect(client.answer().body == "\(size) \(sum)")
            client.send("POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n")
            var position = 0
            while position < size {
                let count = min(size - position, 10_000)
                client.send("\(String(count, radix: 16))\r\n")
                client.send(Array(body[position..<(position + count)]))
                client.send("\r\n")
                position += count
            }
            client.send("0\r\nx-trailer: 1\r\n\r\n")
            #expect(client.answer().body == "\(size) \(sum)")
        }
        #expect(server.eventually { server.budget.used == 0 })
    }

    @Test func headersAreReadWithoutRegardToCaseAlsoBehindAChunkedBody() throws {
        let handler = ClosureHandler { request, responder in
            let text = "\(request.header("x-one") ?? "-") \(request.header("x-two") ?? "-") \(request.path)"
            responder.respond(200, body: Array(text.utf8))
        }
        let server = try TestServer(handler)
        defer { server.stop() }
        let client = try TestClient(server)
        client.send(
            "POST /p HTTP/1.1\r\nHost: h\r\nX-One:  1 \r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-two: smuggled\r\n\r\n"
        )
        #expect(client.answer().body == "1 - /p")
        client.send("GET http://host.example/q?x HTTP/1.1\r\nHost: h\r\nX-TWO: 2\r\n\r\n")
        #expect(client.answer().body == "- 2 /q")
        client.send("GET http://host.example HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(client.answer().body == "- - /")
    }

    @Test func aClientThatExpectsContinueIsTold() throws {
        let server = try TestServer(ClosureHandler.echo)
        defer { server.stop() }
        let client = try TestClient(server)
        client.send("POST / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n")
        #expect(client.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
        client.send("ok")
        #expect(client.answer().body == "POST /? ok")
    }

    @Test func headHasTheLengthAndNoBody() throws {
        let server = try TestServer(ClosureHandler.echo)
        defer { server.stop() }
        let client = try TestClient(server)
        client.send("HEAD /h HTTP/1.1\r\nhost: h\r\n\r\n" + Self.post("next"))
        let head = client.answer(hasBody: false)
        #expect(head.head.contains("content-length: 9\r\n"))
        #expect(client.answer().body == "POST /v1/x?a=b next")
    }

    @Test func connectionCloseIsHonoured() throws {
        let server = try TestServer(ClosureHandler.echo)
        defer { server.stop() }
        let client = try TestClient(server)
        client.send(Self.post("bye", "connection: close\r\n"))
        let text = client.readAll()
        #expect(text.contains("connection: close\r\n"))
        #expect(text.hasSuffix("bye"))
        #expect(server.eventually { server.server.counters.connectionsOpen == 0 })
    }

    @Test func version10ClosesUnlessAskedNotTo() throws {
        let server = try TestServer(ClosureHandler.echo)
        defer { server.stop() }
        let closed = try TestClient(server)
        closed.send("GET /a HTTP/1.0\r\n\r\n")
        #expect(closed.readAll().hasSuffix("GET /a? "))
        let kept = try TestClient(server)
        for _ in 0..<2 {
            kept.send("GET /a HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")
            let answer = kept.answer()
            #expect(answer.head.contains("connection: keep-alive"))
            #expect(answer.body == "GET /a? ")
        }
    }

    /// A client that sends many requests in one piece gets one answered a turn, like everybody else.
    @Test func requestsInOnePieceDoNotHoldUpOthers() throws {
        let isHeld = DispatchSemaphore(value: 0)
        let state = Mutex((order: [String](), waiting: [Responder]()))
        let handler = ClosureHandler(
            turnEnded: {
                let waiting = state.withLock { state in
                    defer { state.waiting = [] }
                    return state.waiting
                }
                for responder in waiting { responder.respond(200) }
            },
            { request, responder in
                let isFirst = state.withLock { state in
                    state.order.append(request.path)
                    state.waiting.append(responder)
                    return state.order.count == 1
                }
                if isFirst { isHeld.wait() }
            })
        let server = try TestServer(handler)
        defer { server.stop() }
        let (many, one) = (try TestClient(server), try TestClient(server))
        // Known to the server before the many are.
        one.send("GET /hello HTTP/1.1\r\nhost: h\r\n\r\n")
        isHeld.signal()
        #expect(one.answer().status == 200)
        state.withLock { $0.order = [] }
        many.send((0..<200).map { "GET /many/\($0) HTTP/1.1\r\nhost: h\r\n\r\n" }.joined())
        #expect(server.eventually { state.withLock { !$0.order.isEmpty } })
        one.send("GET /one HTTP/1.1\r\nhost: h\r\n\r\n")
        isHeld.signal()
        #expect(one.answer().status == 200)
        for _ in 0..<200 { #expect(many.answer().status == 200) }
        let order = state.withLock { $0.order }
        #expect(order.filter { $0 != "/one" } == (0..<200).map { "/many/\($0)" })
        #expect(order.firstIndex(of: "/one") ?? 200 <= 3, "\(order.firstIndex(of: "/one") ?? -1)")
        #expect(server.budget.used == 0)
    }

    @Test func aClientThatEndsItsSideStillGetsItsAnswer() throws {
        let waiting = Mutex<Responder?>(nil)
        let handler = ClosureHandler { _, responder in waiting.withLock { $0 = responder } }
        let server = try TestServer(handler)
        defer { server.stop() }
        let client = try TestClient(server)
        client.send(Self.post("x"))
        client.endSending()
        #expect(server.eventually { waiting.withLock { $0 != nil } })
        waiting.withLock { $0?.respond(200, body: Array("late".utf8)) }
        #expect(client.readAll().hasSuffix("late"))
    }

    @Test func answersComeFromAnyThread() throws {
        let handler = ClosureHandler { request, responder in
            let body = request.body
            Thread { responder.respond(200, body: body) }.start()
        }
        let server = try TestServer(handler)
        defer { server.stop() }
        let clients = try (0..<8).map { _ in try TestClient(server) }
        for round in 0..<50 {
            for (number, client) in clients.enumerated() { client.send(Self.post("\(round) \(number)")) }
            for (number, client) in clients.enumerated() { #expect(client.answer().body == "\(round) \(number)") }
        }
    }

    @Test func anAnswerAfterTheClientLeftIsCounted() throws {
        let waiting = Mutex<[Responder]>([])
        let handler = ClosureHandler { _, responder in waiting.withLock { $0.append(responder) } }
        let server = try TestServer(handler)
        defer { server.stop() }
        do {
            let client = try TestClient(server)
            client.send(Self.post("x"))
            #expect(server.eventually { waiting.withLock { $0.count == 1 } })
            client.reset()
        }
        #expect(server.eventually { server.server.counters.connectionsOpen == 0 })
        waiting.withLock { $0.removeFirst() }.respond(200, body: Array("nobody".utf8))
        #expect(server.eventually { server.server.counters.answersUnsent == 1 })
        let other = try TestClient(server)
        other.send(Self.post("y"))
        #expect(server.eventually { waiting.withLock { $0.count == 1 } })
        waiting.withLock { $0.removeFirst() }.respond(204)
        #expect(other.answer().status == 204)
    }

    @Test func aDroppedResponderAnswers500() throws {
        let server = try TestServer(ClosureHandler { _, _ in })
        defer { server.stop() }
        let client = try TestClient(server)
        client.send(Self.post("x"))
        #expect(client.answer().status == 500)
    }

    @Test func aLargeAnswerReachesASlowReader() throws {
        let size = 8 << 20
        let handler = ClosureHandler { _, responder in
            responder.respond(200, body: [UInt8](repeating: 0x61, count: size))
        }
        let server = try TestServer(handler)
        defer { server.stop() }
        let client = try TestClient(server, receiveBufferBytes: 4_096)
        client.send(Self.post("x") + Self.post("y"))
        #expect(client.answer().body.utf8.count == size)
        #expect(client.answer().body.utf8.count == size)
        #expect(server.eventually { server.budget.used == 0 })
    }
}
