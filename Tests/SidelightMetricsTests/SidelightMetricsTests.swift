import Metrics
import Testing

@testable import SidelightMetrics

@Suite struct SidelightMetricsTests {
    private func lines(_ metrics: SidelightMetrics) -> [String] {
        String(decoding: metrics.page().body, as: UTF8.self).split(separator: "\n").map(String.init)
            .filter { !$0.hasPrefix("#") && !$0.hasPrefix("target_info") }
    }

    @Test func everyKind() {
        let metrics = SidelightMetrics(service: "shop")
        Counter(label: "orders", dimensions: [("kind", "card"), ("a", "b")], factory: metrics).increment(by: 3)
        FloatingPointCounter(label: "paid", factory: metrics).increment(by: 1.5)
        Meter(label: "temperature", factory: metrics).set(21.5)
        Gauge(label: "depth", factory: metrics).record(7)
        Recorder(label: "size", dimensions: [], aggregate: true, factory: metrics).record(30)
        Timer(label: "took", factory: metrics).recordMilliseconds(20)
        let found = lines(metrics)
        for line in [
            #"orders_total{a="b",kind="card"} 3"#, "paid_total 1.5", "temperature 21.5", "depth 7",
            #"size_bucket{le="25"} 0"#, #"size_bucket{le="50"} 1"#, "size_sum 30", #"took_seconds_bucket{le="0.01"} 0"#,
            #"took_seconds_bucket{le="0.025"} 1"#, "took_seconds_count 1", "took_seconds_sum 0.02",
        ] { #expect(found.contains(line), "\(line)") }
    }

    @Test func oneOfALabelAndItsDimensionsIsOneMetric() {
        let metrics = SidelightMetrics(service: "shop")
        let one = Counter(label: "c", dimensions: [("x", "1"), ("y", "2")], factory: metrics)
        let other = Counter(label: "c", dimensions: [("y", "2"), ("x", "1")], factory: metrics)
        one.increment()
        other.increment()
        #expect(lines(metrics) == [#"c_total{x="1",y="2"} 2"#])
        one.destroy()
        #expect(lines(metrics).count == 1)
        other.destroy()
        #expect(lines(metrics).isEmpty)
        #expect(metrics.otlpRequest() == nil)
    }

    @Test func countersDoNotGoBack() {
        let metrics = SidelightMetrics(service: "shop")
        let counter = Counter(label: "c", factory: metrics)
        counter.increment(by: 5)
        counter.increment(by: -3)
        let sum = FloatingPointCounter(label: "s", factory: metrics)
        sum.increment(by: Double.infinity)
        sum.increment(by: -1.0)
        #expect(lines(metrics) == ["c_total 5", "s_total 0"])
    }

    @Test func furtherMetricsRecordNothingAndAreCounted() {
        let metrics = SidelightMetrics(service: "shop")
        for index in 0..<SidelightMetrics.metricsMax + 5 { Counter(label: "c\(index)", factory: metrics).increment() }
        #expect(metrics.leftOut == 5)
        #expect(metrics.points().count == SidelightMetrics.metricsMax)
    }

    @Test func manyThreadsLoseNothing() async {
        let metrics = SidelightMetrics(service: "shop")
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let counter = Counter(label: "c", factory: metrics)
                    let meter = Meter(label: "m", factory: metrics)
                    let timer = Timer(label: "t", factory: metrics)
                    for _ in 0..<1_000 {
                        counter.increment()
                        meter.increment(by: 1)
                        timer.recordNanoseconds(1)
                    }
                }
            }
        }
        let found = lines(metrics)
        for line in ["c_total 8000", "m 8000", "t_seconds_count 8000"] { #expect(found.contains(line)) }
    }

    @Test func whatIsPushedIsAnOTLPRequest() throws {
        let metrics = SidelightMetrics(service: "shop", attributes: ["service.version": "2"])
        Counter(label: "orders", factory: metrics).increment()
        let text = String(decoding: try #require(metrics.otlpRequest()), as: UTF8.self)
        for part in ["service.name", "shop", "service.version", "orders", "swift-metrics"] {
            #expect(text.contains(part))
        }
        #expect(
            metrics.page(accept: "application/openmetrics-text").contentType.hasPrefix("application/openmetrics-text"))
    }
}
