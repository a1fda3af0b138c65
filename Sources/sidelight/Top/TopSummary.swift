/// What stands above the table: the sums of what is served, the machine, and ports that do not answer. Pure.
enum TopSummary {
    static func lines(_ model: TopModel, _ workloads: [TopWorkload]) -> [TopLine] {
        var lines = model.sources.compactMap { source in
            source.problem.map { TopLine([TopLine.Span("\(source.place.escaped): \($0.escaped)", .boldRed)]) }
        }
        if workloads.count == 1 {
            lines += one(workloads[0])
        } else if workloads.count > 1 {
            lines.append(several(workloads))
        }
        if let host = model.host { lines.append(machine(host)) }
        return lines.isEmpty ? [] : lines + [TopLine([])]
    }

    private static func one(_ work: TopWorkload) -> [TopLine] {
        let (now, total, figures) = (work.now, work.total, work.total.figures)
        var first = [TopLine.Span(now.service.escaped, .cyan), TopLine.Span("  \(now.entry.escaped)", .bold)]
        if !now.url.isEmpty { first.append(TopLine.Span("  \(now.url.escaped)")) }
        first.append(TopLine.Span("  up \(TopText.age(now.startTime, now: work.time))", .dim))
        first.append(TopLine.Span("  \(counted(now.isolates.count, "isolate"))"))
        let restarts = work.restarts.reduce(0) { $0 + $1.count }
        if restarts > 0 {
            let text = "  \(TopText.number(restarts)) restarts"
            first.append(TopLine.Span(text, work.restarts.contains { $0.change > 0 } ? .boldRed : .yellow))
        }
        if now.isEnding { first.append(TopLine.Span("  ending", .yellow)) }
        let errors = total.errorShare ?? 0
        let second = [
            TopLine.Span("\(TopText.number(total.requestRate)) req/s", .bold),
            TopLine.Span("   \(TopText.percent(total.errorShare)) errors", errors > 0 ? .red : nil),
            TopLine.Span("   avg \(TopText.seconds(figures.duration.mean))"),
            TopLine.Span("   p50 \(TopText.quantile(figures.duration.quantile(0.5)))"),
            TopLine.Span("   p99 \(TopText.quantile(figures.duration.quantile(0.99)))"),
            TopLine.Span(
                "   \(TopText.number(figures.active)) in flight   connections \(TopText.number(figures.connections))"),
            TopLine.Span(
                "   in \(TopText.bytes(total.rate(\.bytesIn)))/s   out \(TopText.bytes(total.rate(\.bytesOut)))/s"),
        ]
        var third = [TopLine.Span("cpu \(TopText.percent(work.cpuShare))", .bold)]
        if let resident = work.resident { third.append(TopLine.Span("   rss \(TopText.bytes(resident))")) }
        third += [
            TopLine.Span("   heap \(TopText.bytes(figures.heapUsed)) of \(TopText.bytes(figures.heapLimit))"),
            TopLine.Span("   gc \(TopText.percent(total.collectionShare))"),
            TopLine.Span("   loop p99 \(TopText.seconds(total.delay(0.99)))"),
        ]
        if let cpu = total.cpuOfRequest(isolates: work.isolates.count) {
            third.append(TopLine.Span("   a request: \(TopText.seconds(cpu)) cpu", .dim))
            if let collections = total.each(\.collectionSeconds) {
                third.append(TopLine.Span(", \(TopText.seconds(collections)) gc", .dim))
            }
            if let bytesIn = total.each(\.bytesIn), let bytesOut = total.each(\.bytesOut) {
                third.append(TopLine.Span(", \(TopText.bytes(bytesIn)) in, \(TopText.bytes(bytesOut)) out", .dim))
            }
        }
        return [TopLine(first), TopLine(second), TopLine(third)]
    }

    private static func several(_ workloads: [TopWorkload]) -> TopLine {
        let requests = workloads.reduce(0) { $0 + $1.total.requestRate }
        let errors = workloads.reduce(0) { $0 + $1.total.errorRate }
        let flight = workloads.reduce(0) { $0 + $1.total.figures.active }
        let cpu = workloads.reduce(0) { $0 + ($1.cpuShare ?? 0) }
        return TopLine([
            TopLine.Span(counted(workloads.count, "workload"), .bold),
            TopLine.Span("   \(TopText.number(requests)) req/s", .bold),
            TopLine.Span("   \(TopText.number(errors)) errors/s", errors > 0 ? .red : nil),
            TopLine.Span("   \(TopText.number(flight)) in flight   cpu \(TopText.percent(cpu))"),
        ])
    }

    private static func machine(_ host: TopHost) -> TopLine {
        var text = "host"
        if let cpu = host.cpuShare { text += "  cpu \(TopText.percent(cpu))" }
        if let load = host.load { text += "   load \(TopText.number(load))" }
        if let used = host.memoryUsed, let total = host.memoryTotal {
            text += "   memory \(TopText.bytes(used)) of \(TopText.bytes(total))"
        }
        for (resource, share) in host.pressure { text += "   \(resource) pressure \(TopText.percent(share))" }
        return TopLine([TopLine.Span(text, .dim)])
    }
}
