import Wire

/// `application/health+json` for people: a line of all, and one for each component.
struct HealthTable {
    let lines: [String]

    /// Nil: it is something else.
    init?(_ body: [UInt8]) {
        guard let json = try? JSONValue(parsing: body), let status = json["status"]?.string,
            let service = json["serviceId"]?.string,
            case .object(let checks)? = json["checks"]
        else { return nil }
        let output = json["output"]?.string ?? ""
        var lines = ["\(service.escaped): \(status.escaped)" + (output.isEmpty ? "" : " (\(output.escaped))")]
        let rows = checks.sorted { $0.key < $1.key }.compactMap { key, value in
            if case .array(let entries) = value, let entry = entries.first { Self.row(key, entry) } else { nil }
        }
        let names = rows.map(\.name.columns).max() ?? 0
        let values = rows.map(\.value.columns).max() ?? 0
        for row in rows {
            let line =
                "  " + row.name.padded(to: names) + "  " + row.status.padded(to: 4) + "  "
                + row.value.padded(to: values)
                + "  " + row.reason
            lines.append(String(line.reversed().drop { $0 == " " }.reversed()))
        }
        self.lines = lines
    }

    private static func row(
        _ key: String, _ entry: JSONValue
    ) -> (name: String, status: String, value: String, reason: String) {
        let name = String(key.prefix { $0 != ":" })
        var value = ""
        if case .number(let digits)? = entry["observedValue"], let number = Double(digits),
            let unit = entry["observedUnit"]?.string
        {
            let text = number == number.rounded() && abs(number) < 1e15 ? "\(Int(number))" : "\(number)"
            // Of things that are counted: "1 isolate".
            let isOne = text == "1" && unit.count > 2 && unit.hasSuffix("s")
            value = unit == "percent" ? text + " %" : "\(text) \(isOne ? String(unit.dropLast()) : unit)"
        }
        let reason = entry["output"]?.string ?? ""
        let since = entry["since"]?.string ?? ""
        return (
            name.escaped, (entry["status"]?.string ?? "?").escaped, value.escaped,
            reason.isEmpty ? "" : "\(reason.escaped) (since \(since.escaped))"
        )
    }
}
