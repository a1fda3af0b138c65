import Discovery
import Resolver
import Synchronization
import System
import Testing

/// A finder over a Consul that the test plays.
private final class Bench: Sendable {
    let clock = HandClock()
    let timers = HandTimers()
    let transport = HandTransport()
    let finder: ServiceFinder
    private let heard = Mutex<[String]>([])
    private let told: Told

    private final class Told: Sendable { let notices = Mutex<[ServiceNotice]>([]) }

    init(idle: UInt64 = .max) {
        let told = Told()
        self.told = told
        finder = ServiceFinder(
            ServiceQuestion(.consul, name: "web"), ConsulResolver(Registry(urls: ["http://c"]), transport),
            timers: timers, clock: clock, idleNanosecondsMax: idle
        ) { notice in told.notices.withLock { $0.append(notice) } }
    }

    /// What `find` gives, once there is something.
    func find() {
        finder.find { endpoint, complaint in
            self.heard.withLock { $0.append(endpoint.map(\.host) ?? complaint) }
        }
        timers.fire(clock)
    }

    var found: [String] { heard.withLock { $0 } }
    var notices: [ServiceNotice] { told.notices.withLock { $0 } }

    func pass(_ nanoseconds: UInt64) {
        clock.advance(nanoseconds)
        timers.fire(clock)
    }

    func answer(index: UInt64? = 1, _ hosts: String...) {
        let all = hosts.map { #"{"Service":{"Address":"\#($0)","Port":80}}"# }.joined(separator: ",")
        transport.answer(index: index, "[\(all)]")
        timers.fire(clock)
    }

    func fail() {
        transport.fail()
        timers.fire(clock)
    }
}

@Suite struct ServiceFinderTests {
    @Test func hasOneTimerHoweverOftenItsInstancesFail() {
        let bench = Bench()
        bench.find()
        for _ in 0..<100 {
            // An answer without a version holds for a while, and a failure brings the next question forward.
            bench.answer(index: nil, "a")
            bench.finder.note(ServiceEndpoint(host: "a", port: 80), hasWorked: false)
            #expect(bench.timers.count == 1)
            bench.pass(1 * second)
            #expect(bench.transport.urls.count == 1)
        }
    }

    @Test func oneThatIsClosedLeavesNoTimer() {
        let bench = Bench()
        bench.find()
        bench.answer(index: nil, "a")
        #expect(bench.timers.count == 1)
        bench.finder.close()
        #expect(bench.timers.count == 0)
        // One that is asked for still, too.
        let other = Bench()
        other.find()
        other.finder.close()
        other.transport.answer(200, "[]")
        #expect(other.timers.count == 0 && other.found.count == 1)
    }

    @Test func theFirstWaitsAndTheOthersDoNot() {
        let bench = Bench()
        bench.find()
        bench.find()
        #expect(bench.found.isEmpty)
        #expect(bench.transport.urls.count == 1)
        bench.answer("a")
        #expect(bench.found == ["a", "a"])
        // The registry is silent from now on.
        bench.pass(1 * second)
        for _ in 0..<100 { bench.find() }
        #expect(bench.found.count == 102)
        #expect(bench.transport.urls == ["http://c/v1/health/service/web?passing=1&index=1&wait=30s"])
    }

    @Test func aChangeCountsAtOnceAndIsAskedForOnceASecondAtMost() {
        let bench = Bench()
        bench.find()
        bench.answer(index: 1, "a")
        bench.pass(1 * second)
        bench.answer(index: 2, "b")
        bench.find()
        #expect(bench.found == ["a", "b"])
        for index in 3...20 as ClosedRange<UInt64> {
            #expect(bench.transport.urls.isEmpty)
            bench.pass(second - 1)
            #expect(bench.transport.urls.isEmpty)
            bench.pass(1)
            #expect(bench.transport.urls.count == 1)
            bench.answer(index: index, "b")
        }
    }

    @Test func aRegistryThatFailsIsAskedAnewWithoutWhatItKnew() {
        let bench = Bench()
        bench.find()
        bench.answer(index: 9, "a")
        bench.pass(1 * second)
        bench.fail()
        bench.find()
        #expect(bench.found == ["a", "a"])
        #expect(bench.notices == [.failed(message: "web: http://c: refused; going on with the endpoint of before")])
        for _ in 0..<10 {
            bench.pass(5 * second)
            #expect(bench.transport.urls == ["http://c/v1/health/service/web?passing=1"])
            bench.fail()
        }
        bench.pass(5 * second)
        bench.answer(index: 2, "b")
        bench.find()
        #expect(bench.found.last == "b")
        #expect(bench.notices.last == .works(message: "web: Consul answers again"))
        #expect(bench.notices.count == 2)
        #expect(bench.finder.counts == (2, 11, 1))
    }

    @Test func aRegistryThatForgotIsBelievedWhenItStaysSo() {
        let bench = Bench()
        bench.find()
        bench.answer(index: 9, "a", "b")
        bench.pass(1 * second)
        bench.answer(index: 10)
        bench.find()
        #expect(["a", "b"].contains(bench.found.last))
        bench.pass(29 * second)
        bench.answer(index: 11)
        bench.find()
        #expect(["a", "b"].contains(bench.found.last))
        // They came back, and went again.
        bench.pass(1 * second)
        bench.answer(index: 12, "b")
        bench.pass(1 * second)
        bench.answer(index: 13)
        bench.find()
        #expect(bench.found.last == "b")
        bench.pass(30 * second)
        bench.answer(index: 13)
        bench.find()
        #expect(bench.found.last == "web: no instance of it passes its checks in Consul")
        // The first one of all is believed at once.
        let fresh = Bench()
        fresh.find()
        fresh.answer()
        #expect(fresh.found == ["web: no instance of it passes its checks in Consul"])
    }

    @Test func withoutAFirstAnswerWhoAsksIsToldAtOnce() {
        let bench = Bench()
        bench.find()
        bench.fail()
        bench.find()
        #expect(bench.found == ["web: http://c: refused", "web: http://c: refused"])
        bench.pass(2 * second)
        bench.answer("a")
        bench.find()
        #expect(bench.found.last == "a")
    }

    @Test func whatNobodyWantsIsNotAskedForAndFreshWhenSomebodyDoes() {
        let bench = Bench(idle: 60 * second)
        bench.find()
        bench.answer(index: 1, "a")
        for index in 2...40 as ClosedRange<UInt64> {
            bench.pass(2 * second)
            if !bench.transport.urls.isEmpty { bench.answer(index: index, "a") }
        }
        #expect(bench.transport.urls.isEmpty)
        #expect(bench.timers.count == 0)
        bench.find()
        #expect(bench.found == ["a"])
        #expect(bench.transport.urls == ["http://c/v1/health/service/web?passing=1"])
        bench.answer(index: 90, "b")
        #expect(bench.found == ["a", "b"])
        // It cannot be asked: what was known is better than nothing.
        bench.pass(1 * second)
        bench.fail()
        bench.pass(3_600 * second)
        while !bench.transport.urls.isEmpty { bench.fail() }
        bench.pass(3_600 * second)
        bench.find()
        bench.fail()
        #expect(bench.found.last == "b")
    }

    @Test func oneThatFailsIsLeftAlone() {
        let bench = Bench()
        bench.find()
        bench.answer("a", "b")
        bench.finder.note(ServiceEndpoint(host: "a", port: 80), hasWorked: false)
        for _ in 0..<50 { bench.find() }
        #expect(Set(bench.found.dropFirst()) == ["b"])
        #expect(bench.finder.hasUsable)
        bench.finder.note(ServiceEndpoint(host: "b", port: 80), hasWorked: false)
        #expect(!bench.finder.hasUsable)
    }

    @Test func whoWaitsIsToldOfTheEnd() {
        let bench = Bench()
        bench.find()
        bench.finder.close()
        #expect(bench.found == ["web: it is not asked for any more"])
        bench.answer("a")
        bench.find()
        #expect(bench.found.count == 2)
        bench.pass(600 * second)
        #expect(bench.transport.urls.isEmpty)
        #expect(bench.timers.count == 0)
    }
}
