import Telemetry

/// Makes telemetry that uses every field, the same for the same seed (SplitMix64).
struct Generator {
    private var state: UInt64
    /// NaN is unequal to itself: comparisons of values leave it out.
    let withNaN: Bool

    init(seed: UInt64, withNaN: Bool = false) {
        state = seed
        self.withNaN = withNaN
    }

    mutating func bits() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    mutating func below(_ bound: Int) -> Int { Int(bits() % UInt64(bound)) }

    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

    private mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

    private mutating func many<Element>(_ bound: Int, _ make: (inout Generator) -> Element) -> [Element] {
        (0..<below(bound)).map { _ in make(&self) }
    }

    mutating func text() -> String {
        switch below(8) {
        case 0: ""
        case 1: "GET /api/v1/orders"
        case 2: "quote \" slash \\ line\n tab\t nul \u{0} bell \u{7} del \u{7F}"
        case 3: "Ünïcödé 日本語 🚀 \u{2028}\u{2029}"
        case 4: String(repeating: "x", count: 120 + below(20))
        case 5: below(20) == 0 ? String(repeating: "long ", count: 4_000) : "short"
        default: String(bits(), radix: 36)
        }
    }

    mutating func time() -> UInt64 {
        switch below(8) {
        case 0: 0
        case 1: .max
        case 2: UInt64(below(3000))
        default: 1_700_000_000_000_000_000 + bits() % 1_000_000_000_000
        }
    }

    private mutating func count() -> UInt32 { pick([0, 0, 0, 1, 127, 128, UInt32.max]) }

    mutating func double() -> Double {
        switch below(8) {
        case 0: pick([0, -0.0, 1, -1, 0.1, 1e300, .leastNonzeroMagnitude, .greatestFiniteMagnitude])
        case 1: withNaN ? pick([.nan, .infinity, -.infinity]) : pick([.infinity, -.infinity])
        default: Double(Int64(bitPattern: bits())) / 1e12
        }
    }

    mutating func integer() -> Int64 {
        switch below(4) {
        case 0: pick([0, -1, 1, .min, .max, 1 << 53, 127, 128])
        default: Int64(bitPattern: bits()) >> Int64(below(64))
        }
    }

    mutating func value(depth: Int = 0) -> AttributeValue {
        switch below(depth < 3 ? 10 : 7) {
        case 0, 1: .string(text())
        case 2: .bool(chance(50))
        case 3: .int(integer())
        case 4: .double(double())
        case 5: .bytes(many(40) { UInt8(truncatingIfNeeded: $0.bits()) })
        case 6: chance(20) ? .empty : .int(Int64(below(100)))
        case 7, 8: .array(many(4) { $0.value(depth: depth + 1) })
        default: .map(attributes(depth: depth + 1))
        }
    }

    /// Keys are unique, as OpenTelemetry wants them.
    mutating func attributes(depth: Int = 0) -> Attributes {
        let special = ["error", "event", "peer.service", "server.address", "otel.scope.name", "ключ \"\\"]
        return (0..<below(depth == 0 ? 9 : 4)).map { index in
            let key = depth == 0 && index < special.count && chance(10) ? special[index] : "key.\(index)"
            return Attribute(key, value(depth: depth))
        }
    }

    mutating func traceID() -> TraceID { TraceID(high: chance(10) ? 0 : bits(), low: bits() | 1) }

    mutating func spanID() -> SpanID { SpanID(bits() | 1) }

    mutating func context(isRemote: Bool = false) -> SpanContext {
        SpanContext(
            traceID: traceID(), spanID: spanID(), traceFlags: UInt8(below(4)), traceState: chance(20) ? "a=1,b=2" : "",
            isRemote: isRemote)
    }

    mutating func span() -> SpanData {
        let start = time()
        return SpanData(
            context: context(), parentSpanID: chance(50) ? spanID() : .invalid,
            parentIsRemote: pick([nil, true, false]),
            name: text(), kind: pick(SpanKind.allCases), startTime: start,
            endTime: chance(80) ? start &+ bits() % 1_000_000_000 : time(), attributes: attributes(),
            events: many(3) { generator in
                SpanData.Event(
                    time: generator.time(), name: generator.text(), attributes: generator.attributes(),
                    droppedAttributesCount: generator.count())
            },
            links: many(3) { generator in
                SpanData.Link(
                    context: generator.context(isRemote: generator.chance(50)), attributes: generator.attributes(),
                    droppedAttributesCount: generator.count())
            },
            status: SpanStatus(code: pick([.unset, .ok, .error]), message: chance(30) ? text() : ""),
            droppedAttributesCount: count(), droppedEventsCount: count(), droppedLinksCount: count())
    }

    mutating func log() -> LogRecord {
        let hasTrace = chance(50)
        return LogRecord(
            time: time(), observedTime: time(), severity: UInt8(below(25)), severityText: chance(50) ? text() : "",
            body: value(), attributes: attributes(), droppedAttributesCount: count(),
            traceID: hasTrace ? traceID() : .invalid, spanID: hasTrace ? spanID() : .invalid,
            traceFlags: UInt8(below(4)), eventName: chance(20) ? "exception" : "")
    }

    mutating func metric() -> MetricPoint {
        let type = pick([InstrumentType.counter, .upDownCounter, .gauge, .histogram])
        let isInteger = type != .histogram && chance(50)
        var point = MetricPoint(
            instrument: .init(name: text(), unit: text(), description: text(), type: type, isInteger: isInteger),
            attributes: attributes(), startTime: time(), time: time(),
            value: isInteger ? Double(Int32(truncatingIfNeeded: bits())) : double())
        if type == .histogram {
            let bounds = many(6) { Double($0.below(1000)) / 8 }
            point.value = Double(below(1000)) / 4
            point.histogram = .init(
                count: bits() | 1, min: Double(below(100)), max: Double(below(100)), bounds: bounds,
                bucketCounts: bounds.isEmpty ? [] : (0...bounds.count).map { _ in bits() >> 8 })
        }
        return point
    }

    mutating func resource() -> Resource {
        var attributes = attributes()
        if chance(80) { attributes.append(Attribute("service.name", .string("shop-\(below(3))"))) }
        return Resource(
            attributes: attributes, droppedAttributesCount: count(), schemaURL: chance(50) ? "https://example/r" : "")
    }

    mutating func scope() -> InstrumentationScope {
        InstrumentationScope(
            name: chance(80) ? "lib-\(below(100))" : "", version: chance(50) ? "1.0" : "", attributes: attributes(),
            droppedAttributesCount: count(), schemaURL: chance(50) ? "https://example/s" : "")
    }
}
