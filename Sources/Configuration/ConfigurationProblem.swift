/// Something wrong with one setting.
public struct ConfigurationProblem: Hashable, Sendable, CustomStringConvertible {
    /// Where it comes from: "--export", "OTEL_BSP_MAX_QUEUE_SIZE".
    public var source: String
    /// What is wrong and what would be right.
    public var message: String
    /// Nil: not in a file.
    public var position: FilePosition?
    /// The key in the configuration file and those it is in: ["exporters", "jaeger", "url"]. Empty: of the file as a whole, or of something that has no key there.
    public var key: [String] = []

    public init(_ source: String, _ message: String, position: FilePosition? = nil, key: [String] = []) {
        self.source = source
        self.message = message
        self.position = position
        self.key = key
    }

    public var description: String { "\(source): \(message)" }
}

/// All that is wrong with a configuration, found in one go.
public struct ConfigurationErrors: Error, Hashable, Sendable, CustomStringConvertible {
    public var problems: [ConfigurationProblem]
    /// What would only have been ignored.
    public var warnings: [ConfigurationProblem] = []
    /// The scripts of processors as far as they could be read: there may be something wrong with them as well.
    public var scripts: [ScriptSetting] = []
    /// Regular expressions, of the same kind.
    public var patterns: [PatternSetting] = []
    /// Files of TLS, of the same kind.
    public var tls: TLSSetting?

    public init(
        problems: [ConfigurationProblem], warnings: [ConfigurationProblem] = [], scripts: [ScriptSetting] = [],
        patterns: [PatternSetting] = [], tls: TLSSetting? = nil
    ) {
        self.problems = problems
        self.warnings = warnings
        self.scripts = scripts
        self.patterns = patterns
        self.tls = tls
    }

    public var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// A configuration, and what was ignored on the way. OpenTelemetry wants a bad value of one of its variables to be
/// reported and treated as unset
/// <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#parsing-empty-value>; a bad
/// flag, and an endpoint that cannot be used, are errors.
public struct Configured<Value: Sendable>: Sendable {
    public var value: Value
    public var warnings: [ConfigurationProblem]
}

/// Collects problems while a configuration is read.
struct Problems {
    private(set) var errors: [ConfigurationProblem] = []
    private(set) var warnings: [ConfigurationProblem] = []

    mutating func error(_ source: String, _ message: String) { error(ConfigurationProblem(source, message)) }

    mutating func error(_ problem: ConfigurationProblem) {
        if !errors.contains(problem) { errors.append(problem) }
    }

    mutating func warning(_ source: String, _ message: String) { warning(ConfigurationProblem(source, message)) }

    mutating func warning(_ problem: ConfigurationProblem) {
        if !warnings.contains(problem) { warnings.append(problem) }  // a variable may be read for several exporters
    }

    func result<Value>(_ value: Value) -> Result<Configured<Value>, ConfigurationErrors> {
        errors.isEmpty
            ? .success(Configured(value: value, warnings: warnings))
            : .failure(ConfigurationErrors(problems: errors, warnings: warnings))
    }
}
