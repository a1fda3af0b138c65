/// Tags (number << 3 | wire type) of OTLP's fields that processors look at, by message. Wire types: 0 varint, 1
/// fixed64, 2 length-delimited, 5 fixed32. <https://github.com/open-telemetry/opentelemetry-proto>, version 1.45.
enum Tag {
    enum KeyValue {
        static let key: UInt32 = 1 << 3 | 2
        static let value: UInt32 = 2 << 3 | 2
    }

    enum AnyValue {
        static let string: UInt32 = 1 << 3 | 2
        static let bool: UInt32 = 2 << 3 | 0
        static let int: UInt32 = 3 << 3 | 0
        static let double: UInt32 = 4 << 3 | 1
        static let array: UInt32 = 5 << 3 | 2
        static let map: UInt32 = 6 << 3 | 2
        static let bytes: UInt32 = 7 << 3 | 2
    }

    /// `ArrayValue.values`, `KeyValueList.values`.
    static let elements: UInt32 = 1 << 3 | 2

    /// `ScopeSpans.spans` and its kin: the frame of a batch's item.
    static let item: UInt32 = 2 << 3 | 2

    enum Resource {
        static let attributes: UInt32 = 1 << 3 | 2
    }

    enum Scope {
        static let name: UInt32 = 1 << 3 | 2
        static let attributes: UInt32 = 3 << 3 | 2
    }

    enum Span {
        static let traceState: UInt32 = 3 << 3 | 2
        static let name: UInt32 = 5 << 3 | 2
        static let attributes: UInt32 = 9 << 3 | 2
        static let droppedAttributes: UInt32 = 10 << 3 | 0
        static let events: UInt32 = 11 << 3 | 2
        static let droppedEvents: UInt32 = 12 << 3 | 0
        static let links: UInt32 = 13 << 3 | 2
        static let droppedLinks: UInt32 = 14 << 3 | 0
        static let status: UInt32 = 15 << 3 | 2
    }

    enum Event {
        static let name: UInt32 = 2 << 3 | 2
        static let attributes: UInt32 = 3 << 3 | 2
        static let droppedAttributes: UInt32 = 4 << 3 | 0
    }

    enum Link {
        static let attributes: UInt32 = 4 << 3 | 2
        static let droppedAttributes: UInt32 = 5 << 3 | 0
    }

    enum Status {
        static let message: UInt32 = 2 << 3 | 2
    }

    enum Log {
        static let time: UInt32 = 1 << 3 | 1
        static let body: UInt32 = 5 << 3 | 2
        static let attributes: UInt32 = 6 << 3 | 2
        static let droppedAttributes: UInt32 = 7 << 3 | 0
        static let traceID: UInt32 = 9 << 3 | 2
        static let spanID: UInt32 = 10 << 3 | 2
        static let eventName: UInt32 = 12 << 3 | 2
    }

    enum Metric {
        static let name: UInt32 = 1 << 3 | 2
        static let gauge: UInt32 = 5 << 3 | 2
        static let sum: UInt32 = 7 << 3 | 2
        static let histogram: UInt32 = 9 << 3 | 2
        static let exponentialHistogram: UInt32 = 10 << 3 | 2
        static let summary: UInt32 = 11 << 3 | 2
        static let metadata: UInt32 = 12 << 3 | 2
        /// In all five kinds of data.
        static let points: UInt32 = 1 << 3 | 2
        /// In an exemplar.
        static let filteredAttributes: UInt32 = 7 << 3 | 2

        /// Where the attributes and the exemplars of a point are, by the kind of data; nil for another field. A summary
        /// has no exemplars (0).
        static func point(of data: UInt32) -> (attributes: UInt32, exemplars: UInt32)? {
            switch data {
            case gauge, sum: (7 << 3 | 2, 5 << 3 | 2)
            case histogram: (9 << 3 | 2, 8 << 3 | 2)
            case exponentialHistogram: (1 << 3 | 2, 11 << 3 | 2)
            case summary: (7 << 3 | 2, 0)
            default: nil
            }
        }
    }
}
