import Glibc

/// What a field is to a log record, whatever its library calls it.
enum FieldRole: UInt8 {
    case none, time, level, message, traceID, spanID, traceFlags, traceParent, googleTrace
    /// OpenTelemetry's own number of a severity.
    case severityNumber
    case stack, exceptionType, exceptionMessage
    /// An object (or a text) that tells of an error: pino's and bunyan's `err`.
    case error
    /// ECS when it is nested: `log.level`, `trace.id`, `span.id`.
    case logObject, traceObject, spanObject
    /// Objects whose members are the record's attributes.
    case attributes
    /// Of the same kind; the message is one of the members (Rust's tracing).
    case fields
}

/// Names of fields that mean something. Found by one multiplication and one comparison; made once a workspace.
struct WellKnownKeys: ~Copyable {
    /// OpenTelemetry, ECS, pino, winston, bunyan, zap, zerolog, slog, logrus, log4j, logback, Python, Serilog, .NET, Google, tracing.
    private static let names: [(FieldRole, [StaticString])] = [
        (
            .time,
            [
                "time", "timestamp", "Timestamp", "@timestamp", "ts", "@t", "datetime", "date", "eventTime", "asctime",
                "timeUnixNano", "_time", "TimeStamp", "t", "instant",
            ]
        ),
        (
            .level,
            [
                "level", "severity", "lvl", "log.level", "levelname", "SeverityText", "severityText", "severity_text",
                "loglevel", "logLevel", "LogLevel", "Level",
                "@l", "log_level", "level_name", "Severity", "severity.text",
            ]
        ),
        (
            .message,
            [
                "msg", "message", "Message", "Body", "body", "@m", "short_message", "textPayload", "log.message",
                "MESSAGE", "@mt", "RenderedMessage",
            ]
        ),
        (
            .traceID,
            [
                "trace_id", "traceId", "TraceId", "trace.id", "traceID", "otelTraceID", "otel.trace_id", "TraceID",
                "mdc.trace_id", "@tr", "trace-id",
            ]
        ),
        (
            .spanID,
            [
                "span_id", "spanId", "SpanId", "span.id", "spanID", "otelSpanID", "otel.span_id", "SpanID",
                "mdc.span_id", "@sp", "span-id", "logging.googleapis.com/spanId", "transaction.id",
            ]
        ),
        (.traceFlags, ["trace_flags", "traceFlags", "TraceFlags", "trace.flags"]),
        (.traceParent, ["traceparent", "traceParent"]),
        (.googleTrace, ["logging.googleapis.com/trace"]),
        (.severityNumber, ["SeverityNumber", "severityNumber", "severity_number"]),
        (
            .stack,
            [
                "stack", "stacktrace", "stack_trace", "error.stack_trace", "error.stack", "exception.stacktrace",
                "exc_info", "@x", "StackTrace", "stackTrace", "err.stack",
            ]
        ),
        (.exceptionType, ["exception.type", "err.type"]),
        (.exceptionMessage, ["exception.message", "error.message", "err.message"]),
        (.error, ["err", "error", "exception", "Exception"]),
        (.logObject, ["log"]), (.traceObject, ["trace"]), (.spanObject, ["span"]),
        (.attributes, ["Attributes", "attributes"]), (.fields, ["fields"]),
    ]

    private struct Slot {
        var first: UInt64
        var last: UInt64
        var count: UInt64
        var role: FieldRole
    }

    private static let slotBits: UInt64 = 10
    private let slots: UnsafeMutablePointer<Slot>

    init() {
        let count = 1 << Int(Self.slotBits)
        slots = .allocate(capacity: count)
        slots.initialize(repeating: Slot(first: 0, last: 0, count: 0, role: .none), count: count)
        for (role, names) in Self.names {
            for name in names { insert(name, role) }
        }
    }

    deinit { slots.deallocate() }

    private func insert(_ name: StaticString, _ role: FieldRole) {
        let count = name.utf8CodeUnitCount
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: count + 8) { bytes in
            bytes.initialize(repeating: 0)
            memcpy(bytes.baseAddress!, name.utf8Start, count)
            let key = Text(UnsafePointer(bytes.baseAddress!), count: count)
            var index = Self.slot(Self.first(key), count)
            while slots[index].count != 0 { index = (index + 1) & Self.mask }
            slots[index] = Slot(first: Self.first(key), last: Self.last(key), count: UInt64(count), role: role)
        }
    }

    private static let mask = 1 << 10 - 1

    @inline(__always)
    private static func slot(_ first: UInt64, _ count: Int) -> Int {
        Int(truncatingIfNeeded: hash(first, count) >> (64 - slotBits))
    }

    /// Of a key's first eight bytes and its length; also what tells apart the keys of one record.
    @inline(__always)
    static func hash(_ first: UInt64, _ count: Int) -> UInt64 {
        (first &+ UInt64(truncatingIfNeeded: count)) &* 0x9E37_79B9_7F4A_7C15
    }

    /// The first eight bytes; those beyond the end are 0.
    @inline(__always)
    static func first(_ key: Text) -> UInt64 {
        key.count >= 8 ? key.word : key.word & ((1 << UInt64(truncatingIfNeeded: 8 &* key.count)) &- 1)
    }

    /// The last eight bytes of a longer key: with the first ones, all of a key of 16; of longer names the middle decides nothing.
    @inline(__always)
    private static func last(_ key: Text) -> UInt64 { key.count > 8 ? (key.end - 8).word : 0 }

    @inline(__always)
    func role(_ key: Text, first: UInt64, hash: UInt64) -> FieldRole {
        var index = Int(truncatingIfNeeded: hash >> (64 - Self.slotBits))
        while true {
            let slot = slots[index]
            if slot.count == 0 { return .none }
            if slot.first == first, slot.count == UInt64(truncatingIfNeeded: key.count), slot.last == Self.last(key) {
                return slot.role
            }
            index = (index &+ 1) & Self.mask
        }
    }

    func role(_ key: Text) -> FieldRole {
        let first = Self.first(key)
        return role(key, first: first, hash: Self.hash(first, key.count))
    }
}
