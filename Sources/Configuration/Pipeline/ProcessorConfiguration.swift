public import Telemetry

/// A processor with the name that pipelines use.
public struct NamedProcessor: Hashable, Sendable {
    public var name: String
    public var processor: ProcessorConfiguration

    public init(name: String, processor: ProcessorConfiguration) {
        self.name = name
        self.processor = processor
    }
}

/// What a processor does to the items of a pipeline.
public enum ProcessorConfiguration: Hashable, Sendable {
    /// In this order, on the attributes of spans, log records and metric points.
    case attributes([AttributeAction])
    case resource(ResourceChange)
    case redact(Redaction)
    case filter(ItemFilter)
    case normalize(Normalization)
    case limits(ItemLimits)
    case sample(HeadSampling)

    /// Its key in the file.
    public enum Kind: String, Sendable, CaseIterable {
        case attributes, resource, redact, filter, normalize, limits, sample
    }

    public var kind: Kind {
        switch self {
        case .attributes: .attributes
        case .resource: .resource
        case .redact: .redact
        case .filter: .filter
        case .normalize: .normalize
        case .limits: .limits
        case .sample: .sample
        }
    }
}

public enum AttributeAction: Hashable, Sendable {
    /// Only where there is no such key.
    case add(key: String, value: AttributeValue)
    /// Whether there is such a key or not.
    case set(key: String, value: AttributeValue)
    /// Replaces a `to` that is there already.
    case rename(key: String, to: String)
    case delete(key: String)
    /// SHA-256 of the value in hex, so that equal values stay equal.
    case hash(key: String)
}

/// What is put on the resource of everything that passes.
public struct ResourceChange: Hashable, Sendable {
    public enum Detector: String, Sendable, CaseIterable { case host, process, container, kubernetes }

    /// Replaces what is there.
    public var set: Attributes = []
    /// Keys that are taken off.
    public var delete: [String] = []
    /// What is found out about this machine; replaces nothing that is there.
    public var detect: [Detector] = []

    public init() {}
}

public struct Redaction: Hashable, Sendable {
    public enum Pattern: String, Sendable, CaseIterable {
        case token, card, email, jwt
        case awsKey = "aws-key"
    }

    /// Whether the values of well-known names (authorization, cookie, password, …) are masked.
    public var masksWellKnownKeys = true
    /// Further names whose values are masked, compared without case; "*" stands for any characters.
    public var keys: [String] = []
    /// What is masked inside values.
    public var patterns: [Pattern] = Pattern.allCases
    public var replacement = "***"

    public init() {}
}

/// Items that match one of the rules are dropped and counted.
public struct ItemFilter: Hashable, Sendable {
    /// All conditions that are given have to hold.
    public struct Rule: Hashable, Sendable {
        public var signal: Signal?
        /// `service.name` of the resource.
        public var service: String?
        /// Of a span, a metric or a log record's event; "*" stands for any characters.
        public var name: String?
        /// Severity number of OTLP: log records below it match, also those without one. Other signals do not match.
        public var severityBelow: Int?
        /// The item has this attribute, or its resource has.
        public var attribute: String?
        /// And its value, as text, is this.
        public var equals: String?

        public init() {}
    }

    public var drop: [Rule] = []

    public init() {}
}

public struct Normalization: Hashable, Sendable {
    /// Ids, numbers and hashes in the names of spans become placeholders.
    public var spanNames = true
    /// Passwords and the values of queries are taken out of URLs.
    public var urls = true

    public init() {}
}

/// What is over is dropped and counted in the item.
public struct ItemLimits: Hashable, Sendable {
    public var attributes = 128
    /// Bytes of a text value.
    public var attributeBytes = 4_096
    public var events = 128
    public var links = 128

    public init() {}
}

/// Decides by the trace's id alone, so that all spans of a trace go the same way.
public indirect enum HeadSampling: Hashable, Sendable {
    case always
    case never
    /// From 0 to 1.
    case ratio(Double)
    /// Traces a second at most.
    case rate(perSecond: Double)
    /// Follows the sampled flag where the span has a parent, else the other.
    case parent(root: HeadSampling)
}
