import Foundation
import Telemetry
import Wire

@testable import Processors

let fuzzSeconds = ProcessInfo.processInfo.environment["SIDELIGHT_FUZZ_SECONDS"].flatMap(Double.init)

/// Telemetry as processors meet it: the same for the same seed (SplitMix64).
struct Generator {
    private var state: UInt64
    /// What texts may be, beside words.
    var texts: [String] = []
    var keys = ["http.route", "user.id", "a", "b", "kept", "http.request.header.accept", "http.request.header.cookie"]

    init(seed: UInt64) { state = seed }

    mutating func bits() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    mutating func below(_ bound: Int) -> Int { Int(bits() % UInt64(bound)) }
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

    mutating func many<Element>(_ bound: Int, _ make: (inout Generator) -> Element) -> [Element] {
        (0..<below(bound)).map { _ in make(&self) }
    }

    mutating func text() -> String {
        if !texts.isEmpty, chance(30) { return pick(texts) }
        switch below(6) {
        case 0: return ""
        case 1: return "GET /api/v1/orders/\(below(100_000))"
        case 2: return "Ünïcödé 日本語 🚀 " + String(bits(), radix: 36)
        case 3: return String(repeating: "x", count: 100 + below(80))
        default: return String(bits(), radix: 36)
        }
    }

    mutating func value(depth: Int = 0) -> AttributeValue {
        switch below(depth < 3 ? 10 : 7) {
        case 0, 1, 2: .string(text())
        case 3: .int(Int64(bitPattern: bits()) >> Int64(below(64)))
        case 4: chance(50) ? .bool(chance(50)) : .empty
        case 5: .double(Double(below(1_000_000)) / 64)
        case 6: .bytes(many(30) { UInt8(truncatingIfNeeded: $0.bits()) })
        case 7, 8: .array(many(4) { $0.value(depth: depth + 1) })
        default: .map(attributes(depth: depth + 1))
        }
    }

    /// Keys are unique, as OpenTelemetry wants them.
    mutating func attributes(depth: Int = 0) -> Attributes {
        var seen: Set<String> = []
        return many(depth == 0 ? 9 : 4) { Attribute($0.pick($0.keys), $0.value(depth: depth)) }.filter {
            seen.insert($0.key).inserted
        }
    }

    mutating func count() -> UInt32 { pick([0, 0, 0, 1, 127, .max - 1]) }

    mutating func context() -> SpanContext {
        SpanContext(
            traceID: TraceID(high: bits(), low: bits() | 1), spanID: SpanID(bits() | 1), traceFlags: UInt8(below(2)),
            traceState: chance(20) ? "a=1" : "")
    }

    mutating func span() -> SpanData {
        let start = 1_700_000_000_000_000_000 + bits() % 1_000_000_000
        return SpanData(
            context: context(), parentSpanID: chance(50) ? SpanID(bits() | 1) : .invalid, name: text(),
            kind: pick(SpanKind.allCases),
            startTime: start, endTime: start + bits() % 2_000_000_000, attributes: attributes(),
            events: many(4) {
                SpanData.Event(
                    time: $0.bits(), name: $0.text(), attributes: $0.attributes(), droppedAttributesCount: $0.count())
            },
            links: many(4) {
                var context = $0.context()
                context.isRemote = false
                return SpanData.Link(context: context, attributes: $0.attributes(), droppedAttributesCount: $0.count())
            },
            status: SpanStatus(code: pick([.unset, .ok, .error]), message: chance(30) ? text() : ""),
            droppedAttributesCount: count(), droppedEventsCount: count(), droppedLinksCount: count())
    }

    mutating func log() -> LogRecord {
        LogRecord(
            time: bits(), observedTime: bits(), severity: UInt8(below(25)), severityText: chance(50) ? "WARN" : "",
            body: value(),
            attributes: attributes(), droppedAttributesCount: count(), traceID: TraceID(high: bits(), low: bits()),
            spanID: SpanID(bits()), traceFlags: 1, eventName: chance(30) ? "exception" : "")
    }

    mutating func metric() -> MetricPoint {
        let type = pick([InstrumentType.counter, .upDownCounter, .gauge, .histogram])
        var point = MetricPoint(
            instrument: .init(name: "m.\(below(20))", unit: "By", type: type), attributes: attributes(),
            startTime: 1 + bits(),
            time: 1 + bits(), value: Double(below(1000)))
        if type == .histogram {
            point.histogram = .init(count: 3, min: 1, max: 9, bounds: [2, 4], bucketCounts: [1, 1, 1])
        }
        return point
    }

    mutating func scope() -> InstrumentationScope { InstrumentationScope(name: "lib-\(below(3))", version: "1") }

    mutating func resource() -> Resource {
        Resource(attributes: attributes() + [Attribute("service.name", .string("shop-\(below(3))"))])
    }

    mutating func batch(_ signal: Signal, items: Int = 12) -> Batch {
        var builder = BatchBuilder(signal: signal, resource: resource())
        for _ in 0..<below(items) {
            let scope = scope()
            switch signal {
            case .traces: builder.append(span(), scope: scope)
            case .logs: builder.append(log(), scope: scope)
            case .metrics: builder.append(metric(), scope: scope)
            }
        }
        return builder.take()
    }
}

/// A batch as Swift values, to be edited the obvious way.
struct Decoded: Equatable {
    var resource: Resource
    var spans: [SpanData] = []
    var logs: [LogRecord] = []
    var points: [MetricPoint] = []
    /// Of each item.
    var scopes: [InstrumentationScope] = []

    init(_ batch: Batch) throws {
        resource = try batch.decodedResource()
        let names = try batch.decodedScopes()
        for (index, item) in batch.items.enumerated() {
            scopes.append(names[Int(item.scope)])
            switch batch.signal {
            case .traces: spans.append(try batch.span(at: index))
            case .logs: logs.append(try batch.logRecord(at: index))
            case .metrics: points += try batch.metric(at: index).points
            }
        }
    }

    mutating func editAttributes(_ edit: (inout Attributes) -> Void) {
        for index in spans.indices { edit(&spans[index].attributes) }
        for index in logs.indices { edit(&logs[index].attributes) }
        for index in points.indices { edit(&points[index].attributes) }
    }
}

extension Batch {
    /// Items lie one after the other, each entry of the index says what its bytes say.
    func checkIndex() throws {
        var end = 0
        for item in items {
            precondition(Int(item.offset) == end, "item at \(item.offset), not \(end)")
            end += Int(item.length)
        }
        precondition(end == bytes.count, "items end at \(end) of \(bytes.count) bytes")
        let request = OTLP.exportRequest(batches: [self])
        let again = try OTLP.batches(fromExportRequest: request, signal: signal)
        precondition(again.rejectedItems == 0)
        let mine = items.map {
            "\($0.traceID) \($0.spanID) \($0.parentSpanID) \($0.status) \($0.kind) \($0.start) \($0.end)"
        }.sorted()
        let theirs = again.batches.flatMap(\.items).map {
            "\($0.traceID) \($0.spanID) \($0.parentSpanID) \($0.status) \($0.kind) \($0.start) \($0.end)"
        }.sorted()
        precondition(mine == theirs, "the index is not what the bytes say")
    }
}

func chain(_ processor: Processor) -> ProcessorChain { ProcessorChain([("it", processor)]) }

extension ProcessorChain {
    /// One batch through the chain; nil when nothing is left.
    func run(_ batch: Batch, now: UInt64 = 0) -> (batch: Batch?, dropped: [DroppedItems]) {
        var batches = [batch]
        let dropped = process(&batches, now: now)
        return (batches.first, dropped)
    }
}

/// A batch of one span.
func oneSpan(_ edit: (inout SpanData) -> Void) -> Batch {
    var span = SpanData(
        context: SpanContext(traceID: TraceID(high: 1, low: 2), spanID: SpanID(3)), name: "span", startTime: 1,
        endTime: 2)
    edit(&span)
    var builder = BatchBuilder(signal: .traces, resource: Resource())
    builder.append(span)
    return builder.take()
}

/// Random damage.
func mutate(_ bytes: inout [UInt8], _ generator: inout Generator) {
    guard !bytes.isEmpty else { return }
    let at = generator.below(bytes.count)
    switch generator.below(5) {
    case 0: bytes[at] = UInt8(generator.below(256))
    case 1: bytes[at] ^= 1 << UInt8(generator.below(8))
    case 2: bytes[at] = generator.pick([0, 0x7F, 0x80, 0xFF, 0x0A, 0x12])
    case 3:
        let other = generator.below(bytes.count)
        bytes.swapAt(at, other)
    default:
        for index in at..<min(at + 1 + generator.below(8), bytes.count) { bytes[index] = UInt8(generator.below(256)) }
    }
}
