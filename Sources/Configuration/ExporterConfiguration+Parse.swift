// Which exporters there are:
// - Each `--export KIND=URL` is one. With any such flag the environment adds none: flags beat environment.
// - Otherwise the OTel variables decide: `OTEL_*_EXPORTER` names them; where it is unset, an endpoint's variable
//   (`OTEL_EXPORTER_OTLP_ENDPOINT` and its kin, `OTEL_EXPORTER_ZIPKIN_ENDPOINT`) stands for its exporter. Nothing
//   set: no exporter, unlike an SDK, because the agent has its own store and must not knock at ports nobody named.
// - Headers, compression, timeout and TLS files come from `OTEL_EXPORTER_OTLP_*` for OTLP exporters of either origin.
//
// <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>

import Telemetry

/// Reads the exporters from flags and environment.
struct ExporterParser {
    private static let otlpDefault = "http://localhost:4318"
    private static let grpcDefault = "http://localhost:4317"
    private static let zipkinDefault = "http://localhost:9411/api/v2/spans"

    let environment: Environment
    var problems: Problems

    /// - Parameter usesEnvironment: Whether its exporters count where no flag names any.
    mutating func parse(flags: [String], isJSON: Bool, usesEnvironment: Bool = true) -> [ExporterConfiguration] {
        let batching = parseBatching()
        var exporters = flags.compactMap { fromFlag($0) }
        if flags.isEmpty, usesEnvironment { exporters = fromEnvironment() }
        for index in exporters.indices {
            exporters[index].batching = batching
            exporters[index].console.isJSON = isJSON
        }
        return exporters
    }

    // MARK: Flags

    private mutating func fromFlag(_ flag: String) -> ExporterConfiguration? {
        let parts = flag.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map {
            String($0).trimmed
        }
        guard let kind = ExporterConfiguration.Kind(rawValue: parts[0]) else {
            let kinds = ExporterConfiguration.Kind.allCases.map(\.rawValue).joined(separator: ", ")
            problems.error("--export \(flag)", "there is no kind \"\(parts[0])\"; there are \(kinds)")
            return nil
        }
        if kind == .console { return console(flag, parts.count == 2 ? parts[1] : "stderr") }
        guard parts.count == 2, kind != .file || !parts[1].isEmpty else {
            let what = kind == .file ? "FOLDER" : "URL"
            problems.error(
                "--export \(flag)", "expected \(kind.rawValue)=\(what), as in \(kind.rawValue)=\(kind.example)")
            return nil
        }
        if kind == .file {
            if let complaint = Self.complaint(folder: parts[1]) {
                problems.error("--export \(flag)", "\"\(parts[1])\" \(complaint)")
                return nil
            }
            return ExporterConfiguration(kind: .file, file: ExporterConfiguration.File(folder: parts[1]))
        }
        guard let url = url(parts[1], "--export \(flag)", example: kind.example) else { return nil }
        if let complaint = Self.complaint(kind, url) {
            problems.error("--export \(flag)", complaint)
            return nil
        }
        return ExporterConfiguration(kind: kind, targets: targets(kind, url, "--export \(flag)"))
    }

    private mutating func console(_ flag: String, _ name: String) -> ExporterConfiguration? {
        guard let stream = ExporterConfiguration.Console.Stream(rawValue: name) else {
            problems.error("--export \(flag)", "console writes to stderr or stdout, not to \"\(name)\"")
            return nil
        }
        return ExporterConfiguration(kind: .console, console: ExporterConfiguration.Console(stream: stream))
    }

    /// Why a URL is none for this kind.
    static func complaint(_ kind: ExporterConfiguration.Kind, _ url: EndpointURL) -> String? {
        guard kind == .otlpGRPC, !url.hasNoPath || url.query != nil else { return nil }
        return "gRPC has paths of its own: expected \(url.with(path: ""))"
    }

    /// Why a path is not that of a folder for the files of an exporter.
    static func complaint(folder: String) -> String? {
        guard !folder.utf8.contains(0), folder.utf8.count <= 1_024 else { return "is no name of a folder" }
        guard !folder.lowercased().hasSuffix(".json"), !folder.lowercased().hasSuffix(".jsonl") else {
            return
                "names a folder, with a file for each signal in it; a file is named in sidelight.yaml, as in {traces: \(folder)}"
        }
        return nil
    }

    /// A URL without a path gets the protocol's paths, for OTLP those of all signals; so does, for OTLP, one that
    /// ends in "/". Any other path is taken as it is, for the signal whose path it ends with, else for traces.
    private mutating func targets(
        _ kind: ExporterConfiguration.Kind, _ url: EndpointURL, _ source: String
    ) -> [Signal: ExporterConfiguration.Target] {
        let urls = Self.signalURLs(kind, url)
        return switch kind {
        case .otlp, .otlpJSON, .otlpGRPC: otlpTargets(urls)
        case .zipkin: Dictionary(uniqueKeysWithValues: urls.map { ($0.0, zipkinTarget($0.1)) })
        case .jaeger, .loki, .prometheus:
            Dictionary(uniqueKeysWithValues: urls.map { ($0.0, ExporterConfiguration.Target(url: $0.1)) })
        case .file, .console: [:]
        }
    }

    /// Where each signal goes that this URL is for.
    static func signalURLs(_ kind: ExporterConfiguration.Kind, _ url: EndpointURL) -> [(Signal, EndpointURL)] {
        switch kind {
        case .otlp, .otlpJSON:
            if url.path.isEmpty || url.path.hasSuffix("/") {
                return Signal.allCases.map { ($0, otlp($0, base: url)) }
            }
            let signal = Signal.allCases.first { url.path.hasSuffix($0.otlpPath) } ?? .traces
            return [(signal, url)]
        case .zipkin:
            return [(.traces, url.hasNoPath ? url.with(path: "/api/v2/spans", query: url.query) : url)]
        case .jaeger:
            let target = url.hasNoPath ? url.with(path: "/api/traces", query: url.query ?? "format=jaeger.thrift") : url
            return [(.traces, target)]
        case .otlpGRPC: return Signal.allCases.map { ($0, url.with(path: "")) }
        case .loki:
            return [(.logs, url.hasNoPath ? url.with(path: "/loki/api/v1/push", query: url.query) : url)]
        case .prometheus:
            return [(.metrics, url.hasNoPath ? url.with(path: "/api/v1/write", query: url.query) : url)]
        case .file, .console: return []
        }
    }

    // MARK: Environment

    private mutating func fromEnvironment() -> [ExporterConfiguration] {
        var otlp: [(kind: ExporterConfiguration.Kind, signal: Signal, url: EndpointURL)] = []
        var exporters: [ExporterConfiguration] = []
        var hasConsole = false
        for signal in Signal.allCases {
            for name in exporterNames(signal) {
                switch (name, signal) {
                case ("otlp", _):
                    let kind = otlpKind(signal)
                    let url = kind == .otlpGRPC ? grpcURL(signal) : otlpURL(signal)
                    if let url { otlp.append((kind, signal, url)) }
                case ("zipkin", .traces):
                    let text = environment.text("OTEL_EXPORTER_ZIPKIN_ENDPOINT") ?? Self.zipkinDefault
                    if let url = url(text, "OTEL_EXPORTER_ZIPKIN_ENDPOINT", example: Self.zipkinDefault) {
                        exporters.append(ExporterConfiguration(kind: .zipkin, targets: [.traces: zipkinTarget(url)]))
                    }
                case ("console", _), ("logging", _): hasConsole = true
                case ("none", _), ("prometheus", .metrics): break  // /metrics is always served
                default:
                    problems.warning(
                        Self.exporterVariable(signal),
                        "\"\(name)\" is ignored: known are otlp, zipkin (traces), console, none")
                }
            }
        }
        for kind in [ExporterConfiguration.Kind.otlp, .otlpJSON, .otlpGRPC]
        where otlp.contains(where: { $0.kind == kind }) {
            let targets = otlpTargets(otlp.filter { $0.kind == kind }.map { ($0.signal, $0.url) })
            exporters.insert(ExporterConfiguration(kind: kind, targets: targets), at: 0)
        }
        if hasConsole { exporters.append(ExporterConfiguration(kind: .console)) }
        return exporters
    }

    private static func exporterVariable(_ signal: Signal) -> String { "OTEL_\(signal.variablePart)_EXPORTER" }

    private func exporterNames(_ signal: Signal) -> [String] {
        if let names = environment.list(Self.exporterVariable(signal)) { return names.map { $0.lowercased() } }
        var names: [String] = []
        if environment.first(otlpNames("ENDPOINT", signal)) != nil { names.append("otlp") }
        if signal == .traces, environment.text("OTEL_EXPORTER_ZIPKIN_ENDPOINT") != nil { names.append("zipkin") }
        return names
    }

    private mutating func otlpURL(_ signal: Signal) -> EndpointURL? {
        let own = otlpNames("ENDPOINT", signal)[0]
        if let text = environment.text(own) {
            guard let url = url(text, own, example: Self.otlpDefault + signal.otlpPath) else { return nil }
            return url.path.isEmpty ? url.with(path: "/", query: url.query) : url
        }
        let base = "OTEL_EXPORTER_OTLP_ENDPOINT"
        return url(environment.text(base) ?? Self.otlpDefault, base, example: Self.otlpDefault).map {
            Self.otlp(signal, base: $0)
        }
    }

    /// For gRPC an endpoint may be a host and port alone; `OTEL_EXPORTER_OTLP_INSECURE` says whether to do without TLS then.
    private mutating func grpcURL(_ signal: Signal) -> EndpointURL? {
        let (source, value) =
            environment.first(otlpNames("ENDPOINT", signal)) ?? ("OTEL_EXPORTER_OTLP_ENDPOINT", Self.grpcDefault)
        var text = value
        if !text.contains("://") {
            let isInsecure = environment.first(otlpNames("INSECURE", signal))?.value.lowercased() == "true"
            text = (isInsecure ? "http://" : "https://") + text
        }
        guard let url = url(text, source, example: Self.grpcDefault) else { return nil }
        if let complaint = Self.complaint(.otlpGRPC, url) {
            problems.error(source, complaint)
            return nil
        }
        return url.with(path: "")
    }

    private mutating func otlpKind(_ signal: Signal) -> ExporterConfiguration.Kind {
        guard let (name, value) = environment.first(otlpNames("PROTOCOL", signal)) else { return .otlp }
        switch value.lowercased() {
        case "http/protobuf": return .otlp
        case "http/json": return .otlpJSON
        case "grpc": return .otlpGRPC
        default:
            problems.warning(name, "\"\(value)\" is ignored: known are grpc, http/protobuf, http/json")
            return .otlp
        }
    }

    // MARK: Common settings

    private static func otlp(_ signal: Signal, base: EndpointURL) -> EndpointURL {
        let path = base.path.hasSuffix("/") ? String(base.path.dropLast()) : base.path
        return base.with(path: path + signal.otlpPath, query: base.query)
    }

    private mutating func otlpTargets(_ urls: [(Signal, EndpointURL)]) -> [Signal: ExporterConfiguration.Target] {
        var targets: [Signal: ExporterConfiguration.Target] = [:]
        for (signal, url) in urls {
            var target = ExporterConfiguration.Target(url: url)
            target.headers = headers(signal)
            target.compression = compression(signal)
            target.timeoutMilliseconds = timeout(signal) ?? target.timeoutMilliseconds
            target.tls.authority = environment.first(otlpNames("CERTIFICATE", signal))?.value
            target.tls.certificate = environment.first(otlpNames("CLIENT_CERTIFICATE", signal))?.value
            target.tls.key = environment.first(otlpNames("CLIENT_KEY", signal))?.value
            if target.tls.certificate == nil, target.tls.key != nil {
                problems.error(
                    "OTEL_EXPORTER_OTLP_CLIENT_KEY", "a client key needs OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE")
            }
            targets[signal] = target
        }
        return targets
    }

    private mutating func zipkinTarget(_ url: EndpointURL) -> ExporterConfiguration.Target {
        var target = ExporterConfiguration.Target(url: url)
        let variable = "OTEL_EXPORTER_ZIPKIN_TIMEOUT"
        target.timeoutMilliseconds =
            environment.integer(variable, in: 1...86_400_000, &problems) ?? target.timeoutMilliseconds
        return target
    }

    private mutating func headers(_ signal: Signal) -> [ExporterConfiguration.Header] {
        guard let (name, value) = environment.first(otlpNames("HEADERS", signal)) else { return [] }
        do {
            return try KeyValueList.parse(value).map { pair throws(KeyValueList.Failure) in
                guard Self.isHeader(pair.key, pair.value) else {
                    throw KeyValueList.Failure(message: "\(pair.key.debugDescription) is no header that can be sent")
                }
                return ExporterConfiguration.Header(name: pair.key, value: pair.value)
            }
        } catch {
            // Never the value: it may be a secret.
            problems.warning(name, "the whole value is ignored: \(error.message)")
            return []
        }
    }

    static func isHeader(_ name: String, _ value: String) -> Bool {
        name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"()<>@,;:\\\"/[]?={}".utf8.contains($0) }
            && value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
    }

    private mutating func compression(_ signal: Signal) -> ExporterConfiguration.Compression {
        guard let (name, value) = environment.first(otlpNames("COMPRESSION", signal)) else { return .none }
        if let compression = ExporterConfiguration.Compression(rawValue: value.lowercased()) { return compression }
        problems.warning(name, "\"\(value)\" is ignored: known are gzip, none")
        return .none
    }

    private mutating func timeout(_ signal: Signal) -> Int? {
        guard let (name, _) = environment.first(otlpNames("TIMEOUT", signal)) else { return nil }
        return environment.integer(name, in: 1...86_400_000, &problems)
    }

    private mutating func parseBatching() -> ExporterConfiguration.Batching {
        var batching = ExporterConfiguration.Batching(
            exportItemsMax: environment.integer("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", in: 1...Int.max, &problems),
            queueItemsMax: environment.integer("OTEL_BSP_MAX_QUEUE_SIZE", in: 1...Int.max, &problems),
            ageMaxMilliseconds: environment.integer("OTEL_BSP_SCHEDULE_DELAY", in: 0...86_400_000, &problems))
        if let items = batching.exportItemsMax, let queue = batching.queueItemsMax, items > queue {
            problems.warning(
                "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "\(items) is more than OTEL_BSP_MAX_QUEUE_SIZE; \(queue) is used")
            batching.exportItemsMax = queue
        }
        return batching
    }

    /// The variables of an OTLP setting: the signal's own first.
    func otlpNames(_ setting: String, _ signal: Signal) -> [String] {
        ["OTEL_EXPORTER_OTLP_\(signal.variablePart)_\(setting)", "OTEL_EXPORTER_OTLP_\(setting)"]
    }

    private mutating func url(_ text: String, _ source: String, example: String) -> EndpointURL? {
        do {
            return try EndpointURL(parsing: text, allowsService: true)
        } catch {
            problems.error(source, "bad URL \"\(text)\": \(error.message) (expected something like \(example))")
            return nil
        }
    }
}

extension ExporterConfiguration.Kind {
    var example: String {
        switch self {
        case .otlp, .otlpJSON: "http://localhost:4318"
        case .zipkin: "http://localhost:9411"
        case .otlpGRPC: "http://localhost:4317"
        case .jaeger: "http://localhost:14268"
        case .loki: "http://localhost:3100"
        case .prometheus: "http://localhost:9090"
        case .file: "telemetry"
        case .console: "stderr"
        }
    }
}

extension Signal {
    fileprivate var otlpPath: String {
        switch self {
        case .traces: "/v1/traces"
        case .logs: "/v1/logs"
        case .metrics: "/v1/metrics"
        }
    }

    /// As in `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`.
    fileprivate var variablePart: String {
        switch self {
        case .traces: "TRACES"
        case .logs: "LOGS"
        case .metrics: "METRICS"
        }
    }
}
