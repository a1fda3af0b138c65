// Bulk JSON, RFC 8259: simdjson finds where tokens begin (and checks UTF-8, quotes and control characters); what follows walks from
// token to token over the text itself. No tree, no copy. The grammar is checked here, of what is skipped too.

import CSimdJSON

/// A place in a JSON text between two tokens. Lives inside `withTokens`.
struct JSONTokens {
    /// Containers may be open inside each other this many deep; deeper text is refused. What is read has smaller limits of its own.
    static let depthMax = 4_096

    let text: UnsafeRawPointer
    let count: Int
    private let places: UnsafePointer<UInt32>
    private let placeCount: Int
    /// Index of the token ahead. May be set back to one that was seen.
    var position = 0

    /// Calls `body` with the tokens of the text. `level` is 1 for a text inside of a string of another that is being read.
    static func withTokens<Value: ~Copyable>(
        of text: UnsafeRawBufferPointer, level: Int32 = 0, _ body: (inout JSONTokens) throws(DecodeError) -> Value
    ) throws(DecodeError) -> Value {
        guard let base = text.baseAddress else { throw .badJSON(at: 0) }
        var places: UnsafePointer<UInt32>?
        var placeCount = 0
        let status = sl_json_index(
            level, base.assumingMemoryBound(to: UInt8.self), text.count, &places, &placeCount)
        defer { sl_json_forget(level) }
        guard status == SL_JSON_OK, let places else { throw error(status, text) }
        var tokens = JSONTokens(text: base, count: text.count, places: places, placeCount: placeCount)
        return try body(&tokens)
    }

    private init(text: UnsafeRawPointer, count: Int, places: UnsafePointer<UInt32>, placeCount: Int) {
        self.text = text
        self.count = count
        self.places = places
        self.placeCount = placeCount
    }

    /// Where the token ahead begins, or the end of the text.
    @inline(__always)
    var offset: Int { Int(places[position]) }

    /// The first byte of the token ahead; 0 at the end.
    @inline(__always)
    var next: UInt8 { position < placeCount ? byte(offset) : 0 }

    @inline(__always)
    private func byte(_ offset: Int) -> UInt8 { text.load(fromByteOffset: offset, as: UInt8.self) }

    private var bad: DecodeError { .badJSON(at: offset) }

    /// Throws unless the text ends here.
    func end() throws(DecodeError) {
        guard position == placeCount else { throw bad }
    }

    // MARK: structure

    /// Enters an object; false when it is empty, and already left.
    @inline(__always)
    mutating func enterObject() throws(DecodeError) -> Bool {
        guard next == UInt8(ascii: "{") else { throw mismatch }
        position += 1
        guard next == UInt8(ascii: "}") else { return true }
        position += 1
        return false
    }

    /// After a member: true when another follows, false when the object has ended.
    @inline(__always)
    mutating func nextMember() throws(DecodeError) -> Bool { try nextElement(orEnd: UInt8(ascii: "}")) }

    @inline(__always)
    mutating func enterArray() throws(DecodeError) -> Bool {
        guard next == UInt8(ascii: "[") else { throw mismatch }
        position += 1
        guard next == UInt8(ascii: "]") else { return true }
        position += 1
        return false
    }

    @inline(__always)
    mutating func nextElement() throws(DecodeError) -> Bool { try nextElement(orEnd: UInt8(ascii: "]")) }

    @inline(__always)
    private mutating func nextElement(orEnd end: UInt8) throws(DecodeError) -> Bool {
        let byte = next
        guard byte == UInt8(ascii: ",") || byte == end else { throw bad }
        position += 1
        return byte != end
    }

    /// The name of a member with the colon behind it.
    @inline(__always)
    mutating func name() throws(DecodeError) -> JSONString {
        guard next == UInt8(ascii: "\"") else { throw bad }
        let name = try string()
        guard next == UInt8(ascii: ":") else { throw bad }
        position += 1
        return name
    }

    /// What to say of a value of another type than was expected.
    var mismatch: DecodeError {
        switch next {
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\""), UInt8(ascii: "-"),
            UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"):
            .unexpectedJSON(at: offset)
        default: bad
        }
    }

    // MARK: scalars

    /// The end of the token ahead, white space taken off.
    @inline(__always)
    private var tokenEnd: Int {
        var end = Int(places[position + 1])
        while Self.isSpace(byte(end - 1)) { end -= 1 }
        return end
    }

    @inline(__always)
    private static func isSpace(_ byte: UInt8) -> Bool {
        byte <= 0x20 && (byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09)
    }

    /// The string ahead.
    @inline(__always)
    mutating func string() throws(DecodeError) -> JSONString {
        guard next == UInt8(ascii: "\"") else { throw mismatch }
        let start = offset + 1
        let end = tokenEnd - 1
        guard end >= start, byte(end) == UInt8(ascii: "\"") else { throw bad }
        position += 1
        return JSONString(bytes: UnsafeRawBufferPointer(start: text + start, count: end - start), offset: start)
    }

    /// Takes the literal `null` if it is ahead.
    @inline(__always)
    mutating func takeNull() throws(DecodeError) -> Bool {
        guard next == UInt8(ascii: "n") else { return false }
        try literal("null")
        return true
    }

    mutating func bool() throws(DecodeError) -> Bool {
        switch next {
        case UInt8(ascii: "t"):
            try literal("true")
            return true
        case UInt8(ascii: "f"):
            try literal("false")
            return false
        default: throw mismatch
        }
    }

    private mutating func literal(_ word: StaticString) throws(DecodeError) {
        let start = offset
        let length = word.utf8CodeUnitCount
        guard tokenEnd - start == length else { throw bad }
        for index in 0..<length where byte(start + index) != word.utf8Start[index] { throw bad }
        position += 1
    }

    /// The number ahead, not in quotes.
    mutating func number() throws(DecodeError) -> JSONNumber {
        let start = offset
        let first = next
        guard first == UInt8(ascii: "-") || (first >= UInt8(ascii: "0") && first <= UInt8(ascii: "9")) else {
            throw mismatch
        }
        guard let number = JSONNumber(UnsafeRawBufferPointer(start: text + start, count: tokenEnd - start)) else {
            throw bad
        }
        position += 1
        return number
    }

    /// The number ahead, in quotes or not, as protobuf's JSON form has those of 64 bits.
    @inline(__always)
    mutating func quotedOrPlainNumber() throws(DecodeError) -> JSONNumber {
        guard next == UInt8(ascii: "\"") else { return try number() }
        let start = offset
        guard let number = JSONNumber(try string().bytes) else { throw .unexpectedJSON(at: start) }
        return number
    }

    /// The scalar ahead as text: a string, or a number or truth value as it is written.
    mutating func scalar() throws(DecodeError) -> JSONString {
        if next == UInt8(ascii: "\"") { return try string() }
        let start = offset
        let token = JSONString(
            bytes: UnsafeRawBufferPointer(start: text + start, count: tokenEnd - start), offset: start)
        if next == UInt8(ascii: "t") || next == UInt8(ascii: "f") { _ = try bool() } else { _ = try number() }
        return token
    }

    // MARK: skipping

    /// Passes over the value ahead, whatever it is, and checks that it is one.
    mutating func skipValue() throws(DecodeError) {
        var open = OpenContainers()
        while true {
            switch next {
            case UInt8(ascii: "{"):
                try open.push(isObject: true, at: offset)
                if try enterObject() {
                    _ = try checkedName()
                    continue
                }
                open.pop()
            case UInt8(ascii: "["):
                try open.push(isObject: false, at: offset)
                if try enterArray() { continue }
                open.pop()
            default: try skipScalar()
            }
            while true {
                if open.isEmpty { return }
                if open.isObject {
                    if try nextMember() {
                        _ = try checkedName()
                        break
                    }
                } else if try nextElement() {
                    break
                }
                open.pop()
            }
        }
    }

    private mutating func checkedName() throws(DecodeError) { try name().checkEscapes() }

    private mutating func skipScalar() throws(DecodeError) {
        switch next {
        case UInt8(ascii: "\""): try string().checkEscapes()
        case UInt8(ascii: "t"), UInt8(ascii: "f"): _ = try bool()
        case UInt8(ascii: "n"): try literal("null")
        default: _ = try number()
        }
    }

    /// A bit for each open container: whether it is an object. The first 64 need no allocation.
    private struct OpenContainers {
        private var bits: UInt64 = 0
        private var depth = 0
        private var outer: [UInt64] = []

        var isEmpty: Bool { depth == 0 }
        var isObject: Bool { bits & 1 != 0 }

        mutating func push(isObject: Bool, at offset: Int) throws(DecodeError) {
            guard depth < JSONTokens.depthMax else { throw .nestedTooDeep(at: offset) }
            if depth > 0, depth & 63 == 0 { outer.append(bits) }
            bits = bits << 1 | (isObject ? 1 : 0)
            depth += 1
        }

        mutating func pop() {
            depth -= 1
            bits >>= 1
            if depth > 0, depth & 63 == 0, let last = outer.popLast() { bits = last }
        }
    }

    // MARK: where a text is wrong that has no tokens

    private static func error(_ status: sl_json_status, _ text: UnsafeRawBufferPointer) -> DecodeError {
        switch status {
        case SL_JSON_BAD_UTF8: .badUTF8(at: UTF8Check.firstBad(in: text))
        case SL_JSON_CONTROL_CHARACTER, SL_JSON_UNCLOSED_STRING: .badJSON(at: badString(in: text))
        case SL_JSON_TOO_LARGE, SL_JSON_NO_MEMORY: .tooLarge(at: 0)
        default: .badJSON(at: text.count)
        }
    }

    /// The first control character in a string, or the quote that opens a string without end.
    private static func badString(in text: UnsafeRawBufferPointer) -> Int {
        var opened: Int?
        var isEscaped = false
        for (offset, byte) in text.enumerated() {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = opened != nil
            } else if byte == UInt8(ascii: "\"") {
                opened = opened == nil ? offset : nil
            }
            if opened != nil, byte < 0x20 { return offset }
        }
        return opened ?? text.count
    }
}
