/// Memory that grows to what is asked of it, `Text.slack` behind that included. What lies there is worth nothing after the next line.
struct ScratchMemory: ~Copyable {
    private(set) var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    /// Bytes in use.
    var count = 0

    /// Kept between lines. Bytes.
    private static let keptMax = 256 << 10

    init() {
        capacity = 4_096
        base = .allocate(capacity: capacity + Text.slack)
        base.initialize(repeating: 0, count: capacity + Text.slack)
    }

    deinit { base.deallocate() }

    /// Room for `bytes`; what was there is gone.
    @inline(__always)
    mutating func begin(_ bytes: Int) {
        count = 0
        if _slowPath(bytes > capacity || capacity > Self.keptMax) { resize(max(bytes, 4_096)) }
    }

    @inline(never)
    private mutating func resize(_ bytes: Int) {
        guard bytes > capacity || capacity > 2 * bytes else { return }
        base.deallocate()
        capacity = bytes
        base = .allocate(capacity: capacity + Text.slack)
        base.initialize(repeating: 0, count: capacity + Text.slack)
    }

    /// What the string says, its escapes undone. There must be room for it.
    @inline(__always)
    mutating func unescape(_ text: Text) -> Text {
        let start = base + count
        let end = JSONScan.unescape(text, to: start)
        count = end - base
        return Text(UnsafePointer(start), UnsafePointer(end))
    }

    /// A copy with room behind it.
    @inline(__always)
    mutating func copy(_ text: Text) -> Text {
        begin(text.count)
        base.update(from: text.start, count: text.count)
        return Text(UnsafePointer(base), count: text.count)
    }
}
