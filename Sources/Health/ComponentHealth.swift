// What is told of a component is not what was found last: a single failure of a check is mostly the check's. Between the two stand
//
//     findings ──thresholds──► level ──damping──► status
//
// thresholds: the level becomes worse when so many findings in a row were worse than it (and then as bad as the least of them), better when so many in a row
// were better (and then as good as the worst of them). Damping: a level that falls again and again is told as its worst until it has stayed up for a while.
//
// Until it is well for the first time a component is *starting*: it counts for startup and readiness, but not for liveness, until its time is over.

/// How many findings in a row it takes.
public struct HealthThresholds: Hashable, Sendable {
    public var failures: Int
    public var successes: Int
    /// How long it may take to come up, nanoseconds.
    public var startNanoseconds: UInt64
    /// See `FlapDamping`.
    public var halfLifeNanoseconds: UInt64?

    public init(failures: Int, successes: Int, startNanoseconds: UInt64, halfLifeNanoseconds: UInt64?) {
        precondition(failures > 0 && successes > 0, "thresholds of \(failures) and \(successes)")
        self.failures = failures
        self.successes = successes
        self.startNanoseconds = startNanoseconds
        self.halfLifeNanoseconds = halfLifeNanoseconds
    }
}

/// The state of one component. Pure: findings and time come in.
public struct ComponentHealth: Sendable {
    /// What is told.
    public private(set) var status = HealthStatus.fail
    public private(set) var reason = "starting"
    /// Since when the status is told. Unix nanoseconds.
    public private(set) var since: UInt64
    /// How often the status has changed.
    public private(set) var changes = 0
    /// Was never well so far.
    public private(set) var isStarting = true
    /// The last finding, and when it was made (Unix nanoseconds; 0: never).
    public private(set) var last = HealthFinding(.fail, "starting")
    public private(set) var lastTime: UInt64 = 0

    private var thresholds: HealthThresholds
    private let startsUntil: UInt64
    private var level = HealthStatus.fail
    private var levelReason = "starting"
    /// Findings in a row on one side of the level, and the one of them that is nearest to it.
    private var row = (count: 0, isWorse: false, nearest: HealthStatus.pass)
    private var damping: FlapDamping
    /// While damped: the worst level of that time.
    private var worst = HealthStatus.pass

    public init(_ thresholds: HealthThresholds, now: HealthTime) {
        self.thresholds = thresholds
        since = now.unix
        startsUntil = now.monotonic &+ thresholds.startNanoseconds
        damping = FlapDamping(halfLifeNanoseconds: thresholds.halfLifeNanoseconds)
    }

    public var isFlapping: Bool { damping.isHeld }

    /// Starting, and its time for that is not over.
    public func mayStillStart(now: UInt64) -> Bool { isStarting && now < startsUntil }

    // MARK: inputs

    /// Somebody has looked. True: the status has changed.
    @discardableResult
    public mutating func take(_ finding: HealthFinding, now: HealthTime) -> Bool {
        last = finding
        lastTime = now.unix
        if isStarting {
            guard finding.status != .fail else {
                levelReason = finding.reason.isEmpty ? "starting" : finding.reason
                return tell(now)
            }
            isStarting = false
            setLevel(finding.status, now)
        } else {
            count(finding, now)
        }
        // A reason is of the level that it goes with.
        if finding.status == level { levelReason = finding.reason }
        return tell(now)
    }

    /// Other thresholds, from now on.
    public mutating func adopt(_ next: HealthThresholds) {
        guard next != thresholds else { return }
        thresholds = next
        row.count = 0
        damping = FlapDamping(halfLifeNanoseconds: next.halfLifeNanoseconds)
    }

    /// Some time has gone by. True: the status has changed.
    @discardableResult
    public mutating func tick(now: HealthTime) -> Bool {
        damping.tick(now: now.monotonic)
        return tell(now)
    }

    // MARK: what it comes to

    private mutating func count(_ finding: HealthFinding, _ now: HealthTime) {
        guard finding.status != level else {
            row.count = 0
            return
        }
        let isWorse = finding.status > level
        if row.count == 0 || row.isWorse != isWorse {
            row = (0, isWorse, finding.status)
        }
        row.count += 1
        row.nearest = isWorse ? min(row.nearest, finding.status) : max(row.nearest, finding.status)
        guard row.count >= (isWorse ? thresholds.failures : thresholds.successes) else { return }
        levelReason = finding.reason
        setLevel(row.nearest, now)
    }

    private mutating func setLevel(_ next: HealthStatus, _ now: HealthTime) {
        row.count = 0
        let isWorse = next > level
        if isWorse { damping.fell(now: now.monotonic) }
        damping.tick(now: now.monotonic)
        // Of what it is held at: the levels from here on.
        worst = damping.isHeld ? max(worst, next) : .pass
        level = next
    }

    private mutating func tell(_ now: HealthTime) -> Bool {
        if !damping.isHeld { worst = .pass }
        let next = max(level, worst)
        reason =
            damping.isHeld
            ? HealthFinding.oneLine("flapping" + (levelReason.isEmpty ? "" : ": " + levelReason))
            : next == .pass ? "" : levelReason
        guard next != status else { return false }
        status = next
        since = now.unix
        changes += 1
        return true
    }
}
