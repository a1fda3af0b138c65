import Configuration
import Foundation
import System
import Telemetry
import Testing
import Wire

@testable import Processors

/// Random traces through the tail sampler, beside a model that does the same the obvious way, on decoded spans.
@Suite struct TailSamplerModelTests {
    /// What leaves, what is dropped, what is held: the same in the model, at every step.
    @Test(arguments: 0..<6 as Range<UInt64>)
    func decidesAsTheModelDoes(seed: UInt64) throws { try run(seed: seed, steps: 600) }

    @Test(.enabled(if: fuzzSeconds != nil, "SIDELIGHT_FUZZ_SECONDS is not set"))
    func decidesAsTheModelDoesForLong() throws {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(fuzzSeconds ?? 0)
        while clock.now < end {
            let seed = UInt64.random(in: .min ... .max)
            print("TailSamplerModelTests: seed \(seed)")
            try run(seed: seed, steps: 1_000)
        }
    }

    private func run(seed: UInt64, steps: Int) throws {
        var generator = Generator(seed: seed)
        let model = TailModel(&generator)
        let sampler = TailSampler(model.configuration, name: "tail", budget: nil)
        var now: UInt64 = 5 * second
        var nextSpan: UInt64 = 1
        var ticket: UInt64 = 10
        for step in 0..<steps {
            now += UInt64(generator.below(700)) * 1_000_000
            let place = "seed \(seed), step \(step)"
            var output = ProcessorOutput()
            if generator.chance(70) {
                ticket += UInt64(generator.below(3))
                let batches = generator.many(4) { $0.tailBatch(&nextSpan, ticket: ticket) }
                sampler.take(batches, now: now, &output)
                try model.take(batches, now: now)
            } else {
                sampler.tick(now: now, &output)
                model.decideDue(now)
            }
            let expected = model.output()
            var left: [TailModel.Left] = []
            for batch in output.batches {
                try batch.checkIndex()
                let resource = try batch.decodedResource()
                let scopes = try batch.decodedScopes()
                for index in batch.items.indices {
                    let span = try batch.span(at: index)
                    left.append(.init(span: span, resource: resource, scope: scopes[Int(batch.items[index].scope)]))
                }
                // The lowest of its spans' entries.
                #expect(batch.ticket == batch.items.map { model.tickets[$0.spanID]! }.min(), "\(place)")
            }
            // In one batch is what shares a resource.
            #expect(Set(output.batches.map(\.resource)).count == output.batches.count, "\(place)")
            #expect(Set(left) == Set(expected.left) && left.count == expected.left.count, "\(place)")
            let dropped = output.dropped.map { "\($0.reason.rawValue) \($0.rule) \($0.items)" }
            #expect(dropped == expected.dropped, "\(place)")
            #expect(sampler.oldestHeld == model.oldestHeld, "\(place)")
            #expect(sampler.wakeAt == model.wakeAt, "\(place)")
            let counts = sampler.counts
            #expect(counts.isBalanced, "\(place)")
            #expect(counts.held[.traces, default: 0] == model.heldSpans, "\(place)")
        }
        let counts = sampler.counts
        #expect(counts.received[.traces] == Int(nextSpan) - 1)
        #expect(counts.passed[.traces, default: 0] > 0 && counts.dropped(.traces) > 0)
    }

    /// With little memory the model cannot tell when; but nothing is lost or doubled, and a trace is not torn apart.
    @Test(arguments: 100..<104 as Range<UInt64>)
    func losesAndDoublesNothingWhenMemoryIsShort(seed: UInt64) throws {
        var generator = Generator(seed: seed)
        var configuration = TailModel(&generator).configuration
        configuration.bytesMax = 1 << 20
        configuration.tracesMax = 1_000
        let budget = MemoryBudget(bytesMax: 700 << 10)
        var sampler: TailSampler? = TailSampler(configuration, name: "tail", budget: budget)
        var now: UInt64 = 0
        var nextSpan: UInt64 = 1
        var passed: Set<UInt64> = []
        var (doubled, droppedItems) = (0, 0)
        for _ in 0..<1_500 {
            now += UInt64(generator.below(20)) * 1_000_000
            var output = ProcessorOutput()
            let batches = generator.many(3) {
                $0.tailBatch(&nextSpan, ticket: now, traces: 400, text: $0.chance(2) ? 200_000 : 900)
            }
            sampler!.take(batches, now: now, &output)
            for id in output.ids where !passed.insert(id).inserted { doubled += 1 }
            droppedItems += output.dropped.reduce(0) { $0 + $1.items }
            let counts = sampler!.counts
            #expect(counts.isBalanced)
            #expect(passed.count + droppedItems + counts.held[.traces, default: 0] == Int(nextSpan) - 1)
            #expect(budget.used <= 700 << 10)
            #expect((sampler!.oldestHeld == nil) == counts.held.isEmpty)
        }
        #expect(doubled == 0)
        #expect(sampler!.counts.details["early_memory", default: 0] > 0)
        sampler = nil
        #expect(budget.used == 0)
    }

    /// Damaged bytes and damaged indexes: nothing traps, and the books balance.
    @Test(arguments: 200..<203 as Range<UInt64>)
    func damagedBatchesAreHeldOrDropped(seed: UInt64) throws {
        var generator = Generator(seed: seed)
        var configuration = TailModel(&generator).configuration
        configuration.bytesMax = 1 << 20
        let sampler = TailSampler(configuration, name: "tail", budget: nil)
        var now: UInt64 = 0
        var nextSpan: UInt64 = 1
        var (received, left) = (0, 0)
        for _ in 0..<2_000 {
            now += UInt64(generator.below(100)) * 1_000_000
            var batch = generator.tailBatch(&nextSpan, ticket: now)
            for _ in 0..<generator.below(4) { mutate(&batch.bytes, &generator) }
            if generator.chance(10), !batch.items.isEmpty {
                let index = generator.below(batch.items.count)
                batch.items[index].offset = UInt32(generator.below(batch.bytes.count + 10))
                batch.items[index].length = UInt32(generator.below(batch.bytes.count + 10))
                batch.items[index].scope = UInt16(generator.below(5))
                batch.items[index].start = generator.bits()
                batch.items[index].end = generator.bits()
            }
            if generator.chance(5) { batch.items.shuffle() }
            received += batch.items.count
            var output = ProcessorOutput()
            sampler.take([batch], now: now, &output)
            left += output.ids.count + output.dropped.reduce(0) { $0 + $1.items }
            #expect(sampler.counts.isBalanced)
            for batch in output.batches {
                for item in batch.items { precondition(Int(item.offset) + Int(item.length) <= batch.bytes.count) }
            }
        }
        let output = sampler.tick(at: 1e9)
        left += output.ids.count + output.dropped.reduce(0) { $0 + $1.items }
        #expect(received == left && sampler.bytesHeld == 0)
    }
}

extension Generator {
    mutating func tailBatch(_ nextSpan: inout UInt64, ticket: UInt64, traces: Int = 40, text: Int = 20) -> Batch {
        var builder = BatchBuilder(
            signal: .traces, resource: Resource(attributes: [Attribute("service.name", .string("shop-\(below(3))"))]))
        for _ in 0..<below(8) {
            var span = span()
            // Newer traces come up as older ones end.
            span.context.traceID = traceID(nextSpan / 60 + UInt64(below(traces)))
            span.context.spanID = SpanID(nextSpan)
            span.name = String(repeating: "n", count: below(text))
            if chance(70) { span.parentSpanID = SpanID(1 << 60) }
            if chance(90) { span.status = SpanStatus() }
            nextSpan += 1
            builder.append(span, scope: scope())
        }
        var batch = builder.take()
        batch.ticket = ticket
        return batch
    }
}

/// What a tail sampler does, the obvious way.
private final class TailModel {
    struct Left: Hashable {
        var span: SpanData
        var resource: Resource
        var scope: InstrumentationScope
    }

    private struct Trace {
        var id: TraceID
        var since: UInt64
        var rooted: UInt64?
        var items: [(left: Left, ticket: UInt64)] = []

        var duration: UInt64 {
            let starts = items.map(\.left.span.startTime).min()!
            let ends = items.map(\.left.span.endTime).max()!
            return ends > starts ? ends - starts : 0
        }
    }

    private struct Policy {
        var name: String
        var holds: (Trace) -> Bool
        var ratio: Double?
        var bucket: Processors.TokenBucket?
        var drops = false
    }

    private(set) var configuration = TailSampling()
    /// Of every span.
    private(set) var tickets: [SpanID: UInt64] = [:]
    private var policies: [Policy] = []
    private var held: [Trace] = []
    /// The order in which roots came.
    private var rooted: [TraceID] = []
    private var decided: [(id: TraceID, isKept: Bool, rule: String)] = []
    private var left: [Left] = []
    private var dropped: [String: Int] = [:]

    init(_ generator: inout Generator) {
        configuration.waitNanoseconds = 3 * second
        if generator.chance(60) { configuration.settleNanoseconds = second }
        configuration.tracesMax = generator.pick([5, 15, 1_000])
        configuration.decisionsMax = generator.pick([1, 7, 1_000])
        func some(_ spans: Trace, _ test: (SpanData) -> Bool) -> Bool { spans.items.contains { test($0.left.span) } }
        func add(_ name: String, _ edit: (inout TailSampling.Policy) -> Void, _ holds: @escaping (Trace) -> Bool) {
            var policy = TailSampling.Policy(name: name)
            edit(&policy)
            configuration.policies.append(policy)
            policies.append(
                Policy(
                    name: name, holds: holds, ratio: policy.ratio,
                    bucket: policy.ratePerSecond.map { TokenBucket(perSecond: $0) }, drops: policy.drops))
        }
        typealias Rules = TailSamplerTests
        let error = Rules.rule { $0.status = .error }
        let server = Rules.rule {
            $0.kind = .server; $0.durationMin = 1_500_000_000
        }
        let kept = Rules.rule { $0.attribute = .init(key: "kept") }
        let user = Rules.rule { $0.attribute = .init(key: "user.id") }
        let named = Rules.rule {
            $0.name = "nnn*"; $0.service = "shop-1"
        }
        func has(_ span: SpanData, _ key: String) -> AttributeValue? { span.attributes.first { $0.key == key }?.value }
        let all: [() -> Void] = [
            { add("errors", { $0.all = [error] }) { some($0) { $0.status.code == .error } } },
            {
                add(
                    "slow",
                    {
                        $0.all = [server]; $0.ratePerSecond = 2
                    }
                ) {
                    some($0) { $0.kind == .server && $0.endTime - $0.startTime >= 1_500_000_000 }
                }
            },
            {
                add(
                    "drop",
                    {
                        $0.all = [kept, error]; $0.drops = true
                    }
                ) {
                    some($0) { has($0, "kept") != nil } && some($0) { $0.status.code == .error }
                }
            },
            {
                add(
                    "any",
                    {
                        $0.any = [kept, server]; $0.ratio = 0.5
                    }
                ) {
                    some($0) { has($0, "kept") != nil }
                        || some($0) { $0.kind == .server && $0.endTime - $0.startTime >= 1_500_000_000 }
                }
            },
            {
                add(
                    "user",
                    {
                        $0.all = [user]; $0.ratePerSecond = 0.5; $0.ratio = 0.7
                    }
                ) {
                    some($0) { has($0, "user.id") != nil }
                }
            },
            {
                add("named", { $0.all = [named] }) { trace in
                    trace.items.contains {
                        $0.left.span.name.hasPrefix("nnn")
                            && $0.left.resource.attributes.contains(Attribute("service.name", "shop-1"))
                    }
                }
            },
            { add("long", { $0.traceDurationMin = 2_700_000_000 }) { $0.duration >= 2_700_000_000 } },
            { add("rest", { $0.ratePerSecond = 1 }) { _ in true } },
        ]
        for make in all.dropLast() where generator.chance(50) { make() }
        all[7]()
    }

    // MARK: the same inputs

    func take(_ batches: [Batch], now: UInt64) throws {
        for batch in batches {
            let resource = try batch.decodedResource()
            let scopes = try batch.decodedScopes()
            for (index, item) in batch.items.enumerated() {
                let left = Left(
                    span: try batch.span(at: index), resource: resource, scope: scopes[Int(item.scope)])
                tickets[item.spanID] = batch.ticket
                take(left, batch.ticket, now)
            }
        }
        decideDue(now)
    }

    private func take(_ item: Left, _ ticket: UInt64, _ now: UInt64) {
        let id = item.span.context.traceID
        if let known = decided.first(where: { $0.id == id }) {
            if known.isKept { left.append(item) } else { dropped["late_unsampled \(known.rule)", default: 0] += 1 }
            return
        }
        if !held.contains(where: { $0.id == id }) {
            if held.count == configuration.tracesMax { decide(held[0].id, now) }
            held.append(Trace(id: id, since: now))
        }
        let index = held.firstIndex { $0.id == id }!
        held[index].items.append((item, ticket))
        if !item.span.parentSpanID.isValid, held[index].rooted == nil {
            held[index].rooted = now
            rooted.append(id)
        }
    }

    func decideDue(_ now: UInt64) {
        while let first = held.first, first.since + configuration.waitNanoseconds <= now { decide(first.id, now) }
        guard let settle = configuration.settleNanoseconds else { return }
        while let id = rooted.first, held.first(where: { $0.id == id })!.rooted! + settle <= now { decide(id, now) }
    }

    private func decide(_ id: TraceID, _ now: UInt64) {
        let trace = held.remove(at: held.firstIndex { $0.id == id }!)
        rooted.removeAll { $0 == id }
        var refused = ""
        var isKept = false
        var rule: String?
        for policy in policies where policy.holds(trace) {
            let randomness = Double(id.low & (1 << 56 - 1)) / Double(1 << 56 as UInt64)
            if let ratio = policy.ratio, randomness < 1 - ratio {
                if refused.isEmpty { refused = policy.name }
                continue
            }
            if let bucket = policy.bucket, !bucket.take(now: now) {
                if refused.isEmpty { refused = policy.name }
                continue
            }
            (rule, isKept) = (policy.name, !policy.drops)
            break
        }
        let name = rule ?? refused
        if isKept {
            left += trace.items.map(\.left)
        } else {
            dropped["unsampled \(name)", default: 0] += trace.items.count
        }
        decided.append((id, isKept, name))
        if decided.count > configuration.decisionsMax { decided.removeFirst() }
    }

    // MARK: what comes of it

    func output() -> (left: [Left], dropped: [String]) {
        defer { (left, dropped) = ([], [:]) }
        return (left, dropped.map { "\($0.key) \($0.value)" }.sorted())
    }

    var heldSpans: Int { held.reduce(0) { $0 + $1.items.count } }
    var oldestHeld: UInt64? { held.flatMap { $0.items.map(\.ticket) }.min() }
    var wakeAt: UInt64? {
        let first = held.first.map { $0.since + configuration.waitNanoseconds }
        guard let settle = configuration.settleNanoseconds, let id = rooted.first else { return first }
        return min(first ?? .max, held.first { $0.id == id }!.rooted! + settle)
    }
}
