/// Reads JSON objects by the tables of OTLP's messages and writes protobuf.
struct JSONFieldWriter: ~Copyable {
    var tokens: JSONTokens
    var writer: ProtobufWriter
    /// What may be written at most: an element of a list takes up to four times as many bytes as its JSON form.
    private let bytesMax: Int
    /// How many `AnyValue`s are open.
    private var valueDepth = 0

    typealias Field = UnsafeMutablePointer<JSONDecodeField>

    init(tokens: JSONTokens, bytesMax: Int, capacity: Int) {
        self.tokens = tokens
        self.bytesMax = bytesMax
        writer = ProtobufWriter(capacity: capacity)
    }

    /// Writes the fields of the message that `field` holds, without a frame.
    mutating func takeMessage(_ field: Field) throws(DecodeError) {
        valueDepth = 0
        try putFields(message(of: field))
    }

    private func message(of field: Field) -> UnsafeMutablePointer<JSONDecodeMessage> {
        guard let message = field.pointee.message else {
            preconditionFailure("field \(field.pointee.number) is no message")
        }
        return message
    }

    private mutating func putFields(_ message: UnsafeMutablePointer<JSONDecodeMessage>) throws(DecodeError) {
        if message.pointee.isAnyValue {
            guard valueDepth < OTLP.valueDepthMax else { throw .nestedTooDeep(at: tokens.offset) }
            valueDepth += 1
        }
        if try tokens.enterObject() {
            var seen: UInt32 = 0
            var expected = 0
            repeat {
                let offset = tokens.offset
                guard let field = message.pointee.field(try tokens.name().asName(), &expected) else {
                    try tokens.skipValue()
                    continue
                }
                if try tokens.takeNull() { continue }
                guard seen & field.pointee.bit == 0 else { throw .duplicateField(at: offset) }
                seen |= field.pointee.bit
                if field.pointee.isRepeated { try putRepeated(field) } else { try put(field) }
            } while try tokens.nextMember()
        }
        if message.pointee.isAnyValue { valueDepth -= 1 }
    }

    private mutating func putRepeated(_ field: Field) throws(DecodeError) {
        guard try tokens.enterArray() else { return }
        switch field.pointee.kind {
        case .fixed64, .uint64, .double:
            let list = writer.begin(field.pointee.number)
            repeat {
                try checkSize()
                writer.ensureCapacity(ProtobufWriter.varintBytesMax)
                switch field.pointee.kind {
                case .double: writer.storeFixed64(try double().bitPattern)
                case .uint64: writer.storeVarint(try uint64())
                default: writer.storeFixed64(try uint64())
                }
            } while try tokens.nextElement()
            writer.end(list)
        default:
            repeat {
                try checkSize()
                try put(field)
            } while try tokens.nextElement()
        }
    }

    @inline(__always)
    private func checkSize() throws(DecodeError) {
        guard writer.count <= bytesMax else { throw .tooLarge(at: tokens.offset) }
    }

    @inline(__always)
    private mutating func put(_ field: Field) throws(DecodeError) {
        let number = field.pointee.number
        switch field.pointee.kind {
        case .message:
            let mark = writer.begin(number)
            try putFields(message(of: field))
            writer.end(mark)
        case .string:
            let string = try tokens.string()
            if string.bytes.count > 0 || field.pointee.keepsDefault { try string.put(number, into: &writer) }
        case .traceID: try putTraceID(number)
        case .spanID: try putSpanID(number)
        case .fixed64: putFixed64(field, try uint64())
        case .sfixed64: putFixed64(field, UInt64(bitPattern: try int64()))
        case .double: putFixed64(field, try double().bitPattern)
        case .int64: putVarint(field, UInt64(bitPattern: try int64()))
        case .uint64: putVarint(field, try uint64())
        case .uint32: putVarint(field, UInt64(try uint32()))
        case .sint32:
            let value = try int32()
            putVarint(field, UInt64(UInt32(bitPattern: value &<< 1 ^ value >> 31)))
        case .fixed32:
            let value = try uint32()
            if value != 0 || field.pointee.keepsDefault { writer.putFixed32(number, value) }
        case .bool: putVarint(field, try tokens.bool() ? 1 : 0)
        case .enumeration: putVarint(field, try enumeration(field.pointee.enumeration))
        case .bytes: try putBase64(field)
        }
    }

    @inline(__always)
    private mutating func putFixed64(_ field: Field, _ value: UInt64) {
        if value != 0 || field.pointee.keepsDefault { writer.putFixed64(field.pointee.number, value) }
    }

    @inline(__always)
    private mutating func putVarint(_ field: Field, _ value: UInt64) {
        if value != 0 || field.pointee.keepsDefault { writer.putVarint(field.pointee.number, value) }
    }

    // MARK: numbers

    @inline(__always)
    private mutating func uint64() throws(DecodeError) -> UInt64 {
        let offset = tokens.offset
        guard let value = try tokens.quotedOrPlainNumber().uint64 else { throw .outOfRange(at: offset) }
        return value
    }

    @inline(__always)
    private mutating func int64() throws(DecodeError) -> Int64 {
        let offset = tokens.offset
        guard let value = try tokens.quotedOrPlainNumber().int64 else { throw .outOfRange(at: offset) }
        return value
    }

    private mutating func uint32() throws(DecodeError) -> UInt32 {
        let offset = tokens.offset
        guard let value = UInt32(exactly: try uint64()) else { throw .outOfRange(at: offset) }
        return value
    }

    private mutating func int32() throws(DecodeError) -> Int32 {
        let offset = tokens.offset
        guard let value = Int32(exactly: try int64()) else { throw .outOfRange(at: offset) }
        return value
    }

    private mutating func double() throws(DecodeError) -> Double {
        let offset = tokens.offset
        if tokens.next == UInt8(ascii: "\"") {
            let string = try tokens.string()
            if string.equals("NaN") { return .nan }
            if string.equals("Infinity") { return .infinity }
            if string.equals("-Infinity") { return -.infinity }
            guard let number = JSONNumber(string.bytes) else { throw .unexpectedJSON(at: offset) }
            guard let value = number.double else { throw .outOfRange(at: offset) }
            return value
        }
        guard let value = try tokens.number().double else { throw .outOfRange(at: offset) }
        return value
    }

    /// A negative number takes ten bytes, as an `int32` does. A name that this version does not know counts as absent.
    private mutating func enumeration(_ enumeration: JSONEnumeration) throws(DecodeError) -> UInt64 {
        if tokens.next == UInt8(ascii: "\"") {
            let string = try tokens.string()
            if let first = string.bytes.first, first == UInt8(ascii: "-") || (0x30...0x39).contains(first) {
                guard let value = JSONNumber(string.bytes)?.int64, let value = Int32(exactly: value) else {
                    throw .outOfRange(at: string.offset)
                }
                return UInt64(bitPattern: Int64(value))
            }
            return enumeration.number(of: try string.text()) ?? 0
        }
        return UInt64(bitPattern: Int64(try int32()))
    }

    // MARK: bytes

    private mutating func putTraceID(_ number: UInt32) throws(DecodeError) {
        let digits = try tokens.string()
        guard let base = digits.bytes.baseAddress, digits.bytes.count > 0 else { return }
        guard digits.bytes.count == 32 else { throw .badIDLength(at: digits.offset) }
        guard let high = Hex.word(base), let low = Hex.word(base + 16) else { throw .badIDDigits(at: digits.offset) }
        writer.ensureCapacity(ProtobufWriter.tagBytesMax + 17)
        writer.storeTag(number, .lengthDelimited)
        writer.storeByte(16)
        writer.storeFixed64(high.byteSwapped)
        writer.storeFixed64(low.byteSwapped)
    }

    private mutating func putSpanID(_ number: UInt32) throws(DecodeError) {
        let digits = try tokens.string()
        guard let base = digits.bytes.baseAddress, digits.bytes.count > 0 else { return }
        guard digits.bytes.count == 16 else { throw .badIDLength(at: digits.offset) }
        guard let value = Hex.word(base) else { throw .badIDDigits(at: digits.offset) }
        writer.ensureCapacity(ProtobufWriter.tagBytesMax + 9)
        writer.storeTag(number, .lengthDelimited)
        writer.storeByte(8)
        writer.storeFixed64(value.byteSwapped)
    }

    private mutating func putBase64(_ field: Field) throws(DecodeError) {
        let string = try tokens.string()
        guard string.hasEscapes else { return try putBase64(field, string.bytes, at: string.offset) }
        try Array(try string.text().utf8).withUnsafeBufferPointer { (bytes) throws(DecodeError) in
            try putBase64(field, UnsafeRawBufferPointer(bytes), at: string.offset)
        }
    }

    private mutating func putBase64(
        _ field: Field, _ digits: UnsafeRawBufferPointer, at offset: Int
    ) throws(DecodeError) {
        let mark = writer.begin(field.pointee.number, lengthBytes: Protobuf.varintSize(UInt64(digits.count / 4 * 3)))
        guard Base64.decode(digits, into: &writer) else { throw .badBase64(at: offset) }
        writer.end(mark)
    }
}
