/// Environment variables as OpenTelemetry reads them: an empty value is an unset one; a bad one is reported and unset.
/// <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>
struct Environment {
    private let variables: [String: String]

    init(_ variables: [String: String]) { self.variables = variables }

    /// The value without white space around it; nil when unset or empty.
    func text(_ name: String) -> String? {
        guard let value = variables[name]?.trimmed, !value.isEmpty else { return nil }
        return value
    }

    /// The first of the variables that is set, with its name: the signal's own before the general one.
    func first(_ names: [String]) -> (name: String, value: String)? {
        for name in names {
            if let value = text(name) { return (name, value) }
        }
        return nil
    }

    func integer(_ name: String, in range: ClosedRange<Int>, _ problems: inout Problems) -> Int? {
        guard let text = text(name) else { return nil }
        guard let value = Int(text), range.contains(value) else {
            let bounds =
                range.upperBound == .max
                ? "of at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
            problems.warning(name, "\"\(text)\" is ignored: expected a whole number \(bounds)")
            return nil
        }
        return value
    }

    /// Only "true" in any case is true; anything but "true" and "false" is reported.
    func flag(_ name: String, _ problems: inout Problems) -> Bool {
        guard let text = text(name)?.lowercased() else { return false }
        if text != "true", text != "false" { problems.warning(name, "\"\(text)\" is ignored: expected true or false") }
        return text == "true"
    }

    /// The elements of a list with commas.
    func list(_ name: String) -> [String]? {
        text(name)?.split(separator: ",").map { String($0).trimmed }.filter { !$0.isEmpty }
    }
}

extension String {
    /// Without spaces and tabs at both ends.
    var trimmed: String {
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D || $0 == 0x0A }
        guard let start = utf8.firstIndex(where: { !isBlank($0) }), let end = utf8.lastIndex(where: { !isBlank($0) })
        else { return "" }
        return String(self[start...end])
    }
}
