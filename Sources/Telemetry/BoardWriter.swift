// The worker's end of the board. Everything is a few stores: no allocation, no lock, no system call.

internal import Glibc

/// Writes a board. All calls from the isolate's thread.
public final class BoardWriter {
    public let mapping: BoardMapping
    /// Slots that are free, as a stack; private, so that nobody else can break it.
    private let freeSlots: UnsafeMutablePointer<UInt16>
    private var freeCount: Int
    private var leftCount = 0
    private var seriesUsed = 2
    /// Series by hash, open addressing; 0: empty (series 0 is overflow and never looked up).
    private let seriesTable: UnsafeMutablePointer<UInt16>
    private static let seriesTableMask = 511
    /// In front of it, by the head alone: the series last found for it.
    private let seriesCache: UnsafeMutablePointer<(head: UInt64, index: UInt16)>
    private static let seriesCacheMask = 63

    /// - Parameter mapping: a fresh board; only one writer for each.
    public init(_ mapping: BoardMapping) {
        self.mapping = mapping
        freeSlots = .allocate(capacity: BoardLayout.slots)
        freeCount = BoardLayout.slots
        for index in 0..<BoardLayout.slots { freeSlots[index] = UInt16(BoardLayout.slots - 1 - index) }
        seriesTable = .allocate(capacity: Self.seriesTableMask + 1)
        seriesTable.initialize(repeating: 0, count: Self.seriesTableMask + 1)
        seriesCache = .allocate(capacity: Self.seriesCacheMask + 1)
        seriesCache.initialize(repeating: (0, 0), count: Self.seriesCacheMask + 1)
        for kind in BoardSeriesKind.allCases {
            let at = BoardLayout.seriesOffset(Int(kind.rawValue) - 1)
            mapping.store(1 << 24 as UInt64, at: at + BoardLayout.Series.method)
            mapping.store(Double.infinity, at: at + BoardLayout.Series.min)
            mapping.publish(UInt64(kind.rawValue), at: at)
        }
        mapping.publish(2, at: BoardLayout.Header.seriesUsed)
    }

    deinit {
        freeSlots.deallocate()
        seriesTable.deallocate()
        seriesCache.deallocate()
    }

    /// The caller wakes the agent afterwards (the ring's eventfd).
    public func setState(_ state: BoardState) { mapping.storeState(state.rawValue) }

    /// What the module has. Before it serves.
    public func setHandlers(_ handlers: BoardHandlers) {
        mapping.store(handlers.rawValue, at: BoardLayout.Header.handlers)
    }

    /// What it waits for while it drains.
    public func setPending(_ pending: BoardPending) {
        mapping.store(
            UInt64(pending.promises) | UInt64(pending.runs) << 32, at: BoardLayout.Header.pending)
    }

    /// What `health` said. The reason is cut at 256 bytes.
    public func setHealth(_ status: BoardHealth.Status, reason: UnsafeRawBufferPointer) {
        let before = UInt32(truncatingIfNeeded: mapping.load(BoardLayout.Header.health) >> 32)
        let count = min(reason.count, BoardHealth.reasonBytesMax)
        // Odd: what is behind it changes. Each word of that is published, so that none is seen before this one.
        mapping.publish(UInt64(before | 1) << 32, at: BoardLayout.Header.health)
        for start in stride(from: 0, to: count, by: 8) {
            var word: UInt64 = 0
            withUnsafeMutableBytes(of: &word) { $0.copyBytes(from: reason[start..<min(start + 8, count)]) }
            mapping.publish(word, at: BoardLayout.Header.healthReason + start)
        }
        let next = (before & ~1) &+ 2
        mapping.publish(
            UInt64(status.rawValue) | UInt64(count) << 8 | UInt64(next) << 32, at: BoardLayout.Header.health)
    }

    // MARK: counters

    @inline(__always)
    public func add(_ counter: BoardCounter, _ value: UInt64 = 1) { mapping.add(value, at: counter.offset) }
    /// For gauges; what is below 0 wraps and comes back.
    @inline(__always)
    public func subtract(_ counter: BoardCounter, _ value: UInt64 = 1) { mapping.add(0 &- value, at: counter.offset) }
    @inline(__always)
    public func set(_ counter: BoardCounter, _ value: UInt64) { mapping.store(value, at: counter.offset) }

    /// One turn of the event loop began so long after it could have. Nanoseconds.
    public func loopDelay(_ nanoseconds: UInt64) {
        let delay = Double(nanoseconds)
        mapping.store(mapping.loadDouble(BoardLayout.Header.delaySum) + delay, at: BoardLayout.Header.delaySum)
        mapping.store(
            mapping.loadDouble(BoardLayout.Header.delaySquares) + delay * delay, at: BoardLayout.Header.delaySquares)
        mapping.add(1, at: BoardLayout.Header.delayBuckets + 8 * BoardDelay.bucket(nanoseconds))
    }

    /// A pause for garbage collection. Nanoseconds.
    public func collection(_ kind: BoardCollection, _ nanoseconds: UInt64) {
        let at = BoardLayout.Header.collections + BoardLayout.collectionBytes * kind.rawValue
        mapping.add(nanoseconds, at: at)
        if nanoseconds > mapping.load(at + 8) { mapping.store(nanoseconds, at: at + 8) }
        let bucket =
            nanoseconds <= 10_000_000
            ? 0
            : nanoseconds <= 100_000_000
                ? 1
                : nanoseconds <= 1_000_000_000
                    ? 2
                    : nanoseconds <= 10_000_000_000 ? 3 : 4
        mapping.add(1, at: at + 16 + 8 * bucket)
    }

    /// Figures of a heap space; `index` below 12 is its place in V8's order. Bytes.
    public func space(_ index: Int, name: StaticString, used: UInt64, size: UInt64, available: UInt64, physical: UInt64)
    {
        let text = UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        space(index, name: text, used: used, size: size, available: available, physical: physical)
    }

    /// The same; the name is cut at 32 bytes.
    public func space(
        _ index: Int, name: UnsafeRawBufferPointer, used: UInt64, size: UInt64, available: UInt64, physical: UInt64
    ) {
        guard index >= 0, index < BoardLayout.spaces else { return }
        let at = BoardLayout.Header.spaces + BoardLayout.spaceBytes * index
        var text: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        withUnsafeMutableBytes(of: &text) { $0.copyBytes(from: name.prefix(BoardLayout.spaceNameBytesMax)) }
        mapping.store(used, at: at)
        mapping.store(size, at: at + 8)
        mapping.store(available, at: at + 16)
        mapping.store(physical, at: at + 24)
        mapping.store(text.0, at: at + 32)
        mapping.store(text.1, at: at + 40)
        mapping.store(text.2, at: at + 48)
        mapping.store(text.3, at: at + 56)
    }

    // MARK: requests in flight

    /// A request begins. Nil when no slot is free: it is counted, lives without a slot and ends with `closeUnslotted`.
    /// - Parameters:
    ///   - ids: 32 bytes in network order: trace id, span id, parent span id (zero: none), as requestCells has them.
    ///   - startTime: ring time.
    ///   - method: index of `BoardMethod`.
    ///   - methodText: looked at when the index is 0; cut at 16 bytes.
    ///   - target: of the request line; cut at 184 bytes.
    public func open(
        ids: UnsafeRawPointer, startTime: Double, flags: BoardRequestFlags, method: UInt8,
        methodText: UnsafeRawBufferPointer, target: UnsafeRawBufferPointer
    ) -> Int? {
        mapping.add(1, at: Self.activeOffset(method, flags))
        guard freeCount > 0 else {
            add(.slotsFull)
            return nil
        }
        freeCount -= 1
        let slot = Int(freeSlots[freeCount])
        let at = mapping.baseAddress + BoardLayout.slotOffset(slot)
        at.storeBytes(of: startTime, toByteOffset: BoardLayout.Slot.start, as: Double.self)
        memcpy(at + BoardLayout.Slot.ids, ids, 32)
        var flags = flags
        let length = min(target.count, BoardLayout.Slot.targetBytesMax)
        if length > 0 { memcpy(at + BoardLayout.Slot.target, target.baseAddress!, length) }
        if length < target.count { flags.insert(.targetCut) }
        let methodLength = method == 0 ? min(methodText.count, BoardLayout.Slot.methodBytesMax) : 0
        if methodLength > 0 { memcpy(at + BoardLayout.Slot.methodText, methodText.baseAddress!, methodLength) }
        at.storeBytes(
            of: UInt64(method) | UInt64(flags.rawValue) << 8 | UInt64(methodLength) << 16 | UInt64(length) << 32,
            toByteOffset: BoardLayout.Slot.method, as: UInt64.self)
        mapping.publish(BoardSlotState.open, at: BoardLayout.slotOffset(slot))
        return slot
    }

    /// The request's span record is about to be committed.
    /// - Parameter ringHead: value the ring's `head` will have once it is. `free` follows after the commit, or after the record was dropped.
    @inline(__always)
    public func end(_ slot: Int, ringHead: UInt32) {
        mapping.publish(BoardSlotState.ending | UInt64(ringHead) << 32, at: BoardLayout.slotOffset(slot))
    }

    /// The worker ends, and the request with it: what became of it, for the span that the agent makes.
    /// - Parameters:
    ///   - outcome: nil: no limit had to do with it.
    ///   - status: that it was answered with; 0: not at all.
    public func note(_ outcome: WorkloadOutcome?, status: UInt16, at slot: Int) {
        let at = BoardLayout.slotOffset(slot) + BoardLayout.Slot.method
        mapping.store(
            mapping.load(at) & ~(0xFF << 24 | 0xFFFF << 48) | UInt64(outcome?.rawValue ?? 0) << 24 | UInt64(status)
                << 48,
            at: at)
    }

    /// The request is over, and its record committed.
    public func free(_ slot: Int) {
        notActive(slot)
        release(slot)
    }

    /// The same of a request whose handler goes on: the slot shows it until `handlerEnded`. False: so many do already that it is free.
    public func leave(_ slot: Int) -> Bool {
        notActive(slot)
        guard leftCount < BoardLayout.leftMax else {
            release(slot)
            return false
        }
        leftCount += 1
        mapping.publish(BoardSlotState.left, at: BoardLayout.slotOffset(slot))
        return true
    }

    /// The handler of a request that `leave` kept has come to its end.
    public func handlerEnded(_ slot: Int) {
        leftCount -= 1
        release(slot)
    }

    private func notActive(_ slot: Int) {
        let at = mapping.baseAddress + BoardLayout.slotOffset(slot)
        let method = at.load(fromByteOffset: BoardLayout.Slot.method, as: UInt8.self)
        let flags = BoardRequestFlags(rawValue: at.load(fromByteOffset: BoardLayout.Slot.flags, as: UInt8.self))
        mapping.add(UInt64.max, at: Self.activeOffset(method, flags))
    }

    private func release(_ slot: Int) {
        let at = mapping.baseAddress + BoardLayout.slotOffset(slot)
        precondition(freeCount < BoardLayout.slots && at.load(as: UInt32.self) != 0, "slot \(slot) is free already")
        mapping.publish(BoardSlotState.free, at: BoardLayout.slotOffset(slot))
        freeSlots[freeCount] = UInt16(slot)
        freeCount += 1
    }

    /// A request for which `open` gave nil is over.
    public func closeUnslotted(method: UInt8, flags: BoardRequestFlags) {
        mapping.add(UInt64.max, at: Self.activeOffset(method, flags))
    }

    @inline(__always)
    private static func activeOffset(_ method: UInt8, _ flags: BoardRequestFlags) -> Int {
        let method = Int(method) < BoardLayout.methods ? Int(method) : 0
        return BoardLayout.Header.active + 8 * (method + (flags.contains(.https) ? BoardLayout.methods : 0))
    }

    // MARK: histograms

    /// The series of these attributes; that of overflow once the table is full. Texts are cut: route 96 bytes, error type 32, host 64.
    /// The usual case (the same head with the same texts as last time) compares only.
    public func series(
        _ head: BoardSeriesHead, route: UnsafeRawBufferPointer = BoardWriter.none,
        errorType: UnsafeRawBufferPointer = BoardWriter.none,
        host: UnsafeRawBufferPointer = BoardWriter.none
    ) -> Int {
        let route = UnsafeRawBufferPointer(rebasing: route.prefix(BoardLayout.routeBytesMax))
        let error = UnsafeRawBufferPointer(rebasing: errorType.prefix(BoardLayout.errorBytesMax))
        let host = UnsafeRawBufferPointer(rebasing: host.prefix(BoardLayout.hostBytesMax))
        let cacheIndex = Int(truncatingIfNeeded: (head.word &* 0x9E37_79B9_7F4A_7C15) >> 58) & Self.seriesCacheMask
        let cached = seriesCache[cacheIndex]
        if cached.head == head.word, matches(Int(cached.index), head, route, error, host) { return Int(cached.index) }
        let index = find(head, route, error, host)
        if index >= 2 { seriesCache[cacheIndex] = (head.word, UInt16(index)) }
        return index
    }

    /// No text.
    public static var none: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }

    /// One observation. `series` from the function of that name; seconds.
    public func record(_ series: Int, seconds: Double) {
        precondition(series >= 0 && series < seriesUsed, "series \(series) of \(seriesUsed)")
        guard seconds >= 0, seconds.isFinite else { return }
        let at = BoardLayout.seriesOffset(series)
        if series < 2 { add(.seriesFull) }
        var bucket = 0
        while bucket < BoardLayout.durationBuckets - 1, seconds > BoardLayout.durationBounds[bucket] { bucket += 1 }
        // The bucket last, and published: whoever counts an observation finds it in the sum, too.
        mapping.store(mapping.loadDouble(at + BoardLayout.Series.sum) + seconds, at: at + BoardLayout.Series.sum)
        if seconds < mapping.loadDouble(at + BoardLayout.Series.min) {
            mapping.store(seconds, at: at + BoardLayout.Series.min)
        }
        if seconds > mapping.loadDouble(at + BoardLayout.Series.max) {
            mapping.store(seconds, at: at + BoardLayout.Series.max)
        }
        let cell = at + BoardLayout.Series.buckets + 8 * bucket
        mapping.publish(mapping.load(cell) &+ 1, at: cell)
    }

    private func matches(
        _ index: Int, _ head: BoardSeriesHead, _ route: UnsafeRawBufferPointer, _ error: UnsafeRawBufferPointer,
        _ host: UnsafeRawBufferPointer
    ) -> Bool {
        let at = mapping.baseAddress + BoardLayout.seriesOffset(index)
        func equal(_ text: UnsafeRawBufferPointer, _ lengthAt: Int, _ bytesAt: Int) -> Bool {
            let length = Int(at.load(fromByteOffset: lengthAt, as: UInt8.self))
            return length == text.count && (length == 0 || memcmp(at + bytesAt, text.baseAddress!, length) == 0)
        }
        return at.load(fromByteOffset: BoardLayout.Series.method, as: UInt64.self) == head.stored
            && at.load(as: UInt64.self) == UInt64(head.kind)
            && equal(route, BoardLayout.Series.routeLength, BoardLayout.Series.route)
            && equal(error, BoardLayout.Series.errorLength, BoardLayout.Series.error)
            && equal(host, BoardLayout.Series.hostLength, BoardLayout.Series.host)
    }

    private func find(
        _ head: BoardSeriesHead, _ route: UnsafeRawBufferPointer, _ error: UnsafeRawBufferPointer,
        _ host: UnsafeRawBufferPointer
    ) -> Int {
        var hash = head.word &* 0x9E37_79B9_7F4A_7C15
        func mix(_ text: UnsafeRawBufferPointer) {
            for byte in text { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            hash = (hash ^ UInt64(text.count) ^ hash >> 29) &* 0xBF58_476D_1CE4_E5B9
        }
        mix(route)
        mix(error)
        mix(host)
        var place = Int(truncatingIfNeeded: hash >> 40) & Self.seriesTableMask
        // At most half full, so there is always an empty place.
        while seriesTable[place] != 0 {
            let index = Int(seriesTable[place])
            if matches(index, head, route, error, host) { return index }
            place = (place + 1) & Self.seriesTableMask
        }
        guard seriesUsed < BoardLayout.series else { return Int(head.kind) - 1 }
        let index = seriesUsed
        define(index, head, route, error, host)
        seriesTable[place] = UInt16(index)
        seriesUsed += 1
        mapping.publish(UInt64(seriesUsed), at: BoardLayout.Header.seriesUsed)
        return index
    }

    /// The agent looks at it only once `seriesUsed` covers it.
    private func define(
        _ index: Int, _ head: BoardSeriesHead, _ route: UnsafeRawBufferPointer, _ error: UnsafeRawBufferPointer,
        _ host: UnsafeRawBufferPointer
    ) {
        let at = mapping.baseAddress + BoardLayout.seriesOffset(index)
        at.storeBytes(of: UInt64(head.kind), as: UInt64.self)
        at.storeBytes(of: Double.infinity, toByteOffset: BoardLayout.Series.min, as: Double.self)
        at.storeBytes(of: head.stored, toByteOffset: BoardLayout.Series.method, as: UInt64.self)
        func put(_ text: UnsafeRawBufferPointer, _ lengthAt: Int, _ bytesAt: Int) {
            at.storeBytes(of: UInt8(text.count), toByteOffset: lengthAt, as: UInt8.self)
            if text.count > 0 { memcpy(at + bytesAt, text.baseAddress!, text.count) }
        }
        put(route, BoardLayout.Series.routeLength, BoardLayout.Series.route)
        put(error, BoardLayout.Series.errorLength, BoardLayout.Series.error)
        put(host, BoardLayout.Series.hostLength, BoardLayout.Series.host)
    }
}

/// States of a slot: the low half of its first word.
enum BoardSlotState {
    static let free: UInt64 = 0
    static let open: UInt64 = 1
    static let ending: UInt64 = 2
    /// Its record is written; its client has left, and its handler goes on.
    static let left: UInt64 = 3
}

/// Buckets of event-loop delay: four for each doubling from 1,024 ns on.
enum BoardDelay {
    static func bucket(_ nanoseconds: UInt64) -> Int {
        guard nanoseconds >= 1024 else { return 0 }
        let exponent = 63 - nanoseconds.leadingZeroBitCount
        let quarter = Int(truncatingIfNeeded: nanoseconds >> UInt64(exponent - 2)) & 3
        return min(1 + 4 * (exponent - 10) + quarter, BoardLayout.delayBuckets - 1)
    }

    /// First value above the bucket, nanoseconds; the last bucket has no end and counts as if it had.
    static func upperBound(_ bucket: Int) -> Double {
        if bucket == 0 { return 1024 }
        let (exponent, quarter) = (10 + (bucket - 1) / 4, (bucket - 1) & 3)
        return Double(5 + quarter) * Double(UInt64(1) << UInt64(exponent - 2))
    }
}
