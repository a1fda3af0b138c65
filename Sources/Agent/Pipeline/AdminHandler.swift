internal import Configuration
internal import Server
internal import System
internal import Telemetry

/// The agent's admin port. On the server's thread.
final class AdminHandler: RequestHandler {
    let status: PipelineStatus
    private let taps: Taps
    private let followers: LogFollowers
    /// Nil: no store is kept.
    let queries: StoreQueries?
    let clock: any SystemClock
    let messages: Messages

    private static let text = ResponseFields(["content-type": "text/plain; version=0.0.4; charset=utf-8"])
    static let json = ResponseFields(["content-type": "application/json"])
    private static let plain = ResponseFields(["content-type": "text/plain; charset=utf-8"])

    private static let lines = ResponseFields(["content-type": "application/x-ndjson"])

    init(_ status: PipelineStatus, _ surroundings: PipelineSurroundings, store: PipelineStore) {
        self.status = status
        taps = surroundings.taps
        followers = surroundings.followers
        clock = surroundings.clock
        messages = surroundings.messages
        queries = store.isEnabled ? StoreQueries(directory: store.directory) : nil
    }

    func handle(_ request: borrowing ServedRequest, _ responder: Responder) {
        if request.pathIs("/api/v1/loglevel") { return levels(request, responder) }
        guard request.method == .get || request.method == .head else {
            return responder.respond(405, ResponseFields(["allow": "GET, HEAD"]))
        }
        if request.pathIs("/metrics") {
            responder.respond(200, Self.text, body: Array(status.counters.prometheusText.utf8))
        } else if request.pathIs("/livez") || request.pathIs("/readyz") {
            responder.respond(200, Self.plain, body: Array("ok\n".utf8))
        } else if request.pathIs("/api/v1/drops") {
            responder.respond(200, Self.json, body: Array(status.audit.json(DropAudit.entriesMax).utf8))
        } else if request.pathIs("/api/v1/tap") {
            tap(request, responder)
        } else if request.pathIs("/api/v1/logs/tail") {
            follow(request, responder)
        } else if !answerFromStore(request, responder) {
            Self.refuse(
                responder, 404,
                "nothing is here; there are /metrics, /livez, /readyz, /api/v1/drops, /api/v1/errors, /api/v1/loglevel, /api/v1/logs, /api/v1/logs/patterns, /api/v1/logs/tail, /api/v1/tap and /api/v1/traces/ID"
            )
        }
    }

    static func refuse(_ responder: Responder, _ status: Int, _ why: String) {
        responder.respond(status, plain, body: Array((why + "\n").utf8))
    }

    /// `?at=NAME` of a receiver or pipeline; without it, all pipelines. `&format=text`; without it, lines of OTLP JSON.
    private func tap(_ request: borrowing ServedRequest, _ responder: Responder) {
        guard request.method == .get else { return responder.respond(405, ResponseFields(["allow": "GET"])) }
        var point: Taps.Point?
        var isJSON = true
        for field in request.queryFields {
            switch field {
            case ("at", let name):
                guard let found = status.points.first(where: { $0.name == name }) else {
                    let names = status.points.map(\.name).joined(separator: ", ")
                    return Self.refuse(responder, 404, "there is no \"\(name.prefix(80))\"; there are: \(names)")
                }
                point = found
            case ("format", "text"): isJSON = false
            case ("format", "json"): isJSON = true
            default: return Self.refuse(responder, field, "at=NAME and format=text|json")
            }
        }
        if !taps.add(responder, isJSON ? Self.lines : Self.plain, point, isJSON: isJSON) {
            Self.refuse(responder, 503, "\(Taps.countMax) watch already")
        }
    }

    private static func refuse(_ responder: Responder, _ field: (name: String, value: String), _ known: String) {
        let text = "\(field.name)=\(field.value)".prefix(80)
        refuse(responder, 400, "\"\(text)\" is not understood; there are \(known)")
    }

    /// `?level=warn&service=NAME&trace=ID&contains=TEXT`, none of which has to be there.
    private func follow(_ request: borrowing ServedRequest, _ responder: Responder) {
        guard request.method == .get else { return responder.respond(405, ResponseFields(["allow": "GET"])) }
        var filter = LogFollowers.Filter()
        for field in request.queryFields {
            if field.name == "service" {
                filter.service = field.value
            } else if field.name == "contains" {
                filter.contains = SoughtText(field.value)
            } else if field.name == "level", let level = SeverityLevel(parsing: field.value) {
                filter.severityMin = level.severityMin
            } else if field.name == "trace", let trace = TraceID(hex: field.value) {
                filter.traceID = trace
            } else {
                let levels = SeverityLevel.allCases.map(\.rawValue).joined(separator: "|")
                return Self.refuse(
                    responder, field, "level=\(levels), service=NAME, trace=ID (32 digits) and contains=TEXT")
            }
        }
        if !followers.add(responder, filter) {
            Self.refuse(responder, 503, "\(LogFollowers.countMax) follow the logs already")
        }
    }
}
