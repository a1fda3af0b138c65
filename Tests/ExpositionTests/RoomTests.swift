import Telemetry
import Testing
import Wire

@testable import Exposition

/// What senders can make a page and its table take.
@Suite struct RoomTests {
    private func limits(bytes: Int = 128 << 20, page: Int = 64 << 20) -> ExpositionLimits {
        var limits = ExpositionLimits()
        (limits.bytesMax, limits.pageBytesMax) = (bytes, page)
        return limits
    }

    /// A histogram whose bounds nobody else has, each some hundred characters long.
    private func histogram(_ number: Int, _ bounds: Int, _ label: String = "", time: UInt64 = 2) -> [UInt8] {
        var point = TestPoint(attributes: [Attribute("i", .string("\(number)\(label)"))], time: time)
        point.bounds = (0..<bounds).map { Double(number * 1_000 + $0 + 1) * 0x1p-1070 }
        point.counts = [UInt64](repeating: 1, count: bounds + 1)
        return metric("h", .histogram, [point])
    }

    /// Bounds with their texts, which many series may have each its own of.
    private func boundBytes(_ table: MetricTable) -> Int {
        var seen: Set<ObjectIdentifier> = []
        return table.series.reduce(0) { sum, one in
            guard case .histogram(let histogram) = one.value,
                seen.insert(ObjectIdentifier(histogram.bounds)).inserted
            else { return sum }
            let set = histogram.bounds
            return sum + set.bounds.count * 8 + (set.texts + set.openMetrics).reduce(0) { $0 + $1.count + 32 }
        }
    }

    @Test func boundsCountForWhatTheyTake() {
        var table = table(limits(bytes: 4 << 20))
        for number in 0..<60 { table.take(Sender().batch([histogram(number, 400)]), source: .received, now: 0) }
        #expect(table.seriesCount > 3 && table.dropped(.full) > 0)
        #expect(boundBytes(table) < 5 << 20)
        // After it was counted anew it is the same.
        let before = table.bytes
        for name in 0..<2_000 {
            let gone = [TestPoint(value: 1, attributes: [Attribute("n", .string("\(name)"))], flags: 1)]
            table.take(Sender().batch([metric("h", .histogram, gone)]), source: .received, now: 0)
        }
        table.sweep(now: 20_000_000_000)
        #expect(table.bytes <= before)
        #expect(table.seriesCount > 3)
    }

    @Test func aSeriesThatIsKnownHasNoMoreRoomThanOthers() {
        var table = table(limits(bytes: 1 << 20))
        for number in 0..<1_000 {
            let point = TestPoint(attributes: [Attribute("i", .string("\(number)"))], bounds: [1], counts: [1, 1])
            table.take(Sender().batch([metric("h", .histogram, [point])]), source: .received, now: 0)
        }
        #expect(table.seriesCount == 1_000)
        for number in 0..<1_000 {
            var point = TestPoint(attributes: [Attribute("i", .string("\(number)"))], time: 2_000_000_001)
            point.bounds = (0..<500).map(Double.init)
            point.counts = [UInt64](repeating: 1, count: 501)
            table.take(Sender().batch([metric("h", .histogram, [point])]), source: .received, now: 0)
        }
        #expect(table.series.reduce(0) { $0 + $1.value.bytes } < 1 << 20)
        #expect(table.bytes <= 1 << 20)
        #expect(table.seriesCount == 1_000)
    }

    @Test func thePageHasABoundWhateverItsLinesRepeat() {
        var table = table(limits(page: 4 << 20))
        let label = String(repeating: "x", count: 7_000)
        for number in 0..<30 { table.take(Sender().batch([histogram(number, 200, label)]), source: .received, now: 0) }
        #expect(table.seriesCount > 1 && table.dropped(.full) > 0)
        table.sweep(now: 0)
        for format in [ExpositionFormat(.text), ExpositionFormat(.openMetrics), ExpositionFormat(.protobuf)] {
            #expect(table.page(format).count < 5 << 20)
        }
        // What the process says of itself is there all the same.
        table.take(Sender().batch([metric("own", .gauge, [TestPoint(value: 7)])]), source: .own("me"), now: 0)
        #expect(table.samples().contains("own 7"))
    }

    @Test func resourcesAndHelpAreOnThePageTooAndHaveABound() {
        var table = table(limits(page: 1 << 20))
        for number in 0..<100 {
            var sender = Sender()
            sender.resource = Resource(attributes: [
                Attribute("service.name", "shop"), Attribute("service.instance.id", .string("\(number)")),
                Attribute("note", .string(String(repeating: "r", count: 20_000))),
            ])
            let help = String(repeating: "h", count: 8_000)
            table.take(
                sender.batch([metric("m\(number)", .gauge, [TestPoint(value: 1)], help: help)]), source: .received,
                now: 0)
        }
        #expect(table.seriesCount > 5 && table.dropped(.full) > 0)
        table.sweep(now: 0)
        #expect(table.page(ExpositionFormat(.text)).count < 2 << 20)
    }

    @Test func exemplarsCountForWhatTheyTake() {
        var table = table(limits(bytes: 1 << 20))
        var point = TestPoint()
        point.bounds = (0..<32).map(Double.init)
        point.counts = [UInt64](repeating: 1, count: 33)
        point.exemplars = (0..<32).map { (Double($0), UInt64($0 + 1)) }
        for number in 0..<1_000 {
            point.attributes = [Attribute("i", .string("\(number)"))]
            table.take(Sender().batch([metric("h", .histogram, [point])]), source: .received, now: 0)
        }
        let held = table.series.reduce(0) { $0 + $1.exemplars.reduce(0) { $0 + $1.labels.count + 56 } }
        #expect(held > 0 && held < 1 << 20)
        #expect(table.bytes < 11 << 17)
        // They go with their series.
        let before = table.bytes
        point.flags = 1
        point.attributes = [Attribute("i", .string("0"))]
        table.take(Sender().batch([metric("h", .histogram, [point])]), source: .received, now: 0)
        #expect(table.bytes < before)
    }

    @Test func attributesInOtherOrdersAreRememberedWhileThereIsRoom() {
        var table = table(limits(bytes: 64 << 10))
        for number in 0..<5_000 {
            // An attribute without a value is no label.
            let attributes = [Attribute("a", "1"), Attribute("\(number)", "")]
            table.take(
                Sender().batch([metric("g", .gauge, [TestPoint(value: Double(number), attributes: attributes)])]),
                source: .received, now: 0)
        }
        #expect(table.seriesCount == 1)
        #expect(table.instruments[0].known.count < 2_000)
        #expect(table.samples().first?.hasSuffix(" 4999") == true)
    }

    @Test func whatIsolatesHoldIsCountedAndGivenBack() {
        var table = table()
        let point = TestPoint(bounds: [1, 2, 3], counts: [1, 1, 1, 1])
        for isolate in UInt64(1)...50 {
            table.take(Sender().batch([metric("h", .histogram, [point])]), source: .isolate(isolate), now: 0)
        }
        let (before, page) = (table.bytes, table.pageBytes)
        for isolate in UInt64(1)...50 { table.ended(isolate: isolate) }
        #expect(table.bytes < before - 50 * Parts.liveBytes + 200)
        #expect(table.pageBytes == page)
        #expect(table.samples().contains { $0.hasPrefix("h_count") && $0.hasSuffix(" 200") })
    }

    /// Prometheus refuses a whole page for one line with a label twice.
    @Test func namesThatDifferInAZeroByteAreOneLabel() {
        var table = table()
        let point = TestPoint(value: 1, attributes: [Attribute("a\u{0}", "x"), Attribute("a\u{FFFD}", "y")])
        table.take(Sender().batch([metric("g", .gauge, [point])]), source: .received, now: 0)
        let lines = table.samples(ExpositionFormat(.text, isUTF8: true))
        #expect(lines.count == 1 && lines[0].contains("\"a\u{FFFD}\"=\"x;y\""))
    }
}
