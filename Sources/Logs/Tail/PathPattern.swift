/// A pattern of paths, as shells know them: `*` and `?` within a name, `[a-z]`, `[!a-z]`, `{a,b}`, `**` for any number of folders. A backslash takes the next character for
/// itself. A name that begins with a dot is matched only where the pattern says the dot.
struct PathPattern {
    enum Part: Equatable {
        case literal(String)
        case name([Token])
        /// `**`
        case folders
    }

    enum Token: Equatable {
        case one(Unicode.Scalar)
        case any
        case some
        case oneOf([ClosedRange<Unicode.Scalar>], isNegated: Bool)
    }

    let isAbsolute: Bool
    let parts: [Part]

    /// Alternatives of one pattern at most.
    private static let alternativesMax = 256

    /// All that `text` stands for, its braces resolved.
    static func all(_ text: String) -> [PathPattern] {
        expanded(Array(text.unicodeScalars)).map { PathPattern(scalars: $0) }
    }

    private init(scalars: [Unicode.Scalar]) {
        isAbsolute = scalars.first == "/"
        var parts: [Part] = []
        for piece in Self.split(scalars) where !piece.isEmpty && piece != ["."] {
            if piece == ["*", "*"] {
                if parts.last != .folders { parts.append(.folders) }
                continue
            }
            let tokens = Self.tokens(piece)
            var literal = ""
            for case .one(let scalar) in tokens { literal.unicodeScalars.append(scalar) }
            parts.append(literal.unicodeScalars.count == tokens.count ? .literal(literal) : .name(tokens))
        }
        // `logs/**` means all files below.
        if parts.last == .folders { parts.append(.name([.some])) }
        self.parts = parts
    }

    private static func split(_ scalars: [Unicode.Scalar]) -> [[Unicode.Scalar]] {
        scalars.split(separator: "/", omittingEmptySubsequences: true).map(Array.init)
    }

    private static func expanded(_ scalars: [Unicode.Scalar]) -> [[Unicode.Scalar]] {
        var done: [[Unicode.Scalar]] = []
        var rest = [scalars]
        while let next = rest.popLast() {
            guard let (open, commas, close) = braces(in: next),
                done.count + rest.count + commas.count < alternativesMax
            else {
                done.append(next)
                continue
            }
            let bounds = [open] + commas + [close]
            for (start, end) in zip(bounds, bounds.dropFirst()).reversed() {
                rest.append(Array(next[..<open] + next[(start + 1)..<end] + next[(close + 1)...]))
            }
        }
        return done
    }

    /// The first braces that hold a comma, and the commas that are theirs.
    private static func braces(in scalars: [Unicode.Scalar]) -> (open: Int, commas: [Int], close: Int)? {
        var stack: [(open: Int, commas: [Int])] = []
        var index = 0
        while index < scalars.count {
            switch scalars[index] {
            case "\\": index += 1
            case "{": stack.append((index, []))
            case "," where !stack.isEmpty: stack[stack.count - 1].commas.append(index)
            case "}":
                if let (open, commas) = stack.popLast(), !commas.isEmpty { return (open, commas, index) }
            default: break
            }
            index += 1
        }
        return nil
    }

    private static func tokens(_ piece: [Unicode.Scalar]) -> [Token] {
        var tokens: [Token] = []
        var index = 0
        while index < piece.count {
            switch piece[index] {
            case "*": if tokens.last != .some { tokens.append(.some) }
            case "?": tokens.append(.any)
            case "\\" where index + 1 < piece.count:
                index += 1
                tokens.append(.one(piece[index]))
            case "[":
                guard let (token, end) = oneOf(piece, from: index) else { fallthrough }
                tokens.append(token)
                index = end
            default: tokens.append(.one(piece[index]))
            }
            index += 1
        }
        return tokens
    }

    /// `[…]` that begins at `start`, and where it ends; nil: it does not.
    private static func oneOf(_ piece: [Unicode.Scalar], from start: Int) -> (Token, Int)? {
        var index = start + 1
        let isNegated = index < piece.count && (piece[index] == "!" || piece[index] == "^")
        if isNegated { index += 1 }
        var ranges: [ClosedRange<Unicode.Scalar>] = []
        while index < piece.count {
            // A bracket that comes first is one of the set.
            if piece[index] == "]", !ranges.isEmpty { return (.oneOf(ranges, isNegated: isNegated), index) }
            let low = piece[index]
            if index + 2 < piece.count, piece[index + 1] == "-", piece[index + 2] != "]" {
                let high = piece[index + 2]
                if low <= high { ranges.append(low...high) }
                index += 3
            } else {
                ranges.append(low...low)
                index += 1
            }
        }
        return nil
    }

    // MARK: Matching

    static func matches(_ tokens: [Token], _ name: String) -> Bool {
        let scalars = Array(name.unicodeScalars)
        if scalars.first == ".", tokens.first != .one(".") { return false }
        // Where to go on when what follows the last `*` does not fit.
        var retry: (token: Int, scalar: Int)?
        var token = 0
        var scalar = 0
        while true {
            if token < tokens.count, tokens[token] == .some {
                retry = (token + 1, scalar)
                token += 1
            } else if scalar < scalars.count, token < tokens.count, tokens[token].matches(scalars[scalar]) {
                token += 1
                scalar += 1
            } else if token == tokens.count, scalar == scalars.count {
                return true
            } else if let (next, from) = retry, from < scalars.count {
                retry = (next, from + 1)
                token = next
                scalar = from + 1
            } else {
                return false
            }
        }
    }

    /// Whether a whole path is one that the pattern means.
    func matches(_ path: String) -> Bool {
        guard path.hasPrefix("/") == isAbsolute else { return false }
        return matches(path.split(separator: "/").map(String.init)[...], parts[...])
    }

    /// Whether a name in any folder is; only for patterns of one part.
    func matchesName(_ name: String) -> Bool { parts.count == 1 && matches([name], parts[...]) }

    private func matches(_ names: ArraySlice<String>, _ parts: ArraySlice<Part>) -> Bool {
        guard let part = parts.first else { return names.isEmpty }
        switch part {
        case .folders:
            var rest = names
            while true {
                if matches(rest, parts.dropFirst()) { return true }
                guard let name = rest.popFirst(), !name.hasPrefix(".") else { return false }
            }
        case .literal(let literal):
            return names.first == literal && matches(names.dropFirst(), parts.dropFirst())
        case .name(let tokens):
            guard let name = names.first, Self.matches(tokens, name) else { return false }
            return matches(names.dropFirst(), parts.dropFirst())
        }
    }
}

extension PathPattern.Token {
    func matches(_ scalar: Unicode.Scalar) -> Bool {
        switch self {
        case .one(let wanted): scalar == wanted
        case .any, .some: true
        case .oneOf(let ranges, let isNegated): ranges.contains { $0.contains(scalar) } != isNegated
        }
    }
}
