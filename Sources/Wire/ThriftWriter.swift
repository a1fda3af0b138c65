/// Thrift's binary protocol: big-endian, each field with its type and number, each struct ended by a zero byte.
/// <https://github.com/apache/thrift/blob/master/doc/specs/thrift-binary-protocol.md>.
struct ThriftWriter {
    enum FieldType: UInt8 {
        case stop = 0, bool = 2, double = 4, i32 = 8, i64 = 10, string = 11, structure = 12, list = 15
    }

    private(set) var bytes: [UInt8] = []

    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    // MARK: fields

    mutating func putBool(_ field: Int16, _ value: Bool) {
        putHeader(field, .bool)
        bytes.append(value ? 1 : 0)
    }

    mutating func putI32(_ field: Int16, _ value: Int32) {
        putHeader(field, .i32)
        put(value)
    }

    mutating func putI64(_ field: Int16, _ value: Int64) {
        putHeader(field, .i64)
        put(value)
    }

    mutating func putDouble(_ field: Int16, _ value: Double) {
        putHeader(field, .double)
        put(value.bitPattern)
    }

    mutating func putString(_ field: Int16, _ text: String) {
        putHeader(field, .string)
        put(Int32(clamping: text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    mutating func putBinary(_ field: Int16, _ value: [UInt8]) {
        putHeader(field, .string)
        put(Int32(clamping: value.count))
        bytes.append(contentsOf: value)
    }

    /// A field that is a struct; its own fields and `endStruct` follow.
    mutating func beginStruct(_ field: Int16) { putHeader(field, .structure) }

    /// Ends a struct that is a field or an element of a list.
    mutating func endStruct() { bytes.append(FieldType.stop.rawValue) }

    // MARK: lists of structs, whose count is known at their end

    struct List {
        fileprivate let offset: Int
        var count = 0
    }

    mutating func beginList(_ field: Int16) -> List {
        putHeader(field, .list)
        bytes.append(FieldType.structure.rawValue)
        let list = List(offset: bytes.count)
        put(Int32(0))
        return list
    }

    mutating func endList(_ list: List) {
        let count = UInt32(clamping: list.count)
        for index in 0..<4 { bytes[list.offset + index] = UInt8(truncatingIfNeeded: count >> (24 - 8 * index)) }
    }

    // MARK: private

    private mutating func putHeader(_ field: Int16, _ type: FieldType) {
        bytes.append(type.rawValue)
        put(field)
    }

    private mutating func put(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }
}
