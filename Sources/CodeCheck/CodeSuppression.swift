public import Wire

/// `// sidelight-ignore-next-line RULE, RULE -- reason`, as the parser found it.
public struct CodeSuppression: Hashable, Sendable {
    /// Which it is about.
    public var line: Int
    /// Where it stands itself.
    public var place: CodePlace
    public var rules: [String]
    public var reason: String

    public init(line: Int, place: CodePlace, rules: [String], reason: String) {
        self.line = line
        self.place = place
        self.rules = rules
        self.reason = reason
    }

    /// Nil when it is none.
    public init?(_ json: JSONValue) {
        guard let line = json["line"]?.integer, let at = json["at"]?.integer, let column = json["column"]?.integer,
            case .array(let names) = json["rules"], let reason = json["reason"]?.string
        else { return nil }
        self.init(
            line: Int(clamping: line), place: CodePlace(line: Int(clamping: at), column: Int(clamping: column)),
            rules: names.compactMap(\.string), reason: reason)
    }

    /// Marks what the comments suppress, and tells of comments that are wrong or of no use.
    static func apply(_ all: [CodeSuppression], to report: inout CodeReport, _ options: CodeCheckOptions) {
        // Those of the file: what is told below of suppressions is not among them.
        let byLine = Dictionary(grouping: report.findings.indices) { report.findings[$0].from.line }
        for one in all {
            func tell(_ rule: String, _ level: CodeLevel, _ message: String) {
                report.findings.append(CodeFinding(rule, level, from: one.place, message))
            }
            guard !one.rules.isEmpty else {
                tell("bad-suppression", .error, "it names no rule: sidelight-ignore-next-line RULE -- reason")
                continue
            }
            guard !one.reason.isEmpty else {
                tell(
                    "bad-suppression", .error,
                    "it has no reason: sidelight-ignore-next-line \(one.rules.joined(separator: ", ")) -- reason")
                continue
            }
            for rule in one.rules {
                guard options.knows(rule) else {
                    tell("bad-suppression", .error, "there is no rule \"\(rule.prefix(60))\"")
                    continue
                }
                let found = (byLine[one.line] ?? []).filter { report.findings[$0].rule == rule }
                for index in found { report.findings[index].suppression = one.reason }
                if found.isEmpty {
                    tell("unused-suppression", .warning, "nothing on line \(one.line) is suppressed by \"\(rule)\"")
                }
            }
        }
    }
}
