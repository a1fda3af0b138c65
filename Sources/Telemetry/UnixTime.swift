/// Times since the Unix epoch as text.
public enum UnixTime {
    /// RFC 3339 in UTC: `2026-11-23T15:04:05.123Z`.
    /// - Parameter fractionDigits: 1 to 9; what is beyond is cut off.
    public static func text(_ unixNanoseconds: UInt64, fractionDigits: Int) -> String {
        precondition((1...9).contains(fractionDigits), "\(fractionDigits) digits")
        let seconds = Int(unixNanoseconds / 1_000_000_000)
        let (year, month, day) = civilDate(daysSinceEpoch: seconds / 86_400)
        let rest = seconds % 86_400
        let fraction = Int(unixNanoseconds % 1_000_000_000).digits(9).prefix(fractionDigits)
        return
            "\(year.digits(4))-\(month.digits(2))-\(day.digits(2))T"
            + "\((rest / 3_600).digits(2)):\((rest / 60 % 60).digits(2)):\((rest % 60).digits(2)).\(fraction)Z"
    }

    /// Gregorian date; years are counted from March so that the leap day comes last.
    private static func civilDate(daysSinceEpoch: Int) -> (year: Int, month: Int, day: Int) {
        let days = daysSinceEpoch + 719_468
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }
}

extension Int {
    fileprivate func digits(_ count: Int) -> String {
        let text = String(self)
        return String(repeating: "0", count: Swift.max(0, count - text.count)) + text
    }
}
