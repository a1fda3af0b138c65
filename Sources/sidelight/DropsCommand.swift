import ArgumentParser
import Glibc
import Wire

struct DropsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drops",
        abstract: "Show what an agent dropped last: what, where, and why.",
        usage: "sidelight drops [OPTIONS]",
        discussion: """
            The agent keeps the last 1,000 occasions. Everything ever dropped is counted in /metrics of the admin port.

            EXAMPLES
              sidelight drops
              sidelight drops --limit 20
              sidelight drops --json | jq '.reason'

            EXIT CODES
              0  success    1  no agent answers    2  usage
            """)

    @OptionGroup var admin: AdminOptions

    @Option(name: .shortAndLong, help: ArgumentHelp("How many, the latest.", valueName: "N"))
    var limit = 50

    @Flag(help: "A line of JSON each.")
    var json = false

    func run() throws {
        guard limit > 0 else { throw ValidationError("--limit is at least 1") }
        let bytes = try admin.get("/api/v1/drops")
        guard let answer = try? JSONValue(parsing: bytes), case .array(let drops) = answer["drops"]
        else {
            complain("the agent at \(admin.admin.escaped) answers something else")
            throw ExitCode(1)
        }
        let output = Output()
        // The latest come first there, and last here.
        let latest = drops.prefix(limit).reversed()
        if json {
            for drop in latest { output.json(Self.json(drop)) }
            return output.flush()
        }
        let terminal = Terminal.standardOutput()
        let paint = Painter(hasColor: terminal.hasColor)
        guard !latest.isEmpty else {
            output.line("nothing was dropped")
            return output.flush()
        }
        let rows = [["TIME", "ITEMS", "SIGNAL", "WHERE", "REASON", "DETAIL"]] + latest.map(Self.row)
        let widths = (0..<5).map { column in rows.map { $0[column].columns }.max() ?? 0 }
        for (number, row) in rows.enumerated() {
            let cells = row.dropLast().enumerated().map { column, cell in
                let text = column == 1 ? cell.aligned(right: widths[column]) : cell.padded(to: widths[column])
                return paint(text, number == 0 ? .dim : [.dim, .bold, nil, .cyan, .yellow][column])
            }
            output.line((cells + [paint(row[5], number == 0 ? .dim : nil)]).joined(separator: "  ").trimmedEnd)
        }
        let total = answer["total"]?.integer ?? Int64(drops.count)
        if total > latest.count {
            output.line(paint("… the latest \(latest.count) of \(counted(Int(total), "occasion"))", .dim))
        }
        output.flush()
    }

    private static func json(_ drop: JSONValue) -> String {
        var json = JSONWriter()
        json.object { json in
            for name in ["timeUnixNano", "component", "signal", "reason", "detail"] {
                guard let text = drop[name]?.string else { continue }
                json.name(name)
                json.string(text)
            }
            for name in ["items", "bytes"] {
                guard let number = drop[name]?.integer else { continue }
                json.name(name)
                json.integer(number)
            }
        }
        return json.text
    }

    private static func row(_ drop: JSONValue) -> [String] {
        let time = drop["timeUnixNano"]?.string.flatMap { UInt64($0) } ?? 0
        let bytes = drop["bytes"]?.integer.map { " (\($0) bytes)" } ?? ""
        return [
            TimeText.dateAndTime(time), String(drop["items"]?.integer ?? 0) + bytes, (drop["signal"]?.string ?? "").escaped,
            (drop["component"]?.string ?? "").escaped, (drop["reason"]?.string ?? "").escaped,
            (drop["detail"]?.string ?? "").escaped,
        ]
    }
}

extension String {
    fileprivate var trimmedEnd: String {
        var text = self
        while text.hasSuffix(" ") { text.removeLast() }
        return text
    }
}
