internal import Discovery
internal import Registries
internal import Server

/// `/api/v1/sd`, for Prometheus' http_sd, and `/api/v1/registrations`.
struct DiscoveryPages: AdminPages {
    let board: RegistrationBoard
    let paths = ["/api/v1/registrations", "/api/v1/sd"]

    func answer(_ request: borrowing ServedRequest, _ responder: Responder) -> Bool {
        let isTargets = request.pathIs("/api/v1/sd")
        guard isTargets || request.pathIs("/api/v1/registrations") else { return false }
        guard AdminHandler.isReading(request, responder) else { return true }
        let targets = board.target.map { [$0] } ?? []
        responder.respond(200, AdminHandler.json, body: isTargets ? PrometheusTarget.json(targets) : board.json)
        return true
    }
}
