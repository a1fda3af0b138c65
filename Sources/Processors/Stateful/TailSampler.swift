// Spans are held by trace, as the bytes they came in, until their trace is decided: `wait` after its first span, `settle`
// after its root, or earlier when there is no room; then the oldest goes first. What the policies want to know of a span is
// found out when it comes, so that a decision looks at no span again. Spans that come after the decision follow it, as long
// as it is remembered; later ones begin a trace of their own.

internal import Configuration
internal import System
internal import Telemetry

final class TailSampler: StatefulProcessor {
    /// What a trace was decided on.
    private enum Cause { case time, memory, traces }

    private let name: String
    private let configuration: TailSampling
    private let room: MemoryRoom
    private var policies: TailPolicies
    private var held: HeldTraces
    private var origins: Origins
    private var decided: DecidedTraces
    private var tickets = HeldTickets()
    /// The time never goes back.
    private var now: UInt64 = 0
    /// The trace of the span before, if it is held.
    private var last: (id: TraceID, reference: HeldTraces.Reference)?
    private var books: StatefulBooks

    /// A span that takes more than this part of the memory is not held: its trace is decided when it comes.
    private static let spanPart = 4

    init(_ configuration: TailSampling, name: String, budget: MemoryBudget?) {
        self.name = name
        self.configuration = configuration
        room = MemoryRoom(bytesMax: configuration.bytesMax, budget: budget)
        policies = TailPolicies(configuration.policies)
        held = HeldTraces(room: room)
        origins = Origins(room: room)
        decided = DecidedTraces(capacity: configuration.decisionsMax)
        books = StatefulBooks(name)
    }

    // MARK: the seam

    func take(_ batches: [Batch], now: UInt64, _ output: inout ProcessorOutput) {
        self.now = max(self.now, now)
        for batch in batches {
            books.received(batch.signal, batch.items.count)
            if batch.signal == .traces {
                take(batch)
            } else {
                books.passed(batch.signal, batch.items.count)
                output.batches.append(batch)
            }
        }
        decideDue()
        finish(&output)
    }

    func tick(now: UInt64, _ output: inout ProcessorOutput) {
        self.now = max(self.now, now)
        decideDue()
        finish(&output)
    }

    /// What is held stays in the queue.
    func end(now: UInt64, _ output: inout ProcessorOutput) {}

    var wakeAt: UInt64? {
        let first = held.front(.all).map { held[$0].pointee.since &+ configuration.waitNanoseconds }
        guard let settle = configuration.settleNanoseconds, let rooted = held.front(.rooted) else { return first }
        return min(first ?? .max, held[rooted].pointee.rootedSince &+ settle)
    }

    var oldestHeld: UInt64? { tickets.oldest }
    /// There is always one more trace to decide.
    var isFull: Bool { false }
    var counts: ProcessorCounts { books.counts }
    /// Bytes of spans, and what they need around them.
    var bytesHeld: Int { room.used }

    private func finish(_ output: inout ProcessorOutput) {
        output.batches += origins.finish()
        books.report(into: &output.dropped)
    }

    // MARK: spans

    private func take(_ batch: borrowing Batch) {
        policies.prepare(batch)
        let resource = origins.enter(batch)
        let scopes = batch.scopes.isEmpty ? [Batch.Scope(message: [])] : batch.scopes
        // The number of each scope's origin; the batch itself holds those that it has used until it is through.
        var numbers = [UInt32?](repeating: nil, count: scopes.count)
        let ticket = batch.ticket
        batch.bytes.withUnsafeBytes { bytes in
            for item in batch.items {
                let (start, length) = (Int(item.offset), Int(item.length))
                let scope = Int(item.scope)
                guard start + length <= bytes.count, scope < scopes.count, item.traceID.isValid else {
                    books.dropped(.malformed, "", .traces, bytes: length)
                    continue
                }
                let origin: UInt32
                if let number = numbers[scope] {
                    origin = number
                } else {
                    origin = origins.hold(resource, scopes[scope])
                    numbers[scope] = origin
                }
                take(item, UnsafeRawBufferPointer(rebasing: bytes[start..<start + length]), origin, ticket)
            }
        }
        for case let number? in numbers { origins.release(number) }
        origins.leave(resource)
    }

    @inline(__always)
    private func take(_ item: Batch.Item, _ bytes: UnsafeRawBufferPointer, _ origin: UInt32, _ ticket: UInt64) {
        var reference: HeldTraces.Reference?
        if let last, last.id == item.traceID {
            reference = last.reference
        } else {
            reference = held.find(item.traceID, held.hash(item.traceID))
            if reference == nil, let verdict = decided.verdict(item.traceID) {
                return follow(verdict, item, bytes, origin, ticket)
            }
        }
        if let reference {
            add(item, bytes, origin, ticket, to: reference)
        } else {
            begin(item, bytes, origin, ticket)
        }
    }

    /// A further span of a trace that is held.
    private func add(
        _ item: Batch.Item, _ bytes: UnsafeRawBufferPointer, _ origin: UInt32, _ ticket: UInt64,
        to reference: HeldTraces.Reference
    ) {
        guard let bits = policies.bits(item, bytes, known: held[reference].pointee.bits) else {
            return books.dropped(.malformed, "", .traces, bytes: bytes.count)
        }
        let trace = held[reference]
        // A span that cannot be held counts for the decision, too.
        trace.pointee.bits = bits
        trace.pointee.note(item)
        let span = span(item, bytes, origin, ticket)
        guard isSmall(bytes) else {
            decide(reference, .memory)
            return follow(decided.verdict(item.traceID)!, item, bytes, origin, ticket, isLate: false)
        }
        while !held.add(span, bytes, to: reference) {
            let oldest = held.front(.all)!
            makeRoom(oldest)
            guard oldest != reference else {
                return follow(decided.verdict(item.traceID)!, item, bytes, origin, ticket, isLate: false)
            }
        }
        hold(origin, ticket)
        if !item.parentSpanID.isValid { held.root(reference, now: now) }
        last = (item.traceID, reference)
    }

    /// The first span of a trace.
    private func begin(_ item: Batch.Item, _ bytes: UnsafeRawBufferPointer, _ origin: UInt32, _ ticket: UInt64) {
        guard let bits = policies.bits(item, bytes, known: 0) else {
            return books.dropped(.malformed, "", .traces, bytes: bytes.count)
        }
        var trace = HeldTraces.Trace(
            id: item.traceID, hash: held.hash(item.traceID), since: now, randomness: randomness(item, bytes))
        trace.bits = bits
        trace.note(item)
        let span = span(item, bytes, origin, ticket)
        if held.count >= configuration.tracesMax, let oldest = held.front(.all) { decide(oldest, .traces) }
        while isSmall(bytes) {
            if let reference = held.add(trace, span, bytes) {
                hold(origin, ticket)
                if !item.parentSpanID.isValid { held.root(reference, now: now) }
                last = (item.traceID, reference)
                return
            }
            guard let oldest = held.front(.all) else { break }
            makeRoom(oldest)
        }
        // Nothing is held, and there is no room for this one either.
        follow(verdict(trace, .memory), item, bytes, origin, ticket, isLate: false)
    }

    private func makeRoom(_ oldest: HeldTraces.Reference) {
        decide(oldest, .memory)
        origins.forgetUnused()
    }

    private func isSmall(_ bytes: UnsafeRawBufferPointer) -> Bool {
        HeldTraces.bytes(ofSpan: bytes.count) <= configuration.bytesMax / Self.spanPart
    }

    private func randomness(_ item: Batch.Item, _ bytes: UnsafeRawBufferPointer) -> UInt64 {
        guard policies.usesRandomness, let fields = FieldCursor.item(bytes) else {
            return TraceRandomness.of(item.traceID)
        }
        return TraceRandomness.of(item.traceID, fields)
    }

    private func span(
        _ item: Batch.Item, _ bytes: UnsafeRawBufferPointer, _ origin: UInt32, _ ticket: UInt64
    ) -> HeldTraces.Span {
        HeldTraces.Span(
            length: UInt32(bytes.count), origin: origin, status: item.status, kind: item.kind, ticket: ticket,
            id: item.spanID, parent: item.parentSpanID, start: item.start, end: item.end)
    }

    private func hold(_ origin: UInt32, _ ticket: UInt64) {
        origins.hold(origin)
        tickets.add(ticket)
        books.held(.traces)
    }

    /// A span whose trace is decided.
    private func follow(
        _ verdict: Verdict, _ item: Batch.Item, _ bytes: UnsafeRawBufferPointer, _ origin: UInt32, _ ticket: UInt64,
        isLate: Bool = true
    ) {
        if isLate { books.note(verdict.isKept ? .lateKept : .lateDropped) }
        guard verdict.isKept else {
            return books.dropped(
                isLate ? .lateUnsampled : .unsampled, policies.name(of: verdict), .traces, bytes: bytes.count)
        }
        origins.put(bytes, item, of: origin, signal: .traces, ticket: ticket)
        books.passed(.traces)
    }

    // MARK: decisions

    private func decideDue() {
        while let first = held.front(.all), held[first].pointee.since &+ configuration.waitNanoseconds <= now {
            decide(first, .time)
        }
        guard let settle = configuration.settleNanoseconds else { return }
        while let first = held.front(.rooted), held[first].pointee.rootedSince &+ settle <= now {
            decide(first, .time)
        }
    }

    private func verdict(_ trace: HeldTraces.Trace, _ cause: Cause) -> Verdict {
        let verdict = policies.decide(
            bits: trace.bits, duration: trace.duration, randomness: trace.randomness, now: now)
        decided.add(trace.id, verdict)
        books.note(verdict.isKept ? .tracesKept : .tracesDropped)
        switch cause {
        case .time: break
        case .memory: books.note(.earlyForMemory)
        case .traces: books.note(.earlyForTraces)
        }
        return verdict
    }

    private func decide(_ reference: HeldTraces.Reference, _ cause: Cause) {
        if last?.reference == reference { last = nil }
        let trace = held[reference].pointee
        let verdict = verdict(trace, cause)
        let rule = policies.name(of: verdict)
        var droppedBytes = 0
        held.remove(reference) { span, bytes in
            if verdict.isKept {
                let item = Batch.Item(
                    offset: 0, length: 0, scope: 0, status: span.pointee.status, kind: span.pointee.kind,
                    traceID: trace.id, spanID: span.pointee.id, parentSpanID: span.pointee.parent,
                    start: span.pointee.start, end: span.pointee.end)
                origins.put(bytes, item, of: span.pointee.origin, signal: .traces, ticket: span.pointee.ticket)
            } else {
                droppedBytes += bytes.count
            }
            origins.release(span.pointee.origin)
            tickets.remove(span.pointee.ticket)
        }
        let spans = Int(trace.spans)
        books.letGo(.traces, spans)
        if verdict.isKept {
            books.passed(.traces, spans)
        } else {
            books.dropped(.unsampled, rule, .traces, items: spans, bytes: droppedBytes)
        }
    }
}
