import CScan
import CSimdJSON

// JSON of one line, RFC 8259, in one pass over its text. The text is UTF-8: who reads the lines has seen to that. Nothing is copied; strings keep
// their escapes, whose form is checked here, so that what writes them need not.

/// A value in a line, or what a format makes of one.
enum FieldKind: UInt8 {
    /// As it stands.
    case text
    /// With JSON's escapes.
    case escapedText
    case int, double, bool, null
    /// An object or array, with its brackets.
    case json
    /// An object whose members are the record's attributes.
    case members
    /// An object that tells of an error, some of which the record says elsewhere.
    case error
}

struct Field {
    var key: Text
    /// Of a text what is between its quotes, of anything else how it is written.
    var value: Text
    /// Of an int, a double (its bit pattern) or a bool.
    var bits: UInt64 = 0
    var kind: FieldKind
    var keyHasEscapes = false
}

enum JSONScan {
    /// Objects and arrays may be inside of each other this many deep; a deeper line is a plain one.
    static let depthMax = 24

    typealias Place = UnsafePointer<UInt8>

    @inline(__always)
    static func skipSpace(_ place: inout Place, _ end: Place) {
        while place < end, place.pointee <= 0x20,
            place.pointee == 0x20 || place.pointee &- 9 <= 1 || place.pointee == 13
        { place += 1 }
    }

    /// The closing quote of the string whose text begins at `place`; nil where it has none or is malformed.
    @inline(__always)
    static func stringEnd(_ place: Place, _ end: Place, _ hasEscapes: inout Bool) -> Place? {
        var at = sl_scan_json_string(place, end)
        while true {
            guard at < end else { return nil }
            if _fastPath(at.pointee == UInt8(ascii: "\"")) { return at }
            guard at.pointee == UInt8(ascii: "\\"), let after = escapeEnd(at, end) else { return nil }
            hasEscapes = true
            at = sl_scan_json_string(after, end)
        }
    }

    /// The place behind the escape at `place`; nil if it is none.
    @inline(__always)
    static func escapeEnd(_ place: Place, _ end: Place) -> Place? {
        guard place + 1 < end else { return nil }
        switch place[1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "n"), UInt8(ascii: "t"), UInt8(ascii: "/"),
            UInt8(ascii: "r"),
            UInt8(ascii: "b"), UInt8(ascii: "f"):
            return place + 2
        case UInt8(ascii: "u"):
            guard end - place >= 6, hex4(place + 2) != nil else { return nil }
            return place + 6
        default: return nil
        }
    }

    @inline(__always)
    static func hex4(_ place: Place) -> UInt32? {
        var value: UInt32 = 0
        for index in 0..<4 {
            let nibble = HexDigits.nibble(place[index])
            guard nibble < 16 else { return nil }
            value = value << 4 | UInt32(nibble)
        }
        return value
    }

    /// Takes the value at `place`, of which `field` then tells. False where there is none.
    @inline(__always)
    static func value(_ place: inout Place, _ end: Place, _ field: inout Field) -> Bool {
        guard place < end else { return false }
        let start = place
        switch place.pointee {
        case UInt8(ascii: "\""):
            var hasEscapes = false
            guard let close = stringEnd(place + 1, end, &hasEscapes) else { return false }
            field.kind = hasEscapes ? .escapedText : .text
            field.value = Text(start + 1, close)
            place = close + 1
            return true
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard let after = nested(place, end, depth: 1) else { return false }
            field.kind = .json
            place = after
        case UInt8(ascii: "t"):
            guard literal(&place, end, "true") else { return false }
            field.kind = .bool
            field.bits = 1
        case UInt8(ascii: "f"):
            guard literal(&place, end, "false") else { return false }
            field.kind = .bool
            field.bits = 0
        case UInt8(ascii: "n"):
            guard literal(&place, end, "null") else { return false }
            field.kind = .null
        default:
            guard number(&place, end, &field) else { return false }
        }
        field.value = Text(start, place)
        return true
    }

    private static func literal(_ place: inout Place, _ end: Place, _ word: StaticString) -> Bool {
        guard Text(place, end).hasPrefix(word) else { return false }
        place += word.utf8CodeUnitCount
        return true
    }

    // MARK: numbers

    @inline(__always)
    static func number(_ place: inout Place, _ end: Place, _ field: inout Field) -> Bool {
        let start = place
        var at = place
        let isNegative = at.pointee == UInt8(ascii: "-")
        if isNegative { at += 1 }
        let digits = at
        var magnitude: UInt64 = 0
        while at < end, at.pointee.isDigit {
            magnitude = magnitude &* 10 &+ UInt64(at.pointee &- 0x30)
            at += 1
        }
        let count = at - digits
        guard count > 0, count == 1 || digits.pointee != 0x30 else { return false }
        let isInteger = at == end || at.pointee != UInt8(ascii: ".") && at.pointee | 0x20 != UInt8(ascii: "e")
        if _fastPath(isInteger && count <= 18) {
            field.kind = .int
            field.bits = isNegative ? 0 &- magnitude : magnitude
            place = at
            return true
        }
        return longNumber(&place, end, &field, start: start, at, digits)
    }

    private static func longNumber(
        _ place: inout Place, _ end: Place, _ field: inout Field, start: Place, _ integerEnd: Place, _ digits: Place
    ) -> Bool {
        var at = integerEnd
        func someDigits() -> Bool {
            let first = at
            while at < end, at.pointee.isDigit { at += 1 }
            return at > first
        }
        var isInteger = true
        if at < end, at.pointee == UInt8(ascii: ".") {
            isInteger = false
            at += 1
            guard someDigits() else { return false }
        }
        if at < end, at.pointee | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            at += 1
            if at < end, at.pointee == UInt8(ascii: "+") || at.pointee == UInt8(ascii: "-") { at += 1 }
            guard someDigits() else { return false }
        }
        place = at
        if isInteger, let value = Int64(exactDigits: Text(digits, integerEnd), isNegative: start != digits) {
            field.kind = .int
            field.bits = UInt64(bitPattern: value)
            return true
        }
        let value = UnsafeRawPointer(start).withMemoryRebound(to: CChar.self, capacity: at - start) {
            sl_json_double($0, at - start)
        }
        // What no double holds stays as it is written.
        field.kind = value.isFinite ? .double : .text
        field.bits = value.bitPattern
        return true
    }

    // MARK: what is nested

    /// The place behind the object or array at `place`, all of which is checked; nil where it is malformed or too deep.
    static func nested(_ place: Place, _ end: Place, depth: Int) -> Place? {
        guard depth <= depthMax else { return nil }
        let isObject = place.pointee == UInt8(ascii: "{")
        let close = isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
        var at = place + 1
        skipSpace(&at, end)
        if at < end, at.pointee == close { return at + 1 }
        var field = Field(key: Text(at, at), value: Text(at, at), kind: .null)
        while true {
            if isObject {
                guard key(&at, end, &field) else { return nil }
            }
            if at < end, at.pointee == UInt8(ascii: "{") || at.pointee == UInt8(ascii: "[") {
                guard let after = nested(at, end, depth: depth + 1) else { return nil }
                at = after
            } else {
                guard value(&at, end, &field) else { return nil }
            }
            skipSpace(&at, end)
            guard at < end else { return nil }
            let byte = at.pointee
            at += 1
            if byte == close { return at }
            guard byte == UInt8(ascii: ",") else { return nil }
            skipSpace(&at, end)
        }
    }

    /// Takes a member's name, its colon and the white space behind it.
    @inline(__always)
    static func key(_ place: inout Place, _ end: Place, _ field: inout Field) -> Bool {
        guard place < end, place.pointee == UInt8(ascii: "\"") else { return false }
        let start = place + 1
        var hasEscapes = false
        guard let close = stringEnd(start, end, &hasEscapes) else { return false }
        field.key = Text(start, close)
        field.keyHasEscapes = hasEscapes
        place = close + 1
        if _slowPath(place.pointee != UInt8(ascii: ":")) { skipSpace(&place, end) }
        guard place < end, place.pointee == UInt8(ascii: ":") else { return false }
        place += 1
        skipSpace(&place, end)
        return true
    }

    /// The value of the first member with this name of an object that has been checked; nil where there is none.
    static func member(_ name: StaticString, of object: Text) -> Field? {
        guard object.start.pointee == UInt8(ascii: "{") else { return nil }
        var at = object.start + 1
        var field = Field(key: object, value: object, kind: .null)
        while true {
            skipSpace(&at, object.end)
            guard key(&at, object.end, &field), value(&at, object.end, &field) else { return nil }
            if field.key.equals(name) { return field }
            skipSpace(&at, object.end)
            guard at < object.end, at.pointee == UInt8(ascii: ",") else { return nil }
            at += 1
        }
    }

    // MARK: escapes

    /// Writes what a checked string means; it is never longer than its JSON form. Returns where that ends.
    static func unescape(_ text: Text, to target: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        var at = text.start
        var out = target
        while at < text.end {
            let stop = sl_scan_either(at, text.end, UInt8(ascii: "\\"), UInt8(ascii: "\\"))
            sl_scan_copy(out, at, stop - at)
            out += stop - at
            at = stop
            guard at < text.end else { break }
            escape(&at, text.end, &out)
        }
        return out
    }

    /// A longer string's text, cut to `limit` bytes and there not within an escape or a character.
    static func prefix(ofEscaped text: Text, _ limit: Int) -> Text {
        let bound = text.start + limit
        var at = text.start
        while true {
            at = sl_scan_either(at, bound, UInt8(ascii: "\\"), UInt8(ascii: "\\"))
            guard at < bound else { return text.prefix(limit) }
            guard let after = escapeEnd(at, text.end), after <= bound else { return Text(text.start, at) }
            at = after
        }
    }

    @inline(__always)
    static func escape(_ at: inout Place, _ end: Place, _ out: inout UnsafeMutablePointer<UInt8>) {
        let letter = at[1]
        at += 2
        switch letter {
        case UInt8(ascii: "n"): out.pointee = 0x0A
        case UInt8(ascii: "t"): out.pointee = 0x09
        case UInt8(ascii: "r"): out.pointee = 0x0D
        case UInt8(ascii: "b"): out.pointee = 0x08
        case UInt8(ascii: "f"): out.pointee = 0x0C
        case UInt8(ascii: "u"): return scalar(&at, end, &out)
        default: out.pointee = letter
        }
        out += 1
    }

    /// The character of four digits here, and of the other half of its pair; half a pair alone becomes U+FFFD.
    private static func scalar(_ at: inout Place, _ end: Place, _ out: inout UnsafeMutablePointer<UInt8>) {
        var code = hex4(at) ?? 0xFFFD
        at += 4
        if code & 0xF800 == 0xD800 {
            if code < 0xDC00, end - at >= 6, at[0] == UInt8(ascii: "\\"), at[1] == UInt8(ascii: "u"),
                let low = hex4(at + 2),
                low & 0xFC00 == 0xDC00
            {
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
                at += 6
            } else {
                code = 0xFFFD
            }
        }
        func put(_ byte: UInt32) {
            out.pointee = UInt8(truncatingIfNeeded: byte)
            out += 1
        }
        switch code {
        case 0..<0x80: put(code)
        case 0x80..<0x800:
            put(0xC0 | code >> 6)
            put(0x80 | code & 0x3F)
        case 0x800..<0x10000:
            put(0xE0 | code >> 12)
            put(0x80 | code >> 6 & 0x3F)
            put(0x80 | code & 0x3F)
        default:
            put(0xF0 | code >> 18)
            put(0x80 | code >> 12 & 0x3F)
            put(0x80 | code >> 6 & 0x3F)
            put(0x80 | code & 0x3F)
        }
    }
}

extension Int64 {
    /// Nil where the digits are more than 64 bits hold.
    init?(exactDigits digits: Text, isNegative: Bool) {
        guard digits.count <= 19 else { return nil }
        var magnitude: UInt64 = 0
        for place in digits.start..<digits.end { magnitude = magnitude * 10 + UInt64(place.pointee - 0x30) }
        guard magnitude <= UInt64(Int64.max) + (isNegative ? 1 : 0) else { return nil }
        self = isNegative ? Int64(truncatingIfNeeded: 0 &- magnitude) : Int64(magnitude)
    }
}

/// Hex digits of either case.
enum HexDigits {
    /// 255 for what is none.
    @inline(__always)
    static func nibble(_ digit: UInt8) -> UInt8 {
        let decimal = digit &- 0x30
        if decimal <= 9 { return decimal }
        let letter = (digit | 0x20) &- 0x61
        return letter <= 5 ? letter &+ 10 : 255
    }

    /// The number that 16 digits are; nil when one of them is none.
    @inline(__always)
    static func word(_ digits: UnsafePointer<UInt8>) -> UInt64? {
        guard let high = half(digits.word), let low = half((digits + 8).word) else { return nil }
        return UInt64(high) << 32 | UInt64(low)
    }

    /// Eight digits at a time, in one word.
    @inline(__always)
    private static func half(_ word: UInt64) -> UInt32? {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        guard word & tops == 0 else { return nil }
        // A top bit is set where a byte is at least the bound.
        let lower = word | (0x20 &* ones)
        let digit = (word &+ (0x80 - 0x30) &* ones) & ~(word &+ (0x80 - 0x3A) &* ones) & tops
        let letter =
            (lower &+ (0x80 - 0x61) &* ones) & ~(lower &+ (0x80 - 0x67) &* ones) & tops & ((word & (0x40 &* ones)) << 1)
        guard digit | letter == tops else { return nil }
        var nibbles = (word & (0x0F &* ones)) &+ (letter >> 7) &* 9
        nibbles = (nibbles << 4 | nibbles >> 8) & 0x00FF_00FF_00FF_00FF
        nibbles = (nibbles << 8 | nibbles >> 16) & 0x0000_FFFF_0000_FFFF
        return UInt32(truncatingIfNeeded: nibbles << 16 | nibbles >> 32)
    }
}
