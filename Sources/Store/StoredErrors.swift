public import Telemetry

/// Which errors to look for.
public struct ErrorQuery: Sendable {
    public enum Order: String, Sendable, CaseIterable {
        /// By the last occurrence, newest first.
        case last
        /// By the first occurrence, newest first: what is new.
        case first
        case count
    }

    /// Unix nanoseconds; `until` is not included.
    public var since: UInt64 = 0
    public var until: UInt64 = .max
    public var service: String?
    public var order = Order.last
    public var limit = 50

    public init() {}
}

/// One time that an error occurred: a log record of level error or with an exception, or an exception that a span recorded.
public struct ErrorOccurrence: Sendable, Equatable {
    public enum Source: String, Sendable {
        case log, span
    }

    public var source: Source
    /// Unix nanoseconds.
    public var time: UInt64
    public var service: String
    /// `exception.type`; empty where there is none.
    public var type: String
    /// `exception.message`, or what the record says.
    public var message: String
    /// `exception.stacktrace`.
    public var stack: String
    public var traceID: TraceID
    public var spanID: SpanID

    public init(
        source: Source, time: UInt64, service: String, type: String, message: String, stack: String,
        traceID: TraceID, spanID: SpanID
    ) {
        self.source = source
        self.time = time
        self.service = service
        self.type = type
        self.message = message
        self.stack = stack
        self.traceID = traceID
        self.spanID = spanID
    }

    /// "TypeError: x is not a function".
    public var headline: String {
        type.isEmpty ? message : message.isEmpty ? type : type + ": " + message
    }
}

/// Errors that are the same but for numbers and names.
public struct ErrorGroup: Sendable, Equatable {
    /// 16 hex digits.
    public var fingerprint: String
    public var count: Int
    /// Unix nanoseconds.
    public var firstTime: UInt64
    public var lastTime: UInt64
    /// Occurrences by service, of the first 32 that are met.
    public var services: [String: Int]
    /// The last occurrence; without its stack in a list.
    public var latest: ErrorOccurrence

    public init(
        fingerprint: String, count: Int, firstTime: UInt64, lastTime: UInt64, services: [String: Int],
        latest: ErrorOccurrence
    ) {
        self.fingerprint = fingerprint
        self.count = count
        self.firstTime = firstTime
        self.lastTime = lastTime
        self.services = services
        self.latest = latest
    }
}

public struct ErrorListing: Sendable {
    public var groups: [ErrorGroup]
    /// Groups beyond the query's limit.
    public var omittedGroups: Int
    /// Occurrences that were not grouped, because there were `StoreReader.errorGroupsMax` groups already. The oldest ones.
    public var ungrouped: Int

    public init(groups: [ErrorGroup], omittedGroups: Int, ungrouped: Int) {
        self.groups = groups
        self.omittedGroups = omittedGroups
        self.ungrouped = ungrouped
    }
}

/// One group, with what happened around its latest occurrence.
public struct ErrorDetail: Sendable {
    public var group: ErrorGroup
    /// The last log records of its trace until then, oldest first.
    public var logs: [StoredLog]

    public init(group: ErrorGroup, logs: [StoredLog]) {
        self.group = group
        self.logs = logs
    }
}
