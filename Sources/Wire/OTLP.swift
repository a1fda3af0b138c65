// OpenTelemetry's protocol, version 1.45 of its .proto files: <https://github.com/open-telemetry/opentelemetry-proto>.
//
// `OTLP+Attributes`, `+Span`, `+LogRecord`, `+Metric`: values to protobuf and back, for the edges of the agent (crash spans,
// receivers, the store, exporters to other formats). Fields are written in the order of their numbers and left out when they
// have the default value, as the official encoders do. `OTLP+ExportRequest`, `+Receive`: what moves the bulk, batches to
// requests and back, by copying ranges. `OTLP+JSON`: the JSON form. `OTLP+Response`: the answer.

/// The OpenTelemetry protocol.
public enum OTLP {
    /// `AnyValue`s may contain each other this many deep; a deeper one is refused.
    public static let valueDepthMax = 32
}

/// Field numbers that encoder and decoder share.
extension OTLP {
    enum KeyValueField {
        static let key: UInt32 = 1
        static let value: UInt32 = 2
    }

    enum AnyValueField {
        static let string: UInt32 = 1
        static let bool: UInt32 = 2
        static let int: UInt32 = 3
        static let double: UInt32 = 4
        static let array: UInt32 = 5
        static let map: UInt32 = 6
        static let bytes: UInt32 = 7
        /// `ArrayValue.values`, `KeyValueList.values`.
        static let elements: UInt32 = 1
    }

    enum ResourceField {
        static let attributes: UInt32 = 1
        static let droppedAttributesCount: UInt32 = 2
    }

    enum ScopeField {
        static let name: UInt32 = 1
        static let version: UInt32 = 2
        static let attributes: UInt32 = 3
        static let droppedAttributesCount: UInt32 = 4
    }

    /// The same numbers in `ExportTraceServiceRequest`, `ResourceSpans` and `ScopeSpans` and their kin for logs and metrics.
    enum RequestField {
        static let resourceItems: UInt32 = 1
        static let resource: UInt32 = 1
        static let scopeItems: UInt32 = 2
        static let scope: UInt32 = 1
        static let items: UInt32 = 2
        static let schemaURL: UInt32 = 3
    }

    enum SpanField {
        static let traceID: UInt32 = 1
        static let spanID: UInt32 = 2
        static let traceState: UInt32 = 3
        static let parentSpanID: UInt32 = 4
        static let name: UInt32 = 5
        static let kind: UInt32 = 6
        static let startTime: UInt32 = 7
        static let endTime: UInt32 = 8
        static let attributes: UInt32 = 9
        static let droppedAttributesCount: UInt32 = 10
        static let events: UInt32 = 11
        static let droppedEventsCount: UInt32 = 12
        static let links: UInt32 = 13
        static let droppedLinksCount: UInt32 = 14
        static let status: UInt32 = 15
        static let flags: UInt32 = 16
    }

    enum EventField {
        static let time: UInt32 = 1
        static let name: UInt32 = 2
        static let attributes: UInt32 = 3
        static let droppedAttributesCount: UInt32 = 4
    }

    enum LinkField {
        static let traceID: UInt32 = 1
        static let spanID: UInt32 = 2
        static let traceState: UInt32 = 3
        static let attributes: UInt32 = 4
        static let droppedAttributesCount: UInt32 = 5
        static let flags: UInt32 = 6
    }

    enum StatusField {
        static let message: UInt32 = 2
        static let code: UInt32 = 3
    }

    /// `SpanFlags`: bits of `Span.flags` and `Link.flags`; the lowest eight are the W3C trace flags.
    enum SpanFlags {
        static let traceFlagsMask: UInt32 = 0xFF
        static let isRemoteKnown: UInt32 = 0x100
        static let isRemote: UInt32 = 0x200
    }

    enum LogField {
        static let time: UInt32 = 1
        static let severity: UInt32 = 2
        static let severityText: UInt32 = 3
        static let body: UInt32 = 5
        static let attributes: UInt32 = 6
        static let droppedAttributesCount: UInt32 = 7
        static let flags: UInt32 = 8
        static let traceID: UInt32 = 9
        static let spanID: UInt32 = 10
        static let observedTime: UInt32 = 11
        static let eventName: UInt32 = 12
    }

    enum MetricField {
        static let name: UInt32 = 1
        static let description: UInt32 = 2
        static let unit: UInt32 = 3
        static let gauge: UInt32 = 5
        static let sum: UInt32 = 7
        static let histogram: UInt32 = 9
        static let exponentialHistogram: UInt32 = 10
        static let summary: UInt32 = 11
    }

    /// The same numbers in `Gauge`, `Sum` and `Histogram`.
    enum MetricDataField {
        static let points: UInt32 = 1
        static let temporality: UInt32 = 2
        static let isMonotonic: UInt32 = 3
        /// `AggregationTemporality`.
        static let cumulative: UInt64 = 2
    }

    enum NumberPointField {
        static let startTime: UInt32 = 2
        static let time: UInt32 = 3
        static let asDouble: UInt32 = 4
        static let exemplars: UInt32 = 5
        static let asInt: UInt32 = 6
        static let attributes: UInt32 = 7
    }

    enum HistogramPointField {
        static let startTime: UInt32 = 2
        static let time: UInt32 = 3
        static let count: UInt32 = 4
        static let sum: UInt32 = 5
        static let bucketCounts: UInt32 = 6
        static let bounds: UInt32 = 7
        static let exemplars: UInt32 = 8
        static let attributes: UInt32 = 9
        static let min: UInt32 = 11
        static let max: UInt32 = 12
    }

    enum ExemplarField {
        static let time: UInt32 = 2
        static let asDouble: UInt32 = 3
        static let spanID: UInt32 = 4
        static let traceID: UInt32 = 5
    }
}
