internal import Server
internal import Telemetry

/// `/api/v1/logs/tail`: log records as they come; `/api/v1/findings/tail`: those that are findings.
struct LogPages: AdminPages {
    let followers: LogFollowers
    let paths = ["/api/v1/logs/tail", "/api/v1/findings/tail"]

    /// `?level=warn&service=NAME&trace=ID&contains=TEXT`, none of which has to be there.
    func answer(_ request: borrowing ServedRequest, _ responder: Responder) -> Bool {
        let isOfFindings = request.pathIs("/api/v1/findings/tail")
        guard isOfFindings || request.pathIs("/api/v1/logs/tail") else { return false }
        guard AdminHandler.isGetting(request, responder) else { return true }
        var filter = LogFollowers.Filter()
        filter.isOfFindings = isOfFindings
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
                AdminHandler.refuse(
                    responder, field, "level=\(levels), service=NAME, trace=ID (32 digits) and contains=TEXT")
                return true
            }
        }
        if !followers.add(responder, filter) {
            AdminHandler.refuse(responder, 503, "\(LogFollowers.countMax) follow the logs already")
        }
        return true
    }
}
