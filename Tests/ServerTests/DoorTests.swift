import Server
import Synchronization
import Testing

/// Who is let in, and what a client may take.
@Suite struct DoorTests {
    private static let secret = "0123456789abcdef-looking"
    private static let other = "0123456789abcdef-changing"

    private static func door(
        _ noted: @escaping @Sendable (DoorGuard.Refused) -> Void = { _ in }, origins: [String]? = nil
    ) -> Door {
        var door = Door()
        door.guarding = DoorGuard(
            [
                DoorGuard.Token(name: "viewer", secret: secret, access: .looking),
                DoorGuard.Token(name: "boss", secret: other, access: .changing),
                DoorGuard.Token(name: "elsewhere", secret: "0123456789abcdef-elsewhere", access: .nothing),
            ], openPaths: ["/livez"], openCalls: ["/a.Health/Check"], trustedOrigins: origins, note: noted)
        door.fields = ResponseFields(["x-frame-options": "DENY"])
        return door
    }

    private static let telling = ClosureHandler { request, responder in
        responder.respond(200, body: Array("\(request.client ?? "nobody")".utf8))
    }

    private static func ask(
        _ server: TestServer, _ start: String, _ fields: String = "", _ body: String = ""
    ) throws -> TestClient.Answer {
        let client = try TestClient(server)
        let length = body.isEmpty ? "" : "content-length: \(body.utf8.count)\r\n"
        client.send("\(start) HTTP/1.1\r\nhost: h\r\n\(fields)\(length)\r\n\(body)")
        return client.answer()
    }

    @Test func aTokenLetsInForWhatItAllows() throws {
        let server = try TestServer(Self.telling, door: Self.door())
        defer { server.stop() }
        func status(_ start: String, _ token: String) throws -> Int {
            try Self.ask(server, start, "authorization: \(token)\r\n").status
        }
        #expect(try Self.ask(server, "GET /", "authorization: Bearer \(Self.secret)\r\n").body == "viewer")
        #expect(try Self.ask(server, "PUT /", "authorization: bEARER \(Self.other)\r\n", "x").body == "boss")
        #expect(try status("PUT /", "Bearer \(Self.secret)") == 403)
        #expect(try status("GET /", "Bearer 0123456789abcdef-elsewhere") == 403)
        for wrong in [
            "Bearer \(Self.secret)x", "Bearer \(Self.secret.dropLast())", "Bearer ", "Bearer", Self.secret,
            "Basic \(Self.secret)", "Bearer  \(Self.secret)", "Bearer \(Self.secret.uppercased())",
            "Bearer\t\(Self.secret)",
        ] {
            #expect(try status("GET /", wrong) == 401, "\(wrong)")
        }
        let refused = try Self.ask(server, "GET /")
        #expect(refused.status == 401)
        #expect(refused.head.contains("www-authenticate: Bearer realm=\"sidelight\"\r\n"))
        #expect(refused.head.contains("x-frame-options: DENY\r\n"))
        #expect(refused.body.contains("a token is needed"))
        #expect(server.server.counters.refused(.unauthenticated) == 10)
        #expect(server.server.counters.refused(.forbidden) == 2)
    }

    @Test func oneTokenIsShownAndNotTwo() throws {
        let server = try TestServer(Self.telling, door: Self.door())
        defer { server.stop() }
        let (good, bad) = ("authorization: Bearer \(Self.secret)\r\n", "Authorization: Bearer x\r\n")
        for fields in [
            good + bad, bad + good, good + good, "a: b\r\n\(good)c: d\r\n\(bad)", good + "authorization:\r\n",
        ] {
            let refused = try Self.ask(server, "GET /", fields)
            #expect(refused.status == 400 && refused.body.contains("more than once"), "\(fields)")
        }
        #expect(try Self.ask(server, "GET /", "a: authorization\r\n\(good)x-authorization: b\r\n").status == 200)
        #expect(server.server.counters.refused(.malformed) == 5)
    }

    @Test func whatIsOpenNeedsNoToken() throws {
        let server = try TestServer(Self.telling, door: Self.door())
        defer { server.stop() }
        #expect(try Self.ask(server, "GET /livez").status == 200)
        #expect(try Self.ask(server, "GET /livez?a").status == 200)
        #expect(try Self.ask(server, "GET /livez/x").status == 401)
        #expect(try Self.ask(server, "PUT /livez", "", "x").status == 401)
        #expect(try Self.ask(server, "POST /livez", "", "x").status == 401)
        #expect(try Self.ask(server, "POST /a.Health/Check", "", "x").status == 200)
        #expect(try Self.ask(server, "POST /a.Health/Watch", "", "x").status == 401)
        #expect(try Self.ask(server, "PUT /a.Health/Check", "", "x").status == 401)
        #expect(try Self.ask(server, "OPTIONS /", "access-control-request-method: POST\r\n").status == 200)
        #expect(try Self.ask(server, "OPTIONS /").status == 401)
    }

    @Test func aBodyWithoutATokenIsNotKept() throws {
        let server = try TestServer(Self.telling, door: Self.door())
        defer { server.stop() }
        let client = try TestClient(server)
        let piece = String(repeating: "x", count: 1 << 20)
        client.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: \(3 << 20)\r\n\r\n")
        client.send(piece)
        client.send(piece)
        #expect(server.eventually { server.server.counters.bytesIn > 2 << 20 })
        #expect(server.budget.used < 1 << 16)
        client.send(piece)
        #expect(client.answer().status == 401)
        // The connection goes on.
        client.send("GET / HTTP/1.1\r\nhost: h\r\nauthorization: Bearer \(Self.secret)\r\n\r\n")
        #expect(client.answer().status == 200)
    }

    @Test func whoIsNotLetInIsNoted() throws {
        let noted = Mutex<[DoorGuard.Refused]>([])
        let server = try TestServer(Self.telling, door: Self.door({ refused in noted.withLock { $0.append(refused) } }))
        defer { server.stop() }
        _ = try Self.ask(server, "GET /a?b=c")
        _ = try Self.ask(server, "DELETE /a", "authorization: Bearer \(Self.secret)\r\n")
        let all = noted.withLock { $0 }
        #expect(all.map(\.status) == [401, 403])
        #expect(all.map(\.client) == [nil, "viewer"])
        #expect(all.map(\.method) == ["GET", "DELETE"])
        #expect(all.map(\.path) == ["/a", "/a"])
        #expect(all.allSatisfy { $0.peer.hasPrefix("127.0.0.1:") })
    }

    @Test func aWebPageThatIsNotTrustedMayNotSend() throws {
        let server = try TestServer(
            Self.telling, door: Self.door(origins: ["https://shop.example"]))
        defer { server.stop() }
        let token = "authorization: Bearer \(Self.other)\r\n"
        #expect(try Self.ask(server, "POST /", token + "origin: https://evil.example\r\n", "x").status == 403)
        #expect(try Self.ask(server, "POST /", token + "origin: null\r\n", "x").status == 403)
        #expect(try Self.ask(server, "POST /", token + "origin: https://shop.example\r\n", "x").status == 200)
        #expect(try Self.ask(server, "POST /", token, "x").status == 200)
        #expect(server.server.counters.refused(.origin) == 2)
    }

    @Test func aClientHasSoManyConnectionsAndTheNextIsTurnedAway() throws {
        var limits = ServerLimits()
        limits.perClient.connectionsMax = 2
        let server = try TestServer(Self.telling, limits)
        defer { server.stop() }
        var clients = try (0..<2).map { _ in try TestClient(server) }
        for client in clients {
            client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n")
            #expect(client.answer().status == 200)
        }
        #expect(try TestClient(server).readAll().hasPrefix("HTTP/1.1 503 "))
        #expect(server.server.counters.refused(.clientConnections) == 1)
        // One that leaves makes room.
        clients.removeLast()
        #expect(
            server.eventually {
                guard let client = try? TestClient(server) else { return false }
                client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n")
                return client.answer().status == 200
            })
    }

    @Test func aClientThatAsksTooOftenIsToldWhenToComeAgain() throws {
        var limits = ServerLimits()
        limits.perClient.requestsPerSecond = 1
        let server = try TestServer(Self.telling, limits)
        defer { server.stop() }
        let client = try TestClient(server)
        // A bucket of one, filled once a second: of twenty at once most are refused.
        client.send(String(repeating: "GET / HTTP/1.1\r\nhost: h\r\n\r\n", count: 20))
        let answers = (0..<20).map { _ in client.answer() }
        #expect(answers[0].status == 200)
        #expect(answers.filter { $0.status == 429 }.count >= 15)
        #expect(answers.last!.head.contains("retry-after: 1\r\n"))
        #expect(server.server.counters.refused(.clientRate) >= 15)
    }

    @Test func aProbeIsAnsweredHoweverOftenItsClientAsks() throws {
        var limits = ServerLimits()
        limits.perClient.requestsPerSecond = 1
        let server = try TestServer(Self.telling, limits, door: Self.door())
        defer { server.stop() }
        let client = try TestClient(server)
        client.send(String(repeating: "GET /livez HTTP/1.1\r\nhost: h\r\n\r\n", count: 20))
        #expect((0..<20).allSatisfy { _ in client.answer().status == 200 })
    }

    @Test func aCallThatNeedsNoTokenIsCountedAsAnyOther() throws {
        var limits = ServerLimits()
        limits.perClient.requestsPerSecond = 1
        let server = try TestServer(Self.telling, limits, door: Self.door())
        defer { server.stop() }
        let client = try TestClient(server)
        let call = "POST /a.Health/Check HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\n\r\nx"
        client.send(String(repeating: call, count: 20))
        let statuses = (0..<20).map { _ in client.answer().status }
        #expect(statuses[0] == 200)
        #expect(statuses.filter { $0 == 429 }.count >= 15)
    }

    @Test func whatIsNotForTheDoorIsCountedAndNoted() throws {
        let noted = Mutex<[DoorGuard.Refused]>([])
        var door = Door()
        door.guarding = DoorGuard(
            [], openPaths: ["/livez"],
            stray: { head in
                head.header("host") == "evil.example"
                    ? DoorGuard.Stray(status: 421, counted: .host, reason: "not here") : nil
            }, note: { refused in noted.withLock { $0.append(refused) } })
        let server = try TestServer(Self.telling, door: door)
        defer { server.stop() }
        let client = try TestClient(server)
        client.send("GET /livez HTTP/1.1\r\nhost: evil.example\r\n\r\nGET / HTTP/1.1\r\nhost: h\r\n\r\n")
        let answer = client.answer()
        #expect(answer.status == 421)
        #expect(answer.body == "not here\n")
        #expect(client.answer().status == 200)
        #expect(server.server.counters.refused(.host) == 1)
        let all = noted.withLock { $0 }
        #expect(all.map(\.path) == ["/livez"])
        #expect(all.map(\.reason) == ["not here"])
    }

    @Test func bytesThatWereTooManyAreWaitedFor() throws {
        var limits = ServerLimits()
        limits.perClient.bytesPerSecond = 400_000
        let server = try TestServer(Self.telling, limits)
        defer { server.stop() }
        // The head is judged by what is there with it: the body is sent once it is let in.
        let bytes = 12 << 20
        let client = try TestClient(server)
        client.send("POST / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: \(bytes)\r\n\r\n")
        #expect(client.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
        client.send(String(repeating: "x", count: bytes))
        #expect(client.answer().status == 200)
        let refused = try Self.ask(server, "GET /")
        #expect(refused.status == 429)
        let wait = refused.head.split(separator: "\r\n").first { $0.hasPrefix("retry-after: ") }
        #expect((wait.flatMap { Int($0.dropFirst(13)) } ?? 0) > 10)
    }

    @Test func filesThatAreNoCertificateOrKeyAreNamed() throws {
        func source(_ certificate: String, _ key: String, _ authority: String? = nil) -> ServerTLS.Problem.Source? {
            do throws(ServerTLS.Problem) {
                _ = try ServerTLS(
                    certificate: Array(certificate.utf8), key: Array(key.utf8),
                    authority: authority.map { Array($0.utf8) })
                return nil
            } catch {
                return error.source
            }
        }
        #expect(source("", "") == .certificate)
        #expect(source("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "") == .certificate)
    }
}
