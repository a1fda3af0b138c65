internal import Resources
internal import Server

/// `/api/v1/resources`: the machine, the agent's processes and its container as they were sampled last.
struct ResourcePages: AdminPages {
    /// Nil: nothing is sampled.
    let reading: ResourceReading?
    let paths = ["/api/v1/resources"]

    func answer(_ request: borrowing ServedRequest, _ responder: Responder) -> Bool {
        guard request.pathIs("/api/v1/resources") else { return false }
        guard AdminHandler.isReading(request, responder) else { return true }
        guard let reading else {
            AdminHandler.refuse(responder, 404, "resources are not sampled (resources: off)")
            return true
        }
        responder.respond(200, AdminHandler.json, body: ResourceJSON.bytes(reading.snapshot))
        return true
    }
}
