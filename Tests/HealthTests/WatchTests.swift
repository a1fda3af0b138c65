import Testing

@testable import Health

struct RestartLoopTests {
    private static let second: UInt64 = 1_000_000_000

    @Test func isFoundAtItsCountWithinTheWindow() {
        var loop = RestartLoop(countLimit: 3, windowNanoseconds: 60 * Self.second)
        #expect(loop.take(restarts: 0, lastReason: "", now: 0) == HealthFinding(.pass, value: 0))
        #expect(loop.take(restarts: 2, lastReason: "signal", now: 1 * Self.second).status == .pass)
        let finding = loop.take(restarts: 3, lastReason: "signal", now: 30 * Self.second)
        #expect(finding.status == .fail)
        #expect(finding.reason.contains("last for signal"))
        // The first two are forgotten.
        #expect(loop.take(restarts: 3, lastReason: "signal", now: 61 * Self.second).status == .pass)
    }

    @Test func restartsBeforeTheFirstLookDoNotCount() {
        var loop = RestartLoop(countLimit: 3, windowNanoseconds: 60 * Self.second)
        #expect(loop.take(restarts: 1_000_000, lastReason: "", now: 5).status == .pass)
        #expect(loop.take(restarts: 1_000_000, lastReason: "", now: 6).status == .pass)
    }

    @Test func allOfTheWindowAreCounted() {
        var loop = RestartLoop(countLimit: 3, windowNanoseconds: 60 * Self.second)
        _ = loop.take(restarts: 0, lastReason: "", now: 0)
        for seconds in 1...7 as ClosedRange<UInt64> {
            _ = loop.take(restarts: Int(seconds) * 2, lastReason: "", now: seconds * Self.second)
        }
        let finding = loop.take(restarts: 15, lastReason: "", now: 8 * Self.second)
        #expect(finding == HealthFinding(.fail, "restart loop: started again 15 times within 60 s", value: 15))
        // Those of the first three seconds are forgotten.
        #expect(loop.take(restarts: 15, lastReason: "", now: 63 * Self.second).value == 9)
        #expect(loop.take(restarts: 15, lastReason: "", now: 68 * Self.second) == HealthFinding(.pass, value: 0))
    }

    @Test func aGreatManyAtOnceTakeNoMemory() {
        var loop = RestartLoop(countLimit: 5, windowNanoseconds: 60 * Self.second)
        _ = loop.take(restarts: 0, lastReason: "", now: 0)
        #expect(loop.take(restarts: .max, lastReason: "", now: 1).value == Double(UInt32.max))
        for step in 2...20_000 as ClosedRange<UInt64> {
            #expect(loop.take(restarts: .max, lastReason: "", now: step).status == .fail)
        }
        // One that goes back is no restart.
        #expect(loop.take(restarts: 3, lastReason: "", now: 90 * Self.second).status == .pass)
    }
}

struct LoopWatchTests {
    private static let second: UInt64 = 1_000_000_000

    @Test func standsStillWhenItDoesNotBeat() {
        var watch = LoopWatch(stallNanoseconds: 4 * Self.second)
        #expect(watch.take(beats: 7, now: 100 * Self.second).status == .pass)
        #expect(watch.take(beats: 7, now: 102 * Self.second).status == .pass)
        #expect(watch.take(beats: 7, now: 103 * Self.second).status == .warn)
        let finding = watch.take(beats: 7, now: 105 * Self.second)
        #expect(finding.status == .fail && finding.reason == "the event loop has not turned for 5.0 s")
        #expect(watch.take(beats: 8, now: 106 * Self.second).status == .pass)
        #expect(watch.take(beats: 8, now: 108 * Self.second).status == .pass)
    }

    @Test func timeInWhichNobodyLookedCountsLittle() {
        var watch = LoopWatch(stallNanoseconds: 5 * Self.second)
        _ = watch.take(beats: 7, now: 100 * Self.second)
        #expect(watch.take(beats: 7, now: 9_000 * Self.second).status == .warn)
        #expect(watch.take(beats: 7, now: 9_003 * Self.second).status == .fail)
    }
}

struct SharedFindingTests {
    @Test func failsWhenAllDo() {
        var shared = SharedFinding()
        #expect(shared.finding == nil)
        shared.add(HealthFinding(.fail, "stuck", value: 1), of: "isolate 0")
        #expect(shared.finding?.status == .fail)
        shared.add(.pass, of: "isolate 1")
        #expect(shared.finding == HealthFinding(.warn, "isolate 0: stuck", value: 1))
    }

    @Test func saysWhatIsWorst() {
        var shared = SharedFinding()
        shared.add(HealthFinding(.warn, "slow", value: 5), of: "isolate 0")
        shared.add(HealthFinding(.fail, "stuck", value: 7), of: "isolate 1")
        shared.add(HealthFinding(.fail, "stuck more", value: 9), of: "isolate 2")
        shared.add(HealthFinding(.fail, "stuck", value: 8), of: "isolate 3")
        #expect(shared.finding == HealthFinding(.warn, "isolate 2: stuck more", value: 9))
    }
}
