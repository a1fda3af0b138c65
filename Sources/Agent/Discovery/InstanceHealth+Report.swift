internal import Discovery
internal import Health

extension InstanceHealth {
    /// What a registry is told. One that has just begun to serve is well until somebody has looked.
    init(_ report: HealthReport) {
        var report = report
        // What one registry does not take is of no interest to another.
        report.components.removeAll { $0.name.hasPrefix("registry/") }
        let status: Status =
            switch report.status {
            case .pass: .passing
            case .warn: .warning
            case .fail: report.isStarting ? .passing : .critical
            }
        self.init(status, report.line)
    }
}
