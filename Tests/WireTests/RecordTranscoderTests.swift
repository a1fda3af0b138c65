import Foundation
import Telemetry
import Testing
import Wire

private let clock = RingClock(unixAtRingZero: RecordMaker.unixAtRingZero)

/// Feeds records to a transcoder; a class since `#expect` copies what it looks at.
private final class Transcoding {
    var transcoder = RecordTranscoder(
        resource: Resource(attributes: [Attribute("service.name", "shop")]), scopeVersion: "1.0", clock: clock)

    func feed(_ records: some Sequence<[UInt8]>) {
        for record in records { record.withUnsafeBytes { transcoder.transcode($0) } }
    }

    func spans() throws -> [SpanData] {
        try transcoder.take().filter { $0.signal == .traces }.flatMap { batch in try batch.spans().map { try $0.get().value } }
    }

    var counters: RecordTranscoder.Counters { transcoder.counters }
    var rejections: UInt64 { counters.rejectedReasons.values.reduce(0, +) }
}

/// A value the ring can carry: JavaScript's numbers, 16-bit drop counts, nesting of at most eight.
private func carried(_ value: AttributeValue, depth: Int = 0) -> AttributeValue {
    switch value {
    case .int(let int): .int(Int64(Double(int % (1 << 53))))
    case .array(let elements): depth > 5 ? .empty : .array(elements.map { carried($0, depth: depth + 1) })
    case .map(let entries): depth > 5 ? .empty : .map(carried(entries, depth: depth + 1))
    default: value
    }
}

private func carried(_ attributes: Attributes, depth: Int = 0) -> Attributes {
    attributes.map { Attribute($0.key, carried($0.value, depth: depth)) }
}

extension Generator {
    fileprivate mutating func ringTime() -> UInt64 { UInt64(RecordMaker.unixAtRingZero) + bits() % 1_000_000_000_000 }

    fileprivate mutating func ringSpan() -> SpanData {
        var span = span()
        span.startTime = ringTime()
        span.endTime = span.startTime + bits() % 1_000_000_000
        span.parentIsRemote = span.parentIsRemote ?? false
        span.attributes = carried(span.attributes)
        span.droppedEventsCount %= 65_536
        span.droppedLinksCount %= 65_536
        for index in span.events.indices {
            span.events[index].time = ringTime()
            span.events[index].attributes = carried(span.events[index].attributes)
            span.events[index].droppedAttributesCount %= 65_536
        }
        for index in span.links.indices {
            span.links[index].attributes = carried(span.links[index].attributes)
            span.links[index].droppedAttributesCount %= 65_536
        }
        return span
    }

    fileprivate mutating func ringLog() -> LogRecord {
        var log = log()
        log.time = ringTime()
        log.observedTime = log.time
        log.severityText = LogRecord.severityText(log.severity)
        log.body = .string(text())
        log.attributes = carried(log.attributes)
        log.droppedAttributesCount %= 65_536
        if !log.traceID.isValid { log.traceFlags = 0 }
        log.eventName = chance(30) ? "exception" : ""
        return log
    }
}

@Suite struct RecordTranscoderTests {
    @Test(arguments: 0..<300 as Range<UInt64>)
    func everyFieldOfASpanArrives(seed: UInt64) throws {
        var generator = Generator(seed: seed)
        var maker = RecordMaker(seed: seed)
        let spans = (0..<5).map { _ in generator.ringSpan() }
        for span in spans { maker.span(span) }
        let transcoding = Transcoding()
        transcoding.feed(maker.records)
        #expect(transcoding.rejections == 0)
        #expect(try transcoding.spans() == spans)
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func everyFieldOfALogArrives(seed: UInt64) throws {
        var generator = Generator(seed: seed)
        var maker = RecordMaker(seed: seed)
        let logs = (0..<5).map { _ in generator.ringLog() }
        for log in logs { maker.log(log, isError: log.eventName == "exception") }
        let transcoding = Transcoding()
        transcoding.feed(maker.records)
        #expect(transcoding.rejections == 0)
        let batch = try #require(transcoding.transcoder.take().first)
        #expect(try batch.logRecords().map { try $0.get().value } == logs)
    }

    @Test func pointsOfOneInstrumentShareAMetric() throws {
        var maker = RecordMaker(seed: 1)
        let counter = MetricPoint.Instrument(name: "jobs", unit: "{job}", description: "Jobs done", type: .counter, isInteger: true)
        let latency = MetricPoint.Instrument(name: "latency", unit: "ms", type: .histogram)
        let start = UInt64(RecordMaker.unixAtRingZero) + 10
        let points = [
            MetricPoint(instrument: counter, attributes: [Attribute("kind", "a")], startTime: start, time: start + 5, value: 3),
            MetricPoint(instrument: counter, attributes: [Attribute("kind", "b")], startTime: start, time: start + 5, value: 4),
            MetricPoint(
                instrument: latency, startTime: start, time: start + 6, value: 12.5,
                histogram: .init(count: 2, min: 2.5, max: 10, bounds: [5, 10], bucketCounts: [1, 1, 0])),
        ]
        maker.scope(1, InstrumentationScope(name: "app", version: "2", schemaURL: "https://example.com/schema"))
        maker.instrument(1, counter, scope: 1)
        maker.instrument(2, latency, scope: 1)
        maker.point(1, points[0])
        maker.point(1, points[1])
        maker.point(2, points[2])
        let transcoding = Transcoding()
        transcoding.feed(maker.records)
        let batch = try #require(transcoding.transcoder.take().first)
        #expect(batch.items.count == 2)
        let decoded = try batch.metrics().map { try $0.get() }
        #expect(decoded.flatMap(\.value.points) == points)
        #expect(decoded.allSatisfy { $0.scope.name == "app" && $0.scope.schemaURL == "https://example.com/schema" })
    }

    @Test func aSpanOpenAtTheEndBecomesAnErrorAndAnEndedOneDoesNot() throws {
        var generator = Generator(seed: 4)
        var maker = RecordMaker(seed: 4)
        let open = generator.ringSpan()
        let ended = generator.ringSpan()
        maker.spanStart(open)
        maker.spanStart(ended)
        maker.span(ended, hadStart: true)
        let transcoding = Transcoding()
        transcoding.feed(maker.records)
        #expect(try transcoding.spans() == [ended])
        let end = open.startTime + 1_000
        let closed = transcoding.transcoder.closeOpenSpans(
            endTime: end, reason: "worker killed by SIGKILL", attributes: [Attribute("error.type", "SIGKILL")])
        #expect(closed == 1)
        let span = try #require(try transcoding.spans().first)
        #expect(span.context.spanID == open.context.spanID && span.context.traceID == open.context.traceID)
        #expect(span.name == open.name && span.startTime == open.startTime && span.endTime == end)
        #expect(span.status == SpanStatus(code: .error, message: "worker killed by SIGKILL"))
        #expect(span.attributes["error.type"] == "SIGKILL")
        #expect(transcoding.transcoder.closeOpenSpans(endTime: end, reason: "", attributes: []) == 0)
    }

    @Test func spansOpenAtOnceAreToldApart() throws {
        var generator = Generator(seed: 6)
        var maker = RecordMaker(seed: 6)
        let spans = (0..<2_000).map { index in
            var span = generator.ringSpan()
            span.name = "span \(index % 7)"
            return span
        }
        for span in spans { maker.spanStart(span) }
        for index in stride(from: 0, to: spans.count, by: 2) { maker.span(spans[index], hadStart: true) }
        let transcoding = Transcoding()
        transcoding.feed(maker.records)
        #expect(transcoding.counters.received(.spanStart) == 2_000)
        #expect(transcoding.counters.received(.span) == 1_000)
        _ = transcoding.transcoder.take()
        #expect(transcoding.transcoder.closeOpenSpans(endTime: .max, reason: "", attributes: []) == 1_000)
        let names = try transcoding.spans().reduce(into: [:]) { $0[$1.context.spanID] = $1.name }
        for index in stride(from: 1, to: spans.count, by: 2) {
            #expect(names[spans[index].context.spanID] == spans[index].name)
        }
        #expect(transcoding.transcoder.closeOpenSpans(endTime: .max, reason: "", attributes: []) == 0)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func attributesThatComeAgainArriveWhereverTheyStand(seed: UInt64) throws {
        var generator = Generator(seed: seed)
        var maker = RecordMaker(seed: seed)
        let spans = (0..<300).map { index in
            var span = generator.ringSpan()
            span.attributes = [
                Attribute("method", "GET"), Attribute("sampled", .bool(index % 2 == 0)),
                Attribute("status", .int(Int64(index % 5) * 100)), Attribute("item", .int(Int64(index))),
                Attribute("below", .int(-1)),
            ]
            for event in span.events.indices { span.events[event].attributes = span.attributes }
            for link in span.links.indices { span.links[link].attributes = span.attributes }
            return span
        }
        for span in spans { maker.span(span) }
        let transcoding = Transcoding()
        transcoding.feed(maker.records)
        #expect(try transcoding.spans() == spans)
    }

    @Test func badRecordsAreRejectedAloneAndCountedByReason() throws {
        var generator = Generator(seed: 9)
        let good = generator.ringSpan()
        let transcoding = Transcoding()
        var maker = RecordMaker(seed: 9)
        maker.span(good)
        let records = maker.records
        transcoding.feed(records)
        var bad = records.last!
        for (offset, byte, reason) in [(60, 9, RecordError.range), (61, 7, .range), (15, 0x7F, .time), (70, 1, .reference)] {
            bad = records.last!
            bad[offset] = UInt8(byte)
            if reason == .time { bad[14] = 0xFF }
            transcoding.feed([bad])
            #expect(transcoding.counters.rejectedReasons[reason] != nil, "byte \(offset)")
        }
        bad = records.last!
        bad.replaceSubrange(24..<40, with: [UInt8](repeating: 0, count: 16))
        transcoding.feed([bad])
        #expect(transcoding.counters.rejectedReasons[.ids] == 1)
        var unknown = RecordMaker(seed: 1)
        unknown.raw(200, [1, 2, 3])
        transcoding.feed(unknown.records)
        #expect(transcoding.counters.rejectedReasons[.unknownKind] == 1)
        #expect(try transcoding.spans() == [good])
    }

    @Test func nestingBeyondTheLimitIsRejected() {
        for (depth, accepted) in [(7, true), (9, false), (200, false)] {
            var value = AttributeValue.int(1)
            for _ in 0..<depth { value = .array([value]) }
            var generator = Generator(seed: 2)
            var span = generator.ringSpan()
            span.attributes = [Attribute("deep", value)]
            var maker = RecordMaker(seed: 2)
            maker.span(span)
            let transcoding = Transcoding()
            transcoding.feed(maker.records)
            #expect((transcoding.counters.rejectedReasons[.nesting] == nil) == accepted, "depth \(depth)")
        }
    }

    @Test func invalidUTF8IsRejected() {
        var maker = RecordMaker(seed: 1)
        maker.raw(RecordKind.string.rawValue, [1, 0, 0, 0, 2, 0, 0, 0, 0xC3, 0x28])
        let transcoding = Transcoding()
        transcoding.feed(maker.records)
        #expect(transcoding.counters.rejectedReasons == [.utf8: 1])
    }

    @Test func aStringIsDefinedOnce() {
        var maker = RecordMaker(seed: 1)
        maker.raw(RecordKind.string.rawValue, [1, 0, 0, 0, 1, 0, 0, 0, 97])
        maker.raw(RecordKind.string.rawValue, [1, 0, 0, 0, 1, 0, 0, 0, 98])
        maker.raw(RecordKind.string.rawValue, [0, 0, 0, 0, 1, 0, 0, 0, 98])
        let transcoding = Transcoding()
        transcoding.feed(maker.records)
        #expect(transcoding.counters.rejectedReasons == [.reference: 1, .range: 1])
    }

    @Test func aShortRecordThatNamesALongStringAMillionTimesCannotFillTheAgent() {
        var maker = RecordMaker(seed: 1)
        maker.raw(RecordKind.string.rawValue, [1, 0, 0, 0, 0, 4, 0, 0] + [UInt8](repeating: 97, count: 1024))
        var generator = Generator(seed: 3)
        var span = generator.ringSpan()
        span.attributes = []
        span.events = []
        span.links = []
        maker.span(span)
        var hostile = maker.records.last!
        let count = 60_000
        hostile[64] = UInt8(truncatingIfNeeded: count)
        hostile[65] = UInt8(truncatingIfNeeded: count >> 8)
        for _ in 0..<count { hostile += [1, 0, 0, 0, 3, 0, 0, 0] }
        let transcoding = Transcoding()
        transcoding.feed(maker.records)
        for _ in 0..<50 { transcoding.feed([hostile]) }
        #expect(transcoding.transcoder.pendingBytes < RecordTranscoder.pendingBytesMax + 128 << 20)
        #expect(transcoding.counters.rejectedReasons[.overflow] != nil)
    }

    @Test func spansOpenBeyondTheBoundAreCountedAndNotFollowed() {
        var generator = Generator(seed: 5)
        var span = generator.ringSpan()
        span.name = "open"
        let transcoding = Transcoding()
        for index in 0..<RecordLimits.openSpansMax + 10 {
            span.context.spanID = SpanID(UInt64(index + 1))
            var maker = RecordMaker(seed: 0)
            maker.spanStart(span)
            transcoding.feed([maker.records.last!].filter { $0[4] == RecordKind.spanStart.rawValue })
        }
        #expect(transcoding.counters.untrackedStarts + transcoding.rejections >= 10)
    }

    /// Random damage to real records, and random bytes: nothing may trap, and whatever is accepted must decode again.
    /// `SIDELIGHT_FUZZ_SECONDS` runs it longer, with a seed from the clock.
    @Test func fuzzedRecordsNeverTrapAndWhatIsAcceptedDecodes() throws {
        let seconds = ProcessInfo.processInfo.environment["SIDELIGHT_FUZZ_SECONDS"].flatMap(Double.init)
        let seed = seconds == nil ? 42 : UInt64(Date().timeIntervalSince1970)
        let end = Date(timeIntervalSinceNow: seconds ?? 0)
        var generator = Generator(seed: seed)
        var rounds = 0
        while rounds < 400 || seconds != nil && Date() < end {
            rounds += 1
            let transcoding = Transcoding()
            var maker = RecordMaker(seed: generator.bits())
            for _ in 0..<4 {
                maker.spanStart(generator.ringSpan())
                maker.span(generator.ringSpan(), hadStart: generator.chance(50))
                maker.log(generator.ringLog())
            }
            maker.scope(UInt32(generator.below(1100)), InstrumentationScope(name: generator.text()))
            maker.instrument(UInt32(generator.below(5000)), .init(name: generator.text(), type: .histogram))
            maker.point(UInt32(generator.below(5000)), generator.metric())
            for record in maker.records {
                transcoding.feed([record])
                for _ in 0..<8 {
                    var damaged = record
                    for _ in 0...generator.below(4) {
                        let at = 4 + generator.below(damaged.count - 4)
                        damaged[at] = UInt8(truncatingIfNeeded: generator.bits())
                    }
                    if generator.chance(30) { damaged.removeLast(8 * generator.below(damaged.count / 8)) }
                    if damaged.count >= 8 { transcoding.feed([damaged]) }
                }
            }
            _ = transcoding.transcoder.closeOpenSpans(endTime: 1, reason: "end", attributes: [])
            for batch in transcoding.transcoder.take() {
                for index in batch.items.indices {
                    switch batch.signal {
                    case .traces: _ = try batch.span(at: index)
                    case .logs: _ = try batch.logRecord(at: index)
                    case .metrics: _ = try batch.metric(at: index)
                    }
                }
            }
        }
        if seconds != nil { print("fuzzed \(rounds) rounds, seed \(seed)") }
    }
}
