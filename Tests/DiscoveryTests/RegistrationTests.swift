import Testing

@testable import Discovery

private let second: UInt64 = 1_000_000_000
private let interval = 5 * second

/// Runs a registration by hand.
private final class Bench {
    var now: UInt64 = 1_000 * second
    private(set) var registration: Registration
    private(set) var out: [RegistryOperation] = []
    private(set) var notices: [Registration.Notice] = []
    private var seed: UInt64 = 7

    init(_ health: InstanceHealth.Status = .passing, carriesHealth: Bool = true) {
        registration = Registration(
            sampleInstance(), InstanceHealth(health),
            Registration.Settings(interval: interval, carriesHealth: carriesHealth, suffix: "ab12"), now: now)
    }

    private func random() -> UInt64 {
        seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return seed ^ seed >> 29
    }

    private func take(_ actions: [Registration.Action]) {
        for action in actions {
            switch action {
            case .perform(let operation): out.append(operation)
            case .tell(let notice): notices.append(notice)
            }
        }
    }

    /// Until something is due, at most so long. Returns what is to be done.
    @discardableResult func next(within nanoseconds: UInt64 = interval) -> RegistryOperation? {
        let count = out.count
        guard let timer = registration.timer, timer <= now + nanoseconds else { return nil }
        now = max(now, timer)
        take(registration.tick(now: now, random: random()))
        return out.count > count ? out.last : nil
    }

    func answer(_ outcome: RegistryOutcome, after nanoseconds: UInt64 = 1_000_000) {
        now += nanoseconds
        take(registration.finished(outcome, now: now, random: random()))
    }

    func health(_ status: InstanceHealth.Status) { registration.take(InstanceHealth(status, "why"), now: now) }
    func change(to instance: ServiceInstance) { registration.change(to: instance, now: now) }
    func end() { take(registration.end(now: now)) }
    func takeNotices() -> [Registration.Notice] {
        defer { notices = [] }
        return notices
    }

    /// Registers it.
    @discardableResult func begin() -> Self {
        #expect(next(within: 0)?.kind == .register)
        answer(.done)
        #expect(takeNotices() == [.registered(id: "shop-web1-80")])
        return self
    }
}

private let down = RegistryFailure(.unavailable, "no connection", isUncertain: false)
private let silent = RegistryFailure(.unavailable, "no answer")

@Suite struct RegistrationTests {
    @Test func itRegistersAtOnceAndBeatsEachInterval() {
        let bench = Bench()
        #expect(bench.registration.state == .registering)
        bench.begin()
        for _ in 0..<50 {
            let before = bench.now
            #expect(bench.next()?.kind == .beat)
            #expect((interval * 9 / 10...interval).contains(bench.now - before))
            bench.answer(.done)
        }
        #expect(bench.registration.state == .registered)
        #expect(bench.registration.counts.beaten == 50)
        #expect(bench.takeNotices().isEmpty)
    }

    @Test func oneOperationIsOutAtATime() {
        let bench = Bench()
        bench.next()
        #expect(bench.registration.timer == nil)
        bench.now += 100 * second
        #expect(bench.registration.timer == nil)
        bench.health(.critical)
        #expect(bench.registration.timer == nil)
    }

    @Test func beatsSayHowItIsAndAChangeIsToldAtOnceButNotMoreThanOnceASecond() {
        let bench = Bench().begin()
        bench.now += 2 * second
        bench.health(.critical)
        #expect(bench.next(within: 0) == .beat(sampleInstance(), InstanceHealth(.critical, "why")))
        bench.answer(.done)
        let before = bench.now
        bench.health(.passing)
        #expect(bench.next(within: 0) == nil)
        #expect(bench.next(within: second) == .beat(sampleInstance(), InstanceHealth(.passing, "why")))
        #expect(bench.now - before > second * 9 / 10)
    }

    @Test func aChangeDuringABeatIsToldAfterIt() {
        let bench = Bench().begin()
        bench.next()
        bench.health(.warning)
        bench.answer(.done)
        #expect(bench.next(within: second) == .beat(sampleInstance(), InstanceHealth(.warning, "why")))
    }

    @Test func whatIsForgottenIsEnteredAgainAtOnce() {
        let bench = Bench().begin()
        bench.next()
        bench.answer(.forgotten)
        #expect(bench.takeNotices() == [.forgotten])
        #expect(bench.next(within: 0)?.kind == .register)
        bench.answer(.done)
        #expect(bench.takeNotices() == [.registered(id: "shop-web1-80")])
        #expect(bench.next()?.kind == .beat)
    }

    @Test func aRegistryThatKnowsNothingEvenWhenItRegistersIsNotAskedWithoutEnd() {
        let bench = Bench()
        bench.next()
        bench.answer(.forgotten)
        #expect(bench.next(within: 100_000_000) == nil)
        #expect(bench.registration.state == .failing)
    }

    @Test func failuresAreRetriedWithinTheIntervalAndToldOnce() {
        let bench = Bench()
        var delays: [UInt64] = []
        for _ in 0..<20 {
            let before = bench.now
            #expect(bench.next()?.kind == .register)
            delays.append(bench.now - before)
            bench.answer(.failed(down), after: 0)
        }
        #expect(delays[0] == 0)
        #expect((second / 8...second / 4).contains(delays[1]))
        #expect(delays.dropFirst(6).allSatisfy { (interval / 4...interval / 2).contains($0) }, "\(delays)")
        #expect(Set(delays).count > 15)
        #expect(bench.takeNotices() == [.failing(down)])
        #expect(bench.registration.failure == down)
        bench.next()
        bench.answer(.done)
        #expect(bench.takeNotices() == [.recovered, .registered(id: "shop-web1-80")])
        #expect(bench.registration.failure == nil)
        #expect(bench.registration.counts.failed == [.unavailable: 20])
    }

    @Test func anotherKindOfFailureIsTold() {
        let bench = Bench()
        let denied = RegistryFailure(.denied, "403")
        for why in [down, silent, denied, down] {
            bench.next()
            bench.answer(.failed(why))
        }
        #expect(bench.takeNotices() == [.failing(down), .failing(denied), .failing(down)])
    }

    @Test func aBeatThatFailsIsABeatAgain() {
        let bench = Bench().begin()
        bench.next()
        bench.answer(.failed(silent))
        #expect(bench.registration.state == .failing)
        #expect(bench.next()?.kind == .beat)
        bench.answer(.done)
        #expect(bench.takeNotices() == [.failing(silent), .recovered])
        #expect(bench.registration.state == .registered)
    }

    // MARK: Critical

    @Test func whereNothingIsSaidOfHealthTheCriticalIsTakenOutAndComesBack() {
        let bench = Bench(carriesHealth: false).begin()
        bench.now += 2 * second
        bench.health(.warning)
        #expect(bench.next(within: 0) == nil)
        bench.health(.critical)
        #expect(bench.next(within: 0) == .deregister(sampleInstance()))
        bench.answer(.done)
        #expect(bench.takeNotices() == [.withdrawn])
        #expect(bench.registration.state == .withdrawn)
        #expect(bench.registration.timer == nil)
        bench.health(.passing)
        #expect(bench.next(within: second)?.kind == .register)
        bench.answer(.done)
        #expect(bench.registration.state == .registered)
    }

    @Test func whatIsCriticalFromTheBeginningIsNotEntered() {
        let bench = Bench(.critical, carriesHealth: false)
        #expect(bench.registration.timer == nil)
        #expect(bench.registration.state == .withdrawn)
        bench.health(.passing)
        #expect(bench.next(within: 0)?.kind == .register)
    }

    @Test func flappingCostsOneOperationASecond() {
        let bench = Bench(carriesHealth: false).begin()
        let start = bench.now
        var operations = 0
        while bench.now < start + 20 * second {
            bench.health(operations.isMultiple(of: 2) ? .critical : .passing)
            guard bench.next() != nil else { break }
            bench.answer(.done)
            operations += 1
        }
        #expect((19...21).contains(operations))
    }

    // MARK: Ids

    @Test func anIDThatIsTakenIsAnotherOnce() {
        let bench = Bench()
        bench.next()
        bench.answer(.taken(place: "10.0.0.2:80"))
        #expect(bench.takeNotices() == [.renamed(id: "shop-web1-80-ab12", place: "10.0.0.2:80")])
        var renamed = sampleInstance()
        renamed.id = "shop-web1-80-ab12"
        #expect(bench.next(within: 0) == .register(renamed, InstanceHealth(.passing)))
        bench.answer(.taken(place: "10.0.0.3:80"))
        #expect(bench.registration.state == .failing)
        #expect(bench.next(within: 100_000_000) == nil)
        // And that is told once.
        for _ in 0..<5 {
            bench.next()
            bench.answer(.taken(place: "10.0.0.3:80"))
        }
        #expect(bench.takeNotices().count == 1)
        bench.next()
        bench.answer(.done)
        #expect(bench.takeNotices() == [.recovered, .registered(id: "shop-web1-80-ab12")])
    }

    @Test func whoseIDIsTakenLaterGivesWay() {
        let bench = Bench().begin()
        bench.next()
        bench.answer(.taken(place: "10.0.0.2:80"))
        #expect(bench.next(within: 0)?.instance.id == "shop-web1-80-ab12")
        bench.answer(.done)
        bench.end()
        #expect(bench.next(within: 0)?.instance.id == "shop-web1-80-ab12")
    }

    @Test func aLongIDStaysWithinTheLimit() {
        var registration = Registration(
            ServiceInstance(name: "a", id: String(repeating: "x", count: 128), address: "h", port: 1),
            InstanceHealth(.passing), Registration.Settings(interval: interval, carriesHealth: true, suffix: "ab12"),
            now: 0)
        _ = registration.tick(now: 0, random: 0)
        _ = registration.finished(.taken(place: "x:1"), now: 0, random: 0)
        #expect(registration.instance.id.utf8.count == 128)
        #expect(registration.instance.id.hasSuffix("x-ab12"))
    }

    @Test func whatHasChangedIsEnteredAnewUnderItsID() {
        let bench = Bench().begin()
        bench.now += 2 * second
        var changed = sampleInstance()
        (changed.id, changed.port, changed.tags) = ("another", 81, ["v2"])
        bench.change(to: changed)
        changed.id = "shop-web1-80"
        #expect(bench.next(within: 0) == .register(changed, InstanceHealth(.passing)))
        bench.answer(.done)
        #expect(bench.takeNotices().isEmpty)
        bench.change(to: changed)
        #expect(bench.next(within: second) == nil)
    }

    // MARK: The end

    @Test func atTheEndItIsTakenOut() {
        let bench = Bench().begin()
        bench.end()
        #expect(!bench.registration.hasEnded)
        #expect(bench.next(within: 0) == .deregister(sampleInstance()))
        bench.answer(.done)
        #expect(bench.takeNotices() == [.deregistered])
        #expect(bench.registration.hasEnded && bench.registration.state == .ended)
        #expect(bench.registration.timer == nil)
    }

    @Test func whatNeverGotThereEndsAtOnce() {
        let bench = Bench()
        for _ in 0..<3 {
            bench.next()
            bench.answer(.failed(down))
        }
        bench.end()
        #expect(bench.registration.hasEnded)
        #expect(bench.takeNotices() == [.failing(down)])
    }

    @Test func aRegistrationWhoseAnswerWasLostIsTakenOut() {
        let bench = Bench()
        bench.next()
        bench.answer(.failed(silent))
        bench.end()
        #expect(bench.next(within: 0)?.kind == .deregister)
        bench.answer(.forgotten)
        #expect(bench.registration.hasEnded)
    }

    @Test func theEndWaitsForWhatIsOutAndThenTakesItOut() {
        let bench = Bench()
        bench.next()
        bench.end()
        #expect(!bench.registration.hasEnded)
        bench.answer(.done)
        #expect(bench.next(within: 0)?.kind == .deregister)
        bench.answer(.done)
        #expect(bench.registration.hasEnded)
    }

    @Test func theEndTriesAgainUntilItsTimeIsUp() {
        let bench = Bench().begin()
        bench.end()
        let start = bench.now
        var tries = 0
        while bench.next() != nil {
            tries += 1
            bench.answer(.failed(silent))
        }
        #expect(bench.registration.hasEnded)
        #expect(bench.now == start + 3 * second)
        #expect((3...8).contains(tries))
        #expect(bench.takeNotices() == [.failing(silent), .abandoned])
    }

    @Test func theEndsTimeCountsWhileAnOperationHangs() {
        let bench = Bench().begin()
        bench.next()
        bench.end()
        #expect(bench.next() == nil)
        #expect(bench.registration.hasEnded)
        #expect(bench.takeNotices() == [.abandoned])
        // An answer that comes after all is nobody's.
        bench.answer(.done)
        #expect(bench.takeNotices().isEmpty)
        bench.end()
        #expect(bench.registration.timer == nil)
    }

    @Test func theEndDoesNotWaitForADelay() {
        let bench = Bench().begin()
        for _ in 0..<8 {
            bench.next()
            bench.answer(.failed(silent))
        }
        bench.end()
        #expect(bench.next(within: 0)?.kind == .deregister)
    }
}

func sampleInstance() -> ServiceInstance {
    ServiceInstance(
        name: "shop", id: "shop-web1-80", address: "10.0.0.1", port: 80, tags: ["a", "b"],
        meta: [ServiceInstance.processKey: "p1", "version": "2"], weight: 3)
}
