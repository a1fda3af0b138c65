import Testing

@testable import Agent

@Suite struct ExportDeadlineTests {
    private let second: UInt64 = 1_000_000_000

    @Test func aBackendThatTookSomethingGetsTheWholeTime() {
        let deadline = ExportDeadline(now: 0, asked: nil)
        #expect(deadline.isWaiting(sent: 1, retries: 5, now: 5 * second - 1))
        #expect(!deadline.isWaiting(sent: 1, retries: 5, now: 5 * second))
    }

    @Test func aBackendThatOnlyEverFailedGetsLess() {
        let deadline = ExportDeadline(now: 0, asked: nil)
        #expect(deadline.isWaiting(sent: 0, retries: 1, now: 2 * second - 1))
        #expect(!deadline.isWaiting(sent: 0, retries: 1, now: 2 * second))
        #expect(deadline.isWaiting(sent: 0, retries: 0, now: 2 * second), "it has not answered yet")
    }

    @Test func whatTheUserAsksForHoldsForAll() {
        let deadline = ExportDeadline(now: 0, asked: 60 * second)
        #expect(deadline.isWaiting(sent: 0, retries: 9, now: 59 * second))
        #expect(!ExportDeadline(now: 0, asked: 0).isWaiting(sent: 1, retries: 0, now: 0))
    }

    @Test func abandonedIsAbandoned() {
        var deadline = ExportDeadline(now: 0, asked: nil)
        deadline.abandon()
        #expect(!deadline.isWaiting(sent: 1, retries: 0, now: 1))
    }
}
