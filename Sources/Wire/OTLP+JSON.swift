// OTLP's JSON form, <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>, is made from the protobuf bytes by
// tables of the messages' fields, so that it says all that they say: exemplars, exponential histograms and entity
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

    fileprivate struct JSONTranscoder {
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
            case .id: json.hex(try value.bytes())
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

/// How a field looks in protobuf and in JSON.
private enum JSONFieldType {
    case string, bytes, id, bool, uint32, enumeration, sint32, int64, uint64, fixed32, fixed64, sfixed64, double
    case message(JSONShape)

    var wireType: Protobuf.WireType {
        switch self {
        case .string, .bytes, .id, .message: .lengthDelimited
        case .bool, .uint32, .enumeration, .sint32, .int64, .uint64: .varint
        case .fixed32: .fixed32
        case .fixed64, .sfixed64, .double: .fixed64
        }
    }
}

private struct JSONField {
    let number: UInt32
    let name: String
    let type: JSONFieldType
    var isRepeated = false
    /// No message here has more than one oneof.
    var isOneof = false
    /// A span, log record or metric: what is skipped as one when it does not decode.
    var isItem = false

    static func one(_ number: UInt32, _ name: String, _ type: JSONFieldType) -> JSONField {
        JSONField(number: number, name: name, type: type)
    }

    static func many(_ number: UInt32, _ name: String, _ type: JSONFieldType) -> JSONField {
        JSONField(number: number, name: name, type: type, isRepeated: true)
    }

    static func either(_ number: UInt32, _ name: String, _ type: JSONFieldType) -> JSONField {
        JSONField(number: number, name: name, type: type, isOneof: true)
    }

    static func item(_ number: UInt32, _ name: String, _ shape: JSONShape) -> JSONField {
        JSONField(number: number, name: name, type: .message(shape), isRepeated: true, isItem: true)
    }

    func accepts(_ wireType: Protobuf.WireType) -> Bool {
        wireType == type.wireType || (isRepeated && wireType == .lengthDelimited)
    }
}

/// The messages of OTLP.
private enum JSONShape {
    case request(Signal), resourceItems(Signal), scopeItems(Signal)
    case resource, entityRef, scope, keyValue, anyValue, arrayValue, keyValueList
    case span, event, link, status, logRecord
    case metric, gauge, sum, histogram, exponentialHistogram, summary
    case numberPoint, histogramPoint, exponentialPoint, buckets, summaryPoint, quantile, exemplar

    var fields: [JSONField] {
        switch self {
        case .request(.traces): Self.traceRequest
        case .request(.logs): Self.logRequest
        case .request(.metrics): Self.metricRequest
        case .resourceItems(.traces): Self.resourceSpans
        case .resourceItems(.logs): Self.resourceLogs
        case .resourceItems(.metrics): Self.resourceMetrics
        case .scopeItems(.traces): Self.scopeSpans
        case .scopeItems(.logs): Self.scopeLogs
        case .scopeItems(.metrics): Self.scopeMetrics
        case .resource: Self.resourceFields
        case .entityRef: Self.entityRefFields
        case .scope: Self.scopeFields
        case .keyValue: Self.keyValueFields
        case .anyValue: Self.anyValueFields
        case .arrayValue: Self.arrayValueFields
        case .keyValueList: Self.keyValueListFields
        case .span: Self.spanFields
        case .event: Self.eventFields
        case .link: Self.linkFields
        case .status: Self.statusFields
        case .logRecord: Self.logRecordFields
        case .metric: Self.metricFields
        case .gauge: Self.gaugeFields
        case .sum: Self.sumFields
        case .histogram: Self.histogramFields
        case .exponentialHistogram: Self.exponentialHistogramFields
        case .summary: Self.summaryFields
        case .numberPoint: Self.numberPointFields
        case .histogramPoint: Self.histogramPointFields
        case .exponentialPoint: Self.exponentialPointFields
        case .buckets: Self.bucketsFields
        case .summaryPoint: Self.summaryPointFields
        case .quantile: Self.quantileFields
        case .exemplar: Self.exemplarFields
        }
    }

    private static let traceRequest = [JSONField.many(1, "resourceSpans", .message(.resourceItems(.traces)))]
    private static let logRequest = [JSONField.many(1, "resourceLogs", .message(.resourceItems(.logs)))]
    private static let metricRequest = [JSONField.many(1, "resourceMetrics", .message(.resourceItems(.metrics)))]

    private static func resourceItems(_ name: String, _ signal: Signal) -> [JSONField] {
        [
            .one(1, "resource", .message(.resource)), .many(2, name, .message(.scopeItems(signal))),
            .one(3, "schemaUrl", .string),
        ]
    }
    private static let resourceSpans = resourceItems("scopeSpans", .traces)
    private static let resourceLogs = resourceItems("scopeLogs", .logs)
    private static let resourceMetrics = resourceItems("scopeMetrics", .metrics)

    private static func scopeItems(_ name: String, _ item: JSONShape) -> [JSONField] {
        [.one(1, "scope", .message(.scope)), .item(2, name, item), .one(3, "schemaUrl", .string)]
    }
    private static let scopeSpans = scopeItems("spans", .span)
    private static let scopeLogs = scopeItems("logRecords", .logRecord)
    private static let scopeMetrics = scopeItems("metrics", .metric)

    private static let resourceFields: [JSONField] = [
        .many(1, "attributes", .message(.keyValue)), .one(2, "droppedAttributesCount", .uint32),
        .many(3, "entityRefs", .message(.entityRef)),
    ]
    private static let entityRefFields: [JSONField] = [
        .one(1, "schemaUrl", .string), .one(2, "type", .string), .many(3, "idKeys", .string),
        .many(4, "descriptionKeys", .string),
    ]
    private static let scopeFields: [JSONField] = [
        .one(1, "name", .string), .one(2, "version", .string), .many(3, "attributes", .message(.keyValue)),
        .one(4, "droppedAttributesCount", .uint32),
    ]
    private static let keyValueFields: [JSONField] = [.one(1, "key", .string), .one(2, "value", .message(.anyValue))]
    private static let anyValueFields: [JSONField] = [
        .either(1, "stringValue", .string), .either(2, "boolValue", .bool), .either(3, "intValue", .int64),
        .either(4, "doubleValue", .double), .either(5, "arrayValue", .message(.arrayValue)),
        .either(6, "kvlistValue", .message(.keyValueList)), .either(7, "bytesValue", .bytes),
    ]
    private static let arrayValueFields: [JSONField] = [.many(1, "values", .message(.anyValue))]
    private static let keyValueListFields: [JSONField] = [.many(1, "values", .message(.keyValue))]

    private static let spanFields: [JSONField] = [
        .one(1, "traceId", .id), .one(2, "spanId", .id), .one(3, "traceState", .string), .one(4, "parentSpanId", .id),
        .one(16, "flags", .fixed32), .one(5, "name", .string), .one(6, "kind", .enumeration),
        .one(7, "startTimeUnixNano", .fixed64), .one(8, "endTimeUnixNano", .fixed64),
        .many(9, "attributes", .message(.keyValue)), .one(10, "droppedAttributesCount", .uint32),
        .many(11, "events", .message(.event)), .one(12, "droppedEventsCount", .uint32),
        .many(13, "links", .message(.link)), .one(14, "droppedLinksCount", .uint32),
        .one(15, "status", .message(.status)),
    ]
    private static let eventFields: [JSONField] = [
        .one(1, "timeUnixNano", .fixed64), .one(2, "name", .string), .many(3, "attributes", .message(.keyValue)),
        .one(4, "droppedAttributesCount", .uint32),
    ]
    private static let linkFields: [JSONField] = [
        .one(1, "traceId", .id), .one(2, "spanId", .id), .one(3, "traceState", .string),
        .many(4, "attributes", .message(.keyValue)), .one(5, "droppedAttributesCount", .uint32),
        .one(6, "flags", .fixed32),
    ]
    private static let statusFields: [JSONField] = [.one(2, "message", .string), .one(3, "code", .enumeration)]

    private static let logRecordFields: [JSONField] = [
        .one(1, "timeUnixNano", .fixed64), .one(11, "observedTimeUnixNano", .fixed64),
        .one(2, "severityNumber", .enumeration), .one(3, "severityText", .string), .one(5, "body", .message(.anyValue)),
        .many(6, "attributes", .message(.keyValue)), .one(7, "droppedAttributesCount", .uint32),
        .one(8, "flags", .fixed32),
        .one(9, "traceId", .id), .one(10, "spanId", .id), .one(12, "eventName", .string),
    ]

    private static let metricFields: [JSONField] = [
        .one(1, "name", .string), .one(2, "description", .string), .one(3, "unit", .string),
        .either(5, "gauge", .message(.gauge)), .either(7, "sum", .message(.sum)),
        .either(9, "histogram", .message(.histogram)),
        .either(10, "exponentialHistogram", .message(.exponentialHistogram)),
        .either(11, "summary", .message(.summary)),
        .many(12, "metadata", .message(.keyValue)),
    ]
    private static let gaugeFields: [JSONField] = [.many(1, "dataPoints", .message(.numberPoint))]
    private static let sumFields: [JSONField] = [
        .many(1, "dataPoints", .message(.numberPoint)), .one(2, "aggregationTemporality", .enumeration),
        .one(3, "isMonotonic", .bool),
    ]
    private static let histogramFields: [JSONField] = [
        .many(1, "dataPoints", .message(.histogramPoint)), .one(2, "aggregationTemporality", .enumeration),
    ]
    private static let exponentialHistogramFields: [JSONField] = [
        .many(1, "dataPoints", .message(.exponentialPoint)), .one(2, "aggregationTemporality", .enumeration),
    ]
    private static let summaryFields: [JSONField] = [.many(1, "dataPoints", .message(.summaryPoint))]
    private static let numberPointFields: [JSONField] = [
        .many(7, "attributes", .message(.keyValue)), .one(2, "startTimeUnixNano", .fixed64),
        .one(3, "timeUnixNano", .fixed64), .either(4, "asDouble", .double), .either(6, "asInt", .sfixed64),
        .many(5, "exemplars", .message(.exemplar)), .one(8, "flags", .uint32),
    ]
    private static let histogramPointFields: [JSONField] = [
        .many(9, "attributes", .message(.keyValue)), .one(2, "startTimeUnixNano", .fixed64),
        .one(3, "timeUnixNano", .fixed64), .one(4, "count", .fixed64), .one(5, "sum", .double),
        .many(6, "bucketCounts", .fixed64), .many(7, "explicitBounds", .double),
        .many(8, "exemplars", .message(.exemplar)),
        .one(10, "flags", .uint32), .one(11, "min", .double), .one(12, "max", .double),
    ]
    private static let exponentialPointFields: [JSONField] = [
        .many(1, "attributes", .message(.keyValue)), .one(2, "startTimeUnixNano", .fixed64),
        .one(3, "timeUnixNano", .fixed64), .one(4, "count", .fixed64), .one(5, "sum", .double),
        .one(6, "scale", .sint32),
        .one(7, "zeroCount", .fixed64), .one(8, "positive", .message(.buckets)),
        .one(9, "negative", .message(.buckets)),
        .one(10, "flags", .uint32), .many(11, "exemplars", .message(.exemplar)), .one(12, "min", .double),
        .one(13, "max", .double), .one(14, "zeroThreshold", .double),
    ]
    private static let bucketsFields: [JSONField] = [.one(1, "offset", .sint32), .many(2, "bucketCounts", .uint64)]
    private static let summaryPointFields: [JSONField] = [
        .many(7, "attributes", .message(.keyValue)), .one(2, "startTimeUnixNano", .fixed64),
        .one(3, "timeUnixNano", .fixed64), .one(4, "count", .fixed64), .one(5, "sum", .double),
        .many(6, "quantileValues", .message(.quantile)), .one(8, "flags", .uint32),
    ]
    private static let quantileFields: [JSONField] = [.one(1, "quantile", .double), .one(2, "value", .double)]
    private static let exemplarFields: [JSONField] = [
        .many(7, "filteredAttributes", .message(.keyValue)), .one(2, "timeUnixNano", .fixed64),
        .either(3, "asDouble", .double), .either(6, "asInt", .sfixed64), .one(4, "spanId", .id),
        .one(5, "traceId", .id),
    ]
}
