/// Figures as the tables of `sidelight top` show them: short, with two or three digits.
enum TopText {
    static let none = "-"

    /// A count or a rate: "0", "3.4", "812", "12.3k", "4.5M".
    static func number(_ value: Double) -> String {
        guard value.isFinite else { return none }
        if value == 0 { return "0" }
        if value < 0.05 { return "<0.1" }
        if value < 9.95 { return oneDigit(value) }
        if value < 999.5 { return String(Int(value.rounded())) }
        var (rest, unit) = (value / 1_000, 0)
        let units = ["k", "M", "G", "T", "P"]
        while rest >= 999.5, unit < units.count - 1 { (rest, unit) = (rest / 1_000, unit + 1) }
        guard rest < 999.5 else { return "huge" }
        return (rest < 99.95 ? oneDigit(rest) : String(Int(rest.rounded()))) + units[unit]
    }

    /// Bytes, by powers of 1024: "512B", "1.5K", "210M".
    static func bytes(_ value: Double) -> String {
        guard value.isFinite else { return none }
        if value < 1_023.5 { return "\(Int(value.rounded()))B" }
        var (rest, unit) = (value / 1_024, 0)
        let units = ["K", "M", "G", "T", "P"]
        while rest >= 1_023.5, unit < units.count - 1 { (rest, unit) = (rest / 1_024, unit + 1) }
        guard rest < 1_023.5 else { return "huge" }
        return (rest < 9.95 ? oneDigit(rest) : String(Int(rest.rounded()))) + units[unit]
    }

    /// A share: "0%", "0.3%", "12%", "250%".
    static func percent(_ share: Double?) -> String {
        guard let share, share.isFinite else { return none }
        let value = share * 100
        if value == 0 { return "0%" }
        if value < 0.05 { return "<0.1%" }
        if value < 9.95 { return oneDigit(value) + "%" }
        return value < 1e9 ? "\(Int(value.rounded()))%" : "huge"
    }

    /// "412 µs".
    static func seconds(_ value: Double?) -> String {
        guard let value, value.isFinite else { return none }
        if value == 0 { return "0" }
        return TimeText.duration(UInt64(min(max(value, 0) * 1e9, 9e18)))
    }

    static func quantile(_ quantile: TopQuantile) -> String {
        switch quantile {
        case .none: none
        case .below(let bound): "<" + seconds(bound)
        case .at(let value, let most): seconds(min(twoDigits(value), most))
        case .above(let bound): ">" + seconds(bound)
        }
    }

    /// The time between two moments; "-" when the first is not known.
    static func age(_ start: UInt64, now: UInt64) -> String {
        start == 0 ? none : TimeText.duration(now > start ? rounded(now - start) : 0)
    }

    /// Whole seconds, where there are some: the digits behind would change with each look.
    private static func rounded(_ nanoseconds: UInt64) -> UInt64 {
        nanoseconds < 1_000_000_000 ? nanoseconds : nanoseconds / 1_000_000_000 * 1_000_000_000
    }

    /// An estimate has no more: histograms know the bucket.
    private static func twoDigits(_ value: Double) -> Double {
        guard value > 0 else { return 0 }
        var scale = 1.0
        while value * scale < 10, scale < 1e12 { scale *= 10 }
        return (value * scale).rounded() / scale
    }

    /// One digit behind the point, without a 0 there.
    private static func oneDigit(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }
}
