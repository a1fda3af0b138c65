internal import Health
internal import Receivers
internal import Server

/// `/livez`, `/readyz`, `/startupz` and `/healthz`, and gRPC's health protocol. docs/health.md.
struct HealthPages: AdminPages {
    let paths = ["/healthz", "/livez", "/readyz", "/startupz"]

    private let desk: HealthDesk
    private let rpc: HealthRPC

    private static let json = ResponseFields([
        "content-type": "application/health+json", "cache-control": "no-store",
        // Others answer by the same draft: this says who does.
        "sidelight-agent": Release.version,
    ])
    private static let text = AdminHandler.plain.adding("cache-control", "no-store")

    init(_ desk: HealthDesk) {
        self.desk = desk
        rpc = HealthRPC(desk)
    }

    func answer(_ request: borrowing ServedRequest, _ responder: Responder) -> Bool {
        let probe: HealthProbes?
        if request.pathIs("/livez") {
            probe = .liveness
        } else if request.pathIs("/readyz") {
            probe = .readiness
        } else if request.pathIs("/startupz") {
            probe = .startup
        } else if request.pathIs("/healthz") {
            probe = nil
        } else {
            return rpc.answer(request, responder)
        }
        guard AdminHandler.isReading(request, responder) else { return true }
        var isVerbose = false
        for field in request.queryFields {
            guard field.name == "verbose", ["", "1", "true"].contains(field.value) else {
                AdminHandler.refuse(responder, field, "verbose")
                return true
            }
            isVerbose = true
        }
        let wantsJSON = request.header("accept")?.contains("json") ?? false
        let (report, hindrance) = (desk.report, desk.hindrance)
        guard let probe else {
            let passes = hindrance == nil && report.status != .fail
            responder.respond(passes ? 200 : 503, Self.json, body: report.json(hindrance: hindrance))
            return true
        }
        let passes = hindrance == nil && report.passes(probe)
        if wantsJSON {
            responder.respond(passes ? 200 : 503, Self.json, body: report.json(probe, hindrance: hindrance))
        } else {
            let name = String(request.path.dropFirst())
            let text = report.text(probe, named: name, isVerbose: isVerbose, hindrance: hindrance)
            responder.respond(passes ? 200 : 503, Self.text, body: Array(text.utf8))
        }
        return true
    }
}
