// The messages of OTLP as tables of their fields, in the order in which their JSON form is written. `OTLP+JSON` writes by them,
// `OTLP+ReceiveJSON` reads.

import Telemetry

/// How a field looks in protobuf and in JSON.
enum JSONFieldType {
    case string, bytes, traceID, spanID, bool, uint32, sint32, int64, uint64, fixed32, fixed64, sfixed64, double
    case enumeration(JSONEnumeration)
    case message(JSONShape)

    var wireType: Protobuf.WireType {
        switch self {
        case .string, .bytes, .traceID, .spanID, .message: .lengthDelimited
        case .bool, .uint32, .enumeration, .sint32, .int64, .uint64: .varint
        case .fixed32: .fixed32
        case .fixed64, .sfixed64, .double: .fixed64
        }
    }
}

/// Enumerations, whose values are numbers in OTLP's JSON form; their names are understood.
enum JSONEnumeration: UInt8 {
    case spanKind, statusCode, severity, temporality

    /// The number of a name; nil when this version does not know it.
    func number(of name: String) -> UInt64? {
        let names: [String]
        switch self {
        case .spanKind:
            names = Self.prefixed(
                "SPAN_KIND_", ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"])
        case .statusCode: names = Self.prefixed("STATUS_CODE_", ["UNSET", "OK", "ERROR"])
        case .temporality: names = Self.prefixed("AGGREGATION_TEMPORALITY_", ["UNSPECIFIED", "DELTA", "CUMULATIVE"])
        case .severity:
            let levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"].flatMap { level in
                ["", "2", "3", "4"].map { level + $0 }
            }
            names = Self.prefixed("SEVERITY_NUMBER_", ["UNSPECIFIED"] + levels)
        }
        return names.firstIndex(of: name).map(UInt64.init)
    }

    private static func prefixed(_ prefix: String, _ names: [String]) -> [String] { names.map { prefix + $0 } }
}

struct JSONField {
    let number: UInt32
    let name: String
    let type: JSONFieldType
    var isRepeated = false
    /// No message here has more than one oneof.
    var isOneof = false
    /// A span, log record or metric: what is skipped as one when it does not decode.
    var isItem = false
    /// Set and absent are two things, even where it has the default value.
    var isOptional = false

    static func one(_ number: UInt32, _ name: String, _ type: JSONFieldType) -> JSONField {
        JSONField(number: number, name: name, type: type)
    }

    static func many(_ number: UInt32, _ name: String, _ type: JSONFieldType) -> JSONField {
        JSONField(number: number, name: name, type: type, isRepeated: true)
    }

    static func either(_ number: UInt32, _ name: String, _ type: JSONFieldType) -> JSONField {
        JSONField(number: number, name: name, type: type, isOneof: true)
    }

    static func optional(_ number: UInt32, _ name: String, _ type: JSONFieldType) -> JSONField {
        JSONField(number: number, name: name, type: type, isOptional: true)
    }

    static func item(_ number: UInt32, _ name: String, _ shape: JSONShape) -> JSONField {
        JSONField(number: number, name: name, type: .message(shape), isRepeated: true, isItem: true)
    }

    func accepts(_ wireType: Protobuf.WireType) -> Bool {
        wireType == type.wireType || (isRepeated && wireType == .lengthDelimited)
    }
}

/// The messages of OTLP.
enum JSONShape: Hashable {
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
        .one(1, "traceId", .traceID), .one(2, "spanId", .spanID), .one(3, "traceState", .string),
        .one(4, "parentSpanId", .spanID),
        .one(16, "flags", .fixed32), .one(5, "name", .string), .one(6, "kind", .enumeration(.spanKind)),
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
        .one(1, "traceId", .traceID), .one(2, "spanId", .spanID), .one(3, "traceState", .string),
        .many(4, "attributes", .message(.keyValue)), .one(5, "droppedAttributesCount", .uint32),
        .one(6, "flags", .fixed32),
    ]
    private static let statusFields: [JSONField] = [
        .one(2, "message", .string), .one(3, "code", .enumeration(.statusCode)),
    ]

    private static let logRecordFields: [JSONField] = [
        .one(1, "timeUnixNano", .fixed64), .one(11, "observedTimeUnixNano", .fixed64),
        .one(2, "severityNumber", .enumeration(.severity)), .one(3, "severityText", .string),
        .one(5, "body", .message(.anyValue)),
        .many(6, "attributes", .message(.keyValue)), .one(7, "droppedAttributesCount", .uint32),
        .one(8, "flags", .fixed32),
        .one(9, "traceId", .traceID), .one(10, "spanId", .spanID), .one(12, "eventName", .string),
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
        .many(1, "dataPoints", .message(.numberPoint)), .one(2, "aggregationTemporality", .enumeration(.temporality)),
        .one(3, "isMonotonic", .bool),
    ]
    private static let histogramFields: [JSONField] = [
        .many(1, "dataPoints", .message(.histogramPoint)),
        .one(2, "aggregationTemporality", .enumeration(.temporality)),
    ]
    private static let exponentialHistogramFields: [JSONField] = [
        .many(1, "dataPoints", .message(.exponentialPoint)),
        .one(2, "aggregationTemporality", .enumeration(.temporality)),
    ]
    private static let summaryFields: [JSONField] = [.many(1, "dataPoints", .message(.summaryPoint))]
    private static let numberPointFields: [JSONField] = [
        .many(7, "attributes", .message(.keyValue)), .one(2, "startTimeUnixNano", .fixed64),
        .one(3, "timeUnixNano", .fixed64), .either(4, "asDouble", .double), .either(6, "asInt", .sfixed64),
        .many(5, "exemplars", .message(.exemplar)), .one(8, "flags", .uint32),
    ]
    private static let histogramPointFields: [JSONField] = [
        .many(9, "attributes", .message(.keyValue)), .one(2, "startTimeUnixNano", .fixed64),
        .one(3, "timeUnixNano", .fixed64), .one(4, "count", .fixed64), .optional(5, "sum", .double),
        .many(6, "bucketCounts", .fixed64), .many(7, "explicitBounds", .double),
        .many(8, "exemplars", .message(.exemplar)),
        .one(10, "flags", .uint32), .optional(11, "min", .double), .optional(12, "max", .double),
    ]
    private static let exponentialPointFields: [JSONField] = [
        .many(1, "attributes", .message(.keyValue)), .one(2, "startTimeUnixNano", .fixed64),
        .one(3, "timeUnixNano", .fixed64), .one(4, "count", .fixed64), .optional(5, "sum", .double),
        .one(6, "scale", .sint32),
        .one(7, "zeroCount", .fixed64), .one(8, "positive", .message(.buckets)),
        .one(9, "negative", .message(.buckets)),
        .one(10, "flags", .uint32), .many(11, "exemplars", .message(.exemplar)), .optional(12, "min", .double),
        .optional(13, "max", .double), .one(14, "zeroThreshold", .double),
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
        .either(3, "asDouble", .double), .either(6, "asInt", .sfixed64), .one(4, "spanId", .spanID),
        .one(5, "traceId", .traceID),
    ]
}
