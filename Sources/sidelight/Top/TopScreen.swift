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
    /// Columns that were shown last; empty: none of this view were.
    private var titles: [String] = []
    /// Nobody has asked for another view than what there is to see.
    private var isViewOpen: Bool

    let intervalNanoseconds: UInt64

    /// - Parameters:
    ///   - view: nil: isolates, or exporters where nothing is served.
    ///   - sort: The column of the view, in any case of letters; one that there is not is ignored.
    init(view: TopView?, sort: String? = nil, isReversed: Bool = false, intervalNanoseconds: UInt64) {
        isViewOpen = view == nil && sort == nil
        self.view = view ?? .isolates
        self.intervalNanoseconds = intervalNanoseconds
        let titles = self.view.columns.map(\.title)
        sorted[self.view] = sort.flatMap { name in titles.first { $0 == name.uppercased() } }
        if isReversed { reversed.insert(self.view) }
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
        isViewOpen = false
        titles = []
        offset = 0
    }

    /// Once all ports have said what they have.
    private mutating func chooseView(_ model: TopModel) {
        guard isViewOpen, model.sources.allSatisfy({ $0.now != nil || $0.problem != nil }),
            model.sources.contains(where: { $0.now != nil })
        else { return }
        show(model.sources.contains { $0.now?.workloads.isEmpty == false } ? view : .exporters)
    }

    /// Columns that are left out are passed over.
    private mutating func sort(_ step: Int) {
        if titles.isEmpty { titles = view.columns.map(\.title) }
        let index = titles.firstIndex(of: sortedBy) ?? (step > 0 ? -1 : 0)
        sorted[view] = titles[(index + step + titles.count) % titles.count]
        offset = 0
    }

    // MARK: lines

    /// Exactly what a terminal of this size shows, at most.
    mutating func frame(_ model: TopModel, width: Int, height: Int) -> [TopLine] {
        chooseView(model)
        guard !showsHelp else { return Array(Self.help.prefix(max(height, 1))) }
        let workloads = model.workloads
        let table = table(model, workloads)
        // The table matters more than what stands above it.
        let above = TopSummary.lines(model, workloads, width: width)
        let room = max(height - 1, 1)
        let head = Array(above.prefix(max(0, min(above.count, room - 5))))
        let lines = table.lines(width: width, sortedBy: sortedBy)
        titles = table.titles(width: width)
        page = max(1, room - head.count - 1)
        rowCount = lines.count - 1
        offset = max(0, min(offset, rowCount - page))
        let shown = [lines[0]] + lines.dropFirst(1 + offset).prefix(page)
        return Array(([status(model, width: width)] + head + shown).prefix(max(height, 1)))
    }

    /// The same to be printed: all rows. `width` is `Int.max` for a pipe.
    mutating func table(_ model: TopModel, width: Int) -> [TopLine] {
        chooseView(model)
        let workloads = model.workloads
        return TopSummary.lines(model, workloads, width: width) + table(model, workloads).lines(width: width)
    }

    private func table(_ model: TopModel, _ workloads: [TopWorkload]) -> TopTable {
        var table = view.table(workloads, model.outlets)
        table.sort(by: sortedBy, isReversed: reversed.contains(view))
        // They are of the exporter, and the rows of its signals.
        if view == .exporters { table.sayOnce(["BYTES", "RETRIES"], of: ["AGENT", "NAME"]) }
        return table
    }

    private func status(_ model: TopModel, width: Int) -> TopLine {
        var parts = TopParts()
        parts.add("? help", .dim)
        for (index, view) in TopView.allCases.enumerated() {
            let text = "\(index == 0 ? "  " : " ")\(view.key) \(view.rawValue)"
            parts.add(text, view == self.view ? .found : .dim, rank: view == self.view ? 0 : 3)
        }
        if isPaused {
            parts.add("  PAUSED", .yellow, rank: 1)
        } else if !model.hasInterval {
            parts.add("  since the start", .dim, rank: 5)
        }
        parts.add("  by \(sortedBy)\(reversed.contains(view) ? " reversed" : "")", .dim, rank: 2)
        if offset > 0 || rowCount > page {
            let last = min(offset + page, rowCount)
            parts.add("  rows \(offset + 1)-\(last) of \(rowCount)", .dim, rank: 4)
        }
        parts.add("  every \(TimeText.duration(intervalNanoseconds))", .dim, rank: 6)
        return parts.line(width: width)
    }

    private static let help: [TopLine] = [
        ("sidelight top", ""), ("", ""),
        ("1-6, Tab", "workloads, isolates, routes, requests in flight, errors, exporters"),
        ("s, right", "sort by the next column"), ("S, left", "by the one before"), ("r", "the other way round"),
        ("up, down", "scroll; PageUp, PageDown, Home, End"), ("p, space", "pause, and go on"), ("q", "quit"), ("", ""),
        ("REQ/S, ERR/S", "answers a second, and those of them that were errors"),
        ("P50, P99", "of the answers in the interval, by the buckets of http.server.request.duration"),
        ("CPU", "of one CPU"), ("GC", "share of the time spent in collections"),
        ("LOOP P99", "how late the event loop was"), ("", ""), ("any other key", "back"),
    ].map { key, text in TopLine([TopLine.Span(key.padded(to: 14), .bold), TopLine.Span(text)]) }
}
