internal import Engine

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

    private var waiting: [Rejection] = []
    private var handledLate: [Value] = []
    /// A program that goes on making such promises is told of the first so many a turn.
    private static let handledLateMax = 4096

    mutating func add(_ rejection: Rejection) { waiting.append(rejection) }

    mutating func remove(_ id: UInt64, _ promise: Value) {
        // Nearly always the last, if it is there at all.
        if let index = waiting.lastIndex(where: { $0.id == id }) {
            waiting.remove(at: index)
        } else if handledLate.count < Self.handledLateMax {
            handledLate.append(promise)
        }
    }

    var isEmpty: Bool { waiting.isEmpty && handledLate.isEmpty }

    /// The oldest.
    mutating func takeFirst() -> Rejection? { waiting.isEmpty ? nil : waiting.removeFirst() }

    /// A promise that was told of as unhandled and has a handler now.
    mutating func takeHandled() -> Value? { handledLate.isEmpty ? nil : handledLate.removeFirst() }
}
