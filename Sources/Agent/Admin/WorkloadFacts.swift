internal import Linux
internal import Synchronization
internal import Telemetry

/// What is known of the workload of `serve` or `run` at one moment.
struct WorkloadFacts: Sendable {
    /// `service.name`.
    var service: String
    /// As given on the command line.
    var entry: String
    /// Where it is served; nil: it is run.
    var url: String?
    /// Of the agent, Unix nanoseconds.
    var startTime: UInt64
    /// Of the workload's telemetry; without what differs from worker to worker.
    var resource: Resource
    /// In the order of their places; two have the same place while code is replaced.
    var workers: [WorkerFacts]
    /// The sums of all workers that there ever were.
    var total: BoardSnapshot
    /// Workers that were started in place of another, by reason.
    var restarts: [String: Int]
    /// What the agent counts about itself.
    var counters: Counters
    /// It was asked to end.
    var isEnding: Bool
}

/// One worker process.
struct WorkerFacts: Sendable {
    var pid: Int32
    /// Of the workers of `serve`, from 0.
    var place: Int
    /// Nil: its board makes no sense, or it has none (`run`).
    var state: BoardState?
    /// Unix nanoseconds.
    var startTime: UInt64
    var fence: FenceLayers = []
    var board: BoardSnapshot
    /// In flight.
    var requests: [BoardRequest]
    /// Turns their times into Unix time.
    var clock = RingClock(unixAtRingZero: 0)
}

/// Where other threads ask for the facts, which the main thread alone knows. Any thread, but for `facts` and `tick`.
final class FactsDesk: Duty, @unchecked Sendable {
    // @unchecked: `facts` is called by the main thread only.
    typealias Question = @Sendable (WorkloadFacts) -> Void

    /// Questions that wait; more are refused.
    static let countMax = 256

    private let waiting = Mutex<[Question]>([])
    private let wake: EventDescriptor
    /// Main thread.
    let facts: () -> WorkloadFacts

    /// - Parameter wake: The main thread's.
    init(_ wake: EventDescriptor, _ facts: @escaping () -> WorkloadFacts) {
        self.wake = wake
        self.facts = facts
    }

    /// Returns at once. `question` is called on the main thread, within a turn of it, and must not block. False: too many wait.
    func ask(_ question: @escaping Question) -> Bool {
        let isTaken = waiting.withLock { waiting in
            guard waiting.count < Self.countMax else { return false }
            waiting.append(question)
            return true
        }
        if isTaken { wake.signal() }
        return isTaken
    }

    var timer: UInt64 { .max }

    func tick(now: UInt64) {
        let questions = waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        guard !questions.isEmpty else { return }
        let facts = facts()
        for question in questions { question(facts) }
    }
}
