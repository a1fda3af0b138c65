import Testing

@testable import Wire

/// Requests that are wrong, or nearly: each has its answer, however its bytes are cut.
@Suite struct HTTP1CorpusTests {
    private func check(_ item: HTTP1Case, _ items: [HTTP1Item], _ how: String) {
        let ends = items.count { $0 == .end }
        switch item.expected {
        case .accepts(let count):
            #expect(ends == count && items.last == .end, "\(item) \(how): \(items)")
        case .refuses(let failure): #expect(items.last == .failure(failure), "\(item) \(how): \(items)")
        case .waits:
            let isOver: Bool =
                switch items.last {
                case .end?, .failure?: true
                default: false
                }
            #expect(!isOver, "\(item) \(how): \(items)")
        }
    }

    @Test func corpusIsLarge() {
        #expect(HTTP1Corpus.all.count - HTTP1Corpus.bytes.count >= 300)
        print("HTTP1Corpus: \(HTTP1Corpus.all.count) requests, \(HTTP1Corpus.bytes.count) of them of the byte families")
    }

    @Test func eachRequestHasItsAnswer() {
        for item in HTTP1Corpus.all { check(item, HTTP1Feed.items(of: latin1Bytes(item.text)), "whole") }
    }

    @Test func dripFedRequestHasTheSameAnswer() {
        for item in HTTP1Corpus.all where item.text.unicodeScalars.count < 10_000 {
            let bytes = latin1Bytes(item.text)
            let whole = HTTP1Feed.items(of: bytes)
            let dripped = HTTP1Feed.dripFed(bytes)
            #expect(dripped == whole, "\(item)")
        }
    }

    @Test func requestCutAnywhereHasTheSameAnswer() {
        for item in HTTP1Corpus.all where item.text.unicodeScalars.count < 120 {
            let bytes = latin1Bytes(item.text)
            let whole = HTTP1Feed.items(of: bytes)
            for cut in 0...bytes.count where HTTP1Feed.items(of: bytes, cut: cut) != whole {
                Issue.record("\(item) cut at \(cut): \(HTTP1Feed.items(of: bytes, cut: cut)), whole: \(whole)")
            }
        }
    }

    /// What was refused never lets a request behind it through.
    @Test func nothingComesAfterAFailure() {
        let good = latin1Bytes("GET /after HTTP/1.1\r\nHost: a\r\n\r\n")
        for item in HTTP1Corpus.all {
            guard case .refuses(let failure) = item.expected else { continue }
            let items = HTTP1Feed.items(of: latin1Bytes(item.text) + good)
            #expect(items.last == .failure(failure), "\(item): \(items)")
        }
    }

    @Test func everyFailureIsReached() {
        var reached: Set<HTTP1Failure> = []
        for item in HTTP1Corpus.all {
            if case .refuses(let failure) = item.expected { reached.insert(failure) }
        }
        // Of the limits' tests.
        reached.formUnion([.requestLineTooLong, .headTooLarge])
        #expect(reached == Set(HTTP1Failure.allCases))
        for failure in HTTP1Failure.allCases {
            #expect([400, 413, 414, 417, 431, 501, 505].contains(failure.status))
            #expect(failure.rawValue.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "_" })
        }
    }
}

/// At each limit and one byte over it.
@Suite struct HTTP1LimitsTests {
    private static let small: HTTP1Limits = {
        var limits = HTTP1Limits()
        limits.requestLineBytesMax = 40
        limits.headBytesMax = 100
        limits.headerCountMax = 4
        limits.bodyBytesMax = 10
        limits.chunkExtensionBytesMax = 6
        limits.trailerBytesMax = 20
        return limits
    }()

    /// What the last event is, whichever way the bytes come.
    private func last(_ text: String, _ limits: HTTP1Limits = small) -> HTTP1Item? {
        let bytes = latin1Bytes(text)
        let whole = HTTP1Feed.items(of: bytes, limits: limits)
        if bytes.count < 10_000 { #expect(HTTP1Feed.dripFed(bytes, limits: limits) == whole) }
        if bytes.count < 1_000 {
            for cut in 0...bytes.count { #expect(HTTP1Feed.items(of: bytes, cut: cut, limits: limits) == whole) }
        }
        return whole.last
    }

    private func line(_ count: Int) -> String {
        "GET /" + String(repeating: "a", count: count - "GET / HTTP/1.1\r\n".utf8.count) + " HTTP/1.1\r\n"
    }

    @Test func requestLineAtItsLimit() {
        #expect(last(line(40) + "Host: a\r\n\r\n") == .end)
        #expect(last(line(41) + "Host: a\r\n\r\n") == .failure(.requestLineTooLong))
        #expect(last("\r\n" + line(40) + "Host: a\r\n\r\n") == .end)
        #expect(last("\r\n" + line(41) + "Host: a\r\n\r\n") == .failure(.requestLineTooLong))
        #expect(last("GET /" + String(repeating: "a", count: 35)) == .failure(.requestLineTooLong))
        #expect(last("GET /" + String(repeating: "a", count: 34)) == nil)
        // What is wrong within the limit is told as such, what is behind it is not looked at.
        #expect(last("GET /\0" + String(repeating: "a", count: 35)) == .failure(.target))
        #expect(last("GET /" + String(repeating: "a", count: 35) + "\0") == .failure(.requestLineTooLong))
        let usual = HTTP1Limits()
        #expect(last(line(8192) + "Host: a\r\n\r\n", usual) == .end)
        #expect(last(line(8193) + "Host: a\r\n\r\n", usual) == .failure(.requestLineTooLong))
    }

    @Test func headAtItsLimit() {
        let before = "GET / HTTP/1.1\r\nHost: a\r\nX: "
        func head(_ count: Int) -> String {
            before + String(repeating: "y", count: count - before.utf8.count - 4) + "\r\n\r\n"
        }
        #expect(last(head(100)) == .end)
        #expect(last(head(101)) == .failure(.headTooLarge))
        #expect(last(head(102)) == .failure(.headTooLarge))
        #expect(last(head(200)) == .failure(.headTooLarge))
        #expect(last(head(100) + head(100) + head(101)) == .failure(.headTooLarge))
        let usual = HTTP1Limits()
        #expect(last(head(32_768), usual) == .end)
        #expect(last(head(32_769), usual) == .failure(.headTooLarge))
        #expect(last(before + String(repeating: "y", count: 1_000_000), usual) == .failure(.headTooLarge))
    }

    @Test func fieldsAtTheirLimit() {
        let three = "a:\r\nb:\r\nc:\r\n"
        #expect(last("GET / HTTP/1.1\r\nHost: a\r\n\(three)\r\n") == .end)
        #expect(last("GET / HTTP/1.1\r\nHost: a\r\n\(three)d:\r\n\r\n") == .failure(.tooManyFields))
        let many = String(repeating: "a: b\r\n", count: 127)
        #expect(last("GET / HTTP/1.1\r\nHost: a\r\n\(many)\r\n", HTTP1Limits()) == .end)
        #expect(last("GET / HTTP/1.1\r\nHost: a\r\n\(many)a: b\r\n\r\n", HTTP1Limits()) == .failure(.tooManyFields))
    }

    @Test func contentAtItsLimit() {
        let head = "POST / HTTP/1.1\r\nHost: a\r\n"
        #expect(last(head + "Content-Length: 10\r\n\r\n0123456789") == .end)
        #expect(last(head + "Content-Length: 11\r\n\r\n") == .failure(.bodyTooLarge))
        let chunked = head + "Transfer-Encoding: chunked\r\n\r\n"
        #expect(last(chunked + "a\r\n0123456789\r\n0\r\n\r\n") == .end)
        #expect(last(chunked + "5\r\n01234\r\n5\r\n01234\r\n0\r\n\r\n") == .end)
        #expect(last(chunked + "b\r\n") == .failure(.bodyTooLarge))
        #expect(last(chunked + "5\r\n01234\r\n6\r\n") == .failure(.bodyTooLarge))
        // Each message has the whole limit.
        #expect(last(chunked + "a\r\n0123456789\r\n0\r\n\r\n" + chunked + "a\r\n0123456789\r\n0\r\n\r\n") == .end)
    }

    @Test func extensionsAtTheirLimit() {
        let chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        #expect(last(chunked + "1;12345\r\nx\r\n0\r\n\r\n") == .end)
        #expect(last(chunked + "1;123456\r\nx\r\n0\r\n\r\n") == .failure(.chunkExtensionTooLong))
        #expect(last(chunked + "1;12\r\nx\r\n1;1\r\nx\r\n0;\r\n\r\n") == .end)
        #expect(last(chunked + "1;12\r\nx\r\n1;1\r\nx\r\n0;1\r\n\r\n") == .failure(.chunkExtensionTooLong))
    }

    @Test func trailersAtTheirLimit() {
        let chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
        #expect(last(chunked + "abc: 0123456789a\r\n\r") == last(chunked))
        #expect(last(chunked + "abc: 0123456789a\r\n\r\n") == .end)
        #expect(last(chunked + "abc: 0123456789ab\r\n\r\n") == .failure(.trailersTooLarge))
        #expect(last(chunked + "a: b\r\nc: d\r\ne: f\r\n\r\n") == .end)
        #expect(last(chunked + "a: b\r\nc: d\r\ne: fgh\r\n\r\n") == .failure(.trailersTooLarge))
    }

    @Test func buffersThatGrewAreGivenBack() {
        let feed = HTTP1Feed()
        let long = "GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "y", count: 20_000) + "\r\n\r\n"
        feed.receive(latin1Bytes(long))
        #expect(feed.capacity > HTTP1RequestParser.capacityKeptMax)
        feed.receive(latin1Bytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
        #expect(feed.capacity == HTTP1RequestParser.capacityMin)
        #expect(feed.items.last == .end)
    }
}
