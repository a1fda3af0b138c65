import Foundation
import Testing

@testable import Wire

private let fuzzSeconds = ProcessInfo.processInfo.environment["SIDELIGHT_FUZZ_SECONDS"].flatMap(Double.init)

/// Requests mutated at random: no input traps, reads beyond its end or is understood in two ways.
@Suite struct HTTP1FuzzTests {
    private static let corpus: [[UInt8]] =
        HTTP1Corpus.all.filter { $0.text.unicodeScalars.count < 600 }.map { latin1Bytes($0.text) }
        + [
            HTTP1RequestParserTests.get, HTTP1RequestParserTests.post, HTTP1RequestParserTests.chunked,
            HTTP1RequestParserTests.post + HTTP1RequestParserTests.chunked + HTTP1RequestParserTests.get,
        ].map { latin1Bytes($0) }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func fuzzedRequestsAreUnderstoodInOneWay(seed: UInt64) {
        fuzz(seed: seed, rounds: 4_000)
    }

    /// As long as `SIDELIGHT_FUZZ_SECONDS` says, with seeds from the clock; each is printed before it is tried.
    @Test(.enabled(if: fuzzSeconds != nil, "SIDELIGHT_FUZZ_SECONDS is not set"))
    func fuzzedRequestsAreUnderstoodInOneWayForLong() {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(fuzzSeconds ?? 0)
        while clock.now < end {
            let seed = UInt64.random(in: .min ... .max)
            print("HTTP1FuzzTests: seed \(seed)")
            fuzz(seed: seed, rounds: 10_000)
        }
    }

    private func fuzz(seed: UInt64, rounds: Int) {
        var generator = Generator(seed: seed)
        var limits = HTTP1Limits()
        limits.requestLineBytesMax = 200
        limits.headBytesMax = 600
        limits.headerCountMax = 12
        limits.bodyBytesMax = 1 << 20
        limits.trailerBytesMax = 60
        for round in 0..<rounds {
            var input = Self.corpus[generator.below(Self.corpus.count)]
            for _ in 0..<generator.below(5) { mutate(&input, &generator) }
            let limits = generator.below(2) == 0 ? HTTP1Limits() : limits
            let whole = HTTP1Feed.items(of: input, limits: limits)
            let feed = HTTP1Feed(limits: limits)
            var position = 0
            while position < input.count {
                let count = min(input.count - position, 1 + generator.below(generator.below(8) == 0 ? 64 : 6))
                feed.receive(input[position..<position + count])
                position += count
            }
            #expect(feed.items == whole, "seed \(seed), round \(round): \(latin1(input).debugDescription)")
            checkText(whole, input, seed)
        }
    }

    /// What is in a head's text came from the input and holds its lines' form.
    private func checkText(_ items: [HTTP1Item], _ input: [UInt8], _ seed: UInt64) {
        for case .head(let seen) in items {
            let lines = seen.text.split(separator: 0x0A, omittingEmptySubsequences: false)
            #expect(lines.count % 2 == 0 && lines.last == [], "seed \(seed): \(latin1(seen.text).debugDescription)")
            #expect(!seen.text.contains { $0 < 0x20 && $0 != 0x09 && $0 != 0x0A || $0 == 0x7F }, "seed \(seed)")
            #expect(seen.text.count < input.count, "seed \(seed)")
        }
    }

    private static let pieces: [[UInt8]] = [
        "\r\n", "\n", "\r", ":", " ", "\t", "\0", "0\r\n\r\n", "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Host: a\r\n", "GET / HTTP/1.1\r\n", ",", ";", "\u{FF}", "1\r\na\r\n", "HTTP/1.1", "chunked",
        "Connection: close\r\n",
    ].map { latin1Bytes($0) }

    private func mutate(_ bytes: inout [UInt8], _ generator: inout Generator) {
        guard !bytes.isEmpty else { return bytes = [UInt8(generator.below(256))] }
        let index = generator.below(bytes.count)
        switch generator.below(8) {
        case 0: bytes[index] = UInt8(generator.below(256))
        case 1: bytes[index] ^= 1 << UInt8(generator.below(8))
        case 2: bytes.remove(at: index)
        case 3, 4: bytes.insert(contentsOf: Self.pieces[generator.below(Self.pieces.count)], at: index)
        case 5: bytes.removeSubrange(index..<min(bytes.count, index + generator.below(16)))
        case 6: bytes.removeLast(generator.below(min(bytes.count, 40)))
        default:
            let from = generator.below(bytes.count)
            bytes.insert(contentsOf: bytes[from..<min(bytes.count, from + generator.below(300))], at: index)
        }
    }
}
