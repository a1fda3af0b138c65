/// Why bytes from outside were refused, and where.
public struct DecodeError: Error, Hashable, Sendable {
    private enum Code: String {
        case truncated = "a field goes beyond the end of its message"
        case varintTooLong = "a varint has more than 64 bits"
        case badTag = "a field has number 0, a number over 2^29 or an unknown or obsolete wire type"
        case nestedTooDeep = "values nest deeper than the limit"
        case badIDLength = "a trace id is not 16 bytes or a span id not 8 bytes long"
        case missingID = "a span has no trace id or no span id"
        case tooLarge = "the message is larger than the limit"
        case tooManyItems = "the request holds more items than the limit"
        case tooManyResources = "the request holds more resources, or a resource more scopes, than the limit"
        case badJSON = "not valid JSON"
        case unexpectedJSON = "valid JSON, but not the expected message"
    }

    private let code: Code

    /// Bytes from the start of what was given to the decoder.
    public let offset: Int

    /// What is wrong, without values of the input: fit for a metric's label.
    public var shortDescription: String { code.rawValue }

    static func truncated(at offset: Int) -> DecodeError { DecodeError(code: .truncated, offset: offset) }
    static func varintTooLong(at offset: Int) -> DecodeError { DecodeError(code: .varintTooLong, offset: offset) }
    static func badTag(at offset: Int) -> DecodeError { DecodeError(code: .badTag, offset: offset) }
    static func nestedTooDeep(at offset: Int) -> DecodeError { DecodeError(code: .nestedTooDeep, offset: offset) }
    static func badIDLength(at offset: Int) -> DecodeError { DecodeError(code: .badIDLength, offset: offset) }
    static func missingID(at offset: Int) -> DecodeError { DecodeError(code: .missingID, offset: offset) }
    static func tooLarge(at offset: Int) -> DecodeError { DecodeError(code: .tooLarge, offset: offset) }
    static func tooManyItems(at offset: Int) -> DecodeError { DecodeError(code: .tooManyItems, offset: offset) }
    static func tooManyResources(at offset: Int) -> DecodeError { DecodeError(code: .tooManyResources, offset: offset) }
    static func badJSON(at offset: Int) -> DecodeError { DecodeError(code: .badJSON, offset: offset) }
    static func unexpectedJSON(at offset: Int) -> DecodeError { DecodeError(code: .unexpectedJSON, offset: offset) }
}

extension DecodeError: CustomStringConvertible {
    public var description: String { "\(shortDescription), at byte \(offset)" }
}
