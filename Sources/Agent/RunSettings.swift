public import Configuration

/// What `sidelight run` was asked for.
public struct RunSettings: Sendable {
    public var configuration: AgentConfiguration
    /// As given on the command line.
    public var entry: String
    /// The program's own.
    public var arguments: [String]
    /// What was ignored of the configuration; said before anything else.
    public var warnings: [String] = []
    /// No messages but those that say why the run failed.
    public var isQuiet = false

    public init(configuration: AgentConfiguration, entry: String, arguments: [String]) {
        self.configuration = configuration
        self.entry = entry
        self.arguments = arguments
    }
}
