import Configuration
import System
import Telemetry
import Testing
import Wire

@testable import Processors

let second: UInt64 = 1_000_000_000

func traceID(_ number: UInt64) -> TraceID { TraceID(high: 0xA0 &+ number, low: number &* 0x9E37_79B9_7F4A_7C15 | 1) }

/// A span of trace `trace`.
func span(
    _ trace: UInt64, _ id: UInt64, parent: UInt64 = 99, milliseconds: UInt64 = 1,
    _ edit: (inout SpanData) -> Void = { _ in }
) -> SpanData {
    var span = SpanData(
        context: SpanContext(traceID: traceID(trace), spanID: SpanID(id)), parentSpanID: SpanID(parent), name: "work",
        startTime: 1_700_000_000_000_000_000, endTime: 1_700_000_000_000_000_000 + milliseconds * 1_000_000)
    edit(&span)
    return span
}

func batch(_ spans: [SpanData], service: String = "shop", ticket: UInt64 = 1) -> Batch {
    var batch = Batch(spans, resource: Resource(attributes: [Attribute("service.name", .string(service))]))
    batch.ticket = ticket
    return batch
}

extension StatefulProcessor {
    func take(_ batches: [Batch], at seconds: Double) -> ProcessorOutput {
        var output = ProcessorOutput()
        take(batches, now: UInt64(seconds * 1e9), &output)
        return output
    }

    func tick(at seconds: Double) -> ProcessorOutput {
        var output = ProcessorOutput()
        tick(now: UInt64(seconds * 1e9), &output)
        return output
    }
}

extension ProcessorOutput {
    /// The ids of what leaves, in order.
    var ids: [UInt64] { batches.flatMap { $0.items.map(\.spanID.value) } }
    func dropped(_ reason: ProcessorDropReason) -> Int {
        dropped.filter { $0.reason == reason }.reduce(0) { $0 + $1.items }
    }
}

@Suite struct TailSamplerTests {
    static func policy(
        _ name: String = "p", _ edit: (inout TailSampling.Policy) -> Void = { _ in }
    ) -> TailSampling.Policy {
        var policy = TailSampling.Policy(name: name)
        edit(&policy)
        return policy
    }

    static func rule(_ edit: (inout ItemFilter.Rule) -> Void) -> ItemFilter.Rule {
        var rule = ItemFilter.Rule()
        edit(&rule)
        return rule
    }

    static let errors = policy("errors") { $0.all = [rule { $0.status = .error }] }

    static func sampler(
        _ policies: [TailSampling.Policy], budget: MemoryBudget? = nil, _ edit: (inout TailSampling) -> Void = { _ in }
    ) -> TailSampler {
        var configuration = TailSampling()
        configuration.policies = policies
        edit(&configuration)
        return TailSampler(configuration, name: "tail", budget: budget)
    }

    private static func failed(_ span: inout SpanData) { span.status = SpanStatus(code: .error) }

    // MARK: the decision

    @Test func aTraceWaitsAndGoesAsAWhole() throws {
        let sampler = Self.sampler([Self.errors])
        let first = batch([span(1, 1), span(2, 2)], ticket: 5)
        let second = batch([span(2, 3), span(1, 4, Self.failed)], ticket: 6)
        #expect(sampler.take([first], at: 1).batches.isEmpty)
        #expect(sampler.take([second], at: 3).batches.isEmpty)
        #expect(sampler.wakeAt == 11_000_000_000 && sampler.oldestHeld == 5)
        #expect(sampler.tick(at: 10.999).batches.isEmpty)
        #expect(sampler.counts.held == [.traces: 4])

        let output = sampler.tick(at: 11)
        #expect(output.batches.count == 1)
        #expect(output.ids == [1, 4])
        #expect(output.batches[0].ticket == 5)
        #expect(output.batches[0].resource == first.resource && output.batches[0].scopes == first.scopes)
        try output.batches[0].checkIndex()
        #expect(try output.batches[0].span(at: 1) == second.span(at: 1))
        #expect(
            output.dropped == [
                DroppedItems(
                    processor: "tail", reason: .unsampled, rule: "", signal: .traces, items: 2,
                    bytes: Int(first.items[1].length + second.items[0].length))
            ])
        #expect(sampler.oldestHeld == nil && sampler.wakeAt == nil)
        #expect(sampler.counts.held.isEmpty && sampler.counts.isBalanced)
        #expect(sampler.counts.details == ["traces_kept": 1, "traces_dropped": 1])
    }

    @Test func settleDecidesAfterTheRoot() {
        let sampler = Self.sampler([Self.policy()]) { $0.settleNanoseconds = 2 * second }
        _ = sampler.take([batch([span(1, 1), span(2, 2)])], at: 1)
        _ = sampler.take([batch([span(2, 3, parent: 0)])], at: 4)
        #expect(sampler.wakeAt == 6_000_000_000)
        // A second root changes nothing, and one that comes late is not waited for beyond `wait`.
        _ = sampler.take([batch([span(2, 4, parent: 0)])], at: 5)
        #expect(sampler.tick(at: 6).ids == [2, 3, 4])
        _ = sampler.take([batch([span(1, 5, parent: 0)])], at: 10.5)
        #expect(sampler.wakeAt == 11_000_000_000)
        #expect(sampler.tick(at: 11).ids == [1, 5])
        #expect(sampler.wakeAt == nil)
    }

    @Test func lateSpansFollowTheDecisionAsLongAsItIsRemembered() {
        let sampler = Self.sampler([Self.errors]) { $0.decisionsMax = 3 }
        _ = sampler.take([batch([span(1, 1, Self.failed), span(2, 2)])], at: 0)
        _ = sampler.tick(at: 10)
        let output = sampler.take([batch([span(1, 3), span(2, 4), span(1, 5)], ticket: 9)], at: 11)
        #expect(output.ids == [3, 5] && output.batches[0].ticket == 9)
        #expect(output.dropped(.lateUnsampled) == 1 && output.dropped[0].rule == "")
        #expect(sampler.oldestHeld == nil)
        #expect(sampler.counts.details["late_kept"] == 2 && sampler.counts.details["late_dropped"] == 1)
        // Two more decisions: that on trace 1 is forgotten, and the trace begins anew.
        _ = sampler.take([batch([span(3, 6), span(4, 7)])], at: 20)
        _ = sampler.tick(at: 30)
        #expect(sampler.take([batch([span(1, 8), span(2, 9)])], at: 31).dropped(.lateUnsampled) == 1)
        #expect(sampler.counts.held == [.traces: 1])
        #expect(sampler.counts.isBalanced)
    }

    /// Each policy alone, on one trace of three spans.
    @Test func policies() {
        func keeps(_ edit: (inout TailSampling.Policy) -> Void) -> Bool {
            let sampler = Self.sampler([Self.policy("p", edit)])
            var root = span(1, 1, parent: 0, milliseconds: 500)
            root.kind = .server
            root.name = "GET /cart"
            var failed = span(1, 2, milliseconds: 20, Self.failed)
            failed.attributes = [Attribute("http.response.status_code", 503), Attribute("user", "jane")]
            var late = span(1, 3, milliseconds: 30)
            late.startTime += 2 * second
            late.endTime += 2 * second
            _ = sampler.take([batch([root, failed]), batch([late], service: "stock")], at: 0)
            return sampler.tick(at: 10).ids.count == 3
        }
        func matches(_ edit: (inout ItemFilter.Rule) -> Void) -> Bool { keeps { $0.all = [Self.rule(edit)] } }
        #expect(keeps { _ in })
        #expect(!keeps { $0.drops = true })
        #expect(keeps { $0.ratio = 1 } && !keeps { $0.ratio = 0 })
        #expect(keeps { $0.traceDurationMin = 2_030_000_000 } && !keeps { $0.traceDurationMin = 2_030_000_001 })
        #expect(matches { $0.status = .error } && !matches { $0.status = .ok })
        #expect(matches { $0.durationMin = 500_000_000 } && !matches { $0.durationMin = 500_000_001 })
        #expect(matches { $0.durationMax = 20_000_001 } && !matches { $0.durationMax = 20_000_000 })
        #expect(
            matches {
                $0.isRoot = true; $0.kind = .server
            }
                && !matches {
                    $0.isRoot = false; $0.kind = .server
                })
        #expect(matches { $0.name = "GET *" } && !matches { $0.name = "POST *" })
        #expect(matches { $0.service = "sto*" } && !matches { $0.service = "bank" })
        #expect(
            matches { $0.attribute = .init(key: "user", value: "j*e") } && !matches { $0.attribute = .init(key: "use") }
        )
        #expect(matches { $0.attribute = .init(key: "http.response.status_code", value: "50*") })
        // All conditions of a rule hold for one span; the rules of `all` may each have another.
        #expect(
            !matches {
                $0.isRoot = true; $0.status = .error
            })
        let (root, failed) = (Self.rule { $0.isRoot = true }, Self.rule { $0.status = .error })
        let never = Self.rule { $0.kind = .producer }
        #expect(keeps { $0.all = [root, failed] } && !keeps { $0.all = [root, never] })
        #expect(keeps { $0.any = [never, failed] } && !keeps { $0.any = [never, never] })
        #expect(
            !keeps {
                $0.all = [never]; $0.any = [root]
            })
    }

    @Test func theFirstPolicyThatHoldsDecides() {
        let health = Self.policy("health") {
            $0.all = [Self.rule { $0.name = "GET /health" }]
            $0.drops = true
        }
        let slow = Self.policy("slow") {
            $0.all = [Self.rule { $0.durationMin = second }]
            $0.ratePerSecond = 2
        }
        let rest = Self.policy("rest") { $0.ratePerSecond = 1 }
        let sampler = Self.sampler([Self.errors, health, slow, rest])
        let spans =
            [span(1, 1, Self.failed), span(2, 2) { $0.name = "GET /health" }]
            + (3...6).map { span($0, $0, milliseconds: 1_000) } + (7...8).map { span($0, $0) }
        _ = sampler.take([batch(spans)], at: 0)
        let output = sampler.tick(at: 10)
        // Two are slow within the rate, the third has the rest's only token.
        #expect(output.ids == [1, 3, 4, 5])
        #expect(output.dropped.map { "\($0.rule) \($0.items)" } == ["health 1", "rest 2", "slow 1"])
    }

    @Test func ratioChoosesWhatTheHeadSamplerChooses() {
        let sampler = Self.sampler([Self.policy { $0.ratio = 0.25 }])
        let states = ["", "ot=rv:ffffffffffffff", "ot=rv:00000000000000"]
        let spans = (1...300 as ClosedRange<UInt64>).map { number in
            span(number, number) { $0.context.traceState = states[Int(number) % 7 < 3 ? Int(number) % 7 : 0] }
        }
        _ = sampler.take([batch(spans)], at: 0)
        let chosen = chain(.sample(.ratio(0.25))).run(batch(spans)).batch?.items.map(\.spanID.value)
        #expect(sampler.tick(at: 10).ids == chosen)
    }

    // MARK: bounds

    @Test func whenMemoryIsFullTheOldestTraceIsDecidedEarly() {
        let budget = MemoryBudget(bytesMax: 4 << 20)
        let sampler = Self.sampler([Self.policy()], budget: budget) { $0.bytesMax = 1 << 20 }
        var left: [UInt64] = []
        for id in 1...4_000 as ClosedRange<UInt64> {
            left +=
                sampler.take(
                    [batch([span(id / 2, id) { $0.name = String(repeating: "n", count: 400) }], ticket: id)], at: 1
                ).ids
            #expect(sampler.bytesHeld <= 1 << 20 && budget.used <= 1 << 20)
        }
        let held = sampler.counts.held[.traces]!
        // 400 bytes of name in at most 700 of memory.
        #expect(held > (1 << 20) / 700 && left.count == 4_000 - held)
        #expect(left == left.sorted() && left.first == 1)
        #expect(sampler.oldestHeld == left.last! + 1)
        #expect(sampler.counts.details["early_memory"] == sampler.counts.details["traces_kept"])
        #expect(sampler.tick(at: 100).ids.count == held)
        #expect(sampler.bytesHeld == 0 && budget.used == 0 && sampler.counts.isBalanced)
    }

    @Test func whatTheAgentHasNoMemoryForIsDecidedEarlyToo() {
        let budget = MemoryBudget(bytesMax: 1 << 20)
        #expect(budget.take((1 << 20) - 1_000))
        let sampler = Self.sampler([Self.errors], budget: budget)
        let output = sampler.take([batch([span(1, 1, Self.failed), span(2, 2), span(1, 3)])], at: 0)
        #expect(output.ids == [1, 3] && output.dropped(.unsampled) == 1)
        #expect(sampler.counts.held.isEmpty && sampler.oldestHeld == nil)
        budget.giveBack(500_000)
        #expect(sampler.take([batch([span(4, 4)])], at: 0).ids.isEmpty)
        #expect(sampler.counts.held == [.traces: 1])
    }

    @Test func aSpanThatIsTooLargeToBeHeldDecidesItsTrace() {
        let sampler = Self.sampler([Self.errors]) { $0.bytesMax = 1 << 20 }
        let large = { (span: inout SpanData) in
            span.name = String(repeating: "n", count: 400_000)
            Self.failed(&span)
        }
        _ = sampler.take([batch([span(1, 1), span(2, 2)])], at: 0)
        #expect(sampler.take([batch([span(1, 3, large), span(3, 4, large), span(3, 5)])], at: 1).ids == [1, 3, 4, 5])
        #expect(sampler.counts.held == [.traces: 1])
        #expect(sampler.counts.isBalanced)
    }

    @Test func asManyTracesAreHeldAsMayBe() {
        let sampler = Self.sampler([Self.policy()]) { $0.tracesMax = 3 }
        let output = sampler.take([batch((1...5).map { span($0, $0) } + [span(2, 6), span(4, 7)])], at: 0)
        #expect(output.ids == [1, 2, 6])
        #expect(sampler.counts.details["early_traces"] == 2)
        #expect(sampler.counts.held == [.traces: 4])
    }

    /// Resources and scopes are held, too.
    @Test func manyLargeResourcesStayInBounds() {
        let sampler = Self.sampler([Self.policy()]) { $0.bytesMax = 1 << 20 }
        var left = 0
        for id in 1...300 as ClosedRange<UInt64> {
            let service = String(repeating: "s", count: 50_000) + "\(id)"
            left += sampler.take([batch([span(id, id)], service: service)], at: 0).ids.count
            #expect(sampler.bytesHeld < (1 << 20) + 60_000)
        }
        #expect(left > 250 && sampler.tick(at: 10).ids.count == 300 - left && sampler.bytesHeld == 0)
    }

    @Test func aTraceOfAMillionSpansStaysInBounds() {
        let sampler = Self.sampler([Self.errors]) { $0.bytesMax = 2 << 20 }
        var passed = 0
        for round in 0..<100 as Range<UInt64> {
            let spans = (0..<1_000 as Range<UInt64>).map { span(1, round * 1_000 + $0 + 1, Self.failed) }
            let large = batch(spans)
            for _ in 0..<10 { passed += sampler.take([large], at: Double(round) / 1_000).ids.count }
            #expect(sampler.bytesHeld <= 2 << 20)
        }
        passed += sampler.tick(at: 100).ids.count
        #expect(passed == 1_000_000)
        #expect(sampler.counts.isBalanced && sampler.bytesHeld == 0)
        #expect(sampler.counts.details["traces_kept"] == 1)
    }

    // MARK: odd input

    @Test func otherSignalsPassUntouched() {
        var generator = Generator(seed: 5)
        let sampler = Self.sampler([Self.errors])
        for signal in [Signal.logs, .metrics] {
            var batch = generator.batch(signal, items: 20)
            batch.ticket = 4
            let output = sampler.take([batch], at: 0)
            #expect(output.batches.map(\.bytes) == [batch.bytes] && output.batches[0].ticket == 4)
        }
        #expect(sampler.oldestHeld == nil && sampler.counts.isBalanced)
    }

    @Test func aSpanWithoutATraceIsMalformed() {
        let sampler = Self.sampler([Self.policy()])
        var one = batch([span(1, 1), span(1, 2), span(1, 3)])
        one.items[0].traceID = .invalid
        one.items[1].scope = 7
        one.items[2].offset = UInt32(one.bytes.count)
        #expect(sampler.take([one], at: 0).dropped(.malformed) == 3)
        #expect(sampler.counts.isBalanced && sampler.bytesHeld == 0)
    }

    @Test func aClockThatGoesBackStandsStill() {
        let sampler = Self.sampler([Self.policy()])
        _ = sampler.take([batch([span(1, 1)])], at: 100)
        #expect(sampler.take([batch([span(2, 2)])], at: 1).ids.isEmpty)
        #expect(sampler.tick(at: 50).ids.isEmpty)
        #expect(sampler.tick(at: 110).ids == [1, 2])
        _ = sampler.take([batch([span(3, 3)])], at: 0)
        #expect(sampler.tick(at: 119).ids.isEmpty)
        #expect(sampler.tick(at: .init(UInt64.max / second)).ids == [3])
    }

    /// An entry comes again after a kill; in one run, that is what `dedupe` is for.
    @Test func aSpanThatComesTwiceLeavesTwice() {
        let sampler = Self.sampler([Self.policy()])
        for ticket in [1, 2] as [UInt64] { _ = sampler.take([batch([span(1, 1)], ticket: ticket)], at: 0) }
        #expect(sampler.counts.held == [.traces: 2])
        let output = sampler.tick(at: 10)
        #expect(output.ids == [1, 1] && output.batches.map(\.ticket) == [1])
    }

    @Test func theEndLeavesWhatIsHeldToTheQueue() {
        let sampler = Self.sampler([Self.policy()])
        _ = sampler.take([batch([span(1, 1)], ticket: 3)], at: 0)
        var output = ProcessorOutput()
        sampler.end(now: 100 * second, &output)
        #expect(output.batches.isEmpty && output.dropped.isEmpty && sampler.oldestHeld == 3)
    }

    @Test func ticketsMayComeInAnyOrder() {
        let sampler = Self.sampler([Self.policy()])
        for (index, ticket) in [7, 5, 9, 5, 0, 6].enumerated() as EnumeratedSequence<[UInt64]> {
            _ = sampler.take([batch([span(ticket, UInt64(index) + 1)], ticket: ticket)], at: Double(index))
        }
        #expect(sampler.oldestHeld == 5)
        #expect(sampler.tick(at: 10).batches.map(\.ticket) == [7])
        #expect(sampler.tick(at: 11).batches.map(\.ticket) == [5])
        #expect(sampler.oldestHeld == 6)
        #expect(sampler.tick(at: 14).batches.map(\.ticket) == [9])
        #expect(sampler.tick(at: 15).batches.map(\.ticket) == [6])
        #expect(sampler.oldestHeld == nil)
    }
}
