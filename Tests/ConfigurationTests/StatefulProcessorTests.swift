import Telemetry
import Testing

@testable import Configuration

/// Tail samplers, span metrics, service graphs, deduplication: how the file says what they do, and where what they make goes.
@Suite struct StatefulProcessorTests {
    private let load = PipelineLoading()

    @Test func defaults() throws {
        let configuration = try load.configuration(
            """
            memory: 128MB
            processors:
              tail: {tail-sample: {policies: [{always: true}]}}
              red: {span-metrics: {}}
              graph: {service-graph: }
              once: {dedupe: }
              levels: {log-metrics: }
              said: {dedupe: {repeats: }}
            pipelines:
              traces: {processors: [once, red, graph, tail]}
              logs: {processors: [levels, said]}
              metrics: {receivers: [red, otlp-http, graph, levels]}
            """)
        var tail = TailSampling()
        tail.policies = [TailSampling.Policy(name: "policy 1")]
        #expect(configuration.processor("tail") == .tailSample(tail))
        #expect(configuration.processor("red") == .spanMetrics(SpanMetricsConfiguration()))
        #expect(configuration.processor("graph") == .serviceGraph(ServiceGraphConfiguration()))
        #expect(configuration.processor("once") == .dedupe(DeduplicationConfiguration()))
        #expect(configuration.processor("levels") == .logMetrics(LogMetricsConfiguration()))
        var said = DeduplicationConfiguration()
        (said.signals, said.repeats) = ([], DeduplicationConfiguration.Repeats())
        #expect(configuration.processor("said") == .dedupe(said))
        #expect(configuration.processors.allSatisfy { $0.processor.kind.isStateful })
        #expect(configuration.pipelines[0].derivedFrom == [])
        #expect(configuration.pipelines[2].receivers == ["otlp-http"])
        #expect(configuration.pipelines[2].derivedFrom == ["red", "graph", "levels"])
    }

    @Test func everyKey() throws {
        let text = """
            memory: 128MB
            processors:
              tail:
                tail-sample:
                  wait: 5s
                  settle: 500ms
                  memory: 8MB
                  traces: 10
                  decisions: 20
                  policies:
                    - {policy: errors, status: error, kind: server}
                    - {min-trace-duration: 1s, rate: 0.5/s}
                    - {all: [{name: a*}, {root: true}], any: [{service: x}, {attribute: k, equals: v}], ratio: 0.25}
                    - {policy: drop, root: false, drop: true}
                    - {policy: rest, always: true}
              red: {span-metrics: {every: 1m, attributes: [a, b], histogram: exponential, exemplars: false, series: 5, idle: 10m}}
              blue: {span-metrics: {buckets: [1ms, 1s]}}
              graph: {service-graph: {every: 1s, wait: 2s, peers: [p], buckets: [5ms], spans: 7, series: 8, idle: 9s}}
              once: {dedupe: {window: 1m, entries: 9, signals: [traces, logs]}}
              said: {dedupe: {signals: logs, repeats: {window: 30s, records: 7, memory: 1MB}}}
              briefly: {dedupe: {repeats: 5s}}
              levels: {log-metrics: {every: 20s, attributes: [k], series: 3, idle: 40s}}
            pipelines:
              traces: {processors: [once, tail, red, blue, graph]}
              logs: {processors: [levels, said, briefly]}
              metrics: {receivers: [red, blue, graph, levels]}
            """
        let loaded = try load.loaded(text)
        let configuration = loaded.configuration
        func rule(_ edit: (inout ItemFilter.Rule) -> Void) -> ItemFilter.Rule {
            var rule = ItemFilter.Rule()
            edit(&rule)
            return rule
        }
        func policy(_ name: String, _ edit: (inout TailSampling.Policy) -> Void) -> TailSampling.Policy {
            var policy = TailSampling.Policy(name: name)
            edit(&policy)
            return policy
        }
        var tail = TailSampling()
        tail.waitNanoseconds = 5_000_000_000
        tail.settleNanoseconds = 500_000_000
        (tail.bytesMax, tail.tracesMax, tail.decisionsMax) = (8 << 20, 10, 20)
        tail.policies = [
            policy("errors") {
                $0.all = [
                    rule {
                        $0.status = .error; $0.kind = .server
                    }
                ]
            },
            policy("policy 2") {
                $0.traceDurationMin = 1_000_000_000; $0.ratePerSecond = 0.5
            },
            policy("policy 3") {
                $0.all = [rule { $0.name = "a*" }, rule { $0.isRoot = true }]
                $0.any = [rule { $0.service = "x" }, rule { $0.attribute = .init(key: "k", value: "v") }]
                $0.ratio = 0.25
            },
            policy("drop") {
                $0.all = [rule { $0.isRoot = false }]; $0.drops = true
            },
            policy("rest") { _ in },
        ]
        #expect(configuration.processor("tail") == .tailSample(tail))
        var red = SpanMetricsConfiguration()
        (red.everyNanoseconds, red.idleNanoseconds) = (60_000_000_000, 600_000_000_000)
        (red.attributes, red.histogram, red.exemplars, red.seriesMax) = (["a", "b"], .exponential, false, 5)
        #expect(configuration.processor("red") == .spanMetrics(red))
        var blue = SpanMetricsConfiguration()
        blue.boundsNanoseconds = [1_000_000, 1_000_000_000]
        #expect(configuration.processor("blue") == .spanMetrics(blue))
        var graph = ServiceGraphConfiguration()
        (graph.everyNanoseconds, graph.waitNanoseconds, graph.idleNanoseconds) = (
            1_000_000_000, 2_000_000_000, 9_000_000_000
        )
        (graph.peers, graph.boundsNanoseconds, graph.spansMax, graph.seriesMax) = (["p"], [5_000_000], 7, 8)
        #expect(configuration.processor("graph") == .serviceGraph(graph))
        var once = DeduplicationConfiguration()
        (once.windowNanoseconds, once.entriesMax, once.signals) = (60_000_000_000, 9, [.traces, .logs])
        #expect(configuration.processor("once") == .dedupe(once))
        var said = DeduplicationConfiguration()
        said.signals = [.logs]
        said.repeats = .init()
        said.repeats!.windowNanoseconds = 30_000_000_000
        (said.repeats!.recordsMax, said.repeats!.bytesMax) = (7, 1 << 20)
        #expect(configuration.processor("said") == .dedupe(said))
        var briefly = DeduplicationConfiguration()
        (briefly.signals, briefly.repeats) = ([], .init())
        briefly.repeats!.windowNanoseconds = 5_000_000_000
        #expect(configuration.processor("briefly") == .dedupe(briefly))
        var levels = LogMetricsConfiguration()
        (levels.everyNanoseconds, levels.idleNanoseconds) = (20_000_000_000, 40_000_000_000)
        (levels.attributes, levels.seriesMax) = (["k"], 3)
        #expect(configuration.processor("levels") == .logMetrics(levels))
        // What is printed reads as the same.
        #expect(try load.configuration(loaded.effective.yaml()) == configuration)
    }

    @Test(
        arguments: [
            (
                "processors: {a: {tail-sample: }}",
                "1:18: processors.a.tail-sample: it would drop everything: give policies, as in policies: [{status: error}, {ratio: 0.1}]"
            ),
            (
                "processors: {a: {tail-sample: {wait: 0s, policies: [{always: true}]}}}",
                "1:38: processors.a.tail-sample.wait: \"0s\" is not a time from 1ms to 1h"
            ),
            (
                "processors: {a: {tail-sample: {memory: 1KB, policies: [{always: true}]}}}",
                "1:40: processors.a.tail-sample.memory: \"1KB\" is not a size from 1MB to "
            ),
            (
                "processors: {a: {tail-sample: {policies: [{}]}}}",
                "1:43: processors.a.tail-sample.policies[0]: a policy without a condition would match everything: write always: true"
            ),
            (
                "processors: {a: {tail-sample: {policies: [{policy: x, drop: true}]}}}",
                "1:43: processors.a.tail-sample.policies[0]: a policy without a condition would match everything"
            ),
            (
                "processors: {a: {tail-sample: {policies: [{always: true, rate: 5/s}]}}}",
                "1:64: processors.a.tail-sample.policies[0].rate: always is for every trace, and takes no condition"
            ),
            (
                "processors: {a: {tail-sample: {policies: [{always: false}]}}}",
                "1:52: processors.a.tail-sample.policies[0].always: it can only be true"
            ),
            (
                "processors: {a: {tail-sample: {policies: [{status: error, drop: true, ratio: 0.5}]}}}",
                "1:78: processors.a.tail-sample.policies[0].ratio: it says how many traces are kept, and drop keeps none"
            ),
            (
                "processors: {a: {tail-sample: {policies: [{any: []}]}}}",
                "1:44: processors.a.tail-sample.policies[0].any: it has no rule"
            ),
            (
                "processors: {a: {tail-sample: {policies: [{any: [{}]}]}}}",
                "1:50: processors.a.tail-sample.policies[0].any[0]: a rule without a condition would match everything"
            ),
            (
                "processors: {a: {tail-sample: {policies: [{severity-below: info}]}}}",
                "1:44: processors.a.tail-sample.policies[0].severity-below: there is no such key"
            ),
            (
                "processors: {a: {tail-sample: {policies: [{policy: x, status: ok}, {policy: x, ratio: 1}]}}}",
                "1:77: processors.a.tail-sample.policies[1].policy: there is a policy \"x\" already"
            ),
            (
                "processors: {a: {span-metrics: {histogram: linear}}}",
                "1:44: processors.a.span-metrics.histogram: \"linear\" is not one of explicit, exponential"
            ),
            (
                "processors: {a: {span-metrics: {buckets: [1s, 5ms]}}}",
                "1:42: processors.a.span-metrics.buckets: 5ms stands behind 1s: bounds of buckets rise"
            ),
            (
                "processors: {a: {span-metrics: {every: 1m, idle: 30s}}}",
                "1:50: processors.a.span-metrics.idle: 30s is less than every, 1m"
            ),
            (
                "processors: {a: {service-graph: {spans: 0}}}",
                "1:41: processors.a.service-graph.spans: \"0\" is not a whole number from 1 to 10000000"
            ),
            (
                "processors: {a: {dedupe: {signals: []}}}",
                "1:36: processors.a.dedupe.signals: it does nothing: give traces, logs or both, or repeats"
            ),
            (
                "processors: {a: {dedupe: {repeats: 0s}}}",
                "1:36: processors.a.dedupe.repeats.window: \"0s\" is not a time from 1s to 1h"
            ),
            (
                "processors: {a: {dedupe: {repeats: {memory: 1KB}}}}",
                "1:45: processors.a.dedupe.repeats.memory: \"1KB\" is not a size from 256KB to 1GB"
            ),
            (
                "processors: {a: {log-metrics: {every: 1m, idle: 30s}}}",
                "1:49: processors.a.log-metrics.idle: 30s is less than every, 1m"
            ),
            (
                "processors: {a: {log-metrics: }}\npipelines: {traces: {processors: a}}",
                "2:34: pipelines.traces.processors: a (log-metrics) is for logs, and sees no traces"
            ),
            (
                "processors: {a: {dedupe: {signals: [metrics]}}}",
                "1:36: processors.a.dedupe.signals: metrics are not looked at"
            ),
            (
                "processors: {a: {span-metrics: }}\npipelines: {logs: {processors: a}}",
                "2:32: pipelines.logs.processors: a (span-metrics) is for traces, and sees no logs"
            ),
            (
                "processors: {a: {span-metrics: }}\npipelines: {traces: {processors: a}, logs: {receivers: a}}",
                "2:56: pipelines.logs.receivers: a (span-metrics) makes metrics, and no logs"
            ),
            (
                "processors: {a: {correlate: }}\npipelines: {traces: {processors: a}}",
                "2:34: pipelines.traces.processors: a (correlate) is for logs, and sees no traces"
            ),
            (
                "processors: {a: {correlate: {trace: [x*]}}}",
                "1:38: processors.a.correlate.trace: \"x*\" is no key of an attribute"
            ),
            (
                "processors: {a: {redact: }}\npipelines: {traces: {processors: a}, metrics: {receivers: a}}",
                "2:59: pipelines.metrics.receivers: a is a processor (redact) that makes nothing of its own"
            ),
            (
                "processors: {a: {span-metrics: }}\npipelines: {traces: {processors: a}, traces/b: {processors: a}}",
                "2:61: pipelines.traces/b.processors: a is in traces already: both would make the same series"
            ),
            (
                "processors: {a: {span-metrics: }}\npipelines: {metrics: {receivers: b}}",
                "2:34: pipelines.metrics.receivers: there is no receiver \"b\". There are: otlp-http, otlp-grpc, zipkin, jaeger, a"
            ),
            (
                "memory: 16MB\nprocessors: {a: {tail-sample: {policies: [{status: error}]}}}\npipelines: {traces: {processors: a}}",
                "2:14: processors.a: processors may hold 19MB together (a 19MB), and three quarters of memory are 12MB: give the agent more `memory`, at least 25MB, or these less"
            ),
            (
                "memory: 16MB\nprocessors: {a: {tail-sample: {policies: [{status: error}]}}, b: {dedupe: {entries: 10000}}}\npipelines: {traces: {processors: [a, b]}, traces/b: {processors: [b, a]}}",
                "2:14: processors.a: processors may hold 39MB together (a 19MB in each of 2 pipelines, b 1MB in each of 2 pipelines), and"
            ),
        ])
    func isTold(_ text: String, _ message: String) {
        let errors = load.errors(text)
        #expect(errors.contains { $0.hasPrefix("f.yaml:" + message) }, "\(errors)")
    }

    @Test(
        arguments: [
            (
                "processors: {a: {span-metrics: }}\npipelines: {traces: {processors: a}}",
                "f.yaml:1:14: processors.a: no pipeline takes what it makes: name it among the receivers of one of metrics"
            ),
            (
                "processors: {a: {tail-sample: {wait: 1s, settle: 2s, policies: [{always: true}]}}}\npipelines: {traces: {processors: a}}",
                "f.yaml:1:50: processors.a.tail-sample.settle: a trace is decided after wait, 1s, at the latest"
            ),
            (
                "processors: {a: {tail-sample: {policies: [{ratio: 1}, {policy: x, status: error}]}}}\npipelines: {traces: {processors: a}}",
                "f.yaml:1:32: processors.a.tail-sample.policies: policy 1 decides on every trace: what stands behind it (x) is never asked"
            ),
            (
                "processors: {a: {span-metrics: {histogram: exponential, buckets: [1s]}}}\npipelines: {traces: {processors: a}}",
                "f.yaml:1:66: processors.a.span-metrics.buckets: an exponential histogram finds its buckets itself"
            ),
        ])
    func whatDoesNothingIsAWarning(_ text: String, _ message: String) {
        #expect(load.errors(text) == [])
        let warnings = load.warnings(text)
        #expect(warnings.contains { $0.hasPrefix(message) }, "\(warnings)")
    }

    @Test func rulesAreCounted() {
        let rules = (0..<33).map { "{name: n\($0)}" }.joined(separator: ", ")
        let errors = load.errors("processors: {a: {tail-sample: {policies: [{any: [\(rules)]}, {all: [\(rules)]}]}}}")
        #expect(
            errors.contains { $0.contains("policies: they have 66 rules together; at most 64 are taken") }, "\(errors)")
    }
}
