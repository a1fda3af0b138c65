import Store
import Telemetry

/// The table of `sidelight errors`.
struct ErrorTable {
    let terminal: Terminal
    var utc = false

    static let fingerprintDigits = 8
    private static let headings = ["ERROR", "COUNT", "LAST", "FIRST", "SERVICES", "TRACE", "WHAT"]
    private static let servicesColumnsMax = 24

    func lines(_ listing: ErrorListing) -> [String] {
        let painter = Painter(hasColor: terminal.hasColor)
        let rows = listing.groups.map { group in
            [
                String(group.fingerprint.prefix(Self.fingerprintDigits)), String(group.count),
                TimeText.dateAndTime(group.lastTime, utc: utc), TimeText.dateAndTime(group.firstTime, utc: utc),
                group.services.keys.sorted().joined(separator: ",").escaped.cut(to: Self.servicesColumnsMax),
                group.latest.traceID.isValid ? TraceText.short(group.latest.traceID) : "-",
                group.latest.headline.escapedLines.first ?? "",
            ]
        }
        let widths = Self.headings.indices.map { column in
            max(Self.headings[column].columns, rows.map { $0[column].columns }.max() ?? 0)
        }
        let taken = widths.dropLast().reduce(0) { $0 + $1 + 2 }
        let room = terminal.isInteractive ? max(terminal.width - taken, 20) : Int.max
        func line(_ row: [String], _ styles: [Style?]) -> String {
            row.enumerated().map { column, cell in
                let text =
                    column == row.count - 1
                    ? cell.cut(to: room)
                    : column == 1 ? cell.aligned(right: widths[column]) : cell.padded(to: widths[column])
                return painter(text, styles[column])
            }.joined(separator: "  ")
        }
        var lines = [line(Self.headings, Array(repeating: .dim, count: Self.headings.count))]
        lines += rows.map { line($0, [.yellow, .bold, nil, .dim, .cyan, .yellow, .red]) }
        if listing.omittedGroups > 0 {
            lines.append(painter("… \(counted(listing.omittedGroups, "error")) more: --limit", .dim))
        }
        if listing.ungrouped > 0 {
            lines.append(
                painter(
                    "… \(counted(listing.ungrouped, "earlier occurrence")) of further errors not looked at: --since",
                    .dim))
        }
        return lines
    }
}

/// One error for people.
struct ErrorText {
    private static let framesMax = 20
    private let painter: Painter
    var utc = false

    init(_ painter: Painter) { self.painter = painter }

    func lines(_ detail: ErrorDetail) -> [String] {
        let group = detail.group
        let latest = group.latest
        let stack = ErrorStack(latest.stack)
        let services = group.services.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            .map { "\($0.key.escaped) (\(counted($0.value, "time")))" }
        var lines = latest.headline.escapedLines.map { painter($0, .boldRed) }
        lines += frames(stack.frames)
        for other in stack.others {
            let mark = other.relation == .cause ? "caused by " : "with "
            lines += other.headline.escapedLines.map { "  " + painter(mark + $0, .red) }
            lines += frames(other.frames)
        }
        lines.append("")
        lines.append(field("error", group.fingerprint))
        lines.append(field("count", counted(group.count, "time")))
        lines.append(field("first", TimeText.dateAndTime(group.firstTime, utc: utc)))
        lines.append(field("last", TimeText.dateAndTime(group.lastTime, utc: utc)))
        lines.append(field("services", services.joined(separator: ", ")))
        if latest.traceID.isValid { lines.append(field("trace", latest.traceID.hex)) }
        guard !detail.logs.isEmpty else { return lines }
        let line = LogLine(painter: painter, utc: utc)
        return lines + ["", painter("the last logs of its trace until then:", .dim)] + detail.logs.flatMap(line.lines)
    }

    private func field(_ name: String, _ value: String) -> String { painter(name.padded(to: 10), .dim) + value }

    /// Those of the program, where there are any.
    private func frames(_ frames: [String]) -> [String] {
        let own = ErrorStack.own(frames)
        let shown = own.prefix(Self.framesMax).map { "    " + painter($0.escaped, .dim) }
        return own.count > shown.count
            ? shown + ["    " + painter("… \(counted(own.count - shown.count, "frame")) more", .dim)] : shown
    }
}
