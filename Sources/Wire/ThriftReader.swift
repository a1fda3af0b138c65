/// Reads Thrift out of bytes that may be hostile, in the binary protocol or the compact one.
/// <https://github.com/apache/thrift/blob/master/doc/specs/thrift-binary-protocol.md>, `thrift-compact-protocol.md`.
///
/// A field of a known number and another type goes the way of an unknown one. Counts of containers are checked against what lies ahead: each
/// element takes a byte at least.
struct ThriftReader {
    enum FieldType {
        case bool, byte, double, i16, i32, i64, string, structure, map, set, list, uuid
    }

    struct Field {
        let number: Int16
        let type: FieldType
        /// The compact protocol's, which stands in the header.
        fileprivate let bool: Bool?
    }

    /// What lies ahead is to be read field by field. Begins at 0 for each struct.
    typealias LastNumber = Int16

    private let root: UnsafeRawBufferPointer
    private(set) var offset = 0
    private let isCompact: Bool

    static let depthMax = 64

    init(_ bytes: UnsafeRawBufferPointer, isCompact: Bool) {
        root = bytes
        self.isCompact = isCompact
    }

    var isAtEnd: Bool { offset >= root.count }
    private var remaining: Int { root.count - offset }

    // MARK: structs

    /// The next field of a struct; nil at its end. Its value is read or skipped before the next call.
    @inline(__always)
    mutating func next(_ last: inout LastNumber) throws(DecodeError) -> Field? {
        let start = offset
        let byte = try byte()
        if isCompact { return try nextCompact(&last, byte, start) }
        if byte == 0 { return nil }
        let type = try Self.binaryType(byte, at: start)
        return Field(number: Int16(bitPattern: try fixed16()), type: type, bool: nil)
    }

    private mutating func nextCompact(
        _ last: inout LastNumber, _ byte: UInt8, _ start: Int
    ) throws(DecodeError) -> Field? {
        if byte & 0x0F == 0 { return nil }
        let type = try Self.compactType(byte & 0x0F, at: start)
        if byte >> 4 == 0 {
            last = Int16(truncatingIfNeeded: Self.zigZag(try varint()))
        } else {
            last = last &+ Int16(byte >> 4)
        }
        return Field(number: last, type: type, bool: type == .bool ? byte & 0x0F == 1 : nil)
    }

    private static func binaryType(_ byte: UInt8, at offset: Int) throws(DecodeError) -> FieldType {
        switch byte {
        case 2: .bool
        case 3: .byte
        case 4: .double
        case 6: .i16
        case 8: .i32
        case 10: .i64
        case 11: .string
        case 12: .structure
        case 13: .map
        case 14: .set
        case 15: .list
        case 16: .uuid
        default: throw .badThrift(at: offset)
        }
    }

    private static func compactType(_ byte: UInt8, at offset: Int) throws(DecodeError) -> FieldType {
        switch byte {
        case 1, 2: .bool
        case 3: .byte
        case 4: .i16
        case 5: .i32
        case 6: .i64
        case 7: .double
        case 8: .string
        case 9: .list
        case 10: .set
        case 11: .map
        case 12: .structure
        case 13: .uuid
        default: throw .badThrift(at: offset)
        }
    }

    // MARK: values

    mutating func bool(_ field: Field) throws(DecodeError) -> Bool {
        if let bool = field.bool { return bool }
        return try byte() == 1
    }

    @inline(__always)
    mutating func i32() throws(DecodeError) -> Int32 {
        if isCompact { return Int32(truncatingIfNeeded: Self.zigZag(try varint())) }
        return Int32(bitPattern: try fixed32())
    }

    @inline(__always)
    mutating func i64() throws(DecodeError) -> Int64 {
        isCompact ? Self.zigZag(try varint()) : Int64(bitPattern: try fixed64())
    }

    mutating func double() throws(DecodeError) -> Double {
        let bits = try fixed64()
        return Double(bitPattern: isCompact ? bits.byteSwapped : bits)
    }

    @inline(__always)
    mutating func bytes() throws(DecodeError) -> UnsafeRawBufferPointer {
        let start = offset
        let length = isCompact ? try varint() : UInt64(try fixed32())
        guard length <= UInt64(remaining) else { throw .truncated(at: start) }
        let end = offset + Int(length)
        defer { offset = end }
        return UnsafeRawBufferPointer(rebasing: root[offset..<end])
    }

    /// The bytes of a string, which must be UTF-8.
    @inline(__always)
    mutating func text() throws(DecodeError) -> UnsafeRawBufferPointer {
        let start = offset
        let bytes = try bytes()
        guard UTF8Check.isValid(bytes) else { throw .badUTF8(at: start) }
        return bytes
    }

    /// The header of a list or a set.
    mutating func list() throws(DecodeError) -> (type: FieldType, count: Int) {
        let start = offset
        let byte = try byte()
        let type: FieldType
        let count: UInt64
        if isCompact {
            count = byte >> 4 == 15 ? try varint() : UInt64(byte >> 4)
            type = try Self.compactType(byte & 0x0F, at: start)
        } else {
            count = UInt64(try fixed32())
            // An empty list of some writers has type 0.
            type = count == 0 && byte == 0 ? .byte : try Self.binaryType(byte, at: start)
        }
        guard count <= UInt64(remaining) else { throw .badThrift(at: start) }
        return (type, Int(count))
    }

    /// How many structs the list ahead holds.
    mutating func structs() throws(DecodeError) -> Int {
        let start = offset
        let (type, count) = try list()
        guard type == .structure || count == 0 else { throw .badThrift(at: start) }
        return count
    }

    // MARK: skipping

    @inline(__always)
    mutating func skip(_ field: Field) throws(DecodeError) {
        if field.bool == nil { try skip(field.type) }
    }

    /// Passes over a value that is no field, as an element of a list is none.
    mutating func skip(_ type: FieldType, depth: Int = 0) throws(DecodeError) {
        guard depth < Self.depthMax else { throw .nestedTooDeep(at: offset) }
        switch type {
        case .bool, .byte: try advance(1)
        case .double: try advance(8)
        case .i16: if isCompact { _ = try varint() } else { try advance(2) }
        case .i32: if isCompact { _ = try varint() } else { try advance(4) }
        case .i64: if isCompact { _ = try varint() } else { try advance(8) }
        case .string: _ = try bytes()
        case .uuid: try advance(16)
        case .structure:
            var last: LastNumber = 0
            while let field = try next(&last) {
                if field.bool == nil { try skip(field.type, depth: depth + 1) }
            }
        case .list, .set:
            let (type, count) = try list()
            for _ in 0..<count { try skip(type, depth: depth + 1) }
        case .map: try skipMap(depth)
        }
    }

    private mutating func skipMap(_ depth: Int) throws(DecodeError) {
        let start = offset
        let types: (key: FieldType, value: FieldType)
        let count: UInt64
        if isCompact {
            count = try varint()
            if count == 0 { return }
            let byte = try byte()
            types = (try Self.compactType(byte >> 4, at: start), try Self.compactType(byte & 0x0F, at: start))
        } else {
            let (key, value) = (try byte(), try byte())
            count = UInt64(try fixed32())
            if count == 0 { return }
            types = (try Self.binaryType(key, at: start), try Self.binaryType(value, at: start))
        }
        guard count <= UInt64(remaining) / 2 else { throw .badThrift(at: start) }
        for _ in 0..<Int(count) {
            try skip(types.key, depth: depth + 1)
            try skip(types.value, depth: depth + 1)
        }
    }

    // MARK: bytes

    private mutating func advance(_ count: Int) throws(DecodeError) {
        guard remaining >= count else { throw .truncated(at: offset) }
        offset += count
    }

    @inline(__always)
    private mutating func byte() throws(DecodeError) -> UInt8 {
        guard offset < root.count else { throw .truncated(at: offset) }
        defer { offset &+= 1 }
        return root[offset]
    }

    private mutating func fixed16() throws(DecodeError) -> UInt16 {
        guard remaining >= 2 else { throw .truncated(at: offset) }
        defer { offset &+= 2 }
        return UInt16(bigEndian: root.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    private mutating func fixed32() throws(DecodeError) -> UInt32 {
        guard remaining >= 4 else { throw .truncated(at: offset) }
        defer { offset &+= 4 }
        return UInt32(bigEndian: root.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    private mutating func fixed64() throws(DecodeError) -> UInt64 {
        guard remaining >= 8 else { throw .truncated(at: offset) }
        defer { offset &+= 8 }
        return UInt64(bigEndian: root.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    private mutating func varint() throws(DecodeError) -> UInt64 {
        let start = offset
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try byte()
            guard shift < 63 || byte <= 1 else { throw .varintTooLong(at: start) }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift &+= 7
        }
    }

    private static func zigZag(_ value: UInt64) -> Int64 {
        Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }
}

extension ThriftReader {
    /// Passes over a message's envelope, if there is one: what an agent's UDP port would get, `emitBatch` or `submitBatches`. True when there was
    /// one, and the arguments' struct is ahead.
    mutating func skipEnvelope() throws(DecodeError) -> Bool {
        guard let first = root.first else { return false }
        if isCompact {
            guard first == 0x82 else { return false }
            try advance(2)
            _ = try varint()
            _ = try bytes()
            return true
        }
        // Strict: 0x8001 and the type, the name, the sequence number. Old: the name, the type, the number.
        guard first == 0x80 || first == 0 && root.count > 8 else { return false }
        if first == 0x80 { try advance(4) }
        _ = try bytes()
        try advance(first == 0x80 ? 4 : 5)
        return true
    }

    /// The compact protocol's first byte is that of an envelope, or a field's header with the number's difference in the upper half; the binary
    /// protocol's is a type, which has none.
    static func isCompact(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.first.map { $0 == 0x82 || $0 >> 4 != 0 && $0 != 0x80 } ?? false
    }
}
