import GRDB
import Telemetry
import Wire

extension StoreReader {
    /// The last log records that match, oldest first, and where a reader that follows goes on.
    public func lastLogs(
        _ query: LogQuery, count: Int, where isWanted: (StoredLog) -> Bool = { _ in true }
    ) throws(StoreError) -> (logs: [StoredLog], cursor: StoreCursor) {
        guard count > 0 else { return ([], try cursor()) }
        return try read { db in
            var last: [StoredLog] = []
            for header in try newestLogHeaders(db, query) {
                // All of a batch to come are older than the oldest kept.
                if last.count >= count, header.maxTime < last[0].time { break }
                var found: [StoredLog] = []
                try readLogs(db, header, query) { log, _ in
                    if isWanted(log) { found.append(log) }
                    return true
                }
                last = Array((found + last).sortedByTime().suffix(count))
            }
            return (last, try Self.cursor(db))
        }
    }

    /// The last log records that match and are older than `position`, newest first: `count` at most, and fewer where they are larger than `bytesMax`.
    public func logs(
        _ query: LogQuery, before position: LogPosition?, count: Int, bytesMax: Int
    ) throws(StoreError) -> LogPage {
        precondition(count > 0, "\(count)")
        var query = query
        if let position, position.time < query.until { query.until = position.time + 1 }
        return try read { db in
            var page = PageBuilder(before: position, count: count, bytesMax: bytesMax)
            for header in try newestLogHeaders(db, query) {
                if page.isComplete(header.maxTime) { break }
                try readLogs(db, header, query) { log, place in
                    page.add(log, LogPosition(time: log.time, batch: header.id, item: place.item), place.bytes)
                    return true
                }
                page.trim()
            }
            return page.result()
        }
    }

    /// Calls `body` with the log records that match and were stored behind `cursor`, in the order of their storing and by time within a batch,
    /// until it returns false. Returns where to go on. No transaction is open while `body` runs: it may take its time, and the write-ahead log does not grow for it.
    public func logs(
        _ query: LogQuery, after cursor: StoreCursor = .start, _ body: (StoredLog) throws -> Bool
    ) throws(StoreError) -> StoreCursor {
        let (headers, end) = try read { db in
            let end = try Self.cursor(db)
            // Ids start anew only in a new file.
            let after = cursor.batch > end.batch ? 0 : cursor.batch
            var headers: [Header] = []
            try forLogHeaders(db, query, after: after) {
                headers.append($0)
                return true
            }
            return (headers, end)
        }
        return try StoreDatabase.catching(directory, .unreadable) {
            for header in headers {
                var found: [StoredLog] = []
                try read { db in
                    try readLogs(db, header, query) { log, _ in
                        found.append(log)
                        return true
                    }
                }
                for log in found.sortedByTime() { guard try body(log) else { return end } }
            }
            return end
        }
    }

    /// Behind everything that is stored now.
    public func cursor() throws(StoreError) -> StoreCursor { try read { try Self.cursor($0) } }

    private static func cursor(_ db: Database) throws -> StoreCursor {
        StoreCursor(batch: try Int64.fetchOne(db, sql: "SELECT max(id) FROM batch") ?? 0)
    }

    private func forLogHeaders(
        _ db: Database, _ query: LogQuery, after: Int64, _ body: (Header) throws -> Bool
    ) throws {
        let key = query.traceID.map(TraceKey.of)
        let candidates = query.search.map(WordCandidates.init)
        try forEachHeader(
            db, .logs, after: after, since: query.since, until: query.until, traces: key.map { $0...$0 }
        ) { header in
            guard candidates?.contain(header, db) ?? true else { return true }
            return try body(header)
        }
    }

    /// Going back in time by the latest record in each.
    private func newestLogHeaders(_ db: Database, _ query: LogQuery) throws -> [Header] {
        var headers: [Header] = []
        try forLogHeaders(db, query, after: 0) {
            headers.append($0)
            return true
        }
        headers.sort { ($0.maxTime, $0.id) > ($1.maxTime, $1.id) }
        return headers
    }

    /// Log records that match, as they lie in the store, with the bytes of their messages.
    func forEachLog(_ db: Database, _ query: LogQuery, _ body: (StoredLog, Int) throws -> Void) throws {
        try forLogHeaders(db, query, after: 0) { header in
            try readLogs(db, header, query) { log, place in
                try body(log, place.bytes)
                return true
            }
            return true
        }
    }

    /// Which item of its batch a record is, and the bytes of its message.
    private typealias Place = (item: Int, bytes: Int)

    private func readLogs(
        _ db: Database, _ header: Header, _ query: LogQuery, _ each: (StoredLog, Place) throws -> Bool
    ) throws {
        let resource = try resource(db, header.resource)
        if let service = query.service, resource.serviceName != service { return }
        guard let body = try body(db, header.id) else { return }
        let scopes = Self.scopes(of: body)
        let matcher = query.search.map(SearchMatcher.init)
        var item = -1
        let intact = try body.forEachItem { message, scope in
            item += 1
            guard let head = try? LogHead(message), head.severity >= query.severityMin,
                query.traceID == nil || query.traceID == head.traceID, head.time >= query.since,
                head.time < query.until, matcher?.matches(message) ?? true, let record = try? OTLP.decodeLog(message)
            else { return true }
            let log = StoredLog(
                record: record, resource: resource,
                scope: scope < scopes.count ? scopes[scope] : InstrumentationScope())
            return try each(log, (item, message.remaining))
        }
        if !intact { noteDamage() }
    }
}

/// Keeps the newest records before a position, within bounds.
private struct PageBuilder {
    private let before: LogPosition?
    private let count: Int
    private let bytesMax: Int
    private var kept: [(log: StoredLog, position: LogPosition, bytes: Int)] = []
    /// The oldest kept, once something older was left out.
    private var cutAt: LogPosition?

    init(before: LogPosition?, count: Int, bytesMax: Int) {
        self.before = before
        self.count = count
        self.bytesMax = bytesMax
    }

    /// Whether nothing of batches that end at `maxTime` or earlier is wanted.
    func isComplete(_ maxTime: UInt64) -> Bool {
        cutAt.map { maxTime < $0.time } ?? false
    }

    mutating func add(_ log: StoredLog, _ position: LogPosition, _ bytes: Int) {
        if let before, position >= before { return }
        if let cutAt, position < cutAt { return }
        kept.append((log, position, bytes))
    }

    mutating func trim() {
        kept.sort { $0.position > $1.position }
        var bytes = 0
        let fitting = kept.prefix(count).prefix { item in
            bytes += item.bytes
            return bytes <= bytesMax
        }
        let left = kept.count - max(1, fitting.count)
        guard left > 0 else { return }
        kept.removeLast(left)
        cutAt = kept.last?.position
    }

    func result() -> LogPage { LogPage(logs: kept.map(\.log), next: cutAt) }
}

extension [StoredLog] {
    /// Stable: records of one time stay in their order.
    fileprivate func sortedByTime() -> [StoredLog] {
        enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
    }
}
