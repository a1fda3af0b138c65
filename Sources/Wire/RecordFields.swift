internal import Telemetry

/// Encodes the variable parts of a record. A value for the length of one record; borrowed tables, no state.
struct RecordFields {
    let strings: RecordStrings
    let clock: RingClock

    /// A string reference as a string field with a number under 16.
    @inline(__always)
    func text(
        _ ref: UInt32, field: UInt32, _ cursor: inout RecordCursor, _ out: inout ProtobufWriter
    ) throws(RecordError) {
        switch ref {
        case 0: out.putBytes(field, try cursor.inlineText())
        case RecordLimits.emptyRef: break
        default: out.putFrame(try strings.frame(ref), tag: UInt8(truncatingIfNeeded: field << 3 | 2))
        }
    }

    /// `count` attributes, each as a `KeyValue` under `tag` (one byte: field number and wire type 2).
    @inline(__always)
    func attributes(
        _ count: UInt16, tag: UInt8, _ cursor: inout RecordCursor, _ out: inout ProtobufWriter, depth: Int = 0
    ) throws(RecordError) {
        for _ in 0..<count { try attribute(tag: tag, &cursor, &out, depth: depth) }
    }

    private func attribute(
        tag: UInt8, _ cursor: inout RecordCursor, _ out: inout ProtobufWriter, depth: Int
    ) throws(RecordError) {
        let word = try cursor.take(UInt64.self)
        let key = UInt32(truncatingIfNeeded: word)
        let head = UInt32(truncatingIfNeeded: word >> 32)
        if AttributeMemo.isKept(word) {
            if strings.memo.write(word, tag: tag, &out) { return }
            let start = out.count
            try keyed(strings.frame(key), head, tag: tag, &cursor, &out, depth: depth)
            strings.memo.keep(word, out.bytes(since: start))
        } else if _fastPath(key != 0 && key != RecordLimits.emptyRef) {
            try keyed(strings.frame(key), head, tag: tag, &cursor, &out, depth: depth)
        } else {
            // `keyed` copies the key's field from a frame; an inline key gets one here.
            let text = key == 0 ? try cursor.inlineText() : UnsafeRawBufferPointer(start: nil, count: 0)
            let length = Protobuf.varintSize(UInt64(text.count))
            let frame = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 + length + text.count, alignment: 1)
            defer { frame.deallocate() }
            frame[0] = 0x0A
            for index in 0..<length {
                frame[1 + index] = UInt8(truncatingIfNeeded: text.count >> (7 * index)) & 0x7F | (index < length - 1 ? 0x80 : 0)
            }
            UnsafeMutableRawBufferPointer(rebasing: frame[(1 + length)...]).copyMemory(from: text)
            try keyed(UnsafeRawBufferPointer(frame), head, tag: tag, &cursor, &out, depth: depth)
        }
    }

    /// One `KeyValue`: `frame` is its key field, complete. Scalars have known sizes and are stored front to back.
    @inline(__always)
    private func keyed(
        _ frame: UnsafeRawBufferPointer, _ head: UInt32, tag: UInt8, _ cursor: inout RecordCursor,
        _ out: inout ProtobufWriter, depth: Int
    ) throws(RecordError) {
        // AnyValue: 1 string, 2 bool, 3 int, 4 double, 5 array, 6 kvlist, 7 bytes.
        switch head & 15 {
        case 1, 7:
            let isText = head & 15 == 1
            let payload = isText ? try cursor.text(Int(head >> 4)) : try cursor.padded(Int(head >> 4))
            store(frame, tag: tag, valueTag: isText ? 0x0A : 0x3A, bytes: payload, &out)
        case 2:
            store(frame, tag: tag, valueTag: 0x0A, bytes: try strings.text(head >> 4), &out)
        case 3: store(frame, tag: tag, valueTag: 0x10, varint: head >> 4 == 0 ? 0 : 1, &out)
        case 4: store(frame, tag: tag, valueTag: 0x18, varint: UInt64(bitPattern: Int64(Int32(bitPattern: head) >> 4)), &out)
        case 5: store(frame, tag: tag, valueTag: 0x18, varint: try integer(&cursor), &out)
        case 6: store(frame, tag: tag, valueTag: 0x21, fixed: try cursor.take(UInt64.self), &out)
        default:
            let mark = out.begin(UInt32(tag >> 3), lengthBytes: 2)
            out.putRaw(frame)
            let value = out.begin(2)
            try any(head, &cursor, &out, depth: depth)
            out.end(value)
            out.end(mark)
        }
    }

    @inline(__always)
    private func store(
        _ frame: UnsafeRawBufferPointer, tag: UInt8, valueTag: UInt8, bytes: UnsafeRawBufferPointer,
        _ out: inout ProtobufWriter
    ) {
        let value = 1 &+ Protobuf.varintSize(UInt64(bytes.count)) &+ bytes.count
        open(frame, tag: tag, value: value, &out)
        out.storeByte(valueTag)
        out.storeVarint(UInt64(bytes.count))
        out.storeBytes(bytes)
    }

    @inline(__always)
    private func store(
        _ frame: UnsafeRawBufferPointer, tag: UInt8, valueTag: UInt8, varint: UInt64, _ out: inout ProtobufWriter
    ) {
        open(frame, tag: tag, value: 1 &+ Protobuf.varintSize(varint), &out)
        out.storeByte(valueTag)
        out.storeVarint(varint)
    }

    @inline(__always)
    private func store(
        _ frame: UnsafeRawBufferPointer, tag: UInt8, valueTag: UInt8, fixed: UInt64, _ out: inout ProtobufWriter
    ) {
        open(frame, tag: tag, value: 9, &out)
        out.storeByte(valueTag)
        out.storeFixed64(fixed)
    }

    /// Frame of the `KeyValue`, its key, and the frame of its value of `value` bytes; room for the value is there.
    @inline(__always)
    private func open(_ frame: UnsafeRawBufferPointer, tag: UInt8, value: Int, _ out: inout ProtobufWriter) {
        let total = frame.count &+ 1 &+ Protobuf.varintSize(UInt64(value)) &+ value
        out.ensureCapacity(total &+ 16)
        out.storeByte(tag)
        out.storeVarint(UInt64(total))
        out.storeBytes(frame)
        out.storeByte(0x12)
        out.storeVarint(UInt64(value))
    }

    /// The fields of an `AnyValue`.
    private func any(
        _ head: UInt32, _ cursor: inout RecordCursor, _ out: inout ProtobufWriter, depth: Int
    ) throws(RecordError) {
        guard depth < RecordLimits.nestingMax else { throw .nesting }
        switch head & 15 {
        case 0: break
        case 1: out.putBytes(1, try cursor.text(Int(head >> 4)))
        case 2: out.putBytes(1, try strings.text(head >> 4))
        case 3: out.putVarint(2, head >> 4 == 0 ? 0 : 1)
        case 4: out.putVarint(3, UInt64(bitPattern: Int64(Int32(bitPattern: head) >> 4)))
        case 5: out.putVarint(3, try integer(&cursor))
        case 6: out.putFixed64(4, try cursor.take(UInt64.self))
        case 7: out.putBytes(7, try cursor.padded(Int(head >> 4)))
        case 8:
            let list = out.begin(5, lengthBytes: 2)
            for _ in 0..<head >> 4 {
                let element = try cursor.take(UInt32.self)
                _ = try cursor.take(UInt32.self)
                let value = out.begin(1)
                try any(element, &cursor, &out, depth: depth + 1)
                out.end(value)
            }
            out.end(list)
        case 9:
            let list = out.begin(6, lengthBytes: 2)
            for _ in 0..<head >> 4 { try attribute(tag: 0x0A, &cursor, &out, depth: depth + 1) }
            out.end(list)
        default: throw .type
        }
    }

    /// An f64 with an integral value as the bits of an int64.
    private func integer(_ cursor: inout RecordCursor) throws(RecordError) -> UInt64 {
        guard let value = Int64(exactly: try cursor.take(Double.self)) else { throw .range }
        return UInt64(bitPattern: value)
    }

    func event(_ cursor: inout RecordCursor, _ out: inout ProtobufWriter) throws(RecordError) {
        guard let time = clock.unixNanoseconds(try cursor.take(Double.self)) else { throw .time }
        let name = try cursor.take(UInt32.self)
        let attributes = try cursor.take(UInt16.self)
        let dropped = try cursor.take(UInt16.self)
        let mark = out.begin(11)
        out.putFixed64(1, time)
        try text(name, field: 2, &cursor, &out)
        if dropped > 0 { out.putVarint(4, UInt64(dropped)) }
        try self.attributes(attributes, tag: 0x1A, &cursor, &out)
        out.end(mark)
    }

    func link(_ cursor: inout RecordCursor, _ out: inout ProtobufWriter) throws(RecordError) {
        let ids = try cursor.padded(24)
        let flags = try cursor.take(UInt32.self)
        let attributes = try cursor.take(UInt16.self)
        let dropped = try cursor.take(UInt16.self)
        let mark = out.begin(13)
        out.putBytes(1, UnsafeRawBufferPointer(rebasing: ids[..<16]))
        out.putBytes(2, UnsafeRawBufferPointer(rebasing: ids[16...]))
        let state = try cursor.inlineText()
        if !state.isEmpty { out.putBytes(3, state) }
        if dropped > 0 { out.putVarint(5, UInt64(dropped)) }
        out.putFixed32(6, flags & 0x3FF)
        try self.attributes(attributes, tag: 0x22, &cursor, &out)
        out.end(mark)
    }

    /// One data point (field 1 of Gauge, Sum and Histogram) of a metric point record; its time.
    func point(
        _ record: UnsafeRawBufferPointer, _ instrument: RecordInstrument, _ out: inout ProtobufWriter
    ) throws(RecordError) -> UInt64 {
        var cursor = RecordCursor(record, at: 12)
        let attributes = try cursor.take(UInt16.self)
        let bounds = Int(try cursor.take(UInt16.self))
        guard let start = clock.unixNanoseconds(try cursor.take(Double.self)),
            let time = clock.unixNanoseconds(try cursor.take(Double.self))
        else { throw .time }
        let value = try cursor.take(Double.self)
        let count = try cursor.take(Double.self)
        let minimum = try cursor.take(Double.self)
        let maximum = try cursor.take(Double.self)
        let mark = out.begin(1, lengthBytes: 2)
        out.putFixed64(2, start)
        out.putFixed64(3, time)
        if instrument.type == .histogram {
            guard let whole = UInt64(exactly: count) else { throw .range }
            out.putFixed64(4, whole)
            out.putDouble(5, value)
            if bounds > 0 {
                let edges = try cursor.padded(bounds * 8)
                let buckets = out.begin(6, lengthBytes: 2)
                for _ in 0...bounds {
                    guard let bucket = UInt64(exactly: try cursor.take(Double.self)) else { throw .range }
                    out.ensureCapacity(8)
                    out.storeFixed64(bucket)
                }
                out.end(buckets)
                out.putBytes(7, edges)
            }
            if whole > 0 {
                out.putDouble(11, minimum)
                out.putDouble(12, maximum)
            }
            try self.attributes(attributes, tag: 0x4A, &cursor, &out)
        } else {
            if instrument.isInteger, let whole = Int64(exactly: value) {
                out.putFixed64(6, UInt64(bitPattern: whole))
            } else {
                out.putDouble(4, value)
            }
            try self.attributes(attributes, tag: 0x3A, &cursor, &out)
        }
        out.end(mark)
        return time
    }
}
