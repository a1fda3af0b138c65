internal import Server

/// `/livez` and `/readyz`.
struct HealthPages: AdminPages {
    let paths = ["/livez", "/readyz"]

    func answer(_ request: borrowing ServedRequest, _ responder: Responder) -> Bool {
        guard request.pathIs("/livez") || request.pathIs("/readyz") else { return false }
        guard AdminHandler.isReading(request, responder) else { return true }
        responder.respond(200, AdminHandler.plain, body: Array("ok\n".utf8))
        return true
    }
}
