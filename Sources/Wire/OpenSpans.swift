// The spans whose start is known and whose end is not. Most end soon, so those that began lately lie in a table in which a span id
// says where: it is random, so that its low bits are as good as a hash. What must make room there goes to a dictionary, which a worker that
// chooses its ids cannot make slow. Nothing here is allocated for a span that begins and ends in the table.

internal import Telemetry

struct OpenSpan {
    var id: SpanID
    var traceID: TraceID
    var parent: SpanID
    var parentIsRemote: Bool
    var kind: UInt8
    var traceFlags: UInt8
    var scope: UInt16
    /// Of its name; 0: it is in `OpenSpans.inlineNames`.
    var nameRef: UInt32
    /// Unix nanoseconds.
    var start: UInt64

    static let none = OpenSpan(
        id: .invalid, traceID: .invalid, parent: .invalid, parentIsRemote: false, kind: 0, traceFlags: 0, scope: 0,
        nameRef: 0, start: 0)
}

/// Of one worker. A worker that announces one id twice has two spans of it, and ends one at a time.
struct OpenSpans: ~Copyable {
    private static let recentCount = 256

    private let recent: UnsafeMutablePointer<OpenSpan>
    private var others: [SpanID: OpenSpan] = [:]
    private var inlineNames: [SpanID: String] = [:]
    private var recentOpen = 0

    init() {
        recent = .allocate(capacity: Self.recentCount)
        recent.initialize(repeating: .none, count: Self.recentCount)
    }

    deinit { recent.deallocate() }

    var count: Int { recentOpen + others.count }

    @inline(__always)
    private func slot(_ id: SpanID) -> UnsafeMutablePointer<OpenSpan> {
        recent + Int(truncatingIfNeeded: id.value & UInt64(Self.recentCount - 1))
    }

    /// - Parameter inlineName: of a span without `nameRef`.
    @inline(__always)
    mutating func insert(_ span: OpenSpan, inlineName: String?) {
        let slot = slot(span.id)
        if slot.pointee.id.isValid { makeRoom(slot.pointee) } else { recentOpen &+= 1 }
        slot.pointee = span
        if let inlineName { inlineNames[span.id] = inlineName }
    }

    private mutating func makeRoom(_ span: OpenSpan) {
        let before = others.updateValue(span, forKey: span.id)
        if before?.nameRef == 0, span.nameRef != 0 { inlineNames[span.id] = nil }
    }

    @inline(__always)
    mutating func remove(_ id: SpanID) {
        let slot = slot(id)
        let nameRef: UInt32?
        if slot.pointee.id == id {
            nameRef = slot.pointee.nameRef
            slot.pointee.id = .invalid
            recentOpen &-= 1
        } else {
            nameRef = others.removeValue(forKey: id)?.nameRef
        }
        if nameRef == 0 { inlineNames[id] = nil }
    }

    /// All of them, the oldest first, with the names of those that have no `nameRef`; none is left.
    mutating func takeAll() -> [(span: OpenSpan, inlineName: String?)] {
        var all = Array(others.values)
        for index in 0..<Self.recentCount where recent[index].id.isValid {
            all.append(recent[index])
            recent[index].id = .invalid
        }
        let names = inlineNames
        others = [:]
        inlineNames = [:]
        recentOpen = 0
        return all.sorted { ($0.start, $0.id) < ($1.start, $1.id) }
            .map { ($0, $0.nameRef == 0 ? names[$0.id] ?? "" : nil) }
    }
}
