public import Telemetry

/// What `sidelight agent` needs to know: the configuration file, with the environment and the flags over it. docs/configuration.md.
///
/// Everything is resolved: names exist, defaults are filled in, `pipelines` says in full what goes where.
public struct PipelineConfiguration: Hashable, Sendable {
    /// Where what the agent has measured itself comes in, for pipelines that name it.
    public static let ownReceiver = "sidelight"

    /// What the agent calls itself: `service.name` of its own telemetry.
    public var service = "sidelight"
    public var logLevel = LogLevel.warning
    /// `--json`: messages as lines of JSON.
    public var isJSON = false
    /// Nil: no admin port.
    public var admin: HostPort? = HostPort(host: "127.0.0.1", port: 9464)
    /// One budget for the whole agent: bodies being read, batches under way. Bytes.
    public var memoryBytesMax = 64 << 20
    public var store = PipelineStore()
    /// What an answer of success to a sender means.
    public var acknowledgement = Acknowledgement.queue
    /// What all queues have that say nothing else. `directory` is where they lie, each in a folder of its own.
    public var queue = QueueConfiguration(directory: ".sidelight/queue")
    /// Whether the values of well-known header and key names (authorization, cookie, password, …) are masked in pipelines that have no `redact` of their own.
    public var redactsWellKnownKeys = true
    public var receivers: [ReceiverConfiguration] = []
    /// Files that are read. Their names are receivers' names, too.
    public var logFiles: [LogFilesConfiguration] = []
    public var logFilesLimits = LogFilesLimits()
    /// Syslog, pipes, programs. Their names are receivers' names, too.
    public var logInputs: [LogInputConfiguration] = []
    public var processors: [NamedProcessor] = []
    public var exporters: [NamedExporter] = []
    public var pipelines: [PipelineRoute] = []
    public var common = CommonConfiguration()

    public init() {}

    /// What an answer of success to a sender means.
    public enum Acknowledgement: String, Sendable, CaseIterable {
        /// The items are in memory; a crash loses them.
        case memory
        /// The items are in the queue of every exporter that takes them, as safe as `sync` makes it.
        case queue
        /// Every exporter has delivered them.
        case delivered
    }

    public func receiver(_ name: String) -> ReceiverConfiguration? { receivers.first { $0.name == name } }
    public func processor(_ name: String) -> ProcessorConfiguration? {
        processors.first { $0.name == name }?.processor
    }
    public func exporter(_ name: String) -> NamedExporter? { exporters.first { $0.name == name } }
}

/// The agent's own store, which `sidelight trace` and the page read.
public struct PipelineStore: Hashable, Sendable {
    public var isEnabled = true
    public var directory = ".sidelight/"
    /// Bytes; the oldest go first.
    public var bytesMax = 512 << 20
    /// Nanoseconds since a batch was stored.
    public var ageNanosecondsMax: UInt64 = 7 * 24 * 3_600_000_000_000
    /// Whether the words of logs are indexed, for searches.
    public var indexesWords = true

    public init() {}
}

/// A port that telemetry comes in at.
public struct ReceiverConfiguration: Hashable, Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        case otlpHTTP = "otlp-http"
        case otlpGRPC = "otlp-grpc"
        case zipkin
        case jaeger

        public var standardPort: UInt16 {
            switch self {
            case .otlpHTTP: 4318
            case .otlpGRPC: 4317
            case .zipkin: 9411
            case .jaeger: 14268
            }
        }

        /// What may come in here.
        public var signals: Set<Signal> {
            switch self {
            case .otlpHTTP, .otlpGRPC: Set(Signal.allCases)
            case .zipkin, .jaeger: [.traces]
            }
        }
    }

    /// The kind, or "kind/name".
    public var name: String
    public var kind: Kind
    public var listen: HostPort
    /// Of a request's body, decompressed. Bytes.
    public var bodyBytesMax = 16 << 20
    /// Web pages of these origins may send ("https://shop.example", or "*"). Empty: none. Not for gRPC.
    public var origins: [String] = []

    public init(name: String, kind: Kind) {
        self.name = name
        self.kind = kind
        listen = HostPort(host: "127.0.0.1", port: kind.standardPort)
    }
}

/// An exporter with its name and its queue.
public struct NamedExporter: Hashable, Sendable {
    public var name: String
    public var exporter: ExporterConfiguration
    /// What goes here; never more than the exporter can carry.
    public var signals: Set<Signal>
    public var queue: QueueConfiguration

    public init(name: String, exporter: ExporterConfiguration, queue: QueueConfiguration) {
        self.name = name
        self.exporter = exporter
        self.queue = queue
        signals = exporter.signals
    }
}

/// The durable queue of one exporter, or of one pipeline in front of processors that remember.
public struct QueueConfiguration: Hashable, Sendable {
    /// When what was written is forced to the disk.
    public enum Sync: String, Sendable, CaseIterable {
        /// Before the sender's answer. A power cut loses nothing.
        case batch
        /// Every `syncIntervalNanoseconds`. A power cut loses at most so much; a crash of the agent loses nothing.
        case interval
        /// When the system likes to. A crash of the agent loses nothing.
        case never
    }

    /// What is dropped, and counted, when the queue is full.
    public enum Overflow: String, Sendable, CaseIterable { case newest, oldest }

    /// Fewer bytes hold no two segments.
    public static let bytesMin = 1 << 20

    /// Of this queue alone.
    public var directory: String
    public var bytesMax = 1 << 30
    public var ageNanosecondsMax: UInt64 = 24 * 3_600_000_000_000
    public var sync = Sync.interval
    public var syncIntervalNanoseconds: UInt64 = 1_000_000_000
    public var overflow = Overflow.newest

    public init(directory: String) { self.directory = directory }
}

/// The way of one signal: from receivers, through processors in this order, to exporters.
public struct PipelineRoute: Hashable, Sendable {
    /// The signal, or "signal/name".
    public var name: String
    public var signal: Signal
    /// Names of `PipelineConfiguration.receivers`, `logFiles` and `logInputs`; all of them can receive the signal.
    public var receivers: [String]
    /// Names of processors of other pipelines whose `derived` batches come in here; all of them make the signal. In the file they stand among the receivers.
    public var derivedFrom: [String]
    /// Names of `PipelineConfiguration.processors`.
    public var processors: [String]
    /// Names of `PipelineConfiguration.exporters`; all of them take the signal. May be empty: then there is the store.
    public var exporters: [String]

    public init(
        name: String, signal: Signal, receivers: [String], derivedFrom: [String] = [], processors: [String],
        exporters: [String]
    ) {
        self.name = name
        self.signal = signal
        self.receivers = receivers
        self.derivedFrom = derivedFrom
        self.processors = processors
        self.exporters = exporters
    }
}

extension Signal {
    /// As in files and messages: "traces".
    public var word: String {
        switch self {
        case .traces: "traces"
        case .logs: "logs"
        case .metrics: "metrics"
        }
    }
}
