internal import Server

/// What flows through the pipeline of `agent`, and what was dropped. On the server's thread.
struct PipelinePages: AdminPages {
    let status: PipelineStatus
    let taps: Taps
    let paths = ["/api/v1/drops", "/api/v1/tap"]

    private static let lines = ResponseFields(["content-type": "application/x-ndjson"])

    func answer(_ request: borrowing ServedRequest, _ responder: Responder) -> Bool {
        if request.pathIs("/api/v1/drops") {
            guard AdminHandler.isReading(request, responder) else { return true }
            responder.respond(200, AdminHandler.json, body: Array(status.audit.json(DropAudit.entriesMax).utf8))
        } else if request.pathIs("/api/v1/tap") {
            tap(request, responder)
        } else {
            return false
        }
        return true
    }

    /// `?at=NAME` of a receiver or pipeline; without it, all pipelines. `&format=text`; without it, lines of OTLP JSON.
    private func tap(_ request: borrowing ServedRequest, _ responder: Responder) {
        guard AdminHandler.isGetting(request, responder) else { return }
        var point: Taps.Point?
        var isJSON = true
        for field in request.queryFields {
            switch field {
            case ("at", let name):
                guard let found = status.points.first(where: { $0.name == name }) else {
                    let names = status.points.map(\.name).joined(separator: ", ")
                    return AdminHandler.refuse(
                        responder, 404, "there is no \"\(name.prefix(80))\"; there are: \(names)")
                }
                point = found
            case ("format", "text"): isJSON = false
            case ("format", "json"): isJSON = true
            default: return AdminHandler.refuse(responder, field, "at=NAME and format=text|json")
            }
        }
        if !taps.add(responder, isJSON ? Self.lines : AdminHandler.plain, point, isJSON: isJSON) {
            AdminHandler.refuse(responder, 503, "\(Taps.countMax) watch already")
        }
    }
}
