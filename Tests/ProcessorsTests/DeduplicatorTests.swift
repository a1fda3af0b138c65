import Configuration
import Telemetry
import Testing
import Wire

@testable import Processors

@Suite struct DeduplicatorTests {
    private static func deduplicator(_ edit: (inout DeduplicationConfiguration) -> Void = { _ in }) -> Deduplicator {
        var configuration = DeduplicationConfiguration()
        edit(&configuration)
        return Deduplicator(configuration, name: "once")
    }

    @Test func aSpanThatCameBeforeIsDropped() throws {
        let once = Self.deduplicator()
        let first = batch([span(1, 1), span(1, 2), span(2, 1)], ticket: 4)
        let output = once.take([first], at: 0)
        #expect(output.batches.map(\.bytes) == [first.bytes] && output.batches[0].ticket == 4)
        let again = batch([span(1, 2), span(1, 3), span(1, 1) { $0.kind = .server }, span(1, 3)], ticket: 5)
        let second = once.take([again], at: 1)
        // Client and server may share a span's id.
        #expect(second.ids == [3, 1] && second.batches[0].ticket == 5)
        try second.batches[0].checkIndex()
        #expect(
            second.dropped == [
                DroppedItems(
                    processor: "once", reason: .duplicate, rule: "", signal: .traces, items: 2,
                    bytes: Int(again.items[0].length + again.items[3].length))
            ])
        #expect(once.take([first], at: 2).batches.isEmpty)
        #expect(once.counts.isBalanced && once.counts.dropped(.traces) == 5)
        #expect(once.oldestHeld == nil && once.wakeAt == nil)
    }

    @Test func whatIsOlderThanTheWindowIsForgotten() {
        let once = Self.deduplicator { $0.windowNanoseconds = 10 * second }
        #expect(once.take([batch([span(1, 1)])], at: 1).ids == [1])
        #expect(once.take([batch([span(1, 1)])], at: 10.999).ids == [])
        // That it came again does not make it newer.
        #expect(once.take([batch([span(1, 1)])], at: 11).ids == [1])
        #expect(once.take([batch([span(1, 1)])], at: 3).ids == [])
    }

    @Test func theOldestMakesRoom() {
        let once = Self.deduplicator { $0.entriesMax = 3 }
        #expect(once.take([batch((1...4).map { span(1, $0) })], at: 0).ids.count == 4)
        #expect(once.take([batch([2, 3, 4, 1, 2].map { span(1, $0) })], at: 0).ids == [1, 2])
    }

    @Test func logsAreComparedWhenThatIsAskedFor() {
        let record = LogRecord(
            time: 5, observedTime: 6, severity: 9, severityText: "", body: "a", attributes: [], traceID: .invalid,
            spanID: .invalid, traceFlags: 0, eventName: "")
        var other = record
        other.time = 7
        func logs(_ records: [LogRecord], _ host: String) -> Batch {
            Batch(records, resource: Resource(attributes: [Attribute("host.name", .string(host))]))
        }
        let batches = [logs([record, other, record], "a"), logs([record], "b"), logs([other], "a")]
        #expect(Self.deduplicator().take(batches, at: 0).batches.map(\.items.count) == [3, 1, 1])
        let once = Self.deduplicator { $0.signals = [.logs] }
        #expect(once.take(batches, at: 0).batches.map(\.items.count) == [2, 1])
        #expect(once.take([batch([span(1, 1), span(1, 1)])], at: 0).ids.count == 2)
        #expect(once.counts.isBalanced)
    }

    /// Against a dictionary, with a table that overflows and a window that ends.
    @Test(arguments: 0..<4 as Range<UInt64>)
    func decidesAsADictionaryWould(seed: UInt64) {
        var generator = Generator(seed: seed)
        var configuration = DeduplicationConfiguration()
        configuration.entriesMax = generator.pick([10, 300, 5_000])
        configuration.windowNanoseconds = 4 * second
        let seen = SeenItems(entriesMax: configuration.entriesMax, window: configuration.windowNanoseconds)
        var model: [(id: UInt64, since: UInt64)] = []
        var now: UInt64 = 0
        for _ in 0..<20_000 {
            now += UInt64(generator.below(8)) * 1_000_000
            let id = UInt64(generator.below(900))
            model.removeAll { $0.since + configuration.windowNanoseconds <= now }
            let isNew = !model.contains { $0.id == id }
            if isNew {
                if model.count == configuration.entriesMax { model.removeFirst() }
                model.append((id, now))
            }
            let key = SeenItems.Key(first: id / 30, second: id % 30, third: id & 7, kind: 0)
            #expect(seen.isNew(key, now) == isNew)
            #expect(seen.count == model.count)
        }
    }

    @Test func theIndexFindsWhatIsThere() {
        var generator = Generator(seed: 8)
        var index = HashIndex()
        var there: [UInt32: UInt64] = [:]
        var free = Array((0..<3_000 as Range<UInt32>).reversed())
        for round in 0..<60_000 {
            let grows = round / 10_000 % 2 == 0
            if generator.chance(grows ? 70 : 30), let number = free.popLast() {
                let key = generator.bits()
                there[number] = key
                index.insert(index.hash(key, 5), number)
            } else if let (number, key) = there.randomElement() {
                index.remove(index.hash(key, 5), number)
                there[number] = nil
                free.append(number)
            }
            #expect(index.count == there.count)
            if round % 997 == 0 {
                for (number, key) in there { #expect(index.find(index.hash(key, 5)) { there[$0] == key } == number) }
                #expect(index.find(index.hash(1, 1)) { _ in false } == nil)
            }
        }
    }
}
