import Glibc
import Synchronization
import System
import Testing

@testable import Transport

/// All that came of one streamed request.
private struct Outcome: Sendable {
    var head: HTTPStreamHead?
    var body: [UInt8] = []
    var uploadedBytes = 0
    var ending: HTTPStreamUpdate.Ending?
    var facts = HTTPExchangeFacts()

    var errorCode: HTTPTransportError.Code? {
        if case .failed(let error) = ending { error.code } else { nil }
    }
    var errorMessage: String? {
        if case .failed(let error) = ending { error.message } else { nil }
    }
    var isComplete: Bool {
        if case .complete = ending { true } else { false }
    }
    var headers: String { String(decoding: head?.headers ?? [], as: UTF8.self) }

    mutating func take(_ update: HTTPStreamUpdate) {
        if let head = update.head {
            self.head = head
            facts = update.facts
        }
        body += update.body
        uploadedBytes += update.uploadedBytes
        if let ending = update.ending {
            self.ending = ending
            facts = update.facts
        }
    }
}

/// One request, and the updates it gets.
private final class Conversation: Sendable {
    let stream: HTTPStream?
    private let updates: AsyncStream<HTTPStreamUpdate>

    init(_ transport: CurlTransport, _ request: HTTPStreamRequest, _ options: CurlTransport.Options = .init()) {
        let (updates, continuation) = AsyncStream<HTTPStreamUpdate>.makeStream()
        self.updates = updates
        let streams = transport.streams(options) { for update in $0 { continuation.yield(update) } }
        stream = streams.start(1, request)
    }

    /// Everything until the end, or until `condition` holds.
    func collect(
        acknowledging: Bool = true, into before: Outcome = Outcome(),
        until condition: (Outcome) -> Bool = { _ in false }
    ) async -> Outcome {
        var outcome = before
        for await update in updates {
            outcome.take(update)
            if acknowledging { stream?.acknowledge(update.body.count) }
            if outcome.ending != nil || condition(outcome) { break }
        }
        return outcome
    }
}

extension NetworkTests {
    @Suite final class HTTPStreamsTests: Sendable {
        let server = MisbehavingServer()
        let transport = CurlTransport()

        deinit {
            transport.shutdown()
            server.stop()
        }

        private func outcome(
            _ request: HTTPStreamRequest, _ options: CurlTransport.Options = .init()
        ) async -> Outcome { await Conversation(transport, request, options).collect() }

        @Test func sendsMethodHeadersAndBodyAndTellsHeadBodyEndAndFacts() async throws {
            let request = HTTPStreamRequest(
                method: "POST", url: server.url("/echo?a=b"),
                headers: Array("content-type:x/y\nx-empty:\nx-latin:".utf8) + [0xE9, 0x0A], body: .whole([1, 0, 255]))
            let outcome = await outcome(request)
            #expect(outcome.isComplete)
            #expect(outcome.head?.status == 200)
            #expect(outcome.head?.reason == "X")
            #expect(outcome.headers == "content-length\n3\n")
            #expect(outcome.body == [1, 0, 255])
            let seen = try #require(server.seen.first)
            #expect(seen.method == "POST")
            #expect(seen.headers["content-type"] == "x/y")
            #expect(seen.headers["x-empty"] == "")
            #expect(seen.headers["transfer-encoding"] == nil)
            let facts = outcome.facts
            #expect(!facts.isReused)
            #expect(facts.version == "1.1")
            #expect(facts.peerAddress == "127.0.0.1")
            #expect(facts.peerPort == Int(server.port))
            #expect(facts.secured == 0)
            #expect(0 < facts.connect && facts.connect <= facts.firstByte && facts.firstByte <= facts.total)
            let again = await self.outcome(HTTPStreamRequest(url: server.url("/echo")))
            #expect(again.facts.isReused)
            #expect(server.seen.map(\.connection) == [1, 1])
        }

        @Test(arguments: ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PURGE"])
        func sendsEveryMethodWithoutABody(method: String) async {
            let outcome = await outcome(HTTPStreamRequest(method: method, url: server.url("/echo")))
            #expect(outcome.head?.status == 200)
            #expect(server.seen.map(\.method) == [method])
            #expect(server.seen[0].headers["content-type"] == nil)
            #expect(server.seen[0].headers["content-length"] == (method == "POST" || method == "PUT" ? "0" : nil))
        }

        @Test func headComesBeforeABodyThatIsHeldBack() async {
            let conversation = Conversation(transport, HTTPStreamRequest(url: server.url("/head-then-hold")))
            let first = await conversation.collect { $0.head != nil }
            #expect(first.head?.status == 200)
            #expect(first.ending == nil)
            #expect(first.facts.firstByte > 0 && first.facts.peerPort == Int(server.port))
            server.release()
            let whole = await conversation.collect(into: first)
            #expect(whole.isComplete)
            #expect(whole.body == Array("held".utf8))
        }

        @Test func bodyThatNobodyReadsStopsAtTheWindowAndGoesOnWhenItIsRead() async {
            let byteCount = 8 << 20
            let conversation = Conversation(transport, HTTPStreamRequest(url: server.url("/bytes?\(byteCount)")))
            let unread = await conversation.collect(acknowledging: false) { $0.body.count >= HTTPStreams.windowBytes }
            #expect(unread.body.count <= HTTPStreams.windowBytes + (64 << 10))
            usleep(50_000)
            #expect(server.sentBytes < byteCount)
            conversation.stream?.acknowledge(unread.body.count)
            let whole = await conversation.collect(into: unread)
            #expect(whole.isComplete)
            #expect(whole.body.count == byteCount)
            #expect(whole.body.enumerated().allSatisfy { $1 == UInt8(truncatingIfNeeded: $0 % 251) })
        }

        @Test func endlessBodyCanBeAbortedAndTheServerNoticesIt() async {
            let conversation = Conversation(transport, HTTPStreamRequest(url: server.url("/endless")))
            let some = await conversation.collect { $0.body.count > 1 << 20 }
            #expect(some.ending == nil)
            conversation.stream?.abort()
            while server.hasOpenConnections { sched_yield() }
            #expect(await outcome(HTTPStreamRequest(url: server.url("/echo"))).isComplete)
        }

        @Test func abortBeforeTheHeadClosesTheConnection() async {
            let conversation = Conversation(transport, HTTPStreamRequest(url: server.url("/silent")))
            server.waitForRequests(1)
            conversation.stream?.abort()
            while server.hasOpenConnections { sched_yield() }
        }

        @Test func pushedBodyArrivesWholeInChunks() async throws {
            let conversation = Conversation(
                transport, HTTPStreamRequest(method: "POST", url: server.url("/echo"), body: .streamed))
            var sent: [UInt8] = []
            for index in 0..<50 {
                let piece = [UInt8](repeating: UInt8(index), count: index * 1_000)
                sent += piece
                conversation.stream?.upload(piece)
                if index % 10 == 0 { usleep(1_000) }
            }
            conversation.stream?.finishUpload()
            let outcome = await conversation.collect()
            #expect(outcome.isComplete)
            #expect(outcome.body == sent)
            #expect(outcome.uploadedBytes == sent.count)
            let seen = try #require(server.seen.first)
            #expect(seen.headers["transfer-encoding"] == "chunked")
            #expect(seen.headers["content-length"] == nil)
        }

        @Test func pushedBodyMayBeEmptyAndMayBeAborted() async {
            let empty = Conversation(
                transport, HTTPStreamRequest(method: "POST", url: server.url("/echo"), body: .streamed))
            empty.stream?.finishUpload()
            #expect(await empty.collect().isComplete)
            let broken = Conversation(
                transport, HTTPStreamRequest(method: "POST", url: server.url("/echo"), body: .streamed))
            broken.stream?.upload([1, 2, 3])
            _ = await broken.collect { $0.uploadedBytes == 3 }
            broken.stream?.abort()
            // The server must not take half a body for a whole one.
            while server.hasOpenConnections { sched_yield() }
            #expect(server.seen.count == 1)
        }

        @Test func answerBeforeTheBodyWasSentCounts() async {
            let conversation = Conversation(
                transport, HTTPStreamRequest(method: "POST", url: server.url("/early"), body: .streamed))
            conversation.stream?.upload([UInt8](repeating: 1, count: 100))
            let outcome = await conversation.collect { $0.head != nil }
            #expect(outcome.head?.status == 413)
            conversation.stream?.abort()
        }

        @Test func redirectIsHandedOver() async {
            let outcome = await outcome(HTTPStreamRequest(url: server.url("/redirect")))
            #expect(outcome.head?.status == 302)
            #expect(outcome.headers.contains("location\n/echo\n"))
        }

        @Test func compressedBodyIsDecodedWhenAsked() async {
            let plain = [UInt8](repeating: 0x61, count: 3_000_000)
            var options = CurlTransport.Options()
            options.decodesResponses = true
            let request = HTTPStreamRequest(
                method: "POST", url: server.url("/gzip"), body: .whole(Gzip.compress(plain)))
            #expect(await outcome(request, options).body == plain)
            for coding in ["gzip", "deflate", "br", "zstd"] {
                #expect(server.seen[0].headers["accept-encoding"]?.contains(coding) == true)
            }
            var broken = request
            broken.body = .whole(Array("not gzip at all".utf8))
            #expect(await outcome(broken, options).errorCode == .protocolViolation)
        }

        @Test(arguments: [
            ("/close", HTTPTransportError.Code.reset), ("/reset-mid-body", .reset), ("/short-body", .reset),
            ("/garbage", .protocolViolation), ("/bad-chunk", .reset), ("/bad-status", .protocolViolation),
            ("/two-lengths", .protocolViolation), ("/headers-without-end", .tooLarge), ("/interim-for-ever", .tooLarge),
        ])
        func brokenAnswerIsAClearErrorAndTheNextRequestWorks(path: String, code: HTTPTransportError.Code) async {
            let broken = await outcome(HTTPStreamRequest(url: server.url(path)))
            #expect(broken.errorCode == code)
            #expect(broken.errorMessage?.hasPrefix("127.0.0.1:\(server.port): ") == true)
            #expect(await outcome(HTTPStreamRequest(url: server.url("/echo"))).isComplete)
        }

        @Test func bytesBeyondTheLengthAreNotTheBodys() async {
            let outcome = await outcome(HTTPStreamRequest(url: server.url("/long-body")))
            #expect(outcome.isComplete)
            #expect(outcome.body == Array("12345".utf8))
            let next = await self.outcome(HTTPStreamRequest(url: server.url("/echo")))
            #expect(next.head?.status == 200)
            #expect(next.headers == "content-length\n0\n")
        }

        @Test func interimResponsesAndTrailersAreNotTheHead() async {
            let outcome = await outcome(HTTPStreamRequest(url: server.url("/interim")))
            #expect(outcome.head?.status == 200)
            #expect(outcome.headers == "transfer-encoding\nchunked\n")
            #expect(outcome.body == Array("hello".utf8))
        }

        @Test func silenceBeyondTheIdleLimitIsATimeout() async {
            var options = CurlTransport.Options()
            options.idleTimeoutSeconds = 1
            #expect(await outcome(HTTPStreamRequest(url: server.url("/silent")), options).errorCode == .timeout)
        }

        @Test(arguments: ["", "127.0.0.1:80", "ftp://127.0.0.1/", "file:///etc/passwd", "http://a b/"])
        func badURLIsRefused(url: String) async {
            #expect(await outcome(HTTPStreamRequest(url: url)).errorCode == .badURL)
        }

        @Test(arguments: ["x:a\rb\n", "x:a\0b\n", ":a\n", "no colon\n"])
        func headerThatIsNoneIsRefused(headers: String) async {
            let outcome = await outcome(HTTPStreamRequest(url: server.url("/echo"), headers: Array(headers.utf8)))
            #expect(outcome.errorCode == .protocolViolation)
            #expect(server.seen.isEmpty)
        }

        @Test func nobodyListeningIsAConnectError() async {
            server.stop()
            #expect(await outcome(HTTPStreamRequest(url: server.url("/echo"))).errorCode == .connect)
        }

        @Test func shutdownEndsWhatIsUnderWayAndRefusesMore() async {
            let conversation = Conversation(transport, HTTPStreamRequest(url: server.url("/silent")))
            server.waitForRequests(1)
            transport.shutdown()
            #expect(await conversation.collect().errorCode == .shutdown)
            #expect(Conversation(transport, HTTPStreamRequest(url: server.url("/echo"))).stream == nil)
        }

        @Test func manyAtOnceAreAllAnsweredInFewHandOvers() async {
            let deliveries = Mutex(0)
            let (updates, continuation) = AsyncStream<HTTPStreamUpdate>.makeStream()
            let streams = transport.streams(CurlTransport.Options()) {
                deliveries.withLock { $0 += 1 }
                for update in $0 { continuation.yield(update) }
            }
            for id in 0..<1_000 { _ = streams.start(id, HTTPStreamRequest(url: server.url("/echo"))) }
            var ended: Set<Int> = []
            for await update in updates {
                #expect(update.ending != nil ? ended.insert(update.id).inserted : true)
                if ended.count == 1_000 { break }
            }
            #expect(deliveries.withLock { $0 } <= 1_000)
        }
    }
}
