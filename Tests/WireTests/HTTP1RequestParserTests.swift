import Testing

@testable import Wire

@Suite struct HTTP1RequestParserTests {
    static let get = "GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nConnection: keep-alive\r\n\r\n"
    static let post =
        "POST /orders?x=1 HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello"
    static let chunked =
        "PUT /c HTTP/1.1\r\nhost:shop\r\nTransfer-Encoding:  Chunked \r\nTrailer: x\r\n\r\n"
        + "5\r\nhello\r\n00A;a=b;c=\"d e\"\r\n, world! 1\r\n1\t;x\r\n2\r\n0\r\nX-Sum: 1\r\nContent-Length: 7\r\n\r\n"

    /// The one head of `text`, which goes on to its end.
    private func head(_ text: String) throws -> HTTP1Seen {
        let items = HTTP1Feed.items(of: latin1Bytes(text))
        guard case .head(let seen) = items.first else {
            Issue.record("\(items)")
            throw CancellationError()
        }
        #expect(items.last == .end)
        return seen
    }

    private func items(_ text: String, limits: HTTP1Limits = HTTP1Limits()) -> [HTTP1Item] {
        HTTP1Feed.items(of: latin1Bytes(text), limits: limits)
    }

    @Test func headIsNormalised() throws {
        let seen = try head(Self.get)
        #expect(latin1(seen.text) == "GET /\nhost\n127.0.0.1:8080\nconnection\nkeep-alive\n")
        #expect(seen.method == .get && seen.version == .http11 && seen.body == .none && seen.keepAlive)
        #expect(seen.target == "/" && seen.authority == "")
        #expect(seen.fields == [.host: "127.0.0.1:8080", .connection: "keep-alive"])
        #expect(seen.repeated.isEmpty)
    }

    @Test func whiteSpaceAroundValuesIsDroppedAndInsideKept() throws {
        let seen = try head(
            "GET /a HTTP/1.1\r\nHOST: \t a \t \r\nX-Y:\r\nx-z: \t\r\nX_!#: a \t b\u{E9}\u{FF}  \r\n\r\n")
        #expect(latin1(seen.text) == "GET /a\nhost\na\nx-y\n\nx-z\n\nx_!#\na \t b\u{E9}\u{FF}\n")
    }

    @Test func contentOfKnownLengthIsARangeOfTheInput() {
        let seen = items(Self.post)
        #expect(seen.count == 3 && seen[1] == .body(Array("hello".utf8)) && seen[2] == .end)
        guard case .head(let head) = seen[0] else { return #expect(Bool(false), "\(seen)") }
        #expect(head.body == .length(5) && head.method == .post && head.fields[.contentType] == "text/plain")
    }

    @Test func chunksAreDecodedAndTrailersDropped() {
        let seen = items(Self.chunked)
        #expect(seen.count == 3 && seen[1] == .body(Array("hello, world! 12".utf8)) && seen[2] == .end)
        guard case .head(let head) = seen[0] else { return #expect(Bool(false), "\(seen)") }
        #expect(head.body == .chunked && head.fields[.transferEncoding] == "Chunked")
    }

    @Test func pipelinedRequestsComeOneByOne() {
        let three = Self.post + Self.chunked + "\r\n" + Self.get
        let expected = items(Self.post) + items(Self.chunked) + items(Self.get)
        #expect(items(three) == expected)
        #expect(expected.count == 8)
        #expect(items(three + three + three) == expected + expected + expected)
    }

    @Test(arguments: [get, post, chunked, post + chunked + "\r\n" + get])
    func cutsMakeNoDifference(text: String) {
        let bytes = latin1Bytes(text)
        let whole = HTTP1Feed.items(of: bytes)
        #expect(HTTP1Feed.dripFed(bytes) == whole)
        for cut in 0...bytes.count { #expect(HTTP1Feed.items(of: bytes, cut: cut) == whole, "cut at \(cut)") }
    }

    @Test(
        arguments: [
            ("GET", .get), ("HEAD", .head), ("POST", .post), ("PUT", .put), ("DELETE", .delete), ("OPTIONS", .options),
            ("TRACE", .trace), ("PATCH", .patch), ("get", .other), ("GETS", .other), ("G", .other), ("POS", .other),
            ("PROPFIND", .other), ("UPDATEREDIRECTREF", .other), ("M-SEARCH", .other), ("!#$%&'*+-.^_`|~09aZ", .other),
        ] as [(String, HTTP1Method)])
    func methodHasItsIndexAndName(name: String, method: HTTP1Method) throws {
        let seen = try head("\(name) /x HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(seen.method == method)
        #expect(latin1(seen.text) == "\(name) /x\nhost\na\n")
    }

    @Test func connectAndAsteriskHaveTheirForms() throws {
        let connect = try head("CONNECT a.b:443 HTTP/1.1\r\nHost: a.b:443\r\n\r\n")
        #expect(connect.method == .connect && connect.target == "a.b:443" && connect.authority == "a.b:443")
        let options = try head("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(options.target == "*" && options.authority == "")
    }

    @Test(arguments: [
        ("http://a", "a"), ("http://a/", "a"), ("HTTP://A.b:80/x?y", "A.b:80"), ("https://[::1]:8443?x", "[::1]:8443"),
        ("http://a?b/c", "a"), ("http://a%2Db/", "a%2Db"), ("http://a:/", "a:"),
    ])
    func absoluteFormTellsItsAuthority(target: String, authority: String) throws {
        let seen = try head("GET \(target) HTTP/1.1\r\nHost: other\r\n\r\n")
        #expect(seen.target == target && seen.authority == authority)
    }

    @Test(
        arguments: [
            ("1.1", nil, true), ("1.1", "keep-alive", true), ("1.1", "close", false), ("1.1", "Close", false),
            ("1.1", "x, CLOSE ,y", false), ("1.1", "closed", true), ("1.1", "keep-alive, close", false),
            ("1.0", nil, false), ("1.0", "Keep-Alive", true), ("1.0", "close", false), ("1.0", "a,keep-alive", true),
            ("1.0", "keep-alive, close", false), ("1.1", ",", true), ("1.1", "", true),
            ("1.1", "x\r\nConnection: close", false), ("1.1", "close\r\nConnection: keep-alive", false),
        ] as [(String, String?, Bool)])
    func connectionGoesOnAsTheClientWishes(version: String, connection: String?, expected: Bool) throws {
        let line = connection.map { "Connection: \($0)\r\n" } ?? ""
        let seen = try head("GET / HTTP/\(version)\r\nHost: a\r\n\(line)\r\n")
        #expect(seen.keepAlive == expected)
        #expect(seen.version == (version == "1.1" ? .http11 : .http10))
    }

    @Test func expectationCountsOnlyWithContent() throws {
        let line = "Expect: 100-Continue\r\n"
        #expect(try head("POST / HTTP/1.1\r\nHost: a\r\n\(line)Content-Length: 1\r\n\r\nx").expectsContinue)
        #expect(
            try head("POST / HTTP/1.1\r\nHost: a\r\n\(line)Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n").expectsContinue
        )
        #expect(try !head("POST / HTTP/1.1\r\nHost: a\r\n\(line)Content-Length: 0\r\n\r\n").expectsContinue)
        #expect(try !head("POST / HTTP/1.0\r\nHost: a\r\n\(line)Content-Length: 1\r\n\r\nx").expectsContinue)
        #expect(try !head("POST / HTTP/1.0\r\nExpect: more\r\n\r\n").expectsContinue)
    }

    @Test func upgradeNeedsBothFields() throws {
        let upgrade = "Upgrade: websocket\r\n"
        #expect(try head("GET / HTTP/1.1\r\nHost: a\r\n\(upgrade)Connection: keep-alive, Upgrade\r\n\r\n").wantsUpgrade)
        #expect(try !head("GET / HTTP/1.1\r\nHost: a\r\n\(upgrade)\r\n").wantsUpgrade)
        #expect(try !head("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\r\n").wantsUpgrade)
        #expect(try !head("GET / HTTP/1.0\r\nHost: a\r\n\(upgrade)Connection: Upgrade\r\n\r\n").wantsUpgrade)
    }

    @Test func everyKnownFieldIsFoundAndNoOther() throws {
        let names: [HTTP1Field: String] = [
            .upgrade: "Upgrade", .contentType: "Content-Type", .acceptEncoding: "Accept-Encoding",
            .userAgent: "User-Agent", .forwarded: "Forwarded", .xForwardedFor: "X-Forwarded-For",
            .xForwardedProto: "X-Forwarded-Proto", .traceparent: "TraceParent", .tracestate: "tracestate",
            .baggage: "BAGGAGE", .b3: "b3", .xB3TraceID: "X-B3-TraceId", .xB3SpanID: "X-B3-SpanId",
            .xB3ParentSpanID: "X-B3-ParentSpanId", .xB3Sampled: "X-B3-Sampled", .xB3Flags: "X-B3-Flags",
            .uberTraceID: "Uber-Trace-Id",
        ]
        let lines = names.map { "\($0.value): \($0.key)\r\n" }.joined()
        // The same with one character changed: first, middle and last.
        let strangers = names.values.flatMap { name -> [String] in
            let middle = name.index(name.startIndex, offsetBy: name.count / 2)
            return ["z" + name.dropFirst(), name.dropLast() + "z", name.replacingCharacters(at: middle, with: "z")]
        }
        .filter { other in !names.values.contains { $0.lowercased() == other.lowercased() } }
        .map { "\($0): stranger\r\n" }.joined()
        let seen = try head("GET / HTTP/1.1\r\nHost: a\r\n\(strangers)\(lines)\r\n")
        #expect(seen.fields.count == names.count + 1)
        for field in names.keys { #expect(seen.fields[field] == "\(field)") }
        #expect(seen.repeated.isEmpty)
        #expect(HTTP1Field.allCases.count == HTTP1Field.count)
    }

    @Test func firstOfRepeatedFieldsIsNotedAndAllAreInTheText() throws {
        let seen = try head("GET / HTTP/1.1\r\nHost: a\r\nb3: 1\r\nB3: 2\r\nBaggage: x=1\r\n\r\n")
        #expect(seen.fields[.b3] == "1" && seen.repeated == [.b3])
        #expect(latin1(seen.text) == "GET /\nhost\na\nb3\n1\nb3\n2\nbaggage\nx=1\n")
    }

    @Test func nothingOfARequestLeaksIntoTheNext() {
        let first =
            "POST http://b/ HTTP/1.0\r\nHost: a\r\nb3: 1\r\nb3: 2\r\nConnection: keep-alive, upgrade\r\nUpgrade: x\r\n"
            + "Content-Length: 1\r\n\r\nx"
        let second = "GET / HTTP/1.1\r\nHost: c\r\n\r\n"
        #expect(Array(items(first + second)[3...]) == items(second))
        #expect(Array(items(Self.chunked + second)[3...]) == items(second))
    }

    @Test func parserIsIdleBetweenRequests() {
        let feed = HTTP1Feed()
        #expect(feed.isIdle)
        feed.receive(Array("G".utf8))
        #expect(!feed.isIdle)
        feed.receive(Array(Self.get.utf8.dropFirst()))
        #expect(feed.isIdle && feed.pending.isEmpty)
        feed.receive(Array("\r\n".utf8))
        #expect(!feed.isIdle && feed.pending.isEmpty)
    }

    @Test func wholeLinesAreConsumedAsTheyCome() {
        let feed = HTTP1Feed()
        feed.receive(Array("GET / HTTP/1.1\r\nHost: a\r\nX".utf8))
        #expect(feed.pending == Array("X".utf8))
    }

    @Test func tokenTableIsThatOfTheStandard() {
        for byte in UInt8.min ... .max {
            let isToken = HTTPText.isToken([byte])
            #expect((HTTP1Syntax.token[Int(byte)] != 0) == isToken, "\(byte)")
            if isToken {
                #expect(Character(Unicode.Scalar(HTTP1Syntax.token[Int(byte)])) == latin1([byte]).lowercased().first)
            }
        }
    }
}

extension String {
    fileprivate func replacingCharacters(at index: Index, with other: Character) -> String {
        String(self[..<index]) + [other] + self[self.index(after: index)...]
    }
}
