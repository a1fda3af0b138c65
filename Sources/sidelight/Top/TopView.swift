/// What the table shows.
enum TopView: String, CaseIterable, Sendable {
    case workloads, isolates, routes, requests, errors, exporters

    /// The key that chooses it.
    var key: Character { Character(String((Self.allCases.firstIndex(of: self) ?? 0) + 1)) }

    var next: TopView { step(1) }
    var previous: TopView { step(Self.allCases.count - 1) }

    private func step(_ places: Int) -> TopView {
        let all = Self.allCases
        return all[((all.firstIndex(of: self) ?? 0) + places) % all.count]
    }

    /// The column it is sorted by until another is asked for.
    var sortedBy: String {
        switch self {
        case .workloads: "SERVICE"
        case .isolates: "PLACE"
        case .routes: "REQ/S"
        case .requests: "AGE"
        case .errors: "ERR/S"
        case .exporters: "NAME"
        }
    }

    var columns: [TopTable.Column] {
        typealias Column = TopTable.Column
        let service = Column(title: "SERVICE", isRight: false, rank: 1)
        let rates = [
            Column(title: "REQ/S"), Column(title: "ERR/S", rank: 2), Column(title: "AVG", rank: 8),
            Column(title: "P50", rank: 9), Column(title: "P99", rank: 2),
        ]
        let costs = [
            Column(title: "CPU"), Column(title: "RSS", rank: 4), Column(title: "HEAP", rank: 5),
            Column(title: "GC", rank: 11), Column(title: "LOOP P99", rank: 10),
        ]
        switch self {
        case .workloads:
            return [
                Column(title: "SERVICE", isRight: false),
                Column(title: "ENTRY", isRight: false, rank: 12, isFlexible: true),
                Column(title: "ISOLATES", rank: 10),
            ] + rates + [Column(title: "FLIGHT", rank: 6)] + costs + [
                Column(title: "RESTARTS", rank: 3), Column(title: "UP", rank: 7),
            ]
        case .isolates:
            return [
                service, Column(title: "PLACE"), Column(title: "PID", rank: 6),
                Column(title: "STATE", isRight: false, rank: 7),
            ] + rates + [Column(title: "FLIGHT", rank: 6)] + costs + [
                Column(title: "STALLS/S", rank: 12), Column(title: "TIMERS", rank: 13),
                Column(title: "WORKERS", rank: 13), Column(title: "UP", rank: 3),
            ]
        case .routes:
            return [
                service, Column(title: "METHOD", isRight: false),
                Column(title: "ROUTE", isRight: false, isFlexible: true),
            ] + rates + [Column(title: "MAX", rank: 7), Column(title: "COUNT", rank: 6)]
        case .requests:
            return [
                service, Column(title: "AGE"), Column(title: "METHOD", isRight: false),
                Column(title: "PATH", isRight: false, isFlexible: true), Column(title: "PLACE", rank: 4),
                Column(title: "PID", rank: 5), Column(title: "TRACE", isRight: false, rank: 3),
            ]
        case .errors:
            return [
                service, Column(title: "ERR/S"), Column(title: "COUNT", rank: 1),
                Column(title: "KIND", isRight: false, rank: 4),
                Column(title: "STATUS", rank: 3), Column(title: "TYPE", isRight: false),
                Column(title: "WHERE", isRight: false, isFlexible: true),
            ]
        case .exporters:
            return [
                Column(title: "AGENT", isRight: false, rank: 5),
                Column(title: "NAME", isRight: false, isFlexible: true),
                Column(title: "SIGNAL", isRight: false), Column(title: "SENT/S"), Column(title: "QUEUED"),
                Column(title: "BYTES", rank: 3), Column(title: "DROPPED"), Column(title: "RETRIES", rank: 4),
            ]
        }
    }

    /// - Parameter isKnown: whether there are figures of a workload, or no workload.
    func emptyText(isKnown: Bool) -> String {
        switch self {
        case .routes where !isKnown, .requests where !isKnown, .errors where !isKnown:
            "not known: `sidelight run` counts no requests"
        case .workloads, .isolates: "no workload is served here"
        case .routes: "no request was answered yet"
        case .requests: "no request is in flight"
        case .errors: "no errors"
        case .exporters: "nothing was exported or stored yet"
        }
    }
}

extension TopView {
    /// The rows, in the order they come.
    func table(_ workloads: [TopWorkload], _ outlets: [TopOutlet]) -> TopTable {
        let isKnown = workloads.isEmpty || workloads.contains(where: \.now.hasFigures)
        var table = TopTable(columns: columns, emptyText: emptyText(isKnown: isKnown))
        switch self {
        case .workloads: table.rows = workloads.map(Self.row)
        case .isolates: table.rows = workloads.flatMap { work in work.isolates.map { Self.row($0, work) } }
        case .routes: table.rows = workloads.flatMap { work in work.routes.map { Self.row($0, work) } }
        case .requests: table.rows = workloads.flatMap(Self.requests)
        case .errors: table.rows = workloads.flatMap(Self.errors)
        case .exporters: table.rows = outlets.map(Self.row)
        }
        // One service needs no column.
        if workloads.count < 2, self != .workloads, self != .exporters { table.drop("SERVICE") }
        if Set(outlets.map(\.agent)).count < 2, self == .exporters { table.drop("AGENT") }
        return table
    }

    private typealias Cell = TopTable.Cell

    /// - Parameter interval: nil: not known.
    private static func rates(_ interval: TopInterval?) -> [TopTable.Cell] {
        guard let interval else { return [Cell](repeating: unknown, count: 6) }
        let (figures, rate) = (interval.figures, interval.requestRate)
        return [
            Cell(TopText.number(rate), rate), errorRate(interval.errorRate),
        ] + times(figures.duration) + [Cell(TopText.number(figures.active), figures.active)]
    }

    private static let unknown = Cell(TopText.none, nil as Double?)

    private static func times(_ duration: TopDuration) -> [TopTable.Cell] {
        let (half, last) = (duration.quantile(0.5), duration.quantile(0.99))
        return [
            Cell(TopText.seconds(duration.mean), duration.mean), Cell(TopText.quantile(half), half.order),
            Cell(TopText.quantile(last), last.order),
        ]
    }

    private static func errorRate(_ rate: Double) -> TopTable.Cell {
        Cell(TopText.number(rate), rate, rate > 0 ? .red : nil)
    }

    /// - Parameter interval: nil: not known.
    private static func costs(
        _ interval: TopInterval?, cpu: Double?, resident: Double?
    ) -> [TopTable.Cell] {
        let process = [
            Cell(TopText.percent(cpu), cpu, (cpu ?? 0) > 0.9 ? .yellow : nil),
            Cell(resident.map(TopText.bytes) ?? TopText.none, resident),
        ]
        guard let interval else { return process + [Cell](repeating: unknown, count: 3) }
        let (figures, delay) = (interval.figures, interval.delay(0.99))
        let fullness = figures.heapLimit > 0 ? figures.heapUsed / figures.heapLimit : 0
        return process + [
            Cell(
                TopText.bytes(figures.heapUsed), figures.heapUsed,
                fullness > 0.9 ? .red : fullness > 0.75 ? .yellow : nil),
            Cell(
                TopText.percent(interval.collectionShare), interval.collectionShare,
                interval.collectionShare > 0.1 ? .yellow : nil),
            Cell(TopText.seconds(delay), delay, (delay ?? 0) > 0.05 ? .yellow : nil),
        ]
    }

    private static func row(_ work: TopWorkload) -> [TopTable.Cell] {
        let total = work.now.hasFigures ? work.total : nil
        let restarts = work.restarts.reduce(0) { $0 + $1.count }
        let isChanged = work.restarts.contains { $0.change > 0 }
        return [
            Cell(work.now.service, .cyan), Cell(work.now.entry),
            Cell(TopText.number(Double(work.now.isolates.count)), Double(work.now.isolates.count)),
        ] + rates(total)
            + costs(total, cpu: work.cpuShare, resident: work.resident) + [
                Cell(TopText.number(restarts), restarts, isChanged ? .boldRed : restarts > 0 ? .yellow : nil),
                Cell(TopText.age(work.now.startTime, now: work.time), work.age(of: work.now.startTime)),
            ]
    }

    private static func row(
        _ isolate: (now: TopSample.Isolate, interval: TopInterval), _ work: TopWorkload
    ) -> [TopTable.Cell] {
        let (now, process) = (isolate.now, work.process(isolate.now.pid))
        let interval = now.hasFigures ? isolate.interval : nil
        let cpu = process?.cpuShare ?? interval?.cpuShare(isolates: 1)
        let stalls = interval?.rate(\.stalls)
        let style: Style = now.state == "serving" ? .green : now.state == "failed" ? .red : .yellow
        let state = now.hasFigures ? Cell(now.state, style) : Cell(TopText.none)
        func cell(_ value: Double?, _ style: Style? = nil) -> Cell {
            Cell(value.map(TopText.number) ?? TopText.none, value, style)
        }
        return [
            Cell(work.now.service, .cyan), Cell(String(now.place), -Double(now.place)),
            Cell(String(now.pid), -Double(now.pid)),
            state,
        ] + rates(interval)
            + costs(interval, cpu: cpu, resident: process?.resident) + [
                cell(stalls, (stalls ?? 0) > 0 ? .yellow : nil), cell(interval?.figures.timers),
                cell(interval?.figures.workers),
                Cell(TopText.age(now.startTime, now: work.time), work.age(of: now.startTime)),
            ]
    }

    private static func row(
        _ route: (now: TopSample.Route, change: TopDuration, errors: Double), _ work: TopWorkload
    ) -> [TopTable.Cell] {
        let (now, change, errors) = route
        let rate = change.count / work.total.seconds
        return [
            Cell(work.now.service, .cyan), Cell(now.method, .bold), Cell(now.route.isEmpty ? "(no route)" : now.route),
            Cell(TopText.number(rate), rate), errorRate(errors / work.total.seconds),
        ] + times(change) + [
            Cell(TopText.seconds(now.duration.max), now.duration.max),
            Cell(TopText.number(now.duration.count), now.duration.count),
        ]
    }

    private static func requests(_ work: TopWorkload) -> [[TopTable.Cell]] {
        work.now.isolates.flatMap { isolate in
            isolate.requests.map { request in
                let age = work.age(of: request.startTime)
                return [
                    Cell(work.now.service, .cyan),
                    Cell(
                        TopText.age(request.startTime, now: work.time), age, age > 10 ? .red : age > 1 ? .yellow : nil),
                    Cell(request.method, .bold), Cell(request.path),
                    Cell(String(isolate.place), -Double(isolate.place)),
                    Cell(String(isolate.pid), -Double(isolate.pid)), Cell(request.traceID, .dim),
                ]
            }
        }
    }

    private static func errors(_ work: TopWorkload) -> [[TopTable.Cell]] {
        func row(
            _ kind: String, _ change: Double, _ count: Double, status: Int64 = 0, type: String = "", place: String = ""
        ) -> [TopTable.Cell]? {
            guard count > 0 else { return nil }
            let rate = change / work.total.seconds
            return [
                Cell(work.now.service, .cyan), errorRate(rate), Cell(TopText.number(count), count), Cell(kind),
                Cell(status > 0 ? String(status) : "", status > 0 ? Double(status) : nil), Cell(type, .yellow),
                Cell(place),
            ]
        }
        let (now, change) = (work.now.total, work.total.figures)
        let responses = work.failures.map { failure, change in
            row(
                failure.isClient ? "fetch" : "response", change, failure.count, status: failure.status,
                // The type of a response that has no other is its status.
                type: failure.type == String(failure.status) ? "" : failure.type,
                place: [failure.method, failure.isClient ? failure.server : failure.route].filter { !$0.isEmpty }
                    .joined(separator: " "))
        }
        let others = [
            row("uncaught", change.unhandled, now.unhandled), row("timeout", change.timeouts, now.timeouts),
            row("client left", change.abandoned, now.abandoned), row("malformed", change.malformed, now.malformed),
            row("schedule", change.scheduledFailures, now.scheduledFailures),
        ]
        let restarts = work.restarts.map { row("restart", $0.change, $0.count, type: $0.reason) }
        return (responses + others + restarts).compactMap { $0 }
    }

    private static func row(_ outlet: TopOutlet) -> [TopTable.Cell] {
        [
            Cell(outlet.agent, .cyan), Cell(outlet.name), Cell(outlet.signal),
            Cell(TopText.number(outlet.sentRate), outlet.sentRate),
            Cell(TopText.number(outlet.queued), outlet.queued, outlet.queued > 0 ? .yellow : nil),
            Cell(TopText.bytes(outlet.queueBytes), outlet.queueBytes),
            Cell(
                TopText.number(outlet.dropped), outlet.dropped,
                outlet.droppedChange > 0 ? .boldRed : outlet.dropped > 0 ? .red : nil),
            Cell(TopText.number(outlet.retries), outlet.retries),
        ]
    }
}

extension TopTable {
    fileprivate mutating func drop(_ title: String) {
        guard let column = columns.firstIndex(where: { $0.title == title }) else { return }
        columns.remove(at: column)
        for row in rows.indices { rows[row].remove(at: column) }
    }
}

extension TopWorkload {
    /// Seconds since then.
    fileprivate func age(of start: UInt64) -> Double { start == 0 || start > time ? 0 : Double(time - start) / 1e9 }
}

extension TopQuantile {
    /// For sorting.
    fileprivate var order: Double? {
        switch self {
        case .none: nil
        case .below(let bound): bound / 2
        case .at(let value, _): value
        case .above(let bound): bound * 2
        }
    }
}
