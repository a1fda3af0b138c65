// What people write to search for logs:
//
//     query = all *("OR" all)
//     all   = 1*(["AND"] ["-" / "NOT"] one)
//     one   = word["*"] / quoted["*"] / "(" query ")"
//
// A word or quoted text that is several words (`user_id`, "connection refused") means these words one behind the other.

/// A search over logs, parsed.
public struct SearchQuery: Sendable, Hashable {
    /// Why a search cannot be understood; for people.
    public struct Problem: Error, Hashable, CustomStringConvertible {
        public let description: String
    }

    /// Of the text.
    public static let bytesMax = 4_096
    /// In all of it: each is a bit of SearchMatcher's state.
    public static let wordsMax = 64
    public static let nestingMax = 16

    /// Words that follow each other.
    struct Pattern: Hashable, Sendable {
        var words: [[UInt8]]
        /// The last word may go on.
        var isPrefix: Bool
    }

    indirect enum Node: Hashable, Sendable {
        /// An index of `patterns`.
        case pattern(Int)
        case all([Node])
        case any([Node])
        case not(Node)
    }

    private(set) var patterns: [Pattern] = []
    private(set) var root = Node.all([])

    public init(parsing text: String) throws(Problem) {
        guard text.utf8.count <= Self.bytesMax else {
            throw Problem(description: "it is longer than \(Self.bytesMax) bytes")
        }
        var parser = Parser(text)
        root = try parser.parse()
        patterns = parser.patterns
        guard !patterns.isEmpty else { throw Problem(description: "there is no word in it") }
    }

    /// What the index is asked, in FTS5's language; nil: it cannot rule out any batch.
    var expression: String? { expression(root) }

    private func expression(_ node: Node) -> String? {
        switch node {
        case .pattern(let index):
            let pattern = patterns[index]
            let words = pattern.words.enumerated().map { number, word in
                // Words have no quotation marks in them.
                "\"" + String(decoding: word, as: UTF8.self) + "\""
                    + (pattern.isPrefix && number == pattern.words.count - 1 ? " *" : "")
            }
            return words.count == 1 ? words[0] : "(" + words.joined(separator: " AND ") + ")"
        case .all(let nodes):
            let parts = nodes.compactMap(expression)
            return parts.isEmpty ? nil : "(" + parts.joined(separator: " AND ") + ")"
        case .any(let nodes):
            let parts = nodes.compactMap(expression)
            return parts.count < nodes.count ? nil : "(" + parts.joined(separator: " OR ") + ")"
        // A batch that has the word may have records without it.
        case .not: return nil
        }
    }

    /// What is to be found, as parts of a regular expression: words in small letters and digits, with what may be between them. For who shows it.
    public var soughtTexts: [String] {
        var found: [String] = []
        func visit(_ node: Node) {
            switch node {
            case .pattern(let index):
                let words = patterns[index].words.map { String(decoding: $0, as: UTF8.self) }
                found.append(words.joined(separator: "[^a-zA-Z0-9]*?"))
            case .all(let nodes), .any(let nodes): nodes.forEach(visit)
            case .not: break
            }
        }
        visit(root)
        return found
    }
}

extension SearchQuery {
    private struct Parser {
        private enum Token: Equatable {
            case open, close, minus, and, or, not
            case text(String, isPrefix: Bool)
        }

        var patterns: [Pattern] = []
        private var words = 0
        private var rest: Substring
        private var next: Token?

        init(_ text: String) { rest = text[...] }

        mutating func parse() throws(Problem) -> Node {
            try advance()
            let node = try any(depth: 0)
            if next == .close { throw Problem(description: "there is a ) without its (") }
            return node
        }

        private mutating func any(depth: Int) throws(Problem) -> Node {
            guard depth < SearchQuery.nestingMax else {
                throw Problem(description: "parentheses are nested deeper than \(SearchQuery.nestingMax)")
            }
            var nodes = [try all(depth)]
            while next == .or {
                try advance()
                nodes.append(try all(depth))
            }
            return nodes.count == 1 ? nodes[0] : .any(nodes)
        }

        private mutating func all(_ depth: Int) throws(Problem) -> Node {
            var nodes = [try one(depth)]
            while let token = next, token != .close, token != .or {
                if token == .and { try advance() }
                nodes.append(try one(depth))
            }
            return nodes.count == 1 ? nodes[0] : .all(nodes)
        }

        private mutating func one(_ depth: Int) throws(Problem) -> Node {
            switch next {
            case .minus, .not:
                try advance()
                guard next != .minus, next != .not else { throw Problem(description: "it says \"not\" twice") }
                return .not(try one(depth))
            case .open:
                try advance()
                let node = try any(depth: depth + 1)
                guard next == .close else { throw Problem(description: "there is a ( without its )") }
                try advance()
                return node
            case .text(let text, let isPrefix):
                let index = try add(text, isPrefix)
                try advance()
                return .pattern(index)
            case .and: throw Problem(description: "AND stands between two words; put it in quotes to search for it")
            case .or: throw Problem(description: "OR stands between two words; put it in quotes to search for it")
            case .close, nil: throw Problem(description: "a word is missing")
            }
        }

        private mutating func add(_ text: String, _ isPrefix: Bool) throws(Problem) -> Int {
            var found: [[UInt8]] = []
            var text = text
            text.withUTF8 { Words.forEach(UnsafeRawBufferPointer($0)) { found.append(Array($0)) } }
            guard !found.isEmpty else {
                throw Problem(description: "\"\(text.prefix(40))\" has no letter or digit to search for")
            }
            words += found.count
            guard words <= SearchQuery.wordsMax else {
                throw Problem(description: "it has more than \(SearchQuery.wordsMax) words")
            }
            patterns.append(Pattern(words: found, isPrefix: isPrefix))
            return patterns.count - 1
        }

        private mutating func advance() throws(Problem) {
            rest = rest.drop(while: \.isWhitespace)
            guard let first = rest.first else {
                next = nil
                return
            }
            switch first {
            case "(": take(.open)
            case ")": take(.close)
            case "-": take(.minus)
            case "\"":
                guard let end = rest.dropFirst().firstIndex(of: "\"") else {
                    throw Problem(description: "a quotation mark is not closed")
                }
                let text = String(rest.dropFirst()[..<end])
                rest = rest[rest.index(after: end)...]
                next = .text(text, isPrefix: star())
            default:
                let text = rest.prefix { !$0.isWhitespace && $0 != "(" && $0 != ")" && $0 != "\"" && $0 != "*" }
                rest = rest[text.endIndex...]
                switch text {
                case "AND": next = .and
                case "OR": next = .or
                case "NOT": next = .not
                default: next = .text(String(text), isPrefix: star())
                }
            }
        }

        private mutating func take(_ token: Token) {
            rest = rest.dropFirst()
            next = token
        }

        /// A `*` right behind a text.
        private mutating func star() -> Bool {
            guard rest.first == "*" else { return false }
            rest = rest.dropFirst()
            return true
        }
    }
}
