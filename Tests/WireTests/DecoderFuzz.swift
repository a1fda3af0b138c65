import Foundation
import Telemetry
import Testing
import Wire

/// Mutations of a corpus for one decoder.
struct DecoderFuzz {
    /// Seconds a fuzz test runs when it runs for long.
    static let seconds = ProcessInfo.processInfo.environment["SIDELIGHT_FUZZ_SECONDS"].flatMap(Double.init)

    var corpus: [[UInt8]]
    /// Inserted whole.
    var pieces: [[UInt8]]
    let decode: ([UInt8]) throws(DecodeError) -> OTLP.Received

    /// Files of `Tests/WireTests/corpus/NAME`: inputs that once broke a decoder, or that reach far into it.
    static func files(_ name: String) -> [[UInt8]] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "corpus/\(name)")
        let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
        return files.sorted { $0.path < $1.path }.compactMap { (try? Data(contentsOf: $0)).map { [UInt8]($0) } }
    }

    func run(seed: UInt64, rounds: Int) {
        var generator = Generator(seed: seed)
        for round in 0..<rounds {
            var input = corpus[generator.below(corpus.count)]
            for _ in 0...generator.below(5) { mutate(&input, &generator) }
            check(input, "seed \(seed), round \(round)")
        }
    }

    /// For as long as `SIDELIGHT_FUZZ_SECONDS` says, with seeds from the clock; each is printed before it is tried.
    func runForLong(_ name: String) {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(Self.seconds ?? 0)
        var rounds = 0
        while clock.now < end {
            let seed = UInt64.random(in: .min ... .max)
            print("\(name): seed \(seed), after \(rounds) rounds")
            run(seed: seed, rounds: 2_000)
            rounds += 2_000
        }
    }

    /// What is let in is well formed: it can be sent on in OTLP, and comes back the same.
    func check(_ input: [UInt8], _ where: String) {
        guard let received = try? decode(input) else { return }
        #expect((received.rejectedItems == 0) == (received.firstRejection == nil), "\(`where`)")
        for batch in received.batches {
            #expect(!batch.isEmpty, "\(`where`)")
            var end = 0
            for item in batch.items {
                #expect(Int(item.offset) == end && Int(item.scope) < batch.scopes.count, "\(`where`)")
                end += Int(item.length)
            }
            #expect(end == batch.bytes.count, "\(`where`)")
            #expect(throws: Never.self, "\(`where`)") { try batch.decodedResource() }
            #expect(throws: Never.self, "\(`where`)") { try batch.decodedScopes() }
            for index in batch.items.indices {
                #expect(throws: Never.self, "\(`where`)") { try decodeItem(batch, index) }
            }
        }
        guard let signal = received.batches.first?.signal else { return }
        let items = received.batches.reduce(0) { $0 + $1.items.count }
        let again = try? OTLP.batches(fromExportRequest: OTLP.exportRequest(batches: received.batches), signal: signal)
        #expect(again?.batches.reduce(0) { $0 + $1.items.count } == items, "\(`where`)")
        let json = OTLP.exportRequestJSON(batches: received.batches)
        #expect(json.items == items && json.skipped == 0, "\(`where`)")
    }

    private func decodeItem(_ batch: Batch, _ index: Int) throws {
        switch batch.signal {
        case .traces: _ = try batch.span(at: index)
        case .logs: _ = try batch.logRecord(at: index)
        case .metrics: _ = try batch.metric(at: index)
        }
    }

    private func mutate(_ bytes: inout [UInt8], _ generator: inout Generator) {
        guard !bytes.isEmpty else { return bytes = [UInt8(generator.below(256))] }
        let index = generator.below(bytes.count)
        switch generator.below(9) {
        case 0: bytes[index] = UInt8(generator.below(256))
        case 1: bytes[index] ^= 1 << UInt8(generator.below(8))
        case 2: bytes.remove(at: index)
        case 3: bytes.insert(UInt8(generator.below(256)), at: index)
        case 4: bytes.removeSubrange(index..<min(bytes.count, index + generator.below(16)))
        case 5: bytes.removeLast(generator.below(min(bytes.count, 40)))
        case 6:
            let from = generator.below(bytes.count)
            bytes.insert(contentsOf: bytes[from..<min(bytes.count, from + generator.below(200))], at: index)
        default:
            guard !pieces.isEmpty else { return }
            let piece = pieces[generator.below(pieces.count)]
            let end = generator.chance(50) ? index : min(bytes.count, index + piece.count)
            bytes.replaceSubrange(index..<end, with: piece)
        }
    }

    static let jsonPieces: [[UInt8]] = [
        "{", "}", "[", "]", ":", ",", "\"", "\\", "null", "true", "0", "-0", "1e400", "-1e-400", "18446744073709551615",
        "18446744073709551616", "-9223372036854775809", "\"NaN\"", "\"Infinity\"", "\\ud83d", "\\ude80", "\\u0000",
        "\"\":",
        "\"attributes\":[", "\"traceId\":", "\"kind\":1,", "{}", "[]", "[[[[[[[[", "{\"a\":{\"a\":", " ", "\n",
        "\"value\":{",
        "\"arrayValue\":{\"values\":[", "\"intValue\":\"1\"", "é", "\u{FEFF}", "\"\"", "0.5", "00",
        "99999999999999999999999",
    ].map { Array($0.utf8) }
}

@Suite struct OTLPReceiveJSONFuzzTests {
    private static func fuzz(_ signal: Signal) -> DecoderFuzz {
        var generator = Generator(seed: 7, withNaN: true)
        let resource = Example.resource
        let batch: Batch
        switch signal {
        case .traces:
            batch = Batch(
                [Example.span] + (0..<3).map { _ in generator.span() }, resource: resource, scope: Example.scope)
        case .logs:
            batch = Batch(
                [Example.log] + (0..<3).map { _ in generator.log() }, resource: resource, scope: Example.scope)
        case .metrics:
            batch = Batch(
                [Example.counter, Example.gauge, Example.histogram] + (0..<3).map { _ in generator.metric() },
                resource: resource)
        }
        let small = Batch(
            signal: signal, resource: batch.resource, scopes: batch.scopes,
            bytes: Array(batch.bytes.prefix(Int(batch.items[0].length))), items: Array(batch.items.prefix(1)))
        let corpus =
            [batch, small].map { OTLP.exportRequestJSON(batches: [$0]).bytes } + DecoderFuzz.files("otlp-\(signal)")
        return DecoderFuzz(corpus: corpus, pieces: DecoderFuzz.jsonPieces) { (input) throws(DecodeError) in
            try OTLP.batches(fromExportRequestJSON: input, signal: signal)
        }
    }

    @Test(arguments: Signal.allCases)
    func fuzzedJSONIsRefusedOrWellFormed(signal: Signal) {
        for seed in 0..<3 as Range<UInt64> { Self.fuzz(signal).run(seed: seed, rounds: 1_000) }
    }

    @Test(.enabled(if: DecoderFuzz.seconds != nil, "SIDELIGHT_FUZZ_SECONDS is not set"), arguments: Signal.allCases)
    func fuzzedJSONIsRefusedOrWellFormedForLong(signal: Signal) {
        Self.fuzz(signal).runForLong("OTLPReceiveJSONFuzzTests \(signal)")
    }

    /// Telemetry at random, through our encoder and back.
    @Test(.enabled(if: DecoderFuzz.seconds != nil, "SIDELIGHT_FUZZ_SECONDS is not set"))
    func fuzzedItemsComeBackEqualForLong() throws {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(DecoderFuzz.seconds ?? 0)
        while clock.now < end { try OTLPJSONRoundTrip.run(seed: UInt64.random(in: .min ... .max)) }
    }
}
