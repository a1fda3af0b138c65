import Testing

@testable import Wire

/// RFC 7692: what is agreed on, and the frames of it.
struct WebSocketDeflateTests {
    // MARK: The server, section 7.1

    @Test(arguments: [
        ("permessage-deflate", 15), ("permessage-deflate; client_max_window_bits", 15),
        (" permessage-deflate ;\tclient_max_window_bits = \"10\" ", 15),
        ("permessage-deflate; server_max_window_bits=12; client_max_window_bits=12", 12),
        ("permessage-deflate; server_no_context_takeover; client_no_context_takeover", 15),
        ("other; a=b, permessage-deflate; server_max_window_bits=9", 9),
        ("permessage-deflate; unknown, permessage-deflate", 15),
        (",, permessage-deflate,", 15),
        // zlib has no window of 256 bytes.
        ("permessage-deflate; server_max_window_bits=8, permessage-deflate", 15),
    ])
    func takesTheFirstOfferItCanKeep(offers: String, bits: Int) {
        #expect(WebSocketDeflate(offers: offers)?.serverWindowBits == bits)
    }

    @Test(arguments: [
        "", "other", "x-permessage-deflate", "permessage-deflate; server_max_window_bits=8",
        "permessage-deflate; server_max_window_bits", "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=010", "permessage-deflate; server_max_window_bits=+9",
        "permessage-deflate; client_max_window_bits=7", "permessage-deflate; client_max_window_bits=\"\"",
        "permessage-deflate; server_no_context_takeover=1", "permessage-deflate; client_no_context_takeover=true",
        "permessage-deflate; server_max_window_bits=10; server_max_window_bits=11", "permessage-deflate; a",
        "permessage-deflate;", "permessage-deflate; =", "permessage-deflate other", "permessage-deflate; a=\"b",
        "permessage-deflate, ;",
    ])
    func declinesTheRest(offers: String) { #expect(WebSocketDeflate(offers: offers) == nil) }

    @Test func saysWhatItTook() {
        let both = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        #expect(WebSocketDeflate(offers: "permessage-deflate")?.answer == both)
        let bounded = WebSocketDeflate(offers: "permessage-deflate; server_max_window_bits=10")
        #expect(bounded?.answer == both + "; server_max_window_bits=10")
    }

    // MARK: The client

    @Test func takesAnAnswerToItsOffer() {
        #expect(WebSocketDeflate(offers: WebSocketDeflate.offer) != nil)
        for answer in [
            WebSocketDeflate.offer, "permessage-deflate; server_no_context_takeover",
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=8",
        ] {
            #expect(WebSocketDeflate.accepts(answer: answer))
        }
        for answer in [
            "", "other", "permessage-deflate", "permessage-deflate; client_no_context_takeover",
            WebSocketDeflate.offer + "; client_max_window_bits=10", WebSocketDeflate.offer + "; x",
            WebSocketDeflate.offer + ", other", WebSocketDeflate.offer + ", " + WebSocketDeflate.offer,
            WebSocketDeflate.offer + "; server_max_window_bits", WebSocketDeflate.offer + ";",
        ] {
            #expect(!WebSocketDeflate.accepts(answer: answer), "\(answer)")
        }
    }

    // MARK: Frames, section 6

    private func decode(_ bytes: [UInt8], allowsDeflate: Bool = true) -> [WebSocketDecoder.Event] {
        var decoder = WebSocketDecoder(expectsMask: false, messageBytesMax: 1 << 16, allowsDeflate: allowsDeflate)
        var events: [WebSocketDecoder.Event] = []
        bytes.withUnsafeBytes { decoder.take($0, into: &events) }
        return events
    }

    @Test func theFirstReservedBitMarksAMessage() {
        let hello: [UInt8] = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]
        #expect(decode([0xC1, 0x07] + hello) == [.deflated(isText: true, hello)])
        #expect(decode([0xC2, 0x07] + hello) == [.deflated(isText: false, hello)])
        #expect(decode([0x41, 0x03] + hello[..<3] + [0x80, 0x04] + hello[3...]) == [.deflated(isText: true, hello)])
        // The next one is not, and a control frame may lie between.
        let mixed: [UInt8] = [0x41, 0x03] + hello[..<3] + [0x89, 0x00, 0x80, 0x04] + hello[3...] + [0x81, 0x01, 0x61]
        #expect(decode(mixed) == [.ping([]), .deflated(isText: true, hello), .text([0x61])])
    }

    @Test(
        arguments: [
            [0xC8, 0x00], [0xC9, 0x00], [0xCA, 0x00], [0xC0, 0x00], [0x41, 0x01, 0x00, 0xC0, 0x00], [0xA1, 0x00],
            [0x91, 0x00], [0xE1, 0x00],
        ] as [[UInt8]])
    func theBitIsNowhereElse(bytes: [UInt8]) {
        guard case .failure(WebSocketCloseCode.protocolError, _)? = decode(bytes).last else {
            Issue.record("\(decode(bytes))")
            return
        }
    }

    @Test func withoutAgreementTheBitIsAFault() {
        guard case .failure(WebSocketCloseCode.protocolError, _)? = decode([0xC1, 0x00], allowsDeflate: false).last
        else {
            Issue.record("taken")
            return
        }
    }

    @Test func framesSayThatTheyAreCompressed() {
        let frame = [1, 2, 3].withUnsafeBytes { WebSocketFrame.frame(.binary, $0, mask: nil, isDeflated: true) }
        #expect(frame.first == 0xC2)
    }
}
