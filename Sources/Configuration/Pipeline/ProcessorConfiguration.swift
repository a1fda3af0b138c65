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
    case correlate(Correlation)
    case tailSample(TailSampling)
    case spanMetrics(SpanMetricsConfiguration)
    case serviceGraph(ServiceGraphConfiguration)
    case logMetrics(LogMetricsConfiguration)
    case dedupe(DeduplicationConfiguration)
    case js(ScriptConfiguration)

    /// Its key in the file.
    public enum Kind: String, Sendable, CaseIterable {
        case attributes, resource, redact, filter, normalize, limits, sample, correlate
        case tailSample = "tail-sample"
        case spanMetrics = "span-metrics"
        case serviceGraph = "service-graph"
        case logMetrics = "log-metrics"
        case dedupe, js

        /// Whether it remembers from request to request, and so runs behind the intake's queue.
        public var isStateful: Bool {
            switch self {
            case .attributes, .resource, .redact, .filter, .normalize, .limits, .sample, .correlate: false
            case .tailSample, .spanMetrics, .serviceGraph, .logMetrics, .dedupe, .js: true
            }
        }

        /// What it makes beside what passes. Pipelines of that signal may take it in by the processor's name. Nil: nothing.
        public var makes: Signal? {
            self == .spanMetrics || self == .serviceGraph || self == .logMetrics ? .metrics : nil
        }

        /// What it does something to.
        public var signals: Set<Signal> {
            switch self {
            case .attributes, .resource, .redact, .filter, .normalize, .limits, .sample, .js: Set(Signal.allCases)
            case .correlate, .logMetrics: [.logs]
            case .tailSample, .spanMetrics, .serviceGraph: [.traces]
            case .dedupe: [.traces, .logs]
            }
        }
    }

    /// Of what it holds; 0 for one that holds nothing. Bytes.
    public var bytesHeldMax: Int {
        switch self {
        case .tailSample(let sampling): sampling.bytesMax + sampling.decisionsMax * TailSampling.decisionBytes
        case .spanMetrics(let metrics): metrics.seriesMax * metrics.seriesBytes
        case .serviceGraph(let graph):
            graph.seriesMax * graph.seriesBytes + graph.spansMax * ServiceGraphConfiguration.spanBytes
        case .logMetrics(let metrics): metrics.seriesMax * LogMetricsConfiguration.seriesBytes
        case .dedupe(let deduplication): deduplication.bytesHeldMax
        case .js: ScriptConfiguration.bytesHeldMax
        case .attributes, .resource, .redact, .filter, .normalize, .limits, .sample, .correlate: 0
        }
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
        case .correlate: .correlate
        case .tailSample: .tailSample
        case .spanMetrics: .spanMetrics
        case .serviceGraph: .serviceGraph
        case .logMetrics: .logMetrics
        case .dedupe: .dedupe
        case .js: .js
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
    /// The key may end in "*", for any end.
    case delete(key: String)
    /// SHA-256 of the value in hex, so that equal values stay equal; with a salt HMAC-SHA-256 with it as the key, so that values cannot be guessed and
    /// compared. The key may end in "*".
    case hash(key: String, salt: String?)
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
        /// Bearer tokens and those of well-known services.
        case token
        case card, email, jwt
        case awsKey = "aws-key"
        case privateKey = "private-key"
        /// Passwords and secret parameters in URLs.
        case url
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

/// What passes and what is dropped, and counted.
public struct ItemFilter: Hashable, Sendable {
    public struct AttributeCondition: Hashable, Sendable {
        public var key: String
        /// As text, "*" stands for any characters; nil: any value.
        public var value: String?

        public init(key: String, value: String? = nil) {
            self.key = key
            self.value = value
        }
    }

    /// All conditions that are given have to hold. In texts "*" stands for any characters.
    public struct Rule: Hashable, Sendable {
        public var signal: Signal?
        /// `service.name` of the resource.
        public var service: String?
        public var resource: AttributeCondition?
        /// The instrumentation scope's name.
        public var scope: String?
        /// Of a span, of a metric, or a log record's event name.
        public var name: String?
        // Of spans alone.
        public var kind: SpanKind?
        public var status: SpanStatus.Code?
        /// Nanoseconds, this or more.
        public var durationMin: UInt64?
        /// Nanoseconds, less than this.
        public var durationMax: UInt64?
        public var isRoot: Bool?
        // Of log records alone.
        /// Severity number of OTLP. Those without one do not match.
        public var severityBelow: Int?
        // Of all.
        public var attribute: AttributeCondition?

        public init() {}
    }

    /// An item that matches one of these is dropped.
    public var drop: [Rule] = []
    /// Of the signals that these are for, only what matches one of them passes.
    public var keep: [Rule] = []

    public init() {}
}

public struct Normalization: Hashable, Sendable {
    public enum Queries: String, Sendable, CaseIterable { case keep, remove }

    /// Ids, numbers and hashes in the names of spans become placeholders.
    public var spanNames = true
    /// `url.template` is made of the URL's path where there is none.
    public var urlTemplate = false
    /// What happens to the queries of URLs in attributes.
    public var queries = Queries.keep

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

/// Decides by the trace's id where there is one, so that all spans and log records of a trace go the same way.
public indirect enum HeadSampling: Hashable, Sendable {
    case always
    case never
    /// From 0 to 1.
    case ratio(Double)
    /// Traces a second at most.
    case rate(perSecond: Double)
    /// As a server says, service by service.
    case remote(RemoteSampling)
    /// Of log records, by their level.
    case levels(LevelSampling)
}

/// Which share of the log records of each level passes.
public struct LevelSampling: Hashable, Sendable {
    /// Ranges of OTLP's severity numbers, four numbers each, from 1 on.
    public enum Level: Int, Sendable, CaseIterable { case trace, debug, info, warn, error, fatal }

    public struct Service: Hashable, Sendable {
        /// `service.name` of the resource; "*" stands for any characters.
        public var service: String
        /// What it has instead of `shares`.
        public var shares: [Level: Double] = [:]

        public init(service: String) { self.service = service }
    }

    /// From 0 to 1; of a level without one all records pass.
    public var shares: [Level: Double] = [:]
    /// The first whose name matches counts.
    public var services: [Service] = []

    public init() {}
}

/// Where strategies are asked for, in Jaeger's protocol.
public struct RemoteSampling: Hashable, Sendable {
    /// With its path.
    public var endpoint: EndpointURL
    /// Nanoseconds.
    public var intervalNanoseconds: UInt64 = 60_000_000_000
    /// Until a service's first answer, and for services that there is no room for; not remote.
    public var initial = HeadSampling.ratio(0.001)
    /// Services that are asked for.
    public var servicesMax = 256

    public init(endpoint: EndpointURL) { self.endpoint = endpoint }
}

/// Log records get the ids of the trace and the span that their attributes name.
public struct Correlation: Hashable, Sendable {
    /// Names beside the well-known ones; values in hex.
    public var traceKeys: [String] = []
    public var spanKeys: [String] = []

    public init() {}
}
