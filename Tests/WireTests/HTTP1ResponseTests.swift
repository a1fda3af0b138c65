import Glibc
import Testing

@testable import Wire

@Suite struct HTTP1FramingTests {
    private typealias Response = HTTP1Framing.Response

    private func framing(
        _ status: Int, _ method: HTTP1Method = .get, _ version: HTTP1Version = .http11, _ length: Int? = 5,
        keepAlive: Bool = true
    ) -> Response {
        HTTP1Framing.response(status: status, method: method, version: version, length: length, keepAlive: keepAlive)
    }

    @Test func knownLengthIsTold() {
        #expect(framing(200) == Response(body: .length(5), keepAlive: true))
        #expect(framing(200, .get, .http11, 0) == Response(body: .length(0), keepAlive: true))
        #expect(framing(404, .get, .http10) == Response(body: .length(5), keepAlive: true))
        #expect(framing(500, .post, keepAlive: false) == Response(body: .length(5), keepAlive: false))
        #expect(framing(200).sendsContent && !framing(200, .get, .http11, 0).sendsContent)
    }

    @Test func unknownLengthIsChunkedOrClosed() {
        #expect(framing(200, .get, .http11, nil) == Response(body: .chunked, keepAlive: true))
        #expect(framing(200, .get, .http10, nil) == Response(body: .untilClose, keepAlive: false))
        #expect(framing(200, .get, .http11, nil).sendsContent && framing(200, .get, .http10, nil).sendsContent)
    }

    @Test func someResponsesHaveNoContent() {
        for status in [100, 101, 103, 199, 204] {
            for length in [nil, 0, 5] {
                #expect(framing(status, .get, .http11, length) == Response(body: .none, keepAlive: true))
                #expect(framing(status, .head, .http10, length) == Response(body: .none, keepAlive: true))
            }
        }
        #expect(framing(304) == Response(body: .omitted(length: 5), keepAlive: true))
        #expect(framing(304, .get, .http10, nil) == Response(body: .omitted(length: nil), keepAlive: true))
        #expect(framing(200, .head) == Response(body: .omitted(length: 5), keepAlive: true))
        #expect(framing(404, .head, .http10, nil) == Response(body: .omitted(length: nil), keepAlive: true))
        #expect(framing(205, .get, .http11, nil) == Response(body: .length(0), keepAlive: true))
        #expect(framing(200, .connect) == Response(body: .none, keepAlive: true))
        #expect(framing(407, .connect) == Response(body: .length(5), keepAlive: true))
        for response in [framing(204), framing(304), framing(200, .head), framing(205)] {
            #expect(!response.sendsContent)
        }
    }

    @Test func requestsFollowTheirFields() {
        func request(_ version: HTTP1Version, _ length: Int?, _ coding: HTTP1Framing.TransferEncoding) -> String {
            switch HTTP1Framing.request(
                version: version, contentLength: length, transferEncoding: coding, bodyBytesMax: 9)
            {
            case .success(let body): "\(body)"
            case .failure(let failure): failure.rawValue
            }
        }
        #expect(request(.http11, nil, .none) == "none")
        #expect(request(.http11, 0, .none) == "none")
        #expect(request(.http10, 9, .none) == "length(9)")
        #expect(request(.http11, 10, .none) == "body_too_large")
        #expect(request(.http11, nil, .chunked) == "chunked")
        #expect(request(.http11, 0, .chunked) == "content_length_and_transfer_encoding")
        #expect(request(.http10, nil, .chunked) == "transfer_encoding_in_http_1_0")
        #expect(request(.http11, nil, .chunkedAfterOthers) == "transfer_coding")
        #expect(request(.http11, nil, .others) == "transfer_encoding")
    }
}

@Suite struct HTTP1ResponseHeadTests {
    /// What is written, or the error's name.
    private func write(
        _ status: Int = 200, _ fields: String = "", reason: String = "", body: HTTP1Framing.Response.Body = .length(2),
        keepAlive: Bool = true, version: HTTP1Version = .http11, date: String = "", room: Int? = nil
    ) -> String {
        let reason = latin1Bytes(reason)
        let fields = latin1Bytes(fields)
        let date = latin1Bytes(date)
        return reason.withUnsafeBytes { reason in
            fields.withUnsafeBytes { fields in
                date.withUnsafeBytes { date in
                    let head = HTTP1ResponseHead(
                        status: status, reason: reason, fields: fields,
                        framing: .init(body: body, keepAlive: keepAlive),
                        version: version)
                    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: room ?? head.bytesMax, alignment: 1)
                    defer { room.deallocate() }
                    do throws(HTTP1ResponseError) {
                        let count = try head.write(date: date, into: room)
                        return latin1(room[..<count])
                    } catch {
                        return error.rawValue
                    }
                }
            }
        }
    }

    @Test func headIsWritten() {
        #expect(
            write(200, "content-type: text/plain\r\nX-Y:z\r\n", date: "date: today\r\n")
                == "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nX-Y: z\r\ndate: today\r\ncontent-length: 2\r\n\r\n")
        #expect(
            write(404, body: .chunked, keepAlive: false)
                == "HTTP/1.1 404 Not Found\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n")
        #expect(
            write(200, body: .length(1_234_567_890), version: .http10)
                == "HTTP/1.1 200 OK\r\ncontent-length: 1234567890\r\nconnection: keep-alive\r\n\r\n")
        #expect(write(204, body: .none) == "HTTP/1.1 204 No Content\r\n\r\n")
        #expect(
            write(200, body: .untilClose, keepAlive: false, version: .http10)
                == "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
        #expect(write(200, "x: a\tb \u{E9}\u{FF}\r\ny:\r\n").contains("x: a\tb \u{E9}\u{FF}\r\ny: \r\n"))
        #expect(write(200, "set-cookie: a=1\r\nset-cookie: b=2\r\n").contains("set-cookie: a=1\r\nset-cookie: b=2\r\n"))
    }

    @Test func reasonIsTheRegistrysOrTheProgramsOwn() {
        #expect(write(418).hasPrefix("HTTP/1.1 418 \r\n"))
        #expect(write(999).hasPrefix("HTTP/1.1 999 \r\n"))
        #expect(write(200, reason: "Fine \u{E9}\tx").hasPrefix("HTTP/1.1 200 Fine \u{E9}\tx\r\n"))
        for bad in ["a\r\nb", "\n", "\0", "a\u{7F}"] { #expect(write(200, reason: bad) == "reason") }
        for bad in [0, 99, 1000, -1] { #expect(write(bad) == "status") }
        for status in 100...599 { #expect(HTTP1ResponseHead.phrase(status).utf8CodeUnitCount <= 31) }
    }

    @Test(arguments: [
        ("a b: c\r\n", "field_name"), (": c\r\n", "field_name"), ("a : c\r\n", "field_name"), ("\r\n", "field_name"),
        (" a: b\r\n", "field_name"), ("a\u{E9}: b\r\n", "field_name"), ("a: b\r\n\r\nc: d\r\n", "field_name"),
        ("a\r\n", "field_name"), ("a: b\n", "line"), ("a: b\nc: d\r\n", "field_value"), ("a: b\rc\r\n", "field_value"),
        ("a: \0\r\n", "field_value"), ("a: \u{7F}\r\n", "field_value"), ("a: b\r\r\n", "field_value"), ("a", "line"),
        ("a:", "line"), ("a: b", "line"), ("a: b\r", "line"), ("ok: 1\r\na: b", "line"),
        ("a: \u{1}0123456789\r\n", "field_value"),
    ])
    func malformedFieldsAreRefused(fields: String, error: String) {
        #expect(write(200, fields) == error)
    }

    @Test func theServersFieldsAreNotTheProgramsToSet() {
        let lines = [
            "Content-Length: 99", "transfer-encoding: gzip", "Connection: upgrade", "DATE: never",
            "keep-alive: timeout=1",
            "upgrade: h2c", "Trailer: x", "proxy-connection: close",
        ]
        let bare = write(200, "x: y\r\n")
        for line in lines {
            #expect(write(200, line + "\r\nx: y\r\n") == bare)
            #expect(write(200, "x: y\r\n" + line + "\r\n") == bare)
        }
        #expect(write(200, lines.joined(separator: "\r\n") + "\r\nx: y\r\n") == bare)
        // A name that only looks like one stays.
        #expect(write(200, "content_length: 9\r\nx-date: 1\r\n").contains("content_length: 9\r\nx-date: 1\r\n"))
    }

    @Test func lengthOfOmittedContentMayBeTheProgramsOwn() {
        #expect(
            write(304, "content-length: 99\r\n", body: .omitted(length: nil)).hasSuffix("content-length: 99\r\n\r\n"))
        #expect(write(200, "content-length: 99\r\n", body: .omitted(length: 0)).hasSuffix("content-length: 99\r\n\r\n"))
        #expect(write(200, body: .omitted(length: 7)).hasSuffix("content-length: 7\r\n\r\n"))
        #expect(write(200, body: .omitted(length: nil)) == "HTTP/1.1 200 OK\r\n\r\n")
        #expect(write(200, "content-length: x\r\n", body: .omitted(length: 0)) == "content_length")
        #expect(write(204, "content-length: 9\r\n", body: .none) == "HTTP/1.1 204 No Content\r\n\r\n")
    }

    @Test func roomIsNeverExceededAndBytesMaxIsAlwaysEnough() {
        let date = "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
        for fields in [
            "", "a:\r\n", String(repeating: "a:\r\n", count: 100), "x: " + String(repeating: "y", count: 500) + "\r\n",
        ] {
            for body in [HTTP1Framing.Response.Body.length(.max), .chunked, .omitted(length: .max)] {
                let whole = write(511, fields, body: body, keepAlive: false, version: .http10, date: date)
                #expect(whole.hasSuffix("\r\n\r\n"))
                for room in 0..<whole.unicodeScalars.count {
                    #expect(
                        write(511, fields, body: body, keepAlive: false, version: .http10, date: date, room: room)
                            == "room")
                }
            }
        }
    }

    @Test(arguments: [
        (1, "1"), (9, "9"), (10, "a"), (15, "f"), (16, "10"), (255, "ff"), (256, "100"), (65_535, "ffff"),
        (Int.max, "7fffffffffffffff"),
    ])
    func chunkSizesAreHex(size: Int, digits: String) {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: HTTP1Chunk.sizeLineBytesMax, alignment: 1)
        defer { room.deallocate() }
        let count = HTTP1Chunk.writeSizeLine(size, into: room)
        #expect(latin1(room[..<count]) == digits + "\r\n")
    }
}

@Suite struct HTTP1DateTests {
    @Test(
        arguments: [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"), (-62_167_219_200, "Sat, 01 Jan 0000 00:00:00 GMT"),
        ] as [(Int64, String)])
    func dateIsInTheFixedForm(seconds: Int64, expected: String) {
        var date = HTTP1Date()
        let line = latin1(date.line(at: seconds))
        #expect(line == "date: \(expected)\r\n")
    }

    @Test func dateIsThatOfTheSystem() {
        var date = HTTP1Date()
        var generator = Generator(seed: 1)
        for _ in 0..<2_000 {
            let seconds = Int64(generator.below(8_000_000_000)) - 1_000_000_000
            var time = time_t(seconds)
            var parts = tm()
            gmtime_r(&time, &parts)
            var text = [CChar](repeating: 0, count: 64)
            let count = strftime(&text, text.count, "date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts)
            let expected = latin1(text[..<count].map { UInt8(bitPattern: $0) })
            let line = latin1(date.line(at: seconds))
            #expect(line == expected)
            let again = latin1(date.line(at: seconds))
            #expect(again == expected)
        }
    }
}

@Suite struct TraceParentTests {
    /// The grammar is tested through `W3CTraceContext.parse`, which is this with a String around.
    @Test func bytesAreReadInPlace() {
        let text = Array("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".utf8)
        let expected = TraceParent(traceID: Example.traceID, spanID: Example.spanID, traceFlags: 1)
        text.withUnsafeBytes { bytes in
            #expect(TraceParent(bytes) == expected)
            for count in 0..<bytes.count {
                #expect(TraceParent(UnsafeRawBufferPointer(rebasing: bytes.prefix(count))) == nil)
            }
        }
        #expect(TraceParent(UnsafeRawBufferPointer(start: nil, count: 0)) == nil)
    }

    @Test func noByteButAHexDigitPasses() {
        let text = Array("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".utf8)
        let dashes = [2, 35, 52]
        for index in text.indices {
            for byte in UInt8.min ... .max {
                var changed = text
                changed[index] = byte
                let isDigit = (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
                let isGood =
                    dashes.contains(index) ? byte == 0x2D : isDigit
                let parsed = changed.withUnsafeBytes { TraceParent($0) }
                // White space at the ends leaves too little.
                #expect((parsed != nil) == isGood, "\(index) \(byte)")
            }
        }
    }
}
