// Which exporters there are: those of the file, and one for each `--export KIND=URL`. The `OTEL_*_EXPORTER` and `OTEL_EXPORTER_*_ENDPOINT` variables add
// theirs only where neither names any: they are often set for the applications beside the agent and then point at the agent itself. Headers, compression and
// the like of `OTEL_EXPORTER_OTLP_*` go to exporters of flags and variables, never to those of the file, which may be of other people's backends.

import Telemetry

extension PipelineLoader {
    private static let timeoutMillisecondsMax = 86_400_000
    private static let nameServersMax = 3
    /// What the exporter itself says about its requests.
    private static let reservedHeaders = [
        "content-type", "content-length", "content-encoding", "transfer-encoding", "host", "connection", "te",
    ]

    /// The settings that all queues share, and where each comes from.
    typealias QueueDefaults = (settings: QueueConfiguration, origins: [String: SettingOrigin])

    mutating func readExporters(
        _ section: inout FileSection, _ queue: QueueDefaults
    ) {
        var entries = section.named("exporters", countMax: Self.exportersMax) { name, position, node in
            guard Self.isName(name) else {
                brokenNames.insert("exporters." + name)
                loading.error(
                    position, ["exporters", name],
                    "an exporter's name has 1 to 64 letters, digits, \"-\", \"_\" and \".\"")
                return nil
            }
            return readExporter(name, position, node, queue)
        }
        let isNamedInFile = !entries.isEmpty || section.has("exporters") && !brokenNames.isEmpty
        var parser = ExporterParser(environment: Environment(loading.environment), problems: Problems())
        let others = parser.parse(flags: flags.exports, isJSON: flags.isJSON, usesEnvironment: !isNamedInFile)
        loading.merge(parser.problems)
        for var exporter in others.flatMap(\.byCommonSettings) {
            if exporter.kind != .console { exporter.console = ExporterConfiguration.Console() }
            let name = freeName(exporter.kind.rawValue)
            entries.append(
                EffectiveValue.Entry(key: name, value: describe(exporter, name, queue, isFlag: !flags.exports.isEmpty)))
        }
        if isNamedInFile { warnOfUnusedVariables() }
        section.put("exporters", .mapping(entries))
    }

    private func freeName(_ name: String) -> String {
        if configuration.exporter(name) == nil { return name }
        var number = 2
        while configuration.exporter("\(name)-\(number)") != nil { number += 1 }
        return "\(name)-\(number)"
    }

    private func warnOfUnusedVariables() {
        let environment = Environment(loading.environment)
        let names =
            ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_ZIPKIN_ENDPOINT"]
            + Signal.allCases.map { "OTEL_EXPORTER_OTLP_\($0.word.uppercased())_ENDPOINT" }
        for name in names where environment.text(name) != nil {
            loading.warning(
                .environment(name), ["exporters"],
                "it is not used: \(loading.fileName) names the exporters; write ${\(name)} there to use it")
        }
    }

    // MARK: Of the file

    private mutating func readExporter(
        _ name: String, _ position: TextPosition, _ node: YAMLNode, _ defaults: QueueDefaults
    ) -> EffectiveValue? {
        var section = FileSection(
            loading, node, at: position, path: ["exporters", name],
            shorthand: name == "console" ? "stream" : name == "file" ? "path" : "url")
        places.exporters[name] = .file(loading.filePosition(position), through: [])
        var kind = ExporterConfiguration.Kind(rawValue: name)
        let isKindName = kind != nil
        section.optional("kind", &kind, .choice)
        guard let kind else {
            if !section.has("kind"), !isKindName {
                section.error(
                    "kind",
                    "it is missing: \(ExporterConfiguration.Kind.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            brokenNames.insert("exporters." + name)
            return nil
        }
        var exporter = ExporterConfiguration(kind: kind)
        if kind == .console {
            exporter.console.isJSON = flags.isJSON
            read(&exporter.console, &section)
        } else if kind == .file {
            read(&exporter.file, &section)
        } else {
            exporter.targets = readTargets(kind, &section)
            if kind == .loki { section.list("labels", &exporter.labels, .key, isShownEmpty: true) }
        }
        guard let value = finish(exporter, name, &section, defaults) else {
            brokenNames.insert("exporters." + name)
            return nil
        }
        return value
    }

    private func read(_ console: inout ExporterConfiguration.Console, _ section: inout FileSection) {
        section.value("stream", &console.stream, .choice)
        section.value("format", &console.isJSON, .textOrJSON)
    }

    /// A folder, or a file for each signal.
    private func readPaths(_ file: inout ExporterConfiguration.File, _ section: inout FileSection) {
        guard let node = section.node("path") else {
            if file.paths.isEmpty { section.error("path", "it is missing, as in telemetry or {traces: traces.jsonl}") }
            return
        }
        guard case .mapping = node.value else {
            var folder: String?
            section.optional(
                "path", &folder,
                ScalarKind(
                    parse: { text throws(WrongValue) in
                        if let complaint = ExporterParser.complaint(folder: text) { throw WrongValue(complaint) }
                        return try ScalarKind<String>.path.parse(text)
                    }, show: { $0 }))
            if let folder { file = ExporterConfiguration.File(folder: folder) }
            return
        }
        var paths: [Signal: String] = [:]
        section.section("path") { section in
            for signal in Signal.allCases {
                section.optional(signal.word, &paths[signal], .path)
            }
            if section.keys.isEmpty { section.error("it is empty, as in {traces: traces.jsonl}") }
        }
        file.paths = paths
    }

    private func read(_ file: inout ExporterConfiguration.File, _ section: inout FileSection) {
        readPaths(&file, &section)
        readRotation(&file, &section)
    }

    private func readRotation(_ file: inout ExporterConfiguration.File, _ section: inout FileSection) {
        section.section("rotate") { section in
            section.value("bytes", &file.rotateBytesMax, .size(1 << 16...1 << 40))
            section.optional("age", &file.rotateAgeNanoseconds, .time(1_000_000_000...3_650 * 86_400_000_000_000))
            section.value("keep", &file.keep, .count(1...10_000))
        }
        section.value("compression", &file.compression, .choice)
        section.value("sync", &file.sync, .choice)
    }

    /// What all kinds have: signals, batch, queue. Nil when nothing could be sent anywhere.
    private mutating func finish(
        _ exporter: ExporterConfiguration, _ name: String, _ section: inout FileSection,
        _ defaults: QueueDefaults
    ) -> EffectiveValue? {
        var exporter = exporter
        let possible = Signal.allCases.filter(exporter.signals.contains)
        var signals = possible
        section.list("signals", &signals, .signal(of: possible, exporter.kind), isShownEmpty: true)
        exporter.targets = exporter.targets.filter { signals.contains($0.key) }
        exporter.file.paths = exporter.file.paths.filter { signals.contains($0.key) }
        var items = exporter.batching.exportItemsMax
        var bytes = exporter.batching.exportBytesMax
        var inFlight = exporter.inFlightMax
        section.optional("in-flight", &inFlight, .count(1...64))
        section.section("batch") { section in
            section.optional("items", &items, .count(1...1_000_000))
            section.optional("bytes", &bytes, .size(1 << 10...64 << 20))
            places.batches[name] = section.origin(of: "bytes")
        }
        exporter.inFlightMax = inFlight
        exporter.batching.exportItemsMax = items
        exporter.batching.exportBytesMax = bytes
        var queue = defaults.settings
        queue.directory = "\(queue.directory)\(queue.directory.hasSuffix("/") ? "" : "/")\(name)"
        section.section("queue", inherited: defaults.origins) { section in
            Self.read(&queue, &section)
            places.queueBytes[name] = section.origin(of: "bytes")
            places.queues[name] = section.has("directory") ? section.origin(of: "directory") : nil
        }
        let value = section.finish()
        guard !possible.isEmpty else { return nil }
        var named = NamedExporter(name: name, exporter: exporter, queue: queue)
        named.signals = Set(signals)
        configuration.exporters.append(named)
        return value
    }

    // MARK: Targets

    private mutating func readTargets(
        _ kind: ExporterConfiguration.Kind, _ section: inout FileSection
    ) -> [Signal: ExporterConfiguration.Target] {
        let urls = readURLs(kind, &section)
        var common = ExporterConfiguration.Target(url: .anywhere)
        read(&common, kind, &section)
        var targets: [Signal: ExporterConfiguration.Target] = [:]
        for (signal, urls) in urls {
            targets[signal] = common
            targets[signal]!.url = urls[0]
            targets[signal]!.alternatives = Array(urls.dropFirst())
        }
        let all = urls.values.joined()
        if common.tls != ExporterConfiguration.TLSFiles(), !all.isEmpty, all.allSatisfy({ $0.scheme == .http }) {
            section.warning("tls", "it has no effect: the URL is http")
        }
        if !common.nameServers.isEmpty, !all.isEmpty, !all.contains(where: { $0.finding == .dns }) {
            section.warning(
                "resolver",
                "it has no effect: the URL is none that DNS knows, as dnssrv+http://_otlp._tcp.example.com is"
            )
        }
        return targets
    }

    /// One URL, a list of them in the order in which they are tried, or either for each signal.
    private mutating func readURLs(
        _ kind: ExporterConfiguration.Kind, _ section: inout FileSection
    ) -> [Signal: [EndpointURL]] {
        let path = section.path + ["url"]
        guard let node = section.node("url") else {
            section.error("url", "it is missing, as in \(kind.example)")
            return [:]
        }
        places.urls[section.path.last ?? ""] = .file(loading.filePosition(node.position), through: [])
        guard case .mapping(let entries) = node.value else {
            let (urls, value) = readURLList(node, path, kind)
            if let value { section.put("url", value) }
            return bySignal(urls, kind, node.position, path)
        }
        var found: [Signal: [EndpointURL]] = [:]
        var values: [EffectiveValue.Entry] = []
        let words = ExporterConfiguration.possibleSignals(kind).map(\.word)
        for entry in entries {
            guard let signal = Signal.allCases.first(where: { $0.word == entry.key }), words.contains(entry.key) else {
                loading.error(
                    entry.keyPosition, path + [entry.key], "\"\(entry.key.shown)\" \(notOneOf(words, entry.key))")
                continue
            }
            let (urls, value) = readURLList(entry.value, path + [entry.key], kind)
            if let value { values.append(EffectiveValue.Entry(key: entry.key, value: value)) }
            // A URL that is given for a signal is taken as it is, unless it has no path.
            let resolved = urls.map { url in
                url.path.isEmpty || kind == .otlpGRPC
                    ? ExporterParser.signalURLs(kind, url).first { $0.0 == signal }?.1 ?? url : url
            }
            if !resolved.isEmpty { found[signal] = resolved }
        }
        if entries.isEmpty { loading.error(node.position, path, "it is empty, as in \(kind.example)") }
        section.put("url", .mapping(values))
        return found
    }

    private func readURLList(
        _ node: YAMLNode, _ path: [String], _ kind: ExporterConfiguration.Kind
    ) -> ([EndpointURL], EffectiveValue?) {
        let nodes: [YAMLNode]
        if case .list(let elements) = node.value { nodes = elements } else { nodes = [node] }
        var urls: [EndpointURL] = []
        var values: [EffectiveValue] = []
        let url = ScalarKind<EndpointURL>.url(example: kind.example, allowsService: true)
        for node in nodes {
            guard let text = loading.scalar(node, path) else { continue }
            guard !text.isNull else {
                loading.error(node.position, path, "it has no value, as in \(kind.example)")
                continue
            }
            do {
                let value = try url.parse(text.text)
                if let complaint = ExporterParser.complaint(kind, value) {
                    loading.error(node.position, path, complaint)
                    continue
                }
                if urls.contains(value) { loading.error(node.position, path, "\(value) stands twice in the list") }
                urls.append(value)
                values.append(
                    .scalar(EffectiveValue.Scalar(text: value.description, isBare: false, origin: text.origin)))
            } catch {
                loading.error(node.position, path, "\"\(text.text.shown)\" \(error.message)")
            }
        }
        if nodes.isEmpty { loading.error(node.position, path, "the list is empty, as in \(kind.example)") }
        if case .list = node.value { return (urls, .list(values)) }
        return (urls, values.first)
    }

    /// All endpoints of a list have to be for the same signals.
    private func bySignal(
        _ urls: [EndpointURL], _ kind: ExporterConfiguration.Kind, _ position: TextPosition, _ path: [String]
    ) -> [Signal: [EndpointURL]] {
        var found: [Signal: [EndpointURL]] = [:]
        for url in urls {
            for (signal, url) in ExporterParser.signalURLs(kind, url) { found[signal, default: []].append(url) }
        }
        if found.values.contains(where: { $0.count != urls.count }) {
            loading.error(
                position, path, "the endpoints are for different signals; give all of them a path, or none")
        }
        return found
    }

    /// Headers, compression, timeout, TLS, authorization, proxy.
    private func read(
        _ target: inout ExporterConfiguration.Target, _ kind: ExporterConfiguration.Kind, _ section: inout FileSection
    ) {
        var headers = target.headers
        section.section("headers") { section in
            for header in headers { section.note(header.name, EffectiveValue.mask, section.origin(of: header.name)) }
            for name in section.keys {
                guard let value = section.secret(name) else { continue }
                if !ExporterParser.isHeader(name, value) {
                    section.error(name, "this is no header that can be sent")
                } else if Self.reservedHeaders.contains(name.lowercased()) || name.lowercased().hasPrefix("grpc-") {
                    section.error(name, "the exporter itself sets this header")
                } else if headers.contains(where: { $0.name.lowercased() == name.lowercased() }) {
                    section.error(name, "the header stands twice; case makes no difference")
                } else {
                    headers.append(ExporterConfiguration.Header(name: name, value: value))
                }
            }
        }
        readAuthorization(&headers, &section)
        target.headers = headers
        // Loki and Prometheus take snappy and nothing else.
        if kind != .loki, kind != .prometheus { section.value("compression", &target.compression, .choice) }
        section.value("timeout", &target.timeoutMilliseconds, .milliseconds(1...Self.timeoutMillisecondsMax))
        var tls = target.tls
        section.section("tls") { section in
            section.optional("ca", &tls.authority, .path)
            section.optional("cert", &tls.certificate, .path)
            section.optional("key", &tls.key, .path)
            if tls.isInsecure || section.has("insecure") { section.value("insecure", &tls.isInsecure, .bool) }
            if tls.key != nil, tls.certificate == nil {
                section.error("key", "a client's key needs its certificate: cert is missing")
            }
        }
        target.tls = tls
        section.optional("proxy", &target.proxy, .url(example: "http://proxy.example:3128"))
        section.list("resolver", &target.nameServers, .nameServer)
        if target.nameServers.count > Self.nameServersMax {
            section.error("resolver", "there are \(target.nameServers.count); at most \(Self.nameServersMax) are asked")
        }
    }

    private func readAuthorization(_ headers: inout [ExporterConfiguration.Header], _ section: inout FileSection) {
        guard section.has("auth") else {
            _ = section.node("auth")
            return
        }
        var values: [String] = []
        section.section("auth") { section in
            if let token = section.secret("bearer") { values.append("Bearer \(token)") }
            guard section.has("basic") else {
                _ = section.node("basic")
                return
            }
            section.section("basic") { section in
                var user: String?
                section.optional("user", &user, .text)
                let password = section.secret("password")
                if let user, user.contains(":") { section.error("user", "a user's name cannot have \":\" in it") }
                for key in ["user", "password"] where !section.has(key) { section.error(key, "it is missing") }
                if let user, let password { values.append("Basic \(Base64.text(Array("\(user):\(password)".utf8)))") }
            }
        }
        let isTwice = values.count > 1
        if isTwice { section.error("auth", "either bearer or basic, not both") }
        guard let value = values.first else { return }
        if !ExporterParser.isHeader("authorization", value) {
            section.error("auth", "this cannot be sent: it holds control characters")
        } else if headers.contains(where: { $0.name.lowercased() == "authorization" }) {
            section.error("auth", "the header authorization is given too")
        } else if !isTwice {
            headers.append(ExporterConfiguration.Header(name: "authorization", value: value))
        }
    }

    // MARK: Of flags and variables

    /// Takes an exporter that a flag or variables made, and notes what it is.
    private mutating func describe(
        _ exporter: ExporterConfiguration, _ name: String,
        _ defaults: QueueDefaults, isFlag: Bool
    ) -> EffectiveValue {
        var exporter = exporter
        let signals = Signal.allCases.filter { exporter.targets[$0] != nil }
        let origin = isFlag ? SettingOrigin.flag("--export") : origin("ENDPOINT", signals.first, exporter.kind)
        var inherited: [String: SettingOrigin] = [:]
        if let signal = signals.first {
            for (key, setting) in [
                ("headers", "HEADERS"), ("compression", "COMPRESSION"), ("timeout", "TIMEOUT"), ("tls", "CERTIFICATE"),
            ] {
                inherited[key] = self.origin(setting, signal, exporter.kind)
            }
        }
        inherited["signals"] = origin
        if exporter.console.isJSON { inherited["format"] = .flag("--json") }
        var section = FileSection(loading, nil, path: ["exporters", name], inherited: inherited)
        section.note("kind", exporter.kind.rawValue, origin)
        places.exporters[name] = origin
        places.urls[name] = origin
        if exporter.kind == .console {
            var console = exporter.console
            section.note("stream", console.stream.rawValue, origin)
            section.value("format", &console.isJSON, .textOrJSON)
        } else if exporter.kind == .file {
            section.put(
                "path",
                .mapping(
                    Signal.allCases.compactMap { signal in
                        exporter.file.paths[signal].map {
                            .init(key: signal.word, value: .scalar(.init(text: $0, isBare: false, origin: origin)))
                        }
                    }))
            readRotation(&exporter.file, &section)
        } else {
            section.put(
                "url",
                .mapping(
                    signals.map {
                        .init(
                            key: $0.word,
                            value: .scalar(
                                .init(text: exporter.targets[$0]!.url.description, isBare: false, origin: origin)))
                    }))
            if var target = signals.first.flatMap({ exporter.targets[$0] }) { read(&target, exporter.kind, &section) }
            if exporter.kind == .loki { section.list("labels", &exporter.labels, .key, isShownEmpty: true) }
        }
        return finish(exporter, name, &section, defaults) ?? section.finish()
    }

    /// The variable that a setting came from; the default, if none.
    private func origin(_ setting: String, _ signal: Signal?, _ kind: ExporterConfiguration.Kind) -> SettingOrigin {
        let environment = Environment(loading.environment)
        let names: [String]
        switch (kind, signal) {
        case (.otlp, let signal?), (.otlpJSON, let signal?), (.otlpGRPC, let signal?):
            names = ExporterParser(environment: environment, problems: Problems()).otlpNames(setting, signal)
        case (.zipkin, _): names = ["OTEL_EXPORTER_ZIPKIN_\(setting)"]
        default: names = []
        }
        let exporters = Signal.allCases.map { "OTEL_\($0.word.uppercased())_EXPORTER" }
        let name = environment.first(setting == "ENDPOINT" ? names + exporters : names)?.name
        return name.map { .environment($0) } ?? .standard
    }
}

extension ExporterConfiguration {
    /// What a kind can carry at all.
    static func possibleSignals(_ kind: Kind) -> [Signal] {
        switch kind {
        case .otlp, .otlpJSON, .otlpGRPC, .file, .console: Signal.allCases
        case .zipkin, .jaeger: [.traces]
        case .loki: [.logs]
        case .prometheus: [.metrics]
        }
    }

    /// One exporter, or one for each signal where their settings differ: what is shown of an exporter is true for all its signals.
    fileprivate var byCommonSettings: [ExporterConfiguration] {
        var settings: Set<Target> = []
        for var target in targets.values {
            target.url = targets.values.first!.url
            settings.insert(target)
        }
        guard settings.count > 1 else { return [self] }
        return Signal.allCases.compactMap { signal in
            guard let target = targets[signal] else { return nil }
            var one = self
            one.targets = [signal: target]
            return one
        }
    }
}

extension ScalarKind where Value == Bool {
    fileprivate static var textOrJSON: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                guard ["text", "json"].contains(text) else { throw WrongValue(notOneOf(["text", "json"], text)) }
                return text == "json"
            },
            show: { $0 ? "json" : "text" })
    }
}

extension ScalarKind where Value == String {
    /// Port 53 where none is given.
    static var nameServer: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                let place =
                    EndpointURL.isIPv6Address(text)
                    ? HostPort(host: text, port: 53) : HostPort(parsing: text) ?? HostPort(parsing: text + ":53")
                guard let place, place.isAddress, place.port > 0 else {
                    throw WrongValue("is not ADDRESS:PORT of a name server, as in 127.0.0.1:8600")
                }
                return place.description
            },
            show: { $0 })
    }
}

extension ScalarKind where Value == Signal {
    fileprivate static func signal(of signals: [Signal], _ kind: ExporterConfiguration.Kind) -> ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                if let signal = signals.first(where: { $0.word == text }) { return signal }
                let isSignal = Signal.allCases.contains { $0.word == text }
                let words = signals.map(\.word)
                throw WrongValue(
                    isSignal
                        ? "does not go to this exporter of kind \(kind.rawValue); what does: \(words.joined(separator: ", "))"
                        : notOneOf(words, text))
            },
            show: \.word)
    }
}

/// RFC 4648, section 4.
enum Base64 {
    static func text(_ bytes: [UInt8]) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let group = bytes[index..<min(index + 3, bytes.count)]
            let number = group.reduce(0) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for place in 0..<4 {
                text.append(
                    place <= group.count ? digits[Int(number >> UInt32(18 - 6 * place) & 63)] : UInt8(ascii: "="))
            }
            index += 3
        }
        return String(decoding: text, as: UTF8.self)
    }
}
