/// Whether an event loop turns, by how often it says so. Pure.
public struct LoopWatch: Hashable, Sendable {
    private let stallNanoseconds: UInt64
    /// Between two looks, no more than this counts: who was stopped itself knows nothing of the time in between. Nanoseconds.
    private static let stepNanosecondsMax: UInt64 = 3_000_000_000

    private var beats: UInt64?
    private var lookedAt: UInt64 = 0
    private var still: UInt64 = 0

    /// - Parameter stallNanoseconds: how long a loop may stand still before that is a failure; half of it is a warning.
    public init(stallNanoseconds: UInt64) { self.stallNanoseconds = stallNanoseconds }

    /// - Parameter beats: a number that grows while the loop turns.
    public mutating func take(beats next: UInt64, now: UInt64) -> HealthFinding {
        still = next == beats && now > lookedAt ? still + min(now - lookedAt, Self.stepNanosecondsMax) : 0
        (beats, lookedAt) = (next, now)
        let seconds = Double(still / 1_000_000) / 1_000
        guard still > stallNanoseconds / 2 else { return HealthFinding(.pass, value: seconds) }
        return HealthFinding(
            still > stallNanoseconds ? .fail : .warn, "the event loop has not turned for \(seconds) s", value: seconds)
    }
}

/// Of several that do the same work: it fails when all do, and warns when any does, in the words of the worst.
public struct SharedFinding {
    private var count = 0
    private var failed = 0
    private var worst: HealthFinding?

    public init() {}

    /// - Parameter name: of the one that was looked at.
    public mutating func add(_ finding: HealthFinding, of name: String) {
        count += 1
        if finding.status == .fail { failed += 1 }
        guard let worst, finding.status < worst.status || (finding.status == worst.status && !isBeyond(finding, worst))
        else {
            worst = HealthFinding(
                finding.status, finding.reason.isEmpty ? "" : "\(name): \(finding.reason)", value: finding.value)
            return
        }
    }

    private func isBeyond(_ finding: HealthFinding, _ other: HealthFinding) -> Bool {
        (finding.value ?? 0) > (other.value ?? 0)
    }

    /// Nil: there were none.
    public var finding: HealthFinding? {
        guard var finding = worst else { return nil }
        if finding.status == .fail, failed < count { finding.status = .warn }
        return finding
    }
}
