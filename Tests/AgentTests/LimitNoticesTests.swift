import Testing

@testable import Agent

@Suite struct LimitNoticesTests {
    @Test func whatIsNotToldOfIsCountedAndToldOfLater() {
        var notices = LimitNotices()
        let second: UInt64 = 1_000_000_000
        var told: [Int?] = []
        for time in [1, 2, 3, 12, 13] as [UInt64] {
            told.append(notices.take(0, atLimit: true, now: time * second))
        }
        #expect(told == [0, nil, nil, 2, nil])
        let other = notices.take(1, atLimit: true, now: 13 * second)
        #expect(other == 0, "another place")
        let crash = notices.take(0, atLimit: false, now: 13 * second)
        #expect(crash == 0, "a crash is always told of")
    }
}
