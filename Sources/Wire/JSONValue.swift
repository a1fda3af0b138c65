// A small strict reader of JSON, RFC 8259, for the short answers of backends. Not for bulk.

/// A value of JSON text.
public enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// The digits as they stand in the text, so that 64-bit integers stay whole.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    public static let depthMax = 64

    /// Parses one value with white space around it.
    /// - Parameter allowsRepeatedNames: Of members with the same name the last counts; else there are none.
    public init(parsing bytes: [UInt8], allowsRepeatedNames: Bool = true) throws(DecodeError) {
        var parser = JSONParser(bytes: bytes, allowsRepeatedNames: allowsRepeatedNames)
        self = try parser.parse()
    }

    public subscript(name: String) -> JSONValue? {
        if case .object(let members) = self { members[name] } else { nil }
    }

    public var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// An integer, written as a number or as a string as protobuf's JSON form does.
    public var integer: Int64? {
        switch self {
        case .number(let digits), .string(let digits): Int64(digits)
        default: nil
        }
    }
}

private struct JSONParser {
    let bytes: [UInt8]
    let allowsRepeatedNames: Bool
    var position = 0

    init(bytes: [UInt8], allowsRepeatedNames: Bool) {
        self.bytes = bytes
        self.allowsRepeatedNames = allowsRepeatedNames
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }
    private var bad: DecodeError { .badJSON(at: position) }

    mutating func parse() throws(DecodeError) -> JSONValue {
        let value = try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw bad }
        return value
    }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ byte: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: byte) else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(DecodeError) -> JSONValue {
        guard depth < JSONValue.depthMax else { throw .nestedTooDeep(at: position) }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: return try number()
        }
    }

    private mutating func literal(_ word: String, _ value: JSONValue) throws(DecodeError) -> JSONValue {
        guard bytes[position...].starts(with: word.utf8) else { throw bad }
        position += word.utf8.count
        return value
    }

    private mutating func object(depth: Int) throws(DecodeError) -> JSONValue {
        position += 1
        var members: [String: JSONValue] = [:]
        skipSpace()
        if take("}") { return .object(members) }
        repeat {
            skipSpace()
            let start = position
            let name = try string()
            guard allowsRepeatedNames || members[name] == nil else { throw .duplicateField(at: start) }
            skipSpace()
            guard take(":") else { throw bad }
            members[name] = try value(depth: depth + 1)
            skipSpace()
        } while take(",")
        guard take("}") else { throw bad }
        return .object(members)
    }

    private mutating func array(depth: Int) throws(DecodeError) -> JSONValue {
        position += 1
        var elements: [JSONValue] = []
        skipSpace()
        if take("]") { return .array(elements) }
        repeat {
            elements.append(try value(depth: depth + 1))
            skipSpace()
        } while take(",")
        guard take("]") else { throw bad }
        return .array(elements)
    }

    private mutating func number() throws(DecodeError) -> JSONValue {
        let start = position
        _ = take("-")
        if !take("0") { try digits() }
        if take(".") { try digits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try digits()
        }
        return .number(String(decoding: bytes[start..<position], as: UTF8.self))
    }

    private mutating func digits() throws(DecodeError) {
        let start = position
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        guard position > start else { throw bad }
    }

    private mutating func string() throws(DecodeError) -> String {
        guard take("\"") else { throw bad }
        var text: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw .badJSON(at: position - 1)
            default: text.append(byte)
            }
        }
        throw bad
    }

    private mutating func escape(into text: inout [UInt8]) throws(DecodeError) {
        guard let byte = next else { throw bad }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: String(Character(try unicodeEscape())).utf8)
        default: throw .badJSON(at: position - 1)
        }
    }

    /// A surrogate without its partner becomes U+FFFD.
    private mutating func unicodeEscape() throws(DecodeError) -> Unicode.Scalar {
        let unit = try fourHexDigits()
        if let scalar = Unicode.Scalar(unit) { return scalar }
        let afterUnit = position
        if unit < 0xDC00, take("\\"), take("u") {
            let low = try fourHexDigits()
            if (0xDC00...0xDFFF).contains(low) {
                return Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)) ?? "\u{FFFD}"
            }
        }
        position = afterUnit
        return "\u{FFFD}"
    }

    private mutating func fourHexDigits() throws(DecodeError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw bad
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}
