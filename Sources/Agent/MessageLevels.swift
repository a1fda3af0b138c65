internal import Configuration
internal import Synchronization

/// What a message of the agent's is about.
enum MessageCategory: String, CaseIterable, Sendable {
    /// Its start, its end, and what belongs to nothing else.
    case agent
    case configuration
    /// What registries are told.
    case discovery
    /// What goes to backends, and their queues.
    case exporters
    /// Files whose lines are read.
    case logs
    /// Processors and pipelines.
    case pipeline
    /// Processors in JavaScript.
    case scripts
    case store
}

/// How much the agent says, by category. Any thread.
final class MessageLevels: Sendable {
    private let levels: Mutex<[MessageCategory: LogLevel]>

    init(_ level: LogLevel) {
        levels = Mutex(Dictionary(uniqueKeysWithValues: MessageCategory.allCases.map { ($0, level) }))
    }

    subscript(_ category: MessageCategory) -> LogLevel { levels.withLock { $0[category]! } }

    var all: [MessageCategory: LogLevel] { levels.withLock { $0 } }

    func change(_ changes: [MessageCategory: LogLevel]) {
        levels.withLock { $0.merge(changes) { $1 } }
    }
}
