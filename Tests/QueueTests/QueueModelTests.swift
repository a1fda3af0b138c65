import Foundation
import Queue
import Testing

private let fuzzSeconds = ProcessInfo.processInfo.environment["SIDELIGHT_FUZZ_SECONDS"].flatMap(Double.init)

/// The queue against the model of `QueueWorld`.
@Suite struct QueueModelTests {
    /// Small, so that segments, limits and groups end often.
    static func limits(_ generator: inout Generator) -> QueueLimits {
        var limits = QueueLimits()
        limits.segmentBytes = 4 << 10
        limits.bytesMax = [16 << 10, 64 << 10, 1 << 20][generator.below(3)]
        limits.groupBytesMax = [3000, 20_000][generator.below(2)]
        limits.entriesMax = [10, 1000][generator.below(2)]
        limits.overflow = generator.chance(50) ? .oldest : .newest
        limits.ageMaxNanoseconds = generator.chance(30) ? 100_000 : nil
        limits.sync = [.everyCommit, .everyCommit, .interval(nanoseconds: 25_000), .never][generator.below(4)]
        return limits
    }

    private static func world(_ seed: UInt64, _ sync: QueueLimits.Sync? = nil) -> QueueWorld {
        var generator = Generator(seed: seed ^ 0xABCD)
        var limits = limits(&generator)
        if let sync { limits.sync = sync }
        return QueueWorld(seed: seed, limits: limits)
    }

    private static func report(_ world: QueueWorld) {
        for problem in world.problems.prefix(3) { Issue.record("\(problem)") }
    }

    /// The same life again and again, which ends in each operation on a file once, in each way.
    static func endsEverywhere(seed: UInt64, sync: QueueLimits.Sync? = nil) {
        let tears: [SimulatedFiles.Tear] = [
            .nothing, .everything, .half, .bytes(1), .bytes(31), .bytes(32), .bytes(33), .bytes(40), .bytes(71),
            .bytes(72), .bytes(80),
        ]
        var operation = 1
        while true {
            var isOver = false
            for (number, tear) in tears.enumerated() {
                for loss in number < 3 ? [QueueWorld.Loss.kill, .power] : [.kill] {
                    let world = world(seed, sync)
                    if world.open(deathAt: (operation, tear)) { for _ in 0..<60 where !world.isDead { world.step() } }
                    isOver = !world.isDead
                    world.end(loss)
                    #expect(world.open())
                    world.verify()
                    for _ in 0..<10 { world.step() }
                    world.drain()
                    report(world)
                    if !world.problems.isEmpty {
                        Issue.record("operation \(operation), \(tear), \(loss)")
                        return
                    }
                }
            }
            if isOver { return }
            operation += 1
        }
    }

    /// Lives that follow each other on one disk, each with an end of its own, faults on the way, ends while opening.
    static func lives(
        seed: UInt64, lies: Bool = false, sync: QueueLimits.Sync? = nil, isFaultless: Bool = false
    ) {
        let world = world(seed, sync)
        world.disk.lies = lies
        var generator = Generator(seed: seed ^ 0x5555)
        for _ in 0..<12 where world.problems.isEmpty {
            // Openings that the process does not survive, or on a disk that fails.
            while generator.chance(30) {
                let operation = 1 + generator.below(40)
                let tear: SimulatedFiles.Tear = [.nothing, .half, .everything][generator.below(3)]
                if !isFaultless && generator.chance(15) {
                    _ = world.open(fault: { $0 == operation ? .input : nil })
                } else {
                    _ = world.open(deathAt: (operation, tear))
                }
                world.end(generator.chance(50) ? .kill : .power)
            }
            #expect(world.open())
            world.verify()
            world.live(isFaultless: isFaultless)
            if !world.isDead && generator.chance(20) { world.drain() }
            world.end(generator.chance(50) ? .kill : .power)
        }
        if world.problems.isEmpty {
            #expect(world.open())
            world.verify()
            world.drain()
        }
        report(world)
    }

    @Test(arguments: 1...2 as ClosedRange<UInt64>)
    func whatWasCommittedSurvivesAnEndInEachOperation(seed: UInt64) { Self.endsEverywhere(seed: seed) }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func livesOfFailuresAndEndsKeepThePromise(seed: UInt64) { Self.lives(seed: seed) }

    /// Syncs that go on beside the owner: from often to always one under way.
    static func syncsBeside(_ seed: UInt64) -> QueueLimits.Sync {
        .interval(nanoseconds: [0, 5_000, 25_000][Int(seed % 3)])
    }

    @Test(arguments: 1...2 as ClosedRange<UInt64>)
    func whatASyncCoveredSurvivesAnEndInEachOperation(seed: UInt64) {
        Self.endsEverywhere(seed: seed, sync: Self.syncsBeside(seed))
    }

    @Test(arguments: 1...60 as ClosedRange<UInt64>)
    func whatASyncCoveredSurvivesLossesOfPower(seed: UInt64) {
        Self.lives(seed: seed, sync: Self.syncsBeside(seed), isFaultless: seed % 3 != 0)
    }

    /// A disk that says of each sync that it worked and does nothing: entries may be lost, but nothing is invented and nothing is stuck.
    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func aDiskThatLiesCostsOnlyWhatItLost(seed: UInt64) { Self.lives(seed: seed, lies: true) }

    /// Seeds that found something once: a sidecar left behind half made, and what the model did not foresee of segments and sidecars that come back.
    @Test(
        arguments: [
            353_613_644_757, 617_581_969_690, 719_056_549_018, 835_874_502_602, 543_455_191_228, 446_134_402_914,
            258_462_448_994, 238_521_521_641,
        ] as [UInt64])
    func livesThatOnceFailed(seed: UInt64) { Self.lives(seed: seed) }

    /// As long as `SIDELIGHT_FUZZ_SECONDS` says, with seeds from the clock; each is printed when it fails.
    @Test(.enabled(if: fuzzSeconds != nil, "SIDELIGHT_FUZZ_SECONDS is not set"))
    func fuzzedLivesKeepThePromiseForLong() {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(fuzzSeconds ?? 0)
        var lives = 0
        while clock.now < end {
            let seed = UInt64.random(in: 1...1 << 40)
            Self.lives(seed: seed, lies: seed % 8 == 0)
            let beside = UInt64.random(in: 1...1 << 40)
            Self.lives(seed: beside, sync: Self.syncsBeside(beside), isFaultless: beside % 5 != 0)
            if seed % 50 == 0 { Self.endsEverywhere(seed: seed) }
            if beside % 50 == 0 { Self.endsEverywhere(seed: beside, sync: Self.syncsBeside(beside)) }
            lives += 2
        }
        print("QueueModelTests: \(lives) lives")
    }
}
