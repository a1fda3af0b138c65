internal import Configuration
internal import Store
internal import Telemetry

/// What a request asks of the store: the fields of its query.
struct StoreParameters {
    /// Why a request is answered with 400; it names the field.
    struct Problem: Error {
        let text: String
    }

    enum Name: String, CaseIterable {
        case search, level, service, trace, since, until, limit, cursor, sort
    }

    var logs = LogQuery()
    /// Digits of a trace id, or the first of them.
    var trace: String?
    var limit: Int
    var cursor: LogPosition?
    var sort: ErrorQuery.Order?

    /// - Parameters:
    ///   - allowed: the fields that there may be, each once.
    ///   - limits: of `limit`; the standard is the first.
    ///   - now: Unix nanoseconds.
    init(
        _ fields: [(name: String, value: String)], allowed: [Name], limit: (standard: Int, max: Int) = (100, 1_000),
        now: UInt64
    ) throws(Problem) {
        self.limit = limit.standard
        var seen: Set<Name> = []
        for (text, value) in fields {
            guard let name = Name(rawValue: text), allowed.contains(name) else {
                let known = allowed.map(\.rawValue).joined(separator: ", ")
                throw Problem(text: "there is no parameter \"\(text.prefix(40))\"; there are \(known)")
            }
            guard seen.insert(name).inserted else { throw Problem(text: "\(text) is there twice") }
            do throws(Problem) {
                try take(name, value, limitMax: limit.max, now)
            } catch {
                throw Problem(text: "\(text)=\(value.prefix(80)): \(error.text)")
            }
        }
        if seen.contains(.since), seen.contains(.until), logs.since >= logs.until {
            throw Problem(text: "since has to be before until")
        }
    }

    private mutating func take(_ name: Name, _ value: String, limitMax: Int, _ now: UInt64) throws(Problem) {
        switch name {
        case .search:
            do throws(SearchQuery.Problem) {
                logs.search = try SearchQuery(parsing: value)
            } catch {
                throw Problem(text: error.description)
            }
        case .level:
            guard let level = SeverityLevel(parsing: value) else {
                throw Problem(text: "there are " + SeverityLevel.allCases.map(\.rawValue).joined(separator: ", "))
            }
            logs.severityMin = level.severityMin
        case .service: logs.service = value
        case .trace:
            guard StoreReader.isPrefix(value) else {
                throw Problem(text: "write \(StoreReader.prefixDigitsMin) to 32 hex digits")
            }
            trace = value
        case .since: logs.since = try Self.time(value, now)
        case .until: logs.until = try Self.time(value, now)
        case .limit:
            guard let number = Int(value), 1...limitMax ~= number else {
                throw Problem(text: "write a whole number from 1 to \(limitMax)")
            }
            limit = number
        case .cursor:
            guard let position = LogPosition(parsing: value) else {
                throw Problem(text: "it is not what \"next\" of an answer says")
            }
            cursor = position
        case .sort:
            guard let order = ErrorQuery.Order(rawValue: value) else {
                throw Problem(text: "there are " + ErrorQuery.Order.allCases.map(\.rawValue).joined(separator: ", "))
            }
            sort = order
        }
    }

    /// A stretch of time before `now`, a time by RFC 3339, or Unix nanoseconds.
    private static func time(_ text: String, _ now: UInt64) throws(Problem) -> UInt64 {
        if let ago = Units.nanoseconds(text) { return now - min(ago, now) }
        if let time = UnixTime.nanoseconds(parsing: text) { return time }
        if text.utf8.count >= 16, let time = UInt64(text) { return time }
        throw Problem(
            text: "write how long ago (30s, 10m, 2h, 7d), a time (2026-11-23T15:04:05Z) or Unix nanoseconds")
    }
}
