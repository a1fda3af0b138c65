import Configuration
import Telemetry
import Testing
import Wire

@testable import Processors

@Suite struct SamplerTests {
    private static func batch(_ traces: [(TraceID, String)]) -> Batch {
        var builder = BatchBuilder(signal: .traces, resource: Resource())
        for (trace, state) in traces {
            builder.append(
                SpanData(
                    context: SpanContext(traceID: trace, spanID: SpanID(1), traceState: state), name: "s", startTime: 1,
                    endTime: 2))
        }
        return builder.take()
    }

    private static func chosen(_ sampling: HeadSampling, _ traces: [(TraceID, String)]) -> [TraceID] {
        chain(.sample(sampling)).run(batch(traces)).batch?.items.map(\.traceID) ?? []
    }

    @Test func alwaysAndNever() {
        let traces = (1...10).map { (TraceID(high: 1, low: $0), "") }
        #expect(Self.chosen(.always, traces).count == 10)
        #expect(Self.chosen(.ratio(1), traces).count == 10)
        #expect(Self.chosen(.never, traces).isEmpty)
        #expect(Self.chosen(.ratio(0), traces).isEmpty)
    }

    /// The threshold's neighbours: a half rejects randomness below 2^55, of the lowest 56 bits of the id.
    @Test func ratioComparesTheLowestBitsOfTheID() {
        let half: UInt64 = 1 << 55
        let traces = [half - 1, half, half | 0xFF << 56, (half - 1) | 0xFF << 56].map {
            (TraceID(high: 7, low: $0), "")
        }
        #expect(Self.chosen(.ratio(0.5), traces).map(\.low) == [half, half | 0xFF << 56])
    }

    @Test func randomnessInTheTraceStateCountsMoreThanTheID() {
        let traces = [
            (TraceID(high: 1, low: 1), "ot=rv:ffffffffffffff"),
            (TraceID(high: 1, low: 2), "a=b, ot=th:8;rv:80000000000000 ,c=d"),
            (TraceID(high: 1, low: (1 << 56) - 3), "ot=rv:7fffffffffffff"),
            // Not 14 hex digits: the id counts.
            (TraceID(high: 1, low: 4), "ot=rv:fffffffffffff"), (TraceID(high: 1, low: 5), "ot=rv:FFFFFFFFFFFFFF"),
            (TraceID(high: 1, low: (1 << 56) - 6), "ot=th:8"),
            (TraceID(high: 1, low: 7), "xot=rv:ffffffffffffff"),
        ]
        #expect(Self.chosen(.ratio(0.5), traces).map(\.low) == [1, 2, (1 << 56) - 6])
    }

    @Test func ratiosAreNested() {
        var generator = Generator(seed: 3)
        let traces = (0..<20_000).map { _ in (TraceID(high: generator.bits(), low: generator.bits()), "") }
        let some = Self.chosen(.ratio(0.1), traces)
        #expect((1_700...2_300).contains(some.count))
        #expect(Set(some).isSubset(of: Self.chosen(.ratio(0.3), traces)))
    }

    @Test func rateTakesSoManyTracesASecondAndStaysWithItsDecisions() {
        let chain = chain(.sample(.rate(perSecond: 3)))
        func run(_ ids: ClosedRange<UInt64>, at seconds: Double) -> [UInt64] {
            chain.run(
                Self.batch(ids.map { (TraceID(high: 9, low: $0 &* 0x1_0000_0001), "") }), now: UInt64(seconds * 1e9)
            ).batch?.items.map { $0.traceID.low / 0x1_0000_0001 } ?? []
        }
        #expect(run(1...10, at: 100) == [1, 2, 3])
        #expect(run(1...10, at: 100.2) == [1, 2, 3])
        #expect(run(11...20, at: 100.4) == [11])
        #expect(run(21...30, at: 500) == [21, 22, 23])
        #expect(run(31...40, at: 3) == [])
        #expect(run(1...30, at: 500) == [1, 2, 3, 11, 21, 22, 23])
    }

    @Test func rareTracesAreSavedUpFor() {
        let (decisions, bucket) = (TraceDecisions(), TokenBucket(perSecond: 0.5))
        func isChosen(_ low: UInt64, now: UInt64) -> Bool {
            decisions.isChosen(TraceID(high: 1, low: low << 20), 0, by: bucket, now: now)
        }
        #expect(isChosen(1, now: 0))
        #expect(!isChosen(2, now: 1_900_000_000))
        #expect(isChosen(3, now: 2_100_000_000))
    }

    @Test func otherSignalsPass() {
        var generator = Generator(seed: 3)
        for signal in [Signal.logs, .metrics] {
            let batch = generator.batch(signal, items: 20)
            #expect(chain(.sample(.never)).run(batch).batch?.items.count == batch.items.count)
        }
    }
}
