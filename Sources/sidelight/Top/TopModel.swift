import Glibc

/// What admin ports have said lately, so that there are rates. Pure.
struct TopModel {
    /// An admin port.
    struct Source {
        let place: String
        /// The oldest first; the last is what it says now.
        private var samples: [TopSample] = []
        /// Why it does not answer; nil: it does.
        fileprivate(set) var problem: String?

        /// Rates are of no less time, where there are samples for it: workers bring some of their figures up to date once a second.
        private static let nanosecondsMin: UInt64 = 1_900_000_000
        private static let samplesMax = 64

        fileprivate init(place: String) { self.place = place }

        var now: TopSample? { samples.last }
        /// What the rates start from; nil: the start of everything.
        var before: TopSample? { samples.count > 1 ? samples[0] : nil }

        fileprivate mutating func take(_ sample: TopSample) {
            problem = nil
            samples.append(sample)
            func isOldEnough(_ old: TopSample) -> Bool {
                sample.time > old.time && sample.time - old.time >= Self.nanosecondsMin
            }
            while samples.count > 2, isOldEnough(samples[1]) || samples.count > Self.samplesMax {
                samples.removeFirst()
            }
        }
    }

    private(set) var sources: [Source]

    init(places: [String]) { sources = places.map { Source(place: $0) } }

    mutating func take(_ sample: TopSample, from source: Int) {
        sources[source].take(sample)
    }

    /// What it said last stays.
    mutating func fail(_ problem: String, from source: Int) { sources[source].problem = problem }

    /// Whether the figures are of an interval, and not since the start.
    var hasInterval: Bool { sources.contains { $0.before != nil } }

    var workloads: [TopWorkload] {
        sources.flatMap { source -> [TopWorkload] in
            guard let now = source.now else { return [] }
            return now.workloads.map { workload in
                let before = source.before?.workloads.first {
                    $0.startTime == workload.startTime && $0.entry == workload.entry
                }
                return TopWorkload(workload, before, now: now, since: source.before)
            }
        }
    }

    /// Names, and what they stand for: the exporters and the store of each agent.
    var outlets: [TopOutlet] {
        sources.flatMap { source -> [TopOutlet] in
            guard let now = source.now else { return [] }
            let name = now.workloads.first?.service ?? source.place
            return TopOutlet.all(now, source.before, of: name)
        }
    }

    var host: TopHost? { sources.lazy.compactMap(\.now?.host).first }
}

/// What was counted in a stretch of time, and what is held at its end.
struct TopInterval {
    /// At least one of the two below.
    let seconds: Double
    /// Differences of what is counted; the rest as it is now.
    let figures: TopFigures

    /// Looks are no closer: less is a clock that was set.
    private static let secondsMin = 0.1
    /// Since a start: workers bring some of their figures up to date once a second.
    private static let secondsSinceStartMin = 1.0

    /// - Parameters:
    ///   - before: nil: `now` counts from `start`.
    ///   - start, end: Unix nanoseconds.
    init(_ now: TopFigures, since before: TopFigures?, from start: UInt64, to end: UInt64) {
        let elapsed = Double(end > start ? end - start : 0) / 1e9
        seconds = max(elapsed, before == nil ? Self.secondsSinceStartMin : Self.secondsMin)
        guard let before else {
            figures = now
            return
        }
        var figures = now
        func take(_ path: WritableKeyPath<TopFigures, Double>) {
            figures[keyPath: path] = max(0, now[keyPath: path] - before[keyPath: path])
        }
        for path in Self.counted { take(path) }
        figures.duration = now.duration.since(before.duration)
        figures.fetches = now.fetches.since(before.fetches)
        let delays = Dictionary(before.delays.map { ($0.bound, $0.count) }) { first, _ in first }
        figures.delays = now.delays.map { ($0.bound, max(0, $0.count - (delays[$0.bound] ?? 0))) }
        self.figures = figures
    }

    nonisolated(unsafe) private static let counted: [WritableKeyPath<TopFigures, Double>] = [
        \.requests, \.errors, \.abandoned, \.timeouts, \.malformed, \.unhandled, \.scheduledRuns, \.scheduledFailures,
        \.bytesIn, \.bytesOut, \.cpuSeconds, \.stalls, \.loopActive, \.loopIdle, \.collectionSeconds,
    ]

    func rate(_ path: KeyPath<TopFigures, Double>) -> Double { figures[keyPath: path] / seconds }

    /// Of what was answered.
    var requestRate: Double { figures.duration.count / seconds }
    var errorRate: Double { figures.errors / seconds }
    /// Of the answers, those that were errors; nil: there was none.
    var errorShare: Double? {
        figures.duration.count > 0 ? min(1, figures.errors / figures.duration.count) : nil
    }

    /// Of a CPU; an isolate's thread uses one at most. Nil: no loop has told anything.
    func cpuShare(isolates: Int) -> Double? {
        let measured = figures.loopActive + figures.loopIdle
        guard measured > 0, isolates > 0 else { return nil }
        let threads = Double(isolates)
        // A worker tells both of its loop and of its CPU time once a second, so they are of the same time. Where loops have only begun, most of the CPU time
        // is from before.
        let ofLoop = measured / threads
        return min(figures.cpuSeconds / (ofLoop >= seconds / 2 ? ofLoop : seconds), threads)
    }

    /// CPU time that a request took.
    func cpuOfRequest(isolates: Int) -> Double? {
        guard figures.duration.count > 0, let share = cpuShare(isolates: isolates) else { return nil }
        return share * seconds / figures.duration.count
    }

    var collectionShare: Double { figures.collectionSeconds / seconds }
    var loopShare: Double? {
        let whole = figures.loopActive + figures.loopIdle
        return whole > 0 ? figures.loopActive / whole : nil
    }

    /// Delays of the event loop: the bound that this part of them is under. Seconds; nil: none was measured.
    func delay(_ part: Double) -> Double? {
        let count = figures.delays.reduce(0) { $0 + $1.count }
        guard count > 0 else { return nil }
        let rank = max(1, (part * count).rounded(.up))
        var sum = 0.0
        for (bound, number) in figures.delays {
            sum += number
            if sum >= rank { return bound }
        }
        return figures.delays.last?.bound
    }

    /// What one request took of something; nil: there was none.
    func each(_ path: KeyPath<TopFigures, Double>) -> Double? {
        figures.duration.count > 0 ? figures[keyPath: path] / figures.duration.count : nil
    }
}

extension TopDuration {
    func since(_ before: TopDuration) -> TopDuration {
        var change = self
        change.sum = Swift.max(0, sum - before.sum)
        for index in buckets.indices { change.buckets[index] = Swift.max(0, buckets[index] - before.buckets[index]) }
        return change
    }

    var mean: Double? { count > 0 ? sum / count : nil }

    /// Where this part of the observations ends, as Prometheus' `histogram_quantile` has it, but that nothing is made up within the first bucket,
    /// beyond the last bound and beyond the longest.
    func quantile(_ part: Double) -> TopQuantile {
        let count = count
        guard count > 0 else { return .none }
        let rank = part * count
        var sum = 0.0
        for (index, number) in buckets.enumerated() {
            sum += number
            guard sum >= rank, number > 0 else { continue }
            if index == 0 { return .below(Self.bounds[0]) }
            if index == Self.bounds.count { break }
            let (low, high) = (Self.bounds[index - 1], Self.bounds[index])
            let most = max > 0 ? max : .infinity
            return .at(Swift.min(low + (high - low) * (rank - (sum - number)) / number, most), most: most)
        }
        return .above(Self.bounds[Self.bounds.count - 1])
    }
}

/// Seconds.
enum TopQuantile: Equatable {
    case none
    case below(Double)
    /// - most: It is rounded to no more.
    case at(Double, most: Double = .infinity)
    case above(Double)
}

/// A workload in an interval.
struct TopWorkload {
    let now: TopSample.Workload
    let total: TopInterval
    let isolates: [(now: TopSample.Isolate, interval: TopInterval)]
    let routes: [(now: TopSample.Route, change: TopDuration, errors: Double)]
    let failures: [(now: TopSample.Failure, count: Double)]
    /// By reason: since the start, and in the interval.
    let restarts: [(reason: String, count: Double, change: Double)]
    /// Resident memory of its workers, and CPU time of their processes as a share of a CPU; nil: not known.
    let resident: Double?
    private let processShare: Double?
    private let processes: [Int64: TopHost.Process]
    /// Unix nanoseconds.
    let time: UInt64

    /// - Parameter sampleBefore: the one that `before` is of.
    init(
        _ workload: TopSample.Workload, _ before: TopSample.Workload?, now sample: TopSample,
        since sampleBefore: TopSample?
    ) {
        now = workload
        time = sample.time
        let start = before == nil ? workload.startTime : sampleBefore?.time ?? 0
        total = TopInterval(workload.total, since: before?.total, from: start, to: sample.time)
        isolates = workload.isolates.map { isolate in
            let same = before?.isolates.first { $0.pid == isolate.pid && $0.startTime == isolate.startTime }
            // What is new has counted since the look before, or since its start where that is earlier.
            let from = same != nil ? start : before == nil ? isolate.startTime : min(isolate.startTime, start)
            return (isolate, TopInterval(isolate.figures, since: same?.figures, from: from, to: sample.time))
        }
        let routesBefore = Dictionary(
            (before?.routes ?? []).map { ("\($0.method) \($0.route)", $0) }, uniquingKeysWith: { first, _ in first })
        routes = workload.routes.map { route in
            guard let before = routesBefore["\(route.method) \(route.route)"] else {
                return (route, route.duration, route.errors)
            }
            return (route, route.duration.since(before.duration), max(0, route.errors - before.errors))
        }
        let failuresBefore = Dictionary(
            (before?.failures ?? []).map { ($0.key, $0.count) }, uniquingKeysWith: { first, _ in first })
        failures = workload.failures.map { ($0, max(0, $0.count - (failuresBefore[$0.key] ?? 0))) }
        let restartsBefore = Dictionary(before?.restarts ?? [], uniquingKeysWith: { first, _ in first })
        restarts = workload.restarts.map { ($0.reason, $0.count, max(0, $0.count - (restartsBefore[$0.reason] ?? 0))) }
        let processes = sample.host?.processes(since: sampleBefore?.host) ?? [:]
        self.processes = processes
        let own = workload.isolates.compactMap { processes[$0.pid] }
        resident = own.isEmpty ? nil : own.reduce(0) { $0 + $1.resident }
        let shares = own.compactMap(\.cpuShare)
        processShare = shares.isEmpty ? nil : shares.reduce(0, +)
    }

    /// Of a CPU, all isolates together; nil: not known.
    var cpuShare: Double? { processShare ?? total.cpuShare(isolates: isolates.count) }

    func process(_ pid: Int64) -> TopHost.Process? { processes[pid] }
}

extension TopSample.Failure {
    fileprivate var key: String { "\(isClient) \(method) \(status) \(type) \(server) \(route)" }

    /// Where a fetch went, as in a URL.
    var server: String {
        guard port != 0 else { return host }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

/// An exporter, or the store, of an agent, for one signal.
struct TopOutlet {
    var agent: String
    var name: String
    var signal: String
    var sentRate = 0.0
    var queued = 0.0
    var dropped = 0.0
    var droppedChange = 0.0
    /// Of the exporter, whatever the signal.
    var retries = 0.0
    var queueBytes = 0.0

    static let store = "store"

    private enum Figure { case sent, queued, dropped }

    private static let figures: [String: (Figure, isStore: Bool)] = [
        "sidelight_export_sent_total": (.sent, false), "sidelight_export_queued": (.queued, false),
        "sidelight_export_dropped_total": (.dropped, false), "sidelight_store_written_total": (.sent, true),
        "sidelight_store_queued": (.queued, true), "sidelight_store_dropped_total": (.dropped, true),
    ]

    private struct Key: Hashable {
        var name: String
        var signal: String
    }

    private struct Sums {
        var figures: [Key: (sent: Double, queued: Double, dropped: Double)] = [:]
        var retries: [String: Double] = [:]
        var queueBytes: [String: Double] = [:]

        init(_ sample: TopSample?) {
            for counter in sample?.counters ?? [] {
                let exporter = counter.labels["exporter"] ?? ""
                switch counter.name {
                case "sidelight_export_retries_total": retries[exporter, default: 0] += counter.value
                case "sidelight_queue_bytes": queueBytes[exporter, default: 0] += counter.value
                default:
                    guard let (figure, isStore) = TopOutlet.figures[counter.name] else { continue }
                    let key = Key(name: isStore ? TopOutlet.store : exporter, signal: counter.labels["signal"] ?? "")
                    var sum = figures[key] ?? (0, 0, 0)
                    switch figure {
                    case .sent: sum.sent += counter.value
                    case .queued: sum.queued += counter.value
                    case .dropped: sum.dropped += counter.value
                    }
                    figures[key] = sum
                }
            }
        }
    }

    /// What has never had anything to do is left out.
    static func all(_ now: TopSample, _ before: TopSample?, of agent: String) -> [TopOutlet] {
        let (sums, old) = (Sums(now), Sums(before))
        let elapsed = before.map { now.time > $0.time ? Double(now.time - $0.time) / 1e9 : 0 } ?? 0
        return sums.figures.compactMap { key, figures in
            guard figures.sent + figures.queued + figures.dropped > 0 else { return nil }
            let last = old.figures[key] ?? (0, 0, 0)
            var outlet = TopOutlet(agent: agent, name: key.name, signal: key.signal)
            // Without an earlier sample there is no telling since when.
            outlet.sentRate = elapsed > 0 ? max(0, figures.sent - last.sent) / elapsed : 0
            outlet.queued = figures.queued
            outlet.dropped = figures.dropped
            outlet.droppedChange = before == nil ? 0 : max(0, figures.dropped - last.dropped)
            outlet.retries = sums.retries[key.name] ?? 0
            outlet.queueBytes = sums.queueBytes[key.name] ?? 0
            return outlet
        }
        .sorted { ($0.name, $0.signal) < ($1.name, $1.signal) }
    }
}
