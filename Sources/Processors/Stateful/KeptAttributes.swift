internal import Telemetry
internal import Wire

/// Attributes as points of numbers have them, `KeyValue` messages with their frames.
enum KeptAttributes {
    static let overflow: [UInt8] = {
        var writer = ProtobufWriter(capacity: 64)
        OTLP.encode(
            attributes: [Attribute("otel.metric.overflow", true)], field: MetricFields.keptAttributes, into: &writer)
        return writer.takeBytes()
    }()

    static func text(_ key: String, _ value: String) -> [UInt8] {
        var writer = ProtobufWriter(capacity: 64)
        OTLP.encode(attributes: [Attribute(key, .string(value))], field: MetricFields.keptAttributes, into: &writer)
        return writer.takeBytes()
    }

    /// A `KeyValue` message with its frame.
    static func frame(_ message: UnsafeRawBufferPointer) -> [UInt8] {
        var bytes: [UInt8] = []
        append(frame: message, to: &bytes)
        return bytes
    }

    @inline(__always)
    static func append(frame message: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        bytes.append(UInt8(MetricFields.keptAttributes << 3 | 2))
        append(varint: message.count, to: &bytes)
        bytes.append(contentsOf: message)
    }

    /// An attribute whose value is a text.
    static func append(_ key: StaticString, _ text: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        let value = 1 + Protobuf.varintSize(UInt64(text.count)) + text.count
        let message =
            2 + key.utf8CodeUnitCount + 1 + Protobuf.varintSize(UInt64(value)) + value
        bytes.append(UInt8(MetricFields.keptAttributes << 3 | 2))
        append(varint: message, to: &bytes)
        bytes.append(UInt8(Tag.KeyValue.key))
        bytes.append(UInt8(key.utf8CodeUnitCount))
        bytes.append(contentsOf: UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount))
        bytes.append(UInt8(Tag.KeyValue.value))
        append(varint: value, to: &bytes)
        bytes.append(UInt8(Tag.AnyValue.string))
        append(varint: text.count, to: &bytes)
        bytes.append(contentsOf: text)
    }

    private static func append(varint value: Int, to bytes: inout [UInt8]) {
        var value = value
        while value >= 0x80 {
            bytes.append(UInt8(value & 0x7F | 0x80))
            value >>= 7
        }
        bytes.append(UInt8(value))
    }

    /// A text of at most so many bytes, cut where a character ends.
    static func cut(_ text: UnsafeRawBufferPointer, to bytesMax: Int) -> [UInt8] {
        guard text.count > bytesMax else { return Array(text) }
        var end = bytesMax
        while end > 0, text[end] & 0xC0 == 0x80 { end -= 1 }
        return Array(text[..<end])
    }

    /// The key of the attribute that the cursor is at; nil: it has none, or is malformed.
    @inline(__always)
    static func key(of attribute: FieldCursor) -> UnsafeRawBufferPointer? {
        var parts = attribute.message
        while parts.next() {
            if parts.tag == Tag.KeyValue.key { return parts.bytes(parts.value) }
        }
        return nil
    }

    /// Whether every decoder takes the attributes: keys and texts are UTF-8, and values are single ones.
    static func isSound(_ attributes: [UInt8]) -> Bool {
        attributes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return true }
            var fields = FieldCursor(base, 0..<bytes.count)
            while fields.next() {
                var parts = fields.message
                while parts.next() {
                    switch parts.tag {
                    case Tag.KeyValue.key: guard isText(parts) else { return false }
                    case Tag.KeyValue.value:
                        var value = parts.message
                        while value.next() {
                            switch value.tag {
                            case Tag.AnyValue.string: guard isText(value) else { return false }
                            case Tag.AnyValue.bool, Tag.AnyValue.int, Tag.AnyValue.double: break
                            default: return false
                            }
                        }
                        guard !value.isBroken else { return false }
                    default: return false
                    }
                }
                guard !parts.isBroken else { return false }
            }
            return !fields.isBroken
        }
    }

    private static func isText(_ field: FieldCursor) -> Bool {
        String(validating: field.bytes(field.value), as: UTF8.self) != nil
    }
}
