// A JSON reader of our own because the worker must start without Foundation, whose libraries alone cost more than the rest of the start.
// For small trusted-enough texts: package.json and the worker's configuration. RFC 8259.

/// A JSON value. Objects keep their order, which `exports` of package.json gives a meaning.
enum JSON: Hashable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([Member])

    struct Member: Hashable, Sendable {
        let key: String
        let value: JSON
    }

    /// The last member of this name, as JSON.parse has it; nil when this is no object.
    subscript(key: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.key == key }?.value
    }

    var string: String? { if case .string(let text) = self { text } else { nil } }
    var number: Double? { if case .number(let number) = self { number } else { nil } }
}

/// Where and why a text is no JSON.
struct JSONError: Error, Hashable {
    let reason: String
    /// Bytes before the fault.
    let offset: Int
}

extension JSON {
    private static let depthMax = 128

    init(parsing text: [UInt8]) throws(JSONError) {
        var reader = Reader(text: text)
        self = try reader.value(depth: 0)
        reader.skipSpace()
        if reader.offset < text.count { throw reader.error("text after the value") }
    }

    private struct Reader {
        let text: [UInt8]
        var offset = 0

        func error(_ reason: String) -> JSONError { JSONError(reason: reason, offset: offset) }
        var next: UInt8? { offset < text.count ? text[offset] : nil }

        mutating func skipSpace() {
            while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
        }

        mutating func take(_ byte: UInt8) -> Bool {
            skipSpace()
            guard next == byte else { return false }
            offset += 1
            return true
        }

        mutating func value(depth: Int) throws(JSONError) -> JSON {
            guard depth < JSON.depthMax else { throw error("nested too deeply") }
            skipSpace()
            switch next {
            case UInt8(ascii: "{"): return try object(depth: depth)
            case UInt8(ascii: "["): return try array(depth: depth)
            case UInt8(ascii: "\""): return .string(try string())
            case UInt8(ascii: "t"): return try word("true", .bool(true))
            case UInt8(ascii: "f"): return try word("false", .bool(false))
            case UInt8(ascii: "n"): return try word("null", .null)
            case nil: throw error("the text ends too early")
            default: return .number(try number())
            }
        }

        mutating func word(_ word: StaticString, _ value: JSON) throws(JSONError) -> JSON {
            guard
                text[offset...].starts(with: UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
            else {
                throw error("unexpected character")
            }
            offset += word.utf8CodeUnitCount
            return value
        }

        mutating func object(depth: Int) throws(JSONError) -> JSON {
            offset += 1
            var members: [Member] = []
            if take(UInt8(ascii: "}")) { return .object([]) }
            repeat {
                skipSpace()
                guard next == UInt8(ascii: "\"") else { throw error("a member needs a name") }
                let key = try string()
                guard take(UInt8(ascii: ":")) else { throw error("expected ':'") }
                members.append(Member(key: key, value: try value(depth: depth + 1)))
            } while take(UInt8(ascii: ","))
            guard take(UInt8(ascii: "}")) else { throw error("expected ',' or '}'") }
            return .object(members)
        }

        mutating func array(depth: Int) throws(JSONError) -> JSON {
            offset += 1
            var elements: [JSON] = []
            if take(UInt8(ascii: "]")) { return .array([]) }
            repeat { elements.append(try value(depth: depth + 1)) } while take(UInt8(ascii: ","))
            guard take(UInt8(ascii: "]")) else { throw error("expected ',' or ']'") }
            return .array(elements)
        }

        mutating func number() throws(JSONError) -> Double {
            let start = offset
            while let byte = next, "+-.eE0123456789".utf8.contains(byte) { offset += 1 }
            guard let number = Double(String(decoding: text[start..<offset], as: UTF8.self)) else {
                offset = start
                throw error("unexpected character")
            }
            return number
        }

        mutating func string() throws(JSONError) -> String {
            offset += 1
            var units: [UInt8] = []
            while let byte = next {
                offset += 1
                switch byte {
                case UInt8(ascii: "\""): return String(decoding: units, as: UTF8.self)
                case UInt8(ascii: "\\"): try escape(into: &units)
                case 0..<0x20: throw error("a control character in a string")
                default: units.append(byte)
                }
            }
            throw error("a string does not end")
        }

        mutating func escape(into units: inout [UInt8]) throws(JSONError) {
            guard let byte = next else { throw error("a string does not end") }
            offset += 1
            switch byte {
            case UInt8(ascii: "n"): units.append(0x0A)
            case UInt8(ascii: "t"): units.append(0x09)
            case UInt8(ascii: "r"): units.append(0x0D)
            case UInt8(ascii: "b"): units.append(0x08)
            case UInt8(ascii: "f"): units.append(0x0C)
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): units.append(byte)
            case UInt8(ascii: "u"):
                var pair = [try hexadecimal()]
                if pair[0] & 0xFC00 == 0xD800, text[offset...].starts(with: "\\u".utf8) {
                    offset += 2
                    pair.append(try hexadecimal())
                }
                units += String(decoding: pair, as: UTF16.self).utf8
            default: throw error("unknown escape")
            }
        }

        mutating func hexadecimal() throws(JSONError) -> UInt16 {
            guard offset + 4 <= text.count,
                let unit = UInt16(String(decoding: text[offset..<offset + 4], as: UTF8.self), radix: 16)
            else { throw error("\\u needs four hexadecimal digits") }
            offset += 4
            return unit
        }
    }
}

extension JSON {
    /// As compact text.
    var text: String {
        var text = ""
        write(to: &text)
        return text
    }

    private func write(to text: inout String) {
        switch self {
        case .null: text += "null"
        case .bool(let flag): text += flag ? "true" : "false"
        case .number(let number): text += number.isFinite ? "\(number)" : "null"
        case .string(let string): Self.write(string, to: &text)
        case .array(let elements):
            text += "["
            for (index, element) in elements.enumerated() {
                if index > 0 { text += "," }
                element.write(to: &text)
            }
            text += "]"
        case .object(let members):
            text += "{"
            for (index, member) in members.enumerated() {
                if index > 0 { text += "," }
                Self.write(member.key, to: &text)
                text += ":"
                member.value.write(to: &text)
            }
            text += "}"
        }
    }

    private static func write(_ string: String, to text: inout String) {
        text += "\""
        defer { text += "\"" }
        // As nearly all are.
        if string.utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
            text += string
            return
        }
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\u{0}"..<" ":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
    }
}
