import ArgumentParser
import Glibc

/// A stretch of time on the command line: "10ms", "1.5s", "5m", "2h", "7d"; "1h30m" is understood too.
struct TimeSpan: ExpressibleByArgument, Equatable {
    var nanoseconds: UInt64

    private static let units: [String: Double] = [
        "ns": 1, "us": 1e3, "µs": 1e3, "μs": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3_600e9, "d": 86_400e9,
        "w": 604_800e9,
    ]

    init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    init?(argument: String) {
        var rest = argument[...]
        var sum = 0.0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { !$0.isNumber && $0 != "." }
            rest = rest.dropFirst(unit.count)
            guard let number = Double(digits), let factor = Self.units[String(unit)] else { return nil }
            sum += number * factor
        }
        // About 290 years.
        guard sum < 9e18 else { return nil }
        nanoseconds = UInt64(sum.rounded())
    }

    static var defaultValueDescription: String { "10ms, 1h, 7d" }
}

enum TimeText {
    /// A duration with three digits: "412 µs", "3.21 ms", "1.2 s", "2m 05s", "1h 03m", "4d 02h".
    static func duration(_ nanoseconds: UInt64) -> String {
        var unit: UInt64 = 1
        for name in ["ns", "µs", "ms", "s"] {
            let limit: UInt64 = name == "s" ? 60 : 1_000
            if let text = threeDigits(nanoseconds, unit: unit, below: limit) { return "\(text) \(name)" }
            unit *= 1_000
        }
        let seconds = (nanoseconds + 500_000_000) / 1_000_000_000
        switch seconds {
        case ..<3_600: return "\(seconds / 60)m \(two(seconds % 60))s"
        case ..<86_400: return "\(seconds / 3_600)h \(two(seconds / 60 % 60))m"
        default: return "\(seconds / 86_400)d \(two(seconds / 3_600 % 24))h"
        }
    }

    /// Nil when the rounded value is not below the limit.
    private static func threeDigits(_ value: UInt64, unit: UInt64, below limit: UInt64) -> String? {
        let whole = value / unit
        guard whole < limit else { return nil }
        let rest = value % unit
        for (scale, digits): (UInt64, Int) in [(100, 2), (10, 1), (1, 0)] {
            // `rest` is below 1e9, so nothing overflows.
            let scaled = whole * scale + (rest * scale + unit / 2) / unit
            guard scaled < 1_000 || scale == 1 else { continue }
            if scaled / scale >= limit { return nil }
            guard digits > 0, scaled % scale != 0 else { return "\(scaled / scale)" }
            var fraction = String(scaled % scale)
            fraction = String(repeating: "0", count: digits - fraction.count) + fraction
            while fraction.hasSuffix("0") { fraction.removeLast() }
            return "\(scaled / scale).\(fraction)"
        }
        return nil
    }

    /// Time of day in the local zone, with milliseconds.
    static func timeOfDay(_ unixNanoseconds: UInt64, utc: Bool = false) -> String {
        let parts = broken(unixNanoseconds, utc: utc)
        return
            "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)).\(three(unixNanoseconds / 1_000_000 % 1_000))"
    }

    /// Date and time of day in the local zone.
    static func dateAndTime(_ unixNanoseconds: UInt64, utc: Bool = false) -> String {
        let parts = broken(unixNanoseconds, utc: utc)
        return "\(parts.tm_year + 1_900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday)) "
            + timeOfDay(unixNanoseconds, utc: utc)
    }

    /// Now, in Unix nanoseconds.
    static func now() -> UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    }

    private static func broken(_ unixNanoseconds: UInt64, utc: Bool) -> tm {
        var seconds = time_t(unixNanoseconds / 1_000_000_000)
        var parts = tm()
        if utc { gmtime_r(&seconds, &parts) } else { localtime_r(&seconds, &parts) }
        return parts
    }

    private static func two(_ value: some BinaryInteger) -> String { value < 10 ? "0\(value)" : "\(value)" }
    private static func three(_ value: UInt64) -> String { String(String(1_000 + value).dropFirst()) }
}

/// A number with its noun: "1 span", "12,345 spans".
func counted(_ count: Int, _ noun: String, _ plural: String? = nil) -> String {
    let digits = String(count)
    var out = ""
    for (index, digit) in digits.enumerated() {
        if index > 0, (digits.count - index) % 3 == 0 { out += "," }
        out.append(digit)
    }
    return "\(out) \(count == 1 ? noun : plural ?? noun + "s")"
}
