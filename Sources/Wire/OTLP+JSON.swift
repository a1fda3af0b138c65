// OTLP's JSON form, <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>, is made from the protobuf bytes by
// the tables in JSONShape.swift, so that it says all that they say: exemplars, exponential histograms and entity
// references too, which have no decoded values here. Protobuf's JSON mapping with OTLP's exceptions: ids are hex,
// enumerations are numbers.

public import Telemetry

/// Items in another form than OTLP protobuf.
public struct EncodedItems: Hashable, Sendable {
    public var bytes: [UInt8]
    /// Items in `bytes`.
    public var items: Int
    /// Items left out because their own bytes do not decode.
    public var skipped: Int

    public init(bytes: [UInt8], items: Int, skipped: Int) {
        self.bytes = bytes
        self.items = items
        self.skipped = skipped
    }
}

extension OTLP {
    /// An export request in OTLP's JSON form, grouped as `exportRequest` does. Traps when the batches are of different signals.
    public static func exportRequestJSON(batches: [Batch]) -> EncodedItems {
        guard let signal = batches.first?.signal else {
            return EncodedItems(bytes: Array("{}".utf8), items: 0, skipped: 0)
        }
        let request = exportRequest(batches: batches)
        return request.withUnsafeBytes { bytes in
            var transcoder = JSONTranscoder(capacity: request.count * 3)
            do throws(DecodeError) {
                try transcoder.put(ProtobufReader(bytes), as: .request(signal))
            } catch {
                // A resource or scope message that does not decode, which no producer of batches lets in.
                return EncodedItems(
                    bytes: Array("{}".utf8), items: 0, skipped: batches.reduce(0) { $0 + $1.items.count })
            }
            return EncodedItems(bytes: transcoder.json.bytes, items: transcoder.items, skipped: transcoder.skipped)
        }
    }

    private struct JSONTranscoder {
        var json: JSONWriter
        var items = 0
        var skipped = 0
        /// Fields of the open messages: a message's own lie at the end and go when it closes.
        private var found: [FoundField] = []
        private var depth = 0

        /// A request is 3 messages deep down to its items, and a value at most 3 for each of its levels.
        private static let depthMax = 8 + 3 * OTLP.valueDepthMax

        private struct FoundField {
            /// Index in the shape's fields.
            let index: Int
            let type: Protobuf.WireType
            /// Placed at the field's value.
            let value: ProtobufReader
        }

        init(capacity: Int) { json = JSONWriter(capacity: capacity) }

        /// Repeated fields may be scattered over a message and must come together in JSON, so fields are found first.
        mutating func put(_ reader: consuming ProtobufReader, as shape: JSONShape) throws(DecodeError) {
            guard depth < Self.depthMax else { throw .nestedTooDeep(at: reader.offset) }
            depth += 1
            let first = found.count
            defer {
                depth -= 1
                found.removeSubrange(first...)
            }
            let fields = shape.fields
            while let field = try reader.next() {
                if let index = fields.firstIndex(where: { $0.number == field.number && $0.accepts(field.type) }) {
                    found.append(FoundField(index: index, type: field.type, value: reader))
                }
                try reader.skip(field)
            }
            let last = found.count
            // Of a oneof the last set member counts.
            let chosen = found[first..<last].last { fields[$0.index].isOneof }?.index
            json.beginObject()
            for index in fields.indices where !fields[index].isOneof || index == chosen {
                try put(fields[index], index, found: first..<last)
            }
            json.endObject()
        }

        private mutating func put(_ field: JSONField, _ index: Int, found range: Range<Int>) throws(DecodeError) {
            guard field.isRepeated else {
                if let position = range.last(where: { found[$0].index == index }) {
                    json.name(field.name)
                    try put(field.type, found[position].value)
                }
                return
            }
            var isOpen = false
            for position in range where found[position].index == index {
                if !isOpen {
                    json.name(field.name)
                    json.beginArray()
                    isOpen = true
                }
                try putElements(field, found[position])
            }
            if isOpen { json.endArray() }
        }

        private mutating func putElements(_ field: JSONField, _ element: FoundField) throws(DecodeError) {
            if field.isItem {
                putItem(field.type, element.value)
            } else if element.type == .lengthDelimited, field.type.wireType != .lengthDelimited {
                var value = element.value
                var packed = try value.message()
                while !packed.isAtEnd { try putScalar(field.type, &packed) }
            } else {
                try put(field.type, element.value)
            }
        }

        private mutating func putItem(_ type: JSONFieldType, _ value: ProtobufReader) {
            let mark = json.mark
            do throws(DecodeError) {
                try put(type, value)
                items += 1
            } catch {
                json.rollBack(to: mark)
                skipped += 1
            }
        }

        private mutating func put(_ type: JSONFieldType, _ value: consuming ProtobufReader) throws(DecodeError) {
            if case .message(let shape) = type {
                try put(value.message(), as: shape)
            } else {
                try putScalar(type, &value)
            }
        }

        private mutating func putScalar(_ type: JSONFieldType, _ value: inout ProtobufReader) throws(DecodeError) {
            switch type {
            case .string: json.string(utf8: try value.bytes())
            case .bytes: json.base64(try value.bytes())
            case .traceID, .spanID: json.hex(try value.bytes())
            case .bool: json.bool(try value.varint() != 0)
            case .uint32: json.integer(try value.varint32())
            case .enumeration: json.integer(Int32(truncatingIfNeeded: try value.varint()))
            case .sint32: json.integer(zigZag(try value.varint32()))
            case .int64: json.quotedInteger(Int64(bitPattern: try value.varint()))
            case .uint64: json.quotedInteger(try value.varint())
            case .fixed32: json.integer(try value.fixed32())
            case .fixed64: json.quotedInteger(try value.fixed64())
            case .sfixed64: json.quotedInteger(Int64(bitPattern: try value.fixed64()))
            case .double: json.double(try value.double())
            case .message: preconditionFailure("a message is not a scalar")
            }
        }

        private func zigZag(_ value: UInt32) -> Int32 {
            Int32(bitPattern: value >> 1) ^ -Int32(bitPattern: value & 1)
        }
    }
}
