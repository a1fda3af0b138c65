import Foundation
import Server
import Synchronization
import Testing

/// Answers in pieces.
@Suite struct StreamTests {
    private static func streams(
        onLeft: @escaping @Sendable () -> Void = {}, _ body: @escaping @Sendable (ResponseStream) -> Void
    ) -> ClosureHandler {
        ClosureHandler { _, responder in
            body(responder.stream(200, ResponseFields(["content-type": "text/event-stream"]), onLeft: onLeft))
        }
    }

    @Test func piecesComeAsChunksAndTheConnectionGoesOn() throws {
        let handler = Self.streams { stream in
            Thread {
                for number in 0..<3 { _ = stream.write(Array("data: \(number)\n\n".utf8)) }
                stream.end()
            }.start()
        }
        let server = try TestServer(handler)
        defer { server.stop() }
        let client = try TestClient(server)
        for _ in 0..<2 {
            client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n")
            let head = client.read(until: "\r\n\r\n")
            #expect(head.contains("transfer-encoding: chunked\r\n"))
            #expect(
                client.read(until: "0\r\n\r\n")
                    == "9\r\ndata: 0\n\n\r\n9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n0\r\n\r\n")
        }
        #expect(server.eventually { server.budget.used == 0 })
    }

    @Test func version10GetsThemUntilTheEnd() throws {
        let handler = Self.streams { stream in
            _ = stream.write(Array("one ".utf8))
            _ = stream.write(Array("two".utf8))
            stream.end()
        }
        let server = try TestServer(handler)
        defer { server.stop() }
        let client = try TestClient(server)
        client.send("GET / HTTP/1.0\r\n\r\n")
        #expect(client.readAll().hasSuffix("\r\n\r\none two"))
    }

    @Test func aStreamIsToldThatItsClientLeft() throws {
        let left = Atomic<Int>(0)
        let kept = Mutex<ResponseStream?>(nil)
        let handler = Self.streams(onLeft: { left.wrappingAdd(1, ordering: .relaxed) }) { stream in
            kept.withLock { $0 = stream }
        }
        let server = try TestServer(handler)
        defer { server.stop() }
        do {
            let client = try TestClient(server)
            client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n")
            _ = client.read(until: "\r\n\r\n")
        }
        #expect(server.eventually { left.load(ordering: .relaxed) == 1 })
        #expect(kept.withLock { $0?.write([1]) } == false)
        #expect(server.eventually { server.server.counters.connectionsOpen == 0 && server.budget.used == 0 })
    }

    @Test func aReaderThatIsTooSlowIsRefusedFurtherPieces() throws {
        let kept = Mutex<ResponseStream?>(nil)
        let handler = Self.streams { stream in kept.withLock { $0 = stream } }
        let server = try TestServer(handler)
        defer { server.stop() }
        let client = try TestClient(server, receiveBufferBytes: 4_096)
        client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n")
        _ = client.read(until: "\r\n\r\n")
        #expect(server.eventually { kept.withLock { $0 != nil } })
        let stream = try #require(kept.withLock { $0 })
        let piece = [UInt8](repeating: 0x61, count: 32 * 1024)
        var written = 0
        while written < 100_000, stream.write(piece) { written += 1 }
        #expect(written > 0 && written < 100_000)
        #expect(stream.bytesQueued <= ServerLimits().streamBytesMax)
        stream.end()
        kept.withLock { $0 = nil }
        let all = client.read(until: "\r\n0\r\n\r\n")
        #expect(all.utf8.count { $0 == 0x61 } >= written * piece.count)
        #expect(server.eventually { server.budget.used == 0 })
    }

    @Test func aStreamThatIsDroppedCutsTheAnswerOff() throws {
        let handler = Self.streams { stream in _ = stream.write(Array("half".utf8)) }
        let server = try TestServer(handler)
        defer { server.stop() }
        let client = try TestClient(server)
        client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n")
        let all = client.readAll()
        #expect(all.contains("half") && !all.hasSuffix("0\r\n\r\n"))
    }
}
