/// Whether workers are started again too often. Pure.
public struct RestartLoop: Hashable, Sendable {
    /// Of a window that are remembered at most.
    public static let countMax = 1_000

    /// What lies closer together than this part of the window is one entry.
    private static let entriesMax: UInt64 = 1_000

    private struct Entry: Hashable {
        var at: UInt64
        var count: Int
    }

    private let countLimit: Int
    private let windowNanoseconds: UInt64
    /// Restarts within the window, the oldest first.
    private var entries: [Entry] = []
    private var total: Int?

    /// - Parameter countLimit: so many restarts within the window are a loop; at most `countMax`.
    public init(countLimit: Int, windowNanoseconds: UInt64) {
        precondition((1...Self.countMax).contains(countLimit), "a loop of \(countLimit) restarts")
        self.countLimit = countLimit
        self.windowNanoseconds = windowNanoseconds
    }

    /// - Parameters:
    ///   - restarts: how many there were ever.
    ///   - lastReason: what the last of them was for; empty where that is not known.
    public mutating func take(restarts: Int, lastReason: String, now: UInt64) -> HealthFinding {
        // The first look sees those of before it was there, which may be long ago.
        let fresh = min(max(0, restarts - (total ?? restarts)), Int(UInt32.max))
        total = restarts
        if fresh > 0 {
            if let last = entries.last, now &- last.at < windowNanoseconds / Self.entriesMax {
                entries[entries.count - 1].count += fresh
            } else {
                entries.append(Entry(at: now, count: fresh))
            }
        }
        entries.removeFirst(entries.prefix { now &- $0.at >= windowNanoseconds }.count)
        let count = entries.reduce(0) { $0 + $1.count }
        guard count >= countLimit else { return HealthFinding(.pass, value: Double(count)) }
        let seconds = windowNanoseconds / 1_000_000_000
        return HealthFinding(
            .fail,
            "restart loop: started again \(count) times within \(seconds) s"
                + (lastReason.isEmpty ? "" : ", last for \(lastReason)"), value: Double(count))
    }
}
