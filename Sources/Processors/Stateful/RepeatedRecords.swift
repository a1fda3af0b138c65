// Log records that say the same as one before them, within a window that begins with that one. The second is held: when the window ends it leaves, with the
// number of those it stands for. It holds back its entry of the queue, and those behind it, so what was counted comes again when the agent was killed.

internal import Configuration
internal import System
internal import Telemetry
internal import Wire

final class RepeatedRecords {
    enum Verdict {
        /// It passes.
        case new
        /// It is held, and leaves later.
        case held
        /// The one that is held counts it.
        case counted
    }

    /// Attribute of a record that stands for others: how many it and they are.
    static let attribute = "sidelight.repeated"

    /// Before the bytes of a record that is held.
    private struct Held {
        let item: Batch.Item
        let origin: UInt32
        let ticket: UInt64
        var count: Int64 = 1
        /// Of the last one that it stands for.
        var time: UInt64
    }

    private static let none = Arena.Reference.max
    private static let headBytes = (MemoryLayout<Held>.stride + 7) & ~7
    /// A record that takes more than this part of the memory is not held: it passes.
    private static let recordPart = 4
    /// Ends of windows that lie within so many nanoseconds are one wake-up.
    private static let wakeNanoseconds: UInt64 = 100_000_000

    private let configuration: DeduplicationConfiguration.Repeats
    private let room: MemoryRoom
    private let recent: RecentItems<Arena.Reference>
    private var arena: Arena
    private var origins: Origins
    private var tickets = HeldTickets()
    private var held = 0
    private var lastLook: UInt64 = 0
    private var writer = ProtobufWriter()

    /// Records that have left since they were last asked for, and those of them that left before their time.
    private var left = (records: 0, early: 0)

    // Of the batch that is under way.
    private var ticket: UInt64 = 0
    private var resource = 0
    private var scopes: [Batch.Scope] = []
    private var now: UInt64 = 0

    init(_ configuration: DeduplicationConfiguration.Repeats, budget: MemoryBudget?) {
        self.configuration = configuration
        room = MemoryRoom(bytesMax: configuration.bytesMax, budget: budget)
        recent = RecentItems(entriesMax: configuration.recordsMax, window: configuration.windowNanoseconds)
        arena = Arena(room: room)
        origins = Origins(room: room)
    }

    var oldestHeld: UInt64? { tickets.oldest }

    var wakeAt: UInt64? {
        guard held > 0, let ends = recent.firstEnds else { return nil }
        return max(ends, lastLook &+ Self.wakeNanoseconds)
    }

    // MARK: records

    func begin(_ batch: borrowing Batch, now: UInt64) {
        self.now = now
        ticket = batch.ticket
        scopes = batch.scopes.isEmpty ? [Batch.Scope(message: [])] : batch.scopes
        resource = origins.enter(batch)
    }

    /// After the last record of a batch.
    func end() { origins.leave(resource) }

    /// - Parameters:
    ///   - item: with a scope of the batch's.
    ///   - bytes: of the record, its frame included.
    func look(_ key: RecentItems<Arena.Reference>.Key, _ item: Batch.Item, _ bytes: UnsafeRawBufferPointer) -> Verdict {
        if let position = recent.find(key) {
            let reference = recent[position]
            if reference != Self.none {
                let head = head(reference)
                head.pointee.count += 1
                head.pointee.time = max(head.pointee.time, item.start)
                return .counted
            }
            guard let reference = hold(item, bytes) else { return .new }
            // Making room may have let its own entry go; then it is the first of a new window.
            if let position = recent.find(key) {
                recent[position] = reference
                return .held
            }
            unhold(reference)
        }
        if recent.isFull { letGoFirst(isEarly: true) }
        recent.add(key, Self.none, since: now)
        return .new
    }

    /// Nil: it is too large.
    private func hold(_ item: Batch.Item, _ bytes: UnsafeRawBufferPointer) -> Arena.Reference? {
        let size = Self.headBytes + bytes.count
        guard size <= configuration.bytesMax / Self.recordPart else { return nil }
        while true {
            if !room.isOverdrawn, let reference = arena.allocate(size) {
                let origin = origins.hold(resource, scopes[Int(item.scope)])
                head(reference).initialize(to: Held(item: item, origin: origin, ticket: ticket, time: item.start))
                if let source = bytes.baseAddress {
                    (UnsafeMutableRawPointer(head(reference)) + Self.headBytes)
                        .copyMemory(from: source, byteCount: bytes.count)
                }
                tickets.add(ticket)
                held += 1
                return reference
            }
            // There is nothing more to let go: the agent's own memory is used up.
            guard held > 0 else { return nil }
            while !letGoFirst(isEarly: true) {}
            origins.forgetUnused()
        }
    }

    private func unhold(_ reference: Arena.Reference) {
        let head = head(reference)
        origins.release(head.pointee.origin)
        tickets.remove(head.pointee.ticket)
        held -= 1
        arena.release(reference)
    }

    private func head(_ reference: Arena.Reference) -> UnsafeMutablePointer<Held> {
        arena.pointer(reference).assumingMemoryBound(to: Held.self)
    }

    // MARK: what leaves

    func letGoDue(now: UInt64) {
        lastLook = now
        while let ends = recent.firstEnds, ends <= now { letGoFirst(isEarly: false) }
        if held == 0 { arena.trim() }
    }

    func letGoAll() {
        while recent.count > 0 { letGoFirst(isEarly: true) }
        arena.trim()
    }

    /// What has left since the last time.
    func finish() -> (batches: [Batch], records: Int, early: Int) {
        defer { left = (0, 0) }
        return (origins.finish(), left.records, left.early)
    }

    /// True: a record has left.
    @discardableResult
    private func letGoFirst(isEarly: Bool) -> Bool {
        let reference = recent.removeFirst().value
        guard reference != Self.none else { return false }
        leave(head(reference))
        unhold(reference)
        left.records += 1
        if isEarly { left.early += 1 }
        return true
    }

    /// Writes the record anew. Of fields that come twice the last counts, so the time of the last record takes the place of the first's.
    private func leave(_ head: UnsafeMutablePointer<Held>) {
        var item = head.pointee.item
        let bytes = UnsafeRawBufferPointer(
            start: UnsafeRawPointer(head) + Self.headBytes, count: Int(item.length))
        guard let message = FieldCursor.item(bytes) else { preconditionFailure("what was walked is no record") }
        writer.truncate(to: 0)
        writer.message(Tag.item >> 3, lengthBytes: 3) { writer in
            writer.putRaw(message.bytes(message.offset..<message.end))
            OTLP.encode(
                attributes: [Attribute(Self.attribute, .int(head.pointee.count))], field: Tag.Log.attributes >> 3,
                into: &writer)
            if head.pointee.time > 0 { writer.putFixed64(Tag.Log.time >> 3, head.pointee.time) }
        }
        (item.start, item.end) = (head.pointee.time, head.pointee.time)
        writer.withBytes {
            origins.put($0, item, of: head.pointee.origin, signal: .logs, ticket: head.pointee.ticket)
        }
    }
}
