import Telemetry
import Testing

@testable import Configuration

private func flags(_ change: (inout FlagValues) -> Void = { _ in }) -> FlagValues {
    var flags = FlagValues()
    change(&flags)
    return flags
}

private func configured(
    _ environment: [String: String] = [:], _ change: (inout FlagValues) -> Void = { _ in }
) throws
    -> Configured<AgentConfiguration>
{
    try AgentConfiguration.parse(flags(change), environment: environment).get()
}

private func errors(_ environment: [String: String] = [:], _ change: (inout FlagValues) -> Void = { _ in }) -> [String]
{
    switch AgentConfiguration.parse(flags(change), environment: environment) {
    case .success: []
    case .failure(let errors): errors.problems.map(\.description)
    }
}

@Suite struct ExportFlagTests {
    private func urls(_ flag: String) throws -> [Signal: String] {
        let exporters = try configured { $0.exports = [flag] }.value.exporters
        #expect(exporters.count == 1)
        return exporters[0].targets.mapValues { $0.url.description }
    }

    @Test func urlWithoutPathGetsTheProtocolsPaths() throws {
        let all: [Signal: String] = [
            .traces: "http://h:4318/v1/traces", .logs: "http://h:4318/v1/logs", .metrics: "http://h:4318/v1/metrics",
        ]
        #expect(try urls("otlp=http://h:4318") == all)
        #expect(try urls("otlp=http://h:4318/") == all)
        #expect(try urls("otlp-json=http://h:4318") == all)
        #expect(try urls("zipkin=http://h:9411") == [.traces: "http://h:9411/api/v2/spans"])
        #expect(try urls("jaeger=http://h:14268/") == [.traces: "http://h:14268/api/traces?format=jaeger.thrift"])
    }

    @Test func urlWithPathIsTakenAsItIs() throws {
        #expect(try urls("otlp=http://h/custom") == [.traces: "http://h/custom"])
        #expect(try urls("otlp=http://h/v1/traces") == [.traces: "http://h/v1/traces"])
        #expect(try urls("otlp=http://h/tenant/v1/logs") == [.logs: "http://h/tenant/v1/logs"])
        #expect(try urls("otlp=https://h/tenant/")[.metrics] == "https://h/tenant/v1/metrics")
        #expect(try urls("zipkin=http://h/spans?x=1") == [.traces: "http://h/spans?x=1"])
        #expect(try urls("jaeger=http://h/api/traces") == [.traces: "http://h/api/traces"])
    }

    @Test func consoleNeedsNoURL() throws {
        for (flag, stream) in [("console", ExporterConfiguration.Console.Stream.stderr), ("console=stdout", .stdout)] {
            let exporter = try configured { $0.exports = [flag] }.value.exporters[0]
            #expect(exporter.kind == .console)
            #expect(exporter.console.stream == stream)
            #expect(exporter.signals == [.traces, .logs])
        }
        let json = try configured {
            $0.exports = ["console"]
            $0.isJSON = true
        }
        #expect(json.value.exporters[0].signals == Set(Signal.allCases))
    }

    @Test func flagIsRepeatableAndBeatsTheEnvironment() throws {
        let value = try configured([
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://other:1", "OTEL_EXPORTER_OTLP_HEADERS": "k=v",
        ]) {
            $0.exports = ["otlp=http://a:1", "zipkin=http://b:2"]
        }.value
        #expect(value.exporters.map(\.name) == ["otlp=http://a:1", "zipkin=http://b:2"])
        #expect(value.exporters[0].targets[.logs]?.headers == [ExporterConfiguration.Header(name: "k", value: "v")])
        #expect(value.exporters[1].targets[.traces]?.headers == [])
    }

    @Test(arguments: [
        (
            "nonsense=http://h",
            "--export nonsense=http://h: there is no kind \"nonsense\"; there are otlp, otlp-json, otlp-grpc, zipkin, jaeger, loki, prometheus-remote-write, file, console"
        ),
        ("otlp", "--export otlp: expected otlp=URL, as in otlp=http://localhost:4318"),
        (
            "zipkin=localhost:9411",
            "--export zipkin=localhost:9411: bad URL \"localhost:9411\": it must start with http:// or https:// (expected something like http://localhost:9411)"
        ),
        ("file", "--export file: expected file=FOLDER, as in file=telemetry"),
        (
            "file=out/spans.JSONL",
            "--export file=out/spans.JSONL: \"out/spans.JSONL\" names a folder, with a file for each signal in it; a file is named in sidelight.yaml, as in {traces: out/spans.JSONL}"
        ),
        (
            "otlp-grpc=http://h:4317/v1/traces",
            "--export otlp-grpc=http://h:4317/v1/traces: gRPC has paths of its own: expected http://h:4317"
        ),
        ("console=file", "--export console=file: console writes to stderr or stdout, not to \"file\""),
    ])
    func whatIsWrongIsSaid(flag: String, message: String) {
        #expect(errors { $0.exports = [flag] } == [message])
    }

    @Test func allErrorsAreFoundAtOnce() {
        let found = errors(["OTEL_SERVICE_NAME": "x"]) {
            $0.exports = ["otlp=", "foo=bar"]
            $0.limits = ["cpu=fast"]
            $0.admin = "nowhere"
            $0.isolates = "0"
            $0.logLevel = "loud"
        }
        #expect(found.count == 6)
        for part in ["--export otlp=", "--export foo=bar", "--limit cpu=fast", "--admin", "--isolates", "--log-level"] {
            #expect(found.contains { $0.hasPrefix(part) }, "\(part)")
        }
    }
}

@Suite struct EnvironmentExporterTests {
    @Test func nothingSetExportsNowhere() throws {
        #expect(try configured().value.exporters.isEmpty)
    }

    @Test func baseEndpointServesAllSignals() throws {
        let exporters = try configured(["OTEL_EXPORTER_OTLP_ENDPOINT": "http://h:4318/otlp/"]).value.exporters
        #expect(exporters.count == 1)
        #expect(exporters[0].kind == .otlp)
        #expect(
            exporters[0].targets.mapValues { $0.url.path }
                == [.traces: "/otlp/v1/traces", .logs: "/otlp/v1/logs", .metrics: "/otlp/v1/metrics"])
    }

    @Test func signalsOwnEndpointIsUsedAsItIs() throws {
        let targets = try configured([
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://h:4318", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t:1/x",
            "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://l:2",
        ]).value.exporters[0].targets
        #expect(targets[.traces]?.url.description == "http://t:1/x")
        #expect(targets[.logs]?.url.description == "http://l:2/")
        #expect(targets[.metrics]?.url.description == "http://h:4318/v1/metrics")
    }

    @Test func onlyTheSignalWithAnEndpointIsExported() throws {
        let exporter = try configured(["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t:1/x"]).value.exporters[0]
        #expect(exporter.signals == [.traces])
    }

    @Test func signalsOwnSettingsBeatTheGeneralOnes() throws {
        let targets = try configured([
            "OTEL_EXPORTER_OTLP_ENDPOINT": "https://h", "OTEL_EXPORTER_OTLP_HEADERS": "api-key=a%20b%3D, x = y",
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "api-key=t", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            "OTEL_EXPORTER_OTLP_LOGS_COMPRESSION": "none", "OTEL_EXPORTER_OTLP_TIMEOUT": "3000",
            "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT": "500", "OTEL_EXPORTER_OTLP_CERTIFICATE": "/ca.pem",
            "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": "/c.pem", "OTEL_EXPORTER_OTLP_CLIENT_KEY": "/k.pem",
        ]).value.exporters[0].targets
        typealias Header = ExporterConfiguration.Header
        #expect(targets[.traces]?.headers == [Header(name: "api-key", value: "t")])
        #expect(targets[.logs]?.headers == [Header(name: "api-key", value: "a b="), Header(name: "x", value: "y")])
        #expect(targets[.traces]?.compression == .gzip)
        #expect(targets[.logs]?.compression == ExporterConfiguration.Compression.none)
        #expect(targets[.traces]?.timeoutMilliseconds == 3_000)
        #expect(targets[.metrics]?.timeoutMilliseconds == 500)
        #expect(
            targets[.traces]?.tls
                == ExporterConfiguration.TLSFiles(authority: "/ca.pem", certificate: "/c.pem", key: "/k.pem"))
    }

    @Test func exporterVariablesChoose() throws {
        let both = try configured(["OTEL_TRACES_EXPORTER": "otlp,zipkin", "OTEL_LOGS_EXPORTER": "none"]).value.exporters
        #expect(both.map(\.name) == ["otlp=http://localhost:4318", "zipkin=http://localhost:9411"])
        #expect(both[0].signals == [.traces])
        let none = try configured(["OTEL_EXPORTER_OTLP_ENDPOINT": "http://h", "OTEL_TRACES_EXPORTER": "none"]).value
            .exporters
        #expect(none[0].signals == [.logs, .metrics])
        #expect(try configured(["OTEL_TRACES_EXPORTER": "console"]).value.exporters.map(\.kind) == [.console])
    }

    @Test func zipkinEndpointIsUsedAsItIs() throws {
        let exporter = try configured([
            "OTEL_EXPORTER_ZIPKIN_ENDPOINT": "http://z:1/spans", "OTEL_EXPORTER_ZIPKIN_TIMEOUT": "7",
        ]).value.exporters[0]
        #expect(exporter.targets[.traces]?.url.description == "http://z:1/spans")
        #expect(exporter.targets[.traces]?.timeoutMilliseconds == 7)
    }

    @Test func protocolMakesJSON() throws {
        let exporters = try configured([
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://h", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json",
            "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL": "http/protobuf",
        ]).value.exporters
        #expect(exporters.first { $0.kind == .otlpJSON }?.signals == [.traces, .metrics])
        #expect(exporters.first { $0.kind == .otlp }?.signals == [.logs])
    }

    @Test func grpcOfTheEnvironment() throws {
        func url(_ variables: [String: String]) throws -> String? {
            let variables = variables.merging(["OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"]) { own, _ in own }
            let exporters = try configured(variables).value.exporters
            #expect(exporters.map(\.kind) == [.otlpGRPC])
            #expect(exporters[0].signals == Set(Signal.allCases))
            return exporters[0].targets[.logs]?.url.description
        }
        #expect(try url(["OTEL_EXPORTER_OTLP_ENDPOINT": "http://h:4317/"]) == "http://h:4317")
        #expect(try url(["OTEL_EXPORTER_OTLP_ENDPOINT": "h:4317"]) == "https://h:4317")
        let insecure = ["OTEL_EXPORTER_OTLP_ENDPOINT": "h:4317", "OTEL_EXPORTER_OTLP_INSECURE": "True"]
        #expect(try url(insecure) == "http://h:4317")
        let named = Dictionary(
            uniqueKeysWithValues: ["TRACES", "LOGS", "METRICS"].map { ("OTEL_\($0)_EXPORTER", "otlp") })
        #expect(try url(named) == "http://localhost:4317")
        let mixed = try configured([
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://h:1", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc",
            "OTEL_EXPORTER_OTLP_HEADERS": "k=v",
        ]).value.exporters
        #expect(mixed.first { $0.kind == .otlpGRPC }?.signals == [.traces])
        #expect(mixed.first { $0.kind == .otlpGRPC }?.targets[.traces]?.headers.count == 1)
        #expect(mixed.first { $0.kind == .otlp }?.signals == [.logs, .metrics])
        #expect(
            errors(["OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://h/v1/traces"]).first
                == "OTEL_EXPORTER_OTLP_ENDPOINT: gRPC has paths of its own: expected http://h")
    }

    @Test func kindsOfOneSignalAndAFolder() throws {
        let value = try configured {
            $0.exports = [
                "loki=http://l:3100", "prometheus-remote-write=http://p:9090", "file=out", "otlp-grpc=http://g:4317",
            ]
        }.value
        #expect(value.exporters.map(\.signals) == [[.logs], [.metrics], Set(Signal.allCases), Set(Signal.allCases)])
        #expect(value.exporters[0].targets[.logs]?.url.path == "/loki/api/v1/push")
        #expect(value.exporters[1].targets[.metrics]?.url.path == "/api/v1/write")
        #expect(value.exporters[2].file.paths[.traces] == "out/traces.jsonl")
        #expect(
            value.exporters.map(\.name) == [
                "loki=http://l:3100", "prometheus-remote-write=http://p:9090", "file=out/traces.jsonl",
                "otlp-grpc=http://g:4317",
            ])
    }

    @Test(arguments: [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/xml"), ("OTEL_EXPORTER_OTLP_COMPRESSION", "zip"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "-1"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "no-equals"), ("OTEL_EXPORTER_OTLP_HEADERS", "a=%zz"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=b%0D%0AEvil: 1"), ("OTEL_TRACES_EXPORTER", "otlp,smoke"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "many"),
        ("OTEL_TRACES_SAMPLER", "jaeger_remote"), ("OTEL_PROPAGATORS", "b3,ottrace"),
        ("OTEL_SPAN_EVENT_COUNT_LIMIT", "-3"),
        ("OTEL_SDK_DISABLED", "yes"), ("OTEL_LOG_LEVEL", "loud"), ("OTEL_RESOURCE_ATTRIBUTES", "a=b,c"),
    ])
    func badValueIsReportedAndIgnored(variable: String, value: String) throws {
        let good = try configured(["OTEL_EXPORTER_OTLP_ENDPOINT": "http://h"])
        let bad = try configured(["OTEL_EXPORTER_OTLP_ENDPOINT": "http://h", variable: value])
        #expect(bad.warnings.map(\.source) == [variable])
        #expect(good.warnings.isEmpty)
        #expect(bad.value.exporters == good.value.exporters)
        #expect(bad.value.worker.sampler == good.value.worker.sampler)
        #expect(bad.value.worker.resource == good.value.worker.resource)
    }

    @Test(arguments: ["key=secret%0D", "a=b,key=secret%zz", "secret", "=secret"])
    func secretsOfBadHeadersAreNotRepeated(value: String) throws {
        let bad = try configured(["OTEL_EXPORTER_OTLP_ENDPOINT": "http://h", "OTEL_EXPORTER_OTLP_HEADERS": value])
        #expect(bad.warnings.count == 1)
        #expect(!bad.warnings[0].description.contains("secret"))
    }

    @Test func unusableEndpointIsAnError() {
        #expect(
            errors(["OTEL_EXPORTER_OTLP_ENDPOINT": "h:4318"]).allSatisfy {
                $0.hasPrefix("OTEL_EXPORTER_OTLP_ENDPOINT: bad URL")
            })
        #expect(!errors(["OTEL_EXPORTER_OTLP_ENDPOINT": "h:4318"]).isEmpty)
        #expect(errors(["OTEL_EXPORTER_OTLP_ENDPOINT": "http://h", "OTEL_EXPORTER_OTLP_CLIENT_KEY": "/k"]).count > 0)
    }

    @Test func batchingIsRead() throws {
        let read = try configured([
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://h", "OTEL_BSP_MAX_QUEUE_SIZE": "100",
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "512",
            "OTEL_BSP_SCHEDULE_DELAY": "50",
        ])
        #expect(
            read.value.exporters[0].batching
                == ExporterConfiguration.Batching(exportItemsMax: 100, queueItemsMax: 100, ageMaxMilliseconds: 50))
        #expect(read.warnings.count == 1)
    }

    @Test func disabledSDKExportsNothing() throws {
        let value = try configured(["OTEL_EXPORTER_OTLP_ENDPOINT": "http://h", "OTEL_SDK_DISABLED": "TRUE"]).value
        #expect(value.worker.isDisabled)
        #expect(value.exporters.isEmpty)
    }
}

@Suite struct WorkerConfigurationTests {
    private func worker(
        _ environment: [String: String] = [:], _ change: (inout FlagValues) -> Void = { _ in }
    ) throws -> WorkerConfiguration {
        try WorkerConfiguration.parse(flags(change), environment: environment).get().value
    }

    @Test func serviceNameComesFromTheFirstThatSaysIt() throws {
        let environment = [
            "OTEL_SERVICE_NAME": "variable", "OTEL_RESOURCE_ATTRIBUTES": "service.name=attribute,team=a%2Cb",
        ]
        let entry: (inout FlagValues) -> Void = { $0.entry = "examples/shop.cart.mjs" }
        #expect(
            try worker(environment) {
                entry(&$0)
                $0.service = "flag"
            }.resource.serviceName == "flag")
        let named = try worker(environment, entry).resource
        #expect(named.attributes == [Attribute("service.name", "variable"), Attribute("team", "a,b")])
        #expect(
            try worker(["OTEL_RESOURCE_ATTRIBUTES": "service.name=attribute"], entry).resource.serviceName
                == "attribute")
        #expect(try worker([:], entry).resource.serviceName == "shop.cart")
        #expect(try worker([:]) { $0.entry = ".hidden" }.resource.serviceName == ".hidden")
        #expect(try worker().resource.serviceName == "unknown_service")
        #expect(try worker(["OTEL_SERVICE_NAME": " "]).resource.serviceName == "unknown_service")
    }

    @Test(
        arguments: [
            ("always_on", nil, SamplerConfiguration(root: .alwaysOn, isParentBased: false)),
            ("always_off", nil, SamplerConfiguration(root: .alwaysOff, isParentBased: false)),
            ("traceidratio", "0.25", SamplerConfiguration(root: .traceIDRatio(0.25), isParentBased: false)),
            ("traceidratio", nil, SamplerConfiguration(root: .traceIDRatio(1), isParentBased: false)),
            ("parentbased_always_on", nil, .parentBasedAlwaysOn),
            ("parentbased_always_off", nil, SamplerConfiguration(root: .alwaysOff, isParentBased: true)),
            ("parentbased_traceidratio", "0", SamplerConfiguration(root: .traceIDRatio(0), isParentBased: true)),
            ("parentbased_traceidratio", "2", SamplerConfiguration(root: .traceIDRatio(1), isParentBased: true)),
            ("traceidratio", "nan", SamplerConfiguration(root: .traceIDRatio(1), isParentBased: false)),
        ] as [(String, String?, SamplerConfiguration)])
    func samplersAreRead(name: String, argument: String?, sampler: SamplerConfiguration) throws {
        var environment = ["OTEL_TRACES_SAMPLER": name]
        environment["OTEL_TRACES_SAMPLER_ARG"] = argument
        #expect(try worker(environment).sampler == sampler)
    }

    @Test func propagatorsAreReadInOrderAndOnce() throws {
        #expect(try worker().propagators == [.traceContext, .baggage])
        #expect(
            try worker(["OTEL_PROPAGATORS": "b3multi, tracecontext,b3multi,jaeger"]).propagators == [
                .b3Multi, .traceContext, .jaeger,
            ])
        #expect(try worker(["OTEL_PROPAGATORS": "none"]).propagators == [])
    }

    @Test func limitsOfRecordsAreReadWithTheirFallbacks() throws {
        let limits = try worker([
            "OTEL_ATTRIBUTE_COUNT_LIMIT": "10", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "5",
            "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "99",
        ]).spanLimits
        #expect(limits.attributeCount == 5)
        #expect(limits.attributesPerEvent == 10)
        #expect(limits.logAttributeCount == 10)
        #expect(limits.attributeValueLength == 99)
        #expect(limits.eventCount == 128)
    }

    @Test func limitsOfServingAreNoneOfARun() {
        var problems = Problems()
        let limits = WorkloadLimits.parse(["body=1KB", "heap=64MB"], isRun: true, &problems)
        #expect(limits.body == nil)
        #expect(limits.heap == 64 << 20)
        #expect(
            problems.errors.map(\.message) == [
                "body is a limit of `serve`; those of `run` are cpu, wall, heap, memory, resident, wasm-memory, stack, workers, timers, promises, fetches, sockets, modules, module-bytes, clone-bytes, logs-per-second, spans-per-second, cpu-window"
            ])
        _ = WorkloadLimits.parse(["body=1KB"], isRun: true, &problems)
        #expect(problems.errors.count == 1, "once is enough")
    }

    @Test func everyLimitTakesItsBoundsAndNothingBeyond() {
        for name in WorkloadLimits.Name.allCases {
            for (value, isGood) in [
                (name.bounds.lowerBound, true), (name.bounds.upperBound, true), (name.bounds.lowerBound - 1, false),
                (name.bounds.upperBound + (name.unit == .time ? 1_000_000 : 1), false),
            ] {
                var limits = WorkloadLimits()
                let text = name.unit == .time ? "\(value)ns" : "\(value)"
                let problem = limits.set(name.rawValue, text)
                #expect((problem == nil) == isGood, "\(name.rawValue)=\(text)")
                #expect(limits[name] == (isGood ? value : nil))
            }
            var limits = WorkloadLimits()
            let problem = limits.set(name.rawValue, "many")
            #expect(problem?.hasPrefix("\"many\" is not a") == true)
        }
    }

    @Test(
        arguments: [
            ("50%/10s", CPUWindow(percent: 50, nanoseconds: 10_000_000_000)),
            ("100%/100ms", CPUWindow(percent: 100, nanoseconds: 100_000_000)), ("0%/10s", nil), ("101%/10s", nil),
            ("50/10s", nil), ("50%", nil), ("%/1s", nil), ("50%/10", nil), ("50%/99ms", nil), ("50%/2h", nil),
            ("-5%/1s", nil),
            ("50%/1s/1s", nil), ("", nil),
        ] as [(String, CPUWindow?)])
    func aShareOfAProcessorIsReadWithItsTime(_ text: String, _ window: CPUWindow?) {
        var limits = WorkloadLimits()
        let problem = limits.set("cpu-window", text)
        #expect((problem == nil) == (window != nil))
        #expect(limits.cpuWindow == window)
    }

    @Test func limitsThatAreGivenBeatThoseThatAreThere() {
        var limits = WorkloadLimits()
        limits.cpu = 1
        limits.wall = 2
        var other = WorkloadLimits()
        other.wall = 3
        other.cpuWindow = CPUWindow(percent: 5, nanoseconds: 1_000_000_000)
        limits.merge(other)
        #expect(limits.cpu == 1 && limits.wall == 3 && limits.cpuWindow == other.cpuWindow)
    }

    @Test func limitsOfTheWorkloadAreReadWithTheirUnits() throws {
        let limits = try worker {
            $0.limits = ["cpu=500ms", "wall=1.5s", "heap=64MB"]
        }.limits
        #expect(limits.cpu == 500_000_000)
        #expect(limits.wall == 1_500_000_000)
        #expect(limits.heap == 64 << 20)
    }

    @Test(arguments: [
        "cpu", "cpu=", "=1s", "cpu=5", "cpu=0ms", "cpu=-1s", "cpu=1.s", "cpu=.5s", "cpu=1e3s", "cpu=99999999999999h",
        "heap=64XB", "heap=MB",
        "heap=0", "timers=0", "speed=1", "heap=64 MB!",
    ])
    func badLimitIsAnErrorThatNamesTheFlag(text: String) {
        let found = errors { $0.limits = [text] }
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("--limit \(text): ") == true)
    }
}
