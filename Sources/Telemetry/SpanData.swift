/// What a span carries across process borders. <https://opentelemetry.io/docs/specs/otel/trace/api/#spancontext>
public struct SpanContext: Hashable, Sendable {
    public var traceID: TraceID
    public var spanID: SpanID
    /// W3C trace flags; bit 0 is `sampled`.
    public var traceFlags: UInt8
    /// The `tracestate` header's text.
    public var traceState: String
    public var isRemote: Bool

    public init(
        traceID: TraceID, spanID: SpanID, traceFlags: UInt8 = 1, traceState: String = "", isRemote: Bool = false
    ) {
        self.traceID = traceID
        self.spanID = spanID
        self.traceFlags = traceFlags
        self.traceState = traceState
        self.isRemote = isRemote
    }

    public var isSampled: Bool { traceFlags & 1 != 0 }
}

/// OTLP `Span.SpanKind`, same numbers.
public enum SpanKind: UInt8, Sendable, CaseIterable {
    case unspecified = 0, `internal`, server, client, producer, consumer
}

/// OTLP `Status`.
public struct SpanStatus: Hashable, Sendable {
    /// OTLP `Status.StatusCode`, same numbers.
    public enum Code: UInt8, Sendable { case unset = 0, ok, error }

    public var code: Code
    public var message: String

    public init(code: Code = .unset, message: String = "") {
        self.code = code
        self.message = message
    }
}

/// A finished span, decoded. The hot path does not make these: it works on `Batch`. OTLP `Span`.
public struct SpanData: Hashable, Sendable {
    public struct Event: Hashable, Sendable {
        /// Nanoseconds since the Unix epoch.
        public var time: UInt64
        public var name: String
        public var attributes: Attributes
        public var droppedAttributesCount: UInt32

        public init(time: UInt64, name: String, attributes: Attributes = [], droppedAttributesCount: UInt32 = 0) {
            self.time = time
            self.name = name
            self.attributes = attributes
            self.droppedAttributesCount = droppedAttributesCount
        }
    }

    public struct Link: Hashable, Sendable {
        public var context: SpanContext
        public var attributes: Attributes
        public var droppedAttributesCount: UInt32

        public init(context: SpanContext, attributes: Attributes = [], droppedAttributesCount: UInt32 = 0) {
            self.context = context
            self.attributes = attributes
            self.droppedAttributesCount = droppedAttributesCount
        }
    }

    public var context: SpanContext
    /// `.invalid` for a root span.
    public var parentSpanID: SpanID
    /// Nil when the source does not say (OTLP flag bit 8).
    public var parentIsRemote: Bool?
    public var name: String
    public var kind: SpanKind
    /// Nanoseconds since the Unix epoch.
    public var startTime: UInt64
    public var endTime: UInt64
    public var attributes: Attributes
    public var events: [Event]
    public var links: [Link]
    public var status: SpanStatus
    public var droppedAttributesCount: UInt32
    public var droppedEventsCount: UInt32
    public var droppedLinksCount: UInt32

    public init(
        context: SpanContext, parentSpanID: SpanID = .invalid, parentIsRemote: Bool? = nil, name: String,
        kind: SpanKind = .internal, startTime: UInt64, endTime: UInt64, attributes: Attributes = [],
        events: [Event] = [], links: [Link] = [], status: SpanStatus = SpanStatus(),
        droppedAttributesCount: UInt32 = 0, droppedEventsCount: UInt32 = 0, droppedLinksCount: UInt32 = 0
    ) {
        self.context = context
        self.parentSpanID = parentSpanID
        self.parentIsRemote = parentIsRemote
        self.name = name
        self.kind = kind
        self.startTime = startTime
        self.endTime = endTime
        self.attributes = attributes
        self.events = events
        self.links = links
        self.status = status
        self.droppedAttributesCount = droppedAttributesCount
        self.droppedEventsCount = droppedEventsCount
        self.droppedLinksCount = droppedLinksCount
    }

    /// Nanoseconds; 0 when the end lies before the start.
    public var duration: UInt64 { endTime > startTime ? endTime - startTime : 0 }
}
