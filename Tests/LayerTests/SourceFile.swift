/// One source file: where it is, and what it says it needs.
struct SourceFile {
    /// Relative to the root of the checkout: "Sources/Wire/Protobuf.swift".
    let path: String
    let lineCount: Int
    /// What the file imports (Swift) or includes (C, C++). Comments and string literals do not count.
    let needs: [(name: String, line: Int)]

    init(path: String, text: String) {
        self.path = path
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        lineCount = lines.count - (text.hasSuffix("\n") ? 1 : 0)
        let isSwift = path.hasSuffix(".swift")
        // JavaScript is only measured: its imports are the platform's own affair.
        let code = path.hasSuffix(".js") ? [] : CodeText.withoutCommentsAndStrings(lines, keepingIncludes: !isSwift)
        needs = code.enumerated().compactMap { index, line in
            let name = isSwift ? Self.imported(by: line) : Self.included(by: line)
            return name.map { ($0, index + 1) }
        }
    }

    /// The target whose folder the file is in: the second component of the path.
    var target: String {
        let parts = path.split(separator: "/")
        return parts.count > 2 ? String(parts[1]) : ""
    }

    var isTest: Bool { path.hasPrefix("Tests/") }
    var isSwift: Bool { path.hasSuffix(".swift") }

    private static let importedKinds: Set<Substring> = [
        "struct", "class", "enum", "protocol", "typealias", "func", "let", "var",
    ]

    /// `@testable public import struct Telemetry.SpanData` names the module Telemetry.
    private static func imported(by line: String) -> String? {
        var words = line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == ";" })[...]
        while let word = words.first, word != "import" {
            guard word.hasPrefix("@") || ["public", "package", "internal", "fileprivate", "private"].contains(word)
            else { return nil }
            words.removeFirst()
        }
        guard words.popFirst() != nil else { return nil }
        if let kind = words.first, importedKinds.contains(kind) { words.removeFirst() }
        return words.first.map { String($0.prefix { $0 != "." }) }
    }

    /// `#include <v8.h>` and `#import "v8.h"` give v8.h.
    private static func included(by line: String) -> String? {
        let dense = line.filter { $0 != " " && $0 != "\t" }
        for directive in ["#include", "#import"] where dense.hasPrefix(directive) {
            let rest = dense.dropFirst(directive.count)
            guard let open = rest.first, open == "<" || open == "\"" else { return nil }
            return String(rest.dropFirst().prefix { $0 != ">" && $0 != "\"" })
        }
        return nil
    }
}

/// Source text as far as the checks need it.
enum CodeText {
    /// The lines with comments and the insides of string literals gone. Block comments nest, as in Swift.
    /// `keepingIncludes` keeps what stands in quotes on a line that begins with `#`.
    static func withoutCommentsAndStrings(_ lines: [Substring], keepingIncludes: Bool) -> [String] {
        var stripper = Stripper()
        return lines.map { line in
            if stripper.place == .code, !line.utf8.contains(where: Stripper.mayOpen) { return String(line) }
            let isDirective = line.drop(while: { $0 == " " || $0 == "\t" }).hasPrefix("#")
            return stripper.strip(Array(line.utf8)[...], keepingStrings: keepingIncludes && isDirective)
        }
    }

    /// Knows between two lines whether it is inside a comment or a string that spans lines.
    private struct Stripper {
        enum Place: Equatable {
            case code
            case comment(depth: Int)
            /// Ends at `closing`; a backslash escapes unless the string is raw.
            case string(closing: [UInt8], raw: Bool, manyLines: Bool)
        }

        var place = Place.code

        /// Whether a comment or a string may begin with this byte (or its `#` be one's).
        static func mayOpen(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\"") }

        mutating func strip(_ line: ArraySlice<UInt8>, keepingStrings: Bool) -> String {
            var rest = line
            var kept: [UInt8] = []
            while let byte = rest.first {
                switch place {
                case .code:
                    if rest.starts(with: "//".utf8) {
                        rest = []
                    } else if rest.starts(with: "/*".utf8) {
                        rest = rest.dropFirst(2)
                        place = .comment(depth: 1)
                    } else if !keepingStrings, let opening = Self.opening(of: rest) {
                        rest = rest.dropFirst(opening.length)
                        place = opening.string
                    } else {
                        kept.append(byte)
                        rest = rest.dropFirst()
                    }
                case .comment(let depth):
                    if rest.starts(with: "*/".utf8) {
                        rest = rest.dropFirst(2)
                        place = depth == 1 ? .code : .comment(depth: depth - 1)
                    } else if rest.starts(with: "/*".utf8) {
                        rest = rest.dropFirst(2)
                        place = .comment(depth: depth + 1)
                    } else {
                        rest = rest.dropFirst()
                    }
                case .string(let closing, let raw, _):
                    if rest.starts(with: closing) {
                        rest = rest.dropFirst(closing.count)
                        place = .code
                    } else {
                        rest = rest.dropFirst(byte == UInt8(ascii: "\\") && !raw ? 2 : 1)
                    }
                }
            }
            if case .string(_, _, manyLines: false) = place { place = .code }
            return String(decoding: kept, as: UTF8.self)
        }

        /// The string literal that begins at `text`: any number of `#`, then one quote or three.
        private static func opening(of text: ArraySlice<UInt8>) -> (length: Int, string: Place)? {
            let pounds = text.prefix { $0 == UInt8(ascii: "#") }
            let quotes = text.dropFirst(pounds.count).prefix(3).prefix { $0 == UInt8(ascii: "\"") }
            guard !quotes.isEmpty else { return nil }
            let count = quotes.count == 3 ? 3 : 1
            let closing = Array(quotes.prefix(count)) + Array(pounds)
            return (pounds.count + count, .string(closing: closing, raw: !pounds.isEmpty, manyLines: count == 3))
        }
    }
}
