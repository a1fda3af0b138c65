import Testing

@testable import Agent

@Suite struct RestartNoticesTests {
    private let second: UInt64 = 1_000_000_000

    @Test func whatIsNotToldOfIsCountedAndToldOfLater() {
        var notices = RestartNotices()
        var told: [Int?] = []
        for time in [1, 2, 3, 12, 13] as [UInt64] {
            told.append(notices.take(0, "cpu_limit", atLimit: true, isNewStep: true, now: time * second))
        }
        #expect(told == [0, nil, nil, 2, nil])
        let other = notices.take(1, "cpu_limit", atLimit: true, isNewStep: true, now: 13 * second)
        #expect(other == 0, "another place")
    }

    @Test func eachCauseIsToldOfByItself() {
        var notices = RestartNotices()
        func take(_ reason: String, atLimit: Bool = false, isNewStep: Bool = true) -> Int? {
            notices.take(0, reason, atLimit: atLimit, isNewStep: isNewStep, now: second)
        }
        #expect(take("cpu_limit", atLimit: true) == 0)
        #expect(take("promise_limit", atLimit: true) == 0)
        #expect(take("cpu_limit", atLimit: true) == nil)
        #expect(take("exit") == 0)
        #expect(take("exit") == 0, "a new step is always told of")
        #expect(take("exit", isNewStep: false) == nil)
        #expect(take("v8_fatal_error", isNewStep: false) == 0)
        #expect(take("v8_fatal_error", isNewStep: false) == nil)
        #expect(take("exit") == 1)
    }
}
