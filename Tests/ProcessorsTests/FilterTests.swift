import Configuration
import Telemetry
import Testing
import Wire

@testable import Processors

@Suite struct FilterTests {
    private static func rule(_ edit: (inout ItemFilter.Rule) -> Void) -> ItemFilter.Rule {
        var rule = ItemFilter.Rule()
        edit(&rule)
        return rule
    }

    private static func matches(_ pattern: String, _ text: String) -> Bool {
        Array(text.utf8).withUnsafeBytes { TextPattern(glob: pattern).matches($0) }
    }

    /// As text, as far as the rules below ask.
    private static func matches(_ condition: ItemFilter.AttributeCondition, _ attributes: Attributes) -> Bool {
        attributes.contains { attribute in
            guard matches(condition.key, attribute.key) else { return false }
            guard let wanted = condition.value else { return true }
            switch attribute.value {
            case .string(let text): return matches(wanted, text)
            case .int(let number): return matches(wanted, "\(number)")
            case .bool(let flag): return matches(wanted, "\(flag)")
            case .double(let number): return matches(wanted, "\(number)")
            case .bytes(let bytes): return bytes.withUnsafeBytes { TextPattern(glob: wanted).matches($0) }
            case .empty: return matches(wanted, "")
            case .array, .map: return false
            }
        }
    }

    private static func slow(
        _ rule: ItemFilter.Rule, _ span: SpanData, _ scope: InstrumentationScope, _ resource: Resource
    ) -> Bool {
        if let signal = rule.signal, signal != .traces { return false }
        if rule.severityBelow != nil { return false }
        if let kind = rule.kind, span.kind != kind { return false }
        if let status = rule.status, span.status.code != status { return false }
        let duration = span.endTime - span.startTime
        if let least = rule.durationMin, duration < least { return false }
        if let most = rule.durationMax, duration >= most { return false }
        if let isRoot = rule.isRoot, isRoot == span.parentSpanID.isValid { return false }
        if let name = rule.name, !matches(name, span.name) { return false }
        if let name = rule.scope, !matches(name, scope.name) { return false }
        if let service = rule.service, !matches(service, resource.serviceName) { return false }
        if let condition = rule.resource, !matches(condition, resource.attributes) { return false }
        if let condition = rule.attribute, !matches(condition, span.attributes),
            !matches(condition, resource.attributes)
        {
            return false
        }
        return true
    }

    private static func rules(_ generator: inout Generator) -> [ItemFilter.Rule] {
        generator.many(4) { generator in
            var rule = ItemFilter.Rule()
            if generator.chance(20) { rule.signal = generator.pick(Signal.allCases) }
            if generator.chance(30) { rule.kind = generator.pick(SpanKind.allCases) }
            if generator.chance(20) { rule.status = generator.pick([.unset, .ok, .error]) }
            if generator.chance(20) { rule.durationMin = generator.bits() % 2_000_000_000 }
            if generator.chance(20) { rule.durationMax = generator.bits() % 2_000_000_000 }
            if generator.chance(10) { rule.isRoot = generator.chance(50) }
            if generator.chance(30) { rule.name = generator.pick(["GET *", "*x*", "*1", "x*x", ""]) }
            if generator.chance(20) { rule.scope = generator.pick(["lib-1", "lib-*", "none"]) }
            if generator.chance(20) { rule.service = generator.pick(["shop-1", "shop-*", "none"]) }
            if generator.chance(10) { rule.resource = .init(key: generator.pick(["a", "b"])) }
            if generator.chance(5) { rule.severityBelow = 9 }
            if generator.chance(30) {
                // Values of lists are compared as their encoding, which the slow way does not know.
                rule.attribute = .init(
                    key: generator.pick(["a", "http.*", "none"]), value: generator.pick([nil, "true", "GET *"]))
            }
            return rule
        }
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func isWhatComparingValuesGives(seed: UInt64) throws {
        var generator = Generator(seed: seed)
        for round in 0..<200 {
            var options = ItemFilter()
            options.drop = Self.rules(&generator)
            options.keep = generator.chance(50) ? Self.rules(&generator) : []
            let batch = generator.batch(.traces)
            guard !batch.isEmpty else { continue }
            let decoded = try Decoded(batch)
            let isKept = zip(decoded.spans, decoded.scopes).map { span, scope in
                if options.drop.contains(where: { Self.slow($0, span, scope, decoded.resource) }) { return false }
                let keep = options.keep.filter { $0.severityBelow == nil && $0.signal ?? .traces == .traces }
                return keep.isEmpty || keep.contains { Self.slow($0, span, scope, decoded.resource) }
            }
            let expected = zip(decoded.spans, isKept).filter(\.1).map(\.0)
            let (result, dropped) = chain(.filter(options)).run(batch)
            #expect(try result.map { try Decoded($0).spans } ?? [] == expected, "seed \(seed), round \(round)")
            try result?.checkIndex()
            #expect(dropped.reduce(0) { $0 + $1.items } == batch.items.count - expected.count)
            if expected.count == batch.items.count { #expect(result?.bytes == batch.bytes) }
        }
    }

    @Test func logsAreDroppedBelowASeverity() throws {
        var builder = BatchBuilder(signal: .logs, resource: Resource())
        for severity in 0...24 as ClosedRange<UInt8> {
            builder.append(LogRecord(time: 1, severity: severity, body: "x"))
        }
        let batch = builder.take()
        var options = ItemFilter()
        options.drop = [Self.rule { $0.severityBelow = 9 }]
        let (result, dropped) = chain(.filter(options)).run(batch)
        #expect(try #require(result).items.map(\.status) == [0] + Array(9...24))
        #expect(dropped.map(\.rule) == ["drop 1"])
        #expect(dropped.map(\.items) == [8])
        #expect(dropped.map(\.reason) == [.filtered])
    }

    @Test func rulesForOtherSignalsKeepWhatTheyDoNotSpeakOf() throws {
        var generator = Generator(seed: 1)
        var options = ItemFilter()
        options.keep = [Self.rule { $0.kind = .server }]
        for signal in [Signal.logs, .metrics] {
            let batch = generator.batch(signal, items: 30)
            #expect(chain(.filter(options)).run(batch).batch?.items.count == batch.items.count)
        }
    }

    @Test func metricsAreMatchedByAllTheirPoints() throws {
        func metric(_ values: [String]) -> Batch {
            var batch = Batch(signal: .metrics, resource: [], scopes: [Batch.Scope(message: [])])
            var writer = ProtobufWriter()
            writer.message(2) { metric in
                metric.putString(1, "m")
                metric.message(5) { gauge in
                    for value in values {
                        gauge.message(1) {
                            OTLP.encode(attributes: [Attribute("route", .string(value))], field: 7, into: &$0)
                        }
                    }
                }
            }
            batch.bytes = writer.takeBytes()
            batch.items = [
                Batch.Item(
                    offset: 0, length: UInt32(batch.bytes.count), scope: 0, status: 0, kind: 0, traceID: .invalid,
                    spanID: .invalid,
                    parentSpanID: .invalid, start: 0, end: 0)
            ]
            return batch
        }
        var options = ItemFilter()
        options.drop = [Self.rule { $0.attribute = .init(key: "route", value: "/health*") }]
        let chain = chain(.filter(options))
        #expect(chain.run(metric(["/healthz", "/health"])).batch == nil)
        #expect(chain.run(metric(["/healthz", "/orders"])).batch != nil)
        #expect(chain.run(metric([])).batch != nil)
    }

    @Test func aBatchThatLosesAllItemsIsTakenOut() throws {
        var generator = Generator(seed: 2)
        var options = ItemFilter()
        options.drop = [Self.rule { $0.name = "*" }]
        var batches = Signal.allCases.map { generator.batch($0, items: 20) }
        let received = batches.reduce(0) { $0 + $1.items.count }
        let dropped = chain(.filter(options)).process(&batches, now: 0)
        #expect(batches.isEmpty)
        #expect(dropped.reduce(0) { $0 + $1.items } == received)
    }
}
