import Testing
import Wire

/// The decoder of the format's description, as plain as it gets. Nil: the bytes are not snappy.
func snappyDecoded(_ bytes: [UInt8]) -> [UInt8]? {
    var index = 0
    var length = 0
    for shift in stride(from: 0, to: 35, by: 7) {
        guard index < bytes.count else { return nil }
        length |= Int(bytes[index] & 0x7F) << shift
        index += 1
        if bytes[index - 1] < 0x80 { break }
    }
    var output: [UInt8] = []
    func number(_ count: Int) -> Int? {
        guard index + count <= bytes.count else { return nil }
        defer { index += count }
        return (0..<count).reduce(0) { $0 | Int(bytes[index + $1]) << (8 * $1) }
    }
    while index < bytes.count {
        let tag = Int(bytes[index])
        index += 1
        var (count, distance) = (0, 0)
        switch tag & 3 {
        case 0:
            count = tag >> 2
            if count >= 60 {
                guard let more = number(count - 59) else { return nil }
                count = more
            }
            count += 1
            guard index + count <= bytes.count else { return nil }
            output += bytes[index..<index + count]
            index += count
            continue
        case 1:
            guard let low = number(1) else { return nil }
            (count, distance) = (((tag >> 2) & 7) + 4, (tag >> 5) << 8 | low)
        case 2:
            guard let far = number(2) else { return nil }
            (count, distance) = ((tag >> 2) + 1, far)
        default: return nil
        }
        guard distance > 0, distance <= output.count else { return nil }
        for _ in 0..<count { output.append(output[output.count - distance]) }
    }
    return output.count == length ? output : nil
}

@Suite struct SnappyTests {
    private struct Random: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 29
        }
    }

    @Test(arguments: [0, 1, 3, 15, 16, 17, 60, 61, 255, 256, 257, 65_535, 65_536, 65_537, 200_000])
    func everySizeComesBack(size: Int) {
        let texts = (0..<40).map { Array("{\"key\(size % 7)\":\"value \($0 * 31)\"}".utf8) }
        for bytes in [
            [UInt8](repeating: 7, count: size), (0..<size).map { UInt8(truncatingIfNeeded: $0) },
            Array((0..<size).lazy.map { texts[$0 / 20 % 40][$0 % 15] }),
        ] {
            let compressed = Snappy.compress(bytes)
            #expect(snappyDecoded(compressed) == bytes)
            #expect(compressed.count <= 32 + bytes.count + bytes.count / 6)
        }
        #expect(Snappy.compress([UInt8](repeating: 7, count: size)).count <= 24 + size / 16)
    }

    @Test func randomMixturesComeBack() {
        var random = Random(state: 4)
        for _ in 0..<300 {
            var bytes: [UInt8] = []
            while bytes.count < 100_000, Int.random(in: 0..<40, using: &random) > 0 {
                switch Int.random(in: 0..<4, using: &random) {
                case 0:
                    bytes += (0..<Int.random(in: 1..<90, using: &random)).map { _ in
                        UInt8.random(in: .min ... .max, using: &random)
                    }
                case 1: bytes += [UInt8](repeating: 9, count: Int.random(in: 1..<200, using: &random))
                default:
                    guard !bytes.isEmpty else { continue }
                    let start = Int.random(in: 0..<bytes.count, using: &random)
                    bytes += bytes[start..<min(bytes.count, start + Int.random(in: 1..<5_000, using: &random))]
                }
            }
            #expect(snappyDecoded(Snappy.compress(bytes)) == bytes)
        }
    }

    @Test func whatDoesNotCompressGrowsByLittle() {
        var random = Random(state: 1)
        let bytes = (0..<300_000).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        #expect(Snappy.compress(bytes).count < 300_100)
    }
}
