internal import Platform
internal import Synchronization

/// What the watchdog's thread may see of the turns: the isolate's writes, the watchdog's reads.
final class TurnClock: Sendable {
    struct Running: Hashable {
        /// Ring time at which the turn began. Nanoseconds.
        var since: Double
        /// Ring time since which it runs for one and the same request, or for none.
        var ownedSince: Double
        /// CPU time that the request had used before that. Nanoseconds.
        var spent: Double
    }

    /// What is done for the isolate outside of its turns.
    let crypto = CryptoUsage()
    private let start = Atomic<UInt64>(0)
    private let ownedSince = Atomic<UInt64>(0)
    private let spent = Atomic<UInt64>(0)

    @inline(__always)
    func began(_ time: Double, spent: Double) {
        goesOn(time, spent: spent)
        start.store(time.bitPattern, ordering: .releasing)
    }

    /// For another request.
    @inline(__always)
    func goesOn(_ time: Double, spent: Double) {
        // Never the new owner's time with the old one's sum: a reader that comes in between finds no owner.
        ownedSince.store(0, ordering: .releasing)
        self.spent.store(spent.bitPattern, ordering: .releasing)
        ownedSince.store(time.bitPattern, ordering: .releasing)
    }

    @inline(__always)
    func ended() { start.store(0, ordering: .releasing) }

    /// Nil: no turn runs, or it just changes hands.
    var running: Running? {
        let since = start.load(ordering: .acquiring)
        let owned = ownedSince.load(ordering: .acquiring)
        let spent = spent.load(ordering: .acquiring)
        guard since != 0, owned != 0, owned == ownedSince.load(ordering: .acquiring),
            since == start.load(ordering: .acquiring)
        else { return nil }
        return Running(
            since: Double(bitPattern: since), ownedSince: Double(bitPattern: owned), spent: Double(bitPattern: spent))
    }

    /// Ring time at which the turn that runs began; nil: none runs.
    var runningSince: Double? {
        let bits = start.load(ordering: .acquiring)
        return bits == 0 ? nil : Double(bitPattern: bits)
    }
}
