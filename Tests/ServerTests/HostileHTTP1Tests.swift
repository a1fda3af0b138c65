import CZlib
import CZstd
import Foundation
import Server
import Synchronization
import Testing

/// What a client can do wrong, on purpose or not.
@Suite struct HostileHTTP1Tests {
    private static func waits(_ change: (inout ServerLimits) -> Void) -> ServerLimits {
        var limits = ServerLimits()
        change(&limits)
        return limits
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\nhost: h\n\n", 400), ("GET  / HTTP/1.1\r\n\r\n", 400), ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/3.0\r\nhost: h\r\n\r\n", 505), ("\u{16}\u{3}\u{1}", 400),
        ("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: -1\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", 400),
        ("POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabcd", 400),
        ("POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n", 413),
        ("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 99999999999\r\n\r\n", 413),
        ("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", 505),
    ])
    func whatIsNoRequestIsRefusedAndClosed(_ text: String, _ status: Int) throws {
        let server = try TestServer(ClosureHandler.echo)
        defer { server.stop() }
        let client = try TestClient(server)
        client.send(text)
        client.endSending()
        let all = client.readAll()
        #expect(all.hasPrefix("HTTP/1.1 \(status) "), "\(all)")
        #expect(all.contains("connection: close\r\n"))
        #expect(server.server.counters.requests == 0)
        #expect(server.eventually { server.server.counters.connectionsOpen == 0 && server.budget.used == 0 })
    }

    @Test func aGiantHeadIsRefused() throws {
        let server = try TestServer(ClosureHandler.echo)
        defer { server.stop() }
        let client = try TestClient(server)
        client.send("GET / HTTP/1.1\r\nhost: h\r\nx: " + String(repeating: "a", count: 1 << 20))
        #expect(client.answer().status == 431)
        #expect(server.server.counters.refused(.headTooLarge) == 1)
    }

    @Test func aHeadThatNeverEndsTimesOutHoweverOftenAByteComes() throws {
        let server = try TestServer(ClosureHandler.echo, Self.waits { $0.headMilliseconds = 300 })
        defer { server.stop() }
        let client = try TestClient(server)
        client.send("GET / HTTP/1.1\r\nhost: h\r\n")
        let isOver = Atomic<Bool>(false)
        let descriptor = dup(client.descriptor)
        let drip = Thread {
            while !isOver.load(ordering: .relaxed) {
                var line: [UInt8] = Array("x: y\r\n".utf8)
                _ = Glibc.send(descriptor, &line, line.count, Int32(MSG_NOSIGNAL))
                usleep(5_000)
            }
            close(descriptor)
        }
        drip.start()
        let all = client.readAll()
        isOver.store(true, ordering: .relaxed)
        #expect(all.hasPrefix("HTTP/1.1 408 "))
        #expect(server.server.counters.refused(.headTimeout) == 1)
    }

    @Test func aBodyThatNeverEndsTimesOut() throws {
        let server = try TestServer(ClosureHandler.echo, Self.waits { $0.bodyMilliseconds = 200 })
        defer { server.stop() }
        let client = try TestClient(server)
        client.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 100000\r\n\r\nabc")
        #expect(client.readAll().hasPrefix("HTTP/1.1 408 "))
        #expect(server.server.counters.refused(.bodyTimeout) == 1)
        #expect(server.eventually { server.budget.used == 0 })
    }

    @Test func idleConnectionsAreClosedWithoutAWord() throws {
        let server = try TestServer(
            ClosureHandler.echo,
            Self.waits {
                $0.idleMilliseconds = 100; $0.headMilliseconds = 100
            })
        defer { server.stop() }
        let silent = try TestClient(server)
        let client = try TestClient(server)
        client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n")
        #expect(client.answer().status == 200)
        #expect(client.readAll() == "")
        #expect(silent.readAll() == "")
    }

    @Test func aClientThatReadsNothingIsClosed() throws {
        let handler = ClosureHandler { _, responder in
            responder.respond(200, body: [UInt8](repeating: 0, count: 32 << 20))
        }
        let server = try TestServer(handler, Self.waits { $0.writeMilliseconds = 200 })
        defer { server.stop() }
        let client = try TestClient(server, receiveBufferBytes: 4_096)
        client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n")
        #expect(server.eventually { server.server.counters.refused(.writeTimeout) == 1 })
        #expect(server.eventually { server.server.counters.connectionsOpen == 0 && server.budget.used == 0 })
    }

    @Test func moreConnectionsThanTheLimitAreTurnedAway() throws {
        let server = try TestServer(ClosureHandler.echo, Self.waits { $0.connectionsMax = 3 })
        defer { server.stop() }
        let kept = try (0..<3).map { _ in try TestClient(server) }
        for client in kept {
            client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n")
            #expect(client.answer().status == 200)
        }
        let fourth = try TestClient(server)
        let text = fourth.readAll()
        #expect(text.hasPrefix("HTTP/1.1 503 "))
        #expect(text.contains("retry-after: 1"))
        #expect(server.server.counters.refused(.connections) == 1)
        kept[0].endSending()
        #expect(server.eventually { server.server.counters.connectionsOpen == 2 })
        let fifth = try TestClient(server)
        fifth.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n")
        #expect(fifth.answer().status == 200)
    }

    // MARK: memory

    @Test func withoutRoomInTheBudgetTheBodyIsThrownAwayAndTheConnectionGoesOn() throws {
        let server = try TestServer(ClosureHandler.echo, budgetBytes: 300_000)
        defer { server.stop() }
        let client = try TestClient(server)
        client.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1000000\r\n\r\n")
        client.send([UInt8](repeating: 0, count: 1_000_000))
        let answer = client.answer()
        #expect(answer.status == 503)
        #expect(answer.head.contains("retry-after: 1\r\n"))
        #expect(server.server.counters.refused(.memory) == 1)
        #expect(server.budget.used == 0)
        client.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\nok")
        #expect(client.answer().body == "POST /? ok")
    }

    @Test func pipelinedBytesCountInTheBudget() throws {
        let waiting = Mutex<[Responder]>([])
        let handler = ClosureHandler { _, responder in waiting.withLock { $0.append(responder) } }
        let server = try TestServer(handler, budgetBytes: 1_000)
        defer { server.stop() }
        let client = try TestClient(server)
        let request = "GET / HTTP/1.1\r\nhost: h\r\n\r\n"
        client.send(request + String(repeating: request, count: 200))
        #expect(server.eventually { server.server.counters.refused(.memory) == 1 })
        #expect(server.eventually { server.server.counters.connectionsOpen == 0 && server.budget.used == 0 })
    }

    // MARK: codings

    private static func deflate(_ bytes: [UInt8], windowBits: Int32) -> [UInt8] {
        var stream = z_stream()
        if windowBits > 15 {
            sl_zlib_gzip_init(&stream, 9)
        } else if windowBits < 0 {
            sl_zlib_raw_deflate_init(&stream, 9, 15)
        } else {
            deflateInit_(&stream, 9, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        }
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

    private static func zstd(_ bytes: [UInt8]) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count))
        let count = ZSTD_compress(&output, output.count, bytes, bytes.count, 3)
        return Array(output[..<count])
    }

    static let sizer = ClosureHandler { request, responder in
        let sum = request.withBody { $0.reduce(into: UInt64(0)) { $0 = $0 &* 31 &+ UInt64($1) } }
        responder.respond(200, body: Array("\(request.bodyCount) \(sum)".utf8))
    }

    private static func post(_ body: [UInt8], _ coding: String) -> [UInt8] {
        Array("POST / HTTP/1.1\r\nhost: h\r\ncontent-encoding: \(coding)\r\ncontent-length: \(body.count)\r\n\r\n".utf8)
            + body
    }

    @Test(arguments: [1, 100, 50_000, 5_000_000])
    func bodiesAreDecoded(_ size: Int) throws {
        let server = try TestServer(Self.sizer)
        defer { server.stop() }
        let body = (0..<size).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761 >> 9) & 0x1F) }
        let expected = "\(size) \(body.reduce(into: UInt64(0)) { $0 = $0 &* 31 &+ UInt64($1) })"
        let half = size / 2
        let members =
            Self.deflate(Array(body[..<half]), windowBits: 31) + Self.deflate(Array(body[half...]), windowBits: 31)
        let frames = Self.zstd(Array(body[..<half])) + Self.zstd(Array(body[half...]))
        let cases = [
            ("gzip", Self.deflate(body, windowBits: 31)), ("X-GZIP", members),
            ("deflate", Self.deflate(body, windowBits: 15)), ("deflate", Self.deflate(body, windowBits: -15)),
            ("zstd", Self.zstd(body)), ("zstd", frames), ("identity", body),
        ]
        // Not before: making these takes longer on a slow machine than the server waits for a request.
        let client = try TestClient(server)
        for (coding, coded) in cases {
            client.send(Self.post(coded, coding))
            #expect(client.answer().body == expected, "\(coding)")
        }
        #expect(server.eventually { server.budget.used == 0 })
    }

    @Test func anUnknownCodingIsRefusedWithThoseThatAreKnown() throws {
        let server = try TestServer(Self.sizer)
        defer { server.stop() }
        let client = try TestClient(server)
        for coding in ["br", "gzip, gzip", "compress"] {
            client.send(Self.post([1, 2, 3], coding))
            let answer = client.answer()
            #expect(answer.status == 415)
            #expect(answer.head.contains("accept-encoding: gzip, deflate, zstd\r\n"))
        }
        #expect(server.server.counters.refused(.encoding) == 3)
        client.send(
            "POST / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-encoding: br\r\ncontent-length: 9\r\n\r\n")
        #expect(client.readAll().hasPrefix("HTTP/1.1 415 "))
    }

    @Test func whatDoesNotDecodeIsRefused() throws {
        let server = try TestServer(Self.sizer)
        defer { server.stop() }
        let client = try TestClient(server)
        let gzip = Self.deflate(Array("hello hello".utf8), windowBits: 31)
        let zstd = Self.zstd(Array("hello hello".utf8))
        for (coding, body) in [
            ("gzip", [1, 2, 3]), ("gzip", Array(gzip.dropLast(9))), ("gzip", gzip + [0]),
            ("deflate", [0xFF, 0xFF]), ("zstd", Array(zstd.dropLast(1))), ("zstd", zstd + [7]), ("zstd", [1, 2]),
        ] as [(String, [UInt8])] {
            client.send(Self.post(body, coding))
            #expect(client.answer().status == 400, "\(coding) \(body)")
        }
        #expect(server.eventually { server.budget.used == 0 })
    }

    @Test func bombsAreRefusedAtTheLimitAndWithinTheBudget() throws {
        let server = try TestServer(Self.sizer, Self.waits { $0.bodyBytesMax = 1 << 20 }, budgetBytes: 4 << 20)
        defer { server.stop() }
        let client = try TestClient(server)
        let zeros = [UInt8](repeating: 0, count: 50 << 20)
        for (coding, bomb) in [
            ("gzip", Self.deflate(zeros, windowBits: 31)), ("deflate", Self.deflate(zeros, windowBits: 15)),
            ("zstd", Self.zstd(zeros)),
        ] {
            client.send(Self.post(bomb, coding))
            #expect(client.answer().status == 413, "\(coding)")
        }
        #expect(server.server.counters.refused(.bodyTooLarge) == 3)
        let exact = [UInt8](repeating: 0, count: 1 << 20)
        for (coding, body) in [
            ("gzip", Self.deflate(exact, windowBits: 31)), ("deflate", Self.deflate(exact, windowBits: 15)),
            ("zstd", Self.zstd(exact)),
        ] {
            client.send(Self.post(body, coding))
            #expect(client.answer().status == 200, "\(coding)")
        }
        #expect(server.eventually { server.budget.used == 0 })
    }

    @Test func aListenerMayTakeLessThanTheServer() throws {
        let server = try TestServer(ClosureHandler.echo, bodyBytesMax: 1_000)
        defer { server.stop() }
        let client = try TestClient(server)
        client.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1000\r\n\r\n")
        client.send([UInt8](repeating: 0x78, count: 1_000))
        #expect(client.answer().status == 200)
        client.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1001\r\n\r\n")
        #expect(client.answer().status == 413)
        let bomb = try TestClient(server)
        let body = Self.deflate([UInt8](repeating: 0, count: 1_001), windowBits: 31)
        bomb.send(
            "POST / HTTP/1.1\r\nhost: h\r\ncontent-encoding: gzip\r\ncontent-length: \(body.count)\r\n\r\n")
        bomb.send(body)
        #expect(bomb.answer().status == 413)
        let second = try HTTP2Client(server)
        second.request(1, "POST", "/", [("content-length", "1001")], body: [UInt8](repeating: 0, count: 1_001))
        #expect(second.answer(1)?.status == 413)
        second.request(3, "POST", "/", body: [UInt8](repeating: 0, count: 1_000))
        #expect(second.answer(3)?.status == 200)
    }

    @Test func withoutRoomForADecodedBodyTheSenderIsToComeAgain() throws {
        let server = try TestServer(Self.sizer, budgetBytes: 600_000)
        defer { server.stop() }
        let client = try TestClient(server)
        client.send(Self.post(Self.deflate([UInt8](repeating: 0, count: 10 << 20), windowBits: 31), "gzip"))
        #expect(client.answer().status == 503)
        #expect(server.eventually { server.budget.used == 0 })
    }

    // MARK: the end

    @Test func stopFinishesWhatHasBegunAndClosesTheRest() throws {
        let waiting = Mutex<Responder?>(nil)
        let handler = ClosureHandler { _, responder in waiting.withLock { $0 = responder } }
        let server = try TestServer(handler)
        let idle = try TestClient(server)
        let busy = try TestClient(server)
        busy.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n")
        #expect(server.eventually { waiting.withLock { $0 != nil } && server.server.counters.connectionsOpen == 2 })
        server.server.stop(graceMilliseconds: 20_000)
        #expect(idle.readAll() == "")
        waiting.withLock { $0?.respond(200, body: Array("done".utf8)) }
        let text = busy.readAll()
        #expect(text.contains("connection: close\r\n") && text.hasSuffix("done"))
        server.stop()
        #expect(server.server.counters.connectionsOpen == 0)
    }

    @Test func stopEndsAtItsDeadlineWhateverIsInFlight() throws {
        let waiting = Mutex<Responder?>(nil)
        let handler = ClosureHandler { _, responder in waiting.withLock { $0 = responder } }
        let server = try TestServer(handler)
        let busy = try TestClient(server)
        busy.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n")
        #expect(server.eventually { waiting.withLock { $0 != nil } })
        server.stop(graceMilliseconds: 50)
        #expect(busy.readAll() == "")
        // Too late, and without harm.
        waiting.withLock { $0 }?.respond(200)
    }
}
