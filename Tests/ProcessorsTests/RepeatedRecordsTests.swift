import Configuration
import System
import Telemetry
import Testing
import Wire

@testable import Processors

func record(
    _ body: AttributeValue, severity: UInt8 = 9, time: UInt64 = 1_000, _ edit: (inout LogRecord) -> Void = { _ in }
) -> LogRecord {
    var record = LogRecord(
        time: time, observedTime: time + 1, severity: severity, severityText: "", body: body, attributes: [],
        traceID: .invalid, spanID: .invalid, traceFlags: 0, eventName: "")
    edit(&record)
    return record
}

func logs(_ records: [LogRecord], service: String = "shop", scope: String = "", ticket: UInt64 = 1) -> Batch {
    let resource = Resource(attributes: [Attribute("service.name", .string(service))])
    var builder = BatchBuilder(signal: .logs, resource: resource)
    for record in records { builder.append(record, scope: InstrumentationScope(name: scope)) }
    var batch = builder.take()
    batch.ticket = ticket
    return batch
}

extension [Batch] {
    func records() throws -> [LogRecord] {
        try flatMap { batch in
            try batch.checkIndex()
            return try batch.items.indices.map { try batch.logRecord(at: $0) }
        }
    }
}

extension LogRecord {
    /// Body and the number it stands for; 1 for one that stands for itself.
    var said: String {
        guard case .int(let count)? = attributes.first(where: { $0.key == "sidelight.repeated" })?.value else {
            return "\(body)"
        }
        return "\(body) ×\(count)"
    }
}

@Suite struct RepeatedRecordsTests {
    private static func processor(
        budget: MemoryBudget? = nil, _ edit: (inout DeduplicationConfiguration.Repeats) -> Void = { _ in }
    ) -> Deduplicator {
        var configuration = DeduplicationConfiguration()
        configuration.signals = []
        configuration.repeats = .init()
        edit(&configuration.repeats!)
        return Deduplicator(configuration, name: "said", budget: budget)
    }

    /// Else the entries from the one that is held on stay in the queue, and what has passed of them comes again with the next run.
    @Test func nothingIsHeldAtTheEnd() throws {
        let said = Self.processor()
        _ = said.take([logs([record("again"), record("again"), record("again"), record("once")], ticket: 3)], at: 1)
        let last = said.end(at: 2)
        #expect(try last.batches.records().map(\.said) == ["\(AttributeValue("again")) ×2"])
        #expect(said.oldestHeld == nil && said.wakeAt == nil && said.counts.isBalanced)
        #expect(said.counts.held[.logs] ?? 0 == 0)
    }

    @Test func theFirstPassesAndOneMoreSaysHowOftenItWasRepeated() throws {
        let said = Self.processor()
        let refused = record("refused", severity: 17)
        let first = said.take([logs([refused, record("up"), refused], ticket: 3)], at: 1)
        #expect(try first.batches.records().map(\.said) == ["\(AttributeValue("refused"))", "\(AttributeValue("up"))"])
        #expect(first.dropped.isEmpty && said.oldestHeld == 3)
        #expect(said.counts.held[.logs] == 1 && said.counts.isBalanced)
        let again = (1...40).map { number in
            record("refused", severity: 17, time: 5_000 + UInt64(number)) {
                $0.attributes = [Attribute("n", .int(Int64(number)))]
            }
        }
        let more = said.take([logs(again, ticket: 4)], at: 5)
        #expect(more.batches.isEmpty && more.dropped(.repeated) == 40)
        #expect(said.wakeAt == 11 * second)
        #expect(said.tick(at: 10.9).batches.isEmpty)
        let summary = said.tick(at: 11)
        let left = try summary.batches.records()
        #expect(left.count == 1 && left[0].severity == 17 && left[0].body == "refused")
        // The time of the last.
        #expect(left[0].time == 5_040 && left[0].observedTime == 1_001)
        #expect(left[0].attributes == [Attribute("sidelight.repeated", 41)])
        #expect(summary.batches[0].ticket == 3 && said.oldestHeld == nil && said.wakeAt == nil)
        #expect(said.counts.passed[.logs] == 3 && said.counts.isBalanced)
        #expect(said.counts.dropped == [.logs: [.repeated: 40]])
        // A new window begins.
        #expect(try said.take([logs([refused])], at: 12).batches.records().count == 1)
    }

    @Test func whatDiffersInWhatItSaysIsKept() throws {
        let said = Self.processor()
        let body = AttributeValue.map([Attribute("a", 1), Attribute("b", .array([2, "c"]))])
        let other = AttributeValue.map([Attribute("a", 1), Attribute("b", .array([2, "d"]))])
        let different = [
            record(body), record(other), record(body, severity: 10), record(body) { $0.eventName = "e" },
            // An event without a text is what its attributes say.
            record(.empty) { $0.attributes = [Attribute("k", 1)] },
            record(.empty) { $0.attributes = [Attribute("k", 2)] },
            record("") { $0.attributes = [Attribute("k", 1)] },
            record("") { $0.attributes = [Attribute("k", 2)] },
        ]
        #expect(try said.take([logs(different)], at: 0).batches.records().count == different.count)
        #expect(try said.take([logs(different, service: "cart")], at: 0).batches.records().count == different.count)
        #expect(try said.take([logs(different, scope: "s")], at: 0).batches.records().count == different.count)
        // Time, trace and attributes do not matter.
        let same = record(body, time: 9_000) {
            $0.traceID = traceID(1)
            $0.attributes = [Attribute("k", 1)]
        }
        #expect(said.take([logs([same])], at: 1).batches.isEmpty)
        let left = try said.tick(at: 20).batches.records()
        #expect(left.map(\.traceID) == [traceID(1)])
        #expect(left[0].attributes == [Attribute("k", 1), Attribute("sidelight.repeated", 1)])
        #expect(said.counts.isBalanced && said.counts.held == [:])
    }

    @Test func spansAndMetricsPass() {
        let said = Self.processor()
        #expect(said.take([batch([span(1, 1), span(1, 1)])], at: 0).ids == [1, 1])
        #expect(said.counts.isBalanced)
    }

    @Test func whatIsForgottenTellsFirst() throws {
        let said = Self.processor { $0.recordsMax = 2 }
        _ = said.take([logs([record("a"), record("a"), record("b"), record("b")])], at: 0)
        let output = said.take([logs([record("c"), record("a")])], at: 1)
        #expect(try output.batches.records().map { "\($0.said)" }.count == 4)
        #expect(said.counts.details == ["repeats_early": 2] && said.counts.held == [:])
        #expect(said.counts.isBalanced && said.oldestHeld == nil)
    }

    @Test func memoryIsBounded() throws {
        let budget = MemoryBudget(bytesMax: 64 << 20)
        var said: Deduplicator? = Self.processor(budget: budget) { $0.bytesMax = 256 << 10 }
        let text = String(repeating: "x", count: 10_000)
        var left = 0
        for number in 0..<200 {
            let record = record(.string("\(number) \(text)"))
            left += try said!.take([logs([record, record], ticket: UInt64(number + 1))], at: 1).batches.records().count
            #expect(budget.used <= 300 << 10)
        }
        #expect(said!.counts.details["repeats_early"]! > 150)
        left += try said!.tick(at: 30).batches.records().count
        #expect(left == 400 && said!.counts.isBalanced && said!.oldestHeld == nil)
        // One that is too large passes.
        let large = record(.string(String(repeating: "y", count: 100_000)))
        #expect(try said!.take([logs([large, large, large])], at: 31).batches.records().count == 3)
        said = nil
        #expect(budget.used == 0)
    }

    /// Against a dictionary: every record leaves or is counted by one that does.
    @Test(arguments: 0..<4 as Range<UInt64>)
    func countsAsADictionaryWould(seed: UInt64) throws {
        var generator = Generator(seed: seed)
        let said = Self.processor { $0.windowNanoseconds = 4 * second }
        var model: [String: (since: UInt64, repeats: Int)] = [:]
        var expected: [String: Int] = [:]
        var made: [String: Int] = [:]
        // In units that have no fractions in either form.
        let unit: UInt64 = 7_812_500
        var ticks: UInt64 = 0
        var now: Double { Double(ticks) / 128 }
        func note(_ output: ProcessorOutput) throws {
            for record in try output.batches.records() { made[record.said, default: 0] += 1 }
        }
        func tell(_ body: String, _ repeats: Int) {
            if repeats > 0 { expected["\(AttributeValue.string(body)) ×\(repeats)", default: 0] += 1 }
        }
        for round in 0..<400 {
            ticks += UInt64(generator.below(128))
            for (body, entry) in model where entry.since + 4 * second / unit <= ticks {
                tell(body, entry.repeats)
                model[body] = nil
            }
            let bodies = generator.many(12) { "body \($0.below(15))" }
            for body in bodies {
                if model[body] == nil {
                    model[body] = (ticks, 0)
                    expected["\(AttributeValue.string(body))", default: 0] += 1
                } else {
                    model[body]!.repeats += 1
                }
            }
            try note(said.take([logs(bodies.map { record(.string($0)) }, ticket: UInt64(round + 1))], at: now))
            #expect(said.counts.isBalanced)
        }
        for (body, entry) in model { tell(body, entry.repeats) }
        try note(said.tick(at: now + 5))
        #expect(made == expected)
        #expect(said.counts.held == [:] && said.oldestHeld == nil)
    }

    @Test(arguments: 0..<3 as Range<UInt64>)
    func damagedBatchesDoNotTrap(seed: UInt64) throws {
        var generator = Generator(seed: seed)
        let said = Self.processor { $0.recordsMax = 50 }
        var now = 0.0
        for _ in 0..<1_000 {
            var batch = generator.batch(.logs)
            let (items, bytes) = (batch.items, batch.bytes)
            for _ in 0..<generator.below(4) {
                batch.items += items.map { item in
                    var item = item
                    item.offset += UInt32(batch.bytes.count)
                    return item
                }
                batch.bytes += bytes
            }
            for _ in 0..<generator.below(4) { mutate(&batch.bytes, &generator) }
            if generator.chance(10), !batch.items.isEmpty {
                let index = generator.below(batch.items.count)
                batch.items[index].offset = UInt32(generator.below(batch.bytes.count + 10))
                batch.items[index].status = UInt8(generator.below(256))
                batch.items[index].scope = UInt16(generator.below(4))
            }
            now += 0.1
            _ = said.take([batch], at: now)
            #expect(said.counts.isBalanced)
        }
        #expect(said.counts.dropped[.logs]?[.repeated] ?? 0 > 0)
        _ = said.tick(at: now + 100)
        #expect(said.counts.held == [:] && said.counts.isBalanced)
    }
}
