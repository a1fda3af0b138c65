/// Writes JSON text, RFC 8259, without white space. Commas come by themselves; that names and values alternate is the
/// caller's care.
public struct JSONWriter {
    public private(set) var bytes: [UInt8]
    private var needsComma = false

    public init(capacity: Int = 1024) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// What was written, as text.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    // MARK: structure

    public mutating func beginObject() { open("{") }
    public mutating func endObject() { close("}") }
    public mutating func beginArray() { open("[") }
    public mutating func endArray() { close("]") }

    public mutating func object(_ body: (inout JSONWriter) -> Void) {
        beginObject()
        body(&self)
        endObject()
    }

    public mutating func array(_ body: (inout JSONWriter) -> Void) {
        beginArray()
        body(&self)
        endArray()
    }

    public mutating func name(_ name: String) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    // MARK: values

    /// A member of an object with text as its value.
    public mutating func field(_ name: String, _ text: String) {
        self.name(name)
        string(text)
    }

    public mutating func string(_ text: String) {
        beginValue()
        let done: Void? = text.utf8.withContiguousStorageIfAvailable { putQuoted($0) }
        if done == nil { Array(text.utf8).withUnsafeBufferPointer { putQuoted($0) } }
    }

    /// Text as UTF-8; bytes that are not become U+FFFD.
    public mutating func string(utf8: UnsafeRawBufferPointer) {
        string(String(decoding: utf8, as: UTF8.self))
    }

    public mutating func bool(_ value: Bool) { put(value ? "true" : "false") }

    public mutating func null() { put("null") }

    public mutating func integer(_ value: some FixedWidthInteger) { put(String(value)) }

    /// An integer in quotes, as protobuf's JSON form has those of 64 bits.
    public mutating func quotedInteger(_ value: some FixedWidthInteger) { put("\"" + String(value) + "\"") }

    /// The shortest digits that give the same number back; NaN and the infinities, which JSON does not have, as the strings
    /// "NaN", "Infinity" and "-Infinity" (protobuf's JSON form and OpenTelemetry's rules for values in other formats).
    public mutating func double(_ value: Double) {
        if value.isFinite {
            put(value.description)
        } else {
            string(value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity")
        }
    }

    /// A string of lowercase hex digits.
    public mutating func hex(_ raw: UnsafeRawBufferPointer) {
        beginValue()
        bytes.append(UInt8(ascii: "\""))
        for byte in raw {
            bytes.append(Self.hexDigit(byte >> 4))
            bytes.append(Self.hexDigit(byte & 15))
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// A string of base64 with padding, RFC 4648 section 4.
    public mutating func base64(_ raw: UnsafeRawBufferPointer) {
        beginValue()
        bytes.append(UInt8(ascii: "\""))
        Base64.append(raw, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    // MARK: taking back

    /// A place to come back to.
    struct Mark {
        fileprivate let count: Int
        fileprivate let needsComma: Bool
    }

    var mark: Mark { Mark(count: bytes.count, needsComma: needsComma) }

    /// Forgets what was written after the mark.
    mutating func rollBack(to mark: Mark) {
        bytes.removeSubrange(mark.count...)
        needsComma = mark.needsComma
    }

    // MARK: private

    private mutating func beginValue() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func open(_ bracket: Unicode.Scalar) {
        beginValue()
        bytes.append(UInt8(ascii: bracket))
        needsComma = false
    }

    private mutating func close(_ bracket: Unicode.Scalar) {
        bytes.append(UInt8(ascii: bracket))
        needsComma = true
    }

    private mutating func put(_ literal: String) {
        beginValue()
        bytes.append(contentsOf: literal.utf8)
    }

    /// Runs of bytes that need no escape are copied whole.
    private mutating func putQuoted(_ text: UnsafeBufferPointer<UInt8>) {
        bytes.append(UInt8(ascii: "\""))
        var start = 0
        for index in text.indices where Self.needsEscape(text[index]) {
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<index]))
            putEscape(text[index])
            start = index + 1
        }
        bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start...]))
        bytes.append(UInt8(ascii: "\""))
    }

    @inline(__always)
    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func putEscape(_ byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        case UInt8(ascii: "\n"): bytes.append(UInt8(ascii: "n"))
        case UInt8(ascii: "\r"): bytes.append(UInt8(ascii: "r"))
        case UInt8(ascii: "\t"): bytes.append(UInt8(ascii: "t"))
        default:
            bytes.append(contentsOf: "u00".utf8)
            bytes.append(Self.hexDigit(byte >> 4))
            bytes.append(Self.hexDigit(byte & 15))
        }
    }

    private static func hexDigit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") - 10 + nibble
    }
}
