internal import Engine

/// Import attributes (<https://tc39.es/proposal-import-attributes/>) for V8 10.2, which knows them by their older word: `assert` where the language says
/// `with`. V8 tells where it met the unexpected word; that one is replaced.
enum ImportAttributes {
    /// How many a module may have. V8 reads the module again for each.
    static let rewritesMax = 256

    private static let old = Array("assert".utf8), new = Array("with".utf8)
    /// What V8 says of the word; the latter at the beginning of a line, where it takes it for a statement.
    private static let messages = ["Unexpected token 'with'", "Strict mode code may not include a with statement"]

    /// `source` with the word replaced at which V8 gave up; nil when that was for another reason. Lines stay what they are, but for a word that begins one:
    /// it moves to the line above, where the older word must be. Columns stay where there are blanks enough around the brace.
    static func rewritten(_ source: [UInt8], after error: JSException) -> [UInt8]? {
        guard error.name == "SyntaxError", messages.contains(error.message),
            let start = offset(ofLine: error.location.line, column: error.location.column, in: source),
            source[start...].starts(with: new), let end = source[..<start].lastIndex(where: { !isBlank($0) }),
            source[end] == UInt8(ascii: "'") || source[end] == UInt8(ascii: "\"")
        else { return nil }
        let before = source[(end + 1)..<start]
        let ends = before.filter(isLineEnd)
        var at = start + new.count, spare = old.count - new.count
        var result = source[...end] + (ends.isEmpty ? Array(before) : [UInt8(ascii: " ")]) + old
        func takeBlanks() {
            while at < source.count, isBlank(source[at]) {
                if spare > 0, !isLineEnd(source[at]) { spare -= 1 } else { result.append(source[at]) }
                at += 1
            }
        }
        takeBlanks()
        guard at < source.count, source[at] == UInt8(ascii: "{") else { return nil }
        result.append(source[at])
        at += 1
        result += ends
        takeBlanks()
        return Array(result + source[at...])
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || isLineEnd(byte)
    }

    private static func isLineEnd(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }

    /// The offset in UTF-8 of a place that V8 tells: both 1-based, the column in units of UTF-16.
    private static func offset(ofLine line: Int, column: Int, in source: [UInt8]) -> Int? {
        guard line > 0, column > 0 else { return nil }
        var at = 0
        for _ in 1..<line {
            guard let end = lineEnd(from: at, in: source) else { return nil }
            at = end
        }
        var units = column - 1
        while units > 0, at < source.count {
            // A character of four bytes has two units.
            units -= source[at] >= 0xF0 ? 2 : 1
            at += 1
            while at < source.count, source[at] & 0xC0 == 0x80 { at += 1 }
        }
        return units == 0 && at < source.count ? at : nil
    }

    /// Where the next line begins. <https://tc39.es/ecma262/#sec-line-terminators>
    private static func lineEnd(from start: Int, in source: [UInt8]) -> Int? {
        var at = start
        while at < source.count {
            switch source[at] {
            case 0x0A: return at + 1
            case 0x0D: return source[(at + 1)...].first == 0x0A ? at + 2 : at + 1
            case 0xE2
            where source[at...].starts(with: [0xE2, 0x80, 0xA8]) || source[at...].starts(with: [0xE2, 0x80, 0xA9]):
                return at + 3
            default: at += 1
            }
        }
        return nil
    }
}
