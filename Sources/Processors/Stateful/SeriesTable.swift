/// The series of metrics that a processor makes, by their attributes as `KeptAttributes` has them. Bounded: what there is no
/// room for is counted in one series that says so.
struct SeriesTable<Value>: ~Copyable {
    struct Entry {
        /// Attributes of the points.
        let key: [UInt8]
        var value: Value
        /// When it began, nanoseconds since the Unix epoch.
        let start: UInt64
        /// When it counted last, on the clock of `now`.
        var updated: UInt64
    }

    /// The number of the series for what there is no room for.
    static var overflow: Int { 0 }

    /// A longer key is not kept.
    static var keyBytesMax: Int { 2_048 }

    private let seriesMax: Int
    private var entries: [Entry?] = [nil]
    private var free: [Int] = []
    private var index = HashIndex()
    private let hasher = KeyedHash()

    init(seriesMax: Int) { self.seriesMax = seriesMax }

    /// Series, but for the one that overflows.
    var count: Int { index.count }
    var isEmpty: Bool { index.count == 0 && entries[Self.overflow] == nil }
    /// In their order, the one that overflows first.
    var numbers: [Int] { entries.indices.filter { entries[$0] != nil } }

    /// The numbers of each resource, in the order in which their first series came; the one that overflows has an empty one.
    func byResource(_ resource: (Value) -> [UInt8]) -> [(resource: [UInt8], numbers: [Int])] {
        var found: [(resource: [UInt8], numbers: [Int])] = []
        var places: [[UInt8]: Int] = [:]
        for number in numbers {
            let resource = number == Self.overflow ? [] : resource(self[number].value)
            if let place = places[resource] {
                found[place].numbers.append(number)
            } else {
                places[resource] = found.count
                found.append((resource, [number]))
            }
        }
        return found
    }

    /// Of a number that `number` gave.
    subscript(_ number: Int) -> Entry {
        get { entries[number]! }
        _modify { yield &entries[number]! }
    }

    /// The number of the series with this key, which is made if there is room for it and it is sound and not empty; else that of the overflow.
    mutating func number(_ key: [UInt8], now: UInt64, unixNow: () -> UInt64, _ make: () -> Value) -> Int {
        let hash = hash(key)
        if let number = index.find(hash, { entries[Int($0)]!.key == key }) { return Int(number) }
        guard index.count < seriesMax, (1...Self.keyBytesMax).contains(key.count), KeptAttributes.isSound(key) else {
            if entries[Self.overflow] == nil {
                entries[Self.overflow] = Entry(
                    key: KeptAttributes.overflow, value: make(), start: unixNow(), updated: now)
            }
            return Self.overflow
        }
        let number = free.popLast() ?? entries.count
        if number == entries.count { entries.append(nil) }
        entries[number] = Entry(key: key, value: make(), start: unixNow(), updated: now)
        index.insert(hash, UInt32(number))
        return number
    }

    private func hash(_ key: [UInt8]) -> UInt32 {
        let hash = key.withUnsafeBytes { hasher.hash($0) }
        return index.hash(hash.0, hash.1)
    }

    /// Takes out what has counted nothing since `time`, on the clock of `now`. Returns how many those were.
    mutating func removeIdle(since time: UInt64) -> Int {
        var removed = 0
        for number in entries.indices {
            guard let entry = entries[number], entry.updated <= time else { continue }
            removed += 1
            entries[number] = nil
            guard number != Self.overflow else { continue }
            index.remove(hash(entry.key), UInt32(number))
            free.append(number)
        }
        return removed
    }
}
