internal import Audit
internal import Configuration
internal import Linux
internal import Policy
internal import Store
internal import Synchronization
internal import Telemetry
internal import Wire

/// What the workers of a workload have found lately, the policy they run under, and what that would have to allow while it is audited. Any thread.
final class FindingBoard: Sendable {
    /// The latest that are kept.
    static let keptMax = 1_000
    /// Put on record at once, and a second; the entry after says how many were not.
    static let auditedBurst = 100, auditedPerSecond = 10
    /// Of a finding, as docs/specs/record-format.md has them.
    private static let attributePrefix = "sidelight."
    private static let attributesMax = 8

    private struct State {
        var kept = FIFOFindings()
        var total: UInt64 = 0
        var needs = PolicyNeeds()
        var pace: AuditPace
        var policy: Policy
        /// What a file says besides.
        var besides: String
        /// Of the workers that it does not audit: whether what the language is made of is frozen.
        var isFrozen: Bool
        /// As it was named; nil: there is none.
        var source: String?
    }

    private let entry: String
    private let trail: AuditTrail
    private let clock = LinuxClock()
    private let state: Mutex<State>

    init(_ policy: PolicyConfiguration, of worker: WorkerConfiguration, entry: String, _ trail: AuditTrail) {
        self.entry = entry
        self.trail = trail
        let pace = AuditPace(
            burst: Self.auditedBurst, perSecond: Self.auditedPerSecond, now: clock.monotonicNanoseconds())
        state = Mutex(
            State(
                pace: pace, policy: worker.policy, besides: policy.besides(limits: worker.limits),
                isFrozen: worker.freezesPrimordials, source: policy.source))
    }

    /// Another one holds for workers that are started from now on.
    func change(_ policy: PolicyConfiguration, of worker: WorkerConfiguration) {
        let besides = policy.besides(limits: worker.limits)
        state.withLock {
            ($0.policy, $0.besides, $0.source) = (worker.policy, besides, policy.source)
            $0.isFrozen = worker.freezesPrimordials
        }
    }

    func take(_ findings: [Finding], _ resource: Resource) {
        let now = clock.monotonicNanoseconds()
        let events: [AuditEvent] = state.withLock { state in
            for finding in findings {
                state.total += 1
                state.kept.append(finding, resource)
                guard finding.kind == .audit, let permission = finding.permission.flatMap(Permission.init) else {
                    continue
                }
                state.needs.add(permission, rule: finding.rule ?? "", target: finding.target ?? "")
            }
            return findings.compactMap { finding -> AuditEvent? in
                guard var event = Self.event(finding, resource), let more = state.pace.take(now: now) else {
                    return nil
                }
                event.attributes += more
                return event
            }
        }
        for event in events { trail.note(event) }
    }

    /// What is put on record of it; nil: nothing was refused.
    private static func event(_ finding: Finding, _ resource: Resource) -> AuditEvent? {
        let record = finding.record
        let isViolation = finding.kind == .violation
        guard finding.kind != .audit else { return nil }
        var actor = "worker"
        if case .int(let pid)? = resource.attributes["process.pid"] { actor += " \(pid)" }
        return AuditEvent(
            isViolation ? .violation : .limit, time: record.time,
            actor: actor, action: (isViolation ? finding.permission : finding.limit) ?? "",
            target: finding.target ?? "",
            outcome: finding.outcome ?? (isViolation ? "refused" : ""), reason: finding.sentence,
            attributes: Attributes(
                record.attributes.filter { $0.key.hasPrefix(attributePrefix) }.prefix(attributesMax)),
            traceID: record.traceID.isValid ? record.traceID : nil,
            spanID: record.spanID.isValid ? record.spanID : nil)
    }

    /// The latest last.
    /// - Parameters:
    ///   - kind: Nil: of all kinds.
    ///   - countMax: Of those that are given.
    func latest(_ kind: Finding.Kind?, countMax: Int) -> (total: UInt64, findings: [StoredLog]) {
        state.withLock { state in
            let wanted = state.kept.all.filter { kind == nil || $0.finding.kind == kind }
            let logs = wanted.suffix(countMax).map {
                StoredLog(record: $0.finding.record, resource: $0.resource, scope: Self.scope)
            }
            return (state.total, logs)
        }
    }

    private static let scope = InstrumentationScope(name: Release.name, version: Release.version)

    /// The policy in force, as a file; while it is audited, the one that allows all that was done, too.
    var policyFile: String {
        let (policy, besides, isFrozen, named, needs) = state.withLock {
            ($0.policy, $0.besides, $0.isFrozen, $0.source, $0.needs)
        }
        let (entry, source) = (Messages.printable(entry), named.map(Messages.printable))
        guard policy.isAudited else {
            return Messages.lines("# The policy of \(entry).\n" + policy.yaml(isFrozen: isFrozen) + besides)
        }
        let (needed, remarks) = needs.added(to: policy)
        let what = source == nil || source == "strict" ? "what \(entry) did" : "what \(source!) allows and \(entry) did"
        var text = "# The policy that allows \(what). `sidelight check policy FILE` explains it.\n"
        for remark in remarks { text += "# Not in it: \(remark)\n" }
        if isFrozen {
            text +=
                "# primordials: open is in it because an audit freezes nothing: take it out, and see whether it runs.\n"
        }
        if needed.clock == .coarse {
            text += "# clock: coarse is in force: whether it needs steps below a millisecond is not known.\n"
        }
        return Messages.lines(text + needed.yaml(isFrozen: false) + besides)
    }
}

/// A ring of the latest findings.
private struct FIFOFindings {
    private var items: [(finding: Finding, resource: Resource)] = []
    private var next = 0

    mutating func append(_ finding: Finding, _ resource: Resource) {
        if items.count < FindingBoard.keptMax {
            items.append((finding, resource))
        } else {
            items[next] = (finding, resource)
            next = (next + 1) % items.count
        }
    }

    /// In the order they came.
    var all: ArraySlice<(finding: Finding, resource: Resource)> { items[next...] + items[..<next] }
}
