import Linux
import Testing

@testable import Agent

private let second: UInt64 = 1_000_000_000

@Suite struct ServeSupervisorTests {
    private func serving(_ places: Int = 1) -> ServeSupervisor {
        var supervisor = ServeSupervisor(
            places: places, startNanoseconds: 30 * second, shutdownNanoseconds: 10 * second)
        _ = supervisor.begin(now: 0)
        for id in 1...places { _ = supervisor.isServing(id, now: 0) }
        return supervisor
    }

    @Test func itIsAnnouncedOnceWhenEveryPlaceServes() {
        var supervisor = ServeSupervisor(places: 2, startNanoseconds: 30 * second, shutdownNanoseconds: second)
        #expect(supervisor.begin(now: 0) == [.start(1, place: 0), .start(2, place: 1)])
        #expect(supervisor.isServing(2, now: 1) == [])
        #expect(supervisor.isServing(2, now: 1) == [])
        #expect(supervisor.isServing(1, now: 2) == [.announce])
        #expect(supervisor.isServing(1, now: 3) == [])
    }

    @Test func oneThatFailsAtTheFirstStartEndsAll() {
        var supervisor = ServeSupervisor(places: 3, startNanoseconds: 30 * second, shutdownNanoseconds: second)
        _ = supervisor.begin(now: 0)
        _ = supervisor.isServing(1, now: 0)
        #expect(supervisor.ended(2, now: 1, chance: 0) == [.ends(1), .ends(3)])
        #expect(supervisor.ended(3, now: 2, chance: 0) == [])
        #expect(supervisor.ended(1, now: 3, chance: 0) == [.finish(.failedAtStart(2))])
        #expect(supervisor.isOver)
    }

    @Test func whoServedForLongIsStartedAgainAtOnce() {
        var supervisor = serving()
        #expect(supervisor.ended(1, now: 5 * second, chance: 1) == [.crashed(place: 0, delay: 0)])
        #expect(supervisor.timer == 5 * second)
        #expect(supervisor.tick(now: 5 * second) == [.start(2, place: 0)])
        #expect(supervisor.isServing(2, now: 5 * second) == [])
        #expect(supervisor.timer == nil)
    }

    @Test func whoDoesNotLastIsStartedLaterEachTime() {
        var supervisor = serving()
        var delays: [UInt64] = []
        var now: UInt64 = 0
        for id in 1...10 {
            guard case .crashed(0, let delay) = supervisor.ended(id, now: now, chance: 0).first else {
                Issue.record("no crash")
                return
            }
            delays.append(delay / 1_000_000)
            now += delay
            #expect(supervisor.tick(now: now - 1) == [])
            #expect(supervisor.tick(now: now) == [.start(id + 1, place: 0)])
            // Not every one of them gets as far as serving.
            if id % 2 == 0 { _ = supervisor.isServing(id + 1, now: now) }
        }
        #expect(delays == [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000])
        #expect(!supervisor.isNewStep(0))
        _ = supervisor.isServing(11, now: now)
        #expect(supervisor.ended(11, now: now + 6 * second, chance: 0) == [.crashed(place: 0, delay: 0)])
        #expect(supervisor.isNewStep(0))
    }

    @Test func whoServedForASecondWaitsAsAfterAFirstFailure() {
        var supervisor = serving()
        var now: UInt64 = 0
        for id in 1...8 {
            now += second
            #expect(supervisor.ended(id, now: now, chance: 0) == [.crashed(place: 0, delay: 100_000_000)])
            now += 100_000_000
            #expect(supervisor.tick(now: now) == [.start(id + 1, place: 0)])
            _ = supervisor.isServing(id + 1, now: now)
        }
        // One that does not come up, in between, makes the next wait longer, and no more than that.
        #expect(supervisor.ended(9, now: now, chance: 0) == [.crashed(place: 0, delay: 200_000_000)])
    }

    @Test func whoeverMakesItReachALimitAgainAndAgainDoesNotKeepThePlaceEmpty() {
        var supervisor = serving()
        var now: UInt64 = 0
        for id in 1...8 {
            now += 1
            #expect(
                supervisor.ended(id, now: now, chance: 0, atLimit: true) == [.crashed(place: 0, delay: 100_000_000)])
            now += 100_000_000
            #expect(supervisor.tick(now: now) == [.start(id + 1, place: 0)])
            _ = supervisor.isServing(id + 1, now: now)
        }
        // One that reaches it before it serves is one that does not come up.
        #expect(supervisor.ended(9, now: now, chance: 0) == [.crashed(place: 0, delay: 200_000_000)])
        now += 200_000_000
        #expect(supervisor.tick(now: now) == [.start(10, place: 0)])
        #expect(supervisor.ended(10, now: now, chance: 0, atLimit: true) == [.crashed(place: 0, delay: 400_000_000)])
    }

    @Test func chanceTakesAQuarterAtMost() {
        var supervisor = serving()
        #expect(supervisor.ended(1, now: 0, chance: 1) == [.crashed(place: 0, delay: 75_000_000)])
    }

    @Test func aReloadGoesPlaceByPlace() {
        var supervisor = serving(2)
        #expect(supervisor.reload(now: 1) == [.start(3, place: 0)])
        #expect(supervisor.isServing(3, now: 1) == [.followed(1), .start(4, place: 1)])
        #expect(supervisor.isServing(4, now: 2) == [.followed(2), .reloaded])
        #expect(supervisor.isAsked(1) && !supervisor.isAsked(3))
        #expect(supervisor.ended(1, now: 3, chance: 0) == [])
        #expect(supervisor.timer == 2 + 10 * second)
        #expect(supervisor.tick(now: 2 + 10 * second) == [.kill(2)])
        #expect(supervisor.ended(2, now: 12 * second, chance: 0) == [])
        #expect(supervisor.timer == nil)
    }

    @Test func newCodeThatFailsLeavesTheOldOneServing() {
        var supervisor = serving(2)
        #expect(supervisor.reload(now: 1) == [.start(3, place: 0)])
        #expect(supervisor.ended(3, now: 1, chance: 0) == [.reloadFailed])
        #expect(supervisor.places[0].current?.worker == 1)
        #expect(supervisor.reload(now: 1) == [.start(4, place: 0)])
    }

    @Test func aReloadDuringAReloadComesAfterIt() {
        var supervisor = serving()
        #expect(supervisor.reload(now: 1) == [.start(2, place: 0)])
        #expect(supervisor.reload(now: 1) == [])
        #expect(supervisor.isServing(2, now: 1) == [.followed(1), .reloaded, .start(3, place: 0)])
        #expect(supervisor.reload(now: 1) == [])
        #expect(supervisor.ended(3, now: 2, chance: 0) == [.reloadFailed, .start(4, place: 0)])
    }

    @Test func aReloadFillsAPlaceThatWaits() {
        var supervisor = serving()
        _ = supervisor.ended(1, now: 0, chance: 0)
        #expect(supervisor.reload(now: 1) == [.start(2, place: 0)])
        #expect(supervisor.tick(now: second) == [])
        #expect(supervisor.isServing(2, now: second) == [.reloaded])
    }

    @Test func anOldOneThatDiesBesideItsFollowerIsReplaced() {
        var supervisor = serving()
        _ = supervisor.reload(now: 0)
        #expect(supervisor.ended(1, now: 1, chance: 0) == [.crashed(place: 0, delay: 100_000_000)])
        #expect(supervisor.timer == 100_000_001)
        #expect(supervisor.tick(now: 100_000_001) == [.start(3, place: 0)])
        #expect(supervisor.isServing(3, now: second) == [])
        #expect(supervisor.isServing(2, now: 2 * second) == [.followed(3), .reloaded])
    }

    @Test func aFollowerOfNobodyThatFailsLeavesThePlaceToBeFilled() {
        var supervisor = serving()
        _ = supervisor.ended(1, now: 0, chance: 0)
        #expect(supervisor.reload(now: 1) == [.start(2, place: 0)])
        #expect(supervisor.ended(2, now: 2, chance: 0) == [.reloadFailed, .crashed(place: 0, delay: 200_000_000)])
        #expect(supervisor.tick(now: second) == [.start(3, place: 0)])
    }

    @Test func newCodeThatHangsIsKilledAndTheOldOneServesOn() {
        var supervisor = serving()
        _ = supervisor.reload(now: second)
        #expect(supervisor.timer == 31 * second)
        #expect(supervisor.tick(now: 31 * second - 1) == [])
        #expect(supervisor.tick(now: 31 * second) == [.kill(2)])
        #expect(supervisor.isOverdue(2) && !supervisor.isAsked(2) && !supervisor.isCutOff(2))
        #expect(supervisor.tick(now: 32 * second) == [])
        // It may say so in its last moment.
        #expect(supervisor.isServing(2, now: 32 * second) == [])
        #expect(supervisor.ended(2, now: 33 * second, chance: 0) == [.reloadFailed])
        #expect(supervisor.places[0].current?.worker == 1)
        #expect(supervisor.timer == nil)
        #expect(supervisor.reload(now: 34 * second) == [.start(3, place: 0)])
    }

    @Test func newerCodeEndsAFollowerThatDoesNotComeUp() {
        var supervisor = serving(2)
        _ = supervisor.reload(now: 0)
        _ = supervisor.isServing(3, now: 1)
        // Worker 4 hangs in place 1. It has two seconds; what came before them is looked at then.
        #expect(supervisor.reload(now: second) == [])
        #expect(supervisor.timer == 1 + 2 * second)
        #expect(supervisor.tick(now: 1 + 2 * second) == [.ends(4), .start(5, place: 0)])
        #expect(supervisor.isServing(5, now: 3 * second) == [.followed(3), .start(6, place: 1)])
        #expect(supervisor.reload(now: 6 * second) == [.ends(6), .start(7, place: 0)])
        #expect(supervisor.isAsked(4) && supervisor.isAsked(6))
        #expect(supervisor.ended(6, now: 6 * second, chance: 0) == [])
        #expect(supervisor.ended(4, now: 6 * second, chance: 0) == [])
        _ = supervisor.isServing(7, now: 6 * second)
        #expect(supervisor.isServing(8, now: 6 * second) == [.followed(2), .reloaded])
    }

    @Test func aPlaceWhoseFollowerIsEndedIsFilledBeforeItsTurnComes() {
        var supervisor = serving(2)
        _ = supervisor.ended(2, now: 0, chance: 0)
        _ = supervisor.reload(now: 1)
        #expect(supervisor.isServing(3, now: 2) == [.followed(1), .start(4, place: 1)])
        #expect(supervisor.reload(now: 3 * second) == [.ends(4), .start(5, place: 0)])
        #expect(supervisor.tick(now: 3 * second) == [.start(6, place: 1)])
    }

    @Test func whoHangsAtItsRestartIsKilledAndStartedAgain() {
        var supervisor = serving()
        _ = supervisor.ended(1, now: 10 * second, chance: 0)
        #expect(supervisor.tick(now: 10 * second) == [.start(2, place: 0)])
        #expect(supervisor.tick(now: 40 * second) == [.kill(2)])
        #expect(supervisor.ended(2, now: 40 * second, chance: 0) == [.crashed(place: 0, delay: 100_000_000)])
    }

    @Test func whoHangsAtTheFirstStartEndsAll() {
        var supervisor = ServeSupervisor(places: 1, startNanoseconds: 30 * second, shutdownNanoseconds: second)
        _ = supervisor.begin(now: 0)
        #expect(supervisor.timer == 30 * second)
        #expect(supervisor.tick(now: 30 * second) == [.kill(1)])
        #expect(supervisor.isOverdue(1))
        #expect(supervisor.ended(1, now: 30 * second, chance: 0) == [.finish(.failedAtStart(1))])
    }

    @Test func newCodeDuringTheStartIsLoadedAfterIt() {
        var supervisor = ServeSupervisor(places: 2, startNanoseconds: 30 * second, shutdownNanoseconds: second)
        _ = supervisor.begin(now: 0)
        _ = supervisor.isServing(1, now: 1)
        #expect(supervisor.reload(now: 2) == [])
        #expect(supervisor.isServing(2, now: 3) == [.announce, .start(3, place: 0)])
        #expect(supervisor.isServing(3, now: 4) == [.followed(1), .start(4, place: 1)])
        #expect(supervisor.isServing(4, now: 5) == [.followed(2), .reloaded])
    }

    @Test func newCodeWhileAPlaceIsFilledAgainIsLoaded() {
        var supervisor = serving()
        _ = supervisor.ended(1, now: 10 * second, chance: 0)
        _ = supervisor.tick(now: 10 * second)
        // Worker 2 may have read the old code already.
        #expect(supervisor.reload(now: 10 * second) == [.start(3, place: 0)])
        #expect(supervisor.isServing(2, now: 11 * second) == [])
        #expect(supervisor.isServing(3, now: 12 * second) == [.followed(2), .reloaded])
    }

    @Test func theEndDrainsAllAndKillsWhoTakesTooLong() {
        var supervisor = serving(2)
        _ = supervisor.reload(now: 1)
        let signal = SignalDescriptor.Signal(number: Signals.terminate, sender: 7)
        #expect(supervisor.received(signal, now: second) == [.ends(1), .ends(3), .ends(2)])
        #expect(supervisor.received(signal, now: second + 1) == [])
        #expect(supervisor.ended(1, now: 2 * second, chance: 0) == [])
        #expect(supervisor.reload(now: 1) == [])
        #expect(supervisor.tick(now: 11 * second) == [.kill(2), .kill(3)])
        #expect(supervisor.ended(3, now: 12 * second, chance: 0) == [])
        #expect(supervisor.ended(2, now: 12 * second, chance: 0) == [.finish(.drained(killed: 2))])
    }

    @Test func aSecondSignalKills() {
        var supervisor = serving(2)
        _ = supervisor.received(.init(number: Signals.terminate, sender: 7), now: 0)
        #expect(supervisor.received(.init(number: Signals.interrupt, sender: 7), now: 1) == [.kill(1), .kill(2)])
        #expect(supervisor.timer == nil)
    }

    @Test func theEndBeforeTheStartIsNoFailure() {
        var supervisor = ServeSupervisor(places: 1, startNanoseconds: 30 * second, shutdownNanoseconds: second)
        _ = supervisor.begin(now: 0)
        #expect(supervisor.received(.init(number: Signals.interrupt, sender: 7), now: 0) == [.ends(1)])
        #expect(supervisor.ended(1, now: 1, chance: 0) == [.finish(.drained(killed: 0))])
    }

    @Test func theEndWhileAPlaceWaitsStartsNobody() {
        var supervisor = serving()
        _ = supervisor.ended(1, now: 0, chance: 0)
        #expect(
            supervisor.received(.init(number: Signals.interrupt, sender: 7), now: 1) == [.finish(.drained(killed: 0))])
        #expect(supervisor.tick(now: 60 * second) == [])
    }

    // MARK: a simulated world

    /// Workers that start, serve and die as they like; it fails on what cannot be asked of them.
    private struct World {
        enum Life { case starting, hanging, serving, draining, killed }
        var alive: [Int: (life: Life, place: Int)] = [:]
        var started: Set<Int> = []
        /// To drain; what hangs is told, too.
        var asked: Set<Int> = []
        var finished = false
        var announced = false
        /// Whether what is started now never comes to serve.
        var hangs: () -> Bool = { false }

        mutating func perform(_ actions: [ServeSupervisor.Action], _ seed: UInt64) {
            for action in actions {
                #expect(!finished, "something after the end, seed \(seed)")
                switch action {
                case .start(let id, let place):
                    #expect(started.insert(id).inserted, "seed \(seed)")
                    alive[id] = (hangs() ? .hanging : .starting, place)
                    let inPlace = alive.filter {
                        $0.value.place == place && !asked.contains($0.key) && $0.value.life != .killed
                    }
                    #expect(inPlace.count <= 2, "seed \(seed)")
                case .drain(let id, _):
                    #expect(alive[id] != nil, "drained a dead one, seed \(seed)")
                    asked.insert(id)
                    // Code that hangs does not hear of it.
                    if alive[id]?.life != .hanging { alive[id]?.life = .draining }
                case .kill(let id):
                    #expect(alive[id] != nil, "killed a dead one, seed \(seed)")
                    alive[id]?.life = .killed
                case .announce:
                    #expect(!announced, "seed \(seed)")
                    announced = true
                case .finish:
                    #expect(alive.isEmpty, "seed \(seed)")
                    finished = true
                case .crashed, .reloaded, .reloadFailed: break
                }
            }
        }
    }

    private struct Random: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
            return z ^ z >> 31
        }
    }

    @Test func whateverWorkersDoEveryPlaceIsFilledInTheEndAndTheEndComes() {
        for _ in 0..<300 {
            let seed = UInt64.random(in: 0 ... .max)
            var random = Random(state: seed)
            let places = Int.random(in: 1...4, using: &random)
            var supervisor = ServeSupervisor(
                places: places, startNanoseconds: 30 * second, shutdownNanoseconds: 10 * second)
            var world = World()
            var now: UInt64 = 0
            world.perform(supervisor.begin(now: 0), seed)
            for _ in 0..<places { advance(&supervisor, &world, now, serve: 1, die: 0, &random, seed) }
            #expect(world.announced, "seed \(seed)")
            var hangs = Random(state: seed ^ 1)
            world.hangs = { Int.random(in: 0..<4, using: &hangs) == 0 }
            for _ in 0..<200 {
                now += UInt64.random(in: 0...second, using: &random)
                world.perform(supervisor.tick(now: now), seed)
                if Int.random(in: 0..<6, using: &random) == 0 { world.perform(supervisor.reload(now: now), seed) }
                advance(&supervisor, &world, now, serve: 0.5, die: 0.2, &random, seed)
            }
            // Left in peace, everything serves again.
            world.hangs = { false }
            for _ in 0..<40 {
                now += 10 * second
                world.perform(supervisor.tick(now: now), seed)
                advance(&supervisor, &world, now, serve: 1, die: 0, &random, seed)
            }
            for place in 0..<places {
                let serving = world.alive.filter { $0.value.place == place && $0.value.life == .serving }
                #expect(serving.count == 1, "seed \(seed)")
            }
            #expect(world.alive.count == places, "what hung was ended, seed \(seed)")
            world.perform(supervisor.received(.init(number: Signals.terminate, sender: 1), now: now), seed)
            for id in world.alive.keys.shuffled(using: &random) {
                world.alive[id] = nil
                world.perform(supervisor.ended(id, now: now, chance: 0), seed)
            }
            #expect(world.finished && supervisor.isOver, "seed \(seed)")
        }
    }

    /// Each living worker does something, or nothing.
    private func advance(
        _ supervisor: inout ServeSupervisor, _ world: inout World, _ now: UInt64, serve: Double, die: Double,
        _ random: inout Random, _ seed: UInt64
    ) {
        for id in world.alive.keys.sorted() {
            guard let worker = world.alive[id] else { continue }
            let death =
                switch worker.life {
                case .killed: 1.0
                case .draining: 0.7
                case .hanging: die / 10
                case .starting, .serving: die
                }
            if Double.random(in: 0..<1, using: &random) < death {
                world.alive[id] = nil
                world.perform(supervisor.ended(id, now: now, chance: .random(in: 0...1, using: &random)), seed)
            } else if worker.life == .starting, Double.random(in: 0..<1, using: &random) < serve {
                world.alive[id]?.life = .serving
                world.perform(supervisor.isServing(id, now: now), seed)
            }
        }
    }
}

@Suite struct ReloadDelayTests {
    @Test func aBurstIsOneReload() {
        var delay = ReloadDelay()
        func isDue(_ now: UInt64) -> Bool { delay.isDue(now: now) }
        #expect(!isDue(0))
        for time in 0..<5 as Range<UInt64> { delay.changed(now: time * 50_000_000) }
        #expect(!isDue(299_000_000))
        #expect(isDue(300_000_000))
        #expect(!isDue(400_000_000))
        #expect(delay.time == nil)
    }

    @Test func changesWithoutEndAreLookedAtAllTheSame() {
        var delay = ReloadDelay()
        for time in 0..<100 as Range<UInt64> { delay.changed(now: time * 50_000_000) }
        #expect(delay.time == 1_000_000_000)
    }

    @Test(arguments: [
        ("a.js", true), ("a.mjs", true), ("x.json", true), ("m.wasm", true), (".a.js", false), ("a.log", false),
        ("js", false),
    ])
    func codeIsKnownByItsEnding(_ file: String, _ isCode: Bool) {
        #expect(CodeFiles.isCode(file) == isCode)
    }
}

extension ServeSupervisor.Action {
    fileprivate static func ends(_ id: Int) -> Self { .drain(id, isFollowed: false) }
    fileprivate static func followed(_ id: Int) -> Self { .drain(id, isFollowed: true) }
}
