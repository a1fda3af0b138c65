import Testing

@testable import Wire

/// RFC 6455, from the decoder's side.
struct WebSocketTests {
    typealias Event = WebSocketDecoder.Event

    private func decode(
        _ bytes: [UInt8], expectsMask: Bool = false, messageBytesMax: Int = 1 << 20, piece: Int = .max
    ) -> [Event] {
        var decoder = WebSocketDecoder(expectsMask: expectsMask, messageBytesMax: messageBytesMax)
        var events: [Event] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            rest.prefix(piece).withUnsafeBytes { decoder.take($0, into: &events) }
            rest = rest.dropFirst(piece)
        }
        return events
    }

    private func frame(_ first: UInt8, _ payload: [UInt8], mask: UInt32? = nil) -> [UInt8] {
        var bytes = payload.withUnsafeBytes { WebSocketFrame.frame(.text, $0, mask: mask) }
        bytes[0] = first
        return bytes
    }

    private func code(_ bytes: [UInt8], expectsMask: Bool = false, messageBytesMax: Int = 1 << 20) -> UInt16? {
        let events = decode(bytes, expectsMask: expectsMask, messageBytesMax: messageBytesMax)
        guard case .failure(let code, _)? = events.last else { return nil }
        return code
    }

    // MARK: The RFC's own examples, section 5.7

    @Test func readsTheExamples() {
        let hello = Array("Hello".utf8)
        #expect(decode([0x81, 0x05] + hello) == [.text(hello)])
        let masked: [UInt8] = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]
        #expect(decode(masked, expectsMask: true) == [.text(hello)])
        #expect(decode([0x01, 0x03] + hello[..<3] + [0x80, 0x02] + hello[3...]) == [.text(hello)])
        #expect(decode([0x89, 0x05] + hello) == [.ping(hello)])
        #expect(decode([0x8a, 0x05] + hello) == [.pong(hello)])
        let long = [UInt8](repeating: 7, count: 256)
        #expect(decode([0x82, 0x7E, 0x01, 0x00] + long) == [.binary(long)])
        let longer = [UInt8](repeating: 9, count: 65_536)
        #expect(decode([0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0] + longer) == [.binary(longer)])
    }

    @Test func answersTheHandshakeOfTheExample() {
        #expect(WebSocketHandshake.accept("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        #expect(WebSocketHandshake.isKey("dGhlIHNhbXBsZSBub25jZQ=="))
        #expect(WebSocketHandshake.isKey(WebSocketHandshake.key([UInt8](0..<16))))
        for text in [
            "", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ= ", "dGhlIHNhbXBsZSBub25jZQ===",
            "dGhlIHNhbXBsZSBub25j*Q==",
        ] {
            #expect(!WebSocketHandshake.isKey(text))
        }
    }

    @Test func digestsAcrossBlocks() {
        func hex(_ text: String) -> String {
            SHA1.digest(Array(text.utf8)).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        }
        #expect(hex("") == "da39a3ee5e6b4b0d3255bfef95601890afd80709")
        #expect(hex("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(
            hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
                == "84983e441c3bd26ebaae4aa1f95129e5e54670f1")
        #expect(hex(String(repeating: "a", count: 1_000)) == "291e9a6c66994949b57ba5e650361e98fc36b1ba")
    }

    // MARK: What is no frame

    @Test(arguments: [0xC1, 0xA1, 0x91] as [UInt8]) func reservedBitsEndIt(first: UInt8) {
        #expect(code([first, 0]) == 1002)
    }

    @Test(arguments: [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] as [UInt8]) func unknownOpcodesEndIt(opcode: UInt8) {
        #expect(code([0x80 | opcode, 0]) == 1002)
    }

    @Test func controlFramesAreShortAndWhole() {
        for opcode in [8, 9, 10] as [UInt8] {
            #expect(code([0x80 | opcode, 126, 0, 126]) == 1002)
            #expect(code([0x80 | opcode, 127]) == 1002)
            #expect(code([opcode, 0]) == 1002)
        }
        #expect(decode(frame(0x89, [UInt8](repeating: 1, count: 125))).count == 1)
    }

    @Test func clientsMaskAndServersDoNot() {
        #expect(code([0x81, 0x01, 0x41], expectsMask: true) == 1002)
        #expect(code([0x81, 0x81, 0, 0, 0, 0, 0x41], expectsMask: false) == 1002)
    }

    @Test func lengthsAreInTheirShortestForm() {
        #expect(code([0x82, 126, 0, 125]) == 1002)
        #expect(code([0x82, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]) == 1002)
        #expect(code([0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0]) == 1009)
        #expect(code([0x82, 127] + [UInt8](repeating: 0xFF, count: 8)) == 1009)
    }

    @Test func piecesBelongToOneMessage() {
        #expect(code([0x80, 0x00]) == 1002)
        #expect(code([0x01, 0x00, 0x81, 0x00]) == 1002)
        #expect(decode([0x01, 0x01, 0x41, 0x89, 0x00, 0x80, 0x01, 0x42]) == [.ping([]), .text([0x41, 0x42])])
        #expect(decode([0x02, 0x00, 0x00, 0x00, 0x80, 0x00]) == [.binary([])])
    }

    @Test func aMessageHasABound() {
        #expect(decode(frame(0x82, [1, 2, 3, 4]), messageBytesMax: 4) == [.binary([1, 2, 3, 4])])
        #expect(code(frame(0x82, [1, 2, 3, 4, 5]), messageBytesMax: 4) == 1009)
        #expect(code(frame(0x02, [1, 2, 3]) + frame(0x80, [4, 5]), messageBytesMax: 4) == 1009)
        // The header alone is enough.
        #expect(code([0x82, 5], messageBytesMax: 4) == 1009)
        // Control frames are no part of it.
        #expect(decode(frame(0x02, [1, 2, 3, 4]) + frame(0x89, [5]) + frame(0x80, []), messageBytesMax: 4).count == 2)
    }

    @Test func textIsUTF8() {
        let good = ["", "a", "ä", "€", "𝄞", "\u{10FFFF}", "\u{D7FF}\u{E000}", "aäaaaaaaaaaaaaaaa€𝄞aaaaaaaaaaaaaaaaaa"]
        for text in good {
            for piece in [1, 2, 3, .max] {
                #expect(decode(frame(0x81, Array(text.utf8)), piece: piece) == [.text(Array(text.utf8))])
            }
        }
        let bad: [[UInt8]] = [
            [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xE0, 0x9F, 0xBF], [0xED, 0xA0, 0x80],
            [0xF0, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80],
            [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xE2, 0x82], [0xC3, 0x41],
            [0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0xFE],
        ]
        for bytes in bad { #expect(code(frame(0x81, bytes)) == 1007, "\(bytes)") }
        // A character may be cut between two frames, and what is wrong is found before the message is whole.
        #expect(decode(frame(0x01, [0xE2, 0x82]) + frame(0x80, [0xAC])) == [.text([0xE2, 0x82, 0xAC])])
        #expect(code(frame(0x01, [0xFF])) == 1007)
        // Bytes may be anything.
        #expect(decode(frame(0x82, [0xFF])) == [.binary([0xFF])])
    }

    @Test func closeFramesSayWhy() {
        #expect(decode([0x88, 0x00]) == [.close(code: 1005, reason: [])])
        #expect(decode([0x88, 0x02, 0x03, 0xE8]) == [.close(code: 1000, reason: [])])
        #expect(decode([0x88, 0x04, 0x0F, 0xA0, 0x68, 0x69]) == [.close(code: 4000, reason: Array("hi".utf8))])
        #expect(code([0x88, 0x01, 0x03]) == 1002)
        for bad in [0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65_535] as [UInt16] {
            #expect(code([0x88, 0x02, UInt8(bad >> 8), UInt8(bad & 0xFF)]) == 1002, "\(bad)")
        }
        #expect(code([0x88, 0x03, 0x03, 0xE8, 0xFF]) == 1007)
        #expect(code([0x88, 0x03, 0x03, 0xE8, 0xC3]) == 1007)
        // Nothing comes after it.
        #expect(decode([0x88, 0x00, 0x81, 0x01, 0x41]).count == 1)
        #expect(decode([0xFF, 0x00, 0x81, 0x01, 0x41]).count == 1)
    }

    @Test func reasonsAreCutAtACharacter() {
        let reason = Array(String(repeating: "€", count: 50).utf8)
        let payload = reason.withUnsafeBytes { WebSocketFrame.closePayload(1000, $0) }
        #expect(payload.count == 2 + 123)
        #expect(String(validating: payload[2...], as: UTF8.self) != nil)
        #expect(reason.withUnsafeBytes { WebSocketFrame.closePayload(nil, $0) }.isEmpty)
    }

    // MARK: In pieces, and at random

    @Test func maskingByWordsIsMaskingByBytes() {
        var generator = Randomness(seed: 7)
        for count in 0...40 {
            for offset in 0...9 {
                let key = UInt32.random(in: .min ... .max, using: &generator)
                let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
                let keyBytes = withUnsafeBytes(of: key, Array.init)
                let expected = bytes.enumerated().map { $0.element ^ keyBytes[($0.offset + offset) % 4] }
                var masked = bytes
                masked.withUnsafeMutableBytes { WebSocketFrame.mask($0, with: key, offset: offset) }
                #expect(masked == expected)
            }
        }
    }

    @Test(arguments: 0..<60 as Range<UInt64>) func framesInAnyPiecesAreTheSameMessages(seed: UInt64) {
        var generator = Randomness(seed: seed)
        var bytes: [UInt8] = []
        var expected: [Event] = []
        let isMasked = Bool.random(using: &generator)
        func add(_ first: UInt8, _ payload: [UInt8]) {
            bytes += frame(first, payload, mask: isMasked ? UInt32.random(in: .min ... .max, using: &generator) : nil)
        }
        for _ in 0..<Int.random(in: 1...8, using: &generator) {
            let isText = Bool.random(using: &generator)
            let size = [0, 1, 5, 125, 126, 127, 300, 65_535, 65_536, 70_000].randomElement(using: &generator)!
            let message = (0..<size).map { _ in UInt8.random(in: 0...127, using: &generator) }
            let cut = Int.random(in: 0...size, using: &generator)
            if Bool.random(using: &generator) {
                add(isText ? 0x01 : 0x02, Array(message[..<cut]))
                if Bool.random(using: &generator) {
                    add(0x89, [1, 2])
                    expected.append(.ping([1, 2]))
                }
                add(0x80, Array(message[cut...]))
            } else {
                add(isText ? 0x81 : 0x82, message)
            }
            expected.append(isText ? .text(message) : .binary(message))
        }
        #expect(decode(bytes, expectsMask: isMasked) == expected)
        #expect(decode(bytes, expectsMask: isMasked, piece: Int.random(in: 1...50, using: &generator)) == expected)
    }

    /// Whatever comes, there is one end at most, nothing after it, and no message over the bound; and pieces make no difference.
    @Test(arguments: 0..<200 as Range<UInt64>) func anyBytesAreSurvived(seed: UInt64) {
        var generator = Randomness(seed: seed)
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 1...30, using: &generator) {
            // Mostly frames, with something wrong here and there.
            let first =
                Bool.random(using: &generator)
                ? [0x81, 0x82, 0x01, 0x80, 0x89, 0x88].randomElement(using: &generator)!
                : UInt8.random(in: .min ... .max, using: &generator)
            let size = Int.random(in: 0...140, using: &generator)
            let payload = (0..<size).map { _ in
                UInt8.random(in: Bool.random(using: &generator) ? 0...127 : 0...255, using: &generator)
            }
            bytes += frame(first, payload)
        }
        for _ in 0..<Int.random(in: 0...3, using: &generator) {
            bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(in: .min ... .max, using: &generator)
        }
        let whole = decode(bytes, messageBytesMax: 200)
        for piece in [1, 3, 64] { #expect(decode(bytes, messageBytesMax: 200, piece: piece) == whole) }
        for (index, event) in whole.enumerated() {
            switch event {
            case .text(let message):
                #expect(message.count <= 200)
                #expect(String(validating: message, as: UTF8.self) != nil)
            case .binary(let message): #expect(message.count <= 200)
            case .ping(let payload), .pong(let payload): #expect(payload.count <= 125)
            case .close, .failure: #expect(index == whole.count - 1)
            }
        }
    }
}

/// SplitMix64: the same numbers for the same seed.
private struct Randomness: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
