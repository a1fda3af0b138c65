import Telemetry

/// What libraries call their levels, as OpenTelemetry's severity numbers.
/// <https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber> and its appendix B.
struct LevelWords: ~Copyable {
    private static let words: [(UInt8, [StaticString])] = [
        (1, ["trace", "trce", "verbose", "silly", "finest", "trc", "finer", "vrb"]),
        (5, ["debug", "dbug", "fine", "dbg"]),
        (9, ["info", "informat", "http", "config", "inf", "log"]),
        (10, ["notice"]),
        (13, ["warn", "warning", "wrn"]),
        (17, ["error", "err", "severe", "fail", "failure", "eror"]),
        (18, ["crit", "critical", "dpanic", "crt"]),
        (19, ["alert"]),
        (21, ["fatal", "emerg", "emergenc", "panic", "ftl", "pnc"]),
    ]

    private struct Slot {
        var word: UInt64
        var severity: UInt8
    }

    private static let slotBits: UInt64 = 8
    private let slots: UnsafeMutablePointer<Slot>

    init() {
        let count = 1 << Int(Self.slotBits)
        slots = .allocate(capacity: count)
        slots.initialize(repeating: Slot(word: 0, severity: 0), count: count)
        for (severity, words) in Self.words {
            for word in words {
                var packed: UInt64 = 0
                for index in 0..<word.utf8CodeUnitCount {
                    packed |= UInt64(word.utf8Start[index]) << (8 * UInt64(index))
                }
                var index = Self.index(packed)
                while slots[index].word != 0 { index = (index + 1) & Self.mask }
                slots[index] = Slot(word: packed, severity: severity)
            }
        }
    }

    deinit { slots.deallocate() }

    private static let mask = 1 << 8 - 1

    @inline(__always)
    private static func index(_ word: UInt64) -> Int {
        Int(truncatingIfNeeded: (word &* 0x9E37_79B9_7F4A_7C15) >> (64 - slotBits))
    }

    /// The severity of a word of letters, of any case; 0 for one that is no level. "information" and "emergency" are known by their first eight letters.
    @inline(__always)
    func severity(_ text: Text) -> UInt8 {
        let count = text.count
        guard count >= 3, count <= 11 else { return 0 }
        var word = text.word | 0x2020_2020_2020_2020
        if count < 8 {
            word &= (1 << UInt64(truncatingIfNeeded: 8 &* count)) &- 1
        } else if count > 8 {
            guard count == 11 && word == 0x7461_6D72_6F66_6E69 || count == 9 && word == 0x636E_6567_7265_6D65 else {
                return 0
            }
        }
        var index = Self.index(word)
        while true {
            let slot = slots[index]
            if slot.word == word { return slot.severity }
            if slot.word == 0 { return 0 }
            index = (index &+ 1) & Self.mask
        }
    }

    /// The severity of a level as a library writes it: a word, or a word with a distance (slog's `ERROR+2`), in capitals or not, with or without colours.
    func level(_ text: Text) -> UInt8 {
        let text = letters(of: text)
        let severity = severity(text)
        if severity != 0 { return severity }
        if text.count == 1 { return Self.letter(text.start.pointee) }
        var end = text.start
        while end < text.end, end.pointee.isLetter { end += 1 }
        let word = Text(text.start, end)
        guard end < text.end, end.pointee == UInt8(ascii: "+") || end.pointee == UInt8(ascii: "-"), text.end - end <= 3
        else {
            return 0
        }
        let base = self.severity(word)
        guard base != 0 else { return 0 }
        var distance = 0
        for place in (end + 1)..<text.end {
            guard place.pointee.isDigit else { return 0 }
            distance = distance * 10 + Int(place.pointee - 0x30)
        }
        return UInt8(min(max(Int(base) + (end.pointee == UInt8(ascii: "-") ? -distance : distance), 1), 24))
    }

    /// Without the colours that winston puts around it: ESC [ 3 2 m info ESC [ 3 9 m, the ESC maybe still as JSON writes it.
    func letters(of text: Text) -> Text {
        guard text.count > 5, text.start.pointee == 0x1B || text.start.pointee == UInt8(ascii: "\\") else {
            return text
        }
        var start = text.start + 2
        while start < text.end, start[-1] != UInt8(ascii: "m") { start += 1 }
        var end = start
        while end < text.end, end.pointee.isLetter { end += 1 }
        return Text(start, end)
    }

    private static func letter(_ letter: UInt8) -> UInt8 {
        switch letter {
        case UInt8(ascii: "T"), UInt8(ascii: "V"): 1
        case UInt8(ascii: "D"): 5
        case UInt8(ascii: "I"): 9
        case UInt8(ascii: "W"): 13
        case UInt8(ascii: "E"): 17
        case UInt8(ascii: "F"), UInt8(ascii: "C"): 21
        default: 0
        }
    }

    /// The severity of a level that is a number: those of pino and bunyan (10 ... 60, others by the one below), or syslog's (0 ... 7).
    static func severity(_ number: Int64) -> UInt8 {
        switch number {
        case 0: 21
        case 1: 19
        case 2: 18
        case 3: 17
        case 4: 13
        case 5: 10
        case 6: 9
        case 7: 5
        case 8..<20: 1
        case 20..<30: 5
        case 30..<40: 9
        case 40..<50: 13
        case 50..<60: 17
        case 60..<100: 21
        default: 0
        }
    }
}
