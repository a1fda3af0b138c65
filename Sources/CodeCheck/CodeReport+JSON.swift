public import Wire

// The form in which reports go from the worker that looks to whoever asked: rows, as the sources in Platform/js/check write them.

extension CodeFinding {
    /// `[rule, level, line, column, end line, end column, message]`, and the suppression where there is one. Nil when it is none.
    public init?(_ row: JSONValue) {
        guard case .array(let cells) = row, cells.count >= 7, let rule = cells[0].string,
            let level = cells[1].string.flatMap({ CodeLevel(rawValue: $0) }), let message = cells[6].string
        else { return nil }
        let numbers = cells[2...5].map { Int(clamping: $0.integer ?? 1) }
        self.init(
            rule, level, from: CodePlace(line: numbers[0], column: numbers[1]),
            to: CodePlace(line: numbers[2], column: numbers[3]), message)
        if cells.count > 7 { suppression = cells[7].string }
    }

    func write(to json: inout JSONWriter) {
        json.array { json in
            json.string(rule)
            json.string(level.rawValue)
            for number in [from.line, from.column, to.line, to.column] { json.integer(number) }
            json.string(message)
            if let suppression { json.string(suppression) }
        }
    }
}

extension CodeReport {
    /// Nil when it is no report.
    public init?(_ json: JSONValue) {
        guard case .array(let rows) = json["findings"] else { return nil }
        let findings = rows.compactMap { CodeFinding($0) }
        guard findings.count == rows.count else { return nil }
        self.init(findings: findings, left: Int(clamping: json["left"]?.integer ?? 0))
    }

    public var json: [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.name("findings")
            json.array { json in for finding in findings { finding.write(to: &json) } }
            json.name("left")
            json.integer(left)
        }
        return json.bytes
    }
}
