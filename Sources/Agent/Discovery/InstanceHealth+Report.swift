internal import Discovery
internal import Health

extension InstanceHealth {
    /// What a registry is told. One that has just begun to serve is well until somebody has looked.
    init(_ report: HealthReport) {
        var report = report
        // Who asks a registry leaves those with a warning out: a backend that is away, or another registry, is no reason to send a workload nothing.
        report.components.removeAll { $0.probes.isDisjoint(with: [.readiness, .liveness]) }
        let status: Status =
            switch report.status {
            case .pass: .passing
            case .warn: .warning
            case .fail: report.isStarting ? .passing : .critical
            }
        self.init(status, report.line)
    }
}
