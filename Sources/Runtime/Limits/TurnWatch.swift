// CPU time of what runs, seen from outside of its thread. The thread's CPU clock can be read by anyone, but nobody has read it when the turn began: that would
// cost each turn a system call. So what counts is what the clock has moved since the watchdog first saw the turn: never more than the turn has used, however many
// processes share the processors, and less by at most the time between two looks.

/// What a stretch of running has used at least.
struct StretchWatch {
    private var since = 0.0
    private var clock = 0.0

    /// - Parameters:
    ///   - since: when it began, which tells one from another.
    ///   - cpu: its thread's CPU clock now. Any unit, as the result.
    mutating func used(since: Double, cpu: Double) -> Double {
        if since != self.since {
            self.since = since
            clock = cpu
        }
        return max(0, cpu - clock)
    }
}

/// Of one isolate's turns. The watchdog's thread.
struct TurnWatch {
    private var turn = StretchWatch()
    private var owned = StretchWatch()

    /// What the turn that runs has exceeded.
    /// - Parameters:
    ///   - now: ring time, nanoseconds.
    ///   - cpu: CPU clock of its thread, nanoseconds.
    mutating func look(
        _ running: TurnClock.Running, _ limits: WatchdogLimits, now: Double, cpu: Double
    ) -> Outcome? {
        let milliseconds = (now - running.since) / 1e6
        if let limit = limits.loopBlockMilliseconds, milliseconds > limit {
            return .limit(.loopBlock(milliseconds: limit))
        }
        if let limit = limits.requestWallMilliseconds, milliseconds > limit {
            return .limit(.wall(milliseconds: limit))
        }
        guard let limit = limits.requestCPUMilliseconds else { return nil }
        let used = max(
            turn.used(since: running.since, cpu: cpu),
            running.spent + owned.used(since: running.ownedSince, cpu: cpu))
        return used / 1e6 > limit ? .limit(.cpu(milliseconds: limit)) : nil
    }
}

/// CPU time of a thread in any stretch of so long.
struct CPUWindowWatch {
    /// Readings kept of one window.
    static let steps = 20

    struct Limit: Hashable, Sendable {
        /// Of one processor.
        var percent: Double
        var milliseconds: Double

        /// How often to look at it. Milliseconds.
        var stepMilliseconds: Double { milliseconds / Double(CPUWindowWatch.steps) }
    }

    let limit: Limit
    private var readings: [(time: Double, cpu: Double)] = []

    init(_ limit: Limit) { self.limit = limit }

    /// Whether more was used since some time within the window. Milliseconds, both.
    mutating func isExceeded(now: Double, cpu: Double) -> Bool {
        let first = readings.firstIndex { now - $0.time <= limit.milliseconds } ?? readings.endIndex
        readings.removeFirst(first)
        if readings.last.map({ now - $0.time >= limit.stepMilliseconds }) ?? true { readings.append((now, cpu)) }
        return cpu - readings[0].cpu > limit.milliseconds * limit.percent / 100
    }
}

/// Of the turns of child isolates. The watchdog's thread.
struct ChildWatches {
    private var watches: [Int: TurnWatch] = [:]

    mutating func look(
        _ child: Int, _ running: TurnClock.Running, _ limits: WatchdogLimits, now: Double, cpu: Double
    ) -> Outcome? {
        // Numbers of children only grow: those that ended go once there are many.
        if watches.count > 1_024 { watches = [:] }
        return watches[child, default: TurnWatch()].look(running, limits, now: now, cpu: cpu)
    }
}
