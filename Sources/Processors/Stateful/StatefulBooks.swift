internal import Telemetry

/// What a processor with a memory has to tell: its counts, and what it dropped since it was last asked.
struct StatefulBooks {
    /// What it counts beside items.
    enum Note: Int, CaseIterable {
        case tracesKept, tracesDropped
        /// Traces decided before their time, for want of memory, or because there were as many as may be.
        case earlyForMemory, earlyForTraces
        /// Spans that came after the decision.
        case lateKept, lateDropped
        /// Spans in which nothing could be found, and those that there was no series for.
        case unreadable, overflow
        /// Series removed because they counted nothing for long.
        case idleSeries
        /// Sides of requests whose other side did not come, and those that had to go before their time.
        case unpairedClient, unpairedServer, unpairedEarly
        /// Log records that told how often they were repeated before their time.
        case repeatsEarly

        /// The label of the counter.
        var label: String {
            switch self {
            case .tracesKept: "traces_kept"
            case .tracesDropped: "traces_dropped"
            case .earlyForMemory: "early_memory"
            case .earlyForTraces: "early_traces"
            case .lateKept: "late_kept"
            case .lateDropped: "late_dropped"
            case .unreadable: "unreadable"
            case .overflow: "overflow"
            case .idleSeries: "idle_series"
            case .unpairedClient: "unpaired_client"
            case .unpairedServer: "unpaired_server"
            case .unpairedEarly: "unpaired_early"
            case .repeatsEarly: "repeats_early"
            }
        }
    }

    private struct Drop: Hashable {
        var reason: ProcessorDropReason
        var rule: String
        var signal: Signal
    }

    private let name: String
    private var items = [Items](repeating: Items(), count: Signal.allCases.count)
    private var notes = [Int](repeating: 0, count: Note.allCases.count)
    private var dropped: [Signal: [ProcessorDropReason: Int]] = [:]
    /// Since the last report. The one that was added to last stands apart: drops come in runs.
    private var drops: [Drop: (items: Int, bytes: Int)] = [:]
    private var run: (drop: Drop, items: Int, bytes: Int)?

    private struct Items {
        var received = 0
        var passed = 0
        var held = 0
    }

    init(_ name: String) { self.name = name }

    @inline(__always)
    mutating func received(_ signal: Signal, _ count: Int) { items[Int(signal.rawValue) - 1].received += count }
    @inline(__always)
    mutating func passed(_ signal: Signal, _ count: Int = 1) { items[Int(signal.rawValue) - 1].passed += count }
    @inline(__always)
    mutating func held(_ signal: Signal) { items[Int(signal.rawValue) - 1].held += 1 }
    @inline(__always)
    mutating func letGo(_ signal: Signal, _ count: Int) { items[Int(signal.rawValue) - 1].held -= count }
    mutating func note(_ note: Note, _ count: Int = 1) { notes[note.rawValue] += count }

    mutating func dropped(
        _ reason: ProcessorDropReason, _ rule: String, _ signal: Signal, items: Int = 1, bytes: Int
    ) {
        if let drop = run?.drop, drop.reason == reason, drop.signal == signal, drop.rule == rule {
            run!.items += items
            run!.bytes += bytes
            return
        }
        endRun()
        run = (Drop(reason: reason, rule: rule, signal: signal), items, bytes)
    }

    private mutating func endRun() {
        guard let run else { return }
        drops[run.drop, default: (0, 0)].items += run.items
        drops[run.drop, default: (0, 0)].bytes += run.bytes
        dropped[run.drop.signal, default: [:]][run.drop.reason, default: 0] += run.items
        self.run = nil
    }

    /// What was dropped since the last time.
    mutating func report(into output: inout [DroppedItems]) {
        endRun()
        guard !drops.isEmpty else { return }
        let sorted = drops.sorted { ($0.key.reason.rawValue, $0.key.rule) < ($1.key.reason.rawValue, $1.key.rule) }
        for (drop, count) in sorted {
            output.append(
                DroppedItems(
                    processor: name, reason: drop.reason, rule: drop.rule, signal: drop.signal, items: count.items,
                    bytes: count.bytes))
        }
        drops = [:]
    }

    var counts: ProcessorCounts {
        var counts = ProcessorCounts()
        for signal in Signal.allCases {
            let items = items[Int(signal.rawValue) - 1]
            guard items.received > 0 else { continue }
            counts.received[signal] = items.received
            counts.passed[signal] = items.passed
            if items.held > 0 { counts.held[signal] = items.held }
        }
        counts.dropped = dropped
        if let run { counts.dropped[run.drop.signal, default: [:]][run.drop.reason, default: 0] += run.items }
        for note in Note.allCases where notes[note.rawValue] > 0 { counts.details[note.label] = notes[note.rawValue] }
        return counts
    }
}
