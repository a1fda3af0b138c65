internal import Audit
internal import Telemetry

extension WorkerOutcome {
    /// What the audit log says of an end that the fence or a limit brought about; nil: it was another.
    /// - Parameter actor: The worker.
    func auditEvent(of actor: String) -> AuditEvent? {
        guard let death else { return nil }
        if let call = death.refusedCall {
            return AuditEvent(
                .violation, actor: actor, action: "syscall", target: call, outcome: WorkloadOutcome.refused.label,
                reason: death.reason)
        }
        guard let limit = death.limit else { return nil }
        return AuditEvent(
            .limit, actor: actor, action: "exceed", target: limit.name, outcome: limit.outcome.label,
            reason: death.reason)
    }
}
