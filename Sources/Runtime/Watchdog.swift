// The one thread beside the isolate's: it takes SIGINT and SIGTERM, which must end even an endless loop, and enforces the limits on CPU and wall time.
// It sleeps in poll until one of them can be due, so a run without limits costs it nothing. Of a server it looks for stalls 25 times a second, and for
// limits as often as they want it (Limits/WatchdogLimits.swift).

internal import Glibc
internal import Linux
internal import Platform
internal import Telemetry
internal import Wire

struct Watchdog: Sendable {
    /// How long a stopped run may take to wind up before the process ends regardless.
    static let graceMilliseconds = 2_000.0
    /// How long a worker without its agent may take to finish what it has.
    static let orphanMilliseconds = 10_000.0
    /// How often a server's turns are looked at.
    static let stallMilliseconds = 40.0
    /// How often the CPU time of children is, which may begin at any time, when it is limited.
    static let childrenMilliseconds = 100.0

    let signals: SignalDescriptor
    let limits: WatchdogLimits
    /// CPU clock of the isolate's thread.
    let cpuClock: ThreadClock
    /// Gets a death note if the run does not wind up.
    let ring: RingMapping
    /// A first signal asks a server to finish what it has; whether another serves in its place. False: it does not serve yet, so there is nothing
    /// to wait for. Nil: every signal stops.
    let drain: (@Sendable (_ isFollowed: Bool) -> Bool)?
    /// Limits hold for each of them, too; who exceeds one ends alone.
    let children: ChildIsolates
    /// What other threads do for the isolate counts as its own.
    let crypto: CryptoUsage
    /// Of a server; nil: nobody wants to know of stalls.
    var turns: TurnClock?
    /// Called when a turn has run longer than `TurnMonitor.stallMin`, once for each.
    var stalled: @Sendable () -> Void = {}
    /// Called when a turn has run longer than so many milliseconds (at least those of a stall), once for each.
    var slowMilliseconds: Double?
    var slow: @Sendable () -> Void = {}
    /// Called while something runs, as often as `WatchdogLimits.memoryMilliseconds` says: has the isolate look at its memory.
    var lookAtMemory: @Sendable () -> Void = {}
    /// Nil: nobody limits it.
    var resident: ResidentMemory?
    /// Answers what is in flight when the isolate's thread does not come back. Any thread: that one is stuck.
    var lastResort: @Sendable (Outcome) -> Void = { _ in }
    /// Where the agent's commands come from, and who carries them out.
    var control: LocalConnection?
    var command: @Sendable (ControlCommand) -> Void = { _ in }
    /// Terminates execution and wakes the event loop.
    let stop: @Sendable (Outcome) -> Void

    /// Starts the thread. It lives as long as the process.
    func start() {
        var thread = pthread_t()
        let box = Unmanaged.passRetained(Box(self))
        let code = pthread_create(
            &thread, nil,
            { context in
                Unmanaged<Box>.fromOpaque(context!).takeRetainedValue().watchdog.watch()
            }, box.toOpaque())
        precondition(code == 0, "no thread for the watchdog: \(code)")
        pthread_detach(thread)
    }

    private final class Box: Sendable {
        let watchdog: Watchdog
        init(_ watchdog: Watchdog) { self.watchdog = watchdog }
    }

    private func watch() -> Never {
        let start = (wall: Self.milliseconds(CLOCK_MONOTONIC), cpu: cpuClock.milliseconds)
        var poller = Poller([signals.fileDescriptor, control?.fileDescriptor ?? -1])
        var isDraining = false
        var isFollowed = false
        var orphanedAt: Double?
        var toldStall: Double?
        var toldSlow: Double?
        var residentAt = -Double.infinity
        var turnWatch = TurnWatch()
        var childWatches = ChildWatches()
        var window = limits.window.map(CPUWindowWatch.init)
        while true {
            let wait = remaining(since: start)
            if let wait, wait.milliseconds <= 0 { end(wait.outcome) }
            let stallWait = min(limits.lookMilliseconds, turns == nil ? .infinity : Self.stallMilliseconds)
            let orphanWait =
                orphanedAt.map { $0 + Self.orphanMilliseconds - Self.milliseconds(CLOCK_MONOTONIC) } ?? .infinity
            if orphanWait <= 0 { end(.interrupted(signal: SIGTERM)) }
            let childWait = limits.cpuMilliseconds == nil ? .infinity : Self.childrenMilliseconds
            let milliseconds = min(wait?.pause ?? .infinity, stallWait, childWait, orphanWait)
            try? poller.wait(nanoseconds: milliseconds.isFinite ? UInt64(milliseconds * 1e6) : nil)
            let now = Self.milliseconds(CLOCK_MONOTONIC) * 1e6 - ring.monotonicBase
            children.enforce(limits, &childWatches, now: now)
            if window?.isExceeded(now: now / 1e6, cpu: cpuMilliseconds) == true, let limit = limits.window {
                end(.limit(.cpuWindow(percent: limit.percent, milliseconds: limit.milliseconds)))
            }
            if let outcome = limits.exceeded(by: crypto) { end(outcome) }
            if limits.memoryBytes != nil { lookAtMemory() }
            if let limit = limits.residentBytes, now - residentAt >= WatchdogLimits.residentMilliseconds * 1e6 {
                residentAt = now
                if let bytes = resident?.bytes, bytes > limit { end(.limit(.resident(bytes: limit))) }
            }
            if let running = turns?.running,
                let outcome = turnWatch.look(running, limits, now: now, cpu: Double(cpuClock.nanoseconds))
            {
                end(outcome)
            }
            if let running = turns?.runningSince {
                let nanoseconds = now - running
                if nanoseconds > TurnMonitor.stallMin, running != toldStall {
                    toldStall = running
                    stalled()
                }
                if let slowMilliseconds, nanoseconds > slowMilliseconds * 1e6, running != toldSlow {
                    toldSlow = running
                    slow()
                }
            }
            if let control, poller.isReady(1) {
                if let bytes = control.receive(exactly: ControlCommand.byteCount), let asked = ControlCommand(bytes) {
                    if asked == .followed { isFollowed = true } else { command(asked) }
                } else {
                    // The agent is gone: nobody is left to end a server that hangs.
                    poller.ignore(1)
                    orphanedAt = Self.milliseconds(CLOCK_MONOTONIC)
                    if drain?(false) == false { end(.interrupted(signal: SIGTERM)) }
                }
            }
            // Only what was there before the control stream was looked at: what the agent has said there belongs to it.
            guard poller.isReady(0), let signal = signals.next() else { continue }
            guard let drain, !isDraining, drain(isFollowed) else { end(.interrupted(signal: signal.number)) }
            isDraining = true
        }
    }

    /// CPU time of the isolate's thread, and of others on its jobs.
    private var cpuMilliseconds: Double { cpuClock.milliseconds + crypto.now.total / 1e6 }

    /// Time to the nearest limit, and how long it need not be looked at: CPU time passes no faster than time on each of the threads.
    private func remaining(
        since start: (wall: Double, cpu: Double)
    ) -> (milliseconds: Double, pause: Double, outcome: Outcome)? {
        var nearest: (milliseconds: Double, pause: Double, outcome: Outcome)?
        if let limit = limits.wallMilliseconds {
            let left = start.wall + limit - Self.milliseconds(CLOCK_MONOTONIC)
            nearest = (left, left, .limit(.wall(milliseconds: limit)))
        }
        if let limit = limits.cpuMilliseconds {
            let left = start.cpu + limit - cpuMilliseconds
            let pause = max(min(left, 1), left / Double(1 + CryptoUsage.threadsMax))
            if pause < nearest?.pause ?? .infinity { nearest = (left, pause, .limit(.cpu(milliseconds: limit))) }
        }
        return nearest
    }

    private func end(_ outcome: Outcome) -> Never {
        stop(outcome)
        var poller = Poller([])
        try? poller.wait(nanoseconds: UInt64(Self.graceMilliseconds * 1e6))
        if let note = outcome.deathNote(serves: false, failure: nil) { ring.leave(note.code, note.text) }
        lastResort(outcome)
        _exit(outcome.exitCode)
    }

    static func milliseconds(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) / 1e6
    }
}
