internal import Audit
internal import Linux
internal import Server
internal import Synchronization
internal import Telemetry

/// Puts on record who was refused at a door, and who changed something through one. Any thread.
final class DoorNotes: Sendable {
    /// Refusals that are put on record a second; the entry after says how many were not. All are counted by the server.
    static let refusalsPerSecondMax = 10

    private struct State {
        var second: UInt64 = 0
        var count = 0
        var skipped: Int64 = 0
    }

    private let trail: AuditTrail
    private let clock = LinuxClock()
    private let state = Mutex(State())

    init(_ trail: AuditTrail) { self.trail = trail }

    func refused(_ refused: DoorGuard.Refused) {
        let second = clock.monotonicNanoseconds() / 1_000_000_000
        let skipped: Int64? = state.withLock { state in
            if state.second != second { (state.second, state.count) = (second, 0) }
            guard state.count < Self.refusalsPerSecondMax else {
                state.skipped += 1
                return nil
            }
            state.count += 1
            defer { state.skipped = 0 }
            return state.skipped
        }
        guard let skipped else { return }
        var attributes: Attributes = [
            Attribute("client.address", .string(refused.peer))
        ]
        if let status = refused.status {
            attributes.append(Attribute("http.response.status_code", .int(Int64(status))))
        }
        if skipped > 0 { attributes.append(Attribute("sidelight.audit.skipped", .int(skipped))) }
        trail.note(
            AuditEvent(
                .admin, actor: refused.client ?? refused.peer, action: String(refused.method.prefix(32)),
                target: String(refused.path.prefix(256)), outcome: "refused", reason: refused.reason,
                attributes: attributes))
    }

    /// - Parameter client: The name of a token or a certificate; nil: nobody was asked.
    func changed(_ client: String?, peer: String, _ action: String, _ target: String) {
        trail.note(
            AuditEvent(
                .admin, actor: client ?? peer, action: action, target: target, outcome: "allowed",
                attributes: [Attribute("client.address", .string(peer))]))
    }
}
