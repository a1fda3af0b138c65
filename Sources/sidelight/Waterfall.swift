import Store
import Telemetry

/// A trace drawn for the terminal: the tree of spans with names, durations and bars; logs, events and errors in place.
struct Waterfall {
    struct Options {
        var terminal: Terminal
        /// Lines with the attributes of spans and events.
        var showsAttributes = false
        var spansMax = 1_000
        /// Times in UTC instead of the local zone, for tests.
        var utc = false
    }

    private static let durationColumns = 9
    private static let barColumnsMin = 12
    private static let nameColumnsMin = 20
    private static let serviceColumnsMax = 16
    /// Names are left at least so much of their cell by the tree's branches.
    private static let nameLeftMin = 10
    private static let framesMax = 3
    /// Attributes of events that say how long something took.
    private static let durations = ["sidelight.eventloop.stall", "sidelight.gc.pause", "sidelight.timer.late"]

    private let trace: StoredTrace
    private let options: Options
    /// What stands under the spans is cut to the terminal's width.
    private let cutsNotes: Bool
    private let painter: Painter
    private let tree: TraceTree
    private let shown: [Bool]
    private let window: ClosedRange<UInt64>
    private let showsServices: Bool
    /// Logs by the span they belong to; those under nil belong to none that is here.
    private let logs: [Int?: [StoredLog]]

    private let nameColumns: Int
    private let serviceColumns: Int
    private let barColumns: Int

    init(_ trace: StoredTrace, _ options: Options) {
        self.trace = trace
        self.options = options
        cutsNotes = options.terminal.isInteractive && !options.showsAttributes
        painter = Painter(hasColor: options.terminal.hasColor)
        let tree = TraceTree(trace.spans)
        self.tree = tree
        shown = tree.shown(limit: max(options.spansMax, 1)) { trace.spans[$0].span.status.code == .error }
        logs = Dictionary(grouping: trace.logs) { tree.index[$0.record.spanID] }
        let start = trace.spans.map(\.span.startTime).min() ?? 0
        window = start...max(start, trace.spans.map { max($0.span.endTime, $0.span.startTime) }.max() ?? 0)

        let services = Set(trace.spans.map(\.resource.serviceName))
        showsServices = services.count > 1
        serviceColumns =
            showsServices ? min(Self.serviceColumnsMax, services.map { $0.escaped.columns }.max() ?? 0) + 2 : 0
        let width = options.terminal.width
        let wanted = Self.nameWanted(trace, tree, shown)
        let fixed = Self.durationColumns + 2 + serviceColumns
        let most = min(max(width * 45 / 100, Self.nameColumnsMin), width - fixed)
        nameColumns = min(max(wanted, Self.nameColumnsMin), most)
        let rest = width - nameColumns - fixed - 2
        barColumns = rest >= Self.barColumnsMin ? rest : 0
    }

    /// Columns that names with their branches would like to have.
    private static func nameWanted(_ trace: StoredTrace, _ tree: TraceTree, _ shown: [Bool]) -> Int {
        var depths = Array(repeating: 0, count: trace.spans.count)
        var wanted = 0
        for number in tree.order {
            if let parent = tree.parents[number] { depths[number] = depths[parent] + 1 }
            if shown[number] {
                wanted = max(wanted, depths[number] * 3 + trace.spans[number].span.title.escaped.columns + 2)
            }
        }
        return wanted
    }

    // MARK: drawing

    func lines() -> [String] {
        var out = header()
        if !trace.spans.isEmpty, barColumns > 0 { out.append(scale()) }
        for (position, root) in tree.roots.enumerated() where shown[root] {
            if position > 0, tree.sizes[root] > 1 || tree.sizes[tree.roots[position - 1]] > 1 { out.append("") }
            draw(root, into: &out)
        }
        let hiddenRoots = tree.roots.filter { !shown[$0] }
        if !hiddenRoots.isEmpty { out.append(hiddenLine(hiddenRoots, prefix: "")) }
        if let stray = logs[nil], !stray.isEmpty {
            out.append("")
            out.append(painter(trace.spans.isEmpty ? "Logs:" : "Logs outside these spans:", .dim))
            for log in stray { out += note(log, besides: nil, prefix: "  ") }
        }
        if trace.omittedSpans > 0 {
            out.append(painter("… \(counted(trace.omittedSpans, "later span")) of this trace not read", .yellow))
        }
        if trace.omittedLogs > 0 {
            out.append(painter("… \(counted(trace.omittedLogs, "later log record")) of this trace not read", .yellow))
        }
        return out
    }

    private func header() -> [String] {
        // What is drawn as an error: spans that failed, and errors that are on no such span.
        let isLogged = trace.logs.map { isError($0) }
        let errors =
            trace.spans.count { $0.span.status.code == .error }
            + zip(trace.logs, isLogged).count { log, isError in
                isError && tree.index[log.record.spanID].map { trace.spans[$0].span.status.code != .error } ?? true
            }
        let logs = isLogged.count { !$0 } + trace.omittedLogs
        let services = Set(trace.spans.map(\.resource.serviceName) + trace.logs.map(\.resource.serviceName)).sorted()
        var facts = [painter(services.map(\.escaped).joined(separator: ", "), .cyan)]
        if let start = trace.spans.isEmpty ? trace.logs.first?.time : window.lowerBound {
            facts.append(TimeText.dateAndTime(start, utc: options.utc))
        }
        if !trace.spans.isEmpty { facts.append(TimeText.duration(window.upperBound - window.lowerBound)) }
        facts.append(counted(trace.spans.count + trace.omittedSpans, "span"))
        if errors > 0 { facts.append(painter(counted(errors, "error"), .boldRed)) }
        if logs > 0 { facts.append(counted(logs, "log")) }
        return [painter("Trace ", .dim) + painter(trace.id.hex, .bold), facts.joined(separator: "  ")]
    }

    /// Whether it is an error that nobody caught, which is drawn as such.
    private func isError(_ log: StoredLog) -> Bool {
        log.record.eventName == ExceptionText.eventName && ExceptionText(log.record.attributes) != nil
    }

    /// The times at the beginning, the middle and the end of the bars.
    private func scale() -> String {
        let length = window.upperBound - window.lowerBound
        let end = TimeText.duration(length)
        let middle = barColumns >= 40 ? TimeText.duration(length / 2) : ""
        var line = "0".padded(to: barColumns / 2) + middle
        line = line.padded(to: barColumns - end.columns) + end
        return painter(
            String(repeating: " ", count: nameColumns + serviceColumns + Self.durationColumns + 4) + line, .dim)
    }

    /// A span and all below it. Its own stack, because traces may be deeper than the program's.
    private func draw(_ root: Int, into out: inout [String]) {
        enum Step {
            case span(Int, connector: String, prefix: String)
            case notes([String])
        }
        var steps = [Step.span(root, connector: "", prefix: "")]
        while let step = steps.popLast() {
            switch step {
            case .notes(let lines): out += lines
            case .span(let number, let connector, let prefix):
                out.append(line(of: number, connector))
                out += statusLines(number, prefix: branch(prefix, number))
                var next: [Step] = []
                let below = tree.children[number].filter { shown[$0] }
                var inside = contents(number)
                for (position, child) in below.enumerated() {
                    let start = trace.spans[child].span.startTime
                    let before = inside.prefix { $0.time <= start }
                    inside.removeFirst(before.count)
                    if !before.isEmpty { next.append(.notes(before.flatMap { $0.lines(prefix + "│  ") })) }
                    let isLast = position == below.count - 1 && below.count == tree.children[number].count
                    next.append(
                        .span(
                            child, connector: prefix + (isLast ? "└─ " : "├─ "),
                            prefix: clipped(prefix + (isLast ? "   " : "│  "))))
                }
                let hidden = tree.children[number].filter { !shown[$0] }
                if !hidden.isEmpty { next.append(.notes([hiddenLine(hidden, prefix: prefix + "└─ ")])) }
                if !inside.isEmpty { next.append(.notes(inside.flatMap { $0.lines(prefix + "   ") })) }
                steps += next.reversed()
            }
        }
    }

    /// The prefix of lines right under a span: with a branch where children follow.
    private func branch(_ prefix: String, _ number: Int) -> String {
        prefix + (tree.children[number].isEmpty ? "   " : "│  ")
    }

    /// Only its end of a prefix is ever seen; without this, very deep traces would take quadratic memory.
    private func clipped(_ prefix: String) -> String {
        prefix.count > options.terminal.width ? String(prefix.suffix(options.terminal.width)) : prefix
    }

    // MARK: spans

    private func line(of number: Int, _ connector: String) -> String {
        let stored = trace.spans[number]
        let span = stored.span
        let isError = span.status.code == .error
        let tree = fitting(connector)
        let room = nameColumns - tree.columns
        let name = (span.name.isEmpty ? "(no name)" : span.title.escaped).cut(to: room)
        var line = painter(tree, .dim) + painter(name.padded(to: room), isError ? .boldRed : .bold)
        if showsServices {
            let service = stored.resource.serviceName.escaped.cut(to: serviceColumns - 2)
            line += "  " + painter(service.padded(to: serviceColumns - 2), .cyan)
        }
        line += "  " + TimeText.duration(span.duration).aligned(right: Self.durationColumns)
        guard barColumns > 0 else { return line }
        return line + "  " + painter(bar(span), isError ? .red : Self.color(span.kind))
    }

    /// The branches before a name, shortened from the left where they would leave it no room.
    private func fitting(_ connector: String) -> String {
        let limit = max(nameColumns - Self.nameLeftMin, nameColumns / 2)
        return connector.count <= limit ? connector : "…" + connector.suffix(limit - 1)
    }

    private static func color(_ kind: SpanKind) -> Style {
        switch kind {
        case .server, .consumer: .green
        case .client, .producer: .magenta
        case .internal, .unspecified: .blue
        }
    }

    /// Left-aligned eighths of a cell; what begins in a cell's right half begins with "▐".
    private func bar(_ span: SpanData) -> String {
        let length = Double(max(window.upperBound - window.lowerBound, 1))
        func eighths(_ time: UInt64) -> Int {
            let part = Double(max(time, window.lowerBound) - window.lowerBound) / length
            return Int((part * Double(barColumns * 8)).rounded())
        }
        let start = min(eighths(span.startTime), barColumns * 8 - 1)
        let end = max(eighths(max(span.endTime, span.startTime)), start + 1)
        let blocks = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"]
        var bar = String(repeating: " ", count: start / 8)
        if start / 8 == (end - 1) / 8 {
            return bar + (start % 8 >= 4 ? "▐" : blocks[end - start])
        }
        bar += start % 8 >= 4 ? "▐" : "█"
        bar += String(repeating: "█", count: end / 8 - start / 8 - 1)
        return bar + blocks[end % 8]
    }

    /// Why a span failed, what is unusual about it, and its attributes.
    private func statusLines(_ number: Int, prefix: String) -> [String] {
        let stored = trace.spans[number]
        let span = stored.span
        var notes: [(String, Style)] = []
        if span.parentSpanID.isValid, tree.parents[number] == nil {
            if span.parentIsRemote == true, tree.index[span.parentSpanID] == nil {
                notes.append(("called by span \(span.parentSpanID.hex), which is not in this store", .dim))
            } else if tree.index[span.parentSpanID] == nil {
                notes.append(("? its parent, span \(span.parentSpanID.hex), is not here", .yellow))
            } else {
                notes.append(("? its parent, span \(span.parentSpanID.hex), is below it", .yellow))
            }
        }
        let message = span.status.message
        if stored.isUnfinished {
            let why = message.isEmpty ? "" : ": " + message.escaped
            notes.append(("✗ still open when its process ended" + why, .boldRed))
        }
        let isSaid =
            stored.isUnfinished
            || exceptions(span).contains {
                !$0.message.isEmpty && message.contains($0.message)
                    || $0.others(max: 0).contains { $0.headline.contains(message) }
            }
        if span.status.code == .error, !message.isEmpty, !isSaid {
            notes += message.escapedLines.enumerated().map { (($0.offset == 0 ? "✗ " : "  ") + $0.element, .red) }
        }
        if options.showsAttributes {
            notes += span.attributes.map { ("\($0.key.escaped): \($0.value.text())", .dim) }
            notes += span.links.map { ("link to trace \($0.context.traceID.hex) span \($0.context.spanID.hex)", .dim) }
        }
        return notes.map { text($0.0, $0.1, prefix: prefix) }
    }

    private func exceptions(_ span: SpanData) -> [ExceptionText] {
        span.events.filter { $0.name == ExceptionText.eventName }.compactMap { ExceptionText($0.attributes) }
    }

    private func hiddenLine(_ hidden: [Int], prefix: String) -> String {
        let count = hidden.reduce(0) { $0 + tree.sizes[$1] }
        let slowest = hidden.map { trace.spans[$0].span.duration }.max() ?? 0
        return painter(fitting(prefix), .dim)
            + painter(
                "… \(counted(count, "more span")), slowest \(TimeText.duration(slowest)) (--max-spans N shows more)",
                .yellow)
    }

    // MARK: logs and events

    /// What happened within a span, to be drawn once the prefix is known.
    private struct Content {
        var time: UInt64
        var lines: (String) -> [String]
    }

    private func contents(_ number: Int) -> [Content] {
        let span = trace.spans[number].span
        var contents = span.events.map { event in
            Content(time: event.time) { note(event, of: span, prefix: $0) }
        }
        for log in logs[number] ?? [] {
            contents.append(Content(time: log.time) { note(log, besides: span, prefix: $0) })
        }
        return contents.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(
            \.element)
    }

    private func note(_ event: SpanData.Event, of span: SpanData, prefix: String) -> [String] {
        if event.name == ExceptionText.eventName, let exception = ExceptionText(event.attributes) {
            return note(exception, prefix: prefix)
        }
        let after =
            event.time >= span.startTime ? "+" + TimeText.duration(event.time - span.startTime) : "before the start"
        let length = Self.durations.lazy.compactMap { event.attributes[$0]?.nanoseconds }.first
        let name = event.name.escaped + (length.map { " " + TimeText.duration($0) } ?? "")
        var lines = [text("◆ " + name + "  " + after, .cyan, prefix: prefix)]
        if options.showsAttributes {
            lines += event.attributes.map { text("  \($0.key.escaped): \($0.value.text())", .dim, prefix: prefix) }
        }
        return lines
    }

    private func note(_ exception: ExceptionText, prefix: String) -> [String] {
        let headline = exception.headline.escapedLines.enumerated().map {
            text(($0.offset == 0 ? "✗ " : "  ") + $0.element, .boldRed, prefix: prefix)
        }
        var lines = headline + exception.frames(max: Self.framesMax).map { text("    " + $0, .dim, prefix: prefix) }
        for other in exception.others(max: Self.framesMax) {
            lines.append(text("  " + other.headline, .red, prefix: prefix))
            lines += other.frames.map { text("    " + $0, .dim, prefix: prefix) }
        }
        return lines
    }

    /// - Parameter span: what it has said already of an exception is not said again.
    private func note(_ log: StoredLog, besides span: SpanData?, prefix: String) -> [String] {
        let record = log.record
        if let exception = ExceptionText(record.attributes) {
            if let span, exceptions(span).contains(where: { $0.headline == exception.headline }) { return [] }
            // Why its process ended has the line of the span that was open.
            if let span, span.attributes[StoredSpan.unfinishedAttribute] == .bool(true),
                span.status.message == exception.message
            {
                return []
            }
            if record.eventName == ExceptionText.eventName { return note(exception, prefix: prefix) }
        }
        let line = LogLine(painter: painter, utc: options.utc)
        let time = TimeText.timeOfDay(log.time, utc: options.utc)
        let level = line.levelName(record).padded(to: 5)
        let body = line.bodyLines(record)
        let arrayMax = options.showsAttributes ? Int.max : AttributeValue.arrayShortMax
        let attributes = LogLine.shown(record).map { $0.assignment(arrayMax: arrayMax) }.joined(separator: " ")
        let used = fitting(prefix).columns + time.columns + level.columns + 2
        let room = cutsNotes ? max(options.terminal.width - used, 10) : Int.max
        let first = body[0].cut(to: room)
        var out =
            painter(fitting(prefix), .dim) + painter(time, .dim) + " " + painter(level, Severity.style(record.severity))
            + " " + (record.severity >= 17 ? painter(first, .red) : first)
        if !attributes.isEmpty, room - first.columns > 8 {
            out += "  " + painter(attributes.cut(to: room - first.columns - 2), .dim)
        }
        let indent = String(repeating: " ", count: time.columns + level.columns + 2)
        return [out] + body.dropFirst().map { text(indent + $0, record.severity >= 17 ? .red : nil, prefix: prefix) }
    }

    private func text(_ text: String, _ style: Style?, prefix: String) -> String {
        let prefix = fitting(prefix)
        let shown = cutsNotes ? text.cut(to: max(options.terminal.width - prefix.columns, 10)) : text
        return painter(prefix, .dim) + painter(shown, style)
    }
}
