/// Amounts with a unit, as on the command line.
public enum Units {
    private static let durations: [(unit: String, nanoseconds: Double)] = [
        ("ns", 1), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3_600e9), ("d", 86_400e9),
    ]

    /// Memory is counted in powers of two, whichever way the unit is written, as V8 and container runtimes do.
    private static let sizes: [(unit: String, bytes: Double)] = [
        ("", 1), ("b", 1), ("k", 1_024), ("kb", 1_024), ("kib", 1_024), ("m", 1_048_576), ("mb", 1_048_576),
        ("mib", 1_048_576),
        ("g", 1_073_741_824), ("gb", 1_073_741_824), ("gib", 1_073_741_824),
    ]

    /// "500ms", "1.5s" in nanoseconds; nil without a unit, and when not positive.
    public static func nanoseconds(_ text: String) -> UInt64? {
        guard let (number, unit) = split(text), let factor = durations.first(where: { $0.unit == unit })?.nanoseconds
        else { return nil }
        return whole(number * factor).map(UInt64.init)
    }

    /// "64MB", "1.5GiB", "65536" in bytes; nil when not positive.
    static func bytes(_ text: String) -> Int? {
        guard let (number, unit) = split(text), let factor = sizes.first(where: { $0.unit == unit.lowercased() })?.bytes
        else { return nil }
        return whole(number * factor)
    }

    /// The shortest text that `bytes(_:)` reads as this number.
    static func size(_ bytes: Int) -> String {
        for (unit, factor) in [("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)]
        where bytes >= factor && bytes % factor == 0 {
            return "\(bytes / factor)\(unit)"
        }
        return "\(bytes)"
    }

    /// The shortest text that `nanoseconds(_:)` reads as this time.
    static func time(_ nanoseconds: UInt64) -> String {
        let units: [(String, UInt64)] = [
            ("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000),
            ("ms", 1_000_000), ("us", 1_000),
        ]
        // A day reads better as 24h.
        for (unit, factor) in units
        where nanoseconds % factor == 0 && nanoseconds >= (unit == "d" ? 2 * factor : factor) {
            return "\(nanoseconds / factor)\(unit)"
        }
        return "\(nanoseconds)ns"
    }

    /// A positive whole number.
    static func count(_ text: String) -> Int? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let count = Int(text), count > 0 else { return nil }
        return count
    }

    private static func split(_ text: String) -> (Double, String)? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let first = digits.first, first != ".", digits.last != ".", let number = Double(digits) else {
            return nil
        }
        return (number, String(text[digits.endIndex...]))
    }

    private static func whole(_ value: Double) -> Int? {
        let rounded = value.rounded()
        return rounded >= 1 && rounded < 9e18 ? Int(rounded) : nil
    }
}
