internal import Linux

/// Something that the main thread looks after beside its own work: it wants to be called in time. Main thread.
protocol Duty: AnyObject {
    /// When `tick` is to be called at the latest, nanoseconds of CLOCK_MONOTONIC; `.max`: when somebody wakes the main thread.
    var timer: UInt64 { get }
    /// The time has come, or somebody has woken the main thread, be it for another duty. Must not block: a worker's ring waits meanwhile.
    func tick(now: UInt64)
}

/// What the main thread looks after. Main thread, but for `wake`.
final class Duties {
    /// Any thread signals it to have every duty called: a duty whose results come on other threads puts them where `tick` finds them, and signals.
    let wake: EventDescriptor
    private var duties: [any Duty] = []

    init() throws(SystemCallError) { wake = try EventDescriptor() }

    func add(_ duty: any Duty) { duties.append(duty) }

    /// When the first of them wants to be called, nanoseconds of CLOCK_MONOTONIC.
    var timer: UInt64 { duties.reduce(.max) { min($0, $1.timer) } }

    /// Calls those whose time has come.
    /// - Parameter isWoken: whether `wake` is readable: then all are called.
    func tick(now: UInt64, isWoken: Bool) {
        if isWoken { wake.clear() }
        for duty in duties where isWoken || duty.timer <= now { duty.tick(now: now) }
    }

    /// How long the main thread may sleep, nanoseconds.
    func sleepNanoseconds(now: UInt64) -> UInt64 {
        let timer = timer
        return timer > now ? timer - now : 0
    }
}
