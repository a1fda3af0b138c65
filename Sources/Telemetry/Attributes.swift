/// A value of an attribute, a log body, or an element of one. OTLP `AnyValue`.
public enum AttributeValue: Hashable, Sendable {
    case empty
    case string(String)
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case bytes([UInt8])
    case array([AttributeValue])
    case map([Attribute])
}

/// A key and its value. OTLP `KeyValue`.
public struct Attribute: Hashable, Sendable {
    public var key: String
    public var value: AttributeValue

    public init(_ key: String, _ value: AttributeValue) {
        self.key = key
        self.value = value
    }
}

/// Attributes in the order they were set; keys are unique by their producers' care (OTLP leaves duplicates undefined).
public typealias Attributes = [Attribute]

extension [Attribute] {
    /// The value of the first attribute with this key.
    public subscript(key: String) -> AttributeValue? { first { $0.key == key }?.value }
}

extension AttributeValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByFloatLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .int(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(floatLiteral value: Double) { self = .double(value) }
}

extension AttributeValue {
    /// The text of a `.string`.
    public var string: String? {
        if case .string(let text) = self { text } else { nil }
    }
}
