import Telemetry
import Testing
import Wire

@testable import Exposition

@Suite struct TextTests {
    private static let common = #"{instance="i-1",job="eu/shop",otel_scope_name="cart""#

    private func page(_ metrics: [UInt8]..., format: ExpositionFormat = ExpositionFormat(.text)) -> [String] {
        var table = table()
        table.take(Sender().batch(metrics), source: .received, now: 0)
        return table.lines(format)
    }

    @Test func everyKindInText() {
        #expect(
            page(
                metric(
                    "temp", .gauge, [TestPoint(value: 21.5, attributes: [Attribute("a.b", "x")])], unit: "Cel",
                    help: "How \\ warm\n"),
                metric("hits", .sum, [TestPoint(value: 7)], unit: "1"),
                metric("level", .sum, [TestPoint(value: -3)], isMonotonic: false),
                metric("lat", .histogram, [TestPoint(bounds: [5, 250], counts: [1, 2, 3], sum: 42.5)], unit: "ms"),
                metric("took", .summary, [TestPoint(sum: 42, quantiles: [(0.99, 9), (0.5, 3)], count: 6)])) == [
                    "# TYPE hits_total counter",
                    "hits_total\(Self.common)} 7",
                    "# TYPE lat_milliseconds histogram",
                    "lat_milliseconds_bucket\(Self.common),le=\"5\"} 1",
                    "lat_milliseconds_bucket\(Self.common),le=\"250\"} 3",
                    "lat_milliseconds_bucket\(Self.common),le=\"+Inf\"} 6",
                    "lat_milliseconds_count\(Self.common)} 6",
                    "lat_milliseconds_sum\(Self.common)} 42.5",
                    "# TYPE level gauge",
                    "level\(Self.common)} -3",
                    "# HELP temp_celsius How \\\\ warm\\n",
                    "# TYPE temp_celsius gauge",
                    "temp_celsius{a_b=\"x\"," + Self.common.dropFirst() + "} 21.5",
                    "# TYPE took summary",
                    "took\(Self.common),quantile=\"0.5\"} 3",
                    "took\(Self.common),quantile=\"0.99\"} 9",
                    "took_count\(Self.common)} 6",
                    "took_sum\(Self.common)} 42",
                ])
    }

    @Test func openMetricsHasUnitsExemplarsAndAnEnd() {
        var table = table()
        let batch = Sender().batch([
            metric(
                "hits", .sum, [TestPoint(value: 7, exemplars: [(1, 1_500_000_000)])], unit: "By", help: "say \"hi\""),
            metric(
                "lat", .histogram,
                [
                    TestPoint(
                        exemplars: [(0.5, 1_000_000_000), (9, 0)], bounds: [1, 2.5], counts: [1, 0, 1], sum: 9.5)
                ],
                unit: "s"),
        ])
        table.take(batch, source: .received, now: 0)
        let ids = "trace_id=\"\(String(repeating: "01", count: 16))\""
        let exemplar = "# {span_id=\"\(String(repeating: "02", count: 8))\",\(ids)}"
        #expect(
            table.lines(ExpositionFormat(.openMetrics, hasCreated: true)) == [
                "# HELP hits_bytes say \\\"hi\\\"",
                "# TYPE hits_bytes counter",
                "# UNIT hits_bytes bytes",
                "hits_bytes_total\(Self.common)} 7 \(exemplar) 1 1.500",
                "hits_bytes_created\(Self.common)} 1",
                "# TYPE lat_seconds histogram",
                "# UNIT lat_seconds seconds",
                "lat_seconds_bucket\(Self.common),le=\"1.0\"} 1 \(exemplar) 0.5 1",
                "lat_seconds_bucket\(Self.common),le=\"2.5\"} 1",
                "lat_seconds_bucket\(Self.common),le=\"+Inf\"} 2 \(exemplar) 9",
                "lat_seconds_count\(Self.common)} 2",
                "lat_seconds_sum\(Self.common)} 9.5",
                "lat_seconds_created\(Self.common)} 1",
            ])
        let whole = String(decoding: table.page(ExpositionFormat(.openMetrics)), as: UTF8.self)
        #expect(whole.hasSuffix("} 1\n# EOF\n") && !whole.contains("_created"))
        #expect(!String(decoding: table.page(ExpositionFormat(.text)), as: UTF8.self).contains("trace_id"))
    }

    @Test func ownMetricsHaveNoLabelsOfTheirTargetAndForeignOnesDo() {
        var table = table()
        let own = MetricPoint(
            instrument: MetricPoint.Instrument(name: "sidelight_items_received_total", type: .counter),
            attributes: [Attribute("signal", "traces")], startTime: 0, time: 1, value: 3)
        table.take(
            Batch([own], resource: Resource(), scope: InstrumentationScope(name: "sidelight")),
            source: .own("counters"),
            now: 0)
        table.take(Sender().batch([metric("g", .gauge, [TestPoint()])]), source: .received, now: 0)
        #expect(table.samples() == ["g\(Self.common)} 0", "sidelight_items_received_total{signal=\"traces\"} 3"])
        let whole = String(decoding: table.page(ExpositionFormat(.text)), as: UTF8.self)
        #expect(
            whole.hasSuffix(
                """
                # HELP target_info Target metadata
                # TYPE target_info gauge
                target_info{service_name="me",service_version="1.0"} 1
                target_info{host_name="h1",instance="i-1",job="eu/shop"} 1

                """))
    }

    @Test func namesInUTF8StandInQuotationMarks() {
        var table = table()
        table.take(
            Sender().batch([
                metric(
                    "http.server.\"x\"", .sum, [TestPoint(value: 2, attributes: [Attribute("http.route", "/")])],
                    unit: "By"),
                metric("plain", .gauge, [TestPoint(value: 1)]),
            ]), source: .received, now: 0)
        let labels = #""http.route"="/",instance="i-1",job="eu/shop",otel_scope_name="cart"}"#
        #expect(
            table.lines(ExpositionFormat(.openMetrics, isUTF8: true)) == [
                #"# TYPE "http.server.\"x\"_bytes" counter"#,
                #"{"http.server.\"x\"_bytes_total","# + labels + " 2",
                "# TYPE plain gauge", "plain\(Self.common)} 1",
            ])
        #expect(table.samples()[0] == #"http_server_x_bytes_total{http_route="/","# + Self.common.dropFirst() + "} 2")
    }

    @Test(arguments: [
        (0, "0"), (1, "1"), (-1, "-1"), (0.1, "0.1"), (1e15, "1000000000000000"), (1e22, "1e+22"),
        (.leastNonzeroMagnitude, "5e-324"),
        (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"), (-0.0, "-0"),
        (9_007_199_254_740_992, "9007199254740992"),
        (1_234_567.5, "1234567.5"),
    ])
    func numbers(value: Double, text: String) {
        #expect(page(metric("g", .gauge, [TestPoint(value: value)]))[1].hasSuffix("} \(text)"))
    }

    @Test func whatCouldBreakALineIsEscaped() {
        let hostile = "a\"b\\c\nd\u{0}e"
        let line = page(metric("g", .gauge, [TestPoint(attributes: [Attribute("k\n\"", .string(hostile))])]))[1]
        #expect(line.contains(#"k_="a\"b\\c\nd"# + "\u{FFFD}e\""))
    }

    @Test func labelsThatAreTheBucketsOwnAreRenamed() {
        let attributes = [Attribute("le", "mine"), Attribute("quantile", "q"), Attribute("job", "other")]
        let lines = page(metric("h", .histogram, [TestPoint(attributes: attributes, bounds: [1], counts: [1, 1])]))
        #expect(
            lines[1]
                == #"h_bucket{exported_le="mine",instance="i-1",job="eu/shop",otel_scope_name="cart",quantile="q",le="1"} 1"#
        )
    }

    @Test func exponentialHistogramsBecomeClassicBucketsInText() {
        var point = TestPoint(sum: 30, count: 10)
        point.zeroCount = 1
        point.positive = Prometheus.Buckets(offset: 0, counts: [2, 3, 1, 0, 2])
        point.negative = Prometheus.Buckets(offset: 0, counts: [1])
        let lines = page(metric("size", .exponential, [point]))
        #expect(
            lines.dropFirst().map { $0.replacing(Self.common, with: "{") } == [
                #"size_bucket{,le="-1"} 1"#, #"size_bucket{,le="0"} 2"#, #"size_bucket{,le="2"} 4"#,
                #"size_bucket{,le="4"} 7"#, #"size_bucket{,le="8"} 8"#, #"size_bucket{,le="16"} 8"#,
                #"size_bucket{,le="32"} 10"#, #"size_bucket{,le="+Inf"} 10"#, "size_count{} 10", "size_sum{} 30",
            ])
    }

    @Test func classicBoundsOfACoarserScaleAreSomeOfThoseOfAFinerOne() {
        func bounds(_ count: Int) -> [Double] {
            var point = Prometheus.Point()
            point.scale = 2
            point.positive = Prometheus.Buckets(offset: -8, counts: [UInt64](repeating: 1, count: count))
            return ExponentialValue(point)!.classic.bounds
        }
        #expect(bounds(40).count == 40 && bounds(41).count < 40)
        #expect(Set(bounds(41).dropLast()).isSubset(of: Set(bounds(40))))
    }
}

@Suite struct NegotiationTests {
    private static let prometheus2 =
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
    private static let native2 =
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,"
        + "application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
    private static let prometheus3 =
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,"
        + "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"

    @Test(arguments: [
        (nil, "text/plain; version=0.0.4; charset=utf-8"),
        ("", "text/plain; version=0.0.4; charset=utf-8"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/plain; version=0.0.4; charset=utf-8"),
        (prometheus2, "application/openmetrics-text; version=1.0.0; charset=utf-8"),
        (native2, "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"),
        (prometheus3, "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"),
        (
            "text/plain;version=1.0.0;escaping=allow-utf-8",
            "text/plain; version=1.0.0; charset=utf-8; escaping=underscores"
        ),
        ("application/openmetrics-text;q=0.2, text/plain;q=0.3", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text;q=0", "text/plain; version=0.0.4; charset=utf-8"),
        (
            "application/openmetrics-text; version=\"1.0.0\" ; q=1",
            "application/openmetrics-text; version=1.0.0; charset=utf-8"
        ),
        ("application/openmetrics-text;version=2.0.0,text/plain;q=0.1", "text/plain; version=0.0.4; charset=utf-8"),
        ("APPLICATION/OpenMetrics-Text;Q=0.5", "application/openmetrics-text; version=1.0.0; charset=utf-8"),
        ("application/vnd.google.protobuf;encoding=text", "text/plain; version=0.0.4; charset=utf-8"),
        (";;;=,,q=nan;text/plain;q=inf", "text/plain; version=0.0.4; charset=utf-8"),
    ])
    func whatScrapersLikeBest(accept: String?, type: String) {
        #expect(ExpositionFormat(accept: accept).contentType == type)
    }

    @Test(arguments: [
        (nil, false), ("", false), ("gzip", true), ("identity", false), ("deflate, gzip;q=0.5", true),
        ("gzip;q=0", false), ("GZIP ; Q=0.001", true), ("gzip; q=0.000, *", false), ("*", true), ("*;q=0", false),
        ("*;q=0, x-gzip", true),
        ("gzip;q=x", false), ("gzip;q=nan", false), (",;;=", false), ("gzip;a=b", true), ("gzipped", false),
    ])
    func gzipIsForThoseThatTakeIt(acceptEncoding: String?, takes: Bool) {
        #expect(ExpositionFormat.takesGzip(acceptEncoding: acceptEncoding) == takes)
    }

    @Test func namesInUTF8AreForThoseThatTakeThem() {
        func type(_ accept: String) -> String { ExpositionFormat(accept: accept, wantsUTF8: true).contentType }
        #expect(
            type(Self.prometheus3) == "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
        )
        #expect(type(Self.prometheus2) == "application/openmetrics-text; version=1.0.0; charset=utf-8")
        #expect(!ExpositionFormat(accept: "text/plain;escaping=allow-utf-8", wantsUTF8: true).isUTF8)
        #expect(ExpositionFormat(accept: "text/plain;version=1.0.0;escaping=allow-utf-8", wantsUTF8: true).isUTF8)
    }
}
