public import Configuration

/// What `sidelight serve` was asked for.
public struct ServeSettings: Sendable {
    public var configuration: AgentConfiguration
    /// As given on the command line.
    public var entry: String
    /// Reads the configuration anew, for a policy that has changed. Nil: it stays as it is.
    public var readAgain: (@Sendable () -> Result<Configured<AgentConfiguration>, ConfigurationErrors>)?
    /// Reload when a file of the entry's folder tree changes.
    public var isWatching = false
    /// What was ignored of the configuration; said before anything else.
    public var warnings: [String] = []
    /// No messages but those that say why it failed.
    public var isQuiet = false

    public init(configuration: AgentConfiguration, entry: String) {
        self.configuration = configuration
        self.entry = entry
    }
}
