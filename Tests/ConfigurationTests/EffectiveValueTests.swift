import Foundation
import Testing

@testable import Configuration

@Suite struct EffectiveValueTests {
    private static let example = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "examples/agent/sidelight.yaml")

    private static func exampleText() throws -> String { try String(contentsOf: example, encoding: .utf8) }

    @Test func theExampleIsValidAndHasNothingToBeWarnedOf() throws {
        let text = try Self.exampleText()
        let load = PipelineLoading()
        #expect(load.errors(text) == [])
        #expect(load.warnings(text) == [])
        let configuration = try load.configuration(text)
        #expect(configuration.exporters.count == 11)
        #expect(
            configuration.processors.map(\.processor.kind) == [
                .attributes, .resource, .redact, .filter, .normalize, .js, .limits, .sample, .sample, .sample,
                .correlate,
                .tailSample, .spanMetrics, .serviceGraph, .logMetrics, .dedupe, .dedupe,
            ])
        #expect(configuration.pipelines.map(\.name) == ["traces", "traces/sampled", "logs", "metrics"])
    }

    /// What is printed reads as the same configuration. Secrets are not printed, so they are made the mask here.
    private func roundTrip(_ text: String?, _ load: PipelineLoading) throws {
        let first = try load.loaded(text)
        let printed = first.effective.yaml()
        let plain = PipelineLoading(files: load.files)
        let second = plain(printed)
        guard case .success(let configured) = second else {
            Issue.record("\(second)\n\(printed)")
            return
        }
        var expected = first.configuration
        expected.isJSON = false
        for index in expected.exporters.indices {
            for signal in expected.exporters[index].exporter.targets.keys {
                for header in expected.exporters[index].exporter.targets[signal]!.headers.indices {
                    let value = expected.exporters[index].exporter.targets[signal]!.headers[header].value
                    let masked =
                        value.hasPrefix("Bearer ") ? "Bearer ***" : value.hasPrefix("Basic ") ? "Basic bWU6Kioq" : "***"
                    expected.exporters[index].exporter.targets[signal]!.headers[header].value = masked
                }
            }
        }
        #expect(configured.value.configuration == expected, "\(printed)")
        // And prints the same again but for the comments.
        func withoutComments(_ text: String) -> String {
            text.split(separator: "\n").map { $0.replacing(/\ +# .*$/, with: "") }.joined(separator: "\n")
        }
        #expect(withoutComments(configured.value.effective.yaml()) == withoutComments(printed))
    }

    @Test func whatIsPrintedReadsAsTheSame() throws {
        try roundTrip(nil, PipelineLoading())
        let masked = try Self.exampleText().replacing("-pepper}", with: "-***}").replacing(
            "user: shop,", with: "user: me,"
        ).replacing("{CONSUL_TOKEN:-none}", with: "{CONSUL_TOKEN:-***}").replacing(
            "{ETCD_PASSWORD:-secret}", with: "{ETCD_PASSWORD:-***}")
        try roundTrip(masked, PipelineLoading())
        var load = PipelineLoading()
        load.environment = [
            "OTEL_SERVICE_NAME": "a # b: [c] \"d\" $e ${F} \\ ü\n\u{202E}", "OTEL_EXPORTER_OTLP_HEADERS": "a=b",
        ]
        load.flags.exports = [
            "otlp=http://x:4318/?a=b", "zipkin=http://[::1]:9411", "console=stdout", "jaeger=http://x",
        ]
        load.flags.receives = ["zipkin=[::1]:0", "jaeger=off", "otlp-http/x=0.0.0.0:0"]
        load.flags.isInsecure = true
        load.flags.admin = "off"
        load.flags.isJSON = true
        try roundTrip("exporters: {}\n", load)
        load.flags.exports = []
        load.environment = [
            "OTEL_EXPORTER_OTLP_ENDPOINT": "https://x:4318/base", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://y:1",
            "OTEL_EXPORTER_OTLP_METRICS_COMPRESSION": "gzip", "OTEL_EXPORTER_OTLP_CERTIFICATE": "/ca: # .pem",
        ]
        try roundTrip("store: \"a: b\"\n", load)
    }

    @Test(
        arguments: [
            "true", "No", "null", "~", "1", "1.5", "0x1F", "1e3", "12:30", "2024-01-01", "-x", "- x", "a: b", "a:",
            "a #b",
            "#", "*a", "&a", "!a", "%a", "@a", "`a", "{a}", "[a]", "a, b", "'", "\"", "\\", "$", "${A}", "a\nb", "\ta",
            "ü", "\u{7F}", "\u{2028}", "\u{FEFF}", "😀", ".", "..", "/", "a@b", "127.0.0.1:1", "::1", "---", "=", "<<",
            "batch-*", "?", "? a", "|", ">", ".inf", ".5", "+1", "0o7",
        ])
    func everyTextSurvives(_ text: String) throws {
        let quoted = EffectiveValue.mapping([
            .init(key: "service", value: .scalar(.init(text: text, isBare: false, origin: .standard)))
        ]).yaml()
        #expect(try PipelineLoading().configuration(quoted).service == text, "\(quoted)")
        // As an attribute's value it stays text too.
        let processor = EffectiveValue.mapping([
            .init(
                key: "processors",
                value: .mapping([
                    .init(
                        key: "a",
                        value: .mapping([
                            .init(
                                key: "attributes",
                                value: .list([
                                    .mapping([
                                        .init(
                                            key: "add",
                                            value: .scalar(.init(text: "k", isBare: false, origin: .standard))),
                                        .init(
                                            key: "value",
                                            value: .scalar(.init(text: text, isBare: false, origin: .standard))),
                                    ])
                                ]))
                        ]))
                ]))
        ])
        let configuration = try PipelineLoading().configuration(processor.yaml())
        #expect(
            configuration.processor("a") == .attributes([.add(key: "k", value: .string(text))]), "\(processor.yaml())")
    }

    @Test func originsStandBeside() throws {
        let lines = try PipelineLoading().loaded(
            "service: shop\nexporters: {otlp: {url: [http://a, http://b], signals: [traces, logs]}}\n"
        )
        .effective.yaml().split(separator: "\n").map(String.init)
        #expect(lines[0] == "service: shop" + String(repeating: " ", count: 31) + "# f.yaml:1:10")
        #expect(lines.contains("  otlp-http:"))
        #expect(lines.contains { $0.hasPrefix("    listen: 127.0.0.1:4318 ") && $0.hasSuffix("# default") })
        #expect(lines.contains { $0.hasPrefix("    signals: [traces, logs] ") && $0.hasSuffix("# f.yaml:2:56") })
        #expect(lines.contains { $0.hasPrefix("      - http://a ") && $0.hasSuffix("# f.yaml:2:26") })
        #expect(lines.allSatisfy { !$0.contains("\t") })
    }
}
