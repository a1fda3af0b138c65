// Where things with long keys lie: open addressing with linear probing over one array of words. A word holds 32 bits of
// the key's hash and the number of the thing, so a probe reads one cache line, and a thing itself is read only when its
// hash fits. The hash is seeded: who sends ids cannot choose them to collide.

/// Numbers of things, by the hash of their keys. The keys stay with the things.
struct HashIndex: ~Copyable {
    /// A number that no thing may have.
    static let numberMax = UInt32.max - 1

    private var slots: UnsafeMutablePointer<UInt64>
    private var bits: UInt32
    private(set) var count = 0
    private let seed = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))

    private static let leastBits: UInt32 = 6

    init() {
        bits = Self.leastBits
        slots = .allocate(capacity: 1 << Self.leastBits)
        slots.initialize(repeating: 0, count: 1 << Self.leastBits)
    }

    deinit { slots.deallocate() }

    private var mask: Int { 1 << Int(bits) - 1 }
    var bytes: Int { 8 << Int(bits) }

    @inline(__always)
    func hash(_ first: UInt64, _ second: UInt64) -> UInt32 {
        let product = (first ^ seed.0).multipliedFullWidth(by: second ^ seed.1)
        let mixed = (product.high ^ product.low).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        return UInt32(truncatingIfNeeded: (mixed.high ^ mixed.low) >> 32)
    }

    @inline(__always)
    private func home(_ hash: UInt32) -> Int { Int(hash >> (32 - bits)) }

    /// The thing with this hash that `isIt` says is the one.
    @inline(__always)
    func find(_ hash: UInt32, _ isIt: (UInt32) -> Bool) -> UInt32? {
        let mask = mask
        var position = home(hash)
        while true {
            let slot = slots[position]
            guard slot != 0 else { return nil }
            if UInt32(truncatingIfNeeded: slot >> 32) == hash {
                let number = UInt32(truncatingIfNeeded: slot) &- 1
                if isIt(number) { return number }
            }
            position = (position &+ 1) & mask
        }
    }

    /// Puts a thing in that is not there.
    mutating func insert(_ hash: UInt32, _ number: UInt32) {
        precondition(number <= Self.numberMax, "number \(number)")
        if (count + 1) * 2 > mask + 1 { resize(bits + 1) }
        place(UInt64(hash) << 32 | UInt64(number + 1))
        count += 1
    }

    @inline(__always)
    private func place(_ slot: UInt64) {
        var position = home(UInt32(truncatingIfNeeded: slot >> 32))
        while slots[position] != 0 { position = (position &+ 1) & mask }
        slots[position] = slot
    }

    /// Takes a thing out that is there. What comes behind it moves up, so that no search stops too early.
    mutating func remove(_ hash: UInt32, _ number: UInt32) {
        let wanted = UInt64(hash) << 32 | UInt64(number + 1)
        var hole = home(hash)
        while slots[hole] != wanted {
            precondition(slots[hole] != 0, "number \(number) is not in the index")
            hole = (hole &+ 1) & mask
        }
        var next = (hole &+ 1) & mask
        while slots[next] != 0 {
            let distance = (next &- home(UInt32(truncatingIfNeeded: slots[next] >> 32))) & mask
            if distance >= (next &- hole) & mask {
                slots[hole] = slots[next]
                hole = next
            }
            next = (next &+ 1) & mask
        }
        slots[hole] = 0
        count -= 1
        if count == 0, bits > Self.leastBits {
            resize(Self.leastBits)
        } else if bits > Self.leastBits, count * 16 < mask + 1 {
            resize(bits - 1)
        }
    }

    private mutating func resize(_ newBits: UInt32) {
        let old = UnsafeMutableBufferPointer(start: slots, count: 1 << Int(bits))
        bits = newBits
        slots = .allocate(capacity: 1 << Int(bits))
        slots.initialize(repeating: 0, count: 1 << Int(bits))
        for slot in old where slot != 0 { place(slot) }
        old.deallocate()
    }
}
