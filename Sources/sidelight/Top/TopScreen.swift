/// How the view stands, and what of the model is seen of it. Pure: keys and a model in, lines out.
struct TopScreen {
    private(set) var view: TopView
    private(set) var isPaused = false
    private(set) var showsHelp = false
    private var sorted: [TopView: String] = [:]
    private var reversed: Set<TopView> = []
    /// Rows above the first that is shown.
    private var offset = 0
    /// Rows that were shown last, and that there were.
    private var page = 1
    private var rowCount = 0

    let intervalNanoseconds: UInt64

    /// - Parameter sort: The column of `view`, in any case of letters; one that there is not is ignored.
    init(view: TopView, sort: String? = nil, isReversed: Bool = false, intervalNanoseconds: UInt64) {
        self.view = view
        self.intervalNanoseconds = intervalNanoseconds
        sorted[view] = sort.flatMap { name in view.columns.first { $0.title == name.uppercased() }?.title }
        if isReversed { reversed.insert(view) }
    }

    var sortedBy: String { sorted[view] ?? view.sortedBy }

    // MARK: keys

    /// False: that is the end.
    mutating func take(_ key: TopKey) -> Bool {
        if showsHelp {
            showsHelp = false
            return key != .quit
        }
        switch key {
        case .quit: return false
        case .pause: isPaused.toggle()
        case .help: showsHelp = true
        case .reverse: if reversed.remove(view) == nil { reversed.insert(view) }
        case .nextSort: sort(1)
        case .previousSort: sort(-1)
        case .nextView: show(view.next)
        case .previousView: show(view.previous)
        case .view(let view): show(view)
        case .up: offset -= 1
        case .down: offset += 1
        case .pageUp: offset -= page
        case .pageDown: offset += page
        case .first: offset = 0
        case .last: offset = rowCount
        case .redraw, .other: break
        }
        offset = max(0, min(offset, rowCount - page))
        return true
    }

    private mutating func show(_ view: TopView) {
        self.view = view
        offset = 0
    }

    private mutating func sort(_ step: Int) {
        let titles = view.columns.map(\.title)
        let index = titles.firstIndex(of: sortedBy) ?? 0
        sorted[view] = titles[(index + step + titles.count) % titles.count]
        offset = 0
    }

    // MARK: lines

    /// Exactly what a terminal of this size shows, at most.
    mutating func frame(_ model: TopModel, width: Int, height: Int) -> [TopLine] {
        guard !showsHelp else { return Array(Self.help.prefix(max(height, 1))) }
        let workloads = model.workloads
        let table = table(model, workloads)
        // The table matters more than what stands above it.
        let above = TopSummary.lines(model, workloads)
        let room = max(height - 1, 1)
        let head = Array(above.prefix(max(0, min(above.count, room - 5))))
        let lines = table.lines(width: width, sortedBy: sortedBy)
        page = max(1, room - head.count - 1)
        rowCount = lines.count - 1
        offset = max(0, min(offset, rowCount - page))
        let shown = [lines[0]] + lines.dropFirst(1 + offset).prefix(page)
        return Array(([status(model)] + head + shown).prefix(max(height, 1)))
    }

    /// The same to be printed: all rows. `width` is `Int.max` for a pipe.
    func table(_ model: TopModel, width: Int) -> [TopLine] {
        let workloads = model.workloads
        return TopSummary.lines(model, workloads) + table(model, workloads).lines(width: width)
    }

    private func table(_ model: TopModel, _ workloads: [TopWorkload]) -> TopTable {
        var table = view.table(workloads, model.outlets)
        table.sort(by: sortedBy, isReversed: reversed.contains(view))
        return table
    }

    private func status(_ model: TopModel) -> TopLine {
        var spans: [TopLine.Span] = []
        for (index, view) in TopView.allCases.enumerated() {
            if index > 0 { spans.append(TopLine.Span(" ")) }
            spans.append(TopLine.Span("\(view.key) \(view.rawValue)", view == self.view ? .found : .dim))
        }
        spans.append(TopLine.Span("  by \(sortedBy)\(reversed.contains(view) ? " reversed" : "")", .dim))
        spans.append(TopLine.Span("  every \(TimeText.duration(intervalNanoseconds))", .dim))
        if isPaused {
            spans.append(TopLine.Span("  PAUSED", .yellow))
        } else if !model.hasInterval {
            spans.append(TopLine.Span("  since the start", .dim))
        }
        if offset > 0 || rowCount > page {
            spans.append(TopLine.Span("  rows \(offset + 1)-\(min(offset + page, rowCount)) of \(rowCount)", .dim))
        }
        spans.append(TopLine.Span("  ? help", .dim))
        return TopLine(spans)
    }

    private static let help: [TopLine] = [
        ("sidelight top", ""), ("", ""),
        ("1-6, Tab", "workloads, isolates, routes, requests in flight, errors, exporters"),
        ("s, right", "sort by the next column"), ("S, left", "by the one before"), ("r", "the other way round"),
        ("up, down", "scroll; PageUp, PageDown, Home, End"), ("p, space", "pause, and go on"), ("q", "quit"), ("", ""),
        ("REQ/S, ERR/S", "answers a second, and those of them that were errors"),
        ("P50, P99", "of the answers in the interval, by the buckets of http.server.request.duration"),
        ("CPU", "of one CPU"), ("GC", "share of the time spent in collections"),
        ("LOOP P99", "how late the event loop was"), ("", ""), ("any key", "back"),
    ].map { key, text in TopLine([TopLine.Span(key.padded(to: 14), .bold), TopLine.Span(text)]) }
}
