import Store
import Telemetry

/// The table of `sidelight logs patterns`.
struct PatternTable {
    let terminal: Terminal
    var utc = false

    private static let headings = ["COUNT", "SHARE", "LEVEL", "", "LAST", "FIRST", "SERVICES", "PATTERN"]
    private static let rightAligned: Set<Int> = [0, 1]
    private static let servicesColumnsMax = 24

    func lines(_ found: LogPatterns) -> [String] {
        let painter = Painter(hasColor: terminal.hasColor)
        let rows = found.patterns.map { pattern in
            [
                String(pattern.count), Self.share(pattern.count, of: found.total), pattern.level?.rawValue ?? "-",
                pattern.isNew ? "NEW" : pattern.isGrowing ? "GROWING" : "",
                TimeText.dateAndTime(pattern.lastTime, utc: utc), TimeText.dateAndTime(pattern.firstTime, utc: utc),
                pattern.services.keys.sorted().joined(separator: ",").escaped.cut(to: Self.servicesColumnsMax),
                pattern.template.escaped,
            ]
        }
        let widths = Self.headings.indices.map { column in
            max(Self.headings[column].columns, rows.map { $0[column].columns }.max() ?? 0)
        }
        let taken = widths.dropLast().reduce(0) { $0 + $1 + 2 }
        let room = terminal.isInteractive ? max(terminal.width - taken, 30) : Int.max
        func line(_ row: [String], _ style: (Int) -> Style?) -> String {
            row.enumerated().map { column, cell in
                let text =
                    column == row.count - 1
                    ? cell.cut(to: room)
                    : Self.rightAligned.contains(column)
                        ? cell.aligned(right: widths[column]) : cell.padded(to: widths[column])
                return painter(text, style(column))
            }.joined(separator: "  ")
        }
        var lines = [line(Self.headings) { _ in .dim }]
        for (pattern, row) in zip(found.patterns, rows) {
            lines.append(
                line(row) { column in
                    switch column {
                    case 2: pattern.level.flatMap { Severity.style($0.severityMin) }
                    case 3: pattern.isNew ? .boldRed : .yellow
                    case 5: .dim
                    case 6: .cyan
                    default: nil
                    }
                })
        }
        if found.omittedPatterns > 0 {
            lines.append(painter("… \(counted(found.omittedPatterns, "pattern")) more: --limit", .dim))
        }
        if found.unsorted > 0 {
            lines.append(painter("… \(counted(found.unsorted, "record")) of further kinds", .dim))
        }
        return lines
    }

    /// Percent, with one digit behind the point.
    private static func share(_ count: Int, of total: Int) -> String {
        let tenths = total > 0 ? (count * 1_000 + total / 2) / total : 0
        return "\(tenths / 10).\(tenths % 10)%"
    }
}
