internal import Logs
internal import Telemetry

/// What was made of files' lines since the last mark: kept as a whole, together with the places up to which the files are read then. Handed from the thread that reads
/// to the server's, and back when it is refused.
final class LogDelivery: @unchecked Sendable {
    // @unchecked: has one owner at a time.

    /// What one queue, or several, are to have: one entry in each, so that a queue has all of it or nothing.
    struct Portion {
        var items: Int
        var payload: [UInt8]
        var batches: [Batch]
        /// Places in `EntryTakers.all` of those that do not have it yet.
        var takers: [Int]
    }

    /// What the processors left of it.
    struct Prepared {
        /// Of the plan that it was made for.
        var planNumber: Int
        var portions: [Portion]
        /// For the store and those who follow the logs.
        var stored: [Batch]
    }

    /// By receiver.
    let parts: [(receiver: String, batches: [Batch])]
    /// Nil: no place has changed, or it is of no files.
    let mark: TailMark?
    let items: Int
    /// Of the batches.
    let bytes: Int
    /// Once the processors had it: they count what they drop, and must not do so again when it is refused and comes anew.
    var prepared: Prepared?
    /// Queues that have it, when others could not write.
    var done: Set<String> = []

    init(_ parts: [(receiver: String, batches: [Batch])], _ mark: TailMark?) {
        self.parts = parts
        self.mark = mark
        items = parts.reduce(0) { $0 + $1.batches.reduce(0) { $0 + $1.items.count } }
        bytes = parts.reduce(0) { $0 + $1.batches.reduce(0) { $0 + $1.bytes.count } }
    }
}

/// What became of a delivery.
enum LogReceipt: Sendable, Equatable {
    case taken
    /// Nothing of it is lost: it has to come again.
    case refused(Reason)

    enum Reason: Sendable, Equatable {
        case full
        /// The store has as much to write as it may: in a moment it has room.
        case storeBehind
        /// A queue could not write; the system's words.
        case failed(String)
    }
}
