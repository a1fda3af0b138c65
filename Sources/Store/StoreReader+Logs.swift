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
            var headers: [Header] = []
            try forLogHeaders(db, query, after: 0) {
                headers.append($0)
                return true
            }
            headers.sort { ($0.maxTime, $0.id) > ($1.maxTime, $1.id) }
            var last: [StoredLog] = []
            for header in headers {
                // All of a batch to come are older than the oldest kept.
                if last.count >= count, header.maxTime < last[0].time { break }
                var found: [StoredLog] = []
                try readLogs(db, header, query) { log in
                    if isWanted(log) { found.append(log) }
                    return true
                }
                last = Array((found + last).sortedByTime().suffix(count))
            }
            return (last, try Self.cursor(db))
        }
    }

    /// Calls `body` with the log records that match and were stored behind `cursor`, in the order of their storing and by time within a batch,
    /// until it returns false. Returns where to go on.
    public func logs(
        _ query: LogQuery, after cursor: StoreCursor = .start, _ body: (StoredLog) throws -> Bool
    ) throws(StoreError) -> StoreCursor {
        try read { db in
            let end = try Self.cursor(db)
            // Ids start anew only in a new file.
            let after = cursor.batch > end.batch ? 0 : cursor.batch
            try forLogHeaders(db, query, after: after) { header in
                var found: [StoredLog] = []
                try readLogs(db, header, query) { log in
                    found.append(log)
                    return true
                }
                for log in found.sortedByTime() { guard try body(log) else { return false } }
                return true
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
        try forEachHeader(
            db, .logs, after: after, since: query.since, until: query.until, traces: key.map { $0...$0 }, body)
    }

    /// Log records that match, as they lie in the store.
    func forEachLog(_ db: Database, _ query: LogQuery, after: Int64, _ body: (StoredLog) throws -> Bool) throws {
        try forLogHeaders(db, query, after: after) { header in
            var goesOn = true
            try readLogs(db, header, query) { log in
                goesOn = try body(log)
                return goesOn
            }
            return goesOn
        }
    }

    private func readLogs(
        _ db: Database, _ header: Header, _ query: LogQuery, _ each: (StoredLog) throws -> Bool
    ) throws {
        let resource = try resource(db, header.resource)
        if let service = query.service, resource.serviceName != service { return }
        guard let body = try body(db, header.id) else { return }
        let scopes = Self.scopes(of: body)
        let intact = try body.forEachItem { message, scope in
            guard let head = try? LogHead(message), head.severity >= query.severityMin,
                query.traceID == nil || query.traceID == head.traceID, head.time >= query.since,
                head.time < query.until, let record = try? OTLP.decodeLog(message)
            else { return true }
            return try each(
                StoredLog(
                    record: record, resource: resource,
                    scope: scope < scopes.count ? scopes[scope] : InstrumentationScope()))
        }
        if !intact { noteDamage() }
    }
}

extension [StoredLog] {
    /// Stable: records of one time stay in their order.
    fileprivate func sortedByTime() -> [StoredLog] {
        enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
    }
}
