import Telemetry
import Testing

@Suite struct UnixTimeTests {
    @Test(
        arguments: [
            (0, 9, "1970-01-01T00:00:00.000000000Z"),
            (1_795_442_400_123_000_456, 9, "2026-11-23T14:00:00.123000456Z"),
            (1_795_442_400_123_999_999, 3, "2026-11-23T14:00:00.123Z"),
            (951_782_400_000_000_001, 1, "2000-02-29T00:00:00.0Z"),
            (UInt64.max, 9, "2554-07-21T23:34:33.709551615Z"),
        ] as [(UInt64, Int, String)])
    func text(_ time: UInt64, _ digits: Int, _ text: String) {
        #expect(UnixTime.text(time, fractionDigits: digits) == text)
    }

    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2026-11-23T14:00:00.123000456Z", 1_795_442_400_123_000_456),
            ("2026-11-23 15:00:00.5+01:00", 1_795_442_400_500_000_000),
            ("2026-11-23T08:30:00-05:30", 1_795_442_400_000_000_000), ("2000-02-29t00:00:00z", 951_782_400_000_000_000),
        ] as [(String, UInt64)])
    func timesAreRead(_ text: String, _ time: UInt64) {
        #expect(UnixTime.nanoseconds(parsing: text) == time)
    }

    @Test(
        arguments: [
            "", "2026", "2026-11-23", "2026-11-23T14:00:00", "2026-13-23T14:00:00Z", "2026-11-23T24:00:00Z",
            "2026-11-23T14:00:00.Z", "2026-11-23T14:00:00.1234567890Z", "2026-11-23T14:00:00+1:00",
            "2026-11-23T14:00:00Zx", "1969-12-31T23:59:59Z", "9999-01-01T00:00:00Z", "２026-11-23T14:00:00Z",
        ])
    func whatIsNoTimeIsNone(_ text: String) {
        #expect(UnixTime.nanoseconds(parsing: text) == nil)
    }
}
