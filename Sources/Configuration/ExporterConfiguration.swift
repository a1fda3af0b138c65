public import Telemetry

/// One place that telemetry goes to.
public struct ExporterConfiguration: Hashable, Sendable {
    /// KIND of `--export KIND=URL`.
    public enum Kind: String, Sendable, CaseIterable {
        case otlp
        case otlpJSON = "otlp-json"
        case otlpGRPC = "otlp-grpc"
        case zipkin
        case jaeger
        case loki
        case prometheus = "prometheus-remote-write"
        case file
        case console

        /// Whether it is sent over the network.
        public var isRemote: Bool { self != .file && self != .console }
    }

    public enum Compression: String, Sendable, CaseIterable { case none, gzip }

    /// PEM files; nil for the system's authorities, and for no client certificate.
    public struct TLSFiles: Hashable, Sendable {
        public var authority: String?
        public var certificate: String?
        public var key: String?
        /// The backend's certificate is not checked.
        public var isInsecure = false

        public init(authority: String? = nil, certificate: String? = nil, key: String? = nil) {
            self.authority = authority
            self.certificate = certificate
            self.key = key
        }
    }

    public struct Header: Hashable, Sendable {
        public var name: String
        public var value: String

        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Where one signal goes and how.
    public struct Target: Hashable, Sendable {
        public var url: EndpointURL
        /// Where to go, in this order, when `url` fails.
        public var alternatives: [EndpointURL] = []
        public var headers: [Header] = []
        public var compression = Compression.none
        public var timeoutMilliseconds = 10_000
        public var tls = TLSFiles()
        /// Nil: straight to the backend.
        public var proxy: EndpointURL?
        /// `ADDRESS:PORT` of the name servers that know the services among the URLs; empty: the system's.
        public var nameServers: [String] = []

        public init(url: EndpointURL) { self.url = url }
    }

    /// What a `console` exporter writes to and how.
    public struct Console: Hashable, Sendable {
        public enum Stream: String, Sendable, CaseIterable { case stdout, stderr }
        public var stream = Stream.stderr
        /// A line of OTLP JSON for each export instead of text for people.
        public var isJSON = false

        public init(stream: Stream = .stderr, isJSON: Bool = false) {
            self.stream = stream
            self.isJSON = isJSON
        }
    }

    /// What a `file` exporter writes: a file of JSON lines for each signal.
    public struct File: Hashable, Sendable {
        public var paths: [Signal: String]
        /// A file that would become longer is rotated before the line that makes it so. Bytes.
        public var rotateBytesMax = 100 << 20
        /// A file that is older is rotated before its next line. Nanoseconds; nil: its age does not matter.
        public var rotateAgeNanoseconds: UInt64?
        /// Rotated files of each signal that stay; older ones are removed.
        public var keep = 10
        /// Of rotated files.
        public var compression = Compression.none
        /// When lines are forced to the disk: `batch` before they count as delivered, `interval` within a second.
        public var sync = QueueConfiguration.Sync.interval

        public init(paths: [Signal: String] = [:]) { self.paths = paths }

        /// A file for each signal in a folder.
        public init(folder: String) {
            let folder = folder.hasSuffix("/") ? folder : folder + "/"
            paths = Dictionary(uniqueKeysWithValues: Signal.allCases.map { ($0, "\(folder)\($0.word).jsonl") })
        }
    }

    /// `OTEL_BSP_*`; nil: the pipeline's own default.
    public struct Batching: Hashable, Sendable {
        public var exportItemsMax: Int?
        public var queueItemsMax: Int?
        public var ageMaxMilliseconds: Int?
        /// Of one export, before compression. From the configuration file alone.
        public var exportBytesMax: Int?

        public init(exportItemsMax: Int? = nil, queueItemsMax: Int? = nil, ageMaxMilliseconds: Int? = nil) {
            self.exportItemsMax = exportItemsMax
            self.queueItemsMax = queueItemsMax
            self.ageMaxMilliseconds = ageMaxMilliseconds
        }
    }

    /// What tells a service's streams apart and has few values.
    public static let standardLabels = [
        "service.name", "service.namespace", "deployment.environment.name", "k8s.cluster.name", "k8s.namespace.name",
    ]

    public var kind: Kind
    /// The signals this exporter carries over HTTP. Empty for `console` and `file`.
    public var targets: [Signal: Target]
    /// Only for `file`.
    public var file: File
    /// Attributes of the resource that become labels. Only for `loki`.
    public var labels = ExporterConfiguration.standardLabels
    /// Only for `console`.
    public var console: Console
    public var batching: Batching
    /// Exports under way at once; nil: the pipeline's own default. From the configuration file alone.
    public var inFlightMax: Int?

    public init(
        kind: Kind, targets: [Signal: Target] = [:], file: File = File(), console: Console = Console(),
        batching: Batching = Batching()
    ) {
        self.kind = kind
        self.targets = targets
        self.file = file
        self.console = console
        self.batching = batching
    }

    /// The signals that are routed here. Metrics have no form for people to read.
    public var signals: Set<Signal> {
        if kind.isRemote { return Set(targets.keys) }
        if kind == .file { return Set(file.paths.keys) }
        return console.isJSON ? Set(Signal.allCases) : [.traces, .logs]
    }

    /// For messages and as a metric's label: the kind and where to.
    public var name: String {
        if kind == .file { return "file=\(Signal.allCases.lazy.compactMap { file.paths[$0] }.first ?? "")" }
        guard let target = Signal.allCases.lazy.compactMap({ targets[$0] }).first else {
            return "\(kind.rawValue)=\(console.stream.rawValue)"
        }
        return "\(kind.rawValue)=\(target.url.with(path: ""))"
    }
}
