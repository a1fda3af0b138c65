/// How much a span or log record may hold; what is beyond is dropped and counted in the record.
/// <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#attribute-limits>
public struct SpanLimits: Hashable, Sendable {
    public var attributeCount = 128
    /// Characters of a string value; nil: no limit.
    public var attributeValueLength: Int?
    public var eventCount = 128
    public var linkCount = 128
    public var attributesPerEvent = 128
    public var attributesPerLink = 128
    public var logAttributeCount = 128
    public var logAttributeValueLength: Int?

    public init() {}

    static func parse(_ environment: Environment, _ problems: inout Problems) -> SpanLimits {
        var limits = SpanLimits()
        func read(_ name: String) -> Int? { environment.integer(name, in: 0...Int(Int32.max), &problems) }
        let count = read("OTEL_ATTRIBUTE_COUNT_LIMIT")
        let length = read("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT")
        limits.attributeCount = read("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT") ?? count ?? limits.attributeCount
        limits.attributeValueLength = read("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT") ?? length
        limits.eventCount = read("OTEL_SPAN_EVENT_COUNT_LIMIT") ?? limits.eventCount
        limits.linkCount = read("OTEL_SPAN_LINK_COUNT_LIMIT") ?? limits.linkCount
        limits.attributesPerEvent = read("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT") ?? count ?? limits.attributesPerEvent
        limits.attributesPerLink = read("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT") ?? count ?? limits.attributesPerLink
        limits.logAttributeCount = read("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT") ?? count ?? limits.logAttributeCount
        limits.logAttributeValueLength = read("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT") ?? length
        return limits
    }
}
