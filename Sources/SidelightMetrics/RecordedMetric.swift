internal import CoreMetrics
internal import Glibc
internal import Synchronization
internal import Telemetry

enum MetricKind: Hashable, Sendable { case counter, sum, gauge, distribution, timer }

/// What a metric stands at. Any thread.
protocol RecordedMetric: AnyObject, Sendable {
    static var kind: MetricKind { get }
    /// Says what it is and where it stands.
    func fill(_ point: inout MetricPoint)
}

final class RecordedCounter: RecordedMetric, CounterHandler {
    static let kind = MetricKind.counter
    private let count = Atomic<Int64>(0)

    /// A counter does not go back: what is negative is left out.
    func increment(by amount: Int64) {
        guard amount > 0 else { return }
        count.wrappingAdd(amount, ordering: .relaxed)
    }

    func reset() { count.store(0, ordering: .relaxed) }

    func fill(_ point: inout MetricPoint) {
        point.instrument.type = .counter
        point.instrument.isInteger = true
        point.value = Double(count.load(ordering: .relaxed))
    }
}

/// A number of 64 bits with a point, that many threads add to.
struct AtomicDouble: ~Copyable {
    private let bits: Atomic<UInt64>

    init(_ value: Double) { bits = Atomic(value.bitPattern) }

    var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    func add(_ amount: Double) {
        var before = bits.load(ordering: .relaxed)
        while true {
            let after = (Double(bitPattern: before) + amount).bitPattern
            let (isDone, now) = bits.weakCompareExchange(expected: before, desired: after, ordering: .relaxed)
            if isDone { return }
            before = now
        }
    }
}

final class RecordedSum: RecordedMetric, FloatingPointCounterHandler {
    static let kind = MetricKind.sum
    private let sum = AtomicDouble(0)

    func increment(by amount: Double) {
        guard amount > 0, amount.isFinite else { return }
        sum.add(amount)
    }

    func reset() { sum.set(0) }

    func fill(_ point: inout MetricPoint) {
        point.instrument.type = .counter
        point.value = sum.value
    }
}

final class RecordedGauge: RecordedMetric, MeterHandler, RecorderHandler {
    static let kind = MetricKind.gauge
    private let current = AtomicDouble(0)

    func set(_ value: Int64) { current.set(Double(value)) }
    func set(_ value: Double) { current.set(value) }
    func increment(by amount: Double) { current.add(amount) }
    func decrement(by amount: Double) { current.add(-amount) }
    func record(_ value: Int64) { current.set(Double(value)) }
    func record(_ value: Double) { current.set(value) }

    func fill(_ point: inout MetricPoint) {
        point.instrument.type = .gauge
        point.value = current.value
    }
}

/// A histogram.
final class RecordedDistribution: RecordedMetric, RecorderHandler {
    static let kind = MetricKind.distribution

    struct Figures {
        var sum = 0.0
        var min = Double.infinity
        var max = -Double.infinity
        /// One more than bounds.
        var buckets: [UInt64]
    }

    private let bounds: [Double]
    private let figures: Mutex<Figures>

    init(bounds: [Double]) {
        self.bounds = bounds
        figures = Mutex(Figures(buckets: [UInt64](repeating: 0, count: bounds.count + 1)))
    }

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        guard value.isFinite else { return }
        figures.withLock { figures in
            figures.sum += value
            figures.min = min(figures.min, value)
            figures.max = max(figures.max, value)
            var bucket = 0
            while bucket < bounds.count, value > bounds[bucket] { bucket += 1 }
            figures.buckets[bucket] += 1
        }
    }

    func fill(_ point: inout MetricPoint) {
        let figures = figures.withLock { $0 }
        point.instrument.type = .histogram
        point.value = figures.sum
        point.histogram = MetricPoint.Histogram(
            count: figures.buckets.reduce(0, +), min: figures.min, max: figures.max, bounds: bounds,
            bucketCounts: figures.buckets)
    }
}

/// A histogram of seconds.
final class RecordedTimer: RecordedMetric, TimerHandler {
    static let kind = MetricKind.timer
    private let distribution: RecordedDistribution

    init(bounds: [Double]) { distribution = RecordedDistribution(bounds: bounds) }

    func recordNanoseconds(_ duration: Int64) { distribution.record(Double(duration) / 1e9) }

    func fill(_ point: inout MetricPoint) {
        distribution.fill(&point)
        point.instrument.unit = "s"
    }
}

/// Nanoseconds since 1970.
@Sendable public func systemTime() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
