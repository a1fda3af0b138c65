import Synchronization

/// Bytes of memory that the agent's queues, bodies and windows may take together. Who wants to hold something takes its bytes first and gives them back
/// after; who gets none answers "full", spills to disk, or waits. Any thread.
public final class MemoryBudget: Sendable {
    /// 64 MiB.
    public static let defaultBytes = 64 << 20

    public let bytesMax: Int
    private let taken = Atomic<Int>(0)

    public init(bytesMax: Int = MemoryBudget.defaultBytes) { self.bytesMax = bytesMax }

    /// Bytes taken at the moment.
    public var used: Int { taken.load(ordering: .relaxed) }

    /// False, and nothing is taken, when there is no room. A single request of more than the whole budget is refused too.
    public func take(_ bytes: Int) -> Bool {
        precondition(bytes >= 0, "\(bytes) bytes")
        var now = taken.load(ordering: .relaxed)
        while true {
            guard bytes <= bytesMax - now else { return false }
            let (exchanged, original) = taken.compareExchange(
                expected: now, desired: now + bytes, ordering: .relaxed)
            if exchanged { return true }
            now = original
        }
    }

    /// Gives back what `take` gave.
    public func giveBack(_ bytes: Int) {
        let before = taken.wrappingAdd(-bytes, ordering: .relaxed).oldValue
        precondition(bytes >= 0 && before >= bytes, "\(bytes) bytes given back of \(before)")
    }
}
