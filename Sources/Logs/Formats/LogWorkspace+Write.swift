extension LogWorkspace {
    /// Writes a record of what is in `line`.
    /// - Parameters:
    ///   - text: what the line's fields lie in: a record takes at most six times as much, and a little more.
    ///   - time: of the record, if the line names none; 0 unknown.
    ///   - attributes: encoded, of the source.
    func write(_ text: Text, time: UInt64, observed: UInt64, attributes: Text, to batch: OpenBatch) {
        unescaped.begin(text.count)
        var out = FieldWriter(batch.reserve(6 * text.count + line.extraBytes + attributes.count + 4_096) + OpenBatch.frameBytes)
        let time = line.time != 0 ? line.time : time
        if time != 0 {
            out.byte(LogRecordTag.time)
            out.fixed64(time)
        }
        if line.severity != 0 { out.bytes2(LogRecordTag.severity, line.severity) }
        if !line.severityText.isEmpty { out.field(LogRecordTag.severityText, line.severityText) }
        if _fastPath(line.hasBody && line.body.kind == .text) {
            out.value(LogRecordTag.body, line.body.value)
        } else if line.hasBody {
            put(LogRecordTag.body, value: line.body, &out)
        } else {
            out.value(LogRecordTag.body, text)
        }
        var index = 0
        while index < line.count {
            put(LogRecordTag.attributes, line.fields + index, &out)
            index &+= 1
        }
        out.text(attributes)
        if line.hasException { putException(&out) }
        if line.traceFlags != 0 {
            out.byte(LogRecordTag.flags)
            out.fixed32(UInt32(line.traceFlags))
        }
        if line.traceHigh | line.traceLow != 0 {
            out.bytes2(LogRecordTag.traceID, 16)
            out.fixed64(line.traceHigh.byteSwapped)
            out.fixed64(line.traceLow.byteSwapped)
        }
        if line.spanID != 0 {
            out.bytes2(LogRecordTag.spanID, 8)
            out.fixed64(line.spanID.byteSwapped)
        }
        out.byte(LogRecordTag.observedTime)
        out.fixed64(observed)
        if line.hasException { out.field(LogRecordTag.eventName, names.exceptionEvent) }
        counts.records &+= 1
        batch.finish(out.place, time: time != 0 ? time : observed, line)
    }

    private func putException(_ out: inout FieldWriter) {
        if !line.exceptionType.value.isEmpty { put(names.exceptionType, line.exceptionType, &out) }
        if !line.exceptionMessage.value.isEmpty { put(names.exceptionMessage, line.exceptionMessage, &out) }
        if !line.exceptionStack.value.isEmpty { put(names.exceptionStack, line.exceptionStack, &out) }
    }

    private func put(_ name: Text, _ field: Field, _ out: inout FieldWriter) {
        var field = field
        field.key = name
        field.keyHasEscapes = false
        withUnsafePointer(to: field) { put(LogRecordTag.attributes, $0, &out) }
    }

    // MARK: attributes

    /// Writes a `KeyValue` as a field.
    @inline(__always)
    private func put(_ tag: UInt8, _ field: UnsafePointer<Field>, _ out: inout FieldWriter) {
        if _fastPath(!field.pointee.keyHasEscapes) {
            switch field.pointee.kind {
            case .text: return out.attribute(tag, field.pointee.key, field.pointee.value)
            case .int: return out.attribute(tag, field.pointee.key, Int64(bitPattern: field.pointee.bits))
            default: break
            }
        }
        putSlowly(tag, field.pointee, &out)
    }

    private func putSlowly(_ tag: UInt8, _ field: Field, _ out: inout FieldWriter) {
        unescaped.count = 0
        let key = field.keyHasEscapes ? unescaped.unescape(field.key) : field.key
        switch field.kind {
        case .text: out.attribute(tag, key, field.value)
        case .escapedText: out.attribute(tag, key, unescaped.unescape(field.value))
        case .int: out.attribute(tag, key, Int64(bitPattern: field.bits))
        case .double: out.attribute(tag, key, Double(bitPattern: field.bits))
        case .bool: out.attribute(tag, key, field.bits != 0)
        case .null: out.attribute(tag, emptyOf: key)
        case .json:
            let whole = out.begin(tag)
            out.field(KeyValueTag.key, key)
            let value = out.begin(KeyValueTag.value)
            var place = field.value.start
            container(&place, field.value.end, &out)
            out.end(value)
            out.end(whole)
        case .members: putMembers(tag, field.value, &out)
        case .error:
            let start = out
            let whole = out.begin(tag)
            out.field(KeyValueTag.key, key)
            let value = out.begin(KeyValueTag.value)
            let map = out.begin(AnyValueTag.map)
            let empty = out.place
            putMembers(AnyValueTag.elements, field.value, &out)
            guard out.place != empty else {
                // All of it is the exception.
                out = start
                return
            }
            out.end(map)
            out.end(value)
            out.end(whole)
        }
    }

    /// Writes the members of an object, which has been checked, but for those that the record says elsewhere.
    private func putMembers(_ tag: UInt8, _ object: Text, _ out: inout FieldWriter) {
        var place = object.start + 1
        var field = Field(key: line.empty, value: line.empty, kind: .null)
        while true {
            JSONScan.skipSpace(&place, object.end)
            guard JSONScan.key(&place, object.end, &field), JSONScan.value(&place, object.end, &field) else { return }
            if !line.isSaid(field.value) { withUnsafePointer(to: field) { put(tag, $0, &out) } }
            JSONScan.skipSpace(&place, object.end)
            guard place < object.end, place.pointee == UInt8(ascii: ",") else { return }
            place += 1
        }
    }

    /// The members of an object, which has been checked, as encoded attributes of a record.
    func encodedMembers(of object: Text) -> [UInt8] {
        line.begin()
        unescaped.begin(object.count)
        let room = UnsafeMutablePointer<UInt8>.allocate(capacity: 6 * object.count + 2 * Text.slack)
        defer { room.deallocate() }
        var out = FieldWriter(room)
        putMembers(LogRecordTag.attributes, object, &out)
        return [UInt8](UnsafeBufferPointer(start: room, count: out.place - room))
    }

    /// Writes an `AnyValue` as a field.
    private func put(_ tag: UInt8, value field: Field, _ out: inout FieldWriter) {
        unescaped.count = 0
        switch field.kind {
        case .text: out.value(tag, field.value)
        case .escapedText: out.value(tag, unescaped.unescape(field.value))
        case .int:
            let size = FieldWriter.varintSize(bits: field.bits)
            out.bytes2(tag, UInt8(truncatingIfNeeded: 1 + size))
            out.byte(AnyValueTag.int)
            out.varint(field.bits)
        case .double:
            out.bytes2(tag, 9)
            out.byte(AnyValueTag.double)
            out.fixed64(field.bits)
        case .bool:
            out.bytes2(tag, 2)
            out.bytes2(AnyValueTag.bool, field.bits != 0 ? 1 : 0)
        case .null: out.bytes2(tag, 0)
        case .json, .members, .error:
            let value = out.begin(tag)
            var place = field.value.start
            container(&place, field.value.end, &out)
            out.end(value)
        }
    }

    /// Writes the object or array at `place`, which has been checked, as the field of an `AnyValue`.
    private func container(_ place: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ out: inout FieldWriter) {
        let isObject = place.pointee == UInt8(ascii: "{")
        place += 1
        let body = out.begin(isObject ? AnyValueTag.map : AnyValueTag.array)
        var field = Field(key: line.empty, value: line.empty, kind: .null)
        while true {
            JSONScan.skipSpace(&place, end)
            guard place < end, place.pointee != UInt8(ascii: "}"), place.pointee != UInt8(ascii: "]") else { break }
            if isObject, !JSONScan.key(&place, end, &field) { break }
            if place.pointee == UInt8(ascii: "{") || place.pointee == UInt8(ascii: "[") {
                let whole = out.begin(AnyValueTag.elements)
                if isObject {
                    unescaped.count = 0
                    out.field(KeyValueTag.key, field.keyHasEscapes ? unescaped.unescape(field.key) : field.key)
                    let value = out.begin(KeyValueTag.value)
                    container(&place, end, &out)
                    out.end(value)
                } else {
                    container(&place, end, &out)
                }
                out.end(whole)
            } else {
                guard JSONScan.value(&place, end, &field) else { break }
                if isObject {
                    withUnsafePointer(to: field) { put(AnyValueTag.elements, $0, &out) }
                } else {
                    put(AnyValueTag.elements, value: field, &out)
                }
            }
            JSONScan.skipSpace(&place, end)
            if place < end, place.pointee == UInt8(ascii: ",") { place += 1 }
        }
        place += 1
        out.end(body)
    }
}
