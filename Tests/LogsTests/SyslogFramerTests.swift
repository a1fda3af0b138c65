import Testing

@testable import Logs

@Suite struct SyslogFramerTests {
    private static func messages(_ pieces: [[UInt8]], max: Int = 1_024) -> (texts: [String], framer: SyslogFramer) {
        var framer = SyslogFramer(messageBytesMax: max)
        var texts: [String] = []
        for piece in pieces {
            piece.withUnsafeBytes { framer.take($0) { texts.append(String(decoding: $0, as: UTF8.self)) } }
        }
        framer.end { texts.append(String(decoding: $0, as: UTF8.self)) }
        return (texts, framer)
    }

    @Test(arguments: [
        ("<1>a\n<2>b\r\n\n<3>c", ["<1>a", "<2>b\r", "<3>c"]),
        ("<1>a\0<2>b\0", ["<1>a", "<2>b"]),
        ("4 <1>a5 <2>b\n3 <3>", ["<1>a", "<2>b\n", "<3>"]),
        // One after the other, and a line feed behind a counted one.
        ("4 <1>a\n<2>b\n4 <3>c", ["<1>a", "<2>b", "<3>c"]),
        // No lengths.
        ("12x\n1234567890 y\n0 z\n", ["12x", "1234567890 y", "0 z"]),
        ("9 <1>short", ["<1>short"]),
        ("10 <1>short", ["<1>short"]),
        ("", []),
    ])
    func streamsAreCut(stream: String, expected: [String]) {
        let bytes = Array(stream.utf8)
        #expect(Self.messages([bytes]).texts == expected)
        #expect(Self.messages(bytes.map { [$0] }).texts == expected)
    }

    @Test func whatIsTooLongIsCutAndCounted() {
        let long = String(repeating: "x", count: 2_000)
        let stream = Array("<1>\(long)\n<2>b\n2003 <3>\(long)<4>d\n".utf8)
        for pieces in [[stream], stream.map { [$0] }] {
            let (texts, framer) = Self.messages(pieces, max: 100)
            #expect(texts == ["<1>" + long.prefix(97), "<2>b", "<3>" + long.prefix(97), "<4>d"])
            #expect(framer.cutMessages == 2 && framer.cutBytes == 2 * 1_903)
            #expect(framer.bytesHeld <= 1_024)
        }
    }

    /// However the stream comes, the messages are the same.
    @Test(arguments: 0..<3 as Range<UInt64>)
    func piecesDoNotMatter(seed: UInt64) {
        var random = SplitMix(state: seed)
        for _ in 0..<200 {
            var stream: [UInt8] = []
            var expected: [String] = []
            for _ in 0..<20 {
                let text = "<13>" + String(repeating: "ab ", count: random.below(40))
                expected.append(text)
                switch random.below(3) {
                case 0: stream += Array("\(text.utf8.count) \(text)".utf8)
                case 1: stream += Array("\(text)\n".utf8)
                default: stream += Array(text.utf8) + [0]
                }
            }
            var pieces: [[UInt8]] = []
            var rest = stream[...]
            while !rest.isEmpty {
                pieces.append(Array(rest.prefix(1 + random.below(60))))
                rest = rest.dropFirst(pieces.last!.count)
            }
            #expect(Self.messages(pieces).texts == expected, "seed \(seed)")
            // Noise is cut somehow, and within the bound.
            var noise = stream
            for _ in 0..<20 { noise[random.below(noise.count)] = UInt8(random.below(256)) }
            let whole = Self.messages([noise], max: 64)
            #expect(Self.messages(noise.map { [$0] }, max: 64).texts == whole.texts)
            #expect(whole.texts.allSatisfy { $0.utf8.count <= 64 * 3 })
        }
    }
}
