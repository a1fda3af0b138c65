extension UnixTime {
    /// The nanoseconds that an RFC 3339 time means: `2026-11-23T15:04:05Z`, with a fraction, with an offset (`+01:00`), with a blank for the `T`. Nil: it is none, or of before
    /// 1970.
    public static func nanoseconds(parsing text: String) -> UInt64? {
        let bytes = Array(text.utf8)
        func number(_ from: Int, _ count: Int) -> Int? {
            guard from + count <= bytes.count else { return nil }
            var value = 0
            for byte in bytes[from..<from + count] {
                guard 0x30...0x39 ~= byte else { return nil }
                value = value * 10 + Int(byte - 0x30)
            }
            return value
        }
        func has(_ characters: String, at index: Int) -> Bool {
            index < bytes.count && characters.utf8.contains(bytes[index])
        }
        guard let year = number(0, 4), has("-", at: 4), let month = number(5, 2), 1...12 ~= month, has("-", at: 7),
            let day = number(8, 2), 1...31 ~= day, has("Tt ", at: 10), let hour = number(11, 2), hour < 24,
            has(":", at: 13), let minute = number(14, 2), minute < 60, has(":", at: 16), let second = number(17, 2),
            second <= 60
        else { return nil }
        var index = 19
        var fraction = 0
        if has(".", at: index) {
            let digits = bytes[(index + 1)...].prefix { 0x30...0x39 ~= $0 }
            guard 1...9 ~= digits.count, let value = number(index + 1, digits.count) else { return nil }
            fraction = (digits.count..<9).reduce(value) { value, _ in value * 10 }
            index += 1 + digits.count
        }
        var offset = 0
        if has("Zz", at: index) {
            index += 1
        } else if has("+-", at: index), let hours = number(index + 1, 2), hours < 24, has(":", at: index + 3),
            let minutes = number(index + 4, 2), minutes < 60
        {
            offset = (hours * 60 + minutes) * (has("-", at: index) ? -60 : 60)
            index += 6
        } else {
            return nil
        }
        guard index == bytes.count else { return nil }
        let seconds = daysSinceEpoch(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset
        // 2554 is the last year that fits.
        guard seconds >= 0, seconds < 18_000_000_000 else { return nil }
        return UInt64(seconds) * 1_000_000_000 + UInt64(fraction)
    }

    private static func daysSinceEpoch(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
