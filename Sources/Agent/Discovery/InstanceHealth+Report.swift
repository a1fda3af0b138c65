internal import Discovery
internal import Health

extension InstanceHealth {
    /// What a registry is told. One that has just begun to serve is well until somebody has looked.
    init(_ report: HealthReport) {
        let status: Status =
            switch report.status {
            case .pass: .passing
            case .warn: .warning
            case .fail: report.isStarting ? .passing : .critical
            }
        self.init(status, report.line)
    }
}
