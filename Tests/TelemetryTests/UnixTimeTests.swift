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
}
