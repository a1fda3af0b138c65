import GRDB
import Telemetry
import Wire

extension StoreReader {
    /// Groups at once; what comes beyond is counted. Batches are read newest first, so the oldest are beyond.
    public static let errorGroupsMax = 2_000

    /// The errors of logs and spans, grouped.
    public func errors(_ query: ErrorQuery) throws(StoreError) -> ErrorListing {
        let grouper = ErrorGrouper(only: nil)
        try group(query, grouper)
        let groups = grouper.groups.values.sorted { left, right in
            let (a, b) =
                switch query.order {
                case .last: (left.lastTime, right.lastTime)
                case .first: (left.firstTime, right.firstTime)
                case .count: (UInt64(left.count), UInt64(right.count))
                }
            return a != b ? a > b : (left.lastTime, left.fingerprint) > (right.lastTime, right.fingerprint)
        }
        return ErrorListing(
            groups: Array(groups.prefix(query.limit)), omittedGroups: max(0, groups.count - query.limit),
            ungrouped: grouper.ungrouped)
    }

    /// The groups whose fingerprint begins with these hex digits: the one there is, with the last `logsMax` records of its latest occurrence's trace, fewer where
    /// they are larger than `bytesMax`.
    public func error(
        _ fingerprint: String, _ query: ErrorQuery, logsMax: Int, bytesMax: Int = 4 << 20
    ) throws(StoreError) -> (detail: ErrorDetail?, fingerprints: [String]) {
        let grouper = ErrorGrouper(only: fingerprint.lowercased())
        try group(query, grouper)
        let fingerprints = grouper.groups.keys.sorted()
        guard fingerprints.count == 1, let group = grouper.groups[fingerprints[0]] else { return (nil, fingerprints) }
        var logs: [StoredLog] = []
        if group.latest.traceID.isValid, logsMax > 0 {
            var around = LogQuery()
            around.traceID = group.latest.traceID
            // What happened at the same moment belongs to it.
            around.until = group.latest.time < .max ? group.latest.time + 1 : .max
            logs = try self.logs(around, before: nil, count: logsMax, bytesMax: bytesMax).logs.reversed()
        }
        return (ErrorDetail(group: group, logs: logs), fingerprints)
    }

    private func group(_ query: ErrorQuery, _ grouper: ErrorGrouper) throws(StoreError) {
        try read { db in
            // Logs first: what they say is not counted again for the span.
            for signal in [Signal.logs, .traces] {
                var headers: [Header] = []
                try forEachHeader(db, signal, since: query.since, until: query.until) {
                    headers.append($0)
                    return true
                }
                for header in headers.reversed() {
                    let service = try resource(db, header.resource).serviceName
                    if let wanted = query.service, wanted != service { continue }
                    guard let body = try body(db, header.id) else { continue }
                    let intact = body.forEachItem { message, _ in
                        if signal == .logs {
                            grouper.add(log: message, service, query)
                        } else {
                            grouper.add(span: message, service, query)
                        }
                        return true
                    }
                    if !intact { noteDamage() }
                }
            }
        }
    }
}

/// Sorts errors into groups as they are read.
private final class ErrorGrouper {
    private struct Key: Hashable {
        var span: SpanID
        var fingerprint: String
    }

    private struct RisenKey: Hashable {
        var trace: TraceID
        var fingerprint: String
    }

    /// What logs have said, for spans not to say it again. Beyond, they may.
    private static let saidMax = 100_000
    /// Of a group that nobody has asked for alone. UTF-8 bytes.
    private static let messageBytesMax = 1_024
    /// UTF-8 bytes.
    private static let typeBytesMax = 256
    /// Of a group.
    private static let servicesMax = 32

    /// The beginning of the only fingerprint that is wanted; nil: all are.
    private let only: String?
    private(set) var groups: [String: ErrorGroup] = [:]
    private(set) var ungrouped = 0
    private var said: Set<Key> = []
    /// How often logs have said it in a trace, less what spans of it have: what a span tells of an error that rose to where it was logged.
    private var risen: [RisenKey: Int] = [:]

    init(only: String?) { self.only = only }

    func add(log message: ProtobufReader, _ service: String, _ query: ErrorQuery) {
        guard let head = try? LogHead(message), query.since..<query.until ~= head.time,
            head.severity >= RowBuilder.errorSeverity || ExceptionMark.isIn(log: message),
            let record = try? OTLP.decodeLog(message)
        else { return }
        let (type, text, stack) = Self.exception(record.attributes)
        guard !type.isEmpty || !text.isEmpty || head.severity >= RowBuilder.errorSeverity else { return }
        var occurrence = ErrorOccurrence(
            source: .log, time: head.time, service: service, type: type, message: text, stack: stack,
            traceID: record.traceID, spanID: record.spanID)
        if type.isEmpty, text.isEmpty {
            let told = ErrorStack.told(by: record.body.string ?? record.shape)
            occurrence.message = told.message
            if stack.isEmpty { occurrence.stack = told.stack }
        }
        let fingerprint = add(occurrence)
        if record.spanID.isValid, said.count < Self.saidMax {
            said.insert(Key(span: record.spanID, fingerprint: fingerprint))
            risen[RisenKey(trace: record.traceID, fingerprint: fingerprint), default: 0] += 1
        }
    }

    func add(span message: ProtobufReader, _ service: String, _ query: ErrorQuery) {
        guard ExceptionMark.isIn(span: message), let span = try? OTLP.decodeSpan(message) else { return }
        for event in span.events where event.name == "exception" && query.since..<query.until ~= event.time {
            let (type, text, stack) = Self.exception(event.attributes)
            guard !type.isEmpty || !text.isEmpty else { continue }
            let occurrence = ErrorOccurrence(
                source: .span, time: event.time, service: service, type: type, message: text, stack: stack,
                traceID: span.context.traceID, spanID: span.context.spanID)
            let fingerprint = ErrorFingerprint.text(type: type, message: text, stack: ErrorStack(stack))
            guard !isSaid(fingerprint, span.context) else { continue }
            add(occurrence, fingerprint)
        }
    }

    /// Whether a log has told of it, in the span or, once for each log, in another one of its trace.
    private func isSaid(_ fingerprint: String, _ context: SpanContext) -> Bool {
        if said.contains(Key(span: context.spanID, fingerprint: fingerprint)) { return true }
        let key = RisenKey(trace: context.traceID, fingerprint: fingerprint)
        guard let left = risen[key], left > 0 else { return false }
        risen[key] = left - 1
        return true
    }

    private static func exception(_ attributes: Attributes) -> (type: String, message: String, stack: String) {
        (
            cut(attributes["exception.type"]?.string ?? "", typeBytesMax),
            attributes["exception.message"]?.string ?? "", attributes["exception.stacktrace"]?.string ?? ""
        )
    }

    private static func cut(_ text: String, _ bytesMax: Int) -> String {
        text.utf8.count > bytesMax ? String(decoding: text.utf8.prefix(bytesMax), as: UTF8.self) : text
    }

    private func add(_ occurrence: ErrorOccurrence) -> String {
        let fingerprint = ErrorFingerprint.text(
            type: occurrence.type, message: occurrence.message, stack: ErrorStack(occurrence.stack))
        add(occurrence, fingerprint)
        return fingerprint
    }

    private func add(_ occurrence: ErrorOccurrence, _ fingerprint: String) {
        if let only, !fingerprint.hasPrefix(only) { return }
        guard var group = groups[fingerprint] else {
            guard groups.count < StoreReader.errorGroupsMax else {
                ungrouped += 1
                return
            }
            groups[fingerprint] = ErrorGroup(
                fingerprint: fingerprint, count: 1, firstTime: occurrence.time, lastTime: occurrence.time,
                services: [occurrence.service: 1], latest: kept(occurrence))
            return
        }
        // Taken out, so that what is inside changes in place.
        groups[fingerprint] = nil
        group.count += 1
        group.firstTime = min(group.firstTime, occurrence.time)
        if occurrence.time > group.lastTime {
            group.lastTime = occurrence.time
            group.latest = kept(occurrence)
        }
        if group.services[occurrence.service] != nil || group.services.count < Self.servicesMax {
            group.services[occurrence.service, default: 0] += 1
        }
        groups[fingerprint] = group
    }

    private func kept(_ occurrence: ErrorOccurrence) -> ErrorOccurrence {
        guard only == nil else { return occurrence }
        var occurrence = occurrence
        occurrence.stack = ""
        occurrence.message = Self.cut(occurrence.message, Self.messageBytesMax)
        return occurrence
    }
}

/// Finds items that tell of an exception without decoding them.
enum ExceptionMark {
    /// Whether a `LogRecord` message has an attribute of an exception.
    static func isIn(log message: consuming ProtobufReader) -> Bool {
        (try? find(in: &message, field: 6, key: 1, prefix: "exception.")) ?? false
    }

    /// Whether a `Span` message has an event of an exception.
    static func isIn(span message: consuming ProtobufReader) -> Bool {
        (try? find(in: &message, field: 11, key: 2, prefix: "exception")) ?? false
    }

    /// Whether one of the messages in `field` has a text in its field `key` that begins so.
    private static func find(
        in message: inout ProtobufReader, field wanted: UInt32, key: UInt32, prefix: StaticString
    ) throws(DecodeError) -> Bool {
        while let field = try message.next() {
            guard field.number == wanted, field.type == .lengthDelimited else {
                try message.skip(field)
                continue
            }
            var inner = try message.message()
            while let field = try inner.next() {
                guard field.number == key, field.type == .lengthDelimited else {
                    try inner.skip(field)
                    continue
                }
                let text = try inner.bytes()
                if text.count >= prefix.utf8CodeUnitCount,
                    text.prefix(prefix.utf8CodeUnitCount).elementsEqual(
                        UnsafeBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount))
                {
                    return true
                }
            }
        }
        return false
    }
}
