import System
import Testing

@testable import Discovery

private func record(
    _ host: String, priority: UInt16 = 0, weight: UInt16 = 1, port: UInt16 = 4318, addresses: [String] = []
) -> ServiceRecord {
    ServiceRecord(priority: priority, weight: weight, host: host, port: port, addresses: addresses)
}

private final class Bench {
    var table = ServiceTable()
    var now: UInt64 = 1_000 * second
    private var seed: UInt64 = 1

    func random() -> UInt64 {
        seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return seed ^ seed >> 29
    }

    func asks(after nanoseconds: UInt64 = 0) -> Bool { table.asks(now: now + nanoseconds) }

    /// Asks, and answers.
    func answer(_ records: [ServiceRecord], seconds: UInt32 = 60) {
        #expect(asks())
        table.take(.success(ServiceAnswer(records: records, seconds: seconds)), now: now, random: random())
    }

    func fail(_ why: String = "no") {
        #expect(asks())
        table.take(.failure(ServiceFailure(why)), now: now, random: random())
    }

    func next() -> String? { table.next(now: now, random: random())?.host }

    func note(_ host: String, _ hasWorked: Bool) {
        table.note(ServiceEndpoint(host: host, port: 4318), hasWorked: hasWorked, now: now)
    }

    func shares(of count: Int = 10_000) -> [String: Int] {
        var shares: [String: Int] = [:]
        for _ in 0..<count { shares[next()!, default: 0] += 1 }
        return shares
    }
}

@Suite struct ServiceTableTests {
    @Test func itAsksAtOnceAndOneQuestionIsOutAtATime() {
        let bench = Bench()
        #expect(bench.next() == nil)
        #expect(!bench.table.isSettled)
        #expect(bench.asks())
        #expect(!bench.asks(after: 1_000 * second))
        #expect(bench.table.wakeAt == nil)
    }

    @Test(arguments: [(0, 5), (1, 5), (5, 5), (17, 17), (300, 300), (4_000_000, 300)])
    func theTimeToLiveIsKeptWithinBounds(seconds: UInt32, expected: UInt64) {
        let bench = Bench()
        bench.answer([record("a")], seconds: seconds)
        #expect(bench.table.wakeAt == bench.now + expected * second)
        #expect(!bench.asks(after: expected * second - 1))
        #expect(bench.asks(after: expected * second))
    }

    @Test func weightsAreShares() {
        let bench = Bench()
        bench.answer([record("a", weight: 10), record("b", weight: 30), record("c", weight: 60)])
        let shares = bench.shares()
        for (host, share) in [("a", 1_000), ("b", 3_000), ("c", 6_000)] {
            #expect(abs(shares[host]! - share) < 300, "\(shares)")
        }
    }

    @Test func aWeightOfZeroIsASmallChanceAndAllZerosAreAlike() {
        let bench = Bench()
        bench.answer([record("a", weight: 0), record("b", weight: 1)])
        #expect(bench.shares()["a", default: 0] < 10)
        let alike = Bench()
        alike.answer([record("a", weight: 0), record("b", weight: 0)])
        #expect(abs(alike.shares()["a"]! - 5_000) < 300)
    }

    @Test func theAddressesOfAHostShareItsWeight() {
        let bench = Bench()
        bench.answer([record("a", addresses: ["10.0.0.1", "10.0.0.2", "10.0.0.3"]), record("b", addresses: ["::1"])])
        #expect(bench.table.endpoints.count == 4)
        #expect(abs(bench.shares()["b"]! - 5_000) < 300)
    }

    @Test func ofTheLowestPriorityUntilAllOfThatFail() {
        let bench = Bench()
        bench.answer([record("a", priority: 1), record("b", priority: 1), record("spare", priority: 2, weight: 1_000)])
        #expect(Set(bench.shares().keys) == ["a", "b"])
        bench.note("a", false)
        #expect(Set(bench.shares(of: 100).keys) == ["b"])
        bench.note("b", false)
        #expect(Set(bench.shares(of: 100).keys) == ["spare"])
    }

    @Test func oneThatFailedIsProbedByOneRequestAtATime() {
        let bench = Bench()
        bench.answer([record("a"), record("b", priority: 2)], seconds: 300)
        bench.note("a", false)
        #expect(Set(bench.shares(of: 100).keys) == ["b"])
        bench.now += second
        #expect((0..<100).filter { _ in bench.next() == "a" }.count == 1)
        // What was under way with the first failure is no second one.
        bench.note("a", false)
        bench.note("a", false)
        bench.now += 2 * second - 1
        #expect(Set(bench.shares(of: 100).keys) == ["b"])
        bench.now += 1
        #expect(bench.next() == "a")
        bench.note("a", true)
        #expect(Set(bench.shares(of: 100).keys) == ["a"])
    }

    @Test func aFailureBringsTheNextQuestionForwardButNotTooOften() {
        let bench = Bench()
        bench.answer([record("a")], seconds: 300)
        bench.now += second
        bench.note("a", false)
        #expect(bench.table.wakeAt == bench.now + 4 * second)
        bench.now += 60 * second
        bench.answer([record("a")], seconds: 300)
        bench.now += 60 * second
        bench.note("a", false)
        #expect(bench.table.wakeAt == bench.now)
    }

    @Test func whenAllFailTheOneWhoseTimeComesFirstIsAsked() {
        let bench = Bench()
        bench.answer([record("a"), record("b")])
        bench.note("b", false)
        bench.now += second / 2
        bench.note("a", false)
        #expect(!bench.table.hasUsable(now: bench.now))
        #expect(bench.next() == "b")
    }

    @Test func theLastGoodAnswerStandsWhenThereIsNone() {
        let bench = Bench()
        bench.answer([record("a"), record("b")], seconds: 5)
        for _ in 0..<50 {
            bench.now = bench.table.wakeAt!
            bench.fail("there is no such name")
            #expect(bench.table.endpoints.count == 2)
            #expect(bench.table.wakeAt! <= bench.now + 30 * second)
            #expect(bench.table.wakeAt! >= bench.now + second / 2)
        }
        #expect(bench.table.failed == 50)
        #expect(bench.table.failure?.description == "there is no such name")
        bench.now = bench.table.wakeAt!
        bench.answer([record("c")])
        #expect(bench.table.failure == nil)
        #expect(bench.next() == "c")
    }

    @Test func whatGoesIsNotChosenAndWhatStaysKeepsWhatIsKnownOfIt() {
        let bench = Bench()
        bench.answer([record("a"), record("b")], seconds: 5)
        bench.note("a", false)
        bench.now += 5 * second
        bench.answer([record("b"), record("c")], seconds: 5)
        #expect(Set(bench.shares(of: 100).keys) == ["b", "c"])
        // A request that was under way to one that has gone.
        bench.note("a", false)
        bench.note("b", false)
        bench.now += 5 * second
        bench.note("b", false)
        bench.answer([record("b", weight: 100), record("c")])
        #expect(Set(bench.shares(of: 100).keys) == ["c"])
    }

    @Test func aServiceThatIsNotAvailableHasNoEndpoint() {
        let bench = Bench()
        bench.answer([record("a")], seconds: 5)
        bench.now += 5 * second
        bench.answer([], seconds: 5)
        #expect(bench.next() == nil)
        #expect(bench.table.isSettled)
    }

    /// Whatever comes in whatever order: an endpoint is one of the last good answer, and a question is never further away than five minutes.
    @Test func itHoldsUnderEverything() {
        let bench = Bench()
        var known: Set<String> = []
        for _ in 0..<20_000 {
            switch bench.random() >> 40 % 6 {
            case 0:
                if bench.asks() {
                    let count = Int(bench.random() >> 40 % 5)
                    let records = (0..<count).map { _ in
                        record(
                            "h\(bench.random() >> 40 % 9)", priority: UInt16(bench.random() >> 40 % 3),
                            weight: UInt16(truncatingIfNeeded: bench.random()))
                    }
                    known = Set(records.map(\.host))
                    let seconds = UInt32(truncatingIfNeeded: bench.random())
                    let answer = ServiceAnswer(records: records, seconds: seconds)
                    bench.table.take(.success(answer), now: bench.now, random: bench.random())
                }
            case 1:
                if bench.asks() {
                    bench.table.take(.failure(ServiceFailure("x")), now: bench.now, random: bench.random())
                }
            case 2: bench.now += bench.random() >> 32
            case 3: bench.note("h\(bench.random() >> 40 % 9)", bench.random() >> 40 % 2 == 0)
            default:
                let next = bench.next()
                #expect(next == nil ? known.isEmpty : known.contains(next!))
            }
            #expect(bench.table.wakeAt.map { $0 <= bench.now + 300 * second } ?? true)
        }
    }
}
