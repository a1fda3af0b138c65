// What the formats that are not OTLP share: names for what they have no field for, and values as text.
// <https://opentelemetry.io/docs/specs/otel/common/mapping-to-non-otlp/>,
// <https://opentelemetry.io/docs/specs/otel/common/#anyvalue-representation-for-non-otlp-protocols>.

import Telemetry

enum NonOTLP {
    static let statusCode = "otel.status_code"
    static let statusDescription = "otel.status_description"
    static let droppedAttributes = "otel.dropped_attributes_count"
    static let droppedEvents = "otel.dropped_events_count"
    static let droppedLinks = "otel.dropped_links_count"
    /// Jaeger's name for a log's; Zipkin has it in the annotation's attributes.
    static let droppedEventAttributes = "otel.event.dropped_attributes_count"
    /// The collector's name; the specification leaves trace state open.
    static let traceState = "w3c.tracestate"
    static let serviceName = "service.name"

    static func statusName(_ code: SpanStatus.Code) -> String? {
        switch code {
        case .unset: nil
        case .ok: "OK"
        case .error: "ERROR"
        }
    }

    /// The scope's name and version, also under the deprecated names that the specification still asks for, and its attributes.
    static func attributes(of scope: InstrumentationScope) -> Attributes {
        var attributes: Attributes = []
        if !scope.name.isEmpty {
            attributes += [
                Attribute("otel.scope.name", .string(scope.name)), Attribute("otel.library.name", .string(scope.name)),
            ]
        }
        if !scope.version.isEmpty {
            attributes += [
                Attribute("otel.scope.version", .string(scope.version)),
                Attribute("otel.library.version", .string(scope.version)),
            ]
        }
        return attributes + scope.attributes
    }

    /// The counts of what the span dropped, where they are not 0.
    static func droppedCounts(of span: SpanData) -> [(name: String, count: UInt32)] {
        [
            (droppedAttributes, span.droppedAttributesCount), (droppedEvents, span.droppedEventsCount),
            (droppedLinks, span.droppedLinksCount),
        ].filter { $0.1 != 0 }
    }
}

extension AttributeValue {
    /// Strings as they are, numbers in decimal, bytes in base64, arrays and maps as JSON.
    var text: String {
        switch self {
        case .empty: return ""
        case .string(let text): return text
        case .bool(let flag): return flag ? "true" : "false"
        case .int(let number): return String(number)
        case .double(let number):
            return number.isFinite ? number.description : number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity"
        case .bytes(let bytes): return Base64.text(bytes)
        case .array, .map:
            var json = JSONWriter(capacity: 128)
            write(to: &json)
            return json.text
        }
    }

    /// The value as JSON; the empty value is null.
    func write(to json: inout JSONWriter) {
        switch self {
        case .empty: json.null()
        case .string(let text): json.string(text)
        case .bool(let flag): json.bool(flag)
        case .int(let number): json.integer(number)
        case .double(let number): json.double(number)
        case .bytes(let bytes): bytes.withUnsafeBytes { json.base64($0) }
        case .array(let elements): json.array { json in for element in elements { element.write(to: &json) } }
        case .map(let entries): entries.write(to: &json)
        }
    }
}

extension Attributes {
    /// The attributes as one JSON object.
    func write(to json: inout JSONWriter) {
        json.object { json in
            for attribute in self {
                json.name(attribute.key)
                attribute.value.write(to: &json)
            }
        }
    }
}
