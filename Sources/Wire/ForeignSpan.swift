// What Zipkin's formats and Jaeger's have in common on their way to OTLP: a span as it was read, flat and pointing into the request, used
// again for the next one. `SpanGatherer` finds in its tags what our encoders (and those of others, by the same specification) put there for
// lack of a field, and writes the rest.

import Telemetry

typealias ForeignText = UnsafeRawBufferPointer

extension ForeignText {
    static var none: ForeignText { UnsafeRawBufferPointer(start: nil, count: 0) }

    @inline(__always)
    func equals(_ word: StaticString) -> Bool { count == word.utf8CodeUnitCount && starts(with: word) }

    @inline(__always)
    func starts(with word: StaticString) -> Bool {
        let length = word.utf8CodeUnitCount
        guard count >= length, first == word.utf8Start.pointee else { return false }
        for index in 1..<Swift.max(1, length) where self[index] != word.utf8Start[index] { return false }
        return true
    }

    func rest(after count: Int) -> ForeignText { ForeignText(rebasing: self[count...]) }

    /// The number that the text is in decimal digits.
    var decimal: UInt64? {
        if case .unsigned(let number) = JSONNumber(self) { number } else { nil }
    }
}

enum ForeignValue {
    case string(ForeignText), bool(Bool), int(Int64), double(Double), bytes(ForeignText)

    var string: ForeignText? {
        if case .string(let text) = self { text } else { nil }
    }

    /// A count that was written as a number or as text.
    var count: UInt32? {
        switch self {
        case .int(let number): UInt32(exactly: number)
        case .string(let digits): digits.decimal.flatMap { UInt32(exactly: $0) }
        default: nil
        }
    }
}

struct ForeignTag {
    var key: ForeignText
    var value: ForeignValue
    /// It says what a field of OTLP says.
    var isTaken = false

    init(_ key: ForeignText, _ value: ForeignValue) {
        self.key = key
        self.value = value
    }

    init(_ key: StaticString, _ value: ForeignValue) {
        self.init(ForeignText(start: key.utf8Start, count: key.utf8CodeUnitCount), value)
    }

    /// Writes a `KeyValue` in `field`.
    func put(_ field: UInt32, into writer: inout ProtobufWriter) {
        let keyValue = writer.begin(field)
        writer.putBytes(OTLP.KeyValueField.key, key)
        let anyValue = writer.begin(OTLP.KeyValueField.value)
        switch value {
        case .string(let text): writer.putBytes(OTLP.AnyValueField.string, text)
        case .bool(let flag): writer.putVarint(OTLP.AnyValueField.bool, flag ? 1 : 0)
        case .int(let number): writer.putVarint(OTLP.AnyValueField.int, UInt64(bitPattern: number))
        case .double(let number): writer.putDouble(OTLP.AnyValueField.double, number)
        case .bytes(let bytes): writer.putBytes(OTLP.AnyValueField.bytes, bytes)
        }
        writer.end(anyValue)
        writer.end(keyValue)
    }
}

struct ForeignEvent {
    var time: UInt64
    var name: ForeignText
    /// Of `ForeignSpan.encoded`: its attributes as fields of an OTLP event.
    var attributes: Range<Int>
    var droppedAttributes: UInt32
}

struct ForeignLink {
    var traceID: TraceID
    var spanID: SpanID
    var traceState = ForeignText.none
    /// Of `ForeignSpan.encoded`: its attributes as fields of an OTLP link.
    var attributes = 0..<0
    var droppedAttributes: UInt32 = 0
}

struct ForeignSpan: ~Copyable {
    var traceID = TraceID.invalid
    var spanID = SpanID.invalid
    var parentSpanID = SpanID.invalid
    var name = ForeignText.none
    var kind = SpanKind.unspecified
    /// Nanoseconds since the Unix epoch.
    var start: UInt64 = 0
    var end: UInt64 = 0
    var traceFlags: UInt32 = 0
    /// Of the resource.
    var serviceName = ForeignText.none
    var resourceTags: [ForeignTag] = []
    var tags: [ForeignTag] = []
    var events: [ForeignEvent] = []
    var links: [ForeignLink] = []
    /// Attributes of events and links.
    var encoded = ProtobufWriter(capacity: 1024)

    /// Makes it blank and keeps the memory of its lists.
    mutating func reset() {
        traceID = .invalid
        spanID = .invalid
        parentSpanID = .invalid
        name = .none
        kind = .unspecified
        start = 0
        end = 0
        traceFlags = 0
        serviceName = .none
        resourceTags.removeAll(keepingCapacity: true)
        tags.removeAll(keepingCapacity: true)
        events.removeAll(keepingCapacity: true)
        links.removeAll(keepingCapacity: true)
        encoded.truncate(to: 0)
    }

    /// Start and end from microseconds; throws when they do not fit into 64 bits as nanoseconds.
    mutating func setTimes(startMicroseconds: UInt64, durationMicroseconds: UInt64, at offset: Int) throws(DecodeError)
    {
        start = try Self.nanoseconds(startMicroseconds, at: offset)
        let (end, overflow) = start.addingReportingOverflow(try Self.nanoseconds(durationMicroseconds, at: offset))
        guard !overflow else { throw .outOfRange(at: offset) }
        self.end = end
    }

    static func nanoseconds(_ microseconds: UInt64, at offset: Int) throws(DecodeError) -> UInt64 {
        let (product, overflow) = microseconds.multipliedReportingOverflow(by: 1000)
        guard !overflow else { throw .outOfRange(at: offset) }
        return product
    }
}
