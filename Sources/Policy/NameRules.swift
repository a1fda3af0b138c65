/// Names that are allowed: whole ones, and beginnings with "*" behind them.
public struct NameRules: Hashable, Sendable {
    /// As written.
    public let patterns: [String]
    private let rules: [Rule]

    private struct Rule: Hashable, Sendable {
        var text: String
        var isBeginning: Bool
        /// What decisions call it, as in `environment[0]`.
        var name: String
    }

    public static let rulesMax = 1_024

    /// - Parameter key: Of the policy file.
    public init(_ patterns: [String], key: String) {
        self.patterns = patterns
        rules = patterns.enumerated().map { index, pattern in
            let isBeginning = pattern.hasSuffix("*")
            return Rule(
                text: isBeginning ? String(pattern.dropLast()) : pattern, isBeginning: isBeginning,
                name: "\(key)[\(index)]")
        }
    }

    /// The name of the rule that allows it.
    func rule(for name: String) -> String? {
        rules.first {
            $0.isBeginning ? name.utf8.starts(with: $0.text.utf8) : name.utf8.elementsEqual($0.text.utf8)
        }?.name
    }

    /// The same for names whose case says nothing.
    func rule(forCaseless name: String) -> String? {
        rules.first { rule in
            let (own, other) = (rule.text.utf8, name.utf8)
            guard rule.isBeginning ? own.count <= other.count : own.count == other.count else { return false }
            return zip(own, other).allSatisfy { Self.upper($0) == Self.upper($1) }
        }?.name
    }

    private static func upper(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) ? byte & ~0x20 : byte
    }
}
