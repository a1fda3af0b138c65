import Agent
import CodeCheck
import Wire

/// Prints what the code validator has found: for people with the source's own lines, or for programs.
struct FindingPrinter {
    enum Form { case text, json, sarif }

    private let form: Form
    private let level: CodeLevel
    private let output = Output()
    private let paint: Painter
    private var sarif: SARIF
    private var rows = JSONWriter()
    private var counts: [CodeLevel: Int] = [:]
    private var suppressed = 0
    private var left = 0
    private var files = 0
    private var isClean = true

    init(_ form: Form, _ options: CodeCheckOptions, level: CodeLevel) {
        self.form = form
        self.level = level
        paint = Painter(hasColor: Terminal.standardOutput().hasColor)
        sarif = SARIF(options, version: Release.version)
        rows.beginArray()
    }

    mutating func put(_ file: CodeCheckRun.File) {
        files += 1
        left += file.report.left
        if file.report.first(atLeast: level) != nil { isClean = false }
        for finding in file.report.findings {
            if finding.suppression == nil { counts[finding.level, default: 0] += 1 } else { suppressed += 1 }
        }
        switch form {
        case .sarif: sarif.add(file.report, of: file.name)
        case .json: for finding in file.report.findings { write(finding, file.name) }
        case .text: print(file)
        }
    }

    /// The end of it. Whether nothing was found of the level.
    mutating func finish() -> Bool {
        switch form {
        case .sarif: output.json(String(decoding: sarif.finish(), as: UTF8.self))
        case .json:
            rows.endArray()
            var json = JSONWriter()
            json.object { json in
                json.name("files")
                json.integer(files)
                for (name, count) in [
                    ("errors", counts[.error] ?? 0), ("warnings", counts[.warning] ?? 0), ("notes", counts[.note] ?? 0),
                    ("suppressed", suppressed), ("omitted", left),
                ] {
                    json.name(name)
                    json.integer(count)
                }
            }
            // The rows are an array already.
            output.json("\(json.text.dropLast()),\"findings\":\(rows.text)}")
        case .text: output.line(summary)
        }
        output.flush()
        return isClean
    }

    private var summary: String {
        let found = [CodeLevel.error, .warning, .note].compactMap { level in
            counts[level].map { "\($0) \(level.rawValue)\($0 == 1 ? "" : "s")" }
        }
        let rest = [suppressed > 0 ? "\(suppressed) suppressed" : nil, left > 0 ? "\(left) more not shown" : nil]
            .compactMap { $0 }
        return (found.isEmpty ? "nothing found" : found.joined(separator: ", "))
            + " in \(files) file\(files == 1 ? "" : "s")"
            + (rest.isEmpty ? "" : " (\(rest.joined(separator: ", ")))")
    }

    private mutating func write(_ finding: CodeFinding, _ file: String) {
        rows.object { json in
            json.field("file", file)
            json.field("rule", finding.rule)
            json.field("level", finding.level.rawValue)
            for (name, number) in [
                ("line", finding.from.line), ("column", finding.from.column), ("endLine", finding.to.line),
                ("endColumn", finding.to.column),
            ] {
                json.name(name)
                json.integer(number)
            }
            json.field("message", finding.message)
            if let reason = finding.suppression { json.field("suppression", reason) }
        }
    }

    private func print(_ file: CodeCheckRun.File) {
        let findings = file.report.findings.filter { $0.suppression == nil }
        guard !findings.isEmpty else { return }
        let source = SourceExcerpt(file.bytes)
        // What was found to be a secret is not printed, nor by another rule.
        let secrets = file.report.findings.filter { $0.rule == "hardcoded-secret" }.map {
            $0.from.line...max($0.from.line, $0.to.line)
        }
        for finding in findings {
            let place = "\(file.name.escaped):\(finding.from.line):\(finding.from.column)"
            output.line(
                "\(paint(place, .bold)): \(paint(finding.level.rawValue, finding.level.style)) \(finding.rule): \(finding.message.escaped)"
            )
            guard finding.from != finding.to, !secrets.contains(where: { $0.contains(finding.from.line) }),
                let lines = source.lines(of: finding)
            else { continue }
            output.line("  \(paint("\(finding.from.line) |", .dim)) \(lines.text)")
            let gutter = String(repeating: " ", count: "\(finding.from.line) |".count)
            output.line("  \(gutter) \(paint(lines.mark, finding.level.style))")
        }
    }
}

extension CodeLevel {
    fileprivate var style: Style {
        switch self {
        case .error: .boldRed
        case .warning: .yellow
        case .note: .cyan
        }
    }
}

/// The lines of a source, to show where something is.
struct SourceExcerpt {
    /// In units of UTF-16, before and behind the place.
    private static let before = 40, behind = 60

    private let lines: [[UInt16]]

    /// Lines as ECMAScript counts them.
    init(_ bytes: [UInt8]) {
        var lines: [[UInt16]] = [[]]
        var last: UInt16 = 0
        for unit in String(decoding: bytes, as: UTF8.self).utf16 {
            switch unit {
            case 0x0A where last == 0x0D: break
            case 0x0A, 0x0D, 0x2028, 0x2029: lines.append([])
            default: lines[lines.count - 1].append(unit)
            }
            last = unit
        }
        self.lines = lines
    }

    /// The first line of it, what is far away cut off, and a line with what is meant underlined. Nil when there is no such line.
    func lines(of finding: CodeFinding) -> (text: String, mark: String)? {
        guard lines.indices.contains(finding.from.line - 1) else { return nil }
        let line = lines[finding.from.line - 1]
        let from = min(finding.from.column - 1, line.count)
        let to = finding.to.line > finding.from.line ? line.count : min(max(finding.to.column - 1, from), line.count)
        let start = max(0, from - Self.before)
        let end = min(line.count, from + Self.behind)
        let head = (start > 0 ? "…" : "") + text(line[start..<from])
        let middle = text(line[from..<min(to, end)])
        let tail = text(line[min(to, end)..<end]) + (end < line.count ? "…" : "")
        let blank = String(repeating: " ", count: head.columns)
        return (head + middle + tail, blank + "^" + String(repeating: "~", count: max(0, middle.columns - 1)))
    }

    private func text(_ units: ArraySlice<UInt16>) -> String {
        String(decoding: units, as: UTF16.self).replacing("\t", with: "  ").escaped
    }
}
