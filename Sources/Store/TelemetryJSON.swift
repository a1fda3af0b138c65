internal import Telemetry
public import Wire

/// Records as JSON for programs: what `--json` prints and the admin API sends. Field names follow OTLP's JSON where it has them; attributes are an object, times are given
/// twice: as RFC 3339 for people and exact for machines.
public enum TelemetryJSON {
    public static func text(_ trace: TraceSummary) -> String {
        var json = JSONWriter()
        json.object { json in
            json.field("traceId", trace.id.hex)
            json.field("name", trace.name)
            json.field("service", trace.service)
            json.field("startTime", UnixTime.text(trace.start, fractionDigits: 9))
            json.name("startTimeUnixNano")
            json.quotedInteger(trace.start)
            json.name("durationNano")
            json.integer(trace.duration)
            json.name("spanCount")
            json.integer(trace.spans)
            json.name("errorCount")
            json.integer(trace.errors)
            json.name("incomplete")
            json.bool(trace.isIncomplete)
        }
        return json.text
    }

    public static func text(_ log: StoredLog) -> String {
        var json = JSONWriter()
        put(log, into: &json)
        return json.text
    }

    public static func text(_ page: LogPage) -> String {
        var json = JSONWriter()
        json.object { json in
            json.name("logs")
            json.array { json in for log in page.logs { put(log, into: &json) } }
            if let next = page.next { json.field("next", next.text) }
        }
        return json.text
    }

    public static func text(_ trace: StoredTrace) -> String {
        var json = JSONWriter()
        json.object { json in
            json.field("traceId", trace.id.hex)
            json.name("spans")
            json.array { json in for span in trace.spans { put(span, into: &json) } }
            json.name("logs")
            json.array { json in for log in trace.logs { put(log, into: &json) } }
            json.name("omittedSpans")
            json.integer(trace.omittedSpans)
            json.name("omittedLogs")
            json.integer(trace.omittedLogs)
        }
        return json.text
    }

    private static func put(_ stored: StoredSpan, into json: inout JSONWriter) {
        let span = stored.span
        json.object { json in
            json.field("traceId", span.context.traceID.hex)
            json.field("spanId", span.context.spanID.hex)
            if span.parentSpanID.isValid { json.field("parentSpanId", span.parentSpanID.hex) }
            if !span.context.traceState.isEmpty { json.field("traceState", span.context.traceState) }
            json.field("name", span.name)
            json.field("kind", "\(span.kind)")
            json.field("service", stored.resource.serviceName)
            if !stored.scope.name.isEmpty { json.field("scope", stored.scope.name) }
            json.field("startTime", UnixTime.text(span.startTime, fractionDigits: 9))
            json.name("startTimeUnixNano")
            json.quotedInteger(span.startTime)
            json.name("endTimeUnixNano")
            json.quotedInteger(span.endTime)
            json.name("durationNano")
            json.integer(span.duration)
            json.name("status")
            json.object { json in
                json.field("code", "\(span.status.code)")
                if !span.status.message.isEmpty { json.field("message", span.status.message) }
            }
            json.name("unfinished")
            json.bool(stored.isUnfinished)
            put(span.attributes, into: &json)
            json.name("events")
            json.array { json in
                for event in span.events {
                    json.object { json in
                        json.field("name", event.name)
                        json.name("timeUnixNano")
                        json.quotedInteger(event.time)
                        put(event.attributes, into: &json)
                    }
                }
            }
            json.name("links")
            json.array { json in
                for link in span.links {
                    json.object { json in
                        json.field("traceId", link.context.traceID.hex)
                        json.field("spanId", link.context.spanID.hex)
                        put(link.attributes, into: &json)
                    }
                }
            }
            json.name("resource")
            put(stored.resource.attributes.map { ($0.key, $0.value) }, into: &json)
        }
    }

    static func put(_ log: StoredLog, into json: inout JSONWriter) {
        let record = log.record
        json.object { json in
            json.field("time", UnixTime.text(log.time, fractionDigits: 9))
            json.name("timeUnixNano")
            json.quotedInteger(log.time)
            json.field("severity", LogRecord.levelName(record.severity) ?? record.severityText)
            json.name("severityNumber")
            json.integer(record.severity)
            json.field("service", log.resource.serviceName)
            json.name("body")
            put(record.body, into: &json)
            put(record.attributes, into: &json)
            if record.traceID.isValid { json.field("traceId", record.traceID.hex) }
            if record.spanID.isValid { json.field("spanId", record.spanID.hex) }
            if !record.eventName.isEmpty { json.field("eventName", record.eventName) }
            if !log.scope.name.isEmpty { json.field("scope", log.scope.name) }
        }
    }

    private static func put(_ attributes: Attributes, into json: inout JSONWriter) {
        json.name("attributes")
        put(attributes.map { ($0.key, $0.value) }, into: &json)
    }

    /// Of a key that is there twice, the first counts.
    private static func put(_ fields: [(key: String, value: AttributeValue)], into json: inout JSONWriter) {
        var seen: Set<String> = []
        json.object { json in
            for (key, value) in fields where seen.insert(key).inserted {
                json.name(key)
                put(value, into: &json)
            }
        }
    }

    private static func put(_ value: AttributeValue, into json: inout JSONWriter) {
        switch value {
        case .empty: json.null()
        case .string(let text): json.string(text)
        case .bool(let value): json.bool(value)
        case .int(let value): json.integer(value)
        case .double(let value): json.double(value)
        case .bytes(let bytes): bytes.withUnsafeBytes { json.base64($0) }
        case .array(let values): json.array { json in for value in values { put(value, into: &json) } }
        case .map(let entries): put(entries.map { ($0.key, $0.value) }, into: &json)
        }
    }

    // MARK: Back

    /// A log record that `text(_:)` has written. Of its resource there is the service's name; bytes have become text, and a whole number is an integer.
    public static func log(parsing text: [UInt8]) throws(DecodeError) -> StoredLog {
        let json = try JSONValue(parsing: text)
        var record = LogRecord(
            time: json["timeUnixNano"]?.string.flatMap { UInt64($0) } ?? 0,
            severity: json["severityNumber"]?.integer.flatMap { UInt8(exactly: $0) } ?? 0,
            severityText: json["severity"]?.string ?? "", body: value(json["body"] ?? .null))
        if case .object(let members)? = json["attributes"] {
            record.attributes = members.sorted { $0.key < $1.key }.map { Attribute($0.key, value($0.value)) }
        }
        record.traceID = json["traceId"]?.string.flatMap { TraceID(hex: $0) } ?? .invalid
        record.spanID = json["spanId"]?.string.flatMap { SpanID(hex: $0) } ?? .invalid
        record.eventName = json["eventName"]?.string ?? ""
        return StoredLog(
            record: record,
            resource: Resource(attributes: [Attribute("service.name", .string(json["service"]?.string ?? ""))]),
            scope: InstrumentationScope(name: json["scope"]?.string ?? ""))
    }

    private static func value(_ json: JSONValue) -> AttributeValue {
        switch json {
        case .null: .empty
        case .bool(let flag): .bool(flag)
        case .number(let digits): Int64(digits).map(AttributeValue.int) ?? .double(Double(digits) ?? .nan)
        case .string(let text): .string(text)
        case .array(let values): .array(values.map(value))
        case .object(let members):
            .map(members.sorted { $0.key < $1.key }.map { Attribute($0.key, value($0.value)) })
        }
    }
}
