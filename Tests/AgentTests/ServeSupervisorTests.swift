import Linux
import Testing

@testable import Agent

private let second: UInt64 = 1_000_000_000

@Suite struct ServeSupervisorTests {
    private func serving(_ places: Int = 1) -> ServeSupervisor {
        var supervisor = ServeSupervisor(places: places, shutdownNanoseconds: 10 * second)
        _ = supervisor.begin()
        for id in 1...places { _ = supervisor.isServing(id, now: 0) }
        return supervisor
    }

    @Test func itIsAnnouncedOnceWhenEveryPlaceServes() {
        var supervisor = ServeSupervisor(places: 2, shutdownNanoseconds: second)
        #expect(supervisor.begin() == [.start(1, place: 0), .start(2, place: 1)])
        #expect(supervisor.isServing(2, now: 1) == [])
        #expect(supervisor.isServing(2, now: 1) == [])
        #expect(supervisor.isServing(1, now: 2) == [.announce])
        #expect(supervisor.isServing(1, now: 3) == [])
    }

    @Test func oneThatFailsAtTheFirstStartEndsAll() {
        var supervisor = ServeSupervisor(places: 3, shutdownNanoseconds: second)
        _ = supervisor.begin()
        _ = supervisor.isServing(1, now: 0)
        #expect(supervisor.ended(2, now: 1, chance: 0) == [.drain(1), .drain(3)])
        #expect(supervisor.ended(3, now: 2, chance: 0) == [])
        #expect(supervisor.ended(1, now: 3, chance: 0) == [.finish(.failedAtStart(2))])
        #expect(supervisor.isOver)
    }

    @Test func whoServedForLongIsStartedAgainAtOnce() {
        var supervisor = serving()
        #expect(supervisor.ended(1, now: 5 * second, chance: 1) == [.crashed(place: 0, delay: 0)])
        #expect(supervisor.timer == 5 * second)
        #expect(supervisor.tick(now: 5 * second) == [.start(2, place: 0)])
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

    @Test func chanceTakesAQuarterAtMost() {
        var supervisor = serving()
        #expect(supervisor.ended(1, now: 0, chance: 1) == [.crashed(place: 0, delay: 75_000_000)])
    }

    @Test func aReloadGoesPlaceByPlace() {
        var supervisor = serving(2)
        #expect(supervisor.reload() == [.start(3, place: 0)])
        #expect(supervisor.isServing(3, now: 1) == [.drain(1), .start(4, place: 1)])
        #expect(supervisor.isServing(4, now: 2) == [.drain(2), .reloaded])
        #expect(supervisor.isAsked(1) && !supervisor.isAsked(3))
        #expect(supervisor.ended(1, now: 3, chance: 0) == [])
        #expect(supervisor.timer == 2 + 10 * second)
        #expect(supervisor.tick(now: 2 + 10 * second) == [.kill(2)])
        #expect(supervisor.ended(2, now: 12 * second, chance: 0) == [])
        #expect(supervisor.timer == nil)
    }

    @Test func newCodeThatFailsLeavesTheOldOneServing() {
        var supervisor = serving(2)
        #expect(supervisor.reload() == [.start(3, place: 0)])
        #expect(supervisor.ended(3, now: 1, chance: 0) == [.reloadFailed])
        #expect(supervisor.places[0].current?.worker == 1)
        #expect(supervisor.reload() == [.start(4, place: 0)])
    }

    @Test func aReloadDuringAReloadComesAfterIt() {
        var supervisor = serving()
        #expect(supervisor.reload() == [.start(2, place: 0)])
        #expect(supervisor.reload() == [])
        #expect(supervisor.isServing(2, now: 1) == [.drain(1), .reloaded, .start(3, place: 0)])
        #expect(supervisor.reload() == [])
        #expect(supervisor.ended(3, now: 2, chance: 0) == [.reloadFailed, .start(4, place: 0)])
    }

    @Test func aReloadFillsAPlaceThatWaits() {
        var supervisor = serving()
        _ = supervisor.ended(1, now: 0, chance: 0)
        #expect(supervisor.reload() == [.start(2, place: 0)])
        #expect(supervisor.tick(now: second) == [])
        #expect(supervisor.isServing(2, now: second) == [.reloaded])
    }

    @Test func theOldOneMayDieWhileItsFollowerStarts() {
        var supervisor = serving()
        _ = supervisor.reload()
        #expect(supervisor.ended(1, now: 1, chance: 0) == [.crashed(place: 0, delay: 0)])
        #expect(supervisor.timer == nil)
        #expect(supervisor.ended(2, now: 2, chance: 0) == [.reloadFailed, .crashed(place: 0, delay: 100_000_000)])
        #expect(supervisor.tick(now: second) == [.start(3, place: 0)])
    }

    @Test func theEndDrainsAllAndKillsWhoTakesTooLong() {
        var supervisor = serving(2)
        _ = supervisor.reload()
        let signal = SignalDescriptor.Signal(number: Signals.terminate, sender: 7)
        #expect(supervisor.received(signal, now: second) == [.drain(1), .drain(3), .drain(2)])
        #expect(supervisor.received(signal, now: second + 1) == [])
        #expect(supervisor.ended(1, now: 2 * second, chance: 0) == [])
        #expect(supervisor.reload() == [])
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
        var supervisor = ServeSupervisor(places: 1, shutdownNanoseconds: second)
        _ = supervisor.begin()
        #expect(supervisor.received(.init(number: Signals.interrupt, sender: 7), now: 0) == [.drain(1)])
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
        enum Life { case starting, serving, draining }
        var alive: [Int: (life: Life, place: Int)] = [:]
        var started: Set<Int> = []
        var finished = false
        var announced = false

        mutating func perform(_ actions: [ServeSupervisor.Action], _ seed: UInt64) {
            for action in actions {
                #expect(!finished, "something after the end, seed \(seed)")
                switch action {
                case .start(let id, let place):
                    #expect(started.insert(id).inserted, "seed \(seed)")
                    alive[id] = (.starting, place)
                    let inPlace = alive.values.filter { $0.place == place && $0.life != .draining }
                    #expect(inPlace.count <= 2, "seed \(seed)")
                case .drain(let id):
                    #expect(alive[id] != nil, "drained a dead one, seed \(seed)")
                    alive[id]?.life = .draining
                case .kill(let id):
                    #expect(alive[id] != nil, "killed a dead one, seed \(seed)")
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
            var supervisor = ServeSupervisor(places: places, shutdownNanoseconds: 10 * second)
            var world = World()
            var now: UInt64 = 0
            world.perform(supervisor.begin(), seed)
            for _ in 0..<places { advance(&supervisor, &world, now, serve: 1, die: 0, &random, seed) }
            #expect(world.announced, "seed \(seed)")
            for _ in 0..<200 {
                now += UInt64.random(in: 0...second, using: &random)
                world.perform(supervisor.tick(now: now), seed)
                if Int.random(in: 0..<6, using: &random) == 0 { world.perform(supervisor.reload(), seed) }
                advance(&supervisor, &world, now, serve: 0.5, die: 0.2, &random, seed)
            }
            // Left in peace, everything serves again.
            for _ in 0..<40 {
                now += 10 * second
                world.perform(supervisor.tick(now: now), seed)
                advance(&supervisor, &world, now, serve: 1, die: 0, &random, seed)
            }
            for place in 0..<places {
                let serving = world.alive.filter { $0.value.place == place && $0.value.life == .serving }
                #expect(serving.count == 1, "seed \(seed)")
            }
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
            if Double.random(in: 0..<1, using: &random) < (worker.life == .draining ? 0.7 : die) {
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
