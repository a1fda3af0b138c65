import Testing

@testable import Health

struct ComponentHealthTests {
    private static let second: UInt64 = 1_000_000_000

    /// A component, and the time that it lives in.
    private struct World {
        var component: ComponentHealth
        var seconds = 0.0

        init(failures: Int = 3, successes: Int = 1, start: UInt64 = 30, halfLife: UInt64? = nil) {
            component = ComponentHealth(
                HealthThresholds(
                    failures: failures, successes: successes, startNanoseconds: start * second,
                    halfLifeNanoseconds: halfLife.map { $0 * second }), now: Self.time(0))
        }

        static func time(_ seconds: Double) -> HealthTime {
            HealthTime(monotonic: UInt64(seconds * 1e9), unix: 1_000 * second + UInt64(seconds * 1e9))
        }

        var now: HealthTime { Self.time(seconds) }

        @discardableResult
        mutating func take(_ status: HealthStatus, _ reason: String = "", after: Double = 1) -> HealthStatus {
            seconds += after
            component.take(HealthFinding(status, status == .pass ? "" : reason), now: now)
            return component.status
        }
    }

    @Test func isStartingUntilItIsWellForTheFirstTime() {
        var world = World()
        #expect(world.component.isStarting && world.component.status == .fail)
        world.take(.fail, "connection refused")
        #expect(world.component.isStarting && world.component.reason == "connection refused")
        #expect(world.component.mayStillStart(now: 29 * Self.second))
        #expect(!world.component.mayStillStart(now: 30 * Self.second))
        #expect(world.take(.pass) == .pass)
        #expect(!world.component.isStarting && world.component.reason == "")
        // It never starts again.
        for _ in 0..<5 { world.take(.fail) }
        #expect(!world.component.isStarting)
    }

    @Test func firstSuccessEndsTheStartWhateverTheThreshold() {
        var world = World(successes: 5)
        #expect(world.take(.warn, "slow") == .warn)
        #expect(!world.component.isStarting && world.component.reason == "slow")
    }

    @Test func becomesWorseAfterSoManyFailuresInARow() {
        var world = World(failures: 3)
        world.take(.pass)
        #expect(world.take(.fail, "a") == .pass)
        #expect(world.take(.fail, "b") == .pass)
        #expect(world.take(.pass) == .pass)
        #expect(world.take(.fail, "c") == .pass)
        #expect(world.take(.fail, "d") == .pass)
        #expect(world.take(.fail, "e") == .fail)
        #expect(world.component.reason == "e")
        #expect(world.component.since == world.now.unix)
    }

    @Test func aRowOfMixedFailuresIsAsBadAsItsLeast() {
        var world = World(failures: 3)
        world.take(.pass)
        world.take(.fail, "x")
        world.take(.warn, "y")
        #expect(world.take(.fail, "z") == .warn)
        // From there on the row begins anew.
        world.take(.fail)
        world.take(.fail)
        #expect(world.take(.fail) == .fail)
    }

    @Test func becomesBetterAfterSoManySuccessesInARow() {
        var world = World(failures: 1, successes: 2)
        world.take(.pass)
        #expect(world.take(.fail) == .fail)
        #expect(world.take(.pass) == .fail)
        #expect(world.take(.fail) == .fail)
        #expect(world.take(.pass) == .fail)
        #expect(world.take(.warn, "still slow") == .warn)
        #expect(world.component.reason == "still slow")
    }

    @Test func reasonFollowsWhatIsFoundAtTheSameLevel() {
        var world = World(failures: 1)
        world.take(.pass)
        world.take(.fail, "refused")
        let since = world.component.since
        world.take(.fail, "timed out")
        #expect(world.component.reason == "timed out")
        #expect(world.component.since == since)
        #expect(world.component.changes == 2)
    }

    @Test func whatFallsAgainAndAgainIsHeldAtItsWorst() {
        var world = World(failures: 1, halfLife: 60)
        world.take(.pass)
        for _ in 0..<2 {
            #expect(world.take(.fail, "refused") == .fail)
            #expect(world.take(.pass) == .pass)
        }
        #expect(world.take(.fail, "refused") == .fail)
        #expect(world.component.isFlapping)
        #expect(world.take(.pass) == .fail)
        #expect(world.component.reason == "flapping")
        let changes = world.component.changes
        // It goes on, and nobody sees a change.
        for _ in 0..<20 {
            #expect(world.take(.fail, "refused") == .fail)
            #expect(world.component.reason == "flapping: refused")
            #expect(world.take(.pass) == .fail)
        }
        #expect(world.component.changes == changes)
    }

    @Test func dampingEndsABoundedTimeAfterTheLastFall() {
        var world = World(failures: 1, halfLife: 60)
        world.take(.pass)
        for _ in 0..<50 {
            world.take(.fail)
            world.take(.pass)
        }
        #expect(world.component.isFlapping && world.component.status == .fail)
        world.seconds += 170
        world.component.tick(now: world.now)
        #expect(world.component.isFlapping)
        world.seconds += 10
        let hasChanged = world.component.tick(now: world.now)
        #expect(hasChanged)
        #expect(!world.component.isFlapping && world.component.status == .pass && world.component.reason == "")
    }

    @Test func rareFallsAreNotDamped() {
        var world = World(failures: 1, halfLife: 60)
        world.take(.pass)
        for _ in 0..<20 {
            #expect(world.take(.fail, after: 30) == .fail)
            #expect(world.take(.pass, after: 30) == .pass)
            #expect(!world.component.isFlapping)
        }
    }

    @Test func warningsThatFlapAreHeldAsWarnings() {
        var world = World(failures: 1, halfLife: 60)
        world.take(.pass)
        for _ in 0..<4 {
            world.take(.warn, "slow")
            world.take(.pass)
        }
        #expect(world.component.isFlapping && world.component.status == .warn)
        // And a real failure shows at once.
        #expect(world.take(.fail, "dead") == .fail)
    }

    @Test func withoutHalfLifeNothingIsDamped() {
        var world = World(failures: 1, halfLife: nil)
        world.take(.pass)
        for _ in 0..<20 {
            #expect(world.take(.fail) == .fail)
            #expect(world.take(.pass) == .pass)
        }
    }

    @Test func reasonsAreALineOfBoundedLength() {
        let long = HealthFinding(.fail, "a\nb\u{1B}[31m\u{202E}" + String(repeating: "é", count: 400))
        #expect(long.reason.utf8.count <= HealthFinding.reasonBytesMax)
        #expect(long.reason.hasPrefix("a b [31m é"))
        #expect(!long.reason.unicodeScalars.contains { $0.value < 0x20 })
    }

    /// Against a model that keeps all findings: the level is what the last ones in a row say.
    @Test func anyFindingsGiveWhatTheLastInARowSay() {
        var random = SystemRandomNumberGenerator()
        let seed = UInt64.random(in: .min ... .max, using: &random)
        var state = seed
        func next(_ bound: UInt64) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33 % bound)
        }
        for _ in 0..<200 {
            let (failures, successes) = (1 + next(4), 1 + next(4))
            var world = World(failures: failures, successes: successes)
            world.take(.pass)
            var level = HealthStatus.pass
            var since: [HealthStatus] = []
            for _ in 0..<60 {
                let status = HealthStatus(rawValue: next(3))!
                world.take(status)
                since.append(status)
                let worse = since.reversed().prefix { $0 > level }
                let better = since.reversed().prefix { $0 < level }
                if worse.count >= failures {
                    (level, since) = (worse.prefix(failures).min()!, [])
                } else if better.count >= successes {
                    (level, since) = (better.prefix(successes).max()!, [])
                }
                #expect(world.component.status == level, "seed \(seed)")
            }
        }
    }
}
