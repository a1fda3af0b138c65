import Glibc
import Synchronization
import System
import Testing

@testable import Transport

extension HTTPTransport {
    func result(_ request: HTTPRequest) async -> Result<HTTPResponse, HTTPTransportError> {
        await withCheckedContinuation { continuation in
            send(request) { continuation.resume(returning: $0) }
        }
    }
}

private func errorCode(_ result: Result<HTTPResponse, HTTPTransportError>) -> HTTPTransportError.Code? {
    if case .failure(let error) = result { error.code } else { nil }
}

/// The files of this process. Other tests open and close theirs meanwhile.
private func openFiles() -> [Int32] {
    guard let directory = opendir("/proc/self/fd") else { return [] }
    defer { closedir(directory) }
    var files: [Int32] = []
    while let entry = readdir(directory) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        if let file = Int32(name) { files.append(file) }
    }
    return files
}

/// The connections of this process to a port of its own: the client's ends.
private func connections(to port: UInt16) -> Int {
    openFiles().count { file in
        var peer = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &peer) { peer in
            peer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(file, $0, &length) }
        }
        return code == 0 && peer.sin_family == sa_family_t(AF_INET) && UInt16(bigEndian: peer.sin_port) == port
    }
}

/// Tests that open sockets: one after the other, because some open very many.
@Suite(.serialized) enum NetworkTests {}

extension NetworkTests {
    @Suite final class CurlTransportTests: Sendable {
        let server = MisbehavingServer()
        let transport = CurlTransport()

        deinit {
            transport.shutdown()
            server.stop()
        }

        @Test func sendsMethodHeadersAndBodyAndReturnsTheResponse() async throws {
            let request = HTTPRequest(
                method: "POST", url: server.url("/echo?a=b"), headers: [("Content-Type", "x/y"), ("X-Empty", "")],
                body: [1, 0, 255])
            let response = try await transport.result(request).get()
            #expect(response.status == 200)
            #expect(response.body == [1, 0, 255])
            #expect(response.url == server.url("/echo?a=b"))
            #expect(response.header("content-length") == "3")
            let seen = try #require(server.seen.first)
            #expect(seen.method == "POST")
            #expect(seen.path == "/echo?a=b")
            #expect(seen.headers["content-type"] == "x/y")
            #expect(seen.headers["x-empty"] == "")
            #expect(seen.headers["expect"] == nil)
            #expect(seen.headers["user-agent"] == "sidelight")
        }

        @Test(arguments: ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
        func sendsEveryMethod(method: String) async throws {
            let response = try await transport.result(HTTPRequest(method: method, url: server.url("/echo"))).get()
            #expect(response.status == 200)
            #expect(server.seen.map(\.method) == [method])
            #expect(server.seen[0].headers["content-type"] == nil)
        }

        @Test func largeBodyArrivesWhole() async throws {
            let body = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let request = HTTPRequest(method: "POST", url: server.url("/echo"), body: body, responseBytesMax: 8 << 20)
            #expect(try await transport.result(request).get().body == body)
        }

        @Test func keepsTheConnectionForTheNextRequest() async throws {
            for _ in 0..<5 { _ = try await transport.result(HTTPRequest(url: server.url("/echo"))).get() }
            #expect(server.seen.map(\.connection) == [1, 1, 1, 1, 1])
        }

        @Test func aConnectionIsAllThatIsAskedFor() async throws {
            _ = try await transport.result(HTTPRequest(url: server.url("/echo"))).get()
            #expect(connections(to: server.port) == 1)
            for _ in 0..<20 {
                var request = HTTPRequest(url: server.url("/never-asked-for"))
                request.connectsOnly = true
                let response = try await transport.result(request).get()
                #expect(response.status == 0 && response.body.isEmpty)
            }
            // Nothing was sent, and nothing is kept; what was kept is of use again.
            #expect(connections(to: server.port) == 1)
            #expect(server.seen.count == 1)
            _ = try await transport.result(HTTPRequest(url: server.url("/echo"))).get()
            #expect(server.seen.map(\.connection) == [1, 1])
        }

        @Test func aConnectionThatCannotBeHadIsAnError() async {
            // Bound, and nobody listens.
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(descriptor) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    _ = bind(descriptor, address, length)
                    getsockname(descriptor, address, &length)
                }
            }
            var request = HTTPRequest(url: "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))")
            request.connectsOnly = true
            #expect(errorCode(await transport.result(request)) == .connect)
        }

        @Test func opensANewConnectionWhenTheServerClosedTheKeptOne() async throws {
            for _ in 0..<3 {
                let request = HTTPRequest(method: "POST", url: server.url("/answer-then-close"), body: [1, 2, 3])
                #expect(try await transport.result(request).get().body == Array("last".utf8))
            }
            #expect(server.seen.allSatisfy { $0.body == [1, 2, 3] })
        }

        @Test func severalRequestsAreInFlightAtOnce() async throws {
            async let first = transport.result(HTTPRequest(url: server.url("/hold")))
            async let second = transport.result(HTTPRequest(url: server.url("/hold")))
            async let third = transport.result(HTTPRequest(url: server.url("/hold")))
            server.waitForRequests(3)
            server.release()
            for result in await [first, second, third] { #expect(try result.get().body == Array("held".utf8)) }
        }

        @Test func decodesChunkedBodyAndRepeatedHeaders() async throws {
            let response = try await transport.result(HTTPRequest(url: server.url("/chunked"))).get()
            #expect(response.body == Array("hello, world".utf8))
            #expect(response.headers.filter { $0.name == "x-two" }.map(\.value) == ["a", "b"])
        }

        @Test func errorStatusIsAResponse() async throws {
            let throttled = try await transport.result(HTTPRequest(url: server.url("/throttle"))).get()
            #expect(throttled.status == 429)
            #expect(throttled.header("retry-after") == "7")
            #expect(throttled.body == Array("slow down".utf8))
            #expect(try await transport.result(HTTPRequest(url: server.url("/down"))).get().status == 503)
        }

        @Test func redirectIsTheResponseUnlessFollowingIsAskedFor() async throws {
            let request = HTTPRequest(url: server.url("/redirect"))
            #expect(try await transport.result(request).get().status == 302)
            var options = CurlTransport.Options()
            options.redirectsMax = 3
            let client = transport.client(options)
            let followed = try await client.result(request).get()
            #expect(followed.status == 200)
            #expect(followed.url == server.url("/echo"))
            #expect(followed.header("location") == nil)
            #expect(errorCode(await client.result(HTTPRequest(url: server.url("/loop")))) == .protocolViolation)
        }

        @Test func decodesCompressedResponsesWhenAskedAndCountsTheirDecodedSize() async throws {
            let plain = [UInt8](repeating: 0x61, count: 500_000)
            var options = CurlTransport.Options()
            options.decodesResponses = true
            let client = transport.client(options)
            var request = HTTPRequest(method: "POST", url: server.url("/gzip"), body: Gzip.compress(plain))
            #expect(try await client.result(request).get().body == plain)
            request.responseBytesMax = 100_000
            #expect(errorCode(await client.result(request)) == .tooLarge)
        }

        @Test(arguments: [
            ("/close", HTTPTransportError.Code.reset), ("/reset-mid-body", .reset), ("/garbage", .protocolViolation),
            ("/huge", .tooLarge), ("/headers-without-end", .tooLarge),
        ])
        func brokenAnswerIsAnErrorAndTheNextRequestWorks(path: String, code: HTTPTransportError.Code) async throws {
            let result = await transport.result(HTTPRequest(url: server.url(path)))
            #expect(errorCode(result) == code)
            #expect(throws: HTTPTransportError.self) { try result.get() }
            if case .failure(let error) = result { #expect(error.message.hasPrefix("127.0.0.1:\(server.port): ")) }
            #expect(try await transport.result(HTTPRequest(url: server.url("/echo"))).get().status == 200)
        }

        @Test func responseOfExactlyTheLimitIsKept() async throws {
            let request = HTTPRequest(
                method: "POST", url: server.url("/echo"), body: [UInt8](repeating: 7, count: 64), responseBytesMax: 64)
            #expect(try await transport.result(request).get().body.count == 64)
            var smaller = request
            smaller.responseBytesMax = 63
            #expect(errorCode(await transport.result(smaller)) == .tooLarge)
        }

        @Test func silenceBecomesATimeout() async {
            let request = HTTPRequest(url: server.url("/hold"), timeoutMilliseconds: 50)
            #expect(errorCode(await transport.result(request)) == .timeout)
            server.release()
        }

        @Test func nobodyListeningIsAConnectError() async {
            server.stop()
            #expect(errorCode(await transport.result(HTTPRequest(url: server.url("/echo")))) == .connect)
        }

        @Test func unknownHostIsAResolveError() async {
            #expect(errorCode(await transport.result(HTTPRequest(url: "http://no-such-host.invalid/"))) == .resolve)
        }

        @Test(arguments: [
            "", "127.0.0.1:80", "ftp://127.0.0.1/", "file:///etc/passwd", "http://", "http://127.0.0.1:99999/",
            "http://a b/",
        ])
        func badURLIsRefused(url: String) async {
            #expect(errorCode(await transport.result(HTTPRequest(url: url))) == .badURL)
        }

        @Test func headerThatWouldSmuggleALineIsRefused() async {
            for header in [("X", "a\r\nEvil: 1"), ("X\nEvil", "1"), ("", "1"), ("a:b", "1")] {
                let result = await transport.result(HTTPRequest(url: server.url("/echo"), headers: [header]))
                #expect(errorCode(result) == .protocolViolation)
            }
            #expect(server.seen.isEmpty)
        }

        @Test func aPlainServerOnAnHTTPSPortIsATLSError() async {
            let url = "https://127.0.0.1:\(server.port)/echo"
            #expect(errorCode(await transport.result(HTTPRequest(url: url))) == .tls)
        }

        @Test func loopbackNeverGoesThroughAProxy() async throws {
            let proxy = MisbehavingServer()
            defer { proxy.stop() }
            var options = CurlTransport.Options()
            options.proxy = proxy.url("")
            let client = transport.client(options)
            #expect(try await client.result(HTTPRequest(url: server.url("/echo"))).get().status == 200)
            #expect(proxy.seen.isEmpty)
            _ = await client.result(HTTPRequest(url: "http://sidelight.invalid/somewhere"))
            #expect(proxy.seen.map(\.path) == ["http://sidelight.invalid/somewhere"])
        }

        @Test func shutdownCompletesEverythingOutstandingOnceAndMayBeRepeated() async {
            let codes = Mutex<[HTTPTransportError.Code?]>([])
            for _ in 0..<10 {
                transport.send(HTTPRequest(url: server.url("/hold"))) { result in
                    codes.withLock { $0.append(errorCode(result)) }
                }
            }
            server.waitForRequests(10)
            transport.shutdown()
            #expect(codes.withLock { $0 } == [HTTPTransportError.Code?](repeating: .shutdown, count: 10))
            transport.shutdown()
            #expect(errorCode(await transport.result(HTTPRequest(url: server.url("/echo")))) == .shutdown)
            server.release()
        }

        @Test func shutdownBeforeTheFirstRequestStartsNothing() async {
            transport.shutdown()
            #expect(errorCode(await transport.result(HTTPRequest(url: server.url("/echo")))) == .shutdown)
        }

        @Test func shutdownFromACompletionDoesNotDeadlock() async {
            let transport = CurlTransport()
            await withCheckedContinuation { continuation in
                transport.send(HTTPRequest(url: server.url("/echo"))) { _ in
                    transport.shutdown()
                    continuation.resume()
                }
            }
            #expect(errorCode(await transport.result(HTTPRequest(url: server.url("/echo")))) == .shutdown)
        }

        @Test func requestBeyondTheBoundFailsAtOnce() async {
            let transport = CurlTransport()
            let codes = Mutex<[HTTPTransportError.Code?]>([])
            for _ in 0..<CurlTransport.outstandingMax {
                transport.send(HTTPRequest(url: server.url("/hold"))) { result in
                    codes.withLock { $0.append(errorCode(result)) }
                }
            }
            #expect(errorCode(await transport.result(HTTPRequest(url: server.url("/hold")))) == .cancelled)
            #expect(codes.withLock { $0.count } == 0)
            transport.shutdown()
            #expect(codes.withLock { $0.count } == CurlTransport.outstandingMax)
            server.release()
        }

        @Test func completionMaySendTheNextRequest() async {
            let transport = transport
            let url = server.url("/echo")
            @Sendable func again(_ left: Int, _ done: @escaping @Sendable () -> Void) {
                transport.send(HTTPRequest(url: url)) { _ in left == 0 ? done() : again(left - 1, done) }
            }
            await withCheckedContinuation { continuation in again(20) { continuation.resume() } }
            #expect(server.seen.count == 21)
        }

        @Test func thousandRequestsLeaveNoConnectionOpen() async throws {
            let server = server
            let transport = CurlTransport()
            for round in 0..<10 {
                await withTaskGroup(of: Void.self) { group in
                    for index in 0..<100 {
                        let path = ["/echo", "/close", "/garbage", "/chunked"][(round + index) % 4]
                        group.addTask { _ = await transport.result(HTTPRequest(url: server.url(path))) }
                    }
                }
            }
            #expect(server.seen.count >= 1_000)
            #expect(connections(to: server.port) > 0)
            transport.shutdown()
            #expect(connections(to: server.port) == 0)
        }

        @Test func timersRunInOrderOfTheirDeadlines() async {
            let order = Mutex<[Int]>([])
            await withCheckedContinuation { continuation in
                let now = monotonicNow()
                transport.schedule(at: now + 30_000_000) {
                    order.withLock { $0.append(3) }
                    continuation.resume()
                }
                transport.schedule(at: now + 10_000_000) { order.withLock { $0.append(2) } }
                transport.schedule(at: 0) { order.withLock { $0.append(1) } }
            }
            #expect(order.withLock { $0 } == [1, 2, 3])
        }

        @Test func anOwnerHasOneTimer() async {
            final class Owner: Sendable {}
            let owner = Owner()
            let order = Mutex<[Int]>([])
            let (now, hour) = (monotonicNow(), 3_600_000_000_000 as UInt64)
            // Far more than may wait.
            for _ in 0..<2 * CurlTransport.timersMax {
                transport.schedule(at: now + hour, for: ObjectIdentifier(owner)) { order.withLock { $0.append(1) } }
            }
            for _ in 0..<2 * CurlTransport.timersMax {
                let gone = Owner()
                transport.schedule(at: now + hour, for: ObjectIdentifier(gone)) { order.withLock { $0.append(2) } }
                transport.cancel(ObjectIdentifier(gone))
            }
            await withCheckedContinuation { continuation in
                transport.schedule(at: 0, for: ObjectIdentifier(owner)) {
                    order.withLock { $0.append(3) }
                    continuation.resume()
                }
            }
            #expect(order.withLock { $0 } == [3])
        }

        @Test func droppingTheTransportEndsItsThread() async {
            let before = openFiles().count
            for _ in 0..<400 {
                var transport: CurlTransport? = CurlTransport()
                await withCheckedContinuation { continuation in transport?.schedule(at: 0) { continuation.resume() } }
                transport = nil
            }
            // One has a file at least. What other tests have opened meanwhile is fewer.
            #expect(openFiles().count < before + 200)
        }
    }
}

private func monotonicNow() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
