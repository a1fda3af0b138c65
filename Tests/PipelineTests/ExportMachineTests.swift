import Telemetry
import Testing

@testable import Pipeline

/// A machine with its clock, and after every step a look at the books.
private struct Driven {
    var machine: ExportMachine
    var now: UInt64 = 1_000 * second

    init(_ change: (inout BatchLimits) -> Void = { _ in }) {
        var limits = BatchLimits()
        change(&limits)
        machine = ExportMachine(limits: limits)
    }

    @discardableResult
    mutating func accept(_ batch: Batch) -> UInt64? {
        let action = machine.accept(batch, now: now)
        #expect(action.exports.isEmpty)
        #expect(machine.isConsistent)
        return action.wakeAt
    }

    mutating func tick() -> [Export] {
        let action = machine.tick(now: now)
        #expect(machine.isConsistent)
        return action.exports
    }

    /// Goes to the moment the machine wants to be woken at.
    mutating func sleepAndTick() -> [Export] {
        let action = machine.tick(now: now)
        guard action.exports.isEmpty, let wakeAt = action.wakeAt else { return action.exports }
        now = max(now, wakeAt)
        return tick()
    }

    mutating func complete(_ export: Export, _ result: ExportResult) {
        machine.completed(export.id, result, now: now, random: .max)
        #expect(machine.isConsistent)
    }
}

@Suite struct BatchingTests {
    @Test func smallBatchesWaitForCompanyAndLeaveTogether() {
        var driven = Driven()
        let start = driven.now
        #expect(driven.accept(batch(ids: [1, 2])) == start + 200 * millisecond)
        driven.now += 100 * millisecond
        #expect(driven.accept(batch(ids: [3])) == start + 200 * millisecond)
        #expect(driven.tick().isEmpty)
        driven.now = start + 200 * millisecond
        let exports = driven.tick()
        #expect(exports.map(\.ids) == [[1, 2, 3]])
        #expect(exports[0].batches.count == 2)
    }

    @Test func nothingWaitsForCompanyWhileNothingIsInFlight() {
        var driven = Driven { $0.sendsWhenIdle = true }
        #expect(driven.accept(batch(ids: [1]))! <= driven.now)
        let first = driven.tick()
        #expect(first.map(\.ids) == [[1]])
        driven.accept(batch(ids: [2]))
        driven.accept(batch(ids: [3]))
        #expect(driven.tick().isEmpty)
        driven.complete(first[0], .delivered())
        #expect(driven.tick().map(\.ids) == [[2, 3]])
    }

    @Test func nobodyThereIsAskedAgainWithinASecond() {
        var driven = Driven()
        driven.accept(batch(ids: [1]))
        for _ in 0..<12 {
            let exports = driven.sleepAndTick()
            let before = driven.now
            driven.complete(exports[0], .unreachable(message: "connection refused"))
            #expect(driven.machine.tick(now: driven.now).wakeAt! <= before + second)
        }
    }

    @Test func enoughItemsLeaveAtOnce() {
        var driven = Driven { $0.exportItemsMax = 3 }
        driven.accept(batch(ids: [1, 2]))
        #expect(driven.tick().isEmpty)
        #expect(driven.accept(batch(ids: [3, 4]))! <= driven.now)
        #expect(driven.tick().map(\.ids) == [[1, 2]])
    }

    @Test func enoughBytesLeaveAtOnce() {
        let one = batch(ids: [1], itemBytes: 1_000)
        var driven = Driven { $0.exportBytesMax = one.memoryBytes * 2 }
        driven.accept(one)
        #expect(driven.tick().isEmpty)
        driven.accept(batch(ids: [2], itemBytes: 1_000))
        #expect(driven.tick().map(\.ids) == [[1, 2]])
    }

    @Test func batchLargerThanAnExportIsCut() {
        var driven = Driven { $0.exportItemsMax = 4 }
        driven.accept(batch(ids: 1...10))
        #expect(driven.tick().map(\.ids) == [[1, 2, 3, 4], [5, 6, 7, 8]])
        driven.now += second
        #expect(driven.tick().map(\.ids) == [[9, 10]])
    }

    @Test func itemLargerThanAnExportLeavesAlone() {
        var driven = Driven { $0.exportBytesMax = 100 }
        driven.accept(batch(ids: [1, 2], itemBytes: 5_000))
        #expect(driven.tick().map(\.ids) == [[1], [2]])
    }

    @Test func signalsDoNotMixAndTheOldestGoesFirst() {
        var driven = Driven { $0.inFlightMax = 1 }
        driven.accept(batch(.logs, ids: [1]))
        driven.accept(batch(.traces, ids: [2]))
        driven.accept(batch(.logs, ids: [3]))
        driven.now += second
        let first = driven.tick()
        #expect(first.map(\.signal) == [.logs])
        #expect(first.map(\.ids) == [[1, 3]])
        driven.complete(first[0], .delivered())
        #expect(driven.tick().map(\.ids) == [[2]])
    }

    @Test func exportEndsWhereTheResourceChangesWhenAsked() {
        var driven = Driven { $0.oneResourcePerExport = true }
        var other = batch(ids: [3])
        other.resource = Array("other".utf8)
        for batch in [batch(ids: [1]), batch(ids: [2]), other, batch(ids: [4])] { driven.accept(batch) }
        driven.now += second
        #expect(driven.tick().map(\.ids) == [[1, 2], [3], [4]])
    }

    @Test func onlySoManyAreInFlight() {
        var driven = Driven {
            $0.inFlightMax = 2
            $0.exportItemsMax = 1
        }
        for id in 1...5 as ClosedRange<UInt64> { driven.accept(batch(ids: [id])) }
        let first = driven.tick()
        #expect(first.map(\.ids) == [[1], [2]])
        #expect(driven.tick().isEmpty)
        driven.complete(first[1], .delivered())
        #expect(driven.tick().map(\.ids) == [[3]])
    }

    @Test func whatIsInFlightIsOneExportsWorthAtMost() {
        var driven = Driven {
            $0.exportItemsMax = 8
            $0.exportBytesMax = 1_000
            $0.inFlightItemsMax = 8
            $0.inFlightMax = 8
        }
        // Two fill an export by their bytes.
        for first in stride(from: 1, through: 19, by: 3) as StrideThrough<UInt64> {
            driven.accept(batch(ids: [first, first + 1, first + 2], itemBytes: 400))
        }
        let leaving = driven.tick()
        let ids = leaving.flatMap(\.ids)
        #expect(leaving.count > 1)
        #expect(ids == Array(1...8))
        #expect(driven.tick().isEmpty)
        #expect(driven.machine.wakeAt(driven.now) == nil, "the next answer decides")
        driven.complete(leaving[0], .delivered())
        #expect(!driven.tick().isEmpty)
    }

    @Test func smallExportsDoNotKeepALargeOneWaiting() {
        var driven = Driven {
            $0.exportItemsMax = 8
            $0.inFlightItemsMax = 8
        }
        driven.accept(batch(ids: [1, 2, 3, 4, 5, 6, 7]))
        driven.now += second
        let large = driven.tick()
        driven.complete(large[0], .failed(message: "busy"))
        driven.now += 10 * second
        driven.accept(batch(ids: [8]))
        let again = driven.tick()
        #expect(again.map(\.ids) == [[1, 2, 3, 4, 5, 6, 7]], "the oldest first")
        #expect(driven.machine.wakeAt(driven.now) == nil)
        driven.complete(again[0], .delivered())
        driven.now += second
        #expect(driven.tick().map(\.ids) == [[8]])
    }

    @Test func emptyBatchIsNothing() {
        var driven = Driven()
        #expect(driven.accept(batch(ids: [])) == nil)
        #expect(driven.machine.accounting.received == 0)
    }

    @Test func flushSendsWithoutWaitingAndKnowsWhenItIsDone() {
        var driven = Driven()
        driven.accept(batch(ids: [1]))
        let mark = driven.machine.flush(now: driven.now)
        #expect(!driven.machine.isSettled(mark))
        let exports = driven.tick()
        #expect(exports.map(\.ids) == [[1]])
        driven.accept(batch(ids: [2]))
        #expect(driven.tick().isEmpty, "what came after the flush waits for company")
        #expect(!driven.machine.isSettled(mark))
        driven.complete(exports[0], .delivered())
        #expect(driven.machine.isSettled(mark))
    }
}

@Suite struct OverflowTests {
    @Test func fullQueueDropsNewestAndCountsIt() {
        var driven = Driven { $0.queueItemsMax = 5 }
        driven.accept(batch(ids: [1, 2, 3]))
        driven.accept(batch(ids: [4, 5, 6, 7]))
        driven.accept(batch(ids: [8]))
        #expect(driven.machine.held.flatMap(\.ids) == [1, 2, 3, 4, 5])
        #expect(driven.machine.accounting[.traces].dropped(.queueFull) == 3)
    }

    @Test func fullQueueDropsOldestWhenAskedAndCountsIt() {
        var driven = Driven {
            $0.queueItemsMax = 5
            $0.overflow = .dropOldest
        }
        driven.accept(batch(.logs, ids: [1, 2, 3]))
        driven.accept(batch(.traces, ids: [4, 5]))
        driven.accept(batch(.traces, ids: [6]))
        #expect(driven.machine.held.flatMap(\.ids) == [4, 5, 6])
        #expect(driven.machine.accounting[.logs].dropped(.evicted) == 3)
        driven.accept(batch(.traces, ids: 7...20))
        #expect(driven.machine.held.flatMap(\.ids) == [7, 8, 9, 10, 11])
    }

    @Test func byteBoundHoldsToTheByte() {
        let one = batch(ids: [1], itemBytes: 500)
        var driven = Driven { $0.queueBytesMax = one.memoryBytes * 2 }
        driven.accept(one)
        driven.accept(batch(ids: [2], itemBytes: 500))
        #expect(driven.machine.heldBytes == driven.machine.limits.queueBytesMax)
        #expect(driven.machine.accounting.dropped == 0)
        driven.accept(batch(ids: [3], itemBytes: 1))
        #expect(driven.machine.accounting.dropped(.queueFull) == 1)
    }

    @Test func whatIsInFlightCountsAndIsNeverEvicted() {
        var driven = Driven {
            $0.queueItemsMax = 2
            $0.exportItemsMax = 2
            $0.overflow = .dropOldest
        }
        driven.accept(batch(ids: [1, 2]))
        let exports = driven.tick()
        driven.accept(batch(ids: [3]))
        #expect(driven.machine.accounting.dropped(.queueFull) == 1)
        driven.complete(exports[0], .failed(message: "away"))
        driven.accept(batch(ids: [4]))
        #expect(driven.machine.accounting.dropped(.evicted) == 2)
        #expect(driven.machine.held.flatMap(\.ids) == [4])
    }
}

@Suite struct RetryTests {
    private func oneItemExports() -> Driven { Driven { $0.exportItemsMax = 1 } }

    @Test func failedExportIsTriedAgainAfterItsDelayWithItsItems() {
        var driven = oneItemExports()
        driven.accept(batch(ids: [1]))
        driven.complete(driven.tick()[0], .failed(message: "connection refused"))
        #expect(driven.machine.lastMessage == "connection refused")
        #expect(driven.tick().isEmpty)
        let failedAt = driven.now
        let again = driven.sleepAndTick()
        #expect(driven.now == failedAt + 200 * millisecond)
        #expect(again.map(\.ids) == [[1]])
        #expect(again[0].failures == 1)
        driven.complete(again[0], .delivered())
        #expect(driven.machine.accounting[.traces].exported == 1)
        #expect(driven.machine.accounting.retries == 1)
    }

    @Test func duringAnOutageOneProbeAtATimeGoesOutEverMoreRarely() {
        var driven = oneItemExports()
        for id in 1...8 as ClosedRange<UInt64> { driven.accept(batch(ids: [id])) }
        for export in driven.tick() { driven.complete(export, .failed(message: "away")) }
        var delays: [UInt64] = []
        for _ in 0..<7 {
            let before = driven.now
            let probe = driven.sleepAndTick()
            #expect(probe.count == 1)
            delays.append((driven.now - before) / millisecond)
            driven.complete(probe[0], .failed(message: "away"))
        }
        #expect(delays == [200, 400, 800, 1_600, 3_200, 5_000, 5_000])
    }

    @Test func afterAnOutageEverythingLeavesAtOnce() {
        var driven = oneItemExports()
        for id in 1...8 as ClosedRange<UInt64> { driven.accept(batch(ids: [id])) }
        for export in driven.tick() { driven.complete(export, .failed(message: "away")) }
        for _ in 0..<6 { driven.complete(driven.sleepAndTick()[0], .failed(message: "away")) }
        driven.complete(driven.sleepAndTick()[0], .delivered())
        let backAt = driven.now
        var left = driven.tick()
        while let export = left.popLast() {
            driven.complete(export, .delivered())
            left += driven.tick()
        }
        #expect(driven.now == backAt)
        #expect(driven.machine.accounting[.traces].exported == 8)
    }

    @Test func anExportThatAlwaysFailsDoesNotHoldUpTheOthers() {
        var driven = oneItemExports()
        driven.accept(batch(ids: [666]))
        var next: UInt64 = 1
        var deliveredInTime = 0
        let end = driven.now + 60 * second
        while driven.now < end {
            driven.accept(batch(ids: [next]))
            next += 1
            for export in driven.tick() {
                if export.ids == [666] {
                    driven.complete(export, .failed(message: "poison"))
                } else {
                    driven.complete(export, .delivered())
                    deliveredInTime += 1
                }
            }
            driven.now += 100 * millisecond
        }
        #expect(deliveredInTime > 590)
        #expect(driven.machine.accounting.retries < 20)
        #expect(driven.machine.held.flatMap(\.ids).contains(666))
    }

    /// Alone in flight when it fails, so that no other success ends the outage.
    @Test func anExportThatAlwaysFailsIsNotTheOnlyProbe() {
        var driven = oneItemExports()
        for id in 666...667 as ClosedRange<UInt64> {
            driven.accept(batch(ids: [id]))
            driven.complete(driven.sleepAndTick()[0], .failed(message: "poison"))
        }
        for id in 1...100 as ClosedRange<UInt64> { driven.accept(batch(ids: [id])) }
        let end = driven.now + 60 * second
        var delivered: Set<UInt64> = []
        while driven.now < end, delivered.count < 100 {
            for export in driven.sleepAndTick() {
                if export.ids[0] >= 666 {
                    driven.complete(export, .failed(message: "poison"))
                } else {
                    driven.complete(export, .delivered())
                    delivered.insert(export.ids[0])
                }
            }
        }
        #expect(delivered.count == 100)
        #expect(driven.machine.held.flatMap(\.ids) == [666, 667])
    }

    /// Many items go out together, and a backend fails at one of them: in the end it is alone.
    @Test func whatABackendFailsAtIsFoundByHalves() {
        var driven = Driven { $0.inFlightMax = 2 }
        driven.accept(batch(ids: Array(1...1_000)))
        var delivered: Set<UInt64> = []
        var next: UInt64 = 1_001
        let end = driven.now + 120 * second
        while driven.now < end {
            // Others come all the time.
            driven.accept(batch(ids: [next]))
            next += 1
            for export in driven.sleepAndTick() {
                if export.ids.contains(666) {
                    driven.complete(export, .failed(message: "poison"))
                } else {
                    driven.complete(export, .delivered())
                    delivered.formUnion(export.ids)
                }
            }
        }
        #expect(delivered.isSuperset(of: (1...1_000).filter { $0 != 666 }))
        let held = driven.machine.held.filter { $0.ids.contains(666) }
        #expect(held.map(\.ids) == [[666]])
    }

    @Test func aBackendThatFailsAtEverythingGetsNoSmallerExports() {
        var driven = Driven { $0.inFlightMax = 1 }
        driven.accept(batch(ids: Array(1...1_000)))
        for _ in 0..<20 {
            for export in driven.sleepAndTick() {
                #expect(export.ids.count == 1_000)
                driven.complete(export, .failed(message: "away"))
            }
        }
    }

    /// Whether others are delivered or not.
    @Test(arguments: [ExportResult.failed(retryAfter: 1, message: "busy"), .unreachable(message: "nobody")])
    func whatWasNotReadIsNotCut(_ result: ExportResult) {
        var driven = Driven { $0.inFlightMax = 2 }
        driven.accept(batch(ids: Array(1...1_000)))
        var next: UInt64 = 1_001
        for _ in 0..<100 {
            driven.accept(batch(ids: [next]))
            next += 1
            for export in driven.sleepAndTick() {
                let isLarge = export.ids.contains(1)
                if isLarge { #expect(export.ids.starts(with: 1...1_000)) }
                driven.complete(export, isLarge ? result : .delivered())
            }
        }
        #expect(driven.machine.accounting[.traces].exported > 10)
    }

    @Test func nothingOvertakesWhereOrderIsKept() {
        var driven = Driven {
            $0.exportItemsMax = 1
            $0.inFlightMax = 1
            $0.keepsOrder = true
        }
        driven.accept(batch(ids: [1]))
        driven.accept(batch(ids: [2]))
        for _ in 0..<10 {
            let sent = driven.sleepAndTick()
            #expect(sent.map(\.ids) == [[1]])
            driven.complete(sent[0], .failed(message: "away"))
        }
    }

    @Test func retryAfterStopsEverythingUntilThen() {
        var driven = oneItemExports()
        driven.accept(batch(ids: [1]))
        let start = driven.now
        driven.complete(driven.tick()[0], .failed(retryAfter: 30 * second, message: "throttled"))
        driven.accept(batch(ids: [2]))
        _ = driven.machine.flush(now: driven.now)
        #expect(driven.sleepAndTick().count == 1)
        #expect(driven.now == start + 30 * second)
    }

    @Test func retryAfterZeroDoesNotMakeUsSpin() {
        var driven = oneItemExports()
        driven.accept(batch(ids: [1]))
        for _ in 0..<10 {
            let before = driven.now
            guard let export = driven.sleepAndTick().first else { break }
            if export.failures > 0 { #expect(driven.now >= before + 200 * millisecond) }
            driven.complete(export, .failed(retryAfter: 0, message: "throttled"))
        }
        #expect(driven.machine.accounting.retries == 10)
    }

    @Test func refusalDropsAndCountsAndIsNotRepeated() {
        var driven = Driven()
        driven.accept(batch(.logs, ids: [1, 2]))
        driven.now += second
        driven.complete(driven.tick()[0], .refused(.refused, message: "400: bad data"))
        #expect(driven.machine.accounting[.logs].dropped(.refused) == 2)
        #expect(driven.machine.lastMessage == "400: bad data")
        #expect(driven.machine.tick(now: driven.now).wakeAt == nil)
    }

    @Test func partialSuccessCountsWhatWasRejected() {
        var driven = Driven()
        driven.accept(batch(ids: 1...10))
        driven.now += second
        driven.complete(driven.tick()[0], .delivered(rejected: 3, message: "3 spans too old"))
        #expect(driven.machine.accounting[.traces].exported == 7)
        #expect(driven.machine.accounting[.traces].dropped(.rejected) == 3)
        #expect(driven.machine.accounting.warnings == 1)
    }

    @Test func itemsThatCouldNotBeEncodedAreCountedApart() {
        var driven = Driven()
        driven.accept(batch(ids: 1...10))
        driven.now += second
        driven.complete(driven.tick()[0], .delivered(rejected: 100, notEncodable: 2))
        #expect(driven.machine.accounting[.traces].dropped(.notEncodable) == 2)
        #expect(driven.machine.accounting[.traces].dropped(.rejected) == 8)
    }

    @Test(arguments: [-5, 11, Int.max])
    func absurdRejectedCountKeepsTheBooksBalanced(rejected: Int) {
        var driven = Driven()
        driven.accept(batch(ids: 1...10))
        driven.now += second
        driven.complete(driven.tick()[0], .delivered(rejected: rejected))
        #expect(driven.machine.accounting[.traces].exported == (rejected < 0 ? 10 : 0))
    }

    @Test func tooLargeIsHalvedUntilItFitsAndTheSizeIsRemembered() {
        var driven = Driven()
        driven.accept(batch(ids: 1...6, itemBytes: 50_000))
        driven.accept(batch(ids: 7...8, itemBytes: 50_000))
        driven.now += second
        var delivered: [UInt64] = []
        var pending = driven.tick()
        while let export = pending.popLast() {
            if export.itemCount > 2 {
                driven.complete(export, .tooLarge(message: "413"))
            } else {
                delivered += export.ids
                driven.complete(export, .delivered())
            }
            pending += driven.tick()
        }
        #expect(delivered.sorted() == Array(1...8))
        driven.accept(batch(ids: 10...13, itemBytes: 49_000))
        driven.now += second
        #expect(driven.tick().map(\.itemCount) == [2, 2])
        driven.accept(batch(ids: 14...20))
        #expect(driven.tick().isEmpty, "small items still go in large numbers")
    }

    @Test func singleItemThatIsTooLargeIsDropped() {
        var driven = Driven()
        driven.accept(batch(ids: [1]))
        driven.now += second
        driven.complete(driven.tick()[0], .tooLarge(message: "413"))
        #expect(driven.machine.accounting[.traces].dropped(.tooLarge) == 1)
    }

    @Test func shutdownHandsBackEverythingUndeliveredInOrder() {
        var driven = Driven {
            $0.exportItemsMax = 1
            $0.inFlightMax = 2
        }
        for id in 1...5 as ClosedRange<UInt64> { driven.accept(batch(ids: [id])) }
        let exports = driven.tick()
        driven.complete(exports[0], .failed(message: "away"))
        #expect(driven.machine.shutdown().flatMap(\.ids) == [1, 2, 3, 4, 5])
        #expect(driven.machine.accounting[.traces].dropped(.undelivered) == 5)
        driven.complete(exports[1], .delivered())
        driven.accept(batch(ids: [6]))
        #expect(driven.machine.accounting[.traces].dropped(.shutDown) == 1)
        #expect(driven.machine.accounting[.traces].exported == 0)
        #expect(driven.machine.shutdown().isEmpty)
        #expect(driven.tick().isEmpty)
    }
}
