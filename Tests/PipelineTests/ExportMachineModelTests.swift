import Telemetry
import Testing

@testable import Pipeline

/// A backend with moods, and answers that take their time.
private struct World {
    enum Mood: CaseIterable { case up, slow, down, away, throttling, nonsense, refusing, partial, smallBodies }

    var machine: ExportMachine
    var random: SplitMix64
    var now: UInt64 = second
    var mood = Mood.up
    var onTheWay: [(dueAt: UInt64, export: Export)] = []
    var wakeAt: UInt64?
    var nextID: UInt64 = 1
    /// How often the backend has stored each item.
    var stored: [UInt64: Int] = [:]
    var rejected = 0
    /// Items not yet settled, by ticket.
    var unsettled: [UInt64: Int] = [:]

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
        var limits = BatchLimits()
        limits.exportItemsMax = Int.random(in: 1...64, using: &random)
        limits.exportBytesMax = Int.random(in: 1...8_000, using: &random)
        limits.ageMaxNanoseconds = UInt64.random(in: 0...second, using: &random)
        limits.queueItemsMax = Bool.random(using: &random) ? .max : Int.random(in: 1...300, using: &random)
        limits.queueBytesMax = Int.random(in: 500...40_000, using: &random)
        limits.overflow = Bool.random(using: &random) ? .dropNewest : .dropOldest
        limits.sendsWhenIdle = Bool.random(using: &random)
        limits.inFlightMax = Int.random(in: 1...4, using: &random)
        limits.inFlightBytesMax = limits.exportBytesMax * Int.random(in: 1...4, using: &random)
        limits.inFlightItemsMax = limits.exportItemsMax * Int.random(in: 1...4, using: &random)
        machine = ExportMachine(limits: limits)
    }

    mutating func step() throws {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<45: accept()
        case 45..<85: advance(UInt64.random(in: 0...300 * millisecond, using: &random))
        case 85..<92: advance(UInt64.random(in: 0...10 * second, using: &random))
        case 92..<95: _ = machine.flush(now: now)
        default: mood = Mood.allCases.randomElement(using: &random)!
        }
        try check()
    }

    mutating func accept() {
        let count = UInt64.random(in: 0...40, using: &random)
        let signal = Signal.allCases.randomElement(using: &random)!
        let before = machine.heldBytes
        var new = batch(signal, ids: nextID..<nextID + count, itemBytes: Int.random(in: 1...200, using: &random))
        nextID += count
        new.ticket = nextID
        if count > 0 { unsettled[nextID] = Int(count) }
        wakeAt = machine.accept(new, now: now).wakeAt
        #expect(machine.heldBytes <= max(before, machine.limits.queueBytesMax))
    }

    /// Lets time pass, answering and waking on the way as it comes due.
    mutating func advance(_ nanoseconds: UInt64) {
        let end = now + nanoseconds
        tick()
        while let next = ([wakeAt] + onTheWay.map { $0.dueAt }).compactMap(\.self).min(), next <= end {
            now = max(now, next)
            if let index = onTheWay.firstIndex(where: { $0.dueAt <= now }) {
                let export = onTheWay.remove(at: index).export
                machine.completed(export.id, answer(export), now: now, random: random.next())
            }
            tick()
        }
        now = end
    }

    mutating func tick() {
        let action = machine.tick(now: now)
        wakeAt = action.wakeAt
        if let wakeAt { #expect(wakeAt > now, "a wake-up that changes nothing") }
        for export in action.exports {
            let delay =
                mood == .slow
                ? UInt64.random(in: 0...3 * second, using: &random)
                : UInt64.random(in: 0...5 * millisecond, using: &random)
            onTheWay.append((now + delay, export))
        }
        #expect(onTheWay.count == machine.inFlightCount)
    }

    mutating func answer(_ export: Export) -> ExportResult {
        switch mood {
        case .up, .slow: break
        case .down: return .failed(message: "reset")
        case .away: return .unreachable(message: "connection refused")
        case .throttling: return .failed(retryAfter: UInt64.random(in: 0...4 * second, using: &random), message: "429")
        case .nonsense: return .failed(message: "not HTTP")
        case .refusing: return .refused(.refused, message: "400")
        case .partial:
            let rejected = Int.random(in: 0...export.itemCount, using: &random)
            self.rejected += rejected
            for id in export.ids.dropFirst(rejected) { stored[id, default: 0] += 1 }
            return .delivered(rejected: rejected, message: "some")
        case .smallBodies where export.itemCount > 3: return .tooLarge(message: "413")
        case .smallBodies: break
        }
        for id in export.ids { stored[id, default: 0] += 1 }
        return .delivered()
    }

    mutating func check() throws {
        for settled in machine.takeSettled() {
            let left = try #require(unsettled[settled.ticket]) - settled.count
            try #require(settled.count > 0 && left >= 0)
            unsettled[settled.ticket] = left == 0 ? nil : left
        }
        try #require(unsettled.values.reduce(0, +) == machine.accounting.queued)
        try #require(machine.isConsistent)
        try #require(machine.accounting.exported == stored.count)
        try #require(machine.accounting.dropped(.rejected) == rejected)
        try #require(machine.accounting.received == Int(nextID - 1))
    }

    /// A backend that is well again gets everything, soon.
    mutating func recover() throws {
        mood = .up
        let deadline = now + 30 * second
        while machine.accounting.queued > 0, now < deadline { advance(100 * millisecond) }
        try #require(machine.accounting.queued == 0)
        try #require(wakeAt == nil && onTheWay.isEmpty)
        try check()
    }
}

@Suite struct ExportMachineModelTests {
    /// Nothing is lost unseen, nothing is stored twice, no bound is broken, and after recovery everything arrives.
    @Test(arguments: 0..<60 as Range<UInt64>)
    func everyItemIsAccountedForWhateverTheBackendDoes(seed: UInt64) throws {
        var world = World(seed: seed)
        for round in 0..<4 {
            for _ in 0..<150 { try world.step() }
            if round % 2 == 1 { try world.recover() }
        }
        #expect(world.stored.values.allSatisfy { $0 == 1 })
        _ = world.machine.flush(now: world.now)
        let held = world.machine.shutdown()
        #expect(held.reduce(0) { $0 + $1.items.count } == world.machine.accounting.dropped(.undelivered))
        #expect(world.machine.isConsistent)
    }
}
