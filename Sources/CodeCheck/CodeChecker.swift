public import Wire

/// What a text is parsed as.
public enum CodeKind: String, Hashable, Sendable {
    case module, script
    /// A module if it parses as one, else a script.
    case either = ""
}

/// Looks at files: at their bytes itself, at their trees by way of whoever has a parser.
public struct CodeChecker {
    /// Gives what `check` of Platform/js/check gives.
    public typealias Parse = (_ source: [UInt8], CodeKind) -> Parsed

    public enum Parsed {
        case answer(JSONValue)
        case failed(String)
    }

    public let options: CodeCheckOptions

    public init(_ options: CodeCheckOptions) { self.options = options }

    public func check(_ bytes: [UInt8], _ kind: CodeKind, parse: Parse) -> CodeReport {
        var report = CodeReport()
        var suppressions: [CodeSuppression] = []
        if WasmRules.isWasm(bytes) {
            report.findings = WasmRules.look(at: bytes)
        } else {
            let (findings, isText) = bytes.withUnsafeBytes { ByteRules.look(at: $0, options) }
            report.findings = findings
            if isText {
                switch parse(bytes, kind) {
                case .failed(let message): report.findings += CodeReport.failed(message).findings
                case .answer(let json):
                    guard let found = CodeReport(json) else {
                        report.findings += CodeReport.failed("the parser's answer makes no sense").findings
                        break
                    }
                    report.findings += found.findings
                    report.left = found.left
                    if case .array(let directives) = json["directives"] {
                        suppressions = directives.compactMap { CodeSuppression($0) }
                    }
                }
            }
        }
        options.apply(to: &report)
        if options.allowsSuppressions { CodeSuppression.apply(suppressions, to: &report, options) }
        report.sort()
        return report
    }
}
