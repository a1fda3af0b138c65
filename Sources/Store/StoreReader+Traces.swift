import GRDB
public import Telemetry
import Wire

extension StoreReader {
    /// Traces, the one that started last first.
    public func traces(_ query: TraceQuery) throws(StoreError) -> [TraceSummary] {
        try read { db in
            var headers: [Header] = []
            try forEachHeader(db, .traces, since: query.since) {
                headers.append($0)
                return true
            }
            // Going back in time by the latest end in each batch: a trace that starts after all ends still to come is complete.
            headers.sort { ($0.maxTime, $0.id) > ($1.maxTime, $1.id) }
            var listing = TraceListing(query)
            if query.errorsOnly { listing.loggedErrors = try loggedErrors(db, since: query.since) }
            for (index, header) in headers.enumerated() {
                guard let body = try body(db, header.id) else { continue }
                let service = try resource(db, header.resource).serviceName
                let intact = body.forEachItem { message, _ in listing.add(message, service: service) }
                if !intact { noteDamage() }
                let horizon = index + 1 < headers.count ? headers[index + 1].maxTime : 0
                if listing.settle(horizon: horizon, isLast: index + 1 == headers.count) { break }
            }
            let traces = listing.result()
            let quiet = Set(traces.lazy.filter { $0.errors == 0 }.map(\.id))
            guard !quiet.isEmpty else { return traces }
            let logged =
                query.errorsOnly
                ? listing.loggedErrors : try loggedErrors(db, since: traces.map(\.start).min() ?? 0)
            return traces.map { trace in
                var trace = trace
                if trace.errors == 0 { trace.errors = logged[trace.id] ?? 0 }
                return trace
            }
        }
    }

    /// Log records of level error, by trace.
    private func loggedErrors(_ db: Database, since: UInt64) throws -> [TraceID: Int] {
        var found: [TraceID: Int] = [:]
        try forEachHeader(db, .logs, since: since, withErrors: true) { header in
            guard let body = try body(db, header.id) else { return true }
            _ = body.forEachItem { message, _ in
                if let head = try? LogHead(message), head.severity >= RowBuilder.errorSeverity, head.traceID.isValid {
                    found[head.traceID, default: 0] += 1
                }
                return true
            }
            return true
        }
        return found
    }

    /// What a prefix of trace ids leads to.
    public enum Match: Sendable, Equatable {
        case none
        case one(TraceID)
        /// The first few of them, sorted.
        case several([TraceID])
    }

    /// Hex digits that a prefix of a trace id has at least.
    public static let prefixDigitsMin = 4
    /// Ids returned for an ambiguous prefix at most.
    public static let ambiguousMax = 20

    /// Finds traces whose id begins with these hex digits (upper or lower case; at least `prefixDigitsMin`, otherwise none). A 64-bit
    /// id is found by its sixteen digits too.
    public func match(prefix: String) throws(StoreError) -> Match {
        let prefix = prefix.lowercased()
        guard let range = Self.keys(prefix: prefix) else { return .none }
        return try read { db in
            var found: Set<TraceID> = []
            for signal in [Signal.traces, .logs] {
                try forEachHeader(db, signal, traces: range) { header in
                    guard let body = try body(db, header.id) else { return true }
                    _ = body.forEachItem { message, _ in
                        let id =
                            signal == .traces ? (try? SpanHead(message))?.traceID : (try? LogHead(message))?.traceID
                        if let id, range.contains(TraceKey.of(id)), Self.matches(id, prefix) { found.insert(id) }
                        return found.count < Self.ambiguousMax
                    }
                    return found.count < Self.ambiguousMax
                }
            }
            switch found.count {
            case 0: return .none
            case 1: return .one(found.first!)
            default: return .several(found.sorted())
            }
        }
    }

    /// Whether `match(prefix:)` can find something for it.
    public static func isPrefix(_ text: String) -> Bool { keys(prefix: text.lowercased()) != nil }

    private static func matches(_ id: TraceID, _ prefix: String) -> Bool {
        guard id.isValid else { return false }
        return id.hex.hasPrefix(prefix) || id.high == 0 && SpanID(id.low).hex.hasPrefix(prefix)
    }

    /// The keys that a prefix can lead to. Nil when it is too short, too long or not hex.
    private static func keys(prefix: String) -> ClosedRange<UInt64>? {
        guard (prefixDigitsMin...32).contains(prefix.utf8.count),
            prefix.utf8.allSatisfy({
                UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || UInt8(ascii: "a")...UInt8(ascii: "f") ~= $0
            })
        else { return nil }
        // A 64-bit id written with 32 digits begins with sixteen zeros, and its key is the rest.
        let zeros = String(repeating: "0", count: 16)
        let digits = prefix.hasPrefix(zeros) ? prefix.dropFirst(16) : prefix.prefix(16)
        guard !digits.isEmpty, let value = UInt64(digits, radix: 16) else { return 0...(.max) }
        let free = UInt64(64 - 4 * digits.count)
        let low = free == 64 ? 0 : value << free
        return low...(low | (free == 0 ? 0 : UInt64.max >> (64 - free)))
    }

    /// Everything of one trace; nil when the store has neither spans nor logs of it. Of more spans than `spansMax`, or larger ones than `bytesMax`, those are
    /// returned that start first; and so it is with logs.
    public func trace(
        _ id: TraceID, spansMax: Int = 20_000, logsMax: Int = 20_000, bytesMax: Int = 64 << 20
    ) throws(StoreError) -> StoredTrace? {
        let key = TraceKey.of(id)
        return try read { db in
            var spans = Earliest<StoredSpan>(limit: spansMax, bytesMax: bytesMax)
            try forEachHeader(db, .traces, traces: key...key) { header in
                guard let body = try body(db, header.id) else { return true }
                let resource = try resource(db, header.resource)
                let scopes = Self.scopes(of: body)
                let intact = body.forEachItem { message, scope in
                    guard let head = try? SpanHead(message) else { return true }
                    if head.traceID == id, spans.wants(head.start), let span = try? OTLP.decodeSpan(message) {
                        spans.add(
                            head.start,
                            StoredSpan(
                                span: span, resource: resource,
                                scope: scope < scopes.count ? scopes[scope] : InstrumentationScope()),
                            bytes: message.remaining)
                    }
                    return true
                }
                if !intact { noteDamage() }
                return true
            }
            var logs = Earliest<StoredLog>(limit: logsMax, bytesMax: bytesMax)
            var query = LogQuery()
            query.traceID = id
            try forEachLog(db, query) { log, bytes in
                if logs.wants(log.time) { logs.add(log.time, log, bytes: bytes) }
            }
            guard spans.total + logs.total > 0 else { return nil }
            let (firstSpans, firstLogs) = (spans.sorted(), logs.sorted())
            return StoredTrace(
                id: id, spans: firstSpans, logs: firstLogs, omittedSpans: spans.total - firstSpans.count,
                omittedLogs: logs.total - firstLogs.count)
        }
    }
}

/// Keeps the elements with the lowest times, up to a number and to so many bytes, but one at least (twice that while collecting).
private struct Earliest<Element> {
    private let limit: Int
    private let bytesMax: Int
    private(set) var total = 0
    private var kept: [(time: UInt64, bytes: Int, element: Element)] = []
    private var keptBytes = 0
    /// Once something was left out: what is later than this is not wanted any more.
    private var bound = UInt64.max

    init(limit: Int, bytesMax: Int) {
        precondition(limit > 0, "\(limit)")
        self.limit = limit
        self.bytesMax = bytesMax
    }

    /// Counts an element, and says whether it has to be added.
    mutating func wants(_ time: UInt64) -> Bool {
        total += 1
        return time < bound
    }

    mutating func add(_ time: UInt64, _ element: Element, bytes: Int) {
        kept.append((time, bytes, element))
        keptBytes += bytes
        if kept.count >= 2 * limit || keptBytes >= 2 * bytesMax, kept.count > 1 { cut() }
    }

    mutating func sorted() -> [Element] {
        cut()
        return kept.map(\.element)
    }

    private mutating func cut() {
        kept.sort { $0.time < $1.time }
        var bytes = 0
        let fitting = kept.prefix(limit).prefix { item in
            bytes += item.bytes
            return bytes <= bytesMax
        }
        let count = max(1, fitting.count)
        guard kept.count > count else { return }
        kept.removeLast(kept.count - count)
        keptBytes = kept.reduce(0) { $0 + $1.bytes }
        bound = kept[count - 1].time
    }
}

/// Spans to summaries of traces, while the spans come in order of falling ends (roughly: batch by batch).
private struct TraceListing {
    private struct Partial {
        var summary: TraceSummary
        var rootStart: UInt64
        var hasRoot: Bool
        var isUnfinished: Bool
        var rootIsEntry: Bool
    }

    /// Below this many open traces each batch is followed by a look for complete ones; above, only when they have doubled.
    private static let settleAlwaysMax = 4_096

    private let query: TraceQuery
    private let nameContains: String?
    /// By trace: what makes one without error spans one with errors.
    var loggedErrors: [TraceID: Int] = [:]
    private var open: [TraceID: Partial] = [:]
    private var settleAt = 0
    private var accepted: [TraceSummary] = []
    private var acceptedIndex: [TraceID: Int] = [:]

    init(_ query: TraceQuery) {
        self.query = query
        nameContains = query.nameContains?.lowercased()
    }

    mutating func add(_ message: ProtobufReader, service: String) -> Bool {
        guard let head = try? SpanHead(message), head.traceID.isValid else { return true }
        if let index = acceptedIndex[head.traceID] {
            // A straggler from before the trace's start, by a clock that was off.
            accepted[index].note(head)
            return true
        }
        var partial =
            open[head.traceID]
            ?? Partial(
                summary: TraceSummary(
                    id: head.traceID, name: "", service: "", start: .max, end: 0, spans: 0, errors: 0,
                    isIncomplete: true),
                rootStart: .max, hasRoot: false, isUnfinished: false, rootIsEntry: false)
        partial.summary.note(head)
        let isRoot = !head.parentSpanID.isValid
        if isRoot
            ? !partial.hasRoot || head.start < partial.rootStart : !partial.hasRoot && head.start < partial.rootStart
        {
            partial.hasRoot = isRoot
            partial.rootStart = head.start
            partial.rootIsEntry = isRoot || head.parentIsRemote == true
            partial.summary.name = String(decoding: head.name, as: UTF8.self)
            partial.isUnfinished = false
            partial.summary.path = ""
            // The name of a request without a route is its method.
            let isMethod = head.name.count <= 16 && head.name.allSatisfy { (0x41...0x5A).contains($0) }
            if head.isError || isMethod, let attributes = (try? OTLP.decodeSpan(message))?.attributes {
                partial.isUnfinished = head.isError && attributes[StoredSpan.unfinishedAttribute] == .bool(true)
                if isMethod {
                    partial.summary.path = attributes["url.path"]?.string ?? attributes["url.full"]?.string ?? ""
                }
            }
            partial.summary.service = service
        }
        open[head.traceID] = partial
        return true
    }

    /// - Parameter horizon: all spans to come end at or before this.
    /// - Returns: whether enough has been found.
    mutating func settle(horizon: UInt64, isLast: Bool) -> Bool {
        guard isLast || open.count <= Self.settleAlwaysMax || open.count >= settleAt else { return false }
        for (id, partial) in open where isLast || partial.summary.start > horizon {
            open[id] = nil
            var summary = partial.summary
            summary.isIncomplete = !partial.rootIsEntry || partial.isUnfinished
            guard matches(summary) else { continue }
            acceptedIndex[id] = accepted.count
            accepted.append(summary)
        }
        settleAt = 2 * open.count
        return accepted.count >= query.limit
    }

    private func matches(_ summary: TraceSummary) -> Bool {
        if summary.start < query.since || summary.duration < query.durationMin { return false }
        if query.errorsOnly, summary.errors == 0, loggedErrors[summary.id] == nil { return false }
        if let service = query.service, summary.service != service { return false }
        if let nameContains {
            return summary.name.lowercased().contains(nameContains)
                || summary.path.lowercased().contains(nameContains)
        }
        return true
    }

    func result() -> [TraceSummary] {
        Array(accepted.sorted { ($0.start, $0.id) > ($1.start, $1.id) }.prefix(query.limit))
    }
}

extension TraceSummary {
    fileprivate mutating func note(_ head: SpanHead) {
        spans += 1
        if head.isError { errors += 1 }
        start = min(start, head.start)
        end = max(end, head.end)
    }
}
