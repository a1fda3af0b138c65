/// What can be said of a source before it is parsed: its size, its encoding, and characters that hide something.
/// Trojan Source: <https://trojansource.codes>; <https://www.unicode.org/reports/tr55/>.
struct ByteRules {
    /// Of one line, in units of UTF-16; longer ones are nobody's to read.
    static let lineUnitsMax = 5_000
    /// Findings of a rule that are told one by one.
    static let eachMax = 20

    private var findings: [CodeFinding] = []
    private var counts: [String: Int] = [:]
    private var place = CodePlace.start
    private var isLongLineTold = false

    /// What is found, and whether the bytes are text that can be parsed.
    static func look(
        at bytes: UnsafeRawBufferPointer, _ options: CodeCheckOptions
    ) -> (findings: [CodeFinding], isText: Bool) {
        if bytes.count > options.fileBytesMax {
            let finding = CodeFinding(
                "file-too-large", .error, "it has \(bytes.count) bytes; at most \(options.fileBytesMax) are looked at")
            return ([finding], false)
        }
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            return ([CodeFinding("not-utf8", .error, "it is UTF-16: a module has to be UTF-8")], false)
        }
        var rules = ByteRules()
        let isText = rules.look(at: bytes)
        return (rules.findings, isText)
    }

    /// Goes through it, ASCII by the fast way. False: it is no UTF-8.
    private mutating func look(at bytes: UnsafeRawBufferPointer) -> Bool {
        var at = 0
        var before: Unicode.Scalar = "\n"
        while at < bytes.count {
            let byte = bytes[at]
            if byte < 0x80 {
                at += 1
                if byte >= 0x20 && byte != 0x7F {
                    place.column += 1
                } else {
                    control(byte, next: at < bytes.count ? bytes[at] : 0)
                }
                before = Unicode.Scalar(byte)
                continue
            }
            guard let (scalar, length) = Self.scalar(bytes, at) else {
                let shown = String(byte, radix: 16, uppercase: true)
                tell("not-utf8", .error, "byte \(at + 1) (0x\(shown)) is no UTF-8")
                return false
            }
            var next: Unicode.Scalar?
            if at + length < bytes.count { next = Self.scalar(bytes, at + length)?.scalar }
            if at == 0 && scalar == "\u{FEFF}" {
                tell("bom", .note, "it begins with a byte order mark, which UTF-8 needs none of")
            } else {
                character(scalar, before, next)
            }
            if scalar == "\u{2028}" || scalar == "\u{2029}" {
                endLine()
            } else {
                place.column += scalar.value > 0xFFFF ? 2 : 1
            }
            before = scalar
            at += length
        }
        endLine()
        return true
    }

    private mutating func endLine() {
        if place.column - 1 > Self.lineUnitsMax, !isLongLineTold {
            isLongLineTold = true
            findings.append(
                CodeFinding(
                    "long-line", .note, from: CodePlace(line: place.line, column: 1), to: place,
                    "this line has \(place.column - 1) characters: the code is minified, or hides something far to the right"
                ))
        }
        place = CodePlace(line: place.line + 1, column: 1)
    }

    private mutating func control(_ byte: UInt8, next: UInt8) {
        switch byte {
        case 0x0A: endLine()
        case 0x0D: if next != 0x0A { endLine() }
        case 0x09, 0x0B, 0x0C: place.column += 1
        default:
            tell(
                "control-character", .warning,
                "the control character U+\(Self.hex(UInt32(byte)))\(byte == 0x1B ? " (escape), which terminals obey" : "")"
            )
            place.column += 1
        }
    }

    private mutating func character(_ scalar: Unicode.Scalar, _ before: Unicode.Scalar, _ next: Unicode.Scalar?) {
        let code = "U+" + Self.hex(scalar.value)
        switch scalar.value {
        case 0x80...0x9F: tell("control-character", .warning, "the control character \(code)")
        case 0x202A...0x202E, 0x2066...0x2069:
            tell("bidi-control", .error, "\(code) reorders the text behind it: it reads as other than it runs")
        case 0x200E, 0x200F, 0x061C:
            tell("bidi-control", .warning, "\(code) is a direction mark, which nobody sees")
        case 0x200C, 0x200D:
            if !Self.joins(before, next) { tell("invisible-character", .error, "\(code) shows nothing") }
        case 0xFE00...0xFE0F:
            // Behind a symbol it says how that is drawn.
            if !Self.isSymbol(before) {
                tell(
                    "invisible-character", .warning,
                    "\(code) is a variation selector behind no symbol, and shows nothing")
            }
        case 0xE0100...0xE01EF, 0xE0000...0xE007F:
            tell("invisible-character", .error, "\(code) shows nothing: text can be hidden in such characters")
        case 0x200B, 0x2060...0x2065, 0x206A...0x206F, 0xFEFF, 0x180E, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0:
            tell("invisible-character", .error, "\(code) shows nothing")
        case 0x00AD: tell("invisible-character", .warning, "\(code) is a soft hyphen, which shows nothing")
        case 0x2028, 0x2029:
            tell("control-character", .warning, "\(code) ends a line for JavaScript and for few editors")
        default: break
        }
    }

    /// Whether joiners belong there: between parts of an emoji, and behind letters of scripts that join them, at the end of a word as well.
    private static func joins(_ before: Unicode.Scalar, _ next: Unicode.Scalar?) -> Bool {
        switch before.value {
        // Arabic, Syriac, N'Ko, and the scripts of India and its neighbours.
        case 0x0600...0x08FF, 0x0900...0x0DFF, 0x0F00...0x109F, 0x1780...0x18AF, 0xFB50...0xFDFF, 0xFE70...0xFEFC: true
        // Variation selectors and skin tones stand behind the symbol.
        case 0xFE00...0xFE0F, 0x1F3FB...0x1F3FF: next.map(isSymbol) ?? false
        default: before.value > 0x7F && isSymbol(before) && (next.map(isSymbol) ?? false)
        }
    }

    private static func isSymbol(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x23, 0x2A, 0x30...0x39, 0xA9, 0xAE, 0x203C...0x3299, 0x1F000...0x1FAFF: true
        default: false
        }
    }

    private mutating func tell(_ rule: String, _ level: CodeLevel, _ message: String) {
        counts[rule, default: 0] += 1
        guard counts[rule]! <= Self.eachMax else { return }
        findings.append(
            CodeFinding(rule, level, from: place, to: CodePlace(line: place.line, column: place.column + 1), message))
    }

    private static func hex(_ value: UInt32) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    /// The character whose first byte is at `at`, which is none of ASCII; nil when there is no such.
    private static func scalar(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> (scalar: Unicode.Scalar, length: Int)? {
        let first = bytes[at]
        if first < 0x80 { return (Unicode.Scalar(first), 1) }
        let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
        guard first >= 0xC2, first <= 0xF4, at + length <= bytes.count else { return nil }
        var value = UInt32(first) & (length == 2 ? 0x1F : length == 3 ? 0x0F : 0x07)
        for index in 1..<length {
            let byte = bytes[at + index]
            guard byte & 0xC0 == 0x80 else { return nil }
            value = value << 6 | UInt32(byte & 0x3F)
        }
        guard value >= (length == 3 ? 0x800 : length == 4 ? 0x10000 : 0x80), let scalar = Unicode.Scalar(value) else {
            return nil
        }
        return (scalar, length)
    }
}
