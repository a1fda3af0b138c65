/// Dates of HTTP, RFC 9110, section 5.6.7: the preferred form and the two obsolete ones.
enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Seconds since the Unix epoch; nil when `text` is no date. The name of the day is not checked.
    static func parse(_ text: String) -> Int64? {
        let words = text.split(separator: " ").map(String.init)
        switch words.count {
        case 6 where words[5] == "GMT":  // Sun, 06 Nov 1994 08:49:37 GMT
            return seconds(
                year: number(words[3], digits: 4), month: words[2], day: number(words[1], digits: 2), time: words[4])
        case 4 where words[3] == "GMT":  // Sunday, 06-Nov-94 08:49:37 GMT
            let parts = words[1].split(separator: "-").map(String.init)
            guard parts.count == 3, let year = number(parts[2], digits: 2) else { return nil }
            return seconds(
                year: year < 70 ? 2000 + year : 1900 + year, month: parts[1], day: number(parts[0], digits: 2),
                time: words[2])
        case 5:  // Sun Nov  6 08:49:37 1994
            let day = number(words[2], digits: words[2].utf8.count)
            return seconds(year: number(words[4], digits: 4), month: words[1], day: day, time: words[3])
        default: return nil
        }
    }

    private static func seconds(year: Int?, month: String, day: Int?, time: String) -> Int64? {
        let clock = time.split(separator: ":", omittingEmptySubsequences: false).map { number(String($0), digits: 2) }
        guard let year, let day, let month = months.firstIndex(of: month), (1...31).contains(day), year >= 1900,
            clock.count == 3, let hour = clock[0], let minute = clock[1], let second = clock[2],
            hour < 24, minute < 60, second <= 60
        else { return nil }
        return Int64(daysSinceEpoch(year, month + 1, day) * 86_400 + hour * 3_600 + minute * 60 + second)
    }

    /// Days of the proleptic Gregorian calendar; the year is counted from March so that the leap day comes last.
    private static func daysSinceEpoch(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month > 2 ? year : year - 1
        let monthFromMarch = (month + 9) % 12
        let daysBeforeMonth = (153 * monthFromMarch + 2) / 5
        return 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + daysBeforeMonth + day - 1 - 719_468
    }

    private static func number(_ text: String, digits: Int) -> Int? {
        guard text.utf8.count == digits, (1...4).contains(digits), text.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return Int(text)
    }
}
