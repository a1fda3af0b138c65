internal import Linux
internal import Synchronization
internal import Telemetry
internal import Wire

/// Requests that the buckets of `http.server.request.duration` can point to: of each, the latest whose span was recorded. A few spans a second are looked at, the
/// slowest, the last and the last failed one of a batch. Any thread.
final class ServedExemplars: Sendable {
    /// Batches that are looked into are so far apart. Nanoseconds.
    static let everyNanoseconds: UInt64 = 100_000_000
    /// Series that are remembered.
    static let seriesMax = 1_024

    /// What a server's duration is measured by (board-format.md), as its span has it.
    private static let keys = [
        "http.request.method", "url.scheme", "http.response.status_code", "http.route", "network.protocol.version",
        "error.type",
    ]

    private struct State {
        var nextAt: UInt64 = 0
        /// By bucket.
        var series: [[AttributeValue?]: [Int: MetricPoint.Exemplar]] = [:]
    }

    private let state = Mutex(State())

    /// Looks at what a worker has recorded.
    /// - Parameter now: monotonic nanoseconds.
    func take(_ batch: Batch, now: UInt64) {
        guard batch.signal == .traces else { return }
        let isDue = state.withLock { state in
            guard now >= state.nextAt else { return false }
            state.nextAt = now &+ Self.everyNanoseconds
            return true
        }
        guard isDue else { return }
        for index in Self.chosen(batch.items) {
            guard let span = try? batch.span(at: index), span.endTime >= span.startTime else { continue }
            let exemplar = MetricPoint.Exemplar(
                value: Double(span.endTime - span.startTime) / 1e9, time: span.endTime, traceID: span.context.traceID,
                spanID: span.context.spanID)
            keep(exemplar, Self.key(span.attributes))
        }
    }

    /// The slowest server span, the last, and the last that failed.
    private static func chosen(_ items: [Batch.Item]) -> Set<Int> {
        var (slowest, last, failed): (Int?, Int?, Int?) = (nil, nil, nil)
        for (index, item) in items.enumerated() where item.kind == SpanKind.server.rawValue {
            last = index
            if item.status == SpanStatus.Code.error.rawValue { failed = index }
            if slowest.map({ items[$0].end &- items[$0].start < item.end &- item.start }) ?? true { slowest = index }
        }
        return Set([slowest, last, failed].compactMap(\.self))
    }

    private func keep(_ exemplar: MetricPoint.Exemplar, _ key: [AttributeValue?]) {
        let bucket = BoardLayout.durationBounds.firstIndex { exemplar.value <= $0 } ?? BoardLayout.durationBounds.count
        state.withLock { state in
            // A program can make up such spans, and routes go out of use: any of what is remembered makes room, and comes back with its next request.
            if state.series[key] == nil, state.series.count >= Self.seriesMax {
                state.series.remove(at: state.series.startIndex)
            }
            state.series[key, default: [:]][bucket] = exemplar
        }
    }

    private static func key(_ attributes: Attributes) -> [AttributeValue?] { keys.map { attributes[$0] } }

    /// Gives points of requests what leads to one of them.
    func attach(to points: inout [MetricPoint]) {
        state.withLock { state in
            guard !state.series.isEmpty else { return }
            for index in points.indices where points[index].instrument.name == "http.server.request.duration" {
                guard let known = state.series[Self.key(points[index].attributes)] else { continue }
                points[index].exemplars = known.sorted { $0.key < $1.key }.map(\.value)
            }
        }
    }
}
