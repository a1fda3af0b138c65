/// How much a finding matters.
public enum CodeLevel: String, Hashable, Sendable, Comparable, CaseIterable {
    case note, warning, error

    private var rank: Int { Self.allCases.firstIndex(of: self)! }

    public static func < (left: CodeLevel, right: CodeLevel) -> Bool { left.rank < right.rank }
}

/// A place in a text: lines by ECMAScript's rules, from 1, and columns in units of UTF-16, from 1.
/// <https://tc39.es/ecma262/#sec-line-terminators>
public struct CodePlace: Hashable, Sendable, Comparable {
    public var line: Int
    public var column: Int

    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    public static let start = CodePlace(line: 1, column: 1)

    public static func < (left: CodePlace, right: CodePlace) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// Something that a rule has found in a file.
public struct CodeFinding: Hashable, Sendable {
    /// Of one file; more are counted.
    public static let countMax = 1_000

    public var rule: String
    public var level: CodeLevel
    public var from: CodePlace
    /// Behind the last character.
    public var to: CodePlace
    public var message: String
    /// Why it is no problem, says a comment in the source. Nil: nobody says so.
    public var suppression: String?

    public init(_ rule: String, _ level: CodeLevel, from: CodePlace = .start, to: CodePlace? = nil, _ message: String) {
        self.rule = rule
        self.level = level
        self.from = from
        self.to = to ?? from
        self.message = message
    }
}

/// What became of one file.
public struct CodeReport: Hashable, Sendable {
    /// In the order of the text; those that are suppressed as well.
    public var findings: [CodeFinding] = []
    /// Findings beyond `CodeFinding.countMax`.
    public var left = 0

    public init(findings: [CodeFinding] = [], left: Int = 0) {
        self.findings = findings
        self.left = left
    }

    /// That something refused to look at it.
    public static func failed(_ message: String) -> CodeReport {
        CodeReport(findings: [CodeFinding("check-failed", .error, message)])
    }

    /// The first that is as bad as this or worse, and is not suppressed.
    public func first(atLeast level: CodeLevel) -> CodeFinding? {
        findings.first { $0.level >= level && $0.suppression == nil }
    }

    public mutating func sort() {
        findings.sort { ($0.from, $0.rule, $0.message) < ($1.from, $1.rule, $1.message) }
        if findings.count > CodeFinding.countMax {
            left += findings.count - CodeFinding.countMax
            findings.removeLast(findings.count - CodeFinding.countMax)
        }
    }
}
