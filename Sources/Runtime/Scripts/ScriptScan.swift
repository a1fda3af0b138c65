internal import Glibc

/// Finds the fields of an item, and of each of its attributes the key and the value, for the script's realm: what takes a microsecond there takes a tenth of it here. The bytes may be
/// hostile.
struct ScriptScan {
    /// Fields of an item; also the most attributes it can have.
    static let fieldsMax = 16_384
    /// Field numbers of which the last field is noted.
    private static let numbers = 17
    private static let headerWords = 32
    static let tableWords = headerWords + 12 * fieldsMax

    /// What the realm has as `tables` (script_attributes.js): the last field by number, the count of attributes, and then columns of `fieldsMax` words: tag, start, body and end
    /// of fields; start, body, end, key's start and end, value's start and end, and state of attributes.
    let tables: UnsafeMutablePointer<Int32>

    init() {
        tables = .allocate(capacity: Self.tableWords)
        // A fresh mapping: pages that no item needs are never touched.
    }

    private enum Column {
        static let tag = 0
        static let fieldStart = 1
        static let fieldBody = 2
        static let fieldEnd = 3
        static let start = 4
        static let body = 5
        static let end = 6
        static let keyStart = 7
        static let keyEnd = 8
        static let valueStart = 9
        static let valueEnd = 10
        static let state = 11
    }

    enum Failure: Int {
        case malformed = -1
        case tooMany = -2
    }

    /// How many fields there are, or the raw value of a `Failure`.
    /// - Parameter attributesTag: of the item's attributes; -1: it has none.
    func scan(_ base: UnsafeRawPointer, _ range: Range<Int>, attributesTag: Int) -> Int {
        for number in 0..<Self.numbers { tables[number] = -1 }
        tables[Self.numbers] = 0
        let columns = tables + Self.headerWords
        func put(_ column: Int, _ index: Int, _ value: Int) {
            columns[column * Self.fieldsMax + index] = Int32(truncatingIfNeeded: value)
        }
        var cursor = Cursor(base: base, offset: range.lowerBound, end: range.upperBound)
        var count = 0
        var attributes = 0
        while cursor.offset < cursor.end {
            let start = cursor.offset
            guard cursor.next() else { return Failure.malformed.rawValue }
            guard count < Self.fieldsMax else { return Failure.tooMany.rawValue }
            put(Column.tag, count, cursor.tag)
            put(Column.fieldStart, count, start)
            put(Column.fieldBody, count, cursor.body)
            put(Column.fieldEnd, count, cursor.offset)
            if cursor.tag == attributesTag {
                var inner = Cursor(base: base, offset: cursor.body, end: cursor.offset)
                var key = cursor.body..<cursor.body
                var value = key
                while inner.offset < inner.end {
                    guard inner.next() else { return Failure.malformed.rawValue }
                    if inner.tag == 0x0A { key = inner.body..<inner.offset }
                    if inner.tag == 0x12 { value = inner.body..<inner.offset }
                }
                put(Column.start, attributes, start)
                put(Column.body, attributes, cursor.body)
                put(Column.end, attributes, cursor.offset)
                put(Column.keyStart, attributes, key.lowerBound)
                put(Column.keyEnd, attributes, key.upperBound)
                put(Column.valueStart, attributes, value.lowerBound)
                put(Column.valueEnd, attributes, value.upperBound)
                put(Column.state, attributes, 0)
                attributes += 1
            } else if cursor.tag < Self.numbers << 3 {
                tables[cursor.tag >> 3] = Int32(count)
            }
            count += 1
        }
        tables[Self.numbers] = Int32(attributes)
        return count
    }

    /// Goes from field to field of one message.
    private struct Cursor {
        let base: UnsafeRawPointer
        var offset: Int
        let end: Int
        var tag = 0
        /// Of the field that `offset` is behind.
        var body = 0

        @inline(__always)
        mutating func next() -> Bool {
            guard let tag = varint(), tag >= 8, tag <= UInt64(Int32.max) else { return false }
            self.tag = Int(tag)
            body = offset
            switch tag & 7 {
            case 0: return varint() != nil
            case 1: return skip(8)
            case 2:
                guard let length = varint(), length <= UInt64(end - offset) else { return false }
                body = offset
                offset += Int(length)
                return true
            case 5: return skip(4)
            default: return false
            }
        }

        @inline(__always)
        private mutating func skip(_ count: Int) -> Bool {
            guard end - offset >= count else { return false }
            offset += count
            return true
        }

        @inline(__always)
        private mutating func varint() -> UInt64? {
            guard offset < end else { return nil }
            let first = base.load(fromByteOffset: offset, as: UInt8.self)
            if first < 0x80 {
                offset += 1
                return UInt64(first)
            }
            return longVarint()
        }

        private mutating func longVarint() -> UInt64? {
            var value: UInt64 = 0
            var shift: UInt64 = 0
            while offset < end {
                let byte = base.load(fromByteOffset: offset, as: UInt8.self)
                offset += 1
                guard shift < 63 || byte <= 1 else { return nil }
                value |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 { return value }
                shift += 7
            }
            return nil
        }
    }
}
