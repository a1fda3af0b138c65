import GRDB
import Telemetry
import Wire

extension StoreReader {
    public static let patternsMax = PatternMiner.patternsMax

    /// The kinds of log records that match, at most `limit`.
    public func logPatterns(_ query: LogQuery, limit: Int) throws(StoreError) -> LogPatterns {
        try read { db in
            let (start, end) = try window(db, query)
            let recentStart = end - (end - start) / 4
            var sorter = PatternSorter(recentStart: recentStart)
            var headers: [Header] = []
            try forEachHeader(db, .logs, since: query.since, until: query.until) {
                headers.append($0)
                return true
            }
            for header in headers.reversed() {
                let service = try resource(db, header.resource).serviceName
                if let wanted = query.service, wanted != service { continue }
                guard let body = try body(db, header.id) else { continue }
                let intact = body.forEachItem { message, _ in
                    guard let head = try? LogHead(message), head.severity >= query.severityMin,
                        head.time >= query.since, head.time < query.until
                    else { return true }
                    sorter.add(message, head, service)
                    return true
                }
                if !intact { noteDamage() }
            }
            let all = sorter.result()
            return LogPatterns(
                patterns: Array(all.prefix(limit)), omittedPatterns: max(0, all.count - limit), total: sorter.total,
                unsorted: sorter.unsorted, start: start, recentStart: recentStart, end: end)
        }
    }

    /// From the first to behind the last record, within the query's bounds.
    private func window(_ db: Database, _ query: LogQuery) throws -> (start: UInt64, end: UInt64) {
        let row = try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT min(CASE WHEN min_time > 0 THEN min_time END), max(max_time) FROM batch
                    WHERE signal = ? AND max_time >= ? AND min_time < ?
                    """),
            arguments: [Int64(Signal.logs.rawValue), Int64(clamping: query.since), Int64(clamping: query.until)])
        let first = UInt64(clamping: row?[0] as Int64? ?? 0)
        let last = UInt64(clamping: row?[1] as Int64? ?? 0)
        let start = max(first, query.since)
        return (start, max(start, min(last < .max ? last + 1 : last, query.until)))
    }
}

/// Counts records by pattern.
private struct PatternSorter {
    /// Of an example. UTF-8 bytes.
    private static let exampleBytesMax = 512
    private static let servicesMax = 32
    /// Fewer recent ones say nothing of a growth.
    private static let growingMin = 10

    private let recentStart: UInt64
    private var miner = PatternMiner()
    private var found: [LogPattern] = []
    private var masked: [UInt8] = []
    private(set) var total = 0
    private(set) var unsorted = 0
    private var recentTotal = 0

    init(recentStart: UInt64) { self.recentStart = recentStart }

    mutating func add(_ message: ProtobufReader, _ head: LogHead, _ service: String) {
        total += 1
        if head.time >= recentStart { recentTotal += 1 }
        let text = Self.text(of: message)
        if let text {
            PatternMask.mask(text, into: &masked)
        } else {
            masked = Array(((try? OTLP.decodeLog(message))?.shape ?? "").utf8)
        }
        guard let index = miner.pattern(of: masked) else {
            unsorted += 1
            return
        }
        if index == found.count { found.append(LogPattern(template: "")) }
        found[index].count += 1
        if head.time >= recentStart { found[index].recent += 1 }
        if let level = SeverityLevel(head.severity) { found[index].levels[level, default: 0] += 1 }
        if found[index].services[service] != nil || found[index].services.count < Self.servicesMax {
            found[index].services[service, default: 0] += 1
        }
        found[index].firstTime = min(found[index].firstTime, head.time)
        if head.time >= found[index].lastTime {
            found[index].lastTime = head.time
            found[index].traceID = head.traceID
            found[index].example =
                text.map {
                    String(decoding: $0.prefix(Self.exampleBytesMax), as: UTF8.self)
                } ?? ""
        }
    }

    /// The body, where it is a text.
    private static func text(of message: consuming ProtobufReader) -> UnsafeRawBufferPointer? {
        do throws(DecodeError) {
            while let field = try message.next() {
                guard field.number == 5, field.type == .lengthDelimited else {
                    try message.skip(field)
                    continue
                }
                var value = try message.message()
                while let field = try value.next() {
                    if field.number == 1, field.type == .lengthDelimited { return try value.bytes() }
                    try value.skip(field)
                }
                return nil
            }
        } catch {
            // As if it had none.
        }
        return nil
    }

    /// The most frequent first.
    func result() -> [LogPattern] {
        let hasBefore = total > recentTotal
        return found.enumerated().map { index, pattern in
            var pattern = pattern
            pattern.template = miner.patterns[index].text
            let before = pattern.count - pattern.recent
            pattern.isNew = hasBefore && before == 0
            // The last part is a quarter: a third of what was before is the same rate.
            pattern.isGrowing =
                before > 0 && pattern.recent >= Self.growingMin && pattern.recent * 3 >= before * 2
            return pattern
        }
        .sorted { ($1.count, $1.lastTime, $0.template) < ($0.count, $0.lastTime, $1.template) }
    }
}
