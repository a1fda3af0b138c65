internal import Server
internal import Store
internal import System
internal import Telemetry
internal import Wire

/// What the store knows. On the server's thread.
struct StorePages: AdminPages {
    /// Nil: no store is kept.
    let queries: StoreQueries?
    let clock: any SystemClock
    let paths = [
        "/api/v1/errors", "/api/v1/errors/FINGERPRINT", "/api/v1/logs", "/api/v1/logs/patterns", "/api/v1/traces/ID",
    ]

    /// Of a page of logs.
    private static let logBytesMax = 8 << 20
    /// Of one trace, spans and logs each.
    private static let traceItemsMax = 5_000
    private static let traceBytesMax = 4 << 20

    func answer(_ request: borrowing ServedRequest, _ responder: Responder) -> Bool {
        if request.pathIs("/api/v1/logs") {
            logs(request, responder)
        } else if request.pathIs("/api/v1/logs/patterns") {
            patterns(request, responder)
        } else if let id = Self.last("/api/v1/traces/", of: request) {
            trace(id, request, responder)
        } else if request.pathIs("/api/v1/errors") {
            errors(request, responder)
        } else if let fingerprint = Self.last("/api/v1/errors/", of: request) {
            error(fingerprint, request, responder)
        } else {
            return false
        }
        return true
    }

    /// What follows `prefix` in the path; nil: it does not begin so.
    private static func last(_ prefix: String, of request: borrowing ServedRequest) -> String? {
        let path = request.path
        return path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : nil
    }

    private func ask(
        _ responder: Responder, _ answer: @escaping @Sendable (StoreReader) throws -> StoreQueries.Answer
    ) {
        guard let queries else {
            return AdminHandler.refuse(responder, 404, "the agent keeps no store: its configuration says so")
        }
        if !queries.ask(responder, answer) {
            AdminHandler.refuse(responder, 503, "\(StoreQueries.countMax) questions wait already")
        }
    }

    private func parameters(
        _ request: borrowing ServedRequest, _ responder: Responder, _ allowed: [StoreParameters.Name],
        limit: (standard: Int, max: Int) = (100, 1_000)
    ) -> StoreParameters? {
        do throws(StoreParameters.Problem) {
            return try StoreParameters(
                request.queryFields, allowed: allowed, limit: limit, now: clock.unixNanoseconds())
        } catch {
            AdminHandler.refuse(responder, 400, error.text)
            return nil
        }
    }

    /// `{"logs": […], "next": …}`, newest first. `next` is there when there are older ones: the `cursor` of the request for them.
    private func logs(_ request: borrowing ServedRequest, _ responder: Responder) {
        let allowed: [StoreParameters.Name] = [
            .search, .level, .service, .trace, .since, .until, .limit, .cursor,
        ]
        guard let parameters = parameters(request, responder, allowed) else { return }
        ask(responder) { reader in
            var query = parameters.logs
            if let trace = parameters.trace {
                switch try reader.match(prefix: trace) {
                case .one(let id): query.traceID = id
                case .none: return .json(TelemetryJSON.text(LogPage(logs: [], next: nil)))
                case .several(let ids): return .refused(400, Self.several(trace, ids))
                }
            }
            return .json(
                TelemetryJSON.text(
                    try reader.logs(
                        query, before: parameters.cursor, count: parameters.limit, bytesMax: Self.logBytesMax)))
        }
    }

    /// The kinds of log records.
    private func patterns(_ request: borrowing ServedRequest, _ responder: Responder) {
        guard
            let parameters = parameters(
                request, responder, [.level, .service, .since, .until, .limit], limit: (50, StoreReader.patternsMax))
        else { return }
        ask(responder) { .json(TelemetryJSON.text(try $0.logPatterns(parameters.logs, limit: parameters.limit))) }
    }

    private static func several(_ prefix: String, _ ids: [TraceID]) -> String {
        "several traces begin with \(prefix): " + ids.map(\.hex).joined(separator: ", ")
    }

    /// A trace with its spans and logs.
    private func trace(_ prefix: String, _ request: borrowing ServedRequest, _ responder: Responder) {
        guard parameters(request, responder, []) != nil else { return }
        guard StoreReader.isPrefix(prefix) else {
            return AdminHandler.refuse(
                responder, 400, "a trace is named by \(StoreReader.prefixDigitsMin) to 32 hex digits of its id")
        }
        ask(responder) { reader in
            switch try reader.match(prefix: prefix) {
            case .one(let id):
                guard
                    let trace = try reader.trace(
                        id, spansMax: Self.traceItemsMax, logsMax: Self.traceItemsMax, bytesMax: Self.traceBytesMax)
                else { return .refused(404, "the trace \(prefix) is gone") }
                return .json(TelemetryJSON.text(trace))
            case .none: return .refused(404, "the store has no trace \(prefix)")
            case .several(let ids): return .refused(400, Self.several(prefix, ids))
            }
        }
    }

    private func errorQuery(_ parameters: StoreParameters) -> ErrorQuery {
        var query = ErrorQuery()
        query.since = parameters.logs.since
        query.until = parameters.logs.until
        query.service = parameters.logs.service
        query.order = parameters.sort ?? .last
        query.limit = parameters.limit
        return query
    }

    /// Errors, grouped.
    private func errors(_ request: borrowing ServedRequest, _ responder: Responder) {
        guard
            let parameters = parameters(
                request, responder, [.service, .since, .until, .sort, .limit],
                limit: (50, StoreReader.errorGroupsMax))
        else { return }
        let query = errorQuery(parameters)
        ask(responder) { .json(TelemetryJSON.text(try $0.errors(query))) }
    }

    /// One of them, with its latest occurrence; `limit` is of the log records before it.
    private func error(_ fingerprint: String, _ request: borrowing ServedRequest, _ responder: Responder) {
        guard
            let parameters = parameters(
                request, responder, [.service, .since, .until, .limit], limit: (10, 1_000))
        else { return }
        guard (4...16).contains(fingerprint.utf8.count), fingerprint.allSatisfy(\.isHexDigit) else {
            return AdminHandler.refuse(responder, 400, "an error is named by 4 to 16 hex digits of its fingerprint")
        }
        let query = errorQuery(parameters)
        ask(responder) { reader in
            let found = try reader.error(fingerprint, query, logsMax: parameters.limit)
            if let detail = found.detail { return .json(TelemetryJSON.text(detail)) }
            return found.fingerprints.isEmpty
                ? .refused(404, "the store has no error \(fingerprint)")
                : .refused(
                    400, "several errors begin with \(fingerprint): " + found.fingerprints.joined(separator: ", "))
        }
    }
}
