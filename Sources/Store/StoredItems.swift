public import Telemetry

/// A span from the store.
public struct StoredSpan: Sendable, Equatable {
    /// An agent sets this boolean attribute on spans that it had to end itself, because their process died.
    public static let unfinishedAttribute = "sidelight.unfinished"

    public var span: SpanData
    public var resource: Resource
    public var scope: InstrumentationScope

    public init(span: SpanData, resource: Resource, scope: InstrumentationScope = InstrumentationScope()) {
        self.span = span
        self.resource = resource
        self.scope = scope
    }

    /// The span was open when its process died.
    public var isUnfinished: Bool { span.attributes[Self.unfinishedAttribute] == .bool(true) }
}

/// A log record from the store.
public struct StoredLog: Sendable, Equatable {
    public var record: LogRecord
    public var resource: Resource
    public var scope: InstrumentationScope

    public init(record: LogRecord, resource: Resource, scope: InstrumentationScope = InstrumentationScope()) {
        self.record = record
        self.resource = resource
        self.scope = scope
    }

    /// When it happened; when it was seen, if the source did not say. Unix nanoseconds.
    public var time: UInt64 { record.time != 0 ? record.time : record.observedTime }
}

/// Everything the store has of one trace.
public struct StoredTrace: Sendable, Equatable {
    public var id: TraceID
    /// By start time.
    public var spans: [StoredSpan]
    /// By time.
    public var logs: [StoredLog]
    /// What the store has beyond `spans` and `logs`.
    public var omittedSpans: Int
    public var omittedLogs: Int

    public init(id: TraceID, spans: [StoredSpan], logs: [StoredLog], omittedSpans: Int = 0, omittedLogs: Int = 0) {
        self.id = id
        self.spans = spans
        self.logs = logs
        self.omittedSpans = omittedSpans
        self.omittedLogs = omittedLogs
    }
}

/// A trace in a list.
public struct TraceSummary: Sendable, Equatable {
    public var id: TraceID
    /// Name and service of the root span, or of the earliest one where the root is not there.
    public var name: String
    public var service: String
    /// From the earliest start to the latest end. Unix nanoseconds.
    public var start: UInt64
    public var end: UInt64
    public var spans: Int
    /// Spans that are errors; where none is, log records of level error.
    public var errors: Int
    /// The root span is not in the store (yet), or its process died while it was open.
    public var isIncomplete: Bool
    /// Path of the request that the root span is of, where its name has no route to tell it by; else empty.
    public var path = ""

    public init(
        id: TraceID, name: String, service: String, start: UInt64, end: UInt64, spans: Int, errors: Int,
        isIncomplete: Bool, path: String = ""
    ) {
        self.path = path
        self.id = id
        self.name = name
        self.service = service
        self.start = start
        self.end = end
        self.spans = spans
        self.errors = errors
        self.isIncomplete = isIncomplete
    }

    /// Nanoseconds.
    public var duration: UInt64 { end > start ? end - start : 0 }
}

/// Which traces to list.
public struct TraceQuery: Sendable {
    /// Of the root span.
    public var service: String?
    /// A part of the root span's name; upper and lower case are the same.
    public var nameContains: String?
    public var errorsOnly = false
    /// Nanoseconds.
    public var durationMin: UInt64 = 0
    /// Started at or after; Unix nanoseconds.
    public var since: UInt64 = 0
    public var limit = 20

    public init() {}
}

/// Which log records to read.
public struct LogQuery: Sendable {
    /// OTLP severity number.
    public var severityMin: UInt8 = 0
    public var traceID: TraceID?
    public var service: String?
    /// Unix nanoseconds; `until` is not included.
    public var since: UInt64 = 0
    public var until: UInt64 = .max
    public var search: SearchQuery?

    public init() {}
}

/// A log record's place when all are ordered by time: where a page of them ends.
public struct LogPosition: Sendable, Hashable, Comparable {
    var time: UInt64
    var batch: Int64
    /// Which item of the batch.
    var item: Int

    init(time: UInt64, batch: Int64, item: Int) {
        self.time = time
        self.batch = batch
        self.item = item
    }

    /// What `text` gave.
    public init?(parsing text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let time = UInt64(parts[0]), let batch = Int64(parts[1]), let item = Int(parts[2])
        else { return nil }
        self.init(time: time, batch: batch, item: item)
    }

    public var text: String { "\(time).\(batch).\(item)" }

    public static func < (left: Self, right: Self) -> Bool {
        (left.time, left.batch, left.item) < (right.time, right.batch, right.item)
    }
}

/// Log records of a store, newest first.
public struct LogPage: Sendable {
    public var logs: [StoredLog]
    /// Nil: there are no older ones.
    public var next: LogPosition?

    public init(logs: [StoredLog], next: LogPosition?) {
        self.logs = logs
        self.next = next
    }
}

/// How far a reader that follows has come.
public struct StoreCursor: Sendable, Equatable {
    var batch: Int64

    /// Before everything.
    public static let start = StoreCursor(batch: 0)
}
