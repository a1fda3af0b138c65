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
        case badUTF8 = "text is not UTF-8"
        case duplicateField = "a field, or two of which only one may be set, comes twice in an object"
        case outOfRange = "a number is out of range or has a fraction"
        case badBase64 = "bytes are not base64"
        case badIDDigits = "an id is not of hex digits"
        case badAddress = "an IP address does not have its 4 or 16 bytes"
        case badThrift = "a type or size that Thrift does not have"
    }

    private let code: Code

    /// Bytes from the start of what was given to the decoder.
    public let offset: Int

    /// What is wrong, without values of the input: fit for a metric's label.
    public var shortDescription: String { code.rawValue }

    /// True of what a whole request is refused for, wherever it is found.
    var isLimit: Bool { code == .tooLarge || code == .tooManyItems || code == .tooManyResources }

    /// The same error at another place.
    func moved(to offset: Int) -> DecodeError { DecodeError(code: code, offset: offset) }

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
    static func badUTF8(at offset: Int) -> DecodeError { DecodeError(code: .badUTF8, offset: offset) }
    static func duplicateField(at offset: Int) -> DecodeError { DecodeError(code: .duplicateField, offset: offset) }
    static func outOfRange(at offset: Int) -> DecodeError { DecodeError(code: .outOfRange, offset: offset) }
    static func badBase64(at offset: Int) -> DecodeError { DecodeError(code: .badBase64, offset: offset) }
    static func badAddress(at offset: Int) -> DecodeError { DecodeError(code: .badAddress, offset: offset) }
    static func badThrift(at offset: Int) -> DecodeError { DecodeError(code: .badThrift, offset: offset) }
    static func badIDDigits(at offset: Int) -> DecodeError { DecodeError(code: .badIDDigits, offset: offset) }
}

extension DecodeError: CustomStringConvertible {
    public var description: String { "\(shortDescription), at byte \(offset)" }
}
