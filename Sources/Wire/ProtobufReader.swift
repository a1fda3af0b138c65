/// Reads the fields of one protobuf message out of bytes that may be hostile: every read is checked against the message's end.
/// The bytes must outlive the reader and all that `bytes()` returned.
/// Wire format: <https://protobuf.dev/programming-guides/encoding/>.
///
///     while let field = try reader.next() {
///         switch (field.number, field.type) {
///         case (1, .varint): count = try reader.varint()
///         default: try reader.skip(field)
///         }
///     }
///
/// A known number with another wire type so goes the way of an unknown field, as in the official readers.
public struct ProtobufReader {
    public struct Field {
        public let number: UInt32
        public let type: Protobuf.WireType
    }

    private let root: UnsafeRawBufferPointer
    private let end: Int

    /// Where the next read begins, in bytes from the start of what the outermost reader was given.
    public private(set) var offset: Int

    public init(_ bytes: UnsafeRawBufferPointer) {
        root = bytes
        offset = 0
        end = bytes.count
    }

    private init(root: UnsafeRawBufferPointer, range: Range<Int>) {
        self.root = root
        offset = range.lowerBound
        end = range.upperBound
    }

    public var isAtEnd: Bool { offset >= end }

    /// The next field's number and type; nil at the end. Its value is read or skipped before the next call.
    @inline(__always)
    public mutating func next() throws(DecodeError) -> Field? {
        guard offset < end else { return nil }
        let start = offset
        let tag = try varint()
        guard tag >= 8, tag <= UInt64(UInt32.max),
            let type = Protobuf.WireType(rawValue: UInt8(truncatingIfNeeded: tag & 7))
        else { throw .badTag(at: start) }
        return Field(number: UInt32(truncatingIfNeeded: tag >> 3), type: type)
    }

    @inline(__always)
    public mutating func varint() throws(DecodeError) -> UInt64 {
        if _fastPath(offset < end) {
            let byte = root[offset]
            if byte < 0x80 {
                offset &+= 1
                return UInt64(byte)
            }
        }
        return try longVarint()
    }

    private mutating func longVarint() throws(DecodeError) -> UInt64 {
        let start = offset
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while offset < end {
            let byte = root[offset]
            offset &+= 1
            guard shift < 63 || byte <= 1 else { throw .varintTooLong(at: start) }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift &+= 7
        }
        throw .truncated(at: start)
    }

    /// A varint cut to 32 bits, as protobuf does for `uint32` and enumerations.
    @inline(__always)
    public mutating func varint32() throws(DecodeError) -> UInt32 { UInt32(truncatingIfNeeded: try varint()) }

    @inline(__always)
    public mutating func fixed32() throws(DecodeError) -> UInt32 {
        guard end &- offset >= 4 else { throw .truncated(at: offset) }
        defer { offset &+= 4 }
        return UInt32(littleEndian: root.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    @inline(__always)
    public mutating func fixed64() throws(DecodeError) -> UInt64 {
        guard end &- offset >= 8 else { throw .truncated(at: offset) }
        defer { offset &+= 8 }
        return UInt64(littleEndian: root.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    @inline(__always)
    public mutating func double() throws(DecodeError) -> Double { Double(bitPattern: try fixed64()) }

    /// The offsets of a length-delimited value.
    @inline(__always)
    private mutating func range() throws(DecodeError) -> Range<Int> {
        let start = offset
        let length = try varint()
        guard length <= UInt64(end &- offset) else { throw .truncated(at: start) }
        let body = offset..<(offset &+ Int(truncatingIfNeeded: length))
        offset = body.upperBound
        return body
    }

    @inline(__always)
    public mutating func bytes() throws(DecodeError) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: root[try range()])
    }

    /// Text; bytes that are not UTF-8 become U+FFFD.
    @inline(__always)
    public mutating func string() throws(DecodeError) -> String { String(decoding: try bytes(), as: UTF8.self) }

    /// A reader of the nested message here, behind which this reader goes on.
    @inline(__always)
    public mutating func message() throws(DecodeError) -> ProtobufReader {
        ProtobufReader(root: root, range: try range())
    }

    @inline(__always)
    public mutating func skip(_ field: Field) throws(DecodeError) {
        switch field.type {
        case .varint: _ = try varint()
        case .fixed64: _ = try fixed64()
        case .lengthDelimited: _ = try range()
        case .fixed32: _ = try fixed32()
        }
    }

    mutating func skipToEnd() { offset = end }

    /// How many bytes lie ahead.
    public var remaining: Int { end - offset }

    /// Bytes that have been read, by their offsets.
    func bytes(at range: Range<Int>) -> UnsafeRawBufferPointer {
        precondition(range.upperBound <= offset, "bytes at \(range) before they were read")
        return UnsafeRawBufferPointer(rebasing: root[range])
    }
}
