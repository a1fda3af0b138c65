/// A processor that is the user's own JavaScript (docs/js-processors.md).
public struct ScriptConfiguration: Hashable, Sendable {
    /// What becomes of an item that the script failed on, or did not get to.
    public enum OnError: String, Sendable, CaseIterable {
        /// It passes as it came.
        case bypass
        case drop
    }

    /// A module, by a path as on the command line.
    public var file: String
    /// CPU time of the script's thread for one batch, nanoseconds.
    public var cpuNanoseconds: UInt64 = 50_000_000
    /// Of the script's heap, and again of its ArrayBuffers.
    public var heapBytes = 64 << 20
    /// How long a batch may be with the worker before that is killed, nanoseconds.
    public var timeoutNanoseconds: UInt64 = 1_000_000_000
    public var onError = OnError.bypass

    public static let cpuBounds: ClosedRange<UInt64> = 1_000_000...10_000_000_000
    public static let heapBounds = 8 << 20...4 << 30
    public static let timeoutBounds: ClosedRange<UInt64> = 10_000_000...60_000_000_000

    /// What waits for the worker in the agent. What it shares with the worker, up to 12 MiB, lies beside the agent's memory.
    static let bytesHeldMax = 4 << 20

    public init(file: String) { self.file = file }
}

extension ProcessorConfiguration {
    /// Nil: it is no script.
    public var script: ScriptConfiguration? { if case .js(let script) = self { script } else { nil } }
}

/// A script of the file and where its key stands, for what is found out when it is loaded.
public struct ScriptSetting: Hashable, Sendable {
    /// Of the processor.
    public var name: String
    public var script: ScriptConfiguration
    public var position: FilePosition

    /// What is wrong with it.
    public func problem(_ message: String) -> ConfigurationProblem {
        let key = ["processors", name, "js"]
        return ConfigurationProblem(
            "\(position): \(key.joined(separator: "."))", message, position: position, key: key)
    }
}
