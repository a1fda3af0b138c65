import Testing

@testable import Configuration

/// Every error with its place, its key and what would be right.
@Suite struct PipelineErrorTests {
    private let load = PipelineLoading()

    /// One line of the file that is wrong, and what is said about it.
    @Test(
        arguments: [
            (
                "servce: x",
                "1:1: servce: there is no such key; did you mean \"service\"? There are: service, log-level, admin, memory, store, redact, receivers, log-files, queue, processors, exporters, pipelines"
            ),
            ("zzz: x", "1:1: zzz: there is no such key. There are: service,"),
            ("service: ", "1:9: service: it has no value"),
            ("service: [a]", "1:10: service: expected a single value, not a list"),
            ("service: '  '", "1:10: service: \"  \" is empty"),
            ("- a", "1:1: expected a mapping of keys to values, not a list"),
            ("text", "1:1: expected a mapping of keys to values, not a single value"),
            (
                "log-level: warnin",
                "1:12: log-level: \"warnin\" is not one of trace, debug, info, notice, warning, error, critical; did you mean warning?"
            ),
            ("admin: 9464", "1:8: admin: \"9464\" is not HOST:PORT, as in 127.0.0.1:9464, or off"),
            ("memory: 64", "1:9: memory: \"64\" is not a size from 4MB to 1024GB"),
            ("memory: lots", "1:9: memory: \"lots\" is not a size from 4MB to 1024GB"),
            ("redact: on", "1:9: redact: \"on\" is not one of well-known, off"),
            (
                "store: {dir: x}",
                "1:9: store.dir: there is no such key; did you mean \"directory\"? There are: directory, bytes, age"
            ),
            ("store: {age: 3}", "1:14: store.age: \"3\" is not a time from 1m to 36500d"),
            ("store: [x]", "1:8: store: expected a mapping of keys to values, or a single value, not a list"),
            (
                "service: ${A B}",
                "1:10: service: \"${A B}\" is no reference to a variable; write ${NAME} or ${NAME:-default}, and \"$$\" for a \"$\""
            ),
            // Receivers.
            ("receivers: [zipkin]", "1:12: receivers: expected a mapping of names to settings, not a list"),
            (
                "receivers: {otlp: }",
                "1:13: receivers.otlp: \"otlp\" is not one of otlp-http, otlp-grpc, zipkin, jaeger, files, syslog, stdin, pipe, exec, journald; a second one of a kind is named as in otlp-http/second"
            ),
            (
                "receivers: {zipkn: }",
                "1:13: receivers.zipkn: \"zipkn\" is not one of otlp-http, otlp-grpc, zipkin, jaeger, files, syslog, stdin, pipe, exec, journald; did you mean zipkin?"
            ),
            (
                "receivers: {zipkin/a b: }",
                "1:13: receivers.zipkin/a b: a name after \"/\" has 1 to 64 letters, digits, \"-\", \"_\" and \".\""
            ),
            (
                "receivers: {zipkin: localhost}",
                "1:21: receivers.zipkin.listen: \"localhost\" is not HOST:PORT, as in 127.0.0.1:9411, or off"
            ),
            (
                "receivers: {zipkin: {port: 1}}",
                "1:22: receivers.zipkin.port: there is no such key. There are: listen, body-max, cors"
            ),
            (
                "receivers: {otlp-grpc: {cors: '*'}}",
                "1:25: receivers.otlp-grpc.cors: there is no such key. There are: listen, body-max"
            ),
            (
                "receivers: {zipkin: {cors: [x]}}",
                "1:29: receivers.zipkin.cors: \"x\" is no origin such as https://shop.example, and not \"*\""
            ),
            (
                "receivers: {zipkin: {cors: {a: b}}}",
                "1:28: receivers.zipkin.cors: expected a list, not a mapping of keys to values"
            ),
            ("receivers: {zipkin: {cors: ['*', '*']}}", "1:34: receivers.zipkin.cors: \"*\" stands twice in the list"),
            (
                "receivers: {zipkin: {body-max: 1TB}}",
                "1:32: receivers.zipkin.body-max: \"1TB\" is not a size from 1KB to 1GB"
            ),
            // Queue.
            (
                "queue: {sync: intervall}",
                "1:15: queue.sync: \"intervall\" is not one of batch, interval, never; did you mean interval?"
            ),
            ("queue: {bytes: 1KB}", "1:16: queue.bytes: \"1KB\" is not a size from 1MB to 1048576GB"),
            ("queue: {age: 1ms}", "1:14: queue.age: \"1ms\" is not a time from 1s to 3650d"),
            ("queue: {ack: disk}", "1:14: queue.ack: \"disk\" is not one of memory, queue, delivered"),
            ("queue: {overflow: none}", "1:19: queue.overflow: \"none\" is not one of newest, oldest"),
            // Exporters.
            (
                "exporters: {a: {url: 'http://x'}}",
                "1:13: exporters.a.kind: it is missing: otlp, otlp-json, otlp-grpc, zipkin, jaeger, loki, prometheus-remote-write, file, console"
            ),
            (
                "exporters: {a: {kind: otpl, url: x}}",
                "1:23: exporters.a.kind: \"otpl\" is not one of otlp, otlp-json, otlp-grpc, zipkin, jaeger, loki, prometheus-remote-write, file, console; did you mean otlp?"
            ),
            ("exporters: {loki: {compression: gzip}}", "1:20: exporters.loki.compression: there is no such key"),
            (
                "exporters: {loki: {url: 'http://x', labels: [a*]}}",
                "1:46: exporters.loki.labels: \"a*\" is no key of an attribute"
            ),
            (
                "exporters: {zipkin: {url: 'http://x', labels: [a]}}",
                "1:39: exporters.zipkin.labels: there is no such key"
            ),
            (
                "exporters: {otlp-grpc: {url: 'http://x/v1/traces'}}",
                "1:30: exporters.otlp-grpc.url: gRPC has paths of its own: expected http://x"
            ),
            (
                "exporters: {otlp-grpc: {url: {logs: 'http://x/?a=b'}}}",
                "1:37: exporters.otlp-grpc.url.logs: gRPC has paths of its own: expected http://x"
            ),
            (
                "exporters: {otlp-grpc: {url: 'http://x', headers: {grpc-timeout: 1S}}}",
                "1:66: exporters.otlp-grpc.headers.grpc-timeout: the exporter itself sets this header"
            ),
            (
                "exporters: {file: }",
                "1:13: exporters.file.path: it is missing, as in telemetry or {traces: traces.jsonl}"
            ),
            (
                "exporters: {file: out.jsonl}",
                "1:19: exporters.file.path: \"out.jsonl\" names a folder, with a file for each signal in it; a file is named in sidelight.yaml, as in {traces: out.jsonl}"
            ),
            ("exporters: {file: {path: {}}}", "1:20: exporters.file.path: it is empty, as in {traces: traces.jsonl}"),
            (
                "exporters: {file: {path: {trace: x}}}",
                "1:27: exporters.file.path.trace: there is no such key; did you mean \"traces\"?"
            ),
            ("exporters: {file: {path: x, url: 'http://x'}}", "1:29: exporters.file.url: there is no such key"),
            (
                "exporters: {file: {path: x, rotate: {bytes: 1KB, age: 1ms, keep: 0}}}",
                "1:45: exporters.file.rotate.bytes: \"1KB\" is not a size from 64KB to 1024GB"
            ),
            (
                "exporters: {file: {path: {traces: x, logs: ./x}}}",
                "1:13: exporters.file.path.logs: \"./x\" is the file of file's traces too: each needs its own"
            ),
            (
                "exporters: {a: {kind: file, path: d}, b: {kind: file, path: d/, signals: metrics}}",
                "1:39: exporters.b.path.metrics: \"d/metrics.jsonl\" is the file of a's metrics too: each needs its own"
            ),
            (
                "exporters: {a/b: {kind: otlp}}",
                "1:13: exporters.a/b: an exporter's name has 1 to 64 letters, digits, \"-\", \"_\" and \".\""
            ),
            ("exporters: {..: {kind: otlp}}", "1:13: exporters...: an exporter's name has"),
            ("exporters: {otlp: }", "1:13: exporters.otlp.url: it is missing, as in http://localhost:4318"),
            ("exporters: {otlp: {url: }}", "1:25: exporters.otlp.url: it has no value, as in http://localhost:4318"),
            (
                "exporters: {otlp: {url: []}}",
                "1:25: exporters.otlp.url: the list is empty, as in http://localhost:4318"
            ),
            ("exporters: {otlp: {url: {}}}", "1:25: exporters.otlp.url: it is empty, as in http://localhost:4318"),
            (
                "exporters: {otlp: {url: ftp://x}}",
                "1:25: exporters.otlp.url: \"ftp://x\" is a bad URL: the scheme \"ftp\" is not http or https (expected something like http://localhost:4318)"
            ),
            (
                "exporters: {otlp: {url: {trace: x}}}",
                "1:26: exporters.otlp.url.trace: \"trace\" is not one of traces, logs, metrics; did you mean traces?"
            ),
            ("exporters: {zipkin: {url: {logs: x}}}", "1:28: exporters.zipkin.url.logs: \"logs\" is not traces"),
            (
                "exporters: {otlp: {url: [http://a, http://b/v1/logs]}}",
                "1:25: exporters.otlp.url: the endpoints are for different signals; give all of them a path, or none"
            ),
            (
                "exporters: {otlp: {url: [http://a, http://a]}}",
                "1:36: exporters.otlp.url: http://a stands twice in the list"
            ),
            (
                "exporters: {zipkin: {url: 'http://x', signals: logs}}",
                "1:48: exporters.zipkin.signals: \"logs\" does not go to this exporter of kind zipkin; what does: traces"
            ),
            (
                "exporters: {otlp: {url: 'http://x', signals: [trace]}}",
                "1:47: exporters.otlp.signals: \"trace\" is not one of traces, logs, metrics; did you mean traces?"
            ),
            (
                "exporters: {otlp: {url: 'http://x', compression: zstd}}",
                "1:50: exporters.otlp.compression: \"zstd\" is not one of none, gzip"
            ),
            (
                "exporters: {otlp: {url: 'http://x', timeout: 10}}",
                "1:46: exporters.otlp.timeout: \"10\" is not a time from 1ms to 24h"
            ),
            (
                "exporters: {otlp: {url: 'http://x', in-flight: 0}}",
                "1:48: exporters.otlp.in-flight: \"0\" is not a whole number from 1 to 64"
            ),
            (
                "exporters: {otlp: {url: 'http://x', batch: {items: 1.5}}}",
                "1:52: exporters.otlp.batch.items: \"1.5\" is not a whole number from 1 to 1000000"
            ),
            (
                "exporters: {otlp: {url: 'http://x', headers: {'a b': c}}}",
                "1:54: exporters.otlp.headers.a b: this is no header that can be sent"
            ),
            (
                "exporters: {otlp: {url: 'http://x', headers: {Content-Type: c}}}",
                "1:61: exporters.otlp.headers.Content-Type: the exporter itself sets this header"
            ),
            (
                "exporters: {otlp: {url: 'http://x', headers: {a: b, A: c}}}",
                "1:56: exporters.otlp.headers.A: the header stands twice; case makes no difference"
            ),
            (
                "exporters: {otlp: {url: 'http://x', headers: {a: {file: x}}}}",
                "1:50: exporters.otlp.headers.a: the file \"x\" cannot be read: No such file or directory"
            ),
            (
                "exporters: {otlp: {url: 'http://x', headers: {a: {fil: x}}}}",
                "1:50: exporters.otlp.headers.a: expected a value, or {file: PATH}"
            ),
            (
                "exporters: {otlp: {url: 'http://x', headers: {authorization: b}, auth: {bearer: c}}}",
                "1:72: exporters.otlp.auth: the header authorization is given too"
            ),
            (
                "exporters: {otlp: {url: 'http://x', auth: {basic: {user: a}}}}",
                "1:44: exporters.otlp.auth.basic.password: it is missing"
            ),
            (
                "exporters: {otlp: {url: 'http://x', auth: {basic: {user: 'a:b', password: c}}}}",
                "1:58: exporters.otlp.auth.basic.user: a user's name cannot have \":\" in it"
            ),
            (
                "exporters: {otlp: {url: 'http://x', auth: {bearer: a, basic: {user: a, password: c}}}}",
                "1:43: exporters.otlp.auth: either bearer or basic, not both"
            ),
            (
                "exporters: {otlp: {url: 'http://x', auth: token}}",
                "1:43: exporters.otlp.auth: expected a mapping of keys to values, not a single value"
            ),
            (
                "exporters: {otlp: {url: 'https://x', tls: {key: k}}}",
                "1:49: exporters.otlp.tls.key: a client's key needs its certificate: cert is missing"
            ),
            (
                "exporters: {otlp: {url: 'https://x', tls: {insecure: yes}}}",
                "1:54: exporters.otlp.tls.insecure: \"yes\" is not true or false; did you mean true?"
            ),
            (
                "exporters: {console: {stream: stdin}}",
                "1:31: exporters.console.stream: \"stdin\" is not one of stdout, stderr"
            ),
            (
                "exporters: {console: {url: x}}",
                "1:23: exporters.console.url: there is no such key. There are: kind, stream, format, signals,"
            ),
            // Processors.
            (
                "processors: {a: {}}",
                "1:14: processors.a: a processor has exactly one of attributes, resource, redact, filter, normalize, limits, sample, correlate, tail-sample, span-metrics, service-graph, log-metrics, dedupe, js"
            ),
            (
                "processors: {a: {js: x.js, on-error: ignore}}",
                "1:38: processors.a.on-error: \"ignore\" is not one of bypass, drop"
            ),
            ("processors: {a: {js: x.js, cpu: 20s}}", "1:33: processors.a.cpu: \"20s\" is not a time from 1ms to 10s"),
            ("processors: {a: {redct: }}", "1:18: processors.a.redct: there is no such key; did you mean \"redact\"?"),
            ("processors: {a: {redact: , sample: never}}", "1:14: processors.a: a processor has exactly one of"),
            (
                "processors: {a: {attributes: {add: x}}}",
                "1:30: processors.a.attributes: expected a list of mappings, not a mapping of keys to values"
            ),
            (
                "processors: {a: {attributes: [x]}}",
                "1:31: processors.a.attributes[0]: expected a mapping of keys to values, not a single value"
            ),
            (
                "processors: {a: {attributes: [{delete: x}, {value: x}]}}",
                "1:44: processors.a.attributes[1]: expected exactly one of add, set, rename, delete, hash"
            ),
            ("processors: {a: {attributes: [{add: x}]}}", "1:37: processors.a.attributes[0].add: value is missing"),
            (
                "processors: {a: {attributes: [{delete: x, to: y}]}}",
                "1:47: processors.a.attributes[0].to: delete takes no to"
            ),
            (
                "processors: {a: {attributes: [{rename: x*, to: y}]}}",
                "1:40: processors.a.attributes[0].rename: \"x*\" is no key of an attribute: \"*\" cannot stand for others here"
            ),
            (
                "processors: {a: {attributes: [{delete: x*y}]}}",
                "1:40: processors.a.attributes[0].delete: \"x*y\" is no key of an attribute: \"*\" can only stand at the end of one"
            ),
            (
                "processors: {a: {resource: }}",
                "1:18: processors.a.resource: it does nothing: give set, delete or detect"
            ),
            (
                "processors: {a: {resource: {detect: [k8s]}}}",
                "1:38: processors.a.resource.detect: \"k8s\" is not one of host, process, container, kubernetes"
            ),
            (
                "processors: {a: {redact: {patterns: [cards]}}}",
                "1:38: processors.a.redact.patterns: \"cards\" is not one of token, card, email, jwt, aws-key, private-key, url; did you mean card?"
            ),
            ("processors: {a: {filter: }}", "1:18: processors.a.filter: it does nothing: give drop or keep"),
            (
                "processors: {a: {filter: {drop: [{}]}}}",
                "1:34: processors.a.filter.drop[0]: a rule without a condition would match everything"
            ),
            (
                "processors: {a: {filter: {drop: [{equals: x}]}}}",
                "1:43: processors.a.filter.drop[0].equals: of what? attribute is missing"
            ),
            (
                "processors: {a: {filter: {drop: [{signal: traces, severity-below: info}]}}}",
                "1:67: processors.a.filter.drop[0].severity-below: only logs have a severity, and signal is traces"
            ),
            (
                "processors: {a: {filter: {drop: [{signal: logs, kind: server}]}}}",
                "1:55: processors.a.filter.drop[0].kind: only spans have it, and signal is logs"
            ),
            (
                "processors: {a: {filter: {drop: [{severity-below: warning}]}}}",
                "1:51: processors.a.filter.drop[0].severity-below: \"warning\" is not one of trace, debug, info, warn, error, fatal"
            ),
            (
                "processors: {a: {filter: {drop: [{min-duration: 2s, max-duration: 1s}]}}}",
                "1:67: processors.a.filter.drop[0].max-duration: 1s is not more than min-duration, 2s"
            ),
            (
                "processors: {a: {sample: {ratio: 2}}}",
                "1:34: processors.a.sample.ratio: \"2\" is not a number from 0 to 1"
            ),
            (
                "processors: {a: {sample: {ratio: 1, rate: 1/s}}}",
                "1:18: processors.a.sample: expected always, never, {ratio: 0.1}, {rate: 100/s}, {levels: {info: 0.1}} or {jaeger-remote: …}"
            ),
            (
                "processors: {a: {sample: rtio}}",
                "1:26: processors.a.sample: \"rtio\" is not one of always, never, {ratio: 0.1}, {rate: 100/s}, {levels: {info: 0.1}} or {jaeger-remote: …}; did you mean ratio?"
            ),
            (
                "processors: {a: {sample: {jaeger-remote: }}}",
                "1:27: processors.a.sample.jaeger-remote.endpoint: it is missing, as in http://127.0.0.1:5778/sampling"
            ),
            (
                "processors: {a: {sample: {jaeger-remote: x, ratio: 1}}}",
                "1:42: processors.a.sample.jaeger-remote.endpoint: \"x\" is a bad URL: it must start with http://"
            ),
            (
                "processors: {a: {sample: {jaeger-remote: {endpoint: 'dnssrv+http://x.y'}}}}",
                "1:53: processors.a.sample.jaeger-remote.endpoint: \"dnssrv+http://x.y\" is a bad URL: the scheme"
            ),
            (
                "processors: {a: {sample: {jaeger-remote: {endpoint: 'http://x', initial: {jaeger-remote: 'http://y'}}}}}",
                "1:75: processors.a.sample.jaeger-remote.initial.jaeger-remote: there is no such key"
            ),
            (
                "processors: {a: {sample: {jaeger-remote: {endpoint: 'http://x', initial: often, services: 0}}}}",
                "1:74: processors.a.sample.jaeger-remote.initial: \"often\" is not one of always, never, {ratio: 0.1} or {rate: 100/s}"
            ),
            (
                "processors: {a: {sample: {levels: }}}",
                "1:35: processors.a.sample.levels: it would keep everything: give levels, as in levels: {debug: 0, info: 0.1}"
            ),
            (
                "processors: {a: {sample: {levels: {warning: 1}}}}",
                "1:36: processors.a.sample.levels.warning: there is no such key. There are: trace, debug, info, warn, error, fatal"
            ),
            (
                "processors: {a: {sample: {levels: {info: 10%}}}}",
                "1:42: processors.a.sample.levels.info: \"10%\" is not a number from 0 to 1"
            ),
            (
                "processors: {a: {sample: {levels: {info: 0}, ratio: 1}}}",
                "1:18: processors.a.sample: expected always, never,"
            ),
            (
                "processors: {a: {sample: {levels: {info: 0}, services: [{info: 1}, {service: x}]}}}",
                "1:57: processors.a.sample.services[0]: which one? service is missing"
            ),
            (
                "processors: {a: {sample: {levels: {info: 0}, services: [{info: 1}, {service: x}]}}}",
                "1:68: processors.a.sample.services[1]: it changes nothing: give a level, as in debug: 0"
            ),
            (
                "processors: {a: {sample: {services: [{service: x, info: 1}]}}}",
                "1:27: processors.a.sample.services: there is no such key"
            ),
            (
                "processors: {a: {sample: {rate: 100}}}",
                "1:33: processors.a.sample.rate: \"100\" is not a rate such as 100/s"
            ),
            (
                "processors: {a: {sample: sometimes}}",
                "1:26: processors.a.sample: \"sometimes\" is not one of always, never, {ratio: 0.1}, {rate: 100/s}, {levels: {info: 0.1}} or {jaeger-remote: …}"
            ),
            (
                "processors: {a: {limits: {links: -1}}}",
                "1:34: processors.a.limits.links: \"-1\" is not a whole number from 0 to 65535"
            ),
            // Pipelines.
            (
                "pipelines: {trace: }",
                "1:13: pipelines.trace: \"trace\" is not one of traces, logs, metrics; did you mean traces?; a second one of a signal is named as in traces/second"
            ),
            (
                "pipelines: {traces: {exporters: [a]}}",
                "1:33: pipelines.traces.exporters: there is no exporter \"a\". There are none"
            ),
            (
                "pipelines: {traces: {receivers: [otlp-htp]}}",
                "1:33: pipelines.traces.receivers: there is no receiver \"otlp-htp\"; did you mean \"otlp-http\"? There are: otlp-http, otlp-grpc, zipkin, jaeger"
            ),
            (
                "processors: {mine: {sampl: always}}\npipelines: {traces: {processors: min}}",
                "2:34: pipelines.traces.processors: there is no processor \"min\"; did you mean \"mine\"? There are: mine"
            ),
            (
                "exporters: {otlp: 'http://x', jager: {url: 'http://x'}}\npipelines: {traces: {exporters: jaeger}}",
                "2:33: pipelines.traces.exporters: there is no exporter \"jaeger\"; did you mean \"jager\"? There are: otlp, jager"
            ),
            (
                "exporters: {otlp: 'dnssrv+http://a.b:4318'}",
                "1:19: exporters.otlp.url: \"dnssrv+http://a.b:4318\" is a bad URL: the port is what its SRV records say: leave it out"
            ),
            (
                "exporters: {otlp: 'dnssrv+http://[::1]'}",
                "1:19: exporters.otlp.url: \"dnssrv+http://[::1]\" is a bad URL: \"::1\" is no name in DNS"
            ),
            (
                "exporters: {otlp: 'dns+srv://a.b'}",
                "1:19: exporters.otlp.url: \"dns+srv://a.b\" is a bad URL: the scheme \"dns+srv\" is not http or https; what DNS knows by SRV records is written as in dnssrv+http://"
            ),
            (
                "exporters: {otlp: {url: 'http://x', proxy: 'dnssrv+http://a.b'}}",
                "1:44: exporters.otlp.proxy: \"dnssrv+http://a.b\" is a bad URL: the scheme"
            ),
            (
                "exporters: {otlp: {url: 'dnssrv+http://a.b', resolver: 'consul:8600'}}",
                "1:56: exporters.otlp.resolver: \"consul:8600\" is not ADDRESS:PORT of a name server, as in 127.0.0.1:8600"
            ),
            (
                "exporters: {otlp: {url: 'dnssrv+http://a.b', resolver: [1.1.1.1, 1.1.1.2, 1.1.1.3, '::1']}}",
                "1:56: exporters.otlp.resolver: there are 4; at most 3 are asked"
            ),
            (
                "pipelines: {traces: {processors: a}}",
                "1:34: pipelines.traces.processors: there is no processor \"a\". There are none"
            ),
            (
                "pipelines: {logs: {receivers: zipkin}}",
                "1:31: pipelines.logs.receivers: zipkin receives traces, and no logs"
            ),
            (
                "pipelines: {logs: {proc: zipkin}}",
                "1:20: pipelines.logs.proc: there is no such key; did you mean \"processors\"? There are: receivers, processors, exporters"
            ),
        ])
    func isTold(_ text: String, _ message: String) {
        let errors = load.errors(text)
        #expect(errors.contains { $0.hasPrefix("f.yaml:" + message) }, "\(errors)")
    }

    @Test(
        arguments: [
            (
                "admin: 127.0.0.1:4318\n",
                "receivers.otlp-http.listen: 127.0.0.1:4318 is taken: admin listens at 127.0.0.1:4318"
            ),
            (
                "receivers:\n  zipkin: 0.0.0.0:1\n  jaeger: 127.0.0.1:1\nsecurity: {insecure: true}\n",
                "f.yaml:3:11: receivers.jaeger.listen: 127.0.0.1:1 is taken: zipkin listens at 0.0.0.0:1"
            ),
            (
                "receivers:\n  zipkin: localhost:1\n  jaeger: 127.0.0.1:1\n",
                "f.yaml:3:11: receivers.jaeger.listen: 127.0.0.1:1 is taken: zipkin listens at localhost:1"
            ),
            (
                "exporters:\n  otlp: {url: \"http://localhost:4318\"}\n",
                "f.yaml:2:15: exporters.otlp.url: this is the agent's own receiver otlp-http (127.0.0.1:4318): everything would go round for ever"
            ),
            (
                "receivers: {zipkin: \"0.0.0.0:9\"}\nexporters: {otlp: {url: [\"http://x:9\", \"http://127.0.0.2:9\"]}}\nsecurity: {insecure: true}\n",
                "f.yaml:2:25: exporters.otlp.url: this is the agent's own receiver zipkin"
            ),
            (
                "memory: 8MB\nreceivers: {zipkin: {body-max: 9MB}}\n",
                "f.yaml:2:32: receivers.zipkin.body-max: 9MB is more than memory has for the whole agent, 8MB"
            ),
            (
                "receivers:\n  zipkin: {body-max: 65MB}\n",
                "f.yaml:2:22: receivers.zipkin.body-max: 65MB is more than memory has for the whole agent, 64MB"
            ),
            (
                "queue:\n  bytes: 8MB\nexporters: {otlp: {url: \"http://x\"}}\n",
                "f.yaml:2:10: exporters.otlp.queue.bytes: 8MB cannot hold what otlp-http takes at once (body-max), 16MB"
            ),
            (
                "exporters: {otlp: {url: \"http://x\", in-flight: 16, batch: {bytes: 8MB}}}\n",
                "f.yaml:1:67: exporters.otlp.batch.bytes: 16 of 8MB in flight are more than memory has for the whole agent, 64MB"
            ),
            (
                "exporters:\n  a: {kind: otlp, url: \"http://x\", queue: {directory: q/./r}}\n  b: {kind: otlp, url: \"http://x\", queue: {directory: q/../q/r/}}\n",
                "f.yaml:3:55: exporters.b.queue.directory: \"q/../q/r/\" is the queue folder of a too: each queue needs its own"
            ),
            (
                "exporters:\n  a: {kind: otlp, url: \"http://x\", queue: {directory: /q}}\n  b: {kind: otlp, url: \"http://x\", queue: {directory: /q/b}}\n",
                "f.yaml:3:55: exporters.b.queue.directory: \"/q/b\" and the queue folder of a lie in each other: each queue needs its own"
            ),
            (
                "store: q\nexporters: {otlp: {url: \"http://x\", queue: {directory: ./q}}}\n",
                "f.yaml:2:56: exporters.otlp.queue.directory: \"./q\" is the store's folder: a queue needs its own"
            ),
            (
                "exporters: {a: {kind: zipkin, url: \"http://x\"}}\npipelines: {logs: {exporters: a}}\n",
                "f.yaml:2:31: pipelines.logs.exporters: a takes traces, and no logs"
            ),
        ])
    func contradictionsAreErrors(_ text: String, _ message: String) {
        let errors = load.errors(text)
        #expect(errors.contains { $0.hasPrefix(message) }, "\(errors)")
    }

    @Test(
        arguments: [
            (
                "exporters: {otlp: {url: \"http://x\"}}\npipelines:\n  traces: {exporters: []}\n",
                "f.yaml:1:13: exporters.otlp: no pipeline sends to it"
            ),
            ("processors: {a: {sample: never}}\n", "f.yaml:1:14: processors.a: no pipeline uses it"),
            (
                "receivers: {zipkin: , otlp-http: }\npipelines: {traces: {receivers: otlp-http}}\n",
                "f.yaml:1:13: receivers.zipkin: no pipeline takes from it: what it receives is dropped, and counted"
            ),
            (
                "store: off\n",
                "f.yaml:1:8: store: there is neither a store nor an exporter: everything received is dropped"
            ),
            ("receivers: {}\n", "receivers: there is no receiver: nothing comes in"),
            (
                "queue: {sync: batch, sync-interval: 2s}\n",
                "f.yaml:1:37: queue.sync-interval: it means something only with `sync: interval`, and sync is batch"
            ),
            (
                "exporters: {otlp: {url: \"http://x\", tls: {ca: a}}}\n",
                "f.yaml:1:42: exporters.otlp.tls: it has no effect: the URL is http"
            ),
            (
                "processors: {a: {redact: {well-known: false, patterns: []}}}\n",
                "f.yaml:1:56: processors.a.redact.patterns: without well-known, keys and patterns it does nothing"
            ),
        ])
    func whatDoesNothingIsAWarning(_ text: String, _ message: String) {
        #expect(load.errors(text) == [])
        let warnings = load.warnings(text)
        #expect(warnings.contains { $0.hasPrefix(message) }, "\(warnings)")
    }

    @Test func foldersThatOnlyLookAlikeAreNoContradiction() {
        for (first, second) in [("q", "qq"), (".", "/q"), ("../q", "q"), ("/", "q"), ("../../a", "../a")] {
            let text =
                "exporters:\n"
                + "  a: {kind: otlp, url: \"http://x\", queue: {directory: \(first)}}\n"
                + "  b: {kind: otlp, url: \"http://x\", queue: {directory: \(second)}}\n"
            #expect(load.errors(text) == [])
        }
    }

    @Test func allErrorsAreToldAtOnceInTheOrderOfTheFile() {
        let errors = load.errors(
            """
            memory: much
            receivers:
              zipkin: here
              zipkin: there
            exporters:
              a: {kind: otlp, url: x, timeout: soon}
            pipelines:
              traces: {exporters: [a, b]}
            extra: 1
            """)
        #expect(
            errors.map { $0.split(separator: ":").prefix(3).joined(separator: ":") }
                == [
                    "f.yaml:1:9", "f.yaml:3:11", "f.yaml:4:3", "f.yaml:6:24", "f.yaml:6:36", "f.yaml:8:23",
                    "f.yaml:9:1",
                ],
            "\(errors)")
    }

    @Test func anErrorInAnExporterIsNoSecondOneWhereItIsUsed() {
        #expect(load.errors("exporters: {a: {kind: nope}}\npipelines: {traces: {exporters: a}}\n").count == 1)
        #expect(load.errors("processors: {a: {nope: }}\npipelines: {traces: {processors: a}}\n").count == 1)
        #expect(load.errors("receivers: {nope: }\npipelines: {traces: {receivers: nope}}\n").count == 1)
    }

    @Test func errorsAreBounded() {
        let text = (1...5_000).map { "key\($0): x\n" }.joined()
        let errors = load.errors(text)
        #expect(errors.count == FileLoading.problemsMax + 1)
        #expect(errors.last == "f.yaml: and 4900 more errors")
    }

    @Test func countsAreBounded() {
        let many = (1...PipelineLoader.exportersMax + 1).map { "  a\($0): {kind: console}\n" }.joined()
        #expect(load.errors("exporters:\n" + many) == ["f.yaml:2:3: exporters: there are 65; at most 64 are taken"])
        let rules = (1...257).map { "{name: n\($0)}" }.joined(separator: ", ")
        #expect(
            load.errors("processors: {a: {filter: {drop: [\(rules)]}}}\n")
                == ["f.yaml:1:33: processors.a.filter.drop: there are 257; at most 256 are taken"])
    }

    @Test func noMessageHoldsASecret() {
        var load = load
        load.files = ["big": String(repeating: "x", count: 65 << 10), "empty": "\n", "bad": "a\nb"]
        for value in ["\"s3cr\\u0001et\"", "{file: big}", "{file: empty}", "{file: bad}"] {
            let text =
                "exporters: {otlp: {url: \"http://u:s3cret@x\", headers: {a: \(value)}, auth: {bearer: \(value)}}}"
            let errors = load.errors(text)
            #expect(errors.count >= 2, "\(errors)")
            #expect(!errors.joined().contains("s3cr"), "\(errors)")
        }
    }

    @Test func whatIsNoFileIsOneError() {
        #expect(
            load.errors("a: [") == [
                "f.yaml:2:1: this is no YAML: did not find expected node content while parsing a flow node (from line 2)"
            ])
        let large = String(repeating: "# 0123456789\n", count: 1_000_000)
        #expect(load.errors(large) == ["f.yaml:1:1: the file has 13000000 bytes; at most 1048576 are read"])
    }
}
