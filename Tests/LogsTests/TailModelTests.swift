import Foundation
import Testing

private let environment = ProcessInfo.processInfo.environment
private let replayedSeed = environment["SIDELIGHT_TAIL_SEED"].flatMap(UInt64.init)
private let lives = environment["SIDELIGHT_TAIL_LIVES"].flatMap(UInt64.init) ?? 60

/// The tailer and its log of places against the model of `TailWorld`. `SIDELIGHT_TAIL_SEED=N` lives one life with a trace, `SIDELIGHT_TAIL_LIVES=N` that many of each kind.
@Suite("The tailer in a simulated world")
struct TailModelTests {
    private static let kinds = [
        TailWorld.Kind(matchesRotated: true), TailWorld.Kind(matchesRotated: false),
        TailWorld.Kind(matchesRotated: true, losesPower: true), TailWorld.Kind(matchesRotated: false, losesPower: true),
        TailWorld.Kind(matchesRotated: true, leavesGaps: true),
    ]

    /// The kind is the seed's, too.
    private static func live(_ seed: UInt64, isTraced: Bool = false) -> Int {
        let world = TailWorld(seed: seed, kind: kinds[Int(seed % 5)], isTraced: isTraced)
        world.live(steps: 150)
        for problem in world.problems.prefix(2) { Issue.record("\(problem)") }
        return world.problems.count
    }

    @Test(.enabled(if: replayedSeed == nil, "one life is replayed"), arguments: 0...4 as ClosedRange<UInt64>)
    func everyLineComesOnceAndInOrder(kind: UInt64) {
        var failed = 0
        for life in 1...lives where failed < 5 { failed += Self.live(life * 5 + kind) > 0 ? 1 : 0 }
    }

    @Test(.enabled(if: replayedSeed != nil, "SIDELIGHT_TAIL_SEED is not set"))
    func oneLifeIsReplayed() { #expect(Self.live(replayedSeed ?? 0, isTraced: true) == 0) }
}
