internal import Wire

/// Walks the fields of one protobuf message in memory, and tells of each where it lies: what is not changed is copied
/// with the frame it came in, which `ProtobufReader` does not give away. Bytes may be hostile: every read is checked
/// against the message's end, and what does not fit ends the walk with `isBroken`. The memory must outlive the cursor.
///
/// Offsets count from `base`, which is the start of the batch's (or the resource's) bytes for all cursors on them.
struct FieldCursor {
    let base: UnsafeRawPointer
    /// Where the next field begins; the end of the one that `next` found.
    private(set) var offset: Int
    let end: Int

    /// Number and wire type of the field, as protobuf writes them.
    private(set) var tag: UInt32 = 0
    /// Where the field's tag begins.
    private(set) var start = 0
    /// Where its value begins: behind the length, if it has one.
    private(set) var body = 0
    /// What stands at `offset` is no field.
    private(set) var isBroken = false

    init(_ base: UnsafeRawPointer, _ range: Range<Int>) {
        self.base = base
        offset = range.lowerBound
        end = range.upperBound
    }

    /// The value of the field, for a length-delimited one without the length.
    var value: Range<Int> { Range(uncheckedBounds: (body, offset)) }
    /// The field with its tag.
    var frame: Range<Int> { Range(uncheckedBounds: (start, offset)) }
    /// Of the message that the field is.
    var message: FieldCursor { FieldCursor(base, value) }
    var number: UInt32 { tag >> 3 }

    /// Key and value of the `KeyValue` that the field is; of parts that come twice the last counts. Nil: it is malformed.
    @inline(__always)
    var keyAndValue: (key: UnsafeRawBufferPointer, value: FieldCursor?)? {
        var parts = message
        var key = 0..<0
        var value: FieldCursor?
        while parts.next() {
            switch parts.tag {
            case Tag.KeyValue.key: key = parts.value
            case Tag.KeyValue.value: value = parts.message
            default: break
            }
        }
        return parts.isBroken ? nil : (parts.bytes(key), value)
    }

    /// False at the end, and when the message is broken.
    @inline(__always)
    mutating func next() -> Bool {
        guard offset < end else { return false }
        start = offset
        let first = byte(offset)
        if _fastPath(first < 0x80) {
            tag = UInt32(first)
            offset &+= 1
        } else {
            guard let long = varint(), long <= UInt64(UInt32.max) else { return broken() }
            tag = UInt32(truncatingIfNeeded: long)
        }
        guard _fastPath(tag & 7 == 2) else { return nextScalar() }
        guard tag >= 8, offset < end else { return broken() }
        let length = byte(offset)
        if _fastPath(length < 0x80) {
            offset &+= 1
            body = offset
            guard Int(length) <= end &- offset else { return broken() }
            offset &+= Int(length)
            return true
        }
        guard let long = varint(), long <= UInt64(end &- offset) else { return broken() }
        body = offset
        offset &+= Int(truncatingIfNeeded: long)
        return true
    }

    private mutating func nextScalar() -> Bool {
        body = offset
        guard tag >= 8 else { return broken() }
        switch tag & 7 {
        case 0: guard varint() != nil else { return broken() }
        case 1:
            guard end &- offset >= 8 else { return broken() }
            offset &+= 8
        case 5:
            guard end &- offset >= 4 else { return broken() }
            offset &+= 4
        default: return broken()
        }
        return true
    }

    private mutating func broken() -> Bool {
        isBroken = true
        offset = start
        return false
    }

    @inline(__always)
    private func byte(_ offset: Int) -> UInt8 { base.load(fromByteOffset: offset, as: UInt8.self) }

    /// The varint at `offset`; nil when it does not end in time.
    private mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while offset < end {
            let byte = byte(offset)
            offset &+= 1
            guard shift < 63 || byte <= 1 else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift &+= 7
        }
        return nil
    }

    // MARK: values

    /// Of a field with wire type 0.
    var varintValue: UInt64 {
        var value = self
        value.offset = body
        return value.varint() ?? 0
    }

    /// Of a field with wire type 1.
    var fixed64Value: UInt64 { UInt64(littleEndian: base.loadUnaligned(fromByteOffset: body, as: UInt64.self)) }
    /// Of a field with wire type 5.
    var fixed32Value: UInt32 { UInt32(littleEndian: base.loadUnaligned(fromByteOffset: body, as: UInt32.self)) }

    @inline(__always)
    func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
    }
}
