internal import System

/// A body that comes in parts. What its array may hold is taken from the budget before the array grows.
struct BodyCollector {
    /// Bytes reserved at once when the length is known; a client that sends nothing holds no more than this.
    static let reservedAtOnceMax = 256 * 1024
    private static let capacityMin = 4 * 1024

    private(set) var bytes: [UInt8] = []
    private var charged = 0

    var count: Int { bytes.count }

    /// Bytes that fit without growing.
    var room: Int { charged - bytes.count }

    /// False, and nothing changes: the budget has no room.
    /// - Parameter expected: bytes of the whole body where that is known.
    mutating func append(_ piece: UnsafeRawBufferPointer, expected: Int?, _ budget: MemoryBudget) -> Bool {
        guard reserve(piece.count, expected: expected, budget) else { return false }
        bytes.append(contentsOf: piece)
        return true
    }

    /// Makes room for so many more bytes.
    mutating func reserve(_ more: Int, expected: Int?, _ budget: MemoryBudget) -> Bool {
        let needed = bytes.count + more
        guard needed > charged else { return true }
        var wanted = max(needed, charged * 2, Self.capacityMin)
        if let expected {
            wanted = max(needed, charged == 0 ? min(expected, Self.reservedAtOnceMax) : min(expected, wanted))
        }
        // The array that is copied from lives as long as the copying takes.
        guard budget.take(wanted) else { return false }
        bytes.reserveCapacity(wanted)
        budget.giveBack(charged)
        charged = wanted
        return true
    }

    /// Lets `fill` write behind the end, into at most `room` bytes; it returns how many it wrote, or what it could not do.
    mutating func fill(_ count: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
        var result = 0
        bytes.append(addingCapacity: min(count, room)) { span in
            span.withUnsafeMutableBufferPointer { buffer, filled in
                result = fill(UnsafeMutableRawBufferPointer(buffer))
                filled = max(0, result)
            }
        }
        return result
    }

    /// Forgets the bytes.
    mutating func release(_ budget: MemoryBudget) {
        guard charged > 0 else { return }
        bytes = []
        budget.giveBack(charged)
        charged = 0
    }
}
