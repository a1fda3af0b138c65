// When the agent looks into the ring, and when what it took is handed on.
//
// Asleep, the producer wakes it by the first byte. From then on it comes back by itself every 25 ms, and the producer need not
// wake it (a system call on the JavaScript thread) unless a quarter of the ring fills before; a pause that brings nothing puts it
// to sleep. So a paced load costs at most 40 wake-ups a second, an idle one none.

/// Pure; times are monotonic nanoseconds.
struct DrainSchedule {
    static let pauseNanoseconds: UInt64 = 25_000_000
    /// On x86 the producer publishes with a plain store (18_ring.js), so in a window of nanoseconds it can miss that the agent went to sleep.
    /// Then its record waits no longer than this.
    static let asleepNanosecondsMax: UInt64 = 250_000_000
    /// What was taken is handed on when it is this old,
    static let ageNanosecondsMax: UInt64 = 100_000_000
    /// or this big: a row of the store, so that it takes the batch as it is, and so little that whoever handles it next finds it in the
    /// second-level cache.
    static let bytesMax = 256 << 10

    private let ringCapacity: Int
    private var isAwake = false
    /// When the oldest item not yet handed on was taken.
    private var pendingSince: UInt64?

    init(ringCapacity: Int) { self.ringCapacity = ringCapacity }

    /// The ring was read until nothing was there, or a chunk was taken of more.
    mutating func drained(bytes: Int, pendingItems: Int, now: UInt64) {
        isAwake = bytes > 0
        if pendingItems == 0 { pendingSince = nil } else if pendingSince == nil { pendingSince = now }
    }

    /// Whether what was taken is due.
    func isDue(pendingBytes: Int, now: UInt64) -> Bool {
        guard let pendingSince else { return false }
        return pendingBytes >= Self.bytesMax || now >= pendingSince + Self.ageNanosecondsMax
    }

    mutating func handedOn() { pendingSince = nil }

    /// Bytes after which the producer is to wake the agent.
    var wakeAfterBytes: Int { isAwake ? ringCapacity / 4 : 1 }

    /// How long to sleep if nobody wakes the agent.
    func sleepNanoseconds(now: UInt64) -> UInt64 {
        let untilDue = pendingSince.map { $0 + Self.ageNanosecondsMax > now ? $0 + Self.ageNanosecondsMax - now : 0 }
        return min(isAwake ? Self.pauseNanoseconds : Self.asleepNanosecondsMax, untilDue ?? .max)
    }
}
