import Telemetry
import Testing

@testable import Agent

@Suite struct AuditPaceTests {
    @Test func theNextEntrySaysHowManyWereLeftOut() {
        var pace = AuditPace(burst: 2, perSecond: 10, now: 0)
        #expect(pace.take(now: 0) == [])
        #expect(pace.take(now: 0) == [])
        #expect(pace.take(now: 0) == nil)
        #expect(pace.take(now: 1_000_000) == nil)
        #expect(pace.take(now: 100_000_000) == [Attribute("sidelight.audit.skipped", .int(2))])
        #expect(pace.take(now: 100_000_000) == nil)
        #expect(pace.take(now: 10_000_000_000) == [Attribute("sidelight.audit.skipped", .int(1))])
        #expect(pace.take(now: 10_000_000_000) == [])
    }
}
