/// The targets of a Package.swift and what each declares to depend on, read from its text. Not a Swift parser: it
/// understands the form this manifest has (`target("Name", […])`, `tests("Name", […])`, lists joined by `+`, names bound by
/// `let`, `.executableTarget(name:dependencies:…)`) and throws on what it does not, so that nothing goes unchecked in silence.
struct PackageManifest {
    struct Target: Equatable {
        var name: String
        var dependencies: [String]
    }

    struct Unreadable: Error, CustomStringConvertible {
        let description: String
    }

    private(set) var targets: [Target] = []

    init(_ text: String) throws {
        let tokens = try Self.tokens(of: text)
        let constants = try Self.constants(in: tokens)
        guard let start = Self.index(of: [.word("targets"), .mark(":"), .mark("[")], in: tokens, last: true) else {
            throw Unreadable(description: "Package.swift has no `targets: [` list")
        }
        var reader = Reader(tokens: tokens, index: start + 3, constants: constants)
        targets = try reader.targetList()
    }

    // MARK: - Words

    enum Token: Equatable {
        case word(String)
        case text(String)
        case mark(Character)
    }

    private static func tokens(of text: String) throws -> [Token] {
        var tokens: [Token] = []
        var rest = text[...]
        while let character = rest.first {
            if rest.hasPrefix("//") {
                rest = rest.drop { $0 != "\n" }
            } else if character.isWhitespace {
                rest.removeFirst()
            } else if character == "\"" {
                let inside = rest.dropFirst().prefix { $0 != "\"" }
                tokens.append(.text(String(inside)))
                rest = rest[inside.endIndex...].dropFirst()
            } else if character.isLetter || character == "_" {
                let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
                tokens.append(.word(String(word)))
                rest = rest[word.endIndex...]
            } else {
                tokens.append(.mark(character))
                rest.removeFirst()
            }
        }
        return tokens
    }

    /// Where `pattern` stands in `tokens`; the last such place: functions above the package have labels too.
    private static func index(of pattern: [Token], in tokens: [Token], last: Bool) -> Int? {
        guard tokens.count >= pattern.count else { return nil }
        let places = (0...(tokens.count - pattern.count)).filter { Array(tokens[$0..<($0 + pattern.count)]) == pattern }
        return last ? places.last : places.first
    }

    /// `let nio: [Target.Dependency] = […]` and `let grdb: Target.Dependency = .product(…)`.
    private static func constants(in tokens: [Token]) throws -> [String: [String]] {
        var constants: [String: [String]] = [:]
        for index in tokens.indices where tokens[index] == .word("let") {
            guard case .word(let name)? = tokens[safe: index + 1], tokens[safe: index + 2] == .mark(":") else {
                continue
            }
            let type = tokens[(index + 3)...].prefix { $0 != .mark("=") }
            guard type.contains(.word("Dependency")) else { continue }
            var reader = Reader(tokens: tokens, index: index + 3 + type.count + 1, constants: constants)
            constants[name] = try reader.dependencies()
        }
        return constants
    }
}

extension PackageManifest {
    /// Walks the tokens. Every function leaves `index` behind what it read.
    private struct Reader {
        let tokens: [Token]
        var index: Int
        let constants: [String: [String]]

        var token: Token? { tokens[safe: index] }

        mutating func accept(_ expected: Token) -> Bool {
            guard token == expected else { return false }
            index += 1
            return true
        }

        mutating func expect(_ expected: Token, _ place: String) throws {
            guard accept(expected) else { throw unreadable("\(place): expected \(expected)") }
        }

        func unreadable(_ what: String) -> Unreadable {
            let near = tokens[max(0, index - 4)..<min(tokens.count, index + 4)].map { "\($0)" }.joined(separator: " ")
            return Unreadable(description: "Package.swift: \(what), near \(near)")
        }

        mutating func targetList() throws -> [Target] {
            var targets: [Target] = []
            while !accept(.mark("]")) {
                targets.append(try target())
                _ = accept(.mark(","))
            }
            return targets
        }

        private mutating func target() throws -> Target {
            _ = accept(.mark("."))
            guard case .word(let function)? = token else { throw unreadable("a target begins with a function name") }
            index += 1
            guard ["target", "tests", "executableTarget", "testTarget", "systemLibrary"].contains(function) else {
                throw unreadable("unknown kind of target \(function)")
            }
            try expect(.mark("("), "target")
            var target = Target(name: "", dependencies: [])
            var position = 0
            while !accept(.mark(")")) {
                var label: String?
                if case .word(let word)? = token, tokens[safe: index + 1] == .mark(":") {
                    label = word
                    index += 2
                }
                switch (label, position) {
                case ("name", _), (nil, 0):
                    guard case .text(let name)? = token else { throw unreadable("a target's name is a string") }
                    index += 1
                    target.name = function == "tests" ? name + "Tests" : name
                case ("dependencies", _), (nil, 1):
                    target.dependencies = try dependencies()
                default:
                    try skipArgument()
                }
                position += 1
                _ = accept(.mark(","))
            }
            return target
        }

        /// A list, a single dependency, a constant, or several of these joined by `+`.
        mutating func dependencies() throws -> [String] {
            var names = try dependency()
            while accept(.mark("+")) { names += try dependency() }
            return names
        }

        private mutating func dependency() throws -> [String] {
            switch token {
            case .text(let name):
                index += 1
                return [name]
            case .word(let name):
                index += 1
                guard let value = constants[name] else { throw unreadable("no dependency is bound to \(name)") }
                return value
            case .mark("["):
                index += 1
                var names: [String] = []
                while !accept(.mark("]")) {
                    names += try dependencies()
                    _ = accept(.mark(","))
                }
                return names
            case .mark("."):
                return [try namedDependency()]
            default:
                throw unreadable("expected a dependency")
            }
        }

        /// `.product(name: "NIOCore", package: "swift-nio")`, `.target(name: "Wire")`.
        private mutating func namedDependency() throws -> String {
            index += 2
            try expect(.mark("("), "dependency")
            try expect(.word("name"), "dependency")
            try expect(.mark(":"), "dependency")
            guard case .text(let name)? = token else { throw unreadable("a dependency's name is a string") }
            while !accept(.mark(")")) { index += 1 }
            return name
        }

        private mutating func skipArgument() throws {
            var depth = 0
            while let current = token {
                switch current {
                case .mark("("), .mark("["): depth += 1
                case .mark(")") where depth == 0: return
                case .mark(")"), .mark("]"): depth -= 1
                case .mark(",") where depth == 0: return
                default: break
                }
                index += 1
            }
            throw unreadable("an argument has no end")
        }
    }
}

extension Array {
    fileprivate subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
