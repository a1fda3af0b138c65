import Telemetry
import Testing

@testable import Configuration

@Suite struct PipelineConfigurationTests {
    private let load = PipelineLoading()

    // MARK: Defaults

    @Test(arguments: [nil, "", "# nothing\n", "---\n", "{}\n"])
    func nothingSaidIsTheFourReceiversAndTheStore(_ text: String?) throws {
        let configuration = try load.configuration(text)
        #expect(configuration.service == "sidelight")
        #expect(
            configuration.receivers.map { "\($0.name) \($0.listen)" }
                == [
                    "otlp-http 127.0.0.1:4318", "otlp-grpc 127.0.0.1:4317", "zipkin 127.0.0.1:9411",
                    "jaeger 127.0.0.1:14268",
                ])
        #expect(configuration.admin == HostPort(host: "127.0.0.1", port: 9464))
        #expect(configuration.memoryBytesMax == 64 << 20)
        #expect(configuration.store == PipelineStore())
        #expect(configuration.acknowledgement == .queue)
        #expect(configuration.redactsWellKnownKeys)
        #expect(configuration.exporters.isEmpty && configuration.processors.isEmpty)
        #expect(
            configuration.pipelines == [
                PipelineRoute(
                    name: "traces", signal: .traces, receivers: ["otlp-http", "otlp-grpc", "zipkin", "jaeger"],
                    processors: [], exporters: []),
                PipelineRoute(
                    name: "logs", signal: .logs, receivers: ["otlp-http", "otlp-grpc"], processors: [], exporters: []),
                PipelineRoute(
                    name: "metrics", signal: .metrics, receivers: ["otlp-http", "otlp-grpc"], processors: [],
                    exporters: []),
            ])
        #expect(load.warnings(text).isEmpty)
    }

    @Test func withoutPipelinesEverythingGoesToWhoTakesIt() throws {
        let configuration = try load.configuration(
            "exporters:\n  a: {kind: otlp, url: 'http://x:4318'}\n  zipkin: {url: 'http://x:9411'}\n  console:\n")
        #expect(configuration.pipelines.map(\.exporters) == [["a", "zipkin", "console"], ["a", "console"], ["a"]])
    }

    @Test func onlyTheReceiversOfTheFileAreOpened() throws {
        let configuration = try load.configuration(
            "receivers:\n  zipkin:\n  otlp-http/b: 0.0.0.0:1\n  otlp-http: {cors: '*', body-max: 1MB}\nsecurity: {insecure: true}\n")
        #expect(configuration.receivers.map(\.name) == ["zipkin", "otlp-http/b", "otlp-http"])
        #expect(configuration.receiver("otlp-http/b")?.listen == HostPort(host: "0.0.0.0", port: 1))
        #expect(configuration.receiver("otlp-http")?.origins == ["*"])
        #expect(configuration.receiver("otlp-http")?.bodyBytesMax == 1 << 20)
        #expect(configuration.pipelines[0].receivers == ["zipkin", "otlp-http/b", "otlp-http"])
    }

    @Test func theDefaultOfABodyFitsIntoLittleMemory() throws {
        #expect(
            try load.configuration("memory: 8MB\n").receivers.map(\.bodyBytesMax) == [
                2 << 20, 2 << 20, 2 << 20, 2 << 20,
            ])
        #expect(try load.configuration("memory: 1GB\n").receivers[0].bodyBytesMax == 16 << 20)
    }

    @Test func aReceiverThatIsOffMayStandInPipelines() throws {
        var load = load
        load.flags.receives = ["zipkin=off"]
        let configuration = try load.configuration("pipelines: {traces: {receivers: [zipkin, jaeger]}}\n")
        #expect(configuration.pipelines[0].receivers == ["jaeger"])
        #expect(try load.loaded("").effective["receivers"]?["zipkin"]?["listen"]?.text == "off")
    }

    @Test func offIsOff() throws {
        let configuration = try load.configuration("admin: off\nstore: off\nreceivers: {zipkin: off, jaeger: }\n")
        #expect(configuration.admin == nil)
        #expect(!configuration.store.isEnabled)
        #expect(configuration.receivers.map(\.name) == ["jaeger"])
    }

    // MARK: Exporters

    @Test func anExporterHasEverySetting() throws {
        var load = load
        load.environment = ["TOKEN": "t0k"]
        load.files = ["/run/pass": "s3cret\n"]
        let configuration = try load.configuration(
            """
            exporters:
              a:
                kind: otlp-json
                url: [http://x:4318, "http://[::1]:4319/"]
                signals: [logs, traces]
                headers: {X-A: "${TOKEN}"}
                auth: {basic: {user: me, password: {file: /run/pass}}}
                compression: gzip
                timeout: 2s
                in-flight: 7
                batch: {items: 5, bytes: 2MB}
                tls: {ca: ca.pem, cert: c.pem, key: k.pem, insecure: true}
                proxy: http://p:3128
                queue: {bytes: 100MB, age: 1h, sync: batch, overflow: oldest, directory: /q}
              b: {kind: otlp, url: "http://y:4318"}
            queue: {age: 2h, directory: q/, ack: delivered}
            """)
        let a = try #require(configuration.exporter("a"))
        #expect(a.signals == [.traces, .logs])
        let target = try #require(a.exporter.targets[.logs])
        #expect(a.exporter.targets[.metrics] == nil)
        #expect(target.url.description == "http://x:4318/v1/logs")
        #expect(target.alternatives.map(\.description) == ["http://[::1]:4319/v1/logs"])
        #expect(
            target.headers == [
                .init(name: "X-A", value: "t0k"), .init(name: "authorization", value: "Basic bWU6czNjcmV0"),
            ])
        #expect(target.compression == .gzip && target.timeoutMilliseconds == 2_000)
        #expect(target.tls.authority == "ca.pem" && target.tls.key == "k.pem" && target.tls.isInsecure)
        #expect(target.proxy?.description == "http://p:3128")
        #expect(a.exporter.inFlightMax == 7)
        #expect(a.exporter.batching.exportItemsMax == 5 && a.exporter.batching.exportBytesMax == 2 << 20)
        #expect(a.queue.bytesMax == 100 << 20 && a.queue.ageNanosecondsMax == 3_600_000_000_000)
        #expect(a.queue.sync == .batch && a.queue.overflow == .oldest && a.queue.directory == "/q")
        let b = try #require(configuration.exporter("b"))
        #expect(b.queue.directory == "q/b" && b.queue.ageNanosecondsMax == 7_200_000_000_000)
        #expect(b.queue.bytesMax == 1 << 30 && b.queue.sync == .interval)
        #expect(b.exporter.targets[.traces]?.headers == [])
        #expect(configuration.acknowledgement == .delivered)
        #expect(
            try load.loaded("exporters: {otlp: {url: 'http://x', auth: {bearer: {file: /run/pass}}}}").secretFiles == [
                "/run/pass"
            ])
    }

    @Test func urlsOfASignal() throws {
        let configuration = try load.configuration(
            """
            exporters:
              a: {kind: otlp, url: {traces: "http://x", logs: ["http://y/in", "http://z/in"]}}
              b: {kind: otlp, url: "http://x/v1/metrics"}
              c: {kind: jaeger, url: "http://x:14268"}
            """)
        let a = try #require(configuration.exporter("a"))
        #expect(a.signals == [.traces, .logs])
        #expect(a.exporter.targets[.traces]?.url.description == "http://x/v1/traces")
        #expect(a.exporter.targets[.logs]?.url.description == "http://y/in")
        #expect(a.exporter.targets[.logs]?.alternatives.map(\.description) == ["http://z/in"])
        #expect(configuration.exporter("b")?.signals == [.metrics])
        #expect(
            configuration.exporter("c")?.exporter.targets[.traces]?.url.description
                == "http://x:14268/api/traces?format=jaeger.thrift")
    }

    @Test func aURLAloneIsAnExporter() throws {
        let configuration = try load.configuration("exporters: {otlp: 'http://x', console: stdout}\n")
        #expect(configuration.exporter("otlp")?.exporter.targets[.logs]?.url.description == "http://x/v1/logs")
        #expect(configuration.exporter("console")?.exporter.console.stream == .stdout)
    }

    @Test func consoleHasNoURL() throws {
        let configuration = try load.configuration(
            "exporters:\n  console: {stream: stdout, format: json}\n  b: {kind: console, signals: logs}\n")
        #expect(configuration.exporter("console")?.signals == Set(Signal.allCases))
        #expect(configuration.exporter("console")?.exporter.console == .init(stream: .stdout, isJSON: true))
        #expect(configuration.exporter("b")?.signals == [.logs])
    }

    @Test func filesAndLabels() throws {
        let configuration = try load.configuration(
            """
            exporters:
              file: out/
              b: {kind: file, path: {traces: /var/t.jsonl, logs: l}, rotate: {bytes: 1MB, age: 1h, keep: 3}, compression: gzip, sync: batch}
              c: {kind: file, path: x, signals: metrics}
              loki: {url: "http://l:3100", labels: [service.name, region]}
              d: {kind: otlp-grpc, url: {traces: "https://g:4317/"}}
            """)
        let a = try #require(configuration.exporter("file")?.exporter.file)
        #expect(a.paths == [.traces: "out/traces.jsonl", .logs: "out/logs.jsonl", .metrics: "out/metrics.jsonl"])
        #expect(a.rotateBytesMax == 100 << 20 && a.rotateAgeNanoseconds == nil && a.keep == 10)
        #expect(a.sync == .interval && a.compression == .none)
        let b = try #require(configuration.exporter("b"))
        #expect(b.signals == [.traces, .logs])
        #expect(b.exporter.file.paths == [.traces: "/var/t.jsonl", .logs: "l"])
        #expect(b.exporter.file.rotateBytesMax == 1 << 20 && b.exporter.file.keep == 3)
        #expect(b.exporter.file.rotateAgeNanoseconds == 3_600_000_000_000)
        #expect(b.exporter.file.sync == .batch && b.exporter.file.compression == .gzip)
        #expect(configuration.exporter("c")?.exporter.file.paths == [.metrics: "x/metrics.jsonl"])
        #expect(configuration.exporter("loki")?.exporter.labels == ["service.name", "region"])
        #expect(configuration.exporter("loki")?.signals == [.logs])
        #expect(configuration.exporter("d")?.exporter.targets[.traces]?.url.description == "https://g:4317")
    }

    // MARK: Processors

    @Test func everyProcessor() throws {
        let configuration = try load.configuration(
            """
            processors:
              a: {attributes: [{rename: x, to: y}, {add: k, value: 5}, {set: t, value: "5"}, {delete: d.*}, {hash: h, salt: s}, {hash: i}]}
              b: {resource: {set: {a.b: true, c: 1.5}, delete: [x], detect: host}}
              c: {redact: {keys: [pin], patterns: [], replace: ""}}
              d: {filter: {drop: [{signal: logs, severity-below: warn}, {attribute: x, equals: /a, root: true, min-duration: 1ms}], keep: [{status: error}]}}
              e: {normalize: {queries: remove}}
              f: {limits: {attributes: 5, attribute-bytes: 1KB}}
              g: {sample: never}
              h: {sample: {ratio: 0.25}}
              i: {sample: {rate: 2.5/s}}
              j: {redact: }
              k: {sample: {levels: {debug: 0, info: 0.1}, services: [{service: "cart*", info: 1, warn: 0.5}]}}
            pipelines: {traces: {processors: [a, b, c, d, e, f, g, h, i, j, k]}}
            """)
        #expect(
            configuration.processor("a")
                == .attributes([
                    .rename(key: "x", to: "y"), .add(key: "k", value: .int(5)), .set(key: "t", value: .string("5")),
                    .delete(key: "d.*"), .hash(key: "h", salt: "s"), .hash(key: "i", salt: nil),
                ]))
        var change = ResourceChange()
        change.set = [Attribute("a.b", .bool(true)), Attribute("c", .double(1.5))]
        change.delete = ["x"]
        change.detect = [.host]
        #expect(configuration.processor("b") == .resource(change))
        var redaction = Redaction()
        redaction.keys = ["pin"]
        redaction.patterns = []
        redaction.replacement = ""
        #expect(configuration.processor("c") == .redact(redaction))
        #expect(configuration.processor("j") == .redact(Redaction()))
        var logs = ItemFilter.Rule()
        logs.signal = .logs
        logs.severityBelow = 13
        var live = ItemFilter.Rule()
        live.attribute = .init(key: "x", value: "/a")
        live.isRoot = true
        live.durationMin = 1_000_000
        var failed = ItemFilter.Rule()
        failed.status = .error
        var filter = ItemFilter()
        filter.drop = [logs, live]
        filter.keep = [failed]
        #expect(configuration.processor("d") == .filter(filter))
        var normalization = Normalization()
        normalization.queries = .remove
        #expect(configuration.processor("e") == .normalize(normalization))
        var limits = ItemLimits()
        limits.attributes = 5
        limits.attributeBytes = 1_024
        #expect(configuration.processor("f") == .limits(limits))
        #expect(configuration.processor("g") == .sample(.never))
        #expect(configuration.processor("h") == .sample(.ratio(0.25)))
        #expect(configuration.processor("i") == .sample(.rate(perSecond: 2.5)))
        var levels = LevelSampling()
        levels.shares = [.debug: 0, .info: 0.1]
        levels.services = [LevelSampling.Service(service: "cart*")]
        levels.services[0].shares = [.info: 1, .warn: 0.5]
        #expect(configuration.processor("k") == .sample(.levels(levels)))
        #expect(configuration.pipelines.map(\.processors.count) == [11])
    }

    // MARK: Precedence and origins

    @Test func flagsBeatEnvironmentBeatsFile() throws {
        let text = "service: file\nlog-level: info\nadmin: 127.0.0.1:1\n"
        var load = load
        #expect(try load.configuration(text).service == "file")
        #expect(try load.loaded(text).effective["service"]?.origin == "f.yaml:1:10")
        load.environment = ["OTEL_SERVICE_NAME": "env", "OTEL_LOG_LEVEL": "debug"]
        #expect(try load.configuration(text).service == "env")
        #expect(try load.configuration(text).logLevel == .debug)
        #expect(try load.loaded(text).effective["service"]?.origin == "OTEL_SERVICE_NAME")
        load.flags.service = "flag"
        load.flags.admin = "off"
        load.flags.logLevel = "error"
        load.flags.store = "s"
        let loaded = try load.loaded(text)
        #expect(loaded.configuration.service == "flag" && loaded.configuration.admin == nil)
        #expect(loaded.configuration.logLevel == .error && loaded.configuration.store.directory == "s")
        #expect(loaded.effective["service"]?.origin == "--service")
        #expect(loaded.effective["memory"]?.origin == "default")
        #expect(loaded.effective["store"]?["directory"]?.origin == "--store")
        #expect(loaded.effective["store"]?["bytes"]?.origin == "default")
    }

    @Test func aBadVariableIsAWarningAndABadFlagAnError() {
        var load = load
        load.environment = ["OTEL_LOG_LEVEL": "shouting"]
        #expect(load.warnings("")[0].hasPrefix("OTEL_LOG_LEVEL: \"shouting\" is ignored: it is not one of trace,"))
        load.flags.logLevel = "shouting"
        load.flags.admin = "nowhere"
        #expect(load.errors("").map { $0.prefix(20) } == ["--log-level: \"shouti", "--admin: \"nowhere\" i"])
        // What the file says is checked even where a flag beats it.
        load.flags.logLevel = "error"
        load.flags.admin = nil
        #expect(load.errors("log-level: loud\n").map { $0.prefix(26) } == ["f.yaml:1:12: log-level: \"l"])
    }

    @Test func originsOfVariablesFilesAndInheritedValues() throws {
        var load = load
        load.environment = ["A": "9s"]
        load.files = ["t": "x"]
        let effective = try load.loaded(
            """
            queue:
              age: 5h
            exporters:
              otlp:
                url: http://x
                timeout: ${A}
                auth: {bearer: {file: t}}
                queue: {bytes: 32MB}
            """
        ).effective
        let exporter = effective["exporters"]?["otlp"]
        #expect(exporter?["timeout"]?.origin == "f.yaml:6:14, ${A}")
        #expect(exporter?["auth"]?["bearer"]?.origin == "f.yaml:7:20, t")
        #expect(exporter?["auth"]?["bearer"]?.text == "***")
        #expect(exporter?["queue"]?["age"]?.origin == "f.yaml:2:8")
        #expect(exporter?["queue"]?["bytes"]?.origin == "f.yaml:8:20")
        #expect(exporter?["queue"]?["overflow"]?.origin == "default")
        #expect(exporter?["kind"]?.text == "otlp" && exporter?["kind"]?.origin == "default")
    }

    @Test func flagsAddExporters() throws {
        var load = load
        load.flags.exports = ["otlp=http://y:4318", "console"]
        load.environment = ["OTEL_EXPORTER_OTLP_HEADERS": "a=b"]
        let loaded = try load.loaded("exporters: {otlp: {url: 'http://x:4318'}}\n")
        #expect(loaded.configuration.exporters.map(\.name) == ["otlp", "otlp-2", "console"])
        #expect(loaded.configuration.pipelines[0].exporters == ["otlp", "otlp-2", "console"])
        // The variables are about the exporters of flags and variables.
        #expect(loaded.configuration.exporter("otlp")?.exporter.targets[.traces]?.headers == [])
        #expect(
            loaded.configuration.exporter("otlp-2")?.exporter.targets[.traces]?.headers == [
                .init(name: "a", value: "b")
            ])
        #expect(loaded.configuration.exporter("otlp-2")?.queue.directory == ".sidelight/queue/otlp-2")
        #expect(loaded.effective["exporters"]?["otlp-2"]?["kind"]?.origin == "--export")
        #expect(loaded.effective["exporters"]?["otlp-2"]?["headers"]?["a"]?.origin == "OTEL_EXPORTER_OTLP_HEADERS")
    }

    @Test func variablesNameExportersWhereNobodyElseDoes() throws {
        var load = load
        load.environment = [
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x:1", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://x:1/in",
            "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT": "5000",
        ]
        let loaded = try load.loaded("service: a\n")
        #expect(loaded.configuration.exporters.map(\.name) == ["otlp", "otlp-2"])
        #expect(loaded.configuration.exporters.map(\.signals) == [[.traces], [.logs]])
        #expect(loaded.effective["exporters"]?["otlp-2"]?["timeout"]?.text == "5s")
        #expect(loaded.effective["exporters"]?["otlp-2"]?["timeout"]?.origin == "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT")
        #expect(
            loaded.effective["exporters"]?["otlp"]?["url"]?["traces"]?.origin == "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
        let named = "exporters: {zipkin: {url: 'http://x:9411'}}\n"
        #expect(try load.configuration(named).exporters.map(\.name) == ["zipkin"])
        #expect(load.warnings(named).count { $0.contains("it is not used: f.yaml names the exporters") } == 2)
    }

    @Test func receiversByFlag() throws {
        var load = load
        load.flags.receives = ["otlp-http=0.0.0.0:1", "zipkin=off", "jaeger/b=[::1]:2"]
        load.flags.isInsecure = true
        let loaded = try load.loaded("")
        #expect(loaded.configuration.receivers.map(\.name) == ["otlp-http", "otlp-grpc", "jaeger", "jaeger/b"])
        #expect(loaded.configuration.receiver("otlp-http")?.listen.port == 1)
        #expect(loaded.effective["receivers"]?["otlp-http"]?["listen"]?.origin == "--receive otlp-http")
        load.flags.receives = ["otlp=1:1", "zipkin", "zipkin=there"]
        #expect(
            load.errors("") == [
                "--receive otlp=1:1: \"otlp\" is not one of otlp-http, otlp-grpc, zipkin, jaeger, files, syslog, stdin, pipe, exec, journald",
                "--receive zipkin: expected NAME=HOST:PORT, as in otlp-http=0.0.0.0:4318, or NAME=off",
                "--receive zipkin: \"there\" is not HOST:PORT, as in 127.0.0.1:9411, or off",
            ])
    }

    @Test func variablesAreOnlyInValues() throws {
        var load = load
        load.environment = ["K": "service", "V": "a: {b: c}\nd: e"]
        #expect(load.errors("${K}: x\n").count == 1)
        #expect(try load.configuration("service: ${V}\n").service == "a: {b: c}\nd: e")
        #expect(try load.configuration("service: $${V}\n").service == "${V}")
        #expect(load.errors("memory: ${V:-8MB}\n")[0].hasPrefix("f.yaml:1:9: memory: \"a: {b"))
        #expect(
            load.warnings("service: x${U}\n") == [
                "f.yaml:1:10: service: the variable U is not set and has no default; it counts as empty"
            ])
    }
}

extension EffectiveValue {
    var origin: String? {
        guard case .scalar(let scalar) = self else { return nil }
        return scalar.origin.description
    }

    var text: String? {
        guard case .scalar(let scalar) = self else { return nil }
        return scalar.text
    }
}

@Suite struct RemoteConfigurationTests {
    @Test func aRemoteSamplerIsRead() throws {
        let text = """
            processors:
              a: {sample: {jaeger-remote: 'http://s:5778'}}
              b: {sample: {jaeger-remote: {endpoint: 'https://s/strategies?x=1', interval: 5s, initial: never, services: 7}}}
              c: {sample: {jaeger-remote: {endpoint: 'http://s/', initial: {rate: 2/s}}}}
            """
        let configuration = try PipelineLoading().configuration(text)
        func remote(_ name: String) throws -> RemoteSampling {
            guard case .sample(.remote(let remote)) = configuration.processor(name) else {
                throw EndpointURL.Failure(message: "\(name) is not remote")
            }
            return remote
        }
        let a = try remote("a")
        #expect(a.endpoint.description == "http://s:5778/sampling")
        #expect(a.intervalNanoseconds == 60_000_000_000)
        #expect(a.initial == .ratio(0.001))
        #expect(a.servicesMax == 256)
        let b = try remote("b")
        #expect(b.endpoint.description == "https://s/strategies?x=1")
        #expect(b.intervalNanoseconds == 5_000_000_000)
        #expect(b.initial == .never)
        #expect(b.servicesMax == 7)
        #expect(try remote("c").endpoint.path == "/sampling")
        #expect(try remote("c").initial == .rate(perSecond: 2))
    }

    @Test func aServiceAndItsNameServersAreRead() throws {
        let text = """
            exporters:
              otlp:
                url: [dnssrv+http://_otlp._tcp.shop.example, http://spare:4318]
                resolver: ["127.0.0.1:8600", 10.0.0.1, "::1", ]
              grpc: {kind: otlp-grpc, url: dnssrv+https://_grpc._tcp.shop.example}
            """
        let configuration = try PipelineLoading().configuration(text)
        let target = try #require(configuration.exporter("otlp")?.exporter.targets[.logs])
        #expect(target.url.description == "dnssrv+http://_otlp._tcp.shop.example/v1/logs")
        #expect(target.alternatives.map(\.description) == ["http://spare:4318/v1/logs"])
        #expect(target.nameServers == ["127.0.0.1:8600", "10.0.0.1:53", "[::1]:53"])
        #expect(configuration.exporter("grpc")?.exporter.targets[.traces]?.url.isService == true)
        #expect(
            PipelineLoading().warnings("exporters: {otlp: {url: 'http://x', resolver: 1.1.1.1}}").contains {
                $0.hasPrefix("f.yaml:1:47: exporters.otlp.resolver: it has no effect")
            })
    }

    @Test func scriptsHaveTheirPlacesWhateverElseIsWrong() throws {
        let text = "processors:\n  a:\n    cpu: 5ms\n    js: a.js\n  b: {js: b.js}\nzzz: 1"
        guard case .failure(let errors) = PipelineLoading()(text) else {
            Issue.record("it is taken")
            return
        }
        #expect(errors.scripts.map(\.name) == ["a", "b"])
        #expect(errors.scripts.map { "\($0.position)" } == ["f.yaml:4:5", "f.yaml:5:7"])
        #expect(errors.scripts[0].problem("no").description == "f.yaml:4:5: processors.a.js: no")
    }
}
