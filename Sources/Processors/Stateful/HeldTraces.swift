// The traces that a tail sampler holds, in an arena. A trace's first block has its head and its first span; each further
// span is a block. A trace is in two rows: all of them by when their first span came, and those whose root has come by
// when that came, so that the next one due is at the front of one of them.

internal import Telemetry

/// Traces with their spans. Numbers of traces and spans are references into the arena.
struct HeldTraces: ~Copyable {
    typealias Reference = Arena.Reference

    /// No trace, no span.
    static let none = Reference.max

    struct Links {
        var previous = none
        var next = none
    }

    /// The rows, in the order of a trace's links.
    enum Row: Int { case all, rooted }

    struct Trace {
        // First, as `links` has it.
        var links = (Links(), Links())
        let id: TraceID
        let hash: UInt32
        var firstSpan = none
        var lastSpan = none
        var spans: UInt32 = 0
        /// When its first span came, and its root; 0: none came.
        let since: UInt64
        var rootedSince: UInt64 = 0
        var start = UInt64.max
        var end: UInt64 = 0
        /// The rules that some span matched.
        var bits: UInt64 = 0
        var randomness: UInt64

        /// Nanoseconds; 0 where spans have no times.
        var duration: UInt64 { end > start ? end - start : 0 }

        mutating func note(_ item: Batch.Item) {
            if item.start > 0 { start = min(start, item.start) }
            end = max(end, item.end)
        }
    }

    /// Before the span's bytes.
    struct Span {
        var next = none
        let length: UInt32
        let origin: UInt32
        let status: UInt8
        let kind: UInt8
        let ticket: UInt64
        let id: SpanID
        let parent: SpanID
        let start: UInt64
        let end: UInt64
    }

    private static let traceBytes = (MemoryLayout<Trace>.stride + 7) & ~7
    private static let spanBytes = (MemoryLayout<Span>.stride + 7) & ~7

    private var arena: Arena
    private var index = HashIndex()
    private var rows = (Links(), Links())
    /// Bytes of the index, of which the room was asked for what it has grown by.
    private var indexBytes: Int
    private let room: MemoryRoom

    init(room: MemoryRoom) {
        self.room = room
        arena = Arena(room: room)
        indexBytes = index.bytes
    }

    var count: Int { index.count }

    /// What a span takes of a trace that is new.
    static func bytes(ofSpan length: Int) -> Int { traceBytes + spanBytes + length + 7 }

    // MARK: look-up

    func hash(_ trace: TraceID) -> UInt32 { index.hash(trace.high, trace.low) }

    @inline(__always)
    func find(_ trace: TraceID, _ hash: UInt32) -> Reference? {
        index.find(hash) { self[$0].pointee.id == trace }
    }

    @inline(__always)
    subscript(_ reference: Reference) -> UnsafeMutablePointer<Trace> {
        arena.pointer(reference).assumingMemoryBound(to: Trace.self)
    }

    @inline(__always)
    func span(_ reference: Reference) -> UnsafeMutablePointer<Span> {
        arena.pointer(reference).assumingMemoryBound(to: Span.self)
    }

    @inline(__always)
    func bytes(of span: UnsafeMutablePointer<Span>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: UnsafeRawPointer(span) + Self.spanBytes, count: Int(span.pointee.length))
    }

    /// The trace at the front of a row, the one that is longest in it.
    func front(_ row: Row) -> Reference? {
        let front = row == .all ? rows.0.next : rows.1.next
        return front == Self.none ? nil : front
    }

    // MARK: changes

    /// Holds a trace with its first span; nil: there is no room.
    mutating func add(_ trace: Trace, _ span: Span, _ bytes: UnsafeRawBufferPointer) -> Reference? {
        guard !room.isOverdrawn,
            let reference = arena.allocate(Self.traceBytes + Self.spanBytes + bytes.count, things: 2)
        else { return nil }
        self[reference].initialize(to: trace)
        index.insert(trace.hash, reference)
        if index.bytes > indexBytes {
            room.overdraw(index.bytes - indexBytes)
            indexBytes = index.bytes
        }
        append(reference + UInt32(Self.traceBytes / 8), span, bytes, to: reference)
        enter(.all, reference)
        return reference
    }

    /// Holds a further span of a trace. False: there is no room.
    mutating func add(_ span: Span, _ bytes: UnsafeRawBufferPointer, to trace: Reference) -> Bool {
        guard !room.isOverdrawn, let reference = arena.allocate(Self.spanBytes + bytes.count) else { return false }
        append(reference, span, bytes, to: trace)
        return true
    }

    private func append(
        _ reference: Reference, _ span: Span, _ bytes: UnsafeRawBufferPointer, to trace: Reference
    ) {
        let place = self.span(reference)
        place.initialize(to: span)
        if let source = bytes.baseAddress {
            (UnsafeMutableRawPointer(place) + Self.spanBytes).copyMemory(from: source, byteCount: bytes.count)
        }
        let held = self[trace]
        if held.pointee.lastSpan == Self.none {
            held.pointee.firstSpan = reference
        } else {
            self.span(held.pointee.lastSpan).pointee.next = reference
        }
        held.pointee.lastSpan = reference
        held.pointee.spans += 1
    }

    /// The root of a trace has come.
    mutating func root(_ trace: Reference, now: UInt64) {
        guard self[trace].pointee.rootedSince == 0 else { return }
        self[trace].pointee.rootedSince = max(now, 1)
        enter(.rooted, trace)
    }

    /// Lets go of a trace; `body` gets its spans first, one after the other.
    mutating func remove(_ trace: Reference, _ body: (UnsafeMutablePointer<Span>, UnsafeRawBufferPointer) -> Void) {
        leave(.all, trace)
        if self[trace].pointee.rootedSince != 0 { leave(.rooted, trace) }
        index.remove(self[trace].pointee.hash, trace)
        if index.bytes < indexBytes {
            room.giveBack(indexBytes - index.bytes)
            indexBytes = index.bytes
        }
        var next = self[trace].pointee.firstSpan
        // The head shares its memory with the first span; it goes last, so that it is there to the end.
        while next != Self.none {
            let current = next
            let span = span(current)
            next = span.pointee.next
            body(span, bytes(of: span))
            arena.release(current)
        }
        arena.release(trace)
        if index.count == 0 { arena.trim() }
    }

    // MARK: rows

    private func links(_ trace: Reference, _ row: Row) -> UnsafeMutablePointer<Links> {
        arena.pointer(trace).assumingMemoryBound(to: Links.self) + row.rawValue
    }

    private mutating func enter(_ row: Row, _ trace: Reference) {
        let last = row == .all ? rows.0.previous : rows.1.previous
        links(trace, row).pointee = Links(previous: last, next: Self.none)
        if last == Self.none { setFront(row, trace) } else { links(last, row).pointee.next = trace }
        setBack(row, trace)
    }

    private mutating func leave(_ row: Row, _ trace: Reference) {
        let own = links(trace, row).pointee
        if own.previous == Self.none {
            setFront(row, own.next)
        } else {
            links(own.previous, row).pointee.next = own.next
        }
        if own.next == Self.none {
            setBack(row, own.previous)
        } else {
            links(own.next, row).pointee.previous = own.previous
        }
    }

    private mutating func setFront(_ row: Row, _ trace: Reference) {
        if row == .all { rows.0.next = trace } else { rows.1.next = trace }
    }

    private mutating func setBack(_ row: Row, _ trace: Reference) {
        if row == .all { rows.0.previous = trace } else { rows.1.previous = trace }
    }
}
