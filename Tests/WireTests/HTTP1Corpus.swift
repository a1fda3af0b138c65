@testable import Wire

/// Bytes of a connection, one character a byte, and what has to come of them.
struct HTTP1Case: Sendable, CustomStringConvertible {
    enum Expected: Equatable, Sendable {
        /// So many requests to their ends and nothing else.
        case accepts(Int)
        case refuses(HTTP1Failure)
        /// No failure, and the request is not over.
        case waits
    }

    var text: String
    var expected: Expected

    var description: String { "\(text.debugDescription) \(expected)" }

    static func accepts(_ text: String, _ count: Int = 1) -> Self { Self(text: text, expected: .accepts(count)) }
    static func refuses(_ text: String, _ failure: HTTP1Failure) -> Self {
        Self(text: text, expected: .refuses(failure))
    }
    static func waits(_ text: String) -> Self { Self(text: text, expected: .waits) }
}

/// Requests by what they try. Expectations are written down, not computed with the parser's own tables.
enum HTTP1Corpus {
    static let all =
        requestLines + versions + targets + lineEnds + hosts + fieldLines + lengths + transferEncodings + chunks
        + trailers
        + expectations + bytes

    private static func fields(_ lines: String...) -> String {
        "POST / HTTP/1.1\r\nHost: a\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n"
    }

    private static func chunked(_ body: String) -> String { fields("Transfer-Encoding: chunked") + body }

    // MARK: request line

    static let requestLines: [HTTP1Case] = [
        .refuses("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .emptyLines),
        .accepts("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .refuses("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .lineEnd),
        .refuses("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", .lineEnd),
        .refuses("\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .lineEnd),
        .refuses(" GET / HTTP/1.1\r\nHost: a\r\n\r\n", .method),
        .refuses("\tGET / HTTP/1.1\r\nHost: a\r\n\r\n", .method),
        .refuses("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", .requestLine),
        .refuses("GET /  HTTP/1.1\r\nHost: a\r\n\r\n", .version),
        .refuses("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", .version),
        .refuses("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", .method),
        .refuses("GET /\tHTTP/1.1\r\nHost: a\r\n\r\n", .target),
        .refuses("GET / x HTTP/1.1\r\nHost: a\r\n\r\n", .version),
        .refuses("GET /\r\nHost: a\r\n\r\n", .requestLine),
        .refuses("GET\r\nHost: a\r\n\r\n", .method),
        .refuses("GET \r\nHost: a\r\n\r\n", .requestLine),
        .refuses("GET / \r\nHost: a\r\n\r\n", .version),
        .refuses("GET /\n\n", .requestLine),
        .refuses("Host: a\r\n\r\n", .method),
        .refuses(": a\r\n\r\n", .method),
        .refuses("\0", .method), .refuses("\u{FF}", .method), .refuses("{\"json\": 1}", .method),
        .refuses("<?xml version=\"1.0\"?>", .method),
        .refuses("\u{16}\u{03}\u{01}\u{02}\0\u{01}\0\u{01}\u{FC}\u{03}\u{03}", .tls), .refuses("\u{16}", .tls),
        .refuses("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .http2),
        .refuses("SSH-2.0-OpenSSH_9.7\r\n", .method),
        .refuses("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .version),
        .refuses("\r\n\r\n\0\r\nQUIT\n", .emptyLines),
        .refuses(String(repeating: "M", count: 33) + " / HTTP/1.1\r\nHost: a\r\n\r\n", .methodTooLong),
        .accepts(String(repeating: "M", count: 32) + " / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .refuses(String(repeating: "M", count: 100_000), .methodTooLong),
        .waits("G"), .waits("GET"), .waits("GET "), .waits("GET /"), .waits("GET / "), .waits("GET / HTTP/1.1\r"),
        .waits("\r"),
        .waits("\r\n"), .waits("GET / HTTP/1.1\r\nHost: a\r\n\r"),
        .accepts("GET / HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n\r\n", 2),
        .refuses("GET / HTTP/1.1\r\nHost: a\r\n\r\nx\r\n\r\n", .method),
        .refuses("GET / HTTP/1.1\r\nHost: a\r\n\r\n\r\n\r\n", .emptyLines),
    ]

    static let versions: [HTTP1Case] =
        ["0.9", "1.2", "1.9", "2.0", "2.1", "3.0", "9.9", "0.0"].map {
            .refuses("GET / HTTP/\($0)\r\nHost: a\r\n\r\n", .versionUnsupported)
        }
        + [
            "http/1.1", "Http/1.1", "HTTP/1", "HTTP/1.", "HTTP/.1", "HTTP/11", "HTTP/1,1", "HTTP /1.1", "HTTP/ 1.1",
            "HTTP/1.1x",
            "HTTP/1.10", "HTTP/01.1", "HTTP/-1.1", "HTTP/+1.1", "HTTP/1.x", "HTTP/x.1", "HTTPS/1.1", "HTP/1.1",
            "ICAP/1.0",
            "RTSP/1.0", "1.1", "HTTP", "HTTP/", "HTTP\\1.1", "HTTP/1.1\t", "HTTP/1.1 x", "\0HTTP/1.1", "HTTP/1\01",
            "HTTP/1.\u{B9}",
        ].map { .refuses("GET / \($0)\r\nHost: a\r\n\r\n", .version) }
        + [
            .accepts("GET / HTTP/1.0\r\n\r\n"), .accepts("GET / HTTP/1.0\r\nHost: a\r\n\r\n"),
            .refuses("GET / HTTP/1.1\r\n\r\n", .hostMissing),
        ]

    static let targets: [HTTP1Case] =
        [
            "/", "//", "/a/../b", "/?", "/?a=b&c", "/a%20b", "/%", "/%zz", "/a|b^c{d}`\"<>\\", "/:@!$&'()*+,;=",
            "/" + String(repeating: "a", count: 8000),
        ]
        .map { .accepts("GET \($0) HTTP/1.1\r\nHost: a\r\n\r\n") }
        + [
            "a", "index.html", "?a", "a/b", "*", "**", "*/", "http:/a", "http:a", "http://", "http:///a", "http://?a",
            "https://", "ftp://a/", "ws://a/", "file:///etc/passwd", "javascript:1", "http://u@a/", "http://u:p@a/",
            "http://a:b/", "http://a:65536/", "http://a:1:2/", "http://a\\b/", "http://[::1/", "http://[]/",
            "http://[g]/",
            "http://a%/", "http://a%zz/", "http://a%2/", "http://a|b/", "a:80", "a.b:443", "httpx://a/", "h",
        ]
        .map { .refuses("GET \($0) HTTP/1.1\r\nHost: a\r\n\r\n", .target) }
        + ["/#", "/a#b", "#", "/a\u{E9}", "/\u{7F}", "/\0", "/\u{1}", "/a\u{80}b"].map {
            .refuses("GET \($0) HTTP/1.1\r\nHost: a\r\n\r\n", .target)
        }
        + ["a:80", "a.b:443", "[::1]:443", "a:0", "a:65535"].map {
            .accepts("CONNECT \($0) HTTP/1.1\r\nHost: a\r\n\r\n")
        }
        + [
            "/", "*", "a", "a:", ":80", "a:x", "a:65536", "a:80/", "http://a/", "u@a:80", "a:80:80", "[::1]", "a:-1",
            "a:123456",
        ].map {
            .refuses("CONNECT \($0) HTTP/1.1\r\nHost: a\r\n\r\n", .target)
        }
        + ["GET", "POST", "HEAD", "OPTION", "options", "PRI"].map {
            .refuses("\($0) * HTTP/1.1\r\nHost: a\r\n\r\n", .target)
        }
        + [.accepts("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), .accepts("OPTIONS /x HTTP/1.1\r\nHost: a\r\n\r\n")]

    // MARK: lines

    /// Each line end of a request replaced by what is none.
    static let lineEnds: [HTTP1Case] = {
        let lines = ["GET / HTTP/1.1", "Host: a", "X: y", ""]
        var cases: [HTTP1Case] = []
        for index in lines.indices {
            for (end, failure) in [("\n", HTTP1Failure.lineEnd), ("\r", .lineEnd), ("\r\r\n", .lineEnd)] {
                var text = ""
                for (line, content) in lines.enumerated() { text += content + (line == index ? end : "\r\n") }
                cases.append(.refuses(text + "GET", failure))
            }
        }
        return cases
    }()

    static let fieldLines: [HTTP1Case] =
        [
            "X : y", "X\t: y", "X y: z", "X", "X y", ": y", ":", "X\u{E9}: y", "X\0: y", "(X): y", "X/Y: z", "X@: y",
            "\"X\": y", "X[]: y", "X,Y: z", "X;: y", "X=: y", "{X}: y", "X\\: y", "\u{7F}X: y", "X?: y", "<X>: y",
        ]
        .map { .refuses(fields($0), .fieldName) }
        + [" X: y", "\tX: y", " ", "\t", " folded"].flatMap {
            [
                HTTP1Case.refuses(fields($0), .fieldFold),
                .refuses("GET / HTTP/1.1\r\n\($0)\r\nHost: a\r\n\r\n", .fieldFold),
            ]
        }
        + ["X: a\0b", "X: \0", "X: a\u{1}", "X: \u{B}", "X: \u{C}y", "X: a\u{1B}[0m", "X: \u{7F}", "X:\u{8}"].map {
            .refuses(fields($0), .fieldValue)
        }
        + ["X: a\rb", "X: a\nb", "X: \r", "X:\n", "X: a\r\rb", "X: a\n\rb", "X: y\n Z: w"].map {
            .refuses(fields($0), .lineEnd)
        }
        + [
            "X:", "X: ", "X:\t", "X:y", "X:  y  ", "X: \u{80}\u{FF}", "X: a\tb", "X: :", "X:: y", "x: \"a\\\"b\"",
            "!#$%&'*+-.^_`|~: y", "0: 1",
        ].map {
            .accepts(fields($0))
        }

    static let hosts: [HTTP1Case] =
        [
            "a", "A.B", "a:80", "a:", "a:0", "a:65535", "127.0.0.1", "127.0.0.1:8080", "[::1]", "[::1]:80",
            "[::ffff:1.2.3.4]",
            "xn--bcher-kva.example", "a_b", "a-b", "a.", "a%20b", "%41", "a,b", "a;b", "a!$&'()*+=~b", "  a  ", "\ta",
            "a:00080",
        ].map { .accepts("GET / HTTP/1.1\r\nHost: \($0)\r\n\r\n") }
        + [
            "", " ", ":", ":80", "a b", "a:b", "a:-1", "a:+1", "a:65536", "a:99999", "a:123456", "a:1:2", "a/b",
            "http://a", "a?b", "a#b",
            "a@b", "u:p@a", "a\\b", "a|b", "a\"b", "<a>", "a^b", "a`b", "{a}", "[", "[]", "[]:80", "[::1", "[::1]x",
            "[::1]:x", "[::1]80", "[g::]",
            "[a", "a]", "::1", "b\u{FC}cher", "a%", "a%2", "a%zz", "a\tb", "[fe80::1%eth0]", "[:]", "a:80 ,b",
        ].map { .refuses("GET / HTTP/1.1\r\nHost: \($0)\r\n\r\n", .host) }
        + [
            .refuses("GET / HTTP/1.1\r\nX: y\r\n\r\n", .hostMissing),
            .refuses("GET http://a/ HTTP/1.1\r\nX: y\r\n\r\n", .hostMissing),
            .refuses("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", .hostRepeated),
            .refuses("GET / HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n", .hostRepeated),
            .refuses("GET / HTTP/1.0\r\nHost: a\r\nX: y\r\nHost: a\r\n\r\n", .hostRepeated),
            .refuses("GET / HTTP/1.0\r\nHost: a b\r\n\r\n", .host),
            .accepts("GET / HTTP/1.0\r\nX: y\r\n\r\n"),
        ]

    // MARK: content

    static let lengths: [HTTP1Case] =
        ["0", "00", "3", "03", "0000000000000000000000003", " 3 ", "\t3"].map { value in
            .accepts(fields("Content-Length: \(value)") + (value.contains("3") ? "abc" : ""))
        }
        + [
            "", " ", "-1", "+1", "-0", "1.0", "1e1", "0x1", "a", "1a", "a1", "1 1", "1,1", "1, 1", "1,", ",1", "1,2",
            "1;", "\"1\"", "\u{B2}",
            "18446744073709551616", "9223372036854775808", "99999999999999999999999999", "1\u{A0}", "1_0", "inf",
            "null",
        ].map { .refuses(fields("Content-Length: \($0)"), .contentLength) }
        + [
            .refuses(fields("Content-Length: 104857601"), .bodyTooLarge),
            .refuses(fields("Content-Length: 9223372036854775807"), .bodyTooLarge),
            .waits(fields("Content-Length: 104857600")),
            .refuses(fields("Content-Length: 3", "Content-Length: 3") + "abc", .contentLengthRepeated),
            .refuses(fields("Content-Length: 3", "Content-Length: 4") + "abc", .contentLengthRepeated),
            .refuses(fields("Content-Length: 0", "X: y", "content-length: 0"), .contentLengthRepeated),
            .refuses(fields("Content-Length : 3") + "abc", .fieldName),
            .refuses(fields("Content-Length: 1", " 2") + "abc", .fieldFold),
            .refuses(fields("Content-Length:\u{B}3") + "abc", .fieldValue),
            .accepts(fields("Content_Length: 3")), .accepts(fields("X-Content-Length: 3")),
            .waits(fields("Content-Length: 3") + "ab"),
            .accepts("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"),
            .accepts("HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"),
            .refuses(fields("Content-Length: 3") + "abcd\r\n\r\n", .method),
            .accepts(
                fields("Content-Length: 26") + "GET / HTTP/1.1\r\nHost: a\r\n\r" + "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
                2),
        ]

    static let transferEncodings: [HTTP1Case] =
        ["chunked", "CHUNKED", "Chunked", "  chunked\t", "chunked,", ", chunked", ",,chunked,,"].map {
            .accepts(fields("Transfer-Encoding: \($0)") + "0\r\n\r\n")
        }
        + [
            "", " ", ",", "identity", "gzip", "xchunked", "chunkedx", "chunked;q=1", "chunked ;a", "\"chunked\"",
            "chunked chunked",
            "chunked, chunked", "chunked, gzip", "chunked, identity", "gzip, chunked, chunked", "gzip chunked",
            "chun ked", "chunke",
            "chunked\u{A0}", "\u{A0}chunked", "c\u{1E9}hunked".replacing("\u{1E9}", with: "\u{E9}"),
            "gzip;q=0.5, chunked",
        ].map { .refuses(fields("Transfer-Encoding: \($0)") + "0\r\n\r\n", .transferEncoding) }
        + ["gzip, chunked", "identity, chunked", "x,y , chunked", "deflate,chunked"].map {
            .refuses(fields("Transfer-Encoding: \($0)") + "0\r\n\r\n", .transferCoding)
        }
        + [
            .refuses(fields("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), .transferEncoding),
            .refuses(fields("Transfer-Encoding: chunked", "Transfer-Encoding: identity"), .transferEncoding),
            .refuses(fields("Transfer-Encoding: identity", "Transfer-Encoding: chunked"), .transferCoding),
            .refuses(fields("Transfer-Encoding: chunked", "Transfer-Encoding:"), .transferEncoding),
            .refuses(fields("Transfer-Encoding:", "Transfer-Encoding: chunked"), .transferEncoding),
            .refuses(fields("Content-Length: 3", "Transfer-Encoding: chunked"), .lengthAndTransferEncoding),
            .refuses(fields("Transfer-Encoding: chunked", "Content-Length: 3"), .lengthAndTransferEncoding),
            .refuses(fields("Transfer-Encoding: chunked", "Content-Length: 0"), .lengthAndTransferEncoding),
            .refuses(fields("Content-Length: 3", "Transfer-Encoding: gzip"), .lengthAndTransferEncoding),
            .refuses(fields("Transfer-Encoding : chunked"), .fieldName),
            .refuses(fields("Transfer-Encoding\t: chunked"), .fieldName),
            .refuses(fields("Transfer-Encoding:\r\n chunked"), .transferEncoding),
            .refuses(fields("Transfer-Encoding:\u{B}chunked"), .fieldValue),
            .refuses(fields("Transfer-Encoding: chunked\0"), .fieldValue),
            .refuses(fields(" Transfer-Encoding: chunked"), .fieldFold),
            .refuses(fields("X: y\nTransfer-Encoding: chunked"), .lineEnd),
            .refuses(fields("X: y\rTransfer-Encoding: chunked"), .lineEnd),
            .accepts(fields("Transfer_Encoding: chunked")), .accepts(fields("X-Transfer-Encoding: chunked")),
            .accepts(fields("TE: chunked")),
            .refuses("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", .transferEncodingVersion),
            .refuses(
                "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", .transferEncodingVersion),
        ]

    static let chunks: [HTTP1Case] =
        [
            "0\r\n\r\n", "00\r\n\r\n", "0000000000000000\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n", "03\r\nabc\r\n0\r\n\r\n",
            "a\r\n0123456789\r\n0\r\n\r\n", "A\r\n0123456789\r\n0\r\n\r\n", "3;x\r\nabc\r\n0\r\n\r\n",
            "3;x=y\r\nabc\r\n0;z\r\n\r\n",
            "3 ;x\r\nabc\r\n0\r\n\r\n", "3\t; x = y ; z\r\nabc\r\n0\r\n\r\n", "3;\r\nabc\r\n0\r\n\r\n",
            "3;\"a;b\"\r\nabc\r\n0\r\n\r\n",
            "3;\u{E9}\r\nabc\r\n0\r\n\r\n", "3\r\n\r\n\n\r\n0\r\n\r\n", "5\r\n0\r\n\r\n\r\n0\r\n\r\n",
            "1\r\n\0\r\n0\r\n\r\n",
        ].map { .accepts(chunked($0)) }
        + [
            "\r\n", "\n", "g\r\n", "-1\r\n", "+1\r\n", "0x1\r\n", "1x\r\n", ";x\r\n", "x;1\r\n", "\"1\"\r\n",
            "00000000000000000\r\n\r\n",
            "10000000000000000\r\n", "FFFFFFFFFFFFFFFFF\r\n", "00000000000000003\r\nabc\r\n", "1.\r\n", "1_0\r\n",
            "\u{B2}\r\n", "\0\r\n", "1\0\r\n",
            "1,2\r\n", "`\r\n", "@\r\n", "G\r\n", ":\r\n", "/\r\n",
        ].map { .refuses(chunked($0), .chunkSize) }
        + [" 3\r\nabc\r\n", "\t3\r\n"].map { .refuses(chunked($0), .chunkSize) }
        + ["3 \r\nabc\r\n", "3\t\r\n", "3 4\r\n", "3 x\r\n", "3;\0\r\n", "3;x\u{7F}\r\n", "3;\u{1}", "3 \u{1};"].map {
            .refuses(chunked($0), .chunkExtension)
        }
        + [
            "3\n", "3\nabc\n0\n\n", "3\r\r\n", "3\rx", "3;x\nabc\r\n", "3;x\rabc", "3;x\r\r\n", "3;\n", "0\n\r\n",
            "0\r\n\n", "0\r\n\rx", "3 \n",
        ]
        .map { .refuses(chunked($0), .lineEnd) }
        + [
            "3\r\nabcd\r\n0\r\n\r\n", "3\r\nabc0\r\n\r\n", "3\r\nabc\n0\r\n\r\n", "3\r\nabc\rx", "3\r\nabc\n\r",
            "2\r\nabc\r\n", "3\r\nabc;", "3\r\nabc\r\r\n",
        ]
        .map { .refuses(chunked($0), .chunkEnd) }
        + [
            "FFFFFFFFFFFFFFFF\r\n", "8000000000000000\r\n", "7FFFFFFFFFFFFFFF\r\n", "6400001\r\n",
            "3\r\nabc\r\n63ffffe\r\n",
        ].map {
            .refuses(chunked($0), .bodyTooLarge)
        }
        + [
            "6400000\r\n", "3\r\nabc\r\n63ffffd\r\n", "3", "3\r", "3\r\n", "3\r\nab", "3\r\nabc", "3\r\nabc\r",
            "3\r\nabc\r\n", "0", "0\r\n", "0\r\n\r", "", "3;",
        ].map {
            .waits(chunked($0))
        }
        + [
            .accepts(chunked("3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 2),
            .refuses(chunked("0\r\n\r\n0\r\n\r\n"), .method),
            .refuses(chunked("3;" + String(repeating: "x", count: 4096) + "\r\n"), .chunkExtensionTooLong),
            .refuses(chunked("3" + String(repeating: " ", count: 4097) + ";\r\n"), .chunkExtensionTooLong),
            .accepts(chunked("3;" + String(repeating: "x", count: 4095) + "\r\nabc\r\n0\r\n\r\n")),
            .refuses(
                chunked(String(repeating: "1;" + String(repeating: "x", count: 99) + "\r\na\r\n", count: 41)),
                .chunkExtensionTooLong),
        ]

    static let trailers: [HTTP1Case] =
        [
            "X: y", "X:", "Content-Length: 3", "Transfer-Encoding: chunked", "Host: b", "Host: a b", "X: y\r\nX: y",
            "X: \u{E9}",
        ].map {
            .accepts(chunked("0\r\n\($0)\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 2)
        }
        + [
            .refuses(chunked("0\r\nX\r\n\r\n"), .fieldName), .refuses(chunked("0\r\nX : y\r\n\r\n"), .fieldName),
            .refuses(chunked("0\r\n: y\r\n\r\n"), .fieldName), .refuses(chunked("0\r\n X: y\r\n\r\n"), .fieldFold),
            .refuses(chunked("0\r\nX: y\r\n z\r\n\r\n"), .fieldFold),
            .refuses(chunked("0\r\nX: \0\r\n\r\n"), .fieldValue),
            .refuses(chunked("0\r\nX: y\n\r\n"), .lineEnd), .refuses(chunked("0\r\nX: y\r\n\n"), .lineEnd),
            .refuses(chunked("0\r\nX: y\rZ: w\r\n\r\n"), .lineEnd),
            .refuses(chunked("0\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), .fieldName),
            .refuses(chunked("0\r\nX: " + String(repeating: "y", count: 8192) + "\r\n\r\n"), .trailersTooLarge),
            .refuses(chunked("0\r\n" + String(repeating: "X: y\r\n", count: 129) + "\r\n"), .tooManyFields),
            .accepts(chunked("0\r\n" + String(repeating: "X: y\r\n", count: 128) + "\r\n")),
            .waits(chunked("0\r\nX")), .waits(chunked("0\r\nX: y\r\n")), .waits(chunked("0\r\nX: y\r\n\r")),
        ]

    static let expectations: [HTTP1Case] = [
        .accepts(fields("Expect: 100-continue")), .accepts(fields("Expect: 100-CONTINUE")),
        .accepts(fields("Expect: 100-continue", "Content-Length: 1") + "x"),
        .refuses(fields("Expect: 200-ok"), .expectation), .refuses(fields("Expect: "), .expectation),
        .refuses(fields("Expect: 100-continue, x"), .expectation),
        .refuses(fields("Expect: 100-continuee"), .expectation),
        .refuses(fields("Expect: 100-continue", "Expect: x"), .expectation),
        .accepts("GET / HTTP/1.0\r\nExpect: x\r\n\r\n"),
    ]

    // MARK: every byte in every place

    private static let alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    private static let tokens = Set(alphanumeric + "!#$%&'*+-.^_`|~")
    private static let hostCharacters = Set(alphanumeric + "-._~!$&'()*+,;=")

    static let bytes: [HTTP1Case] = (UInt8.min ... .max).flatMap { byte -> [HTTP1Case] in
        let scalar = Unicode.Scalar(byte)
        let character = Character(scalar)
        let isLineEnd = character == "\n" || character == "\r"
        let isControl = byte < 0x20 || byte == 0x7F
        func expect(_ text: String, _ failure: HTTP1Failure?) -> HTTP1Case {
            failure.map { .refuses(text, $0) } ?? .accepts(text)
        }
        return [
            expect(
                "G\(scalar)T / HTTP/1.1\r\nHost: a\r\n\r\n",
                tokens.contains(character) ? nil : character == " " ? .version : .method),
            expect(
                "GET /abcdefgh\(scalar)ijklmnopq HTTP/1.1\r\nHost: a\r\n\r\n",
                character == " "
                    ? .version : isLineEnd ? .requestLine : isControl || byte > 0x7F || character == "#" ? .target : nil
            ),
            expect(
                "GET /\(scalar) HTTP/1.1\r\nHost: a\r\n\r\n",
                character == " "
                    ? .version : isLineEnd ? .requestLine : isControl || byte > 0x7F || character == "#" ? .target : nil
            ),
            expect(
                "GET / HTTP/1.1\r\nHost: a\r\nX-\(scalar)-Y: v\r\n\r\n",
                tokens.contains(character) || character == ":" ? nil : .fieldName),
            expect(
                "GET / HTTP/1.1\r\nHost: a\r\nX: 0123456789\(scalar)0123456789\r\n\r\n",
                isLineEnd ? .lineEnd : isControl && character != "\t" ? .fieldValue : nil),
            expect(
                "GET / HTTP/1.1\r\nHost: a\r\nX: \(scalar)\r\n\r\n",
                isLineEnd ? .lineEnd : isControl && character != "\t" ? .fieldValue : nil),
            expect(
                "GET / HTTP/1.1\r\nHost: a\(scalar)b\r\n\r\n",
                hostCharacters.contains(character)
                    ? nil : isLineEnd ? .lineEnd : isControl && character != "\t" ? .fieldValue : .host),
        ]
    }
}
