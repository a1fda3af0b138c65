/// Whether workers are started again too often. Pure.
public struct RestartLoop: Hashable, Sendable {
    /// Of a window that are remembered at most.
    public static let countMax = 1_000

    private let countLimit: Int
    private let windowNanoseconds: UInt64
    /// Times of restarts, the oldest first; as many as make a loop, and no more.
    private var times: [UInt64] = []
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
        let fresh = min(max(0, restarts - (total ?? restarts)), countLimit)
        total = restarts
        times.append(contentsOf: repeatElement(now, count: fresh))
        if times.count > countLimit { times.removeFirst(times.count - countLimit) }
        times.removeFirst(times.prefix { now &- $0 >= windowNanoseconds }.count)
        guard times.count >= countLimit else { return HealthFinding(.pass, value: Double(times.count)) }
        let seconds = windowNanoseconds / 1_000_000_000
        return HealthFinding(
            .fail,
            "restart loop: started again \(countLimit) times or more within \(seconds) s"
                + (lastReason.isEmpty ? "" : ", last for \(lastReason)"), value: Double(times.count))
    }
}
