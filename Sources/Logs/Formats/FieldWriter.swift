import CScan

/// Writes protobuf to memory that has room for it, `Text.slack` bytes more than it takes included: the caller has seen to that.
struct FieldWriter {
    var place: UnsafeMutablePointer<UInt8>

    @inline(__always)
    init(_ place: UnsafeMutablePointer<UInt8>) { self.place = place }

    @inline(__always)
    mutating func byte(_ value: UInt8) {
        place.pointee = value
        place += 1
    }

    @inline(__always)
    mutating func bytes2(_ one: UInt8, _ other: UInt8) {
        UnsafeMutableRawPointer(place).storeBytes(of: (UInt16(one) | UInt16(other) << 8).littleEndian, as: UInt16.self)
        place += 2
    }

    @inline(__always)
    mutating func fixed32(_ value: UInt32) {
        UnsafeMutableRawPointer(place).storeBytes(of: value.littleEndian, as: UInt32.self)
        place += 4
    }

    @inline(__always)
    mutating func fixed64(_ value: UInt64) {
        UnsafeMutableRawPointer(place).storeBytes(of: value.littleEndian, as: UInt64.self)
        place += 8
    }

    @inline(__always)
    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            byte(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        byte(UInt8(truncatingIfNeeded: rest))
    }

    @inline(__always)
    mutating func copy(_ from: UnsafePointer<UInt8>, _ count: Int) {
        sl_scan_copy(place, from, count)
        place += count
    }

    @inline(__always)
    mutating func text(_ text: Text) { copy(text.start, text.count) }

    @inline(__always)
    static func varintSize(_ value: Int) -> Int { varintSize(bits: UInt64(truncatingIfNeeded: value)) }

    @inline(__always)
    static func varintSize(bits: UInt64) -> Int { (70 &- (bits | 1).leadingZeroBitCount) / 7 }

    /// Tag, length, bytes.
    @inline(__always)
    mutating func field(_ tag: UInt8, _ text: Text) {
        byte(tag)
        varint(UInt64(truncatingIfNeeded: text.count))
        self.text(text)
    }

    // MARK: values

    /// An `AnyValue` that is a text, as a field.
    @inline(__always)
    mutating func value(_ tag: UInt8, _ text: Text) {
        let count = text.count
        byte(tag)
        varint(UInt64(truncatingIfNeeded: 1 + Self.varintSize(count) + count))
        field(AnyValueTag.string, text)
    }

    /// A `KeyValue` whose value is a text, as a field.
    @inline(__always)
    mutating func attribute(_ tag: UInt8, _ key: Text, _ text: Text) {
        let keyCount = key.count
        let count = text.count
        if _fastPath(keyCount &+ count <= 121) {
            bytes2(tag, UInt8(truncatingIfNeeded: keyCount &+ count &+ 6))
            bytes2(KeyValueTag.key, UInt8(truncatingIfNeeded: keyCount))
            self.text(key)
            bytes2(KeyValueTag.value, UInt8(truncatingIfNeeded: count &+ 2))
            bytes2(AnyValueTag.string, UInt8(truncatingIfNeeded: count))
            return self.text(text)
        }
        head(tag, key, 1 + Self.varintSize(count) + count)
        field(AnyValueTag.string, text)
    }

    @inline(__always)
    mutating func attribute(_ tag: UInt8, _ key: Text, _ number: Int64) {
        let bits = UInt64(bitPattern: number)
        head(tag, key, 1 + Self.varintSize(bits: bits))
        byte(AnyValueTag.int)
        varint(bits)
    }

    mutating func attribute(_ tag: UInt8, _ key: Text, _ number: Double) {
        head(tag, key, 9)
        byte(AnyValueTag.double)
        fixed64(number.bitPattern)
    }

    mutating func attribute(_ tag: UInt8, _ key: Text, _ flag: Bool) {
        head(tag, key, 2)
        bytes2(AnyValueTag.bool, flag ? 1 : 0)
    }

    mutating func attribute(_ tag: UInt8, emptyOf key: Text) { head(tag, key, 0) }

    /// A `KeyValue` up to the fields of its `AnyValue`, which take `valueCount` bytes.
    @inline(__always)
    mutating func head(_ tag: UInt8, _ key: Text, _ valueCount: Int) {
        let keyCount = key.count
        byte(tag)
        varint(
            UInt64(
                truncatingIfNeeded: 1 + Self.varintSize(keyCount) + keyCount + 1 + Self.varintSize(valueCount)
                    + valueCount))
        field(KeyValueTag.key, key)
        byte(KeyValueTag.value)
        varint(UInt64(truncatingIfNeeded: valueCount))
    }

    // MARK: messages whose length shows at their end

    /// Opens one; two bytes are left for its length.
    @inline(__always)
    mutating func begin(_ tag: UInt8) -> UnsafeMutablePointer<UInt8> {
        byte(tag)
        place += 2
        return place
    }

    /// Closes the one whose body begins at `body`. It moves where its length takes other than two bytes.
    @inline(__always)
    mutating func end(_ body: UnsafeMutablePointer<UInt8>) {
        let count = place - body
        if _fastPath(UInt(bitPattern: count &- 0x80) < 0x3F80) {
            body[-2] = UInt8(truncatingIfNeeded: count) | 0x80
            body[-1] = UInt8(truncatingIfNeeded: count >> 7)
        } else {
            endSlowly(body, count)
        }
    }

    private mutating func endSlowly(_ body: UnsafeMutablePointer<UInt8>, _ count: Int) {
        let to = body - 2 + Self.varintSize(count)
        to.update(from: body, count: count)
        place = body - 2
        varint(UInt64(truncatingIfNeeded: count))
        place = to + count
    }
}

// Field numbers and wire types of OTLP's messages, as the bytes they are: <https://github.com/open-telemetry/opentelemetry-proto>.

enum LogRecordTag {
    static let time: UInt8 = 1 << 3 | 1
    static let severity: UInt8 = 2 << 3
    static let severityText: UInt8 = 3 << 3 | 2
    static let body: UInt8 = 5 << 3 | 2
    static let attributes: UInt8 = 6 << 3 | 2
    static let flags: UInt8 = 8 << 3 | 5
    static let traceID: UInt8 = 9 << 3 | 2
    static let spanID: UInt8 = 10 << 3 | 2
    static let observedTime: UInt8 = 11 << 3 | 1
    static let eventName: UInt8 = 12 << 3 | 2
}

enum KeyValueTag {
    static let key: UInt8 = 1 << 3 | 2
    static let value: UInt8 = 2 << 3 | 2
}

enum AnyValueTag {
    static let string: UInt8 = 1 << 3 | 2
    static let bool: UInt8 = 2 << 3
    static let int: UInt8 = 3 << 3
    static let double: UInt8 = 4 << 3 | 1
    static let array: UInt8 = 5 << 3 | 2
    static let map: UInt8 = 6 << 3 | 2
    /// `ArrayValue.values`, `KeyValueList.values`.
    static let elements: UInt8 = 1 << 3 | 2
}
