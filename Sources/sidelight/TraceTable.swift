import Store
import Telemetry

/// The table of `sidelight trace ls`.
struct TraceTable {
    let terminal: Terminal
    var utc = false

    /// From this width on, and in a pipe, ids are shown whole.
    private static let widthForWholeIDs = 140
    private static let headings = ["TRACE", "START", "DURATION", "SPANS", "ERRORS", "SERVICE", "NAME"]
    private static let rightAligned: Set<Int> = [2, 3, 4]
    private static let serviceColumnsMax = 24

    func lines(_ traces: [TraceSummary]) -> [String] {
        let painter = Painter(hasColor: terminal.hasColor)
        let whole = !terminal.isInteractive || terminal.width >= Self.widthForWholeIDs
        let rows = traces.map { trace in
            [
                whole ? trace.id.hex : TraceText.short(trace.id), TimeText.dateAndTime(trace.start, utc: utc),
                TimeText.duration(trace.duration), String(trace.spans), String(trace.errors),
                trace.service.escaped.cut(to: Self.serviceColumnsMax),
                (trace.name.isEmpty ? "(no name)" : trace.name.escaped)
                    + (trace.path.isEmpty ? "" : " " + trace.path.escaped)
                    + (trace.isIncomplete ? " (incomplete)" : ""),
            ]
        }
        var widths = Self.headings.map(\.columns)
        for row in rows {
            for (column, cell) in row.enumerated() { widths[column] = max(widths[column], cell.columns) }
        }
        let taken = widths.dropLast().reduce(0) { $0 + $1 + 2 }
        let nameWidth = terminal.isInteractive ? max(terminal.width - taken, 10) : Int.max

        func line(_ row: [String], _ style: (Int) -> Style?) -> String {
            row.enumerated().map { column, cell in
                if column == row.count - 1 { return painter(cell.cut(to: nameWidth), style(column)) }
                let text =
                    Self.rightAligned.contains(column)
                    ? cell.aligned(right: widths[column]) : cell.padded(to: widths[column])
                return painter(text, style(column))
            }.joined(separator: "  ")
        }
        return [line(Self.headings) { _ in .dim }]
            + zip(traces, rows).map { trace, row in
                line(row) { column in
                    switch column {
                    case 0: .yellow
                    case 1: .dim
                    case 4 where trace.errors > 0: .boldRed
                    case 5: .cyan
                    case 6 where trace.errors > 0 || trace.isIncomplete: .red
                    default: nil
                    }
                }
            }
    }
}
