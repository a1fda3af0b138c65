import Configuration
import Telemetry
import Testing

@testable import Processors

@Suite struct LimitTests {
    private static func cut(_ value: AttributeValue, _ bytes: Int) -> AttributeValue {
        switch value {
        case .string(let text):
            guard text.utf8.count > bytes else { return value }
            var result = ""
            for scalar in text.unicodeScalars {
                guard result.utf8.count + String(scalar).utf8.count <= bytes else { break }
                result.unicodeScalars.append(scalar)
            }
            return .string(result)
        case .bytes(let content): return .bytes(Array(content.prefix(bytes)))
        case .array(let elements): return .array(elements.map { cut($0, bytes) })
        case .map(let entries): return .map(entries.map { Attribute($0.key, cut($0.value, bytes)) })
        default: return value
        }
    }

    private static func limit(_ attributes: inout [Attribute], _ dropped: inout UInt32, _ limits: ItemLimits) {
        let over = max(0, attributes.count - limits.attributes)
        attributes = attributes.dropLast(over).map { Attribute($0.key, cut($0.value, limits.attributeBytes)) }
        dropped = UInt32(clamping: Int(dropped) + over)
    }

    @Test(arguments: 0..<8 as Range<UInt64>, [Signal.traces, .logs])
    func isWhatEditingValuesGives(seed: UInt64, signal: Signal) throws {
        var generator = Generator(seed: seed)
        for round in 0..<150 {
            var limits = ItemLimits()
            limits.attributes = generator.below(8)
            limits.attributeBytes = generator.pick([0, 1, 5, 20, 100])
            limits.events = generator.below(4)
            limits.links = generator.below(4)
            let batch = generator.batch(signal)
            guard !batch.isEmpty else { continue }
            var expected = try Decoded(batch)
            for index in expected.logs.indices {
                var log = expected.logs[index]
                Self.limit(&log.attributes, &log.droppedAttributesCount, limits)
                expected.logs[index] = log
            }
            for index in expected.spans.indices {
                var span = expected.spans[index]
                Self.limit(&span.attributes, &span.droppedAttributesCount, limits)
                span.droppedEventsCount = UInt32(
                    clamping: Int(span.droppedEventsCount) + max(0, span.events.count - limits.events))
                span.droppedLinksCount = UInt32(
                    clamping: Int(span.droppedLinksCount) + max(0, span.links.count - limits.links))
                span.events = Array(span.events.prefix(limits.events))
                span.links = Array(span.links.prefix(limits.links))
                span.events = span.events.map { event in
                    var event = event
                    Self.limit(&event.attributes, &event.droppedAttributesCount, limits)
                    return event
                }
                span.links = span.links.map { link in
                    var link = link
                    Self.limit(&link.attributes, &link.droppedAttributesCount, limits)
                    return link
                }
                expected.spans[index] = span
            }
            let chain = chain(.limits(limits))
            let result = try #require(chain.run(batch).batch)
            try result.checkIndex()
            #expect(try Decoded(result) == expected, "seed \(seed), round \(round), \(limits)")
            if try Decoded(batch) == expected { #expect(result.bytes == batch.bytes) }
        }
    }

    @Test func metricsAreExempt() throws {
        var generator = Generator(seed: 1)
        var limits = ItemLimits()
        limits.attributes = 0
        let batch = generator.batch(.metrics, items: 30)
        #expect(chain(.limits(limits)).run(batch).batch?.bytes == batch.bytes)
    }

    @Test func countsSaturate() throws {
        var limits = ItemLimits()
        limits.attributes = 0
        let batch = oneSpan {
            $0.attributes = [Attribute("a", 1), Attribute("b", 2)]
            $0.droppedAttributesCount = .max - 1
        }
        #expect(try #require(chain(.limits(limits)).run(batch).batch).span(at: 0).droppedAttributesCount == .max)
    }
}
