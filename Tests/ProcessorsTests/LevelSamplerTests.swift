import Configuration
import Telemetry
import Testing

@testable import Processors

@Suite struct LevelSamplerTests {
    private static func sampling(
        _ shares: [LevelSampling.Level: Double], _ services: [(String, [LevelSampling.Level: Double])] = []
    ) -> LevelSampling {
        var sampling = LevelSampling()
        sampling.shares = shares
        sampling.services = services.map { name, shares in
            var service = LevelSampling.Service(service: name)
            service.shares = shares
            return service
        }
        return sampling
    }

    private static func levels(_ sampling: LevelSampling) -> ProcessorChain {
        ProcessorChain([("levels", Processor(stage: LevelSampleStage(sampling, seed: 7)))])
    }

    @Test func whatIsBadPassesAndTheRestAsMuchAsIsSaid() {
        let chain = Self.levels(Self.sampling([.trace: 0, .debug: 0, .info: 0.1]))
        let severities: [UInt8] = [0, 1, 4, 5, 8, 13, 16, 17, 20, 21, 24, 25, 255]
        let (batch, dropped) = chain.run(logs(severities.map { record("x", severity: $0) }))
        #expect(batch?.items.map(\.status) == [0, 13, 16, 17, 20, 21, 24, 25, 255])
        #expect(dropped.map(\.rule) == ["trace", "debug"] && dropped.map(\.items) == [2, 2])
        #expect(dropped.allSatisfy { $0.reason == .unsampled })
        let many = logs((0..<20_000).map { _ in record("x", severity: 9) })
        #expect((1_700...2_300).contains(chain.run(many).batch!.items.count))
        #expect(chain.counts.read()[0].counts.isBalanced)
    }

    /// The logs of a trace are kept with its spans.
    @Test func aTraceKeepsAllOfItsRecordsOrNone() {
        let ids = (0..<2_000 as Range<UInt64>).map { traceID($0) }
        let records = ids.flatMap { id in (0..<3).map { _ in record("x") { $0.traceID = id } } }
        let kept = Self.levels(Self.sampling([.info: 0.25])).run(logs(records)).batch!.items.map(\.traceID)
        let spans = chain(.sample(.ratio(0.25))).run(
            Batch(
                ids.map { id in span(0, 1) { $0.context = SpanContext(traceID: id, spanID: SpanID(1)) } },
                resource: Resource())
        ).batch!.items.map(\.traceID)
        #expect(kept == spans.flatMap { [$0, $0, $0] } && !spans.isEmpty)
    }

    @Test func servicesHaveSharesOfTheirOwn() {
        let chain = Self.levels(
            Self.sampling(
                [.debug: 0, .info: 0], [("cart*", [.info: 1]), ("cart", [.debug: 1]), ("mute", [.fatal: 0])]))
        func kept(_ service: String) -> [UInt8] {
            let severities: [UInt8] = [5, 9, 21]
            return chain.run(logs(severities.map { record("x", severity: $0) }, service: service)).batch?.items.map(
                \.status)
                ?? []
        }
        #expect(kept("shop") == [21])
        #expect(kept("cart") == [9, 21])
        #expect(kept("cart-2") == [9, 21])
        #expect(kept("mute") == [])
        #expect(chain.run(logs([])).dropped.isEmpty)
    }

    @Test func whatNothingIsSaidOfIsNotCopied() {
        let chain = Self.levels(Self.sampling([.debug: 0], [("open", [.debug: 1])]))
        var generator = Generator(seed: 5)
        for signal in [Signal.traces, .metrics] {
            let batch = generator.batch(signal, items: 20)
            #expect(chain.run(batch).batch?.items.count == batch.items.count)
        }
        let open = logs([record("x", severity: 5)], service: "open")
        #expect(chain.run(open).batch?.bytes == open.bytes)
    }
}
