/// The line `date: … CRLF` of responses, IMF-fixdate of RFC 9110 section 5.6.7, written anew once a second.
/// Not Sendable: it belongs to one thread.
public struct HTTP1Date: ~Copyable {
    /// `date: Sun, 06 Nov 1994 08:49:37 GMT` and a line end.
    public static let lineBytes = 37

    /// Years 0 to 9999: what the form can write.
    private static let secondsMin: Int64 = -62_167_219_200
    private static let secondsMax: Int64 = 253_402_300_799

    private let text: UnsafeMutablePointer<UInt8>
    private var second = Int64.min

    public init() {
        text = .allocate(capacity: Self.lineBytes)
    }

    deinit { text.deallocate() }

    /// The line for that second since the Unix epoch. Valid until the next call. Traps outside of the years 0 to 9999.
    @inline(__always)
    public mutating func line(at seconds: Int64) -> UnsafeRawBufferPointer {
        if seconds != second { render(seconds) }
        return UnsafeRawBufferPointer(start: text, count: Self.lineBytes)
    }

    private mutating func render(_ seconds: Int64) {
        precondition((Self.secondsMin...Self.secondsMax).contains(seconds), "no date: \(seconds) s")
        second = seconds
        let (days, ofDay) = Self.floorDivide(seconds, 86_400)
        let (year, month, day) = Self.civil(days)
        // The first of January 1970 was a Thursday.
        let weekday = Int(Self.floorDivide(days + 4, 7).rest)
        put("date: ddd, 00 mmm 0000 00:00:00 GMT\r\n", 0)
        put(Self.weekdays, from: weekday * 3, 6)
        put2(day, 11)
        put(Self.months, from: (month - 1) * 3, 14)
        put2(year / 100, 18)
        put2(year % 100, 20)
        put2(Int(ofDay / 3_600), 23)
        put2(Int(ofDay / 60 % 60), 26)
        put2(Int(ofDay % 60), 29)
    }

    private static let weekdays: StaticString = "SunMonTueWedThuFriSat"
    private static let months: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"

    private func put(_ literal: StaticString, _ offset: Int) {
        for index in 0..<literal.utf8CodeUnitCount { text[offset + index] = literal.utf8Start[index] }
    }

    /// Three letters of a list.
    private func put(_ names: StaticString, from: Int, _ offset: Int) {
        for index in 0..<3 { text[offset + index] = names.utf8Start[from + index] }
    }

    private func put2(_ number: Int, _ offset: Int) {
        text[offset] = 0x30 + UInt8(number / 10)
        text[offset + 1] = 0x30 + UInt8(number % 10)
    }

    private static func floorDivide(_ value: Int64, _ by: Int64) -> (quotient: Int64, rest: Int64) {
        let rest = ((value % by) + by) % by
        return ((value - rest) / by, rest)
    }

    /// The day of the proleptic Gregorian calendar; years are counted from March so that the leap day comes last.
    private static func civil(_ daysSinceEpoch: Int64) -> (year: Int, month: Int, day: Int) {
        let (era, dayOfEra) = floorDivide(daysSinceEpoch + 719_468, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (Int(year), Int(month), Int(day))
    }
}
