internal import Audit
internal import Linux
internal import Server
internal import Synchronization
internal import Telemetry

/// Puts on record who was refused at a door, and who changed something through one. Any thread.
final class DoorNotes: Sendable {
    /// Refusals that are put on record a second; the entry after says how many were not. All are counted by the server.
    static let refusalsPerSecondMax = 10

    private let trail: AuditTrail
    private let clock = LinuxClock()
    private let pace: Mutex<AuditPace>

    init(_ trail: AuditTrail) {
        self.trail = trail
        pace = Mutex(
            AuditPace(
                burst: Self.refusalsPerSecondMax, perSecond: Self.refusalsPerSecondMax,
                now: clock.monotonicNanoseconds()))
    }

    func refused(_ refused: DoorGuard.Refused) {
        let now = clock.monotonicNanoseconds()
        guard let more = pace.withLock({ $0.take(now: now) }) else { return }
        var attributes: Attributes = [Attribute("client.address", .string(refused.peer))]
        if let status = refused.status {
            attributes.append(Attribute("http.response.status_code", .int(Int64(status))))
        }
        trail.note(
            AuditEvent(
                .admin, actor: refused.client ?? refused.peer, action: String(refused.method.prefix(32)),
                target: String(refused.path.prefix(256)), outcome: "refused", reason: refused.reason,
                attributes: attributes + more))
    }

    /// - Parameter client: The name of a token or a certificate; nil: nobody was asked.
    func changed(_ client: String?, peer: String, _ action: String, _ target: String) {
        trail.note(
            AuditEvent(
                .admin, actor: client ?? peer, action: action, target: target, outcome: "allowed",
                attributes: [Attribute("client.address", .string(peer))]))
    }
}
