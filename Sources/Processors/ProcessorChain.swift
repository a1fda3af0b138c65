public import Configuration
internal import Synchronization
public import Telemetry

/// Why a processor dropped an item. The raw value is the label of a counter.
public enum ProcessorDropReason: String, Sendable, CaseIterable {
    /// A filter's rule.
    case filtered
    /// A sampler did not choose its trace.
    case unsampled
    /// It came after its trace had been decided against.
    case lateUnsampled = "late_unsampled"
    /// It had come before.
    case duplicate
    /// A log record that was to say how often it was repeated counts it.
    case repeated
    /// It is no OTLP within.
    case malformed
    /// The batch would have become larger than 256 MiB.
    case tooLarge = "too_large"
    /// A script said so.
    case script
    /// A script failed on it, and its `on-error` is drop; the rule says how.
    case scriptFailed = "script_failed"
}

/// Items of one batch that one processor dropped for one reason.
public struct DroppedItems: Hashable, Sendable {
    /// The processor's name in the configuration.
    public var processor: String
    public var reason: ProcessorDropReason
    /// The number or the text of the rule, "" where there are none.
    public var rule: String
    public var signal: Signal
    public var items: Int
    /// As the items came, frames included.
    public var bytes: Int

    public init(
        processor: String, reason: ProcessorDropReason, rule: String, signal: Signal, items: Int, bytes: Int
    ) {
        self.processor = processor
        self.reason = reason
        self.rule = rule
        self.signal = signal
        self.items = items
        self.bytes = bytes
    }
}

/// What a processor has done since it was made.
public struct ProcessorCounts: Hashable, Sendable {
    /// Items it was given, items it passed on, and items it keeps for now, by signal. received = passed + dropped + held, at
    /// every moment.
    public var received: [Signal: Int] = [:]
    public var passed: [Signal: Int] = [:]
    public var held: [Signal: Int] = [:]
    public var dropped: [Signal: [ProcessorDropReason: Int]] = [:]
    /// Values that were masked, by the name of their kind (`redact`); what else a processor has to tell.
    public var details: [String: Int] = [:]

    public init() {}

    public func dropped(_ signal: Signal) -> Int { dropped[signal]?.values.reduce(0, +) ?? 0 }
    public var isBalanced: Bool {
        Signal.allCases.allSatisfy {
            received[$0, default: 0] == passed[$0, default: 0] + dropped($0) + held[$0, default: 0]
        }
    }
}

/// What a stage's pass has to tell.
struct StageContext {
    /// Nanoseconds of a clock that does not go back.
    let now: UInt64
    var tally = DropTally(rules: [])
    var details: [String: Int] = [:]
}

/// A compiled processor. All calls come from one thread.
protocol Stage: AnyObject {
    /// Why its rules drop.
    var dropReason: ProcessorDropReason { get }
    /// The text of each of its rules that can drop, in the order of their numbers.
    var ruleNames: [String] { get }
    func process(_ batch: inout Batch, _ editor: inout Editor, _ context: inout StageContext)
}

/// A processor, its rules compiled. What it keeps from batch to batch belongs to the one chain it is used in.
public struct Processor {
    let stage: any Stage

    init(stage: any Stage) { self.stage = stage }

    /// Of a kind that remembers nothing from batch to batch that it holds; for the others see `StatefulProcessors`.
    /// - Parameters:
    ///   - detected: what the detectors that a `resource` asks for have found (`ResourceDetector`).
    ///   - strategies: of a `sample` that is remote.
    public init(
        _ configuration: ProcessorConfiguration, detected: Attributes, strategies: RemoteStrategies? = nil
    ) throws(ProcessorError) {
        switch configuration {
        case .attributes(let actions): self = try .attributes(actions)
        case .resource(let change): self = try .resource(change, detected: detected)
        case .redact(let redaction): self = .redact(redaction)
        case .filter(let filter): self = .filter(filter)
        case .normalize(let normalization): self = .normalize(normalization)
        case .limits(let limits): self = .limits(limits)
        case .sample(let sampling): self = .sample(sampling, strategies)
        case .correlate(let correlation): self = .correlate(correlation)
        case .tailSample, .spanMetrics, .serviceGraph, .logMetrics, .dedupe:
            preconditionFailure("\(configuration.kind) is made by StatefulProcessors")
        case .js: preconditionFailure("a script is no stage: it is made by the agent")
        }
    }
}

/// Processors one after the other. `process` is called from one thread at a time; `counts` may be read from any.
public final class ProcessorChain {
    private struct Link {
        let name: String
        let stage: any Stage
    }

    private let links: [Link]
    private var editor = Editor()
    private let totals: Totals

    /// What other threads may read.
    public final class Totals: Sendable {
        fileprivate let counts: Mutex<[ProcessorCounts]>
        public let names: [String]

        fileprivate init(names: [String]) {
            self.names = names
            counts = Mutex(names.map { _ in ProcessorCounts() })
        }

        /// In the order of the chain.
        public func read() -> [(name: String, counts: ProcessorCounts)] { Array(zip(names, counts.withLock { $0 })) }
    }

    /// In the order in which they are to run.
    public init(_ processors: [(name: String, processor: Processor)]) {
        links = processors.map { Link(name: $0.name, stage: $0.processor.stage) }
        totals = Totals(names: links.map(\.name))
    }

    public var isEmpty: Bool { links.isEmpty }
    public var counts: Totals { totals }

    /// Runs the batches through all processors. Those that lose all their items are taken out.
    /// - Parameter now: nanoseconds of a clock that does not go back, for limits by the second.
    /// - Returns: what was dropped; nothing is counted elsewhere than here and in `counts`.
    public func process(_ batches: inout [Batch], now: UInt64) -> [DroppedItems] {
        var dropped: [DroppedItems] = []
        for (index, link) in links.enumerated() {
            var context = StageContext(now: now)
            var hasEmpty = false
            for position in batches.indices {
                let received = batches[position].items.count
                context.tally = DropTally(rules: Array(repeating: .init(), count: link.stage.ruleNames.count))
                // Moved out, so that the stage is the only owner of its arrays.
                var batch = Batch(signal: batches[position].signal, resource: [])
                swap(&batch, &batches[position])
                link.stage.process(&batch, &editor, &context)
                swap(&batch, &batches[position])
                hasEmpty = hasEmpty || batches[position].isEmpty
                let before = dropped.count
                if !context.tally.isEmpty { report(context.tally, of: link, batches[position].signal, &dropped) }
                account(index, batches[position], received: received, dropped[before...], &context.details)
            }
            if hasEmpty { batches.removeAll { $0.isEmpty } }
        }
        return dropped
    }

    private func report(_ tally: DropTally, of link: Link, _ signal: Signal, _ dropped: inout [DroppedItems]) {
        func add(_ entry: DropTally.Entry, _ reason: ProcessorDropReason, _ rule: String) {
            guard entry.items > 0 else { return }
            dropped.append(
                DroppedItems(
                    processor: link.name, reason: reason, rule: rule, signal: signal, items: entry.items,
                    bytes: entry.bytes))
        }
        for (rule, entry) in tally.rules.enumerated() { add(entry, link.stage.dropReason, link.stage.ruleNames[rule]) }
        add(tally.malformed, .malformed, "")
        add(tally.tooLarge, .tooLarge, "")
    }

    private func account(
        _ index: Int, _ batch: Batch, received: Int, _ dropped: ArraySlice<DroppedItems>, _ details: inout [String: Int]
    ) {
        totals.counts.withLock { counts in
            counts[index].received[batch.signal, default: 0] += received
            counts[index].passed[batch.signal, default: 0] += batch.items.count
            for entry in dropped {
                counts[index].dropped[entry.signal, default: [:]][entry.reason, default: 0] += entry.items
            }
            for (name, count) in details { counts[index].details[name, default: 0] += count }
        }
        details = [:]
    }
}
