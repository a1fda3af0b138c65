/// What stands above the table: the sums of what is served, the machine, and ports that do not answer. Pure.
enum TopSummary {
    static func lines(_ model: TopModel, _ workloads: [TopWorkload], width: Int) -> [TopLine] {
        var lines = model.sources.compactMap { source in
            source.problem.map { TopLine([TopLine.Span("\(source.place.escaped): \($0.escaped)", .boldRed)]) }
        }
        var parts: [TopParts] = []
        if workloads.count == 1 {
            parts += [name(workloads[0])]
            if workloads[0].now.hasFigures { parts.append(requests(workloads[0].total)) }
            parts.append(costs(workloads[0]))
        } else if workloads.count > 1 {
            parts.append(several(workloads))
        }
        if let host = model.host { parts.append(machine(host)) }
        lines += parts.map { $0.line(width: width) }
        return lines.isEmpty ? [] : lines + [TopLine([])]
    }

    private static func name(_ work: TopWorkload) -> TopParts {
        let now = work.now
        var parts = TopParts()
        parts.add(now.service.escaped, .cyan)
        parts.add("  \(now.entry.escaped)", .bold, rank: 5)
        if !now.url.isEmpty { parts.add("  \(now.url.escaped)", rank: 4) }
        parts.add("  up \(TopText.age(now.startTime, now: work.time))", .dim, rank: 2)
        parts.add("  \(counted(now.isolates.count, "isolate"))", rank: 3)
        let restarts = work.restarts.reduce(0) { $0 + $1.count }
        if restarts > 0 {
            let text = restarts == 1 ? "  1 restart" : "  \(TopText.number(restarts)) restarts"
            parts.add(text, work.restarts.contains { $0.change > 0 } ? .boldRed : .yellow, rank: 1)
        }
        if now.isEnding { parts.add("  ending", .yellow, rank: 1) }
        return parts
    }

    private static func requests(_ total: TopInterval) -> TopParts {
        let figures = total.figures
        var parts = TopParts()
        parts.add("\(TopText.number(total.requestRate)) req/s", .bold)
        parts.add("   \(TopText.percent(total.errorShare)) errors", (total.errorShare ?? 0) > 0 ? .red : nil, rank: 1)
        parts.add("   avg \(TopText.seconds(figures.duration.mean))", rank: 4)
        parts.add("   p50 \(TopText.quantile(figures.duration.quantile(0.5)))", rank: 3)
        parts.add("   p99 \(TopText.quantile(figures.duration.quantile(0.99)))", rank: 1)
        parts.add("   \(TopText.number(figures.active)) in flight", rank: 2)
        parts.add("   connections \(TopText.number(figures.connections))", rank: 5)
        parts.add("   in \(TopText.bytes(total.rate(\.bytesIn)))/s", rank: 6)
        parts.add("   out \(TopText.bytes(total.rate(\.bytesOut)))/s", rank: 6)
        return parts
    }

    private static func costs(_ work: TopWorkload) -> TopParts {
        let (total, figures) = (work.total, work.total.figures)
        var parts = TopParts()
        parts.add("cpu \(TopText.percent(work.cpuShare))", .bold)
        if let resident = work.resident { parts.add("   rss \(TopText.bytes(resident))", rank: 1) }
        guard work.now.hasFigures else { return parts }
        parts.add("   heap \(TopText.bytes(figures.heapUsed)) of \(TopText.bytes(figures.heapLimit))", rank: 1)
        parts.add("   gc \(TopText.percent(total.collectionShare))", rank: 3)
        parts.add("   loop p99 \(TopText.seconds(total.delay(0.99)))", rank: 2)
        if let cpu = total.cpuOfRequest(isolates: work.isolates.count) {
            var text = "   a request: \(TopText.seconds(cpu)) cpu"
            if let collections = total.each(\.collectionSeconds) { text += ", \(TopText.seconds(collections)) gc" }
            parts.add(text, .dim, rank: 4)
            if let bytesIn = total.each(\.bytesIn), let bytesOut = total.each(\.bytesOut) {
                parts.add(", \(TopText.bytes(bytesIn)) in, \(TopText.bytes(bytesOut)) out", .dim, rank: 5)
            }
        }
        return parts
    }

    private static func several(_ workloads: [TopWorkload]) -> TopParts {
        let requests = workloads.reduce(0) { $0 + $1.total.requestRate }
        let errors = workloads.reduce(0) { $0 + $1.total.errorRate }
        let flight = workloads.reduce(0) { $0 + $1.total.figures.active }
        let shares = workloads.compactMap(\.cpuShare)
        let cpu = shares.isEmpty ? nil : shares.reduce(0, +)
        var parts = TopParts()
        parts.add(counted(workloads.count, "workload"), .bold)
        parts.add("   \(TopText.number(requests)) req/s", .bold, rank: 1)
        parts.add("   \(TopText.number(errors)) errors/s", errors > 0 ? .red : nil, rank: 2)
        parts.add("   \(TopText.number(flight)) in flight", rank: 4)
        parts.add("   cpu \(TopText.percent(cpu))", rank: 3)
        return parts
    }

    private static func machine(_ host: TopHost) -> TopParts {
        var parts = TopParts()
        parts.add("host", .dim)
        if let cpu = host.cpuShare { parts.add("  cpu \(TopText.percent(cpu))", .dim, rank: 1) }
        if let load = host.load { parts.add("   load \(TopText.number(load))", .dim, rank: 3) }
        if let used = host.memoryUsed, let total = host.memoryTotal {
            parts.add("   memory \(TopText.bytes(used)) of \(TopText.bytes(total))", .dim, rank: 2)
        }
        for (resource, share) in host.pressure {
            parts.add("   \(resource) pressure \(TopText.percent(share))", .dim, rank: 4)
        }
        return parts
    }
}
