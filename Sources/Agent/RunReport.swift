// What a run says of itself when it is over: warnings where something is wrong, a summary in JSON when asked for, and the
// counters behind both. Pure: `Run` fills it in.

internal import Configuration
internal import Linux
internal import Telemetry
internal import Wire

/// Where the items given to one destination are. received = sent + dropped + queued.
struct Account: Sendable {
    struct Items: Hashable, Sendable {
        var received = 0
        var sent = 0
        /// By reason, zeros left out.
        var dropped: [String: Int] = [:]
        var queued = 0

        var droppedTotal: Int { dropped.values.reduce(0, +) }
        /// What somebody could have expected to arrive: not a signal that the backend has no place for.
        var missing: Int { droppedTotal - (dropped["unsupported"] ?? 0) + queued }
        var isBalanced: Bool { received == sent + droppedTotal + queued }
    }

    /// "otlp http://127.0.0.1:4318", or the store's folder.
    var name: String
    var signals: [Signal: Items] = [:]
    /// Tries of sending, those repeated among them.
    var requests = 0
    var retries = 0
    /// What its last failure said; it may have recovered since.
    var lastError: String?
    /// What it had to say about something it took.
    var complaint: String?

    var received: Int { signals.values.reduce(0) { $0 + $1.received } }
    var sent: Int { signals.values.reduce(0) { $0 + $1.sent } }
    var missing: Int { signals.values.reduce(0) { $0 + $1.missing } }
}

struct RunReport: Sendable {
    var outcome: WorkerOutcome
    var workerStatus: ChildProcess.Status
    var workerUsage = ChildProcess.Usage()
    /// What its workers have counted of their findings.
    var findings: [FindingCounter: UInt64] = [:]
    /// What fenced it; of a `serve` what fenced all of its workers.
    var fence: FenceLayers?
    var agentNanoseconds: UInt64 = 0
    /// Items read from the ring.
    var received: [Signal: Int] = [:]
    var records = RecordTranscoder.Counters()
    var ringWakes: UInt64 = 0
    var ringDropped: [RecordKind: UInt64] = [:]
    var ringBroken: String?
    var openSpansClosed = 0
    var slotsRejected = 0
    /// Of a `serve`: workers that ended, by reason; a run has one, and it says so in `outcome`.
    var workerEnds: [String: Int] = [:]
    var workerRestarts: [String: Int] = [:]
    var exporters: [Account] = []
    /// Nil when the run has no store.
    var store: Account?

    init(outcome: WorkerOutcome, workerStatus: ChildProcess.Status) {
        self.outcome = outcome
        self.workerStatus = workerStatus
    }

    /// Adds what a worker that has ended leaves.
    mutating func add(_ worker: AttendedWorker) {
        received.merge(worker.received, uniquingKeysWith: +)
        if let layers = worker.fence { fence = fence?.intersection(layers) ?? layers }
        records.add(worker.records)
        ringWakes += worker.wakes
        if let reason = worker.ringBroken { ringBroken = reason.rawValue }
        openSpansClosed += worker.openSpansClosed
        slotsRejected += worker.slotsRejected
        for kind in RecordKind.allCases { ringDropped[kind, default: 0] += worker.dropped(kind) }
        for counter in FindingCounter.all { findings[counter, default: 0] += worker.count(of: counter) }
    }

    private var rejected: UInt64 { records.rejectedReasons.values.reduce(0, +) }

    // MARK: for people

    /// One line each; none when all went well.
    var warnings: [String] {
        var lines: [String] = []
        if let death = outcome.death, !death.isRequested, !death.isOwn { lines.append(death.reason) }
        let dropped = ringDropped.sorted { $0.key.rawValue < $1.key.rawValue }.filter { $0.value > 0 }
        if !dropped.isEmpty {
            let parts = dropped.map { countText($0.value, $0.key.noun) }.joined(separator: ", ")
            lines.append("dropped for want of room in the ring: \(parts)")
        }
        if rejected > 0 {
            let reasons = records.rejectedReasons.sorted { $0.key.rawValue < $1.key.rawValue }
            let parts = reasons.map { "\($0.key.rawValue) \($0.value)" }.joined(separator: ", ")
            lines.append("\(countText(rejected, "malformed record")) from the worker left out (\(parts))")
        }
        if records.untrackedStarts > 0 {
            lines.append(
                "\(countText(records.untrackedStarts, "span start")) not followed: too many spans were open at once")
        }
        for exporter in exporters where exporter.missing > 0 { lines.append(warning(of: exporter)) }
        for exporter in exporters {
            if let complaint = exporter.complaint { lines.append("\(exporter.name) says: \(complaint)") }
        }
        if let store, store.missing > 0 {
            lines.append("store \(store.name): \(Self.items(of: store)) not kept" + Self.suffix(store.lastError))
        }
        for account in exporters + (store.map { [$0] } ?? []) where !isBalanced(account) {
            lines.append("internal error: the accounts of \(account.name) do not balance")
        }
        return lines
    }

    /// received = sent + dropped + queued, and received is what was read from the ring, for every signal it carries.
    private func isBalanced(_ account: Account) -> Bool {
        account.signals.allSatisfy { signal, items in items.isBalanced && items.received == received[signal] ?? 0 }
    }

    private func warning(of exporter: Account) -> String {
        let isKept = store.map { $0.missing == 0 } ?? false
        let kept = store.map { isKept ? " (kept in \($0.name))" : "" } ?? ""
        return "\(exporter.name): \(Self.items(of: exporter)) not delivered\(kept)"
            + Self.suffix(exporter.lastError ?? (exporter.requests > 0 ? "no answer yet" : nil))
    }

    private static func suffix(_ error: String?) -> String { error.map { ": " + $0 } ?? "" }

    /// "12 spans, 3 log records"
    private static func items(of account: Account) -> String {
        let parts = Signal.allCases.compactMap { signal -> String? in
            guard let items = account.signals[signal] else { return nil }
            return items.missing > 0 ? countText(items.missing, signal.noun) : nil
        }
        return parts.isEmpty ? "nothing" : parts.joined(separator: ", ")
    }

    // MARK: for machines

    /// Every counter of the run.
    var counters: Counters {
        var counters = Counters()
        for kind in RecordKind.allCases {
            counters.add(.recordsReceived, ["kind": kind.label], records.received(kind))
            counters.add(.ringDropped, ["kind": kind.label], ringDropped[kind] ?? 0)
        }
        for (reason, count) in records.rejectedReasons {
            counters.add(.recordsRejected, ["reason": reason.rawValue], count)
        }
        if ringBroken != nil { counters.add(.ringBroken, [:], 1) }
        counters.add(.ringWakes, [:], ringWakes)
        counters.add(.openSpansUntracked, [:], records.untrackedStarts)
        counters.add(.openSpansClosed, [:], openSpansClosed)
        for (signal, count) in received { counters.add(.itemsReceived, ["signal": signal.word], count) }
        for exporter in exporters {
            counters.add(.exportRequests, ["exporter": exporter.name], exporter.requests)
            counters.add(.exportRetries, ["exporter": exporter.name], exporter.retries)
            for (signal, items) in exporter.signals {
                let labels: KeyValuePairs = ["exporter": exporter.name, "signal": signal.word]
                counters.add(.exportSent, labels, items.sent)
                counters.add(.exportQueued, labels, items.queued)
                for (reason, count) in items.dropped {
                    counters.add(
                        .exportDropped, ["exporter": exporter.name, "signal": signal.word, "reason": reason], count)
                }
            }
        }
        for (signal, items) in store?.signals ?? [:] {
            counters.add(.storeWritten, ["signal": signal.word], items.sent)
            counters.add(.storeQueued, ["signal": signal.word], items.queued)
            for (reason, count) in items.dropped {
                counters.add(.storeDropped, ["signal": signal.word, "reason": reason], count)
            }
        }
        for (reason, count) in workerEnds.isEmpty ? [outcome.endReason: 1] : workerEnds {
            counters.add(.workerEnds, ["reason": reason], count)
        }
        for (reason, count) in workerRestarts { counters.add(.workerRestarts, ["reason": reason], count) }
        counters.add(.boardSlotsRejected, [:], slotsRejected)
        for counter in FindingCounter.all {
            let count = findings[counter] ?? 0
            switch counter.kind {
            case .violation: counters.add(.policyViolations, ["permission": counter.name], count)
            case .audit: counters.add(.policyAudits, ["permission": counter.name], count)
            case .limit: counters.add(.limitHits, ["limit": counter.name], count)
            }
        }
        return counters
    }
}

extension Signal {
    var noun: String {
        switch self {
        case .traces: "span"
        case .logs: "log record"
        case .metrics: "metric"
        }
    }
}

extension RecordKind {
    /// Label of counters.
    var label: String {
        switch self {
        case .span: "span"
        case .string: "string"
        case .spanStart: "span_start"
        case .log: "log"
        case .error: "error"
        case .metricPoint: "metric_point"
        case .scope: "scope"
        case .instrument: "instrument"
        case .finding: "finding"
        }
    }

    var noun: String {
        switch self {
        case .span: "span"
        case .string: "string"
        case .spanStart: "span start"
        case .log: "log record"
        case .error: "error"
        case .metricPoint: "metric point"
        case .scope: "scope"
        case .instrument: "instrument"
        case .finding: "finding"
        }
    }
}
