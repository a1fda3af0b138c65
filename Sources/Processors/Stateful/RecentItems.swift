/// What came last, with a value each, in the order in which it came first: a ring with an index.
final class RecentItems<Value> {
    struct Key: Equatable {
        var first: UInt64
        var second: UInt64
        var third: UInt64
        var kind: UInt8
    }

    struct Entry {
        var key: Key
        var since: UInt64
        var value: Value
    }

    /// Positions go round; each is a number in the index.
    private static var positionMask: UInt32 { 0x7FFF_FFFF }

    private let entriesMax: Int
    private let window: UInt64
    private var ring: [Entry?] = Array(repeating: nil, count: 64)
    private var front: UInt32 = 0
    private var index = HashIndex()

    /// - Parameter window: nanoseconds for which an entry counts.
    init(entriesMax: Int, window: UInt64) {
        self.entriesMax = max(entriesMax, 1)
        self.window = window
    }

    var count: Int { index.count }
    var isFull: Bool { count >= entriesMax }
    /// When the window of the one that came first ends; nil: there is none.
    var firstEnds: UInt64? { ring[slot(front)].map { $0.since &+ window } }

    /// The position of a key, which is good until an entry is added or removed.
    @inline(__always)
    func find(_ key: Key) -> UInt32? { index.find(hash(key)) { ring[slot($0)]!.key == key } }

    /// Of a position that `find` gave.
    subscript(_ position: UInt32) -> Value {
        get { ring[slot(position)]!.value }
        set { ring[slot(position)]!.value = newValue }
    }

    /// Adds a key that is not there. Not while `isFull`.
    func add(_ key: Key, _ value: Value, since: UInt64) {
        precondition(!isFull, "there are \(count) entries")
        if count == ring.count { grow() }
        let position = (front + UInt32(count)) & Self.positionMask
        ring[slot(position)] = Entry(key: key, since: since, value: value)
        index.insert(hash(key), position)
    }

    /// Takes out the one that came first. There has to be one.
    @discardableResult
    func removeFirst() -> Entry {
        let entry = ring[slot(front)]!
        index.remove(hash(entry.key), front)
        ring[slot(front)] = nil
        front = (front + 1) & Self.positionMask
        return entry
    }

    private func grow() {
        var larger: [Entry?] = Array(repeating: nil, count: ring.count * 2)
        for number in 0..<UInt32(count) {
            let position = (front + number) & Self.positionMask
            larger[Int(position) & (larger.count - 1)] = ring[slot(position)]
        }
        ring = larger
    }

    @inline(__always)
    private func slot(_ position: UInt32) -> Int { Int(position) & (ring.count - 1) }

    @inline(__always)
    private func hash(_ key: Key) -> UInt32 {
        index.hash(key.first ^ key.third &* 0x9E37_79B9_7F4A_7C15, key.second ^ UInt64(key.kind))
    }
}

/// What was seen last. The oldest makes room.
final class SeenItems {
    typealias Key = RecentItems<Void>.Key

    private let recent: RecentItems<Void>

    init(entriesMax: Int, window: UInt64) { recent = RecentItems(entriesMax: entriesMax, window: window) }

    var count: Int { recent.count }

    /// Whether a key has not been seen within the window; it is remembered then.
    func isNew(_ key: Key, _ now: UInt64) -> Bool {
        while let ends = recent.firstEnds, ends <= now { recent.removeFirst() }
        if recent.find(key) != nil { return false }
        if recent.isFull { recent.removeFirst() }
        recent.add(key, (), since: now)
        return true
    }
}
