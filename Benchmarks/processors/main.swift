// What processors cost a span: nanoseconds of CPU time, the least of many short rounds. `Benchmarks/processors/run`.

import Configuration
import Glibc
import Processors
import System
import Telemetry
import Wire

/// A server's span as OpenTelemetry's SDKs write it: 8 attributes, 356 bytes.
func span(_ index: UInt64) -> SpanData {
    SpanData(
        context: SpanContext(
            traceID: TraceID(high: 0x4BF9_2F35_77B3_4DA6 &+ index, low: 0xA3CE_929D_0E0E_4736 &* index),
            spanID: SpanID(index | 1)),
        parentSpanID: SpanID(7), name: "GET /api/v1/orders/{id}", kind: .server, startTime: 1_700_000_000_000_000_000,
        endTime: 1_700_000_000_012_345_678,
        attributes: [
            Attribute("http.request.method", "GET"), Attribute("http.route", "/api/v1/orders/{id}"),
            Attribute("http.response.status_code", 200),
            Attribute("url.path", "/api/v1/orders/8172635"),
            Attribute("server.address", "orders.shop.internal.example"), Attribute("server.port", 8080),
            Attribute("user_agent.original", "node"), Attribute("network.protocol.version", "1.1"),
        ])
}

func batch(_ edit: (inout SpanData) -> Void = { _ in }) -> Batch {
    var builder = BatchBuilder(
        signal: .traces,
        resource: Resource(attributes: [
            Attribute("service.name", "orders"), Attribute("host.name", "a1"), Attribute("process.pid", 42),
        ]))
    for index in 0..<100 as Range<UInt64> {
        var span = span(index)
        edit(&span)
        builder.append(span, scope: InstrumentationScope(name: "http", version: "1"))
    }
    return builder.take()
}

func cpuNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

func measure(_ name: String, _ batch: Batch, _ processors: [Processor]) {
    let chain = ProcessorChain(processors.map { ("it", $0) })
    var best = Double.infinity
    var left = 0
    for round in 0..<200 {
        let start = cpuNanoseconds()
        for _ in 0..<10 {
            var batches = [batch]
            _ = chain.process(&batches, now: start + UInt64(round))
            left = batches.first?.items.count ?? 0
        }
        best = min(best, Double(cpuNanoseconds() - start) / Double(10 * batch.items.count))
    }
    let padded = name.padding(62)
    print("\(padded) \(Int(best.rounded())) ns a span (\(left) of \(batch.items.count) left)")
}

extension String {
    func padding(_ count: Int) -> String { self + String(repeating: " ", count: max(0, count - self.count)) }
}

let plain = batch()
print("\(plain.bytes.count / plain.items.count) bytes a span")

func attributes(_ actions: [AttributeAction]) throws -> Processor { try .attributes(actions) }

measure("no processor", plain, [])
measure("attributes: delete, nothing matches", plain, [try attributes([.delete(key: "no.such.key")])])
measure(
    "attributes: delete 8 keys and a prefix, nothing matches", plain,
    [
        try attributes((0..<8).map { .delete(key: "no.such.key.\($0)") } + [.delete(key: "http.request.header.*")])
    ])
measure("attributes: one value set", plain, [try attributes([.set(key: "server.address", value: "x")])])
measure("attributes: one added", plain, [try attributes([.add(key: "env", value: "prod")])])
measure("attributes: one hashed", plain, [try attributes([.hash(key: "server.address", salt: "salt")])])
measure("redact, default: nothing found", plain, [.redact(Redaction())])
measure(
    "redact, default: one key masked", batch { $0.attributes[4].key = "http.request.header.authorization" },
    [.redact(Redaction())])
measure(
    "redact, default: one address in a text", batch { $0.attributes[4].value = "to jane@example.com, please!" },
    [.redact(Redaction())])
let long = batch {
    $0.attributes[6].value = .string(
        String(repeating: "The quick brown fox jumps over the lazy dog, 42 times a day. ", count: 160))
}
measure("redact, default: nothing found, one text of 9,600 bytes more", long, [.redact(Redaction())])
var filter = ItemFilter()
var rule = ItemFilter.Rule()
rule.kind = .client
filter.drop = [rule]
measure("filter: by kind, none dropped", plain, [.filter(filter)])
rule = ItemFilter.Rule()
rule.name = "GET /health*"
filter.drop = [rule]
measure("filter: by name, none dropped", plain, [.filter(filter)])
rule = ItemFilter.Rule()
rule.attribute = ItemFilter.AttributeCondition(key: "url.path", value: "/health*")
filter.drop = [rule]
measure("filter: by attribute, none dropped", plain, [.filter(filter)])
measure("normalize: nothing to do", plain, [.normalize(Normalization())])
measure("normalize: every name", batch { $0.name = "GET /api/v1/orders/8172635" }, [.normalize(Normalization())])
measure("limits: nothing over", plain, [.limits(ItemLimits())])
measure("sample: a tenth", plain, [.sample(.ratio(0.1))])
var change = ResourceChange()
change.set = [Attribute("deployment.environment.name", "prod")]
measure("resource: one set", plain, [try .resource(change, detected: [])])
measure(
    "redact, resource, filter by name and limits, nothing found", plain,
    [
        .redact(Redaction()), try .resource(change, detected: []), .filter(filter), .limits(ItemLimits()),
    ])

// MARK: processors with a memory

struct StillClock: SystemClock {
    func monotonicNanoseconds() -> UInt64 { 0 }
    func unixNanoseconds() -> UInt64 { 1_700_000_000_000_000_000 }
}

/// Traces of 10 spans, each in another of 10 requests of 100 spans; every span once, and all decided at the end of a round.
func measureStateful(_ name: String, _ configuration: ProcessorConfiguration, _ batch: Batch) {
    let processor = StatefulProcessors.make(configuration, name: "it", budget: nil, clock: StillClock())!
    var requests = (0..<200).map { request in
        var copy = batch
        copy.ticket = UInt64(request) + 1
        for index in copy.items.indices {
            copy.items[index].traceID = TraceID(
                high: UInt64(request / 10), low: UInt64(index + 1) &* 0x9E37_79B9_7F4A_7C15)
            copy.items[index].spanID = SpanID(UInt64(request * 100 + index + 1))
        }
        return copy
    }
    var best = Double.infinity
    var left = 0
    var now: UInt64 = 0
    for _ in 0..<60 {
        // The next round's traces are others.
        for request in requests.indices {
            for index in requests[request].items.indices { requests[request].items[index].traceID.high &+= 1_000 }
        }
        var output = ProcessorOutput()
        let start = cpuNanoseconds()
        for request in requests {
            now += 1_000_000
            processor.take([request], now: now, &output)
        }
        now += 20_000_000_000
        processor.tick(now: now, &output)
        best = min(best, Double(cpuNanoseconds() - start) / Double(200 * batch.items.count))
        left = output.batches.reduce(0) { $0 + $1.items.count }
    }
    let padded = name.padding(62)
    print("\(padded) \(Int(best.rounded())) ns a span (\(left) of \(200 * batch.items.count) left)")
}

func tail(_ edit: (inout ItemFilter.Rule) -> Void) -> ProcessorConfiguration {
    var policy = TailSampling.Policy(name: "it")
    var rule = ItemFilter.Rule()
    edit(&rule)
    if rule != ItemFilter.Rule() { policy.all = [rule] }
    var sampling = TailSampling()
    sampling.policies = [policy]
    return .tailSample(sampling)
}

measureStateful("tail-sample: errors, all dropped", tail { $0.status = .error }, plain)
measureStateful("tail-sample: always, all kept", tail { _ in }, plain)
measureStateful(
    "tail-sample: by attribute, all dropped", tail { $0.attribute = .init(key: "url.path", value: "/x*") }, plain)
measureStateful("span-metrics", .spanMetrics(SpanMetricsConfiguration()), plain)
var routes = SpanMetricsConfiguration()
routes.attributes = ["http.route"]
measureStateful("span-metrics: by route too", .spanMetrics(routes), plain)
measureStateful("service-graph: servers that wait", .serviceGraph(ServiceGraphConfiguration()), plain)
measureStateful("dedupe: nothing comes twice", .dedupe(DeduplicationConfiguration()), plain)
