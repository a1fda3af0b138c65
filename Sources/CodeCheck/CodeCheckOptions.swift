public import Wire

/// What is looked for beyond the standard, and what counts.
public struct CodeCheckOptions: Hashable, Sendable {
    /// A rule of the user's own: what matches the pattern is a finding.
    public struct OwnRule: Hashable, Sendable {
        public var id: String
        public var pattern: String
        public var message: String
        public var level: CodeLevel

        public init(id: String, pattern: String, message: String, level: CodeLevel) {
            self.id = id
            self.pattern = pattern
            self.message = message
            self.level = level
        }
    }

    public static let fileBytesMax = 2 << 20

    public var own: [OwnRule] = []
    /// Names of the realm that are forbidden besides: "fetch", "process.env".
    public var globals: [String] = []
    /// Modules that are forbidden besides.
    public var imports: [String] = []
    /// Rules that are not asked.
    public var off: [String] = []
    /// Rules that have another level than the standard.
    public var levels: [String: CodeLevel] = [:]
    /// Bytes of a file, but for WebAssembly.
    public var fileBytesMax = Self.fileBytesMax
    /// Whether comments in the source can suppress findings. Not where the source is whom the check is against.
    public var allowsSuppressions = true

    public init() {}

    public init?(_ json: JSONValue) {
        func texts(_ name: String) -> [String] {
            guard case .array(let values) = json[name] else { return [] }
            return values.compactMap(\.string)
        }
        guard case .object = json else { return nil }
        (globals, imports, off) = (texts("globals"), texts("imports"), texts("off"))
        if case .array(let rules) = json["own"] {
            own = rules.compactMap { rule in
                guard let id = rule["id"]?.string, let pattern = rule["pattern"]?.string,
                    let message = rule["message"]?.string,
                    let level = rule["level"]?.string.flatMap({ CodeLevel(rawValue: $0) })
                else { return nil }
                return OwnRule(id: id, pattern: pattern, message: message, level: level)
            }
        }
        if case .object(let members) = json["levels"] {
            levels = members.compactMapValues { $0.string.flatMap { CodeLevel(rawValue: $0) } }
        }
        if let bytes = json["fileBytesMax"]?.integer { fileBytesMax = Int(clamping: bytes) }
        if case .bool(let allows) = json["suppressions"] { allowsSuppressions = allows }
    }

    public var json: [UInt8] {
        var json = JSONWriter()
        write(to: &json)
        return json.bytes
    }

    public func write(to json: inout JSONWriter) {
        json.object { json in
            json.name("own")
            json.array { json in
                for rule in own {
                    json.object { json in
                        json.field("id", rule.id)
                        json.field("pattern", rule.pattern)
                        json.field("message", rule.message)
                        json.field("level", rule.level.rawValue)
                    }
                }
            }
            for (name, values) in [("globals", globals), ("imports", imports), ("off", off)] {
                json.name(name)
                json.array { json in for value in values { json.string(value) } }
            }
            json.name("levels")
            json.object { json in
                for (rule, level) in levels.sorted(by: { $0.key < $1.key }) { json.field(rule, level.rawValue) }
            }
            json.name("fileBytesMax")
            json.integer(fileBytesMax)
            json.name("suppressions")
            json.bool(allowsSuppressions)
        }
    }

    /// Whether there is such a rule, of ours or of the user's.
    func knows(_ rule: String) -> Bool {
        CodeRule.all.contains { $0.id == rule } || own.contains { $0.id == rule }
    }

    /// Without what is off, at the levels that were asked for.
    func apply(to report: inout CodeReport) {
        report.findings.removeAll { off.contains($0.rule) }
        for index in report.findings.indices {
            if let level = levels[report.findings[index].rule] { report.findings[index].level = level }
        }
    }
}
