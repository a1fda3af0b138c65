// The agent's end of the board. Every byte is copied out before it is looked at, and what makes no sense is left out or replaced by
// what was read last: a counter never goes back, a sum stays finite, a text is UTF-8.

internal import CLinux
internal import Glibc

/// Reads a board. One thread at a time.
public struct BoardReader: ~Copyable {
    public let mapping: BoardMapping
    private let buffer: UnsafeMutableRawPointer
    private var last = BoardSnapshot()
    /// What each series is of, by its index: the first that was read. A worker that defines one again is not believed, or its board would be a source
    /// of attributes without end.
    private var keys = [BoardSnapshot.SeriesKey?](repeating: nil, count: BoardLayout.series)
    /// Values above are no counts: 2^53, the last a metric could show exactly.
    private static let valueMax: UInt64 = 1 << 53
    /// Tries to see a series between two observations.
    private static let stableTriesMax = 4

    public init(_ mapping: BoardMapping) {
        self.mapping = mapping
        buffer = .allocate(byteCount: BoardLayout.headerBytes, alignment: 16)
    }

    deinit { buffer.deallocate() }

    /// How far the worker says it is; nil for a word that is no state.
    public var state: BoardState? { BoardState(rawValue: mapping.loadState()) }

    /// What the module has, once it serves.
    public var handlers: BoardHandlers { BoardHandlers(rawValue: mapping.load(BoardLayout.Header.handlers)) }

    /// What a worker that drains waits for.
    public var pending: BoardPending {
        let word = mapping.load(BoardLayout.Header.pending)
        return BoardPending(promises: UInt32(truncatingIfNeeded: word), runs: UInt32(truncatingIfNeeded: word >> 32))
    }

    /// What `health` of the module said last; nil: nothing, or it is just being written, or it makes no sense.
    public func health() -> BoardHealth? {
        let head = mapping.loadAcquire(BoardLayout.Header.health)
        let number = UInt32(truncatingIfNeeded: head >> 32)
        let count = Int(head >> 8 & 0xFFFF)
        guard number & 1 == 0, number > 0, let status = BoardHealth.Status(rawValue: UInt8(truncatingIfNeeded: head)),
            count <= BoardHealth.reasonBytesMax
        else { return nil }
        mapping.copy(BoardLayout.Header.healthReason, words: BoardHealth.reasonBytesMax / 8, to: buffer)
        guard mapping.load(BoardLayout.Header.health) == head else { return nil }
        return BoardHealth(status: status, reason: text(0, count, BoardHealth.reasonBytesMax), answers: number / 2)
    }

    // MARK: figures

    /// What the board says now. At any time.
    public mutating func snapshot() -> BoardSnapshot {
        mapping.copy(0, words: BoardLayout.headerBytes / 8, to: buffer)
        var next = last
        for counter in BoardCounter.allCases {
            let value = word(counter.offset)
            guard value <= Self.valueMax else { continue }
            next.counters[counter.rawValue] = counter.isGauge ? value : max(value, last.counters[counter.rawValue])
        }
        for index in next.active.indices {
            let value = word(BoardLayout.Header.active + 8 * index)
            // Below 0, or more than there can be: a worker that does not count right.
            if value <= 1 << 32 { next.active[index] = value }
        }
        readDelay(&next.delay)
        for index in next.collections.indices { readCollection(index, &next.collections[index]) }
        readSpaces(&next.spaces)
        readSeries(&next.series)
        last = next
        return next
    }

    private func word(_ offset: Int) -> UInt64 { buffer.load(fromByteOffset: offset, as: UInt64.self) }
    private func byte(_ offset: Int) -> Int { Int(buffer.load(fromByteOffset: offset, as: UInt8.self)) }

    private func grow(_ value: inout UInt64, _ offset: Int) {
        let read = word(offset)
        if read <= Self.valueMax { value = max(value, read) }
    }

    private func grow(_ value: inout Double, _ offset: Int) {
        let read = Double(bitPattern: word(offset))
        if read > value, read < 1e40 { value = read }
    }

    private func readDelay(_ delay: inout BoardSnapshot.Delay) {
        grow(&delay.sum, BoardLayout.Header.delaySum)
        grow(&delay.squares, BoardLayout.Header.delaySquares)
        for index in delay.buckets.indices { grow(&delay.buckets[index], BoardLayout.Header.delayBuckets + 8 * index) }
    }

    private func readCollection(_ index: Int, _ collection: inout BoardSnapshot.Collection) {
        let at = BoardLayout.Header.collections + BoardLayout.collectionBytes * index
        grow(&collection.sum, at)
        grow(&collection.max, at + 8)
        for bucket in collection.buckets.indices { grow(&collection.buckets[bucket], at + 16 + 8 * bucket) }
    }

    private func readSpaces(_ spaces: inout [String: BoardSnapshot.Space]) {
        spaces = [:]
        for index in 0..<BoardLayout.spaces {
            let at = BoardLayout.Header.spaces + BoardLayout.spaceBytes * index
            let name = UnsafeRawBufferPointer(start: buffer + at + 32, count: BoardLayout.spaceNameBytesMax).prefix {
                $0 != 0
            }
            guard !name.isEmpty else { continue }
            func size(_ offset: Int) -> UInt64 { min(word(at + offset), Self.valueMax) }
            spaces[String(decoding: name, as: UTF8.self)] = BoardSnapshot.Space(
                used: size(0), size: size(8), available: size(16), physical: size(24))
        }
    }

    // MARK: series

    private mutating func readSeries(_ series: inout [BoardSnapshot.SeriesKey: BoardSnapshot.Histogram]) {
        let used = min(
            Int(truncatingIfNeeded: min(word(BoardLayout.Header.seriesUsed), UInt64(BoardLayout.series))),
            BoardLayout.series)
        for index in 0..<used {
            copyStable(BoardLayout.seriesOffset(index))
            guard let key = keys[index] ?? key() else { continue }
            keys[index] = key
            // Hostile boards apart, a key stands in one series only.
            var histogram = last.series[key] ?? BoardSnapshot.Histogram()
            for bucket in histogram.buckets.indices {
                grow(&histogram.buckets[bucket], BoardLayout.Series.buckets + 8 * bucket)
            }
            guard histogram.buckets.contains(where: { $0 > 0 }) else { continue }
            grow(&histogram.sum, BoardLayout.Series.sum)
            grow(&histogram.max, BoardLayout.Series.max)
            let least = Double(bitPattern: word(BoardLayout.Series.min))
            if least >= 0, least < histogram.min { histogram.min = least }
            series[key] = histogram
        }
    }

    /// Copies a series so that its sum fits its buckets: again when an observation came between. The buckets come first and the
    /// sum is written before them, so at worst the sum is ahead by what came last.
    private func copyStable(_ offset: Int) {
        for _ in 0..<Self.stableTriesMax {
            mapping.copy(
                offset + BoardLayout.Series.buckets, words: BoardLayout.durationBuckets,
                to: buffer + BoardLayout.Series.buckets)
            mapping.copy(offset, words: BoardLayout.Series.buckets / 8, to: buffer)
            let rest = BoardLayout.Series.method
            mapping.copy(offset + rest, words: (BoardLayout.seriesBytes - rest) / 8, to: buffer + rest)
            let isStable = (0..<BoardLayout.durationBuckets).allSatisfy { bucket in
                let at = BoardLayout.Series.buckets + 8 * bucket
                return mapping.load(offset + at) == word(at)
            }
            if isStable { return }
        }
    }

    /// Nil when the series in the buffer is none.
    private func key() -> BoardSnapshot.SeriesKey? {
        guard let kind = BoardSeriesKind(rawValue: UInt8(truncatingIfNeeded: word(BoardLayout.Series.kind))) else {
            return nil
        }
        var key = BoardSnapshot.SeriesKey(kind: kind)
        key.isOverflow = byte(BoardLayout.Series.isOverflow) != 0
        if key.isOverflow { return key }
        let method = byte(BoardLayout.Series.method)
        key.method = method < BoardMethod.names.count ? method : 0
        key.isHTTPS = byte(BoardLayout.Series.scheme) == 2
        key.protocolVersion =
            switch byte(BoardLayout.Series.protocolVersion) {
            case 1: "1.0"
            case 2: "1.1"
            case 3: "2"
            case 4: "3"
            default: ""
            }
        let status = Int(buffer.load(fromByteOffset: BoardLayout.Series.status, as: UInt16.self))
        // Servers that are asked answer with anything of three digits.
        key.status = (100...999).contains(status) ? status : 0
        key.port = Int(buffer.load(fromByteOffset: BoardLayout.Series.port, as: UInt16.self))
        key.route = text(BoardLayout.Series.route, byte(BoardLayout.Series.routeLength), BoardLayout.routeBytesMax)
        key.errorType = text(BoardLayout.Series.error, byte(BoardLayout.Series.errorLength), BoardLayout.errorBytesMax)
        key.host = text(BoardLayout.Series.host, byte(BoardLayout.Series.hostLength), BoardLayout.hostBytesMax)
        return key
    }

    /// A text of the buffer; what was cut within a character ends in U+FFFD.
    private func text(_ offset: Int, _ count: Int, _ maximum: Int) -> String {
        String(decoding: UnsafeRawBufferPointer(start: buffer + offset, count: min(count, maximum)), as: UTF8.self)
    }

    // MARK: requests in flight

    /// The requests whose span record did not reach the ring, those that are over but for their handlers, and how many slots made no sense. Only
    /// when the worker is dead and its ring is drained.
    /// - Parameter consumed: bytes ever taken from the ring, modulo 2^32.
    public func openRequests(consumed: UInt32) -> (requests: [BoardRequest], left: [BoardRequest], bad: Int) {
        var requests: [BoardRequest] = []
        var left: [BoardRequest] = []
        var bad = 0
        for slot in 0..<BoardLayout.slots {
            let offset = BoardLayout.slotOffset(slot)
            let first = mapping.load(offset)
            if first & 0xFFFF_FFFF == BoardSlotState.free { continue }
            mapping.copy(offset, words: BoardLayout.slotBytes / 8, to: buffer)
            switch UInt64(buffer.load(as: UInt32.self)) {
            case BoardSlotState.free: continue
            case BoardSlotState.open: break
            case BoardSlotState.ending:
                let end = buffer.load(fromByteOffset: BoardLayout.Slot.endHead, as: UInt32.self)
                if Int32(bitPattern: consumed &- end) >= 0 { continue }
            case BoardSlotState.left:
                if let request = request() { left.append(request) } else { bad += 1 }
                continue
            default:
                bad += 1
                continue
            }
            if let request = request() { requests.append(request) } else { bad += 1 }
        }
        return (requests, left, bad)
    }

    /// Turns of the event loop that were too long, as the worker says.
    public var loopStalls: UInt64 { mapping.load(BoardCounter.loopStalls.offset) }

    /// Which sampled requests are in flight now, while the worker goes on: a look at their slots that allocates nothing. A slot that changes meanwhile may be told
    /// of with the ids of the request before.
    public func forEachTraceInFlight(_ body: (TraceID, SpanID) -> Void) {
        // Slots are taken from the first on, so that those in use are the first ones; what a board says of its counts is a hint and no more.
        var left = (0..<2 * BoardLayout.methods).reduce(0 as UInt64) { sum, index in
            sum &+ min(mapping.load(BoardLayout.Header.active + 8 * index), UInt64(BoardLayout.slots))
        }
        for slot in 0..<BoardLayout.slots where left > 0 {
            let offset = BoardLayout.slotOffset(slot)
            guard mapping.load(offset) & 0xFFFF_FFFF == BoardSlotState.open else { continue }
            left -= 1
            let ids = offset + BoardLayout.Slot.ids
            let trace = TraceID(
                high: UInt64(bigEndian: mapping.load(ids)), low: UInt64(bigEndian: mapping.load(ids + 8)))
            let span = SpanID(UInt64(bigEndian: mapping.load(ids + 16)))
            let flags = BoardRequestFlags(rawValue: UInt8(truncatingIfNeeded: mapping.load(offset + 48) >> 8))
            if flags.contains(.sampled), trace.isValid, span.isValid { body(trace, span) }
        }
    }

    /// The requests that are in flight now, while the worker goes on. One that changes while it is read is left out.
    public func requestsInFlight() -> [BoardRequest] {
        var requests: [BoardRequest] = []
        for slot in 0..<BoardLayout.slots {
            let offset = BoardLayout.slotOffset(slot)
            guard mapping.load(offset) & 0xFFFF_FFFF == BoardSlotState.open else { continue }
            mapping.copy(offset, words: BoardLayout.slotBytes / 8, to: buffer)
            mapping.copy(offset, words: BoardLayout.slotBytes / 8, to: buffer + BoardLayout.slotBytes)
            guard memcmp(buffer, buffer + BoardLayout.slotBytes, BoardLayout.slotBytes) == 0,
                UInt64(buffer.load(as: UInt32.self)) == BoardSlotState.open
            else { continue }
            if let request = request() { requests.append(request) }
        }
        return requests
    }

    private func request() -> BoardRequest? {
        let ids = BoardLayout.Slot.ids
        func id(_ offset: Int) -> UInt64 { UInt64(bigEndian: word(ids + offset)) }
        let trace = TraceID(high: id(0), low: id(8))
        let span = SpanID(id(16))
        guard trace.isValid, span.isValid else { return nil }
        let flags = BoardRequestFlags(rawValue: UInt8(byte(BoardLayout.Slot.flags)))
        let method = byte(BoardLayout.Slot.method)
        let length = Int(buffer.load(fromByteOffset: BoardLayout.Slot.targetLength, as: UInt16.self))
        let name =
            (1..<BoardLayout.methods).contains(method)
            ? BoardMethod.names[method]
            : text(BoardLayout.Slot.methodText, byte(BoardLayout.Slot.methodLength), BoardLayout.Slot.methodBytesMax)
        return BoardRequest(
            context: SpanContext(traceID: trace, spanID: span, traceFlags: flags.contains(.sampled) ? 1 : 0),
            parentSpanID: SpanID(id(24)), flags: flags,
            startTime: Double(bitPattern: word(BoardLayout.Slot.start)),
            method: name.isEmpty ? BoardMethod.names[0] : name,
            target: text(BoardLayout.Slot.target, length, BoardLayout.Slot.targetBytesMax),
            outcome: WorkloadOutcome(rawValue: UInt8(byte(BoardLayout.Slot.outcome))),
            status: Int(buffer.load(fromByteOffset: BoardLayout.Slot.status, as: UInt16.self)))
    }
}
