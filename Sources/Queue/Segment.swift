/// A file of entries in memory: where they stand, and which are done with. A segment takes new ones while it is the queue's active one, and is sealed afterwards.
final class Segment {
    /// The least sequence it may hold. No two segments of a queue have the same; a segment's entries have lesser sequences than the next one's number.
    let number: UInt64
    let salt: UInt64
    /// Committed.
    var bytes = 0
    /// Of the sidecar; 0: there is none, or none that can be used.
    var sidecarBytes = 0
    /// There is a file of its name, be it of no use.
    var hasSidecar = false
    /// By sequence.
    private(set) var entries: [Entry] = []
    private(set) var unacknowledged = 0
    /// Of the unacknowledged: those the owner is working on.
    private(set) var handedOut = 0
    /// No entry before it is unacknowledged.
    private var firstOpen = 0
    /// Acknowledged sequences, less the number, that are in no file yet.
    var pending: [UInt32] = []
    /// Written to since the last sync.
    var isDirty = false
    var sidecarIsDirty = false

    init(number: UInt64, salt: UInt64) {
        self.number = number
        self.salt = salt
    }

    var name: String { QueueFormat.name(number, salt, QueueFormat.segmentSuffix) }
    var sidecarName: String { QueueFormat.name(number, salt, QueueFormat.sidecarSuffix) }
    var lastSequence: UInt64? { entries.last.map { number + UInt64($0.delta) } }

    func id(_ index: Int) -> QueueEntryID { QueueEntryID(sequence: number + UInt64(entries[index].delta)) }

    func append(_ entry: Entry) {
        entries.append(entry)
        if !entry.isAcknowledged { unacknowledged += 1 }
    }

    /// Where the entry is; nil when there is none.
    func index(of id: QueueEntryID) -> Int? {
        guard id.sequence >= number else { return nil }
        let index = lowerBound(id.sequence - number)
        return index < entries.count && UInt64(entries[index].delta) == id.sequence - number ? index : nil
    }

    /// The first unacknowledged entry whose sequence is greater; with nil, the first of all.
    func nextIndex(after id: QueueEntryID?) -> Int? {
        while firstOpen < entries.count, entries[firstOpen].isAcknowledged { firstOpen += 1 }
        var index = firstOpen
        if let id, id.sequence >= number { index = max(index, lowerBound(id.sequence - number + 1)) }
        while index < entries.count, entries[index].isAcknowledged { index += 1 }
        return index < entries.count ? index : nil
    }

    /// The first entry whose delta is no less. Where no number was left out it stands where its delta says.
    private func lowerBound(_ delta: UInt64) -> Int {
        var low = 0
        var high = min(entries.count, Int(clamping: delta) &+ 1)
        if high > 0, high <= entries.count, UInt64(entries[high - 1].delta) == delta { return high - 1 }
        while low < high {
            let middle = (low + high) / 2
            if UInt64(entries[middle].delta) < delta { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func handOut(_ index: Int) {
        guard !entries[index].isHandedOut else { return }
        entries[index].flags |= Entry.handedOut
        handedOut += 1
    }

    func giveBack(_ index: Int) {
        guard entries[index].isHandedOut else { return }
        entries[index].flags &= ~Entry.handedOut
        handedOut -= 1
    }

    /// Done with. False when it was before.
    func acknowledge(_ index: Int) -> Bool {
        guard !entries[index].isAcknowledged else { return false }
        giveBack(index)
        entries[index].flags |= Entry.acknowledged
        unacknowledged -= 1
        return true
    }

    /// What a sidecar says, while the queue is opened.
    func acknowledge(recovered run: ClosedRange<UInt32>) {
        var index = lowerBound(UInt64(run.lowerBound))
        while index < entries.count, entries[index].delta <= run.upperBound {
            _ = acknowledge(index)
            index += 1
        }
    }
}
