internal import Server

/// The agent's admin port. On the server's thread.
final class AdminHandler: RequestHandler {
    let status: PipelineStatus

    private static let text = ResponseFields(["content-type": "text/plain; version=0.0.4; charset=utf-8"])
    private static let json = ResponseFields(["content-type": "application/json"])
    private static let plain = ResponseFields(["content-type": "text/plain; charset=utf-8"])

    init(_ status: PipelineStatus) { self.status = status }

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
        } else {
            responder.respond(
                404, Self.plain,
                body: Array("nothing is here; there are /metrics, /livez, /readyz and /api/v1/drops\n".utf8))
        }
    }
}
