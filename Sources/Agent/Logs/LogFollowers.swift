internal import Server
internal import Store
internal import System
internal import Telemetry
internal import Wire

/// Clients that follow the logs live, each with a filter, by server-sent events
/// (<https://html.spec.whatwg.org/multipage/server-sent-events.html>): `data` is a record as `TelemetryJSON` writes it; an event `skipped` says how many
/// records that passed its filter (or, where text is sought, may have) a client has missed there. The server's thread only.
///
/// A client gets as many as it reads, and its share of `recordsPerSecond` at most: who looks on must not slow down what flows.
final class LogFollowers: @unchecked Sendable {
    // @unchecked: of the server's thread.

    /// Which records a client wants; all conditions have to hold.
    struct Filter {
        /// OTLP severity number; records without one pass only where it is 0.
        var severityMin: UInt8 = 0
        var service: String?
        var traceID: TraceID?
        /// Stands somewhere in the record's text, or in keys or texts of its attributes. Nil: no matter what does.
        var contains: SoughtText?
        /// Findings alone.
        var isOfFindings = false

        /// What is seen without decoding the record. Where text is sought, `passes(_:)` is to follow: bytes that are none may look like it.
        func mayPass(_ item: Batch.Item, _ bytes: UnsafeRawBufferPointer) -> Bool {
            guard item.status >= severityMin, traceID.map({ $0 == item.traceID }) ?? true else { return false }
            guard let contains else { return true }
            return contains.isFound(
                in: UnsafeRawBufferPointer(rebasing: bytes[Int(item.offset)..<Int(item.offset) + Int(item.length)]))
        }

        func passes(_ record: LogRecord) -> Bool {
            if isOfFindings, !record.eventName.hasPrefix("sidelight.") || Finding(record) == nil { return false }
            guard let contains else { return true }
            return contains.isFound(in: record.body) || contains.isFound(in: record.severityText)
                || contains.isFound(in: record.eventName)
                || record.attributes.contains { contains.isFound(in: $0.key) || contains.isFound(in: $0.value) }
        }
    }

    /// Clients at once.
    static let countMax = 16
    /// Of all clients together: each has the same share.
    static let recordsPerSecond = 10_000
    /// Bytes that may wait for a client before it misses records; all clients together hold no more than a quarter of the agent's memory.
    private let waitingBytesMax: Int
    private static let noteNanoseconds: UInt64 = 100_000_000
    /// Between two comments, which find out whether a client that gets nothing else is still there.
    private static let beatNanoseconds: UInt64 = 15_000_000_000
    private static let pieceBytes = 32 << 10
    private static let fields = ResponseFields(["content-type": "text/event-stream", "cache-control": "no-store"])

    private struct Follower {
        let number: Int
        let filter: Filter
        let stream: ResponseStream
        var skipped = 0
        /// Records that it may still get in this second.
        var allowance = 0
        var secondEnds: UInt64 = 0
    }

    private let clock: any SystemClock
    private var followers: [Follower] = []
    private var next = 0
    /// When the next comment is due, provided somebody follows.
    private var beatAt: UInt64 = 0

    /// - Parameter memoryBytesMax: of the agent's budget.
    init(_ clock: any SystemClock, memoryBytesMax: Int) {
        self.clock = clock
        waitingBytesMax = min(256 << 10, memoryBytesMax / (4 * Self.countMax))
    }

    var isEmpty: Bool { followers.isEmpty }

    /// False: there are as many as there may be.
    func add(_ responder: Responder, _ filter: Filter) -> Bool {
        guard followers.count < Self.countMax else { return false }
        next += 1
        let number = next
        let stream = responder.stream(200, Self.fields) { [weak self] in
            self?.followers.removeAll { $0.number == number }
        }
        // It may have left before it is here to be removed.
        guard !stream.isOver else { return true }
        if followers.isEmpty { beatAt = clock.monotonicNanoseconds() + Self.beatNanoseconds }
        // A client learns at once that it is connected, though there may be nothing to see for long.
        _ = stream.write(Array(": following\n\n".utf8))
        followers.append(Follower(number: number, filter: filter, stream: stream))
        return true
    }

    /// Called for batches of logs, and only when somebody follows.
    func show(_ batches: [Batch]) {
        let now = clock.monotonicNanoseconds()
        for index in followers.indices {
            if now >= followers[index].secondEnds {
                followers[index].allowance = Self.recordsPerSecond / followers.count
                followers[index].secondEnds = now + 1_000_000_000
            }
            for batch in batches { show(batch, &followers[index]) }
        }
    }

    private func show(_ batch: Batch, _ follower: inout Follower) {
        let resource = try? batch.decodedResource()
        guard follower.filter.service.map({ $0 == resource?.serviceName }) ?? true else { return }
        let scopes = (try? batch.decodedScopes()) ?? []
        var piece = Piece()
        batch.bytes.withUnsafeBytes { bytes in
            for index in batch.items.indices where follower.filter.mayPass(batch.items[index], bytes) {
                guard follower.allowance > 0,
                    follower.stream.bytesQueued + Int(batch.items[index].length) < waitingBytesMax
                else {
                    follower.skipped += 1
                    continue
                }
                follower.allowance -= 1
                guard let record = try? batch.logRecord(at: index) else {
                    follower.skipped += 1
                    continue
                }
                guard follower.filter.passes(record) else { continue }
                let scope = Int(batch.items[index].scope)
                let log = StoredLog(
                    record: record, resource: resource ?? Resource(),
                    scope: scope < scopes.count ? scopes[scope] : InstrumentationScope())
                if follower.skipped > 0 { piece.tellSkipped(&follower.skipped) }
                piece.add(log)
                if piece.text.count >= Self.pieceBytes { Self.send(&piece, &follower) }
            }
        }
        Self.send(&piece, &follower)
    }

    /// Events that are sent together.
    private struct Piece {
        var text: [UInt8] = []
        /// Records that are in it, or that it says are missing: all of them are, when it cannot be sent.
        var records = 0

        mutating func add(_ log: StoredLog) {
            text += "data: \(TelemetryJSON.text(log))\n\n".utf8
            records += 1
        }

        mutating func tellSkipped(_ skipped: inout Int) {
            text += "event: skipped\ndata: {\"skipped\":\(skipped)}\n\n".utf8
            records += skipped
            skipped = 0
        }
    }

    private static func send(_ piece: inout Piece, _ follower: inout Follower) {
        if !follower.stream.write(piece.text) { follower.skipped += piece.records }
        piece = Piece()
    }

    /// Tells those who have room again what they have missed: nothing else may come for long. Returns when to call it again; nil: nobody follows.
    func turn(now: UInt64) -> UInt64? {
        guard !followers.isEmpty else { return nil }
        let isBeat = now >= beatAt
        if isBeat { beatAt = now + Self.beatNanoseconds }
        var isDue = false
        for index in followers.indices {
            if isBeat, followers[index].stream.bytesQueued == 0 { _ = followers[index].stream.write(Self.beat) }
            guard followers[index].skipped > 0 else { continue }
            if followers[index].stream.bytesQueued < waitingBytesMax {
                var piece = Piece()
                piece.tellSkipped(&followers[index].skipped)
                Self.send(&piece, &followers[index])
            }
            if followers[index].skipped > 0 { isDue = true }
        }
        return isDue ? min(now + Self.noteNanoseconds, beatAt) : beatAt
    }

    private static let beat = Array(":\n\n".utf8)

    /// The agent ends: so do the streams.
    func end() {
        for follower in followers { follower.stream.end() }
        followers = []
    }
}
