internal import Exporters
internal import Pipeline
internal import Synchronization
internal import System
internal import Telemetry

/// When a destination that fails is spoken of: at its first failure and when it works again, and not more often than every few minutes; what fails too
/// soon after that is told of when it still does later. Pure; times are monotonic nanoseconds.
struct ExportNotices {
    /// Between two failures that are told of.
    static let quietNanoseconds: UInt64 = 300_000_000_000

    /// Items that were lost there so far.
    typealias Lost = [Signal: Int]

    private struct Trouble {
        var began: UInt64
        var lost: Lost
        /// False: its end is not told of, either.
        var isTold: Bool
    }

    private var outage: Trouble?
    private var refusals: [Signal: Trouble] = [:]
    private var outageToldAt: UInt64?
    private var shortage: Trouble?
    private var shortageToldAt: UInt64?
    private var refusalToldAt: [Signal: UInt64] = [:]
    /// What was lost by the last event.
    private var seen: Lost = [:]
    /// No more comes: what is not delivered then is told of in the final account.
    var isEnding = false
    /// Where what is lost is all the same, " (kept in .sidelight)"; empty: nowhere.
    let kept: String

    init(kept: String) { self.kept = kept }

    /// It does not take anything at the moment.
    mutating func failed(_ message: String, lost: Lost, now: UInt64) -> String? {
        defer { seen = lost }
        guard !isEnding else { return nil }
        let isNew = outage == nil
        guard Self.tells(&outage, &outageToldAt, lost: lost, now) else { return nil }
        return "\(message); trying again\(isNew ? "" : Self.sinceText(outage, now))"
    }

    /// It does again.
    mutating func recovered(lost: Lost, now: UInt64) -> String? {
        defer { seen = lost }
        guard let trouble = outage else { return nil }
        outage = nil
        return trouble.isTold ? end("works again", trouble, lost, now) : nil
    }

    /// It refuses what it is sent of this signal.
    mutating func refused(_ signal: Signal, _ message: String, lost: Lost, now: UInt64) -> String? {
        defer { seen = lost }
        guard !isEnding else { return nil }
        let isNew = refusals[signal] == nil
        // This refusal has been counted already.
        guard Self.tells(&refusals[signal], &refusalToldAt[signal], lost: seen, now) else { return nil }
        let since = isNew ? "" : Self.sinceText(refusals[signal], now)
        return "\(signal.noun)s are refused\(since), and lost there\(kept): \(message)"
    }

    /// It takes what it is sent of this signal.
    mutating func taken(_ signal: Signal, lost: Lost, now: UInt64) -> String? {
        defer { seen = lost }
        guard let trouble = refusals.removeValue(forKey: signal), trouble.isTold else { return nil }
        return end("takes \(signal.noun)s again", trouble, lost.filter { $0.key == signal }, now)
    }

    /// Its durable queue takes nothing more, or only what it drops something for.
    mutating func queueFull(_ message: String, lost: Lost, now: UInt64) -> String? {
        defer { seen = lost }
        guard !isEnding else { return nil }
        let isNew = shortage == nil
        guard Self.tells(&shortage, &shortageToldAt, lost: seen, now) else { return nil }
        return message + (isNew ? "" : Self.sinceText(shortage, now))
    }

    /// Its queue has room again.
    mutating func queueHasRoom(lost: Lost, now: UInt64) -> String? {
        defer { seen = lost }
        guard let trouble = shortage else { return nil }
        shortage = nil
        return trouble.isTold && !isEnding ? end("the queue has room again", trouble, lost, now) : nil
    }

    /// Whether to tell of a failure now: not of one that was told of, and not too soon after the last.
    private static func tells(_ trouble: inout Trouble?, _ toldAt: inout UInt64?, lost: Lost, _ now: UInt64) -> Bool {
        if trouble == nil { trouble = Trouble(began: now, lost: lost, isTold: false) }
        guard trouble?.isTold == false, toldAt.map({ now &- $0 >= quietNanoseconds }) ?? true else { return false }
        trouble?.isTold = true
        toldAt = now
        return true
    }

    private static func sinceText(_ trouble: Trouble?, _ now: UInt64) -> String {
        trouble.map { " for \(timeText(now &- $0.began))" } ?? ""
    }

    private func end(_ what: String, _ trouble: Trouble, _ lost: Lost, _ now: UInt64) -> String {
        let parts = Signal.allCases.compactMap { signal -> String? in
            let count = (lost[signal] ?? 0) - (trouble.lost[signal] ?? 0)
            return count > 0 ? countText(count, signal.noun) : nil
        }
        let account = parts.isEmpty ? "nothing was lost" : "lost there: " + parts.joined(separator: ", ") + kept
        return "\(what) after \(timeText(now &- trouble.began)); \(account)"
    }
}

/// Says what becomes of one exporter. Any thread.
final class ExportTeller: Sendable {
    private struct State {
        var notices: ExportNotices
        weak var exporter: Exporter?
        var complaint: String?
    }

    private let state: Mutex<State>
    private let name: String
    private let clock: any SystemClock
    private let messages: Messages

    /// - Parameter keptAt: where what is lost is all the same; nil: nowhere.
    init(name: String, keptAt: String?, clock: any SystemClock, _ messages: Messages) {
        self.name = name
        state = Mutex(State(notices: ExportNotices(kept: keptAt.map { " (kept in \($0))" } ?? "")))
        self.clock = clock
        self.messages = messages.about(.exporters)
    }

    /// What it had to say about something it took.
    var complaint: String? { state.withLock { $0.complaint } }

    /// Once, before the first event.
    func follow(_ exporter: Exporter) { state.withLock { $0.exporter = exporter } }

    func end() { state.withLock { $0.notices.isEnding = true } }

    func take(_ event: ExporterEvent) {
        switch event {
        case .warning(_, let message): return state.withLock { $0.complaint = message }
        case .unsupported(let signal, let message):
            return messages.inform("\(name): takes no \(signal.noun)s: \(message)")
        case .overflow: return messages.inform("\(name): the queue is full, the newest are dropped")
        case .lookupFailed(let message): return messages.warn("\(name): \(message)")
        case .lookupWorks(let message): return messages.inform("\(name): \(message)")
        case .dropped: return
        case .outage, .recovered, .refused, .taken, .queueFull, .queueFails, .queueHasRoom: break
        }
        let exporter = state.withLock { $0.exporter }
        var lost: ExportNotices.Lost = [:]
        for signal in Signal.allCases { lost[signal] = exporter?.lostItems(signal) ?? 0 }
        let now = clock.monotonicNanoseconds()
        let text: String? = state.withLock { state in
            switch event {
            case .outage(let message): state.notices.failed(message, lost: lost, now: now)
            case .recovered: state.notices.recovered(lost: lost, now: now)
            case .refused(let signal, let message): state.notices.refused(signal, message, lost: lost, now: now)
            case .taken(let signal): state.notices.taken(signal, lost: lost, now: now)
            case .queueFull(let evicts):
                state.notices.queueFull(
                    evicts
                        ? "the queue is full: its oldest items are dropped"
                        : "the queue is full: what comes is refused, or lost there if others take it",
                    lost: lost, now: now)
            case .queueFails(let message):
                state.notices.queueFull("the queue cannot be written: \(message)", lost: lost, now: now)
            case .queueHasRoom: state.notices.queueHasRoom(lost: lost, now: now)
            case .warning, .unsupported, .overflow, .dropped, .lookupFailed, .lookupWorks: nil
            }
        }
        if let text { messages.warn("\(name): \(text)") }
    }
}
