internal import Store
internal import Telemetry
internal import Wire

/// Moves records out of a worker's ring and hands them on as batches. One thread.
struct RingPump: ~Copyable {
    private var reader: RingReader
    private(set) var transcoder: RecordTranscoder
    private var schedule: DrainSchedule
    private let clocks: @Sendable () -> (monotonic: UInt64, unix: UInt64)
    private let handOn: (Batch) -> Void
    private let found: ([Finding]) -> Void

    /// Looks into the ring, asked for or not.
    private(set) var wakes: UInt64 = 0
    /// Items handed on, by signal.
    private(set) var received: [Signal: Int] = [:]

    /// - Parameters:
    ///   - clocks: both clocks, read together.
    ///   - handOn: takes a batch; must not block.
    ///   - found: the same for findings, which are in the batches, too.
    init(
        _ ring: RingMapping, mask: SecretMask? = nil, resource: Resource, version: String,
        clocks: @escaping @Sendable () -> (monotonic: UInt64, unix: UInt64), handOn: @escaping (Batch) -> Void,
        found: @escaping ([Finding]) -> Void = { _ in }
    ) {
        reader = RingReader(ring, mask: mask)
        transcoder = RecordTranscoder(resource: resource, scopeVersion: version)
        schedule = DrainSchedule(ringCapacity: ring.capacity)
        self.clocks = clocks
        self.handOn = handOn
        self.found = found
    }

    /// Asks the producer for a wake-up and says how long to sleep for it, nanoseconds; 0: not at all.
    func prepareToSleep(now: UInt64) -> UInt64 {
        reader.requestWake(after: schedule.wakeAfterBytes) ? schedule.sleepNanoseconds(now: now) : 0
    }

    /// Takes what is there, at most a ring full, so that a producer that never rests does not keep the agent from its other duties.
    /// Returns why the ring is broken, if it is.
    mutating func drain() -> RingReader.BrokenReason? {
        wakes += 1
        let (monotonic, unix) = clocks()
        transcoder.clock = transcoder.clock.stepped(
            to: RingClock(monotonicBase: reader.mapping.monotonicBase, monotonic: monotonic, unix: unix))
        var taken = 0
        var broken: RingReader.BrokenReason?
        reading: while taken < reader.mapping.capacity {
            switch reader.read({ transcoder.transcode($0) }) {
            case .empty: break reading
            case .read(let bytes):
                taken += bytes
                if transcoder.pendingBytes >= DrainSchedule.bytesMax { take() }
            case .broken(let reason):
                broken = reason
                break reading
            }
        }
        schedule.drained(bytes: taken, pendingItems: transcoder.pendingItems, now: monotonic)
        if schedule.isDue(pendingBytes: transcoder.pendingBytes, now: monotonic) { take() }
        return broken
    }

    /// Ends it, after the worker: spans still open become errors, the log says how it died, and everything is handed on.
    /// Returns how many spans were open.
    /// - Parameters:
    ///   - requests: those that were in flight, by the board; those that are sampled become spans.
    ///   - logsDeath: false for all rings of a worker but its first.
    mutating func finish(
        _ outcome: WorkerOutcome, requests: [BoardRequest] = [], logsDeath: Bool = true, now unix: UInt64
    ) -> Int {
        let run = transcoder.firstStartedSpan
        let attributes = [
            Attribute("error.type", .string(outcome.openSpanErrorType)),
            Attribute(StoredSpan.unfinishedAttribute, true),
        ]
        let limit = outcome.death?.limit?.outcome ?? (outcome.death?.refusedCall == nil ? nil : .refused)
        var open = transcoder.closeOpenSpans(
            endTime: unix, reason: outcome.openSpanReason,
            attributes: attributes + (limit.map { [Attribute(WorkloadOutcome.attribute, .string($0.label))] } ?? []))
        for request in requests where request.flags.contains(.sampled) {
            transcoder.add(
                request.span(
                    start: transcoder.clock.unixNanoseconds(request.startTime) ?? unix, end: unix,
                    reason: outcome.openSpanReason, outcome: request.outcome ?? limit, attributes: attributes))
            open += 1
        }
        if logsDeath, let death = outcome.death {
            transcoder.add(death.log(at: unix, in: run))
            // In the trace that it happened in, where that is known.
            let guilty = requests.first { $0.outcome == limit }?.context
            if let record = death.finding(at: unix, in: guilty ?? run) {
                transcoder.add(record)
                if let finding = Finding(record) { found([finding]) }
            }
        }
        take()
        return open
    }

    /// Bytes ever taken, modulo 2^32.
    var consumed: UInt32 { reader.consumed }

    /// Records the producer could not place, by kind.
    func dropped(_ kind: RecordKind) -> UInt32 { reader.dropped(kind) }

    private mutating func take() {
        for batch in transcoder.take() {
            received[batch.signal, default: 0] += batch.items.count
            handOn(batch)
        }
        let findings = transcoder.takeFindings()
        if !findings.isEmpty { found(findings) }
        schedule.handedOn()
    }
}

extension WorkerOutcome.Death {
    /// The log record of this death. `run`: the span it belongs to.
    func log(at unix: UInt64, in run: SpanContext?) -> LogRecord {
        let severity: UInt8 = isRequested ? 13 : 21
        return LogRecord(
            time: unix, observedTime: unix, severity: severity, severityText: LogRecord.severityText(severity),
            body: .string(reason),
            attributes: [
                Attribute("exception.type", .string(errorType)), Attribute("exception.message", .string(reason)),
            ],
            traceID: run?.traceID ?? .invalid, spanID: run?.spanID ?? .invalid, traceFlags: run?.traceFlags ?? 0,
            eventName: "exception")
    }
}

extension WorkerOutcome.Death {
    /// What a limit's hit, or a system call that the fence refused, is recorded as: the isolate's own findings its platform records itself (27_findings.js).
    func finding(at unix: UInt64, in span: SpanContext?) -> LogRecord? {
        let kind: String
        var attributes: Attributes
        if let limit {
            kind = "limit"
            attributes = [Attribute("sidelight.limit.name", .string(limit.name))]
            if let value = limit.value { attributes.append(Attribute("sidelight.limit.value", value)) }
        } else if let refusedCall {
            kind = "violation"
            attributes = [
                Attribute("sidelight.policy.permission", "syscall"), Attribute("sidelight.policy.rule", "fence"),
                Attribute("sidelight.policy.target", .string(refusedCall)),
            ]
        } else {
            return nil
        }
        attributes.insert(Attribute("sidelight.finding.kind", .string(kind)), at: 0)
        attributes.append(Attribute(WorkloadOutcome.attribute, .string((limit?.outcome ?? .refused).label)))
        let severity: UInt8 = 13
        return LogRecord(
            time: unix, observedTime: unix, severity: severity, severityText: LogRecord.severityText(severity),
            body: .string(reason), attributes: attributes,
            traceID: span?.traceID ?? .invalid, spanID: span?.spanID ?? .invalid, traceFlags: span?.traceFlags ?? 0,
            eventName: "sidelight.\(kind)")
    }
}

extension BoardRequest {
    /// The server span of a request that never ended. <https://opentelemetry.io/docs/specs/semconv/http/http-spans/#name>
    /// - Parameters:
    ///   - start: Unix nanoseconds, as is `end`, which it does not exceed in the span.
    ///   - outcome: of this request, where a limit was reached.
    func span(
        start: UInt64, end: UInt64, reason: String, outcome: WorkloadOutcome? = nil, attributes: Attributes
    ) -> SpanData {
        let isKnown = BoardMethod.served.contains(method)
        var own = [Attribute("http.request.method", .string(isKnown ? method : BoardMethod.names[0]))]
        if !isKnown, method != BoardMethod.names[0] {
            own.append(Attribute("http.request.method_original", .string(method)))
        }
        own.append(Attribute("url.path", .string(path)))
        own.append(Attribute("url.scheme", flags.contains(.https) ? "https" : "http"))
        if status > 0 { own.append(Attribute("http.response.status_code", .int(Int64(status)))) }
        if let outcome { own.append(Attribute(WorkloadOutcome.attribute, .string(outcome.label))) }
        let reason = outcome == .replaced ? "the isolate was replaced for another's doing: \(reason)" : reason
        return SpanData(
            context: context, parentSpanID: parentSpanID, parentIsRemote: flags.contains(.parentIsRemote),
            name: isKnown ? method : "HTTP", kind: .server, startTime: min(start, end), endTime: end,
            attributes: own + attributes, status: SpanStatus(code: .error, message: reason))
    }
}
