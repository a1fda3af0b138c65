internal import Server
internal import Store
internal import Telemetry
internal import Wire

/// `/api/v1/findings`: the latest of what a policy has refused and of limits that were reached, the latest last. `/api/v1/policy`: the policy in force, or while it is audited the one
/// that would allow what was done.
struct FindingPages: AdminPages {
    let findings: FindingBoard
    let paths = ["/api/v1/findings", "/api/v1/policy"]

    private static let yaml = ResponseFields(["content-type": "application/yaml; charset=utf-8"])

    func answer(_ request: borrowing ServedRequest, _ responder: Responder) -> Bool {
        if request.pathIs("/api/v1/policy") {
            guard AdminHandler.isReading(request, responder) else { return true }
            responder.respond(200, Self.yaml, body: Array(findings.policyFile.utf8))
            return true
        }
        guard request.pathIs("/api/v1/findings") else { return false }
        guard AdminHandler.isReading(request, responder) else { return true }
        var kind: Finding.Kind?
        var countMax = FindingBoard.keptMax
        for field in request.queryFields {
            if field.name == "kind", let value = Finding.Kind(rawValue: field.value) {
                kind = value
            } else if field.name == "limit", let value = Int(field.value), (1...FindingBoard.keptMax).contains(value) {
                countMax = value
            } else {
                let kinds = Finding.Kind.allCases.map(\.rawValue).joined(separator: "|")
                AdminHandler.refuse(responder, field, "kind=\(kinds) and limit=1…\(FindingBoard.keptMax)")
                return true
            }
        }
        let (total, latest) = findings.latest(kind, countMax: countMax)
        let texts = latest.map { TelemetryJSON.text($0) }.joined(separator: ",")
        responder.respond(200, AdminHandler.json, body: Array("{\"total\":\(total),\"findings\":[\(texts)]}".utf8))
        return true
    }
}
