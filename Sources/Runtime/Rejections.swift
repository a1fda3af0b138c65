internal import Engine

/// Rejected promises that have no handler yet. One that still has none when the microtasks have run is an uncaught error.
struct Rejections {
    private var waiting: [(promise: UInt64, reason: Value)] = []

    mutating func add(_ promise: UInt64, reason: Value) { waiting.append((promise, reason)) }

    mutating func remove(_ promise: UInt64) {
        // Nearly always the last, if it is there at all.
        if let index = waiting.lastIndex(where: { $0.promise == promise }) { waiting.remove(at: index) }
    }

    var isEmpty: Bool { waiting.isEmpty }

    /// The oldest.
    mutating func takeFirst() -> Value? { waiting.isEmpty ? nil : waiting.removeFirst().reason }
}
