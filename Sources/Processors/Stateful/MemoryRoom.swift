internal import System

/// What one processor may hold, in bytes, of which the agent's budget has to have as much.
final class MemoryRoom {
    let bytesMax: Int
    private(set) var used = 0
    private let budget: MemoryBudget?
    /// Of `used`, what the budget had no room for.
    private var unasked = 0

    init(bytesMax: Int, budget: MemoryBudget?) {
        self.bytesMax = bytesMax
        self.budget = budget
    }

    deinit { budget?.giveBack(used - unasked) }

    /// False, and nothing is taken, when there is no room.
    func take(_ bytes: Int) -> Bool {
        guard bytes <= bytesMax - used, budget?.take(bytes) ?? true else { return false }
        used += bytes
        return true
    }

    /// For what has to be, whether there is room or not.
    func overdraw(_ bytes: Int) {
        used += bytes
        if let budget, !budget.take(bytes) { unasked += bytes }
    }

    /// More is used than there may be.
    var isOverdrawn: Bool { used > bytesMax }

    func giveBack(_ bytes: Int) {
        precondition(bytes <= used, "\(bytes) bytes given back of \(used)")
        used -= bytes
        let free = min(unasked, bytes)
        unasked -= free
        if bytes > free { budget?.giveBack(bytes - free) }
    }
}
