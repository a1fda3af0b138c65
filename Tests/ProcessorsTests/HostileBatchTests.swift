import Configuration
import Telemetry
import Testing
import Wire

@testable import Processors

/// Batches with damaged bytes and damaged indexes through every processor: nothing traps, and the books balance.
@Suite struct HostileBatchTests {
    @Test(arguments: 0..<4 as Range<UInt64>)
    func damagedBatchesPassOrAreDropped(seed: UInt64) throws {
        try fuzz(seed: seed, rounds: 1_500)
    }

    @Test(.enabled(if: fuzzSeconds != nil, "SIDELIGHT_FUZZ_SECONDS is not set"))
    func damagedBatchesPassOrAreDroppedForLong() throws {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(fuzzSeconds ?? 0)
        while clock.now < end {
            let seed = UInt64.random(in: .min ... .max)
            print("HostileBatchTests: seed \(seed)")
            try fuzz(seed: seed, rounds: 3_000)
        }
    }

    private func fuzz(seed: UInt64, rounds: Int) throws {
        var generator = Generator(seed: seed)
        generator.texts = SecretScannerTests.secrets.map(\.text)
        generator.keys += ["password", "url.query"]
        let chain = ProcessorChain(try AllProcessors.chain())
        for round in 0..<rounds {
            var batch = generator.batch(generator.pick(Signal.allCases))
            if generator.chance(80) {
                for _ in 0...generator.below(4) { mutate(&batch.bytes, &generator) }
            }
            if generator.chance(20) { mutate(&batch.resource, &generator) }
            if generator.chance(10), !batch.scopes.isEmpty { mutate(&batch.scopes[0].message, &generator) }
            if generator.chance(10), !batch.items.isEmpty {
                let index = generator.below(batch.items.count)
                batch.items[index].offset = UInt32(generator.below(batch.bytes.count + 10))
                batch.items[index].length = UInt32(generator.below(batch.bytes.count + 10))
            }
            if generator.chance(5) { batch.items.shuffle() }
            var batches = [batch]
            let dropped = chain.process(&batches, now: UInt64(round) * 1_000_000)
            let left = batches.filter { $0.signal == batch.signal }.reduce(0) { $0 + $1.items.count }
            #expect(left + dropped.reduce(0) { $0 + $1.items } == batch.items.count, "seed \(seed), round \(round)")
            for batch in batches {
                for item in batch.items { precondition(Int(item.offset) + Int(item.length) <= batch.bytes.count) }
            }
        }
        for entry in chain.counts.read() { #expect(entry.counts.isBalanced, "\(entry.name)") }
    }
}

/// One of each.
enum AllProcessors {
    static func chain() throws -> [(name: String, processor: Processor)] {
        let attributes: [AttributeAction] = [
            .add(key: "env", value: "prod"), .set(key: "kept", value: 7), .rename(key: "a", to: "b"),
            .delete(key: "http.request.header.*"),
            .hash(key: "user.*", salt: "s"),
        ]
        var resource = ResourceChange()
        resource.set = [Attribute("team", "x")]
        resource.delete = ["a*"]
        var filter = ItemFilter()
        var rule = ItemFilter.Rule()
        rule.name = "*x*"
        rule.attribute = .init(key: "b")
        filter.drop = [rule]
        var normalization = Normalization()
        normalization.urlTemplate = true
        normalization.queries = .remove
        var limits = ItemLimits()
        (limits.attributes, limits.attributeBytes, limits.events, limits.links) = (4, 20, 1, 1)
        return [
            ("redact", .redact()), ("attributes", try .attributes(attributes)),
            ("resource", try .resource(resource, detected: ResourceDetector.host(name: "h"))),
            ("filter", .filter(filter)), ("normalize", .normalize(normalization)), ("limits", .limits(limits)),
            ("sample", .sample(.ratio(0.7))), ("rate", .sample(.rate(perSecond: 900))),
            ("correlate", .correlate(Correlation())),
        ]
    }
}
