/// How a limit, or the policy, ended or changed a request or a run: `sidelight.outcome`. docs/limits.md. The raw value is that of the board.
public enum WorkloadOutcome: UInt8, CaseIterable, Sendable {
    case exceededCpu = 1, exceededMemory, exceededWall, exceededStack, exceededSubrequests, exceededRequests,
        exceededTimers, exceededSockets, exceededResponse, exceededPromises, exceededLoopBlock
    /// By the policy.
    case refused
    /// In flight when its isolate was replaced for another's doing.
    case replaced

    /// Of spans.
    public static let attribute = "sidelight.outcome"

    /// Value of the attribute.
    public var label: String { "\(self)" }
}
