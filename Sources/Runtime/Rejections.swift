internal import Engine
internal import NIOCore

/// Rejected promises that have no handler yet. One that still has none when the microtasks have run is an uncaught error; one that gets its handler
/// later is told of again. <https://html.spec.whatwg.org/#unhandled-promise-rejections>
struct Rejections {
    struct Rejection {
        let id: UInt64
        let promise: Value
        let reason: Value
        /// The tracing context it was rejected in.
        let context: Value?
    }

    /// One whose promise got a handler in time is empty.
    private struct Slot {
        let id: UInt64
        var rejection: Rejection?
    }

    /// By id, which grows. The last is never empty.
    private var slots = CircularBuffer<Slot>()
    private var handledLate = CircularBuffer<Value>()
    /// A program that goes on making such promises is told of the first so many a turn.
    private static let handledLateMax = 4096

    mutating func add(_ rejection: Rejection) { slots.append(Slot(id: rejection.id, rejection: rejection)) }

    mutating func remove(_ id: UInt64, _ promise: Value) {
        if let index = index(of: id) {
            slots[index].rejection = nil
            while let last = slots.last, last.rejection == nil { slots.removeLast() }
        } else if handledLate.count < Self.handledLateMax {
            handledLate.append(promise)
        }
    }

    /// Nearly always the last, if it is there at all; but of a thousand promises that are handled in the order in which they were rejected, none is.
    private func index(of id: UInt64) -> CircularBuffer<Slot>.Index? {
        var (low, high) = (0, slots.count)
        if let last = slots.last, last.id == id { low = high - 1 }
        while low < high {
            let middle = (low + high) / 2
            if slots[offset: middle].id < id { low = middle + 1 } else { high = middle }
        }
        guard low < slots.count, slots[offset: low].id == id, slots[offset: low].rejection != nil else { return nil }
        return slots.index(slots.startIndex, offsetBy: low)
    }

    var isEmpty: Bool { slots.isEmpty && handledLate.isEmpty }

    /// The oldest.
    mutating func takeFirst() -> Rejection? {
        while let slot = slots.popFirst() { if let rejection = slot.rejection { return rejection } }
        return nil
    }

    /// A promise that was told of as unhandled and has a handler now.
    mutating func takeHandled() -> Value? { handledLate.popFirst() }
}
