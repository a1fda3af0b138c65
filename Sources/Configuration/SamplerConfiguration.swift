/// Which traces are recorded: `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`.
/// <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#general-sdk-configuration>
public struct SamplerConfiguration: Hashable, Sendable {
    /// What decides on a trace that starts here.
    public enum Root: Hashable, Sendable {
        case alwaysOn
        case alwaysOff
        /// From 0 to 1.
        case traceIDRatio(Double)
    }

    public var root: Root
    /// Whether a parent's decision is followed where there is a parent.
    public var isParentBased: Bool

    /// The specification's default.
    public static let parentBasedAlwaysOn = SamplerConfiguration(root: .alwaysOn, isParentBased: true)

    public init(root: Root, isParentBased: Bool) {
        self.root = root
        self.isParentBased = isParentBased
    }

    private static let names = [
        "always_on", "always_off", "traceidratio", "parentbased_always_on", "parentbased_always_off",
        "parentbased_traceidratio",
    ]

    static func parse(_ environment: Environment, _ problems: inout Problems) -> SamplerConfiguration {
        let variable = "OTEL_TRACES_SAMPLER"
        guard let text = environment.text(variable) else { return .parentBasedAlwaysOn }
        guard names.contains(text.lowercased()) else {
            problems.warning(variable, "\"\(text)\" is ignored: known are \(names.joined(separator: ", "))")
            return .parentBasedAlwaysOn
        }
        let words = text.lowercased().split(separator: "_", maxSplits: 1)
        let isParentBased = words[0] == "parentbased"
        let root: Root =
            switch isParentBased ? String(words[1]) : text.lowercased() {
            case "always_on": .alwaysOn
            case "always_off": .alwaysOff
            default: .traceIDRatio(ratio(environment, &problems))
            }
        return SamplerConfiguration(root: root, isParentBased: isParentBased)
    }

    private static func ratio(_ environment: Environment, _ problems: inout Problems) -> Double {
        let variable = "OTEL_TRACES_SAMPLER_ARG"
        guard let text = environment.text(variable) else { return 1 }
        guard let ratio = Double(text), (0...1).contains(ratio) else {
            problems.warning(variable, "\"\(text)\" is ignored: expected a number from 0 to 1")
            return 1
        }
        return ratio
    }
}

/// A format in which a span's context travels: `OTEL_PROPAGATORS`.
public enum PropagatorName: String, Sendable, CaseIterable {
    case traceContext = "tracecontext"
    case baggage
    case b3
    case b3Multi = "b3multi"
    case jaeger

    static func parse(_ environment: Environment, _ problems: inout Problems) -> [PropagatorName] {
        let variable = "OTEL_PROPAGATORS"
        guard let names = environment.list(variable) else { return [.traceContext, .baggage] }
        if names == ["none"] { return [] }
        var propagators: [PropagatorName] = []
        for name in names {
            guard let propagator = PropagatorName(rawValue: name.lowercased()) else {
                let known = allCases.map(\.rawValue).joined(separator: ", ")
                problems.warning(variable, "\"\(name)\" is ignored: known are \(known), none")
                continue
            }
            if !propagators.contains(propagator) { propagators.append(propagator) }
        }
        return propagators
    }
}
