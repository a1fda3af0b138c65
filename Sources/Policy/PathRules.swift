/// Files and folders that are allowed, each with all that is in it.
public struct PathRules: Hashable, Sendable {
    /// Absolute, without "." and "..", without a slash at the end but for "/".
    public let paths: [String]
    private let rules: [Rule]

    private struct Rule: Hashable, Sendable {
        /// With a slash at its end.
        var folder: String
        /// What decisions call it, as in `files.read[0]`.
        var name: String
    }

    public static let rulesMax = 1_024

    /// - Parameters:
    ///   - paths: Absolute.
    ///   - key: Of the policy file.
    public init(_ paths: [String], key: String) {
        self.paths = paths.map(Self.normal)
        rules = self.paths.enumerated().map { index, path in
            Rule(folder: path == "/" ? path : path + "/", name: "\(key)[\(index)]")
        }
    }

    /// The name of the rule that allows it.
    func rule(for path: String) -> String? {
        rules.first { Self.contains($0.folder, path) }?.name
    }

    /// Whether a path is in a folder, or is it.
    /// - Parameter folder: With a slash at its end.
    private static func contains(_ folder: String, _ path: String) -> Bool {
        let (own, other) = (folder.utf8, path.utf8)
        return other.starts(with: own) || (own.count == other.count + 1 && own.starts(with: other))
    }

    /// Whether it is absolute and has neither "." nor ".." nor an empty part: nothing else is decided on.
    static func isCanonical(_ path: String) -> Bool {
        guard path.utf8.first == UInt8(ascii: "/"), !path.utf8.contains(0) else { return false }
        var length = 0
        var dots = 0
        var isFirst = true
        for byte in path.utf8 {
            if byte == UInt8(ascii: "/") {
                if !isFirst, length == 0 || (length == dots && dots <= 2) { return false }
                (length, dots, isFirst) = (0, 0, false)
            } else {
                length += 1
                if byte == UInt8(ascii: ".") { dots += 1 }
            }
        }
        return length == 0 ? path == "/" : !(length == dots && dots <= 2)
    }

    /// Without ".", ".." and slashes at the end, as the text has it: links are not followed.
    public static func normal(_ path: String) -> String {
        var parts: [Substring] = []
        // By bytes: a letter that combines hides a slash in front of it from whoever looks at characters.
        for part in path.utf8.split(separator: UInt8(ascii: "/")).map(Substring.init) where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// The folder a file is in.
    static func folder(of path: String) -> String {
        path.utf8.lastIndex(of: UInt8(ascii: "/")).map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "/"
    }

    /// The same with each path as `body` has it, as in: with its links followed.
    func mapped(key: String, _ body: (String) -> String) -> PathRules { PathRules(paths.map(body), key: key) }
}
