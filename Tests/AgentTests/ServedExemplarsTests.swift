import Telemetry
import Testing
import Wire

@testable import Agent

@Suite struct ServedExemplarsTests {
    private func span(
        _ id: UInt64, milliseconds: UInt64, route: String = "/a", status: Int64 = 200, kind: SpanKind = .server
    ) -> SpanData {
        var attributes = [
            Attribute("http.request.method", "GET"), Attribute("url.scheme", "http"), Attribute("url.path", "/a/1"),
            Attribute("http.response.status_code", .int(status)), Attribute("http.route", .string(route)),
            Attribute("network.protocol.version", "1.1"),
        ]
        if status >= 500 { attributes.append(Attribute("error.type", "500")) }
        return SpanData(
            context: SpanContext(traceID: TraceID(high: 1, low: id), spanID: SpanID(id)), name: "GET", kind: kind,
            startTime: 1_000_000_000, endTime: 1_000_000_000 + milliseconds * 1_000_000, attributes: attributes,
            status: SpanStatus(code: status >= 500 ? .error : .unset))
    }

    /// What a board of these requests says.
    private func points(_ routes: String..., status: Int = 200) -> [MetricPoint] {
        var board = BoardSnapshot()
        for route in routes {
            var key = BoardSnapshot.SeriesKey(kind: .serverDuration)
            (key.method, key.status, key.route, key.protocolVersion) = (1, status, route, "1.1")
            if status >= 500 { key.errorType = "\(status)" }
            board.series[key] = BoardSnapshot.Histogram()
        }
        var figures = BoardPoints(startTime: 0)
        return figures.points(board, isolates: 1, time: 1)
    }

    private func ids(_ points: [MetricPoint], _ route: String) -> [UInt64] {
        points.first { $0.attributes["http.route"] == .string(route) }!.exemplars.map(\.spanID.value)
    }

    @Test func eachBucketLeadsToItsLatestRequest() {
        let exemplars = ServedExemplars()
        for (round, spans) in [
            [span(1, milliseconds: 2), span(2, milliseconds: 700)],
            [span(3, milliseconds: 3), span(4, milliseconds: 1, kind: .client)],
        ].enumerated() {
            exemplars.take(Batch(spans, resource: Resource()), now: UInt64(round) * ServedExemplars.everyNanoseconds)
        }
        var found = points("/a", "/b")
        exemplars.attach(to: &found)
        #expect(ids(found, "/a") == [3, 2])
        #expect(ids(found, "/b").isEmpty)
        #expect(found.first { !$0.exemplars.isEmpty }?.exemplars.map(\.value) == [0.003, 0.7])
    }

    @Test func ofABatchTheSlowestTheLastAndTheLastFailedAreLookedAt() {
        let exemplars = ServedExemplars()
        var spans = (10..<1_000).map { span($0, milliseconds: 1) }
        spans[3] = span(1, milliseconds: 9_000)
        spans[5] = span(2, milliseconds: 30, status: 500)
        spans.append(span(3, milliseconds: 60))
        exemplars.take(Batch(spans, resource: Resource()), now: 0)
        var found = points("/a")
        exemplars.attach(to: &found)
        #expect(ids(found, "/a") == [3, 1])
        found = points("/a", status: 500)
        exemplars.attach(to: &found)
        #expect(ids(found, "/a") == [2])
    }

    @Test func batchesInQuickSuccessionAreLeftAlone() {
        let exemplars = ServedExemplars()
        for id in 1...5 as ClosedRange<UInt64> {
            exemplars.take(Batch([span(id, milliseconds: 1)], resource: Resource()), now: id)
        }
        var found = points("/a")
        exemplars.attach(to: &found)
        #expect(ids(found, "/a") == [1])
    }

    @Test func seriesAreBoundedAndTheLatestIsAmongThem() {
        let exemplars = ServedExemplars()
        let count = ServedExemplars.seriesMax + 10
        for number in 0..<UInt64(count) {
            let batch = Batch([span(number + 1, milliseconds: 1, route: "/\(number)")], resource: Resource())
            exemplars.take(batch, now: number * ServedExemplars.everyNanoseconds)
        }
        let remembered = (0..<count).filter { number in
            var found = points("/\(number)")
            exemplars.attach(to: &found)
            return !ids(found, "/\(number)").isEmpty
        }
        #expect(remembered.count == ServedExemplars.seriesMax && remembered.last == count - 1)
    }
}
