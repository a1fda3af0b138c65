internal import Wire

/// Findings in the Static Analysis Results Interchange Format, 2.1.0. <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>
public struct SARIF {
    private static let schema =
        "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

    private let rules: [CodeRule]
    private var json = JSONWriter()

    /// - Parameter version: of the tool.
    public init(_ options: CodeCheckOptions, version: String) {
        let rules = CodeRule.all + options.own.map { CodeRule($0.id, $0.level, $0.message) }
        self.rules = rules
        json.beginObject()
        json.field("$schema", Self.schema)
        json.field("version", "2.1.0")
        json.name("runs")
        json.beginArray()
        json.beginObject()
        json.name("tool")
        json.object { json in
            json.name("driver")
            json.object { json in
                json.field("name", "sidelight")
                json.field("version", version)
                json.name("rules")
                json.array { json in
                    for rule in rules {
                        json.object { json in
                            json.field("id", rule.id)
                            json.name("shortDescription")
                            json.object { $0.field("text", rule.summary) }
                            json.name("defaultConfiguration")
                            json.object { $0.field("level", (options.levels[rule.id] ?? rule.level).rawValue) }
                        }
                    }
                }
            }
        }
        json.field("columnKind", "utf16CodeUnits")
        json.name("results")
        json.beginArray()
    }

    public mutating func add(_ report: CodeReport, of file: String) {
        for finding in report.findings {
            json.object { json in
                json.field("ruleId", finding.rule)
                if let index = rules.firstIndex(where: { $0.id == finding.rule }) {
                    json.name("ruleIndex")
                    json.integer(index)
                }
                json.field("level", finding.level.rawValue)
                json.name("message")
                json.object { $0.field("text", finding.message) }
                json.name("locations")
                json.array { json in
                    json.object { json in
                        json.name("physicalLocation")
                        json.object { json in
                            json.name("artifactLocation")
                            json.object { $0.field("uri", Self.uri(file)) }
                            json.name("region")
                            json.object { Self.write(finding, to: &$0) }
                        }
                    }
                }
                guard let reason = finding.suppression else { return }
                json.name("suppressions")
                json.array { json in
                    json.object { json in
                        json.field("kind", "inSource")
                        json.field("justification", reason)
                    }
                }
            }
        }
    }

    private static func write(_ finding: CodeFinding, to json: inout JSONWriter) {
        for (name, number) in [
            ("startLine", finding.from.line), ("startColumn", finding.from.column), ("endLine", finding.to.line),
            ("endColumn", finding.to.column),
        ] {
            json.name(name)
            json.integer(number)
        }
    }

    /// The whole. Once.
    public mutating func finish() -> [UInt8] {
        json.endArray()
        json.endObject()
        json.endArray()
        json.endObject()
        return json.bytes
    }

    /// A path as a reference. <https://www.rfc-editor.org/rfc/rfc3986#section-4.2>
    static func uri(_ path: String) -> String {
        var out = path.hasPrefix("/") ? "file://" : ""
        for byte in path.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"), UInt8(ascii: "/"):
                out.unicodeScalars.append(Unicode.Scalar(byte))
            default: out += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return out
    }
}
