// Telemetry's text is not ours: it may hold terminal sequences, text that runs from right to left, emoji and characters two
// columns wide. What is printed goes through `escaped`, what is aligned through `columns`.

import System

extension String {
    /// Without anything that a terminal would obey: control characters, and the invisible ones that reorder text, as escapes.
    var escaped: String {
        guard unicodeScalars.contains(where: \.isUnprintable) else { return self }
        var out = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case "\u{1B}": out += "\\e"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                out += "\\x" + (scalar.value < 0x10 ? "0" : "") + String(scalar.value, radix: 16)
            case _ where scalar.isUnprintable: out += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    /// The same of several lines, which stay lines.
    var escapedText: String {
        split(separator: "\n", omittingEmptySubsequences: false).map { String($0).escaped }.joined(separator: "\n")
    }

    /// JSON that says the same and holds nothing that a terminal would obey. Outside of its strings such characters are no JSON, and are escaped all the same.
    var escapedJSON: String {
        guard unicodeScalars.contains(where: \.isUnprintable) else { return self }
        var out = ""
        for scalar in unicodeScalars {
            guard scalar.isUnprintable, scalar != "\n" else {
                out.unicodeScalars.append(scalar)
                continue
            }
            for unit in String(scalar).utf16 {
                let digits = String(unit, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return out
    }

    /// A line of ours that is about to be printed, in which nothing but colours may stand: the last look, behind all that escape what they print.
    var escapedButColors: String {
        guard unicodeScalars.contains(where: \.isUnprintable) else { return self }
        var out = ""
        var rest = self[...]
        while let escape = rest.firstIndex(where: { $0.unicodeScalars.contains(where: \.isUnprintable) }) {
            out += rest[..<escape]
            let color = rest[escape...].prefix { $0 != "m" }.dropFirst()
            let end = color.endIndex
            if rest[escape] == "\u{1B}", end < rest.endIndex, color.first == "[",
                color.dropFirst().allSatisfy({ $0.isASCII && $0.isNumber || $0 == ";" })
            {
                out += rest[escape...end]
                rest = rest[rest.index(after: end)...]
            } else {
                out += String(rest[escape]).escaped
                rest = rest[rest.index(after: escape)...]
            }
        }
        return out + rest
    }

    /// Lines, each escaped; `\r\n` counts as one end. A tab becomes two spaces, because stack traces and code use it to indent.
    var escapedLines: [String] {
        split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map { line in
            String(line.flatMap { $0 == "\t" ? "  " : String($0) }).escaped
        }
    }

    /// Columns that the text takes in a terminal, as far as that can be said: East Asian wide characters and emoji take two.
    var columns: Int {
        if utf8.allSatisfy({ $0 < 0x80 }) { return utf8.count }
        return reduce(0) { $0 + $1.columns }
    }

    /// At most so many columns; what was cut shows as "…".
    func cut(to limit: Int) -> String {
        guard columns > limit else { return self }
        guard limit > 0 else { return "" }
        var out = ""
        var used = 0
        for character in self {
            let width = character.columns
            if used + width > limit - 1 { break }
            out.append(character)
            used += width
        }
        return out + "…"
    }

    /// Filled with spaces on the right to so many columns; longer text stays as it is.
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - columns)) }

    /// Filled with spaces on the left.
    func aligned(right width: Int) -> String { String(repeating: " ", count: max(0, width - columns)) + self }
}

extension Character {
    fileprivate var columns: Int {
        guard let first = unicodeScalars.first else { return 0 }
        if first.value < 0x300 { return 1 }
        if first.properties.isEmojiPresentation || unicodeScalars.contains("\u{FE0F}") && first.properties.isEmoji {
            return 2
        }
        switch first.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: return first.isWide ? 2 : 1
        }
    }
}

extension Unicode.Scalar {
    /// East Asian Wide and Fullwidth, by blocks. <https://www.unicode.org/reports/tr11/>.
    fileprivate var isWide: Bool {
        switch value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x4DBF, 0x4E00...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3,
            0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x17000...0x18CFF, 0x1B000...0x1B2FF,
            0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            true
        default: false
        }
    }
}
