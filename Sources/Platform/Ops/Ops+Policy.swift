internal import Engine

extension PlatformOps {
    /// countFinding(kind, name): what 27_findings.js has found, whether or not it is told.
    static let policy = [
        Op("countFinding") {
            let call = OpCall($0, $1)
            call.platform.host.countFinding(call.string(0), call.string(1))
        }
    ]
}
