import Foundation
import Telemetry
import Testing
import Wire

private let fuzzSeconds = ProcessInfo.processInfo.environment["SIDELIGHT_FUZZ_SECONDS"].flatMap(Double.init)

/// Input made to break the decoders: they throw or decode, and never trap.
@Suite struct OTLPHostileTests {
    private static let request = OTLP.exportRequest(batches: [
        Batch([Example.span, Example.span], resource: Example.resource, scope: Example.scope)
    ])

    @Test func everyPrefixThrowsOrDecodes() {
        let span = written { OTLP.encode(span: Example.span, into: &$0) }
        for count in 0..<span.count { decodeAll(Array(span[..<count])) }
        for point in [Example.counter, Example.gauge, Example.histogram] {
            let metric = written { OTLP.encode(metric: point, into: &$0) }
            for count in 0..<metric.count { decodeAll(Array(metric[..<count])) }
        }
        let log = written { OTLP.encode(log: Example.log, into: &$0) }
        for count in 0..<log.count { decodeAll(Array(log[..<count])) }
        for count in 0..<Self.request.count { decodeAll(Array(Self.request[..<count])) }
    }

    /// 200,000 mutations in all; a failure is found again by its seed.
    @Test(arguments: 0..<8 as Range<UInt64>)
    func fuzzedMessagesThrowOrDecode(seed: UInt64) {
        fuzz(seed: seed, rounds: 25_000)
    }

    /// As long as `SIDELIGHT_FUZZ_SECONDS` says, with seeds from the clock; each is printed before it is tried.
    @Test(.enabled(if: fuzzSeconds != nil, "SIDELIGHT_FUZZ_SECONDS is not set"))
    func fuzzedMessagesThrowOrDecodeForLong() {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(fuzzSeconds ?? 0)
        while clock.now < end {
            let seed = UInt64.random(in: .min ... .max)
            print("OTLPHostileTests: seed \(seed)")
            fuzz(seed: seed, rounds: 10_000)
        }
    }

    private func fuzz(seed: UInt64, rounds: Int) {
        var generator = Generator(seed: seed)
        let corpus = [
            written { OTLP.encode(span: Example.span, into: &$0) },
            written { OTLP.encode(log: Example.log, into: &$0) },
            written { OTLP.encode(metric: Example.counter, into: &$0) },
            written { OTLP.encode(metric: Example.histogram, into: &$0) }, OTLP.message(Example.resource), Self.request,
        ]
        for round in 0..<rounds {
            var input = corpus[round % corpus.count]
            for _ in 0...generator.below(4) { mutate(&input, &generator) }
            decodeOne(input, round % corpus.count)
        }
    }

    private func mutate(_ bytes: inout [UInt8], _ generator: inout Generator) {
        guard !bytes.isEmpty else { return bytes = [UInt8(generator.below(256))] }
        let index = generator.below(bytes.count)
        switch generator.below(6) {
        case 0: bytes[index] = UInt8(generator.below(256))
        case 1: bytes[index] ^= 1 << UInt8(generator.below(8))
        case 2: bytes.remove(at: index)
        case 3: bytes.insert(UInt8(generator.below(256)), at: index)
        case 4: bytes.removeSubrange(index..<min(bytes.count, index + generator.below(16)))
        default: bytes.replaceSubrange(index..<index, with: bytes.prefix(generator.below(16)))
        }
    }

    private func decodeOne(_ input: [UInt8], _ kind: Int) {
        switch kind {
        case 0: _ = try? OTLP.decodeSpan(input)
        case 1: _ = try? OTLP.decodeLog(input)
        case 2, 3: _ = try? OTLP.decodeMetric(input)
        case 4: _ = try? OTLP.decodeResource(input)
        default: receiveAndExport(input, .traces)
        }
    }

    private func decodeAll(_ input: [UInt8]) {
        for kind in 0..<5 { decodeOne(input, kind) }
        for signal in Signal.allCases { receiveAndExport(input, signal) }
        _ = try? OTLP.decodeExportResponse(input, signal: .traces)
        _ = try? JSONValue(parsing: input)
    }

    /// What was let in can be sent on in every form.
    private func receiveAndExport(_ input: [UInt8], _ signal: Signal) {
        guard let received = try? OTLP.batches(fromExportRequest: input, signal: signal) else { return }
        let items = received.batches.reduce(0) { $0 + $1.items.count }
        let again = try? OTLP.batches(fromExportRequest: OTLP.exportRequest(batches: received.batches), signal: signal)
        #expect(again?.batches.reduce(0) { $0 + $1.items.count } == items)
        let json = OTLP.exportRequestJSON(batches: received.batches)
        #expect(json.items + json.skipped == items)
        guard signal == .traces else { return }
        let zipkin = Zipkin.encode(batches: received.batches)
        #expect(zipkin.items + zipkin.skipped == items)
        let jaeger = Jaeger.encode(batches: received.batches)
        #expect(jaeger.reduce(0) { $0 + $1.items + $1.skipped } == items)
    }

    @Test func valuesNestUpToTheLimit() throws {
        #expect(throws: Never.self) { try OTLP.decodeLog(nestedArrays(OTLP.valueDepthMax)) }
        #expect(throws: DecodeError.self) { try OTLP.decodeLog(nestedArrays(OTLP.valueDepthMax + 1)) }
        #expect(throws: Never.self) { try OTLP.decodeLog(nestedMaps(OTLP.valueDepthMax)) }
        #expect(throws: DecodeError.self) { try OTLP.decodeLog(nestedMaps(OTLP.valueDepthMax + 1)) }
    }

    @Test func aHundredThousandLevelsAreRefusedWithoutRecursion() {
        let log = nestedArrays(100_000)
        do {
            _ = try OTLP.decodeLog(log)
            #expect(Bool(false), "decoded")
        } catch {
            #expect(error.shortDescription == "values nest deeper than the limit")
        }
        let request = written { $0.message(1) { $0.message(2) { $0.putBytes(2, log) } } }
        let batches = (try? OTLP.batches(fromExportRequest: request, signal: .logs))?.batches ?? []
        #expect(batches.count == 1)
        #expect(OTLP.exportRequestJSON(batches: batches).skipped == 1)
    }

    private func nestedArrays(_ depth: Int) -> [UInt8] { nested(depth, through: [1, 5]) }

    private func nestedMaps(_ depth: Int) -> [UInt8] { nested(depth, through: [2, 1, 6]) }

    /// A log record whose body is an `AnyValue` that many levels deep. `fields` are the numbers of the messages between a
    /// value and the one around it, from the inside out. Only headers: each encloses all that follow.
    private func nested(_ depth: Int, through fields: [UInt32]) -> [UInt8] {
        var headers: [[UInt8]] = []
        var size = 0
        for field in Array(repeatElement(fields, count: depth - 1).joined()) + [5] {
            headers.append(
                written { writer in
                    writer.storeTag(field, .lengthDelimited)
                    writer.storeVarint(UInt64(size))
                })
            size += headers[headers.count - 1].count
        }
        return Array(headers.reversed().joined())
    }
}
