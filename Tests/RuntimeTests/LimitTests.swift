import Telemetry
import Testing

@testable import Runtime

/// `#expect` copies what it looks at, so what changes is behind a reference.
private final class Kept<Value> {
    var value: Value
    init(_ value: Value) { self.value = value }
}

extension Kept<StretchWatch> {
    func used(since: Double, cpu: Double) -> Double { value.used(since: since, cpu: cpu) }
}

extension Kept<TurnWatch> {
    func look(_ running: TurnClock.Running, _ limits: WatchdogLimits, now: Double, cpu: Double) -> Outcome? {
        value.look(running, limits, now: now, cpu: cpu)
    }
}

extension Kept<ChildWatches> {
    func look(
        _ child: Int, _ running: TurnClock.Running, _ limits: WatchdogLimits, now: Double, cpu: Double
    ) -> Outcome? { value.look(child, running, limits, now: now, cpu: cpu) }
}

extension Kept<CPUWindowWatch> {
    func isExceeded(now: Double, cpu: Double) -> Bool { value.isExceeded(now: now, cpu: cpu) }
}

@Suite struct LimitTests {
    // MARK: what belongs to no request

    @Test func turnsOfNobodyHaveARequestsTimeInASecond() {
        var unowned = UnownedTime()
        unowned.look(now: 0) { 0 }
        for _ in 0..<4 { unowned.add(30) }
        #expect(unowned.spent(limit: 100) == 120)
        unowned.look(now: UnownedTime.stretch - 1) { 9 }
        #expect(unowned.spent(limit: 100) == 120, "the second goes on")
        unowned.look(now: UnownedTime.stretch) { 0 }
        #expect(unowned.spent(limit: 100) == 0)
    }

    @Test func requestsBringTimeForWhatIsDoneForThemUnseen() {
        var unowned = UnownedTime()
        unowned.look(now: 0) { 2 }
        unowned.requestBegan()
        unowned.add(250)
        #expect(unowned.spent(limit: 100) == 0)
        unowned.add(80)
        #expect(unowned.spent(limit: 100) == 30)
    }

    // MARK: resident memory

    @Test(arguments: [
        ("5120 7 3 1 0 9 0\n", 7), ("1 18446744073709551615 3", nil), ("12", nil), ("", nil), ("1 x", nil),
    ])
    func residentPagesAreTheSecondField(text: String, pages: Int?) {
        Array(text.utf8).withUnsafeBytes { #expect(ResidentMemory.pages(in: $0) == pages) }
    }

    @Test func thisProcessIsResident() throws {
        let memory = try #require(ResidentMemory())
        let bytes = try #require(memory.bytes)
        #expect(bytes > 1 << 20)
    }

    @Test func residentMemoryIsLookedAtOnlyWhenLimited() {
        #expect(WatchdogLimits().lookMilliseconds == .infinity)
        #expect(WatchdogLimits(residentBytes: 1 << 28).lookMilliseconds == WatchdogLimits.residentMilliseconds)
    }

    private func running(_ since: Double, owned: Double? = nil, spent: Double = 0) -> TurnClock.Running {
        TurnClock.Running(since: since, ownedSince: owned ?? since, spent: spent)
    }

    private let millisecond = 1e6

    // MARK: CPU time of a request

    @Test func whatWasUsedBeforeATurnWasSeenIsNotCharged() {
        let watch = Kept(StretchWatch())
        #expect(watch.used(since: 1, cpu: 500) == 0)
        #expect(watch.used(since: 1, cpu: 700) == 200)
        #expect(watch.used(since: 2, cpu: 900) == 0, "another turn")
        #expect(watch.used(since: 2, cpu: 800) == 0, "a clock that goes back")
    }

    @Test func aTurnThatTakesTheProcessorReachesItsLimit() {
        let limits = WatchdogLimits(requestCPUMilliseconds: 100)
        let watch = Kept(TurnWatch())
        let turn = running(1)
        #expect(watch.look(turn, limits, now: 10 * millisecond, cpu: 50 * millisecond) == nil)
        #expect(watch.look(turn, limits, now: 105 * millisecond, cpu: 145 * millisecond) == nil)
        let end = watch.look(turn, limits, now: 120 * millisecond, cpu: 151 * millisecond)
        #expect(end == .limit(.cpu(milliseconds: 100)))
    }

    @Test func aTurnThatOthersKeepFromTheProcessorDoesNot() {
        let limits = WatchdogLimits(requestCPUMilliseconds: 100)
        let watch = Kept(TurnWatch())
        for look in 0..<100 {
            let now = Double(look) * 40 * millisecond
            #expect(watch.look(running(1), limits, now: now, cpu: now / 50) == nil)
        }
    }

    @Test func earlierTurnsOfTheRequestCount() {
        let limits = WatchdogLimits(requestCPUMilliseconds: 100)
        let watch = Kept(TurnWatch())
        let turn = running(1, spent: 95 * millisecond)
        #expect(watch.look(turn, limits, now: millisecond, cpu: 0) == nil)
        #expect(
            watch.look(turn, limits, now: 9 * millisecond, cpu: 6 * millisecond)
                == .limit(.cpu(milliseconds: 100)))
    }

    /// Two requests that hand the turn to each other for ever.
    @Test func aTurnThatChangesHandsIsLimitedAsAWhole() {
        let limits = WatchdogLimits(requestCPUMilliseconds: 100)
        let watch = Kept(TurnWatch())
        var end: Outcome?
        for look in 0..<20 where end == nil {
            let now = Double(look) * 10 * millisecond
            end = watch.look(running(1, owned: now), limits, now: now, cpu: now)
        }
        #expect(end == .limit(.cpu(milliseconds: 100)))
    }

    @Test func aBlockedLoopIsNoMatterOfCPU() {
        let limits = WatchdogLimits(requestCPUMilliseconds: 100, loopBlockMilliseconds: 50)
        let watch = Kept(TurnWatch())
        #expect(watch.look(running(0), limits, now: 49 * millisecond, cpu: 0) == nil)
        #expect(
            watch.look(running(0), limits, now: 51 * millisecond, cpu: 0) == .limit(.loopBlock(milliseconds: 50)))
    }

    @Test func childrenAreLookedAtOneByOne() {
        let limits = WatchdogLimits(requestCPUMilliseconds: 10)
        let watches = Kept(ChildWatches())
        #expect(watches.look(1, running(1), limits, now: 1, cpu: 0) == nil)
        #expect(watches.look(2, running(1), limits, now: 1, cpu: 100 * millisecond) == nil)
        #expect(watches.look(2, running(1), limits, now: 2, cpu: 105 * millisecond) == nil)
        #expect(
            watches.look(1, running(1), limits, now: 2, cpu: 11 * millisecond) == .limit(.cpu(milliseconds: 10)))
    }

    @Test func theClockOfTurnsTellsWhoseItIs() {
        let clock = TurnClock()
        #expect(clock.running == nil)
        clock.began(5, spent: 7)
        #expect(clock.running == TurnClock.Running(since: 5, ownedSince: 5, spent: 7))
        clock.goesOn(9, spent: 0)
        #expect(clock.running == TurnClock.Running(since: 5, ownedSince: 9, spent: 0))
        clock.ended()
        #expect(clock.running == nil && clock.runningSince == nil)
    }

    // MARK: CPU time in a stretch of time

    @Test func aShareOfAWindowIsExceededWithinIt() {
        let watch = Kept(CPUWindowWatch(CPUWindowWatch.Limit(percent: 50, milliseconds: 1_000)))
        var end: Double?
        for now in stride(from: 0.0, to: 2_000, by: 10) where end == nil {
            if watch.isExceeded(now: now, cpu: now) { end = now }
        }
        #expect(end.map { (500...520).contains($0) } == true)
    }

    @Test func aShareThatIsKeptIsNeverExceeded() {
        let watch = Kept(CPUWindowWatch(CPUWindowWatch.Limit(percent: 50, milliseconds: 1_000)))
        for now in stride(from: 0.0, to: 60_000, by: 7) {
            #expect(!watch.isExceeded(now: now, cpu: now * 0.49))
        }
    }

    @Test func whatWasUsedBeforeTheWindowIsForgotten() {
        let watch = Kept(CPUWindowWatch(CPUWindowWatch.Limit(percent: 50, milliseconds: 1_000)))
        #expect(!watch.isExceeded(now: 0, cpu: 0))
        #expect(!watch.isExceeded(now: 450, cpu: 450))
        #expect(!watch.isExceeded(now: 1_500, cpu: 450))
        #expect(!watch.isExceeded(now: 1_900, cpu: 850))
        #expect(watch.isExceeded(now: 2_100, cpu: 1_050))
    }

    // MARK: the others

    @Test func looksAreAsOftenAsTheSmallestLimitWants() {
        #expect(WatchdogLimits().lookMilliseconds == .infinity)
        #expect(WatchdogLimits(requestCPUMilliseconds: 80).lookMilliseconds == 10)
        #expect(WatchdogLimits(requestCPUMilliseconds: 1).lookMilliseconds == 1)
        #expect(WatchdogLimits(requestCPUMilliseconds: 1_000, memoryBytes: 1).lookMilliseconds == 10)
    }

    @Test func modulesAreCountedWithTheirSources() {
        #expect(ModuleLimits().exceeded(count: .max, bytes: .max) == nil)
        let limits = ModuleLimits(count: 2, bytes: 100)
        #expect(limits.exceeded(count: 2, bytes: 100) == nil)
        #expect(limits.exceeded(count: 3, bytes: 0)?.name == "modules")
        #expect(limits.exceeded(count: 0, bytes: 101)?.name == "module-bytes")
    }

    @Test func everyLimitThatEndsAWorkerHasANoteAndAnOutcome() {
        let limits: [Outcome.Limit] = [
            .heap(bytes: 0), .memory(bytes: 1), .resident(bytes: 1), .cpu(milliseconds: 1), .wall(milliseconds: 1),
            .loopBlock(milliseconds: 1),
            .cpuWindow(percent: 1, milliseconds: 1), .promises(count: 1),
        ]
        for limit in limits {
            let outcome = Outcome.limit(limit)
            #expect(outcome.exitCode == 4)
            #expect(outcome.workloadOutcome != nil)
            #expect(outcome.deathNote(serves: true, failure: nil)?.text.isEmpty == false)
        }
        #expect(Outcome.exited(code: 1).workloadOutcome == nil)
    }
}
