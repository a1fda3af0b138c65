internal import Server

/// The agent's admin port. On the server's thread.
final class AdminHandler: RequestHandler {
    let status: PipelineStatus
    private let taps: Taps

    private static let text = ResponseFields(["content-type": "text/plain; version=0.0.4; charset=utf-8"])
    private static let json = ResponseFields(["content-type": "application/json"])
    private static let plain = ResponseFields(["content-type": "text/plain; charset=utf-8"])

    private static let lines = ResponseFields(["content-type": "application/x-ndjson"])

    init(_ status: PipelineStatus, _ taps: Taps) {
        self.status = status
        self.taps = taps
    }

    func handle(_ request: borrowing ServedRequest, _ responder: Responder) {
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
        } else {
            Self.refuse(
                responder, 404, "nothing is here; there are /metrics, /livez, /readyz, /api/v1/drops and /api/v1/tap")
        }
    }

    private static func refuse(_ responder: Responder, _ status: Int, _ why: String) {
        responder.respond(status, plain, body: Array((why + "\n").utf8))
    }

    /// `?at=NAME` of a receiver or pipeline; without it, all pipelines. `&format=text`; without it, lines of OTLP JSON.
    private func tap(_ request: borrowing ServedRequest, _ responder: Responder) {
        guard request.method == .get else { return responder.respond(405, ResponseFields(["allow": "GET"])) }
        var point: Taps.Point?
        var isJSON = true
        for field in request.query.split(separator: "&") {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            switch (parts[0], parts.count > 1 ? parts[1] : "") {
            case ("at", let name):
                // The names that there are have no character that needs a code but "/", which may have one.
                let name = name.replacing("%2F", with: "/").replacing("%2f", with: "/")
                guard let found = status.points.first(where: { $0.name == name }) else {
                    let names = status.points.map(\.name).joined(separator: ", ")
                    return Self.refuse(responder, 404, "there is no \"\(name.prefix(80))\"; there are: \(names)")
                }
                point = found
            case ("format", "text"): isJSON = false
            case ("format", "json"): isJSON = true
            default:
                return Self.refuse(
                    responder, 400, "\"\(field.prefix(80))\" is not understood; there are at=NAME and format=text|json")
            }
        }
        if !taps.add(responder, isJSON ? Self.lines : Self.plain, point, isJSON: isJSON) {
            Self.refuse(responder, 503, "\(Taps.countMax) watch already")
        }
    }
}
